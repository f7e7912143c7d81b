"""Queries with ties and without: each counts once, or the metric is accused by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from evaluators import cosine, pairs, places
from scipy.stats import rankdata

from splitaudit.evaluation import tie_tests
from splitaudit.evaluation.audit import audit_evaluator

named = pytest.mark.parametrize


def measure(found: Any) -> dict[str, float]:
    found = np.asarray(found, float)
    return {f"R{k}": (found < k).mean() for k in (1, 5)} | {"MeanR": found.mean() + 1}


def own(scores: Any) -> Any:
    return np.diagonal(scores)[:, None]


def pooled(scores: Any) -> Any:
    """Every place at which the truth could stand."""
    return np.where(np.sort(-scores, axis=1) == -own(scores))[1]


def middle(scores: Any) -> Any:
    return places(scores, np.arange(len(scores)))


def drawn_order(scores: Any) -> Any:
    order = np.lexsort([np.random.default_rng(3).random(scores.shape), -scores], axis=1)
    return measure((order == np.arange(len(order))[:, None]).argmax(axis=1))


def loss(scores: Any) -> Any:
    raised = np.exp(20 * scores)
    return {"loss": -np.log(np.diagonal(raised) / raised.sum(axis=1)).mean()}


def recalls_joined(scores: Any) -> Any:
    return np.cbrt(np.prod([(middle(scores) < k).mean() for k in (1, 5, 10)]))


HONEST = {
    "pessimistic": lambda scores: measure((scores >= own(scores)).sum(axis=1) - 1),
    "in the middle": lambda scores: measure(middle(scores)),
    "an order that is drawn": drawn_order,
    "in half precision, rounded": lambda scores: {
        name: round(float(value), 2)
        for name, value in measure(middle(scores.astype(np.float16))).items()
    },
    "reciprocals": lambda scores: (1 / (1 + middle(scores))).mean(),
    "geometric mean of ranks": lambda scores: np.exp(np.log(1 + middle(scores)).mean()),
    "geometric mean of recalls": recalls_joined,
    "one through the mean rank": lambda scores: 1 / (1 + middle(scores).mean()),
    "median": lambda scores: np.median(middle(scores)),
    "a loss, which looks at scores": loss,
}

SEVERAL, LESS = tie_tests.SEVERAL, tie_tests.LESS
FAULTS = {
    "each place is counted": (lambda scores: measure(pooled(scores)), SEVERAL),
    "of the median": (lambda scores: np.median(pooled(scores)), SEVERAL),
    "of reciprocals": (lambda scores: (1 / (1 + pooled(scores))).mean(), SEVERAL),
    "each place within the first five": (
        lambda scores: (pooled(scores) < 5).sum() / len(scores),
        SEVERAL,
    ),
    "left out": (
        lambda scores: measure(middle(scores)[(scores == own(scores)).sum(axis=1) == 1]),
        LESS,
    ),
    "worth less": (
        lambda scores: np.average(middle(scores), weights=1 / (scores == own(scores)).sum(axis=1)),
        LESS,
    ),
    "each better score once": (
        lambda scores: np.diagonal(rankdata(-scores, "dense", axis=1)).mean(),
        tie_tests.TOGETHER,
    ),
}  # fmt: skip


def audit(of_scores: Any, n: int, turned: bool = False) -> Any:
    def metric(queries: Any, gallery: Any) -> Any:
        scores = cosine(queries, gallery)
        return of_scores(scores.T if turned else scores)

    return audit_evaluator(metric, *pairs(n), kind="metric")


@named("n", [24, 33])
@named("name", HONEST)
def test_whatever_is_done_with_a_tie_is_no_fault(name: str, n: int) -> None:
    found = audit(HONEST[name], n)
    assert found.verdict == "clean", found.findings


@named("n", [24, 33, 60])
@named("name", FAULTS)
def test_queries_that_count_otherwise_by_their_ties_are_a_fault(name: str, n: int) -> None:
    of_scores, said = FAULTS[name]
    found = audit(of_scores, n)
    assert found.verdict == "leak"
    sentences = [one.sentence for one in found.findings if one.test == "mixed ties"]
    assert sentences, found.findings
    assert all(said in sentence for sentence in sentences), sentences


def test_values_are_said_as_they_are() -> None:
    """12 queries of 24 of one place, where 8 of them have six each."""
    found = audit(lambda scores: measure(pooled(scores)), 24)
    assert found.sentence == (
        "R1: a query with ties counts several times: it gives 0.375 where every order of the "
        "equal items gives 0.667 to 1"
    )


@named("name", [name for name in FAULTS if name != "each better score once"])
def test_the_way_back_counts_each_item_once_too(name: str) -> None:
    of_scores, said = FAULTS[name]
    found = audit(of_scores, 33, turned=True)
    assert any(one.test == "mixed ties" and said in one.sentence for one in found.findings)
    assert not any(
        one.test == "mixed ties" for one in audit(HONEST["pessimistic"], 33, turned=True).findings
    )


# What is drawn, and from which value on it accuses


def test_ties_are_of_few_and_of_many_queries() -> None:
    made = tie_tests.design_ties(24)
    sizes = [sorted({*one.size.tolist()}) for one in made]
    assert sizes[:-1] == [[6], [6], [1, 6], [1, 6], [1, 6], [1, 6], [1, 2]]
    assert len(sizes[-1]) > 3
    assert [int((one.size > 1).sum()) for one in made] == [24, 24, 8, 16, 8, 16, 8, 12]
    for one in made:
        assert (one.first + one.size <= 24).all()
    ends = [[{*one.truth_at(end)[one.size > 1].tolist()} for end in (0, 1)] for one in made[:7]]
    assert ends == [[{5}, {0}], [{6}] * 2, *[[{5}, {0}]] * 2, *[[{23}, {18}]] * 2, [{1}, {0}]]
    assert [{*one.place[one.size == 1].tolist()} for one in made[2:7]] == [{0}] * 4 + [{23}]


@named(
    ("values", "said"),
    [
        ([[0.48, 0.5, 0.7]] * 4, "worse"),
        ([[0.495, 0.5, 0.7]] * 4, ""),
        ([[0.72, 0.5, 0.7]] * 4, "better"),
        ([[0.705, 0.5, 0.7]] * 4, ""),
        ([[0.48, 0.5, 0.7]] * 3 + [[0.51, 0.5, 0.7]], ""),
        ([[0.4, 0.5, 0.7]] * 3 + [[0.4, 0.52, 0.7]], "worse"),
        ([[0.4, 0.5, 0.7]] * 3 + [[0.4, 0.6, 0.7]], ""),
        ([[0.4, 0.5, 0.7]] * 3 + [[0.4, 0.5, 0.8]], ""),
        ([[np.nan, 0.5, 0.7]] * 4, ""),
    ],
)
def test_all_draws_must_say_so_by_more_than_what_else_moves(values: Any, said: str) -> None:
    none = np.zeros(1, int)
    ties = tie_tests.Ties(none, none, none, "better", "worse")
    assert tie_tests._judge(np.array(values), ties) == said
