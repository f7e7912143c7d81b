"""A sound being read: blocks of samples, and the truth about how much could be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

RATE = 16_000  # Hz, of everything after decoding; keeps speech, cries, most of music
BLOCK_SAMPLES = 1 << 21  # decoded values (frames x channels) held at once
# A decoder may drop its last frame: the longest frames in use (AAC-LD apart) hold 0.13 s at 16 kHz.
TOLERATED_LOSS_S = 0.15


@dataclass(frozen=True)
class Format:
    """What a file says of its sound before it is decoded."""

    sample_rate: int
    channels: int
    bit_depth: int | None
    lossless: bool
    declared_s: float | None  # None: the container does not say
    holds_frames: bool = False  # a film; a cover picture is none


@dataclass
class Reading:
    """A sound being read: iterate `blocks`, then look at what became of it.

    `blocks` yields float32 arrays of shape (frames, channels) at the native rate.
    """

    format: Format
    blocks: Iterator[Samples]
    faults: list[str] = field(default_factory=list)
    frames: int = 0
    digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    @property
    def duration_s(self) -> float:
        """Seconds decoded so far."""
        return self.frames / self.format.sample_rate

    @property
    def samples_id(self) -> str:
        """Identity of the decoded samples, with their rate and channels."""
        head = f"{self.format.sample_rate}/{self.format.channels}/"
        return head + str(self.digest.hexdigest())

    def mono(self) -> Iterator[Samples]:
        """Yield the sound as one channel at `RATE`, in pieces of any length, shape (n,)."""
        import soxr

        rate = self.format.sample_rate
        if rate == RATE:
            yield from (_downmix(block) for block in self._digest_blocks())
            return
        resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
        for block in self._digest_blocks():
            yield resampler.resample_chunk(_downmix(block))
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)

    def _digest_blocks(self) -> Iterator[Samples]:
        """Pass blocks on; count, digest and mend them on the way."""
        scale = 1 << 23 if self.format.lossless else 1 << 15
        for block in self.blocks:
            if not np.isfinite(block).all():
                self.faults.append("holds samples that are not finite")
                block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            self.frames += len(block)
            self.digest.update(_quantise(block, scale))
            yield block


def _quantise(block: Samples, scale: int) -> npt.NDArray[np.int32]:
    """Integers on the 24-bit scale, the same for every container of the same samples.

    A lossy decoder works in floating point; what people store of it is 16 bits, so that is what
    its samples are compared at. float32 holds 24-bit samples exactly.
    """
    whole = np.clip(np.rint(block * np.float32(scale)), -scale, scale - 1)
    return np.ascontiguousarray(whole, np.int32) * np.int32((1 << 23) // scale)


def _downmix(block: Samples) -> Samples:
    return block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)


def truncation_reason(reading: Reading) -> str | None:
    """Why a finished reading is not the whole sound, or None where it is."""
    declared = reading.format.declared_s or 0.0
    if reading.duration_s < declared - max(TOLERATED_LOSS_S, declared / 1000):
        return f"decodes to {reading.duration_s:.2f} s of {declared:.2f} s declared"
    return "; ".join(dict.fromkeys(reading.faults)) or None
