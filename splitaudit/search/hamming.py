"""All pairs of binary codes within a Hamming distance: none is missed, and few are compared.

By each of some blocks of bits (`splitaudit.search.blocks`) the codes are sorted, and those are
compared that differ there in few bits; a pair is reported by the first block that finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled, popcount
from splitaudit.search.blocks import Block, flip_patterns, masked_popcount, plan

Codes = npt.NDArray[np.uint64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Pairs of codes near each other, each once; equal codes have one that stands for them all.

    Parameters
    ----------
    first, second
        Rows of two different codes, shape (n,), sorted; of equal codes the first row. Where a set
        is joined with itself, `first` < `second`.
    distance
        Bits in which they differ, shape (n,).
    of_first, of_second
        For each row of either set, the first row of it with an equal code. Where a set is joined
        with itself these are the same, and a code's own copies are told here only.
    """

    first: Rows
    second: Rows
    distance: npt.NDArray[np.uint16]
    of_first: Rows
    of_second: Rows


class Buckets(NamedTuple):
    """Codes sorted by a block: in bucket k those of `starts[k] : starts[k + 1]`.

    Shapes (words, n), word by word, (buckets + 1,) and, whence they came, (n,).
    """

    codes: Codes
    starts: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]


def self_join(codes: Codes, radius: int) -> Pairs:
    """Return all pairs within `radius` (<=) of a set of codes.

    Parameters
    ----------
    codes
        Shape (n, words), at most 2**31 of them. Equal codes are collapsed before.
    radius
        In bits. 8 of 64 and 40 of 256 bits are quick for millions of codes; beyond an eighth of
        the bits the pairs that must be compared grow quickly towards all.
    """
    distinct, rows, of = _deduplicate(codes)
    found = _all_pairs(distinct, None, radius)
    pairs = np.sort(rows[found[:, :2]], axis=1)
    return _sort_pairs(pairs, found[:, 2], of, of)


def join(first: Codes, second: Codes, radius: int) -> Pairs:
    """Return all pairs within `radius` (<=) of a code of one set and one of another.

    Shapes (n, words) and (m, words); equal codes are collapsed within each set.
    """
    (mine, my_rows, of_first), (others, rows, of_second) = _deduplicate(first), _deduplicate(second)
    found = _all_pairs(mine, others, radius)
    pairs = np.stack([my_rows[found[:, 0]], rows[found[:, 1]]], axis=1)
    return _sort_pairs(pairs, found[:, 2], of_first, of_second)


def _sort_pairs(pairs: Rows, distance: Rows, of_first: Rows, of_second: Rows) -> Pairs:
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    first, second = pairs[order].T
    return Pairs(first, second, distance[order].astype(np.uint16), of_first, of_second)


def _deduplicate(codes: Codes) -> tuple[Codes, Rows, Rows]:
    """Distinct codes, the first row of each, and for each row the first row equal to it."""
    order = np.lexsort(codes.T)  # stable, so the first row of equal codes comes first
    ordered = codes[order]
    new = np.ones(len(codes), np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    rows, of = order[new], np.empty(len(codes), np.int64)
    of[order] = rows[np.cumsum(new) - 1]
    return ordered[new], rows, of


def _all_pairs(first: Codes, second: Codes | None, radius: int) -> Rows:
    """Rows (first, second, distance) of distinct codes; of a set with itself where no second."""
    blocks = plan(first, first if second is None else second, radius)
    found = [np.zeros((0, 3), np.int32)]
    for k, block in enumerate(blocks):
        mine = build_buckets(first, block.bits)
        others = mine if second is None else build_buckets(second, block.bits)
        near = compare_buckets(mine, others, flip_patterns(block), radius, second is None)
        near[:, 0], near[:, 1] = mine.rows[near[:, 0]], others.rows[near[:, 1]]
        differ = first[near[:, 0]] ^ (first if second is None else second)[near[:, 1]]
        found.append(near[~_is_already_found(differ, blocks[:k])])
    return np.concatenate(found)


def _is_already_found(differ: Codes, blocks: list[Block]) -> npt.NDArray[np.bool_]:
    """Whether any of the blocks has found a pair, by the bits in which it differs."""
    through = np.zeros(len(differ), np.bool_)
    for block in blocks:
        through |= masked_popcount(differ, block.bits) <= block.radius
    return through


@compiled
def build_buckets(codes: Any, bits: Any) -> Any:
    """Return the `Buckets` of codes by some of their bits (a counting sort)."""
    n, words = codes.shape
    keys = np.zeros(n, np.int32)
    for place in range(len(bits)):
        word, shift = bits[place] // 64, np.uint64(bits[place] % 64)
        for row in range(n):
            keys[row] |= np.int32((codes[row, word] >> shift) & np.uint64(1)) << place
    starts = np.zeros((1 << len(bits)) + 1, np.int32)
    for row in range(n):
        starts[keys[row] + 1] += 1
    for bucket in range(1 << len(bits)):
        starts[bucket + 1] += starts[bucket]
    rows, ordered, ends = np.empty(n, np.int32), np.empty((words, n), np.uint64), starts[:-1].copy()
    for row in range(n):
        place = ends[keys[row]]
        rows[place], ordered[:, place] = row, codes[row]
        ends[keys[row]] += 1
    return Buckets(ordered, starts, rows)


@compiled
def compare_buckets(mine: Any, others: Any, flips: Any, radius: int, same: bool) -> Any:
    """Return rows (place in mine, place in others, distance) of codes within `radius` (<=).

    Only codes are compared whose buckets differ by one of `flips`; where both are the `same`, each
    pair once. The flips are the outer loop, so that memory is read in order.
    """
    found, n = np.empty((1024, 3), np.int32), 0
    room = np.empty(np.diff(others.starts).max(), np.int64)
    for flip in flips:
        for bucket in range(len(mine.starts) - 1):
            other = bucket ^ flip
            if same and other < bucket:
                continue
            # Without a sign, since a negative index would have to be told from others each time.
            a = np.uint64(mine.starts[bucket]), np.uint64(mine.starts[bucket + 1])
            b = np.uint64(others.starts[other]), np.uint64(others.starts[other + 1])
            near = _count_pairs(mine.codes, a, others.codes, b, radius, room)
            if same and flip == 0:  # each code has found itself, and each pair was seen twice
                near = (near - np.int64(a[1] - a[0])) // 2
            if near > 0:
                while n + near > len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                sides = mine.codes, a, others.codes, b
                _write_pairs(sides, same and flip == 0, radius, room, found[n : n + near])
                n += near
    return found[:n]


@compiled
def _count_pairs(mine: Any, a: Any, others: Any, b: Any, radius: int, room: Any) -> Any:
    """Count the pairs within `radius` of two buckets, in loops without a branch: they vectorise.

    Mostly there are none, and the first words tell. `room` is as long as the largest bucket.
    """
    within, room = 0, room[: b[1] - b[0]]
    for i in range(a[0], a[1]):
        near = 0
        code, row = mine[0, i], others[0, b[0] : b[1]]
        if len(mine) == 1:
            for j in range(len(row)):
                near += popcount(code ^ row[j]) <= radius
        else:
            for j in range(len(row)):
                room[j] = popcount(code ^ row[j])
        for word in range(1, len(mine)):
            code, row, near = mine[word, i], others[word, b[0] : b[1]], 0
            for j in range(len(row)):
                room[j] += popcount(code ^ row[j])
                near += room[j] <= radius
            if near == 0:
                break
        within += near
    return within


@compiled
def _write_pairs(sides: Any, itself: bool, radius: int, room: Any, found: Any) -> None:
    """Write the pairs of two buckets that `_count_pairs` counted; most codes have none."""
    mine, a, others, b = sides
    n = 0
    for i in range(a[0], a[1]):
        first = i + np.uint64(1) if itself else b[0]
        if _count_pairs(mine, (i, i + np.uint64(1)), others, (first, b[1]), radius, room) > 0:
            for j in range(first, b[1]):
                distance = 0
                for word in range(len(mine)):
                    distance += popcount(mine[word, i] ^ others[word, j])
                if distance <= radius:
                    found[n, 0], found[n, 1], found[n, 2] = i, j, distance
                    n += 1
