"""A folder as a dataset: each first-level folder is a split, the media below are its items."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa

from splitaudit.dataset.dataset import UNSPLIT, Dataset, items_table, split_name, tell_values
from splitaudit.dataset.file_kinds import (
    AUDIO,
    IMAGE,
    OPENABLE,
    PARTS,
    UNKNOWN,
    Outcome,
    ending,
    error_outcome,
    kind_of,
    may_be_media,
    mode_outcome,
    names_and_stems,
)
from splitaudit.dataset.first_bytes import recognise
from splitaudit.dataset.folder_splits import FolderSplits, find_splits, find_unplaced
from splitaudit.dataset.paths import encode_path, safe_name
from splitaudit.dataset.split_names import rename_splits
from splitaudit.errors import SplitauditError
from splitaudit.metadata import keys
from splitaudit.metadata.keys import Key
from splitaudit.metadata.placeholders import Override
from splitaudit.order import evaluation_order
from splitaudit.schema import EDGES, MEDIA, MEMBERSHIPS, MISSING, UNREADABLE, conform

_MAX_SHOWN = 10  # names and endings listed in a note

Identity = tuple[int, int]  # st_dev, st_ino


class _Row(NamedTuple):
    item_id: str
    part: str
    split: str
    status: str | None
    error: str | None
    name: str = ""  # of the file, where the id is another


@dataclass(frozen=True)
class _Folder:
    path: str
    prefix: str  # of the names below it, relative to the target: "" or "train/"
    split: str
    above: frozenset[Identity]  # itself and all it lies in, along the path taken


@dataclass(frozen=True)
class _Listing:
    rows: list[_Row] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)  # endings of what is no medium
    unread: Counter[str] = field(default_factory=Counter)  # of what may be one, and is not read
    others: list[str] = field(default_factory=list)  # names of what is not media

    def add(self, folder: _Folder, name: str, parts: Iterable[str], found: Outcome) -> None:
        item_id = encode_path(folder.prefix + name)
        for part in parts:
            self.rows.append(_Row(item_id, part, folder.split, *found))


def from_folder(
    target: str,
    declared: Sequence[Key] = (),
    names: Mapping[str, str] | None = None,
    values: Mapping[str, Override] | None = None,
) -> Dataset:
    """List a folder, and find which split each file belongs to.

    Links are followed, except one that leads back to a folder above it. Hidden files and folders
    are passed over.

    Parameters
    ----------
    target
        The folder.
    declared
        Keys of what is known of a file: `id`, `file_name` and `stem`.
    names
        Their name of a split -> ours.
    values
        As of `IngestOptions`.

    Raises
    ------
    SplitauditError
        Where no split has one of these names, the folder cannot be listed or holds no media.
    """
    root = os.path.abspath(target)
    listing = _walk(root)
    if all(row.part == UNKNOWN for row in listing.rows):
        ignored = _ignored_note(listing.ignored + listing.unread)
        raise SplitauditError(
            f"no media found in {encode_path(root)}{f' ({ignored})' if ignored else ''}: "
            "expected sound files in folders such as train and test"
        )
    listed = _resolve_unknown(listing.rows)
    found = find_splits(root, {row.item_id: row.split for row in listed}, listing.others)
    rows = sorted(_place(listed, found))
    renamed, problems, notes = rename_splits([row.split for row in rows], names or {})
    if problems:
        raise SplitauditError(f"--splits: {problems[0]}")
    split_of_item = dict(zip((row.item_id for row in rows), renamed, strict=True))
    known = found.known or bool(names)
    ours = {split_name(split) for split in (names or {}).values()}
    unplaced, left = find_unplaced(split_of_item.values(), ours) if known else ([], [])
    joining = tell_values(declared, values or {})
    facts = _key_columns(list(split_of_item), joining)
    return Dataset(
        name=safe_name(os.path.basename(root)),
        root=Path(root),
        items=items_table({"item_id": list(split_of_item), "split": list(split_of_item.values())}),
        media=_media(rows, encode_path(os.path.join(root, ""))),
        memberships=pa.concat_tables(
            [conform([], MEMBERSHIPS), *(keys.memberships(facts, key) for key in joining)]
        ),
        links=conform([], EDGES),
        split_order=tuple(evaluation_order(map(str, split_of_item.values()))),
        notes=(
            *([] if names else found.notes),
            *notes,
            *_ignored_notes(listing.ignored),
            *(note for key in joining for note in keys.notes(facts, key)),
            *left,
        ),
        splits_known=known,
        unplaced=tuple(unplaced),
    )


def _place(rows: Sequence[_Row], found: FolderSplits) -> Iterator[_Row]:
    """Yield rows with their splits; a file in two is two items, and what is missing is one."""
    by_name: dict[str, list[_Row]] = {}
    for row in rows:
        by_name.setdefault(row.item_id, []).append(row)
    times = Counter(name for name, _ in found.placed)
    for name, split in found.placed:
        item_id = name if times[name] == 1 else f"{split}/{name}"
        for row in by_name[name]:
            yield row._replace(item_id=item_id, split=split, name=name)
    usual = rows[0].part
    for name, split, path in found.missing:
        reason = f"{path} names it, and there is no such file"
        for part in PARTS.get(kind_of(name) or "", (usual,)):
            yield _Row(f"{split}/{name}", part, split, MISSING, reason, name)


def _resolve_unknown(rows: list[_Row]) -> list[_Row]:
    """Count what may be a medium of any kind among those that there are most of."""
    known = Counter(row.part for row in rows if row.part in (AUDIO, IMAGE))
    most = max(known, key=lambda part: (known[part], part == AUDIO), default=AUDIO)
    return [row._replace(part=most) if row.part == UNKNOWN else row for row in rows]


def _key_columns(ids: list[str], declared: Sequence[Key]) -> pd.DataFrame:
    """What keys are made of: a row a file."""
    facts = pd.DataFrame({"item_id": ids, "id": ids, **names_and_stems(ids)}, dtype=object)
    for key in declared:
        for name in key.columns:
            if name not in facts:
                raise SplitauditError(
                    f"key {key.name}: of a folder only id, file_name and stem are known"
                )
    return facts


def list_media(folder: str) -> tuple[list[str], str]:
    """Return the names of the media below a folder, encoded, and a sentence about other files.

    Raises
    ------
    SplitauditError
        Where the folder cannot be listed.
    """
    listing = _walk(os.path.abspath(folder))
    return sorted({row.item_id for row in listing.rows}), _ignored_note(listing.ignored)


def _media(rows: list[_Row], root: str) -> pa.Table:
    columns = {
        "item_id": [row.item_id for row in rows],
        "part": [row.part for row in rows],
        "modality": [row.part for row in rows],
        "path": [root + (row.name or row.item_id) for row in rows],
        "status": pa.array([row.status for row in rows], pa.string()),
        "error": pa.array([row.error for row in rows], pa.string()),
    }
    return conform(pa.table(columns), MEDIA)


def _walk(root: str) -> _Listing:
    listing = _Listing()
    stack = [_Folder(root, "", UNSPLIT, _ancestor_folders(root))]
    while stack:  # not recursive: a path can be deeper than Python's stack
        folder = stack.pop()
        try:
            with os.scandir(folder.path) as entries:
                visible = [entry for entry in entries if not _is_hidden(entry.name)]
        except OSError as error:
            if not folder.prefix:
                raise SplitauditError(
                    f"cannot list {encode_path(root)}: {error.strerror}"
                ) from error
            reason = f"the folder cannot be listed: {error.strerror}"
            # Told as sound, so that it counts in the denominator of what is audited.
            listing.rows.append(
                _Row(encode_path(folder.prefix[:-1]), AUDIO, folder.split, UNREADABLE, reason)
            )
            continue
        for entry in visible:
            stack.extend(_visit(folder, entry, listing))
    return listing


def _visit(folder: _Folder, entry: os.DirEntry[str], listing: _Listing) -> list[_Folder]:
    """Add one entry to the listing; return it where it is a folder to enter."""
    kind = kind_of(entry.name)
    try:
        # Most entries are plain files, which the listing itself tells: no call for each of them.
        if entry.is_file(follow_symlinks=False):
            found = OPENABLE
        else:
            info = os.stat(entry.path)
            if stat.S_ISDIR(info.st_mode):
                return _enter(folder, entry.name, (info.st_dev, info.st_ino), listing)
            found = mode_outcome(info.st_mode)
        if kind is None and found == OPENABLE:
            kind, found = recognise(entry.path, entry.name)
    except OSError as error:
        is_link = os.path.islink(entry.path)
        found = error_outcome(error)
        if is_link and found[0] == MISSING:
            found = MISSING, "a link to a file that does not exist"
        if not is_link or not ending(entry.name):
            kind = kind or AUDIO  # a folder, or a link to one: perhaps a whole split
        elif may_be_media(entry.name):
            kind = kind or UNKNOWN
    if kind:
        listing.add(folder, entry.name, PARTS.get(kind, (kind,)), found)
        listing.unread[ending(entry.name)] += kind == UNKNOWN
    else:
        listing.ignored[ending(entry.name)] += 1
        listing.others.append(encode_path(folder.prefix + entry.name))
    return []


def _enter(folder: _Folder, name: str, identity: Identity, listing: _Listing) -> list[_Folder]:
    if identity in folder.above:
        reason = "a link loop: the link leads back to a folder above it"
        listing.add(folder, name, [AUDIO], (UNREADABLE, reason))
        return []
    split = folder.split if folder.prefix else split_name(encode_path(name))
    path = os.path.join(folder.path, name)
    return [_Folder(path, f"{folder.prefix}{name}/", split, folder.above | {identity})]


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _ancestor_folders(root: str) -> frozenset[Identity]:
    """Return the root and all folders it lies in: a link to one of those is a loop too."""
    real = Path(os.path.realpath(root))
    infos = [os.stat(folder) for folder in (real, *real.parents)]
    return frozenset((info.st_dev, info.st_ino) for info in infos)


def _ignored_notes(ignored: Counter[str]) -> list[str]:
    return [_ignored_note(ignored)] if ignored else []


def _ignored_note(ignored: Counter[str]) -> str:
    if not ignored:
        return ""
    counted = sorted(ignored.items(), key=lambda pair: (-pair[1], pair[0]))
    kinds = [f"{encode_path(name) or 'without ending'} {count}" for name, count in counted]
    total = ignored.total()
    files = "1 file that is" if total == 1 else f"{total:,} files that are"
    return f"ignored {files} not media ({_shorten_list(kinds)})"


def _shorten_list(names: list[str]) -> str:
    more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
    return ", ".join(names[:_MAX_SHOWN]) + more
