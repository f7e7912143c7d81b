"""Files that say what is right for each query: pairs, or judgements with a grade.

Read are tables with names of columns, as those of BEIR, and the qrels of TREC.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.errors import ScoresError
from splitaudit.evaluation.id_lists import read_text
from splitaudit.evaluation.relevance import Rows
from splitaudit.evaluation.run_files import parse_number

Floats = npt.NDArray[np.float64]
Lines = list[tuple[int, list[str]]]

QUERY = ("query", "query-id", "query_id", "qid", "topic")
ITEM = ("item", "corpus-id", "corpus_id", "doc-id", "doc_id", "docid", "docno", "did")
GRADE = ("grade", "score", "relevance", "rel", "label", "judgement", "judgment")
DELIMITERS = (",", "\t", ";")
QRELS = 4  # fields: qid iteration docid grade
EXPECTED = (
    "expected a table with the columns query and item, and grade where pairs have one, a BEIR file "
    "(query-id, corpus-id, score), or qrels of TREC (qid 0 docid grade)"
)


@dataclass(frozen=True)
class Judgements:
    """Items that were judged for queries, in the order of the file.

    Parameters
    ----------
    query, item
        Ids, or places counted from 0.
    grade
        Shape (lines,); None where the file lists pairs, which then all are right.
    line
        Where each stands in the file, from 1.
    unread
        Names of columns that say nothing of what is right.
    """

    query: list[str]
    item: list[str]
    grade: Floats | None
    line: Rows
    unread: tuple[str, ...] = ()

    def right(self, min_grade: float | None) -> npt.NDArray[np.bool_]:
        """Return which of them are right: of a grade above 0, or of `min_grade` at least."""
        if self.grade is None:
            return np.ones(len(self.line), bool)
        return self.grade > 0 if min_grade is None else self.grade >= min_grade


def read_judgements(path: Path) -> Judgements:
    """Read what is right.

    Raises
    ------
    ScoresError
        Naming the line, where the file is none of those that are known.
    """
    text = read_text(path)
    head = text.lstrip("\r\n").split("\n", 1)[0]
    for delimiter in DELIMITERS:
        names = [name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])]
        if {*QUERY} & {*names} and {*ITEM} & {*names}:
            return _read_table(path, _split_rows(path, text, delimiter), names)
    lines = [(n, line.split()) for n, line in enumerate(text.split("\n"), 1)]
    lines = [(n, fields) for n, fields in lines if fields]
    if not lines or len(lines[0][1]) != QRELS:
        raise ScoresError(f"{path}: {EXPECTED}")
    named = {name.lower() for name in lines[0][1]}
    return _read_columns(path, lines[bool({*QUERY} & named) :], QRELS, (0, 2, 3))


def _split_rows(path: Path, text: str, delimiter: str) -> Lines:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise ScoresError(f"{path}, line {reader.line_num}: cannot be read ({error})") from None
    return rows[1:]


def _read_table(path: Path, rows: Lines, names: list[str]) -> Judgements:
    at = [_find_column(path, names, known) for known in (QUERY, ITEM, GRADE)]
    judged = _read_columns(path, rows, len(names), (at[0], at[1], at[2]))
    others = [column for column in range(len(names)) if column not in at]
    for column in others if at[2] is None else ():
        if all(_is_number(row[column]) for _, row in rows):
            raise ScoresError(
                f"{path}: is {names[column]!r} how right an item is? Then call it grade, else "
                "leave it out"
            )
    unread = tuple(names[column] for column in others)
    return Judgements(judged.query, judged.item, judged.grade, judged.line, unread)


def _find_column(path: Path, names: list[str], known: tuple[str, ...]) -> int | None:
    found = [column for column, name in enumerate(names) if name in known]
    if len(found) > 1:
        raise ScoresError(f"{path}: both {names[found[0]]!r} and {names[found[1]]!r}: keep one")
    return found[0] if found else None


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _read_columns(path: Path, rows: Lines, width: int, at: tuple[Any, Any, Any]) -> Judgements:
    if not rows:
        raise ScoresError(f"{path}: lists nothing; {EXPECTED}")
    for number, row in rows:
        if len(row) != width:
            raise ScoresError(f"{path}, line {number}: {len(row)} fields, expected {width}")
    query, item = ([row[column] for _, row in rows] for column in at[:2])
    line = np.array([number for number, _ in rows], np.int64)
    grade = None if at[2] is None else _parse_grades(path, rows, at[2])
    return Judgements(query, item, grade, line)


def _parse_grades(path: Path, rows: Lines, column: int) -> Floats:
    return np.array([parse_number(row[column], f"{path}, line {n}: grade") for n, row in rows])
