"""A copy played faster, higher, or both is proven; what is only alike is not, however played."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import sound_files as files
import soxr
from scipy import signal

from splitaudit.audio.decode import sounds as audio
from splitaudit.audio.verify import tempo_pitch
from splitaudit.audio.verify import waveform as ordinary
from splitaudit.audio.verify.sound import prepare_sound
from splitaudit.audio.verify.waveform import Proof
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound

KINDS: tuple[Callable[..., Sound], ...] = (sounds.speech_like, sounds.music_like, sounds.ambient)
KIND = pytest.mark.parametrize("kind", KINDS)
FACTORS = pytest.mark.parametrize("factor", [0.95, 0.99, 1.02, 1.05])


def ready(samples: Sound) -> ordinary.Sound:
    return prepare_sound(np.asarray(samples, np.float32))


def faster(samples: Sound, speed: float) -> Sound:
    return np.asarray(soxr.resample(samples, speed, 1.0), np.float32)


def higher(samples: Sound, pitch: float) -> Sound:
    return faster(files.stretched(samples, 1 / pitch), pitch)


def noisy(samples: Sound, snr_db: float) -> Sound:
    noise = sounds.pink_noise(7, len(samples) / RATE)[: len(samples)]
    gain = np.sqrt(np.mean(samples**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return np.asarray(samples + gain * noise, np.float32)


# What is done -> the copy, its tempo and its pitch.
CHANGES: dict[str, Callable[[Sound, float], tuple[Sound, float, float]]] = {
    "speed": lambda x, by: (faster(x, by), by, by),
    "tempo": lambda x, by: (files.stretched(x, by), by, 1.0),
    "pitch": lambda x, by: (higher(x, by), 1.0, by),
}
CHANGE = pytest.mark.parametrize("change", CHANGES)


def compare(a: Sound, b: Sound, moment: tuple[float, float], tempo: float) -> Proof:
    proof = tempo_pitch.verify(ready(a), ready(b), moment, tempo)
    assert proof is not None
    return proof


@KIND
@CHANGE
@FACTORS
def test_a_copy_is_proven_and_measured(
    kind: Callable[..., Sound], change: str, factor: float
) -> None:
    sound = kind(4, 8.0)
    copy, tempo, pitch = CHANGES[change](sound, factor)
    # As the search proposes it: 50 ms and 1.2 % wrong.
    proof = compare(sound, copy, (3.0 * tempo + 0.05, 3.0), tempo * 1.012)
    assert proof.accepted
    assert proof.pitch == pytest.approx(pitch, rel=0.001)
    assert proof.tempo == pytest.approx(tempo, rel=1e-5 if change == "speed" else 0.005)
    assert (proof.a_start, proof.a_end) == pytest.approx((0, 8), abs=0.1)
    assert (proof.b_start, proof.b_end) == pytest.approx((0, len(copy) / RATE), abs=0.1)
    assert min(proof.coverage_a, proof.coverage_b) > 0.9


@KIND
@CHANGE
@pytest.mark.parametrize("seconds", [1.0, 2.0])
def test_short_copies_are_proven(kind: Callable[..., Sound], change: str, seconds: float) -> None:
    sound = kind(6, seconds)
    copy, tempo, _ = CHANGES[change](sound, 1.03)
    a, b, moment = ready(sound), ready(copy), (seconds / 2, seconds / 2 / tempo)
    # One second of wind is a single piece, which is moved and not stretched.
    proof = tempo_pitch.verify(a, b, moment, tempo) or ordinary.verify(a, b, moment[1] - moment[0])
    assert proof is not None
    assert proof.accepted


@KIND
@CHANGE
@pytest.mark.parametrize("tempo_off", [0.985, 1.0, 1.015])
@pytest.mark.parametrize("late_s", [-0.05, 0.05])
def test_a_rough_proposal_will_do(
    kind: Callable[..., Sound], change: str, tempo_off: float, late_s: float
) -> None:
    sound = kind(7, 6.0)
    copy, tempo, _ = CHANGES[change](sound, 0.98)
    assert compare(sound, copy, (4.0 * tempo + late_s, 4.0), tempo * tempo_off).accepted


@KIND
@CHANGE
def test_a_stretch_of_a_copy_in_another_sound(kind: Callable[..., Sound], change: str) -> None:
    source, host = kind(6, 9.0), kind(9, 9.0)
    part, tempo, _ = CHANGES[change](source[2 * RATE : 6 * RATE], 1.04)
    host[3 * RATE : 3 * RATE + len(part)] = part
    proof = compare(source, host, (4.0, 3 + 2 / tempo), tempo)
    assert proof.accepted
    assert (proof.a_start, proof.a_end) == pytest.approx((2, 6), abs=0.2)
    assert (proof.b_start, proof.b_end) == pytest.approx((3, 3 + 4 / tempo), abs=0.2)
    assert max(proof.coverage_a, proof.coverage_b) < 0.6


@CHANGE
def test_an_excerpt_of_a_copy(change: str) -> None:
    source = sounds.speech_like(8, 20.0)
    copy, tempo, pitch = CHANGES[change](source, 0.97)
    first = 12 * RATE
    proof = compare(source, copy[first : first + 4 * RATE], (14 * tempo, 2.0), tempo)
    assert proof.accepted
    assert proof.a_start == pytest.approx(12 * tempo, abs=0.05)
    assert proof.pitch == pytest.approx(pitch, rel=0.001)
    assert proof.coverage_b > 0.9
    assert proof.coverage_a < 0.3


@CHANGE
def test_sides_exchanged_give_the_mirrored_proof(change: str) -> None:
    sound = sounds.music_like(12, 8.0)
    copy, tempo, _ = CHANGES[change](sound[RATE : 6 * RATE] / 2, 1.03)
    one = compare(sound, copy, (1 + 2 * tempo, 2.0), tempo)
    other = compare(copy, sound, (2.0, 1 + 2 * tempo), 1 / tempo)
    assert one.accepted
    assert other.accepted
    assert one.tempo == pytest.approx(1 / other.tempo, rel=0.005)
    assert one.pitch == pytest.approx(1 / other.pitch, rel=0.001)
    assert one.gain_db == pytest.approx(-6.02, abs=0.5)
    assert one.gain_db == pytest.approx(-other.gain_db, abs=0.2)
    assert (one.a_start, one.a_end) == pytest.approx((other.b_start, other.b_end), abs=0.05)


@CHANGE
def test_noise_codec_and_polarity_are_survived(tmp_path: Path, change: str) -> None:
    sound = sounds.speech_like(5, 8.0)
    copy, tempo, _ = CHANGES[change](sound, 1.03)
    coded = audio.load(str(files.write_av(tmp_path / "a.mp3", noisy(-copy, 20))))
    proof = compare(sound, coded, (4 * tempo, 4.0), tempo)
    assert proof.accepted
    assert proof.correlation < -0.2


def test_an_unscaled_copy_has_one_tempo_and_one_pitch() -> None:
    sound = ready(sounds.speech_like(5, 6.0))
    proof = ordinary.verify(sound, sound, 0)
    assert proof is not None
    assert proof.accepted
    assert (proof.tempo, proof.pitch) == (1, 1)


def test_what_the_ordinary_proof_looks_at_is_not_proven_twice() -> None:
    sound = sounds.speech_like(5, 6.0)
    for at_s in (3.03, 3.0, 2.95):
        assert tempo_pitch.verify(*[ready(sound)] * 2, (3.0, at_s), 1.0) is None
    slower = faster(sound, 1.0005)  # 48 samples later at its end
    assert compare(sound, slower, (3.0, 3.0), 1.0).tempo == pytest.approx(1.0005, rel=1e-5)


@pytest.mark.parametrize("n", [0, 1, 100, 400, 1500])
def test_next_to_nothing_proves_nothing(n: int) -> None:
    sound = sounds.music_like(1, 2.0)
    for a, b in ((sound[:n], sound), (sound, sound[:n]), (sound[:n], sound[:n])):
        proof = tempo_pitch.verify(ready(a), ready(b), (n / RATE / 2, n / RATE / 2), 1.0)
        assert proof is None or not proof.accepted


def test_moments_beyond_the_sounds_and_silence_prove_nothing() -> None:
    sound, silence = ready(sounds.music_like(1, 3.0)), ready(sounds.silence(3.0))
    for moment in ((-5.0, 1.0), (1.0, -5.0), (9.0, 1.0), (1.0, 9.0), (9.0, 9.0), (2.9, 0.1)):
        proof = tempo_pitch.verify(sound, sound, moment, 1.03)
        assert proof is None or not proof.accepted
    for a, b in ((sound, silence), (silence, sound), (silence, silence)):
        assert tempo_pitch.verify(a, b, (1.0, 1.0), 1.0) is None


def accepted(a: Sound, b: Sound, seed: int = 0) -> list[Proof]:
    """Proofs that are accepted where b is proposed as a copy of a at many moments and tempos."""
    rng = np.random.default_rng(seed)
    one, other = ready(a), ready(b)
    lengths = len(a) / RATE, len(b) / RATE
    moments = [(t, t) for t in (0.25 * min(lengths), 0.5 * min(lengths))]
    moments += [(rng.uniform(0, lengths[0]), rng.uniform(0, lengths[1])) for _ in range(2)]
    proofs = [
        tempo_pitch.verify(one, other, moment, tempo) for moment in moments for tempo in (1.0, 1.04)
    ]
    return [proof for proof in proofs if proof and proof.accepted]


@pytest.mark.parametrize("name", sounds.HARD_NEGATIVES)
def test_traps_are_never_accepted(name: str) -> None:
    clips = [sounds.HARD_NEGATIVES[name](seed, 5.0, RATE) for seed in range(3)]
    for a, b in combinations(clips, 2):
        assert accepted(a, b) == []
        assert accepted(a, faster(b, 1.04)) == []


@CHANGE
@pytest.mark.parametrize("name", ["hum", "tone", "clicks"])
def test_not_even_copies_of_what_repeats_itself(name: str, change: str) -> None:
    clip = sounds.HARD_NEGATIVES[name](3, 6.0, RATE)
    copy, tempo, _ = CHANGES[change](clip, 1.02)
    proof = tempo_pitch.verify(ready(clip), ready(copy), (3 * tempo, 3.0), tempo)
    assert proof is None or not proof.accepted


@KIND
def test_sounds_of_one_generator_are_never_accepted(kind: Callable[..., Sound]) -> None:
    for a, b in combinations([kind(seed, 5.0) for seed in range(3)], 2):
        assert accepted(a, b) == []


@pytest.mark.parametrize("kind", [sounds.speech_like, sounds.music_like])
def test_two_takes_are_never_accepted(kind: Callable[..., Sound]) -> None:
    for seed in range(3):
        a, b = kind(seed, 6.0), kind(seed, 6.0, take=1)
        assert accepted(a, b) == []
        assert accepted(a, faster(b, 1.04)) == []


def vowel(hertz: float, formants: tuple[float, ...], seed: int) -> Sound:
    """A sung vowel of one second: pulses through resonances, a little breath."""
    rng = np.random.default_rng(seed)
    times = np.arange(RATE) / RATE
    vibrato = np.cumsum(1 + 0.002 * np.sin(2 * np.pi * 5 * times + rng.uniform(0, 6)))
    pulses = np.diff(np.floor(hertz * vibrato / RATE), prepend=0) + 0.01 * rng.standard_normal(RATE)
    for formant in formants:
        pulses = signal.lfilter(*signal.iirpeak(formant, 8, fs=RATE), pulses) + 0.1 * pulses
    return np.asarray(0.3 * pulses / np.abs(pulses).max(), np.float32)


def test_a_vowel_made_the_same_note_as_another_is_no_copy() -> None:
    one, other = vowel(200, (700, 1200, 2600), 1), vowel(206, (690, 1150, 2500), 2)
    assert accepted(one, other) == []
    assert accepted(one, faster(one[::-1], 1.03)) == []


@CHANGE
def test_long_sounds_are_compared_from_the_disk(
    monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    long = np.concatenate([sounds.distinct_sound(seed, 10.0) for seed in range(15)])
    copy, tempo, pitch = CHANGES[change](long, 1.02)
    monkeypatch.setattr(audio, "IN_MEMORY_SAMPLES", 10 * RATE)
    whole, other = ready(long), ready(copy)
    assert isinstance(whole.white, np.memmap)
    proof = tempo_pitch.verify(whole, other, (90 * tempo + 0.04, 90.0), tempo * 1.01)
    assert proof is not None
    assert proof.accepted
    assert (proof.tempo, proof.pitch) == pytest.approx((tempo, pitch), rel=2e-4)
    assert (proof.a_start, proof.a_end) == pytest.approx((0, 150), abs=0.1)
    part = ready(copy[100 * RATE : 110 * RATE])
    proof = tempo_pitch.verify(whole, part, (105 * tempo, 5.0), tempo)
    assert proof is not None
    assert proof.accepted
    assert proof.a_start == pytest.approx(100 * tempo, abs=0.05)
    assert proof.coverage_b > 0.9
