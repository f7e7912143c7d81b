"""Files as they were when a scan began, and facts about their bytes.

What is written depends on the bytes of the files alone. Once a file was read, it is what it holds:
a moved time, another link or other rights make no other file of it. One that is gone or holds other
bytes by now leaves no fact, so that the next run looks again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from splitaudit import schema
from splitaudit.engine.store import Parts, digest, write_table

CONTENTS = pa.schema({"key": pa.string(), "digest": pa.string()})
UNDECIDED = pa.schema({"key": pa.string(), "status": pa.string(), "error": pa.string()})
UNDECIDED_FOLDER = "undecided"  # below the folder of the facts
DIED = "the process that looked at it died: out of memory, or a fault of a library"


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
        Size and times when the scan began.
    content_id
        Once it is known. From then on it says which file this is.
    view
        Of a sound: what of it is compared, see `splitaudit.audio.decode.views`.
    """

    path: str
    start_s: float | None
    end_s: float | None
    signature: str
    content_id: str = ""
    view: int = 0

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
        return _size(self.signature)

    @property
    def changed(self) -> bool:
        """Whether the file holds other bytes by now, or is gone."""
        try:
            now = signature(self.path)
            return now != self.signature and not self._holds_same_bytes(now)
        except OSError:
            return True

    def _holds_same_bytes(self, now: str) -> bool:
        of_bytes = self.content_id.partition("@")[0]
        return _size(now) == self.size and digest_bytes(self.path, now) == of_bytes


def signature(path: str) -> str:
    """Size and times of a file; ctime too, since a copy may bring an old mtime with it.

    Raises
    ------
    OSError
        As `os.stat`.
    """
    status = os.stat(path)
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


@lru_cache(maxsize=1 << 14)
def digest_bytes(path: str, now: str) -> str:
    """Return the digest of the bytes of a file with the signature `now`; it is kept.

    Raises
    ------
    OSError
        Where it cannot be read, or was written to meanwhile.
    """
    with open(path, "rb") as opened:
        found = hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    if _written(signature(path)) != _written(now):
        raise OSError(f"written to while it was read: {path}")
    return found


def _size(signature: str) -> int:
    return int(signature.split("-")[0])


def _written(signature: str) -> list[str]:
    """What of a signature moves where a file is written to: size, its own time, and its number."""
    size, modified, _, number = signature.split("-")
    return [size, modified, number]


def identify(files: Sequence[File], folder: Path) -> int:
    """Digest the bytes of files; one that has another size than when the scan began is left out."""
    rows = []
    for file in files:
        with contextlib.suppress(OSError):
            now = signature(file.path)
            if _size(now) == file.size:
                rows.append({"key": file.name, "digest": digest_bytes(file.path, now)})
    return write(rows, CONTENTS, [file.name for file in files], folder)


def lost_identify(files: Sequence[File], folder: Path) -> int:
    """Note that a process died of reading these files."""
    return write_lost([file.name for file in files], folder)


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


def write_undecided(rows: list[dict[str, Any]], keys: Sequence[str], folder: Path) -> None:
    """Write of which of `keys` nothing could be decided, and why: `UNDECIDED`. These are no facts.

    So whoever asks for the facts of such a key is told that there are none, and computes them.
    """
    if rows:
        write(rows, UNDECIDED, keys, folder / UNDECIDED_FOLDER)


def write_lost(keys: Sequence[str], folder: Path) -> int:
    """Write that a process died of each of these; return of how many."""
    rows = [{"key": key, "status": schema.UNDECIDED, "error": DIED} for key in keys]
    write_undecided(rows, keys, folder)
    return len(keys)


def error_reason(error: Exception) -> str:
    """Return an exception in one line that every table can hold, also of a name with odd bytes."""
    text = f"{type(error).__name__}: {error}".replace("\n", " ")
    return text.encode("utf-8", "backslashreplace").decode()


def decode_error(error: Exception) -> dict[str, str]:
    """Return status and reason where a decoder tripped over a hostile file."""
    return {"status": schema.ERROR, "error": f"the decoder failed: {error_reason(error)}"}


def write_crashed(files: Sequence[File], of: pa.Schema, folder: Path) -> int:
    """Note that the decoder died of these files."""
    reason = "the decoder crashed"
    rows = [{"key": f.content_id, "status": schema.ERROR, "error": reason} for f in files]
    return write(rows, of, [file.content_id for file in files], folder)
