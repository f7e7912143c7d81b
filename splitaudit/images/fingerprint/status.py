"""What becomes of a picture, once every fingerprint has had its say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit import schema
from splitaudit.engine.stages import Settings
from splitaudit.images.fingerprint.contract import VOTES
from splitaudit.images.fingerprint.extract import CODES, kind_of

FLAT = "a flat picture: nothing in it to compare"
ODD_LENGTH = "a code of another length than for most pictures"
NOT_TAKEN = "changed during the scan: run it again"  # read once, and not for this fingerprint
OUT_OF_REACH = "no fingerprint that was chosen is for pictures of this size"


def assign_status(
    pictures: pd.DataFrame, fingerprints: Sequence[Any], settings: Settings
) -> pd.DataFrame:
    """Return pictures with the status that they deserve.

    Parameters
    ----------
    pictures
        Index: content id. Columns width, height, status, error, as they were read.
    fingerprints
        All that were chosen. One that failed makes the picture an `error`. Where all of those that
        are of whole pictures see nothing in it, it is `degenerate`; local features decide that
        only by themselves.
    settings
        Where the facts lie.
    """
    facts = [_read_status(of, pictures, settings) for of in fingerprints]
    found = pictures
    for said in facts:
        found = _set_status(found, said["status"] == schema.ERROR, schema.ERROR, said["error"])
    whole = [said for said, of in zip(facts, fingerprints, strict=True) if of.metric != VOTES]
    found = _set_status(found, _nothing_seen(whole or facts), schema.DEGENERATE, FLAT)
    short = pictures[["width", "height"]].min(axis=1)
    reached = [short.between(*of.short_sides) for of in fingerprints]
    return _set_status(found, ~np.any(reached, axis=0), schema.UNSUPPORTED, OUT_OF_REACH)


def _nothing_seen(facts: Sequence[pd.DataFrame]) -> Any:
    """Which pictures were described, and nothing was seen in them."""
    flat = [said["status"] == schema.DEGENERATE for said in facts]
    seen = [said["status"].isin([schema.OK, schema.ERROR]) for said in facts]
    return np.any(flat, axis=0) & ~np.any(seen, axis=0)


def _set_status(pictures: pd.DataFrame, which: Any, status: str, error: Any) -> pd.DataFrame:
    """Say something of pictures that were read without fault."""
    rows = np.asarray(which, bool) & (pictures["status"] == schema.OK).to_numpy()
    said = pictures.copy()
    said.loc[rows, "status"] = status
    said.loc[rows, "error"] = error[rows] if isinstance(error, pd.Series) else error
    return said


def _read_status(of: Any, pictures: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Status and error of a fingerprint; without codes, or with another length than most: error."""
    keys = pa.array(pictures.index, pa.string())
    columns = pa.schema([CODES.field(name) for name in ("key", "status", "error", "told", "many")])
    table = settings.facts(kind_of(of)).read(keys, columns)
    taken = table.to_pandas().set_index("key")
    facts: pd.DataFrame = taken.reindex(pictures.index)
    missing = ~facts.index.isin(taken.index)
    facts.loc[missing, ["status", "error"]] = schema.ERROR, f"{of.name}: {NOT_TAKEN}"
    if of.metric != VOTES:
        length = facts["many"] / facts["told"].str.len()
        odd = length.notna() & (length != length.mode().max())
        facts.loc[odd, ["status", "error"]] = schema.ERROR, f"{of.name} gave {ODD_LENGTH}"
    return facts
