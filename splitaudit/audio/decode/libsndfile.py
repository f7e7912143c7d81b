"""Sounds that libsndfile reads, through soundfile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from splitaudit.audio.decode import ffmpeg, flac
from splitaudit.audio.decode.containers import chunk_parts
from splitaudit.audio.decode.ogg import read_pages
from splitaudit.audio.decode.parts import Bounds, Part, flac_parts
from splitaudit.audio.decode.stream import BLOCK_SAMPLES, Format, Reading, Samples, chain

# Bits of the steps near zero; of the two laws of telephony (G.711), of what they decode to.
UNKNOWN_FRAMES = 1 << 60  # >=: libsndfile says so where the header does not say how many
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
    pages = read_pages(path) if magic == b"OggS" else None
    parts = pages.links if pages else _PARTS.get(magic, _whole)(path)
    if len(parts) == 1:
        reading = _single(path)
    else:
        files = [_open(Part(path, part)) for part in parts]
        reading = chain([file and _undamaged(file) for file in files]) if files[0] else None
    if reading and pages:
        reading.faults += pages.faults
    return reading


def _whole(path: str) -> list[Bounds]:
    return [(0, os.path.getsize(path))]


_PARTS: dict[bytes, Callable[[str], list[Bounds]]] = {
    b"fLaC": flac_parts,
    b"RIFF": chunk_parts,
    b"FORM": chunk_parts,
}


def _single(path: str) -> Reading | None:
    """Read a file that holds one sound."""
    file = _open(os.fsencode(path))
    if file is None:
        return None
    info = _format(file)
    held = flac.last_sample(path) if file.format == "FLAC" else None
    more = file.frames >= UNKNOWN_FRAMES or 0 < file.frames < (held or 0)
    if file.frames == 0 or more:  # perhaps written to a pipe; FFmpeg reads on to the end
        file.close()
        return _undeclared(path) if more else None
    reading = Reading(info, iter(()))
    reading.blocks = _soundfile_blocks(path, file, reading.faults)
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


def _soundfile_blocks(path: str | None, file: Any, faults: list[str]) -> Iterator[Samples]:
    import soundfile

    frames, read = max(1, BLOCK_SAMPLES // file.channels), 0
    try:
        with file:
            while len(block := file.read(frames, dtype="float32", always_2d=True)):
                read += len(block)
                yield block
        return
    except soundfile.LibsndfileError:
        pass
    # libsndfile gives nothing of a block in which the stream breaks; FFmpeg gives all before it.
    rescue = ffmpeg.open_sound(path) if path else None
    yield from _skip(rescue.blocks, read) if rescue else ()
    faults += (rescue and rescue.faults) or ["damaged: libsndfile stopped"]


def _skip(blocks: Iterator[Samples], frames: int) -> Iterator[Samples]:
    for block in blocks:
        if frames < len(block):
            yield block[frames:]
        frames = max(0, frames - len(block))
