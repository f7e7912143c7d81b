"""Sounds that libsndfile reads, through soundfile."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

from splitaudit.audio.decode import ffmpeg, flac
from splitaudit.audio.decode.containers import chunk_parts
from splitaudit.audio.decode.ogg import read_pages
from splitaudit.audio.decode.parts import Bounds, Part, flac_parts
from splitaudit.audio.decode.stream import BLOCK_SAMPLES, Format, Reading, Samples, chain

UNKNOWN_FRAMES = 1 << 60  # >=: libsndfile says so where the header does not say how many
# In these, and coded so, libsndfile jumps to the very sample.
_JUMPING = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC")
_PLAIN_CODES = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW")
# Bits of the steps near zero; of the two laws of telephony (G.711), of what they decode to.
STEP_BITS = {"PCM_U8": 8, "PCM_S8": 8, "DPCM_8": 8, "ULAW": 13, "ALAW": 12}


def open_sound(path: str, magic: bytes) -> Reading | None:
    """Read with libsndfile; None where it cannot, so that FFmpeg may try.

    Parameters
    ----------
    path
        Of the file.
    magic
        Its first four bytes.
    """
    status = os.stat(path)
    layout = _layout(path, magic, status.st_size, status.st_mtime_ns)
    if len(layout.parts) == 1:
        reading = _single(path, layout)
    else:
        files = [_open(Part(path, part)) for part in layout.parts]
        reading = chain([file and _undamaged(file) for file in files]) if files[0] else None
    if reading:
        reading.faults += layout.faults
    return reading


@dataclass(frozen=True)
class _Layout:
    """Where the sounds of a file lie, what is wrong with it, and how long a FLAC really is."""

    parts: Sequence[Bounds]
    faults: Sequence[str] = ()
    samples: int | None = None


@lru_cache(maxsize=16)  # asked for again by each stretch of a file
def _layout(path: str, magic: bytes, size: int, mtime_ns: int) -> _Layout:
    if magic == b"OggS":
        pages = read_pages(path)
        return _Layout(pages.links, pages.faults)
    if magic == b"fLaC":
        return _Layout(flac_parts(path), samples=flac.last_sample(path))
    return _Layout(chunk_parts(path) if magic in (b"RIFF", b"FORM") else [(0, size)])


def _single(path: str, layout: _Layout) -> Reading | None:
    """Read a file that holds one sound."""
    file = _open(os.fsencode(path))
    if file is None:
        return None
    more = file.frames >= UNKNOWN_FRAMES or 0 < file.frames < (layout.samples or 0)
    if file.frames == 0 or more:  # perhaps written to a pipe; FFmpeg reads on to the end
        file.close()
        return _undeclared(path) if more else None
    reading = Reading(_format(file), iter(()))
    stretch = partial(_soundfile_blocks, path, file, reading.faults)
    reading.blocks = stretch()
    if file.format in _JUMPING and file.subtype.startswith(_PLAIN_CODES):
        reading.stretch = stretch
    return reading


def _undamaged(file: Any) -> Reading:
    """Read one of several sounds of a file; what lies behind damage is lost."""
    reading = Reading(_format(file), iter(()))
    reading.blocks = _soundfile_blocks(None, file, reading.faults)
    return reading


def _undeclared(path: str) -> Reading:
    """Read a sound that is longer than its header says."""
    reading = ffmpeg.open_sound(path)
    reading.format = replace(reading.format, declared_s=None)
    return reading


def _open(file: bytes | Part) -> Any:
    import soundfile

    try:
        return soundfile.SoundFile(file)
    except soundfile.LibsndfileError:
        return None


def _format(file: Any) -> Format:
    depth = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32}
    return Format(
        sample_rate=file.samplerate,
        channels=file.channels,
        bit_depth=depth.get(file.subtype),
        lossless=file.subtype.startswith(("PCM_", "FLOAT", "DOUBLE")) or file.format == "FLAC",
        declared_s=file.frames / file.samplerate if file.frames < UNKNOWN_FRAMES else None,
        step_bits=STEP_BITS.get(file.subtype, 16),
    )


def _soundfile_blocks(
    path: str | None, file: Any, faults: list[str], first: int = 0, last: int | None = None
) -> Iterator[Samples]:
    """Decode frames to blocks, from `first` to `last` (exclusive)."""
    import soundfile

    frames, at = max(1, BLOCK_SAMPLES // file.channels), first
    try:
        with file:
            if first:
                file.seek(first)
            while last is None or at < last:
                most = frames if last is None else min(frames, last - at)
                if not len(block := file.read(most, dtype="float32", always_2d=True)):
                    break
                at += len(block)
                yield block
        return
    except soundfile.LibsndfileError:
        pass
    # libsndfile gives nothing of a block in which the stream breaks; FFmpeg gives all before it.
    rescue = ffmpeg.open_sound(path) if path else None
    yield from _skip(rescue.blocks, at) if rescue else ()
    faults += (rescue and rescue.faults) or ["damaged: libsndfile stopped"]


def _skip(blocks: Iterator[Samples], frames: int) -> Iterator[Samples]:
    for block in blocks:
        if frames < len(block):
            yield block[frames:]
        frames = max(0, frames - len(block))
