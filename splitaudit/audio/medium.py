"""Sounds of a dataset: fingerprinted, searched, compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit.audio import match_rows
from splitaudit.audio.decode.stream import RATE
from splitaudit.audio.fingerprint import extract, patches
from splitaudit.audio.search import candidates
from splitaudit.audio.verify import compare
from splitaudit.audio.verify import waveform as verifier
from splitaudit.audio.verify.compare import Pair
from splitaudit.engine import matches
from splitaudit.engine.pair_order import route
from splitaudit.engine.stages import (
    Contents,
    Settings,
    Stage,
    StageLog,
    Step,
    candidates_path,
    do,
    propose,
    read_candidates,
    representatives,
    step,
    unknown,
)

PART = "audio"
FINGERPRINT_ID = f"{patches.Patch.name}-v{patches.Patch.version}-{patches.identity()}"
FINGERPRINT = Stage(
    "fingerprint",
    f"fingerprints/{FINGERPRINT_ID}",
    extract.fingerprint,
    extract.lost_fingerprint,
    2e7,
)
VERIFY = Stage(
    "verify",
    f"proofs/{verifier.NAME}-{FINGERPRINT_ID}",
    compare.verify,
    compare.lost_verify,
    4e7,
)


@dataclass(frozen=True)
class Found:
    """What is known of the sounds of a dataset.

    Parameters
    ----------
    facts
        Of each content, see `known`.
    proofs
        Of pairs, see `prove`.
    generic
        See `Settings`.
    """

    facts: pd.DataFrame
    proofs: pd.DataFrame
    generic: int


def scan(contents: Contents, settings: Settings, log: StageLog) -> Found:
    """Fingerprint sounds, search, and verify what was found."""
    do(FINGERPRINT, contents, settings, log)
    facts = known(contents, settings)
    return Found(facts, prove(contents, facts, settings, log), settings.generic)


def plan(contents: Contents, unread: int, settings: Settings) -> list[Step]:
    """Say what `scan` would do; of `unread` sounds the bytes are not known yet."""
    sounds = unread + len(contents)
    old = len(contents) - unknown(FINGERPRINT, contents, settings)
    first = step("fingerprint", sounds - old, sounds, "sounds")
    if old == sounds:
        return [first, *_plan_search(contents, settings)]
    what = "extend" if old else "compute"
    why = "a new sound may match any other"
    return [first, Step("search", "compute", why), Step("verify", what, why)]


def _plan_search(contents: Contents, settings: Settings) -> list[Step]:
    """The steps after the fingerprints, where all of those are known."""
    sounds = known(contents, settings)
    keys = representatives(sounds, "sound_id")
    path = candidates_path(FINGERPRINT_ID, keys, settings)
    if not path.exists():
        why = "another set of sounds than before"
        return [Step("search", "compute", why), Step("verify", "extend", why)]
    pairs = _pairs(sounds, contents, read_candidates(path))
    searched = step("search", 0, len(keys), "sounds")
    return [searched, step("verify", unknown(VERIFY, pairs, settings), len(pairs), "pairs")]


def known(contents: Contents, settings: Settings) -> pd.DataFrame:
    """What is known of each content, without its patches; index: content id."""
    columns = [field for field in extract.SOUNDS if field.name not in ("vectors", "frames")]
    facts = settings.facts(FINGERPRINT.kind).read(
        pa.array(contents, pa.string()), pa.schema(columns)
    )
    sounds: pd.DataFrame = facts.to_pandas().set_index("key")
    # Contents with equal samples are one sound; one that could not be decoded stands for itself.
    sounds["sound_id"] = sounds["samples_id"].fillna(sounds.index.to_series())
    sounds["silent"] = sounds["silent"].fillna(False).astype(bool)
    return sounds


def prove(
    contents: Contents, sounds: pd.DataFrame, settings: Settings, log: StageLog
) -> pd.DataFrame:
    """Search, and verify every candidate; a row a pair and offset at which something was found."""
    keys = representatives(sounds, "sound_id")
    path = candidates_path(FINGERPRINT_ID, keys, settings)
    facts = settings.facts(FINGERPRINT.kind)
    search = partial(candidates.search, facts, keys, settings.processes)
    pairs = _pairs(sounds, contents, propose("search", path, len(keys), search, log))
    do(VERIFY, pairs, settings, log)
    names = pa.array(sorted(pairs), pa.string())
    proofs: pd.DataFrame = settings.facts(VERIFY.kind).read(names, compare.PROOFS).to_pandas()
    proofs = proofs[proofs["found"].astype(bool)].drop(columns="found")
    for side in ("a", "b"):
        content = [getattr(pairs[key], side).content_id for key in proofs["key"]]
        proofs[side] = sounds["sound_id"].reindex(content).to_numpy()
    return proofs.astype({"accepted": bool})


def _pairs(sounds: pd.DataFrame, contents: Contents, found: pa.Table) -> dict[str, Pair]:
    keys, seconds = representatives(sounds, "sound_id").to_pylist(), sounds["duration_s"].to_dict()
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


def matched(items: pa.Table, media: pa.Table, found: Found) -> pa.Table:
    """Return the matches between items."""
    facts = found.facts[["sound_id", "duration_s", "silent"]]
    members = matches.members(items, media, PART)
    members = members.merge(facts, left_on="content_id", right_index=True)
    relations = match_rows.relations(found.proofs, found.generic)
    proofs = match_rows.strongest(found.proofs.assign(relation=relations))
    names = match_rows.Names(FINGERPRINT_ID, verifier.NAME)
    return match_rows.expand(members, proofs, matches.labels(items), names)
