"""How long the sound of an MP4, 3GP or MOV file is, as its header states it (ISO 14496-12).

FFmpeg gives the shorter of what the header states and what the table of its samples adds up to. So
of a table that is damaged nothing would be missed.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

MOST_BYTES = 64 << 20  # of a header that is looked at
_UNKNOWN = (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)

Box = tuple[bytes, bytes]  # name, content


def stated_length(path: str) -> float | None:
    """Return seconds of the first sound by the headers of its track; None where they do not say.

    Of the length of the medium and that of what edit lists present of it, the smaller.
    """
    try:
        boxes = list(_boxes(_movie(path)))
        movie = dict(boxes)
        if b"mvex" in movie:  # the header leaves the length to the fragments
            return None
        tracks = [content for name, content in boxes if name == b"trak"]
        stated = [_track_lengths(track, movie[b"mvhd"]) for track in tracks]
        return next((min(lengths) for lengths in stated if lengths), None)
    except (OSError, KeyError, struct.error, ZeroDivisionError):
        return None


def _movie(path: str) -> bytes:
    """The content of the box that describes all tracks; nothing where there is none."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        at = 0
        while at + 8 <= size:
            file.seek(at)
            length, name, long_length = struct.unpack(">I4sQ", file.read(16).ljust(16, b"\0"))
            head, length = (16, long_length) if length == 1 else (8, length or size - at)
            if name == b"moov":
                file.seek(at + head)
                return file.read(min(length - head, MOST_BYTES))
            at += max(length, 8)
    return b""


def _boxes(content: bytes) -> Iterator[Box]:
    at = 0
    while at + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        if length < 8:
            return
        yield name, content[at + 8 : at + length]
        at += length


def _track_lengths(track: bytes, movie: bytes) -> list[float]:
    """Seconds of the medium and of what is presented of it; none where it is no sound."""
    boxes = dict(_boxes(track))
    media = dict(_boxes(boxes[b"mdia"]))
    if media[b"hdlr"][8:12] != b"soun":
        return []
    own, ticks = _times(media[b"mdhd"])
    form = ">28xQ" if boxes[b"tkhd"][0] else ">20xI"
    presented = struct.unpack_from(form, boxes[b"tkhd"])[0]
    lengths = [(ticks, own), (presented, _times(movie)[0])]
    return [many / rate for many, rate in lengths if many not in _UNKNOWN]


def _times(box: bytes) -> tuple[int, int]:
    """Ticks a second, and the length in ticks."""
    rate, ticks = struct.unpack_from(">IQ" if box[0] else ">II", box, 20 if box[0] else 12)
    return int(rate), int(ticks)
