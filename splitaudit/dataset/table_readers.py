"""Rows of CSV, TSV, JSON, JSONL, Parquet and lines, each with its line and every fault."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from splitaudit.dataset.compressed import is_compressed, read_bytes
from splitaudit.dataset.formats import (
    BY_ENDING,
    CSV,
    JSON,
    JSONL,
    LABEL_PICKLE,
    LINES,
    PARQUET,
    TSV,
    table_format,
)
from splitaudit.dataset.json_table import json_rows
from splitaudit.dataset.label_pickle import read_labels
from splitaudit.dataset.manifest import Layout
from splitaudit.dataset.paths import encode_path
from splitaudit.dataset.rows import Problem, Rows
from splitaudit.dataset.text_tables import (
    decode,
    header_problems,
    read_csv,
    read_lines,
    read_tsv,
)
from splitaudit.errors import SplitauditError


def read_rows(
    path: Path, form: str | None = None, label: str = "", layout: Layout | None = None
) -> Rows:
    """Read a table.

    Parameters
    ----------
    path
        A regular file.
    form
        One of `formats.FORMATS`; None where the ending tells.
    label
        What its problems are introduced with, where there are several tables.
    layout
        How rows lie in it, where its format leaves that open.

    Raises
    ------
    SplitauditError
        Where the file cannot be read at all, or its format is not known.
    """
    name = encode_path(str(path))
    form = form or table_format(path.name)
    if form is None:
        known = ", ".join(BY_ENDING)
        raise SplitauditError(f"{name}: the format of a table is told by its ending ({known})")
    unit = f"{label} {_UNITS.get(form, 'line')}".strip()
    try:
        return _READERS[form](path, unit, layout or Layout())
    except OSError as error:
        raise SplitauditError(f"cannot read {name}: {error.strerror or error}") from error


def _read_jsonl(path: Path, unit: str, layout: Layout) -> Rows:
    text, problems, notes = decode(path, unit, layout.encoding)
    lines, rows = [], []
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            rows.append(_json_object(written))
            lines.append(line)
        except (ValueError, RecursionError) as error:
            problems.append(Problem(unit, line, f"not a JSON object: {error}"))
    names = dict.fromkeys(name for row in rows for name in row)
    columns: dict[str, Sequence[object]] = {name: [row.get(name) for row in rows] for name in names}
    return Rows(unit, lines, columns, problems, tuple(notes))


def _json_object(written: str) -> dict[str, object]:
    value = json.loads(written)
    if not isinstance(value, dict):
        raise ValueError(f"expected {{...}}, found {written.strip()[:40]!r}")
    if "\\u" in written:  # JSON can spell half of a character, which is no text
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _read_json(path: Path, unit: str, layout: Layout) -> Rows:
    text, problems, notes = decode(path, unit, layout.encoding)
    try:
        if problems:
            raise ValueError(problems[0].text)
        return replace(json_rows(text, unit, layout), notes=tuple(notes))
    except ValueError as error:
        raise SplitauditError(f"{encode_path(str(path))}: {error}") from error


def _read_parquet(path: Path, unit: str, layout: Layout) -> Rows:
    try:
        with _open_binary(path) as file:
            table = pq.read_table(file)
        table.validate(full=True)
        problems = header_problems(table.column_names, unit)
        columns = {name: table[table.column_names.index(name)] for name in table.column_names}
        kept = {name: column for name, column in columns.items() if _is_readable(column.type)}
        odd = [f"{name!r} ({columns[name].type})" for name in columns if name not in kept]
        values = {name: column.to_pylist() for name, column in kept.items()}
    except (pa.ArrowException, ValueError) as error:
        raise SplitauditError(
            f"{encode_path(str(path))} is not readable Parquet: {error}"
        ) from error
    odd_said = f"columns of neither text nor numbers are not read: {', '.join(odd)}"
    notes = (odd_said,) if odd else ()
    return Rows(unit, range(1, table.num_rows + 1), values, problems, notes)


def _open_binary(path: Path) -> BinaryIO:
    """A file, decompressed in memory where it is compressed."""
    return io.BytesIO(read_bytes(path)) if is_compressed(path.name) else path.open("rb")


def _is_readable(type_: pa.DataType) -> bool:
    """Return whether cells are text, numbers or lists of text: no embeddings, no file contents."""
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return bool(
            pa.types.is_string(type_.value_type) or pa.types.is_large_string(type_.value_type)
        )
    is_bytes = pa.types.is_binary(type_) or pa.types.is_large_binary(type_)
    return not (pa.types.is_nested(type_) or is_bytes)


def _read_label_pickle(path: Path, unit: str, layout: Layout) -> Rows:
    try:
        labels = read_labels(read_bytes(path))
    except ValueError as error:
        name = encode_path(str(path))
        raise SplitauditError(f"{name} is no pickle of labels by id: {error}") from error
    columns: dict[str, Sequence[object]] = {"id": list(labels), "label": list(labels.values())}
    return Rows(unit, range(1, len(labels) + 1), columns, [])


_UNITS = {PARQUET: "row", JSON: "record"}
_READERS: dict[str, Callable[[Path, str, Layout], Rows]] = {
    CSV: read_csv,
    TSV: read_tsv,
    JSON: _read_json,
    JSONL: _read_jsonl,
    PARQUET: _read_parquet,
    LINES: read_lines,
    LABEL_PICKLE: _read_label_pickle,
}
