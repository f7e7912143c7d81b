"""Near vectors: which pairs are returned, whichever way each is looked at, and how few."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.search import near_vectors, vectors

SCALE, DIMENSIONS = 127, 64


def units(n: int, seed: int = 0) -> np.ndarray:
    """Vectors that have nothing in common."""
    drawn = np.random.default_rng(seed).normal(size=(n, DIMENSIONS))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def near(of: np.ndarray, cosine: float, seed: int = 1) -> np.ndarray:
    """Vectors at this cosine from some."""
    other = units(len(of), seed)
    other -= (other * of).sum(axis=1, keepdims=True) * of
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    return cosine * of + np.sqrt(1 - cosine**2) * other


def views(plain: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """As they are kept, and as they are looked at otherwise, from one side."""
    return np.rint(SCALE * np.stack([plain, *others])[:, None]).astype(np.int8)


def found(seen: np.ndarray, alike: float) -> dict[tuple[int, int], float]:
    rows = near_vectors.pairs(seen, SCALE, alike).to_pydict()
    return dict(zip(zip(rows["a"], rows["b"], strict=True), rows["similarity"], strict=True))


def test_pairs_are_as_near_as_was_asked() -> None:
    first = units(40)
    seen = views(np.concatenate([first, near(first, 0.8)]))
    assert set(found(seen, 0.78)) == {(k, k + 40) for k in range(40)}
    assert not found(seen, 0.82)


def test_a_pair_is_found_by_another_look_with_its_best_similarity() -> None:
    first = units(30)
    plain = np.concatenate([first, near(first, 0.7)])
    looks = np.concatenate([near(first, 0.9, seed=5), plain[30:]])
    looks[:30] = near(plain[30:], 0.95, seed=6)  # seen so, the first are nearly the second
    for similarity in found(views(plain, looks), 0.65).values():
        assert similarity == pytest.approx(0.95, abs=0.03)
    assert set(found(views(plain), 0.65)) == set(found(views(plain, looks), 0.65))


def test_what_says_nothing_is_near_to_nothing() -> None:
    first = units(10)
    plain = np.concatenate([np.zeros((3, DIMENSIONS)), first, np.zeros((2, DIMENSIONS)), first])
    assert set(found(views(plain), 0.9)) == {(k + 3, k + 15) for k in range(10)}


@pytest.mark.parametrize(("cosine", "most"), [(0.75, True), (0.97, False)])
def test_of_what_is_no_copy_the_nearest_only(
    monkeypatch: pytest.MonkeyPatch, cosine: float, most: bool
) -> None:
    """Thirty about one centre: as near as copies, all pairs; else few of each."""
    monkeypatch.setattr(near_vectors, "TOP_K", 3)
    centre = np.repeat(units(1), 30, axis=0)
    plain = near(centre, np.sqrt(cosine))
    pairs = found(views(plain), 0.5)
    assert vectors.COPY_SIMILARITY < 0.97
    assert (len(pairs) <= 3 * 30) == most
    assert (len(pairs) == 30 * 29 // 2) != most


@pytest.mark.parametrize("n", [near_vectors.BATCH_SIZE - 1, near_vectors.BATCH_SIZE + 1])
def test_no_batch_is_left_out(n: int) -> None:
    first = units(n)
    plain = np.concatenate([first, first[[0, n - 1]]])
    assert set(found(views(plain), 0.95)) == {(0, n), (n - 1, n + 1)}


@pytest.mark.parametrize("n", [0, 1])
def test_of_too_few_there_are_no_pairs(n: int) -> None:
    assert not found(views(units(n)), 0.5)


@pytest.mark.parametrize("mates", [5, near_vectors.TOP_K + 5])
def test_mates_of_one_split_do_not_hide_what_stands_in_the_other(mates: int) -> None:
    """On both sides they are no copies of one another, and nearer than the pair that matters."""
    crowd = near(np.repeat(units(1), mates, axis=0), 0.84)  # about 0.7 from one another
    original = near(crowd[:1], 0.62, seed=9)
    others = near(np.repeat(original, mates, axis=0), 0.84, seed=11)
    plain = np.concatenate([crowd, original, others, units(30, seed=3)])
    held = np.zeros((len(plain), 2), np.bool_)
    held[:mates, 0] = held[2 * mates + 10 :, 0] = True
    held[:, 1] = ~held[:, 0]
    rows = near_vectors.pairs(views(plain), SCALE, 0.5, held).to_pydict()
    assert (0, mates) in set(zip(rows["a"], rows["b"], strict=True))
