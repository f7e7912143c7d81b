"""Sound files to samples, in bounded memory, with the truth about how much could be read.

libsndfile (through soundfile) reads what it reads well, FFmpeg (through PyAV) the rest. MP3 goes
to FFmpeg although libsndfile opens it: libsndfile 1.2 fills a truncated MP3 with zeros up to its
declared length and reports no error.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from splitaudit import schema
from splitaudit.audio.decode import ffmpeg, libsndfile
from splitaudit.audio.decode.containers import CHUNK_LAYOUTS, chunk_faults, header_faults
from splitaudit.audio.decode.stream import Reading, Samples
from splitaudit.engine import files
from splitaudit.errors import MediaError

IN_MEMORY_SAMPLES = 1 << 24  # held in memory of one sound when it is compared: 17 minutes
LOWEST_RATE = 2_000  # Hz; below it there is no band left in which sounds differ


def open_audio(path: str, start_s: float | None = None, end_s: float | None = None) -> Reading:
    """Open the first sound of a file.

    Parameters
    ----------
    path
        Of the file, with odd bytes as surrogates (`os.fsdecode`).
    start_s, end_s
        The stretch to read, seconds of the file; None: from its start, to its end.

    Raises
    ------
    MediaError
        missing, unreadable or unsupported, with a reason in words.
    """
    with files.open_file(path) as file:
        head = files.head(file)
    magic = head[:4]
    reading = libsndfile.open_sound(path, magic) if magic in _SOUNDFILE_MAGIC else None
    reading = reading or ffmpeg.open_sound(path)
    reading.faults += _SIZE_FAULTS.get(magic, _no_faults)(path)
    if reading.format.sample_rate < LOWEST_RATE:
        raise MediaError(
            schema.UNSUPPORTED,
            f"sample rate {reading.format.sample_rate} Hz is below {LOWEST_RATE} Hz: "
            "compared by bytes only",
        )
    if start_s is None and end_s is None:
        return reading
    return _trim(reading, start_s or 0.0, end_s)


# FLAC, WAV, RF64, W64, AIFF/AIFC, AU, CAF. Ogg too: libsndfile reads Vorbis, FLAC and Opus in it.
_SOUNDFILE_MAGIC = (b"fLaC", b"RIFF", b"RF64", b"riff", b"FORM", b".snd", b"caff", b"OggS")

_SIZE_FAULTS: dict[bytes, Callable[[str], list[str]]] = {
    **dict.fromkeys(CHUNK_LAYOUTS, chunk_faults),
    **dict.fromkeys((b".snd", b"riff"), header_faults),
}


def _no_faults(path: str) -> list[str]:
    return []


def _trim(reading: Reading, start_s: float, end_s: float | None) -> Reading:
    """Restrict a reading to a stretch of its file."""
    rate, declared = reading.format.sample_rate, reading.format.declared_s
    if declared is not None and start_s >= declared:
        reason = f"the stretch begins at {start_s:.6g} s, the file ends at {declared:.6g} s"
        raise MediaError(schema.UNREADABLE, reason)
    first, last = round(start_s * rate), None if end_s is None else round(end_s * rate)
    end = min(x for x in (end_s, declared, float("inf")) if x is not None)
    length = max(0.0, end - start_s) if end < float("inf") else None
    form = replace(reading.format, declared_s=length)
    return Reading(form, _crop(reading.blocks, first, last), reading.faults)


def _crop(blocks: Iterator[Samples], first: int, last: int | None) -> Iterator[Samples]:
    at = 0
    for block in blocks:
        piece = block[max(0, first - at) : None if last is None else max(0, last - at)]
        at += len(block)
        if len(piece):
            yield piece
        if last is not None and at >= last:
            break


def load(path: str, start_s: float | None = None, end_s: float | None = None) -> Samples:
    """Return a sound as one channel at `RATE`, shape (n,); a memory map where it is long.

    Raises
    ------
    MediaError
        As `open_audio`.
    """
    return gather(open_audio(path, start_s, end_s).mono())


def gather(pieces: Iterator[Samples]) -> Samples:
    """Join pieces of a sound; what is long (> `IN_MEMORY_SAMPLES`) becomes a memory map."""
    parts, held = [np.zeros(0, np.float32)], 0
    for piece in pieces:
        parts.append(piece)
        held += len(piece)
        if held > IN_MEMORY_SAMPLES:
            return _spool(itertools.chain(parts, pieces))
    return np.concatenate(parts)


def _spool(pieces: Iterator[Samples]) -> Samples:
    with tempfile.TemporaryFile(prefix="splitaudit-") as file:
        for piece in pieces:
            piece.tofile(file)
        file.flush()
        return np.memmap(file, np.float32, "r")


def segments(pieces: Iterator[Samples], length: int, context: int) -> Iterator[tuple[int, Samples]]:
    """Cut a stream of samples into overlapping segments.

    Yields
    ------
    (start, samples)
        Segments of `length` samples with `context` more on both sides where the sound has them;
        `start` is the index of the first sample of `samples`. At least one segment.
    """
    start, held = 0, np.zeros(0, np.float32)
    for piece in pieces:
        held = np.concatenate([held, piece]) if len(held) else piece
        while len(held) >= length + 2 * context:
            yield start, held[: length + 2 * context]
            held, start = held[length:], start + length
    yield start, held
