"""How much faster and higher a sound plays is told, before any waveform is compared."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from splitaudit.audio.verify import spectrograms, whitening
from splitaudit.audio.verify.spectrograms import Line
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound


def white(samples: Sound) -> Sound:
    return whitening.whiten(np.asarray(samples, np.float32))


def test_a_line_leads_there_and_back() -> None:
    line = Line(at_a=3.0, at_b=1.0, tempo=1.05, pitch=1.0)
    assert line.to_a(2.0) == pytest.approx(4.05)
    assert line.to_b(line.to_a(7.0)) == pytest.approx(7.0)


@pytest.mark.parametrize("speed", [0.94, 0.99, 1.0, 1.02, 1.06])
@pytest.mark.parametrize("kind", [sounds.speech_like, sounds.music_like, sounds.ambient])
def test_a_wrong_proposal_is_put_right(kind: type[sounds.speech_like], speed: float) -> None:
    sound = kind(3, 6.0)
    fast = soxr.resample(sound, speed, 1.0)
    line = spectrograms.align(white(sound), white(fast), (2.55 * speed, 2.5), speed * 1.012)
    assert line is not None
    assert line.pitch == pytest.approx(speed, rel=0.003)
    assert line.tempo == pytest.approx(speed, rel=0.003)
    assert line.to_a(3.0) == pytest.approx(3.0 * speed, abs=0.008)


def test_silence_has_no_line() -> None:
    sound = white(sounds.speech_like(1, 2.0))
    nothing = np.zeros(2 * RATE, np.float32)
    for a, b in ((sound, nothing), (nothing, sound), (sound[:0], sound), (sound, sound[:0])):
        assert spectrograms.align(a, b, (1.0, 1.0), 1.0) is None


def test_a_line_through_points_of_which_a_third_lie_anywhere() -> None:
    rng = np.random.default_rng(0)
    x = np.linspace(-4, 4, 60)
    y = 0.01 + 0.002 * x
    y[::3] = rng.uniform(-0.03, 0.03, 20)
    level, slope = spectrograms.robust_line(x, y, np.ones(60), 0.001)
    assert level == pytest.approx(0.01, abs=1e-4)
    assert slope == pytest.approx(0.002, abs=1e-4)


def test_a_line_has_settled() -> None:
    """Halves of the points lie apart; the heavier half wins, by Cauchy's weights."""
    x = np.tile([-1.0, 0.0, 1.0], 2)
    y, weight = np.repeat([0.0, 1.0], 3) + 0.1 * x, np.repeat([3.0, 2.0], 3)
    level, slope = spectrograms.robust_line(x, y, weight, 0.25)
    assert slope == pytest.approx(0.1)
    first, second = level / (1 + (level / 0.25) ** 2), (1 - level) / (1 + ((1 - level) / 0.25) ** 2)
    assert 3 * first == pytest.approx(2 * second, rel=1e-3)


def test_points_of_one_moment_have_no_slope() -> None:
    assert spectrograms.robust_line(np.ones(4), np.full(4, 0.5), np.ones(4), 0.01) == (0.5, 0.0)


def test_a_summit_lies_between_samples() -> None:
    places = np.arange(9.0)
    curves = [1 - (places - 3.3) ** 2, 1 - (places - 5.0) ** 2, places]
    rows = np.stack([*curves, places**0.5, -(places**0.5)])  # two end before their summit
    found = spectrograms.interpolate_peak(rows, rows.argmax(axis=1))
    assert found == pytest.approx([3.3, 5.0, 8.0, 8.0, 0.0])


def test_half_of_the_weight_lies_below_the_median() -> None:
    values = np.array([5.0, 1.0, 3.0])
    assert spectrograms.weighted_median(values, np.array([1.0, 1.0, 1.0])) == 3.0
    assert spectrograms.weighted_median(values, np.array([1.0, 9.0, 1.0])) == 1.0


def overlay(tempo: float, height: float, late: int = 0) -> spectrograms._Overlay:
    """One chunk that fits so well at one lag and shift."""
    surface = np.zeros((5, 29))
    surface[2 + late, 20] = height
    return spectrograms._Overlay(tempo, [spectrograms._ChunkCorrelation(0.0, -2.0, surface)])


@pytest.mark.parametrize(("heights", "tempo"), [((1.09, 0.9), 1.0), ((0.5, 1.11), 0.97)])
def test_another_tempo_is_taken_where_it_fits_a_tenth_better(
    heights: tuple[float, float], tempo: float
) -> None:
    others = [overlay(1.03, 5 * heights[0]), overlay(0.97, 5 * heights[1])]
    assert spectrograms._better(overlay(1.0, 5.0), others).tempo == tempo


@pytest.mark.parametrize(
    ("tempo", "tried"),
    [
        (1.0, [0.94, 0.97, 1.03, 1.06]),
        (1.019, [0.959, 0.989, 1.049, 1.079]),
        (1.021, [0.961, 0.991, 1.051]),
        (0.979, [0.949, 1.009, 1.039]),
    ],
)
def test_tempos_are_tried_up_to_8_per_cent_from_an_unchanged_one(
    tempo: float, tried: list[float]
) -> None:
    assert spectrograms._tried(tempo) == pytest.approx(tried)


@pytest.mark.parametrize(("seconds", "tried"), [(2.4, True), (2.6, False)])
def test_of_little_in_common_other_tempos_are_tried(seconds: float, tried: bool) -> None:
    """The search proposed 1, of a copy that is 6 % faster."""
    sound = sounds.speech_like(3, seconds)
    fast = soxr.resample(sound, 1.06, 1.0)
    moment = seconds / 2, seconds / 2 / 1.06
    a = np.pad(white(sound), (0, RATE))
    b = np.pad(white(fast), (0, round(0.06 / 1.06 * seconds * RATE)))
    line = spectrograms.align(a[: round(seconds * RATE)], b, moment, 1.0)
    assert line is not None
    assert line.pitch == pytest.approx(1.06, rel=0.01)
    assert (abs(line.tempo - 1.06) < 0.01) == tried
    assert tried or abs(line.tempo - 1) < 0.017


@pytest.mark.parametrize(
    ("moment", "lengths", "shared"),
    [
        ((5.0, 5.0), (10.0, 10.0), 6.0),
        ((1.0, 5.0), (10.0, 10.0), 4.0),
        ((5.0, 0.5), (10.0, 10.0), 3.5),
        ((5.0, 5.0), (6.0, 10.0), 4.0),
        ((5.0, 5.0), (10.0, 5.25), 3.25),
        ((-1.0, 5.0), (10.0, 4.0), 0.0),
    ],
)
def test_how_much_both_have_about_a_moment(
    moment: tuple[float, float], lengths: tuple[float, float], shared: float
) -> None:
    a, b = (np.zeros(round(length * RATE), np.float32) for length in lengths)
    assert spectrograms._shared_s(a, b, moment) == pytest.approx(shared)


def late_chunks(lates: list[float], heights: list[float]) -> list[spectrograms._ChunkCorrelation]:
    """Chunks a second apart, each of which fits best so many frames late, at a shift."""
    chunks = []
    for place, (late, height) in enumerate(zip(lates, heights, strict=True)):
        surface = np.zeros((41, 29))
        lags = np.arange(41) - 20
        surface[:, 5] = height * (1 - ((lags - late) / 40) ** 2)
        chunks.append(spectrograms._ChunkCorrelation(place - (len(lates) - 1) / 2, -20.0, surface))
    return chunks


@pytest.mark.parametrize(
    ("lates", "heights", "late", "slope"),
    [
        ([2.0, 8.0], [3.0, 1.0], 3.5, 0.0),  # two tell nothing of the tempo
        ([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], 2.0, 0.01),
        ([1.0, 2.0, 3.0], [1.0, 9.0, 1.0], 2.0, 0.01),
        ([0.0, 4.0, 8.0], [1.0, 1.0, 1.0], 4.0, 0.016),  # 0.04 is more than a proposal is wrong by
        ([8.0, 4.0, 0.0], [1.0, 1.0, 1.0], 4.0, -0.016),
        ([0.0, 4.0, 0.0], [1.0, 9.0, 1.0], 3.97, 0.0),
        ([0.0, 4.0, 0.0], [9.0, 1.0, 9.0], 0.13, 0.0),
        ([1.0, 1.5, 15.0, 2.5, 3.0], [1.0] * 5, 2.0, 0.005),
    ],
)
def test_lags_of_chunks_tell_moment_and_tempo(
    lates: list[float], heights: list[float], late: float, slope: float
) -> None:
    frame_s = 0.01
    found = spectrograms._fit_lags(late_chunks(lates, heights), 5, frame_s)
    assert found[0] == pytest.approx(late * frame_s, abs=0.002)
    assert found[1] == pytest.approx(slope, abs=0.002)


def test_a_line_is_where_an_overlay_is_highest() -> None:
    """Six shifts of 0.5 % towards the treble of a, a frame of 16 ms of b later than proposed."""
    line = overlay(0.9, 1.0, late=1).line((4.0, 3.0))
    assert (line.at_a, line.at_b, line.tempo) == pytest.approx((4.0144, 3.0, 0.9))
    assert line.pitch == pytest.approx(np.exp(-6 * 0.005))


@pytest.mark.parametrize("shift", [-14, -3, 0, 14])
@pytest.mark.parametrize("late", [-6, 0, 5])
def test_a_chunk_is_found_at_its_lag_and_shift(late: int, shift: int) -> None:
    rng = np.random.default_rng(0)
    theirs = rng.standard_normal((300, 200)).astype(np.float32)
    ours = np.roll(theirs, -shift, axis=1)[100 + late :][:64]
    frame_s = spectrograms.HOP / RATE
    here = Line(100 * frame_s, 0.0, 1.0, 1.0)
    chunk = spectrograms._correlate_chunk(ours, theirs, here, slice(0, 64))
    assert chunk.from_moment_s == pytest.approx(32 * frame_s)
    reach = int(np.ceil((0.08 + 0.016 * 32 * frame_s) / frame_s))
    assert chunk.surface.shape == (2 * reach + 1, 29)
    at, place = np.unravel_index(chunk.surface.argmax(), chunk.surface.shape)
    assert (at + chunk.first_lag, place - 14) == pytest.approx((late, shift))
    near = theirs[100 + late :][:64, max(0, shift) : 200 + min(0, shift)]
    assert chunk.surface.max() == pytest.approx(float(np.square(near).sum()), rel=0.05)


@pytest.mark.parametrize(
    ("first", "count", "rows"),
    [(0, 2, [1, 2]), (-1, 3, [0, 1, 2]), (2, 3, [3, 0, 0]), (-9, 2, [0, 0]), (9, 2, [0, 0])],
)
def test_rows_before_and_after_a_table_are_nothing(first: int, count: int, rows: list[int]) -> None:
    table = np.array([[1.0], [2.0], [3.0]], np.float32)
    assert spectrograms._padded_rows(table, first, count)[:, 0].tolist() == rows


@pytest.mark.parametrize("hertz", [210.0, 1_000.0, 7_000.0])
@pytest.mark.parametrize("tempo", [1.0, 1.06])
def test_bins_are_half_a_per_cent_apart(hertz: float, tempo: float) -> None:
    """From 200 to 7,400 Hz, in frames of 16 ms times the tempo."""
    tone = np.sin(2 * np.pi * hertz * np.arange(2 * RATE) / RATE).astype(np.float32)
    table = spectrograms._spectrogram(tone, tempo)
    assert table.shape == (int(2 * RATE / 256 / tempo) + 1, 723)
    assert table.mean(axis=1) == pytest.approx(np.zeros(len(table)), abs=1e-4)
    expected = np.log(hertz / 200) / 0.005
    assert int(table[40].argmax()) == pytest.approx(expected, abs=1 + 3_000 / hertz)


def test_chunks_are_about_a_second_long() -> None:
    sound = white(sounds.speech_like(1, 8.0))
    ours = spectrograms._spectrogram(sound[: 3 * RATE], 1.0)
    found = spectrograms._overlay(sound, ours, (4.0, 1.5), 1.0)
    assert [chunk.from_moment_s for chunk in found.chunks] == pytest.approx([-1, 0, 1], abs=0.02)


def test_as_much_is_looked_through_as_lies_within_3_s() -> None:
    sound = white(sounds.speech_like(1, 12.0))
    found = spectrograms.align(sound, sound, (6.0, 6.0), 1.0)
    far = sound.copy()
    far[: 3 * RATE - 1_500] = far[9 * RATE + 1_500 :] = 0.0
    assert found == spectrograms.align(sound, far, (6.0, 6.0), 1.0)
    near = sound.copy()
    near[: 3 * RATE + 4_000] = 0.0
    assert found != spectrograms.align(sound, near, (6.0, 6.0), 1.0)


def slowly(samples: Sound, tempo: float) -> np.ndarray:
    """Frame by frame, in double precision; the numbers are written out."""
    padded, rows = np.pad(samples.astype(float), 512), []
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1_024) / 1_023)
    places = 200 * np.exp(0.005 * np.arange(723)) * 1_024 / RATE
    for k in range(int(len(samples) / 256 / tempo) + 1):
        start = int(k * 256 * tempo)
        magnitude = np.abs(np.fft.rfft(padded[start : start + 1_024] * taper))
        rows.append(np.sqrt(np.interp(places, np.arange(513), magnitude)))
    return np.array(rows) - np.mean(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("tempo", [1.0, 0.94, 1.05])
def test_a_spectrogram_is_what_the_formula_says(tempo: float) -> None:
    sound = white(sounds.speech_like(2, 0.5))
    np.testing.assert_allclose(
        spectrograms._spectrogram(sound, tempo), slowly(sound, tempo), atol=2e-3
    )


@pytest.mark.parametrize(("reach_s", "same"), [(3.25, False), (3.36, True)])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_slower_sound_is_looked_through_farther(reach_s: float, side: int, same: bool) -> None:
    sound = white(sounds.speech_like(1, 12.0))
    ours = spectrograms._spectrogram(sound[3 * RATE : 9 * RATE], 1.0)
    cut = sound[::side].copy()
    cut[round((6 + reach_s) * RATE) :] = 0.0
    one, other = (
        spectrograms._overlay(samples, ours, (6.0, 3.0), 1.05) for samples in (sound, cut[::side])
    )
    parts = zip(one.chunks, other.chunks, strict=True)
    assert all(np.allclose(a.surface, b.surface, atol=1e-2) for a, b in parts) == same
