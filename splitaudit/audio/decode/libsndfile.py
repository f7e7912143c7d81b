"""Sounds that libsndfile reads, through soundfile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from splitaudit.audio.decode import ffmpeg
from splitaudit.audio.decode.containers import ogg_faults
from splitaudit.audio.decode.stream import BLOCK_SAMPLES, Format, Reading, Samples

# Bits of the steps near zero; of the two laws of telephony (G.711), of what they decode to.
STEP_BITS = {"PCM_U8": 8, "PCM_S8": 8, "DPCM_8": 8, "ULAW": 13, "ALAW": 12}


def open_sound(path: str) -> Reading | None:
    """Read with libsndfile; None where it cannot, so that FFmpeg may try."""
    import soundfile

    try:
        file = soundfile.SoundFile(os.fsencode(path))
    except soundfile.LibsndfileError:
        return None
    if file.frames == 0:  # perhaps written to a pipe; FFmpeg reads on to the end
        file.close()
        return None
    lossless = file.subtype.startswith(("PCM_", "FLOAT", "DOUBLE")) or file.format == "FLAC"
    depth = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32}
    info = Format(
        sample_rate=file.samplerate,
        channels=file.channels,
        bit_depth=depth.get(file.subtype),
        lossless=lossless,
        declared_s=file.frames / file.samplerate,
        step_bits=STEP_BITS.get(file.subtype, 16),
    )
    faults = ogg_faults(path) if file.format == "OGG" else []
    reading = Reading(info, iter(()), faults)
    reading.blocks = _soundfile_blocks(path, file, faults)
    return reading


def _soundfile_blocks(path: str, file: Any, faults: list[str]) -> Iterator[Samples]:
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
    rescue = ffmpeg.open_sound(path, b"")
    yield from _skip(rescue.blocks, read)
    faults += rescue.faults or ["damaged: libsndfile stopped"]


def _skip(blocks: Iterator[Samples], frames: int) -> Iterator[Samples]:
    for block in blocks:
        if frames < len(block):
            yield block[frames:]
        frames = max(0, frames - len(block))
