"""Exports of a split: a module a format, each with one function `export`.

What the formats share is here: names of splits and files, the sidecar, and how all of it appears
whole or not at all. What they tell of an item is in `rows`.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from splitaudit.engine.store import (
    atomic_replace,
    explain_write_errors,
    read_json,
    to_json,
    write_text,
)
from splitaudit.errors import SplitauditError

SIDECAR = "split.json"
_RESERVED_NAME = "splits"  # splits.parquet holds the whole plan
# What an export may have written; nothing else is ever removed.
_EXPORTED = re.compile(
    r"(data/)?[A-Za-z0-9_~-][A-Za-z0-9_~.-]*\.(parquet|txt|csv)|README\.md|croissant\.json"
)


def check_split_names(names: Iterable[str]) -> list[str]:
    """Return the names of splits, sorted.

    Raises
    ------
    SplitauditError
        Where one is empty, or is `all` in whatever case, which `datasets` refuses.
    """
    names = sorted(names)
    for name in names:
        if not name:
            raise SplitauditError("a split cannot have an empty name: it needs letters or digits")
        if name.lower() == "all":
            raise SplitauditError(
                f"a split cannot be called {name!r}: Hugging Face reserves that name, which "
                "means all splits there; give it another"
            )
    return names


def split_names(splits: pa.Table, sidecar: Mapping[str, Any]) -> list[str]:
    """Return the names of all splits, sorted.

    Parameters
    ----------
    splits
        Schema SPLITS.
    sidecar
        Its `splits` may name some that no item is left in.
    """
    held = splits["new_split"].drop_null().unique().to_pylist()
    return check_split_names({*held, *sidecar.get("splits", ())})


def file_names(splits: Collection[str], ending: str) -> dict[str, str]:
    """Return a file name for each split, safe on every file system whatever the split is called.

    A name of ASCII letters, digits, `_`, `-` and inner dots is kept. Any other, and those that
    differ only in case, get `~` and the start of their SHA-256 behind what is left of them.
    """
    folded = Counter(split.casefold() for split in splits)
    return {split: _safe_name(split, folded[split.casefold()] > 1) + ending for split in splits}


def _safe_name(split: str, ambiguous: bool) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", split).strip(".")[:60]
    if plain and plain == split and plain.casefold() != _RESERVED_NAME and not ambiguous:
        return plain
    return f"{plain}~{hashlib.sha256(split.encode()).hexdigest()[:12]}"


def parquet_bytes(rows: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    file = io.BytesIO()
    pq.write_table(rows, file)
    return file.getvalue()


def write(
    folder: Path,
    contents: Mapping[str, bytes],
    sidecar: Mapping[str, Any],
    splits: pa.Table,
    files: Mapping[str, str],
) -> list[Path]:
    """Write an export with its sidecar, split.json, and return the paths of all files.

    A folder that is not there yet appears when everything is in it. In one that is, the files of an
    earlier export go and nothing else does; split.json says `unfinished` until all have come.

    Parameters
    ----------
    folder
        Made if need be. Nothing is written outside it; links in it are replaced.
    contents
        Relative path -> bytes. What tells of other files, such as a README, comes first.
    sidecar
        What the caller knows: seed, policy, digest. Counts, files and dropped are added to it.
    splits
        Schema SPLITS.
    files
        Split -> relative path, where each has a file.

    Raises
    ------
    SplitauditError
        Where the folder cannot be written; an earlier export is then still there.
    """
    told = _complete_sidecar(sidecar, splits, {"files": dict(files), "written": list(contents)})
    everything = {**contents, SIDECAR: to_json(told).encode()}
    if os.path.lexists(folder):
        _replace_export(folder, everything)
    else:
        with atomic_replace(folder) as new:
            for name, content in everything.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(content)
    return [folder / name for name in everything]


def _complete_sidecar(
    sidecar: Mapping[str, Any], splits: pa.Table, written: Mapping[str, Any]
) -> dict[str, Any]:
    placed = Counter(splits["new_split"].drop_null().to_pylist())
    dropped = splits.filter(pc.is_null(splits["new_split"]))["item_id"].to_pylist()
    counts = {name: placed[name] for name in split_names(splits, sidecar)}
    return {**sidecar, "counts": counts, **written, "dropped": sorted(dropped)}


def _replace_export(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Put an export where there is a folder, in place of an earlier one."""
    earlier = _earlier_files(folder)
    names = list(dict.fromkeys([*contents, *earlier]))
    inner = {(folder / name).parent for name in names} - {folder}
    # Moves are made in reverse: what enters first, the sidecar, comes last. What tells of other
    # files goes after them and comes before them, so that it never tells of those of two exports.
    with explain_write_errors(folder), contextlib.ExitStack() as moves:
        for link in filter(Path.is_symlink, inner):
            link.unlink()
        for name in reversed(list(contents)):
            moves.enter_context(atomic_replace(folder / name)).write_bytes(contents[name])
        write_text(to_json({"unfinished": True, "written": names}), folder / SIDECAR)
        for name in reversed(earlier):
            (folder / name).unlink(missing_ok=True)
    for path in inner:
        with contextlib.suppress(OSError):  # not empty, or not there
            path.rmdir()


def _earlier_files(folder: Path) -> list[str]:
    """Return what an earlier export says it wrote, as far as an export can have written it."""
    try:
        names = read_json(folder / SIDECAR)["written"]
        return [x for x in names if isinstance(x, str) and _EXPORTED.fullmatch(x)]
    except (OSError, ValueError, TypeError, KeyError):
        return []
