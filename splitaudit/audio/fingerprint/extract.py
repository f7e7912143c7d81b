"""The fingerprinting of sounds as a function that a process can be handed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from splitaudit import schema
from splitaudit.audio.decode import sounds
from splitaudit.audio.decode.levels import LOUDEST, Moments, Samples, fitting_gain
from splitaudit.audio.decode.stream import RATE, Reading, truncation_reason
from splitaudit.audio.fingerprint import patches
from splitaudit.engine.jobs import File, decode_error, write_crashed, write_each
from splitaudit.errors import MediaError

# Shorter sounds have too little in common with their own recoded copies (docs/audio.md).
SHORTEST_S = 0.1
# <: the share of the energy that lies below 8 kHz, where sounds are compared. With less of it, they
# would be compared by the noise of a microphone for bats; half, where that noise says nothing.
LEAST_WITHIN, LEAST_WITHIN_IF_STEADY = 0.001, 0.5
LARGEST = 2.0**32  # <: a sample that is none; integers of 32 bits are smaller
VIEW_FRAMES = 1 << 24  # from the frames of a view to those of the next: no sound is so long (74 h)
SOUNDS = pa.schema(
    {
        "key": pa.string(),  # content_id
        "samples_id": pa.string(),  # null where nothing was decoded
        "twin_id": pa.string(),  # by the other decoder in use; null where there is one only
        "duration_s": pa.float64(),
        "sample_rate": pa.int32(),
        "channels": pa.int32(),
        "bit_depth": pa.int32(),
        "lossless": pa.bool_(),
        "silent": pa.bool_(),
        "status": pa.string(),
        "error": pa.string(),
        "holds_frames": pa.bool_(),
        "vectors": pa.large_list(pa.int8()),
        "frames": pa.large_list(pa.int32()),
    }
)


def fingerprint(files: Sequence[File], folder: Path) -> int:
    """Decode sounds and take their fingerprints; stretches of one file in turn."""
    return write_each(sorted(files, key=in_turn), _fingerprint_file, SOUNDS, folder)


def in_turn(file: File) -> tuple[str, float, float]:
    """Return what sorts the stretches of one file as they follow each other in it."""
    return file.path, file.start_s or 0.0, math.inf if file.end_s is None else file.end_s


def _fingerprint_file(file: File) -> dict[str, Any]:
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # of floats that are no sound
            return _fingerprint_sound(file)
    except MediaError as error:
        return {"status": error.status, "error": error.reason, "silent": file.size == 0}
    except Exception as error:  # that is a row, not the end
        return decode_error(error)


def _fingerprint_sound(file: File) -> dict[str, Any]:
    row, peak = _fingerprint_stream(file, 1.0)
    gain = fitting_gain(peak)
    # What is too quiet to be told from rounding is read once more, as loud as any other sound.
    if gain == 1.0 or row["silent"] or row["status"] not in (schema.OK, schema.DEGENERATE):
        return row
    return _fingerprint_stream(file, gain)[0]


def _open(file: File) -> Reading:
    return sounds.open_audio(file.path, file.start_s, file.end_s)


def _fingerprint_stream(file: File, gain: float) -> tuple[dict[str, Any], float]:
    """The facts of a sound that is made louder, and the peak of what is compared of it."""
    reading, compared = _open(file), Moments()
    prints = _take_prints(_watch(reading.mono(gain), compared))
    if not reading.frames:
        raise MediaError(schema.UNREADABLE, "no sound could be decoded")
    form = reading.format
    status, error = _status(reading, prints.degenerate, compared)
    row = {
        "samples_id": reading.samples_id,
        "twin_id": None if status == schema.TRUNCATED else reading.twin_id(),
        "duration_s": reading.duration_s,
        "sample_rate": form.sample_rate,
        "channels": form.channels,
        "bit_depth": form.bit_depth,
        "lossless": form.lossless,
        "silent": _is_silent(reading),
        "status": status,
        "error": error,
        "holds_frames": form.holds_frames,
        **_all_views(file, reading, prints),
    }
    loud = reading.levels.peak > LOUDEST
    return row, reading.levels.peak if loud else compared.peak


def _take_prints(pieces: Iterator[Samples]) -> patches.Patches:
    padded = patches.pad_silence(pieces)
    return patches.PatchFingerprint().fingerprint(
        sounds.segments(padded, patches.SEGMENT, patches.CONTEXT)
    )


def _all_views(file: File, mix: Reading, prints: patches.Patches) -> dict[str, Any]:
    """The patches of a sound, and those of what its mix hides, far behind them."""
    vectors, frames = [prints.vectors], [prints.frames]
    peaks = np.abs([mix.levels.lowest, mix.levels.highest]).max(axis=0)
    for view in mix.hidden:
        gain = fitting_gain(float(peaks[view - 1])) if view <= len(peaks) else 1.0
        found = _take_prints(_open(file).mono(gain, view))
        vectors.append(found.vectors)
        frames.append(found.frames + np.int32(view * VIEW_FRAMES))
    return {"vectors": np.concatenate(vectors).ravel(), "frames": np.concatenate(frames)}


def _watch(pieces: Iterator[Samples], moments: Moments) -> Iterator[Samples]:
    for piece in pieces:
        moments.add(piece)
        yield piece


def _is_silent(reading: Reading) -> bool:
    """Whether nothing is heard; an offset is no sound where it lasts."""
    levels = reading.levels
    return levels.silent and (reading.duration_s >= SHORTEST_S or levels.nothing)


def _status(reading: Reading, degenerate: bool, compared: Moments) -> tuple[str, str | None]:
    """What to say of a finished reading, of which one channel at 16 kHz was `compared`."""
    if reading.levels.peak > LARGEST:
        large = f"samples as large as {reading.levels.peak:.2g}: scale them to -1 to 1"
        return schema.UNSUPPORTED, large
    fault = truncation_reason(reading)
    if fault:
        return schema.TRUNCATED, fault
    if _is_silent(reading):
        return schema.DEGENERATE, "silence"
    if reading.duration_s < SHORTEST_S:
        short = f"{reading.duration_s:.3g} s is too short: compared as an equal copy only"
        return schema.UNSUPPORTED, short
    within = compared.power / max(reading.mixed.power, 1e-300)
    if within < (LEAST_WITHIN_IF_STEADY if degenerate else LEAST_WITHIN):
        above = f"{min(1 - within, 0.9999):.2%} of its energy lies above {RATE // 2000} kHz"
        return schema.UNSUPPORTED, f"{above}: compared as an equal copy only"
    if degenerate:
        return schema.DEGENERATE, "too quiet or too steady to compare"
    return schema.OK, None


def lost_fingerprint(files: Sequence[File], folder: Path) -> int:
    """Note that the decoder died of these files."""
    return write_crashed(files, SOUNDS, folder)
