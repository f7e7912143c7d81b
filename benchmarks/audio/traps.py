"""Sounds that are alike without being copies: whether anything is accepted among them.

Silence, dither, noise, hum, tones, clicks, beeps, rain, fans and engines made from code, each with
many seeds and of five lengths; and, with `--data` or `--more`, disjoint stretches of real recordings
that stay steady: rain, wind, a motor, a room. Not one match among those made from code is true. What is
accepted of the others is true only where the material holds the same sound twice, as sequenced music
does; then the *rest* of the recordings agrees at that lag too, which is measured without the stretches
compared.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

from benchmarks.common import harness
from benchmarks.common.audio import material
from benchmarks.common.audio.evidence import whiten_file
from benchmarks.common.audio.material import RATE, Sound, decode, find_recordings, write_wav
from benchmarks.common.harness import must, print_table
from splitaudit.demo.sounds import HARD_NEGATIVES

SECONDS = (10.0, 3.0, 2.0, 1.0, 0.5)
STRETCH_S = 3.0  # of a real steady recording; two of them, APART_S from each other
APART_S = 0.5
STEADY_DB = 3.5  # <: mean over bands of the deviation over time of 0.1 s levels; rain has 3.2
FRAME = RATE // 10
NEAR = 8  # samples to each side of a lag
AROUND_S = 20  # to each side of it lie the lags it is held against


@dataclass(frozen=True)
class Steady:
    """A steady stretch: where in which recording, in samples."""

    path: Path
    start: int


def main() -> None:
    parser = harness.make_parser(__doc__)
    material.add_options(parser)
    parser.add_argument("--seeds", type=int, default=30, help="sounds of each kind")
    parser.add_argument("--seconds", type=float, nargs="+", default=SECONDS)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        numbers = {}
        for seconds in args.seconds:
            made = home / f"made, {seconds:g} s"
            write_traps(made, args.seeds, seconds)
            numbers[made.name] = report(made, home / f"of {made.name}")
        cut = write_steady(home / "real", args.data, args.more)
        if cut:
            numbers["steady recordings"] = report(home / "real", home / "of_real", cut)
    harness.keep(args.json, numbers)


def write_traps(target: Path, seeds: int, seconds: float) -> None:
    """Write every kind with every seed, by turns to train and test."""
    for kind, make in HARD_NEGATIVES.items():
        for seed in range(seeds):
            split = ("train", "test")[seed % 2]
            write_wav(target / split / f"{kind}_{seed:03}.wav", make(seed, seconds, RATE))


def write_steady(target: Path, data: Path | None, more: list[Path]) -> dict[str, Steady]:
    """Write two disjoint stretches of each steady recording; return them by item."""
    cut = {}
    length, apart = round(STRETCH_S * RATE), round((STRETCH_S + APART_S) * RATE)
    for recording in find_recordings(data, more):
        samples = decode(recording.path)
        start = find_steady(samples)
        if start is None:
            continue
        name = f"{recording.path.stem[:60]}_{len(cut) // 2:04}.wav"
        for split, at in (("train", start), ("test", start + apart)):
            write_wav(target / split / name, samples[at : at + length])
            cut[f"{split}/{name}"] = Steady(recording.path, at)
    print(f"steady recordings found: {len(cut) // 2}")
    return cut


def find_steady(samples: Sound) -> int | None:
    """Return from which sample on nothing changes for two stretches and what lies between."""
    levels = measure_levels(samples)
    step = round((2 * STRETCH_S + APART_S) * 10)
    for at in range(0, len(levels) - step + 1, 10):
        if levels[at : at + step].std(axis=0).mean() < STEADY_DB:
            return at * FRAME
    return None


def measure_levels(samples: Sound) -> npt.NDArray[np.float64]:
    """Level in dB of 20 bands from 100 Hz on, of each 0.1 s, shape (frames, 20)."""
    whole = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.abs(np.fft.rfft(whole * np.hanning(FRAME), axis=1)) ** 2
    edges = np.unique(np.geomspace(10, power.shape[1] - 1, 21).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    return np.asarray(10 * np.log10(bands + 1e-9))


def report(target: Path, home: Path, cut: dict[str, Steady] | None = None) -> dict[str, Any]:
    """Scan, and print what was accepted, and how much was looked at by kind."""
    scanned = must(harness.scan(target, home), 0, 1, 4)
    matches, accepted = scanned.table("matches"), scanned.accepted()
    unlike = matches[matches["relation"] != "exact"]  # silence is a copy of silence, and refused
    looked_at = Counter(Path(item).stem.rsplit("_", 1)[0] for item in matches["a"])
    wrong = Counter(Path(item).stem.rsplit("_", 1)[0] for item in accepted["a"])
    numbers = {
        "sounds": len(scanned.table("items")),
        "pairs looked at": len(matches),
        "accepted": len(accepted),
        "highest score refused": float(unlike.loc[~unlike["accepted"], "score"].max()),
        **scanned.summary["coverage"]["audio"]["by_status"],
        "seconds": round(scanned.seconds, 1),
    }
    print_table(f"Traps: {target.name}", [numbers])
    print("  looked at: " + ", ".join(f"{k} {n}" for k, n in looked_at.most_common(12)))
    columns = ["a", "b", "score", "relation", "a_start", "a_end", "b_start", "b_end"]
    rows = accepted[columns].to_dict("records")
    if cut:
        rows = [row | {"lags as good": share_as_good(row, cut)} for row in rows]
    print_table("Accepted (lags as good: see as_good)", rows)
    return {**numbers, "accepted by kind": dict(wrong), "evidence": rows}


def share_as_good(match: dict[str, Any], cut: dict[str, Steady]) -> float:
    """At how many lags the rest of two recordings agrees as well as at that of a match.

    As a share of the lags within `AROUND_S`. Near 0 where the recordings hold the same sound at
    that lag elsewhere too; anything up to 1 where the match is chance.
    """
    one, other = (cut[match[side]] for side in ("a", "b"))
    lag = other.start - one.start + round((match["b_start"] - match["a_start"]) * RATE)
    rest = [_silence_stretches(side.path, cut) for side in (one, other)]
    height = np.abs(scipy.signal.correlate(rest[1], rest[0], "full", "fft"))
    at = len(rest[0]) - 1 + lag
    here = height[max(0, at - NEAR) : at + NEAR + 1].max(initial=0.0)
    around = height[max(0, at - AROUND_S * RATE) : at + AROUND_S * RATE]
    highest = scipy.ndimage.maximum_filter1d(around, 2 * NEAR + 1)
    return float((highest >= here).mean())


def _silence_stretches(path: Path, cut: dict[str, Steady]) -> Sound:
    """A whitened recording, silent where stretches were cut from it."""
    white = whiten_file(path)
    for stretch in cut.values():
        if stretch.path == path:
            white[stretch.start : stretch.start + round(STRETCH_S * RATE)] = 0
    return white


if __name__ == "__main__":
    main()
