"""Pairs that could not be compared: a table of them, and a status for every medium that they hold.

Of such a pair nothing is known, which is not the same as nothing found.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from splitaudit import schema
from splitaudit.engine.contracts import Findings


def pairs(media: pa.Table, found: Mapping[str, Findings]) -> pa.Table:
    """Return the pairs that could not be compared: FAILED, a < b, sorted.

    Equal media are compared once, and named by their smallest item.

    Parameters
    ----------
    media
        With the content of each.
    found
        Part -> what was found. A pair that another of its verifiers accepted is decided.
    """
    of_parts = [_pairs_of_part(_members(media, part, of), of, part) for part, of in found.items()]
    rows = [schema.conform([], schema.FAILED), *(of.select(schema.FAILED.names) for of in of_parts)]
    return pa.concat_tables(rows).sort_by([("a", "ascending"), ("b", "ascending")])


def note(media: pa.Table, found: Mapping[str, Findings], failed: pa.Table) -> pa.Table:
    """Return `media` with a status and a reason where one could not be compared with another.

    Parameters
    ----------
    media, found
        As of `pairs`.
    failed
        What `pairs` returns.
    """
    frame, every = media.to_pandas(), failed.to_pandas()
    for part, of in found.items():
        reasons = _reasons(every[every["part"] == part])
        members = _members(media, part, of)
        named_by = members.groupby("same_id")["item_id"].transform("min").set_axis(members.index)
        told = named_by[named_by.isin(reasons.index) & frame["status"].isin(schema.AUDITED)]
        frame.loc[told.index, ["status", "error"]] = reasons.loc[told].to_numpy()
    return schema.conform(pa.Table.from_pandas(frame, schema.MEDIA, False), schema.MEDIA)


def _members(media: pa.Table, part: str, found: Findings) -> pd.DataFrame:
    """Items with a medium of a part, by their row in `media`: item_id and same_id."""
    held = media.select(["item_id", "part", "content_id"]).to_pandas()
    held = held[(held["part"] == part) & held["content_id"].isin(found.facts.index)]
    same = found.facts["same_id"].reindex(held["content_id"]).to_numpy()
    members: pd.DataFrame = held[["item_id"]].assign(same_id=same)
    return members


def _pairs_of_part(members: pd.DataFrame, found: Findings, part: str) -> pa.Table:
    failed = found.failed.drop_duplicates(["a", "b"])
    proven = found.proofs.loc[found.proofs["accepted"], ["a", "b"]].drop_duplicates()
    both = failed.merge(proven, on=["a", "b"], how="left", indicator=True)
    both = both[both["_merge"] == "left_only"]
    first = members.groupby("same_id")["item_id"].min()
    sides = pd.DataFrame({side: both[side].map(first) for side in "ab"}, dtype=object)
    rows = both.assign(a=sides.min(axis=1), b=sides.max(axis=1), part=part)
    table = pa.Table.from_pandas(rows[schema.FAILED.names], schema.FAILED, preserve_index=False)
    return schema.conform(table, schema.FAILED)


def _reasons(failed: pd.DataFrame) -> pd.DataFrame:
    """Status and error of each item that a pair names."""
    turned = failed.rename(columns={"a": "b", "b": "a"})
    by = pd.concat([failed, turned]).sort_values(["a", "b"]).groupby("a")
    told = by.first().assign(others=by.size() - 1)
    told["error"] = [_sentence(row) for row in told.to_dict("records")]
    said: pd.DataFrame = told[["status", "error"]]
    return said


def _sentence(row: dict[Hashable, Any]) -> str:
    others = f" and {row['others']:,} more" if row["others"] else ""
    return f"not compared with {row['b']}{others}: {row['error']}"
