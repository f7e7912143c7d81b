"""What the stages of a scan have to do: what is new, and nothing that is known."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import poison
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from noting import NOTED, Thing, note_process

from splitaudit.engine import jobs, stages
from splitaudit.engine.progress import Quiet
from splitaudit.engine.stages import (
    Settings,
    Stage,
    StageLog,
    Step,
    candidates_path,
    count_missing,
    propose,
    read_candidates,
    representatives,
    run_stage,
    step,
)
from splitaudit.schema import STATUSES, UNDECIDED


class Told:
    """A progress that keeps what it was told."""

    def __init__(self) -> None:
        self.words: list[tuple[str | int, ...]] = []

    def start(self, stage: str, total: int) -> None:
        self.words.append((stage, total))

    def advance(self, steps: int) -> None:
        self.words.append((steps,))


def stage(bytes_a_second: float = 1e9, **other: int) -> Stage:
    return Stage("note", "notes", note_process, note_process, bytes_a_second, **other)


def things(count: int, size: int = 1) -> dict[str, Thing]:
    return {f"t{n:04}": Thing(f"t{n:04}", size) for n in range(count)}


def settings_of(folder: Path, processes: int = 1) -> Settings:
    return Settings(folder / "cache", processes)


def parts(settings: Settings) -> list[list[dict[str, object]]]:
    """What was written, part by part, in the order of the things."""
    found = (pq.read_table(path) for path in settings.facts("notes").folder.glob("*.parquet"))
    return sorted((table.to_pylist() for table in found), key=lambda rows: rows[0]["key"])


@pytest.mark.parametrize(
    ("new", "total", "expected"),
    [
        (0, 1_200, Step("x", "reuse", "all 1,200 files are known")),
        (1, 1_200, Step("x", "extend", "1 of 1,200 files are new")),
        (1_199, 1_200, Step("x", "extend", "1,199 of 1,200 files are new")),
        (1_200, 1_200, Step("x", "compute", "1,200 of 1,200 files are new")),
        (0, 0, Step("x", "reuse", "all 0 files are known")),
    ],
)
def test_a_step_says_what_is_new(new: int, total: int, expected: Step) -> None:
    assert step("x", new, total, "files") == expected


def test_only_what_is_not_known_is_computed(tmp_path: Path) -> None:
    settings, told = settings_of(tmp_path), Told()
    log, todo = StageLog(told), things(5)
    some = {name: todo[name] for name in ("t0001", "t0003")}
    assert count_missing(stage(), todo, settings) == 5
    run_stage(stage(), some, settings, log)
    assert count_missing(stage(), todo, settings) == 3
    assert count_missing(stage(), some, settings) == 0
    run_stage(stage(), todo, settings, log)
    run_stage(stage(), todo, settings, log)
    keys = [row["key"] for rows in parts(settings) for row in rows]
    assert sorted(keys) == [f"t{n:04}" for n in range(5)]
    assert told.words == [("note", 2), (2,), ("note", 3), (3,), ("note", 0)]
    assert log.stages["note"]["computed"] == 5  # in three turns


@pytest.mark.parametrize(
    ("count", "processes", "most", "sizes"),
    [
        (0, 1, None, []),
        (1, 1, None, [1]),
        (15, 1, None, [1] * 15),
        (16, 1, None, [2] * 8),
        (17, 1, None, [2] * 8 + [1]),
        (16, 2, None, [1] * 16),
        (32, 2, None, [2] * 16),
        (24, 1, 2, [2] * 12),
        (2_047, 1, None, [255] * 8 + [7]),
        (2_056, 1, None, [256] * 8 + [8]),
        (2_064, 1, 400, [258] * 8),
    ],
)
def test_work_is_cut_so_that_all_processes_have_some_eight_times_and_no_part_is_too_large(
    tmp_path: Path,
    count: int,
    processes: int,
    most: int | None,
    sizes: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stages, "MIN_PARALLEL_S", 1e9)
    settings = settings_of(tmp_path, processes)
    cut = {} if most is None else {"most": most}
    run_stage(stage(1.0, **cut), things(count), settings, StageLog(Quiet()))
    assert [len(rows) for rows in parts(settings)] == sizes


@pytest.mark.parametrize(
    ("milliseconds", "sizes"), [(1, [64]), (7, [64]), (8, [32, 32]), (31, [9] * 7 + [1])]
)
def test_a_job_takes_a_quarter_of_a_second_at_least(
    tmp_path: Path, milliseconds: int, sizes: list[int]
) -> None:
    settings = settings_of(tmp_path)
    run_stage(stage(1e3), things(64, milliseconds), settings, StageLog(Quiet()))
    assert [len(rows) for rows in parts(settings)] == sizes


@pytest.mark.parametrize("more", [0, 1])
def test_more_than_three_seconds_of_work_are_done_by_other_processes(
    tmp_path: Path, more: int
) -> None:
    settings, todo = settings_of(tmp_path, 2), things(3, 1_000)
    todo["t0002"] = Thing("t0002", 1_000 + more)
    run_stage(stage(bytes_a_second=1_000.0), todo, settings, StageLog(Quiet()))
    found = [row["process"] for rows in parts(settings) for row in rows]
    assert len(found) == 3
    assert (os.getpid() in found) == (not more)


def forgetful(times: int, asked: list[str]) -> Stage:
    """A stage that says nothing of `t0001` so many times."""

    def note(some: Sequence[Thing], folder: Path) -> int:
        keys = [thing.key for thing in some]
        asked.extend(keys)
        told = [key for key in keys if key != "t0001" or asked.count(key) > times]
        rows = [{"key": key, "process": 0} for key in told]
        return jobs.write(rows, NOTED, keys, folder)

    return Stage("note", "notes", note, note, 1e9)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_what_does_not_come_back_is_asked_once_more_and_then_told(
    tmp_path: Path, times: int
) -> None:
    settings, told, asked = settings_of(tmp_path), Told(), list[str]()
    log = StageLog(told)
    undecided = run_stage(forgetful(times, asked), things(3), settings, log)
    assert sorted(asked) == ["t0000", *["t0001"] * (2 if times else 1), "t0002"]
    said = {"key": "t0001", "status": UNDECIDED, "error": "note: nothing came back"}
    assert undecided.to_dict("records") == ([said] if times == 2 else [])
    assert log.stages["note"].get("undecided") == (1 if times == 2 else None)
    assert sum(step for (step, *more) in told.words if not more) == 3  # what is asked twice, too
    known = run_stage(forgetful(0, asked), things(3), settings, StageLog(Quiet()))
    assert known.empty
    assert known.columns.tolist() == jobs.UNDECIDED.names


def test_what_a_process_died_of_is_undecided_and_never_done_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stages, "MIN_PARALLEL_S", -1.0)
    monkeypatch.setattr(stages, "MIN_JOB_S", 1e-9)
    deadly = tmp_path / "poison"
    deadly.touch()
    todo = {key: poison.Thing(key, str(deadly) if key == "b" else "") for key in "abc"}
    stage = Stage("note", "notes", poison.write_facts, poison.note_death, 1e9)

    def run(processes: int) -> dict[str, str]:
        settings = settings_of(tmp_path, processes)
        found = run_stage(stage, todo, settings, StageLog(Quiet()))
        return dict(zip(found["key"], found["error"], strict=True))

    assert run(2) == {"b": jobs.DIED}
    monkeypatch.setattr(stages, "MIN_PARALLEL_S", 1e9)  # so little is left that it is done here
    assert run(2) == {"b": jobs.DIED}
    assert run(1) == {"b": jobs.DIED}
    deadly.unlink()
    assert run(1) == {"b": jobs.DIED}  # one process only, and it may die
    assert run(2) == {}


def test_what_a_killed_run_left_is_swept_before(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    folder = settings.facts("notes").folder
    folder.mkdir(parents=True)
    (folder / "half.tmp").touch()
    os.utime(folder / "half.tmp", (0, 0))
    run_stage(stage(), things(1), settings, StageLog(Quiet()))
    assert not list(folder.glob("*.tmp"))


def test_a_stage_in_several_turns_forgets_nothing_of_the_first() -> None:
    log = StageLog(Told())
    for new, undecided in ((3, 2), (4, 0), (5, 1)):
        log.start("verify", new, "key")
        log.note_undecided(undecided)
    log.start("other", 0, "key")
    assert (log.stages["verify"]["computed"], log.stages["verify"]["undecided"]) == (12, 3)
    assert "undecided" not in log.stages["other"]


def test_a_log_counts_each_stage_and_its_own_seconds() -> None:
    told, begun = Told(), time.perf_counter()
    log = StageLog(told)
    log.start("one", 3, "k1")
    log.advance(3)
    log.start("two", 0, "k2")
    assert "seconds" in log.stages["one"]
    assert "seconds" not in log.stages["two"]
    log.end()
    assert {name: (of["key"], of["computed"]) for name, of in log.stages.items()} == {
        "one": ("k1", 3),
        "two": ("k2", 0),
    }
    assert all(of["seconds"] >= 0 for of in log.stages.values())
    both = sum(of["seconds"] for of in log.stages.values())
    assert both <= time.perf_counter() - begun + 0.001  # rounded to a thousandth each
    assert told.words == [("one", 3), (3,), ("two", 0)]


def test_one_of_equal_contents_is_compared_and_only_what_could_be_read() -> None:
    rows = [(f"c{n}", status, f"s{n}") for n, status in enumerate(STATUSES)]
    rows += [("z", "ok", "same"), ("b", "truncated", "same"), ("a", "error", "same")]
    facts = pd.DataFrame(rows, columns=["key", "status", "same_id"]).set_index("key")
    read = [f"c{STATUSES.index(status)}" for status in ("ok", "truncated")]
    assert representatives(facts).to_pylist() == sorted(["b", *read])
    assert representatives(facts.iloc[:0]).to_pylist() == []


def keys(names: Iterable[str]) -> pa.Array:
    return pa.array(names, pa.string())


def test_pairs_are_kept_for_what_was_searched_and_for_nothing_else(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    paths = {
        candidates_path(print_id, keys(names), settings)
        for print_id in ("patch-v1", "patch-v2")
        for names in ("abc", "abd", "ab", "", ["ab", "c"])  # as many sounds are other sounds
    }
    assert len(paths) == 10
    path = candidates_path("patch-v1", keys("abc"), settings)
    assert path in paths
    assert path.parent == settings.cache / "candidates"


def test_what_was_searched_before_is_not_searched_again(tmp_path: Path) -> None:
    path, log, asked = tmp_path / "pairs=x" / "p.parquet", StageLog(Quiet()), []

    def search() -> pa.Table:
        asked.append(1)
        return pa.table({"a": [0], "b": [len(asked)]})

    found = propose("search", path, 7, search, log)
    assert (found.to_pylist(), log.stages["search"]["computed"]) == ([{"a": 0, "b": 1}], 7)
    log = StageLog(Quiet())
    assert propose("search", path, 7, search, log).equals(found)
    assert (len(asked), log.stages["search"]["computed"]) == (1, 0)
    assert log.stages["search"]["key"] == "p"
    assert read_candidates(path).equals(found)


def test_a_scan_takes_a_stretch_in_more_than_twenty_sounds_for_a_jingle(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    assert (settings.generic, settings.processes) == (20, os.cpu_count())
    assert settings.facts("x").folder == tmp_path / "x"
