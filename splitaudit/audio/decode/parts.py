"""Where sound files begin that were put one behind another in one file."""

from __future__ import annotations

import io
import os
from mmap import ACCESS_READ, mmap

Bounds = tuple[int, int]  # first byte, and the one behind the last


def flac_parts(path: str) -> list[Bounds]:
    """Return where each FLAC stream of a file lies: at a mark with the header that must follow.

    The header is a STREAMINFO of 34 bytes (RFC 9639).
    """
    with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        starts, at = [0], 4
        while (at := content.find(b"fLaC", at)) >= 0:
            if content[at + 4] & 0x7F == 0 and content[at + 5 : at + 8] == b"\0\0\x22":
                starts.append(at)
            at += 4
        return bounds(starts, len(content))


def bounds(starts: list[int], size: int) -> list[Bounds]:
    """Return the parts of a file of `size` bytes that begin at `starts`."""
    return list(zip(starts, [*starts[1:], size], strict=True))


class Part(io.RawIOBase):
    """A part of a file, as a file.

    Parameters
    ----------
    path
        Of the whole.
    part
        Where it lies.
    """

    def __init__(self, path: str, part: Bounds) -> None:
        self._file = open(path, "rb")  # noqa: SIM115  closed in `close`
        self._first, self._end = part
        self._file.seek(self._first)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read up to the end of the part."""
        left = max(0, self._end - self._file.tell())
        return self._file.readinto(memoryview(buffer)[:left])

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte of the part."""
        start = {os.SEEK_SET: self._first, os.SEEK_CUR: self._file.tell(), os.SEEK_END: self._end}
        return self._file.seek(max(self._first, start[whence] + offset)) - self._first

    def tell(self) -> int:
        """Return the byte of the part that is read next."""
        return self._file.tell() - self._first

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
