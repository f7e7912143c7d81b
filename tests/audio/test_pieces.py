"""What pieces of a copy must show, and what a line through them says; thresholds, both sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import soxr

from splitaudit.audio.verify import tempo_pitch, windows
from splitaudit.audio.verify.extent import FRAME
from splitaudit.audio.verify.sound import Sound
from splitaudit.audio.verify.spectrograms import Line
from splitaudit.audio.verify.tempo_pitch import Points
from splitaudit.audio.verify.waveform import Proof
from splitaudit.audio.verify.windows import WINDOW, Fits
from splitaudit.demo.synthesis import RATE

LINE = Line(10.0, 8.0, 1.0, 1.0)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal(round(seconds * RATE)).astype(np.float32)


def sound(white: np.ndarray) -> Sound:
    white = white.astype(np.float32)
    return Sound(white, white, np.ones(len(white) // FRAME), 1e3)


def fits(agreeing: int, n: int = 40) -> Fits:
    """Windows side by side, of which an even number lie where a neighbour does."""
    places = 50.0 * np.arange(n)
    places[1:agreeing:2] = places[0:agreeing:2]
    return Fits(np.zeros((n, 125), np.float32), places, WINDOW * np.arange(n))


@pytest.mark.parametrize(
    ("correlation", "agreeing", "convinces"),
    [
        (0.2501, 40, True),
        (0.2499, 40, False),
        (-0.2501, 40, True),
        (-0.2499, 40, False),
        (0.9, 10, True),
        (0.9, 8, False),
        (0.2, 8, False),
    ],
)
def test_pieces_fit_better_than_by_chance_and_lie_together(
    correlation: float, agreeing: int, convinces: bool
) -> None:
    assert tempo_pitch._convinces(correlation, fits(agreeing)) == convinces


@pytest.mark.parametrize(("share", "accepted"), [(0.18, False), (0.23, False), (0.28, True)])
def test_what_correlates_a_little_is_told_and_no_copy(share: float, accepted: bool) -> None:
    """A minute of noise, so that where it lies is beyond doubt."""
    a, own = noise(60.0), noise(60.0, 1)
    b = share * a + (1 - share**2) ** 0.5 * own
    proof = tempo_pitch._prove_time_stretched(sound(a), sound(b), Line(30.0, 30.0, 1.0, 1.0))
    assert proof is not None
    assert proof.score > 0.8
    assert proof.correlation == pytest.approx(share, abs=0.01)
    assert proof.accepted == accepted


def shuffled(a: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Each window of a at a lag of its own, what lies between them silent."""
    out = np.zeros(len(a) + WINDOW, np.float32)
    for at, lag in enumerate(lags):
        out[at * WINDOW + lag :][:WINDOW] = a[at * WINDOW :][:WINDOW]
    return out


@pytest.mark.parametrize(("together", "accepted"), [(0.2, False), (0.3, True), (1.0, True)])
def test_windows_that_lie_anywhere_are_no_copy(together: float, accepted: bool) -> None:
    """Of 20 s so many lie as far from those of a as a window beside them."""
    a, rng = noise(20.0), np.random.default_rng(0)
    n = len(a) // WINDOW
    lags = rng.permutation(np.arange(n))
    pairs = round(together * n) // 2
    lags[1 : 2 * pairs : 2] = lags[0 : 2 * pairs : 2]
    proof = tempo_pitch._prove_time_stretched(
        sound(a), sound(shuffled(a, lags)), Line(10.0, 10.0, 1.0, 1.0)
    )
    assert proof is not None
    assert proof.score > 0.9
    assert proof.correlation > 0.6
    assert proof.accepted == accepted


def test_a_copy_of_a_fifth_of_a_sound_is_one() -> None:
    """What fits nowhere is not asked where its neighbours lie."""
    a, b = noise(20.0), noise(20.0, 1)
    b[8 * RATE : 12 * RATE] = a[8 * RATE : 12 * RATE]
    proof = tempo_pitch._prove_time_stretched(sound(a), sound(b), Line(10.0, 10.0, 1.0, 1.0))
    assert proof is not None
    assert proof.accepted
    assert (proof.a_start, proof.b_end) == pytest.approx((8.0, 12.0), abs=0.05)
    assert proof.coverage_a == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize(("n", "told"), [(4, False), (5, True)])
def test_four_windows_prove_nothing(n: int, told: bool) -> None:
    a = noise(n * WINDOW / RATE)
    proof = tempo_pitch._prove_time_stretched(sound(a), sound(a), Line(0.1, 0.1, 1.0, 1.0))
    assert (proof is not None) == told


def echoing(gain: float) -> np.ndarray:
    """Ten seconds of noise that come again, fainter, after 0.2 s."""
    dry = noise(10.0)
    return dry + np.float32(gain) * np.pad(dry, (RATE // 5, 0))[: len(dry)]


@pytest.mark.parametrize(("gain", "sharpness", "accepted"), [(0.3, 0.80, True), (0.5, 0.67, False)])
def test_at_another_speed_repeats_of_the_sound_are_no_excuse(
    gain: float, sharpness: float, accepted: bool
) -> None:
    a = echoing(gain)
    b = soxr.resample(a, 1.02, 1.0)
    line = Line(5.1, 5.0, 1.02, 1.02)
    proof = tempo_pitch._prove_resampled(sound(a), sound(b), line)
    assert proof is not None
    assert proof.score == pytest.approx(sharpness, abs=0.03)
    assert proof.correlation > 0.9
    assert proof.accepted == accepted
    assert (proof.tempo, proof.pitch) == (1.02, 1.02)
    assert (proof.a_start, proof.a_end, proof.b_start) == pytest.approx((0, 10, 0), abs=0.03)
    assert proof.b_end == pytest.approx(10 / 1.02, abs=0.03)
    assert (proof.coverage_a, proof.coverage_b) == pytest.approx((1, 1), abs=0.01)


@pytest.mark.parametrize("late_s", [-0.015, 0.015])
def test_what_a_wrong_moment_would_cut_off_is_compared_too(late_s: float) -> None:
    """A part of b is a; the moment is wrong by 15 ms."""
    a = noise(3.0)
    b = np.concatenate([noise(5.0, 1), a, noise(2.0, 2)])
    fast = sound(soxr.resample(b, 1.03, 1.0))
    proof = tempo_pitch._prove_resampled(sound(a), fast, Line(1.0, 6.0 / 1.03 + late_s, 1.03, 1.03))
    assert proof is not None
    assert proof.accepted
    assert (proof.a_start, proof.a_end) == (0.0, 3.0)
    assert (proof.b_start, proof.b_end) == pytest.approx((5.0 / 1.03, 8.0 / 1.03), abs=0.03)
    assert (proof.coverage_a, proof.coverage_b) == pytest.approx((1.0, 0.3), abs=0.01)


def renewed(share: float, seconds: float = 8.0) -> np.ndarray:
    """Noise that comes again every 0.2 s, each time with so much of what it was."""
    n = RATE // 5
    parts = [noise(0.2)]
    for seed in range(1, round(seconds / 0.2)):
        parts.append(share * parts[-1] + (1 - share**2) ** 0.5 * noise(n / RATE, seed))
    return np.concatenate(parts)


@pytest.mark.parametrize(("share", "told"), [(0.77, True), (0.83, False)])
def test_where_another_line_fits_nearly_as_well_no_more_is_looked_at(
    share: float, told: bool
) -> None:
    a = sound(renewed(share))
    line = tempo_pitch._fit_line(a, a, Line(4.0, 4.0, 1.0, 1.0))
    assert (line is not None) == told
    assert line is None or line.to_b(4.0) == pytest.approx(4.0, abs=1e-4)


@pytest.mark.parametrize(("n", "told"), [(31, True), (32, False)])
def test_a_few_windows_settle_most_pairs(n: int, told: bool) -> None:
    """Of less than 32, all are looked at in any case."""
    a, b = sound(noise(8.0)), sound(noise(8.0, 1))
    starts = np.arange(n) * 2 * FRAME + RATE
    assert tempo_pitch._is_plausible(a, b, Line(4.0, 4.0, 1.0, 1.0), starts) == told
    assert tempo_pitch._is_plausible(a, a, Line(4.0, 4.0, 1.0, 1.0), starts)


@pytest.mark.parametrize(("elsewhere", "told"), [(0.27, True), (0.33, False)])
def test_windows_that_fit_better_elsewhere_are_of_no_copy(elsewhere: float, told: bool) -> None:
    a = noise(8.0)
    b = 0.3 * a + elsewhere * np.roll(a, RATE // 5) + noise(8.0, 1)
    starts = np.arange(64) * 2 * FRAME + RATE
    assert tempo_pitch._is_plausible(sound(a), sound(b), Line(4.0, 4.0, 1.0, 1.0), starts) == told


def about_ten(begin_s: float = 0.0, end_s: float = 0.0) -> Line:
    """The line of sounds that are the same for 3 s about a moment, and other noise from 10 s on.

    Of the first sound, what lies in a stretch on both sides of the moment is another noise.
    """
    a, b = noise(20.0), noise(20.0, 1)
    b[round(8.5 * RATE) : round(11.5 * RATE)] = a[round(8.5 * RATE) : round(11.5 * RATE)]
    for side in (-1, 1):
        first, last = sorted(round((10.0 + side * at) * RATE) for at in (begin_s, end_s))
        a[first:last] = noise(20.0, 2)[first:last]
    line = tempo_pitch._fit_line(sound(a), sound(b), Line(10.0, 10.001, 1.0, 1.0))
    assert line is not None
    return line


def test_four_seconds_to_each_side_tell_a_line_at_first() -> None:
    """Where a copy does not go on, nothing beyond is looked at."""
    assert about_ten().to_b(10.0) == pytest.approx(10.0, abs=1e-4)
    assert about_ten(4.1, 10.0) == about_ten()
    assert about_ten(3.3, 3.8) != about_ten()


def test_what_is_left_of_a_wrong_pitch_is_put_right() -> None:
    rng = np.random.default_rng(0)
    a = noise(8.0)
    b = shuffled(a, rng.integers(0, 80, len(a) // WINDOW))
    line = tempo_pitch._fit_line(sound(a), sound(b), Line(4.0, 4.0, 1.0, 1.0008))
    assert line is not None
    assert line.pitch == pytest.approx(1.0, abs=5e-4)
    assert line.tempo == pytest.approx(1.0, abs=2e-3)


# Lines


def points(lates: np.ndarray, a_s: np.ndarray | None = None, height: float = 0.5) -> Points:
    """Moments of a, in b so late for `LINE`."""
    at = np.linspace(6.0, 14.0, len(lates)) if a_s is None else a_s
    return Points(at, at - 2.0 + lates, np.full(len(at), height))


def test_how_late_points_are_for_a_line() -> None:
    line = replace(LINE, tempo=1.25)
    some = Points(np.array([10.0, 12.5]), np.array([8.1, 9.9]), np.array([0.5, 0.1]))
    assert some.residuals(line) == pytest.approx([0.1, -0.1])
    assert some.weight == pytest.approx([0.125, 0.001])


@pytest.mark.parametrize(
    ("off_s", "tempo", "steady"),
    [
        (0.9e-4, 1.001, True),
        (1.1e-4, 1.001, False),
        (0.0, 1.0029, True),
        (0.0, 1.0031, False),
        (0.0, 0.9971, True),
        (0.0, 0.9969, False),
    ],
)
def test_where_points_lie_on_a_line_the_speed_was_changed(
    off_s: float, tempo: float, steady: bool
) -> None:
    """To a tenth of a millisecond, and where tempo and pitch are about the same."""
    at = np.linspace(-4.0, 4.0, 41)
    wavering = off_s * np.where(np.arange(41) % 2, 1.0, -1.0)
    found = tempo_pitch._refit_line(points(at / tempo - at + wavering, at + 10.0), LINE, 1.0)
    assert (found.tempo == found.pitch) == steady
    assert found.tempo == pytest.approx(tempo, abs=1e-5)
    assert steady or found.pitch == 1.0
    assert found.at_b == pytest.approx(8.0, abs=1e-4)


@pytest.mark.parametrize(
    ("proposed", "tempo", "told"),
    [
        (1.0, 1.019, 1.019),
        (1.0, 1.021, 1.02),
        (1.0, 0.981, 0.981),
        (1.0, 0.979, 0.98),
        (1.05, 1.0695, 1.0695),
        (1.05, 1.08, 1.071),
    ],
)
def test_pieces_lie_about_the_tempo_that_was_proposed(
    proposed: float, tempo: float, told: float
) -> None:
    at = np.linspace(-4.0, 4.0, 41)
    found = tempo_pitch._refit_line(points(at / tempo - at, at + 10.0), LINE, proposed)
    assert (found.tempo, found.pitch) == pytest.approx((told, 1.0), abs=1e-5)


def test_points_that_spread_count_less_the_farther_off_they_are() -> None:
    """By 3 ms: ten on a line, nine 6 ms late; the square of 2 makes a fifth of each."""
    lates = np.where(np.arange(19) % 2, 0.006, 0.0)
    found = tempo_pitch._refit_line(points(lates), LINE, 1.0)
    late = found.at_b - 8.0
    assert 10 * late / (1 + (late / 0.003) ** 2) == pytest.approx(
        9 * (0.006 - late) / (1 + ((0.006 - late) / 0.003) ** 2), rel=0.02
    )


def test_what_lies_off_a_line_counts_less_once_it_is_known() -> None:
    """Two points are 1.5 ms late: a thirtieth of that at first, next to nothing in the end."""
    lates = np.zeros(41)
    lates[[19, 21]] = 0.0015
    found = tempo_pitch._refit_line(points(lates), LINE, 1.0)
    assert found.tempo == found.pitch
    assert found.at_b == pytest.approx(8.0, abs=2e-6)


@pytest.mark.parametrize(
    ("on", "late_s", "height", "goes_on"),
    [
        (2, 0.0199, 0.5, True),  # a quarter
        (1, 0.0, 0.5, False),
        (8, 0.0201, 0.5, False),
        (8, -0.0199, 0.5, True),
        (8, 0.0, 0.251, True),
        (8, 0.0, 0.249, False),
    ],
)
def test_a_copy_goes_on_where_windows_fit_as_well(
    on: int, late_s: float, height: float, goes_on: bool
) -> None:
    """Four windows lie within 2 s of the moment, eight beyond."""
    at = np.array([9.0, 9.5, 10.5, 11.0, *np.linspace(12.1, 13.9, 8)])
    lates = np.array([0.0] * 4 + [late_s] * on + [0.5] * (8 - on))
    given = replace(points(lates, at), height=np.array([0.5] * 4 + [height] * 8))
    assert tempo_pitch._has_outer_inliers(given, LINE, 2.0) == goes_on


@pytest.mark.parametrize(
    ("a_s", "lates", "goes_on"),
    [
        ([9.0, 11.0], [0.0, 0.0], True),  # nothing lies beyond
        ([13.0, 14.0], [0.0, 0.0], False),  # nothing but
        ([9.0, 13.0], [0.5, 0.0], False),  # nothing fits about the moment
        ([8.0, 12.0, 13.0], [0.0, 0.0, 0.0], True),  # 2 s are within
    ],
)
def test_without_windows_within_a_copy_does_not_go_on(
    a_s: list[float], lates: list[float], goes_on: bool
) -> None:
    given = points(np.array(lates), np.array(a_s))
    assert tempo_pitch._has_outer_inliers(given, LINE, 2.0) == goes_on


# Windows


@pytest.mark.parametrize(
    ("seconds", "step", "count"),
    [(8.0, 8, 50), (1.0, 2, 24), (3.9, 4, 48), (60.0, 62, 49)],
)
def test_about_48_windows_tell_a_line(seconds: float, step: int, count: int) -> None:
    starts = tempo_pitch._window_starts(sound(noise(seconds)), 0.0, seconds)
    assert set(np.diff(starts)) == {step * FRAME}
    assert len(starts) == pytest.approx(count, abs=1)
    assert starts[-1] + WINDOW <= seconds * RATE


def test_windows_begin_where_something_is_heard() -> None:
    levels = np.zeros(400)
    levels[100:150] = 1.0
    a = replace(sound(noise(8.0)), levels=levels)
    assert tempo_pitch._window_starts(a, 0.0, 8.0).tolist() == list(
        range(100 * FRAME, 150 * FRAME, 2 * FRAME)
    )
    assert tempo_pitch._window_starts(a, 2.21, 2.5).tolist() == [
        n * FRAME for n in (111, 113, 115, 117, 119, 121)
    ]


def test_windows_of_four_seconds_are_compared_at_once() -> None:
    starts = np.array([0, 63_999, 64_000, 127_000, 200_000])
    groups = [group.tolist() for group in tempo_pitch._group_windows(starts)]
    assert groups == [[0, 63_999], [64_000, 127_000], [200_000]]
    assert tempo_pitch._group_windows(starts[:0]) == []


@pytest.mark.parametrize(
    ("span", "expected"), [(np.inf, (1.5, 9.0)), (2.0, (3.0, 7.0)), (4.0, (1.5, 9.0))]
)
def test_when_both_are_there(span: float, expected: tuple[float, float]) -> None:
    a, b = sound(noise(9.0)), sound(noise(12.0))
    line = Line(5.0, 7.0, 0.5, 1.0)
    assert tempo_pitch._overlap(a, b, line, span) == pytest.approx(
        (max(1.5, 5 - span), min(7.5, 5 + span))
    )
    assert tempo_pitch._overlap(a, b, replace(line, tempo=2.0)) == pytest.approx((0.0, 9.0))


@pytest.mark.parametrize(
    ("late", "found"), [(475, True), (-475, True), (485, False), (-485, False)]
)
def test_windows_are_sought_30_ms_to_each_side(late: int, found: bool) -> None:
    a = noise(8.0)
    b = np.roll(a, late)
    some = tempo_pitch._collect_points(sound(a), sound(b), Line(4.0, 4.0, 1.0, 1.0), 2.0)
    assert np.abs(some.a_s - 4.0).max() <= 2.0
    hits = np.abs(some.residuals(Line(4.0, 4.0, 1.0, 1.0)) - late / RATE) < 1e-4
    assert hits.all() if found else not hits.any()
    assert (some.height > 0.9).all() == found


@pytest.mark.parametrize("pitch", [0.95, 1.06])
def test_lags_are_told_in_time_of_b(pitch: float) -> None:
    a = noise(8.0)
    b = soxr.resample(a, pitch, 1.0)
    line = Line(4.0, 4.0 / pitch - 0.025, pitch, pitch)
    late = tempo_pitch._collect_points(sound(a), sound(b), line, 2.0).residuals(line)
    assert late == pytest.approx(np.full(len(late), 0.025), abs=2e-5)


def test_blocks_of_32_windows_are_judged_together() -> None:
    a = noise(8.0)
    levels = np.ones(400)
    levels[: 32 * WINDOW // FRAME] = 0.0
    blocks: list[Fits] = []
    starts = np.arange(70) * WINDOW
    line = Line(4.0, 4.0 + 0.3 / RATE, 1.0, 1.0)
    back = tempo_pitch._reassemble(replace(sound(a), levels=levels), sound(a), line, starts, blocks)
    assert [len(piece) for piece in back] == [32 * WINDOW, 32 * WINDOW, 6 * WINDOW]
    assert [len(block.starts) for block in blocks] == [0, 32, 6]
    assert np.abs(np.concatenate([block.places for block in blocks])).max() < 0.1


# Proofs in seconds


PROOF = Proof(0.9, 0.5, 0.0, 1.0, 4.0, 1.0, 4.0, 1.0, 1.0, 0.0, True)


@pytest.mark.parametrize(
    ("at_b", "b_start", "b_end"),
    [
        (3.0, 1.0, 4.0),
        (2.031, 0.031, 3.031),
        (2.029, 0.0, 3.029),
        (4.969, 2.969, 5.969),
        (4.971, 2.971, 6.0),
    ],
)
def test_near_the_end_of_a_copy_is_its_end(at_b: float, b_start: float, b_end: float) -> None:
    """To within 30 ms; the copy is 6 s long."""
    a, b = sound(noise(10.0)), sound(noise(6.0))
    placed = tempo_pitch._restore_times(PROOF, a, b, Line(4.0, at_b, 1.0, 1.03), (50, 350))
    assert (placed.a_start, placed.a_end) == (2.0, 5.0)
    assert (placed.b_start, placed.b_end) == pytest.approx((b_start, b_end))
    assert (placed.tempo, placed.pitch) == (1.0, 1.03)
    assert placed.coverage_a == pytest.approx(300 / 500)


def test_coverage_is_that_of_the_whole_sounds() -> None:
    a, b = sound(noise(10.0)), sound(noise(6.0))
    proof = replace(PROOF, coverage_a=0.5, coverage_b=0.25)
    placed = tempo_pitch._restore_times(proof, a, b, Line(4.0, 3.0, 2.0, 1.0), (50, 350))
    assert placed.coverage_a == pytest.approx(0.5 * 300 / 500)
    assert placed.coverage_b == pytest.approx(0.25 * 150 / 300)


@pytest.mark.parametrize(
    ("part", "share"), [((0, 10), 1.0), ((-5, 4), 0.5), ((4, 99), 0.5), ((2, 3), 0.25), ((5, 5), 0)]
)
def test_the_share_of_what_is_heard(part: tuple[int, int], share: float) -> None:
    active = np.isin(np.arange(10), [1, 2, 7, 8])
    assert tempo_pitch._active_share(active, *part) == share
    assert tempo_pitch._active_share(np.zeros(10, bool), *part) == 0


def test_levels_beyond_the_ends_are_those_of_the_ends() -> None:
    levels = np.array([1.0, 2.0, 3.0])
    frames = np.array([-4.0, 0.9, 1.0, 2.5, 7.0])
    assert tempo_pitch._levels_at(levels, frames).tolist() == [1, 1, 2, 3, 3]


@pytest.mark.parametrize("pitch", [0.95, 1.0, 1.06])
def test_a_long_waveform_is_drawn_out_as_a_short_one(pitch: float) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(70 * RATE) / RATE).astype(np.float32)
    pieces = np.concatenate(list(tempo_pitch._resample(tone, pitch)))
    assert len(pieces) == pytest.approx(70 * RATE * pitch, abs=2)
    expected = np.sin(2 * np.pi * 440 * np.arange(len(pieces)) / RATE / pitch)
    np.testing.assert_allclose(pieces[500:-500], expected[500:-500], atol=2e-3)


def test_chance_is_what_windows_say_it_is() -> None:
    assert (
        tempo_pitch.MIN_CORRELATION
        == pytest.approx(windows.CHANCE_CORRELATION + 0.1)
        == pytest.approx(0.25)
    )
