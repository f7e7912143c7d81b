"""Kinds of sound that can be made here: many that are alike, of which none is a copy of another.

Each function writes files to a folder for every source: a voice, an instrument, a place.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import scipy.signal
import soundfile

from benchmarks.common.audio.material import Rng, Sound

RATE = 22_050
VOICES = [f"{lang}+{who}" for lang in ("en-us", "en-gb") for who in ("m1", "m3", "m7", "f2", "f5")]
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SOUND_FONTS = ("/usr/share/sounds/sf2/TimGM6mb.sf2", "/usr/share/sounds/sf2/FluidR3_GM.sf2")
PROGRAMS = (0, 6, 11, 19, 24, 33, 40, 56, 68, 73, 79, 81)  # of General MIDI, piano to square lead
TICKS = 480  # of a MIDI file in a second


def make_digits(folder: Path, rng: Rng) -> None:
    """Spoken digits: each six times by each voice, at other rates and pitches (espeak-ng)."""
    for voice in VOICES:
        for word in WORDS:
            speeds, pitches = (
                rng.permutation(np.linspace(*ends, 6)) for ends in ((130, 200), (30, 70))
            )
            for speed, pitch in zip(speeds, pitches, strict=True):
                how = ("-v", voice, "-s", f"{speed:.0f}", "-p", f"{pitch:.0f}")
                path = _next_path(folder / voice, word)
                subprocess.run(["espeak-ng", *how, "-w", str(path), word], check=True)


def make_vowels(folder: Path, rng: Rng) -> None:
    """One vowel of each of eight voices, 40 takes: a buzz through resonances, no two alike."""
    for voice, (pitch, *forms) in enumerate(
        (rng.uniform(90, 260), *rng.uniform((350, 900, 2200), (800, 2000, 3200))) for _ in range(8)
    ):
        for _ in range(40):
            _write(_next_path(folder / f"voice {voice}", "take"), _vowel(pitch, forms, rng), 8_000)


def _vowel(pitch: float, forms: list[float], rng: Rng) -> Sound:
    rate, n = 8_000, round(8_000 * rng.uniform(0.25, 0.5))
    t = np.linspace(-0.5, 0.5, n)
    course = 1 + 0.02 * rng.normal() + 0.03 * rng.normal() * t - 0.08 * (t + 0.5) ** 2
    course += 0.002 * np.cumsum(rng.normal(size=n)) / np.sqrt(n)
    pulses = np.diff(np.floor(np.cumsum(pitch * course) / rate + rng.uniform()), prepend=0)
    out = pulses * (1 + 0.05 * rng.normal(size=n))
    for form, width in zip(forms, (60, 90, 120), strict=True):
        radius, turn = np.exp(-np.pi * width / rate), form * (1 + 0.02 * rng.normal())
        poles = [1, -2 * radius * np.cos(2 * np.pi * turn / rate), radius**2]
        out = scipy.signal.lfilter([1], poles, out)
    out *= np.minimum(1, np.minimum(t + 0.5, 0.5 - t) / 0.1)
    return np.asarray(0.5 * out / np.abs(out).max() + 5e-4 * rng.normal(size=n), np.float32)


def make_plucks(folder: Path, rng: Rng) -> None:
    """Notes of eight plucked strings, each pitch four times (Karplus and Strong, 1983)."""
    for string in range(8):
        bright = rng.uniform(0.4, 0.9)
        for semitone in range(0, 24, 2):
            for _ in range(4):
                period = RATE / (82 * 2 ** ((semitone + string) / 12))
                _write(_next_path(folder / f"string {string}", "note"), _pluck(period, bright, rng))


def _pluck(period: float, bright: float, rng: Rng) -> Sound:
    n, whole = RATE, int(period)
    burst = np.zeros(n)
    burst[:whole] = rng.uniform(-1, 1, whole) * rng.uniform(0.4, 1)
    loop = np.zeros(whole + 3)
    loop[0], part = 1.0, period - whole
    damping = np.convolve([1 - part, part], [(1 + bright) / 2, (1 - bright) / 2])
    loop[whole : whole + 3] -= 0.996 * damping
    out = scipy.signal.lfilter([1], loop, burst)
    return np.asarray(0.5 * out / np.abs(out).max(), np.float32)


def make_hums(folder: Path, rng: Rng) -> None:
    """Recordings of eight places: noise and knocks of each its own, one hum behind them all."""
    for place in range(8):
        levels, mains = rng.uniform(0, 1, 12) / np.arange(1, 13), rng.choice((50, 60))
        colour = rng.uniform((60, 800), (400, 5000))
        for _ in range(15):
            n = round(RATE * rng.uniform(2, 8))
            t = (rng.uniform(0, 600) + np.arange(n) / RATE) * mains
            hum = levels @ np.sin(2 * np.pi * np.outer(np.arange(1, 13), t))
            band = scipy.signal.butter(2, colour, "band", fs=RATE, output="sos")
            own = scipy.signal.sosfilt(band, rng.normal(size=n))
            own *= np.interp(np.arange(n), np.linspace(0, n, 9), rng.uniform(0.1, 1, 9))
            ratio = 10 ** (rng.uniform(-15, 5) / 20) * own.std() / hum.std()
            out = own + ratio * hum
            _write(_next_path(folder / f"place {place}", "rec"), 0.5 * out / np.abs(out).max())


def make_melodies(folder: Path, rng: Rng) -> None:
    """Melodies of twelve instruments of one synthesiser, fifteen of each, of some six seconds."""
    font = next(font for font in SOUND_FONTS if Path(font).exists())
    for program in PROGRAMS:
        for _ in range(15):
            path = _next_path(folder / f"program {program}", "melody")
            middle = path.with_suffix(".mid")
            middle.write_bytes(_midi(program, list(_melody(rng))))
            command = ["fluidsynth", "-ni", "-g", "0.6", "-r", str(RATE), "-F", str(path), font]
            subprocess.run([*command, str(middle)], check=True, capture_output=True)
            middle.unlink()


def _melody(rng: Rng) -> Iterator[tuple[int, int, int]]:
    """Pitch, velocity and ticks of notes: a walk on a scale."""
    scale, step, key = (0, 2, 4, 5, 7, 9, 11), int(rng.integers(0, 14)), int(rng.integers(48, 60))
    beat = int(rng.integers(90, 180))
    for _ in range(20):
        step = int(np.clip(step + rng.integers(-3, 4), 0, 14))
        octave, place = divmod(step, 7)
        yield (
            key + 12 * octave + scale[place],
            int(rng.integers(60, 120)),
            beat * int(rng.choice((1, 1, 2, 3))),
        )


def _midi(program: int, notes: list[tuple[int, int, int]]) -> bytes:
    """A MIDI file of one track at 60 beats a minute."""
    track = b"\0\xff\x51\x03\x0f\x42\x40" + bytes([0, 0xC0, program])
    for pitch, velocity, ticks in notes:
        track += bytes([0, 0x90, pitch, velocity]) + _variable(ticks) + bytes([0x80, pitch, 0])
    track += b"\0\xff\x2f\0"
    return struct.pack(">4sIHHH4sI", b"MThd", 6, 0, 1, TICKS, b"MTrk", len(track)) + track


def _variable(number: int) -> bytes:
    return bytes([0x80 | number >> 7, number & 0x7F]) if number > 0x7F else bytes([number])


def _next_path(folder: Path, stem: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{stem}-{len(list(folder.iterdir())):04d}.wav"


def _write(path: Path, samples: Sound, rate: int = RATE) -> None:
    soundfile.write(path, samples, rate)


# Kind -> what makes it, and the program that it needs.
MADE: dict[str, tuple[Callable[[Path, Rng], None], str | None]] = {
    "digits of a synthesiser": (make_digits, "espeak-ng"),
    "takes of one vowel": (make_vowels, None),
    "plucked strings": (make_plucks, None),
    "recordings with one hum": (make_hums, None),
    "melodies of one synthesiser": (make_melodies, "fluidsynth"),
}


def make(kind: str, folder: Path) -> bool:
    """Make a kind; say on stderr, and return False, where the program that it needs is not here."""
    write, needs = MADE[kind]
    if needs and not shutil.which(needs):
        print(f"{kind} are left out: apt-get install {needs}", file=sys.stderr)
        return False
    write(folder, np.random.default_rng([*MADE].index(kind)))
    return True
