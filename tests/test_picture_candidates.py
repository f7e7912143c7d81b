"""Which pairs of pictures are looked at: crowds are no flood, and a copy within one is not lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from splitaudit.components import smallest_members
from splitaudit.pictures.candidates import CROWD, MOST, VARIANTS, Views, by_codes, nearest


def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
    """Codes of n pictures of which each orientation looks different."""
    return rng.integers(0, 2**64, (n, VARIANTS), dtype=np.uint64)


def views(codes: np.ndarray, inner_of: list[int] | None = None) -> Views:
    """Codes of pictures; the last ones are of what lies within the borders of some."""
    rest = inner_of or []
    owner = np.append(np.arange(len(codes) - len(rest)), rest).astype(np.int64)
    order, inner = np.argsort(owner, kind="stable"), np.arange(len(codes)) >= len(codes) - len(rest)
    return Views(codes[order], np.ones(len(codes), bool), owner[order], inner[order])


def rows(found: pd.DataFrame) -> list[tuple[int, ...]]:
    return [tuple(row) for row in found[["a", "b", "variant", "views"]].to_numpy().tolist()]


def flipped(code: np.uint64, *bits: int) -> np.uint64:
    return code ^ np.bitwise_or.reduce([np.uint64(1) << np.uint64(bit) for bit in bits])


def test_what_lies_within_a_border_is_searched_as_a_picture_and_named():
    codes = drawn(np.random.default_rng(0), 8)
    codes[6, 5], codes[7, 3] = codes[2, 0], codes[1, 0]  # within 4 lies 2, within 5 lies 1, turned
    found = by_codes(views(codes, [4, 5]))
    assert rows(found) == [(1, 5, 3, 2), (2, 4, 5, 2)]


def test_both_may_be_framed_and_a_picture_is_no_copy_of_itself():
    codes = drawn(np.random.default_rng(1), 6)
    codes[4, 0] = codes[5, 2] = np.uint64(77)
    codes[3] = codes[2]  # the whole pictures look alike, too, but less
    codes[3, 0] = flipped(codes[2, 0], 1, 2, 3)
    inner = views(codes, [2, 3])
    assert rows(by_codes(inner)) == [(2, 3, 2, 3)]
    alone = views(np.concatenate([codes[:1], codes[:1]]), [0])
    assert rows(by_codes(alone)) == []


def crowd(n: int) -> pd.DataFrame:
    a, b = np.triu_indices(n, 1)
    return pd.DataFrame({"a": a, "b": b, "far": 5})


def test_a_crowd_is_no_flood_and_hangs_together():
    n = 400
    found = nearest(crowd(n))
    assert len(found) <= n * MOST  # of 79,800
    ends = found["a"].to_numpy(), found["b"].to_numpy()
    assert (smallest_members(n, *ends) == 0).all()


def test_a_copy_within_a_crowd_is_kept():
    pairs = crowd(200)
    pairs.loc[(pairs["a"] == 3) & (pairs["b"] == 190), "far"] = 1
    kept = set(zip(*nearest(pairs)[["a", "b"]].to_numpy().T.tolist(), strict=True))
    assert (3, 190) in kept


@pytest.mark.parametrize("n", [2, MOST])
def test_few_pictures_are_all_compared(n):
    assert len(nearest(crowd(n))) == n * (n - 1) // 2


def test_no_pairs_are_no_pairs():
    assert len(nearest(crowd(0))) == 0


def test_of_equal_codes_each_is_compared_with_the_first():
    codes = np.repeat(drawn(np.random.default_rng(2), 1), CROWD + 60, axis=0)
    found = by_codes(views(codes))
    assert len(found) < 40 * len(codes)
    assert set(range(1, len(codes))) <= set(found.loc[found["a"] == 0, "b"])
