"""Which sounds share many landmarks at one offset: an inverted file and a vote."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

MIN_VOTES = 5  # frames that agree; fewer are found between any two songs in one key
SHORT = 20  # frames of the shorter sound to each vote that is asked of it, where that is less
FEWEST = 3
TOLERANCE = 1  # frames to each side that a vote may lie off
BLOCK = 64  # sounds a thread takes at a time
SLOTS_A_VOTE = 8  # counters in a thread's sketch for each vote it counts at once
MOST_SLOTS = 1 << 24
OFFSETS = 2  # offsets kept of a pair: the best, and the best that lies apart from it


@dataclass(frozen=True)
class Postings:
    """Every landmark of a collection, sorted by code, then sound, then frame.

    Parameters
    ----------
    starts
        int64, shape (2**bits + 1,): where each code begins.
    sounds, frames
        int32, shape (n,).
    """

    starts: npt.NDArray[np.int64]
    sounds: npt.NDArray[np.int32]
    frames: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Candidates:
    """Pairs of sounds that share landmarks, sorted by (a, b, votes falling).

    Parameters
    ----------
    a, b
        int32, shape (n,): indices of the sounds, a < b.
    offset
        int32, shape (n,): frame of b minus frame of a.
    votes
        int32, shape (n,): frames of a that agree on the offset.
    """

    a: npt.NDArray[np.int32]
    b: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int32]
    votes: npt.NDArray[np.int32]


def build(
    codes: npt.NDArray[np.uint32], frames: npt.NDArray[np.uint32], lengths: Any, bits: int
) -> Postings:
    """Sort landmarks by code.

    Parameters
    ----------
    codes, frames
        Shape (n,), of all sounds one after the other, each sound sorted by frame.
    lengths
        Shape (n_sounds,), how many landmarks each has.
    bits
        Of a code.
    """
    starts = np.zeros((1 << bits) + 1, np.int64)
    np.cumsum(np.bincount(codes, minlength=1 << bits), out=starts[1:])
    sounds_out, frames_out = np.empty(len(codes), np.int32), np.empty(len(codes), np.int32)
    _place(codes, frames, np.asarray(lengths, np.int64), starts[:-1].copy(), sounds_out, frames_out)
    return Postings(starts, sounds_out, frames_out)


@numba.njit(cache=True, nogil=True)
def _place(codes: Any, frames: Any, lengths: Any, cursor: Any, sounds: Any, out: Any) -> None:
    """Counting sort; stable, so a code's entries stay sorted by sound and frame."""
    at = 0
    for sound in range(len(lengths)):
        for _ in range(lengths[sound]):
            to = cursor[codes[at]]
            sounds[to], out[to] = sound, frames[at]
            cursor[codes[at]] += 1
            at += 1


def join(
    postings: Postings, codes: Any, frames: Any, lengths: Any, jobs: int | None = None
) -> Candidates:
    """Return all pairs of sounds with more votes on one offset than chance gives.

    No list is cut: what many sounds share costs time and loses no pair. Memory beyond the
    postings is a sketch for each thread.

    Parameters
    ----------
    postings
        Of the same landmarks, from `build`.
    codes, frames, lengths
        As in `build`.
    jobs
        Threads; None: one a core.
    """
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    n = len(bounds) - 1

    def block(first: int) -> Any:
        index = (postings.starts, postings.sounds, postings.frames)
        sounds = np.arange(first, min(n, first + BLOCK))
        return _join_block(index, codes, frames, bounds, sounds, slots)

    slots = _slots(postings, n)
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as threads:
        rows = list(threads.map(block, range(0, n, BLOCK)))
    table = np.concatenate([np.zeros((0, 4), np.int64), *rows]).astype(np.int32)
    return Candidates(*table.T)


def _slots(postings: Postings, sounds: int) -> int:
    """Size of a sketch, a power of two: small enough for a cache where the collection allows."""
    held = np.diff(postings.starts).astype(np.float64)
    votes = held @ held / max(1, sounds)  # that one sound casts, on average
    return int(min(MOST_SLOTS, 1 << int(SLOTS_A_VOTE * votes + 4096).bit_length()))


@numba.njit(cache=True, nogil=True)
def _join_block(index: Any, codes: Any, frames: Any, bounds: Any, block: Any, slots: int) -> Any:
    """Rows (a, b, offset, votes) of the sounds a of a block with all later ones."""
    rows = [np.int64(0) for _ in range(0)]  # so that numba knows the type of an empty list
    sketch = np.zeros(slots, np.uint8)
    for a in block:
        own = slice(bounds[a], bounds[a + 1])
        _count(index, codes[own], frames[own], a, sketch)
        keys = _promising(index, codes[own], frames[own], a, sketch)
        sketch[:] = 0
        begin = 0
        while begin < len(keys):
            b = keys[begin] >> 32
            end = begin
            while end < len(keys) and keys[end] >> 32 == b:
                end += 1
            ends = frames[bounds[a + 1] - 1] + 1, frames[bounds[b + 1] - 1] + 1
            for votes, offset in _agreed(keys[begin:end], index, (codes[own], frames[own]), ends):
                rows.extend([np.int64(a), b, offset, votes])
            begin = end
    return np.array(rows, np.int64).reshape(-1, 4)


@numba.njit(cache=True, nogil=True)
def _agreed(keys: Any, index: Any, marks: Any, ends: Any) -> Any:
    """(votes, offset) of one pair where more agree than chance gives, at most `OFFSETS`."""
    found = [(np.int64(0), np.int64(0)) for _ in range(0)]
    asked = max(FEWEST, min(MIN_VOTES, int(min(ends[0], ends[1]) // SHORT)))
    taken = np.int64(1) << 40
    for _ in range(OFFSETS):
        votes, offset = _vote(keys, taken)
        if votes < asked:
            break
        if votes < asked - 2 + _chance(_others(index, marks, keys[0] >> 32, offset), ends):
            break
        found.append((np.int64(votes), offset))
        taken = offset
    return found


@numba.njit(cache=True, nogil=True)
def _others(index: Any, marks: Any, b: Any, taken: Any) -> Any:
    """How many votes of one sound for another go to offsets apart from `taken`."""
    total = np.int64(0)
    codes, frames = marks
    for i in range(len(codes)):
        entry, high = _later(index, codes[i], b - 1)
        while entry < high and index[1][entry] == b:
            offset = np.int64(index[2][entry]) - np.int64(frames[i])
            total += abs(offset - taken) > 2 * TOLERANCE
            entry += 1
    return total


@numba.njit(cache=True, nogil=True)
def _chance(others: Any, ends: Any) -> Any:
    """Votes that chance may give one offset: six deviations above the mean of a Poisson process.

    `others` is how many votes went to other offsets, `ends` the frames at which the sounds end.
    """
    expected = others * (2.0 * TOLERANCE + 1) / (ends[0] + ends[1])
    return expected + 6 * np.sqrt(expected)


@numba.njit(cache=True, nogil=True)
def _later(index: Any, code: int, a: int) -> tuple[int, int]:
    """The entries of a code that belong to sounds after `a`."""
    starts, sounds, _ = index
    low, high = starts[code], starts[code + 1]
    end = high
    while low < high:
        middle = (low + high) // 2
        if sounds[middle] <= a:
            low = middle + 1
        else:
            high = middle
    return low, end


@numba.njit(cache=True, nogil=True)
def _slot(sound: Any, offset: Any, slots: int) -> Any:
    """Where a sketch counts votes for a sound and four neighbouring offsets.

    Slots of neighbouring offsets lie beside each other; two sounds may share a slot, which lets a
    pair through that the exact count then stops, and never stops one.
    """
    return (sound * 2_654_435_761 + (offset >> 2)) & (slots - 1)


@numba.njit(cache=True, nogil=True)
def _count(index: Any, codes: Any, frames: Any, a: int, sketch: Any) -> None:
    """Count the votes of all later sounds, roughly: few get enough to look closer."""
    for i in range(len(codes)):
        low, high = _later(index, codes[i], a)
        for entry in range(low, high):
            offset = np.int64(index[2][entry]) - np.int64(frames[i])
            slot = _slot(np.int64(index[1][entry]), offset, len(sketch))
            sketch[slot] = min(254, sketch[slot]) + 1


@numba.njit(cache=True, nogil=True)
def _promising(index: Any, codes: Any, frames: Any, a: int, sketch: Any) -> Any:
    """Sorted keys (sound << 32 | offset + 2**31) of the votes near which there are `FEWEST`.

    One frame has one vote for an offset: the pairs of one chord agree with each other, and say no
    more together than one of them.
    """
    keys, count, begun = np.empty(1024, np.int64), 0, 0
    last = len(sketch) - 1
    for i in range(len(codes)):
        if i and frames[i] != frames[i - 1]:
            count = begun = _without_repeats(keys, begun, count)
        low, high = _later(index, codes[i], a)
        for entry in range(low, high):
            sound = np.int64(index[1][entry])
            offset = np.int64(index[2][entry]) - np.int64(frames[i])
            slot = _slot(sound, offset, len(sketch))
            around = int(sketch[slot]) + sketch[max(0, slot - 1)] + sketch[min(last, slot + 1)]
            if around < FEWEST:
                continue
            if count == len(keys):
                keys = np.concatenate((keys, np.empty(count, np.int64)))
            keys[count] = sound << 32 | (offset + (1 << 31))
            count += 1
    keys = keys[: _without_repeats(keys, begun, count)]
    keys.sort()
    return keys


@numba.njit(cache=True, nogil=True)
def _without_repeats(keys: Any, begin: int, end: int) -> int:
    """Sort a part of `keys`, leave each value once at its front, and return where it ends now."""
    part = keys[begin:end]
    part.sort()
    kept = begin
    for i in range(end - begin):
        if i == 0 or part[i] != part[i - 1]:
            keys[kept] = part[i]
            kept += 1
    return kept


@numba.njit(cache=True, nogil=True)
def _vote(keys: Any, taken: Any) -> Any:
    """The offset on which most of one pair's sorted keys agree, apart from `taken`."""
    most, at, end = 0, np.int64(0), 0
    for begin in range(len(keys)):
        while end < len(keys) and keys[end] - keys[begin] <= 2 * TOLERANCE:
            end += 1
        offset = (keys[(begin + end) // 2] & 0xFFFFFFFF) - (1 << 31)
        if end - begin > most and abs(offset - taken) > 2 * TOLERANCE + 1:
            most, at = end - begin, offset
    return most, at
