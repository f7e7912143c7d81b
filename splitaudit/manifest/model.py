"""What a manifest says, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from splitaudit.keys import Key


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
        The column that holds the id.
    strip
        What stands behind the id in it, such as ".wav".
    """

    column: str
    strip: str = ""


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
        labels) or None: told by the ending.
    columns
        Ours -> theirs.
    join
        None where it lists items.
    """

    path: str
    split: str | None = None
    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    join: Join | None = None


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
    audio
        Template of an item's sound, such as "audio/{id}.wav"; None where a column `path` says it.
    attributes, keys
        What is made of the columns, and what of it belongs together.
    captions
        Rules by which captions are equal; empty: the usual ones.
    ratios
        Split to share, of a new split; empty where the present one decides.
    sources
        Files to download or to place.
    confined
        Whether it may read nothing outside the dataset's root, as every shipped one.
    """

    name: str
    tables: tuple[ManifestTable, ...]
    audio: str | None = None
    attributes: tuple[Attribute, ...] = ()
    keys: tuple[Key, ...] = ()
    captions: tuple[str, ...] = ()
    ratios: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    confined: bool = False
    title: str = ""
    homepage: str = ""
    license: str = ""
    note: str = ""
