"""One list a split, `train.txt`, with one item id a line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa

from splitaudit.errors import SplitauditError
from splitaudit.exports import file_names, split_names, write

# What a reader of lines would take for another id; U+FEFF at the start is a byte order mark.
_UNLISTABLE = re.compile(r"[\n\r]|\A\ufeff|\A\Z")


def export(
    items: pa.Table, media: pa.Table, splits: pa.Table, folder: Path, sidecar: dict[str, Any]
) -> list[Path]:
    """Write one list a split and split.json, and return their paths.

    Parameters
    ----------
    items, media
        Not needed: a list holds ids only.
    splits
        Schema SPLITS. Dropped items stand in no list; split.json names them.
    folder, sidecar
        As in `splitaudit.exports.write`.

    Raises
    ------
    SplitauditError
        Where an id cannot stand on a line of its own or a split is called `all`, before anything
        is written; or where the folder cannot be written.
    """
    files = file_names(split_names(splits, sidecar), ".txt")
    rows = splits.select(["item_id", "new_split"]).sort_by("item_id").to_pandas().dropna()
    _check_ids(rows["item_id"].tolist())
    ids = rows.groupby("new_split")["item_id"].agg(list).to_dict()
    contents = {file: _lines(ids.get(split, [])) for split, file in files.items()}
    return write(folder, contents, sidecar, splits, files)


def _check_ids(item_ids: list[str]) -> None:
    for item_id in filter(_UNLISTABLE.search, item_ids):
        raise SplitauditError(
            f"the id {item_id!r} cannot stand on a line of a list; export to Parquet instead"
        )


def _lines(item_ids: list[str]) -> bytes:
    return "".join(f"{item_id}\n" for item_id in item_ids).encode()
