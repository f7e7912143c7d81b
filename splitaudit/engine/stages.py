"""The stages of a scan: what each has to do, where its facts lie, and how it is done."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from splitaudit import schema
from splitaudit.engine import execute, jobs
from splitaudit.engine.jobs import File
from splitaudit.engine.progress import Progress
from splitaudit.engine.store import Parts, digest, write_table

MIN_PARALLEL_S = 3.0  # > of work: less is done before other processes would have started
MIN_JOB_S = 0.25  # of work in a job, which reads and writes facts of its own
MAX_PART_ITEMS = 256

Contents = dict[str, File]  # content id -> one file that holds it


@dataclass(frozen=True)
class Settings:
    """What a user may choose of a scan.

    Parameters
    ----------
    cache
        Folder of facts about bytes, shared by runs.
    processes
        How many to use.
    generic
        A stretch in more sounds than this is shared material, where it is a small part of them.
    fingerprints
        Those to use (see `contracts.Fingerprint`), in place of the usual ones of their media.
    """

    cache: Path
    processes: int = field(default_factory=lambda: os.cpu_count() or 1)
    generic: int = 20
    fingerprints: tuple[Any, ...] = ()

    def chosen(self, part: str, usual: Sequence[Any]) -> tuple[Any, ...]:
        """Return the fingerprints of a part: those chosen, else the usual ones."""
        return tuple(of for of in self.fingerprints if of.modality == part) or tuple(usual)

    def facts(self, kind: str) -> Parts:
        """Return the facts of one kind."""
        return Parts(self.cache / kind)


@dataclass(frozen=True)
class Step:
    """What a stage would do: `reuse`, `extend` or `compute`, and why."""

    stage: str
    action: str
    why: str


def step(stage: str, new: int, total: int, things: str) -> Step:
    """Return the step of a stage that has `new` of `total` things to do."""
    if not new:
        return Step(stage, "reuse", f"all {total:,} {things} are known")
    action = "compute" if new == total else "extend"
    return Step(stage, action, f"{new:,} of {total:,} {things} are new")


class StageLog:
    """What each stage did, for run.json, told to a progress on the way.

    Parameters
    ----------
    progress
        Is told the steps.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun = time.perf_counter()
        self.stages: dict[str, dict[str, Any]] = {}

    def start(self, stage: str, new: int, key: str) -> None:
        """Begin a stage that has `new` things to do; `key` is the digest of what it reads."""
        self.end()
        before = self.stages.pop(stage, None)  # of a stage in several turns, all are told together
        told = {"key": key, "computed": new}
        if before:
            told = {"key": digest(before["key"], key), "computed": before["computed"] + new}
        self.stages[stage] = {**(before or {}), **told}
        self._progress.start(stage, new)

    def advance(self, steps: int) -> None:
        """Note that `steps` more are done."""
        self._progress.advance(steps)

    def note_undecided(self, things: int) -> None:
        """Note how many things of the stage under way could not be decided, where any."""
        for stage in list(self.stages.values())[-1:]:
            if things:
                stage["undecided"] = stage.get("undecided", 0) + things

    def end(self) -> None:
        """Note how long the stage under way took."""
        now = time.perf_counter()
        for stage in list(self.stages.values())[-1:]:
            stage["seconds"] = round(stage.get("seconds", 0.0) + now - self._begun, 3)
        self._begun = now


@dataclass(frozen=True)
class Stage:
    """A sharded stage.

    Parameters
    ----------
    name
        For people.
    kind
        Where its facts lie in the cache.
    fn, lost
        What computes them, see `splitaudit.engine.execute.Job`.
    bytes_a_second
        About how fast.
    most
        Things that a process is handed at once.
    """

    name: str
    kind: str
    fn: Callable[..., int]
    lost: Callable[..., int]
    bytes_a_second: float
    most: int = MAX_PART_ITEMS


def run_stage(
    stage: Stage, todo: Mapping[str, Any], settings: Settings, log: StageLog
) -> pd.DataFrame:
    """Compute the facts of `todo` (key -> item) that are not known yet.

    What came back is compared with what was asked. What is missing is tried once more.

    Returns
    -------
    DataFrame
        Columns of `jobs.UNDECIDED`: the keys of which nothing is known even so, and why.
    """
    new = _select_missing(stage, todo, settings)
    log.start(stage.name, len(new), digest(sorted(todo)))
    if not new:
        return _read_reasons(stage, new, settings)
    deadly = _select_deadly(stage, new, settings)
    _compute(stage, _leave_out(new, deadly), settings, log.advance)
    _compute_alone(stage, deadly, settings)
    left = _select_missing(stage, new, settings)
    again = _leave_out(left, _select_deadly(stage, left, settings))
    _compute(stage, again, settings, _tell_nobody)
    undecided = _read_reasons(stage, _select_missing(stage, left, settings), settings)
    log.note_undecided(len(undecided))
    return undecided


def _select_missing(stage: Stage, todo: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The items of which there are no facts."""
    known = _has_facts(stage.kind, pa.array(todo, pa.string()), settings)
    return {key: todo[key] for key, have in zip(todo, known, strict=True) if not have}


def _select_deadly(stage: Stage, todo: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The items that a process died of, in this scan or in one before."""
    said = _read_reasons(stage, todo, settings)
    return {key: todo[key] for key in said["key"][said["error"] == jobs.DIED]}


def _leave_out(todo: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    return {key: item for key, item in todo.items() if key not in others}


def _read_reasons(stage: Stage, todo: Mapping[str, Any], settings: Settings) -> pd.DataFrame:
    """Why nothing is known of some keys: a row each, `jobs.UNDECIDED`."""
    names = pa.array(sorted(todo), pa.string())
    noted = Parts(settings.facts(stage.kind).folder / jobs.UNDECIDED_FOLDER)
    noted_of = noted.read(names, jobs.UNDECIDED).to_pandas().set_index("key")
    said: pd.DataFrame = noted_of.reindex(sorted(todo))
    said = said.fillna({"status": schema.UNDECIDED, "error": f"{stage.name}: nothing came back"})
    return said.rename_axis("key").reset_index()


def _compute(
    stage: Stage, todo: Mapping[str, Any], settings: Settings, tell: Callable[[int], None]
) -> None:
    items = list(todo.values())
    work = [*_jobs(stage, items, settings.facts(stage.kind).folder, settings)]
    _run(work, stage, settings, tell)


def _compute_alone(stage: Stage, todo: Mapping[str, Any], settings: Settings) -> None:
    """Compute each in a process that may die of it; not where there is to be one process only."""
    if settings.processes > 1:
        folder = settings.facts(stage.kind).folder
        work = [execute.Job(stage.fn, [item], folder, stage.lost) for item in todo.values()]
        execute.run_isolated(work)


def _tell_nobody(_: int) -> None:
    """Work that is done again was counted before."""


def run_single_pass(
    stage: Stage, kinds: Sequence[str], todo: Mapping[str, Any], settings: Settings, log: StageLog
) -> None:
    """Compute the facts of several kinds that are not known yet, reading each item once.

    What did not come back is tried once more; what is missing even then is told by the facts.

    Parameters
    ----------
    stage
        Its functions take `kinds`, those to be computed, beside the items and the whole cache.
    kinds
        All kinds of facts that there should be.
    """
    work = _single_pass_work(stage, kinds, todo, settings)
    log.start(stage.name, sum(len(job.items) for job in work), digest(sorted(todo), kinds))
    _run(work, stage, settings, log.advance)
    if work:
        _run(_single_pass_work(stage, kinds, todo, settings), stage, settings, _tell_nobody)


def _single_pass_work(
    stage: Stage, kinds: Sequence[str], todo: Mapping[str, Any], settings: Settings
) -> list[execute.Job]:
    """Jobs that read each item once for all kinds of facts that are missing of it."""
    keys, items = pa.array(todo, pa.string()), list(todo.values())
    known = np.array([_has_facts(kind, keys, settings) for kind in kinds])
    work: list[execute.Job] = []
    for missing in np.unique(~known, axis=1).T:
        those = [items[at] for at in np.flatnonzero((missing == ~known.T).all(axis=1))]
        some = tuple(kind for kind, lacks in zip(kinds, missing, strict=True) if lacks)
        fn, lost = (partial(each, kinds=some) for each in (stage.fn, stage.lost))
        part = replace(stage, fn=fn, lost=lost)
        work += _jobs(part, those, settings.cache, settings) if some else []
    return work


def _has_facts(kind: str, keys: pa.Array, settings: Settings) -> npt.NDArray[np.bool_]:
    """Which of `keys` have facts, after what killed runs left was swept."""
    facts = settings.facts(kind)
    facts.sweep()
    return np.asarray(facts.known(keys).to_pylist(), bool)


def _jobs(
    stage: Stage, items: Sequence[Any], folder: Path, settings: Settings
) -> Iterator[execute.Job]:
    worthwhile = max(1, int(_seconds(stage, items) / MIN_JOB_S))
    size = max(1, min(stage.most, len(items) // min(worthwhile, 8 * settings.processes)))
    for at in range(0, len(items), size):
        yield execute.Job(stage.fn, items[at : at + size], folder, stage.lost)


def _run(
    work: Sequence[execute.Job], stage: Stage, settings: Settings, tell: Callable[[int], None]
) -> None:
    seconds = sum(_seconds(stage, job.items) for job in work)
    for done in execute.run(work, settings.processes if seconds > MIN_PARALLEL_S else 1):
        tell(done)


def _seconds(stage: Stage, items: Sequence[Any]) -> float:
    """How long one process will take."""
    return float(sum(item.size for item in items) / stage.bytes_a_second)


def count_missing(stage: Stage, todo: Mapping[str, Any], settings: Settings) -> int:
    """Return of how many of `todo` there are no facts yet."""
    known = settings.facts(stage.kind).known(pa.array(todo, pa.string()))
    return len(todo) - int(sum(known.to_pylist()))


def representatives(facts: pd.DataFrame) -> pa.Array:
    """Return the contents to be compared, sorted: of those with one `same_id`, one.

    Parameters
    ----------
    facts
        What is known of each content, see `contracts.Findings`. Its status decides.
    """
    read = facts[facts["status"].isin([schema.OK, schema.TRUNCATED])]
    return pa.array(sorted(read.reset_index().groupby("same_id")["key"].min()), pa.string())


def candidates_path(fingerprint: str, keys: pa.Array, settings: Settings) -> Path:
    """Return where the pairs are kept that a search among `keys` proposed."""
    return settings.cache / "candidates" / f"{digest(fingerprint, keys.to_pylist())}.parquet"


def read_candidates(path: Path) -> pa.Table:
    """Return the pairs kept there."""
    return pq.read_table(path, partitioning=None)


def propose(
    name: str, path: Path, things: int, search: Callable[[], pa.Table], log: StageLog
) -> pa.Table:
    """Return the pairs kept at `path`; where there are none, `search` among so many `things`."""
    new = 0 if path.exists() else things
    log.start(name, new, path.stem)
    if not path.exists():
        write_table(search(), path)
    log.advance(new)
    return read_candidates(path)
