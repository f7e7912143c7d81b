"""What an hour of audio costs, stage by stage, as a dataset grows; audfprint beside it.

Clips are those of `benchmarks/audio/speed.py`: 10 s each, no two alike. Each size is scanned with an empty cache
by one process with one thread, so that a stage's share of the time is its share of the CPU seconds,
which are user and system time of the scan and its children. `fingerprint` holds the decoding, which
also stands alone; `rest` is start, tables and report. Sizes above `--most` are not measured but follow
the power law fitted to each column of those that are.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.audio import peer_audfprint
from benchmarks.common.audio.clips import SECONDS, write_clips
from benchmarks.common.harness import COMMAND, keep, link, make_parser, print_table
from benchmarks.common.measure import Measured, with_one_thread
from splitaudit.audio.decode.sounds import load

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
STAGES = ("fingerprint", "search", "verify")
DECODED = 1_000  # clips, of which the cost of decoding alone is taken
PEER_CLIPS = 300


def main() -> None:
    args = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        sizes = [size for size in args.sizes if size <= args.most]
        paths = write_clips((args.work or home) / "clips", sizes[-1])
        decoding = measure_decoding(paths[:DECODED]) / min(DECODED, len(paths))
        rows = []
        for size in sizes:
            rows.append(
                {**measure_scan(paths[:size], home / f"{size}"), "decoding": decoding * size}
            )
            print(rows[-1], flush=True)
        peers = [measure_audfprint(args.audfprint, paths[:PEER_CLIPS])] if args.audfprint else []
    beyond = [size for size in args.sizes if size > args.most]
    every = [divide_by_hours(row) for row in [*rows, *extrapolate(rows, beyond)]]
    print_table("CPU seconds for an hour of audio", every)
    print_table("audfprint, density 70, of some of these clips: the same", peers)
    keep(args.json, {"sizes": every, "exponents": fit_exponents(rows), "audfprint": peers})


def _arguments() -> Any:
    made = make_parser(__doc__)
    made.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="clips, the fewest first")
    made.add_argument("--most", type=int, default=30_000, help="clips of the largest scan")
    made.add_argument("--work", type=Path, help="folder for the clips, kept")
    made.add_argument("--audfprint", type=Path, help="a clone of audfprint, run as it is")
    return made.parse_args()


def measure_decoding(paths: Sequence[Path]) -> float:
    """Return the CPU seconds of decoding alone."""
    begun = time.process_time()
    for path in paths:
        load(os.fspath(path))
    return time.process_time() - begun


def measure_scan(paths: Sequence[Path], home: Path) -> dict[str, Any]:
    """Scan clips with an empty cache; return CPU seconds in all and of each stage."""
    for path in paths:
        link(path, home / "clips" / path.parent.name / path.name)
    folders = ("--out", str(home / "run"), "--cache", str(home / "cache"))
    command = [*COMMAND, "scan", str(home / "clips"), *folders, "--jobs", "1", "--json"]
    ours = Measured(command, with_one_thread())
    if ours.status not in (0, 1):
        sys.exit(f"the scan of {len(paths)} clips ended with {ours.status}")
    stages = json.loads((home / "run" / "run.json").read_text(encoding="utf-8"))["stages"]
    spent = {name: ours.cpu * stages[name]["seconds"] / ours.wall for name in STAGES}
    return {
        "clips": len(paths),
        "in all": ours.cpu,
        **spent,
        "rest": ours.cpu - sum(spent.values()),
        "peak MB": ours.peak / 1e6,
    }


def fit_exponents(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return for each column the power of the number of clips with which it grows."""
    return {name: slope for name, (slope, _) in _fit(rows).items()}


def _fit(rows: Sequence[dict[str, Any]]) -> dict[str, tuple[float, float]]:
    """Fit lines to the logarithms: slope and intercept of each column."""
    clips = np.log([row["clips"] for row in rows])
    return {
        name: tuple(np.polyfit(clips, np.log([max(row[name], 1e-3) for row in rows]), 1).tolist())
        for name in rows[0]
        if name != "clips" and len(rows) > 1
    }


def extrapolate(rows: Sequence[dict[str, Any]], sizes: Sequence[int]) -> list[dict[str, Any]]:
    """Return what sizes that were not measured would cost; in all is the sum of its parts."""
    fits = _fit(rows)
    made = []
    for size in sizes if fits else ():
        row = {name: float(np.exp(b + a * np.log(size))) for name, (a, b) in fits.items()}
        total = sum(row[name] for name in (*STAGES, "rest"))
        made.append({"clips": size, **row, "in all": total, "extrapolated": True})
    return made


def divide_by_hours(row: dict[str, Any]) -> dict[str, Any]:
    """Turn CPU seconds into those for an hour of audio."""
    hours = row["clips"] * SECONDS / 3600
    columns = ("in all", "decoding", *STAGES, "rest")
    return {
        "clips": row["clips"],
        "hours": hours,
        **{name: row[name] / hours for name in columns},
        "in all, no decoding": (row["in all"] - row["decoding"]) / hours,
        "peak MB": row["peak MB"],
        "from": "extrapolated" if row.get("extrapolated") else "measured",
    }


def measure_audfprint(clone: Path, paths: Sequence[Path]) -> dict[str, Any]:
    """Put clips into a table, then match each with it, at density 70; its start is taken off."""

    def measure(references: Sequence[Path], queries: Sequence[Path]) -> float:
        return _children_s(lambda: peer_audfprint.compare(clone, dense, references, queries))

    dense = {"density": 70, "fanout": 8, "pks": 10, "most": 1000}
    start, table, both = measure(paths[:1], []), measure(paths, []), measure(paths, paths)
    decoding = _children_s(lambda: [_decode_with_ffmpeg(path) for path in paths])
    hours = len(paths) * SECONDS / 3600
    return {
        "clips": len(paths),
        "in all": (both - start) / hours,
        "table": (table - start) / hours,
        "match": (both - table) / hours,
        "decoding, of each": decoding / hours,
    }


def _decode_with_ffmpeg(path: Path) -> None:
    """Decode as audfprint does: 11,025 Hz, one channel."""
    command = ["ffmpeg", "-i", str(path), "-f", "s16le", "-ac", "1", "-ar", "11025", "-"]
    subprocess.run(command, capture_output=True, check=True)


def _children_s(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of the processes that `work` starts and waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
