"""How much faster and higher a sound plays is told, before any waveform is compared."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound
from splitaudit.verify import spectra, whitening
from splitaudit.verify.spectra import Line


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
    line = spectra.align(white(sound), white(fast), (2.55 * speed, 2.5), speed * 1.012)
    assert line is not None
    assert line.pitch == pytest.approx(speed, rel=0.003)
    assert line.tempo == pytest.approx(speed, rel=0.003)
    assert line.to_a(3.0) == pytest.approx(3.0 * speed, abs=0.008)


def test_silence_has_no_line() -> None:
    sound = white(sounds.speech_like(1, 2.0))
    nothing = np.zeros(2 * RATE, np.float32)
    for a, b in ((sound, nothing), (nothing, sound), (sound[:0], sound), (sound, sound[:0])):
        assert spectra.align(a, b, (1.0, 1.0), 1.0) is None


def test_a_line_through_points_of_which_a_third_lie_anywhere() -> None:
    rng = np.random.default_rng(0)
    x = np.linspace(-4, 4, 60)
    y = 0.01 + 0.002 * x
    y[::3] = rng.uniform(-0.03, 0.03, 20)
    level, slope = spectra.robust_line(x, y, np.ones(60), 0.001)
    assert level == pytest.approx(0.01, abs=1e-4)
    assert slope == pytest.approx(0.002, abs=1e-4)


def test_points_of_one_moment_have_no_slope() -> None:
    assert spectra.robust_line(np.ones(4), np.full(4, 0.5), np.ones(4), 0.01) == (0.5, 0.0)


def test_a_summit_lies_between_samples() -> None:
    places = np.arange(9.0)
    rows = np.stack([1 - (places - 3.3) ** 2, 1 - (places - 5.0) ** 2, places])
    assert spectra.summit(rows, rows.argmax(axis=1)) == pytest.approx([3.3, 5.0, 8.0])


def test_half_of_the_weight_lies_below_the_median() -> None:
    values = np.array([5.0, 1.0, 3.0])
    assert spectra.weighted_median(values, np.array([1.0, 1.0, 1.0])) == 3.0
    assert spectra.weighted_median(values, np.array([1.0, 9.0, 1.0])) == 1.0
