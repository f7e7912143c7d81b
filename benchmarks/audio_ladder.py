"""Thirty-six transforms of real recordings among a thousand others: what is found, and what is not true.

Of each recording a stretch of at most 20 s is a *reference*, in train with the *others* (recordings
that nothing was made of); what a transform makes of it is in test. Half of the sources, by a hash of
their names, is reported on. A match is false where it joins two recordings that share no sound;
which do is taken from a scan of the recordings alone, whose matches are listed.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import harness
import numpy as np
import pandas as pd
from harness import must, print_table
from material import RATE, Recording, decoded, recordings, write_wav
from transforms import TRANSFORMS, Place

MOST_S = 20.0  # of a recording
LEAST_S = 0.5
SHORT_S = 2.7  # <: counted apart, too
REFERENCES = 168
OTHERS = 1_000
SHARES = ("recall", "recall, short")


@dataclass(frozen=True)
class Copy:
    """What was made of which reference, and where it lies in it: the truth."""

    reference: str
    place: Place
    seconds: float  # of the reference


def main() -> None:
    args = _arguments()
    used = recordings(args.data, args.more)
    names = args.transforms or list(TRANSFORMS)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        references, others = chosen(args, used)
        lay_out(references, others, home / "alone" / "train")
        kin = related(home)
        rows, false = [], []
        for name in names:
            copies = make_copies(name, home / "alone" / "train", home / name)
            found = matched(name, home, copies)
            rows.append(row(name, copies, found))
            false += of_strangers(name, found, kin)
            print(rows[-1], flush=True)
    rows.append(together(rows))
    print_table(f"{len(references)} references among {len(others)} others", rows)
    print_table("Accepted matches of recordings that share no sound", false, limit=60)
    harness.keep(args.json, {"transforms": rows, "false": false})


def _arguments() -> Any:
    parser = harness.parser(__doc__)
    parser.add_argument("--data", type=Path, help="folder that holds donateacry and videos")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="folders of sound files")
    parser.add_argument("--references", type=int, default=REFERENCES)
    parser.add_argument("--others", type=int, default=OTHERS)
    parser.add_argument("--transforms", nargs="*", choices=list(TRANSFORMS), metavar="NAME")
    parser.add_argument("--develop", action="store_true", help="use the other half of the sources")
    return parser.parse_args()


def chosen(args: Any, used: Sequence[Recording]) -> tuple[list[Recording], list[Recording]]:
    """Return what copies are made of, and what is only there to be mistaken for it.

    References are drawn from one half of the sources, by turns from each folder; the others
    are the rest of that half, filled up from the other half.
    """
    roots = [*args.more, *(args.data / name for name in ("donateacry", "videos") if args.data)]
    long_enough = [r for r in used if len(decoded(r.path)) >= LEAST_S * RATE]
    half = [r for r in long_enough if r.reported != args.develop]
    random.Random(0).shuffle(half)
    folders = [[r for r in half if r.path.is_relative_to(root)] for root in roots]
    turns = itertools.zip_longest(*folders)
    picked = [r for turn in turns for r in turn if r][: args.references]
    rest = [r for r in half if r not in picked] + [r for r in long_enough if r not in half]
    return picked, rest[: args.others]


def lay_out(references: Sequence[Recording], others: Sequence[Recording], target: Path) -> None:
    """Write a stretch of each recording, at most `MOST_S` of it, in its loudest part."""
    jobs = [(r, target / f"{at:04}_reference.wav") for at, r in enumerate(references)]
    jobs += [(r, target / f"{at:04}_other.wav") for at, r in enumerate(others)]
    with ProcessPoolExecutor(harness.processes()) as pool:
        list(pool.map(_write_stretch, *zip(*jobs, strict=True), chunksize=8))


def _write_stretch(recording: Recording, path: Path) -> None:
    samples = decoded(recording.path)
    length = min(len(samples), round(MOST_S * RATE))
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    first = int(np.argmax(power[length:] - power[: len(power) - length]))
    write_wav(path, samples[first : first + length])


def related(home: Path) -> dict[str, str]:
    """Scan the recordings alone; return the group of each, the same for all that share sound."""
    scanned = must(harness.scan(home / "alone", home, run="alone_run"), 0, 1, 4)
    columns = ["a", "b", "score", "relation", "a_start", "a_end", "b_start", "b_end"]
    rows = scanned.accepted()[columns].to_dict("records")
    print_table("Recordings that share sound (none of these is counted)", rows, limit=40)
    groups: dict[str, str] = scanned.table("groups").set_index("item_id")["group_id"].to_dict()
    return groups


def make_copies(name: str, references: Path, target: Path) -> dict[str, Copy]:
    """Write what a transform makes of each reference to test; train is linked."""
    for path in references.iterdir():
        harness.link(path, target / "train" / path.name)
    paths = sorted(references.glob("*_reference.wav"))
    others = [*paths[1:], paths[0]]
    with ProcessPoolExecutor(harness.processes()) as pool:
        made = pool.map(partial(_make_copy, name, target / "test"), paths, others, chunksize=8)
        return dict(made)


def _make_copy(name: str, target: Path, path: Path, other: Path) -> tuple[str, Copy]:
    transform, sound = TRANSFORMS[name], decoded(path)
    rng = np.random.default_rng([*f"{path.name} {name}".encode()])
    made, place = transform.make(sound, decoded(other), rng)
    copy = target / f"{path.stem[:4]}{transform.suffix}"
    copy.parent.mkdir(parents=True, exist_ok=True)
    transform.write(copy, made)
    return f"test/{copy.name}", Copy(f"train/{path.name}", place, len(sound) / RATE)


def matched(name: str, home: Path, copies: dict[str, Copy]) -> pd.DataFrame:
    """Scan; return the accepted matches of copies with what is in train."""
    scanned = must(harness.scan(home / name, home, run=f"{name} run"), 0, 1, 4)
    found = scanned.accepted()
    return found[found["a"].isin(list(copies)) & ~found["b"].isin(list(copies))]


def row(name: str, copies: dict[str, Copy], found: pd.DataFrame) -> dict[str, Any]:
    """Count what was found of one transform, and how well it was placed."""
    right = found[found["b"] == [copies[a].reference for a in found["a"]]]
    short = {item for item, copy in copies.items() if copy.seconds < SHORT_S}
    error = np.array([_offset_error(match, copies) for match in right.to_dict("records")])
    return {
        "transform": name,
        "copies": len(copies),
        "found": right["a"].nunique(),
        "recall": right["a"].nunique() / max(1, len(copies)),
        "recall, short": len(short & set(right["a"])) / len(short) if short else None,
        "offset error 95 %": float(np.quantile(error, 0.95)) if len(error) else None,
    }


def _offset_error(match: dict[str, Any], copies: dict[str, Copy]) -> float:
    """Seconds by which the start of the copy's stretch is placed wrongly in the reference."""
    place = copies[match["a"]].place
    true = (match["a_start"] - place.pad_s) * place.speed + place.start_s
    return abs(float(match["b_start"]) - true)


def of_strangers(name: str, found: pd.DataFrame, kin: dict[str, str]) -> list[dict[str, Any]]:
    """Return the matches of a copy with a recording that shares no sound with its reference."""
    rows = []
    for match in found.to_dict("records"):
        of = f"train/{Path(match['a']).stem[:4]}_reference.wav"
        following = f"train/{(int(Path(of).stem[:4]) + 1):04}_reference.wav"
        under = (
            {kin.get(following), kin.get("train/0000_reference.wav")} if "mix" in name else set()
        )
        if kin[match["b"]] != kin[of] and kin[match["b"]] not in under:
            columns = ("a", "b", "score", "a_start", "a_end", "b_start", "b_end")
            rows.append({"transform": name, **{c: match[c] for c in columns}})
    return rows


def together(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean over the transforms."""
    shares = {key: [r[key] for r in rows if r[key] is not None] for key in SHARES}
    means = {key: float(np.mean(values)) if values else None for key, values in shares.items()}
    totals = {key: sum(r[key] for r in rows) for key in ("copies", "found")}
    return {"transform": "mean", **totals, **means}


if __name__ == "__main__":
    main()
