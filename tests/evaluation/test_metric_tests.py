"""Embeddings of known ranks, and from which value on a metric is accused: each from both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import evaluators
import numpy as np
import pytest
from evaluators import pairs
from scipy.stats import ttest_1samp

from splitaudit.errors import EvaluatorError, ScoresError
from splitaudit.evaluation import designed_embeddings, metric_tests
from splitaudit.evaluation.audit import audit_evaluator
from splitaudit.evaluation.designed_embeddings import MetricCache, MetricProbe
from splitaudit.evaluation.inputs import Evaluator, Inputs, pair_inputs
from splitaudit.evaluation.relevance import diagonal

named = pytest.mark.parametrize
Value = Callable[..., float]


def inputs_of(n: int = 24) -> Inputs:
    texts, films = pairs(n)
    return pair_inputs(texts, films, diagonal(n, n), (np.arange(n), np.arange(n) + 100))


def known(value: Value, function: Any = evaluators.recall, n: int = 24) -> MetricProbe:
    """A metric between 20 at worst and 70 at best."""
    rng = np.random.default_rng(0)
    return MetricProbe(value, Evaluator(function, str), inputs_of(n), 70.0, 20.0, rng)


def always(share: float) -> Value:
    return lambda test, inputs, seed=0: 20 + 50 * share


# Embeddings


def products(inputs: Inputs) -> Any:
    """Scores of the mean of the frames of each film, which all are the same."""
    assert (inputs.gallery == inputs.gallery[:, :1]).all()
    return inputs.queries @ inputs.gallery[:, 0].T


@named("shape", [(24, 24), (10, 7)])
def test_products_of_designed_embeddings_are_the_scores(shape: tuple[int, int]) -> None:
    scores = np.random.default_rng(0).normal(size=shape)
    made = designed_embeddings.design_embeddings(inputs_of(), scores)
    np.testing.assert_allclose(products(made), scores)
    assert made.gallery.shape == (shape[1], evaluators.FRAMES, evaluators.WIDTH)
    assert np.linalg.norm(made.gallery, axis=2) == pytest.approx(1)


def test_so_many_others_are_above_each_truth() -> None:
    for rank in range(9):
        scores = designed_embeddings.scores_at_rank(9, rank)
        truth = np.diagonal(scores)
        assert ((scores > truth[:, None]).sum(axis=1) == rank).all()
        assert ((scores == truth[:, None]).sum(axis=1) == 1).all()
        assert len(np.unique(scores)) == 9
    assert designed_embeddings.scores_at_rank(4, 2)[0].tolist() == [0.5, 1, 0.75, 0.25]


def test_truths_stand_at_places_and_the_others_are_drawn() -> None:
    place = np.array([0, 3, 6, 2, 0, 5, 1])
    made = [designed_embeddings.order_items(place, np.random.default_rng(seed)) for seed in (0, 1)]
    for items in made:
        assert items[np.arange(7), place].tolist() == list(range(7))
        assert (np.sort(items, axis=1) == np.arange(7)).all()
    assert (made[0] != made[1]).any()
    levels = designed_embeddings.place_levels(60, np.random.default_rng(0))
    assert (np.diff(levels, axis=1) <= -0.69 / 60).all()
    assert (len(np.unique(levels[:, 1])), levels.max() <= 1, levels.min() > 0) == (60, True, True)
    drawn = known(always(1.0), n=24).design_places(np.arange(24))
    held = products(drawn)
    assert (held > np.diagonal(held)[:, None]).sum(axis=1).tolist() == list(range(24))


def test_on_the_way_back_a_row_is_that_of_an_item() -> None:
    scores = np.random.default_rng(0).normal(size=(7, 10))
    made = designed_embeddings.design_embeddings(inputs_of(), scores, back=True)
    np.testing.assert_allclose(products(made), scores.T)
    assert np.linalg.norm(made.queries, axis=1) == pytest.approx(1)


def test_short_vectors_are_repeated_and_long_ones_stay() -> None:
    inputs = inputs_of(9)
    made = designed_embeddings.tile_dimensions(inputs, 70)
    assert made.queries.shape == (9, 70)
    assert made.gallery.shape == (9, evaluators.FRAMES, 70)
    np.testing.assert_array_equal(made.queries[:, 64:], inputs.queries[:, :6])
    np.testing.assert_array_equal(made.gallery[:, :, 32:64], inputs.gallery)
    for least in (24, 32):
        np.testing.assert_array_equal(
            designed_embeddings.tile_dimensions(inputs, least).queries, inputs.queries
        )


def test_several_queries_have_one_item() -> None:
    items = np.array([0, 0, 1, 2, 2])
    scores = np.random.default_rng(0).normal(size=(5, 3))
    made = designed_embeddings.design_relevance(known(always(1.0)), scores, items)
    np.testing.assert_allclose(products(made), scores)
    assert made.query_ids.tolist() == [0, 1, 2, 3, 4]
    assert made.gallery_ids.tolist() == [100, 101, 102]
    assert made.right.tolist() == [100, 100, 101, 102, 102]


def test_equal_questions_are_asked_once() -> None:
    """Of one test, one seed, the same embeddings and the same truth."""
    evaluator = Evaluator(lambda queries, gallery: {"a": 1, 2: np.float32(3)}, str)
    answers, inputs = MetricCache(evaluator), inputs_of()
    order = np.roll(np.arange(24), 1)
    everything = np.arange(24)
    asked: list[tuple[str, Inputs, int]] = [
        ("x", inputs, 0),
        ("y", inputs, 0),
        ("x", inputs, 1),
        ("x", inputs.with_queries(order), 0),
        ("x", inputs.with_gallery(order), 0),
        ("x", inputs.with_gallery(order).take_rows(everything, np.argsort(order)), 0),
        ("x", Inputs(inputs.queries, inputs.gallery, *[inputs.gallery_ids] * 2, everything), 0),
    ]
    for number, question in enumerate(asked, 1):
        for _ in range(2):
            assert answers.values(*question) == {"a": 1.0, "2": 3.0}
        assert evaluator.calls == number


@named("answer", ["good", None, [1, 2], {"a": "good"}])
def test_what_is_no_number_is_no_metric(answer: Any) -> None:
    said = f"test 'x': the evaluator returned a {type(answer).__name__}, not a number"
    with pytest.raises(EvaluatorError, match=said):
        MetricCache(Evaluator(lambda queries, gallery: answer, str)).values("x", inputs_of())


def test_one_number_has_no_name() -> None:
    answers = MetricCache(Evaluator(lambda queries, gallery: np.array(0.5), str))
    assert answers.values("x", inputs_of()) == {"": 0.5}


# Shares of the way from the worst to the best


def names_of(found: Iterator[Any]) -> list[str]:
    return [getattr(one, "test", one) for one in found]


ACCUSED_ABOVE = {
    "ties": (metric_tests.ties, "leak"),
    "axis": (metric_tests.axis, "transductive"),
    "captions": (metric_tests.captions, "leak"),
}


@named("name", ACCUSED_ABOVE)
def test_as_good_as_perfect_is_more_than_nine_tenths_of_the_way(name: str) -> None:
    test, verdict = ACCUSED_ABOVE[name]
    (found,) = test(known(always(0.91)))
    assert (found.test, found.verdict, found.p) == (name, verdict, 0.0)
    assert names_of(test(known(always(0.89)))) == []
    assert names_of(test(known(always(0.9)))) == []


def test_what_follows_the_truth_stays_at_nine_tenths_of_the_way() -> None:
    assert names_of(metric_tests.diagonal(known(always(0.91)))) == []
    (found,) = metric_tests.diagonal(known(always(0.89)))
    assert (found.test, found.verdict) == ("diagonal", "order_dependent")
    (said,) = metric_tests.diagonal(known(always(0.0), evaluators.recall_of_place))
    assert said.startswith("it is not told what is right")
    by_ids = known(always(0.0), evaluators.pooled_by_id)
    assert names_of(metric_tests.diagonal(by_ids)) == ["diagonal"]


def asked_for(test: Any) -> Inputs:
    """The embeddings that a test asks a metric for."""
    asked = []

    def value(name: str, inputs: Inputs, seed: int = 0) -> float:
        asked.append(inputs)
        return 50.0

    list(test(known(value)))
    (inputs,) = asked
    return inputs


def test_what_each_test_asks_for() -> None:
    """All equal; half of the items near to all; each item asked for once in vain; a new order."""
    np.testing.assert_array_equal(products(asked_for(metric_tests.ties)), np.ones((24, 24)))
    near = products(asked_for(metric_tests.axis))
    places = (near > np.diagonal(near)[:, None]).sum(axis=1)
    assert places.tolist() == [12, 0] * 12
    assert near.argmax(axis=0).tolist() == list(range(24))  # that is how items rank queries
    captions = asked_for(metric_tests.captions)
    scores, right = products(captions), captions.right - 100
    own = scores[np.arange(24), right]
    assert right.tolist() == sorted([*range(12)] * 2)
    above = (scores > own[:, None]).sum(axis=1)
    assert above.tolist() == [0, 11] * 12
    moved = asked_for(metric_tests.diagonal)
    held = products(moved)
    assert moved.gallery_ids[held.argmax(axis=1)].tolist() == moved.right.tolist()
    assert (held.argmax(axis=1) != np.arange(24)).sum() > 12


# By chance


def drawn_from(values: Any, places: Any = (), control: Any = ()) -> tuple[Value, list[str]]:
    """A metric that is at half of the way for known ranks, and these when embeddings are drawn.

    And where each truth stands at a place that is drawn.
    """
    begun: list[str] = []
    left = {"chance": iter(values), "places": iter(places), "control": iter(control)}

    def value(test: str, inputs: Inputs, seed: int = 0) -> float:
        begun.append(test)
        return 20 + 50 * (0.5 if test == "ranks" else next(left[test]))

    return value, begun


def p_of(values: Any) -> float:
    return float(ttest_1samp(values, 0.5, alternative="greater").pvalue)


def with_p(draws: int, p: float, seed: int = 0) -> Any:
    """Values whose mean is so much better than chance."""
    from scipy.stats import t

    drawn = np.random.default_rng(seed).normal(size=draws)
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return 0.5 + 0.1 * (drawn + t.isf(p, draws - 1) / np.sqrt(draws))


LOOKS = {
    "worse than chance": ([0.51], 64),
    "a little better": ([0.49, 0.021], 64 + 256),
    "better, so that it is looked at again": ([0.49, 0.019, 7e-8], 64 + 256 + 1024),
    "better than it may be": ([0.49, 0.019, 6e-8], 64 + 256 + 1024),
}


@named("name", LOOKS)
def test_chance_is_looked_at_again_where_it_may_be_more(name: str) -> None:
    chances, draws = LOOKS[name]
    sizes = (64, 256, 1024)
    values = [with_p(size, p) for size, p in zip(sizes, chances, strict=False)]
    beside = with_p(1024, 0.5, 5), with_p(1024, 1e-20, 6)
    value, begun = drawn_from(np.concatenate(values), *beside)
    found = list(metric_tests.chance(known(value)))
    assert begun.count("ranks") == 24
    assert begun.count("chance") == draws
    if name != "better than it may be":
        assert found == []
        return
    assert [(one.test, one.verdict) for one in found] == [("chance", "leak")]
    assert found[0].p == pytest.approx(6e-8, rel=1e-6) == pytest.approx(p_of(values[2]), rel=1e-6)


@named(("share", "tests"), [(0.5, []), (0.49, []), (0.51, ["chance"])])
def test_a_metric_that_is_the_same_for_all_that_is_drawn(share: float, tests: list[str]) -> None:
    value, begun = drawn_from(*(iter(lambda more=more: share + more, None) for more in (0, -1, 0)))
    assert names_of(metric_tests.chance(known(value))) == tests
    assert begun.count("chance") == (1344 if tests else 64)


@named(("better", "p"), [(0.0, 0.5), (0.006, 0.0875), (0.03, 1e-11)])
def test_a_metric_that_is_no_mean_is_held_beside_places_that_are_drawn(
    better: float, p: float
) -> None:
    """Such as a geometric mean, which of mixed ranks is not the mean of those of each rank."""
    places = with_p(1024, 1e-30, 1)
    value, begun = drawn_from([0.6, 0.61] * 700)
    held = {"places": iter(places), "control": iter(places + better)}

    def beside(test: str, inputs: Inputs, seed: int = 0) -> float:
        if test not in held:
            return value(test, inputs, seed)
        begun.append(test)
        return 20 + 50 * float(next(held[test]))

    (found,) = metric_tests.chance(known(beside))
    assert found.p == pytest.approx(p, rel=0.1) or found.p < p == 1e-11
    assert begun.count("places") == begun.count("control") == 1024


def test_ranks_are_those_of_each_place_once() -> None:
    ranks = []

    def value(test: str, inputs: Inputs, seed: int = 0) -> float:
        if test == "ranks":
            held = products(inputs)
            ranks.append(int((held[0] > held[0, 0]).sum()))
        return 20.0

    list(metric_tests.chance(known(value)))
    assert ranks == list(range(24))


# In another order


def moving(answers: Iterator[tuple[float, float, float]]) -> tuple[Value, list[int]]:
    """A metric that gives so many numbers a trial: at first, again, and in another order."""
    seeds: list[int] = []
    left: list[float] = []

    def value(test: str, inputs: Inputs, seed: int = 0) -> float:
        seeds.append(seed)
        if not left:
            left.extend(next(answers))
        return left.pop(0)

    return value, seeds


def trials(moves: list[bool]) -> Iterator[tuple[float, float, float]]:
    for move in moves:
        yield 1.0, 1.0, 1.0 + move
    while True:
        yield 1.0, 1.0, 1.0


ORDERS = {
    "never": ([], 8, 1.0),
    "in the eighth trial": ([False] * 7 + [True], 64, 0.5),
    "in the ninth trial": ([False] * 8 + [True], 8, 1.0),
    "always": ([True] * 99, 24, 2.0**-24),
    "in 24 of 64": ([True] * 23 + [False] * 40 + [True], 64, 2.0**-24),
    "in 23 of 64": ([True] * 23 + [False] * 41 + [True], 64, 2.0**-23),
}


@named("name", ORDERS)
def test_what_hangs_on_the_order_moves_again_and_again(name: str) -> None:
    moves, expected, p = ORDERS[name]
    value, seeds = moving(trials(moves))
    (found,) = metric_tests.order(known(value))
    assert (found.test, found.verdict, found.p) == ("order", "order_dependent", p)
    assert seeds == [0, 1, 2] * expected


def test_what_moves_by_itself_hangs_on_no_order() -> None:
    value, seeds = moving(iter([(1.0, 1.0, 2.0), (1.0, 2.0, 3.0)]))
    assert list(metric_tests.order(known(value))) == []
    assert len(seeds) == 6


@named(
    ("one", "other", "equal"),
    [
        (1.0, 1.0009, True),
        (1.0, 1.0011, False),
        (1e-5, 1e-5 + 0.9e-6, True),
        (1e-5, 1e-5 + 1.1e-6, False),
        (0.0, 0.9e-6, True),
        (0.0, 1.1e-6, False),
    ],
)
def test_metrics_are_equal_within_rounding(one: float, other: float, equal: bool) -> None:
    assert metric_tests._is_close(one, other) == metric_tests._is_close(other, one) == equal


# What can be tested


@named("width", [5, 32, 80])
@named("n", [24, 70])
def test_at_most_so_many_pairs_as_vectors_have_numbers_are_asked(n: int, width: int) -> None:
    """Short vectors are repeated up to 24; of many pairs 63 are asked."""
    sizes = []

    def recorded(queries: Any, gallery: Any) -> float:
        sizes.append((len(queries), len(gallery), queries.shape[1]))
        return evaluators.recall_of_scores(queries @ gallery.T)

    rng = np.random.default_rng(0)
    queries = rng.normal(size=(n, width))
    assert audit_evaluator(recorded, queries, queries, kind="metric").verdict == "clean"
    # An even number would be whole batches of an evaluator, and not show what it leaves out.
    expected = {(24, 5): 24, (24, 32): 24, (24, 80): 24, (70, 5): 24, (70, 32): 31, (70, 80): 63}[
        n, width
    ]
    assert {*sizes} == {(expected, expected, max(width, 24))}


def test_fewer_than_twenty_four_pairs_are_refused() -> None:
    assert audit_evaluator(evaluators.recall, *pairs(24), kind="metric").verdict == "clean"
    with pytest.raises(ScoresError, match="tested with 24 pairs of vectors"):
        audit_evaluator(evaluators.recall, *pairs(23), kind="metric")


def test_a_metric_that_is_the_same_for_all_ranks_is_named_and_others_are_tested() -> None:
    def several(queries: Any, gallery: Any) -> dict[str, float]:
        nearly = evaluators.optimistic(queries, gallery)
        return {"one": 1.0, "R@1": nearly, "hardly": 1 + 0.9e-9 * nearly, "none": np.nan}

    found = audit_evaluator(several, *pairs(24), kind="metric")
    same = "the same for the best and the worst ranks, not tested"
    assert found.notes[:3] == tuple(f"{name}: {same}" for name in ("one", "hardly", "none"))
    assert (found.verdict, found.sentence[:5]) == ("leak", "R@1: ")
    assert {one.sentence.partition(":")[0] for one in found.findings} == {"R@1"}


def test_the_way_back_is_no_excuse_for_anything_else() -> None:
    """Of a metric that rightly ranks the queries of an item, ties are worth chance all the same."""

    def both(queries: Any, gallery: Any) -> dict[str, float]:
        scores = evaluators.cosine(queries, gallery)
        better = (scores > np.diagonal(scores)).sum(axis=0)
        return {"t2v": evaluators.recall_of_place(queries, gallery), "v2t": (better < 1).mean()}

    found = audit_evaluator(both, *pairs(24), kind="metric")
    assert "v2t: ranks the queries of each item, the way back" in found.notes
    said = [(one.test, one.verdict, one.sentence[:5]) for one in found.findings]
    assert said == [("ties", "leak", "v2t: ")]
