"""What a synthetic speaker says, what a band plays, and the single events of a place.

A `script` is what stays the same from take to take, `play` is what no two takes share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from splitaudit.demo.synthesis import (
    Rng,
    Sound,
    fade_envelope,
    mix_into,
    random_drift,
    sample_times,
    uniform_noise,
    wavetable_index,
)

# First four formants in Hz of i, e, a, o, u, schwa, ae, y: round figures for a grown man.
_VOWELS = np.array(
    [
        [280, 2250, 2900, 3500],
        [420, 2050, 2650, 3500],
        [730, 1100, 2450, 3400],
        [480, 850, 2400, 3300],
        [310, 870, 2250, 3300],
        [500, 1450, 2450, 3400],
        [660, 1700, 2400, 3450],
        [290, 1800, 2150, 3300],
    ]
)
_BANDWIDTHS = (70, 90, 130, 200)  # of the formants, in Hz
_GLIDE, _FRICATIVE, _PLOSIVE, _NASAL = range(4)
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)


@dataclass(frozen=True)
class Utterance:
    """What the mouth does, one value a frame (`formants`: four)."""

    voice: NDArray[Any]  # loudness
    hiss: NDArray[Any]
    hiss_hz: NDArray[Any]
    hiss_width: NDArray[Any]
    formants: NDArray[Any]
    octaves: NDArray[Any]  # pitch relative to the speaker's own


def utter(script: Rng, play: Rng, times: NDArray[Any]) -> Utterance:
    """Syllables of a consonant and a gliding vowel, now and then a pause, at frame times in s."""
    n = int(times[-1] * 8) + 4  # more than can be said: a syllable lasts 0.13 s and more
    onset_kind = script.choice(4, n, p=[0.15, 0.35, 0.3, 0.2])
    vowels = _VOWELS[script.integers(0, len(_VOWELS), (2, n))]
    pause = _lengths(play, script.uniform(0.12, 0.5, n) * (script.random(n) < 0.16))
    onset = _lengths(play, script.uniform(0.05, 0.13, n))
    vowel = _lengths(play, script.uniform(0.08, 0.26, n))
    begin = np.cumsum(pause + onset + vowel) - (pause + onset + vowel)
    i = np.searchsorted(begin, times, side="right") - 1
    since = times - begin[i] - pause[i]
    kind, through = onset_kind[i], np.clip((since - onset[i]) / vowel[i], 0, 1)
    is_vowel = since >= onset[i]
    is_onset = (since >= 0) & ~is_vowel
    murmur = is_onset * np.select([kind == _NASAL, kind == _GLIDE], [0.35, 0.25], 0.0)
    arch = is_vowel * np.sqrt(np.sin(np.pi * np.clip(through, 0.04, 0.96)))
    loudness = script.uniform(0.4, 1, n) * play.uniform(0.8, 1.1, n)
    burst = is_onset & (kind == _PLOSIVE) & (since > 0.6 * onset[i])
    breath = np.select([is_vowel, burst, is_onset & (kind == _FRICATIVE)], [0.01, 0.2, 0.3], 0.0)
    hiss_hz = script.choice([2800.0, 4200.0, 6000.0], n) * script.uniform(0.9, 1.1, n)
    spoken = vowels[0][i] * (1 - through[:, None]) + vowels[1][i] * through[:, None]
    return Utterance(
        voice=ndimage.uniform_filter1d(loudness[i] * (arch + murmur), 2),
        hiss=breath,
        hiss_hz=hiss_hz[i],
        hiss_width=np.where(burst, 3000.0, 900.0),
        formants=ndimage.uniform_filter1d(spoken, 5, axis=0),
        octaves=_intonation(script, play, times, i, np.where(pause > 0, begin, 0)),
    )


def formant_gain(formants: NDArray[Any], bins: Sound) -> Sound:
    """Magnitude (frames, bins) of resonators in a row at `formants` Hz (frames, 4)."""
    # The formants above the fourth, left out, would hold up the top; a power stands for them.
    gain = np.tile(1 + (bins / 3500) ** 4, (len(formants), 1)).astype(np.float32)
    for k, width in enumerate(_BANDWIDTHS):
        square: Sound = formants[:, k, None].astype(np.float32) ** 2
        gain *= square / np.sqrt((bins**2 - square) ** 2 + (width * bins) ** 2)
    return gain


def compose(script: Rng, beats: int) -> list[tuple[float, float, int, float, int]]:
    """Notes (start and length in beats, MIDI pitch, level, part) of chords, bass and melody."""
    scale, key = script.choice([_MAJOR, _MINOR]), int(script.integers(45, 57))

    def pitch(degree: int) -> int:
        return key + 12 * int(degree // 7) + int(scale[degree % 7])

    roots = script.integers(0, 7, beats // 4 + 1)
    notes: list[tuple[float, float, int, float, int]] = [
        (4.0 * bar, 4.0, pitch(root + third), 0.22, 0)
        for bar, root in enumerate(roots)
        for third in (0, 2, 4)
    ]
    for beat in np.flatnonzero(script.random(beats) < 0.7):
        notes.append((float(beat), 0.9, pitch(roots[beat // 4] - 7), 0.5, 1))
    walk = 9 + np.cumsum(script.integers(-2, 3, 2 * beats))
    for slot in np.flatnonzero(script.random(2 * beats) < 0.65):
        notes.append((slot / 2, script.choice([0.5, 1.0]), pitch(4 + walk[slot] % 12), 0.6, 2))
    return notes


def decaying_note(play: Rng, table: Sound, freq: float, seconds: float, rate: int) -> Sound:
    """A note that dies away, with a vibrato that sets in slowly."""
    t = sample_times(round(seconds * rate), rate)
    speed = play.uniform(4.5, 6.5)
    depth = play.uniform(0.001, 0.006) * freq / (2 * np.pi * speed)
    vibrato = depth * np.minimum(t * 3, 1) * np.sin(2 * np.pi * speed * t)
    wave = table[wavetable_index(freq * t + vibrato + play.random())]
    return np.asarray(wave * np.exp(-t * 2.5) * fade_envelope(len(t), rate))


def add_drums(play: Rng, out: Sound, pattern: NDArray[Any], step: float, rate: int) -> None:
    """Mix in kick, snare and hat: a pattern (3, 16) at `step` s, which the player often leaves."""
    for k in range(int(len(out) / rate / step) + 1):
        for part in np.flatnonzero(pattern[:, k % 16] ^ (play.random(3) < 0.08)):
            hit = (_kick, _snare, _hat)[part](play, rate) * play.uniform(0.6, 1.1)
            mix_into(out, hit, k * step + play.normal(0, 0.006), rate)


def bird(rng: Rng, rate: int) -> Sound:
    """A few quick whistles that sweep up or down."""
    t = sample_times(round(rng.uniform(0.06, 0.14) * rate), rate)
    base, sweep, warble = rng.uniform(2200, 4800), rng.normal(0, 1500), rng.uniform(15, 50)
    call = base + sweep * t / t[-1] + 250 * np.sin(2 * np.pi * warble * t)
    rest = np.zeros(round(rng.uniform(0.03, 0.09) * rate), np.float32)
    whistles = []
    for _ in range(rng.integers(2, 7)):
        periods = np.cumsum(call + rng.normal(0, 60)) / rate
        whistles += [(np.sin(2 * np.pi * periods) * np.hanning(len(t))).astype(np.float32), rest]
    return np.concatenate(whistles)


def drop(rng: Rng, rate: int) -> Sound:
    """A bubble: a damped sine that rises."""
    t = sample_times(round(0.12 * rate), rate)
    freq = rng.uniform(500, 1800) * (1 + rng.uniform(1, 4) * t)
    return np.asarray(np.sin(2 * np.pi * freq * t) * np.exp(-t * rng.uniform(25, 60)))


def knock(rng: Rng, rate: int) -> Sound:
    """Wood: five damped modes, struck once to three times."""
    t = sample_times(round(0.2 * rate), rate)
    modes, damping = rng.uniform(120, 1600, (5, 1)), rng.uniform(20, 70, (5, 1))
    once = (np.sin(2 * np.pi * modes * t) * np.exp(-t * damping)).mean(axis=0)
    return np.concatenate([once * rng.uniform(0.6, 1.2) for _ in range(rng.integers(1, 4))])


def _lengths(play: Rng, scripted: NDArray[Any]) -> NDArray[Any]:
    """Durations as this take has them: some 12 % from the script."""
    return np.asarray(scripted * np.exp(play.normal(0, 0.12, len(scripted))))


def _intonation(
    script: Rng, play: Rng, times: NDArray[Any], syllable: NDArray[Any], pauses: NDArray[Any]
) -> NDArray[Any]:
    """Octaves by frame: accents of syllables, a fall since the last pause, drift and jitter."""
    n = len(pauses)
    accent = script.normal(0, 0.15, n) + play.normal(0, 0.04, n)
    fall = 0.12 * np.minimum(times - np.maximum.accumulate(pauses)[syllable], 3)
    drift = 0.06 * random_drift(play, len(times), 12) + 0.012 * random_drift(play, len(times), 1)
    return np.asarray(ndimage.uniform_filter1d(accent[syllable], 7) - fall + drift)


def _kick(play: Rng, rate: int) -> Sound:
    t = sample_times(round(0.15 * rate), rate)
    periods = play.uniform(45, 55) * t - 4 / (2 * np.pi) * np.exp(-t * play.uniform(25, 35))
    return np.asarray(0.9 * np.sin(2 * np.pi * periods) * np.exp(-t * 18))


def _snare(play: Rng, rate: int) -> Sound:
    t = sample_times(round(0.12 * rate), rate)
    body = np.sin(2 * np.pi * play.uniform(180, 200) * t)
    return np.asarray((0.4 * uniform_noise(play, len(t)) + 0.3 * body) * np.exp(-t * 28))


def _hat(play: Rng, rate: int) -> Sound:
    t = sample_times(round(0.06 * rate), rate)
    return 0.15 * np.diff(uniform_noise(play, len(t)), append=np.float32(0)) * np.exp(-t * 60)
