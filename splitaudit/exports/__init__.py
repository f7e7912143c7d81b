"""Exports of a split: a module a format, each with one function `export`.

What the formats share is here: safe names, files that appear whole or not at all, the sidecar.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.errors import SplitauditError

_TAKEN = "splits"  # splits.parquet holds the whole plan
_EXPORTED = re.compile(r"[A-Za-z0-9_~.-]+\.(parquet|txt|csv)")


def file_names(splits: Collection[str], ending: str) -> dict[str, str]:
    """Return a file name for each split, safe on every file system whatever the split is called.

    A name of ASCII letters, digits, `_`, `-` and inner dots is kept. Any other, and those that
    differ only in case, get `~` and the start of their SHA-256 behind what is left of them.
    """
    folded = Counter(split.casefold() for split in splits)
    return {split: _safe(split, folded[split.casefold()] > 1) + ending for split in splits}


def _safe(split: str, ambiguous: bool) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.-]", "_", split).strip(".")[:60]
    if plain and plain == split and plain.casefold() != _TAKEN and not ambiguous:
        return plain
    return f"{plain}~{hashlib.sha256(split.encode()).hexdigest()[:12]}"


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> Path:
    """Write a file under another name and move it into place, so that it is never seen half done.

    Raises
    ------
    SplitauditError
        Where the folder cannot be made or written (no right, disk full).
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            write(file)
        temporary.replace(path)
    except OSError as fault:
        raise SplitauditError(f"cannot write {path}: {fault.strerror or fault}") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return path


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file whole."""
    return write_whole(path, lambda file: file.write(content))


def finish(
    folder: Path,
    written: list[Path],
    sidecar: dict[str, Any],
    splits: pa.Table,
    files: dict[str, str],
) -> list[Path]:
    """Write split.json, remove what only an earlier export wrote, and return what is there now.

    split.json holds what the caller knows, with the counts, the files and what was dropped.
    """
    counts = splits["new_split"].drop_null().value_counts().to_pylist()
    dropped = splits.filter(pc.is_null(splits["new_split"]))["item_id"].to_pylist()
    completed = {
        **sidecar,
        "counts": {x["values"]: x["counts"] for x in sorted(counts, key=lambda x: x["values"])},
        "files": files,
        "dropped": sorted(dropped),
    }
    text = json.dumps(completed, indent=2, ensure_ascii=False) + "\n"
    earlier = _files_of(folder / "split.json")
    told = write_bytes(folder / "split.json", text.encode())
    for name in earlier - {path.name for path in written}:
        (folder / name).unlink(missing_ok=True)
    return [*written, told]


def _files_of(sidecar: Path) -> set[str]:
    """Names of the files beside a sidecar that it says were written with it."""
    try:
        files = json.loads(sidecar.read_text(encoding="utf-8"))["files"].values()
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return set()
    named = {name for name in files if isinstance(name, str) and _EXPORTED.fullmatch(name)}
    return named | {f"{_TAKEN}.parquet"}
