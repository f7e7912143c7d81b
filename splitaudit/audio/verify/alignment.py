"""At which lag two sounds correlate, and how far that stands above every other lag."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from splitaudit.audio.verify.extent import FRAME
from splitaudit.audio.verify.whitening import RATE, Samples

Wide = npt.NDArray[np.float64]
Spectrum = npt.NDArray[np.complex64]

SLACK = 3_200  # samples to each side of the proposed offset where the peak may lie
LAGS = 4_800  # samples to each side among which it must be the highest
PEAK_WIDTH = 192  # samples to each side (12 ms) that belong to the peak: its filter, its room
BLOCK = 2 * RATE  # correlated at once: a jingle is not lost in it, nor chance found
BATCH_BLOCKS = 8  # blocks that are transformed at once
MAX_RIVAL_RATIO = 0.9  # <: of the peak; a block with a higher rival does not know its lag
REALIGN_SCORE = 0.4  # <=: score of a lag at which it is worth looking again
MIN_CORRELATION = 0.06  # <=: correlation of a block that counts


@dataclass(frozen=True)
class WeightedWaveform:
    """A waveform whose frames are weighted when they are read: it may be a long memory map."""

    white: Samples
    weights: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.weights) * FRAME

    def __getitem__(self, part: slice) -> Samples:
        start, stop, _ = part.indices(len(self))
        weights = self.weights[start // FRAME : -(-stop // FRAME)].astype(np.float32)
        each = np.repeat(weights, FRAME)[start % FRAME :][: max(0, stop - start)]
        return self.white[start:stop] * each


def overlap(a: Sized, b: Sized, offset: int) -> tuple[int, int]:
    """Return the first and the last (exclusive) sample of a that b has too."""
    return max(0, -offset), min(len(a), len(b) - offset)


def align(
    a: Samples | WeightedWaveform, b: Samples | WeightedWaveform, offset: int
) -> tuple[int, float] | None:
    """Return the lag on which the stretches that correlate agree, and its score.

    Parameters
    ----------
    a, b
        Whitened waveforms.
    offset
        Sample of b less sample of a of the same moment, to within `SLACK`.

    Returns
    -------
    (lag, score) or None
        The score is how far it stands above every other lag, in [0, 1]: 1 - rival / peak, without
        what an echo in either sound makes of the rival. None where nothing correlates.
    """
    first, last = overlap(a, b, offset)
    # What may be shared at any lag: of a drum, whose onset is cut off, nothing is left to tell.
    about = _align_blocks(a, b, offset, (max(0, first - SLACK), min(len(a), last + SLACK)))
    if about is None or about[1] < REALIGN_SCORE:
        return about
    return _align_blocks(a, b, about[0], overlap(a, b, about[0])) or about


def _align_blocks(
    a: Samples | WeightedWaveform, b: Samples | WeightedWaveform, offset: int, part: tuple[int, int]
) -> tuple[int, float] | None:
    """The lag on which blocks of a part of a agree with b, and its score."""
    total, echo_a, echo_b = (np.zeros(2 * LAGS + 1) for _ in range(3))
    first, last = part
    if last - first < FRAME:
        return None
    starts = np.arange(first, max(first + 1, last - BLOCK // 4), BLOCK)
    for some in np.split(starts, range(BATCH_BLOCKS, len(starts), BATCH_BLOCKS)):
        x, wide_x = _blocks(a, some, last)
        y, wide_y = _blocks(b, some + offset, last + offset)
        of_x, of_wide_y = _spectrum(x), _spectrum(wide_y)
        correlation = _correlate(of_x, of_wide_y, x.shape[1])
        energy_x, energy_y = _energy(x), _energy(y)
        energy = np.sqrt(energy_x * energy_y)
        told = [_has_clear_peak(*block) for block in zip(correlation, energy, strict=True)]
        if any(told):
            ratio = np.sqrt(energy_y / energy_x)[told]
            total += correlation[told].sum(axis=0)
            echo_a += ratio @ _correlate(of_x[told], _spectrum(wide_x[told]), x.shape[1])
            echo_b += 1 / ratio @ _correlate(_spectrum(y[told]), of_wide_y[told], x.shape[1])
    if not total.any():
        return None
    lag = _peak_and_rival(total)[2]
    return offset + lag, max(_score(total, echo_a, lag), _score(total, echo_b, lag))


def _has_clear_peak(correlation: Samples, energy: float) -> bool:
    """Whether a block knows its lag; one where another is as good would only blur the sum."""
    height, rival, _ = _peak_and_rival(correlation)
    return height >= MIN_CORRELATION * energy and rival < MAX_RIVAL_RATIO * height


def _score(correlation: Wide, own: Wide, lag: int) -> float:
    """How far the peak at `lag` stands above every other, what an echo makes of it apart."""
    echo = np.zeros_like(own)
    echo[max(0, lag) : len(own) + min(0, lag)] = own[max(0, -lag) : len(own) - max(0, lag)]
    peak = correlation[LAGS + lag]
    # A stretch that is silent has no echo.
    rest = np.abs(correlation - peak * echo / (own[LAGS] or 1.0))
    rest[max(0, LAGS + lag - PEAK_WIDTH) : LAGS + lag + PEAK_WIDTH + 1] = 0.0
    return 1 - float(rest.max() / abs(peak))


def padded_slice(samples: Samples | WeightedWaveform, start: int, length: int) -> Samples:
    """Return a stretch of a sound that may begin before it or end after it: silence there."""
    out = np.zeros(length, np.float32)
    inside = samples[max(0, start) : max(0, start + length)]
    before = min(length, max(0, -start))
    out[before : before + len(inside)] = inside
    return out


def _blocks(
    samples: Samples | WeightedWaveform, starts: npt.NDArray[np.int_], last: int
) -> tuple[Samples, Samples]:
    """Blocks of a sound, silent from `last` on, and the same with `LAGS` more to each side.

    After the first kind there is silence, so that both have the same length.
    """
    import scipy.fft

    length = min(BLOCK, last - int(starts[0]))
    width = scipy.fft.next_fast_len(length + 2 * LAGS, real=True)
    wide = np.stack([padded_slice(samples, start - LAGS, width) for start in starts.tolist()])
    blocks = np.zeros_like(wide)
    blocks[:, :length] = wide[:, LAGS : LAGS + length]
    blocks[-1, last - starts[-1] :] = 0.0
    return blocks, wide


def _energy(blocks: Samples) -> Samples:
    """Energy of each block, of a silent one a little."""
    return np.asarray(np.einsum("ij,ij->i", blocks, blocks) + np.float32(1e-6) * blocks.shape[1])


def _spectrum(blocks: Samples) -> Spectrum:
    """Spectra of rows, shape (n, length // 2 + 1)."""
    import scipy.fft

    return np.asarray(scipy.fft.rfft(blocks, axis=1))


def _correlate(x: Spectrum, y: Spectrum, length: int) -> Samples:
    """Correlation of rows of that length at lags -LAGS..LAGS, shape (n, 2 LAGS + 1)."""
    import scipy.fft

    return np.asarray(scipy.fft.irfft(np.conj(x) * y, length, axis=1)[:, : 2 * LAGS + 1])


def _peak_and_rival(correlation: npt.NDArray[np.floating]) -> tuple[float, float, int]:
    """Height of the highest lag within `SLACK`, of the highest apart from it, and where it is."""
    height = np.abs(correlation)
    at = LAGS - SLACK + int(np.argmax(height[LAGS - SLACK : LAGS + SLACK + 1]))
    left, right = height[: max(0, at - PEAK_WIDTH)], height[at + PEAK_WIDTH + 1 :]
    rival = max(left.max(initial=0.0), right.max(initial=0.0))
    return float(height[at]), float(rival), at - LAGS
