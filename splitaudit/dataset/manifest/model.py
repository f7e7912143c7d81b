"""What a manifest says, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from splitaudit.dataset.manifest.paths import IN_BRACES
from splitaudit.metadata.keys import Key


@dataclass(frozen=True)
class Source:
    """A file that the dataset consists of.

    Parameters
    ----------
    path
        Relative to the dataset's root.
    url
        From which it can be downloaded; empty where the user places it.
    sha256
        In hexadecimal; empty where it is not known.
    note
        Where it comes from, and how it is placed.
    """

    path: str
    url: str = ""
    sha256: str = ""
    note: str = ""


@dataclass(frozen=True)
class Join:
    """By which column a table tells more about items that other tables list.

    Parameters
    ----------
    column
        The column that holds the id, or a text with columns in braces.
    strip
        What stands behind the id in it, such as ".wav".
    """

    column: str
    strip: str = ""


@dataclass(frozen=True)
class Part:
    """What the one group of a pattern finds, anywhere in a column."""

    column: str
    pattern: str


# What a column of ours is made of: a column of theirs, or a text with several of them in braces;
# several columns of texts that are one list; a part of a column.
Column = str | tuple[str, ...] | Part


def source_columns(column: Column) -> tuple[str, ...]:
    """Return the columns of theirs that one of ours is made of."""
    if isinstance(column, Part):
        return (column.column,)
    if isinstance(column, tuple):
        return column
    return tuple(IN_BRACES.findall(column)) or (column,)


@dataclass(frozen=True)
class Layout:
    """How rows lie in a file, where its format leaves that open.

    Parameters
    ----------
    encoding
        Of its text.
    header, separator, comment
        Of lines, CSV and TSV: the names of their cells, what stands between two, and what a line
        begins with that is none. Without a header each line is an id, and the first row of CSV and
        TSV has the names.
    quotes
        Of CSV and TSV: "csv" where they are marks around a cell, "text" where they are text. Empty
        where the table tells.
    decimal
        Of lines, CSV and TSV: "comma" where a comma in a number is its decimal point, "point" where
        it is none. Empty: it is where semicolons part the cells.
    records
        Of JSON: where its records lie, as "a.b"; empty where they are the whole of it.
    each
        Of JSON: lists of equal length in each record; a row holds one entry of each instead.
    wanted
        Of JSON: columns to look for inside of others, as "a.b".
    drop
        Columns that are not looked at.
    """

    encoding: str = "utf-8"
    header: tuple[str, ...] = ()
    separator: str = ""
    comment: str = ""
    quotes: str = ""
    decimal: str = ""
    records: str = ""
    each: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class ManifestTable:
    """One file that lists items, or tells more about them.

    Parameters
    ----------
    path
        Relative to the dataset's root.
    split
        The split of every row; None where a column says it.
    format
        "lines" (one id a line), "label_pickle" (a pickle of a dictionary from ids to lists of
        labels), "folder" (each media file below is an item), or that of a table; None where the
        ending tells.
    columns
        Ours -> theirs.
    join
        None where it lists items.
    layout
        How its rows lie in it.
    rest
        Whether only those of its files are items that no other table lists.
    """

    path: str
    split: str | None = None
    format: str | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    join: Join | None = None
    layout: Layout = Layout()
    rest: bool = False


@dataclass(frozen=True)
class Attribute:
    """An attribute that is a part of a column: the first group of a pattern, found anywhere."""

    name: str
    column: str
    pattern: str


@dataclass(frozen=True)
class Manifest:
    """What a manifest says.

    Parameters
    ----------
    name
        Safe as a folder name.
    tables
        In the manifest's order; one at least lists items.
    audio, video
        Template of an item's sound or film, such as "audio/{id}.wav"; None where a column `path`
        says it.
    attributes, keys
        What is made of the columns, and what of it belongs together.
    captions
        Rules by which captions are equal; empty: the usual ones.
    ratios
        Split to share, of a new split; empty where the present one decides.
    splits
        Their name of a split -> ours.
    sources
        Files to download or to place.
    confined
        Whether it may read nothing outside the dataset's root, as every shipped one.
    """

    name: str
    tables: tuple[ManifestTable, ...]
    audio: str | None = None
    video: str | None = None
    attributes: tuple[Attribute, ...] = ()
    keys: tuple[Key, ...] = ()
    captions: tuple[str, ...] = ()
    ratios: Mapping[str, float] = field(default_factory=dict)
    splits: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    confined: bool = False
    title: str = ""
    homepage: str = ""
    license: str = ""
    note: str = ""
