"""The stages in order: the only place where the store, the executor and the algorithms meet."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import metadata

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit import __version__
from splitaudit.audio.medium import Sounds
from splitaudit.dataset import Dataset, decode_path
from splitaudit.engine import jobs, media
from splitaudit.engine.contracts import Medium
from splitaudit.engine.media import Audited
from splitaudit.engine.stages import Contents, Settings, Stage, StageLog, Step, run_stage, step
from splitaudit.groups import policies
from splitaudit.images.medium import Pictures
from splitaudit.metadata import caption_relations, spans
from splitaudit.scan import failures, one_path, outcomes
from splitaudit.schema import CAPTIONS, CHECKS, KEYS

IDENTIFY = Stage("identify", "contents", jobs.identify, jobs.lost_identify, 1e9)
MEDIA_BY_PART: dict[str, Medium] = {medium.part: medium for medium in (Sounds(), Pictures())}
REQUIRED = {"av", "numba", "numpy", "pyarrow", "scipy", "soundfile", "soxr"}
# Packages of extras; OpenCV comes in four.
OPTIONAL = {"faiss-cpu", "faiss-gpu-cu12", "pillow", "pillow-heif", "simplejpeg", "imagehash"} | {
    f"opencv{kind}-python{screen}" for kind in ("", "-contrib") for screen in ("", "-headless")
}

_Files = dict[int, jobs.File]  # row of the media table -> what lies there


def plan(dataset: Dataset, settings: Settings, checks: Sequence[str] = CHECKS) -> list[Step]:
    """Say what a scan would do, doing none of it."""
    files = _files(dataset.media, checks)
    parts = {part: _filter_part(dataset.media, files, part) for part in MEDIA_BY_PART}
    audited = {part: _audited(dataset, own, settings) for part, own in parts.items()}
    every = [file for own in parts.values() for file in own.values()]
    new, names = {name for name, _ in _unidentified_files(every)}, {file.name for file in every}
    steps = [step("identify", len(new), len(names), "files")]
    for part, own in parts.items():
        if own:
            unread = len(_unidentified_files(own.values()))
            steps += media.plan(MEDIA_BY_PART[part], audited[part], unread, settings)
    return steps


def _unidentified_files(files: Iterable[jobs.File]) -> set[tuple[str, str]]:
    """Names and stretches of the files of which the bytes are not known."""
    return {(file.name, file.stretch) for file in files if not file.content_id}


def scan(
    dataset: Dataset, settings: Settings, log: StageLog, checks: Sequence[str] = CHECKS
) -> dict[str, pa.Table]:
    """Return the tables of a run, by name: those of `schema` that a scan writes.

    Parameters
    ----------
    checks
        What is asked, of `schema.CHECKS`; nothing else is read or compared.
    """
    files = _files(dataset.media, checks)
    run_stage(IDENTIFY, {file.name: file for file in files.values()}, settings, log)
    parts = {part: _filter_part(dataset.media, files, part) for part in MEDIA_BY_PART}
    found = {
        part: media.scan(MEDIA_BY_PART[part], _audited(dataset, own, settings), settings, log)
        for part, own in parts.items()
        if own
    }
    files = {row: file for own in parts.values() for row, file in own.items()}
    facts = {part: of.facts for part, of in found.items()}
    filled = outcomes.fill(dataset.media, files, facts, checks)
    filled = outcomes.mark_undecided(filled, dataset.items, found, dataset.split_order)
    matches = [
        MEDIA_BY_PART[part].matches(dataset.items, filled, of, settings)
        for part, of in found.items()
    ]
    failed = failures.pairs(filled, found)
    if KEYS in checks:
        matches.append(spans.overlaps(_with_source(dataset)))
    matched = one_path.add(matches, dataset.items, filled)
    rules = dataset.captions if CAPTIONS in checks else ()
    alike = caption_relations.edges(dataset.items, rules)
    edges = pa.concat_tables([policies.edges(matched), dataset.links, alike])
    captions = caption_relations.memberships(dataset.items, dataset.captions)
    log.end()
    return {
        "items": dataset.items,
        "media": failures.note(filled, found, failed),
        "matches": matched,
        "failed": failed,
        "memberships": pa.concat_tables([dataset.memberships, captions]),
        "edges": edges,
        "groups": policies.groups(dataset.items["item_id"].to_pylist(), edges),
    }


def _with_source(dataset: Dataset) -> pa.Table:
    """The items whose source is told: a place holder such as `unknown` is none."""
    key = pc.equal(dataset.memberships["key"], "source")
    told = dataset.memberships.filter(key)["item_id"]
    return dataset.items.filter(pc.is_in(dataset.items["item_id"], value_set=told))


def _files(listed: pa.Table, checks: Sequence[str]) -> _Files:
    """The sounds and pictures that are asked for and can be looked at, as they are now."""
    files = {}
    asked = set(checks) & set(MEDIA_BY_PART)
    for row, one in enumerate(listed.to_pylist()):
        if one["part"] in asked and one["status"] is None:
            path = decode_path(one["path"])
            with contextlib.suppress(OSError):
                now = jobs.signature(path)
                files[row] = jobs.File(path, one["clip_start_s"], one["clip_end_s"], now)
    return files


def _filter_part(listed: pa.Table, files: _Files, part: str) -> _Files:
    parts = listed["part"].to_pylist()
    return {row: file for row, file in files.items() if parts[row] == part}


def _audited(dataset: Dataset, files: _Files, settings: Settings) -> Audited:
    """The contents of one part, and in which splits each stands; notes them in `files`."""
    contents = _resolve_contents(files, settings)
    items, splits = (dataset.items[name].to_pylist() for name in ("item_id", "split"))
    split_of = dict(zip(items, splits, strict=True))
    items = dataset.media["item_id"].to_pylist()
    held = {(file.content_id, split_of[items[row]]) for row, file in files.items()}
    known = sorted(each for each in held if each[0])
    return Audited(contents, pd.DataFrame(known, columns=["content", "split"], dtype=object))


def _resolve_contents(files: _Files, settings: Settings) -> Contents:
    """Note in `files` the content of each whose bytes are known; return one file of each."""
    names = pa.array(sorted({file.name for file in files.values()}), pa.string())
    rows = settings.facts(IDENTIFY.kind).read(names, jobs.CONTENTS).to_pylist()
    digests = {row["key"]: row["digest"] for row in rows}
    contents: Contents = {}
    for row, file in files.items():
        if (of_bytes := digests.get(file.name)) is not None:
            files[row] = replace(file, content_id=of_bytes + file.stretch)
            contents.setdefault(files[row].content_id, files[row])
    return dict(sorted(contents.items()))


def versions() -> dict[str, str]:
    """Return the packages that the result depends on."""
    found = {name: _version(name) for name in sorted(REQUIRED | OPTIONAL)}
    return {"splitaudit": __version__} | {name: of for name, of in found.items() if of is not None}


def _version(name: str) -> str | None:
    """The version of a package; None where it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
