"""Patches stay what they were, wherever a sound is cut, and survive what a copy goes through."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from splitaudit.audio import fingerprint as fingerprints
from splitaudit.audio.decode.sounds import segments
from splitaudit.audio.fingerprint import patches
from splitaudit.audio.fingerprint.patches import (
    DIRECTIONS,
    HOP,
    MARGIN,
    PATCH_FRAMES,
    SCALE,
    STEP,
    Patches,
)
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound, normalise_peak, sample_times

KIND = pytest.mark.parametrize("kind", [sounds.speech_like, sounds.music_like, sounds.ambient])

# Frame -> vector of the patch of `whistles` that begins there.
GOLDEN = {
    -16: (
        "1 1 -5 68 3 -31 -20 -92 6 60 58 -31 4 -9 -11 33 -5 -22 34 36 -6 -9 -31 -16 16 42 -55 "
        "-14 0 -26 -26 -55 -47 -21 -1 -24 -38 -19 9 -8 4 48 -12 -32 -61 64 -22 -18 -18 -24 "
        "-13 -18 17 2 -12 31 -9 40 -28 -40 -26 -25 -16 49 "
    ),
    84: (
        "7 -4 18 39 46 -1 40 -117 -52 57 53 -20 54 -39 12 -4 -7 1 -3 3 -19 7 4 -37 2 -82 -4 "
        "-49 -12 21 -95 -3 0 13 36 23 19 -37 9 10 -8 13 -25 -3 -4 33 15 12 -13 9 -18 -19 -28 "
        "24 17 -2 -12 14 -17 -1 32 -14 -23 23 "
    ),
    184: (
        "6 20 27 22 -18 117 -2 -71 40 -68 40 38 -7 -4 -13 41 34 36 -38 26 -37 -34 -27 -38 -2 "
        "5 -53 6 17 12 -43 -55 -17 4 41 55 23 -25 10 15 -21 -21 -15 -15 -43 46 -13 -15 -4 -17 "
        "-10 -20 16 9 25 8 11 -15 -14 1 -8 -26 20 16 "
    ),
}


def patches_of(sound: Sound) -> Patches:
    cut = segments(patches.pad_silence(iter([sound])), patches.SEGMENT, patches.CONTEXT)
    return patches.PatchFingerprint().fingerprint(cut)


def whistles() -> Sound:
    """Whistles on faint hiss, of raw random bits, which no release of NumPy changes."""
    t = sample_times(4 * RATE, RATE)
    hiss = np.random.PCG64(0).random_raw(len(t)) % 1024 / 1024 - 0.5
    sound = 0.01 * hiss
    for k, hertz in ((1, 700), (2, 1900)):
        sound += np.sin(2 * np.pi * (hertz * t + 90 * np.sin(3 * t * k)))
    return normalise_peak(sound, 0.5)


def sine(seconds: float, hertz: float = 440.0) -> Sound:
    n = np.arange(round(seconds * RATE))
    return (0.5 * np.sin(2 * np.pi * hertz * n / RATE)).astype(np.float32)


def in_common(one: Patches, other: Patches, later: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of patches at the same moments, where `other` begins `later` frames after `one`."""
    _, i, j = np.intersect1d(one.frames, other.frames + later, return_indices=True)
    return one.vectors[i].astype(int), other.vectors[j].astype(int)


def similarity(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    return np.asarray((x * y).sum(axis=1) / lengths)


def test_golden_vectors() -> None:
    """Whoever changes these changes `Patch.version` or the directions: caches hold the old ones.

    To renew one, print `*found.vectors[found.frames == frame][0]`. Builds of BLAS round otherwise.
    """
    found = patches_of(whistles())
    assert patches.PatchFingerprint.version == 3
    assert found.frames.tolist() == list(range(-16, 230, 5))
    for frame, stored in GOLDEN.items():
        vector = found.vectors[found.frames == frame][0].astype(int)
        off = np.abs(vector - [int(n) for n in stored.split()])
        assert off.max() <= 2
        assert off.mean() < 0.2


@KIND
def test_equal_sounds_have_equal_patches(kind: Callable[..., Sound]) -> None:
    one, again = patches_of(kind(5, 4.0)), patches_of(kind(5, 4.0))
    np.testing.assert_array_equal(one.vectors, again.vectors)
    np.testing.assert_array_equal(one.frames, again.frames)
    assert (one.vectors.dtype, one.frames.dtype) == (np.int8, np.int32)
    assert one.vectors.shape == (len(one.frames), DIRECTIONS)
    assert (np.diff(one.frames) > 0).all()
    assert not one.degenerate


@KIND
@pytest.mark.parametrize("segment", [1 << 15, 3 << 14, 1 << 16])
def test_where_a_sound_is_cut_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, kind: Callable[..., Sound], segment: int
) -> None:
    for seconds in (16.0, 16.384, 17.3):  # one of them ends with a segment
        whole = patches_of(kind(2, seconds))
        with monkeypatch.context() as patched:
            patched.setattr(patches, "SEGMENT", segment)
            cut = patches_of(kind(2, seconds))
        np.testing.assert_array_equal(cut.frames, whole.frames)
        np.testing.assert_allclose(cut.vectors.astype(int), whole.vectors.astype(int), atol=1)
        assert cut.degenerate == whole.degenerate


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 60), st.integers(0, 5))
def test_an_excerpt_has_the_patches_of_its_stretch(steps: int, seed: int) -> None:
    sound, later = sounds.distinct_sound(seed, 14.0), steps * STEP
    part = sound[later * HOP : (later + 320) * HOP]
    whole, excerpt = patches_of(sound), patches_of(part)
    # Beyond its ends there is silence, so these differ. 3: the window is four hops long.
    inside = (excerpt.frames >= 0) & (excerpt.frames <= 320 - PATCH_FRAMES - 3)
    excerpt = Patches(excerpt.vectors[inside], excerpt.frames[inside], False)
    mine, theirs = in_common(whole, excerpt, later)
    heard = patches_of(part).frames[inside]
    assert len(mine) == len(heard) > 0
    np.testing.assert_allclose(mine, theirs, atol=1)


@settings(deadline=None, max_examples=20)
@given(st.floats(-26, 6), st.integers(0, 5))
def test_gain_changes_nothing(gain_db: float, seed: int) -> None:
    sound = sounds.distinct_sound(seed, 3.0) / 2
    one, other = patches_of(sound), patches_of(sound * np.float32(10 ** (gain_db / 20)))
    mine, theirs = in_common(one, other)
    assert len(mine) > 0.9 * len(one.frames)  # of what is quiet, some becomes silence
    assert similarity(mine, theirs).min() > 0.99


@KIND
@pytest.mark.parametrize(("order", "hertz", "side"), [(1, 2000, "low"), (2, 300, "high")])
def test_a_filter_changes_little(
    kind: Callable[..., Sound], order: int, hertz: float, side: str
) -> None:
    sound = kind(4, 4.0)
    filtered = signal.sosfilt(signal.butter(order, hertz, side, fs=RATE, output="sos"), sound)
    one, other = patches_of(sound), patches_of(filtered.astype(np.float32))
    near = similarity(*in_common(one, other))
    assert len(near) > 0.9 * len(one.frames)
    assert near.min() > 0.6
    assert np.median(near) > 0.9


@KIND
def test_other_sounds_have_other_patches(kind: Callable[..., Sound]) -> None:
    one, other = patches_of(kind(1, 4.0)), patches_of(kind(2, 4.0))
    assert abs(np.median(similarity(*in_common(one, other)))) < 0.3


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(0, np.float32),
        np.ones(1, np.float32),
        sounds.silence(5.0),
        sounds.dither(1, 5.0),
        np.full(5 * RATE, 0.5, np.float32),
        sounds.tone(0, 0.02),
        *(sine(seconds) for seconds in (0.1, 0.11, 0.15, 0.3, 0.5, 0.6, 1.0, 3.0, 7.0)),
    ],
    ids=lambda sound: f"{len(sound)} of {sound[:1]}",
)
def test_what_holds_nothing_is_degenerate(sound: Sound) -> None:
    found = patches_of(sound)
    assert found.degenerate
    assert len(found.vectors) == len(found.frames)


@pytest.mark.parametrize("seconds", [0.1, 0.11, 0.15, 0.2, 0.3, 0.34, 0.5, 0.6])
def test_a_short_sound_has_patches(seconds: float) -> None:
    for kind in (sounds.speech_like, sounds.music_like, sounds.ambient, sounds.white_noise):
        found = patches_of(kind(2, 3.0)[RATE:][: round(seconds * RATE)])
        assert not found.degenerate
        frames = seconds * RATE / HOP
        assert found.frames.tolist() == list(range(-MARGIN, -MARGIN + len(found.frames)))
        assert len(found.frames) == pytest.approx(frames + 2 * MARGIN - PATCH_FRAMES - 3, abs=1.5)


def test_a_long_sound_has_a_patch_every_step() -> None:
    found = patches_of(sounds.white_noise(1, 20.0))
    assert set(np.diff(found.frames)) == {STEP}
    assert found.frames[0] == -MARGIN
    assert found.frames[-1] + PATCH_FRAMES == pytest.approx(20 * RATE / HOP + MARGIN, abs=STEP + 4)


@pytest.mark.parametrize("seed", range(3))
def test_vectors_are_of_unit_length(seed: int) -> None:
    lengths = np.linalg.norm(
        patches_of(sounds.distinct_sound(seed, 4.0)).vectors.astype(float), axis=1
    )
    assert np.median(lengths) == pytest.approx(SCALE, rel=0.02)
    assert lengths.max() < 1.02 * SCALE
    assert lengths.min() > 0.7 * SCALE  # where a number beyond 127 was clipped


def test_numbers_that_a_byte_cannot_hold_are_clipped() -> None:
    one = np.eye(1, DIRECTIONS)
    assert patches.quantise(np.concatenate([one, -one]))[:, 0].tolist() == [127, -127]


def extremes() -> dict[str, Sound]:
    t = sample_times(3 * RATE, RATE)
    noise = np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    return {
        "square": np.sign(np.sin(2 * np.pi * (200 * t + 9 * np.sin(5 * t)))).astype(np.float32),
        "faint": np.float32(3e-4) * noise,
        "far beyond full scale": np.float32(1e6) * noise,
        "impulse": np.eye(1, 3 * RATE, RATE, dtype=np.float32)[0],
    }


@pytest.mark.parametrize("name", extremes())
def test_no_level_overflows(name: str) -> None:
    sound = extremes()[name]
    levels, deviation = patches.describe(patches.band_power(sound), np.arange(0, 100, STEP))
    assert np.isfinite(levels).all()
    assert np.isfinite(deviation).all()
    vectors = patches_of(sound).vectors.astype(float)
    assert len(vectors) > 0
    assert np.linalg.norm(vectors, axis=1).min() > 0.5 * SCALE


def test_noise_below_silence_has_no_patches() -> None:
    noise = np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    assert len(patches_of(np.float32(1e-6) * noise).frames) == 0


def test_what_was_learned_fits_what_is_described() -> None:
    mean, directions = patches.load_projection()
    levels, _ = patches.describe(patches.band_power(whistles()), np.array([0]))
    assert mean.shape == (levels.shape[1],)
    assert directions.shape == (levels.shape[1], DIRECTIONS)
    assert mean.dtype == directions.dtype == np.float32
    assert np.linalg.matrix_rank(directions) == DIRECTIONS


def test_identity_changes_with_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = patches.directions_digest()
    assert before == patches.directions_digest()
    folder = tmp_path_factory.mktemp("learned_again")
    stored = (resources.files(fingerprints) / "patches.npz").read_bytes()
    (folder / "patches.npz").write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    monkeypatch.setattr(resources, "files", lambda package: folder)
    assert patches.directions_digest() != before


@pytest.mark.parametrize(
    ("depth", "deviation", "told"), [(0.12, 0.046, False), (0.14, 0.054, True)]
)
def test_a_tone_must_waver_to_be_described(depth: float, deviation: float, told: bool) -> None:
    """Its levels deviate by 5 % from steady ones, at least."""
    t = sample_times(4 * RATE, RATE)
    wavering = (0.3 * (1 + depth * np.sin(4 * np.pi * t)) * np.sin(880 * np.pi * t)).astype(
        np.float32
    )
    power = patches.band_power(wavering)
    _, found = patches.describe(power, np.arange(0, len(power) - PATCH_FRAMES, STEP))
    assert found == pytest.approx(np.full(len(found), deviation), abs=0.0015)
    assert patches_of(wavering).degenerate == (not told)
    within = patches_of(wavering).frames
    assert ((within >= 0) & (within < 150)).any() == told


@pytest.mark.parametrize(("level_db", "heard"), [(-74.5, True), (-75.5, False)])
def test_silence_lies_75_db_below_full_scale(level_db: float, heard: bool) -> None:
    noise = np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32)
    found = patches_of(np.float32(10 ** (level_db / 20)) * noise)
    assert (len(found.frames) > 0) == heard
    assert found.degenerate == (not heard)


@pytest.mark.parametrize(("ratio", "steady"), [(1.09, True), (1.12, False)])
def test_a_short_sound_must_waver_too(ratio: float, steady: bool) -> None:
    """Each of its few frames stands for two, so that none is evened out by the next."""
    power = np.ones((10, patches.BANDS), np.float32)
    power[1::2] = ratio
    assert patches._is_stationary(power) == steady


@pytest.mark.parametrize(
    ("n_frames", "step"),
    [(31, 1), (31 + 95, 1), (31 + 96, 2), (31 + 287, 5), (31 + 288, 6), (999, 6)],
)
def test_a_short_sound_gets_48_patches_where_it_can(n_frames: int, step: int) -> None:
    """At most one in six frames."""
    begins = patches._patch_starts(0, n_frames * HOP, n_frames)
    assert begins.tolist() == list(range(0, n_frames - 31, step))


def test_a_tone_before_speech_does_not_hide_it() -> None:
    found = patches_of(np.concatenate([sine(1.0), sounds.speech_like(1, 1.0)]))
    assert not found.degenerate
