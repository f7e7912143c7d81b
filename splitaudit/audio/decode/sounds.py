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
from functools import partial

import numpy as np

from splitaudit import schema
from splitaudit.audio.decode import ffmpeg, libsndfile
from splitaudit.audio.decode.containers import (
    CHUNK_LAYOUTS,
    asf_faults,
    chunk_faults,
    header_faults,
    voc_faults,
)
from splitaudit.audio.decode.stream import Format, Reading, Samples
from splitaudit.audio.decode.tape import Tape, last_tape, new_tape
from splitaudit.audio.decode.views import MIX
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
    if start_s is None and end_s is None:
        return _open_whole(path)
    tape = _last_tape(path)
    reading = tape.reading if tape else _open_whole(path)
    first, last, form = _bounds(reading.format, start_s or 0.0, end_s)
    if reading.stretch:
        return Reading(form, reading.stretch(first, last), reading.faults)
    if tape is None or not tape.reaches(first):
        reading = reading if tape is None else _open_whole(path)
        tape = new_tape(path, reading)
    return Reading(form, tape.frames(first, last), reading.faults)


def _last_tape(path: str) -> Tape | None:
    try:
        return last_tape(path)
    except OSError:  # which opening the file will tell
        return None


def _open_whole(path: str) -> Reading:
    with files.open_file(path) as file:
        head = files.head(file)
    magic = head[:4]
    reading = libsndfile.open_sound(path, magic) if magic in _SOUNDFILE_MAGIC else None
    if reading and magic == b"OggS":
        reading.twin = partial(ffmpeg.open_sound, path)
    reading = reading or ffmpeg.open_sound(path)
    reading.faults += _SIZE_FAULTS.get(magic, _no_faults)(path)
    if reading.format.sample_rate < LOWEST_RATE:
        raise MediaError(
            schema.UNSUPPORTED,
            f"sample rate {reading.format.sample_rate} Hz is below {LOWEST_RATE} Hz: "
            "compared by bytes only",
        )
    return reading


# FLAC, WAV, RF64, W64, AIFF/AIFC, AU, CAF. Ogg too: libsndfile reads Vorbis, FLAC and Opus in it.
_SOUNDFILE_MAGIC = (b"fLaC", b"RIFF", b"RF64", b"riff", b"FORM", b".snd", b"caff", b"OggS")

_SIZE_FAULTS: dict[bytes, Callable[[str], list[str]]] = {
    **dict.fromkeys(CHUNK_LAYOUTS, chunk_faults),
    **dict.fromkeys((b".snd", b"riff"), header_faults),
    b"Crea": voc_faults,
    b"\x30\x26\xb2\x75": asf_faults,
}


def _no_faults(path: str) -> list[str]:
    return []


def _bounds(form: Format, start_s: float, end_s: float | None) -> tuple[int, int | None, Format]:
    """First and last (exclusive) frame of a stretch, and its format."""
    rate, declared = form.sample_rate, form.declared_s
    if declared is not None and start_s >= declared:
        reason = f"the stretch begins at {start_s:.6g} s, the file ends at {declared:.6g} s"
        raise MediaError(schema.UNREADABLE, reason)
    end = min(x for x in (end_s, declared, float("inf")) if x is not None)
    length = max(0.0, end - start_s) if end < float("inf") else None
    last = None if end_s is None else round(end_s * rate)
    return round(start_s * rate), last, replace(form, declared_s=length)


def load(
    path: str, start_s: float | None = None, end_s: float | None = None, view: int = MIX
) -> Samples:
    """Return a view of a sound at `RATE`, shape (n,); a memory map where it is long.

    Raises
    ------
    MediaError
        As `open_audio`.
    """
    return gather(open_audio(path, start_s, end_s).mono(view=view))


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
