"""How the cells of a written table are parted and quoted, where nobody says it."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from splitaudit.dataset.manifest import Layout

SEPARATORS = (",", "\t", ";", "|")
TEXT, CSV = "text", "csv"  # what quotes are: text as any other, or marks around a cell
_LOOKED_AT = 50  # records by which a separator is told

Cells = list[str]


@dataclass(frozen=True)
class Dialect:
    """How cells are parted and quoted.

    Parameters
    ----------
    separator
        One character.
    quoted
        Whether a quote at the beginning of a cell is a mark around it.
    padded
        Whether a space may stand between a separator and a quote.
    said
        Whether the user says what quotes are.
    """

    separator: str
    quoted: bool = True
    padded: bool = False
    said: bool = False


def find_dialect(text: str, layout: Layout, usual: str) -> Dialect:
    """Return how a table is written: as its layout says, else as its records tell.

    Parameters
    ----------
    text
        The table.
    layout
        Its `separator`, `quotes` and `header`.
    usual
        The separator that its ending promises. Another is taken only where that one parts nothing.
    """
    separator = layout.separator or _find_separator(text, usual, len(layout.header))
    padded = f'{separator} "' in text
    dialect = Dialect(separator, padded=padded, said=bool(layout.quotes))
    if layout.quotes == TEXT or (not layout.quotes and _quotes_are_text(text, dialect, layout)):
        return Dialect(separator, quoted=False)
    return dialect


def read_records(text: str, dialect: Dialect) -> Iterator[tuple[int, Cells | str]]:
    """Yield the physical line that each record begins on with its cells, or what is wrong."""
    if not dialect.quoted:
        yield from _unquoted_records(text, dialect.separator)
        return
    # Strict, since a quote that is never closed would else swallow the rest of the table.
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.separator,
        skipinitialspace=dialect.padded,
        strict=True,
    )
    lines = text.split("\n") if '"' in text else []
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a caption may be long
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"not a row of a table: {error}"
        else:
            inside = lines[line - 1 : reader.line_num] if reader.line_num > line else []
            if not dialect.said and _are_rows(inside, len(cells), dialect.separator):
                yield line, "a quoted cell runs over lines that are rows by themselves"
            elif cells:  # an empty line is no row
                yield line, cells


def _are_rows(lines: list[str], width: int, separator: str) -> bool:
    """Whether each of the lines that one record takes has as many cells as the record."""
    return len(lines) > 1 < width and all(line.count(separator) == width - 1 for line in lines)


def read_quoted_lines(lines: list[str], separator: str, width: int) -> list[Cells] | None:
    """Return the cells of lines with quotes as in CSV; None where not all have so many cells."""
    dialect = Dialect(separator, padded=any(f'{separator} "' in line for line in lines))
    found = [list(islice(read_records(line, dialect), 2)) for line in lines]
    if any(len(records) != 1 for records in found):
        return None
    cells = [records[0][1] for records in found]
    whole = [cell for cell in cells if isinstance(cell, list) and len(cell) == width]
    return whole if len(whole) == len(lines) else None


def _unquoted_records(text: str, separator: str) -> Iterator[tuple[int, Cells | str]]:
    for line, written in enumerate(text.split("\n"), start=1):
        if record := written.removesuffix("\r"):
            yield line, record.split(separator)


def _find_separator(text: str, usual: str, width: int) -> str:
    """The usual one where it parts every record alike; else the one that makes the most cells."""
    head = text.split("\n", _LOOKED_AT)[:_LOOKED_AT]
    widths = {separator: _width(head, separator, width) for separator in (usual, *SEPARATORS)}
    widest = max(widths, key=lambda separator: widths[separator])
    return widest if widths[widest] > 1 and widths[usual] <= 1 else usual


def _width(head: list[str], separator: str, width: int) -> int:
    """How many cells each record has, with quotes as in CSV or as text; 0 where they differ."""
    quoted = csv.reader(io.StringIO("\n".join(head)), delimiter=separator)
    plain = (line.split(separator) for line in head if line.strip())
    for records in (quoted, plain):
        with contextlib.suppress(csv.Error):
            widths = {len(cells) for cells in records if cells}
            if len(widths) == 1 and (not width or widths == {width}):
                return widths.pop()
    return 0


def _quotes_are_text(text: str, dialect: Dialect, layout: Layout) -> bool:
    """Whether each line is a row with quotes as text, and not with quotes as CSV has them.

    Where a comma parts the cells, quotes are those of CSV, and what is wrong with them is told.
    """
    if dialect.separator in ",;" or '"' not in text:
        return False
    widths = {len(cells) for _, cells in _unquoted_records(text, dialect.separator)}
    if len(widths) != 1 or (layout.header and widths != {len(layout.header)}):
        return False
    return not _is_whole(text, dialect, widths.pop())


def _is_whole(text: str, dialect: Dialect, width: int) -> bool:
    """Whether all records have so many cells, each on a line of its own."""
    return all(
        isinstance(cells, list) and len(cells) == width and not any("\n" in cell for cell in cells)
        for _, cells in read_records(text, dialect)
    )
