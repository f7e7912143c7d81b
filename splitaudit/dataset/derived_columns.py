"""Columns of ours that are made of several of theirs, or of a part of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from splitaudit.dataset.manifest import IN_BRACES, Column, Part, source_columns
from splitaudit.dataset.rows import Rows

Cells = Sequence[object]


def derive_columns(
    rows: Rows, columns: Mapping[str, Column], drop: Sequence[str]
) -> tuple[Rows, dict[str, str]]:
    """Return rows with the columns that are made of theirs, and for each of ours which it is.

    Parameters
    ----------
    rows
        As they were written.
    columns
        Ours -> what it is made of. Where a column is not there, ours stands for that one, so that
        `load` tells what is missing.
    drop
        Columns that are not looked at. Those that became a list are not looked at again either.
    """
    kept = {name: cells for name, cells in rows.columns.items() if name not in drop}
    found: dict[str, str] = {}
    for ours, column in columns.items():
        theirs = source_columns(column)
        absent = [name for name in theirs if name not in rows.columns]
        if absent or column == theirs[0]:
            found[ours] = (absent or theirs)[0]
            continue
        found[ours] = f"{ours} of {', '.join(theirs)}"
        kept[found[ours]] = list(_derive_column(column, [rows.columns[name] for name in theirs]))
    for column in columns.values():
        for name in column if isinstance(column, tuple) else ():
            kept.pop(name, None)
    return replace(rows, columns=kept), found


def extract_part(pattern: re.Pattern[str], cell: object) -> str | None:
    """Return the first group of a pattern in a cell; None where it is not found."""
    found = pattern.search(_text(cell) or "")
    return found[1] if found else None


def _derive_column(column: Column, theirs: Sequence[Cells]) -> Iterator[object]:
    if isinstance(column, Part):
        pattern = re.compile(column.pattern)
        return (extract_part(pattern, cell) for cell in theirs[0])
    if isinstance(column, tuple):
        return (_flatten_texts(cells) for cells in zip(*theirs, strict=True))
    return (_fill_template(column, cells) for cells in zip(*theirs, strict=True))


def _flatten_texts(cells: Cells) -> list[object]:
    """All texts of a row in one list."""
    return [text for cell in cells for text in (cell if isinstance(cell, list) else [cell]) if text]


def _fill_template(template: str, cells: Cells) -> str | None:
    """A text with columns in braces, of one row; None where one of them is empty."""
    texts = [_text(cell) for cell in cells]
    if None in texts:
        return None
    ready = iter(texts)
    return IN_BRACES.sub(lambda _: next(ready) or "", template)


def _text(cell: object) -> str | None:
    """A cell that is a text or a number, as text."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool) or not isinstance(cell, (int, float)) or cell != cell:
        return None
    return str(cell)
