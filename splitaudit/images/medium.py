"""Pictures of a dataset: fingerprinted, searched, compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa

from splitaudit import schema
from splitaudit.engine import matches
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
from splitaudit.images import match_rows as rows
from splitaudit.images.fingerprint import extract, features
from splitaudit.images.fingerprint.gradients import Gradient
from splitaudit.images.fingerprint.hash import ImageHash
from splitaudit.images.search import candidates
from splitaudit.images.verify import proofs
from splitaudit.images.verify.pairs import to_compare
from splitaudit.images.verify.photographs import compare as large
from splitaudit.images.verify.photographs import exposure as photographs
from splitaudit.images.verify.thumbnails import compare as small
from splitaudit.images.verify.thumbnails import exposure as thumbnails

PART = rows.PART
FINGERPRINT_ID = "-".join(
    [*(f"{kind.name}-v{kind.version}" for kind in (ImageHash, Gradient)), features.NAME]
)
FINGERPRINT = Stage(
    "fingerprint pictures",
    f"fingerprints/{FINGERPRINT_ID}",
    extract.fingerprint,
    extract.lost_fingerprint,
    2e7,
)
PIXELS = Stage(
    "pixels",
    f"pixels/{FINGERPRINT_ID}",
    extract.identify,
    extract.lost_identify,
    1e7,
)
SEARCH = "search pictures"
SEARCH_ID = f"{candidates.NAME}-{FINGERPRINT_ID}"
SMALL = Stage(
    "verify small pictures",
    f"proofs/{thumbnails.NAME}-{FINGERPRINT_ID}",
    small.verify,
    proofs.lost_verify,
    2e7,
    most=8_192,
)
LARGE = Stage(
    "verify pictures",
    f"proofs/{photographs.NAME}-{FINGERPRINT_ID}",
    large.verify,
    proofs.lost_verify,
    1e7,
)


@dataclass(frozen=True)
class Found:
    """What is known of the pictures of a dataset.

    Parameters
    ----------
    facts
        Of each content, see `known`.
    proofs
        Of pairs, see `prove`.
    """

    facts: pd.DataFrame
    proofs: pd.DataFrame


def scan(contents: Contents, settings: Settings, log: StageLog) -> Found:
    """Fingerprint pictures, search, and verify what was found."""
    do(FINGERPRINT, contents, settings, log)
    do(PIXELS, _perhaps_equal(contents, settings), settings, log)
    facts = known(contents, settings)
    return Found(facts, prove(contents, facts, settings, log))


def plan(contents: Contents, unread: int, settings: Settings) -> list[Step]:
    """Say what `scan` would do; of `unread` pictures the bytes are not known yet."""
    pictures = unread + len(contents)
    old = len(contents) - unknown(FINGERPRINT, contents, settings)
    first = step(FINGERPRINT.name, pictures - old, pictures, "pictures")
    what, why = ("extend" if old else "compute"), "a new picture may match any other"
    if old < pictures:
        return [first, Step(SEARCH, what, why), Step(LARGE.name, what, why)]
    keys = representatives(known(contents, settings), "same_id")
    path = candidates_path(SEARCH_ID, keys, settings)
    if not path.exists():
        why = "another set of pictures than before"
        return [first, Step(SEARCH, "compute", why), Step(LARGE.name, "extend", why)]
    found = read_candidates(path)
    pairs = to_compare(keys, found, settings.facts(FINGERPRINT.kind), contents)
    new = unknown(SMALL, pairs.small, settings) + unknown(LARGE, pairs.large, settings)
    total = len(pairs.small) + len(pairs.large)
    searched = step(SEARCH, 0, len(keys), "pictures")
    return [first, searched, step(LARGE.name, new, total, "pairs")]


def _perhaps_equal(contents: Contents, settings: Settings) -> Contents:
    """The pictures that must be read at their size to tell whether they equal another."""
    pictures = _facts(contents, settings)
    read = pictures["status"].isin([schema.OK, schema.TRUNCATED])
    keys = pa.array(sorted(pictures.index[read]), pa.string())
    perhaps = candidates.perhaps_equal(settings.facts(FINGERPRINT.kind), keys).to_pandas()
    looked_at = pictures.loc[keys.to_pandas()[perhaps], "pixels_id"]
    return {name: contents[name] for name in looked_at.index[looked_at.isna()]}


def _facts(contents: Contents, settings: Settings) -> pd.DataFrame:
    names = ("key", "pixels_id", "width", "height", "status", "error")
    columns = pa.schema([extract.PICTURES.field(name) for name in names])
    facts = settings.facts(FINGERPRINT.kind).read(pa.array(contents, pa.string()), columns)
    pictures: pd.DataFrame = facts.to_pandas().set_index("key")
    return pictures


def known(contents: Contents, settings: Settings) -> pd.DataFrame:
    """What is known of each content, without its fingerprints; index: content id."""
    pictures = _facts(contents, settings)
    later = settings.facts(PIXELS.kind).read(pa.array(contents, pa.string()), extract.PIXELS)
    read_whole = later.to_pandas().set_index("key")["pixels_id"]
    pixels = pictures["pixels_id"].fillna(read_whole.reindex(pictures.index))
    # Contents with equal pixels are one picture; one that is not known whole stands for itself.
    pictures["same_id"] = pixels.fillna(pictures.index.to_series())
    return pictures


def prove(
    contents: Contents, pictures: pd.DataFrame, settings: Settings, log: StageLog
) -> pd.DataFrame:
    """Search, and verify every candidate; a row a pair of pictures at which something was found."""
    keys, facts = representatives(pictures, "same_id"), settings.facts(FINGERPRINT.kind)
    path = candidates_path(SEARCH_ID, keys, settings)
    found = propose(SEARCH, path, len(keys), partial(candidates.search, facts, keys), log)
    pairs = to_compare(keys, found, facts, contents)
    seen_small = _proven(SMALL, pairs.small, settings, log).assign(verifier=thumbnails.NAME)
    seen_large = _proven(LARGE, pairs.large, settings, log).assign(verifier=photographs.NAME)
    rows = pd.concat([seen_small, seen_large], ignore_index=True)
    sides = rows["key"].str.split(" ", expand=True)
    for at, side in enumerate(("a", "b")):
        rows[side] = pictures["same_id"].reindex(sides[at]).to_numpy() if len(rows) else None
    return rows.astype({"accepted": bool, "similar": bool})


def _proven(
    stage: Stage, pairs: Mapping[str, Any], settings: Settings, log: StageLog
) -> pd.DataFrame:
    if pairs:
        do(stage, pairs, settings, log)
    names = pa.array(sorted(pairs), pa.string())
    facts: pd.DataFrame = settings.facts(stage.kind).read(names, proofs.PROOFS).to_pandas()
    return facts[facts["found"].astype(bool)].drop(columns="found")


def matched(items: pa.Table, media: pa.Table, found: Found) -> pa.Table:
    """Return the matches between items."""
    facts = found.facts[["same_id", "status"]]
    members = matches.members(items, media, PART)
    members = members.merge(facts, left_on="content_id", right_index=True)
    return rows.expand(members, found.proofs, matches.labels(items), FINGERPRINT_ID)
