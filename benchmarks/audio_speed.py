"""How fast are fingerprint and search, beside audfprint on the same files, and how much memory?

Clips: `splitaudit.demo.sounds.distinct(seed)`, speech-, music- and ambience-like by turns, 10 s each,
16 kHz FLAC, no two alike. CPU seconds are of all processes together and hold everything a scan does,
reading and the report included.

    python benchmarks/audio_speed.py --clips 10000 --audfprint PATH_TO_A_CLONE --peer-clips 1000
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

SECONDS = 10


def make(seed_path: tuple[int, str]) -> None:
    import numpy as np
    import soundfile

    from splitaudit.demo.sounds import distinct

    seed, path = seed_path
    samples = (distinct(seed, SECONDS) * 32767).astype(np.int16)
    soundfile.write(path, samples, 16_000, format="FLAC")


def generate(folder: Path, clips: int) -> list[str]:
    splits = {0: "test", 1: "val"}
    paths = [str(folder / splits.get(k % 10, "train") / f"{k:06d}.flac") for k in range(clips)]
    for name in ("train", "val", "test"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    todo = [(k, path) for k, path in enumerate(paths) if not os.path.exists(path)]
    with ProcessPoolExecutor() as pool:
        list(pool.map(make, todo, chunksize=64))
    return paths


def decode(paths: list[str]) -> None:
    import soundfile

    for path in paths:
        soundfile.read(path, dtype="float32")


def tree_memory(pid: int) -> int:
    """Resident bytes of a process and its children; what they share is counted in each."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return own + sum(tree_memory(int(child)) for child in children)


class Measured:
    """Run a command; keep its seconds, CPU seconds and highest memory."""

    def __init__(self, command: list[str], **options: object) -> None:
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
        self.peak = 0
        watcher = threading.Thread(target=self._watch, args=(process,))
        watcher.start()
        self.status = process.wait()
        watcher.join()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.wall = time.perf_counter() - begun
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                self.peak = max(self.peak, tree_memory(process.pid))
            time.sleep(0.1)


def audfprint(clone: Path, paths: list[str], work: Path) -> dict[str, float]:
    """`new` is its fingerprint, `match` of all files its search; density 20 is its default."""
    (work / "list.txt").write_text("\n".join(paths))
    program = [sys.executable, str(clone / "audfprint.py")]
    common = ["--dbase", str(work / "db.pklz"), "--list", str(work / "list.txt")]
    new = Measured([*program, "new", *common])
    match = Measured([*program, "match", *common])
    return {"new_cpu": new.cpu, "match_cpu": match.cpu, "status": new.status or match.status}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--work", type=Path, help="folder for the clips, kept")
    parser.add_argument("--audfprint", type=Path, help="a clone of dpwe/audfprint that runs")
    parser.add_argument("--peer-clips", type=int, default=1_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        paths = generate(work / "clips", options.clips)
        hours = len(paths) * SECONDS / 3600
        code = f"from audio_speed import decode; decode({paths[: min(2000, len(paths))]!r})"
        (Path(scratch) / "decode.py").write_text(code)
        here = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        pure = Measured([sys.executable, str(Path(scratch) / "decode.py")], env=here)
        decoding = pure.cpu * len(paths) / min(2000, len(paths))
        command = [sys.executable, "-m", "splitaudit.cli", "scan", str(work / "clips"), "--json"]
        ours = Measured(command, cwd=scratch)
        record = json.loads((Path(scratch) / ".splitaudit/runs/clips/run.json").read_text())
        result: dict[str, object] = {
            "clips": len(paths),
            "hours": round(hours, 2),
            "exit_status": ours.status,
            "wall_s": round(ours.wall, 1),
            "cpu_s": round(ours.cpu, 1),
            "hours_per_cpu_s": round(hours / ours.cpu, 4),
            "cpu_s_per_hour": round(ours.cpu / hours, 2),
            "pure_decoding_share": round(decoding / ours.cpu, 3),
            "peak_MB": round(ours.peak / 1e6),
            "stages": {name: stage["seconds"] for name, stage in record["stages"].items()},
        }
        if options.audfprint:
            few = paths[: options.peer_clips]
            peer = audfprint(options.audfprint, few, Path(scratch))
            peer_hours = len(few) * SECONDS / 3600
            cpu = peer["new_cpu"] + peer["match_cpu"]
            result["audfprint"] = {
                "clips": len(few),
                **{name: round(value, 1) for name, value in peer.items()},
                "cpu_s_per_hour": round(cpu / peer_hours, 2),
                "hours_per_cpu_s": round(peer_hours / cpu, 4),
            }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json:
        options.json.write_text(text)


if __name__ == "__main__":
    main()
