"""One CSV of all items, `items.csv`, which `splitaudit scan` reads again as it is."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from splitaudit.exports import write
from splitaudit.exports.rows import flatten_attributes, join_metadata

_TABLE = "items.csv"
_NAMES = {"captions": "caption", "labels": "label"}


def export(
    items: pa.Table, media: pa.Table, splits: pa.Table, folder: Path, sidecar: dict[str, Any]
) -> list[Path]:
    """Write items.csv and split.json, and return their paths.

    Several captions or labels of an item stand in their cell as a list in JSON.

    Parameters
    ----------
    items, media
        Schemas ITEMS and MEDIA. Attributes become columns.
    splits
        Schema SPLITS. Dropped items stand in no row; split.json names them.
    folder, sidecar
        As in `splitaudit.exports.write`.

    Raises
    ------
    SplitauditError
        Where a split is called `all`, or the folder cannot be written.
    """
    rows = flatten_attributes(join_metadata(items, media, splits)).rename_columns(_NAMES)
    text = _to_csv(rows, csv.QUOTE_MINIMAL)
    if "\r" in text:  # alone, it is quoted from Python 3.13 on only
        text = _to_csv(rows, csv.QUOTE_ALL)
    return write(folder, {_TABLE: text.encode()}, {**sidecar, "table": _TABLE}, splits, {})


def _to_csv(rows: pa.Table, quoting: Literal[0, 1]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=quoting)
    writer.writerow(rows.column_names)
    writer.writerows(zip(*map(_cells, rows.columns), strict=True))
    return text.getvalue()


def _cells(column: pa.ChunkedArray) -> list[Any]:
    values: list[Any] = column.to_pylist()
    return list(map(_texts, values)) if pa.types.is_list(column.type) else values


def _texts(texts: list[str] | None) -> str:
    """The only text as it stands, several as a list in JSON."""
    if not texts:
        return ""
    alone = len(texts) == 1 and not texts[0].startswith("[")
    return texts[0] if alone else json.dumps(texts, ensure_ascii=False)
