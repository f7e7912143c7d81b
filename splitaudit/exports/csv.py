"""One CSV of all items, `items.csv`, which `splitaudit scan` reads again as it is."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from splitaudit.exports import finish, write_bytes
from splitaudit.exports.parquet import described

_PLAIN = ("source", "start_s", "end_s", "clip_start_s", "clip_end_s")


def export(
    items: pa.Table, media: pa.Table, splits: pa.Table, folder: Path, sidecar: dict[str, Any]
) -> list[Path]:
    """Write items.csv and split.json, and return their paths.

    Several captions or labels of an item stand in their cell as a list in JSON.

    Parameters
    ----------
    items, media
        Schemas ITEMS and MEDIA.
    splits
        Schema SPLITS. Dropped items stand in no row; split.json names them.
    folder
        Made if need be.
    sidecar
        Seed, policy, digest; counts, files and dropped are added to it.

    Raises
    ------
    SplitauditError
        Where the folder cannot be written.
    """
    rows = described(items, media, splits).to_pylist()
    own = ["id", "split", "path", "caption", "label", *_PLAIN]
    attributes = {name for row in rows for name, _ in row["attributes"]}
    columns = [*own, *sorted(attributes - set(own))]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_line, rows))
    path = write_bytes(folder / "items.csv", text.getvalue().encode())
    return finish(folder, [path], {**sidecar, "table": path.name}, splits, {})


def _line(row: dict[str, Any]) -> dict[str, Any]:
    own = {name: row[name] for name in _PLAIN if row[name] is not None}
    own |= {"id": row["item_id"], "split": row["new_split"], "path": row["path"] or ""}
    own |= {"caption": _texts(row["captions"]), "label": _texts(row["labels"])}
    return dict(row["attributes"]) | own


def _texts(texts: list[str]) -> str:
    """The only text as it stands, several as a list in JSON."""
    alone = len(texts) == 1 and not texts[0].startswith("[")
    return texts[0] if alone else json.dumps(texts, ensure_ascii=False) if texts else ""
