"""Silence is what a file cannot tell from its own rounding, in each channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from splitaudit.audio.decode import sounds as audio
from splitaudit.audio.decode.levels import QUIET, fitting_gain
from splitaudit.audio.decode.stream import Reading
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE

SOUND = sounds.speech_like(1, 2.0)
RNG = np.random.default_rng(7)


def read(path: Path) -> Reading:
    reading = audio.open_audio(str(path))
    for _ in reading.mono():
        pass
    return reading


def is_silent(path: Path, samples: np.ndarray, subtype: str) -> bool:
    soundfile.write(path, samples, RATE, subtype=subtype)
    return read(path).levels.silent


def dither(bits: int, offset: float) -> np.ndarray:
    """Silence with triangular dither of one step and an offset, as a converter gives it."""
    noise = RNG.random(RATE) - RNG.random(RATE)
    return np.rint(noise + offset) * 2.0 ** (1 - bits)


@pytest.mark.parametrize("offset", [0.0, 0.5, 6.3, -20.0])
@pytest.mark.parametrize(
    ("bits", "subtype"), [(8, "PCM_U8"), (16, "PCM_16"), (24, "PCM_24"), (16, "PCM_24")]
)
def test_dither_and_an_offset_are_silence(
    tmp_path: Path, bits: int, subtype: str, offset: float
) -> None:
    assert is_silent(tmp_path / "a.wav", dither(bits, offset), subtype)


@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_sixteen_bits_stored_as_floats_are_still_sixteen(tmp_path: Path, subtype: str) -> None:
    assert is_silent(tmp_path / "a.wav", dither(16, 0.5), subtype)
    assert is_silent(tmp_path / "b.wav", np.full(RATE, 0.123456), subtype)
    assert is_silent(tmp_path / "c.wav", np.zeros(RATE), subtype)


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW"])
def test_an_idle_telephone_line_is_silent(tmp_path: Path, subtype: str) -> None:
    idle = RNG.choice([-8, 0, 8], RATE) / 32_768
    assert is_silent(tmp_path / "a.wav", idle, subtype)
    assert not is_silent(tmp_path / "b.wav", SOUND * 0.05, subtype)


@pytest.mark.parametrize(
    ("peak", "subtype"),
    [
        (2e-4, "FLOAT"),
        (1e-9, "FLOAT"),
        (1e-30, "FLOAT"),
        (3e-6, "PCM_24"),
        (3e-4, "PCM_16"),
        (0.03, "PCM_U8"),
    ],
)
def test_a_quiet_sound_is_no_silence(tmp_path: Path, peak: float, subtype: str) -> None:
    assert not is_silent(tmp_path / "a.wav", SOUND / np.abs(SOUND).max() * peak, subtype)


def test_one_click_is_no_silence(tmp_path: Path) -> None:
    click = np.zeros(RATE)
    click[100] = 1 / 32
    for subtype in ("PCM_16", "PCM_24", "FLOAT"):
        assert not is_silent(tmp_path / "a.wav", click, subtype)


def test_each_channel_is_judged(tmp_path: Path) -> None:
    silence = np.zeros(len(SOUND))
    assert not is_silent(tmp_path / "a.wav", np.stack([silence, SOUND], 1), "PCM_16")
    assert not is_silent(tmp_path / "b.wav", np.stack([SOUND, -SOUND], 1), "PCM_16")
    assert is_silent(tmp_path / "c.wav", np.stack([silence, silence + 0.25], 1), "PCM_16")


@pytest.mark.parametrize("scale", [1e-9, 1e5])
def test_floats_far_from_full_scale_are_told_apart(tmp_path: Path, scale: float) -> None:
    """At 24 bits of full scale, all that is very quiet is nothing and all that is loud is full."""
    other = sounds.speech_like(2, 2.0)
    ids = []
    for k, sound in enumerate((SOUND, other, SOUND)):
        soundfile.write(tmp_path / f"{k}.wav", sound * scale, RATE, subtype="FLOAT")
        ids.append(read(tmp_path / f"{k}.wav").samples_id)
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.parametrize("peak", [1e-37, 1e-9, 0.0099, 0.01, 0.5, 8.0, 9.0, 3e38])
def test_gain_is_a_power_of_two_that_makes_any_sound_as_loud_as_others(peak: float) -> None:
    gain = fitting_gain(peak)
    assert np.log2(gain) % 1 == 0
    assert (gain == 1) == (QUIET <= peak <= 8.0)
    assert gain == 1 or 0.2 < peak * gain <= 0.5
    assert fitting_gain(0.0) == 1.0
