"""Which split each file of a folder belongs to: by folders, else by lists that lie beside them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from splitaudit.dataset.dataset import UNSPLIT, split_name
from splitaudit.dataset.split_lists import Lists, find_lists
from splitaudit.dataset.split_names import shorten
from splitaudit.order import EVALUATED, OTHER, TEST, TRAIN, role

# Below the first level a folder is a split only by its whole name: `testudo` is a tortoise.
_SPLIT_FOLDER = re.compile(
    r"(train|test|val)(ing|id|idation)?(?![^\W\d_]).*|dev(?![^\W\d_]).*", re.IGNORECASE
)
_MOST = 0.5  # > of the files lie in such folders, where these are the splits

Placed = list[tuple[str, str]]  # name of a file and split; a name may stand in several splits


@dataclass(frozen=True)
class FolderSplits:
    """Where each file belongs.

    Parameters
    ----------
    placed
        Each file with its split.
    missing
        Files that a list names and that are not there, with their split and the list.
    known
        Whether anything says which split a file belongs to.
    notes
        Sentences for the user.
    """

    placed: Placed
    missing: Sequence[tuple[str, str, str]] = ()
    known: bool = True
    notes: Sequence[str] = ()


def find_splits(root: str, first: Mapping[str, str], others: Sequence[str]) -> FolderSplits:
    """Find the split of each file.

    Parameters
    ----------
    root
        The folder.
    first
        Its media, relative to it, with `/` between folders, encoded; and the split that the first
        level of folders gives each.
    others
        Its other files.

    Returns
    -------
    FolderSplits
        By the first level of folders, where one of them has the name of a split. Else by folders
        below it (`cat/train`, `images/train`), where most files lie in such. Else by lists of
        files. Else by the first level, whatever its names; then no split is known.
    """
    names, folders = list(first), sorted({*first.values()} - {UNSPLIT})
    if any(role(split) != OTHER for split in folders):
        return FolderSplits(list(first.items()), notes=_first_level_notes(first.values()))
    below = [(name, _split_folder(name)) for name in names]
    inside = sum(split != UNSPLIT for _, split in below)
    if inside > _MOST * len(names):
        return FolderSplits(below, notes=_below_notes(below))
    found = find_lists(root, names, others)
    if found.placed:
        return _listed(found, names)
    notes = [*_unknown_notes(folders), *found.notes]
    return FolderSplits(list(first.items()), known=False, notes=notes)


def _split_folder(name: str) -> str:
    """The outermost folder of a file that has the name of a split."""
    folders = name.split("/")[:-1]
    found = (folder for folder in folders if _SPLIT_FOLDER.fullmatch(folder))
    return split_name(next(found, UNSPLIT))


def _listed(found: Lists, names: Sequence[str]) -> FolderSplits:
    """Files by lists; what none names is train, where no list says what train is."""
    said = {split for _, split in found.placed}
    rest = UNSPLIT if any(role(split) == TRAIN for split in said) else TRAIN
    named = {name for name, _ in found.placed}
    left = [(name, rest) for name in names if name not in named]
    notes = [f"splits are those of the lists {', '.join(shorten(found.paths))}", *found.notes]
    if left:
        notes.append(f"files that no list names stand in the split '{rest}': {len(left):,}")
    return FolderSplits([*found.placed, *left], found.missing, notes=notes)


def _first_level_notes(found: Iterable[str]) -> list[str]:
    splits = set(found)
    if len(splits) == 1:
        return [f"one split only ({splits.pop()}): audited for duplicates within itself"]
    if any(role(split) in EVALUATED for split in splits):
        return []
    others = ", ".join(shorten(sorted(splits - {TRAIN})))
    return [f"no folder is named test or val: train is compared with {others}"]


def find_unplaced(
    splits: Iterable[str | None], named: Collection[str]
) -> tuple[list[str], list[str]]:
    """Return the splits that nothing says what they are for, and what to say of them.

    Parameters
    ----------
    splits
        Of each file, where some have the name of a split.
    named
        Those that the user named.
    """
    counts = Counter(map(str, splits))
    left = sorted(name for name in counts if role(name) == OTHER and name not in named)
    if not left:
        return [], []
    many = ", ".join(shorten([f"{counts[name]:,} in {name}" for name in left]))
    say, keep = (",".join(f"{name}={split or name}" for name in left[:2]) for split in (TRAIN, ""))
    return left, [
        f"files that belong to no split: {many}; they are compared with all others, but nothing "
        f"says what they are: include them with --splits {say} (or {keep}, to keep them as a split "
        "of their own), or take them out of the folder"
    ]


def _below_notes(placed: Placed) -> list[str]:
    splits = sorted({split for _, split in placed} - {UNSPLIT})
    return [f"splits are the folders below the first level: {', '.join(shorten(splits))}"]


def _unknown_notes(folders: list[str]) -> list[str]:
    only = "audited for duplicates only"
    if not folders:
        return [f"no split folders: {only}; say --splits {UNSPLIT}=train where all is one split"]
    names = ", ".join(shorten(folders))
    pairs = zip(folders, (TRAIN, TEST), strict=False)
    say = "say --splits " + ",".join(f"{name}={split}" for name, split in pairs)
    if len(folders) == 1:
        say = f"scan {folders[0]} itself"
    return [
        f"no folder is named train, val or test ({names}), and no list says which file is in which "
        f"split: {only}; where folders are splits, {say}; else write a manifest"
    ]
