"""What is alike and no copy: takes of one word, a room behind many; and a loop that is a copy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sound_files as files
from scipy import signal

from splitaudit.audio.decode import sounds as audio
from splitaudit.audio.verify import waveform
from splitaudit.audio.verify.filtering import explained_share
from splitaudit.audio.verify.sound import prepare_sound
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound


def take(seed: int) -> Sound:
    """One vowel spoken anew: pitch course, resonances and length are a little different."""
    rng = np.random.default_rng(seed)
    n = round(RATE * 0.36 * rng.uniform(0.94, 1.06))
    t = np.linspace(0, 1, n)
    course = 1 + 0.008 * rng.normal() + 0.012 * rng.normal() * (t - 0.5) - 0.08 * t**2
    pulses = np.diff(np.floor(np.cumsum(120 * course) / RATE + rng.uniform()), prepend=0)
    out = pulses * (1 + 0.05 * rng.normal(size=n))
    for form, width in ((500, 60), (1400, 90), (2400, 120)):
        radius, turn = np.exp(-np.pi * width / RATE), form * (1 + 0.012 * rng.normal())
        out = signal.lfilter(
            [1], [1, -2 * radius * np.cos(2 * np.pi * turn / RATE), radius**2], out
        )
    out *= np.minimum(1, np.minimum(t, 1 - t) / 0.1)
    return np.asarray(0.5 * out / np.abs(out).max() + 5e-4 * rng.normal(size=n), np.float32)


def accepts(a: Sound, b: Sound) -> bool:
    proof = waveform.verify(prepare_sound(a), prepare_sound(b), 0.0)
    return proof is not None and proof.accepted


def test_takes_of_one_vowel_are_no_copies() -> None:
    takes = [prepare_sound(take(seed)) for seed in range(24)]
    proofs = [waveform.verify(a, b, 0.0) for i, a in enumerate(takes) for b in takes[:i]]
    assert sum(proof is not None and proof.accepted for proof in proofs) == 0
    assert max(proof.score for proof in proofs if proof) > 0.85


def test_takes_that_begin_at_other_moments_are_no_copies() -> None:
    """What one has before the other begins does not follow it, as what lies over a copy."""
    takes = [prepare_sound(loose_take(seed)) for seed in LOOSE]
    for one, other in zip(takes[::2], takes[1::2], strict=True):
        agreement = np.abs(signal.correlate(other.white, one.white, "full", "fft"))
        offset_s = (int(agreement.argmax()) - len(one.white) + 1) / RATE
        proof = waveform.verify(one, other, offset_s)
        assert proof is not None
        assert proof.score > 0.72
        assert not proof.accepted


# Of 90 takes the pairs that are most alike; each two of one pitch.
LOOSE = (24, 9, 64, 61, 84, 15)


def loose_take(seed: int) -> Sound:
    """One vowel at 8 kHz that begins late, with a little noise; takes differ more."""
    rng, rate = np.random.default_rng(seed), RATE // 2
    n = round(rate * 0.36 * rng.uniform(0.9, 1.1))
    t = np.linspace(0, 1, n)
    course = (1 + 0.03 * rng.normal()) * (1 + 0.04 * rng.normal() * (t - 0.5) - 0.08 * t**2)
    phase = np.cumsum((110, 135, 200)[seed % 3] * course) / rate + rng.uniform()
    out = np.diff(np.floor(phase), prepend=0) * (1 + 0.05 * rng.normal(size=n))
    for form, width in ((500, 60), (1400, 90), (2400, 120)):
        radius, turn = np.exp(-np.pi * width / rate), form * (1 + 0.03 * rng.normal())
        poles = [1, -2 * radius * np.cos(2 * np.pi * turn / rate), radius**2]
        out = signal.lfilter([1], poles, out)
    out *= np.minimum(1, np.minimum(t / 0.08, (1 - t) / 0.22))
    late = np.zeros(int(rate * rng.uniform(0, 0.04)))
    whole = np.concatenate([late, 0.5 * out / np.abs(out).max()])
    noisy = whole + 5e-4 * rng.normal(size=len(whole))
    return np.asarray(signal.resample_poly(noisy, 2, 1), np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_a_filtered_take_is_a_copy(seed: int, tmp_path: Path) -> None:
    clear = take(seed)
    band = signal.butter(4, [300, 3400], "band", fs=RATE, output="sos")
    assert accepts(clear, signal.sosfilt(band, clear).astype(np.float32))
    assert accepts(clear, audio.load(str(files.write_av(tmp_path / "take.mp3", clear))))
    assert accepts(clear, clear[len(clear) // 2 :]) or len(clear) < 0.2 * RATE


@pytest.mark.parametrize("seed", range(6))
def test_a_third_of_a_take_is_a_copy_of_it_and_of_no_other(seed: int) -> None:
    """A tenth of a second, shorter than what is whitened at once."""
    whole = take(seed)
    third = whole[len(whole) // 3 :][: len(whole) // 3]
    offset_s = -(len(whole) // 3) / RATE
    proof = waveform.verify(prepare_sound(whole), prepare_sound(third), offset_s)
    assert proof is not None
    assert proof.accepted
    other = waveform.verify(prepare_sound(take(seed + 100)), prepare_sound(third), offset_s)
    assert other is None or not other.accepted


def pluck(seed: int, seconds: float = 1.0) -> Sound:
    """A string (Karplus and Strong, 1983): a burst that goes round, and is smoothed each time."""
    rng, n, period = np.random.default_rng(seed), round(RATE * seconds), 90
    burst = np.zeros(n)
    burst[:period] = rng.uniform(-1, 1, period)
    loop = np.zeros(period + 2)
    loop[0], loop[period], loop[period + 1] = 1.0, -0.996 * 0.7, -0.996 * 0.3
    out = signal.lfilter([1], loop, burst)
    return np.asarray(0.5 * out / np.abs(out).max(), np.float32)


def test_a_plucked_string_is_a_copy_of_itself_and_of_no_other() -> None:
    """It repeats with each period, and a filter makes it from another pluck."""
    one = pluck(1)
    quieter = np.round(one * 8_000).astype(np.float32) / 32_768
    assert accepts(one, quieter)
    assert accepts(one, quieter[: RATE // 3])
    assert not accepts(one, pluck(2))
    assert explained_share(one, pluck(2)) > 0.98


def test_a_stroke_in_a_telephone_is_told_by_its_click() -> None:
    """Five cells at 60 Hz, and a click that is all that the telephone leaves."""
    times, rng = np.arange(0.4 * RATE) / RATE, np.random.default_rng(1)
    tone = np.sin(2 * np.pi * np.cumsum(55 + 90 * np.exp(-times / 0.03)) / RATE)

    def stroke() -> Sound:
        click = 0.03 * rng.normal(size=len(times)) * np.exp(-times / 0.04)
        return np.asarray(0.7 * tone * np.exp(-times / 0.1) + click, np.float32)

    one, other = stroke(), stroke()
    band = signal.butter(4, [300, 3400], "band", fs=RATE, output="sos")
    assert accepts(one, signal.sosfilt(band, one).astype(np.float32))
    assert not accepts(one, signal.sosfilt(band, other).astype(np.float32))


def test_one_breath_behind_two_voices_is_no_copy() -> None:
    """A synthesiser has the same noise in all that it says, 13 dB below the voice."""
    breath = np.random.default_rng(9).standard_normal(RATE // 2).astype(np.float32)
    high = signal.sosfilt(signal.butter(4, 3_000, "high", fs=RATE, output="sos"), breath)
    words = [sounds.speech_like(seed, 0.5) for seed in (11, 12)]
    low = signal.butter(6, 2_000, fs=RATE, output="sos")
    voices = [signal.sosfilt(low, word / word.std()) + 0.22 * high / high.std() for word in words]
    proof = waveform.verify(*(prepare_sound((0.1 * v).astype(np.float32)) for v in voices), 0.0)
    assert proof is not None
    assert proof.score > 0.9
    assert not proof.accepted


@pytest.mark.parametrize("snr_db", [10, 3])
def test_a_short_word_in_noise_is_a_copy(snr_db: float) -> None:
    word = sounds.speech_like(4, 0.35)
    hiss = np.random.default_rng(2).standard_normal(len(word)).astype(np.float32)
    heard = word + hiss * word.std() * np.float32(10 ** (-snr_db / 20))
    assert accepts(word, heard)
    assert not accepts(sounds.speech_like(5, 0.35), heard)


def test_two_hits_of_one_bell_are_no_copies() -> None:
    """The same partials, each as loud and as late as this hit makes it."""
    t, rng = np.arange(RATE) / RATE, np.random.default_rng(3)
    pitches = rng.uniform(300, 3000, 9)

    def hit() -> Sound:
        level, late = rng.uniform(0.4, 1, (9, 1)), rng.normal(0, 0.4, (9, 1))
        partials = level * np.sin(2 * np.pi * pitches[:, None] * t + late) * np.exp(-4 * t)
        return np.asarray(0.1 * partials.sum(0) + 1e-4 * rng.normal(size=RATE), np.float32)

    hits = [hit() for _ in range(8)]
    assert not any(accepts(a, b) for i, a in enumerate(hits) for b in hits[:i])
    assert all(accepts(one, np.float32(0.5) * one) for one in hits)


def test_a_note_in_two_songs_is_no_copy() -> None:
    """One pluck with harmonics; before and after it, others."""
    rng = np.random.default_rng(5)

    def note(pitch: float) -> Sound:
        t = np.arange(RATE // 2) / RATE
        tones = (np.sin(2 * np.pi * k * pitch * t) / k for k in range(1, 12))
        return np.asarray(0.2 * sum(tones) * np.exp(-5 * t), np.float32)

    songs = [[*rng.uniform(200, 400, 3), 262.0, *rng.uniform(200, 400, 3)] for _ in range(2)]
    assert not accepts(*(np.concatenate([note(pitch) for pitch in song]) for song in songs))


@pytest.mark.parametrize("suffix", [".ogg", ".mp3"])
def test_a_loop_is_a_copy_of_itself(suffix: str, tmp_path: Path) -> None:
    loop = np.tile(sounds.music_like(1, 1.5), 4)
    path = tmp_path / f"loop{suffix}"
    if suffix == ".ogg":
        import soundfile

        soundfile.write(path, 0.8 * loop, RATE, format="OGG", subtype="VORBIS")
    else:
        files.write_av(path, loop)
    copy = audio.load(str(path))
    assert accepts(loop, copy)
    assert not accepts(loop, copy[: 5 * RATE])  # of which bars is it an excerpt?


def test_a_short_filter_makes_a_copy_of_a_sound_and_not_of_another() -> None:
    speech = sounds.speech_like(1, 1.0)
    heard = signal.lfilter([0.5, 0.3, -0.2], [1, -0.4], speech).astype(np.float32)
    assert explained_share(speech, heard) > 0.999
    assert explained_share(heard, speech) > 0.999
    late = np.pad(speech, (80, 0))[: len(speech)]
    assert explained_share(speech, speech + late) > 0.95
    assert explained_share(speech, sounds.speech_like(2, 1.0)) < 0.2
    assert explained_share(speech, np.zeros_like(speech)) == 0.0
    assert explained_share(speech[:3], heard[:3]) <= 1.0  # shorter than the filter
