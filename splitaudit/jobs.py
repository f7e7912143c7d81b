"""The expensive steps, each as a function that a process can be handed: facts about bytes.

What is written here depends on the bytes of the files alone. A file that is gone or was changed
while it was read leaves no fact, so that the next run looks again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from splitaudit import schema
from splitaudit.errors import MediaError
from splitaudit.fingerprints import patches
from splitaudit.media import audio
from splitaudit.media.reading import Reading, shortfall
from splitaudit.store import Parts, digest, write_table
from splitaudit.verify import audio as verifier
from splitaudit.verify import scaled, stretch, whitening

# Shorter sounds have too little in common with their own recoded copies (docs/audio.md).
SHORTEST_S = 0.1
WHOLE_S = 0.5  # <=: of evidence; with less, what lies near the moment is compared first,
NEAR_S = 30.0  # so much to each side
SCALED_S = 0.25  # <=: of evidence; with less, no other speed is tried
SLOPE_STEP = 0.01  # of the lines that the search looks along
CLEARLY = 1.1  # >: times as much agrees at another speed, whose windows may choose their lags

CONTENTS = pa.schema({"key": pa.string(), "digest": pa.string()})
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
PROOFS = pa.schema(
    {
        "key": pa.string(),
        "found": pa.bool_(),
        **{f.name: pa.float64() for f in fields(verifier.Proof) if f.name != "accepted"},
        "accepted": pa.bool_(),
    }
)


@dataclass(frozen=True)
class File:
    """A file as it was when the scan began, or a stretch of it.

    Parameters
    ----------
    path
        With odd bytes as surrogates.
    start_s, end_s
        The stretch; null: all of it.
    signature
        Size and times; another signature is another file.
    content_id
        Once it is known.
    """

    path: str
    start_s: float | None
    end_s: float | None
    signature: str
    content_id: str = ""

    @property
    def name(self) -> str:
        """Key of the fact which bytes it holds."""
        return digest(self.path, self.signature)

    @property
    def stretch(self) -> str:
        """The part of the content id that says which stretch of the bytes it is."""
        if self.start_s is None and self.end_s is None:
            return ""
        end = "" if self.end_s is None else f"{self.end_s:.6f}"
        return f"@{self.start_s or 0.0:.6f}-{end}"

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.signature.split("-")[0])

    @property
    def changed(self) -> bool:
        """Whether the file is another one by now, or gone."""
        try:
            return signature(self.path) != self.signature
        except OSError:
            return True


def signature(path: str) -> str:
    """Size and times of a file; ctime too, since a copy may bring an old mtime with it.

    Raises
    ------
    OSError
        As `os.stat`.
    """
    status = os.stat(path)
    return f"{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}-{status.st_ino}"


@dataclass(frozen=True)
class Pair:
    """Two sounds to be compared along a line on which their patches agree.

    Parameters
    ----------
    key
        Of the fact: both contents and the line.
    a, b
        Where to read them.
    moment_s
        Time of a and time of b of the same moment.
    slope
        Seconds of b in a second of a, roughly.
    seconds
        How long they are.
    evidence_s
        Seconds for which their patches agree.
    """

    key: str
    a: File
    b: File
    moment_s: tuple[float, float]
    slope: float
    seconds: tuple[float, float]
    evidence_s: float

    @property
    def size(self) -> int:
        """Bytes."""
        return self.a.size + self.b.size


def identify(files: Sequence[File], folder: Path) -> int:
    """Digest the bytes of files."""
    rows = []
    for file in files:
        with contextlib.suppress(OSError), open(file.path, "rb") as opened:
            rows.append({"key": file.name, "digest": _digest(opened)})
    return _write(rows, CONTENTS, [file.name for file in files], folder)


def lost_identify(files: Sequence[File], folder: Path) -> int:
    """Leave files unread that a process died of reading."""
    return _write([], CONTENTS, [file.name for file in files], folder)


def _digest(file: Any) -> str:
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def fingerprint(files: Sequence[File], folder: Path) -> int:
    """Decode sounds and take their fingerprints."""
    rows = []
    for file in files:
        row = _sound(file)
        if not file.changed:
            rows.append({"key": file.content_id, **row})
    return _write(rows, SOUNDS, [file.content_id for file in files], folder)


def _sound(file: File) -> dict[str, Any]:
    try:
        return _read(audio.open_audio(file.path, file.start_s, file.end_s))
    except MediaError as error:
        return {"status": error.status, "error": error.reason, "silent": file.size == 0}
    except Exception as error:  # decoders trip over hostile files: that is a row, not the end
        reason = f"the decoder failed: {type(error).__name__}: {error}"
        return {"status": schema.ERROR, "error": reason.replace("\n", " ")}


def _read(reading: Reading) -> dict[str, Any]:
    loudest = _Loudest()
    pieces = patches.surround(loudest.watch(reading.mono()))
    prints = patches.Patch().fingerprint(audio.segments(pieces, patches.SEGMENT, patches.CONTEXT))
    if not reading.frames:
        raise MediaError(schema.UNREADABLE, "no sound could be decoded")
    form = reading.format
    status, error = _status(reading, prints.degenerate, silent=loudest.peak < stretch.SILENCE)
    return {
        "samples_id": reading.samples_id,
        "duration_s": reading.duration_s,
        "sample_rate": form.sample_rate,
        "channels": form.channels,
        "bit_depth": form.bit_depth,
        "lossless": form.lossless,
        "silent": loudest.peak < stretch.SILENCE,
        "status": status,
        "error": error,
        "holds_frames": form.holds_frames,
        "vectors": prints.vectors.ravel(),
        "frames": prints.frames,
    }


class _Loudest:
    """Remember the largest sample of a stream that passes by."""

    peak = 0.0

    def watch(self, pieces: Any) -> Any:
        for piece in pieces:
            self.peak = max(self.peak, float(np.abs(piece).max(initial=0.0)))
            yield piece


def _status(reading: Reading, degenerate: bool, silent: bool) -> tuple[str, str | None]:
    fault = shortfall(reading)
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
    reason = "the decoder crashed"
    rows = [{"key": f.content_id, "status": schema.ERROR, "error": reason} for f in files]
    return _write(rows, SOUNDS, [file.content_id for file in files], folder)


def verify(pairs: Sequence[Pair], folder: Path) -> int:
    """Compare pairs of sounds."""
    rows = []
    for pair in pairs:
        with contextlib.suppress(MediaError):  # gone since it was fingerprinted
            row = {"key": pair.key, **_proof(pair)}
            if not (pair.a.changed or pair.b.changed):
                rows.append(row)
    return _write(rows, PROOFS, [pair.key for pair in pairs], folder)


def _proof(pair: Pair) -> dict[str, Any]:
    near = pair if pair.evidence_s >= WHOLE_S else _near(pair)
    proof = _compare(near)
    if proof and near != pair:
        proof = _compare(pair) if proof.accepted else _moved(proof, near, pair)
    return {"found": True, **asdict(proof)} if proof else {"found": False}


def _compare(pair: Pair) -> verifier.Proof | None:
    """The proof at an unchanged speed, or at another where much speaks for it and more agrees."""
    a, b, (a_s, b_s) = _sound_of(pair.a), _sound_of(pair.b), pair.moment_s
    proof = verifier.verify(a, b, b_s - a_s)
    settled = proof is not None and proof.accepted and abs(pair.slope - 1) < SLOPE_STEP / 2
    if settled or pair.evidence_s < SCALED_S:
        return proof
    other = scaled.verify(a, b, pair.moment_s, 1 / pair.slope)
    if other is None or not other.accepted:
        return proof
    if proof is None or not proof.accepted:
        return other
    return other if _agreeing_s(other) > CLEARLY * _agreeing_s(proof) else proof


def _agreeing_s(proof: verifier.Proof) -> float:
    return abs(proof.correlation) * (proof.a_end - proof.a_start)


def _near(pair: Pair) -> Pair:
    """The same pair, of each sound only what lies within `NEAR_S` of the moment."""
    a, b = (
        _around(file, moment_s, seconds)
        for file, moment_s, seconds in zip(
            (pair.a, pair.b), pair.moment_s, pair.seconds, strict=True
        )
    )
    return replace(pair, a=a[0], b=b[0], moment_s=(a[1], b[1]))


def _moved(proof: verifier.Proof, near: Pair, pair: Pair) -> verifier.Proof:
    """What was found near a moment, in times of the whole sounds; coverage is of what was read."""
    a_s, b_s = (whole - part for whole, part in zip(pair.moment_s, near.moment_s, strict=True))
    return replace(
        proof,
        a_start=proof.a_start + a_s,
        a_end=proof.a_end + a_s,
        b_start=proof.b_start + b_s,
        b_end=proof.b_end + b_s,
    )


def _around(file: File, moment_s: float, seconds: float) -> tuple[File, float]:
    """The stretch of a sound around a moment, and the moment in it."""
    first, last = max(0.0, moment_s - NEAR_S), moment_s + NEAR_S
    if first == 0.0 and last >= seconds:
        return file, moment_s
    begin_s = file.start_s or 0.0
    end_s = min(begin_s + last, float("inf") if file.end_s is None else file.end_s)
    return replace(file, start_s=begin_s + first, end_s=end_s), moment_s - first


def lost_verify(pairs: Sequence[Pair], folder: Path) -> int:
    """Note that nothing can be said of these pairs."""
    rows = [{"key": pair.key, "found": False} for pair in pairs]
    return _write(rows, PROOFS, [pair.key for pair in pairs], folder)


_HELD: OrderedDict[File, verifier.Sound] = OrderedDict()  # of this process; pairs come sorted
_HELD_BYTES = 1 << 27


def _sound_of(file: File) -> verifier.Sound:
    if file not in _HELD:
        samples = audio.load(file.path, file.start_s, file.end_s)
        white = audio.gather(map(whitening.whiten, whitening.chunks(samples)))
        _HELD[file] = verifier.Sound(white, stretch.levels(samples))
    _HELD.move_to_end(file)
    while len(_HELD) > 2 and sum(held.white.nbytes for held in _HELD.values()) > _HELD_BYTES:
        _HELD.popitem(last=False)
    return _HELD[file]


def _write(rows: list[dict[str, Any]], of: pa.Schema, keys: Sequence[str], folder: Path) -> int:
    write_table(schema.conform(rows, of), Parts(folder).path(keys))
    return len(keys)
