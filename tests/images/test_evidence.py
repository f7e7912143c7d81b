"""What blocks of two photographs say, on both sides of every number that decides."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.images.verify.photographs.evidence import NO_EVIDENCE, is_informative, weigh

Array = np.ndarray
NOTHING = np.zeros((0, 8))


def block(
    here: float = 0.9,
    mine: float = 100.0,
    its: float | None = None,
    there: float | None = None,
    off: tuple[float, float] = (0.0, 0.0),
) -> list[float]:
    """A block: how alike at its place and beside it, the power of both, and how far beside."""
    other, best = mine if its is None else its, here if there is None else there
    return [0.0, 0.0, here, best, mine, other, *off]


def picture(*some: list[float], n: int = 10, here: float = 0.9) -> Array:
    """Some blocks and, up to n, others that are alike."""
    return np.array([*some, *[block(here)] * (n - len(some))])


def against(score: float, alike: float = 0.9) -> float:
    """What was taken off the logarithm of the score."""
    return float(-np.log(score / alike))


def fine(*some: list[float], **others: float) -> float:
    """What some blocks of the first level take off."""
    found = weigh(picture(*some, **others), NOTHING)  # type: ignore[arg-type]
    return against(found.score, others.get("here", 0.9))


def test_six_blocks_prove_and_five_do_not():
    assert weigh(picture(n=6), NOTHING) == pytest.approx((0.9, 0.9))
    assert weigh(picture(n=5), NOTHING) == NO_EVIDENCE
    dull = [block(1.0, 4.0)] * 20
    assert weigh(picture(*dull, n=25), picture(n=20)) == NO_EVIDENCE


def test_less_of_the_two_levels_counts_where_both_tell():
    for coarse, score in ((0.95, 0.9), (0.88, 0.88)):
        found = weigh(picture(), picture(n=6, here=coarse))
        assert found.score == pytest.approx(score)
    assert weigh(picture(), picture(n=5, here=0.88)).score == pytest.approx(0.9)
    dull = [block(1.0, 0.1)] * 20
    assert (
        weigh(picture(*dull, n=30, here=-0.4), NOTHING) == NO_EVIDENCE
    )  # and no less than nothing


def test_a_block_tells_that_has_four_times_the_typical_residual():
    powers = [4.0, 4.1]
    assert is_informative(np.array([block(1.0, power) for power in powers])).tolist() == [
        False,
        True,
    ]
    two = np.sqrt(0.98)  # of a power of 100 a residual of 2
    noisy = [block(two) for _ in range(7)]
    found = is_informative(np.array([*noisy, block(1.0, 7.9), block(1.0, 8.1)]))
    assert found.tolist() == [True] * 7 + [False, True]
    assert not is_informative(np.array([block(-1.0)] * 6)).any()  # all of it is left over


def test_powers_are_compared_by_blocks_that_are_alike():
    """The second picture has a quarter of the power, which three blocks above 0.6 show."""
    dull = [block(0.3, 0.1)] * 20
    shown = [block(0.61, 40.0, 10.0)] * 3 + [block(0.59, 40.0, 40.0)] * 4
    assert is_informative(np.array([block(0.3, 3.0, 1.1), *shown, *dull]))[0]
    assert not is_informative(np.array([block(0.3, 3.0, 0.9), *shown, *dull]))[0]
    assert not is_informative(np.array([block(0.3, 3.0, 1.1), *shown[3:], *dull]))[0]


def test_a_power_of_next_to_nothing_is_taken_for_a_little():
    """At most 10 / 0.05 times as much."""
    shown = [block(1.0, 10.0, 0.01)] * 6
    found = is_informative(np.array([*shown, block(0.3, 1.0, 0.021), block(0.3, 1.0, 0.019)]))
    assert found[-2:].tolist() == [True, False]


@pytest.mark.parametrize(("here", "expected"), [(0.5, 0.0), (0.49, 0.2)])
def test_a_block_contradicts_that_is_unlike(here, expected):
    assert fine(block(here)) == pytest.approx(expected)


def test_blocks_exchanged_count_more_than_those_that_contradict():
    gone, come = block(0.3, 100.0, 60.0), block(0.3, 60.0, 100.0)
    assert fine(gone, gone) == pytest.approx(2 * 0.2)
    assert fine(come, come) == pytest.approx(2 * 0.2)
    assert fine(gone, come) == pytest.approx(2 * 0.2 + 10 * 0.2)
    assert fine(gone, gone, come) == pytest.approx(2 * 0.3 + 10 * 0.2)
    assert fine(gone, gone, come, come, n=20) == pytest.approx(2 * 0.2 + 10 * 0.2)
    # Those that tell nothing do not count, neither here nor there.
    assert fine(gone, come, *[block(0.3, 60.0)] * 3, n=13) == pytest.approx(2 * 0.2 + 10 * 0.2)


def test_what_contradicts_at_either_level_counts_once():
    gone = block(0.3, 100.0, 60.0)
    found = weigh(picture(gone), picture(gone, gone))
    assert against(found.score) == pytest.approx(2 * 0.2)
    assert against(weigh(picture(gone, gone), picture()).score) == pytest.approx(2 * 0.2)


@pytest.mark.parametrize(("residual", "expected"), [(35.5, 0.0), (36.4, 0.3)])
def test_blocks_that_have_gone_and_come_are_told_by_six_residuals(residual, expected):
    """To expect are 4, the least, and the share that is left of strong detail: 2 of 100."""
    here = np.sqrt(1 - residual / 100)
    gone, come = block(here, 100.0, 99.0), block(here, 99.9, 100.0)
    assert fine(gone, come, here=0.99, n=20) == pytest.approx(expected)


@pytest.mark.parametrize(("power", "expected"), [(32.0, 0.0), (32.1, 0.3)])
def test_six_residuals_themselves_are_no_change(power, expected):
    """Where all else is equal, 6 times 4 are not enough, of which 3 in 4 are left over."""
    gone, come = block(0.5, power, power - 0.01), block(0.5, power - 0.01, power)
    assert fine(gone, come, here=1.0, n=20) == pytest.approx(expected)


@pytest.mark.parametrize(("left", "expected"), [(0.29, 0.0), (0.31, 0.3)])
def test_blocks_that_have_gone_and_come_differ_by_a_share(left, expected):
    here = np.sqrt(1 - left)
    gone, come = block(here, 200.0, 198.0), block(here, 198.0, 200.0)
    assert fine(gone, come, here=0.99, n=20) == pytest.approx(expected)


def test_as_many_count_as_have_gone_and_come():
    gone, come = block(0.5, 100.0, 99.0), block(0.5, 99.0, 100.0)
    assert fine(*[gone] * 4, come, here=0.99, n=40) == pytest.approx(0.3 * 2)
    assert fine(*[gone] * 4, here=0.99, n=40) == pytest.approx(0)


@pytest.mark.parametrize(("weak", "changed"), [(8, True), (7, False)])
def test_what_compression_leaves_is_told_by_the_strongest_third(weak, changed):
    """Of weak blocks a fifth is left, of the four strong ones a fiftieth or a fifth."""
    strong = [block(0.99, 200.0)] * 4 if changed else [block(0.9, 200.0)] * 5
    last = block(0.7, 150.0, 149.0), block(0.7, 149.0, 150.0)
    rows = [block(0.9, 20.0)] * weak
    found = weigh(np.array([*rows, *strong, *last]), NOTHING)
    assert against(found.score) == pytest.approx(0.3 if changed else 0.0)


@pytest.mark.parametrize(("n", "expected"), [(5, 0.0), (6, 6 / 6), (12, 6 / 12)])
def test_what_has_only_gone_or_only_come_counts_at_half_the_size(n, expected):
    for side in ((100.0, 99.0), (99.0, 100.0)):
        coarse = picture(block(0.5, *side), n=n, here=0.99)
        found = weigh(picture(here=0.99), coarse)
        assert against(found.score, 0.99) == pytest.approx(expected)
    both = [block(0.5, 100.0, 99.0), block(0.5, 99.0, 100.0)]
    found = weigh(picture(here=0.99), picture(*both, n=12, here=0.99))
    assert found.score == pytest.approx(0.99)


MOVED = {
    "far enough": (block(0.7, there=0.9, off=(0.31, 0)), 1),
    "not far": (block(0.7, there=0.9, off=(0.29, 0)), 0),
    "far both ways": (block(0.7, there=0.9, off=(0.25, -0.25)), 1),
    "half of what is left": (block(0.7, there=0.86, off=(1, 0)), 1),
    "more than half": (block(0.7, there=0.84, off=(1, 0)), 0),
    "gained": (block(0.93, there=0.966, off=(1, 0)), 1),
    "hardly gained": (block(0.95, there=0.978, off=(1, 0)), 0),
    "weak in one of them": (block(0.7, 100.0, 75.0, there=0.9, off=(1, 0)), 0),
    "strong in both": (block(0.7, 100.0, 77.0, there=0.9, off=(1, 0)), 1),
}


@pytest.mark.parametrize("name", MOVED)
def test_a_block_has_moved_that_is_clearer_beside_its_place(name):
    moved, count = MOVED[name]
    found = weigh(picture(moved), NOTHING)
    assert found.in_place == pytest.approx(0.9)
    both = 9 if name == "weak in one of them" else 10
    assert found.score == pytest.approx(0.9 * np.exp(-8 * count / both))


@pytest.mark.parametrize(("there", "moved"), [(0.6, 0), (0.61, 1)])
def test_a_block_has_moved_only_where_it_is_alike(there, moved):
    found = weigh(picture(block(0.1, there=there, off=(1, 0))), NOTHING)
    assert found.in_place == pytest.approx(0.9 * np.exp(-2 * 0.1))
    assert found.score == pytest.approx(found.in_place * np.exp(-8 * moved / 10))


def test_of_few_blocks_none_is_a_large_share():
    moved = block(0.7, there=0.9, off=(1, 0))
    found = weigh(picture(moved, *[block(0.9, 100.0, 50.0)] * 3, n=7), NOTHING)
    assert found.score == pytest.approx(0.9 * np.exp(-8 / 6))
