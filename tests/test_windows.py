"""Short windows find the pieces of a copy; how well they fit by chance is known."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE
from splitaudit.verify import whitening, windows
from splitaudit.verify.spectra import Line
from splitaudit.verify.windows import BIN, FAR, WINDOW, Fits

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
    found = windows.compare(WHITE, burst, line(), STARTS, FAR)
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
        WHITE, slow, Line(2.0, 2.0 * (1 + share), 1 / (1 + share), 1), STARTS, FAR
    )
    assert windows.drift(found, 480) == pytest.approx(share, abs=1e-4)


def test_a_copy_stands_out_and_another_sound_does_not() -> None:
    copy = windows.pooled(windows.compare(WHITE, WHITE, line(), STARTS, FAR))
    other = windows.pooled(windows.compare(WHITE, OTHER, line(), STARTS, FAR))
    assert windows.sharpness(copy) > 0.9
    assert windows.sharpness(other) < 0.3
    assert windows.clear(copy)


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
    assert windows.agreeing(Fits(none, pieces, starts)) == 1
    assert windows.agreeing(Fits(none, 50.0 * np.arange(12), starts)) == 0
    assert windows.agreeing(Fits(none, pieces, 2 * starts)) == 0  # not neighbours
    assert windows.agreeing(Fits(none, np.repeat([0.0, 9, 20, 31, 44, 55], 2), starts)) == 1


def test_blocks_are_joined_in_order() -> None:
    one = Fits(heights(1, 0, 0, 2), np.array([1.0, 2.0]), np.array([0, BIN]))
    both = windows.joined([one, one])
    assert both.places.tolist() == [1, 2, 1, 2]
    assert both.heights.shape == (4, 125)
