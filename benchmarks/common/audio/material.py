"""Real recordings: where they come from, which may be reported on, cutting and recoding them.

Everything is handled as one channel at 16 kHz, as `splitaudit.audio.decode.sounds.load` decodes it; the
recordings themselves are scanned as the files they are.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common.judging import is_reported
from splitaudit.audio.decode.sounds import load
from splitaudit.audio.decode.stream import RATE
from splitaudit.errors import MediaError

Sound = npt.NDArray[np.float32]
Rng = np.random.Generator

INSTALLATION = 36  # characters of a donateacry name: the telephone
QUIET = 0.003  # peak; what stays below it is taken for silence
_SUFFIXES = ".wav .flac .mp3 .ogg .oga .opus .m4a .aac .3gp .caf .aiff .wma .webm .mp4 .mkv"
SOUND_SUFFIXES = frozenset(_SUFFIXES.split())


@dataclass(frozen=True)
class Recording:
    """A file and what it comes from: recordings of one source are reported on together."""

    path: Path
    source: str

    @property
    def reported(self) -> bool:
        """Whether its source is in the half that is reported on; the other is to develop on."""
        return is_reported(self.source)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let the command line say where recordings are."""
    parser.add_argument("--data", type=Path, help="folder that holds donateacry and videos")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="folders of sound files")


def list_roots(args: argparse.Namespace) -> list[Path]:
    """Return the folders that were named, those below `--data` one by one."""
    return [*args.more, *(args.data / name for name in ("donateacry", "videos") if args.data)]


def find_recordings(data: Path | None, more: list[Path]) -> list[Recording]:
    """Return the recordings of the shared data and of other folders, sorted by source.

    Parameters
    ----------
    data
        Holds `donateacry` (its raw uploads are taken; a source is an installation) and `videos`.
    more
        Every sound file below them; a source is a file.
    """
    found = []
    if data is not None:
        raw = [*data.glob("donateacry/android/*"), *data.glob("donateacry/ios/*")]
        found += [Recording(path, path.name[:INSTALLATION].lower()) for path in raw]
        found += [Recording(path, path.stem) for path in data.glob("videos/*")]
    for folder in more:
        found += [Recording(p, str(p.relative_to(folder))) for p in find_sound_files(folder)]
    return sorted(found, key=lambda recording: (recording.source, recording.path))


def find_sound_files(folder: Path) -> Iterator[Path]:
    """Yield the sound files below a folder, links left out."""
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in names):
            if path.suffix.lower() in SOUND_SUFFIXES and not path.is_symlink():
                yield path


def decode(path: Path) -> Sound:
    """Return the sound of a file, empty where it holds none that can be read or only silence."""
    try:
        samples = load(os.fspath(path))
    except MediaError:
        return np.zeros(0, np.float32)
    loud = float(np.abs(samples).max(initial=0.0)) > QUIET
    return samples if loud else samples[:0]


def cut(samples: Sound, seconds: float, rng: Rng) -> tuple[float, Sound]:
    """Cut a stretch at a random place in which something is heard; return where it starts."""
    length = round(seconds * RATE)
    for _ in range(20):
        start = int(rng.integers(0, len(samples) - length + 1))
        piece = samples[start : start + length]
        if np.abs(piece).max() > QUIET:
            break
    return start / RATE, piece


def measure_heard(samples: Sound) -> float:
    """Return the seconds of a sound that are not silence: within 40 dB of its loudest 20 ms."""
    frame = RATE // 50
    level = np.sqrt(
        np.mean(samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    )
    return float((level > max(0.01 * level.max(initial=0.0), QUIET / 10)).sum() / 50)


def write_wav(path: Path, samples: Sound) -> None:
    """Write 16 bits at 16 kHz (or FLAC, by the suffix)."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.rint(np.clip(samples, -1, 1) * 32767).astype(np.int16), RATE)


def _write_vorbis(path: Path, samples: Sound) -> None:
    import soundfile

    soundfile.write(path, samples, RATE, format="OGG", subtype="VORBIS", compression_level=0.6)


def make_writer(codec: str, bit_rate: int, rate: int = RATE) -> Callable[[Path, Sound], None]:
    """Return what writes a file with one of FFmpeg's encoders."""

    def write(path: Path, samples: Sound) -> None:
        import av
        import soxr

        wave = soxr.resample(np.clip(samples, -1, 1), RATE, rate).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        # Without a time the muxer cannot note the encoder's delay.
        frame.pts, frame.sample_rate, frame.time_base = 0, rate, Fraction(1, rate)
        with av.open(str(path), "w") as container:
            track: Any = container.add_stream(codec, rate=rate, layout="mono")
            track.bit_rate = bit_rate
            for packet in [*track.encode(frame), *track.encode(None)]:
                container.mux(packet)

    return write


def _leave(samples: Sound, rng: Rng) -> Sound:
    return samples


def _turn_down(samples: Sound, rng: Rng) -> Sound:
    return samples * np.float32(10 ** (-12 / 20))


def _cut_band(samples: Sound, rng: Rng) -> Sound:
    """A telephone's band, 300 to 3400 Hz."""
    from scipy.signal import butter, sosfilt

    filtered = sosfilt(butter(4, [300, 3400], "band", fs=RATE, output="sos"), samples)
    return np.asarray(filtered, np.float32)


def _equalise(samples: Sound, rng: Rng) -> Sound:
    """Nine bands, each up or down by as much as 9 dB, at random."""
    spectrum = np.fft.rfft(samples)
    place = np.sqrt(np.linspace(0, 1, len(spectrum)))
    gain_db = np.interp(place, np.linspace(0, 1, 9), rng.uniform(-9, 9, 9))
    out = np.fft.irfft(spectrum * 10 ** (gain_db / 20), len(samples))
    return np.asarray(out / max(1.0, float(np.abs(out).max())), np.float32)


def add_noise(snr_db: float) -> Callable[[Sound, Rng], Sound]:
    """Return what adds pink noise, `snr_db` below the stretch's own power."""

    def degrade(samples: Sound, rng: Rng) -> Sound:
        spectrum = np.fft.rfft(rng.standard_normal(len(samples)))
        noise = np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), len(samples))
        out = samples + noise / noise.std() * samples.std() * 10 ** (-snr_db / 20)
        return np.asarray(out / max(1.0, float(np.abs(out).max())), np.float32)

    return degrade


@dataclass(frozen=True)
class Recoding:
    """What is done to an excerpt: samples to samples, then written to a file."""

    suffix: str
    write: Callable[[Path, Sound], None]
    degrade: Callable[[Sound, Rng], Sound] = _leave


RECODINGS: dict[str, Recoding] = {
    "mp3 64k": Recoding(".mp3", make_writer("libmp3lame", 64_000)),
    "mp3 32k": Recoding(".mp3", make_writer("libmp3lame", 32_000)),
    "aac 48k": Recoding(".m4a", make_writer("aac", 48_000)),
    "opus 24k": Recoding(".opus", make_writer("libopus", 24_000, 48_000)),
    "vorbis": Recoding(".ogg", _write_vorbis),
    "amr 12.2k": Recoding(".3gp", make_writer("libopencore_amrnb", 12_200, 8_000)),
    "flac -12 dB": Recoding(".flac", write_wav, _turn_down),
    "telephone": Recoding(".wav", write_wav, _cut_band),
    "equaliser 9 dB": Recoding(".wav", write_wav, _equalise),
    "noise 20 dB": Recoding(".wav", write_wav, add_noise(20)),
    "noise 10 dB": Recoding(".wav", write_wav, add_noise(10)),
}
