"""How likely each test of an evaluator takes what it sees for chance, and where it accuses."""

from __future__ import annotations

from math import comb, exp, log
from typing import Any

import evaluators
import numpy as np
import pytest
from evaluators import cosine, pairs
from scipy.stats import ttest_1samp

from splitaudit.errors import ScoresError
from splitaudit.evaluation import audit, cases, dependence_tests, truth_tests
from splitaudit.evaluation.audit import audit_evaluator
from splitaudit.evaluation.cases import Case, Finding
from splitaudit.evaluation.differences import Rounding
from splitaudit.evaluation.inputs import Evaluator, Inputs, pair_inputs
from splitaudit.evaluation.relevance import diagonal

named = pytest.mark.parametrize
WITHIN = Rounding(floor=1e-5, share=1e-3)


def inputs_of(n: int) -> Inputs:
    return pair_inputs(*pairs(n), diagonal(n, n), (np.arange(n), np.arange(n)))


def case_of(function: Any, n: int = 20) -> Case:
    evaluator, inputs = Evaluator(function, str), inputs_of(n)
    scores, again = (evaluator.scores("", inputs, seed) for seed in (0, 1))
    return Case(evaluator, inputs, scores, again, np.random.default_rng(0))


# Who accuses


def judged(*p: float) -> Any:
    findings = [
        Finding(f"test {x}", audit.VERDICTS[x], f"sentence {x}", y) for x, y in enumerate(p)
    ]
    return audit._build_audit(findings[::-1], ["a note"], Evaluator(cosine, str), None)


def test_the_fifteenth_part_of_a_millionth_accuses() -> None:
    found = judged(1e-6 / 15 * 1.001)
    assert (found.verdict, found.test, found.findings) == ("clean", None, ())
    assert found.sentence == "no test found that it looks at anything but the query and the item"
    found = judged(1e-6 / 15 * 0.999)
    assert (found.verdict, found.test, found.sentence) == ("leak", "test 0", "sentence 0")
    assert judged(1e-6 / 15).verdict == "clean"


def test_the_gravest_is_said_first() -> None:
    found = judged(0.0, 0.0, 0.0, 0.0)
    order = ["leak", "transductive", "order_dependent", "gallery_dependent"]
    assert [one.verdict for one in found.findings] == order
    assert found.verdict == "leak"
    assert judged(1.0, 1.0, 1e-9, 0.0).verdict == "order_dependent"
    assert judged(1.0, 1.0, 1.0, 0.0).verdict == "gallery_dependent"


def test_what_was_noticed_stands_behind_the_notes() -> None:
    evaluator = Evaluator(cosine, str, wrote=True, not_finite=1234)
    assert audit._build_audit([], ["a note"], evaluator, None).notes == (
        "a note",
        "it writes to its inputs",
        "up to 1,234 of its scores are NaN or infinite",
    )


def test_ties_are_the_share_of_scores_that_are_not_alone() -> None:
    assert audit._tied_share(np.array([[1, 2, 1, 3], [5, 5, 5, 4], [1, 2, 3, 4]])) == 5 / 12


@named(("n", "kept"), [(1_000, 1_000), (1_001, 1_000)])
def test_of_many_pairs_a_thousand_are_asked(n: int, kept: int) -> None:
    rows = np.arange(n, dtype=np.float64)[:, None]
    inputs = Inputs(rows, rows + 0.5, np.arange(n), np.arange(n), np.arange(n))
    found = audit._subsample(inputs, np.random.default_rng(0))
    assert len(found) == kept
    assert found.query_ids.tolist() == sorted({*found.query_ids.tolist()})
    np.testing.assert_array_equal(found.queries + 0.5, found.gallery)


def test_eight_pairs_are_enough() -> None:
    for function, verdict in ((cosine, "clean"), (evaluators.centred_gallery, "gallery_dependent")):
        assert audit_evaluator(function, *pairs(8)).verdict == verdict
    with pytest.raises(ScoresError, match="7 queries with an item of their own: at least 8"):
        audit_evaluator(cosine, *pairs(7))


@named("side", [0, 1])
@named(("distinct", "asked"), [(8, 8), (7, 20)])
def test_copies_are_left_out_where_enough_is_left(distinct: int, asked: int, side: int) -> None:
    sides = pairs(20)
    sides[side][distinct - 1 :] = sides[side][-1]
    inputs = pair_inputs(*sides, diagonal(20, 20), (np.arange(20), np.arange(20)))
    assert len(audit._subsample(inputs, np.random.default_rng(0))) == asked


# Pairs that stand out


@named(
    ("row", "place"),
    [
        ([3, 1, 2, 0], 3.5 / 4),
        ([0, 1, 2, 3], 0.5 / 4),
        ([2, 2, 1, 3], (1 + 2 / 2) / 4),
        ([np.nan, 1, 2, 3], 0.5 / 4),
        ([np.nan, np.nan, -np.inf, 3], (3 / 2) / 4),
        ([0, np.nan, -np.inf, np.inf], (2 + 1 / 2) / 4),
    ],
)
def test_places_of_true_scores_among_all(row: list[float], place: float) -> None:
    """Where the true one is the first of the row, and of the next row the second."""
    scores = np.array([row, np.roll(row, 1), np.eye(4)[2], np.zeros(4)])
    assert truth_tests._diagonal_ranks(scores).tolist() == [place, place, 3.5 / 4, 0.5]


@named(("function", "independent"), [(cosine, 60), (evaluators.first_come, 20)])
def test_first_places_are_by_chance_so_often(function: Any, independent: int) -> None:
    """Chernoff, for exponential numbers; of a score of the place only the places count."""
    case = case_of(function)
    first = np.eye(20)
    mean = log(40)  # 1 less the place is half a twentieth
    expected = exp(-independent * (mean - 1 - log(mean)))
    assert truth_tests._savage_p_value(case, [first] * 3) == pytest.approx(expected)
    assert truth_tests._savage_p_value(case, [-first] * 3) == 1.0
    third = np.eye(20) + 2 * (np.roll(np.eye(20), 1, 1) + np.roll(np.eye(20), 2, 1))
    mean = log(20 / 2.5)
    expected = exp(-20 * (mean - 1 - log(mean)))
    assert truth_tests._savage_p_value(case, [third] * 3) == pytest.approx(
        expected ** (independent / 20)
    )


def test_noise_is_no_score_of_the_place() -> None:
    steady, noisy = case_of(cosine), case_of(evaluators.global_noise)
    by_place = case_of(evaluators.first_come)
    assert [one.is_equivariant for one in (steady, noisy, by_place)] == [True, True, False]
    assert [one.stochastic for one in (steady, noisy, by_place)] == [False, True, False]
    assert [one.ignores_seed for one in (steady, noisy, by_place)] == [False, False, False]


def test_what_pairs_gain_is_told_for_both_pairings() -> None:
    gap = np.arange(9.0).reshape(1, 3, 3)
    orders = [np.array([1, 2, 0]), np.array([2, 0, 1])]
    of_one, of_other = truth_tests._pair_gains(gap, orders)
    assert np.diagonal(of_one).tolist() == [gap[0, 0, 1], gap[0, 1, 2], gap[0, 2, 0]]
    assert np.diagonal(of_other).tolist() == [-gap[0, 0, 2], -gap[0, 1, 0], -gap[0, 2, 1]]


def test_true_pairs_that_move_with_the_order_are_not_counted() -> None:
    """Ten of four hundred moved, all of them true pairs."""
    case = case_of(cosine)
    apart = case.scores + np.diag([1.0] * 10 + [0.0] * 10)
    chance = comb(20, 10) / comb(400, 10)
    assert truth_tests._truth_p_value(case, apart) == pytest.approx(chance)
    assert truth_tests._truth_p_value(case_of(evaluators.first_come), apart) == 1.0


# Partners that are replaced


@named("n", [20, 21])
def test_halves_are_drawn_and_the_first_leave_the_second(n: int) -> None:
    halves = truth_tests._random_halves(n, np.random.default_rng(0))
    assert halves.shape == (46, n)
    assert [half.sum() for half in halves] == [n // 2, n - n // 2] * 2 + [n // 2] * 42
    for trial in range(45):
        assert (halves[trial] != halves[trial + 1]).all() == (trial in (0, 2))


@named("n", [8, 21])
def test_what_is_exchanged_stands_elsewhere_and_all_else_stays(n: int) -> None:
    rng = np.random.default_rng(0)
    for half in truth_tests._random_halves(n, rng):
        rows = truth_tests._permute_half(half, rng)
        assert ((rows != np.arange(n)) == half).all()
        assert sorted(rows) == list(range(n))


def test_one_of_a_thousand_moves_most_with_its_partner_by_chance() -> None:
    halves = truth_tests._random_halves(1_000, np.random.default_rng(0))
    counts = halves.sum(axis=0)
    expected = [1 / (4 * comb(42, int(count) - 2)) for count in counts]
    np.testing.assert_allclose(truth_tests._chance_per_column(halves), expected)
    assert 1e-10 < sum(expected) < 1e-8


def followed(columns: int, n: int = 20) -> tuple[Any, Any]:
    """Halves, and movements in which so many columns follow their partner, all others never."""
    halves = truth_tests._random_halves(n, np.random.default_rng(0))
    return halves, np.where(halves, 1.0, 0.5) * (np.arange(n) < columns)


WORDS = ("items", "queries", "query")


@named(("columns", "share"), [(1, "5%"), (7, "35%"), (20, "100%")])
def test_columns_that_move_most_with_their_partner_are_a_leak(columns: int, share: str) -> None:
    halves, far = followed(columns)
    found = truth_tests._coupling_finding(WORDS, halves, far)
    more = [row[half].mean() - row[~half].mean() for half, row in zip(halves, far, strict=True)]
    by_test = 1.0 if columns == 20 else ttest_1samp(more, 0.0, alternative="greater").pvalue
    assert found.p == pytest.approx(min(truth_tests._chance_per_column(halves).sum(), by_test))
    assert (found.test, found.verdict) == ("coupling", "leak")
    assert found.sentence.startswith(
        f"the scores of {share} of the items, with all queries, change"
    )
    assert "when the query that is their own is replaced" in found.sentence


def test_columns_that_move_as_much_with_others_are_none() -> None:
    """In one of forty trials the partner moved it as far as another did."""
    halves, far = followed(1)
    trial = np.flatnonzero(halves[:, 0])[0]
    far[trial, 0] = 0.5
    p = truth_tests._coupling_finding(WORDS, halves, far).p
    assert p == pytest.approx(truth_tests._partner_t_test(halves, far))
    assert p > truth_tests._chance_per_column(halves).sum()
    assert truth_tests._coupling_finding(WORDS, halves, np.ones(far.shape)).p == 1.0
    assert truth_tests._coupling_finding(WORDS, halves, np.zeros(far.shape)).p == 1.0


def test_how_far_columns_move() -> None:
    """To or from what is no number is one; within rounding is nothing."""
    base = np.zeros((4, 5))
    found = base.copy()
    found[0, 0], found[1, 0] = 0.2, -0.4
    found[0, 1] = np.nan
    found[:2, 2] = np.inf, -np.inf
    found[:, 3] = 0.9e-5
    found[3, 4] = 1.1e-5
    expected = [0.6 / 4, 1 / 4, 2 / 4, 0, 1.1e-5 / 4]
    np.testing.assert_allclose(truth_tests._column_movement(found, base, WITHIN), expected)
    np.testing.assert_allclose(truth_tests._column_movement(base, found, WITHIN), expected)


# Equal items


def ahead(first: int, by: float, tied: int = 0) -> Any:
    """Scores of equal items in which so many true ones are ahead, further ones beside another."""
    scores = np.zeros((20, 20))
    scores[np.arange(first), np.arange(first)] = by
    for row in range(first, first + tied):
        scores[row, [row, row - 1]] = by
    return scores


def at_least(hits: int) -> float:
    """Chance that so many of twenty are first of twenty."""
    return sum(comb(20, k) * 0.05**k * 0.95 ** (20 - k) for k in range(hits, 21))


@named(("first", "tied"), [(0, 0), (1, 0), (6, 0), (20, 0), (6, 9)])
def test_the_right_one_of_equal_items_is_first_by_chance_so_often(first: int, tied: int) -> None:
    found, large = truth_tests._top_rank_test(ahead(first, 1.0, tied), WITHIN)
    assert found == pytest.approx(at_least(first))
    assert large == (first > 0)


@named(("by", "large"), [(0.9e-5, False), (1.1e-5, True)])
def test_it_is_ahead_by_more_than_rounding(by: float, large: bool) -> None:
    assert truth_tests._top_rank_test(ahead(9, by), WITHIN) == (pytest.approx(at_least(9)), large)


@named(("far", "large"), [(5, False), (6, True)])
def test_more_than_half_of_those_ahead_are_so_by_more_than_rounding(far: int, large: bool) -> None:
    assert (
        truth_tests._top_rank_test(np.maximum(ahead(10, 1e-6), ahead(far, 1.0)), WITHIN)[1] == large
    )


# Comparisons


@named(("above", "by_place"), [(15, False), (16, True)])
@named("sign", [1, -1])
def test_one_place_scores_higher_than_another(above: int, by_place: bool, sign: int) -> None:
    """Three quarters one way are half of them more; a gap that is no number is none."""
    gap = sign * np.array([[1.0] * above + [-1.0] * (20 - above) + [np.nan, np.inf, np.inf]])
    assert dependence_tests._is_one_sided(gap) == by_place
    assert not dependence_tests._is_one_sided(np.full((2, 2), np.nan))
    assert not dependence_tests._is_one_sided(np.zeros((9, 9)))


@named("n", [8, 9, 60])
def test_half_stays_and_the_others_are_copies_of_some_of_it(n: int) -> None:
    for seed in range(5):
        kept, rows = dependence_tests._copy_half(n, np.random.default_rng(seed))
        assert kept.sum() == n - n // 2
        assert (rows[kept] == np.flatnonzero(kept)).all()
        assert kept[rows].all()
        copied = {*rows[~kept].tolist()}
        assert len(copied) <= max(1, (n - n // 2) // 2)
        assert len(copied) > (7 if n == 60 else 0)


@named(("n", "expected"), [(8, 6), (9, 6), (60, 40)])
def test_two_thirds_of_the_items_are_kept(n: int, expected: int) -> None:
    shapes = []

    def asked(queries: Any, gallery: Any) -> Any:
        shapes.append((len(queries), len(gallery)))
        return cosine(queries, gallery)

    case = case_of(asked, n)
    assert case.permutation_p_value == 1.0
    del shapes[:]
    (found,) = dependence_tests.rectangular(case)
    assert shapes == [(n, expected)]
    assert (found.test, found.verdict, found.p) == ("rectangular", "gallery_dependent", 1.0)


def test_power_is_the_mean_square_of_what_is_finite() -> None:
    assert cases._mean_square(np.array([[3.0, -1.0], [np.nan, np.inf]])) == 5.0
    assert cases._mean_square(np.array([[np.nan]])) == 0.0


def favourite(queries: Any, gallery: Any) -> Any:
    """60 % of the scores of one text are a little more, the more texts are like it."""
    scores = cosine(queries, gallery)
    liked = np.argmax(queries[:, 0])
    much = np.argsort(np.argsort(gallery[:, 0, 0])) < 0.6 * len(gallery)
    scores[liked, much] += 2e-3 * np.abs(queries[:, 1]).mean()
    return scores


def test_an_evaluator_that_moves_most_of_one_row_is_found() -> None:
    """Of a hundred rows; 0.6 % of all scores move, none of them far."""
    found = audit_evaluator(favourite, *pairs(200))
    assert (found.verdict, found.test) == ("transductive", "substitution"), found.findings


# Which tests accuse whom


def bonus_and_noise(queries: Any, gallery: Any) -> Any:
    """Only what pairs gain tells, since all moves."""
    return evaluators.global_noise(queries, gallery) + 0.1 * np.eye(len(queries), len(gallery))


FOUND_BY = {
    bonus_and_noise: {
        "pairing": "leak",
        "chance": "leak",
        "equals": "leak",
        "rectangular": "gallery_dependent",
    },
    evaluators.bonus_for_few: {"pairing": "leak"},
    evaluators.bonus: {
        "pairing": "leak",
        "equals": "order_dependent",
        "rectangular": "gallery_dependent",
    },
    evaluators.hair: {"equals": "leak"},
    evaluators.high_wrong_ones_left_out: {"pairing": "leak", "rectangular": "gallery_dependent"},
    evaluators.bonus_for_relevance: {"labels": "leak", "equals": "order_dependent"},
    evaluators.asked_by_own_for_some: {
        "coupling": "leak",
        "equivariance": "order_dependent",
        "gallery": "gallery_dependent",
    },
    evaluators.pooled_by_own_for_some: {
        "coupling": "leak",
        "substitution": "transductive",
        "equivariance": "order_dependent",
    },
    evaluators.pooled_by_id: {
        "coupling": "leak",
        "labels": "leak",
        "chance": "leak",
        "substitution": "transductive",
        "single": "transductive",
    },
    evaluators.dual_softmax: {"substitution": "transductive", "single": "transductive"},
    evaluators.dual_softmax_in_batches: {
        "substitution": "transductive",
        "equivariance": "order_dependent",
    },
    evaluators.ten_best: {"gallery": "gallery_dependent", "rectangular": "gallery_dependent"},
    evaluators.noise_by_place: {"equivariance": "order_dependent"},
    evaluators.first_come: {"equivariance": "order_dependent", "twins": "order_dependent"},
}


@named("function", FOUND_BY, ids=lambda function: function.__name__)
def test_each_fault_is_found_by_the_tests_that_are_for_it(function: Any) -> None:
    found = audit_evaluator(function, *pairs())
    assert {one.test: one.verdict for one in found.findings} == FOUND_BY[function]
    assert all(one.p <= 2.0**-24 for one in found.findings)


def test_no_embeddings_are_drawn_where_words_are_numbers() -> None:
    table = np.random.default_rng(0).normal(size=(40, evaluators.WIDTH))
    texts = np.random.default_rng(1).integers(0, 40, (30, 3))
    begun: list[str] = []

    def of_words(queries: Any, gallery: Any) -> Any:
        assert queries.min() >= 0
        return cosine(table[queries].mean(axis=1), gallery)

    found = audit_evaluator(of_words, texts, pairs(30)[1], begun=begun.append)
    assert found.verdict == "clean"
    assert "chance" not in begun


@named("n", [100, 1_000])
def test_a_single_follower_is_beyond_chance_however_many_there_are(n: int) -> None:
    """A partner that is seldom replaced is followed by luck the sooner; the t-test has no say."""
    for seed in range(30):
        halves = truth_tests._random_halves(n, np.random.default_rng(seed))
        far = np.zeros(halves.shape)
        far[:, 7] = np.where(halves[:, 7], 1.0, 0.999)
        found = truth_tests._coupling_finding(("items", "queries", "query"), halves, far)
        assert found.p < cases.ALPHA
