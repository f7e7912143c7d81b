"""Landmarks stay what they were, wherever a sound is cut; and what every fingerprint must offer."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import inspect
import pkgutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitaudit import fingerprints
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound, peaked, seconds_of
from splitaudit.fingerprints import landmark
from splitaudit.fingerprints.landmark import Landmark, Landmarks
from splitaudit.media.audio import segments

MODULES = [module.name for module in pkgutil.iter_modules(fingerprints.__path__)]


def marks_of(sound: Sound, parameters: Landmark | None = None) -> Landmarks:
    cut = segments(iter([sound]), landmark.SEGMENT, landmark.CONTEXT)
    return (parameters or Landmark()).fingerprint(cut)


def pairs(marks: Landmarks) -> set[tuple[int, int]]:
    return set(zip(marks.codes.tolist(), marks.frames.tolist(), strict=True))


def whistles() -> Sound:
    """Whistles on faint hiss, of raw random bits, which no release of NumPy changes."""
    t = seconds_of(4 * RATE, RATE)
    hiss = np.random.PCG64(0).random_raw(len(t)) % 1024 / 1024 - 0.5
    sound = 0.01 * hiss
    for k, hertz in ((1, 700), (2, 1900)):
        sound += np.sin(2 * np.pi * (hertz * t + 90 * np.sin(3 * t * k)))
    return peaked(sound, 0.5)


def test_golden_codes() -> None:
    """Whoever changes these changes `Landmark.version`, since caches hold the old ones."""
    marks = marks_of(whistles())
    assert len(marks.codes) == 954
    digest = hashlib.sha256(marks.codes.tobytes() + marks.frames.tobytes()).hexdigest()
    assert (digest[:16], Landmark.version) == ("87f55b3079bf689e", 1)


def test_equal_sounds_have_equal_codes_sorted_by_time() -> None:
    one, again = marks_of(sounds.distinct(5, 4.0)), marks_of(sounds.distinct(5, 4.0))
    np.testing.assert_array_equal(one.codes, again.codes)
    np.testing.assert_array_equal(one.frames, again.frames)
    assert (np.diff(one.frames.astype(int)) >= 0).all()
    assert one.codes.dtype == one.frames.dtype == np.uint32
    assert one.codes.max() < 1 << landmark.CODE_BITS
    assert not one.degenerate


@pytest.mark.parametrize("kind", [sounds.speech_like, sounds.music_like, sounds.ambient])
def test_where_a_sound_is_cut_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, kind: type[Sound]
) -> None:
    sound = kind(2, 20.0)
    # No code repeats too often here in any period, so that all of them are kept.
    monkeypatch.setattr(landmark, "MAX_REPEATS", 10_000)
    whole = marks_of(sound)
    for segment in (1 << 16, 3 << 15):
        monkeypatch.setattr(landmark, "SEGMENT", segment)
        assert pairs(marks_of(sound)) == pairs(whole)


@settings(deadline=None, max_examples=20)
@given(st.floats(-12, 6), st.integers(0, 5))
def test_gain_changes_few_codes(gain_db: float, seed: int) -> None:
    sound = sounds.distinct(seed, 3.0) / 2
    same = pairs(marks_of(sound * np.float32(10 ** (gain_db / 20))))
    loud = pairs(marks_of(sound))
    assert len(same & loud) > 0.75 * len(loud)


def test_an_excerpt_has_the_codes_of_its_stretch() -> None:
    sound = sounds.distinct(0, 8.0)
    first = 200  # frames
    hop = Landmark().hop
    part = marks_of(sound[first * hop : first * hop + 4 * RATE])
    shifted = {(code, frame + first) for code, frame in pairs(part)}
    assert len(shifted & pairs(marks_of(sound))) > 0.9 * len(shifted)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0, np.float32),
        np.ones(1, np.float32),
        sounds.silence(5.0),
        sounds.dither(1, 5.0),
        np.full(5 * RATE, 0.5, np.float32),
        sounds.tone(0, 0.02),
    ],
    ids=["empty", "one sample", "silence", "dither", "constant", "20 ms"],
)
def test_what_holds_nothing_is_degenerate(sound: Sound) -> None:
    marks = marks_of(sound)
    assert marks.degenerate
    assert len(marks.codes) == len(marks.frames)


def test_a_code_that_repeats_is_kept_a_few_times() -> None:
    """What beeps all day long would cost n * n and tells nothing."""
    beeping = marks_of(sounds.beeps(0, 60.0))
    _, counts = np.unique(beeping.codes, return_counts=True)
    assert counts.max() <= landmark.MAX_REPEATS
    frames = beeping.frames[beeping.codes == beeping.codes[0]]
    assert frames.max() < len(sounds.beeps(0, 60.0)) / Landmark().hop


@pytest.mark.parametrize("name", MODULES)
def test_a_fingerprint_keeps_the_contract(name: str) -> None:
    module = importlib.import_module(f"splitaudit.fingerprints.{name}")
    found = [
        value
        for _, value in inspect.getmembers(module, inspect.isclass)
        if value.__module__ == module.__name__ and hasattr(value, "metric")
    ]
    assert found, f"{name} defines no fingerprint"
    for kind in found:
        assert dataclasses.is_dataclass(kind)
        assert kind.__dataclass_params__.frozen
        assert isinstance(kind.version, int)
        assert kind.modality in {"audio", "image", "video", "text"}
        assert kind.metric in {"exact", "hamming", "cosine", "postings"}
        assert kind.name == name
        assert kind() == kind()
        assert hash(kind()) == hash(kind())
        assert kind.__doc__


def test_there_are_fingerprints() -> None:
    assert "landmark" in MODULES
