"""What happens when a scan is killed, doubled, starved of disk, or has its files pulled away.

On a dataset made from code, of which some sounds are in two splits. Each line says what was tried,
what must hold, and whether it did. Linux; what needs `mount` is tried another way or skipped, and
said so.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.common import harness
from benchmarks.common.audio.material import write_wav
from benchmarks.common.harness import COMMAND, Scan, must, print_table
from splitaudit.demo.sounds import distinct_sound

SECONDS = 2.0
TABLES = ("items", "media", "matches", "memberships", "edges", "groups")
STAGES = ("identify", "fingerprint", "verify")
SMALL_DISK = 2 << 20
Row = dict[str, Any]


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--clips", type=int, default=400, help="400 and more: in processes")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--turns", type=int, default=10, help="scans whose files are disturbed")
    parser.add_argument("--only", nargs="*", help="words of the names of trials; nothing: all")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        data = write_dataset(home / "data", args.clips, first=0)
        # warms the disk cache and what numba compiles, so that moments of a scan are comparable
        must(harness.scan(data, home, cache="warm_cache"), 1)
        calm = must(harness.scan(data, home, run="calm", cache="calm_cache"), 1)
        print(f"{args.clips} clips of {SECONDS:g} s; undisturbed: {calm.seconds:.1f} s")
        rows = list(try_all(data, calm, home, args))
    print_table("Robustness", rows)
    harness.keep(args.json, {"seconds": calm.seconds, "rows": rows})


def try_all(data: Path, calm: Scan, home: Path, args: Any) -> Iterator[Row]:
    """Yield what became of each trial, and say it on stderr at once."""
    trials: dict[str, Callable[[], Row]] = {
        "kill -9, run again": partial(kill_and_resume, data, calm, home / "killed", args.kills),
        "two runs, one target, one cache": partial(scan_thrice, data, calm, home / "doubled"),
        "two runs, two targets, one cache": partial(
            scan_two_targets, calm, home / "two", min(120, args.clips)
        ),
        "read-only dataset": partial(scan_read_only, data, calm, home / "read_only"),
        "full disk: cache": partial(fill_disk, data, calm, home / "full_cache", "cache"),
        "full disk: run": partial(fill_disk, data, calm, home / "full_run", "run"),
        "one content in three splits": partial(scan_three_splits, home / "three"),
        "files vanish during the scan": partial(disturb_files, home / "vanish", _vanish, args),
        "files change during the scan": partial(disturb_files, home / "change", _change, args),
    }
    for name, trial in trials.items():
        if args.only and not any(word in name for word in args.only):
            continue
        became = trial()
        print(f"{name}: {became['holds']}; {became['detail']}", file=sys.stderr, flush=True)
        yield {"what": name, **became}


def write_dataset(target: Path, clips: int, first: int) -> Path:
    """Write clips to train and test by turns; every eighth is also in the other split, quieter."""
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        list(pool.map(partial(_write_clip, target), range(first, first + clips), chunksize=16))
    return target


def _write_clip(target: Path, seed: int) -> None:
    splits = ("train", "test") if seed % 2 else ("test", "train")
    sound = distinct_sound(seed, SECONDS)
    write_wav(target / splits[0] / f"{seed:05}.flac", sound)
    if seed % 8 == 0:
        write_wav(target / splits[1] / f"{seed:05}_again.wav", sound[8_000:] * np.float32(0.5))


def tell(holds: bool, must_hold: str, detail: str) -> Row:
    """Return what a trial reports."""
    return {"holds": "yes" if holds else "NO", "must hold": must_hold, "detail": detail}


# --- killed --------------------------------------------------------------------------------------


def kill_and_resume(data: Path, calm: Scan, home: Path, kills: int) -> Row:
    """Kill scans at random moments, each with a cache of its own; run each again to its end.

    A scan that ended before its moment does not count; another moment is drawn.
    """
    rng = np.random.default_rng(0)
    same = hit = repeated = lost = missed = 0
    while hit < kills:
        trial = home / str(hit + missed)
        if not _kill(_start(data, trial), rng.uniform(0, calm.seconds)):
            missed += 1
            continue
        hit += 1
        before = {stage: _read_facts(trial / "cache", stage) for stage in STAGES}
        again = harness.scan(data, trial)
        same += again.status == calm.status and find_differing(again.run, calm.run) == []
        after = {stage: _read_facts(trial / "cache", stage) for stage in STAGES}
        repeated += sum(len(keys) - len(set(keys)) for keys in after.values())
        lost += sum(len(set(before[s]) - set(after[s])) for s in STAGES)
        shutil.rmtree(trial)
    holds = same == kills and not repeated and not lost
    detail = (
        f"{hit} killed at work ({missed} ended before); equal tables {same}; facts computed "
        f"again though they were written {repeated}; facts lost {lost}"
    )
    return tell(holds, "tables equal; nothing written is computed again", detail)


def _start(data: Path, home: Path, run: str = "run") -> subprocess.Popen[bytes]:
    """Start a scan in a process group of its own."""
    words = [*COMMAND, "scan", str(data), "--out", str(home / run), "--cache", str(home / "cache")]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(words, stdout=quiet, stderr=quiet, start_new_session=True)


def _kill(process: subprocess.Popen[bytes], after_s: float) -> bool:
    """Kill the group of a process after some seconds; return whether it was still at work."""
    time.sleep(after_s)
    working = process.poll() is None
    if working:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return working


def _read_facts(cache: Path, stage: str) -> list[str]:
    """The keys of all facts that a stage has written."""
    kind = {"identify": "contents", "fingerprint": "fingerprints", "verify": "proofs"}[stage]
    return [
        key
        for part in sorted((cache / kind).rglob("*.parquet"))
        for key in pq.read_table(part, columns=["key"], partitioning=None)["key"].to_pylist()
    ]


def find_differing(one: Path, other: Path, but: tuple[str, ...] = ()) -> list[str]:
    """Return the tables of two runs that differ in any row, the columns `but` left out."""
    return [name for name in TABLES if not _read(one, name, but).equals(_read(other, name, but))]


def _read(run: Path, name: str, but: tuple[str, ...]) -> pa.Table:
    table = pq.read_table(run / f"{name}.parquet", partitioning=None)
    return table.select([column for column in table.column_names if column not in but])


# --- two at once -----------------------------------------------------------------------------


def scan_thrice(data: Path, calm: Scan, home: Path) -> Row:
    """Run three scans of one target at once, two of them with the same folder for the run."""
    started = [_start(data, home, run) for run in ("one", "two", "two")]
    statuses = [process.wait() for process in started]
    different = find_differing(home / "one", calm.run) + find_differing(home / "two", calm.run)
    twice = sum(len(k) - len(set(k)) for k in (_read_facts(home / "cache", s) for s in STAGES))
    holds = not different and statuses == [calm.status] * 3
    detail = f"exit {statuses}; differ: {different or 'none'}; facts in two parts {twice}"
    return tell(holds, "the tables of an undisturbed run, three times", detail)


def scan_two_targets(calm: Scan, home: Path, clips: int) -> Row:
    """Scan two datasets that share half their files at once on one cache."""
    targets = [
        write_dataset(home / name, clips, first) for name, first in (("a", 0), ("b", clips // 2))
    ]
    alone = [
        must(harness.scan(target, home, run=f"alone_{target.name}", cache=f"of_{target.name}"), 1)
        for target in targets
    ]
    started = [_start(target, home, target.name + "_run") for target in targets]
    statuses = [process.wait() for process in started]
    different = [
        name
        for target, before in zip(targets, alone, strict=True)
        for name in find_differing(home / f"{target.name}_run", before.run)
    ]
    holds = not different and statuses == [1, 1]
    return tell(
        holds, "the tables of each alone", f"exit {statuses}; differ: {different or 'none'}"
    )


# --- the disk ------------------------------------------------------------------------------------


@contextmanager
def mount(folder: Path, *options: str) -> Iterator[bool]:
    """Mount something on a folder for a while; yield whether that was allowed."""
    folder.mkdir(parents=True)
    mounting = subprocess.run(["mount", *options, folder], capture_output=True, check=False)
    allowed = mounting.returncode == 0
    try:
        yield allowed
    finally:
        if allowed:
            subprocess.run(["umount", "--lazy", folder], check=True)


def scan_read_only(data: Path, calm: Scan, home: Path) -> Row:
    """Scan a dataset that cannot be written, not even by root, from a folder of its own."""
    with mount(home / "ro", "--bind", str(data)) as allowed:
        if not allowed:
            return tell(True, "as undisturbed", "SKIPPED: mount is not allowed here")
        subprocess.run(["mount", "-o", "remount,ro,bind", home / "ro"], check=True)
        scanned = harness.scan(home / "ro", home)
        different = find_differing(scanned.run, calm.run, but=("path",))
    holds = scanned.status == calm.status and not different
    return tell(holds, "as undisturbed", f"exit {scanned.status}; differ: {different or 'none'}")


def fill_disk(data: Path, calm: Scan, home: Path, part: str) -> Row:
    """Let the disk of the cache or of the run fill up; then give it room and go on."""
    must_hold = "exit 2, one sentence; with room, the same command ends well"
    room = _measure_room(calm.run.parent / f"calm_{part}" if part == "cache" else calm.run)
    with mount(home / "small", "-t", "tmpfs", "-o", f"size={room}", "tmpfs") as allowed:
        folders = {"run": home / "run", "cache": home / "cache"}
        if allowed:
            folders[part] = home / "small" / part
        starved = _scan(data, folders, limit=not allowed)
        if allowed:
            subprocess.run(["mount", "-o", "remount,size=500m", home / "small"], check=True)
        again = _scan(data, folders, limit=False)
        different = (
            find_differing(folders["run"], calm.run) if again.returncode == 1 else ["no run"]
        )
    said = starved.stderr.strip()
    clear = starved.returncode == 2 and "\n" not in said and "Traceback" not in said
    detail = f"exit {starved.returncode}: {_shorten(said, home)!r}; then {again.returncode}"
    how = "" if allowed else " (mount not allowed: files limited to 256 kB instead)"
    return tell(clear and not different, must_hold, f"{detail}, differ: {different or 'none'}{how}")


def _measure_room(needed: Path) -> int:
    """Too little for what a folder holds, and at most 2 MB."""
    held = sum(path.stat().st_size for path in needed.rglob("*") if path.is_file())
    return min(SMALL_DISK, held // 2)


def _scan(data: Path, folders: dict[str, Path], limit: bool) -> subprocess.CompletedProcess[str]:
    words = ["scan", data, "--out", folders["run"], "--cache", folders["cache"], "--json"]
    small = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=small if limit else None,
    )


def _shorten(said: str, home: Path) -> str:
    lines = said.replace(str(home), "").splitlines()
    return lines[-1][:160] + (f" ({len(lines)} lines)" if len(lines) > 1 else "") if lines else ""


# --- contents and files --------------------------------------------------------------------------


def scan_three_splits(home: Path) -> Row:
    """One content once in test, twice in train, three times in val."""
    places = ["test/a", "train/b", "train/c", "val/d", "val/e", "val/f"]
    sound = distinct_sound(0, SECONDS)
    for place in places:
        write_wav(home / "data" / f"{place}.wav", sound)
    write_wav(home / "data" / "train" / "other.wav", distinct_sound(1, SECONDS))
    accepted = must(harness.scan(home / "data", home), 1).accepted()
    ends = [*zip(accepted["a"], accepted["b"], strict=True)]
    linked = {(x, y.split("/")[0]) for x, y in [*ends, *((b, a) for a, b in ends)]}
    asked = {(f"{x}.wav", y) for x in places for y in ("test", "train", "val") if x[:2] != y[:2]}
    implied = int(accepted["n_equivalent"].sum())
    lacking = sorted(asked - linked)
    detail = f"rows {len(ends)}, pairs implied {implied} of 15; lacking {lacking or 'none'}"
    return tell(not lacking and implied == 15, "each item has a row with each other split", detail)


def disturb_files(home: Path, disturb: Callable[[Path], None], args: Any) -> Row:
    """Disturb ten files at a random moment of a scan, in turn after turn; then scan once more."""
    rng = np.random.default_rng(0)
    reasons: set[str] = set()
    broken = []
    for turn in range(args.turns):
        trial = home / str(turn)
        data = write_dataset(trial / "data", min(60, args.clips), 0)
        files = sorted(data.rglob("*.*"))
        process = _start(data, trial)
        # the first parts show that the files were listed
        _wait_for(trial / "cache", process)
        time.sleep(rng.uniform(0, 2))
        for at in rng.choice(len(files), min(10, len(files) // 2), replace=False):
            disturb(files[at])
        status = process.wait()
        again = harness.scan(data, trial, run="again")
        whole = again.status in (0, 1) and set(again.table("media")["status"]) == {"ok"}
        if status not in (0, 1, 4) or not whole:
            broken.append((status, again.status, again.said[-200:]))
            continue
        media = pq.read_table(trial / "run" / "media.parquet", partitioning=None).to_pandas()
        odd = media[media["status"] != "ok"]
        reasons |= {f"{s}: {e}" for s, e in zip(odd["status"], odd["error"], strict=True)}
    detail = f"rows say {sorted(reasons)}; ended otherwise: {broken or 'none'}"
    return tell(not broken, "no crash; a row with a reason; the next scan is whole", detail)


def _wait_for(cache: Path, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and not list(cache.rglob("*.parquet")):
        time.sleep(0.01)


def _vanish(path: Path) -> None:
    path.unlink()


def _change(path: Path) -> None:
    """Put another sound in its place, as a copying program would: in place, in two steps."""
    path.write_bytes(b"")
    write_wav(path, distinct_sound(10_000 + int(path.stem[:5]), SECONDS))


if __name__ == "__main__":
    main()
