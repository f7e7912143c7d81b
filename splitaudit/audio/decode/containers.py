"""Whether the container of a sound is whole, from the sizes of its chunks."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from io import BufferedReader
from typing import NamedTuple

from splitaudit.audio.decode.parts import Bounds, bounds

# Magic of a file -> where its chunks begin, and the header of a chunk: name, bytes that follow.
CHUNK_LAYOUTS = {
    b"RIFF": (12, "<4sI"),
    b"RIFX": (12, ">4sI"),
    b"RF64": (12, "<4sI"),
    b"FORM": (12, ">4sI"),
    b"caff": (8, ">4sq"),
}
_SOUND = (b"data", b"SSND")  # chunks that hold the samples
_IN_DS64 = 0xFFFFFFFF  # of RF64: the size is in the chunk ds64 (EBU Tech 3306)
# Programs that write to a pipe cannot know the length. They write 0, -1, or about as much as the
# field can hold, with or without its sign, less the header and rounded to what they like.
_UNKNOWN, _ABOUT = (0, -1), 1 << 16
_MAX_TAG_BYTES = 4096  # <: bytes behind the last chunk that are a tag or padding


class _Chunk(NamedTuple):
    name: bytes
    start: int  # of its header
    length: int  # as declared
    held: int  # bytes of the file behind its header


def is_unknown_length(length: int) -> bool:
    """Return whether a length is what programs write that do not know it."""
    return length in _UNKNOWN or (
        length > _ABOUT and min(length % 2**31, -length % 2**31) <= _ABOUT
    )


def chunk_faults(path: str) -> list[str]:
    """Say where the sizes of the chunks of a WAV, RF64, AIFF or CAF file cannot be true.

    Sizes that are the custom of programs that write to a pipe are no fault.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        for chunk in _chunks(file, size):
            if _is_stream(chunk):
                return []
            if not all(32 <= c < 127 for c in chunk.name):
                told = f"the header accounts for {chunk.start:,} of {size:,} bytes"
                return [told] if size - chunk.start >= _MAX_TAG_BYTES else []
            if not 0 <= chunk.length <= chunk.held:
                told = f"the header declares {chunk.length:,} bytes of {chunk.name.decode()!r}"
                is_tag = chunk.held < _MAX_TAG_BYTES and chunk.name not in _SOUND
                return [] if is_tag else [f"{told}, not {chunk.held:,}"]
    return []


def header_faults(path: str) -> list[str]:
    """Say where a file of Sun (AU) or Sony (W64) holds less than its header declares."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(24)
    if len(head) < 24:
        return []
    if head[:4] == b".snd":
        start, declared = struct.unpack(">II", head[4:12])
        declared = 0 if declared == _IN_DS64 else start + declared
    else:
        declared = struct.unpack("<Q", head[16:24])[0]
    unknown = declared <= size or is_unknown_length(declared)
    return [] if unknown else [f"the header declares {declared:,} bytes, not {size:,}"]


def voc_faults(path: str) -> list[str]:
    """Say where a block of a Creative Voice file holds less than it declares."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        at = int.from_bytes(file.read(22)[20:], "little")
        while at + 4 <= size:
            file.seek(at)
            head = file.read(4)
            if head[0] == 0:  # the end
                return []
            at += 4 + int.from_bytes(head[1:], "little")
    return [f"the blocks account for {at:,} bytes, not {size:,}"] if at > size else []


_ASF_PROPERTIES = bytes.fromhex("A1DCAB8C47A9CF118EE400C00C205365")


def asf_faults(path: str) -> list[str]:
    """Say where a WMA file is shorter than its header declares, unless it was broadcast."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    at = head.find(_ASF_PROPERTIES)
    declared = int.from_bytes(head[at + 40 : at + 48], "little") if at >= 0 else 0
    broadcast = head[at + 88 : at + 89] != b"" and head[at + 88] & 1
    if declared <= size or broadcast:
        return []
    return [f"the header declares {declared:,} bytes, not {size:,}"]


def chunk_parts(path: str) -> list[Bounds]:
    """Return where each WAV or AIFF file lies of those put one behind another in one file."""
    size, starts = os.path.getsize(path), [0]
    with open(path, "rb") as file:
        magic = file.read(4)
        for chunk in _chunks(file, size):
            if chunk.name == magic:
                starts.append(chunk.start)
    return bounds(starts, size)


def _is_stream(chunk: _Chunk) -> bool:
    """Whether a chunk holds samples up to the end of the file, however many."""
    unknown = chunk.length <= 0 or chunk.length > chunk.held
    return chunk.name in _SOUND and unknown and is_unknown_length(chunk.length)


def _chunks(file: BufferedReader, size: int) -> Iterator[_Chunk]:
    """Yield the chunks of a file, and those of files put behind it."""
    file.seek(0)
    magic = file.read(4)
    position, form = CHUNK_LAYOUTS[magic]
    width, long_length = struct.calcsize(form), None
    while position + width <= size:
        file.seek(position)
        name, length = struct.unpack(form, file.read(width))
        if name == b"ds64":
            long_length = struct.unpack("<8xQ", file.read(16))[0]
        if name == b"data" and length == _IN_DS64 and long_length is not None:
            length = long_length
        yield _Chunk(name, position, length, size - position - width)
        if name == magic:
            position += CHUNK_LAYOUTS[magic][0]
        else:
            position += width + length + (0 if form == ">4sq" else length % 2)
