"""Tables that are compressed: `.csv.gz` is a CSV."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from splitaudit.dataset.file_kinds import ending
from splitaudit.dataset.paths import encode_path
from splitaudit.errors import SplitauditError


def _decompress_zstd(content: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
        found: bytes = stream.read()
    return found


_DECOMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": _decompress_zstd,
}


def is_compressed(name: str) -> bool:
    """Return whether the ending of a file name says that it is compressed."""
    return ending(name) in _DECOMPRESS


def inner_name(name: str) -> str:
    """Return a file name without the ending that says how it is compressed."""
    return os.path.splitext(name)[0] if is_compressed(name) else name


def read_bytes(path: Path) -> bytes:
    """Return what a file holds, decompressed where its ending says so.

    Raises
    ------
    SplitauditError
        Where it is damaged, or not what its ending says.
    OSError
        Where it cannot be read.
    """
    content = path.read_bytes()
    if not is_compressed(path.name):
        return content
    try:
        return _DECOMPRESS[ending(path.name)](content)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
        raise SplitauditError(
            f"{encode_path(str(path))} is damaged, or not compressed as its ending says: {error}"
        ) from error
