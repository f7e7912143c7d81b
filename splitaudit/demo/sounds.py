"""Sounds made from code: speech, music, ambience, and the traps that are alike without being copies.

Every function takes a non-negative integer `seed`, a length in `seconds` and a sample `rate` in Hz
(10,000 or more), and returns float32 mono samples in [-1, 1] of shape (round(seconds * rate),).
Equal arguments give equal samples. Other seeds give another sound, sample by sample: even a pause
carries the noise of a room. `speech_like` and `music_like` perform one script (one speaker's
sentence, one piece) again for each `take`, with other timing, pitch, loudness and noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage, signal

RATE = 16000
Sound = NDArray[np.float32]
Rng = np.random.Generator

_TABLE = 2048  # samples in a period of a wavetable
_MAJOR, _MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
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
_NONE, _FRICATIVE, _PLOSIVE, _NASAL = range(4)


def speech_like(seed: int, seconds: float = 10.0, rate: int = RATE, take: int = 0) -> Sound:
    """Babble of one speaker: glottal pulses and hiss through moving formants, with pauses."""
    script, play = stream("speech", seed), stream("speech take", seed, take + 1)
    n = round(seconds * rate)
    times, bins = grid(n, rate)
    tract, base = script.uniform(0.95, 1.25), script.uniform(85, 240)
    said = utter(script, play, times)
    wander = 0.06 * wander(play, len(times), 12) + 0.012 * wander(play, len(times), 1)
    pitch = base * 2 ** (said["accent"] - 0.12 * np.minimum(said["since_pause"], 3) + wander)
    tilt = script.uniform(0.9, 1.3)
    harmonics = np.arange(1, int(0.45 * rate / (base * 1.6))) ** -tilt
    pulses = wavetable(script, harmonics)[index(np.cumsum(upsample(pitch, rate, n)) / rate)]
    voiced = said["voice"][:, None] * formant_gain(tract * said["formants"], bins)
    band = 1 / (1 + ((bins - said["hiss_hz"][:, None]) / said["hiss_width"][:, None]) ** 2)
    room = script.uniform(0.002, 0.008) / (1 + bins / 300)
    hiss = said["hiss"][:, None] * band + room
    speech = shape([(pulses, voiced), (white(play, n), hiss)])
    return peaked(speech, play.uniform(0.4, 0.9))


def music_like(seed: int, seconds: float = 10.0, rate: int = RATE, take: int = 0) -> Sound:
    """Chords, bass, a melody and drums in one key and tempo, played by hand: nothing loops."""
    script, play = stream("music", seed), stream("music take", seed, take + 1)
    beat = 60 / script.uniform(75, 150)
    notes = compose(script, int(seconds / beat) + 1)
    drums = script.random((3, 16)) < np.array([[0.25], [0.2], [0.55]])
    timbres = [
        wavetable(script, script.uniform(0.2, 1, 6) * np.arange(1, 7) ** -script.uniform(0.8, 2))
        for _ in range(3)
    ]
    beat *= np.exp(play.normal(0, 0.03))
    out = 0.004 * white(play, round(seconds * rate))
    for start, beats, midi, level, part in notes:
        freq = 440 * 2 ** ((midi - 69 + play.normal(0, 0.06)) / 12)
        sound = note(play, timbres[int(part)], freq, beats * beat * play.uniform(0.85, 1.1), rate)
        add(out, sound * (level * play.uniform(0.7, 1.2)), start * beat + play.normal(0, 0.01), rate)
    drum(play, out, drums, beat / 4, rate)
    return peaked(out, play.uniform(0.4, 0.9))


def ambient(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Wind-like noise whose colour drifts, with birds, drops and knocks here and there."""
    rng = stream("ambient", seed)
    n = round(seconds * rate)
    times, bins = grid(n, rate)
    gains = rng.uniform(0.01, 0.05) / (1 + bins / 400) + np.zeros((len(times), 1))
    for centre in rng.uniform([150, 500, 1500], [500, 1500, 4000]):
        moved = centre * 2 ** (0.5 * wander(rng, len(times), 25))[:, None]
        swell = 10 ** (0.4 * wander(rng, len(times), 15))[:, None]
        gains += 30 / centre * swell / (1 + (3 * (bins / moved - 1)) ** 2)
    out = shape([(white(rng, n), gains)])
    out *= 0.1 / np.sqrt(np.mean(out**2) + 1e-12)
    makers = rng.permutation(np.array([bird, drop, knock], dtype=object))[: rng.integers(2, 4)]
    for start in rng.uniform(0, seconds, rng.poisson(1.3 * seconds)):
        add(out, rng.choice(makers)(rng, rate) * rng.uniform(0.15, 0.7), start, rate)
    return peaked(out, rng.uniform(0.4, 0.9))


def distinct(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Speech, music or ambience in turn: no two seeds share a stretch."""
    makers: tuple[Callable[[int, float, int], Sound], ...] = (speech_like, music_like, ambient)
    return makers[seed % 3](seed, seconds, rate)


def jingle(seed: int, rate: int = RATE) -> Sound:
    """A logo of 3 s: a run of six bells, then a chord that rings out."""
    rng = stream("jingle", seed)
    out = np.zeros(3 * rate, np.float32)
    scale = 72 + rng.integers(0, 8) + np.array([0, 2, 4, 7, 9, 12, 14, 16])
    step = rng.uniform(0.17, 0.22)
    run = list(enumerate(rng.choice(scale, 6)))
    for place, midi in run + [(6.5, scale[k] - 12) for k in (0, 2, 3, 5)]:
        t = np.arange(round((1.6 if place > 6 else 0.7) * rate)) / rate
        freq = 440 * 2 ** ((midi - 69) / 12)
        partials = freq * np.array([[1.0], [2.0], [3.01], [4.17], [5.43]])
        bell = np.sin(2 * np.pi * partials * t) * np.exp(-t * np.array([[2], [3], [5], [8], [12]]))
        add(out, np.array([1, 0.6, 0.4, 0.3, 0.2]) @ bell * fade(len(t), rate), place * step, rate)
    return peaked(out, 0.8)


def silence(seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Digital silence: the one sound that all seeds share."""
    return np.zeros(round(seconds * rate), np.float32)


def dither(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Triangular noise of one step of 16 bits, as in the silence of a mastered file."""
    rng = stream("dither", seed)
    n = round(seconds * rate)
    return (rng.random(n, np.float32) - rng.random(n, np.float32)) / np.float32(32768)


def white_noise(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Noise with equal power at all frequencies."""
    rng = stream("white", seed)
    return peaked(rng.standard_normal(round(seconds * rate), np.float32), rng.uniform(0.2, 0.9))


def pink_noise(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Noise with equal power in each octave, from 20 Hz on."""
    rng = stream("pink", seed)
    n = round(seconds * rate)
    spectrum = fft.rfft(white(rng, n)) / np.sqrt(np.maximum(fft.rfftfreq(n, 1 / rate), 20))
    return peaked(fft.irfft(spectrum, n), rng.uniform(0.2, 0.9))


def hum(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Mains hum of 50 or 60 Hz with its harmonics, and a little hiss."""
    rng = stream("hum", seed)
    levels = rng.uniform(0.1, 1, 12) * np.arange(1, 13) ** -1.2
    return steady(rng, rng.choice([50.0, 60.0]), levels, seconds, rate)


def tone(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """A sine at one of four frequencies; two in three have a little hiss."""
    rng = stream("tone", seed)
    return steady(rng, rng.choice([220.0, 440.0, 1000.0, 3000.0]), np.ones(1), seconds, rate)


def clicks(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """A metronome at one of three tempi: short damped knocks at even distances."""
    rng = stream("clicks", seed)
    period = rng.choice([0.25, 0.5, 1.0])
    t = np.arange(round(0.03 * rate)) / rate
    click = np.sin(2 * np.pi * rng.uniform(900, 3000) * t) * np.exp(-t * rng.uniform(150, 400))
    out = 3e-4 * white(rng, round(seconds * rate))
    for start in np.arange(rng.uniform(0, period), seconds, period):
        add(out, click, start, rate)
    return peaked(out, rng.uniform(0.3, 0.9))


def beeps(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """A device that beeps evenly, at one of three frequencies and one of two periods."""
    rng = stream("beeps", seed)
    freq, period = rng.choice([800.0, 1000.0, 2000.0]), rng.choice([0.5, 1.0])
    t = np.arange(round(seconds * rate)) / rate
    on = (t + rng.uniform(0, period)) % period < period * rng.uniform(0.15, 0.5)
    envelope = ndimage.uniform_filter1d(on.astype(np.float32), max(1, round(0.005 * rate)))
    out = np.sin(2 * np.pi * (freq * t + rng.random())) * envelope + 3e-4 * white(rng, len(t))
    return peaked(out, rng.uniform(0.3, 0.9))


def rain(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Hundreds of drops a second, each a short ring, on hiss."""
    rng = stream("rain", seed)
    n = round(seconds * rate)
    t = np.arange(round(0.02 * rate)) / rate
    out = 0.02 * signal.lfilter([1], [1, -0.7], white(rng, n))
    for _ in range(3):
        ring = np.sin(2 * np.pi * rng.uniform(800, 5000) * t) * np.exp(-t * rng.uniform(200, 600))
        drops = np.zeros(n, np.float32)
        drops[rng.integers(0, n, rng.poisson(120 * seconds))] = 1
        out += signal.oaconvolve(drops * rng.exponential(0.2, n), ring)[:n]
    return peaked(out, rng.uniform(0.3, 0.9))


def fan(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """The tone of the blades and its overtones in a steady rush of air."""
    rng = stream("fan", seed)
    n = round(seconds * rate)
    levels = rng.uniform(0.2, 1, 5) * np.arange(1, 6) ** -1.0
    blades = steady(rng, rng.choice([80.0, 120.0]) * rng.uniform(0.99, 1.01), levels, seconds, rate)
    air = peaked(signal.lfilter([1], [1, -rng.uniform(0.85, 0.95)], white(rng, n)), 0.8)
    return peaked(rng.uniform(0.3, 0.8) * blades + air, rng.uniform(0.3, 0.9))


def engine(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Many harmonics of a speed that is steady for even seeds and wanders for odd ones."""
    rng = stream("engine", seed)
    n = round(seconds * rate)
    times, _ = grid(n, rate)
    firing = rng.uniform(25, 60) * 2 ** (0.25 * (seed % 2) * wander(rng, len(times), 40))
    table = wavetable(rng, rng.uniform(0.1, 1, 40) * np.arange(1, 41) ** -0.7)
    roar = table[index(np.cumsum(upsample(firing, rate, n)) / rate + rng.random())]
    rush = signal.lfilter([0.3], [1, -0.9], white(rng, n))
    return peaked(roar + rng.uniform(0.1, 0.5) * rush, rng.uniform(0.3, 0.9))


TRAPS: dict[str, Callable[[int, float, int], Sound]] = {
    "silence": lambda seed, seconds=10.0, rate=RATE: silence(seconds, rate),
    "dither": dither,
    "white_noise": white_noise,
    "pink_noise": pink_noise,
    "hum": hum,
    "tone": tone,
    "clicks": clicks,
    "beeps": beeps,
    "rain": rain,
    "fan": fan,
    "engine": engine,
}
"""Sounds that are alike and, but for silence, no copies of each other where the seeds differ."""
