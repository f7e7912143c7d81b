"""What a listing amounts to, before any file is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from splitaudit.dataset.manifest.model import Layout
from splitaudit.errors import SplitauditError
from splitaudit.metadata.keys import Key
from splitaudit.metadata.placeholders import Override
from splitaudit.schema import ITEMS, conform

UNSPLIT = "unsplit"
DEFAULT_CAPTION_RULES = (
    "exact",
    "text",
)  # rules by which captions are equal, unless others are asked for
_VAL_NAMES = ("val", "valid", "validation", "dev")


@dataclass(frozen=True)
class IngestOptions:
    """How to read a target.

    Parameters
    ----------
    root
        The folder that relative paths of a table or manifest start from.
    columns
        Ours -> theirs, for tables.
    keys
        What belongs together, besides what a manifest declares.
    captions
        Rules by which captions are equal; None: those of the manifest, else
        `DEFAULT_CAPTION_RULES`.
    media
        False where only what is written about items is looked at: then they need no paths.
    layout
        How the rows of a table lie in it.
    splits
        Their name of a split -> ours.
    values
        Name of a key -> which of its values stand for missing ones, and which do not.
    """

    root: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[Key, ...] = ()
    captions: tuple[str, ...] | None = None
    media: bool = True
    layout: Layout = field(default_factory=Layout)
    splits: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Override] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """The items of a dataset and where their media lie.

    Parameters
    ----------
    name
        Safe as a folder name.
    root
        The folder that the listing starts from.
    items
        `splitaudit.schema.ITEMS`; captions, labels and attributes may be empty, never null.
    media
        The first columns of `splitaudit.schema.MEDIA`, all others null. A status that is null
        means: not looked at yet. Each item has at least one row, where media are asked for.
    memberships
        `splitaudit.schema.MEMBERSHIPS`.
    links
        `splitaudit.schema.EDGES` of keys with a tolerance.
    split_order
        The order of evaluation; in a pair of splits, the earlier is the evaluated side.
    notes
        Sentences for the user.
    captions
        Rules by which captions are equal.
    ratios
        Split to share, of a new split; empty where the present one decides.
    about
        What a manifest says of it: title, homepage, license.
    splits_known
        Whether anything says which item is in which split. Else `split` is only a folder's name.
    unplaced
        Splits of items that belong to none, where others do: class folders beside `train`.
    """

    name: str
    root: Path
    items: pa.Table
    media: pa.Table
    memberships: pa.Table
    links: pa.Table
    split_order: tuple[str, ...]
    notes: tuple[str, ...] = ()
    captions: tuple[str, ...] = DEFAULT_CAPTION_RULES
    ratios: Mapping[str, float] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    splits_known: bool = True
    unplaced: tuple[str, ...] = ()

    def __repr__(self) -> str:
        splits = ", ".join(self.split_order)
        return f"<Dataset {self.name}: {self.items.num_rows:,} items in {splits or 'no split'}>"


def tell_values(keys: Sequence[Key], values: Mapping[str, Override]) -> list[Key]:
    """Return keys with what a user says of their values, beside what a manifest says of them.

    Raises
    ------
    SplitauditError
        Where there is no key of a name.
    """
    unknown = sorted(set(values) - {key.name for key in keys})
    if unknown:
        known = ", ".join(sorted({key.name for key in keys})) or "none"
        raise SplitauditError(f"--missing, --real: no key {unknown[0]!r}; there are: {known}")
    return [replace(key, said=key.said | values.get(key.name, Override())) for key in keys]


def split_name(name: str) -> str:
    """Return the name under which a split is known: val for valid, validation and dev."""
    lowered = name.lower()
    if lowered in _VAL_NAMES:
        return "val"
    return lowered if lowered in ("train", "test") else name


def items_table(columns: dict[str, object]) -> pa.Table:
    """Return an ITEMS table in which absent captions, labels and attributes are empty."""
    table = pa.table(columns)
    for name in ("captions", "labels", "attributes"):
        if name not in columns:
            empty = pa.array([[]] * table.num_rows, ITEMS.field(name).type)
            table = table.append_column(name, empty)
    return conform(table, ITEMS)
