"""Copies that are played faster, slower, higher or lower: found by a scan, and told by how much."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soxr
from sound_files import stretched, write_pcm

import splitaudit
from splitaudit.demo import sounds

Sound = npt.NDArray[np.float32]
SCALES = {  # copy: tempo, pitch
    "faster": (1.05, 1.05),
    "slower": (0.98, 0.98),
    "hurried": (1.05, 1.0),
    "drawn_out": (0.98, 1.0),
    "higher": (1.0, 1.02),
    "lower": (1.0, 0.95),
}


def resampled(sound: Sound, speed: float) -> Sound:
    """Shorter and higher by `speed`."""
    ratio = Fraction(speed).limit_denominator(1000)
    return np.asarray(soxr.resample(sound, ratio.numerator, ratio.denominator), np.float32)


def scaled(sound: Sound, tempo: float, pitch: float) -> Sound:
    other = sound if tempo == pitch else stretched(sound, tempo / pitch)
    return np.clip(resampled(other, pitch) if pitch != 1 else other, -1, 1)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """Accepted matches by their names, of each copy with the sound that it was made of."""
    home = tmp_path_factory.mktemp("speeds")
    for split in ("train", "test"):
        (home / "data" / split).mkdir(parents=True)
    for seed, (name, scales) in enumerate(SCALES.items()):
        sound = sounds.distinct_sound(seed, 8.0)
        write_pcm(home / f"data/train/{name}.wav", sound)
        write_pcm(home / f"data/test/{name}.wav", scaled(sound, *scales))
    for seed in range(50, 56):
        write_pcm(home / f"data/test/{seed}.wav", sounds.distinct_sound(seed, 8.0))
    audit = splitaudit.open(home / "data", out=home / "run", cache=home / "cache").scan()
    rows = audit.table("matches").to_pylist()
    return {(row["a"], row["b"]): row for row in rows if row["accepted"]}


def row_of(found: Mapping[tuple[str, str], dict[str, Any]], name: str) -> dict[str, Any]:
    return found[f"test/{name}.wav", f"train/{name}.wav"]


def test_nothing_else_is_accused(found: Mapping[tuple[str, str], dict[str, Any]]) -> None:
    assert set(found) == {(f"test/{name}.wav", f"train/{name}.wav") for name in SCALES}


@pytest.mark.parametrize("name", SCALES)
def test_scales_are_told(found: Mapping[tuple[str, str], dict[str, Any]], name: str) -> None:
    """A row goes from the copy in test to the original in train, so the other way about."""
    row, (tempo, pitch) = row_of(found, name), SCALES[name]
    assert row["tempo"] == pytest.approx(1 / tempo, rel=0.005)
    assert 12 * np.log2(row["pitch"] * pitch) == pytest.approx(0, abs=0.1)
    its = (row["b_end"] - row["b_start"]) * row["tempo"]
    assert row["a_end"] - row["a_start"] == pytest.approx(its, abs=0.1)
    assert min(row["coverage_a"], row["coverage_b"]) > 0.8


@pytest.mark.parametrize(
    ("name", "words"),
    [("faster", "speed -4.8%"), ("hurried", "tempo -4"), ("lower", "pitch +0.8")],
)
def test_words_say_so(
    found: Mapping[tuple[str, str], dict[str, Any]], name: str, words: str
) -> None:
    assert words in row_of(found, name)["transform"]
