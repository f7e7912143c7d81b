"""What an evaluator is given, what is taken from it, and how often it is asked."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import evaluators
import numpy as np
import pytest
from evaluators import cosine, pairs

from splitaudit.errors import EvaluatorError, TransposedError
from splitaudit.evaluation import inputs as calling
from splitaudit.evaluation.audit import audit_evaluator
from splitaudit.evaluation.inputs import SEED, Evaluator, Inputs, pair_inputs
from splitaudit.evaluation.relevance import parse_relevance

named = pytest.mark.parametrize


def given(n: int = 4) -> Inputs:
    """Queries in which each number is its own, items of ids of letters."""
    queries, gallery = np.arange(2.0 * n).reshape(n, 2), np.arange(3.0 * n).reshape(n, 3) - 1
    ids = np.array(list("abcdefgh")[:n], object)
    return Inputs(queries, gallery, np.arange(n) + 10, ids, ids)


def quiet(function: Any) -> Evaluator:
    return Evaluator(function, str)


# Inputs


def test_rows_are_taken_with_their_ids_or_put_in_place_of_others() -> None:
    whole, rows = given(), np.array([2, 2, 0, 1])
    asked, offered = whole.with_queries(rows), whole.with_gallery(rows)
    assert asked.queries[:, 0].tolist() == [4, 4, 0, 2]
    assert asked.gallery is whole.gallery
    assert offered.gallery[:, 0].tolist() == [5, 5, -1, 2]
    assert offered.queries is whole.queries
    for changed in (asked, offered):
        assert changed.query_ids.tolist() == [10, 11, 12, 13]
        assert changed.gallery_ids.tolist() == ["a", "b", "c", "d"]
        assert changed.right.tolist() == ["a", "b", "c", "d"]
    part = whole.take_rows(np.array([3, 0]), np.array([1, 3, 2]))
    assert (part.queries[:, 0].tolist(), part.gallery[:, 0].tolist()) == ([6, 0], [2, 8, 5])
    assert part.query_ids.tolist() == [13, 10]
    assert part.gallery_ids.tolist() == ["b", "d", "c"]
    assert part.right.tolist() == ["d", "a"]
    assert len(part) == 2


def test_relevance_is_where_the_right_item_stands() -> None:
    part = given().take_rows(np.array([3, 0, 2]), np.array([1, 3, 2]))
    said = []

    def asked(queries: Any, gallery: Any, relevance: Any) -> Any:
        said.append(relevance.tolist())
        return np.zeros((3, 3))

    quiet(asked).scores("here", part)
    assert said == [[1, -1, 2]]


def test_one_query_is_paired_with_each_item_that_has_any() -> None:
    """The first of those of an item, in the order of the items; an item may share its query."""
    right = parse_relevance([[2], [0], [2, 3], []], 5)
    queries, gallery = np.arange(4.0)[:, None], np.arange(5.0)[:, None]
    found = pair_inputs(queries, gallery, right, (list("wxyz"), [7, 8, 9, 10, 11]))
    assert found.queries.ravel().tolist() == [1, 0, 2]
    assert found.gallery.ravel().tolist() == [0, 2, 3]
    assert found.query_ids.tolist() == ["x", "w", "y"]
    assert found.gallery_ids.tolist() == found.right.tolist() == [7, 9, 10]


# A call


def test_only_what_its_signature_names_is_given() -> None:
    said = []

    def everything(queries, gallery, rng, seed, query_ids, gallery_ids, relevance):
        said.append((rng.integers(1 << 40), seed, query_ids, gallery_ids, relevance))
        query_ids[:], gallery_ids[:], relevance[:] = 0, "", 0
        return np.zeros((4, 4))

    whole = given()
    evaluator = quiet(everything)
    assert evaluator.named == {*calling.OPTIONAL_ARGUMENTS}
    assert evaluator.sees_gallery_ids
    evaluator.scores("here", whole, seed=5)
    assert said[0][:2] == (np.random.default_rng(SEED + 5).integers(1 << 40), SEED + 5)
    # What it does to these is not done to ours.
    assert whole.query_ids.tolist() == [10, 11, 12, 13]
    assert whole.gallery_ids.tolist() == whole.right.tolist() == ["a", "b", "c", "d"]
    assert not quiet(lambda queries, gallery, query_ids, relevance: 0).sees_gallery_ids
    assert quiet(np.dot).named == quiet(dict).named == frozenset()


def test_what_it_draws_is_drawn_from_the_seed_and_leaves_ours_as_it_was() -> None:
    def drawing(queries: Any, gallery: Any) -> Any:
        return np.full((4, 4), random.random() + 10 * np.random.random())

    random.seed(3)
    np.random.seed(4)
    ours = random.getstate(), np.random.get_state()[1].tolist()
    evaluator = quiet(drawing)
    first, again, other = (evaluator.scores("x", given(), seed)[0, 0] for seed in (0, 0, 1))
    assert first == again != other
    random.seed(SEED)
    np.random.seed(SEED)
    assert first == random.random() + 10 * np.random.random()
    random.seed(3)
    np.random.seed(4)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == ours
    evaluator.scores("x", given())
    assert (random.getstate(), np.random.get_state()[1].tolist()) == ours


def test_what_it_draws_leaves_ours_as_it_was_though_it_raises() -> None:
    random.seed(3)
    before = random.getstate()
    with pytest.raises(EvaluatorError, match=r"test 'x': the evaluator raised KeyError: 'x'"):
        quiet(evaluators.raises).scores("x", given())
    assert random.getstate() == before


@named(
    ("shape", "error"),
    [
        ((3, 4), None),
        ((4, 3), TransposedError),
        ((3, 3), EvaluatorError),
        ((4, 4), EvaluatorError),
        ((12,), EvaluatorError),
        ((3, 4, 1), EvaluatorError),
    ],
)
def test_scores_of_another_shape_are_refused(shape: tuple[int, ...], error: Any) -> None:
    part = given().take_rows(np.arange(3), np.arange(4))
    evaluator = quiet(lambda queries, gallery: np.zeros(shape))
    if error is None:
        assert evaluator.scores("x", part).shape == shape
        return
    with pytest.raises(EvaluatorError) as raised:
        evaluator.scores("x", part)
    assert type(raised.value) is error


def test_a_square_answer_is_no_transposed_one() -> None:
    assert quiet(lambda queries, gallery: np.eye(4)).scores("x", given()).shape == (4, 4)


@named(
    ("answer", "expected"),
    [
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        (np.array([[True, False]] * 2), [[1, 0], [1, 0]]),
        (np.float32([[0.5, np.inf]] * 2), [[0.5, np.inf]] * 2),
        ([["1", "2"], ["3", "4"]], [[1, 2], [3, 4]]),
    ],
)
def test_scores_may_be_lists(answer: Any, expected: Any) -> None:
    found = quiet(lambda queries, gallery: answer).scores("x", given(2))
    assert found.dtype == np.float64
    assert found.tolist() == expected


def test_faults_among_scores_are_counted_at_their_most() -> None:
    answers = iter([[[1, np.nan], [np.inf, -np.inf]], [[1, 1], [np.nan, 1]], np.eye(2)])
    evaluator = quiet(lambda queries, gallery: next(answers))
    counts = []
    for _ in range(3):
        evaluator.scores("x", given(2))
        counts.append((evaluator.calls, evaluator.not_finite))
    assert counts == [(1, 3), (2, 3), (3, 3)]


@named("side", ["queries", "gallery"])
def test_who_writes_is_noticed_and_stays_so(side: str) -> None:
    """What is no number equals itself; a whole number that is written again is no other one."""
    whole = given()
    whole.queries[0, 0] = whole.gallery[0, 0] = np.nan
    written: dict[str, Any] = {"at": (0, 0), "what": np.nan}

    def writing(queries: Any, gallery: Any) -> Any:
        {"queries": queries, "gallery": gallery}[side][written["at"]] = written["what"]
        return np.zeros((4, 4))

    evaluator = quiet(writing)
    for at, what, noticed in (((0, 0), np.nan, False), ((1, 1), 1e9, True), ((0, 0), np.nan, True)):
        written.update(at=at, what=what)
        evaluator.scores("x", whole)
        assert evaluator.wrote == noticed
    assert not (whole.queries == 1e9).any()
    assert not (whole.gallery == 1e9).any()


def test_embeddings_are_drawn_with_the_mean_and_the_spread_of_ours() -> None:
    side = np.random.default_rng(0).normal(5, 2, (400, 3, 7)).astype(np.float32)
    drawn = calling.random_like(side, np.random.default_rng(1))
    assert (drawn.dtype, drawn.shape) == (side.dtype, side.shape)
    assert drawn.mean() == pytest.approx(side.mean(), abs=0.1)
    assert drawn.std() == pytest.approx(side.std(), rel=0.02)
    assert np.isin(drawn, side).mean() < 0.01
    # What does not spread would draw but one number.
    assert calling.random_like(
        np.full((400, 7), 3.0), np.random.default_rng(1)
    ).std() == pytest.approx(1, rel=0.05)
    assert calling.is_floating(side)
    assert not calling.is_floating(side.astype(int))
    assert not calling.is_floating(side.astype(bool))


# An audit


def listed(queries: Any, gallery: Any) -> Any:
    assert isinstance(queries, np.ndarray)
    assert isinstance(gallery, np.ndarray)
    return cosine(queries, gallery).tolist()


def test_lists_are_as_good_as_arrays() -> None:
    texts, films = pairs(30)
    of_arrays = audit_evaluator(cosine, texts, films)
    for sides in ((texts.tolist(), films.tolist()), (texts, films.tolist())):
        of_lists = audit_evaluator(listed, *sides)
        assert of_lists == of_arrays
    assert of_arrays.verdict == "clean"
    found = audit_evaluator(evaluators.optimistic, texts.tolist(), films.tolist(), kind="metric")
    assert (found.verdict, found.test) == ("leak", "ties")


def drifting() -> Any:
    """Noise that no seed makes twice, but that is the same in each run of this test."""
    rng = np.random.default_rng(1)
    return lambda queries, gallery: (
        cosine(queries, gallery) + 0.02 * rng.normal(size=(len(queries), len(gallery)))
    )


def drifting_sum() -> Any:
    """As that, of scores that depend on the other queries and items, whatever noise there is."""
    noisy = drifting()
    return lambda queries, gallery: noisy(queries, gallery) + 3 * cosine(queries, gallery).mean()


ONCE = dict.fromkeys(
    ["first call", "second call", "equals", "substitution", "gallery", "rectangular"], 1
)
STEADY = {**ONCE, "pairing": 6, "chance": 4, "equivariance": 5, "twins": 1, "single": 4}
NOISY = {**ONCE, "pairing": 16, "chance": 4, "single": 1}
CALLS = {
    "steady": (lambda: cosine, {**STEADY, "coupling": 9}),
    "by place": (
        lambda: evaluators.first_come,
        {name: n for name, n in STEADY.items() if name not in ("single", "rectangular")}
        | {"coupling": 9},
    ),
    "paired": (lambda: evaluators.pooled_by_own, {**STEADY, "coupling": 51}),
    "told": (lambda: evaluators.bonus_for_relevance, {**STEADY, "coupling": 9, "labels": 8}),
    "looking up": (
        lambda: evaluators.looked_up_features,
        {**STEADY, "coupling": 9, "labels": 8, "equals": 0, "twins": 0},
    ),
    "noisy by seed": (lambda: evaluators.global_noise, {**NOISY, "coupling": 9}),
    "drifting": (drifting, {**NOISY, "coupling": 93}),
}
BY_LUCK = ("repeat", "equivariance", "substitution", "gallery", "single", "rectangular")


@named("name", CALLS)
def test_each_test_asks_so_often(name: str) -> None:
    """Of noise, some tests go on until they lose, which is luck."""
    make, expected = CALLS[name]
    begun: list[str] = []
    found = audit_evaluator(make(), *pairs(), begun=begun.append)
    counts = Counter(begun)
    if found.stochastic:
        assert counts["equivariance"] >= 1
        expected = {one: n for one, n in expected.items() if one not in BY_LUCK}
        counts = Counter({one: n for one, n in counts.items() if one not in BY_LUCK})
    assert counts == Counter(expected)
    assert found.calls == len(begun)


def test_who_loses_no_trial_of_noise_is_asked_twenty_four_times() -> None:
    """And scores are drawn anew twice for each, and once to know whether noise is of the seed."""
    begun: list[str] = []
    found = audit_evaluator(drifting_sum(), *pairs(), begun=begun.append)
    counts = Counter(begun)
    assert (counts["substitution"], counts["single"], counts["repeat"]) == (24, 24, 49)
    assert found.verdict == "transductive"
    assert {one.test: one.p for one in found.findings} == {
        "substitution": 2.0**-24,
        "single": 2.0**-24,
        "gallery": 2.0**-24,
    }


def test_noise_of_answers_is_that_of_nothing_else() -> None:
    """In a trial, the answer and both scores drawn anew have seeds of their own."""
    seeds: list[tuple[str, int]] = []

    def noisy(queries: Any, gallery: Any, seed: int) -> Any:
        seeds.append((begun[-1], seed - SEED))
        mean = 9 * cosine(queries, gallery).mean()
        return evaluators.seeded_noise(queries, gallery, seed) + mean

    begun: list[str] = []
    found = audit_evaluator(noisy, *pairs(), begun=begun.append)
    asked = {name: [seed for test, seed in seeds if test == name] for name in {*begun}}
    assert asked["first call"] == [0]
    assert asked["second call"] == [1]
    assert asked["pairing"] == list(range(16))
    assert sorted(asked["repeat"]) == [0, *range(1_000, 1_048)]
    assert asked["single"] == list(range(2_000, 2_024))
    # Noise of a seed is the same where a score is at its place, so these are compared at once.
    assert asked["substitution"] == asked["gallery"] == [0]
    assert {one.test: one.p for one in found.findings} == {
        **dict.fromkeys(("substitution", "gallery"), 0.0),
        **dict.fromkeys(("single", "rectangular"), 2.0**-24),
    }
