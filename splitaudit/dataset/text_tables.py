"""Rows of CSV, TSV and plain lines, in any encoding and dialect that is said or can be told."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from splitaudit.dataset.compressed import read_bytes
from splitaudit.dataset.dialects import (
    Cells,
    Dialect,
    find_dialect,
    read_quoted_lines,
    read_records,
)
from splitaudit.dataset.manifest import Layout
from splitaudit.dataset.rows import Problem, Rows, table_note

_NAMES = {"\t": "a tab", " ": "a space"}
# The longest first: a mark of UTF-32 begins with one of UTF-16.
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_HEAD = 1_000  # bytes by which UTF-16 without a mark is told
_MANY_ZEROS = 0.2  # > of them zero: no table in UTF-8


def read_csv(path: Path, unit: str, layout: Layout) -> Rows:
    """Read cells with commas between, or with what the layout or the table itself says."""
    return _read_delimited(path, unit, layout, ",")


def read_tsv(path: Path, unit: str, layout: Layout) -> Rows:
    """Read cells with tabs between, or with what the layout or the table itself says."""
    return _read_delimited(path, unit, layout, "\t")


def read_lines(path: Path, unit: str, layout: Layout) -> Rows:
    """Read a row a line: an id, or cells; the last takes the rest of the line."""
    text, problems, notes = decode(path, unit, layout.encoding)
    header = layout.header or ("id",)
    numbered = [
        (number, line.strip("\r"))
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip() and not _is_comment(line, layout)
    ]
    lines, rows = [], []
    for (number, _), cells in zip(numbered, _split_lines(numbered, layout, header), strict=True):
        if len(cells) < len(header):
            reason = f"{len(cells)} cells, expected {len(header)}: {', '.join(header)}"
            problems.append(Problem(unit, number, reason))
        else:
            lines.append(number)
            rows.append([cell.strip() for cell in cells])
    found = _make_rows(unit, lines, header, rows, (problems, notes))
    return replace(found, commas=_has_commas(layout, layout.separator))


def decode(path: Path, unit: str, encoding: str) -> tuple[str, list[Problem], list[str]]:
    """Return a file's text, a problem for each line that cannot be read, and what is to be said."""
    content = read_bytes(path)
    marked = next(
        (name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), ""
    )
    if marked or encoding != Layout.encoding:
        try:
            notes = [table_note(unit, f"read as {marked.upper()}")] if marked else []
            return content.decode(marked or encoding), [], notes
        except ValueError as error:
            return "", [Problem(unit, 0, f"not valid {marked or encoding}: {error}")], []
    if content[:_HEAD].count(0) > _MANY_ZEROS * len(content[:_HEAD]):
        return "", [Problem(unit, 0, f"perhaps UTF-16; {_say_encoding('utf-16-le')}")], []
    try:
        return content.decode("utf-8-sig"), [], []
    except UnicodeDecodeError:
        reason = f"not valid UTF-8; save the table as UTF-8, or {_say_encoding('latin-1')}"
        problems = [
            Problem(unit, line, reason)
            for line, written in enumerate(content.split(b"\n"), start=1)
            if not _is_utf8(written)
        ]
        return content.decode("utf-8-sig", "replace"), problems, []


def header_problems(header: Sequence[str], unit: str) -> list[Problem]:
    """Return a problem for each name that several columns have."""
    twice = sorted({name for name in header if header.count(name) > 1})
    return [Problem(unit, 0, f"two columns are named {name!r}") for name in twice]


def _say_encoding(name: str) -> str:
    return f'say its encoding, as --encoding {name} (in a manifest: encoding = "{name}")'


def _read_delimited(path: Path, unit: str, layout: Layout, usual: str) -> Rows:
    text, problems, notes = decode(path, unit, layout.encoding)
    dialect = find_dialect(text, layout, usual)
    notes += [table_note(unit, said) for said in _describe(dialect, layout, usual)]
    header: Sequence[str] = layout.header
    lines, rows = [], []
    for line, cells in read_records(text, dialect):
        if isinstance(cells, str):
            problems.append(Problem(unit, line, f"{cells}{_say_quotes(dialect)}"))
        elif _is_comment(cells[0], layout):
            continue
        elif not header:
            header = cells
        elif len(cells) != len(header):
            reason = f"{len(cells)} cells, expected {len(header)} as in the header"
            problems.append(Problem(unit, line, reason))
        else:
            lines.append(line)
            rows.append(tuple(cells))  # not a list: the collector need not follow it
    found = _make_rows(unit, lines, header, rows, (problems, notes))
    return replace(found, commas=_has_commas(layout, dialect.separator))


def _has_commas(layout: Layout, separator: str) -> bool:
    """Whether a comma is the decimal point: where programs write it, they part by semicolons."""
    return layout.decimal == "comma" or (not layout.decimal and separator == ";")


def _make_rows(
    unit: str,
    lines: list[int],
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    told: tuple[list[Problem], list[str]],
) -> Rows:
    problems, notes = told
    columns = zip(*rows, strict=True) if rows else ((),) * len(header)
    problems += header_problems(header, unit)
    return Rows(unit, lines, dict(zip(header, columns, strict=False)), problems, tuple(notes))


def _split_lines(
    numbered: list[tuple[int, str]], layout: Layout, header: Sequence[str]
) -> list[Cells]:
    """Cells of lines; between commas and semicolons they may be quoted as in CSV."""
    lines = [line for _, line in numbered]
    separator = layout.separator or "\t"
    if separator in (",", ";") and any('"' in line for line in lines):
        quoted = read_quoted_lines(lines, separator, len(header))
        if quoted is not None:
            return quoted
    return [line.split(separator, len(header) - 1) for line in lines]


def _describe(dialect: Dialect, layout: Layout, usual: str) -> list[str]:
    """What was told from the table, and not by its ending or by its layout."""
    said = []
    if dialect.separator != (layout.separator or usual):
        name = _NAMES.get(dialect.separator, repr(dialect.separator))
        said.append(f"cells have {name} between")
    if not dialect.quoted and not layout.quotes:
        said.append("quotes are text here, not marks around a cell")
    return said


def _say_quotes(dialect: Dialect) -> str:
    say = (
        '; say --quotes csv, or --quotes text where they are text (in a manifest: quotes = "text")'
    )
    return say if dialect.quoted and not dialect.said else ""


def _is_comment(line: str, layout: Layout) -> bool:
    return bool(layout.comment) and line.startswith(layout.comment)


def _is_utf8(written: bytes) -> bool:
    try:
        written.decode()
    except UnicodeDecodeError:
        return False
    return True
