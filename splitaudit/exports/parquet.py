"""One Parquet file a split, and the whole plan with the dropped items in splits.parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from splitaudit.exports import file_names, finish, write_whole
from splitaudit.schema import ITEMS, SPLITS, conform

_OF_MEDIUM = ["path", "clip_start_s", "clip_end_s"]
_OF_ITEM = [name for name in ITEMS.names if name not in ("item_id", "split")]
_OF_SPLIT = [name for name in SPLITS.names if name not in ("item_id", "new_split")]


def export(
    items: pa.Table, media: pa.Table, splits: pa.Table, folder: Path, sidecar: dict[str, Any]
) -> list[Path]:
    """Write one Parquet file a split, splits.parquet and split.json, and return their paths.

    Parameters
    ----------
    items, media
        Schemas ITEMS and MEDIA. Of an item with several media, the path and the stretch are those
        of the first by the name of its part.
    splits
        Schema SPLITS. splits.parquet holds all of it, also the dropped items.
    folder
        Made if need be. Nothing is written outside it, whatever the splits are called.
    sidecar
        Seed, policy, digest; counts, files and dropped are added to it.

    Raises
    ------
    SplitauditError
        Where the folder cannot be written.
    """
    splits = conform(splits, SPLITS).sort_by("item_id")
    rows = described(items, media, splits)
    files = file_names(sorted(rows["new_split"].unique().to_pylist()), ".parquet")
    written = [
        _write(folder / file, rows.filter(pc.equal(rows["new_split"], split)))
        for split, file in files.items()
    ]
    written.append(_write(folder / "splits.parquet", splits))
    return finish(folder, written, sidecar, splits, files)


def described(items: pa.Table, media: pa.Table, splits: pa.Table) -> pa.Table:
    """Return the plan with what is known of each item, dropped ones left out, sorted by id."""
    splits = conform(splits, SPLITS).filter(pc.is_valid(splits["new_split"])).sort_by("item_id")
    ids = splits["item_id"]
    item = items.take(pc.index_in(ids, items["item_id"]))
    # index_in finds the first row of an item.
    media = media.sort_by("part")
    medium = media.take(pc.index_in(ids, media["item_id"]))
    columns = {"item_id": ids}
    columns |= {name: medium[name] for name in _OF_MEDIUM}
    columns |= {name: item[name] for name in _OF_ITEM}
    columns |= {name: splits[name] for name in ["new_split", *_OF_SPLIT]}
    return pa.table(columns)


def _write(path: Path, rows: pa.Table) -> Path:
    return write_whole(path, lambda file: pq.write_table(rows, file))
