"""The comparing of two sounds as a function that a process can be handed: facts about pairs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from splitaudit.audio.decode import sounds
from splitaudit.audio.verify import tempo_pitch, windows
from splitaudit.audio.verify import waveform as verifier
from splitaudit.audio.verify.likeness import FEW_CELLS
from splitaudit.audio.verify.sound import Sound, prepare_sound
from splitaudit.engine.jobs import File
from splitaudit.engine.proving import refuse_changed, write_lost_pairs, write_proofs

WHOLE_EVIDENCE_S = 0.5  # <=: of evidence; with less, what lies near the moment is compared first,
NEAR_S = 30.0  # so much to each side
SCALED_EVIDENCE_S = 0.25  # <=: of evidence, or of the shorter sound this share; with less,
SCALED_EVIDENCE_SHARE = 0.3  # no other speed is tried
SHORT_S = 1.0  # <: a sound that has few cells and is so short is like others at some speed
# <=: correlation times coverage that leave nothing for another speed to explain
EXPLAINED_SHARE = 0.9
SLOPE_STEP = 0.01  # of the lines that the search looks along
MIN_AGREEMENT_RATIO = 1.1  # >: times as much agrees at another speed

PROOFS = pa.schema(
    {
        "key": pa.string(),
        "found": pa.bool_(),
        **{f.name: pa.float64() for f in fields(verifier.Proof) if f.name != "accepted"},
        "accepted": pa.bool_(),
    }
)


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

    @property
    def files(self) -> tuple[File, File]:
        """What is read to compare them."""
        return self.a, self.b


class Waveforms:
    """The verifier, see `splitaudit.engine.contracts.Verifier`."""

    name: ClassVar[str] = verifier.NAME
    proofs: ClassVar[pa.Schema] = PROOFS

    def verify(self, pairs: Sequence[Pair], folder: Path) -> int:
        """Compare pairs of sounds."""
        return write_proofs(pairs, _proof, PROOFS, folder)

    def lost(self, pairs: Sequence[Pair], folder: Path) -> int:
        """Note that a process died of these pairs."""
        return write_lost_pairs(pairs, folder)


def _proof(pair: Pair) -> dict[str, Any]:
    near = pair if pair.evidence_s >= WHOLE_EVIDENCE_S else _crop_pair(pair)
    proof = _compare(near)
    if proof and near != pair:
        proof = _compare(pair) if proof.accepted else _shift_times(proof, near, pair)
    return {"found": True, **asdict(proof)} if proof else {"found": False}


def _compare(pair: Pair) -> verifier.Proof | None:
    """The proof at an unchanged speed, or at another where much speaks for it and more agrees."""
    a, b = _load_sound(pair.a), _load_sound(pair.b)
    proof = _prove(a, b, pair)
    if proof is None or a.gain == b.gain:
        return proof
    return replace(proof, gain_db=proof.gain_db + 20 * float(np.log10(a.gain / b.gain)))


def _prove(a: Sound, b: Sound, pair: Pair) -> verifier.Proof | None:
    a_s, b_s = pair.moment_s
    proof = verifier.verify(a, b, b_s - a_s)
    if not _is_unscaled_copy(proof, pair) and _can_be_scaled(pair, min(a.cells, b.cells)):
        proof = _choose_proof(proof, tempo_pitch.verify(a, b, pair.moment_s, 1 / pair.slope))
    if proof is None or not proof.accepted:
        return verifier.verify_equalised(a, b, b_s - a_s) or proof
    return proof


def _choose_proof(
    proof: verifier.Proof | None, other: verifier.Proof | None
) -> verifier.Proof | None:
    """The proof at another speed where it is one and clearly more agrees, else the ordinary one."""
    if other is None or not other.accepted:
        return proof
    if proof is None or not proof.accepted:
        return other
    return other if _agreeing_s(other) > MIN_AGREEMENT_RATIO * _agreeing_s(proof) else proof


def _is_unscaled_copy(proof: verifier.Proof | None, pair: Pair) -> bool:
    """Whether nothing but a copy at an unchanged speed is likely."""
    if proof is None or not proof.accepted:
        return False
    explained = abs(proof.correlation) * max(proof.coverage_a, proof.coverage_b)
    return explained >= EXPLAINED_SHARE and abs(pair.slope - 1) < SLOPE_STEP / 2


def _can_be_scaled(pair: Pair, cells: float) -> bool:
    """Whether enough speaks for a pair, and enough is in it, to try another speed."""
    shorter = min(pair.seconds)
    if shorter < SHORT_S and cells < FEW_CELLS:
        return False
    return pair.evidence_s >= min(SCALED_EVIDENCE_S, SCALED_EVIDENCE_SHARE * shorter)


def _agreeing_s(proof: verifier.Proof) -> float:
    """Seconds that agree, beyond what pieces that may choose their lags do by chance."""
    chance = 0.0 if proof.tempo == proof.pitch else windows.CHANCE_CORRELATION
    return max(0.0, abs(proof.correlation) - chance) * (proof.a_end - proof.a_start)


def _crop_pair(pair: Pair) -> Pair:
    """The same pair, of each sound only what lies within `NEAR_S` of the moment."""
    a, b = (
        _crop_around(file, moment_s, seconds)
        for file, moment_s, seconds in zip(
            (pair.a, pair.b), pair.moment_s, pair.seconds, strict=True
        )
    )
    return replace(pair, a=a[0], b=b[0], moment_s=(a[1], b[1]))


def _shift_times(proof: verifier.Proof, near: Pair, pair: Pair) -> verifier.Proof:
    """What was found near a moment, in times of the whole sounds; coverage is of what was read."""
    a_s, b_s = (whole - part for whole, part in zip(pair.moment_s, near.moment_s, strict=True))
    return replace(
        proof,
        a_start=proof.a_start + a_s,
        a_end=proof.a_end + a_s,
        b_start=proof.b_start + b_s,
        b_end=proof.b_end + b_s,
    )


def _crop_around(file: File, moment_s: float, seconds: float) -> tuple[File, float]:
    """The stretch of a sound around a moment, and the moment in it."""
    first, last = max(0.0, moment_s - NEAR_S), moment_s + NEAR_S
    if first == 0.0 and last >= seconds:
        return file, moment_s
    begin_s = file.start_s or 0.0
    end_s = min(begin_s + last, float("inf") if file.end_s is None else file.end_s)
    return replace(file, start_s=begin_s + first, end_s=end_s), moment_s - first


_CACHE: OrderedDict[File, Sound] = OrderedDict()  # see `engine.pair_order`
_CACHE_BYTES = 1 << 27


def _load_sound(file: File) -> Sound:
    if file not in _CACHE:
        samples = sounds.load(file.path, file.start_s, file.end_s, file.view)
        refuse_changed(file)
        _CACHE[file] = prepare_sound(samples)
        while len(_CACHE) > 2 and sum(held.nbytes for held in _CACHE.values()) > _CACHE_BYTES:
            _CACHE.popitem(last=False)
    _CACHE.move_to_end(file)
    return _CACHE[file]
