"""What the ladder is made of: references, others, copies, and which of them share sound."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import harness
from benchmarks.common.audio.material import RATE, Recording, Sound, decode, list_roots, write_wav
from benchmarks.common.audio.transforms import TRANSFORMS, Place
from benchmarks.common.harness import must, print_table
from benchmarks.common.judging import Truth, match_texts

MOST_S = 20.0  # of a recording
LEAST_S = 0.5


@dataclass(frozen=True)
class Copy:
    """What was made of which reference, and where it lies in it: the truth.

    Parameters
    ----------
    path, item
        The file, and its name in the scan.
    reference, cover
        Items: what it was made of, and what was mixed over it (itself where nothing was).
    place
        Where it lies in the reference, and how it is scaled.
    seconds
        Of the reference.
    """

    path: Path
    item: str
    transform: str
    reference: str
    cover: str
    place: Place
    seconds: float


def choose(args: Any, used: Sequence[Recording]) -> tuple[list[Recording], list[Recording]]:
    """Return what copies are made of, and what is only there to be mistaken for it.

    References are drawn from one half of the sources, by turns from each folder; the others
    are the rest of that half, filled up from the other half.
    """
    long_enough = [r for r in used if len(decode(r.path)) >= LEAST_S * RATE]
    half = [r for r in long_enough if r.reported != args.develop]
    random.Random(0).shuffle(half)
    folders = [[r for r in half if r.path.is_relative_to(root)] for root in list_roots(args)]
    turns = itertools.zip_longest(*folders)
    picked = [r for turn in turns for r in turn if r][: args.references]
    rest = [r for r in half if r not in picked] + [r for r in long_enough if r not in half]
    return picked, rest[: args.others]


def lay_out(
    references: Sequence[Recording], others: Sequence[Recording], train: Path
) -> dict[str, str]:
    """Write a stretch of each recording, at most `MOST_S` of it, in its loudest part.

    Returns
    -------
    dict
        What each item was cut from, in words.
    """
    jobs = {train / f"{at:04}_reference.wav": r for at, r in enumerate(references)}
    jobs |= {train / f"{at:04}_other.wav": r for at, r in enumerate(others)}
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        list(pool.map(_write_stretch, jobs.values(), jobs, chunksize=8))
    return {f"train/{path.name}": "/".join(r.path.parts[-2:]) for path, r in jobs.items()}


def _write_stretch(recording: Recording, path: Path) -> None:
    write_wav(path, cut_loudest(decode(recording.path), MOST_S))


def cut_loudest(samples: Sound, most_s: float) -> Sound:
    """Return the loudest stretch of a sound, at most so long."""
    length = min(len(samples), round(most_s * RATE))
    power = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    first = int(np.argmax(power[length:] - power[: len(power) - length]))
    return samples[first : first + length]


def group_related(home: Path, origin: Mapping[str, str]) -> dict[str, str]:
    """Scan the recordings alone; return the group of each, the same for all that share sound."""
    scanned = must(harness.scan(home / "alone", home, run="alone_run"), 0, 1, 4)
    columns = ["a", "b", "score", "relation", "a_start", "a_end", "b_start", "b_end"]
    accepted = scanned.accepted()[columns]
    rows = accepted.assign(a=accepted["a"].map(origin), b=accepted["b"].map(origin))
    print_table(
        "Recordings that share sound (none of these is counted)", rows.to_dict("records"), 40
    )
    groups: dict[str, str] = scanned.table("groups").set_index("item_id")["group_id"].to_dict()
    return groups


def make_copies(name: str, references: Path, target: Path) -> list[Copy]:
    """Write what a transform makes of each reference to test; train is linked."""
    for path in references.iterdir():
        harness.link(path, target / "train" / path.name)
    paths = sorted(references.glob("*_reference.wav"))
    others = [*paths[1:], paths[0]]
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        made = pool.map(partial(_make_copy, name, target / "test"), paths, others, chunksize=8)
        return list(made)


def _make_copy(name: str, target: Path, path: Path, other: Path) -> Copy:
    transform, sound = TRANSFORMS[name], decode(path)
    rng = np.random.default_rng([*f"{path.name} {name}".encode()])
    made, place = transform.make(sound, decode(other), rng)
    copy = target / f"{path.stem[:4]}{transform.suffix}"
    copy.parent.mkdir(parents=True, exist_ok=True)
    transform.write(copy, made)
    reference, over = (f"train/{p.name}" for p in (path, other if "mix" in name else path))
    return Copy(copy, f"test/{copy.name}", name, reference, over, place, len(sound) / RATE)


def tell_truth(copies: Sequence[Copy], references: Sequence[str], kin: Mapping[str, str]) -> Truth:
    """A reference is false for a copy if it shares no sound with what the copy was made of."""
    right = match_texts([copy.reference for copy in copies], references)
    groups = [kin[item] for item in references]
    heard = match_texts([kin[copy.reference] for copy in copies], groups)
    heard |= match_texts([kin[copy.cover] for copy in copies], groups)
    return Truth(right, ~heard)
