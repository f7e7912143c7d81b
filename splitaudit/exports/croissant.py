"""Parquet files and croissant.json, which describes them in Croissant 1.0 of MLCommons.

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.engine.store import to_json
from splitaudit.exports import file_names, parquet_bytes, split_names, write
from splitaudit.exports.rows import flatten_attributes, join_metadata
from splitaudit.order import TEST, TRAIN, VAL, role

_FORMAT = "http://mlcommons.org/croissant/1.0"
_CROISSANT_TERMS = (
    "citeAs column equivalentProperty extract field fileObject fileProperty fileSet format "
    "includes isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated "
    "replace samplingRate separator source subField transform"
)
# Appendix 1 of the specification.
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
} | {term: f"cr:{term}" for term in _CROISSANT_TERMS.split()}
_SPLIT_TYPES = {TRAIN: "cr:TrainingSplit", VAL: "cr:ValidationSplit", TEST: "cr:TestSplit"}
_SPLITS = "splits"  # no file is called so, see `file_names`
_METADATA_FIELDS = {"license": "license", "url": "homepage"}  # theirs <- ours
_Json = dict[str, Any]


def export(
    items: pa.Table, media: pa.Table, splits: pa.Table, folder: Path, sidecar: dict[str, Any]
) -> list[Path]:
    """Write croissant.json, one Parquet file a split and split.json, and return their paths.

    Parameters
    ----------
    items, media
        Schemas ITEMS and MEDIA. Attributes become columns of text.
    splits
        Schema SPLITS. Dropped items stand in no file; split.json names them.
    folder
        As in `splitaudit.exports.write`.
    sidecar
        Likewise. Of its `dataset`, title, licence and homepage are told where they are known.

    Raises
    ------
    SplitauditError
        Where a split is called `all`, or the folder cannot be written.
    """
    files = file_names(split_names(splits, sidecar), ".parquet")
    rows = flatten_attributes(join_metadata(items, media, splits))
    of_split = {split: rows.filter(pc.equal(rows["split"], split)) for split in files}
    contents = {files[split]: parquet_bytes(table) for split, table in of_split.items()}
    description = {
        **_dataset_metadata(sidecar, {split: table.num_rows for split, table in of_split.items()}),
        "distribution": [_file_object(name, content) for name, content in contents.items()],
        "recordSet": [
            _split_record_set(files),
            *(_item_record_set(split, file, rows.schema) for split, file in files.items()),
        ],
    }
    described_first = {"croissant.json": to_json(description).encode(), **contents}
    return write(folder, described_first, sidecar, splits, files)


def _dataset_metadata(sidecar: Mapping[str, Any], counts: Mapping[str, int]) -> _Json:
    """Say what the dataset is. What is not known (author, date, version) is left out."""
    dataset = sidecar.get("dataset", {})
    name = dataset.get("name", "dataset")
    sizes = ", ".join(f"{count:,} in {split}" for split, count in counts.items())
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _FORMAT,
        "name": name,
        "description": f"{dataset.get('title', name)}, split by splitaudit: {sizes or 'no items'}.",
        **{theirs: dataset[ours] for theirs, ours in _METADATA_FIELDS.items() if dataset.get(ours)},
    }


def _file_object(name: str, content: bytes) -> _Json:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{len(content)} B",
        "encodingFormat": "application/x-parquet",
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _split_record_set(files: Mapping[str, str]) -> _Json:
    """Return the record set of the splits and what each is for."""
    name, url = f"{_SPLITS}/name", f"{_SPLITS}/url"
    return {
        "@type": "cr:RecordSet",
        "@id": _SPLITS,
        "name": _SPLITS,
        "dataType": "cr:Split",
        "key": {"@id": name},
        "field": [
            {"@type": "cr:Field", "@id": name, "name": "name", "dataType": "sc:Text"},
            # mlcroissant knows no field of cr:Split alone.
            {"@type": "cr:Field", "@id": url, "name": "url", "dataType": ["cr:Split", "sc:URL"]},
        ],
        "data": [{name: split, url: _SPLIT_TYPES.get(role(split))} for split in files],
    }


def _item_record_set(split: str, file: str, schema: pa.Schema) -> _Json:
    """Return the record set of the items of a split, a field a column."""
    own = file.removesuffix(".parquet")
    return {
        "@type": "cr:RecordSet",
        "@id": own,
        "name": split,
        "key": {"@id": f"{own}/id"},
        "field": [_field(f"{own}/{quote(x.name, safe='')}", file, x) for x in schema],
    }


def _field(identifier: str, file: str, column: pa.Field) -> _Json:
    field = {
        "@type": "cr:Field",
        "@id": identifier,
        "name": column.name,
        "dataType": "sc:Float" if pa.types.is_floating(column.type) else "sc:Text",
        "source": {"fileObject": {"@id": file}, "extract": {"column": column.name}},
    }
    if pa.types.is_list(column.type):
        field["repeated"] = True
    if column.name == "split":
        field["references"] = {"field": {"@id": f"{_SPLITS}/name"}}
    return field
