"""Rows of a table as they were written, and what is wrong with them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from splitaudit.dataset.paths import encode_path
from splitaudit.errors import InputError

_COMMA = re.compile(r"[+-]?\d*,\d+")
_SAY_DECIMAL = (
    'where commas are decimal points, say --decimal comma (in a manifest: decimal = "comma")'
)
_MAX_SHOWN = 20  # problems spelt out; the others are counted


class Problem(NamedTuple):
    """A fault in a table: `unit` names the table and how it counts, `line` 0 is the whole of it."""

    unit: str
    line: int
    text: str

    def __str__(self) -> str:
        """Return it as one sentence."""
        place = f"{self.unit} {self.line}" if self.line else self.unit.rpartition(" ")[0]
        return f"{place}: {self.text}" if place else self.text


@dataclass(frozen=True)
class Rows:
    """A table as it was written.

    Parameters
    ----------
    unit
        How a row is told: "line", "row", "record", or with the table's name, "train_list.txt line".
    lines
        The line (from 1) that each row begins on; in Parquet the row's number.
    columns
        Name -> one value a row; None where there is none.
    problems
        Rows that could not be read; they are not in `columns`.
    notes
        Sentences for the user.
    encoded
        Whether ids and paths are names as `encode_path` gives them, not as they were written.
    commas
        Whether a comma in a number is its decimal point.
    """

    unit: str
    lines: Sequence[int]
    columns: dict[str, Sequence[object]]
    problems: list[Problem]
    notes: tuple[str, ...] = ()
    encoded: bool = False
    commas: bool = False


def parse_number(cell: object, commas: bool = False) -> float | None:
    """Return the number in a cell, None where it is empty; with a comma, if these are points.

    Raises
    ------
    ValueError, OverflowError
        Where it is no finite number.
    """
    if cell is None or cell == "" or cell != cell:
        return None
    if isinstance(cell, bool) or not isinstance(cell, (str, int, float)):
        raise ValueError
    number = float(str(cell).replace(",", ".") if commas and has_comma(cell) else cell)
    if not math.isfinite(number):
        raise ValueError
    return number


def has_comma(cell: object) -> bool:
    """Return whether a cell is a number with a comma for its decimal point."""
    return isinstance(cell, str) and bool(_COMMA.fullmatch(cell.strip()))


def wrong_number(cell: object) -> str:
    """Return what is wrong with a cell that holds no number, and what may read it."""
    wrong = f"expected a finite number, found {repr(cell)[:60]}"
    return f"{wrong}; {_SAY_DECIMAL}" if has_comma(cell) else wrong


def table_note(unit: str, text: str) -> str:
    """Return a sentence about a table, with its name where there are several."""
    name = unit.rpartition(" ")[0]
    return f"{name}: {text}" if name else text


def raise_problems(where: Path, problems: Iterable[Problem]) -> NoReturn:
    """Raise an InputError with the first problems, in the order of lines, and the count of all."""
    told = [str(problem) for problem in sorted(set(problems))]
    rest = len(told) - _MAX_SHOWN
    more = [f"and {rest:,} more"] if rest > 0 else []
    raise InputError(encode_path(str(where)), told[:_MAX_SHOWN] + more)
