"""Learn the directions of patches that distortion hardly changes: `splitaudit/fingerprints/patches.npz`.

From recordings of the half of the sources that no benchmark reports on, and what the transforms of the
ladder make of them. The directions are those in which different patches differ most for what a patch and
its distorted copy differ in (a generalised eigenvalue problem: oriented principal components).
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.linalg

from benchmarks.common import harness
from benchmarks.common.audio import material
from benchmarks.common.audio.ladder_material import cut_loudest
from benchmarks.common.audio.material import RATE, Recording, Sound, decode
from benchmarks.common.audio.transforms import TRANSFORMS, Place
from splitaudit.audio.decode.sounds import load
from splitaudit.audio.fingerprint import patches

MOST_S = 15.0  # of a recording
LEAST_S = 0.5
DISTORTIONS = 8  # of each recording, drawn from all
STEP = 12  # frames from a patch to the next; less in short recordings
FEWEST = 16
JITTER = 3.0  # frames: patches of a copy begin at other moments
REGULARISED = 0.02  # of the mean variance, added to all directions
Wide = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Sums over patches: how many, their sum, their products; of distortions, how many and products."""

    patches: int
    total: Wide
    products: Wide
    differences: int
    distortion: Wide

    def __add__(self, other: Moments) -> Moments:
        return Moments(*(getattr(self, f) + getattr(other, f) for f in self.__dataclass_fields__))


def main() -> None:
    parser = harness.make_parser(__doc__)
    material.add_options(parser)
    parser.add_argument("--recordings", type=int, default=130, help="of each folder, at most")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    args = parser.parse_args()
    sounds = read_stretches(args)
    print(f"{len(sounds)} recordings, {sum(map(len, sounds)) / RATE / 3600:.2f} h")
    others = [*sounds[7:], *sounds[:7]]
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        every = list(pool.map(sum_moments, range(len(sounds)), sounds, others, chunksize=4))
    mean, directions = find_directions(sum(every[1:], every[0]))
    scaled = directions / np.abs(directions).max()
    np.savez_compressed(
        args.out, mean=mean.astype(np.float16), directions=scaled.astype(np.float16)
    )


def read_stretches(args: Any) -> list[Sound]:
    """Return stretches of recordings to develop on, some of each folder."""
    used = [r for r in material.find_recordings(args.data, args.more) if not r.reported]
    random.Random(0).shuffle(used)
    picked = [
        r
        for root in material.list_roots(args)
        for r in _select_below(root, used)[: args.recordings]
    ]
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        found = pool.map(_read_stretch, picked, chunksize=8)
        return [sound for sound in found if len(sound) >= LEAST_S * RATE]


def _select_below(root: Path, used: Sequence[Recording]) -> list[Recording]:
    return [r for r in used if r.path.is_relative_to(root)]


def _read_stretch(recording: Recording) -> Sound:
    return cut_loudest(decode(recording.path), MOST_S)


def sum_moments(seed: int, sound: Sound, other: Sound) -> Moments:
    """Sum up the patches of a recording, and how distortions change them."""
    rng = np.random.default_rng(seed)
    power = _measure_power(sound)
    step = max(1, min(STEP, (len(power) - patches.PATCH_FRAMES + 1) // FEWEST))
    begins = np.arange(0, len(power) - patches.PATCH_FRAMES + 1, step)
    rows, _ = patches.describe(power, begins)
    changed = [np.zeros((0, rows.shape[1]), np.float32)]
    for name in rng.choice(list(TRANSFORMS), DISTORTIONS, replace=False):
        copy, place = _distort(name, sound, other, rng)
        changed.append(_measure_differences(rows, begins, _measure_power(copy), place, rng))
    every = np.concatenate(changed).astype(np.float64)
    wide = rows.astype(np.float64)
    return Moments(len(wide), wide.sum(axis=0), wide.T @ wide, len(every), every.T @ every)


def _measure_power(sound: Sound) -> Sound:
    return patches.band_power(np.concatenate(list(patches.pad_silence(iter([sound])))))


def _distort(name: str, sound: Sound, other: Sound, rng: Any) -> tuple[Sound, Place]:
    transform = TRANSFORMS[name]
    made, place = transform.make(sound, other, rng)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"copy{transform.suffix}"
        transform.write(path, made)
        return load(str(path)), place


def _measure_differences(rows: Sound, begins: Any, power: Sound, place: Place, rng: Any) -> Sound:
    """What the patches of a copy differ in from those of the same moments of the recording."""
    frame_s = patches.HOP / RATE
    at_s = (begins - patches.MARGIN) * frame_s
    there = ((at_s - place.start_s) / place.speed + place.pad_s) / frame_s + patches.MARGIN
    there = np.rint(there + rng.uniform(-JITTER, JITTER, len(there))).astype(int)
    inside = (there >= 0) & (there <= len(power) - patches.PATCH_FRAMES)
    return patches.describe(power, there[inside])[0] - rows[inside]


def find_directions(sums: Moments) -> tuple[Wide, Wide]:
    """Return the mean patch, shape (n,), and the directions, shape (n, `DIRECTIONS`), best first."""
    mean = sums.total / sums.patches
    signal = sums.products / sums.patches - np.outer(mean, mean)
    noise = sums.distortion / sums.differences
    n = len(mean)
    noise += REGULARISED * np.trace(noise) / n * np.eye(n)
    best = (n - patches.DIRECTIONS, n - 1)
    _, directions = scipy.linalg.eigh(signal, noise, subset_by_index=best)
    return mean, directions[:, ::-1]


if __name__ == "__main__":
    main()
