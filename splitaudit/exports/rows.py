"""What an export tells of each item."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.schema import ITEMS, SPLITS, conform

_MEDIUM_COLUMNS = ["path", "clip_start_s", "clip_end_s"]
_ITEM_COLUMNS = [name for name in ITEMS.names if name not in ("item_id", "split")]
_SPLIT_COLUMNS = [name for name in SPLITS.names if name not in ("item_id", "new_split")]
_FLAT_NAMES = {"item_id": "id", "new_split": "split"} | {
    name: name
    for name in ["path", "captions", "labels", "source", "start_s", "end_s", *_MEDIUM_COLUMNS[1:]]
}


def join_metadata(items: pa.Table, media: pa.Table, splits: pa.Table) -> pa.Table:
    """Return the plan with what is known of each item, dropped ones left out, sorted by id.

    Parameters
    ----------
    items, media, splits
        Schemas ITEMS, MEDIA and SPLITS. Of an item with several media, the path and the stretch
        are those of the first by the name of its part.
    """
    splits = conform(splits, SPLITS).filter(pc.is_valid(splits["new_split"])).sort_by("item_id")
    ids = splits["item_id"]
    item = items.take(pc.index_in(ids, items["item_id"]))
    # index_in finds the first row of an item.
    media = media.sort_by("part")
    medium = media.take(pc.index_in(ids, media["item_id"]))
    columns = {"item_id": ids}
    columns |= {name: medium[name] for name in _MEDIUM_COLUMNS}
    columns |= {name: item[name] for name in _ITEM_COLUMNS}
    columns |= {name: splits[name] for name in ["new_split", *_SPLIT_COLUMNS]}
    return pa.table(columns)


def flatten_attributes(rows: pa.Table) -> pa.Table:
    """Return rows of `join_metadata` under the names that a target has, an attribute a column.

    Columns id, split, path, captions, labels and so on, as any reader of tables takes them.
    """
    columns = {name: rows[ours] for ours, name in _FLAT_NAMES.items()}
    held = [dict(pairs or ()) for pairs in rows["attributes"].to_pylist()]
    for name in sorted({name for pairs in held for name in pairs} - set(columns)):
        columns[name] = pa.array([pairs.get(name) for pairs in held], pa.string())
    return pa.table(columns)
