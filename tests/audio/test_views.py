"""What the mix of several channels hides is looked at, too: each channel, and their plain mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import splitaudit
from splitaudit.audio.decode.sounds import load, open_audio
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE

A, B, C = sounds.speech_like(1, 6.0), sounds.music_like(2, 6.0), sounds.speech_like(5, 6.0)


def write(path: Path, *channels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.5 * np.stack(channels, axis=1), RATE)
    return path


def views(path: Path) -> list[int]:
    reading = open_audio(str(path))
    for _ in reading.mono():
        pass
    return reading.hidden


@pytest.mark.parametrize(
    ("channels", "hidden"),
    [
        ((A,), []),
        ((A, A), []),
        ((A, 0.5 * A), []),
        ((A, -A), []),
        ((A + 0.4 * B, A - 0.4 * B), []),  # stereo as it usually is
        ((A, 0 * A), []),
        ((A, 0.001 * B), []),  # more than 20 dB below the other
        ((A, B), [1, 2]),
        ((0.3 * A, B), [1]),
        ((A, A, A, B), [4]),
        ((0.2 * A + B, 0.2 * A - B), [3]),  # the mean of both is another sound
    ],
)
def test_what_the_mix_hides_is_told(
    tmp_path: Path, channels: tuple[np.ndarray, ...], hidden: list[int]
) -> None:
    assert views(write(tmp_path / "a.wav", *channels)) == hidden


def test_a_view_is_a_channel_or_the_mean(tmp_path: Path) -> None:
    path = str(write(tmp_path / "a.wav", A, -B))
    for view, expected in ((1, A), (2, -B), (3, (A - B) / 2)):
        np.testing.assert_allclose(load(path, view=view), 0.5 * expected, atol=1e-4)


LOUD, SOFT = np.float32(1.0), np.float32(0.25)


@pytest.mark.parametrize(
    ("channels", "copy"),
    [
        ((SOFT * A, LOUD * B), SOFT * A),  # one of two that speak apart
        ((SOFT * A, LOUD * B, LOUD * C), SOFT * A),
        ((0.2 * A + B, 0.2 * A - B), 0.2 * A),  # what is left where both cancel
    ],
)
def test_a_copy_of_what_the_mix_hides_is_found(
    tmp_path: Path, channels: tuple[np.ndarray, ...], copy: np.ndarray
) -> None:
    write(tmp_path / "ds/train/a.wav", *channels)
    write(tmp_path / "ds/train/b.wav", sounds.music_like(9, 6.0))
    write(tmp_path / "ds/test/c.wav", copy[RATE // 3 :])
    audit = splitaudit.open(tmp_path / "ds", out=tmp_path / "run", cache=tmp_path / "cache")
    assert audit.scan().summary()["leaks"]["test|train"]["items"] == 1
    (row,) = audit.leaks().to_dict("records")
    spans = {row["a"]: (row["a_start"], row["a_end"]), row["b"]: (row["b_start"], row["b_end"])}
    assert spans["train/a.wav"] == pytest.approx((1 / 3, 6.0), abs=0.1)
    assert spans["test/c.wav"] == pytest.approx((0.0, 6.0 - 1 / 3), abs=0.1)
