"""The nearest vectors of other sounds are found, with FAISS and without, and all of a clique."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitaudit.search import vectors as nearest
from splitaudit.search.vectors import COPY_SIMILARITY, MORE, NEIGHBOURS, Vectors

SCALE = 256
DIMENSIONS = 64
WITH = pytest.mark.parametrize("faiss", [True, False], ids=["FAISS", "numpy"])


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search with FAISS or without, where a test says which."""
    if hasattr(request.node, "callspec") and "faiss" in request.node.callspec.params:
        use(request.node.callspec.params["faiss"], monkeypatch)


def use(faiss: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if faiss:
        pytest.importorskip("faiss")
    monkeypatch.setattr(nearest, "has_faiss", lambda: faiss)


def quantised(rows: np.ndarray) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.clip(np.rint(rows / lengths * SCALE), -127, 127).astype(np.int8)


def drawn(n: int, seed: int = 0) -> Vectors:
    """Vectors around a few hundred centres, as those of sounds gather."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(1, n // 50), DIMENSIONS))
    return quantised(centres[rng.integers(len(centres), size=n)] + rng.standard_normal((n, 64)))


def true_similarity(vectors: Vectors, some: slice, own: slice) -> np.ndarray:
    found = vectors[some].astype(float) @ vectors.astype(float).T / SCALE**2
    found[:, own] = -np.inf
    return np.asarray(found)


@WITH
@pytest.mark.parametrize("block", [100, 1 << 16])
def test_flat_search_is_exact(monkeypatch: pytest.MonkeyPatch, faiss: bool, block: int) -> None:
    monkeypatch.setattr(nearest, "BLOCK", block)
    vectors, some, own = drawn(700), slice(150, 250), slice(130, 320)
    similarity, index = nearest.searcher(vectors, SCALE)(some, own)
    truth = true_similarity(vectors, some, own)
    best = -np.sort(-truth, axis=1)[:, : index.shape[1]]
    np.testing.assert_allclose(similarity, best, atol=1e-6)
    np.testing.assert_allclose(np.take_along_axis(truth, index, axis=1), best, atol=1e-6)
    assert all(len(set(row)) == len(row) for row in index.tolist())


def test_both_engines_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, found = drawn(900, 3), []
    for faiss in (True, False):
        use(faiss, monkeypatch)
        found.append(nearest.searcher(vectors, SCALE)(slice(0, 300), slice(0, 300)))
    (one, where), (other, there) = found
    np.testing.assert_allclose(one, other, atol=1e-6)
    # Of those that are equally near, either may come first.
    apart = np.abs(np.diff(one, axis=1, append=-1, prepend=2)).clip(max=1)
    clear = (apart[:, :-1] > 1e-6) & (apart[:, 1:] > 1e-6)
    clear[:, -1] = False  # the next may be as near
    assert clear.mean() > 0.8
    np.testing.assert_array_equal(where[clear], there[clear])


def test_the_parted_index_finds_nearly_all(monkeypatch: pytest.MonkeyPatch) -> None:
    use(True, monkeypatch)
    monkeypatch.setattr(nearest, "BRUTE_FORCE_LIMIT", 1_000)
    vectors = drawn(16_000)  # 40 cells, of which 16 are looked through
    some = own = slice(4_000, 4_300)
    similarity, index = nearest.searcher(vectors, SCALE)(some, own)
    truth = true_similarity(vectors, some, own)
    best = np.argsort(-truth, axis=1)[:, :16]
    hits = [len(set(found) & set(true)) for found, true in zip(index, best, strict=True)]
    assert sum(hits) >= 0.95 * best.size
    at = np.take_along_axis(truth, index, axis=1)
    np.testing.assert_allclose(similarity, at, atol=1e-6)  # ranked by the vectors themselves


@settings(deadline=None, max_examples=30)
@given(st.data(), st.booleans(), st.booleans())
def test_own_vectors_are_never_returned(data: st.DataObject, faiss: bool, parted: bool) -> None:
    n = 4 * data.draw(st.integers(25, 150))
    first, last = sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n))))
    with pytest.MonkeyPatch.context() as monkeypatch:
        use(faiss, monkeypatch)
        monkeypatch.setattr(nearest, "VECTORS_PER_CELL", 50)
        monkeypatch.setattr(nearest, "TRAINING_PER_CELL", 50)
        monkeypatch.setattr(nearest, "BLOCK", data.draw(st.sampled_from([64, 1 << 16])))
        monkeypatch.setattr(nearest, "BRUTE_FORCE_LIMIT", 50 if parted else 20_000)
        vectors = np.repeat(drawn(n // 4), 4, axis=0)  # its own would be the nearest
        some = slice(first, min(last, first + 30))
        _, index = nearest.searcher(vectors, SCALE)(some, slice(first, last))
    assert not ((index >= first) & (index < last)).any()
    assert index.max(initial=-1) < len(vectors)


@WITH
@pytest.mark.parametrize("size", [NEIGHBOURS, 70, 300])
def test_a_clique_is_found_whole(faiss: bool, size: int) -> None:
    """A search that keeps the best k of each vector would lose pairs of it."""
    rng, vectors = np.random.default_rng(0), drawn(2_000)
    clique = np.sort(rng.choice(len(vectors), size, replace=False))
    jingle = rng.standard_normal(DIMENSIONS)
    vectors[clique] = quantised(jingle + 0.2 * rng.standard_normal((size, DIMENSIONS)))
    at = int(clique[size // 2])
    similarity, index = nearest.searcher(vectors, SCALE)(slice(at, at + 1), slice(at, at + 1))
    assert set(clique.tolist()) - {at} <= set(index[0].tolist())
    assert index.shape[1] <= max(NEIGHBOURS, MORE * size)
    assert (similarity[0] >= COPY_SIMILARITY).sum() == size - 1


@WITH
def test_without_a_clique_no_more_are_returned(faiss: bool) -> None:
    similarity, index = nearest.searcher(drawn(2_000), SCALE)(slice(0, 50), slice(0, 50))
    assert similarity.shape == index.shape == (50, NEIGHBOURS)


@WITH
@pytest.mark.parametrize("n", [1, 2, 9, NEIGHBOURS])
def test_of_few_vectors_the_rest_is_minus_one(faiss: bool, n: int) -> None:
    similarity, index = nearest.searcher(drawn(n), SCALE)(slice(0, 1), slice(0, 1))
    assert sorted(index[0][: n - 1].tolist()) == list(range(1, n))
    assert set(index[0][n - 1 :].tolist()) <= {-1}
    assert (similarity[0][n - 1 :] < -1).all()


@WITH
def test_equal_vectors_of_few_end_the_search(faiss: bool) -> None:
    vectors = np.repeat(drawn(1), 20, axis=0)
    _, index = nearest.searcher(vectors, SCALE)(slice(0, 20), slice(0, 1))
    assert all(set(row) - {-1} == set(range(1, 20)) for row in index.tolist())


@WITH
def test_what_is_only_looked_up_is_nobodys_neighbour(faiss: bool) -> None:
    vectors = drawn(300)
    vectors = np.concatenate([vectors, vectors[:40]])
    find = nearest.searcher(vectors, SCALE, among=vectors[:300])
    similarity, index = find(slice(290, 340), slice(0, 0))
    assert index.max() < 300
    np.testing.assert_array_equal(index[:, 0], [*range(290, 300), *range(40)])
    np.testing.assert_allclose(similarity[:, 0], 1, atol=0.02)


@WITH
def test_no_vectors_have_no_neighbours(faiss: bool) -> None:
    find = nearest.searcher(np.zeros((0, DIMENSIONS), np.int8), SCALE)
    similarity, index = find(slice(0, 0), slice(0, 0))
    assert len(similarity) == len(index) == 0
