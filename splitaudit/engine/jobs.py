"""Files as they were when a scan began, and facts about their bytes.

What is written depends on the bytes of the files alone. A file that is gone or was changed
while it was read leaves no fact, so that the next run looks again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from splitaudit import schema
from splitaudit.engine.store import Parts, digest, write_table

CONTENTS = pa.schema({"key": pa.string(), "digest": pa.string()})


@dataclass(frozen=True)
class File:
    """A file as it was when the scan began, or a stretch of it.

    Parameters
    ----------
    path
        With odd bytes as surrogates.
    start_s, end_s
        The stretch; null: all of it.
    signature
        Size and times; another signature is another file.
    content_id
        Once it is known.
    """

    path: str
    start_s: float | None
    end_s: float | None
    signature: str
    content_id: str = ""

    @property
    def name(self) -> str:
        """Key of the fact which bytes it holds."""
        return digest(self.path, self.signature)

    @property
    def stretch(self) -> str:
        """The part of the content id that says which stretch of the bytes it is."""
        if self.start_s is None and self.end_s is None:
            return ""
        end = "" if self.end_s is None else f"{self.end_s:.6f}"
        return f"@{self.start_s or 0.0:.6f}-{end}"

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.signature.split("-")[0])

    @property
    def changed(self) -> bool:
        """Whether the file is another one by now, or gone."""
        try:
            return signature(self.path) != self.signature
        except OSError:
            return True


def signature(path: str) -> str:
    """Size and times of a file; ctime too, since a copy may bring an old mtime with it.

    Raises
    ------
    OSError
        As `os.stat`.
    """
    status = os.stat(path)
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


def identify(files: Sequence[File], folder: Path) -> int:
    """Digest the bytes of files."""
    rows = []
    for file in files:
        with contextlib.suppress(OSError), open(file.path, "rb") as opened:
            rows.append({"key": file.name, "digest": _digest(opened)})
    return write(rows, CONTENTS, [file.name for file in files], folder)


def lost_identify(files: Sequence[File], folder: Path) -> int:
    """Leave files unread that a process died of reading."""
    return write([], CONTENTS, [file.name for file in files], folder)


def _digest(file: Any) -> str:
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def write(
    rows: pa.Table | list[dict[str, Any]], of: pa.Schema, keys: Sequence[str], folder: Path
) -> int:
    """Write facts as a part of the store; return for how many jobs."""
    write_table(schema.conform(rows, of), Parts(folder).path(keys))
    return len(keys)


def write_each(
    files: Sequence[File], read: Callable[[File], dict[str, Any]], of: pa.Schema, folder: Path
) -> int:
    """Write what `read` says of each content, less those that were changed on the way."""
    return write(read_each(files, read), of, [file.content_id for file in files], folder)


def read_each(
    files: Sequence[File], read: Callable[[File], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return what `read` says of each content, less those that were changed on the way."""
    rows = []
    for file in files:
        row = read(file)
        if not file.changed:
            rows.append({"key": file.content_id, **row})
    return rows


def decode_error(error: Exception) -> dict[str, str]:
    """Return status and reason where a decoder tripped over a hostile file."""
    reason = f"the decoder failed: {type(error).__name__}: {error}"
    return {"status": schema.ERROR, "error": reason.replace("\n", " ")}


def write_crashed(files: Sequence[File], of: pa.Schema, folder: Path) -> int:
    """Note that the decoder died of these files."""
    reason = "the decoder crashed"
    rows = [{"key": f.content_id, "status": schema.ERROR, "error": reason} for f in files]
    return write(rows, of, [file.content_id for file in files], folder)
