"""A copy is proven, with both intervals; what is only alike is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import sound_files as files
from scipy import fft, signal

from splitaudit.audio.decode import sounds as audio
from splitaudit.audio.verify import extent, whitening
from splitaudit.audio.verify import waveform as verifier
from splitaudit.audio.verify.sound import prepare_sound
from splitaudit.audio.verify.waveform import Proof
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound

KINDS: tuple[Callable[..., Sound], ...] = (sounds.speech_like, sounds.music_like, sounds.ambient)
KIND = pytest.mark.parametrize("kind", KINDS)


def compare(a: Sound, b: Sound, offset_s: float = 0.0) -> Proof:
    proof = verifier.verify(prepare_sound(a), prepare_sound(b), offset_s)
    assert proof is not None
    return proof


def spans(proof: Proof, a: Sound, part: tuple[float, float], offset_s: float) -> bool:
    """Whether both intervals are those of a part of `a`, to within 0.1 s.

    Where the part begins or ends in a pause of `a`, they may begin or end with the sound.
    """
    power = extent.frame_power(a)
    loud = np.flatnonzero(power > np.percentile(power, 95) * 10 ** (-extent.DYNAMIC_RANGE_DB / 10))
    times = loud * extent.FRAME / RATE
    inside = times[(times >= part[0]) & (times < part[1])]
    return (
        part[0] - 0.1 <= proof.a_start <= inside[0] + 0.1
        and inside[-1] - 0.1 <= proof.a_end <= part[1] + 0.1
        and abs(proof.b_start - proof.a_start - offset_s) <= 1e-3
        and abs(proof.b_end - proof.a_end - offset_s) <= 1e-3
    )


def noisy(samples: Sound, snr_db: float) -> Sound:
    noise = sounds.pink_noise(7, len(samples) / RATE)
    gain = np.sqrt(np.mean(samples**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
    return np.asarray(samples + gain * noise, np.float32)


def telephone(samples: Sound) -> Sound:
    band = signal.butter(4, (300, 3400), "band", fs=RATE, output="sos")
    return signal.sosfilt(band, samples).astype(np.float32)


@KIND
@pytest.mark.parametrize("start", [0.0, 1.2345, 6.0])
def test_an_excerpt_is_found_to_the_sample(kind: Callable[..., Sound], start: float) -> None:
    whole = kind(3, 10.0)
    first = round(start * RATE)
    # As the search proposes it: to within some hops of a landmark.
    proof = compare(whole, whole[first : first + 4 * RATE], -start + 0.05)
    assert proof.accepted
    assert proof.b_start - proof.a_start == pytest.approx(-first / RATE, abs=1e-4)
    assert spans(proof, whole, (start, start + 4), -start)
    assert proof.coverage_b == pytest.approx(1, abs=0.02)
    assert 0.2 < proof.coverage_a < 0.7


CHANGES: dict[str, Callable[[Sound], Sound]] = {
    "polarity": lambda x: -x,
    "gain": lambda x: x * np.float32(0.1),
    "noise": lambda x: noisy(x, 10),
    "telephone": telephone,
    "16 bits": lambda x: files.as_int16(x).astype(np.float32) / 32768,
    "clipped": lambda x: np.clip(x, -0.1, 0.1),
    "slow fade": lambda x: x * np.linspace(0.3, 1, len(x), dtype=np.float32),
}


@KIND
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_proven(kind: Callable[..., Sound], change: str) -> None:
    whole = kind(4, 8.0)
    part = CHANGES[change](whole[2 * RATE : 6 * RATE])
    proof = compare(whole, part, -2.0)
    assert proof.accepted
    assert spans(proof, whole, (2, 6), -2)
    assert proof.coverage_b > 0.8
    # a telephone band turns phases, and may turn most of them
    assert (proof.correlation < -0.8) == (change == "polarity")


@KIND
def test_an_echo_in_the_sound_is_no_rival(kind: Callable[..., Sound]) -> None:
    sound = kind(4, 6.0)
    late = np.pad(sound, (RATE // 20, 0))[: len(sound)]
    echoing = sound + np.float32(0.7) * late
    assert compare(echoing, echoing).score > 0.9


@KIND
def test_two_microphones_are_one_alignment(kind: Callable[..., Sound]) -> None:
    sound = kind(4, 6.0)
    apart_s = 0.005
    late = np.pad(sound, (round(apart_s * RATE), 0))[: len(sound)]
    proof = compare(sound, (sound + late) / 2)
    assert proof.accepted
    assert 0 <= proof.b_start - proof.a_start <= apart_s


@pytest.mark.parametrize("snr_db", [10, 20])
def test_what_noise_drowns_belongs_to_a_copy(snr_db: float) -> None:
    sound = sounds.speech_like(6, 4.0)
    sound[: RATE // 4] *= 0.001  # both ends, as quiet as a room, lie in the noise
    sound[-RATE // 4 :] *= 0.001
    proof = compare(sound, noisy(sound, snr_db))
    assert (proof.a_start, proof.a_end) == (0.0, 4.0)
    assert proof.coverage_b > 0.95


@KIND
def test_noise_that_goes_on_alone_does_not(kind: Callable[..., Sound]) -> None:
    other = sounds.music_like(8, 3.0)
    sound = noisy(np.concatenate([kind(6, 3.0), other]), 20)
    proof = compare(sound[: 3 * RATE], sound)
    assert proof.b_end == pytest.approx(3.0, abs=0.1)
    assert proof.coverage_b < 0.7


@KIND
def test_gain_is_measured(kind: Callable[..., Sound]) -> None:
    sound = kind(4, 6.0) / 4
    assert compare(sound, sound * 2).gain_db == pytest.approx(6.02, abs=0.05)
    assert compare(sound * 2, sound).gain_db == pytest.approx(-6.02, abs=0.05)


@KIND
@pytest.mark.parametrize("name", ["a.mp3", "a.opus", "a.m4a", "a.ogg"])
def test_a_recoded_copy_is_proven(tmp_path: Path, kind: Callable[..., Sound], name: str) -> None:
    sound = kind(5, 6.0)
    write = files.write_pcm if name == "a.ogg" else files.write_av
    coded = audio.load(str(write(tmp_path / name, sound)))
    proof = compare(sound, coded)
    assert proof.accepted
    assert spans(proof, sound, (0, 6), 0)
    assert min(proof.coverage_a, proof.coverage_b) > 0.9


@KIND
def test_a_splice_in_the_middle_of_another_sound(kind: Callable[..., Sound]) -> None:
    source, host = kind(6, 9.0), kind(9, 9.0)
    host[3 * RATE : 6 * RATE] = source[2 * RATE : 5 * RATE]
    proof = compare(source, host, 1.0)
    assert proof.accepted
    assert spans(proof, source, (2, 5), 1)
    assert max(proof.coverage_a, proof.coverage_b) < 0.6


@KIND
def test_a_patch_in_the_middle_is_not_counted_as_shared(kind: Callable[..., Sound]) -> None:
    sound, other = kind(7, 9.0), kind(10, 9.0)
    patched = sound.copy()
    patched[3 * RATE : 6 * RATE] = other[3 * RATE : 6 * RATE]
    proof = compare(sound, patched)
    assert proof.accepted
    assert spans(proof, sound, (0, 9), 0)
    assert 0.5 < min(proof.coverage_a, proof.coverage_b) < 0.8


@KIND
def test_halves_from_two_sounds_are_each_proven(kind: Callable[..., Sound]) -> None:
    one, two = kind(8, 8.0), kind(11, 8.0)
    joined = np.concatenate([one[: 4 * RATE], two[: 4 * RATE]])
    first, second = compare(joined, one), compare(joined, two, -4.0)
    assert first.accepted
    assert spans(first, joined, (0, 4), 0)
    assert second.accepted
    assert spans(second, joined, (4, 8), -4)


@KIND
def test_sides_exchanged_give_the_mirrored_proof(kind: Callable[..., Sound]) -> None:
    a, b = kind(12, 8.0), noisy(kind(12, 8.0)[RATE : 5 * RATE], 20) / 2
    one, other = asdict(compare(a, b, -1.0)), asdict(compare(b, a, 1.0))
    for name in ("start", "end"):
        assert one[f"a_{name}"] == pytest.approx(other[f"b_{name}"], abs=0.02)
        assert one[f"b_{name}"] == pytest.approx(other[f"a_{name}"], abs=0.02)
    assert one["coverage_a"] == pytest.approx(other["coverage_b"], abs=0.01)
    assert one["gain_db"] == pytest.approx(-other["gain_db"], abs=0.01)
    assert one["score"] == pytest.approx(other["score"], abs=0.05)
    assert one["accepted"]
    assert other["accepted"]


@pytest.mark.parametrize("seconds", [0.6, 1.0])
def test_short_sounds_are_compared(seconds: float) -> None:
    sound = sounds.music_like(1, seconds)
    assert compare(sound, noisy(sound, 25)).accepted


@pytest.mark.parametrize("shift_s", [-0.18, -0.06, -0.02, 0.06, 0.18])
def test_the_onset_of_a_stroke_counts_wherever_the_search_puts_it(shift_s: float) -> None:
    stroke = sounds.white_noise(1, 0.7) * np.exp(-np.arange(0.7 * RATE) / 0.02 / RATE)
    copy = noisy(stroke.astype(np.float32), 12)
    exact = compare(stroke.astype(np.float32), copy)
    proof = compare(stroke.astype(np.float32), copy, shift_s)
    assert proof.accepted
    assert asdict(proof) == pytest.approx(asdict(exact), abs=1e-3)


@pytest.mark.parametrize("n", [0, 1, 100, 400])
def test_next_to_nothing_proves_nothing(n: int) -> None:
    sound = sounds.music_like(1, 2.0)
    for a, b in ((sound[:n], sound), (sound, sound[:n]), (sound[:n], sound[:n])):
        proof = verifier.verify(prepare_sound(a), prepare_sound(b), 0.0)
        assert proof is None or not proof.accepted


def test_an_offset_beyond_both_sounds_proves_nothing() -> None:
    sound = prepare_sound(sounds.music_like(1, 2.0))
    for offset_s in (-9.0, -2.0, 2.0, 9.0):
        proof = verifier.verify(sound, sound, offset_s)
        assert proof is None or not proof.accepted


def proposed(a: Sound, b: Sound, count: int = 6) -> list[float]:
    """Offsets in s at which two sounds correlate best, apart from each other."""
    shifts = []
    for x, y in ((a, b), (whitening.whiten(a), whitening.whiten(b))):
        size = fft.next_fast_len(len(x) + len(y), real=True)
        found = np.abs(fft.irfft(np.conj(fft.rfft(x, size)) * fft.rfft(y, size), size))
        for _ in range(count):
            at = int(found.argmax())
            shifts.append((at if at < len(y) else at - size) / RATE)
            found[max(0, at - 400) : at + 400] = 0
    return shifts


def accepted(a: Sound, b: Sound) -> list[Proof]:
    one, other = prepare_sound(a), prepare_sound(b)
    proofs = [verifier.verify(one, other, shift) for shift in proposed(a, b)]
    return [proof for proof in proofs if proof and proof.accepted]


@pytest.mark.parametrize("name", sounds.HARD_NEGATIVES)
def test_traps_are_never_accepted(name: str) -> None:
    clips = [sounds.HARD_NEGATIVES[name](seed, 5.0, RATE) for seed in range(4)]
    for a, b in combinations(clips, 2):
        assert accepted(a, b) == []


@pytest.mark.parametrize("name", ["hum", "tone", "clicks", "beeps", "engine", "fan"])
def test_two_stretches_of_one_steady_sound_are_no_copy(name: str) -> None:
    for seed in range(3):
        clip = sounds.HARD_NEGATIVES[name](seed, 14.0, RATE)
        assert accepted(clip[: 6 * RATE], clip[8 * RATE :]) == []


def device(hertz: float, seconds: float, seed: int) -> Sound:
    """One beep in a second of faint noise."""
    rng, times = np.random.default_rng(seed), np.arange(RATE) / RATE
    on = signal.windows.tukey(round(seconds * RATE), 0.05)
    beep = np.sin(2 * np.pi * hertz * times + rng.uniform(0, 6))
    beep *= np.pad(on, (rng.integers(1600, 4800), RATE))[:RATE]
    return np.asarray(0.5 * beep + 2e-4 * rng.standard_normal(RATE), np.float32)


@pytest.mark.parametrize("hertz", [440.0, 800.0, 1000.0, 2000.0])
def test_beeps_of_two_devices_are_no_copy(hertz: float) -> None:
    beeps = [device(hertz, seconds, seed) for seed, seconds in enumerate((0.2, 0.25, 0.3, 0.4))]
    for a, b in combinations(beeps, 2):
        assert accepted(a, b) == []
        assert accepted(a[: RATE * 3 // 4], b) == []


@pytest.mark.parametrize("hertz", [440.0, 2000.0])
def test_the_whole_of_a_beep_is(tmp_path: Path, hertz: float) -> None:
    beep = device(hertz, 0.3, 5)
    copy = audio.load(str(files.write_pcm(tmp_path / "copy.wav", 0.5 * beep[800:])))
    proof = compare(beep, copy, -0.05)
    assert proof.accepted


@pytest.mark.parametrize(
    ("name", "seconds", "one", "other", "offset_s"),
    [  # seeds and starts; a beep as long as another one, one click of a train on one of another
        ("beeps", 1.5, (11, 3.1), (14, 3.1), 0.079),
        ("clicks", 3.0, (12, 5.0536), (4, 10.3761), -0.135),
        ("clicks", 3.0, (12, 5.0536), (6, 3.7287), -0.553),
        ("clicks", 3.0, (17, 6.7557), (12, 1.9049), 0.309),
    ],
)
def test_what_fits_once_in_a_row_of_beeps_or_clicks_is_no_copy(
    name: str, seconds: float, one: tuple[int, float], other: tuple[int, float], offset_s: float
) -> None:
    a, b = (
        prepare_sound(
            sounds.HARD_NEGATIVES[name](seed, 14.0, RATE)[int(start * RATE) :][
                : int(seconds * RATE)
            ]
        )
        for seed, start in (one, other)
    )
    proof = verifier.verify(a, b, offset_s)
    assert proof is None or not proof.accepted


@pytest.mark.parametrize("seconds", [0.12, 0.2, 0.3, 0.5, 0.7])
def test_two_short_tones_are_no_copy(seconds: float) -> None:
    """Whitened, their ends stand out, which both have at the same distance."""
    t = np.arange(round(seconds * RATE)) / RATE
    for hertz in (504.0, 651.0, 1904.0, 2945.0):
        a, b = (np.sin(2 * np.pi * hertz * t + phase).astype(np.float32) / 2 for phase in (0, 1))
        assert accepted(a, b) == []


@KIND
def test_sounds_of_one_generator_are_never_accepted(kind: Callable[..., Sound]) -> None:
    for a, b in combinations([kind(seed, 5.0) for seed in range(4)], 2):
        assert accepted(a, b) == []


@pytest.mark.parametrize("kind", [sounds.speech_like, sounds.music_like])
def test_two_takes_are_never_accepted(kind: Callable[..., Sound]) -> None:
    for seed in range(4):
        assert accepted(kind(seed, 6.0), kind(seed, 6.0, take=1)) == []


def test_long_sounds_are_compared_from_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    long = np.concatenate([sounds.distinct_sound(seed, 10.0) for seed in range(15)])
    part = noisy(long[100 * RATE : 110 * RATE], 20)
    monkeypatch.setattr(audio, "IN_MEMORY_SAMPLES", 10 * RATE)
    mapped = prepare_sound(audio.gather(iter(np.array_split(long, 9))))
    assert isinstance(mapped.white, np.memmap)
    proof = verifier.verify(mapped, prepare_sound(part), -100.0)
    assert proof is not None
    assert proof.accepted
    assert spans(proof, long, (100, 110), -100)
    assert proof.coverage_b > 0.9
