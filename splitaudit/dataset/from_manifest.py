"""A manifest as a dataset: its tables, and the template that finds each item's sound or film."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from splitaudit.dataset.columns import (
    ATTRIBUTE,
    CONVERTERS,
    attribute_columns,
    map_columns,
    problems_at,
)
from splitaudit.dataset.dataset import DEFAULT_CAPTION_RULES, Dataset, IngestOptions, split_name
from splitaudit.dataset.derived_columns import derive_columns
from splitaudit.dataset.file_kinds import AUDIO, VIDEO
from splitaudit.dataset.formats import FOLDER
from splitaudit.dataset.from_folder import list_media
from splitaudit.dataset.from_table import Declarations, build_dataset
from splitaudit.dataset.joins import derive_attributes, join_table
from splitaudit.dataset.manifest import (
    PLACEHOLDER,
    Manifest,
    ManifestTable,
    did_you_mean,
    leaves_root,
    nearest,
    read_manifest,
    shipped_manifests,
)
from splitaudit.dataset.path_templates import ANY_ENDING, resolve_endings
from splitaudit.dataset.paths import encode_path
from splitaudit.dataset.rows import Problem, Rows
from splitaudit.dataset.table_readers import read_rows
from splitaudit.errors import SplitauditError

_TEMPLATE_COLUMNS = ("id", "split", "source")  # what a template may name besides attributes


def from_manifest(file: Path, options: IngestOptions, *, confined: bool) -> Dataset:
    """Read a manifest and the tables it names.

    Parameters
    ----------
    file
        The manifest.
    options
        Its `root`; else ``$SPLITAUDIT_DATA/<name>``; else the manifest's folder, or ``<name>`` for
        a shipped one.
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
    root = dataset_root(manifest, options.root, Path(manifest.name) if confined else file.parent)
    frame, problems, notes = _read_item_tables(manifest, root, media=options.media)
    frame, found, told = _join_tables(frame, manifest, root)
    found += _missing_splits(frame, manifest)
    return build_dataset(
        root,
        manifest.name,
        str(root),
        frame,
        problems + found,
        Declarations(
            (*manifest.keys, *options.keys),
            tuple(dict.fromkeys([*notes, *told])),
            options.captions or manifest.captions or DEFAULT_CAPTION_RULES,
            manifest.ratios,
            _about(manifest),
            splits={**manifest.splits, **options.splits},
            values=options.values,
        ),
    )


def _about(manifest: Manifest) -> dict[str, str]:
    known = {name: getattr(manifest, name) for name in ("title", "homepage", "license")}
    return {name: text for name, text in known.items() if text}


def _read_item_tables(
    manifest: Manifest, root: Path, *, media: bool
) -> tuple[pd.DataFrame, list[Problem], list[str]]:
    """Rows of all tables that list items, what is wrong with them, and sentences for the user."""
    listing = [table for table in manifest.tables if not table.join]
    missing = [encode_path(table.path) for table in listing if not is_present(table, root)]
    if missing:
        raise SplitauditError(
            f"{manifest.name}: {', '.join(missing)} not found in {encode_path(str(root))}; name "
            "the folder of the dataset with --root, or set SPLITAUDIT_DATA to the folder above it"
        )
    frame, problems, notes = _read_tables(
        manifest, [table for table in listing if not table.rest], root, media=media
    )
    for table in (table for table in listing if table.rest):
        more, found, told = _read_tables(manifest, [table], root, media=media)
        frame = pd.concat([frame, _unlisted_rows(more, frame)], ignore_index=True)
        problems, notes = problems + found, notes + told
    return frame.where(frame.notna(), None), problems, notes


def _unlisted_rows(more: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """The rows of files that no row before them has as its path or its id."""
    known = {os.path.normpath(name) for name in {*listed["path"], *listed["id"]} - {None}}
    return more[~more["path"].map(os.path.normpath).isin(known)]


def _read_tables(
    manifest: Manifest, listing: Sequence[ManifestTable], root: Path, *, media: bool
) -> tuple[pd.DataFrame, list[Problem], list[str]]:
    frames, problems = [], []
    notes: list[str] = []
    for table in listing:
        rows = _read_table(table, root)
        frame, found = _standardise_rows(manifest, table, rows, media=media)
        frames.append(frame)
        problems += found
        notes += rows.notes
        if not rows.lines and not problems:
            notes.append(f"{encode_path(table.path)} lists nothing")
    frame = pd.concat(frames, ignore_index=True).astype(object)
    frame = frame.where(frame.notna(), None)
    kind, template = _template(manifest)
    if template.endswith(ANY_ENDING) and not problems:
        frame["path"] = resolve_endings(frame["path"].tolist(), root, kind)
    return frame, problems, notes


def _template(manifest: Manifest) -> tuple[str, str]:
    """The kind of media that a template finds, and the template; empty where there is none."""
    return (VIDEO, manifest.video) if manifest.video else (AUDIO, manifest.audio or "")


def _join_tables(
    frame: pd.DataFrame, manifest: Manifest, root: Path
) -> tuple[pd.DataFrame, list[Problem], tuple[str, ...]]:
    """Rows with what joined tables tell of them, and the attributes made of all columns."""
    problems, notes = [], []
    for table in (table for table in manifest.tables if table.join):
        if not (root / table.path).is_file():
            notes.append(f"{encode_path(table.path)} not found: what it tells is not audited")
            frame = frame.assign(
                **{name: None for name in _joined_columns(table) if name not in frame}
            )
            continue
        frame, found, told = join_table(frame, table, root)
        problems += found
        notes += told
    frame, found = derive_attributes(frame, manifest.attributes)
    return frame, problems + found, tuple(notes)


def _missing_splits(frame: pd.DataFrame, manifest: Manifest) -> list[Problem]:
    """What is wrong with splits that joined tables may say; without any, it was said before."""
    missing = frame["split"].isna() & frame["id"].notna()
    if not any(table.join for table in manifest.tables) or not missing.any():
        return []
    if missing.all():
        how = "a key 'split' of its [[tables]], a column of it, or a column of a joined table"
        return [Problem("", 0, f"no table says the split of an item: expected {how}")]
    return problems_at(frame, missing, "split is empty, and no joined table says it")


def _joined_columns(table: ManifestTable) -> list[str]:
    """The columns that a table would fill."""
    return [name if name in CONVERTERS else ATTRIBUTE + name for name in table.columns]


def find_manifest(name: str) -> Manifest:
    """Return a shipped manifest by its name, or that of a file.

    Raises
    ------
    SplitauditError
        Where there is none; an InputError with every mistake in it.
    """
    manifests = shipped_manifests()
    if name in manifests:
        return read_manifest(manifests[name], confined=True)
    if not os.path.isfile(name):
        near = (
            did_you_mean(nearest(name, manifests)) or f": {', '.join(manifests)}, or a .toml file"
        )
        raise SplitauditError(f"{encode_path(name)}: no such dataset{near}")
    return read_manifest(Path(name), confined=False)


def dataset_root(manifest: Manifest, given: Path | None, otherwise: Path) -> Path:
    """Return the folder of a dataset: what is given, else $SPLITAUDIT_DATA/NAME, else another."""
    data = os.environ.get("SPLITAUDIT_DATA")
    return Path(os.path.abspath(given or (Path(data) / manifest.name if data else otherwise)))


def is_present(table: ManifestTable, root: Path) -> bool:
    """Return whether a table of a manifest lies in the dataset's folder."""
    path = root / table.path
    return path.is_dir() if table.format == FOLDER else path.is_file()


def file_presence(manifest: Manifest, root: Path) -> dict[str, bool]:
    """Return the files that a dataset is read from, and whether each lies in its folder."""
    return {table.path: is_present(table, root) for table in manifest.tables}


def _read_table(table: ManifestTable, root: Path) -> Rows:
    name = encode_path(table.path)
    if table.format != FOLDER:
        return read_rows(root / table.path, table.format, name, table.layout)
    names, ignored = list_media(str(root / table.path))
    paths = [os.path.normpath(os.path.join(name, path)) for path in names]
    problems = [] if paths else [Problem(f"{name} file", 0, "no media in this folder")]
    notes = (f"{name}: {ignored}",) if ignored else ()
    lines = range(1, len(paths) + 1)
    return Rows(f"{name} file", lines, {"id": paths, "path": paths}, problems, notes, encoded=True)


def _standardise_rows(
    manifest: Manifest, table: ManifestTable, rows: Rows, *, media: bool
) -> tuple[pd.DataFrame, list[Problem]]:
    kind, template = _template(manifest)
    needed = "path" if media and not template else "id"
    joined = any(other.join for other in manifest.tables)  # one of them may say the split
    required = [needed] + ([] if table.split or joined else ["split"])
    how = 'columns = {{ {ours} = "{theirs}" }} in its [[tables]]'
    rows, columns = derive_columns(rows, table.columns, table.layout.drop)
    frame, problems = map_columns(rows, columns, required, how)
    if table.split:
        frame["split"] = split_name(table.split)
    if template and table.format != FOLDER:
        problems += _fill_paths(frame, template, rows.unit, kind)
    if manifest.confined:
        outside = frame["path"].map(lambda path: path is not None and leaves_root(path))
        problems += problems_at(frame, outside.astype(bool), "the path leaves the dataset's folder")
    return frame, problems


def _fill_paths(frame: pd.DataFrame, template: str, unit: str, modality: str) -> list[Problem]:
    """Set each row's path by the template; return what is wrong."""
    columns = {name: name for name in _TEMPLATE_COLUMNS}
    columns |= {name.removeprefix(ATTRIBUTE): name for name in attribute_columns(frame)}
    names = PLACEHOLDER.findall(template)
    absent = [name for name in dict.fromkeys(names) if name not in columns]
    if absent:
        return [
            Problem(
                unit,
                0,
                f"media.{modality}.path: no column {name!r}{did_you_mean(nearest(name, columns))}",
            )
            for name in absent
        ]
    form = PLACEHOLDER.sub("{}", template)
    cells = zip(*(frame[columns[name]] for name in names), strict=True)
    frame["path"] = [None if None in row else form.format(*row) for row in cells]
    frame["modality"] = modality
    empty = frame["path"].isna() & frame["id"].notna()
    return problems_at(frame, empty, f"a column of the template {template!r} is empty")
