"""Clips made from code, of which no two are alike: speech-, music- and ambience-like by turns."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from splitaudit.demo.sounds import distinct_sound

SECONDS = 10


def write_clips(folder: Path, clips: int) -> list[Path]:
    """Write the clips that are not there yet, 16 kHz FLAC; 8 in 10 are train, the others test and val."""
    splits = {0: "test", 1: "val"}
    paths = [folder / splits.get(k % 10, "train") / f"{k:06d}.flac" for k in range(clips)]
    for name in ("train", "val", "test"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    todo = [(k, path) for k, path in enumerate(paths) if not path.exists()]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_write_clip, todo, chunksize=64))
    return paths


def _write_clip(job: tuple[int, Path]) -> None:
    seed, path = job
    samples = (distinct_sound(seed, SECONDS) * 32767).astype(np.int16)
    soundfile.write(path, samples, 16_000, format="FLAC")
