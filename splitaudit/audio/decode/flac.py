"""Where a FLAC stream ends by its own last frame (RFC 9639), whatever its header declares."""

from __future__ import annotations

import os
from functools import cache

_TAIL_BYTES = 1 << 17  # in which the last frame begins, unless the header says that it is longer
_SYNC = (b"\xff\xf8", b"\xff\xf9")  # blocks of one size, and of several
_BLOCKS = {
    1: 192,
    **{code: 144 << code for code in range(2, 6)},
    **{k: 1 << k for k in range(8, 16)},
}


def last_sample(path: str) -> int | None:
    """Return how many samples a FLAC file holds by its last frame; None where none is found."""
    with open(path, "rb") as file:
        header = file.read(42)
        longest = int.from_bytes(header[15:18], "big")
        size = os.path.getsize(path)
        file.seek(max(42, size - max(_TAIL_BYTES, 2 * longest)))
        tail = file.read()
    block = int.from_bytes(header[8:10], "big")
    at = len(tail)
    while (at := max(tail.rfind(sync, 0, at) for sync in _SYNC)) >= 0:
        if (end := _frame_end(tail[at : at + 16], block)) is not None:
            return end
    return None


def _frame_end(head: bytes, block: int) -> int | None:
    """Samples up to the end of the frame that begins here; None where none does."""
    if len(head) < 16:
        head = head.ljust(16, b"\0")
    number, at = _coded_number(head)
    code, rate = head[2] >> 4, head[2] & 15
    if number is None or code == 0 or rate == 15 or head[3] & 1:
        return None
    size = _BLOCKS.get(code)
    if size is None:  # stands behind the number, in one byte or two
        size = int.from_bytes(head[at : at + code - 5], "big") + 1
        at += code - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if _crc8(head[:at]) != head[at]:
        return None
    return (number if head[1] & 1 else number * block) + size


def _coded_number(head: bytes) -> tuple[int | None, int]:
    """The number of the frame or of its first sample, coded as in UTF-8, and where it ends."""
    first = head[4]
    if first < 0x80:
        return first, 5
    more = next((n for n in range(1, 7) if not first & 0x40 >> n), 0)
    if first < 0xC0 or not more:
        return None, 0
    number = first & 0x3F >> more
    for byte in head[5 : 5 + more]:
        number = number << 6 | byte & 0x3F
    return number, 5 + more


@cache
def _crc8_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte << 1 ^ (0x07 if byte & 0x80 else 0)
        table.append(byte & 0xFF)
    return table


def _crc8(content: bytes) -> int:
    table, found = _crc8_table(), 0
    for byte in content:
        found = table[found ^ byte]
    return found
