"""The sample rates of files, where a table counts samples and does not say how many a second."""

from __future__ import annotations

import os

import pandas as pd

from splitaudit.dataset.paths import decode_path


def read_rates(paths: pd.Series, root: str) -> pd.Series:
    """Return samples a second of each path; NaN where there is none or its file does not tell."""
    rates = {
        path: _read_rate(os.path.join(root, decode_path(path))) for path in paths.dropna().unique()
    }
    return paths.map(rates).astype(float)


def _read_rate(path: str) -> float:
    import soundfile

    try:
        return float(soundfile.info(path).samplerate)
    except (OSError, RuntimeError):
        return float("nan")
