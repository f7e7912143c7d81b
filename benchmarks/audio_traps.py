"""Sounds that are alike without being copies: whether anything is accepted among them.

Silence, dither, noise, hum, tones, clicks, beeps, rain, fans and engines made from code, each with
many seeds; and, with `--data` or `--more`, disjoint stretches of real recordings that stay steady:
rain, wind, a motor, a room. Not one match among them is true. Stretches that the material itself
holds twice would be, so what is accepted is listed with its evidence.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness
import numpy as np
import numpy.typing as npt
from harness import must, print_table
from material import RATE, Sound, decoded, recordings, write_wav

from splitaudit.demo.sounds import TRAPS

SECONDS = 10.0
STRETCH_S = 3.0  # of a real steady recording; two of them, APART_S from each other
APART_S = 0.5
STEADY_DB = 3.5  # <: mean over bands of the deviation over time of 0.1 s levels; rain has 3.2
FRAME = RATE // 10


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds donateacry and videos")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="folders of sound files")
    parser.add_argument("--seeds", type=int, default=30, help="sounds of each kind")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_traps(home / "made", args.seeds)
        numbers = {"made from code": report(home / "made", home / "of_made")}
        if (args.data or args.more) and write_steady(home / "real", args.data, args.more):
            numbers["steady recordings"] = report(home / "real", home / "of_real")
    harness.keep(args.json, numbers)


def write_traps(target: Path, seeds: int) -> None:
    """Write every kind with every seed, by turns to train and test."""
    for kind, make in TRAPS.items():
        for seed in range(seeds):
            split = ("train", "test")[seed % 2]
            write_wav(target / split / f"{kind}_{seed:03}.wav", make(seed, SECONDS, RATE))


def write_steady(target: Path, data: Path | None, more: list[Path]) -> int:
    """Write two disjoint stretches of each steady recording; return of how many."""
    count = 0
    for recording in recordings(data, more):
        for one, other in steady_pairs(decoded(recording.path)):
            name = f"{recording.path.stem[:60]}_{count:04}"
            write_wav(target / "train" / f"{name}.wav", one)
            write_wav(target / "test" / f"{name}.wav", other)
            count += 1
    print(f"steady stretches found: {count}")
    return count


def steady_pairs(samples: Sound) -> Iterator[tuple[Sound, Sound]]:
    """Yield the first two disjoint stretches of a sound between which nothing changes."""
    levels = band_levels(samples)
    length, step = round(STRETCH_S * 10), round((2 * STRETCH_S + APART_S) * 10)
    for at in range(0, len(levels) - step + 1, 10):
        if levels[at : at + step].std(axis=0).mean() < STEADY_DB:
            both = samples[at * FRAME : (at + step) * FRAME]
            yield both[: length * FRAME], both[-length * FRAME :]
            return


def band_levels(samples: Sound) -> npt.NDArray[np.float64]:
    """Level in dB of 20 bands from 100 Hz on, of each 0.1 s, shape (frames, 20)."""
    whole = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    power = np.abs(np.fft.rfft(whole * np.hanning(FRAME), axis=1)) ** 2
    edges = np.unique(np.geomspace(10, power.shape[1] - 1, 21).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    return np.asarray(10 * np.log10(bands + 1e-9))


def report(target: Path, home: Path) -> dict[str, Any]:
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
    columns = ["a", "b", "score", "relation", "a_start", "a_end", "b_start", "b_end", "transform"]
    rows = accepted[columns].to_dict("records")
    print_table("Accepted: wrong unless the material repeats itself, as sequenced music does", rows)
    return {**numbers, "accepted by kind": dict(wrong), "evidence": rows}


if __name__ == "__main__":
    main()
