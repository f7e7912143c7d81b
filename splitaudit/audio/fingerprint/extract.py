"""The fingerprinting of sounds as a function that a process can be handed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from splitaudit import schema
from splitaudit.audio.decode import sounds
from splitaudit.audio.decode.stream import Reading, truncation_reason
from splitaudit.audio.fingerprint import patches
from splitaudit.audio.verify import extent
from splitaudit.engine.jobs import File, decode_error, write_crashed, write_each
from splitaudit.errors import MediaError

# Shorter sounds have too little in common with their own recoded copies (docs/audio.md).
SHORTEST_S = 0.1
SOUNDS = pa.schema(
    {
        "key": pa.string(),  # content_id
        "samples_id": pa.string(),  # null where nothing was decoded
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
    """Decode sounds and take their fingerprints."""
    return write_each(files, _fingerprint_file, SOUNDS, folder)


def _fingerprint_file(file: File) -> dict[str, Any]:
    try:
        return _fingerprint_stream(sounds.open_audio(file.path, file.start_s, file.end_s))
    except MediaError as error:
        return {"status": error.status, "error": error.reason, "silent": file.size == 0}
    except Exception as error:  # that is a row, not the end
        return decode_error(error)


def _fingerprint_stream(reading: Reading) -> dict[str, Any]:
    loudest = _PeakMeter()
    pieces = patches.pad_silence(loudest.watch(reading.mono()))
    prints = patches.PatchFingerprint().fingerprint(
        sounds.segments(pieces, patches.SEGMENT, patches.CONTEXT)
    )
    if not reading.frames:
        raise MediaError(schema.UNREADABLE, "no sound could be decoded")
    form = reading.format
    status, error = _status(reading, prints.degenerate, silent=loudest.peak < extent.SILENCE)
    return {
        "samples_id": reading.samples_id,
        "duration_s": reading.duration_s,
        "sample_rate": form.sample_rate,
        "channels": form.channels,
        "bit_depth": form.bit_depth,
        "lossless": form.lossless,
        "silent": loudest.peak < extent.SILENCE,
        "status": status,
        "error": error,
        "holds_frames": form.holds_frames,
        "vectors": prints.vectors.ravel(),
        "frames": prints.frames,
    }


class _PeakMeter:
    """Remember the largest sample of a stream that passes by."""

    peak = 0.0

    def watch(self, pieces: Any) -> Any:
        for piece in pieces:
            self.peak = max(self.peak, float(np.abs(piece).max(initial=0.0)))
            yield piece


def _status(reading: Reading, degenerate: bool, silent: bool) -> tuple[str, str | None]:
    fault = truncation_reason(reading)
    if fault:
        return schema.TRUNCATED, fault
    if silent:
        return schema.DEGENERATE, "silence"
    if reading.duration_s < SHORTEST_S:
        short = f"{reading.duration_s:.3g} s is too short: compared as an equal copy only"
        return schema.UNSUPPORTED, short
    if degenerate:
        return schema.DEGENERATE, "too quiet or too steady to compare"
    return schema.OK, None


def lost_fingerprint(files: Sequence[File], folder: Path) -> int:
    """Note that the decoder died of these files."""
    return write_crashed(files, SOUNDS, folder)
