"""Files of scores: numbers only, nothing in them is executed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from splitaudit.errors import ScoresError
from splitaudit.evaluation.id_lists import check_unique, read_ids

Ids = list[str] | None


@dataclass(frozen=True)
class Scores:
    """Scores, and the ids of rows and columns.

    Parameters
    ----------
    matrix
        Shape (queries, gallery).
    query_ids, gallery_ids
        None where they are not known.
    partial
        Whether only what each query found has a score, as in a run of TREC; the rest is NaN.
    """

    matrix: Any
    query_ids: Ids
    gallery_ids: Ids
    partial: bool = False


def read_matrix(path: Path, query_ids: Path | None, gallery_ids: Path | None) -> Scores:
    """Read a matrix of scores.

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
    found = READERS[path.suffix](path)
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
    check_unique(names, str(path))
    check_unique(ids or [], str(path))
    return Scores(matrix, ids, list(names))


READERS = {".npy": _read_npy, ".parquet": _read_parquet}


def _read_ids(path: Path | None, number: int, of: str) -> Ids:
    if path is None:
        return None
    ids = read_ids(path)
    if len(ids) != number:
        raise ScoresError(f"{path}: {len(ids):,} ids for {number:,} {of} of the scores")
    return ids
