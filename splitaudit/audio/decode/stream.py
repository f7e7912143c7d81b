"""A sound being read: blocks of samples, and the truth about how much could be read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit import schema
from splitaudit.audio.decode.downmix import downmix
from splitaudit.audio.decode.levels import FULL_SCALE, Levels, Moments
from splitaudit.audio.decode.views import MIX, Hidden, take
from splitaudit.errors import MediaError

Samples = npt.NDArray[np.float32]

RATE = 16_000  # Hz, of everything after decoding; keeps speech, cries, most of music
BLOCK_SAMPLES = 1 << 21  # decoded values (frames x channels) held at once
# A decoder may drop its last frame: the longest frames in use (AAC-LD apart) hold 0.13 s at 16 kHz.
TOLERATED_LOSS_S = 0.15
QUIETEST_WHOLE = 2**-15  # <=: the peak of floats that are told apart at 24 bits


@dataclass(frozen=True)
class Format:
    """What a file says of its sound before it is decoded."""

    sample_rate: int
    channels: int
    bit_depth: int | None
    lossless: bool
    declared_s: float | None  # None: the container does not say
    holds_frames: bool = False  # a film; a cover picture is none
    step_bits: int = 16  # of the coarsest step near zero that its coding may have


def _hasher() -> Any:
    return hashlib.blake2b(digest_size=16)


@dataclass
class Reading:
    """A sound being read: iterate `blocks`, then look at what became of it.

    `blocks` yields float32 arrays of shape (frames, channels) at the native rate. `stretch(first,
    last)` yields those of a stretch in their place, where the decoder jumps to the very sample.
    `twin()` reads the sound with the other decoder that people use, which rounds otherwise.
    """

    format: Format
    blocks: Iterator[Samples]
    faults: list[str] = field(default_factory=list)
    frames: int = 0
    stretch: Callable[[int, int | None], Iterator[Samples]] | None = None
    twin: Callable[[], Reading] | None = None
    levels: Levels = field(init=False)
    hidden_views: Hidden = field(default_factory=Hidden)
    mixed: Moments = field(default_factory=Moments)  # as one channel at the native rate
    _digest: Any = field(default_factory=_hasher)
    _float_digest: Any = field(default_factory=_hasher)

    def __post_init__(self) -> None:
        """Begin to measure."""
        self.levels = Levels(self.format.step_bits)

    @property
    def duration_s(self) -> float:
        """Seconds decoded so far."""
        return self.frames / self.format.sample_rate

    @property
    def samples_id(self) -> str:
        """Identity of the decoded samples, with their rate and channels."""
        head = f"{self.format.sample_rate}/{self.format.channels}/"
        if self._holds_floats and not QUIETEST_WHOLE <= self.levels.peak <= 1:
            return f"{head}float/{self._float_digest.hexdigest()}"
        return head + str(self._digest.hexdigest())

    @property
    def _holds_floats(self) -> bool:
        """Whether the file can hold what 24 bits cannot."""
        return self.format.lossless and (self.format.bit_depth or 32) > 24

    @property
    def hidden(self) -> list[int]:
        """Views that the mix hides, once it was read."""
        return self.hidden_views.views

    def mono(self, gain: float = 1.0, view: int = MIX) -> Iterator[Samples]:
        """Yield the sound as one channel at `RATE`, in pieces of any length, shape (n,).

        Parameters
        ----------
        gain
            By which it is multiplied, see `levels.fitting_gain`.
        view
            A channel or the mean in place of the mix, see `decode.views`.
        """
        import soxr

        rate = self.format.sample_rate
        if rate == RATE:
            yield from self._mixed(gain, view)
            return
        resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
        for piece in self._mixed(gain, view):
            yield resampler.resample_chunk(piece)
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)

    def twin_id(self) -> str | None:
        """Return the identity of the samples that the other decoder gives; None: there is none."""
        if self.twin is None:
            return None
        try:
            twin = self.twin()
        except MediaError:
            return None
        for _ in twin._digest_blocks():
            pass
        return twin.samples_id

    def _mixed(self, gain: float, view: int) -> Iterator[Samples]:
        blocks = self._digest_blocks()
        louder = blocks if gain == 1.0 else (block * np.float32(gain) for block in blocks)
        if view != MIX:
            yield from (take(block, view) for block in louder)
            return
        for piece in downmix(louder, self.format.sample_rate, self.hidden_views):
            self.mixed.add(piece)
            yield piece

    def _digest_blocks(self) -> Iterator[Samples]:
        """Pass blocks on; count, digest, measure and mend them on the way."""
        for block in self.blocks:
            if not np.isfinite(block).all():
                self.faults.append("holds samples that are not finite")
                block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            self.frames += len(block)
            self._note(block)
            yield block

    def _note(self, block: Samples) -> None:
        """Digest and measure a block, on the 24-bit scale and, where there may be more, as it is.

        A lossy decoder works in floating point; what people store of it is 16 bits, so that is
        what its samples are compared at. float32 holds 24-bit samples exactly.
        """
        if not len(block):
            return
        scale = FULL_SCALE if self.format.lossless else 1 << 15
        scaled = block * np.float32(scale)
        whole = np.clip(np.rint(scaled), -scale, scale - 1)
        exact = not self._holds_floats or np.array_equal(whole, scaled)
        steps = np.ascontiguousarray(whole, np.int32) * np.int32(FULL_SCALE // scale)
        self._digest.update(steps)
        if self._holds_floats:
            self._float_digest.update(np.ascontiguousarray(block))
        self.levels.add(block, steps, exact)


def chain(readings: Sequence[Reading | None]) -> Reading:
    """Return sounds that were put one behind another in one file, as one.

    Parameters
    ----------
    readings
        Of each; None where it could not be opened.

    Raises
    ------
    MediaError
        unreadable, where none of them could.
    """
    opened = [reading for reading in readings if reading]
    if not opened:
        raise MediaError(schema.UNREADABLE, "no sound could be decoded")
    form = opened[0].format
    same = [r for r in opened if _shape(r.format) == _shape(form)]
    declared = [reading.format.declared_s for reading in same]
    length = None if None in declared else float(sum(seconds or 0.0 for seconds in declared))
    whole = Reading(replace(form, declared_s=length), iter(()))
    if others := len(readings) - len(same):
        told = "put one behind another were not read: they have another rate or other channels"
        whole.faults.append(f"{others} of {len(readings)} sounds {told}")
    whole.blocks = _blocks_in_turn(same, whole.faults)
    return whole


def _shape(form: Format) -> tuple[int, int]:
    return form.sample_rate, form.channels


def _blocks_in_turn(readings: Sequence[Reading], faults: list[str]) -> Iterator[Samples]:
    for reading in readings:
        yield from reading.blocks
        faults += reading.faults


def truncation_reason(reading: Reading) -> str | None:
    """Why a finished reading is not the whole sound, or None where it is."""
    declared = reading.format.declared_s or 0.0
    if reading.duration_s < declared - max(TOLERATED_LOSS_S, declared / 1000):
        return f"decodes to {reading.duration_s:.2f} s of {declared:.2f} s declared"
    return "; ".join(dict.fromkeys(reading.faults)) or None
