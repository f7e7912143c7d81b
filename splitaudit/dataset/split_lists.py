"""Lists in a folder that say which file is in which split: `testing_list.txt`, `train.txt`."""

from __future__ import annotations

import os
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from splitaudit.dataset.file_kinds import kind_of
from splitaudit.dataset.paths import decode_path, encode_path
from splitaudit.dataset.split_names import shorten

_ENDINGS = ("", ".txt", ".lst", ".list", ".csv", ".tsv")
_NAME = re.compile(
    r"(?<![^\W\d_])(?:(train|test|val)(?:ing|id|idation)?|(dev))(?=list|set|file|split|[\W\d_]|$)"
)
_BETWEEN_CELLS = re.compile(r"[\t,;|]")
_HEADED = (".csv", ".tsv")
_MAX_BYTES = 100_000_000  # of a list of file names
_NAMED = 0.1  # >= of the lines of a list name files of the folder; the others are not there

Placed = list[tuple[str, str]]


@dataclass(frozen=True)
class Lists:
    """What the lists of one folder say.

    Parameters
    ----------
    paths
        The lists, relative to the target.
    placed
        Files with the split that a list gives them.
    missing
        What lists name and is not there, with the split and the list.
    notes
        Sentences for the user: other lists that were not used.
    """

    paths: list[str]
    placed: Placed = field(default_factory=list)
    missing: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_lists(root: str, names: Sequence[str], others: Iterable[str]) -> Lists:
    """Return what the lists say that name the most files; nothing where no list names any.

    Parameters
    ----------
    root
        The target.
    names
        Its media, relative to it, encoded.
    others
        Its other files.

    Returns
    -------
    Lists
        Of one folder of lists, one list a split: the one whose whole name is that of the split,
        before others. A line is a path from anywhere above the file, or only its name; with or
        without its ending.
    """
    known = _Names(names)
    folders: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted(others):
        if split := _split_of(path):
            folders[posixpath.dirname(path)].append((split, path))
    read = [_read_folder(root, _choose(paths), known) for paths in folders.values()]
    best = max(read, key=lambda lists: len(lists.placed), default=Lists([]))
    paths = sorted(path for folder in folders.values() for _, path in folder)
    unused = [path for path in paths if path not in best.paths]
    notes = [f"lists that were not read: {', '.join(shorten(unused))}"] if unused else []
    return replace(best, notes=notes)


class _Names:
    """Files by their name, with and without ending."""

    def __init__(self, names: Sequence[str]) -> None:
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self._all = set(names)
        for name in names:
            self._by_stem[_stem(posixpath.basename(name))].append(name)
        self.folders = Counter(map(posixpath.dirname, names))

    def fitting(self, line: str) -> list[str]:
        """Return the files that a line may mean: all of it, its first cell, or one with a file."""
        cells = [cell.strip("\"' ") for cell in _BETWEEN_CELLS.split(line)]
        files = (cell for cell in cells[1:] if kind_of(cell))
        tried = dict.fromkeys((line, line.split()[0], cells[0], *files))
        return next(filter(None, map(self._fitting, tried)), [])

    def _fitting(self, written: str) -> list[str]:
        path = posixpath.normpath(written.replace("\\", "/"))
        if path in self._all:
            return [path]
        base = posixpath.basename(path)
        near = dict.fromkeys((*self._by_stem.get(base, ()), *self._by_stem.get(_stem(base), ())))
        return [name for name in near if _same_end(name, path)]


def _resolve(lines: Sequence[str], known: _Names) -> list[str | None]:
    """The file of each line; None where there is none, or several.

    A name without folders may fit a picture and its mask. Then the one is meant that lies in a
    folder where every line has a file; of several such folders, in the one with the most files.
    """
    fitting = [known.fitting(line) for line in lines]
    counts = Counter(folder for found in fitting for folder in {*map(posixpath.dirname, found)})
    common = [folder for folder, count in counts.items() if count == sum(map(bool, fitting))]
    largest = max((known.folders[folder] for folder in common), default=0)
    main = [folder for folder in common if known.folders[folder] == largest]
    for at, found in enumerate(fitting):
        if len(found) > 1 and len(main) == 1:
            fitting[at] = [name for name in found if posixpath.dirname(name) == main[0]]
    return [found[0] if len(found) == 1 else None for found in fitting]


def _same_end(name: str, path: str) -> bool:
    """Whether one path is the end of the other, with or without the ending of the file."""
    for one in (name, _stem(name)):
        if f"/{one}".endswith(f"/{path}") or f"/{path}".endswith(f"/{one}"):
            return True
    return False


def _stem(name: str) -> str:
    return posixpath.splitext(name)[0]


def _split_of(path: str) -> str | None:
    """The split that the name of a list tells; None where it is none."""
    stem, ending = posixpath.splitext(posixpath.basename(path).casefold())
    found = _NAME.search(stem) if ending in _ENDINGS else None
    return (found[1] or "val") if found else None


def _choose(paths: list[tuple[str, str]]) -> dict[str, str]:
    """One list a split: the one that is called as the split; none where several are like it."""
    by_split: dict[str, list[str]] = defaultdict(list)
    for split, path in paths:
        by_split[split].append(path)
    chosen = {split: _plainest(found) for split, found in by_split.items()}
    return {split: path for split, path in chosen.items() if path}


def _plainest(paths: list[str]) -> str | None:
    whole = [path for path in paths if _NAME.fullmatch(_stem(posixpath.basename(path)).casefold())]
    fitting = whole or paths
    return fitting[0] if len(fitting) == 1 else None


def _read_folder(root: str, chosen: Mapping[str, str], known: _Names) -> Lists:
    lists = Lists([])
    rows = [
        (line, split, path)
        for split, path in chosen.items()
        for line in dict.fromkeys(_lines(os.path.join(root, decode_path(path))))
    ]
    files = _resolve([line for line, _, _ in rows], known)
    named = Counter(path for (_, _, path), name in zip(rows, files, strict=True) if name)
    written = Counter(path for _, _, path in rows)
    lists.paths.extend(path for path in named if named[path] >= _NAMED * written[path])
    first = {path: line for line, _, path in reversed(rows)}  # of a CSV perhaps its header
    for (line, split, path), name in zip(rows, files, strict=True):
        if name and path in lists.paths:
            lists.placed.append((name, split))
        elif path in lists.paths and not (path.endswith(_HEADED) and line == first[path]):
            lists.missing.append((line, split, path))
    return replace(lists, placed=list(dict.fromkeys(lists.placed)))


def _lines(path: str) -> Iterator[str]:
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _MAX_BYTES:
            return  # to open a pipe would wait for ever
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            for line in file:
                if line.strip():
                    yield encode_path(line.strip())
    except OSError:
        return
