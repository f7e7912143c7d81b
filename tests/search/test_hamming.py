"""Binary codes: every pair within a radius, each once, and equal codes as groups."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitaudit.search import blocks
from splitaudit.search.blocks import Block, masked_popcount, plan
from splitaudit.search.hamming import join, self_join


def brute(first: np.ndarray, second: np.ndarray, radius: int) -> dict[tuple[int, int], int]:
    """Return the pairs within a radius, by comparing all of them, word by word."""
    distance = np.bitwise_count(first[:, None] ^ second[None]).sum(axis=2, dtype=int)
    return {(int(i), int(j)): int(distance[i, j]) for i, j in np.argwhere(distance <= radius)}


def told(pairs) -> dict[tuple[int, int], int]:
    """Return the pairs of a join, and see that they are sorted and each stands there once."""
    rows = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert rows == sorted(set(rows))
    return dict(zip(rows, pairs.distance.tolist(), strict=True))


def representatives(codes: np.ndarray) -> list[int]:
    """Return the first row equal to each."""
    first: dict[bytes, int] = {}
    return [first.setdefault(code.tobytes(), row) for row, code in enumerate(codes)]


def crowded(rng: np.random.Generator, n: int, words: int, most: int) -> np.ndarray:
    """Return codes around a few centres, so that many are near, at all distances up to `most`."""
    centres = rng.integers(0, 2**64, (max(1, n // 8), words), dtype=np.uint64)
    codes = centres[rng.integers(len(centres), size=n)]
    for code in codes:
        for bit in rng.choice(64 * words, rng.integers(0, most + 1), replace=False):
            code[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return codes


@pytest.fixture(params=["all pairs", "by blocks"])
def way(request, monkeypatch) -> None:
    """Few codes are all compared, by one block without bits; they can be parted as many are."""
    if request.param == "by blocks":
        monkeypatch.setattr(blocks, "BRUTE_FORCE_PAIRS", -1)
        monkeypatch.setattr(blocks, "SAMPLED_PAIRS", 256)
        monkeypatch.setattr(blocks, "COMPARE_WORD", 1e9)  # so that any block is cheaper


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("words", "radius"), [(1, 0), (1, 3), (1, 8), (2, 11), (4, 40)])
def test_a_self_join_finds_what_comparing_all_finds(words, radius):
    @settings(max_examples=12, deadline=None, database=None)
    @given(seed=st.integers(0, 2**32), n=st.integers(1, 90))
    def holds(seed: int, n: int) -> None:
        codes = crowded(np.random.default_rng(seed), n, words, radius)
        pairs = self_join(codes, radius)
        of = representatives(codes)
        expected = {
            (i, j): d
            for (i, j), d in brute(codes, codes, radius).items()
            if i < j and of[i] == i and of[j] == j
        }
        assert told(pairs) == expected
        assert pairs.of_first.tolist() == pairs.of_second.tolist() == of

    holds()


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("words", "radius"), [(1, 0), (1, 8), (4, 40)])
def test_a_join_of_two_sets_finds_what_comparing_all_finds(words, radius):
    @settings(max_examples=12, deadline=None, database=None)
    @given(seed=st.integers(0, 2**32), n=st.integers(1, 60), m=st.integers(1, 60))
    def holds(seed: int, n: int, m: int) -> None:
        codes = crowded(np.random.default_rng(seed), n + m, words, radius)
        first, second = codes[:n], codes[n:]
        pairs = join(first, second, radius)
        of_first, of_second = representatives(first), representatives(second)
        expected = {
            (i, j): d
            for (i, j), d in brute(first, second, radius).items()
            if of_first[i] == i and of_second[j] == j
        }
        assert told(pairs) == expected
        assert pairs.of_first.tolist() == of_first
        assert pairs.of_second.tolist() == of_second

    holds()


def test_planted_pairs_are_found_among_many():
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 2**64, (30_000, 1), dtype=np.uint64)
    planted = {}
    for k in range(400):  # pairs at each distance from 0 to 9, in bits drawn or side by side
        distance, i, j = k % 10, 2 * k, 2 * k + 1
        places = (
            rng.choice(64, distance, replace=False) if k % 2 else (k + np.arange(distance)) % 64
        )
        codes[j] = codes[i] ^ np.bitwise_or.reduce(
            np.uint64(1) << places.astype(np.uint64), initial=np.uint64(0)
        )
        planted[i, j] = distance
    assert len(plan(codes, codes, 8)) > 1
    pairs = self_join(codes, 8)
    expected = {pair: distance for pair, distance in planted.items() if 0 < distance <= 8}
    found = told(pairs)
    assert expected.items() <= found.items()
    assert all(found[i, j] == brute(codes[[i]], codes[[j]], 64)[0, 0] for i, j in found)
    assert all(pairs.of_first[j] == i for (i, j), distance in planted.items() if distance == 0)


def test_equal_codes_are_told_and_make_no_pairs():
    codes = np.zeros((10_000, 4), np.uint64)
    codes[7_000] = 1, 0, 0, 0
    pairs = self_join(codes, 40)
    assert told(pairs) == {(0, 7_000): 1}
    assert (np.delete(pairs.of_first, 7_000) == 0).all()


@pytest.mark.parametrize("empty", ["first", "second", "both"])
def test_a_set_may_be_empty(empty):
    some, none = np.ones((3, 1), np.uint64), np.zeros((0, 1), np.uint64)
    first, second = {"first": (none, some), "second": (some, none), "both": (none, none)}[empty]
    assert told(join(first, second, 8)) == {}
    assert told(self_join(none, 8)) == {}


def test_blocks_can_miss_nothing():
    rng = np.random.default_rng(2)
    for words, radius in ((1, 1), (1, 8), (4, 40)):
        codes = rng.integers(0, 2**64, (20_000, words), dtype=np.uint64)
        found = plan(codes, codes, radius)
        bits = np.concatenate([block.bits for block in found])
        assert len(bits) == len(set(bits.tolist()))
        assert sum(block.radius + 1 for block in found) >= radius + 1


def test_bits_that_say_nothing_or_the_same_are_not_put_together():
    """Of 64 bits, 16 are constant and 16 nearly repeat others: a block of them would hold all."""
    rng = np.random.default_rng(3)
    drawn = rng.integers(0, 2**64, (6, 20_000), dtype=np.uint64)
    copies = (drawn[0] ^ np.bitwise_and.reduce(drawn[1:])) & np.uint64(0xFFFF)
    codes = (drawn[0] & np.uint64(0xFFFFFFFF) | copies << np.uint64(32))[:, None]
    differ = codes[:-1] ^ codes[1:]
    for block in plan(codes, codes, 4):
        assert not any(bit + 32 in block.bits for bit in block.bits if bit < 16)
        assert (masked_popcount(differ, block.bits) <= block.radius).mean() < 0.02


def test_flips_are_all_the_ways_in_which_a_block_may_differ():
    found = blocks.flip_patterns(Block(np.array([3, 5, 9]), 2))
    assert sorted(found.tolist()) == [0b000, 0b001, 0b010, 0b011, 0b100, 0b101, 0b110]
