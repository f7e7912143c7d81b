"""One Parquet file a split, and the whole plan with the dropped items in splits.parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.exports import file_names, parquet_bytes, split_names, write
from splitaudit.exports.rows import join_metadata
from splitaudit.schema import SPLITS, conform


def export(
    items: pa.Table, media: pa.Table, splits: pa.Table, folder: Path, sidecar: dict[str, Any]
) -> list[Path]:
    """Write one Parquet file a split, splits.parquet and split.json, and return their paths.

    Parameters
    ----------
    items, media
        Schemas ITEMS and MEDIA.
    splits
        Schema SPLITS. splits.parquet holds all of it, also the dropped items.
    folder, sidecar
        As in `splitaudit.exports.write`.

    Raises
    ------
    SplitauditError
        Where a split is called `all`, or the folder cannot be written.
    """
    splits = conform(splits, SPLITS).sort_by("item_id")
    files = file_names(split_names(splits, sidecar), ".parquet")
    rows = join_metadata(items, media, splits)
    contents = {
        file: parquet_bytes(rows.filter(pc.equal(rows["new_split"], split)))
        for split, file in files.items()
    }
    contents["splits.parquet"] = parquet_bytes(splits)
    return write(folder, contents, sidecar, splits, files)
