"""Sounds made from code: speech, music, ambience, and traps that are alike without being copies.

Every function takes a non-negative integer `seed`, a length in `seconds` and a sample `rate` in Hz
(16,000 or more), and returns float32 mono samples in [-1, 1] of shape (round(seconds * rate),).
Equal arguments give equal samples. Other seeds give another sound, sample by sample: even a pause
carries the noise of a room. `speech_like` and `music_like` perform one script (one speaker's
sentence, one piece) again for each `take`, with other timing, pitch, loudness and noise.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import fft, ndimage, signal

from splitaudit.demo import performance
from splitaudit.demo.synthesis import (
    RATE,
    Sound,
    fade_envelope,
    filter_frames,
    frame_grid,
    mix_into,
    normalise_peak,
    random_drift,
    seeded_rng,
    steady_tone,
    uniform_noise,
    upsample,
    wavetable,
    wavetable_index,
)


def speech_like(seed: int, seconds: float = 10.0, rate: int = RATE, take: int = 0) -> Sound:
    """Babble of one speaker: glottal pulses and hiss through moving formants, with pauses."""
    script, play = seeded_rng("speech", seed), seeded_rng("speech take", seed, take)
    n = round(seconds * rate)
    times, bins = frame_grid(n, rate)
    tract, base = script.uniform(0.95, 1.25), script.uniform(85, 240)
    # Harmonics fall by 6 dB an octave: 12 from the glottis less 6 at the lips.
    harmonics = np.arange(1, int(0.3 * rate / base)) ** -script.uniform(0.9, 1.3)
    table, noise = wavetable(script, harmonics), script.uniform(0.002, 0.008)
    said = performance.utter(script, play, times)
    pulses = table[wavetable_index(np.cumsum(upsample(base * 2**said.octaves, rate, n)) / rate)]
    voiced = said.voice[:, None] * performance.formant_gain(tract * said.formants, bins)
    band = 1 / (1 + ((bins - said.hiss_hz[:, None]) / said.hiss_width[:, None]) ** 2)
    hiss = said.hiss[:, None] * band + noise / (1 + bins / 300)
    return normalise_peak(
        filter_frames([(pulses, voiced), (uniform_noise(play, n), hiss)]), play.uniform(0.4, 0.9)
    )


def music_like(seed: int, seconds: float = 10.0, rate: int = RATE, take: int = 0) -> Sound:
    """Chords, bass, a melody and drums in one key and tempo, played by hand: nothing loops."""
    script, play = seeded_rng("music", seed), seeded_rng("music take", seed, take)
    beat = 60 / script.uniform(75, 150)
    drums = script.random((3, 16)) < np.array([[0.25], [0.2], [0.55]])
    levels = script.uniform(0.2, 1, (3, 6)) * np.arange(1, 7) ** -script.uniform(0.8, 2, (3, 1))
    timbres = [wavetable(script, part) for part in levels]
    notes = performance.compose(script, int(seconds / beat) + 2)
    beat *= np.exp(play.normal(0, 0.03))
    out = 0.004 * uniform_noise(play, round(seconds * rate))
    for start, length, midi, level, part in notes:
        freq = _hertz(midi + play.normal(0, 0.06))
        held = length * beat * play.uniform(0.85, 1.1)
        sound = performance.decaying_note(play, timbres[part], freq, held, rate)
        mix_into(
            out, sound * (level * play.uniform(0.7, 1.2)), start * beat + play.normal(0, 0.01), rate
        )
    performance.add_drums(play, out, drums, beat / 4, rate)
    return normalise_peak(out, play.uniform(0.4, 0.9))


def ambient(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Wind-like noise whose colour drifts, with birds, drops or knocks here and there."""
    rng = seeded_rng("ambient", seed)
    n = round(seconds * rate)
    times, bins = frame_grid(n, rate)
    gains = np.zeros((len(times), 1)) + rng.uniform(0.01, 0.05) / (1 + bins / 400)
    for centre in rng.uniform([150, 500, 1500], [500, 1500, 4000]):
        drifting = centre * 2 ** (0.5 * random_drift(rng, len(times), 25))[:, None]
        swell = 10 ** (0.4 * random_drift(rng, len(times), 15))[:, None]
        gains += 30 / centre * swell / (1 + (3 * (bins / drifting - 1)) ** 2)
    out = filter_frames([(uniform_noise(rng, n), gains)])
    out *= 0.1 / np.sqrt(np.mean(out**2))
    kinds = (performance.bird, performance.drop, performance.knock)
    heard = rng.permutation(3)[: rng.integers(2, 4)]
    for start in rng.uniform(0, seconds, rng.poisson(1.3 * seconds)):
        event = kinds[rng.choice(heard)](rng, rate)
        mix_into(out, event * rng.uniform(0.15, 0.7), start, rate)
    return normalise_peak(out, rng.uniform(0.4, 0.9))


def distinct_sound(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Speech, music or ambience in turn: no two seeds share a stretch."""
    makers: tuple[Callable[[int, float, int], Sound], ...] = (speech_like, music_like, ambient)
    return makers[seed % 3](seed, seconds, rate)


def jingle(seed: int, rate: int = RATE) -> Sound:
    """A logo of 3 s: a run of seven bells, then a chord that rings out."""
    rng = seeded_rng("jingle", seed)
    out = np.zeros(3 * rate, np.float32)
    scale = 72 + rng.integers(0, 8) + np.array([0, 2, 4, 7, 9, 12, 14, 16])
    step = rng.uniform(0.16, 0.2)
    for k, midi in enumerate(rng.choice(scale, 7)):
        mix_into(out, _bell(_hertz(midi), 0.6, rate), k * step, rate)
    for midi in scale[[0, 2, 3, 5]]:
        mix_into(out, _bell(_hertz(midi), 3 - 7 * step, rate), 7 * step, rate)
    return normalise_peak(out, 0.8)


def silence(seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Digital silence: the one sound that all seeds share."""
    return np.zeros(round(seconds * rate), np.float32)


def dither(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Triangular noise of one step of 16 bits, as in the silence of a mastered file."""
    rng = seeded_rng("dither", seed)
    n = round(seconds * rate)
    return (rng.random(n, np.float32) - rng.random(n, np.float32)) / np.float32(32768)


def white_noise(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Noise with equal power at all frequencies."""
    rng = seeded_rng("white", seed)
    return normalise_peak(
        rng.standard_normal(round(seconds * rate), np.float32), rng.uniform(0.2, 0.9)
    )


def pink_noise(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Noise with equal power in each octave from 20 Hz on."""
    rng = seeded_rng("pink", seed)
    n = round(seconds * rate)
    spectrum = fft.rfft(uniform_noise(rng, n)) / np.sqrt(np.maximum(fft.rfftfreq(n, 1 / rate), 20))
    return normalise_peak(fft.irfft(spectrum, n), rng.uniform(0.2, 0.9))


def hum(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Mains hum of 50 or 60 Hz with eleven overtones; two in three have a little hiss."""
    rng = seeded_rng("hum", seed)
    levels = rng.uniform(0.1, 1, 12) * np.arange(1, 13) ** -1.2
    return steady_tone(rng, rng.choice([50.0, 60.0]), levels, round(seconds * rate), rate)


def tone(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """A sine at one of four frequencies; two in three have a little hiss."""
    rng = seeded_rng("tone", seed)
    freq = rng.choice([220.0, 440.0, 1000.0, 3000.0])
    return steady_tone(rng, freq, np.ones(1), round(seconds * rate), rate)


def clicks(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """A metronome at one of three tempi: short damped knocks at even distances."""
    rng = seeded_rng("clicks", seed)
    period = rng.choice([0.25, 0.5, 1.0])
    t = np.arange(round(0.03 * rate)) / rate
    click = np.sin(2 * np.pi * rng.uniform(900, 3000) * t) * np.exp(-t * rng.uniform(150, 400))
    out = 3e-4 * uniform_noise(rng, round(seconds * rate))
    for start in np.arange(rng.uniform(0, period), seconds, period):
        mix_into(out, click, start, rate)
    return normalise_peak(out, rng.uniform(0.3, 0.9))


def beeps(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """A device that beeps evenly, at one of three frequencies and one of two periods."""
    rng = seeded_rng("beeps", seed)
    freq, period = rng.choice([800.0, 1000.0, 2000.0]), rng.choice([0.5, 1.0])
    t = np.arange(round(seconds * rate)) / rate
    on = (t + rng.uniform(0, period)) % period < period * rng.uniform(0.15, 0.5)
    envelope = ndimage.uniform_filter1d(on.astype(np.float32), round(0.005 * rate))
    out = np.sin(2 * np.pi * (freq * t + rng.random())) * envelope + 3e-4 * uniform_noise(
        rng, len(t)
    )
    return normalise_peak(out, rng.uniform(0.3, 0.9))


def rain(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Hundreds of drops a second, each a short ring, on hiss."""
    rng = seeded_rng("rain", seed)
    n = round(seconds * rate)
    t = np.arange(round(0.01 * rate)) / rate
    out = 0.03 * signal.lfilter([1], [1, -0.7], uniform_noise(rng, n))
    for centre in rng.uniform([600, 1500, 3000], [1500, 3000, 6000]):
        ring = np.sin(2 * np.pi * centre * t) * np.exp(-t * rng.uniform(600, 2000))
        drops = np.zeros(n, np.float32)
        places = rng.integers(0, n, rng.poisson(150 * seconds))
        drops[places] = rng.exponential(0.2, len(places))
        out += signal.oaconvolve(drops, ring)[:n]
    return normalise_peak(out, rng.uniform(0.3, 0.9))


def fan(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """The tone of the blades and its overtones in a steady rush of air."""
    rng = seeded_rng("fan", seed)
    n = round(seconds * rate)
    levels = rng.uniform(0.2, 1, 5) * np.arange(1, 6) ** -1.0
    freq = rng.choice([80.0, 120.0]) * rng.uniform(0.99, 1.01)
    air = normalise_peak(
        signal.lfilter([1], [1, -rng.uniform(0.85, 0.95)], uniform_noise(rng, n)), 0.8
    )
    return normalise_peak(steady_tone(rng, freq, levels, n, rate) + air, rng.uniform(0.3, 0.9))


def engine(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    """Many harmonics of a speed that is steady for even seeds and wanders for odd ones."""
    rng = seeded_rng("engine", seed)
    n = round(seconds * rate)
    times, _ = frame_grid(n, rate)
    firing = rng.uniform(25, 60) * 2 ** (0.25 * (seed % 2) * random_drift(rng, len(times), 40))
    table = wavetable(rng, rng.uniform(0.1, 1, 40) * np.arange(1, 41) ** -0.7)
    roar = table[wavetable_index(np.cumsum(upsample(firing, rate, n)) / rate + rng.random())]
    rush = signal.lfilter([0.3], [1, -0.9], uniform_noise(rng, n))
    return normalise_peak(roar + rng.uniform(0.1, 0.5) * rush, rng.uniform(0.3, 0.9))


def _silence(seed: int, seconds: float = 10.0, rate: int = RATE) -> Sound:
    return silence(seconds, rate)


def _hertz(midi: float) -> float:
    return float(440 * 2 ** ((midi - 69) / 12))


def _bell(freq: float, seconds: float, rate: int) -> Sound:
    """Five partials, a little out of tune, of which the higher die sooner."""
    t = np.arange(round(seconds * rate)) / rate
    partials = freq * np.array([[1.0], [2.0], [3.01], [4.17], [5.43]])
    rings = np.sin(2 * np.pi * partials * t) * np.exp(-t * np.array([[2], [3], [4], [6], [9]]))
    return np.asarray(
        np.array([1, 0.6, 0.4, 0.3, 0.2]) @ rings * fade_envelope(len(t), rate), np.float32
    )


HARD_NEGATIVES: dict[str, Callable[[int, float, int], Sound]] = {
    "silence": _silence,
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
