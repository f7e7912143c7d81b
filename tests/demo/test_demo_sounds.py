"""The synthetic sounds are what they claim to be, and the planted truth is true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import fft, ndimage, signal

from splitaudit.demo import sounds
from splitaudit.demo.dataset import GroundTruth, Leak, plant
from splitaudit.demo.synthesis import RATE, Sound, seeded_rng

Maker = Callable[[int, float, int], Sound]
NATURAL = {make.__name__: make for make in (sounds.speech_like, sounds.music_like, sounds.ambient)}
MAKERS: dict[str, Maker] = {**NATURAL, "distinct": sounds.distinct_sound, **sounds.HARD_NEGATIVES}


@pytest.mark.parametrize("name", MAKERS)
@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 2**40),
    seconds=st.floats(0.1, 2),
    rate=st.sampled_from([16000, 22050, 44100, 48000]),
)
def test_sound_keeps_its_contract(name: str, seed: int, seconds: float, rate: int) -> None:
    sound = MAKERS[name](seed, seconds, rate)
    assert sound.dtype == np.float32
    assert sound.shape == (round(seconds * rate),)
    assert np.abs(sound).max() <= 1
    np.testing.assert_array_equal(sound, MAKERS[name](seed, seconds, rate))


def stretches(sound: Sound, length: int) -> set[bytes]:
    """All stretches of `length` samples, as a file of 16 bits holds them."""
    pcm = np.rint(sound * 32767).astype(np.int16).tobytes()
    return {pcm[2 * i : 2 * (i + length)] for i in range(len(sound) - length + 1)}


def test_distinct_sounds_repeat_nothing_of_each_other_nor_of_themselves() -> None:
    clips = [sounds.distinct_sound(seed, 3.0, RATE) for seed in range(30)]
    clips += [sounds.speech_like(0, 3.0, RATE, take) for take in (1, 2)]
    clips += [sounds.music_like(1, 3.0, RATE, take) for take in (1, 2)]
    seen = set().union(*(stretches(clip, 16) for clip in clips))
    assert len(seen) == sum(len(clip) - 15 for clip in clips)


@pytest.mark.parametrize("name", sorted(set(sounds.HARD_NEGATIVES) - {"silence"}))
def test_traps_of_different_seeds_share_no_stretch(name: str) -> None:
    parts = [stretches(sounds.HARD_NEGATIVES[name](seed, 1.5, RATE), 64) for seed in range(8)]
    assert len(set().union(*parts)) == sum(len(part) for part in parts)


def test_kinds_seeds_and_takes_have_streams_of_their_own() -> None:
    streams = [
        seeded_rng(name, seed, take) for name in MAKERS for seed in (0, 1) for take in (0, 1)
    ]
    assert len({rng.random() for rng in streams}) == len(streams)


def test_all_silence_is_equal() -> None:
    assert not sounds.HARD_NEGATIVES["silence"](1, 2.0, RATE).any()
    np.testing.assert_array_equal(
        sounds.silence(2.0), sounds.HARD_NEGATIVES["silence"](9, 2.0, RATE)
    )


@pytest.mark.parametrize(("name", "count"), [("tone", 4), ("hum", 2), ("beeps", 3)])
def test_trap_frequencies_come_from_a_short_list(name: str, count: int) -> None:
    """So that two recordings of one frequency occur: the trap."""
    clips = [sounds.HARD_NEGATIVES[name](seed, 2.0, RATE) for seed in range(40)]
    peaks = [np.abs(fft.rfft(clip * np.hanning(len(clip)))).argmax() / 2 for clip in clips]
    fundamental = [round(f / 10) for f in peaks if name != "hum" or f < 65]
    assert len(set(fundamental)) == count


def test_clicks_are_periodic_at_one_of_three_tempi() -> None:
    periods = [round(click_period(sounds.clicks(seed, 6.0, RATE)), 2) for seed in range(40)]
    assert {period: periods.count(period) > 1 for period in periods} == dict.fromkeys(
        [0.25, 0.5, 1.0], True
    )


def click_period(clip: Sound) -> float:
    loud, _ = signal.find_peaks(np.abs(clip), height=0.7 * np.abs(clip).max(), distance=RATE // 10)
    return float(np.median(np.diff(loud))) / RATE


def flatness(sound: Sound) -> float:
    """Geometric by arithmetic mean of the power spectrum: 1 is white."""
    _, power = signal.welch(sound, RATE, nperseg=1024)
    return float(np.exp(np.mean(np.log(power + 1e-20))) / np.mean(power))


@pytest.mark.parametrize("name", NATURAL)
@pytest.mark.parametrize("seed", range(6))
def test_natural_sounds_have_colour_and_change(name: str, seed: int) -> None:
    sound = NATURAL[name](seed, 8.0, RATE)
    assert flatness(sound) < 0.3 < 0.9 < flatness(sounds.white_noise(seed, 8.0))
    assert unrest(sound) > 1.5 * unrest(sounds.pink_noise(seed, 8.0))


def unrest(sound: Sound) -> float:
    """Deviation in dB of the bands over time, smeared over 0.1 s."""
    bands = 20 * np.log10(np.abs(signal.stft(sound, RATE, nperseg=512)[2][8:128]) + 1e-5)
    return float(ndimage.uniform_filter1d(bands, 8, axis=1).std(axis=1).mean())


@pytest.mark.parametrize("seed", range(6))
def test_speech_has_a_pitch_and_gaps(seed: int) -> None:
    sound = sounds.speech_like(seed, 8.0)
    frames = sound[: len(sound) // 640 * 640].reshape(-1, 640)
    level = np.sqrt((frames**2).mean(axis=1))
    assert np.percentile(level, 3) < 0.15 * np.percentile(level, 90)
    loud = frames[level > np.median(level)] * np.hanning(640)
    echo = fft.irfft(np.abs(fft.rfft(loud, 2048)) ** 2)[:, :640]
    voiced = (echo[:, 50:250].max(axis=1) / echo[:, 0]) > 0.4  # a period of 64 to 320 Hz
    assert voiced.mean() > 0.5


@pytest.mark.parametrize("make", [sounds.speech_like, sounds.music_like])
@pytest.mark.parametrize("seed", range(4))
def test_takes_follow_one_script_and_are_no_copies(make: Callable[..., Sound], seed: int) -> None:
    one, again, other = make(seed, 6.0), make(seed, 6.0, take=1), make(seed + 10, 6.0)
    assert best_match(one, again) < 0.8
    assert likeness(one, again) > likeness(one, other) + 0.2


def likeness(a: Sound, b: Sound) -> float:
    """Correlation of the first 2 s as 20 bands of 250 Hz, smeared over some 150 ms."""
    rows = []
    for sound in (a, b):
        bins = np.abs(signal.stft(sound[: 2 * RATE], RATE, nperseg=512)[2][4:164])
        bands = np.log(bins.reshape(20, 8, -1).mean(axis=1) + 1e-4)
        smeared = ndimage.gaussian_filter1d(bands, 4, axis=1)
        rows.append((smeared - smeared.mean(axis=1, keepdims=True)).ravel())
    return float(np.corrcoef(rows)[0, 1])


def best_match(part: Sound, whole: Sound, window: int = 16000) -> float:
    """Largest normalised correlation of any 1 s of `part` with any 1 s of `whole`."""
    size = fft.next_fast_len(len(whole) + window, real=True)
    spectrum = fft.rfft(whole, size)
    power = np.cumsum(np.append(0, whole.astype(float) ** 2))
    energy = power[window:] - power[:-window]
    best = 0.0
    for start in range(0, len(part) - window + 1, window // 2):
        cut = part[start : start + window]
        found = fft.irfft(spectrum * np.conj(fft.rfft(cut, size)), size)[: len(energy)]
        norm = np.sqrt(np.maximum(energy, 1e-6) * max(float(cut @ cut), 1e-6))
        best = max(best, float(np.abs(found / norm).max()))
    return best


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GroundTruth]:
    folder = tmp_path_factory.mktemp("planted")
    return folder, plant(folder, seed=0)


def decoded(path: Path) -> Sound:
    if path.suffix == ".m4a":
        with av.open(str(path)) as container:
            return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
    samples, rate = soundfile.read(path, dtype="float32")
    return samples if rate == RATE else soxr.resample(samples, rate, RATE)


def cut(path: Path, start: float, end: float) -> Sound:
    return decoded(path)[round(start * RATE) : round(end * RATE)]


def everything(truth: GroundTruth) -> list[str]:
    pairs = [(leak.a, leak.b) for leak in truth.leaks + truth.duplicates]
    pairs += [(a, b) for a, b, _ in truth.innocent]
    return [item for pair in pairs for item in pair] + list(truth.jingle_members)


def of_kind(truth: GroundTruth, *kinds: str) -> list[Leak]:
    return [leak for leak in truth.leaks + truth.duplicates if leak.kind in kinds]


def test_every_file_stands_once_in_the_truth(planted: tuple[Path, GroundTruth]) -> None:
    folder, truth = planted
    files = [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    assert sorted(everything(truth)) == sorted(files)
    assert len(files) == 60
    assert all(2.9 < len(decoded(folder / name)) / RATE < 10.1 for name in files)


def test_pairs_are_ordered_and_cross_splits_as_they_say(planted: tuple[Path, GroundTruth]) -> None:
    _, truth = planted
    assert all(leak.a < leak.b for leak in truth.leaks + truth.duplicates)
    assert all(leak.a.split("/")[0] != leak.b.split("/")[0] for leak in truth.leaks)
    assert all(leak.a[:6] == leak.b[:6] == "train/" for leak in truth.duplicates)
    assert all(a < b and a.split("/")[0] != b.split("/")[0] for a, b, _ in truth.innocent)
    kinds = ["container", "copy", "excerpt", "noisy", "transcoded"]
    assert sorted({leak.kind for leak in truth.leaks}) == kinds


def test_exact_leaks_have_equal_samples(planted: tuple[Path, GroundTruth]) -> None:
    folder, truth = planted
    exact = of_kind(truth, "copy", "container")
    assert exact == [leak for leak in truth.leaks + truth.duplicates if leak.relation == "exact"]
    for leak in exact:
        np.testing.assert_array_equal(decoded(folder / leak.a), decoded(folder / leak.b))
    for leak in of_kind(truth, "copy"):
        assert (folder / leak.a).read_bytes() == (folder / leak.b).read_bytes()
    for leak in of_kind(truth, "container"):
        assert Path(leak.a).suffix != Path(leak.b).suffix


def test_leaks_lie_where_they_say_and_only_there(planted: tuple[Path, GroundTruth]) -> None:
    folder, truth = planted
    for leak in truth.leaks + truth.duplicates:
        a = cut(folder / leak.a, leak.a_start, leak.a_end)
        b = cut(folder / leak.b, leak.b_start, leak.b_end)
        assert np.corrcoef(a, b)[0, 1] > 0.95, leak
        assert abs(np.corrcoef(a[800:], b[:-800])[0, 1]) < 0.9, leak  # 50 ms beside it


def test_coverage_fits_the_relation(planted: tuple[Path, GroundTruth]) -> None:
    folder, truth = planted
    for leak in truth.leaks + truth.duplicates:
        shared = leak.a_end - leak.a_start
        longest = max(len(decoded(folder / name)) / RATE for name in (leak.a, leak.b))
        if leak.relation == "overlap":
            assert 3 <= shared <= 4
            assert shared / longest < 0.8
        else:
            assert shared / longest > 0.99


def test_lossy_files_have_48_to_64_kbit_a_second(planted: tuple[Path, GroundTruth]) -> None:
    folder, truth = planted
    lossy = [
        folder / x for x in everything(truth) if Path(x).suffix in (".mp3", ".ogg", ".m4a", ".opus")
    ]
    assert len({path.suffix for path in lossy}) == 4
    for path in lossy:
        kbps = path.stat().st_size * 8 / (len(decoded(path)) / RATE) / 1000
        assert 40 < kbps < 72, path.name


def test_noisy_copy_is_12_db_quieter_at_15_db_snr(planted: tuple[Path, GroundTruth]) -> None:
    folder, truth = planted
    (leak,) = of_kind(truth, "noisy")
    far, near = decoded(folder / leak.a), decoded(folder / leak.b)
    gain = float(far @ near / (near @ near))
    noise = far - gain * near
    assert 20 * np.log10(gain) == pytest.approx(-12, abs=0.3)
    snr = np.mean((gain * near) ** 2) / np.mean(noise**2)
    assert 10 * np.log10(snr) == pytest.approx(15, abs=0.3)


def test_jingle_is_in_24_items_and_covers_less_than_half(planted: tuple[Path, GroundTruth]) -> None:
    folder, truth = planted
    logo = sounds.jingle(0)
    assert len(logo) == 3 * RATE
    assert len(set(truth.jingle_members)) == 24
    assert {item.split("/")[0] for item in truth.jingle_members} == {"train", "val", "test"}
    for item in truth.jingle_members:
        sound = decoded(folder / item)
        assert len(sound) > 7 * RATE
        assert best_match(logo[: 2 * RATE], sound) > 0.9, item
    for leak in truth.leaks:
        assert best_match(logo[: 2 * RATE], decoded(folder / leak.a)) < 0.6


def test_innocent_pairs_are_no_copies(planted: tuple[Path, GroundTruth]) -> None:
    folder, truth = planted
    for a, b, why in truth.innocent:
        left, right = decoded(folder / a), decoded(folder / b)
        if why == "both are silent":
            assert not left.any()
            np.testing.assert_array_equal(left, right)
        elif "tone" in why:  # alike at any shift, and yet not the same samples
            assert not stretches(left, 64) & stretches(right, 64)
        else:
            assert best_match(left, right) < 0.8, why


def test_planting_is_repeatable_and_follows_the_seed(
    planted: tuple[Path, GroundTruth], tmp_path: Path
) -> None:
    folder, truth = planted
    assert plant(tmp_path / "again", seed=0) == truth
    other = plant(tmp_path / "other", seed=1)
    assert sorted(everything(other)) == sorted(everything(truth))
    for item in everything(truth):
        samples = decoded(folder / item)
        np.testing.assert_array_equal(samples, decoded(tmp_path / "again" / item))
        changed = decoded(tmp_path / "other" / item)
        same = samples.shape == changed.shape and np.array_equal(samples, changed)
        assert same == ("silent" in item), item
