"""Scores as TREC keeps them: a line for each item that a query found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from splitaudit.errors import ScoresError
from splitaudit.evaluation.id_lists import find_positions, read_text
from splitaudit.evaluation.relevance import Rows

Floats = npt.NDArray[np.float64]

FIELDS = "qid Q0 docid rank score tag"
MAX_SCORES = 1 << 27  # <=: a gigabyte


@dataclass(frozen=True)
class Run:
    """What each query found, line by line.

    Parameters
    ----------
    query, item
        Their ids.
    score
        Shape (lines,). As for trec_eval, the ranks of the file say nothing.
    """

    query: list[str]
    item: list[str]
    score: Floats


def read_run(path: Path) -> Run:
    """Read a run.

    Raises
    ------
    ScoresError
        Naming the first line that has not the six fields, or a score that is no number.
    """
    said = [(n, line.split()) for n, line in enumerate(read_text(path).split("\n"), 1)]
    rows = [(n, fields) for n, fields in said if fields]
    wrong = next(((n, len(fields)) for n, fields in rows if len(fields) != 6), None)
    if wrong or not rows:
        where = f", line {wrong[0]}: {wrong[1]} fields" if wrong else ": nothing"
        raise ScoresError(
            f"{path}{where}; expected a file whose name ends in .npy or .parquet, or a TREC run "
            f"of lines {FIELDS}"
        )
    score = [parse_number(fields[4], f"{path}, line {n}: score") for n, fields in rows]
    return Run([row[0] for _, row in rows], [row[2] for _, row in rows], np.array(score))


def parse_number(text: str, where: str) -> float:
    """Return a number; `where` begins the sentence that is said where it is none."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    raise ScoresError(f"{where} {text!r}: expected a number")


def place_scores(run: Run, queries: Sequence[str], items: Sequence[str], where: str) -> Floats:
    """Return scores, shape (queries, items), NaN where the run has none.

    Raises
    ------
    ScoresError
        Where the run names other queries or items, has a pair twice, or they are too many.
    """
    query, item = find_positions(run.query, queries), find_positions(run.item, items)
    _check_places(run, query, item, where)
    if len(queries) * len(items) > MAX_SCORES:
        raise ScoresError(
            f"{where}: {len(queries):,} queries and {len(items):,} items are more than "
            f"{MAX_SCORES:,} scores; take fewer queries at a time"
        )
    scores = np.full((len(queries), len(items)), np.nan)
    scores[query, item] = run.score
    return scores


def _check_places(run: Run, query: Rows, item: Rows, where: str) -> None:
    for word, names, places in (("query", run.query, query), ("item", run.item, item)):
        if (places < 0).any():
            unknown = names[int((places < 0).argmax())]
            raise ScoresError(f"{where}: {word} {unknown!r} is not in the list of ids")
    pairs, first = np.unique(np.stack([query, item]), axis=1, return_index=True)
    if pairs.shape[1] < len(query):
        again = int(np.setdiff1d(np.arange(len(query)), first)[0])
        raise ScoresError(f"{where}: query {run.query[again]!r} has {run.item[again]!r} twice")
