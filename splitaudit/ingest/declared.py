"""A manifest as a dataset: its tables, and the template that finds each item's sound."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from splitaudit.errors import SplitauditError
from splitaudit.ingest.columns import ATTRIBUTE, CELLS, attribute_columns, load, problems_at
from splitaudit.ingest.dataset import CAPTIONS, Dataset, IngestOptions, split_name
from splitaudit.ingest.files import AUDIO
from splitaudit.ingest.joined import attach, derive
from splitaudit.ingest.paths import encode_path
from splitaudit.ingest.readers import Problem, read_rows
from splitaudit.ingest.table import Declared, build
from splitaudit.manifest import (
    PLACEHOLDER,
    Manifest,
    ManifestTable,
    did_you_mean,
    leaves_root,
    nearest,
    read_manifest,
    shipped,
)

_PLACES = ("id", "split", "source")  # what a template may name besides attributes


def from_manifest(file: Path, options: IngestOptions, *, confined: bool) -> Dataset:
    """Read a manifest and the tables it names.

    Parameters
    ----------
    file
        The manifest.
    options
        Its `root`; else ``$SPLITAUDIT_DATA/<name>``, else the manifest's folder.
    confined
        True for a shipped manifest, which reads nothing outside the root.

    Raises
    ------
    InputError
        Every fault of the manifest at once, or every fault of its tables.
    SplitauditError
        Where a table is not there.
    """
    manifest = read_manifest(file, confined=confined)
    root = root_of(manifest, options.root, file.parent)
    listing = [table for table in manifest.tables if not table.join]
    missing = [table.path for table in listing if not (root / table.path).is_file()]
    if missing:
        names = ", ".join(map(encode_path, missing))
        raise SplitauditError(
            f"{manifest.name}: {names} not found in {encode_path(str(root))}; name the folder "
            f"of the dataset with --root, or set SPLITAUDIT_DATA to the folder above it"
        )
    frames, problems = [], []
    for table in listing:
        frame, found = _rows(manifest, table, root)
        frames.append(frame)
        problems += found
    frame = pd.concat(frames, ignore_index=True).astype(object)
    frame = frame.where(frame.notna(), None)
    frame, found, notes = _with_joined(frame, manifest, root)
    return build(
        root,
        manifest.name,
        str(root),
        frame,
        problems + found,
        Declared(
            (*manifest.keys, *options.keys),
            notes,
            options.captions or manifest.captions or CAPTIONS,
            manifest.ratios,
            _about(manifest),
        ),
    )


def _about(manifest: Manifest) -> dict[str, str]:
    known = {name: getattr(manifest, name) for name in ("title", "homepage", "license")}
    return {name: text for name, text in known.items() if text}


def _with_joined(
    frame: pd.DataFrame, manifest: Manifest, root: Path
) -> tuple[pd.DataFrame, list[Problem], tuple[str, ...]]:
    """Rows with what joined tables tell of them, and the attributes made of all columns."""
    problems, notes = [], []
    for table in (table for table in manifest.tables if table.join):
        if not (root / table.path).is_file():
            notes.append(f"{encode_path(table.path)} not found: what it tells is not audited")
            frame = frame.assign(**{name: None for name in _told(table) if name not in frame})
            continue
        frame, found, told = attach(frame, table, root)
        problems += found
        notes += told
    frame, found = derive(frame, manifest.attributes)
    return frame, problems + found, tuple(notes)


def _told(table: ManifestTable) -> list[str]:
    """The columns that a table would fill."""
    return [name if name in CELLS else ATTRIBUTE + name for name in table.columns]


def named_manifest(name: str) -> Manifest:
    """Return a shipped manifest by its name, or that of a file.

    Raises
    ------
    SplitauditError
        Where there is none; an InputError with every mistake in it.
    """
    manifests = shipped()
    if name in manifests:
        return read_manifest(manifests[name], confined=True)
    if not os.path.isfile(name):
        near = (
            did_you_mean(nearest(name, manifests)) or f": {', '.join(manifests)}, or a .toml file"
        )
        raise SplitauditError(f"{encode_path(name)}: no such dataset{near}")
    return read_manifest(Path(name), confined=False)


def root_of(manifest: Manifest, given: Path | None, otherwise: Path) -> Path:
    """Return the folder of a dataset: what is given, else $SPLITAUDIT_DATA/NAME, else another."""
    data = os.environ.get("SPLITAUDIT_DATA")
    return Path(os.path.abspath(given or (Path(data) / manifest.name if data else otherwise)))


def _rows(
    manifest: Manifest, table: ManifestTable, root: Path
) -> tuple[pd.DataFrame, list[Problem]]:
    rows = read_rows(root / table.path, table.format, encode_path(table.path))
    required = ["id" if manifest.audio else "path"] + ([] if table.split else ["split"])
    how = 'columns = {{ {ours} = "{theirs}" }} in its [[tables]]'
    frame, problems = load(rows, table.columns, required, how)
    if table.split:
        frame["split"] = split_name(table.split)
    if manifest.audio:
        problems += _fill(frame, manifest.audio, rows.unit)
    if manifest.confined:
        outside = frame["path"].map(lambda path: path is not None and leaves_root(path))
        problems += problems_at(frame, outside.astype(bool), "the path leaves the dataset's folder")
    return frame, problems


def _fill(frame: pd.DataFrame, template: str, unit: str) -> list[Problem]:
    """Set each row's path by the template; return what is wrong."""
    columns = {name: name for name in _PLACES}
    columns |= {name.removeprefix(ATTRIBUTE): name for name in attribute_columns(frame)}
    names = PLACEHOLDER.findall(template)
    absent = [name for name in dict.fromkeys(names) if name not in columns]
    if absent:
        return [
            Problem(
                unit,
                0,
                f"media.audio.path: no column {name!r}{did_you_mean(nearest(name, columns))}",
            )
            for name in absent
        ]
    form = PLACEHOLDER.sub("{}", template)
    cells = zip(*(frame[columns[name]] for name in names), strict=True)
    frame["path"] = [None if None in row else form.format(*row) for row in cells]
    frame["modality"] = AUDIO
    empty = frame["path"].isna() & frame["id"].notna()
    return problems_at(frame, empty, f"a column of the template {template!r} is empty")
