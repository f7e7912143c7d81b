"""A scan that was killed, or that shares its cache, or whose disk was full, ends as any other."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from command import Ran, run, stages, tables
from conftest import Scanned

from splitaudit import execute
from splitaudit.execute import Job

# What the command line does with `--jobs 2`, however little there is to do.
_WITH_PROCESSES = """
import sys
from splitaudit import cli, pipeline
pipeline.WORTH_PROCESSES_S = -1.0
sys.argv = ["splitaudit", *sys.argv[1:]]
cli.main()
"""


def start(*words: object, cwd: Path, **more: object) -> subprocess.Popen[str]:
    """Begin a scan in two processes, in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _WITH_PROCESSES, *map(str, words), "--jobs", "2"],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **more,  # type: ignore[call-overload]
    )


def ended(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=300)
    return Ran(process.returncode, out, err)


def parts(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*.parquet")}


def test_killed_scans_go_on_where_they_were(scanned: Scanned, tmp_path: Path) -> None:
    chance = random.Random(3)
    before: set[str] = set()
    for _ in range(4):
        process = start("scan", scanned.folder, cwd=tmp_path)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(1.5, 5))
        process.kill()
        process.communicate()
        left = parts(tmp_path / ".splitaudit/cache")
        assert before <= left  # what was there is neither lost nor written anew
        before = left
    assert before, "killed before anything was done"
    last = run("scan", scanned.folder, cwd=tmp_path)
    assert (last.status, last.err) == (1, "")
    run_folder = tmp_path / ".splitaudit/runs/planted"
    assert sum(stages(run_folder).values()) < sum(stages(scanned.run).values())
    assert tables(run_folder) == tables(scanned.run)


def test_the_processes_of_a_killed_scan_end_with_it(scanned: Scanned, tmp_path: Path) -> None:
    process = start("scan", scanned.folder, cwd=tmp_path)
    while not parts(tmp_path / ".splitaudit"):  # until others are at work
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.communicate()  # ends when nobody holds its output open any more
    deadline = time.monotonic() + 60
    while alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(process.pid)


def alive(group: int) -> bool:
    """Whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_two_scans_at_once_on_one_cache(scanned: Scanned, tmp_path: Path) -> None:
    both = [start("scan", scanned.folder, "--out", out, cwd=tmp_path) for out in ("one", "two")]
    assert [(one.status, one.err) for one in map(ended, both)] == [(1, ""), (1, "")]
    for out in ("one", "two"):
        assert tables(tmp_path / out) == tables(scanned.run)
    assert not list((tmp_path / ".splitaudit").rglob("*.tmp"))


# A process that dies of an item


def note(items: Sequence[str], folder: Path) -> int:
    """Write a file for each item, and die of one that holds poison."""
    for item in items:
        if item.startswith("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        (folder / item).touch()
    return len(items)


def give_up(items: Sequence[str], folder: Path) -> int:
    for item in items:
        (folder / f"lost {item}").touch()
    return len(items)


@pytest.mark.parametrize(
    "batches",
    [
        [["a", "b"], ["c", "poison", "d"], ["e"], ["f", "g"]],
        [["poison 1"], ["a"], ["b", "poison 2", "poison 3", "c"]],
        [["poison"], ["a"]],
    ],
)
def test_only_the_item_is_lost_that_a_process_dies_of(
    tmp_path: Path, batches: list[list[str]]
) -> None:
    jobs = [Job(note, batch, tmp_path, give_up) for batch in batches]
    items = [item for batch in batches for item in batch]
    assert sum(execute.run(jobs, 2)) == len(items)
    expected = {f"lost {item}" if item.startswith("poison") else item for item in items}
    assert {path.name for path in tmp_path.iterdir()} == expected


@pytest.mark.parametrize("processes", [1, 2])
def test_every_job_is_done_once(tmp_path: Path, processes: int) -> None:
    jobs = [Job(note, [f"{k}", f"{k} too"], tmp_path, give_up) for k in range(12)]
    assert sorted(execute.run(jobs, processes)) == [2] * 12
    assert len(list(tmp_path.iterdir())) == 24


def fail(items: Sequence[str], folder: Path) -> int:
    raise RuntimeError("a mistake of ours")


def test_a_mistake_of_ours_is_no_lost_item(tmp_path: Path) -> None:
    jobs = [Job(fail, ["a"], tmp_path, give_up), Job(note, ["b"], tmp_path, give_up)]
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        list(execute.run(jobs, 2))
    assert not (tmp_path / "lost a").exists()


# A full disk


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 200 kB, where the user may mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("full", ["cache", "out"])
def test_a_full_disk_is_told_and_the_cache_stays_usable(
    scanned: Scanned, tmp_path: Path, full: str
) -> None:
    with small_disk(tmp_path / "small") as disk:
        words = ["scan", scanned.folder, f"--{full}", disk / "here"]
        ran = ended(start(*words, cwd=tmp_path)) if full == "cache" else run(*words, cwd=tmp_path)
        assert ran.status == 2
        assert ran.err.startswith("splitaudit: the disk is full: ")
        assert ran.err.endswith("what was computed so far is kept\n")
        assert ran.err.count("\n") == 1
        assert not list(disk.rglob("*.tmp"))
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        assert run(*words, cwd=tmp_path).status == 1
        run_folder = disk / "here" if full == "out" else tmp_path / ".splitaudit/runs/planted"
        assert tables(run_folder) == tables(scanned.run)


def test_a_write_that_is_refused_is_one_sentence(scanned: Scanned, tmp_path: Path) -> None:
    """As on a full disk; this a user without rights can have as well."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    command = [sys.executable, "-m", "splitaudit.cli", "scan", str(scanned.folder)]
    done = subprocess.run(
        command, cwd=tmp_path, preexec_fn=limit, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("splitaudit: cannot write .splitaudit/")
    assert done.stderr.count("\n") == 1
    assert run("scan", scanned.folder, cwd=tmp_path).status == 1
    assert tables(tmp_path / ".splitaudit/runs/planted") == tables(scanned.run)
