"""The keys of a table: what they are made of, and what of them joins items."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from splitaudit.dataset.columns import ATTRIBUTE, attribute_columns
from splitaudit.dataset.file_kinds import names_and_stems
from splitaudit.dataset.manifest import did_you_mean, nearest
from splitaudit.dataset.rows import Problem
from splitaudit.metadata import keys
from splitaudit.metadata.keys import Key
from splitaudit.schema import EDGES, conform


def key_columns(items: pd.DataFrame, table: pa.Table) -> pd.DataFrame:
    """Return what keys are made of: a row an item, columns by the names that users know."""
    own = items[["item_id", "id", "source"]].assign(
        caption=table["captions"].to_pylist(), label=table["labels"].to_pylist()
    )
    named = {name: name.removeprefix(ATTRIBUTE) for name in attribute_columns(items)}
    files = pd.DataFrame(names_and_stems(items["path"]), items.index, dtype=object)
    facts = pd.concat([files, items[list(named)].rename(columns=named), own], axis=1)
    return facts.loc[:, ~facts.columns.duplicated(keep="last")].reset_index(drop=True)


def keys_without_columns(declared: Sequence[Key], rows: pd.DataFrame) -> list[Problem]:
    """Return the keys that name a column which is not there, as problems."""
    known = {"id", "source", "caption", "label", "file_name", "stem"}
    known |= {name.removeprefix(ATTRIBUTE) for name in attribute_columns(rows)}
    return [
        Problem("", 0, f"key {key.name}: no column {name!r}{did_you_mean(nearest(name, known))}")
        for key in declared
        for name in (*key.columns, *key.within)
        if name not in known
    ]


def memberships(items: pd.DataFrame, facts: pd.DataFrame, joining: Sequence[Key]) -> pa.Table:
    """Return which items have which values; the first key is the id, of items in several splits."""
    shared_id, *others = joining
    found = [keys.memberships(facts, key) for key in others if not key.within]
    return pa.concat_tables([keys.memberships(_shared(items, facts), shared_id), *found])


def placeholder_notes(
    items: pd.DataFrame, facts: pd.DataFrame, joining: Sequence[Key]
) -> list[str]:
    """Return which values stand for missing ones, key by key."""
    shared_id, *others = joining
    found = [keys.notes(_shared(items, facts), shared_id)]
    return [
        note for notes in (*found, *(keys.notes(facts, key) for key in others)) for note in notes
    ]


def _shared(items: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """The facts of items whose id stands in several splits."""
    return facts[items["shared"].to_numpy()]


def links(facts: pd.DataFrame, declared: Sequence[Key]) -> pa.Table:
    """Return the edges of keys that join neighbours."""
    found = [keys.edges(facts, key) for key in declared if key.within]
    return pa.concat_tables([conform([], EDGES), *found])
