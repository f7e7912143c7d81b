"""The schema of every table, and `conform`, through which each table passes before it is written.

Tables are Arrow tables at one of the grains below. Times are seconds of the item's own medium,
counted from its start (so from `clip_start_s` where only a stretch of a file belongs to it).
"""

from __future__ import annotations

import pyarrow as pa

# (item, check) is in exactly one of these states. OK and DEGENERATE count as audited.
OK = "ok"
DEGENERATE = "degenerate"  # silence, a steady tone: looked at, nothing in it that could be matched
TRUNCATED = "truncated"  # only a part could be read; that part was searched
MISSING = "missing"
UNREADABLE = "unreadable"
UNSUPPORTED = "unsupported"
ERROR = "error"
UNDECIDED = "undecided"  # read, but not compared with all that may be its copy
STATUSES = (OK, DEGENERATE, TRUNCATED, MISSING, UNREADABLE, UNSUPPORTED, ERROR, UNDECIDED)
AUDITED = (OK, DEGENERATE)

# What can be asked of an item: its media, and what is written about it.
CAPTIONS, KEYS = "captions", "keys"
METADATA_CHECKS = (CAPTIONS, KEYS)
MEDIA_PARTS = ("audio", "image", "video")
CHECKS = ("audio", "video", "image", *METADATA_CHECKS)
ONE_PATH = "path-v1"  # what proves that items which name one file are copies, whatever is asked
CAPTION = "caption"  # before a colon, in the key of captions that are equal

# From hard to soft.
EXACT = "exact"
NEAR_DUPLICATE = "near_duplicate"
OVERLAP = "overlap"
SHARED_MATERIAL = "shared_material"
SIMILAR = "similar"  # compared and not accepted: another shot of one scene, or too little to prove
SAME_SOURCE = "same_source"
SAME_SETUP = "same_setup"
SAME_CAPTION = "same_caption"
KEY_RELATIONS = (SAME_SOURCE, SAME_SETUP, SAME_CAPTION)
LEAK_RELATIONS = (EXACT, NEAR_DUPLICATE, OVERLAP)

_text, _float = pa.string(), pa.float64()

ITEMS = pa.schema(
    {
        "item_id": _text,
        "split": _text,
        "source": _text,
        "start_s": _float,  # the item's place in its source, not in its file
        "end_s": _float,
        "captions": pa.list_(_text),
        "labels": pa.list_(_text),
        "attributes": pa.map_(_text, _text),
    }
)
MEDIA = pa.schema(
    {
        "item_id": _text,
        "part": _text,  # audio, video, image
        "modality": _text,
        "path": _text,  # absolute; odd bytes as \xNN, see splitaudit.dataset.paths
        "clip_start_s": _float,  # the stretch of the file that belongs to the item; null: all
        "clip_end_s": _float,
        "content_id": _text,
        "duration_s": _float,
        "width": pa.int32(),
        "height": pa.int32(),
        "sample_rate": pa.int32(),
        "channels": pa.int32(),
        "bit_depth": pa.int32(),
        "lossless": pa.bool_(),
        "status": _text,
        "error": _text,
    }
)
MATCHES = pa.schema(
    {
        "a": _text,  # a < b
        "b": _text,
        "part": _text,
        "relation": _text,
        "score": _float,
        "expect": _float,
        "fingerprint": _text,
        "verifier": _text,
        "a_start": _float,
        "a_end": _float,
        "b_start": _float,
        "b_end": _float,
        "coverage_a": _float,
        "coverage_b": _float,
        "tempo": _float,  # seconds of a for a second of b
        "pitch": _float,  # frequency in b over that in a
        "homography": pa.list_(_float),  # of pictures: from a to b, by rows; edges at -1 and 1
        "transform": _text,
        "n_equivalent": pa.int64(),  # pairs of items this row stands for, itself included
        "label_conflict": pa.bool_(),
        "accepted": pa.bool_(),
    }
)
FAILED = pa.schema(  # pairs that could not be compared
    {"a": _text, "b": _text, "part": _text, "status": _text, "error": _text}
)
MEMBERSHIPS = pa.schema({"item_id": _text, "key": _text, "value": _text, "relation": _text})
EDGES = pa.schema(
    {
        "a": _text,
        "b": _text,
        "policy": _text,
        "reason": _text,
        "weight": _float,
        "cut": pa.bool_(),
    }
)
GROUPS = pa.schema({"item_id": _text, "policy": _text, "group_id": _text, "size": pa.int64()})
SPLITS = pa.schema(
    {
        "item_id": _text,
        "group_id": _text,
        "old_split": _text,
        "new_split": _text,  # null where dropped
        "action": _text,  # kept, moved, dropped
        "reason": _text,
    }
)
DEDUP = pa.schema(
    {
        "item_id": _text,
        "group_id": _text,
        "split": _text,
        "action": _text,  # kept, dropped
        "stands_for": _text,  # the kept item that stands for a dropped one
        "reason": _text,
    }
)


def conform(rows: pa.Table | list[dict[str, object]], schema: pa.Schema) -> pa.Table:
    """Return `rows` with exactly the columns and types of `schema`.

    Parameters
    ----------
    rows
        A table, or one dictionary a row. Columns not given become null.
    schema
        One of this module.

    Raises
    ------
    ValueError
        Where `rows` has a column that `schema` lacks: it would be lost silently.
    """
    if isinstance(rows, list):
        unknown = {name for row in rows for name in row} - set(schema.names)
        if unknown:
            raise ValueError(f"columns not in the schema: {sorted(unknown)}")
        return pa.Table.from_pylist(rows, schema=schema)
    unknown = set(rows.column_names) - set(schema.names)
    if unknown:
        raise ValueError(f"columns not in the schema: {sorted(unknown)}")
    columns = [
        rows[field.name].cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
