"""A table as a dataset: its rows become items, its paths media."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit.dataset import table_keys
from splitaudit.dataset.columns import (
    ATTRIBUTE,
    CONVERTERS,
    SYNONYMS,
    attribute_columns,
    map_columns,
    problems_at,
)
from splitaudit.dataset.compressed import inner_name
from splitaudit.dataset.dataset import (
    DEFAULT_CAPTION_RULES,
    Dataset,
    IngestOptions,
    tell_values,
)
from splitaudit.dataset.file_kinds import (
    AUDIO,
    IMAGE,
    OPENABLE,
    PARTS,
    ending,
    kind_of,
    probe,
)
from splitaudit.dataset.first_bytes import Found, recognise
from splitaudit.dataset.formats import CSV, TSV, table_format
from splitaudit.dataset.item_rows import make_items
from splitaudit.dataset.manifest import Layout, did_you_mean, nearest
from splitaudit.dataset.paths import decode_path, encode_path, safe_name
from splitaudit.dataset.rows import Problem, raise_problems
from splitaudit.dataset.split_names import order_notes, rename_splits
from splitaudit.dataset.stretches import LENGTH, place_stretches
from splitaudit.dataset.table_readers import read_rows
from splitaudit.errors import InputError, SplitauditError
from splitaudit.metadata import caption_relations
from splitaudit.metadata.keys import Key
from splitaudit.metadata.placeholders import Override
from splitaudit.order import evaluation_order
from splitaudit.schema import MEDIA, UNSUPPORTED, conform

_IMPLIED_KEYS = (Key("id", ("id",)), Key("source", ("source",)))  # looked at without being declared
_ITEM_COLUMNS = ["split", "id"]
_STRETCH_COLUMNS = ["path", "clip_start_s", "clip_end_s"]


@dataclass(frozen=True)
class Declarations:
    """What is said of a table besides its rows.

    Parameters
    ----------
    keys
        What belongs together.
    notes
        Sentences for the user.
    captions, ratios
        As of `Dataset`.
    about
        Title, homepage and license, where they are known.
    splits
        Their name of a split -> ours.
    values
        As of `IngestOptions`.
    """

    keys: Sequence[Key] = ()
    notes: Sequence[str] = ()
    captions: tuple[str, ...] = DEFAULT_CAPTION_RULES
    ratios: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Override] = field(default_factory=dict)


def from_table(path: Path, options: IngestOptions) -> Dataset:
    """Read a CSV, TSV, JSON, JSONL or Parquet table of items.

    Raises
    ------
    InputError
        Every fault at once, each with its line.
    SplitauditError
        Where the file cannot be read.
    """
    _check_names(options.columns)
    how = "--column {ours}={theirs}"
    rows = read_rows(path, _form(path, options.layout), layout=options.layout)
    frame, problems = map_columns(rows, options.columns, _required(options), how)
    root = os.path.abspath(options.root or path.parent)
    rules = options.captions or DEFAULT_CAPTION_RULES
    declared = Declarations(
        options.keys, rows.notes, rules, splits=options.splits, values=options.values
    )
    name = safe_name(Path(inner_name(path.name)).stem)
    return build_dataset(path, name, root, frame, problems, declared)


def _form(path: Path, layout: Layout) -> str:
    """The format of a table; a CSV where another ending comes with how it is written."""
    form = table_format(path.name) or CSV
    written = replace(layout, encoding=Layout.encoding)
    if form not in (CSV, TSV) and written != Layout():
        raise SplitauditError("--separator, --header and --quotes are for CSV and TSV")
    return form


def _required(options: IngestOptions) -> tuple[str, ...]:
    return ("path", "split") if options.media else ("id", "split")


def build_dataset(
    where: Path,
    name: str,
    root: str,
    frame: pd.DataFrame,
    problems: list[Problem],
    declared: Declarations,
) -> Dataset:
    """Make a dataset of typed rows.

    Parameters
    ----------
    where
        The file at fault, for the error.
    name
        Of the dataset.
    root
        The absolute folder that relative paths start from.
    frame
        Rows as from `load`, of one or several tables.
    problems
        What is known to be wrong already.
    declared
        Keys, notes and what it is.

    Raises
    ------
    InputError
        Every fault at once, those between rows too.
    """
    names, unknown, told = rename_splits(frame["split"], declared.splits)
    frame = frame.assign(split=pd.Series(names, frame.index, dtype=object))
    frame, wrong, said = place_stretches(frame, root)
    problems = problems + wrong + [Problem("", 0, f"splits: {text}") for text in unknown]
    rows = frame.dropna(subset=_ITEM_COLUMNS).reset_index(drop=True)
    items = _assign_item_ids(rows.drop_duplicates(_ITEM_COLUMNS))
    media = _parts(rows.dropna(subset="path"), root)
    problems = problems + _duplicate_ids(items) + _conflicting_paths(media)
    problems += table_keys.keys_without_columns(declared.keys, rows)
    if problems:
        raise_problems(where, problems)
    if rows.empty:
        raise InputError(encode_path(str(where)), ["no rows"])
    item_of_row = rows.groupby(_ITEM_COLUMNS, sort=False).ngroup().to_numpy()
    table = make_items(items, rows, item_of_row)
    facts = table_keys.key_columns(items, table)
    joining = tell_values([*_IMPLIED_KEYS, *declared.keys], declared.values)
    return Dataset(
        name=name,
        root=Path(root),
        items=table,
        media=_media(
            media.merge(items[[*_ITEM_COLUMNS, "item_id"]], on=_ITEM_COLUMNS, how="left"), root
        ),
        memberships=table_keys.memberships(items, facts, joining),
        links=table_keys.links(facts, joining),
        split_order=tuple(evaluation_order(items["split"])),
        notes=(
            *declared.notes,
            *told,
            *said,
            *order_notes(items["split"]),
            *_shared_note(items),
            *_differing_notes(items, rows, item_of_row),
            *table_keys.placeholder_notes(items, facts, joining),
            *caption_relations.notes(table),
        ),
        captions=declared.captions,
        ratios=declared.ratios,
        about=declared.about,
    )


def _check_names(columns: Mapping[str, str]) -> None:
    known = [*CONVERTERS, LENGTH]
    problems = [
        f"{ours!r} is none of our columns{did_you_mean(nearest(ours, known))} ({', '.join(known)})"
        for ours in columns
        if SYNONYMS.get(ours, ours) not in known
    ]
    if problems:
        raise InputError("--column", problems)


def _assign_item_ids(items: pd.DataFrame) -> pd.DataFrame:
    """Add `shared` (the id stands in several splits) and `item_id`, then `split/id`."""
    shared = items.duplicated("id", keep=False)
    named = items["id"].where(~shared, items["split"].map(encode_path) + "/" + items["id"])
    return items.assign(shared=shared, item_id=named)


def _duplicate_ids(items: pd.DataFrame) -> list[Problem]:
    text = "the item would bear the name of another: an id in several splits becomes split/id"
    return problems_at(items, items.duplicated("item_id", keep=False), text)


def _parts(rows: pd.DataFrame, root: str) -> pd.DataFrame:
    """Return one row for each part of each item, and further ones where rows contradict."""
    medium = [*_ITEM_COLUMNS, *_STRETCH_COLUMNS, "modality"]
    media = rows[["unit", "line", *medium]].drop_duplicates(medium, ignore_index=True)
    named = zip(media["modality"], media["path"], strict=True)
    kinds = [modality or kind_of(path) for modality, path in named]
    unnamed = {path for path, kind in zip(media["path"], kinds, strict=True) if kind is None}
    looked = {path: _look(path, root) for path in unnamed}
    found = [
        looked.get(path, (kind, OPENABLE)) for path, kind in zip(media["path"], kinds, strict=True)
    ]
    # What may be any kind stands as most do, so that it counts in what is to be audited.
    known = Counter(kind for kind, _ in found)
    most = IMAGE if known[IMAGE] > known[AUDIO] else AUDIO
    parts = [PARTS.get(kind or most, (most,)) for kind, _ in found]
    media["told"] = pd.Series([outcome for _, outcome in found], dtype=object)
    media["part"] = pd.Series(parts, dtype=object)
    media = media.explode("part", ignore_index=True)
    return media.drop_duplicates([*_ITEM_COLUMNS, "part", *_STRETCH_COLUMNS], ignore_index=True)


def _look(path: str, root: str) -> Found:
    """Tell by its first bytes what a file is whose name does not say it."""
    absolute = os.path.join(root, decode_path(path))
    if probe(absolute) != OPENABLE:
        return None, OPENABLE  # which is told of every file
    kind, outcome = recognise(absolute, os.path.basename(absolute))
    if kind is not None:
        return kind, outcome
    name = encode_path(ending(absolute)) or "a name without ending"
    reason = f"{name} tells no kind of media; say it in a column 'modality'"
    return None, (UNSUPPORTED, reason)


def _conflicting_paths(media: pd.DataFrame) -> list[Problem]:
    key = [*_ITEM_COLUMNS, "part"]
    again = media.duplicated(key)
    if not again.any():
        return []
    pairs = media[again].merge(media[~again], on=key, suffixes=("", "_first"))
    pairs = pairs.drop_duplicates(["unit", "line"])  # a film contradicts in both its parts
    return [
        Problem(row["unit"], row["line"], _conflict_message(row))
        for row in pairs.to_dict("records")
    ]


def _conflict_message(row: dict[Hashable, Any]) -> str:
    what = "path" if row["path"] != row["path_first"] else "stretch"
    return (
        f"id {row['id']!r} of split {row['split']!r} has a second {what} for its {row['part']}: "
        f"{row['path']!r} after {row['path_first']!r} in {row['unit_first']} {row['line_first']}"
    )


def _media(media: pd.DataFrame, root: str) -> pa.Table:
    path_of_row, paths = pd.factorize(media["path"])
    absolute = [os.path.join(root, decode_path(path)) for path in paths]
    encoded = np.array([encode_path(path) for path in absolute], dtype=object)
    found = [probe(path) for path in absolute]  # once a path, however many stretches it has
    outcomes = [
        found[path] if told == OPENABLE else told
        for told, path in zip(media["told"], path_of_row, strict=True)
    ]
    columns = {
        "item_id": media["item_id"],
        "part": media["part"],
        "modality": media["part"],
        "path": encoded[path_of_row],
        "clip_start_s": media["clip_start_s"],
        "clip_end_s": media["clip_end_s"],
        "status": [status for status, _ in outcomes],
        "error": [error for _, error in outcomes],
    }
    arrays = {
        name: pa.array(values, MEDIA.field(name).type, from_pandas=True)
        for name, values in columns.items()
    }
    return conform(pa.table(arrays), MEDIA)


def _shared_note(items: pd.DataFrame) -> list[str]:
    count = items.loc[items["shared"], "id"].nunique()
    if not count:
        return []
    ids = "1 id stands" if count == 1 else f"{count:,} ids stand"
    return [f"{ids} in more than one split: items named split/id, joined by the key 'id'"]


def _differing_notes(items: pd.DataFrame, rows: pd.DataFrame, item_of_row: np.ndarray) -> list[str]:
    single = ["source", "start_s", "end_s", *attribute_columns(rows)]
    return [
        f"column {name.removeprefix(ATTRIBUTE)!r} differs between rows of one item: "
        "the first row's was taken"
        for name in single
        if (items[name].to_numpy()[item_of_row] != rows[name].to_numpy()).any()
    ]
