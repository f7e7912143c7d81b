"""What is measured of pairs of sounds stays what it was: scores, stretches, levels, filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import measured
import numpy as np
import pytest
from test_equalising import beep, pluck, struck_bar, telephone
from test_tempo_pitch import CHANGES as SCALES
from test_tempo_pitch import ready
from test_waveform import CHANGES, KINDS, noisy

from splitaudit.audio.verify import equalising, tempo_pitch, waveform
from splitaudit.audio.verify.filtering import Between
from splitaudit.audio.verify.waveform import Proof
from splitaudit.demo.synthesis import RATE, Sound

KEPT = Path(__file__).parent / "measured_sounds.json"
Kind = Callable[..., Sound]
KIND = pytest.mark.parametrize("kind", KINDS)


def of(proof: Proof | None) -> list[float]:
    if proof is None:
        return []
    values = [getattr(proof, field.name) for field in fields(proof)]
    return [float(value) for value in values if not isinstance(value, str)]


@KIND
@pytest.mark.parametrize("change", CHANGES)
def test_of_a_sound_and_its_copy(kind: Kind, change: str) -> None:
    sound = kind(3, 6.0)
    found = waveform.verify(ready(sound), ready(CHANGES[change](sound)), 0.01)
    measured.check(KEPT, f"{kind.__name__}, {change}", of(found))


@KIND
@pytest.mark.parametrize("snr_db", [10, 0, -6])
def test_of_a_part_in_noise(kind: Kind, snr_db: int) -> None:
    sound = kind(3, 8.0)
    part = noisy(sound[2 * RATE : 5 * RATE], snr_db)
    found = waveform.verify(ready(sound), ready(part), -1.97)
    measured.check(KEPT, f"{kind.__name__}, part in noise at {snr_db} dB", of(found))


@KIND
def test_of_sounds_that_are_no_copies(kind: Kind) -> None:
    found = waveform.verify(ready(kind(3, 6.0)), ready(kind(4, 6.0)), 0.0)
    measured.check(KEPT, f"{kind.__name__}, another", of(found))


@KIND
@pytest.mark.parametrize("change", SCALES)
def test_of_a_copy_at_another_speed(kind: Kind, change: str) -> None:
    sound = kind(4, 6.0)
    copy = SCALES[change](sound, 0.95)[0]
    tempo = 1.0 if change == "pitch" else 0.95
    found = tempo_pitch.verify(ready(sound), ready(copy), (2.0 * tempo + 0.05, 2.0), tempo * 1.01)
    measured.check(KEPT, f"{kind.__name__}, other {change}", of(found))


NOTES = {"pluck": pluck, "bar": struck_bar, "beep": beep}


@pytest.mark.parametrize("name", NOTES)
@pytest.mark.parametrize("other", [1, 2])
def test_of_notes(name: str, other: int) -> None:
    """Of one and what a telephone makes of it, and of the next."""
    one, heard = NOTES[name](1), telephone(NOTES[name](other))
    lag, score = equalising.align(one, heard, 0) or (0, -1.0)
    between = Between(one, heard)
    values = [lag, score, between.explained, between.agreeing_bits(96) / 1000]
    measured.check(KEPT, f"{name}, {other} in a telephone", values)


@KIND
@pytest.mark.parametrize("other", [3, 4])
def test_what_lies_between_two_sounds(kind: Kind, other: int) -> None:
    one, heard = kind(3, 1.0), telephone(kind(other, 1.0))
    between = Between(one, heard)
    values = [between.explained, *(between.agreeing_bits(reach) / 1000 for reach in (1, 96))]
    measured.check(KEPT, f"{kind.__name__}, between it and {other}", values)
    assert np.isfinite(values).all()
