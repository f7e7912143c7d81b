"""Files of scores, and of what is right: numbers only, nothing in them is executed."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from splitaudit.errors import ScoresError
from splitaudit.evaluation.relevance import Relevance, diagonal, parse_relevance

Ids = list[str] | None


@dataclass(frozen=True)
class Scores:
    """Scores, shape (queries, gallery), and the ids of rows and columns where they are known."""

    matrix: Any
    query_ids: Ids
    gallery_ids: Ids


def read_scores(path: Path, query_ids: Path | None, gallery_ids: Path | None) -> Scores:
    """Read scores.

    Parameters
    ----------
    path
        ``.npy``, or ``.parquet`` with a column an item; first may come the ids of queries.
    query_ids, gallery_ids
        Files with one id a line.

    Raises
    ------
    ScoresError
        Where a file is not what it should be.
    """
    readers = {".npy": _read_npy, ".parquet": _read_parquet}
    if path.suffix not in readers:
        raise ScoresError(f"{path}: expected a file whose name ends in .npy or .parquet")
    found = readers[path.suffix](path)
    if found.matrix.ndim != 2:
        raise ScoresError(f"{path}: {found.matrix.ndim} dimensions; expected a matrix")
    rows, columns = found.matrix.shape
    return Scores(
        found.matrix,
        _read_ids(query_ids, rows, "rows") or found.query_ids,
        _read_ids(gallery_ids, columns, "columns") or found.gallery_ids,
    )


def _read_npy(path: Path) -> Scores:
    try:
        return Scores(np.load(path, mmap_mode="r", allow_pickle=False), None, None)
    except (OSError, ValueError, EOFError) as error:
        raise ScoresError(f"{path}: not an array of numbers in NumPy's format ({error})") from None


def _read_parquet(path: Path) -> Scores:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise ScoresError(f"{path}: not a Parquet file ({error})") from None
    ids, names = None, table.column_names
    if names and table.schema.field(0).type in (pa.string(), pa.large_string()):
        ids, names = table.column(0).to_pylist(), names[1:]
    try:
        matrix = np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.float64)
    except (ValueError, TypeError):
        raise ScoresError(f"{path}: expected columns of numbers, one for each item") from None
    return Scores(matrix, ids, list(names))


def _read_ids(path: Path | None, number: int, of: str) -> Ids:
    if path is None:
        return None
    try:
        ids = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ScoresError(f"{path}: cannot be read ({error})") from None
    if len(ids) != number:
        raise ScoresError(f"{path}: {len(ids):,} ids for {number:,} {of} of the scores")
    return ids


def read_relevance(path: Path | None, scores: Scores) -> Relevance:
    """Read which items are right for each query; by default those of the diagonal.

    Parameters
    ----------
    path
        CSV with the columns `query` and `item`, a row a pair: ids where they are known, else places
        counted from 0.
    scores
        What it is about.
    """
    rows, columns = scores.matrix.shape
    if path is None:
        return diagonal(rows, columns, "--relevance")
    right: list[set[int]] = [set() for _ in range(rows)]
    sides = _id_positions(scores.query_ids, rows), _id_positions(scores.gallery_ids, columns)
    for line, (query, item) in enumerate(_read_pairs(path), 2):
        for name, side, word in ((query, sides[0], "query"), (item, sides[1], "item")):
            if name not in side:
                raise ScoresError(f"{path}, line {line}: no {word} {name!r} in the scores")
        right[sides[0][query]].add(sides[1][item])
    return parse_relevance([sorted(items) for items in right], columns)


def _id_positions(ids: Ids, number: int) -> dict[str, int]:
    return {name: at for at, name in enumerate(ids or map(str, range(number)))}


def _read_pairs(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScoresError(f"{path}: cannot be read ({error})") from None
    if not rows or {"query", "item"} - set(rows[0]):
        raise ScoresError(f"{path}: expected a CSV file with the columns query and item")
    return [(row["query"] or "", row["item"] or "") for row in rows]
