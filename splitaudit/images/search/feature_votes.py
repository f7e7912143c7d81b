"""Pairs of pictures that share local features, by votes; each picture may be turned or mirrored.

Features that agree in some bits of their descriptors lie in one bucket; there they are compared
whole, and a pair that is near votes for its two pictures. Other bits give other buckets, so that a
pair missed once is found in another ("locality-sensitive hashing"; Indyk and Motwani, "Approximate
nearest neighbors", STOC 1998). Votes count together that turn the picture alike ("weak geometric
consistency"; Jegou, Douze and Schmid, "Hamming embedding and weak geometric consistency for large
scale image search", ECCV 2008).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from splitaudit.engine.compiled import compiled, popcount
from splitaudit.images.fingerprint.feature_sets import (
    READINGS,
    Codes,
    Features,
    Reals,
    transform_angles,
    transform_descriptors,
)
from splitaudit.images.search.pose_votes import count_votes, pose_bins
from splitaudit.search.blocks import partition_bits

TABLES = 10  # sets of bits by which features are brought together
BITS = (10, 22)  # of a set: fewest and most
RADIUS_RANGE = (12, 44)  # <= bits of 256 in which features differ that vote: fewest and most
EXPECTED_BY_CHANCE = 8.0  # <= features expected so near to one by chance
SAMPLE_SIZE = 256  # features by which that is judged, for each
# Of a feature in one table: pictures that it votes for, and features that it is compared with. What
# many pictures share, such as a logo or a black frame, ties each of them to the next few.
MAX_MATCHES, MAX_COMPARED = 16, 400
# Those that it votes for in every other split: more than are compared, so that it is noticed.
MAX_ELSEWHERE = 32
# bits by which one word of four may exceed its share of those in which features differ
WORD_SLACK = 8
# Features, about: of pictures looked up together, and among which; what is held at once depends on
# these, and not on how many pictures there are.
QUERY_BLOCK, TABLE_BLOCK = 1 << 20, 1 << 23
PAIRS_SCHEMA = pa.schema(
    {"a": pa.int64(), "b": pa.int64(), "reading": pa.int8(), "votes": pa.int32()}
)

Rows = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int32]
Bits = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Collection:
    """The features of many pictures, one behind the other; see `feature_sets.Features`.

    Parameters
    ----------
    begins
        Shape (pictures + 1,): the features of picture k are `begins[k] : begins[k + 1]`.
    angle, scale, descriptors
        Shapes (n,), (n,), (n, 4).
    """

    begins: Rows
    angle: Reals
    scale: Reals
    descriptors: Codes


class Table(NamedTuple):
    """Features of a block by some of their bits.

    Bucket k has those of `rows[starts[k] : starts[k + 1]]`: one group behind the other, of pictures
    that stand in the same splits. One word of their descriptors lies beside, in the same order: few
    of those that meet are near, and the word tells most of them.
    """

    bits: Rows
    starts: Numbers
    rows: Numbers
    word: int
    words: npt.NDArray[np.uint64]
    stands: npt.NDArray[np.int16]


def concatenate_features(pictures: Sequence[Features]) -> Collection:
    """Return the features of pictures one behind the other."""
    descriptors = np.concatenate([np.zeros((0, 4), np.uint64), *(p.descriptors for p in pictures)])
    angle = np.concatenate([np.zeros(0, np.float32), *(picture.angle for picture in pictures)])
    scale = np.concatenate([np.zeros(0, np.float32), *(picture.scale for picture in pictures)])
    begins = np.cumsum([0, *map(len, pictures)])
    return Collection(begins, angle, scale, descriptors)


def pairs(
    pictures: Collection, readings: Sequence[int] = range(len(READINGS)), stands: Rows | None = None
) -> pa.Table:
    """Return the pairs of pictures to compare.

    Parameters
    ----------
    pictures
        Their features; fewer than 2**31.
    readings
        How b may show what a shows: positions in `feature_sets.READINGS`.
    stands
        In which splits each stands: equal numbers from 0 on are equal splits; None: all in one.

    Returns
    -------
    pa.Table
        `PAIRS_SCHEMA`, sorted by a, b and reading: a < b; one row for each reading with so many
        votes.
    """
    near = _distance_thresholds(pictures.descriptors)
    of_picture = np.zeros(len(pictures.begins) - 1) if stands is None else stands
    stand = np.repeat(of_picture.astype(np.int16), np.diff(pictures.begins))
    found = [PAIRS_SCHEMA.empty_table()]
    for begin, end in _split_blocks(pictures.begins, 0, TABLE_BLOCK):
        tables = _tables(pictures, stand, begin, end)
        for first, last in _split_blocks(pictures.begins[: end + 1], 0, QUERY_BLOCK):
            found += [_look_up(pictures, (first, last), tables, r, (near, stand)) for r in readings]
    names = ["a", "b", "reading"]  # of two blocks, either may look at the other
    once = pa.concat_tables(found).group_by(names).aggregate([("votes", "max")])
    return once.rename_columns([*names, "votes"]).sort_by([(name, "ascending") for name in names])


def _split_blocks(begins: Rows, first: int, most: int) -> Iterator[tuple[int, int]]:
    """Parts of the pictures from the first on, of `most` features or a little more."""
    while first < len(begins) - 1:
        last = int(np.searchsorted(begins, begins[first] + most))
        yield first, min(max(last, first + 1), len(begins) - 1)
        first = max(last, first + 1)


def _look_up(
    pictures: Collection, some: tuple[int, int], tables: Sequence[Table], reading: int, of: Any
) -> pa.Table:
    """Pairs of some pictures with others in the tables, which are seen in a reading.

    `of` is within how many bits each feature is near, and how its picture stands in splits.
    """
    begins = pictures.begins[some[0] : some[1] + 1]
    mine = transform_descriptors(pictures.descriptors[begins[0] : begins[-1]], reading)
    near, stand = of
    own = slice(begins[0], begins[-1])
    bounds = [np.repeat(side, np.diff(begins)) for side in (begins[:-1], begins[1:])]
    ends = np.column_stack([*bounds, stand[own]])
    voted = [np.zeros((0, 2), np.int32)]
    for k, table in enumerate(tables):
        masks = np.array([_mask(earlier.bits) for earlier in tables[:k]], np.uint64).reshape(-1, 4)
        keys = _keys(mine, table.bits)
        order = _bucket_order(keys, len(table.bits))
        looked_up = order, keys[order], ends, mine[:, table.word][order]
        limits = masks, near[own], near
        voted.append(_cast_votes(looked_up, table, (mine, pictures.descriptors), limits))
    votes = np.concatenate(voted)
    votes[:, 0] += begins[0]
    votes.sort(axis=1)  # as far as a is from a reading of b, as far is that reading of a from b
    return _consistent_pairs(pictures, votes, reading)


def _consistent_pairs(pictures: Collection, votes: Numbers, reading: int) -> pa.Table:
    """Pairs of pictures for which enough features vote that turn and size them alike."""
    owner = np.searchsorted(pictures.begins, votes, "right") - 1
    pair = owner[:, 0] * len(pictures.begins) + owner[:, 1]
    order = np.argsort(pair, kind="stable")
    votes = votes[order]
    one, other = votes.T
    turn = transform_angles(pictures.angle[other], reading) - pictures.angle[one]
    bins = pose_bins(turn, pictures.scale[other] / pictures.scale[one])
    counted = count_votes(pair[order], votes, bins)
    a, b = owner[order[counted[:, 0]]].T
    columns = [a, b, np.full(len(a), reading, np.int8), counted[:, 1].astype(np.int32)]
    return pa.table(columns, schema=PAIRS_SCHEMA)


def _distance_thresholds(descriptors: Codes) -> Bits:
    """Within how many bits of each feature few others are by chance, in a collection of this size.

    A corner of a letter or of a plain shape is like many others, one in a meadow like few: by how
    far each is from some that are drawn, taken to be normally distributed.
    """
    from scipy.special import ndtri

    if len(descriptors) < 2:
        return np.full(len(descriptors), RADIUS_RANGE[1], np.uint8)
    drawn = np.random.default_rng(0).integers(len(descriptors), size=SAMPLE_SIZE)
    mean, deviation = _distances(descriptors, descriptors[drawn])
    rare = -ndtri(min(0.5, EXPECTED_BY_CHANCE / len(descriptors)))
    near: Bits = np.clip(mean - rare * deviation, *RADIUS_RANGE).astype(np.uint8)
    return near


@compiled
def _distances(descriptors: Any, drawn: Any) -> Any:
    """Mean and standard deviation of the distances of each descriptor from some."""
    mean, deviation = np.empty((2, len(descriptors)), np.float32)
    for n in range(len(descriptors)):
        total = squares = 0
        for other in drawn:
            far = _hamming_distance(descriptors[n], other)
            total += far
            squares += far * far
        mean[n] = total / len(drawn)
        deviation[n] = math.sqrt(max(squares / len(drawn) - mean[n] ** 2, 0.0))
    return mean, deviation


def _tables(pictures: Collection, stand: Any, begin: int, end: int) -> list[Table]:
    """Return the features of some pictures by the bits of each table: none is in two of them."""
    first, last = (int(pictures.begins[k]) for k in (begin, end))
    some = pictures.descriptors[first:last]
    if not len(some):
        return []
    own = stand[first:last]
    order = np.argsort(own, kind="stable").astype(np.int32)
    width = int(np.clip(round(math.log2(max(last - first, 1))), *BITS))
    tables = []
    for k, bits in enumerate(partition_bits(some, width, TABLES)):
        starts, rows = _fill_buckets(_keys(some[order], bits), width)
        rows = order[rows]
        table = Table(bits, starts, rows + np.int32(first), k % 4, some[rows, k % 4], own[rows])
        tables.append(table)
    return tables


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
def _fill_buckets(keys: Any, width: int) -> tuple[Any, Any]:
    """Where each bucket starts, and the features in them, by their number."""
    starts = np.zeros((1 << width) + 1, np.int32)
    for key in keys:
        starts[key + 1] += 1
    for key in range(1 << width):
        starts[key + 1] += starts[key]
    free, rows = starts[:-1].copy(), np.empty(len(keys), np.int32)
    for n in range(len(keys)):
        rows[free[keys[n]]] = n
        free[keys[n]] += 1
    return starts, rows


def _bucket_order(keys: Numbers, width: int) -> Numbers:
    """Nearly the order of keys: what is looked up one after the other then lies close."""
    order: Numbers = _fill_buckets(keys >> max(0, width - BITS[0]), BITS[0])[1]
    return order


@compiled
def _cast_votes(looked_up: Any, table: Any, descriptors: Any, limits: Any) -> Any:
    """Rows (feature looked up, feature of another picture) that are near, of one table."""
    (order, keys, ends, its_word), (_, starts, rows, _, words, stands) = looked_up, table
    (mine, its), (masks, my_near, its_near) = descriptors, limits
    found, n = np.empty((1024, 2), np.int32), 0
    for at in range(len(order)):
        i, begin, end = order[at], starts[keys[at]], starts[keys[at] + 1]
        near, own = np.int64(my_near[i]), ends[i, 2]
        looks_back = _is_crowded(stands, begin, end, own)
        while begin < end:
            last = _lower_bound(stands, begin, end, np.int64(stands[begin]) + 1)
            if n + MAX_ELSEWHERE > len(found):
                found = np.concatenate((found, np.empty_like(found)))
            most = n + (MAX_MATCHES if stands[begin] == own else MAX_ELSEWHERE)
            here, there = _lower_bound(rows, begin, last, ends[i, 1]), last
            for _ in range(2 if looks_back and stands[begin] != own else 1):
                for place in range(here, min(there, here + MAX_COMPARED)):
                    if n == most:
                        break
                    if popcount(words[place] ^ its_word[at]) > near // 4 + WORD_SLACK:
                        continue
                    j = rows[place]
                    within = min(near, np.int64(its_near[j]))
                    if _hamming_distance(mine[i], its[j]) <= within and not _shares_bucket(
                        mine[i], its[j], masks
                    ):
                        found[n, 0], found[n, 1] = i, j
                        n += 1
                here, there = begin, _lower_bound(rows, begin, last, ends[i, 0])
            begin = last
    return found[:n]


@compiled
def _is_crowded(stands: Any, begin: int, end: int, own: int) -> bool:
    """Whether what looks forward to those beside a feature may miss the last of them."""
    if end - begin <= MAX_ELSEWHERE:
        return False
    first = _lower_bound(stands, begin, end, own)
    return bool(_lower_bound(stands, first, end, own + 1) - first > MAX_ELSEWHERE)


@compiled
def _lower_bound(rows: Any, begin: int, end: int, least: int) -> int:
    """Return the first of some places whose row is at least so large; they are sorted."""
    if begin == end or rows[end - 1] < least:
        return end
    while begin < end:
        middle = (begin + end) // 2
        if rows[middle] < least:
            begin = middle + 1
        else:
            end = middle
    return begin


@compiled
def _hamming_distance(mine: Any, its: Any) -> int:
    """Return in how many bits two descriptors differ."""
    far = 0
    for word in range(4):
        far += popcount(mine[word] ^ its[word])
    return far


@compiled
def _shares_bucket(mine: Any, its: Any, masks: Any) -> bool:
    """Whether two descriptors agree in all bits of any of the masks."""
    for mask in masks:
        differ = np.uint64(0)
        for word in range(4):
            differ |= (mine[word] ^ its[word]) & mask[word]
        if differ == 0:
            return True
    return False
