"""Thirty-six things that happen to a recording before it turns up again, and where it then lies.

A transform makes a copy of a recording as a file. Time in the copy is `(t - start) / speed + pad`
of time t in the recording, which is what offsets are held against.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import scipy.signal

from benchmarks.common.audio.material import (
    RATE,
    RECODINGS,
    Rng,
    Sound,
    add_noise,
    cut,
    make_writer,
    write_wav,
)

GSM_RATE = 8_000
ROOM_S = 0.5  # reverberation time (60 dB)
PAD_S = 1.0


@dataclass(frozen=True)
class Place:
    """Where a copy lies in its recording, and how it was scaled.

    Parameters
    ----------
    start_s
        Time of the recording at which the copy begins.
    pad_s
        Silence before it.
    speed
        Seconds of the recording in a second of the copy.
    pitch
        Frequency in the copy over that in the recording.
    """

    start_s: float = 0.0
    pad_s: float = 0.0
    speed: float = 1.0
    pitch: float = 1.0


Made = tuple[Sound, Place]


@dataclass(frozen=True)
class Transform:
    """How a copy is made: samples to samples, then written to a file.

    Parameters
    ----------
    make
        Recording, another recording, random numbers -> samples and where they lie.
    suffix, write
        Of the file.
    """

    make: Callable[[Sound, Sound, Rng], Made]
    suffix: str = ".wav"
    write: Callable[[Path, Sound], None] = write_wav


def _keep_place(change: Callable[[Sound, Rng], Sound]) -> Callable[[Sound, Sound, Rng], Made]:
    def make(sound: Sound, other: Sound, rng: Rng) -> Made:
        return _turn_down(change(sound, rng)), Place()

    return make


def _turn_down(sound: Sound) -> Sound:
    """Turn down what would clip."""
    return np.asarray(sound / max(1.0, float(np.abs(sound).max(initial=0.0))), np.float32)


def _leave(sound: Sound, rng: Rng) -> Sound:
    return sound


def _recode(suffix: str, write: Callable[[Path, Sound], None]) -> Transform:
    return Transform(_keep_place(_leave), suffix, write)


def _degrade(name: str) -> Transform:
    return Transform(_keep_place(RECODINGS[name].degrade))


def _write_gsm(path: Path, sound: Sound) -> None:
    import soundfile

    soundfile.write(path, _resample(sound, RATE / GSM_RATE), GSM_RATE, subtype="GSM610")


def _write_8_khz(path: Path, sound: Sound) -> None:
    import soundfile

    soundfile.write(path, _resample(sound, RATE / GSM_RATE), GSM_RATE, subtype="PCM_16")


def _resample(sound: Sound, speed: float) -> Sound:
    """Play faster by `speed`: shorter, and higher."""
    import soxr

    ratio = Fraction(speed).limit_denominator(10_000)
    return np.asarray(soxr.resample(sound, ratio.numerator, ratio.denominator), np.float32)


def _clip(sound: Sound, rng: Rng) -> Sound:
    """12 dB too loud for the scale."""
    return np.clip(sound / np.abs(sound).max() * np.float32(10 ** (12 / 20)), -1, 1)


def _mix_down(sound: Sound, rng: Rng) -> Sound:
    """Two channels, one 5 ms late, on one."""
    late = np.pad(sound, (RATE // 200, 0))[: len(sound)]
    return (sound + late) / np.float32(2)


def _reverberate(direct_db: float) -> Callable[[Sound, Rng], Sound]:
    """A room: noise that dies away behind the direct sound, which is so much louder than it."""

    def degrade(sound: Sound, rng: Rng) -> Sound:
        times = np.arange(round(ROOM_S * RATE)) / RATE
        tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / ROOM_S)
        tail[: RATE // 400] = 0  # 2.5 ms before the first wall answers
        tail *= 10 ** (-direct_db / 20) / np.sqrt(np.square(tail).sum())
        tail[0] = 1.0
        return np.asarray(scipy.signal.fftconvolve(sound, tail)[: len(sound)], np.float32)

    return degrade


def _compress(sound: Sound, rng: Rng) -> Sound:
    """A compressor: four to one above -30 dB of the peak, attack 5 ms, release 100 ms."""
    level = np.abs(sound) / np.abs(sound).max()
    held = np.empty_like(level)
    up, down, state = np.exp(-1 / (0.005 * RATE)), np.exp(-1 / (0.1 * RATE)), 0.0
    for at, value in enumerate(level):
        keep = up if value > state else down
        state = keep * state + (1 - keep) * value
        held[at] = state
    over_db = np.maximum(0, 20 * np.log10(held + 1e-6) + 30)
    return np.asarray(sound * 10 ** (-0.75 * over_db / 20) * 10 ** (12 / 20), np.float32)


def _play_in_room(sound: Sound, rng: Rng) -> Sound:
    """A loudspeaker, a room, a telephone: band, reverberation as loud as the sound, noise."""
    band = scipy.signal.butter(2, [250, 5_000], "band", fs=RATE, output="sos")
    heard = _reverberate(0.0)(scipy.signal.sosfilt(band, sound).astype(np.float32), rng)
    return RECODINGS["noise 20 dB"].degrade(heard, rng)


def _mix(sound: Sound, other: Sound, rng: Rng) -> Made:
    """Another recording as loud as this one, over all of it."""
    cover = np.resize(other, len(sound))
    gain = sound.std() / max(float(cover.std()), 1e-6)
    return _turn_down(sound + gain * cover), Place()


def _pad(sound: Sound, other: Sound, rng: Rng) -> Made:
    silence = round(PAD_S * RATE)
    return np.pad(sound, silence), Place(pad_s=PAD_S)


def _trim(share: float) -> Callable[[Sound, Sound, Rng], Made]:
    """Cut off so much, part of it at the front."""

    def make(sound: Sound, other: Sound, rng: Rng) -> Made:
        first = int(rng.uniform(0, share) * len(sound))
        length = round((1 - share) * len(sound))
        return sound[first : first + length], Place(start_s=first / RATE)

    return make


def _cut_excerpt(seconds: float) -> Callable[[Sound, Sound, Rng], Made]:
    def make(sound: Sound, other: Sound, rng: Rng) -> Made:
        start_s, piece = cut(sound, min(seconds, len(sound) / RATE), rng)
        return piece, Place(start_s=start_s)

    return make


def _stretch(sound: Sound, tempo: float) -> Sound:
    """Faster by `tempo` at the same pitch, as FFmpeg's atempo does (WSOLA)."""
    import av

    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=RATE, format="flt", layout="mono", time_base=Fraction(1, RATE)
    )
    filters = [source, graph.add("atempo", f"{tempo:.6f}"), graph.add("abuffersink")]
    for one, other in itertools.pairwise(filters):
        one.link_to(other)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    source.push(frame)
    source.push(None)
    pieces = [np.zeros(0, np.float32)]
    while True:
        try:
            pieces.append(filters[-1].pull().to_ndarray()[0])
        except (av.error.EOFError, av.error.BlockingIOError):
            return np.concatenate(pieces)


def _draw_sign(rng: Rng) -> int:
    return int(rng.choice((-1, 1)))


def _change_speed(percent: float) -> Callable[[Sound, Sound, Rng], Made]:
    def make(sound: Sound, other: Sound, rng: Rng) -> Made:
        speed = 1 + _draw_sign(rng) * percent / 100
        return _turn_down(_resample(sound, speed)), Place(speed=speed, pitch=speed)

    return make


def _change_pitch(percent: float) -> Callable[[Sound, Sound, Rng], Made]:
    def make(sound: Sound, other: Sound, rng: Rng) -> Made:
        pitch = 1 + _draw_sign(rng) * percent / 100
        return _turn_down(_resample(_stretch(sound, 1 / pitch), pitch)), Place(pitch=pitch)

    return make


def _change_tempo(percent: float) -> Callable[[Sound, Sound, Rng], Made]:
    def make(sound: Sound, other: Sound, rng: Rng) -> Made:
        tempo = 1 + _draw_sign(rng) * percent / 100
        return _turn_down(_stretch(sound, tempo)), Place(speed=tempo)

    return make


TRANSFORMS: dict[str, Transform] = {
    "mp3 128k": _recode(".mp3", make_writer("libmp3lame", 128_000)),
    "mp3 64k": _recode(".mp3", RECODINGS["mp3 64k"].write),
    "mp3 32k": _recode(".mp3", RECODINGS["mp3 32k"].write),
    "aac 48k": _recode(".m4a", RECODINGS["aac 48k"].write),
    "ogg": _recode(".ogg", RECODINGS["vorbis"].write),
    "opus 24k": _recode(".opus", RECODINGS["opus 24k"].write),
    "GSM": _recode(".wav", _write_gsm),
    "8 kHz": _recode(".wav", _write_8_khz),
    "gain -12 dB": _degrade("flac -12 dB"),
    "clipping 12 dB": Transform(_keep_place(_clip)),
    "equaliser 9 dB": _degrade("equaliser 9 dB"),
    "telephone": _degrade("telephone"),
    "polarity": Transform(_keep_place(lambda sound, rng: -sound)),
    "stereo 5 ms": Transform(_keep_place(_mix_down)),
    "padding": Transform(_pad),
    "trimmed 15 %": Transform(_trim(0.15)),
    "trimmed 10 %": Transform(_trim(0.10)),
    "reverberation": Transform(_keep_place(_reverberate(0.0))),
    "compression": Transform(_keep_place(_compress)),
    "noise 20 dB": _degrade("noise 20 dB"),
    "noise 10 dB": _degrade("noise 10 dB"),
    "noise 5 dB": Transform(_keep_place(add_noise(5))),
    "noise 0 dB": Transform(_keep_place(add_noise(0))),
    "over the air": Transform(_keep_place(_play_in_room)),
    "mixed at 0 dB": Transform(_mix),
    "excerpt 3 s": Transform(_cut_excerpt(3.0)),
    "excerpt 1 s": Transform(_cut_excerpt(1.0)),
} | {
    f"{name} {percent} %": Transform(make(percent))
    for name, make in (("speed", _change_speed), ("pitch", _change_pitch), ("tempo", _change_tempo))
    for percent in (1, 2, 5)
}
