"""A scan that was killed, or that shares its cache, or whose disk was full, ends as any other."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from command import Ran, run, stages, tables
from noting import Thing, note_process
from poison import fail, give_up, note, note_threads
from sound_files import RATE, write_av, write_pcm

import splitaudit
from splitaudit.demo import sounds
from splitaudit.engine import execute
from splitaudit.engine import stages as engine_stages
from splitaudit.engine.execute import Job

# What the command line does with many jobs, in processes if asked, however little there is to do.
_IN_JOBS = """
import sys
from splitaudit import cli
from splitaudit.engine import stages
stages.MIN_PARALLEL_S, stages.MIN_JOB_S = -1.0, 1e-9
sys.argv = ["splitaudit", *sys.argv[1:]]
cli.main()
"""
Tables = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven sounds in train, of which test holds four again."""
    folder = tmp_path_factory.mktemp("resume") / "data"
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
    for seed in range(7):
        write_pcm(folder / f"train/{seed}.wav", sounds.distinct_sound(seed, 4.0))
    for seed in (1, 2):
        shutil.copy(folder / f"train/{seed}.wav", folder / "test")
    write_av(folder / "test/3.mp3", sounds.distinct_sound(3, 4.0))
    write_pcm(folder / "test/4.flac", sounds.distinct_sound(4, 4.0)[RATE : 3 * RATE])
    return folder


@pytest.fixture(scope="module")
def undisturbed(data: Path) -> Path:
    """The run that nothing happened to."""
    run_folder = data.parent / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_stages, "MIN_JOB_S", 1e-9)
        splitaudit.open(data, out=run_folder, cache=data.parent / "cache").scan()
    return run_folder


def start(*words: object, cwd: Path, code: str | None = None) -> subprocess.Popen[str]:
    """Begin a scan in a group of processes of its own."""
    how = ["-c", code] if code else ["-m", "splitaudit.cli"]
    return subprocess.Popen(
        [sys.executable, *how, *map(str, words)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=300)
    return Ran(process.returncode, out, err)


def parts(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*.parquet")}


def kill_when(process: subprocess.Popen[str], cache: Path, count: int) -> None:
    """Kill a scan as soon as its cache holds `count` parts, or leave it to its end."""
    while len(parts(cache)) < count and process.poll() is None:
        time.sleep(0.002)
    process.kill()
    process.communicate()  # ends when nobody holds its output open any more


def test_killed_scans_go_on_where_they_were(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    cache, run_folder = tmp_path / ".splitaudit/cache", tmp_path / ".splitaudit/runs/data"
    whole = len(parts(data.parent / "cache"))
    before: set[str] = set()
    # In the first half, for sounds are read there, which takes longer than to notice and kill.
    for count in sorted(random.Random(3).sample(range(1, whole // 2), 3)):
        kill_when(start("scan", data, "--jobs", "1", cwd=tmp_path, code=_IN_JOBS), cache, count)
        assert before <= parts(cache)  # what was there is not lost
        before = parts(cache)
    last = run("scan", data, "--jobs", "1", cwd=tmp_path)
    assert (last.status, last.err) == (1, "")
    assert 0 < sum(stages(run_folder).values()) < sum(stages(undisturbed).values())
    assert tables(run_folder) == tables(undisturbed)


def test_the_processes_of_a_killed_scan_end_with_it(data: Path, tmp_path: Path) -> None:
    process = start("scan", data, "--jobs", "2", cwd=tmp_path, code=_IN_JOBS)
    kill_when(process, tmp_path / ".splitaudit", 1)  # so others are at work
    deadline = time.monotonic() + 60
    while alive(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(process.pid)


def alive(group: int) -> bool:
    """Whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_two_scans_at_once_on_one_cache(data: Path, undisturbed: Path, tmp_path: Path) -> None:
    both = [start("scan", data, "--out", out, cwd=tmp_path) for out in ("one", "two")]
    assert [(one.status, one.err) for one in map(ended, both)] == [(1, ""), (1, "")]
    for out in ("one", "two"):
        assert tables(tmp_path / out) == tables(undisturbed)
    assert not list((tmp_path / ".splitaudit").rglob("*.tmp"))


# A process that dies of an item


@pytest.mark.parametrize(
    "batches",
    [
        [["a", "b"], ["c", "poison", "d"], ["e"], ["f", "g"]],
        [["poison 1"], ["a"], ["b", "poison 2", "poison 3", "c"]],
        [["poison"], ["a"]],
        [["a", "poison"], ["b"]],
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


@pytest.mark.parametrize(
    ("count", "processes", "elsewhere"), [(1, 2, False), (3, 1, False), (2, 2, True)]
)
def test_one_job_and_one_process_are_done_here(
    tmp_path: Path, count: int, processes: int, elsewhere: bool
) -> None:
    jobs = [Job(note_process, [Thing(str(n), 1)], tmp_path, give_up) for n in range(count)]
    assert list(execute.run(jobs, processes)) == [1] * count
    rows = [row for part in tmp_path.iterdir() for row in pq.read_table(part).to_pylist()]
    assert {row["key"] for row in rows} == {str(n) for n in range(count)}
    assert (os.getpid() not in {row["process"] for row in rows}) == elsewhere


@pytest.mark.parametrize(("said", "used"), [(None, "1"), ("3", "3")])
def test_processes_that_share_the_cores_have_one_thread_each_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, used: str
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    if said:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    jobs = [Job(note_threads, [name], tmp_path, give_up) for name in "ab"]
    assert list(execute.run(jobs, 2)) == [1, 1]
    assert {path.name for path in tmp_path.iterdir()} == {used}
    assert os.environ.get("OMP_NUM_THREADS") == said


def test_a_mistake_of_ours_is_no_lost_item(tmp_path: Path) -> None:
    jobs = [Job(fail, ["a"], tmp_path, give_up), Job(note, ["b"], tmp_path, give_up)]
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        list(execute.run(jobs, 2))
    assert not (tmp_path / "lost a").exists()


def test_a_script_without_a_guard_is_told_so_and_loses_nothing(tmp_path: Path) -> None:
    """A process that is started runs the script again, which must not start another."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys\n"
        "from pathlib import Path\n"
        "from poison import give_up, note\n"
        "from splitaudit.engine import execute\n"
        "jobs = [execute.Job(note, [name], Path(sys.argv[1]), give_up) for name in 'abc']\n"
        "print(sum(execute.run(jobs, 2)))\n",
        encoding="utf-8",
    )
    (tmp_path / "facts").mkdir()
    path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    ended = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "facts")],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "put the call below `if __name__" in ended.stderr
    assert not list((tmp_path / "facts").glob("*"))


# A full disk


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 64 kB, where the user may mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize(("full", "code"), [("cache", _IN_JOBS), ("out", None)])
@pytest.mark.slow
def test_a_full_disk_is_told_and_the_cache_stays_usable(
    data: Path, undisturbed: Path, tmp_path: Path, full: str, code: str | None
) -> None:
    with small_disk(tmp_path / "small") as disk:
        words = ["scan", data, "--jobs", "2", f"--{full}", disk / "here"]
        ran = ended(start(*words, cwd=tmp_path, code=code))
        assert ran.status == 2
        assert ran.err.startswith("splitaudit: the disk is full: ")
        assert ran.err.endswith("what was computed so far is kept\n")
        assert ran.err.count("\n") == 1
        assert not list(disk.rglob("*.tmp"))
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        assert run(*words, cwd=tmp_path).status == 1
        run_folder = disk / "here" if full == "out" else tmp_path / ".splitaudit/runs/data"
        assert tables(run_folder) == tables(undisturbed)


def test_a_write_that_is_refused_is_one_sentence(
    data: Path, undisturbed: Path, tmp_path: Path
) -> None:
    """As on a full disk; this a user without rights can have as well."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, 8_000))

    command = [sys.executable, "-B", "-m", "splitaudit.cli", "scan", str(data)]
    done = subprocess.run(command, cwd=tmp_path, preexec_fn=limit, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("splitaudit: cannot write .splitaudit/")
    assert done.stderr.count("\n") == 1
    assert run("scan", data, cwd=tmp_path).status == 1
    assert tables(tmp_path / ".splitaudit/runs/data") == tables(undisturbed)
