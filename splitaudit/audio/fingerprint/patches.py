"""Patches: half a second of a log spectrogram, as 64 numbers that distortion hardly changes.

After Burges, Platt and Jana, "Distortion discriminant analysis for audio fingerprinting" (IEEE
Trans. Speech and Audio Processing 11, 2003): of the directions in which patches of different sounds
differ, those are kept in which a patch and its distorted copy differ least. The directions are
learned by `benchmarks/audio/learn_patches.py`.
"""

from __future__ import annotations

import hashlib
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Vectors = npt.NDArray[np.int8]
Frames = npt.NDArray[np.int32]

RATE = 16_000
WINDOW, HOP = 1024, 256  # samples: 64 ms, every 16 ms
PATCH_FRAMES = 32  # frames of a patch: 0.5 s
POOLED_FRAMES = 2  # frames that are averaged
STEP = 6  # frames from a patch to the next: 0.1 s
MIN_PATCHES = 48  # patches that a short sound gets, if need be one a frame
BANDS, LOWEST, HIGHEST = 40, 100.0, 7_500.0  # Hz
NOISE_FLOOR = 0.03  # of the mean power of a patch: what lies 15 dB below it is noise
DIRECTIONS = 64
SCALE = 256  # of the numbers stored; of a unit vector in 64 dimensions few exceed 0.5
SEGMENT = 1 << 20  # samples analysed at once: 65 s
CONTEXT = 1 << 14  # samples beyond a segment; more than a patch
MARGIN = 16  # frames of silence around a sound: how it begins and ends tells it from others, too
SILENCE = 10 ** (-75 / 10)  # mean power; below it there is nothing to describe
MIN_DEVIATION = 0.05  # < in nepers: deviation of the levels of a patch that is a tone, or nothing


@dataclass(frozen=True)
class Patches:
    """The patches of one sound, by time.

    Parameters
    ----------
    vectors
        int8, shape (n, `DIRECTIONS`): unit vectors times `SCALE`.
    frames
        int32, shape (n,): where each begins, in frames of 16 ms; some before the sound.
    degenerate
        Whether no patch within the sound could be described, or all of a shorter sound: it is too
        quiet, or too steady.
    """

    vectors: Vectors
    frames: Frames
    degenerate: bool


@dataclass(frozen=True)
class PatchFingerprint:
    """The fingerprint.

    Parameters
    ----------
    directions
        Digest of the directions in use, see `directions_digest`.
    """

    name: ClassVar[str] = "patches"
    version: ClassVar[int] = 3
    modality: ClassVar[str] = "audio"
    metric: ClassVar[str] = "cosine"

    directions: str = field(default_factory=lambda: directions_digest())

    def load(self, device: str = "cpu") -> Callable[[Iterator[tuple[int, Samples]]], Patches]:
        """Return what describes a sound, see `fingerprint`."""
        return self.fingerprint

    def fingerprint(self, segments: Iterator[tuple[int, Samples]]) -> Patches:
        """Return the patches of a sound.

        Parameters
        ----------
        segments
            `(start, samples)` of the sound within silence (`pad_silence`) as
            `decode.sounds.segments` cuts them, with `SEGMENT` and `CONTEXT`: one channel at 16 kHz.
        """
        mean, directions = load_projection()
        vectors, frames = [np.zeros((0, DIRECTIONS), np.int8)], [np.zeros(0, np.int32)]
        last = 0  # patch within the sound
        for start, samples in segments:
            power = band_power(samples)
            begins = _patch_starts(start, len(samples), len(power))
            begins = begins[_is_audible(power, begins)]
            levels, deviation = describe(power, begins)
            told = deviation >= MIN_DEVIATION
            vectors.append(quantise((levels[told] - mean) @ directions))
            frames.append((begins[told] + (start // HOP - MARGIN)).astype(np.int32))
            last = (start + len(samples) - WINDOW) // HOP + 1 - 2 * MARGIN - PATCH_FRAMES
        found = np.concatenate(frames)
        # A sound shorter than a patch lies within it.
        within = (found >= min(0, last)) & (found <= max(0, last))
        steady = last < 0 and _is_stationary(power[MARGIN:][: max(0, PATCH_FRAMES + last)])
        return Patches(np.concatenate(vectors), found, degenerate=steady or not within.any())


def pad_silence(pieces: Iterator[Samples]) -> Iterator[Samples]:
    """Put `MARGIN` frames of silence before and after a sound."""
    silence = np.zeros(MARGIN * HOP, np.float32)
    return itertools.chain([silence], pieces, [silence])


@cache
def load_projection() -> tuple[Samples, Samples]:
    """Mean of patches, shape (n,), and the directions that are kept, shape (n, `DIRECTIONS`)."""
    with np.load(io.BytesIO(_projection_bytes()), allow_pickle=False) as stored:
        return stored["mean"].astype(np.float32), stored["directions"].astype(np.float32)


def directions_digest() -> str:
    """Return what tells the directions in use from those learned at another time."""
    return hashlib.blake2b(_projection_bytes(), digest_size=4).hexdigest()


def _projection_bytes() -> bytes:
    return (resources.files(__package__) / "patches.npz").read_bytes()


@cache
def _filterbank() -> Samples:
    """Triangles on a logarithmic scale, shape (bins, `BANDS`), each of sum 1."""
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 2)
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    rising = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    weights = np.clip(np.minimum(rising, falling), 0, None)
    nearest = np.abs(bins[:, None] - edges[1:-1]).argmin(axis=0)
    narrow = weights.sum(axis=0) == 0  # a band between two bins
    weights[nearest[narrow], np.flatnonzero(narrow)] = 1
    return np.asarray(weights / weights.sum(axis=0), np.float32)


@cache
def _taper() -> Samples:
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def band_power(samples: Samples) -> Samples:
    """Return the power of a sound in bands, shape (frames, `BANDS`); at least one patch long."""
    import scipy.fft

    padded = np.pad(samples, (0, max(0, WINDOW + PATCH_FRAMES * HOP - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    spectrum = scipy.fft.rfft(frames * _taper(), axis=1)
    power: Samples = (np.square(spectrum.real) + np.square(spectrum.imag)) @ _filterbank()
    return power


def _patch_starts(start: int, n_samples: int, n_frames: int) -> npt.NDArray[np.intp]:
    """Frames of a segment at which patches begin; those in its context belong to the next."""
    last, margin = n_samples < SEGMENT + 2 * CONTEXT, CONTEXT // HOP
    whole = n_frames - PATCH_FRAMES + 1
    step = min(STEP, max(1, whole // MIN_PATCHES)) if start == 0 and last else STEP
    first = 0 if start == 0 else margin
    first += -(start // HOP + first) % step
    return np.arange(first, whole if last else margin + SEGMENT // HOP, step)


def _is_audible(power: Samples, begins: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Which patches are not silence."""
    total = np.concatenate([[0.0], np.cumsum(power.mean(axis=1), dtype=np.float64)])
    mean = (total[begins + PATCH_FRAMES] - total[begins]) / PATCH_FRAMES
    return np.asarray(mean > SILENCE * np.square(_taper()).sum())


def describe(power: Samples, begins: npt.NDArray[np.intp]) -> tuple[Samples, Samples]:
    """Return patches as unit vectors, and how far their levels deviate from steady ones (rms).

    Each band of a patch is taken relative to its own mean, so that no filter changes it. Shapes
    (n, `PATCH_FRAMES` // `POOLED_FRAMES` * `BANDS`) and (n,).
    """
    windows = np.lib.stride_tricks.sliding_window_view(power, PATCH_FRAMES, axis=0)[begins]
    paired = windows.reshape(len(begins), BANDS, PATCH_FRAMES // POOLED_FRAMES, POOLED_FRAMES).mean(
        axis=3
    )
    paired += NOISE_FLOOR * paired.mean(axis=(1, 2), keepdims=True) + np.float32(1e-12)
    levels = np.log(paired)
    levels -= levels.mean(axis=2, keepdims=True)
    rows = levels.reshape(len(begins), BANDS * PATCH_FRAMES // POOLED_FRAMES)
    return l2_normalise(rows), np.sqrt(np.mean(np.square(rows), axis=1))


def _is_stationary(power: Samples) -> bool:
    """Whether the few frames of a sound shorter than a patch are a tone, or nothing."""
    repeated = np.resize(np.repeat(power, POOLED_FRAMES, axis=0), (PATCH_FRAMES, BANDS))
    return bool(describe(repeated, np.array([0]))[1][0] < MIN_DEVIATION)


def l2_normalise(rows: Any) -> Samples:
    """Return rows of length 1."""
    return np.asarray(rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6), np.float32)


def quantise(rows: npt.NDArray[np.floating]) -> Vectors:
    """Return rows as unit vectors times `SCALE`, in whole numbers."""
    return np.clip(np.rint(l2_normalise(rows) * SCALE), -127, 127).astype(np.int8)


FINGERPRINT = PatchFingerprint  # what `splitaudit scan --fingerprints patches` chooses
