"""A dataset of 60 sounds in three splits, with leaks planted in it, and what was planted.

Item ids are POSIX paths relative to the folder, as `splitaudit scan FOLDER` gives them. All that
stands in none of the tuples of `GroundTruth` is distinct: a pair found beyond them is a false one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from splitaudit.demo import sounds
from splitaudit.demo.synthesis import (
    RATE,
    Rng,
    Sound,
    fade_envelope,
    mix_into,
    seeded_rng,
    steady_tone,
)


@dataclass(frozen=True)
class Leak:
    """Two items that share sound, `a` < `b`, and where: seconds of each."""

    a: str
    b: str
    kind: str  # copy, container, transcoded, excerpt, noisy
    relation: str  # exact, near_duplicate, overlap
    a_start: float
    a_end: float
    b_start: float
    b_end: float


@dataclass(frozen=True)
class GroundTruth:
    """The truth of a planted dataset."""

    leaks: tuple[Leak, ...]  # across two splits
    duplicates: tuple[Leak, ...]  # inside train
    innocent: tuple[tuple[str, str, str], ...]  # a < b, and why they are alike but no leak
    jingle_members: tuple[str, ...]  # share a jingle of 3 s, less than half of each


_RELATIONS = {
    "copy": "exact",
    "container": "exact",
    "transcoded": "near_duplicate",
    "excerpt": "overlap",
    "noisy": "near_duplicate",
}
_LEAKS = (  # kind, item, its copy; by turns speech, music and ambience, as `distinct` gives them
    ("copy", "train/address.wav", "test/speech.wav"),
    ("container", "train/anthem.wav", "test/hymn.flac"),
    ("transcoded", "train/market.wav", "test/street_market.mp3"),
    ("transcoded", "train/interview.wav", "val/interview_web.ogg"),
    ("transcoded", "test/sonata.wav", "val/piano.opus"),
    ("noisy", "train/forest.wav", "test/forest_far.wav"),
    ("excerpt", "train/story.wav", "test/story_teaser.mp3"),
    ("excerpt", "train/concert.wav", "test/concert_cut.ogg"),
    ("excerpt", "train/harbour.flac", "val/gulls.opus"),
    ("transcoded", "train/letter.flac", "test/letter_read.m4a"),
)
_DUPLICATES = (
    ("copy", "train/waltz.wav", "train/waltz (1).wav"),
    ("transcoded", "train/meadow.wav", "train/meadow_small.ogg"),
    ("excerpt", "train/debate.wav", "train/debate_quote.m4a"),
)
_JINGLES = (("train", 14), ("val", 5), ("test", 5))
# Settings of libsndfile that give some 56 kbit/s at 16 kHz mono.
_SOUNDFILE_LOSSY: dict[str, dict[str, Any]] = {
    ".mp3": {"bitrate_mode": "CONSTANT", "compression_level": 0.7},
    ".ogg": {"compression_level": 0.3},
}
_AV_CODECS = {".m4a": "aac", ".opus": "libopus"}


def plant(folder: Path, seed: int = 0) -> GroundTruth:
    """Write the dataset and return its truth.

    Parameters
    ----------
    folder
        Made where it is missing. Files of the same names are written anew, others left alone.
    seed
        Not negative. Another seed gives other sounds under the same names.

    Returns
    -------
    Planted
        `leaks` and `duplicates` hold each pair once, with both intervals; no item is in two pairs.
    """
    for split, _ in _JINGLES:
        (folder / split).mkdir(parents=True, exist_ok=True)
    rng = seeded_rng("dataset", seed)
    fresh = _distinct_sounds(seed, rng)
    return GroundTruth(
        leaks=tuple(_plant_leak(folder, row, next(fresh), rng) for row in _LEAKS),
        duplicates=tuple(_plant_leak(folder, row, next(fresh), rng) for row in _DUPLICATES),
        innocent=_plant_negatives(folder, 3000 * seed + 900),
        jingle_members=tuple(_plant_jingle(folder, sounds.jingle(seed), fresh, rng)),
    )


def write(path: Path, samples: Sound) -> None:
    """Encode 16 kHz mono in the format that the suffix names: 16 bits, or some 56 kbit/s."""
    if path.suffix in _AV_CODECS:
        _write_av(path, samples)
    else:
        _write_soundfile(path, samples)


def _distinct_sounds(seed: int, rng: Rng) -> Iterator[Sound]:
    """Sounds of 7.5 to 10 s that no other call has given: speech, music, ambience, speech, ..."""
    for k in range(900):
        yield sounds.distinct_sound(3000 * seed + k, round(rng.uniform(7.5, 10), 2))


def _plant_leak(folder: Path, row: tuple[str, str, str], samples: Sound, rng: Rng) -> Leak:
    """Write an item of these samples, and what is made of it."""
    kind, item, copy = row
    write(folder / item, samples)
    start, length = 0.0, len(samples) / RATE
    if kind == "excerpt":
        length = round(rng.uniform(3, 4), 3)
        start = round(rng.uniform(1, len(samples) / RATE - length - 1), 3)
    if kind == "copy":
        shutil.copyfile(folder / item, folder / copy)
    else:
        cut = samples[round(start * RATE) : round((start + length) * RATE)]
        write(folder / copy, _add_noise(cut, rng) if kind == "noisy" else cut)
    (a, a0), (b, b0) = sorted([(item, start), (copy, 0.0)])
    a1, b1 = round(a0 + length, 3), round(b0 + length, 3)
    return Leak(a, b, kind, _RELATIONS[kind], a0, a1, b0, b1)


def _add_noise(samples: Sound, rng: Rng) -> Sound:
    """12 dB quieter, in noise at 15 dB below what is left."""
    quiet = samples * np.float32(10 ** (-12 / 20))
    noise = sounds.pink_noise(int(rng.integers(1 << 30)), len(samples) / RATE)
    gain = np.sqrt(np.mean(quiet**2) / np.mean(noise**2)) * 10 ** (-15 / 20)
    return np.asarray(quiet + gain * noise, np.float32)


def _plant_negatives(folder: Path, seed: int) -> tuple[tuple[str, str, str], ...]:
    """Write pairs, one in test and one in train, that must not be called leaks."""
    pairs = (
        ("reading", "two takes of one sentence", _takes(sounds.speech_like, seed)),
        ("etude", "two takes of one piece", _takes(sounds.music_like, seed)),
        ("silent", "both are silent", [sounds.silence(5)] * 2),
        ("tone", "steady tones of one frequency", _tones(seed)),
        ("rain", "two showers", [sounds.rain(seed + k, 6) for k in (0, 1)]),
    )
    for name, _, (left, right) in pairs:
        write(folder / f"test/{name}.wav", left)
        write(folder / f"train/{name}.wav", right)
    return tuple((f"test/{name}.wav", f"train/{name}.wav", why) for name, why, _ in pairs)


def _takes(perform: Callable[[int, float, int, int], Sound], seed: int) -> list[Sound]:
    return [perform(seed, 8, RATE, take) for take in (0, 1)]


def _tones(seed: int) -> list[Sound]:
    rngs = [seeded_rng("demo tone", seed + k) for k in (0, 1)]
    return [steady_tone(rng, 440, np.ones(1), 5 * RATE, RATE) for rng in rngs]


def _plant_jingle(folder: Path, logo: Sound, fresh: Iterator[Sound], rng: Rng) -> Iterator[str]:
    """Write the items that share the logo, each at its own second and loudness, its bed ducked."""
    dip = 1 - 0.92 * fade_envelope(len(logo), RATE, 0.1, 0.1)
    for split, count in _JINGLES:
        for k in range(count):
            samples, item = next(fresh), f"{split}/episode_{k:02}.{('wav', 'flac', 'ogg')[k % 3]}"
            start = rng.uniform(0.5, (len(samples) - len(logo)) / RATE - 0.5)
            first = round(start * RATE)
            samples[first : first + len(logo)] *= dip
            mix_into(samples, logo * np.float32(rng.uniform(0.6, 1)), start, RATE)
            write(folder / item, samples)
            yield item


def _write_soundfile(path: Path, samples: Sound) -> None:
    import soundfile

    if path.suffix in _SOUNDFILE_LOSSY:
        soundfile.write(path, samples, RATE, **_SOUNDFILE_LOSSY[path.suffix])
    else:  # Given floats, libsndfile rounds for flac and cuts off for wav: unequal samples.
        soundfile.write(path, np.rint(samples * 32767).astype(np.int16), RATE)


def _write_av(path: Path, samples: Sound) -> None:
    import av

    frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    # Without a time the muxer cannot note the encoder's delay, and players start 64 ms late.
    frame.pts, frame.sample_rate, frame.time_base = 0, RATE, Fraction(1, RATE)
    with av.open(str(path), "w") as container:
        track: Any = container.add_stream(_AV_CODECS[path.suffix], rate=RATE, layout="mono")
        track.bit_rate = 56_000
        for packet in [*track.encode(frame), *track.encode(None)]:
            container.mux(packet)
