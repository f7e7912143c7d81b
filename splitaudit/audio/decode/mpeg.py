"""What an MP3 states of its length, and where MP3s begin that were put one behind another.

The length stands in a tag in the first frame, behind any tags of ID3.
"""

from __future__ import annotations

from dataclasses import dataclass
from mmap import ACCESS_READ, mmap

from splitaudit.audio.decode.parts import Bounds, bounds

_PADDING = 1 << 16  # <=: bytes between the tags of ID3 and the first frame
_LENGTH_TAGS = (b"Xing", b"Info", b"VBRI")
_DEEPEST_TAG = 36  # bytes from the beginning of a frame to its tag
_TAG_BYTES = 200  # of a frame that states a length: what stands in it is no other frame
_RATES = (44_100, 48_000, 32_000)


@dataclass(frozen=True)
class _Frame:
    """The header of a frame of layer III (ISO 11172-3 and 13818-3)."""

    rate: int
    samples: int
    tag_at: int  # where a tag of Xing would begin


def stated_length(path: str, part: Bounds) -> float | None:
    """Return the seconds that an MP3 states in its first frame; None where it states none.

    Parameters
    ----------
    path
        Of the file.
    part
        Where in it the MP3 lies.
    """
    with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        start = _first_frame(content, part)
        frame = _frame(content[start : start + 4])
        return _tagged_length(content[start : start + _TAG_BYTES], frame) if frame else None


def mp3_parts(path: str) -> list[Bounds]:
    """Return where each MP3 of a file lies: at a tag of ID3, or at a frame that states a length."""
    with open(path, "rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        first = _first_frame(content, (0, len(content)))
        begun = set(_id3_starts(content, first))
        after = [_after_id3(content, start) for start in begun]
        for start in _tagged_frames(content, first + _TAG_BYTES):
            if not any(0 <= start - end <= _PADDING for end in after):
                begun.add(start)
        return bounds([0, *sorted(begun)], len(content))


def _first_frame(content: mmap, part: Bounds) -> int:
    """Where the first frame of an MP3 begins, after its tags and what pads them."""
    at = _after_id3(content, part[0])
    for start in range(at, min(at + _PADDING, part[1] - 4)):
        if content[start] == 0xFF and _frame(content[start : start + 4]):
            return start
    return at


def _id3_starts(content: mmap, at: int) -> list[int]:
    starts, end = [], at
    while (at := content.find(b"ID3", at)) >= 0:
        after = _after_id3(content, at)
        if after > at and after + 4 <= len(content) and _frame(content[after : after + 4]):
            if at >= end:
                starts.append(at)
            at = end = after
        else:
            at += 3
    return starts


def _tagged_frames(content: mmap, at: int) -> list[int]:
    starts = set()
    for tag in _LENGTH_TAGS:
        place = at
        while (place := content.find(tag, place)) >= 0:
            for depth in (36, 21, 13):
                start = place - depth
                frame = _frame(content[start : start + 4]) if start > 0 else None
                if frame and (frame.tag_at if tag != b"VBRI" else _DEEPEST_TAG) == depth:
                    starts.add(start)
            place += len(tag)
    return sorted(starts)


def _after_id3(content: mmap, at: int) -> int:
    """Where the tags of ID3 end that begin here, one behind another; their digits have 7 bits."""
    while len(head := content[at : at + 10]) == 10 and head[:3] == b"ID3":
        if head[3] > 4 or any(byte & 0x80 for byte in head[6:10]):
            break
        length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        at += 10 + length + (10 if head[5] & 0x10 else 0)
    return at


def _frame(head: bytes) -> _Frame | None:
    """The frame that begins here; None where none does."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, rate = head[1] >> 3 & 3, head[2] >> 2 & 3  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    if version == 1 or rate == 3 or head[2] >> 4 in (0, 15):
        return None
    mono = head[3] >> 6 == 3
    if version == 3:
        return _Frame(_RATES[rate], 1152, 4 + (17 if mono else 32))
    return _Frame(_RATES[rate] >> (1 if version == 2 else 2), 576, 4 + (9 if mono else 17))


def _tagged_length(head: bytes, frame: _Frame) -> float | None:
    """The seconds that a first frame states, less what its encoder put around the sound."""
    tag = head[frame.tag_at :]
    if head[_DEEPEST_TAG:][:4] == b"VBRI":
        frames = int.from_bytes(head[_DEEPEST_TAG + 14 :][:4], "big")
        return frames * frame.samples / frame.rate or None
    if tag[:4] not in (b"Xing", b"Info") or not tag[7] & 1:
        return None
    frames = int.from_bytes(tag[8:12], "big")
    encoder = tag[120:144]
    around = int.from_bytes(encoder[21:24], "big") if encoder[:4].strip(b"\0 ") else 0
    samples = frames * frame.samples - (around >> 12) - (around & 0xFFF)
    return samples / frame.rate if samples > 0 else None
