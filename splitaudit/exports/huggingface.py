"""A folder that `datasets.load_dataset` of Hugging Face reads: Parquet files and a README."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.errors import SplitauditError
from splitaudit.exports import file_names, parquet_bytes, split_names, write
from splitaudit.exports.rows import flatten_attributes, join_metadata

_NAME = re.compile(r"\w+(\.\w+)*")  # as `datasets.naming` has it
_SPLIT_NAMES = {"val": "validation"}


def export(
    items: pa.Table, media: pa.Table, splits: pa.Table, folder: Path, sidecar: dict[str, Any]
) -> list[Path]:
    """Write README.md, data/SPLIT-00000-of-00001.parquet and split.json, and return their paths.

    Parameters
    ----------
    items, media
        Schemas ITEMS and MEDIA. Attributes become columns of text.
    splits
        Schema SPLITS. Dropped items stand in no file; split.json names them.
    folder, sidecar
        As in `splitaudit.exports.write`.

    Raises
    ------
    SplitauditError
        Where a split bears a name that `datasets` cannot read, before anything is written; or
        where the folder cannot be written.
    """
    names = _names(split_names(splits, sidecar))
    rows = flatten_attributes(join_metadata(items, media, splits))
    # One split without items keeps `datasets` from reading any: huggingface/datasets#8401.
    held = [split for split in names if split in rows["split"].unique().to_pylist()]
    stems = file_names([names[split] for split in held], "-00000-of-00001.parquet")
    files = {split: f"data/{stems[names[split]]}" for split in held}
    contents = {"README.md": _readme({names[split]: file for split, file in files.items()})}
    for split, file in files.items():
        of_split = rows.filter(pc.equal(rows["split"], split))
        contents[file] = parquet_bytes(of_split.drop_columns("split"))
    return write(folder, contents, sidecar, splits, files)


def _names(splits: Iterable[str]) -> dict[str, str]:
    """Return the name that each split has in `datasets`."""
    names = {split: _SPLIT_NAMES.get(split, split) for split in splits}
    for split, name in names.items():
        if not _NAME.fullmatch(split):
            raise SplitauditError(
                f"a split cannot be called {split!r} in a Hugging Face dataset: letters, digits, "
                "'_' and inner dots only"
            )
        if name != split and name in names:
            raise SplitauditError(
                f"the splits {split!r} and {name!r} would both be called {name!r} in a Hugging "
                "Face dataset"
            )
    return names


def _readme(files: dict[str, str]) -> bytes:
    lines = ["---", "configs:", "- config_name: default", "  data_files:"]
    for name, file in files.items():
        lines += [f"  - split: {json.dumps(name)}", f"    path: {json.dumps(file)}"]
    return "\n".join([*lines, "---", "", "Split by splitaudit; see split.json.", ""]).encode()
