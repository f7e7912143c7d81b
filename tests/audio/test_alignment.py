"""At which lag two sounds correlate is told by blocks that know it, and held against the rest."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.audio.verify import alignment
from splitaudit.audio.verify.alignment import LAGS, WeightedWaveform, align
from splitaudit.audio.verify.extent import FRAME
from splitaudit.demo.synthesis import RATE


def noise(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n).astype(np.float32)


def correlation(*peaks: tuple[int, float]) -> np.ndarray:
    """Height at so many lags, nothing at others."""
    out = np.zeros(2 * 4_800 + 1)
    for lag, height in peaks:
        out[4_800 + lag] = height
    return out


@pytest.mark.parametrize(
    ("peaks", "told"),
    [
        ([(3_200, 0.5)], (0.5, 0.0, 3_200)),
        ([(-3_200, -0.5)], (0.5, 0.0, -3_200)),
        ([(3_201, 0.9), (5, 0.2)], (0.2, 0.9, 5)),
        ([(-3_201, 0.9), (5, 0.2)], (0.2, 0.9, 5)),
        ([(0, 0.9), (192, 0.8), (-192, -0.8), (4_800, 0.3)], (0.9, 0.3, 0)),
        ([(0, 0.9), (193, 0.8)], (0.9, 0.8, 0)),
        ([(0, 0.9), (-193, -0.8)], (0.9, 0.8, 0)),
        ([(0, 0.9), (-4_800, 0.3)], (0.9, 0.3, 0)),
    ],
)
def test_a_peak_lies_within_0_2_s_and_its_rival_beyond_12_ms(
    peaks: list[tuple[int, float]], told: tuple[float, float, int]
) -> None:
    assert alignment._peak_and_rival(correlation(*peaks)) == pytest.approx(told)


@pytest.mark.parametrize(
    ("height", "rival", "tells"),
    [(0.61, 0.0, True), (0.59, 0.0, False), (1.0, 0.89, True), (1.0, 0.91, False)],
)
def test_a_block_knows_its_lag(height: float, rival: float, tells: bool) -> None:
    """It correlates by 0.06 at least, and at no other lag 0.9 times as well."""
    assert alignment._has_clear_peak(correlation((7, -height), (900, rival)), 10.0) == tells


@pytest.mark.parametrize("lag", [0, 40, -40, 3_000, -3_000])
def test_an_echo_of_the_sound_itself_is_no_rival(lag: int) -> None:
    """What is left of a rival is what the sound's own correlation does not explain."""
    own = correlation((0, 2.0), (700, 0.8), (-700, 0.8))
    peaks = (lag, -0.5), (lag + 700, -0.2), (lag - 700, -0.35)
    assert alignment._score(correlation(*peaks), own, lag) == pytest.approx(1 - 0.15 / 0.5)
    assert alignment._score(correlation(*peaks), correlation((0, 1.0)), lag) == pytest.approx(0.3)


@pytest.mark.parametrize(("away", "score"), [(192, 1.0), (-192, 1.0), (193, 0.4), (-193, 0.4)])
def test_what_lies_about_the_peak_is_no_rival(away: int, score: float) -> None:
    peaks = (100, 0.5), (100 + away, 0.3)
    found = alignment._score(correlation(*peaks), correlation((0, 1.0)), 100)
    assert found == pytest.approx(score)


@pytest.mark.parametrize(
    ("share", "hopeful", "score"), [(0.102, False, 0.3906), (0.106, True, 0.4146)]
)
def test_a_lag_that_stands_out_is_looked_at_again(
    share: float, hopeful: bool, score: float
) -> None:
    """Then nothing counts but what both have at it."""
    a = noise(4_000)
    b = np.concatenate([noise(500, 2), share * a + noise(4_000, 1), noise(1_500, 3)])
    b = b.astype(np.float32)
    about = alignment._align_blocks(a, b, 480, (0, 4_000))
    again = alignment._align_blocks(a, b, 500, (0, 4_000))
    assert about is not None
    assert again is not None
    assert about[1] - again[1] > 0.001
    found = align(a, b, 480)
    assert found == (again if hopeful else about)
    assert found == pytest.approx((500, score), abs=5e-4)


@pytest.mark.parametrize(("tail_s", "found"), [(0.5, False), (0.51, True)])
def test_what_is_left_after_blocks_of_2_s_is_looked_at_from_half_a_second_on(
    tail_s: float, found: bool
) -> None:
    """The first 2 s have nothing in common."""
    n, tail = 2 * RATE, noise(round(tail_s * RATE), 2)
    a, b = np.concatenate([noise(n), tail]), np.concatenate([noise(n + 9, 1), tail])
    aligned = alignment._align_blocks(a, b, 0, (0, len(a)))
    assert (aligned is not None) == found
    assert aligned is None or aligned[0] == 9


def test_a_block_that_knows_nothing_does_not_blur_the_others() -> None:
    """Of three blocks one is a tone, louder than the noise that the others share."""
    times = np.arange(2 * RATE) / RATE
    tone = 3 * np.sin(2 * np.pi * 500 * times).astype(np.float32)
    a = np.concatenate([noise(2 * RATE), tone, noise(2 * RATE, 1)])
    b = np.concatenate([a[: 2 * RATE], -np.roll(tone, 3), a[4 * RATE :]])
    clear = align(
        np.concatenate([a[: 2 * RATE], a[4 * RATE :]]), np.delete(b, slice(2 * RATE, 4 * RATE)), 0
    )
    found = align(a, b, 0)
    assert clear is not None
    assert found == pytest.approx((0, clear[1]), abs=0.02)


def with_echo(dry: np.ndarray, late: int) -> np.ndarray:
    return dry + 0.8 * np.pad(dry, (late, 0))[: len(dry)]


def test_an_echo_counts_as_loud_as_the_sounds_are_where_it_is() -> None:
    """In its loud seconds b has two echoes: one of a, and one of what it has beside a."""
    n = 2 * RATE
    first, second = with_echo(noise(n), 700), noise(n, 1)
    a = np.concatenate([first, second]).astype(np.float32)
    others = [with_echo(noise(n, seed), 1_100) for seed in (2, 3)]
    b = np.concatenate([10 * (first + others[0]), second + others[1]]).astype(np.float32)
    for one, other in ((a, b), (b, a)):
        found = align(one, other, 0)
        assert found == pytest.approx((0, 0.95), abs=0.03)


@pytest.mark.parametrize(("n", "told"), [(319, False), (320, True)])
def test_less_than_a_frame_is_not_looked_at(n: int, told: bool) -> None:
    a = noise(3_200)
    assert (alignment._align_blocks(a, a, 0, (1_000, 1_000 + n)) is not None) == told


@pytest.mark.parametrize(
    "part", [(0, 1280), (0, 0), (5, 700), (320, 640), (319, 641), (1000, 1280)]
)
def test_frames_are_weighted_wherever_they_are_cut(part: tuple[int, int]) -> None:
    white, weights = noise(4 * FRAME + 100), np.array([1.0, 0.5, 0.0, 2.0])
    loud = WeightedWaveform(white, weights)
    whole = white[: 4 * FRAME] * np.repeat(weights, FRAME).astype(np.float32)
    assert len(loud) == 4 * FRAME
    np.testing.assert_array_equal(loud[part[0] : part[1]], whole[part[0] : part[1]])


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 3, [1, 2, 3]),
        (-2, 3, [0, 0, 1]),
        (3, 4, [4, 5, 0, 0]),
        (-1, 8, [0, 1, 2, 3, 4, 5, 0, 0]),
        (-9, 3, [0, 0, 0]),
        (9, 2, [0, 0]),
    ],
)
def test_beyond_a_sound_there_is_silence(start: int, length: int, expected: list[int]) -> None:
    samples = np.arange(1, 6, dtype=np.float32)
    assert alignment.padded_slice(samples, start, length).tolist() == expected


@pytest.mark.parametrize(
    ("lengths", "offset", "both"),
    [((10, 10), 0, (0, 10)), ((10, 10), -3, (3, 10)), ((10, 10), 3, (0, 7)), ((10, 4), -3, (3, 7))],
)
def test_what_both_have(lengths: tuple[int, int], offset: int, both: tuple[int, int]) -> None:
    assert alignment.overlap(*(np.zeros(n) for n in lengths), offset) == both


def test_blocks_are_silent_from_the_end_on() -> None:
    samples = noise(3 * RATE)
    starts = np.array([0, 2 * RATE])
    blocks, wide = alignment._blocks(samples, starts, 5 * RATE // 2)
    assert blocks.shape == wide.shape
    assert blocks.shape[1] >= 2 * RATE + 2 * LAGS
    np.testing.assert_array_equal(blocks[0, : 2 * RATE], samples[: 2 * RATE])
    np.testing.assert_array_equal(blocks[1, : RATE // 2], samples[2 * RATE : 5 * RATE // 2])
    assert not blocks[0, 2 * RATE :].any()
    assert not blocks[1, RATE // 2 :].any()
    assert not wide[0, :LAGS].any()
    np.testing.assert_array_equal(wide[1, : RATE + LAGS], samples[2 * RATE - LAGS :])


@pytest.mark.parametrize("lag", [-LAGS, -1, 0, 77, LAGS])
def test_rows_correlate_at_each_lag(lag: int) -> None:
    x = np.zeros((1, 30_000), np.float32)
    y = x.copy()
    x[0, :300], y[0, LAGS + lag : LAGS + lag + 300] = noise(300), -noise(300)
    found = alignment._correlate(alignment._spectrum(x), alignment._spectrum(y), 30_000)
    assert found.shape == (1, 2 * LAGS + 1)
    assert int(np.abs(found).argmax()) == LAGS + lag
    assert found.min() == pytest.approx(-float(np.square(noise(300)).sum()), rel=1e-4)


def test_where_one_is_not_yet_heard_at_the_proposed_lag_nothing_echoes() -> None:
    """Only the other lags reach it: of itself there is silence, and nothing is divided by it."""
    a, b = noise(900), np.pad(noise(900), (0, 9_000))
    found = alignment.align(a, b, -3_000)
    assert found is not None
    assert found[0] == 0


def test_energy_of_silence_is_a_little() -> None:
    assert alignment._energy(np.array([[3, 4, 0, 0], [0, 0, 0, 0]], np.float32)) == pytest.approx(
        [25, 4e-6], rel=1e-5
    )
