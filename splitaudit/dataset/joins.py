"""Tables that tell more about items that other tables list, and what is made of their columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from splitaudit.dataset.columns import ATTRIBUTE, CONVERTERS, map_columns
from splitaudit.dataset.derived_columns import derive_columns, extract_part
from splitaudit.dataset.manifest import Attribute, ManifestTable, did_you_mean, nearest
from splitaudit.dataset.paths import encode_path
from splitaudit.dataset.rows import Problem
from splitaudit.dataset.table_readers import read_rows

LIST_COLUMNS = ("caption", "label")  # of these an item may have several
_RESERVED_COLUMNS = ["unit", "line", "id", "path"]


def join_table(
    frame: pd.DataFrame, table: ManifestTable, root: Path
) -> tuple[pd.DataFrame, list[Problem], list[str]]:
    """Fill the columns of items from a table that is joined by their id.

    Parameters
    ----------
    frame
        The rows of items, as from `load`.
    table
        One with a join.
    root
        The dataset's folder.

    Returns
    -------
    DataFrame, list, list
        The rows, what is wrong with the table, and sentences for the user.
    """
    assert table.join
    name = encode_path(table.path)
    rows = read_rows(root / table.path, table.format, name, table.layout)
    made = {**table.columns, "id": table.join.column}
    rows, columns = derive_columns(rows, made, table.layout.drop)
    more, problems = map_columns(rows, columns, ["id"], 'join = {{ {ours} = "{theirs}" }}')
    more = more.dropna(subset="id")
    more["id"] = more["id"].str.removesuffix(table.join.strip)
    known = more["id"].isin(set(frame["id"]))
    notes = []
    if not known.all():
        notes.append(f"{name}: {(~known).sum():,} of {len(more):,} rows name no item")
    return _coalesce(frame, more[known]), problems, notes


def _coalesce(frame: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Rows with what they lack themselves: of lists all, of others what the first row says."""
    grouped = more.groupby("id", sort=False)
    for column in more.columns.difference(_RESERVED_COLUMNS, sort=False):
        if more[column].isna().all():
            continue
        if column in LIST_COLUMNS:
            exploded = more[["id", column]].explode(column).dropna()
            told = exploded.groupby("id", sort=False)[column].agg(list)
        else:
            told = grouped[column].first()
        found = frame["id"].map(told)
        own = frame[column] if column in frame else pd.Series(None, frame.index, dtype=object)
        frame = frame.assign(**{column: own.where(own.notna(), found)})
    return frame.astype(object).where(frame.notna(), None)


def derive_attributes(
    frame: pd.DataFrame, attributes: Sequence[Attribute]
) -> tuple[pd.DataFrame, list[Problem]]:
    """Add the attributes that are parts of columns; return what is wrong."""
    problems = []
    for made in attributes:
        column = find_column(frame, made.column)
        if column is None:
            near = did_you_mean(nearest(made.column, frame.columns))
            problems.append(Problem("", 0, f"{made.name}: no column {made.column!r}{near}"))
            continue
        pattern = re.compile(made.pattern)
        found = [extract_part(pattern, cell) for cell in frame[column]]
        frame = frame.assign(**{ATTRIBUTE + made.name: pd.Series(found, frame.index, dtype=object)})
    return frame, problems


def find_column(frame: pd.DataFrame, name: str) -> str | None:
    """Return the column that holds one of our columns or an attribute; None where none does."""
    return next(
        (
            column
            for column in (name if name in CONVERTERS else "", ATTRIBUTE + name)
            if column in frame
        ),
        None,
    )
