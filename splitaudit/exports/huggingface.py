"""A folder that `datasets.load_dataset` of Hugging Face reads: Parquet files and a README."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from splitaudit.errors import SplitauditError
from splitaudit.exports import finish, write_bytes
from splitaudit.exports.parquet import described

_TAKEN = "all"  # load_dataset(..., split="all") means every split
_NAME = re.compile(r"\w+(\.\w+)*", re.ASCII)
_VALIDATION = "val"
_COLUMNS = {"item_id": "id", "path": "path", "captions": "captions", "labels": "labels"}
_PLAIN = ("source", "start_s", "end_s", "clip_start_s", "clip_end_s")


def export(
    items: pa.Table, media: pa.Table, splits: pa.Table, folder: Path, sidecar: dict[str, Any]
) -> list[Path]:
    """Write data/SPLIT-00000-of-00001.parquet, README.md and split.json, and return their paths.

    Parameters
    ----------
    items, media
        Schemas ITEMS and MEDIA. Attributes become columns of text.
    splits
        Schema SPLITS. Dropped items stand in no file; split.json names them.
    folder
        Made if need be.
    sidecar
        Seed, policy, digest; counts, files and dropped are added to it.

    Raises
    ------
    SplitauditError
        Where a split bears a name that `datasets` cannot read, before anything is written; or
        where the folder cannot be written.
    """
    rows = described(items, media, splits)
    names = {name: _name(name) for name in sorted(rows["new_split"].unique().to_pylist())}
    files = {split: f"data/{name}-00000-of-00001.parquet" for split, name in names.items()}
    table = _flat(rows)
    written = []
    for split, file in files.items():
        content = io.BytesIO()
        pq.write_table(table.filter(pc.equal(rows["new_split"], split)), content)
        written.append(write_bytes(folder / file, content.getvalue()))
    readme = _readme({names[split]: file for split, file in files.items()})
    written.append(write_bytes(folder / "README.md", readme.encode()))
    return finish(folder, written, sidecar, splits, files)


def _name(split: str) -> str:
    """The name of a split as `datasets` knows it."""
    if split == _TAKEN:
        raise SplitauditError(
            "a split cannot be called 'all' in a Hugging Face dataset, where that means all splits"
        )
    if not _NAME.fullmatch(split):
        raise SplitauditError(
            f"a split cannot be called {split!r} in a Hugging Face dataset: letters, digits, '_' "
            "and inner dots only"
        )
    return "validation" if split == _VALIDATION else split


def _flat(rows: pa.Table) -> pa.Table:
    """Columns by plain names, a column an attribute."""
    columns = {name: rows[ours] for ours, name in _COLUMNS.items()}
    columns |= {name: rows[name] for name in _PLAIN}
    held = [dict(pairs) for pairs in rows["attributes"].to_pylist()]
    for name in sorted({name for pairs in held for name in pairs} - set(columns)):
        columns[name] = pa.array([pairs.get(name) for pairs in held], pa.string())
    return pa.table(columns)


def _readme(files: dict[str, str]) -> str:
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    for name, file in files.items():
        lines += [f"  - split: {json.dumps(name)}", f"    path: {json.dumps(file)}"]
    return "\n".join([*lines, "---", "", "Split by splitaudit; see split.json.", ""])
