"""Many equal files: whether they cost more than different ones (at most 1.5 times is asked).

Of N files of 1 s, half are equal, a quarter silent (of a hundred lengths) and a quarter different;
beside N different ones. All are real files, no links; train and test by turns.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import harness
from benchmarks.common.audio.material import RATE, Sound, write_wav
from benchmarks.common.harness import must, print_table
from splitaudit.demo.sounds import distinct_sound

PIECES = 10  # of 1 s are cut from one sound of 10 s, which takes no longer to make


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="files in each folder")
    args = parser.parse_args()
    rows = []
    for name, sounds in (("different", make_different), ("equal", make_equal)):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measure(name, Path(folder), args.n, sounds))
    rows[1]["ratio"] = rows[1]["seconds"] / rows[0]["seconds"]
    rows[0]["ratio"] = 1.0
    print_table(f"{args.n:,} files of 1 s: all different; half equal and a quarter silent", rows)
    harness.keep(args.json, {"folders": rows})


def measure(
    name: str, home: Path, n: int, sounds: Callable[[int, int], Iterator[Sound]]
) -> dict[str, Any]:
    """Write a folder, scan it, count."""
    write = partial(write_batch, home / "data", n, sounds)
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        list(pool.map(write, range(0, n, PIECES)))
    scanned = must(harness.scan(home / "data", home), 0, 1)
    matches = scanned.table("matches")
    return {
        "folder": name,
        "files": n,
        "seconds": round(scanned.seconds, 1),
        "ratio": None,
        "rows of matches": len(matches),
        "accepted": int(matches["accepted"].sum()),
        "pairs implied": sum(x["pairs_implied"] for x in scanned.summary["leaks"].values()),
        "matches MB": round((scanned.run / "matches.parquet").stat().st_size / 1e6, 2),
        "report MB": round((scanned.run / "report.html").stat().st_size / 1e6, 2),
        **{stage: done["seconds"] for stage, done in _read_stages(scanned).items()},
    }


def _read_stages(scanned: harness.Scan) -> dict[str, Any]:
    record = json.loads((scanned.run / "run.json").read_text(encoding="utf-8"))
    return dict(record["stages"])


def write_batch(
    target: Path, n: int, sounds: Callable[[int, int], Iterator[Sound]], first: int
) -> None:
    """Write `PIECES` files."""
    for at, sound in enumerate(sounds(first, n), first):
        write_wav(target / ("train", "test")[at % 2] / f"{at:06}.wav", sound)


def make_different(first: int, n: int) -> Iterator[Sound]:
    """Yield `PIECES` sounds that no other call gives."""
    yield from np.split(distinct_sound(first // PIECES, float(PIECES)), PIECES)


def make_equal(first: int, n: int) -> Iterator[Sound]:
    """Yield one sound again and again in the first half, silence in the third quarter."""
    others = make_different(first, n)
    for at, other in enumerate(others, first):
        if at < n // 2:
            yield distinct_sound(0, 1.0)
        elif at < n * 3 // 4:
            yield np.zeros(RATE + at % 100, np.float32)
        else:
            yield other


if __name__ == "__main__":
    main()
