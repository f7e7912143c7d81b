"""Which sounds agree along a line: similar patches vote, and the best places are looked at closely.

A line says where a moment of one sound lies in another, and how fast time runs there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from splitaudit.engine.compiled import compiled

OFFSET_TOLERANCE = 18  # frames (0.3 s): votes this near to each other agree on an offset
NEUTRAL_SIMILARITY = 0.40  # similarity of patches that counts for nothing; less speaks against
MAX_PLACES = 2  # of one sound in another that are looked at
REACH = 640  # frames to each side of a moment that are looked at (10 s)
MAX_SHIFT, SHIFT_STEP = 12, 6  # frames to each side of the offset that are tried, and their step
MAX_SLOPE, SLOPE_STEP = 6, 2  # per cent
LINE_TOLERANCE = 8  # frames from the line beyond which no patch is on it: there is silence


@compiled
def vote(mine: Any, neighbours: Any, others: Any, most: int, sure: float) -> Any:
    """Return the places in other sounds where most similarity gathers.

    Parameters
    ----------
    mine
        Frame of each patch of a sound, shape (n,).
    neighbours
        Similarity and index of patches near each, both of shape (n, k); an index of -1 is none.
    others
        Sound and frame of every patch, both of shape (all,).
    most, sure
        Places to return at most, beside those with so many votes (>=), which are all returned.

    Returns
    -------
    array
        Rows (sound, my frame, its frame), most votes first.
    """
    similarity, index = neighbours
    k = index.shape[1]
    keys, cells = _offset_votes(mine, neighbours, others)
    order = np.argsort(keys)
    keys, cells = keys[order], cells[order]
    weights = similarity.ravel()[cells] - NEUTRAL_SIMILARITY
    found = [(0.0, np.int64(0)) for _ in range(0)]  # so that numba knows the type of an empty list
    begin = 0
    while begin < len(keys):
        end = begin + np.searchsorted(keys[begin:], (keys[begin] >> 32) + 1 << 32)
        taken = np.int64(-1)
        for _ in range(MAX_PLACES):
            votes, middle = _histogram_peak(keys[begin:end], weights[begin:end], taken)
            if votes > 0:
                found.append((votes, np.int64(cells[begin + middle])))
                taken = keys[begin + middle]
        begin = end
    found.sort()
    found = found[::-1]
    certain = 0  # a crowd takes no place of what is less sure
    while certain < len(found) and found[certain][0] >= sure:
        certain += 1
    places = np.empty((min(certain + most, len(found)), 3), np.int64)
    for row in range(len(places)):
        cell = found[row][1]
        patch = index[cell // k, cell % k]
        places[row, 0], places[row, 2] = others[0][patch], others[1][patch]
        places[row, 1] = mine[cell // k]
    return places


@compiled
def _offset_votes(mine: Any, neighbours: Any, others: Any) -> tuple[Any, Any]:
    """Keys (sound << 32 | offset + 2**31) of neighbours that count, and where they stand."""
    similarity, index = neighbours
    n, k = index.shape
    keys, cells, count = np.empty(n * k, np.int64), np.empty(n * k, np.int64), 0
    for i in range(n):
        for j in range(k):
            patch = index[i, j]
            if patch >= 0 and similarity[i, j] > NEUTRAL_SIMILARITY:
                offset = np.int64(others[1][patch]) - np.int64(mine[i])
                keys[count] = np.int64(others[0][patch]) << 32 | (offset + (1 << 31))
                cells[count] = i * k + j
                count += 1
    return keys[:count], cells[:count]


@compiled
def _histogram_peak(keys: Any, weights: Any, taken: Any) -> tuple[float, int]:
    """Most votes within `OFFSET_TOLERANCE`, apart from the key `taken`, and where they lie."""
    best = total = 0.0
    at = begin = 0
    for end in range(len(keys)):
        total += weights[end]
        while keys[end] - keys[begin] > OFFSET_TOLERANCE:
            total -= weights[begin]
            begin += 1
        middle = (begin + end) // 2
        if total > best and (taken < 0 or abs(keys[middle] - taken) > 2 * OFFSET_TOLERANCE):
            best, at = total, middle
    return best, at


@compiled
def refine(a: Any, b: Any, place: Any) -> Any:
    """Return the best line near a place.

    Parameters
    ----------
    a, b
        Patches of two sounds: vectors (unit vectors times `scale`), frames, and the scale.
    place
        A frame of a, and the frame of b that is the same moment.

    Returns
    -------
    (evidence, frame of b, slope)
        The sum of what the similarity of patches exceeds `NEUTRAL_SIMILARITY` by, over the
        stretch in which it is largest; the moment in b; frames of b in a frame of a.
    """
    start = (0.0, np.int64(place[1]), 1.0)
    best = _best_line(a, b, place[0], start, (MAX_SHIFT, SHIFT_STEP, MAX_SLOPE, SLOPE_STEP))
    return _best_line(
        a, b, place[0], best, (SHIFT_STEP // 2, SHIFT_STEP // 2, SLOPE_STEP / 2, SLOPE_STEP / 2)
    )


@compiled
def _best_line(a: Any, b: Any, here: Any, best: Any, grid: Any) -> Any:
    """The best line of a grid around one: frames, their step, per cent of the slope, their step."""
    _, middle, slope = best
    shifts, shift, slopes, percent = grid
    for at in range(2 * shifts // shift + 1):
        for steeper in range(2 * slopes // percent + 1):
            there = middle - shifts + at * shift
            tried = slope + (steeper * percent - slopes) / 100
            evidence = _line_evidence(a, b, (here, there), tried)
            if evidence > best[0]:
                best = (evidence, there, tried)
    return best


@compiled
def _line_evidence(a: Any, b: Any, place: Any, slope: float) -> float:
    """Evidence that two sounds agree along a line."""
    (vectors_a, frames_a, scale), (vectors_b, frames_b, _) = a, b
    total, most, j = 0.0, 0.0, 0
    for i in range(len(frames_a)):
        away = frames_a[i] - place[0]
        target = place[1] + away * slope
        if (
            abs(away) > REACH
            or target < frames_b[0] - LINE_TOLERANCE
            or target > frames_b[-1] + LINE_TOLERANCE
        ):
            continue
        while j + 1 < len(frames_b) and abs(frames_b[j + 1] - target) <= abs(frames_b[j] - target):
            j += 1
        similar = 0.0
        if abs(frames_b[j] - target) <= LINE_TOLERANCE:
            similar = _dot(vectors_a[i], vectors_b[j]) / scale**2
        total = max(0.0, total) + similar - NEUTRAL_SIMILARITY
        most = max(most, total)
    return most


@compiled
def _dot(x: Any, y: Any) -> Any:
    total = np.int32(0)
    for d in range(len(x)):
        total += np.int32(x[d]) * np.int32(y[d])
    return total
