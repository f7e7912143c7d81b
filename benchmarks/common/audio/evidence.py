"""Whether a match of two real recordings is chance, from their waveforms alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.signal

from benchmarks.common.audio.material import RATE, Sound, decode
from splitaudit.audio.verify.whitening import chunks, whiten

WINDOW_S = 0.25
REACH = RATE // 10  # samples to each side of the match's lag among which a window looks for its own
NEAR = RATE // 1000  # samples by which it may miss it


def count_windows(match: dict[str, Any], paths: tuple[Path, Path]) -> str:
    """Of the quarter seconds of a match, how many have their own best lag where it has its lag.

    By chance one in a hundred has. Returns those that do of how many there are, in words.
    """
    return _count_agreeing(match, *map(whiten_file, paths))


def align_recordings(paths: tuple[Path, Path]) -> str:
    """Say the same of two whole recordings, laid over each other where they correlate best."""
    one, other = map(whiten_file, paths)
    height = np.abs(scipy.signal.correlate(other, one, "full", "fft"))
    lag = int(height.argmax()) - len(one) + 1
    start, end = max(0, -lag), min(len(one), len(other) - lag)
    match = {"a_start": start / RATE, "a_end": end / RATE, "b_start": (start + lag) / RATE}
    return _count_agreeing(match, one, other)


def _count_agreeing(match: dict[str, Any], one: Sound, other: Sound) -> str:
    length, offset = round(WINDOW_S * RATE), round((match["b_start"] - match["a_start"]) * RATE)
    first = max(round(match["a_start"] * RATE), REACH - offset)
    last = min(round(match["a_end"] * RATE), len(other) - offset - REACH)
    starts = range(first, last - length + 1, length)
    lags = [
        _find_lag(one[at : at + length], other[at + offset - REACH :][: length + 2 * REACH])
        for at in starts
    ]
    return f"{sum(abs(lag) <= NEAR for lag in lags)} of {len(lags)}"


def whiten_file(path: Path) -> Sound:
    """Return a recording with every frequency and every moment equally loud."""
    return np.concatenate([whiten(chunk) for chunk in chunks(decode(path))])


def _find_lag(window: Sound, around: Sound) -> int:
    return int(np.abs(scipy.signal.correlate(around, window, "valid")).argmax()) - REACH
