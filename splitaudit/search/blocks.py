"""Which bits of binary codes to sort by, so that few pairs need be compared and none is missed.

The bits are parted into blocks. By the pigeonhole principle two codes that differ in at most r bits
differ in at most r_i within some block i, if the r_i + 1 sum to r + 1. How many blocks, of which
bits, and which r_i: what is expected to cost least, judged by pairs drawn from the codes, since
bits of real hashes are neither even nor independent.

After Norouzi, Punjani and Fleet, "Fast search in Hamming space with multi-index hashing" (CVPR
2012), and Qin et al., "GPH: similarity search in Hamming space" (ICDE 2018).
"""

from __future__ import annotations

from itertools import combinations
from math import comb, log2
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
Costs = npt.NDArray[np.float64]

MAX_BLOCK_BITS = 22  # bits of a block: its table of 4 million buckets takes 16 MB
SAMPLED_PAIRS = 1 << 16  # pairs of codes by which costs are judged
DEPENDENCE_PAIRS = 1 << 13  # of these, by which the dependence of bits is judged
BRUTE_FORCE_PAIRS = (
    1 << 24
)  # pairs; up to these all are compared, which takes no longer than to judge
# What takes how long, in ns: to sort a code by a block, to look at two buckets, to take up a code
# of one of them; and, for each word, to take it up and to compare it with a code of the other.
SORT, VISIT, TAKE, TAKE_WORD, COMPARE_WORD = 60.0, 30.0, 2.0, 4.0, 0.4


class Block(NamedTuple):
    """Some bits of the codes, and how many of them may differ (<=)."""

    bits: Numbers
    radius: int


def plan(first: Codes, second: Codes, radius: int) -> list[Block]:
    """Return the blocks by which all pairs within `radius` (<=) are found at the least cost.

    Of a block without bits all codes are equal: it stands for comparing all pairs.
    """
    best, pairs = [Block(np.zeros(0, np.int64), 0)], len(first) * len(second)
    if pairs <= BRUTE_FORCE_PAIRS:
        return best
    differ, least = _sample_differences(first, second), pairs * COMPARE_WORD * first.shape[1]
    dependence, order = _bit_correlation(differ[:DEPENDENCE_PAIRS])
    for parts in range(1, min(radius + 1, len(order)) + 1):
        width = min(len(order) // parts, MAX_BLOCK_BITS, max(1, round(log2(pairs) / 2)))
        blocks = _partition(dependence, order[: parts * width], parts)
        costs = [_cost(bits, differ, first, second) for bits in blocks]
        radii, cost = _allocate_radii(costs, radius)
        if cost < least:
            best, least = _active_blocks(blocks, radii), cost
    return best


def _active_blocks(blocks: list[Numbers], radii: list[int]) -> list[Block]:
    return [Block(bits, r) for bits, r in zip(blocks, radii, strict=True) if r >= 0]


def flip_patterns(block: Block) -> Numbers:
    """Return the patterns in which a block may differ, as numbers."""
    places = range(len(block.bits))
    some = (c for k in range(block.radius + 1) for c in combinations(places, k))
    return np.array([sum(1 << place for place in c) for c in some], np.int64)


def masked_popcount(differ: Codes, bits: Numbers) -> Numbers:
    """Return how many of some bits are set in each code; of two codes' `^`, how many differ."""
    mask = np.zeros(differ.shape[1], np.uint64)
    np.bitwise_or.at(mask, bits // 64, np.uint64(1) << (bits % 64).astype(np.uint64))
    words = np.flatnonzero(mask)
    set_: Numbers = np.bitwise_count(differ[:, words] & mask[words]).sum(axis=1, dtype=np.int64)
    return set_


def partition_bits(codes: Codes, width: int, most: int) -> list[Numbers]:
    """Return at most so many blocks of `width` bits that depend little on one another."""
    dependence, order = _bit_correlation(_sample_differences(codes, codes)[:DEPENDENCE_PAIRS])
    parts = min(most, len(order) // width)
    return _partition(dependence, order[: parts * width], parts)


def _sample_differences(first: Codes, second: Codes) -> Codes:
    """In which bits some pairs differ."""
    rng = np.random.default_rng(0)
    return (
        first[rng.integers(len(first), size=SAMPLED_PAIRS)]
        ^ second[rng.integers(len(second), size=SAMPLED_PAIRS)]
    )


def _bit_correlation(differ: Codes) -> tuple[npt.NDArray[np.float64], Numbers]:
    """How far two bits differ together (correlation), and the bits, most telling first."""
    bits = np.unpackbits(differ.astype("<u8").view(np.uint8), axis=1, bitorder="little")
    rate = bits.mean(axis=0)
    centred = (bits - rate).astype(np.float32)
    deviation = np.sqrt(rate * (1 - rate)) + 1e-6
    return (centred.T @ centred) / len(bits) / np.outer(deviation, deviation), np.argsort(-rate)


def _partition(dependence: Any, order: Numbers, parts: int) -> list[Numbers]:
    """Part bits into blocks of equal width, in each those that depend little on one another."""
    blocks: list[list[int]] = [[] for _ in range(parts)]
    burden = np.zeros((parts, len(dependence)))
    for k, bit in enumerate(order):
        if k % parts == 0:
            free = np.zeros(parts)  # each block gets one bit a round
        chosen = int(np.argmin(burden[:, bit] + free))
        free[chosen] = np.inf
        burden[chosen] += dependence[bit]
        blocks[chosen].append(int(bit))
    return [np.array(block, np.int64) for block in blocks]


def _cost(bits: Numbers, differ: Codes, first: Codes, second: Codes) -> Costs:
    """What a block would take, in ns, with each radius from -1 (it is not looked at) up."""
    words = first.shape[1]
    near = np.bincount(masked_popcount(differ, bits), minlength=len(bits) + 1)
    pairs = (np.cumsum(near) + 1) / len(differ) * len(first) * len(second)
    patterns = np.cumsum([comb(len(bits), k) for k in range(len(bits) + 1)], dtype=np.float64)
    visited = VISIT * 2.0 ** len(bits) + (TAKE + TAKE_WORD * words) * len(first)
    fixed = SORT * (len(first) + len(second))
    return np.array([0.0, *(fixed + visited * patterns + COMPARE_WORD * words * pairs), np.inf])


def _allocate_radii(costs: list[Costs], radius: int) -> tuple[list[int], float]:
    """Raise each time the radius of the block where it costs least, until none can be missed."""
    radii = [-1] * len(costs)
    if radius + 1 > sum(len(cost) - 2 for cost in costs):
        return radii, np.inf  # bits were left out, and two codes may differ in those alone
    for _ in range(radius + 1):
        more = [cost[r + 2] - cost[r + 1] for cost, r in zip(costs, radii, strict=True)]
        radii[int(np.argmin(more))] += 1
    return radii, float(sum(cost[r + 1] for cost, r in zip(costs, radii, strict=True)))
