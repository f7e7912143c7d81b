"""chromaprint through `fpcalc`, compared as pyacoustid does or bit by bit."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from benchmarks.common.harness import count_processes
from benchmarks.common.judging import Scores

Codes = npt.NDArray[np.uint32]

FEWEST = 3  # items of the shorter side that must lie on the longer one


def compare_histograms(references: Sequence[Path], queries: Sequence[Path]) -> Scores:
    """Compare the first 120 s as pyacoustid 1.3 does."""
    return _score(_share_on_offset, 120, references, queries)


def compare_bits(references: Sequence[Path], queries: Sequence[Path]) -> Scores:
    """Compare all of both at the offset that has the fewest bit errors."""
    return _score(_share_of_bits, 0, references, queries)


def _score(
    compare: Callable[[Codes, Codes], float],
    length_s: int,
    references: Sequence[Path],
    queries: Sequence[Path],
) -> Scores:
    with ThreadPoolExecutor(count_processes()) as pool:
        codes = list(pool.map(partial(_run_fpcalc, length_s), references))
        ends = np.cumsum([len(code) for code in codes])
        against = partial(_compare_all, compare, np.concatenate(codes), ends)
        rows = list(pool.map(lambda path: against(_run_fpcalc(length_s, path)), queries))
    scores = np.array(rows, np.float32)
    return np.where(scores > 0, scores, np.float32(-np.inf))


@cache
def _run_fpcalc(length_s: int, path: Path) -> Codes:
    """Raw fingerprint of a file; empty where it is too short. A length of 0 reads all of it."""
    command = ["fpcalc", "-raw", "-json", "-length", str(length_s), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # fpcalc 1.5 with FFmpeg 5 prints the whole fingerprint and then fails at the end of the file.
    listed = json.loads(done.stdout)["fingerprint"] if done.stdout.startswith("{") else []
    return np.array(listed, np.uint32)


@numba.njit(nogil=True)
def _count_bits(x: Any) -> Any:
    x = x - ((x >> np.uint32(1)) & np.uint32(0x55555555))
    x = (x & np.uint32(0x33333333)) + ((x >> np.uint32(2)) & np.uint32(0x33333333))
    x = (x + (x >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
    return ((x * np.uint32(0x01010101)) & np.uint32(0xFFFFFFFF)) >> np.uint32(24)


@numba.njit(nogil=True)
def _compare_all(compare: Any, codes: Any, ends: Any, query: Any) -> Any:
    """Compare a query with every reference; reference k ends at `ends[k]` of `codes`."""
    scores = np.empty(len(ends))
    first = 0
    for k, end in enumerate(ends):
        scores[k] = compare(query, codes[first:end])
        first = end
    return scores


@numba.njit(nogil=True)
def _share_on_offset(query: Any, reference: Any) -> float:
    """Share of items that agree to 2 bits on one offset, as in pyacoustid 1.3."""
    n, m = len(query), len(reference)
    if n == 0 or m == 0:
        return 0.0
    counts = np.zeros(n + m + 1, np.int64)
    for i in range(n):
        for j in range(max(0, i - 120), min(m, i + 120)):
            if _count_bits(query[i] ^ reference[j]) <= 2:
                counts[j - i + n] += 1
    return counts.max() / min(n, m)


@numba.njit(nogil=True)
def _share_of_bits(query: Any, reference: Any) -> float:
    """1 - twice the share of bits that differ at the best offset of the whole shorter side."""
    n, m = len(query), len(reference)
    shorter = min(n, m)
    if shorter < FEWEST:
        return 0.0
    best = 32.0 * shorter
    for shift in range(min(0, m - n), max(0, m - n) + 1):
        first = max(0, -shift)
        errors = 0
        for i in range(first, first + shorter):
            errors += _count_bits(query[i] ^ reference[i + shift])
        best = min(best, errors)
    return max(0.0, 1.0 - best / (16.0 * shorter))
