"""How fast are fingerprint and search, beside audfprint on the same files, and how much memory?

Clips: `splitaudit.demo.sounds.distinct(seed)`, speech-, music- and ambience-like by turns, 10 s each,
16 kHz FLAC, no two alike. CPU seconds are of all processes together and hold everything a scan does,
reading and the report included.

    python -m benchmarks.audio.speed --clips 10000 --audfprint PATH_TO_A_CLONE --peer-clips 1000
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.audio.clips import SECONDS, write_clips
from benchmarks.common.harness import COMMAND, keep, make_parser
from benchmarks.common.measure import Measured

DECODED = 2_000  # clips, at most, of which the cost of decoding alone is taken
DECODE = "import soundfile, sys; [soundfile.read(path, dtype='float32') for path in sys.argv[1:]]"


def main() -> None:
    args = _arguments()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        clips = (args.work or home) / "clips"
        paths = write_clips(clips, args.clips)
        result = measure_scan(clips, paths, home)
        if args.audfprint:
            result["audfprint"] = measure_audfprint(args.audfprint, paths[: args.peer_clips], home)
    print(json.dumps(result, indent=2))
    keep(args.json, result)


def _arguments() -> Any:
    made = make_parser(__doc__)
    made.add_argument("--clips", type=int, default=10_000)
    made.add_argument("--work", type=Path, help="folder for the clips, kept")
    made.add_argument("--audfprint", type=Path, help="a clone of dpwe/audfprint that runs")
    made.add_argument("--peer-clips", type=int, default=1_000)
    return made.parse_args()


def measure_scan(clips: Path, paths: Sequence[Path], home: Path) -> dict[str, Any]:
    """Scan the clips; beside it stands what decoding them alone costs."""
    hours = len(paths) * SECONDS / 3600
    folders = ("--out", str(home / "run"), "--cache", str(home / "cache"))
    ours = Measured([*COMMAND, "scan", str(clips), *folders, "--json"])
    record = json.loads((home / "run" / "run.json").read_text(encoding="utf-8"))
    return {
        "clips": len(paths),
        "hours": round(hours, 2),
        "exit_status": ours.status,
        "wall_s": round(ours.wall, 1),
        "cpu_s": round(ours.cpu, 1),
        "hours_per_cpu_s": round(hours / ours.cpu, 4),
        "cpu_s_per_hour": round(ours.cpu / hours, 2),
        "pure_decoding_share": round(measure_decoding(paths) / ours.cpu, 3),
        "peak_MB": round(ours.peak / 1e6),
        "stages": {name: stage["seconds"] for name, stage in record["stages"].items()},
    }


def measure_decoding(paths: Sequence[Path]) -> float:
    """Return the CPU seconds that decoding alone costs."""
    some = [str(path) for path in paths[:DECODED]]
    return Measured([sys.executable, "-c", DECODE, *some]).cpu * len(paths) / len(some)


def measure_audfprint(clone: Path, paths: Sequence[Path], home: Path) -> dict[str, Any]:
    """`new` is its fingerprint, `match` of all files its search; density 20 is its default."""
    (home / "list.txt").write_text("\n".join(map(str, paths)))
    program = [sys.executable, str(clone / "audfprint.py")]
    common = ["--dbase", str(home / "db.pklz"), "--list", str(home / "list.txt")]
    new = Measured([*program, "new", *common])
    match = Measured([*program, "match", *common])
    hours, cpu = len(paths) * SECONDS / 3600, new.cpu + match.cpu
    return {
        "clips": len(paths),
        "new_cpu": round(new.cpu, 1),
        "match_cpu": round(match.cpu, 1),
        "status": new.status or match.status,
        "cpu_s_per_hour": round(cpu / hours, 2),
        "hours_per_cpu_s": round(hours / cpu, 4),
    }


if __name__ == "__main__":
    main()
