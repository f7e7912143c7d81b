"""Rows of a table as items."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit.dataset.columns import ATTRIBUTE, attribute_columns
from splitaudit.dataset.dataset import items_table
from splitaudit.schema import ITEMS


def make_items(items: pd.DataFrame, rows: pd.DataFrame, item_of_row: np.ndarray) -> pa.Table:
    """Return the items of a dataset, with the captions, labels and attributes of their rows.

    Parameters
    ----------
    items
        The first row of each, with `item_id`.
    rows
        All rows, as from `map_columns`.
    item_of_row
        Shape (rows,): the place in `items`.

    Returns
    -------
    table
        Schema ITEMS.
    """
    columns: dict[str, object] = {
        name: pa.array(items[name], ITEMS.field(name).type, from_pandas=True)
        for name in ("item_id", "split", "source", "start_s", "end_s")
    }
    columns["captions"] = _collect_texts(rows["caption"], item_of_row, len(items))
    columns["labels"] = _collect_texts(rows["label"], item_of_row, len(items))
    columns["attributes"] = _attributes(items)
    return items_table(columns)


def _collect_texts(cells: pd.Series, item_of_row: np.ndarray, count: int) -> pa.Array:
    """Return the texts of each item, in the order of rows, none twice."""
    texts = pd.DataFrame({"item": item_of_row, "text": cells}).explode("text").dropna()
    texts = texts.drop_duplicates().sort_values("item", kind="stable")
    counts = np.bincount(texts["item"].to_numpy(dtype=np.int64), minlength=count)
    return pa.ListArray.from_arrays(_offsets(counts), pa.array(texts["text"], pa.string()))


def _attributes(items: pd.DataFrame) -> pa.Array:
    names = attribute_columns(items)
    values = items[names].to_numpy(dtype=object)
    given = ~pd.isna(values)
    keys = np.broadcast_to(
        np.array([name.removeprefix(ATTRIBUTE) for name in names], dtype=object), values.shape
    )
    return pa.MapArray.from_arrays(
        _offsets(given.sum(axis=1)),
        pa.array(keys[given], pa.string()),
        pa.array(values[given], pa.string()),
    )


def _offsets(counts: np.ndarray) -> pa.Array:
    return pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
