"""Whether the container of a sound is whole, from its own sizes and marks."""

from __future__ import annotations

import os
import struct

# Magic of a file -> where its chunks begin, and the header of a chunk: name, bytes that follow.
CHUNK_LAYOUTS = {b"RIFF": (12, "<4sI"), b"FORM": (12, ">4sI"), b"caff": (8, ">4sq")}
# Data of so many bytes were written to a pipe: 2**32 - 1 by FFmpeg, the next by SoX, -1 in CAF.
_UNKNOWN_LENGTHS = (0, 0xFFFFFFFF, 0x7FFFF000, -1)
_MAX_TAG_BYTES = 4096  # <: bytes behind the last chunk that are a tag or padding


def chunk_faults(path: str) -> list[str]:
    """Say where the sizes of the chunks of a WAV, AIFF or CAF file cannot be true.

    Sizes that are the custom of programs that write to a pipe are no fault.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        position, form = CHUNK_LAYOUTS[file.read(4)]
        width = struct.calcsize(form)
        while position + width <= size:
            file.seek(position)
            name, length = struct.unpack(form, file.read(width))
            held = size - position - width
            if name == b"data" and length in _UNKNOWN_LENGTHS:
                return []
            if not all(32 <= c < 127 for c in name):
                told = f"the header accounts for {position:,} of {size:,} bytes"
                return [] if held < _MAX_TAG_BYTES else [told]
            if not 0 <= length <= held:
                told = f"the header declares {length:,} bytes of {name.decode()!r}, not {held:,}"
                return [] if held < _MAX_TAG_BYTES and name not in (b"data", b"SSND") else [told]
            position += width + length + (0 if form == ">4sq" else length % 2)
    return []


def ogg_faults(path: str) -> list[str]:
    """Say whether the last page of an Ogg file is cut (Ogg declares no length; RFC 3533)."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        start = max(0, size - 131_072)  # a page holds at most 65,307 bytes
        file.seek(start)
        tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return ["the last Ogg page is missing"]
    page = tail[at:]
    segments = page[26] if len(page) > 26 else 0
    whole = 27 + segments + sum(page[27 : 27 + segments])
    return [] if len(page) > 26 and len(page) >= whole else ["the last Ogg page is cut"]
