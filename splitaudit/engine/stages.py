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
from splitaudit.engine import execute
from splitaudit.engine.jobs import File
from splitaudit.engine.progress import Progress
from splitaudit.engine.store import Parts, digest, write_table

MIN_PARALLEL_S = 3.0  # > of work: less is done before other processes would have started
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
        self.stages[stage] = {"key": key, "computed": new}
        if before:
            both = {"key": digest(before["key"], key), "computed": before["computed"] + new}
            self.stages[stage] = both | {"seconds": before["seconds"]}
        self._progress.start(stage, new)

    def advance(self, steps: int) -> None:
        """Note that `steps` more are done."""
        self._progress.advance(steps)

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


def run_stage(stage: Stage, todo: Mapping[str, Any], settings: Settings, log: StageLog) -> None:
    """Compute the facts of `todo` (key -> item) that are not known yet."""
    known = _has_facts(stage.kind, pa.array(todo, pa.string()), settings)
    items = [item for item, have in zip(todo.values(), known, strict=True) if not have]
    log.start(stage.name, len(items), digest(sorted(todo)))
    _run([*_jobs(stage, items, settings.facts(stage.kind).folder, settings)], stage, settings, log)


def run_single_pass(
    stage: Stage, kinds: Sequence[str], todo: Mapping[str, Any], settings: Settings, log: StageLog
) -> None:
    """Compute the facts of several kinds that are not known yet, reading each item once.

    Parameters
    ----------
    stage
        Its functions take `kinds`, those to be computed, beside the items and the whole cache.
    kinds
        All kinds of facts that there should be.
    """
    keys, items = pa.array(todo, pa.string()), list(todo.values())
    known = np.array([_has_facts(kind, keys, settings) for kind in kinds])
    work: list[execute.Job] = []
    for missing in np.unique(~known, axis=1).T:
        those = [items[at] for at in np.flatnonzero((missing == ~known.T).all(axis=1))]
        some = tuple(kind for kind, lacks in zip(kinds, missing, strict=True) if lacks)
        fn, lost = (partial(each, kinds=some) for each in (stage.fn, stage.lost))
        part = replace(stage, fn=fn, lost=lost)
        work += _jobs(part, those, settings.cache, settings) if some else []
    log.start(stage.name, sum(len(job.items) for job in work), digest(sorted(todo), kinds))
    _run(work, stage, settings, log)


def _has_facts(kind: str, keys: pa.Array, settings: Settings) -> npt.NDArray[np.bool_]:
    """Which of `keys` have facts, after what killed runs left was swept."""
    facts = settings.facts(kind)
    facts.sweep()
    return np.asarray(facts.known(keys).to_pylist(), bool)


def _jobs(
    stage: Stage, items: Sequence[Any], folder: Path, settings: Settings
) -> Iterator[execute.Job]:
    size = max(1, min(stage.most, len(items) // (8 * settings.processes)))
    for at in range(0, len(items), size):
        yield execute.Job(stage.fn, items[at : at + size], folder, stage.lost)


def _run(work: Sequence[execute.Job], stage: Stage, settings: Settings, log: StageLog) -> None:
    seconds = sum(item.size for job in work for item in job.items) / stage.bytes_a_second
    for done in execute.run(work, settings.processes if seconds > MIN_PARALLEL_S else 1):
        log.advance(done)


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
