"""The stages in order: the only place where the store, the executor and the algorithms meet."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from splitaudit import (
    __version__,
    candidates,
    comparisons,
    execute,
    group,
    jobs,
    matches,
    outcomes,
    schema,
    spans,
    written,
)
from splitaudit.comparisons import Pair
from splitaudit.fingerprints import patches
from splitaudit.ingest import Dataset, decode_path
from splitaudit.media.reading import RATE
from splitaudit.progress import Progress
from splitaudit.route import route
from splitaudit.store import Parts, digest, write_table
from splitaudit.verify import audio as verifier

FINGERPRINT_ID = f"{patches.Patch.name}-v{patches.Patch.version}-{patches.identity()}"
WORTH_PROCESSES_S = 3.0  # > of work: less is done before other processes would have started
MOST_IN_A_PART = 256


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
    """

    cache: Path
    processes: int = field(default_factory=lambda: os.cpu_count() or 1)
    generic: int = 20

    def facts(self, kind: str) -> Parts:
        """Return the facts of one kind."""
        return Parts(self.cache / kind)


@dataclass(frozen=True)
class Step:
    """What a stage would do: `reuse`, `extend` or `compute`, and why."""

    stage: str
    action: str
    why: str


def plan(dataset: Dataset, settings: Settings) -> list[Step]:
    """Say what a scan would do, doing none of it."""
    files = _files(dataset.media)
    contents = _contents(files, settings)
    unread = {(file.name, file.stretch) for file in files.values() if not file.content_id}
    names = {file.name for file in files.values()}
    known = settings.facts(_FINGERPRINT.kind).known(pa.array(contents, pa.string()))
    old = sum(known.to_pylist())
    sounds = len(unread) + len(contents)
    steps = [
        _step("identify", len({name for name, _ in unread}), len(names), "files"),
        _step("fingerprint", sounds - old, sounds, "sounds"),
    ]
    if old == sounds:
        return [*steps, *_plan_search(contents, settings)]
    what = "extend" if old else "compute"
    why = "a new sound may match any other"
    return [*steps, Step("search", "compute", why), Step("verify", what, why)]


def _plan_search(contents: _Contents, settings: Settings) -> list[Step]:
    """The steps after the fingerprints, where all of those are known."""
    sounds = _sounds(contents, settings)
    keys = _searched(sounds)
    path = _candidates_path(keys, settings)
    if not path.exists():
        why = "another set of sounds than before"
        return [Step("search", "compute", why), Step("verify", "extend", why)]
    pairs = _pairs(sounds, contents, _read_candidates(path))
    known = settings.facts(_VERIFY.kind).known(pa.array(pairs, pa.string()))
    new = len(pairs) - sum(known.to_pylist())
    return [_step("search", 0, len(keys), "sounds"), _step("verify", new, len(pairs), "pairs")]


def _step(stage: str, new: int, total: int, things: str) -> Step:
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
        self.stages[stage] = {"key": key, "computed": new}
        self._progress.start(stage, new)

    def advance(self, steps: int) -> None:
        """Note that `steps` more are done."""
        self._progress.advance(steps)

    def end(self) -> None:
        """Note how long the stage under way took."""
        now = time.perf_counter()
        for stage in list(self.stages.values())[-1:]:
            stage["seconds"] = round(now - self._begun, 3)
        self._begun = now


_Files = dict[int, jobs.File]  # row of the media table -> what lies there
_Contents = dict[str, jobs.File]  # content id -> one file that holds it


def scan(dataset: Dataset, settings: Settings, log: StageLog) -> dict[str, pa.Table]:
    """Return the tables of a run, by name: items, media, matches, memberships, edges, groups."""
    files = _files(dataset.media)
    _do(_IDENTIFY, {file.name: file for file in files.values()}, settings, log)
    contents = _contents(files, settings)
    _do(_FINGERPRINT, contents, settings, log)
    sounds = _sounds(contents, settings)
    proofs = _prove(contents, sounds, settings, log)
    media = outcomes.fill(dataset.media, files, sounds)
    found = _matches(dataset.items, media, sounds, proofs, settings.generic)
    found = pa.concat_tables([found, spans.overlaps(dataset.items)])
    alike = written.edges(dataset.items, dataset.captions)
    edges = pa.concat_tables([group.edges(found), dataset.links, alike])
    captions = written.memberships(dataset.items, dataset.captions)
    log.end()
    return {
        "items": dataset.items,
        "media": media,
        "matches": found,
        "memberships": pa.concat_tables([dataset.memberships, captions]),
        "edges": edges,
        "groups": group.groups(dataset.items["item_id"].to_pylist(), edges),
    }


@dataclass(frozen=True)
class _Stage:
    """A sharded stage: where its facts lie, what computes them, and about how long it takes."""

    name: str
    kind: str
    fn: Callable[[Sequence[Any], Path], int]
    lost: Callable[[Sequence[Any], Path], int]
    bytes_a_second: float


_IDENTIFY = _Stage("identify", "contents", jobs.identify, jobs.lost_identify, 1e9)
_FINGERPRINT = _Stage(
    "fingerprint", f"fingerprints/{FINGERPRINT_ID}", jobs.fingerprint, jobs.lost_fingerprint, 2e7
)
_VERIFY = _Stage(
    "verify",
    f"proofs/{verifier.NAME}-{FINGERPRINT_ID}",
    comparisons.verify,
    comparisons.lost_verify,
    4e7,
)


def _do(stage: _Stage, todo: Mapping[str, Any], settings: Settings, log: StageLog) -> None:
    """Compute the facts of `todo` (key -> item) that are not known yet."""
    facts = settings.facts(stage.kind)
    facts.sweep()
    known = facts.known(pa.array(todo, pa.string())).to_pylist()
    items = [item for item, have in zip(todo.values(), known, strict=True) if not have]
    size = max(1, min(MOST_IN_A_PART, len(items) // (8 * settings.processes)))
    batches = [items[at : at + size] for at in range(0, len(items), size)]
    work = [execute.Job(stage.fn, batch, facts.folder, stage.lost) for batch in batches]
    log.start(stage.name, len(items), digest(sorted(todo)))
    seconds = sum(item.size for item in items) / stage.bytes_a_second
    for done in execute.run(work, settings.processes if seconds > WORTH_PROCESSES_S else 1):
        log.advance(done)


def _files(media: pa.Table) -> _Files:
    """The sounds that can be looked at, as they are now."""
    files = {}
    for row, one in enumerate(media.to_pylist()):
        if one["part"] == "audio" and one["status"] is None:
            path = decode_path(one["path"])
            with contextlib.suppress(OSError):
                now = jobs.signature(path)
                files[row] = jobs.File(path, one["clip_start_s"], one["clip_end_s"], now)
    return files


def _contents(files: _Files, settings: Settings) -> _Contents:
    """Note in `files` the content of each whose bytes are known; return one file of each."""
    names = pa.array(sorted({file.name for file in files.values()}), pa.string())
    rows = settings.facts(_IDENTIFY.kind).read(names, jobs.CONTENTS).to_pylist()
    digests = {row["key"]: row["digest"] for row in rows}
    contents: _Contents = {}
    for row, file in files.items():
        if (of_bytes := digests.get(file.name)) is not None:
            files[row] = replace(file, content_id=of_bytes + file.stretch)
            contents.setdefault(files[row].content_id, files[row])
    return dict(sorted(contents.items()))


def _sounds(contents: _Contents, settings: Settings) -> pd.DataFrame:
    """What is known of each content, without its patches; index: content id."""
    columns = [field for field in jobs.SOUNDS if field.name not in ("vectors", "frames")]
    facts = settings.facts(_FINGERPRINT.kind).read(
        pa.array(contents, pa.string()), pa.schema(columns)
    )
    sounds: pd.DataFrame = facts.to_pandas().set_index("key")
    # Contents with equal samples are one sound; one that could not be decoded stands for itself.
    sounds["sound_id"] = sounds["samples_id"].fillna(sounds.index.to_series())
    sounds["silent"] = sounds["silent"].fillna(False).astype(bool)
    return sounds


def _prove(
    contents: _Contents, sounds: pd.DataFrame, settings: Settings, log: StageLog
) -> pd.DataFrame:
    """Search, and verify every candidate; a row a pair and offset at which something was found."""
    keys = _searched(sounds)
    pairs = _pairs(sounds, contents, _candidates(keys, settings, log))
    _do(_VERIFY, pairs, settings, log)
    names = pa.array(sorted(pairs), pa.string())
    proofs: pd.DataFrame = settings.facts(_VERIFY.kind).read(names, comparisons.PROOFS).to_pandas()
    proofs = proofs[proofs["found"].astype(bool)].drop(columns="found")
    for side in ("a", "b"):
        content = [getattr(pairs[key], side).content_id for key in proofs["key"]]
        proofs[side] = sounds["sound_id"].reindex(content).to_numpy()
    return proofs.astype({"accepted": bool})


def _searched(sounds: pd.DataFrame) -> pa.Array:
    """The contents to be compared; one stands for all with equal samples."""
    read = sounds[sounds["status"].isin([schema.OK, schema.TRUNCATED])]
    return pa.array(sorted(read.reset_index().groupby("sound_id")["key"].min()), pa.string())


def _candidates(keys: pa.Array, settings: Settings, log: StageLog) -> pa.Table:
    """Pairs of sounds, as positions in `keys`, whose patches agree along a line."""
    path = _candidates_path(keys, settings)
    new = 0 if path.exists() else len(keys)
    log.start("search", new, path.stem)
    if not path.exists():
        facts = settings.facts(_FINGERPRINT.kind)
        write_table(candidates.search(facts, keys, settings.processes), path)
    log.advance(new)
    return _read_candidates(path)


def _candidates_path(keys: pa.Array, settings: Settings) -> Path:
    return settings.cache / "candidates" / f"{digest(FINGERPRINT_ID, keys.to_pylist())}.parquet"


def _read_candidates(path: Path) -> pa.Table:
    return pq.read_table(path, partitioning=None)


def _pairs(sounds: pd.DataFrame, contents: _Contents, found: pa.Table) -> dict[str, Pair]:
    keys, seconds = _searched(sounds).to_pylist(), sounds["duration_s"].to_dict()
    frame_s = patches.HOP / RATE
    order = route(*(found[side].to_numpy().astype(np.int64) for side in ("a", "b")))
    pairs = {}
    for row in found.take(order).to_pylist():
        a, b, moment = keys[row["a"]], keys[row["b"]], (row["frame_a"], row["frame_b"])
        name = f"{a} {b} {moment[0]} {moment[1]} {row['slope']:.3f}"
        pairs[name] = Pair(
            key=name,
            a=contents[a],
            b=contents[b],
            moment_s=(moment[0] * frame_s, moment[1] * frame_s),
            slope=row["slope"],
            seconds=(seconds[a], seconds[b]),
            evidence_s=row["evidence"],
        )
    return pairs


def _matches(
    items: pa.Table, media: pa.Table, sounds: pd.DataFrame, proofs: pd.DataFrame, generic: int
) -> pa.Table:
    held = media.select(["item_id", "part", "content_id"]).to_pandas()
    held = held[(held["part"] == "audio") & held["content_id"].isin(sounds.index)]
    members = held[["item_id", "content_id"]].merge(
        items.select(["item_id", "split"]).to_pandas(), on="item_id"
    )
    known = sounds[["sound_id", "duration_s", "silent"]]
    members = members.merge(known, left_on="content_id", right_index=True)
    proofs = matches.strongest(proofs.assign(relation=matches.relations(proofs, generic)))
    labels = {
        row["item_id"]: frozenset(row["labels"])
        for row in items.select(["item_id", "labels"]).to_pylist()
        if row["labels"]
    }
    names = matches.Names(FINGERPRINT_ID, verifier.NAME)
    return matches.expand(members, proofs, labels, names)


def versions() -> dict[str, str]:
    """Return the packages that the result depends on."""
    names = {"av", "numba", "numpy", "pyarrow", "scipy", "soundfile", "soxr"}
    installed = {found.name for found in metadata.distributions()}
    names |= {"faiss-cpu", "faiss-gpu-cu12"} & installed
    return {"splitaudit": __version__} | {name: metadata.version(name) for name in sorted(names)}
