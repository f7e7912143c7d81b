"""What the pages of an Ogg file say (RFC 3533): where its streams begin, and whether all is there.

A chained file holds streams one behind another, each with a length of its own. Decoders drop a page
of which the checksum is wrong, and say nothing.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap

from splitaudit.audio.decode.parts import Bounds, bounds

_HEADER = struct.Struct("<4sBBqIIIB")
_FIRST = 2  # flag of the first page of a stream
# The checksum takes bits from the other end than that of zlib.
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_MAX_TAG_BYTES = 4096  # <: bytes behind the last page that are a tag or padding


@dataclass(frozen=True)
class _Page:
    start: int
    first: bool
    serial: int
    sequence: int
    headers: bool  # it ends no packet of sound: where it stands, numbers may begin anew
    whole: bool


@dataclass(frozen=True)
class Pages:
    """What the pages of a file say.

    Parameters
    ----------
    links
        Where each of the chained streams lies.
    faults
        What is missing, in words.
    """

    links: list[Bounds]
    faults: list[str]


def read_pages(path: str) -> Pages:
    """Look at every page of a file."""
    with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        faults: list[str] = []
        pages = list(_pages(content, faults))
        starts = [
            page.start
            for before, page in zip([None, *pages], pages, strict=False)
            if page.first and not (before and before.first)
        ]
        damaged = sum(not page.whole for page in pages)
        if damaged:
            faults.append(f"{damaged} Ogg pages are damaged")
        elif lost := _count_gaps(pages):
            faults.append(f"Ogg pages are missing in {lost} places")
        return Pages(bounds([0, *starts[1:]], len(content)), faults)


def _pages(content: mmap, faults: list[str]) -> Iterator[_Page]:
    at, size = 0, len(content)
    while at < size:
        if content[at : at + 4] != b"OggS":
            after = content.find(b"OggS", at)
            if (size if after < 0 else after) - at >= _MAX_TAG_BYTES or after >= 0:
                faults.append(f"{(size if after < 0 else after) - at:,} bytes are no Ogg pages")
            if after < 0:
                return
            at = after
        if at + _HEADER.size > size:
            faults.append("the last Ogg page is cut")
            return
        _, _, flags, granule, serial, sequence, checksum, segments = _HEADER.unpack_from(
            content, at
        )
        end = at + _HEADER.size + segments
        end += sum(content[at + _HEADER.size : end])
        if end > size:
            faults.append("the last Ogg page is cut")
            return
        whole = _checksum(content[at:end]) == checksum
        yield _Page(at, bool(flags & _FIRST), serial, sequence, granule <= 0, whole)
        at = end


def _checksum(page: bytes) -> int:
    turned = (page[:22] + bytes(4) + page[26:]).translate(_TURNED)
    found = zlib.crc32(turned, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(found.to_bytes(4, "little").translate(_TURNED), "big")


def _count_gaps(pages: list[_Page]) -> int:
    """How often the next page of a stream does not come next; after its headers it may not."""
    last: dict[int, _Page] = {}
    gaps = 0
    for page in pages:
        before = last.get(page.serial)
        if before and not page.first and not before.headers:
            gaps += page.sequence != (before.sequence + 1) % 2**32
        last[page.serial] = page
    return gaps
