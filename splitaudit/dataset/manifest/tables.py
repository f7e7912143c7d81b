"""The [[tables]] of a manifest: where a table lies, how it is read, and what its columns are."""

from __future__ import annotations

import re

from splitaudit.dataset.formats import CSV, FOLDER, FORMATS, JSON, LINES, TSV, table_format
from splitaudit.dataset.manifest.model import (
    Column,
    Join,
    Layout,
    ManifestTable,
    Part,
    source_columns,
)
from splitaudit.dataset.manifest.paths import leaves_root
from splitaudit.dataset.manifest.section import Section

_LIST_COLUMNS = ("caption", "captions", "label", "labels")  # of these an item may have several
_DELIMITED = (CSV, TSV)
# What only some formats know.
_FORMAT_KEYS = {
    "header": (*_DELIMITED, LINES),
    "separator": (*_DELIMITED, LINES),
    "comment": (*_DELIMITED, LINES),
    "quotes": _DELIMITED,
    "decimal": (*_DELIMITED, LINES),
    "records": (JSON,),
    "each": (JSON,),
}


def parse_table(part: Section, confined: bool) -> ManifestTable:
    """Return what a table says; every mistake is noted in the section."""
    part.reject_unknown(
        "path", "split", "format", "columns", "join", "drop", "encoding", "rest", *_FORMAT_KEYS
    )
    path, split = parse_path(part, "path", confined), part.text("split")
    form = part.choice("format", FORMATS, "")
    columns, join = _columns(part), _join(part)
    if join and split:
        part.faults.append(f"{part.where}: expected a split or a join, found both")
    if join and form == FOLDER:
        part.fault("format", "a file, since it is joined")
    known = form or table_format(path) or ""
    _check_form(part, known)
    made = [*columns.values(), *([join.column] if join else [])] if known == JSON else []
    layout = _layout(part, tuple(name for column in made for name in source_columns(column)))
    rest = part.flag("rest")
    if rest and form != FOLDER:
        part.fault("rest", f"no such key, or format = {FOLDER!r} beside it")
    return ManifestTable(path, split or None, form or None, columns, join, layout, rest)


def parse_path(part: Section, key: str, confined: bool) -> str:
    """Return a path, which must not leave the dataset's folder where it is confined to it."""
    path = part.text(key, needed=True)
    if confined and path and leaves_root(path):
        part.fault(key, "a path inside the dataset's folder")
    return path


def parse_part(part: Section) -> Part:
    """Return what a pattern takes from a column."""
    column, pattern = part.text("from", needed=True), part.text("pattern", needed=True)
    try:
        groups = re.compile(pattern).groups
    except re.error:
        groups = 0
    if pattern and groups != 1:
        part.fault("pattern", "a regular expression with one group (...)")
    return Part(column, pattern)


def _check_form(part: Section, form: str) -> None:
    for key, only in _FORMAT_KEYS.items():
        if key in part.content and form not in only:
            formats = " or ".join(map(repr, only))
            part.faults.append(f"{part.place(key)}: only with format = {formats}")


def _layout(part: Section, wanted: tuple[str, ...]) -> Layout:
    encoding = part.text("encoding") or Layout.encoding
    try:
        "a".encode(encoding)
    except (LookupError, ValueError):
        part.fault("encoding", "the name of an encoding, such as 'latin-1'")
    header, each, drop = (
        part.texts(key) if key in part.content else () for key in ("header", "each", "drop")
    )
    return Layout(
        encoding,
        header,
        part.text("separator"),
        part.text("comment"),
        part.choice("quotes", ("csv", "text"), ""),
        part.choice("decimal", ("comma", "point"), ""),
        part.text("records"),
        each,
        wanted,
        drop,
    )


def _join(part: Section) -> Join | None:
    joined = part.section("join")
    if not joined:
        return None
    joined.reject_unknown("id", "strip")
    return Join(joined.text("id", needed=True), joined.text("strip"))


def _columns(part: Section) -> dict[str, Column]:
    value = part.content.get("columns", {})
    if not isinstance(value, dict):
        part.fault("columns", '{ ours = "theirs" }')
        return {}
    columns = Section(part.place("columns"), value, part.faults)
    found = {name: _column(columns, name) for name in value}
    return {name: column for name, column in found.items() if column}


def _column(columns: Section, name: str) -> Column:
    value = columns.content[name]
    if isinstance(value, list) and name in _LIST_COLUMNS:
        return columns.texts(name)
    if not isinstance(value, dict):
        return columns.text(name)
    part = Section(columns.place(name), value, columns.faults)
    part.reject_unknown("from", "pattern")
    return parse_part(part)
