"""Stretches of one file, decoded once.

Where a decoder cannot jump to a sample exactly, a stretch is read from the start of its file. Of a
thousand stretches of an hour, that would be 500 hours. So what was decoded is kept on the disk, and
the decoder goes on from where it stopped.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np

from splitaudit.audio.decode.stream import BLOCK_SAMPLES, Reading, Samples

KEPT_BYTES = 1 << 30  # of a file: an hour in one channel, half of it in two; then it is begun anew
KEPT_TAPES = 4  # files


class Tape:
    """A file being decoded, of which what was decoded can be read again.

    Parameters
    ----------
    reading
        Of the whole file, of which no block was taken yet.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._file = _temporary_file()
        self._first = self._end = 0  # frames that are kept

    def __del__(self) -> None:
        """Let go of what was kept."""
        self._file.close()

    def reaches(self, first: int) -> bool:
        """Return whether frame `first` is kept or still to come."""
        return first >= self._first

    def frames(self, first: int, last: int | None) -> Iterator[Samples]:
        """Yield blocks of the frames from `first` to `last` (exclusive), None: to the end."""
        at = first
        while last is None or at < last:
            if at >= self._end:
                if not self._decode():
                    return
                continue
            block = self._kept(at, last)
            at += len(block)
            yield block

    def _kept(self, first: int, last: int | None) -> Samples:
        """The frames from `first` on that are kept, up to `last`."""
        width = self.reading.format.channels
        end = min(self._end, first + max(1, BLOCK_SAMPLES // width))
        end = end if last is None else min(last, end)
        shape = (end - first, width)
        kept = np.memmap(self._file, np.float32, "r", 4 * width * (first - self._first), shape)
        return np.asarray(kept)  # libraries in C take plain arrays only

    def _decode(self) -> bool:
        """Decode and keep one block more; return whether there was one."""
        for block in self.reading.blocks:
            if 4 * block.shape[1] * (self._end + len(block) - self._first) > KEPT_BYTES:
                self._file.close()  # and stays on the disk as long as blocks of it are in use
                self._file = _temporary_file()
                self._first = self._end
            np.ascontiguousarray(block, np.float32).tofile(self._file)
            self._file.flush()
            self._end += len(block)
            return True
        return False


def _temporary_file() -> Any:
    return tempfile.TemporaryFile(prefix="splitaudit-")


class _Tapes(threading.local):
    """The last tapes of this thread, by `_identity`: two that decode must not share one."""

    def __init__(self) -> None:
        self.last: OrderedDict[str, Tape] = OrderedDict()


_TAPES = _Tapes()


def last_tape(path: str) -> Tape | None:
    """Return the tape of a file if it is one of the last, and the file is as it was."""
    identity = _identity(path)
    if identity in _TAPES.last:
        _TAPES.last.move_to_end(identity)
    return _TAPES.last.get(identity)


def new_tape(path: str, reading: Reading) -> Tape:
    """Return a tape of a file that was just opened, and keep it as the last one."""
    _TAPES.last[_identity(path)] = tape = Tape(reading)
    while len(_TAPES.last) > KEPT_TAPES:
        _TAPES.last.popitem(last=False)
    return tape


def _identity(path: str) -> str:
    status = os.stat(path)
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}-{path}"
