"""The baseline that costs nothing: the cosine of two sounds' mean MFCCs.

20 MFCCs of librosa (its defaults: 128 mel bands, frames of 2048 samples every 512) at 16 kHz, the mean
of each over time; the cosine of the two vectors of 20 is the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.common.audio.material import RATE, decode
from benchmarks.common.harness import count_processes
from benchmarks.common.judging import Scores

MFCCS = 20


def compare(references: Sequence[Path], queries: Sequence[Path]) -> Scores:
    """Score every pair; what cannot be read or is silent is proposed with nothing."""
    with ProcessPoolExecutor(count_processes()) as pool:
        left, right = (
            np.array(list(pool.map(_average_mfcc, paths, chunksize=16)))
            for paths in (queries, references)
        )
    heard = left.any(axis=1)[:, None] & right.any(axis=1)
    return np.where(heard, left @ right.T, -np.inf).astype(np.float32)


def _average_mfcc(path: Path) -> npt.NDArray[np.float64]:
    """Mean MFCCs of a file, scaled to length 1; zeros where nothing is heard."""
    import librosa

    samples = decode(path)
    if not len(samples):
        return np.zeros(MFCCS)
    mean = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=MFCCS).mean(axis=1, dtype=np.float64)
    return np.asarray(mean / np.linalg.norm(mean))
