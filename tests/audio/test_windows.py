"""Short windows find the pieces of a copy; how well they fit by chance is known."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from splitaudit.audio.verify import whitening, windows
from splitaudit.audio.verify.spectrograms import Line
from splitaudit.audio.verify.windows import BIN, SEARCH_LAGS, WINDOW, Fits
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE

WHITE = whitening.whiten(sounds.speech_like(2, 6.0))
OTHER = whitening.whiten(sounds.speech_like(5, 6.0))
STARTS = np.arange(RATE, 4 * RATE, WINDOW)


def line(late_s: float = 0.0, pitch: float = 1.0) -> Line:
    return Line(2.0, (2.0 + late_s) / pitch, pitch, pitch)


@pytest.mark.parametrize("late", [-300, 0, 7, 400])
def test_windows_of_a_late_copy_say_so(late: int) -> None:
    copy = np.pad(WHITE, (500, 0))
    lag, height = windows.compare(WHITE, copy, line((500 - late) / RATE), STARTS, 480).best(480)
    assert (np.abs(lag - late) < 0.1).mean() > 0.95
    assert np.median(height) == pytest.approx(1, abs=0.05)  # resampled at the edges of a band


def test_no_correlation_exceeds_that_of_equal_windows() -> None:
    burst = WHITE * np.where(np.arange(len(WHITE)) // 4000 % 2, 1, 0.001).astype(np.float32)
    found = windows.compare(WHITE, burst, line(), STARTS, SEARCH_LAGS)
    assert np.abs(found.correlation).max() <= 1.001


def test_windows_reach_beyond_both_ends() -> None:
    found = windows.compare(WHITE, WHITE[: 2 * RATE], line(), STARTS, 480)
    assert np.isfinite(found.correlation).all()
    assert found.a.shape == (len(STARTS), WINDOW)
    past = windows.compare(WHITE, WHITE, line(-9.0), STARTS, 480)
    assert not past.correlation.any()


@pytest.mark.parametrize("share", [-0.002, 0.0, 0.0005, 0.002])
def test_what_is_left_of_a_change_of_pitch_is_measured(share: float) -> None:
    slow = soxr.resample(WHITE, 1.0, 1 + share)
    found = windows.compare(
        WHITE, slow, Line(2.0, 2.0 * (1 + share), 1 / (1 + share), 1), STARTS, SEARCH_LAGS
    )
    assert windows.drift(found, 480) == pytest.approx(share, abs=1e-4)


def test_a_copy_stands_out_and_another_sound_does_not() -> None:
    copy = windows.pool_heights(windows.compare(WHITE, WHITE, line(), STARTS, SEARCH_LAGS))
    other = windows.pool_heights(windows.compare(WHITE, OTHER, line(), STARTS, SEARCH_LAGS))
    assert windows.sharpness(copy) > 0.9
    assert windows.sharpness(other) < 0.3
    assert windows.has_clear_peak(copy)


def heights(best: float, rival: float, rest: float, n: int = 40) -> np.ndarray:
    """Windows that fit so well at the proposed line, at one other, and at the rest."""
    table = np.full((n, 125), rest, np.float32)
    table[:, 62], table[:, 100] = best, rival
    return table


def test_the_score_is_what_a_rival_leaves() -> None:
    assert windows.sharpness(heights(0.9, 0.1, 0.1)) == pytest.approx(1)
    assert windows.sharpness(heights(0.9, 0.5, 0.1)) == pytest.approx(0.5)
    assert windows.sharpness(heights(0.9, 0.9, 0.1)) == pytest.approx(0, abs=1e-6)
    assert windows.sharpness(heights(0.1, 0.1, 0.1)) == 0


def test_what_fits_everywhere_is_not_chance() -> None:
    assert windows.sharpness(heights(0.95, 0.75, 0.75)) < 0.3


def test_few_windows_that_differ_prove_little() -> None:
    table = heights(0.3, 0.12, 0.1, n=8)
    table[::2, 62] = 0.1
    assert windows.sharpness(table) == 0
    assert windows.sharpness(np.tile(table, (20, 1))) > 0.5


def test_neighbours_agree_where_pieces_are_long() -> None:
    starts = WINDOW * np.arange(12)
    none = np.zeros((12, 125), np.float32)
    pieces = np.repeat([10.0, 90.0, 170.0], 4)
    assert windows.agreeing_share(Fits(none, pieces, starts)) == 1
    assert windows.agreeing_share(Fits(none, 50.0 * np.arange(12), starts)) == 0
    assert windows.agreeing_share(Fits(none, pieces, 2 * starts)) == 0  # not neighbours
    assert windows.agreeing_share(Fits(none, np.repeat([0.0, 9, 20, 31, 44, 55], 2), starts)) == 1


def test_blocks_are_joined_in_order() -> None:
    one = Fits(heights(1, 0, 0, 2), np.array([1.0, 2.0]), np.array([0, BIN]))
    both = windows.merge_fits([one, one])
    assert both.places.tolist() == [1, 2, 1, 2]
    assert both.heights.shape == (4, 125)


def table(*heights: tuple[int, float], rest: float = 0.1, n: int = 40) -> np.ndarray:
    """Windows that fit so well at some lines, counted from the proposed one, and at the rest."""
    out = np.full((n, 125), rest, np.float32)
    for line_, height in heights:
        out[:, 62 + line_] = height
    return out


@pytest.mark.parametrize(
    ("best", "rival", "score"),
    [
        ((4, 0.9), (12, 0.5), 0.5),
        ((4, 0.9), (11, 0.5), 1.0),
        ((-4, 0.9), (-12, 0.5), 0.5),
        ((-4, 0.9), (-11, 0.5), 1.0),
        ((5, 0.9), (-20, 0.5), 0.0),  # too far from the proposed one, it is the rival
        ((-5, 0.9), (20, 0.5), 0.0),
    ],
)
def test_the_best_line_lies_near_and_its_rival_apart(
    best: tuple[int, float], rival: tuple[int, float], score: float
) -> None:
    assert windows.sharpness(table(best, rival)) == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize(
    ("rest", "score"), [(0.0, 4 / 9), (0.14, 1 - 0.36 / 0.76), (0.15, 1 - 0.35 / 0.75)]
)
def test_chance_is_what_most_lines_have(rest: float, score: float) -> None:
    assert windows.sharpness(table((0, 0.9), (30, 0.5), rest=rest)) == pytest.approx(score, 1e-4)


def test_lines_that_nothing_fits_are_no_chance() -> None:
    some = table((0, 0.9), (30, 0.5))
    some[:, :40] = 0.0
    assert windows.sharpness(some) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("rest", [0.16, 0.2])
def test_chance_is_0_15_at_most(rest: float) -> None:
    found = windows.sharpness(table((0, 0.9), (30, 0.5), rest=rest))
    assert found == pytest.approx(1 - 0.35 / 0.75, abs=1e-4)


@pytest.mark.parametrize(("n", "above"), [(64, 0.6), (256, 0.7)])
def test_a_mean_may_be_four_standard_errors_too_high(n: int, above: float) -> None:
    """Of 0.9 beside a chance of 0.1, where windows deviate by 0.4."""
    uneven = table((0, 1.3), (30, 0.4), n=n)
    uneven[::2, 62] = 0.5
    assert windows.sharpness(uneven) == pytest.approx(1 - 0.3 / above, abs=1e-4)


@pytest.mark.parametrize(
    ("peak", "rival", "blurred", "clear"),
    [
        (0.101, 0.01, None, True),
        (0.099, 0.01, None, False),
        (0.5, 0.44, None, True),
        (0.5, 0.46, None, False),
        (0.5, 0.46, 1.0, True),
        (0.5, 0.39, 0.8, True),
        (0.5, 0.41, 0.8, False),
    ],
)
def test_windows_know_their_line(
    peak: float, rival: float, blurred: float | None, clear: bool
) -> None:
    """They correlate by 0.1, and fit no other line 0.9 times as well, or as is asked."""
    asked = () if blurred is None else (blurred,)
    assert windows.has_clear_peak(table((3, peak), (40, rival), rest=0.0), *asked) == clear


def with_correlation(*spikes: tuple[int, float]) -> windows.Windows:
    """One window that correlates at some lags."""
    correlation = np.zeros((1, 2 * SEARCH_LAGS + 1), np.float32)
    for lag, height in spikes:
        correlation[0, SEARCH_LAGS + lag] = height
    none = np.zeros((1, 1), np.float32)
    return windows.Windows(none, none, correlation, np.zeros(1))


@pytest.mark.parametrize(
    ("lag", "first"),
    [(-40, 60), (39, 60), (40, 61), (119, 61), (-41, 59), (-120, 59), (5_159, 124), (-5_160, -4)],
)
def test_a_line_is_five_bins_of_5_ms_wide(lag: int, first: int) -> None:
    near = windows.pool_heights(with_correlation((lag, -0.7)))
    assert near.shape == (1, 125)
    expected = np.zeros(125)
    expected[max(0, first) : first + 5] = 0.7
    np.testing.assert_allclose(near[0], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("near", "lag", "height"),
    [(480, -480, 0.6), (479, 20, 0.3), (20, 20, 0.3), (5_200, 5_199, 0.9), (19, -19, 0)],
)
def test_the_best_lag_is_one_that_is_near(near: int, lag: int, height: float) -> None:
    about = with_correlation((-480, -0.6), (20, 0.3), (5_199, 0.9), (4_000, -0.8))
    assert about.reach == 5_200
    found = about.best(near)
    assert [float(one[0]) for one in found] == pytest.approx([lag, height], abs=1e-6)


@pytest.mark.parametrize(("apart", "share"), [(1.9, 1.0), (2.0, 1.0), (2.1, 0.0), (-2.1, 0.0)])
def test_neighbours_of_one_piece_differ_by_two_samples_at_most(apart: float, share: float) -> None:
    starts = WINDOW * np.arange(8)
    assert windows.agreeing_share(Fits(table(n=8), apart * np.arange(8), starts)) == share


def test_the_share_of_windows_that_agree_with_either_neighbour() -> None:
    places = np.array([0.0, 0.5, 30, 60, 90, 91, 92, 200])
    starts = WINDOW * np.array([0, 1, 2, 3, 4, 5, 6, 7])
    assert windows.agreeing_share(Fits(table(n=8), places, starts)) == 5 / 8
    starts[5:] += 1  # not beside the one before it
    assert windows.agreeing_share(Fits(table(n=8), places, starts)) == 4 / 8


def test_the_norm_of_silence_is_that_of_some_noise() -> None:
    """A tenth of the mean power; a little more, since amplitudes are divided by it."""
    samples = np.zeros(4 * WINDOW, np.float32)
    samples[: 2 * WINDOW] = 2.0
    norms = windows._window_norms(samples)
    assert len(norms) == 3 * WINDOW + 1
    expected = [2 * WINDOW**0.5, (2 * WINDOW) ** 0.5, (0.2 * WINDOW) ** 0.5]
    found = norms[[0, 3 * WINDOW // 2, 3 * WINDOW]]
    assert found == pytest.approx(np.array(expected) + 1e-3, abs=2e-5)


def test_what_b_has_at_a_lag_is_cut_out() -> None:
    samples = np.arange(100, dtype=np.float32)[None].repeat(2, 0)
    about = windows.Windows(samples, samples, np.zeros((2, 21), np.float32), np.zeros(2))
    assert about.cut(np.array([-3.4, 2.6]), 4, 3).tolist() == [[11, 12, 13], [17, 18, 19]]


@pytest.mark.parametrize("late", [3, 4, 5])
def test_a_half_is_sought_four_samples_to_each_side(late: int) -> None:
    """The second half of each window lies later: up to four samples are told."""
    length = WINDOW + 2 * 480
    rng = np.random.default_rng(0)
    a = rng.standard_normal((6, WINDOW)).astype(np.float32)
    b = rng.standard_normal((6, length)).astype(np.float32)
    half = WINDOW // 2
    b[:, 480 : 480 + half] = a[:, :half]
    b[:, 480 + half + late : 480 + WINDOW + late] = a[:, half:]
    correlation = np.zeros((6, 961), np.float32)
    correlation[:, 480] = 1.0
    found = windows.drift(windows.Windows(a, b, correlation, np.zeros(6)), 480)
    if late <= 4:
        assert found == pytest.approx(late / half, abs=1e-3)
    else:
        assert abs(found) < 4.5 / half


def test_windows_of_one_loudness_correlate_by_what_they_share() -> None:
    """Half of the power of each window of b is noise of its own."""
    rng = np.random.default_rng(0)
    a, other = rng.standard_normal((2, 5 * RATE)).astype(np.float32)
    found = windows.compare(a, a + other, line(), STARTS[:9], 480)
    assert found.a.shape == (9, 1_024)
    assert found.b.shape == (9, 1_024 + 2 * 480)
    lag, height = found.best(480)
    assert lag + found.rest == pytest.approx(np.zeros(9), abs=0.6)
    assert height == pytest.approx(np.full(9, 0.5**0.5), abs=0.06)


@pytest.mark.parametrize("pitch", [0.93, 1.07])
def test_windows_are_found_at_another_pitch_from_the_first_to_the_last(pitch: float) -> None:
    copy = np.asarray(soxr.resample(WHITE, pitch, 1.0), np.float32)
    lag, height = windows.compare(WHITE, copy, line(pitch=pitch), STARTS, 480).best(480)
    assert np.abs(lag).max() < 1.0
    assert height.min() > 0.8


@pytest.mark.parametrize("late", [0.3, 0.7])
def test_by_what_part_of_a_sample_a_line_is_later(late: float) -> None:
    found = windows.compare(WHITE, WHITE, line(late / RATE), STARTS, 480)
    expected = np.full(len(STARTS), late - round(late))
    assert found.rest == pytest.approx(expected, abs=1e-6)
    lag, _ = found.best(480)
    assert lag == pytest.approx(np.full(len(STARTS), -round(late)), abs=0.2)


def test_windows_that_fit_well_tell_more_of_a_drift() -> None:
    """Two that are late outweigh three that are not: by the square of how well they fit."""
    rng = np.random.default_rng(0)
    a, half = rng.standard_normal((5, WINDOW)).astype(np.float32), WINDOW // 2
    b = np.pad(a, ((0, 0), (480, 480)))
    b[3:, 480 + half + 4 : 480 + WINDOW + 4] = a[3:, half:]
    correlation = np.zeros((5, 961), np.float32)
    correlation[:, 480] = 0.5, 0.5, 0.5, 0.7, 0.7
    found = windows.drift(windows.Windows(a, b, correlation, np.zeros(5)), 480)
    assert found == pytest.approx(4 / half, abs=1e-3)
