"""Pairs of pictures that share local features, by votes; each picture may be turned or mirrored.

Features that agree in some bits of their descriptors lie in one bucket; there they are compared
whole, and a pair that is near votes for its two pictures. Other bits give other buckets, so that a
pair missed once is met again ("locality-sensitive hashing"; Indyk and Motwani, "Approximate nearest
neighbors", STOC 1998). Votes count together that turn the picture alike ("weak geometric
consistency"; Jegou, Douze and Schmid, "Hamming embedding and weak geometric consistency for large
scale image search", ECCV 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from splitaudit.compiled import compiled, popcount
from splitaudit.features import READINGS, Codes, Features, Reals, read, turned

TABLES = 10  # sets of bits by which features are brought together
BITS = (10, 22)  # of a set: fewest and most
NEAR = (20, 44)  # <= bits of 256 in which features differ that vote: fewest and most
CHANCE = 8.0  # <= features of other pictures expected so near to one by chance
DRAWN = 1 << 20  # pairs of features by which that is judged
VOTES = 4  # >= features of each picture, or the pair is not returned
# Of a feature in one table: pictures that it votes for, and features that it is compared with. What
# many pictures share, such as a logo or a black frame, ties each of them to the next few.
CROWD, COMPARED = 16, 400
TURNS = 16  # parts of a circle; votes count together that fall in two beside each other
SIZES, STEP = 24, 1.3  # ranges of changes of size, each so many times the one before; as the turns
FOUND = pa.schema({"a": pa.int64(), "b": pa.int64(), "reading": pa.int8(), "votes": pa.int32()})

Rows = npt.NDArray[np.int64]


def pairs(pictures: Sequence[Features], readings: Sequence[int] = range(len(READINGS))) -> pa.Table:
    """Return the pairs of pictures to compare.

    Parameters
    ----------
    pictures
        The features of each.
    readings
        How b may show what a shows: positions in `splitaudit.features.READINGS`.

    Returns
    -------
    pa.Table
        `FOUND`, sorted by a, b and reading: a < b; one row for each reading that has `VOTES`.
    """
    owner = np.repeat(np.arange(len(pictures)), [len(picture) for picture in pictures])
    descriptors = np.concatenate([np.zeros((0, 4), np.uint64), *(p.descriptors for p in pictures)])
    angles = np.concatenate([np.zeros(0, np.float32), *(picture.angle for picture in pictures)])
    scales = np.concatenate([np.zeros(0, np.float32), *(picture.scale for picture in pictures)])
    near = _near_enough(descriptors, owner)
    found = [_read_so(descriptors, (angles, scales), owner, r, near) for r in readings]
    table = pa.concat_tables([FOUND.empty_table(), *found])
    return table.sort_by([(name, "ascending") for name in ("a", "b", "reading")])


def _read_so(
    descriptors: Codes, shape: tuple[Reals, Reals], owner: Rows, reading: int, near: int
) -> pa.Table:
    """Pairs of which the second picture has a reading."""
    voted = [np.zeros((0, 2), np.int64)]
    others = read(descriptors, reading)
    tables = _tables(len(owner))
    for k, bits in enumerate(tables):
        width = len(bits)
        mine, its = (
            _bucketed(_keys(descriptors, bits), width),
            _bucketed(_keys(others, bits), width),
        )
        masks = np.array([_mask(earlier) for earlier in tables[:k]], np.uint64).reshape(-1, 4)
        voted.append(_votes((descriptors, others), (mine, its), owner, (masks, near)))
    votes = np.concatenate(voted)
    pair = owner[votes[:, 0]] * (int(owner.max(initial=0)) + 1) + owner[votes[:, 1]]
    order = np.argsort(pair, kind="stable")
    counted = _counted(pair[order], votes[order], _changes(votes[order], shape, reading))
    a, b = (owner[votes[order[counted[:, 0]], side]] for side in (0, 1))
    columns = [a, b, np.full(len(a), reading, np.int8), counted[:, 1].astype(np.int32)]
    return pa.table(columns, schema=FOUND)


def _changes(votes: Rows, shape: tuple[Reals, Reals], reading: int) -> Rows:
    """By which part of a circle each vote turns the picture, and into which range of sizes."""
    angles, scales = shape
    turn = turned(angles, reading)[votes[:, 1]] - angles[votes[:, 0]]
    turns = (turn * (TURNS / (2 * np.pi))).astype(np.int64) % TURNS
    size = np.log(scales[votes[:, 1]] / scales[votes[:, 0]]) / np.log(STEP) + SIZES / 2
    return np.column_stack([turns, np.clip(size, 0, SIZES - 1).astype(np.int64)])


def _near_enough(descriptors: Codes, owner: Rows) -> int:
    """Within how many bits few features are near by chance, in a collection of this size."""
    if len(descriptors) < 2:
        return NEAR[1]
    rng = np.random.default_rng(0)
    one, other = rng.integers(len(descriptors), size=(2, DRAWN))
    far = _distances(descriptors, one, other)
    expected = np.cumsum(np.bincount(far[owner[one] != owner[other]], minlength=257)) * (
        len(descriptors) / DRAWN
    )
    return int(np.clip(np.searchsorted(expected, CHANCE, side="right") - 1, *NEAR))


@compiled
def _distances(descriptors: Any, one: Any, other: Any) -> Any:
    far = np.zeros(len(one), np.int64)
    for n in range(len(one)):
        for word in range(4):
            far[n] += popcount(descriptors[one[n], word] ^ descriptors[other[n], word])
    return far


def _tables(features: int) -> list[Rows]:
    """Positions of the bits of each table: none in two tables."""
    width = int(np.clip(round(log2(max(features, 1))), *BITS))
    drawn = np.random.default_rng(0).permutation(256)
    return [drawn[k * width : (k + 1) * width] for k in range(256 // width)][:TABLES]


def _mask(bits: Rows) -> Codes:
    mask = np.zeros(4, np.uint64)
    np.bitwise_or.at(mask, bits // 64, np.uint64(1) << (bits % 64).astype(np.uint64))
    return mask


@compiled
def _keys(descriptors: Any, bits: Any) -> Any:
    """Some bits of each descriptor as a number."""
    keys = np.empty(len(descriptors), np.int32)
    for n in range(len(descriptors)):
        key = np.uint64(0)
        for bit in bits:
            word = descriptors[n, bit // 64]
            key = key << np.uint64(1) | (word >> np.uint64(bit % 64)) & np.uint64(1)
        keys[n] = key
    return keys


@compiled
def _bucketed(keys: Any, width: int) -> tuple[Any, Any]:
    """Where each bucket starts, and the features in them, by their number."""
    starts = np.zeros((1 << width) + 1, np.int64)
    for key in keys:
        starts[key + 1] += 1
    for key in range(1 << width):
        starts[key + 1] += starts[key]
    free, rows = starts[:-1].copy(), np.empty(len(keys), np.int32)
    for n in range(len(keys)):
        rows[free[keys[n]]] = n
        free[keys[n]] += 1
    return starts, rows


@compiled
def _votes(descriptors: Any, buckets: Any, owner: Any, limits: Any) -> Any:
    """Rows (feature, feature of a later picture) that are near, of one table."""
    (starts, rows), (other_starts, other_rows) = buckets
    found, n = np.empty((1024, 2), np.int64), 0
    for bucket in range(len(starts) - 1):
        others = other_rows[other_starts[bucket] : other_starts[bucket + 1]]
        first = 0
        for i in rows[starts[bucket] : starts[bucket + 1]]:
            while first < len(others) and owner[others[first]] <= owner[i]:
                first += 1
            if n + CROWD > len(found):
                found = np.concatenate((found, np.empty_like(found)))
            n = _near(i, others[first : first + COMPARED], descriptors, limits, found, n)
    return found[:n]


@compiled
def _near(i: int, others: Any, descriptors: Any, limits: Any, found: Any, n: int) -> int:
    """Enter the first `CROWD` of some features that are near one and met in no table before."""
    (mine, its), (masks, near) = descriptors, limits
    end = n + CROWD
    for j in others:
        far = 0
        for word in range(4):
            far += popcount(mine[i, word] ^ its[j, word])
        if far > near or _met(mine[i], its[j], masks):
            continue
        found[n, 0], found[n, 1] = i, j
        n += 1
        if n == end:
            break
    return n


@compiled
def _met(mine: Any, its: Any, masks: Any) -> bool:
    """Whether two descriptors agree in all bits of any of the masks."""
    for mask in masks:
        differ = np.uint64(0)
        for word in range(4):
            differ |= (mine[word] ^ its[word]) & mask[word]
        if differ == 0:
            return True
    return False


@compiled
def _counted(pair: Any, votes: Any, changes: Any) -> Any:
    """Rows (first vote, how many agree) of pairs that have `VOTES`; sorted by pair."""
    found, n, begin = np.empty((len(pair), 2), np.int64), 0, 0
    while begin < len(pair):
        end = begin + 1
        while end < len(pair) and pair[end] == pair[begin]:
            end += 1
        if end - begin >= VOTES:
            agree = _agreeing(votes[begin:end], changes[begin:end])
            if agree >= VOTES:
                found[n, 0], found[n, 1] = begin, agree
                n += 1
        begin = end
    return found[:n]


@compiled
def _agreeing(votes: Any, changes: Any) -> int:
    """Features of the picture that has fewer of them, of the votes that turn and size it alike."""
    counts = np.zeros((TURNS, SIZES), np.int64)
    for turn, size in changes:
        for other in range(4):
            counts[(turn + other % 2) % TURNS, min(size + other // 2, SIZES - 1)] += 1
    best = np.argmax(counts)
    turn, size = best // SIZES, best % SIZES
    alike = ((changes[:, 0] == turn) | ((changes[:, 0] + 1) % TURNS == turn)) & (
        (changes[:, 1] == size) | (changes[:, 1] + 1 == size)
    )
    chosen = votes[alike]
    return min(len(np.unique(chosen[:, 0])), len(np.unique(chosen[:, 1])))
