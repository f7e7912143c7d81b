"""Rows of CSV, TSV, JSONL, Parquet and plain lists, each with its line and every fault."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq

from splitaudit.errors import InputError, SplitauditError
from splitaudit.ingest.files import ending
from splitaudit.ingest.label_pickle import read_labels
from splitaudit.ingest.paths import encode_path

LINES = "lines"
LABEL_PICKLE = "label_pickle"
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_SHOWN = 20  # problems spelt out; the others are counted


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
        How a row is told: "line", "row", or with the table's name, "train_list.txt line".
    lines
        The line (from 1) that each row begins on; in Parquet the row's number.
    columns
        Name -> one value a row; None where there is none.
    problems
        Rows that could not be read; they are not in `columns`.
    """

    unit: str
    lines: Sequence[int]
    columns: dict[str, Sequence[object]]
    problems: list[Problem]


def fail(where: Path, problems: Iterable[Problem]) -> NoReturn:
    """Raise an InputError with the first problems, in the order of lines, and the count of all."""
    told = [str(problem) for problem in sorted(set(problems))]
    rest = len(told) - _SHOWN
    more = [f"and {rest:,} more"] if rest > 0 else []
    raise InputError(encode_path(str(where)), told[:_SHOWN] + more)


def read_rows(path: Path, form: str | None = None, label: str = "") -> Rows:
    """Read a table.

    Parameters
    ----------
    path
        A regular file.
    form
        "lines" for one column `id`, "label_pickle" for `id` and `label`; None where the ending
        tells.
    label
        What its problems are introduced with, where there are several tables.

    Raises
    ------
    SplitauditError
        Where the file cannot be read at all, or its format is not known.
    """
    name = encode_path(str(path))
    form = form or FORMATS.get(ending(path.name))
    if form is None:
        known = ", ".join(FORMATS)
        raise SplitauditError(f"{name}: the format of a table is told by its ending ({known})")
    unit = f"{label} {'row' if form == 'parquet' else 'line'}".strip()
    try:
        return _READERS[form](path, unit)
    except OSError as error:
        raise SplitauditError(f"cannot read {name}: {error.strerror or error}") from error


def _read_csv(path: Path, unit: str) -> Rows:
    return _delimited(path, unit, ",")


def _read_tsv(path: Path, unit: str) -> Rows:
    return _delimited(path, unit, "\t")


def _delimited(path: Path, unit: str, delimiter: str) -> Rows:
    text, problems = _decoded(path, unit)
    lines, rows = [], []
    header: list[str] = []
    for line, cells in _records(text, delimiter):
        if isinstance(cells, str):
            problems.append(Problem(unit, line, cells))
        elif not header:
            header = cells
        elif len(cells) != len(header):
            reason = f"{len(cells)} cells, expected {len(header)} as in the header"
            problems.append(Problem(unit, line, reason))
        else:
            lines.append(line)
            rows.append(tuple(cells))  # not a list: the collector need not follow it
    problems += _header_problems(header, unit)
    columns = zip(*rows, strict=True) if rows else ((),) * len(header)
    return Rows(unit, lines, dict(zip(header, columns, strict=False)), problems)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the physical line that each record begins on with its cells, or what is wrong."""
    # Strict, since a quote that is never closed would else swallow the rest of the table.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"not a row of a table: {error}"
        else:
            if cells:  # an empty line is no row
                yield line, cells


def _header_problems(header: list[str], unit: str) -> list[Problem]:
    twice = sorted({name for name in header if header.count(name) > 1})
    return [Problem(unit, 0, f"two columns are named {name!r}") for name in twice]


def _read_jsonl(path: Path, unit: str) -> Rows:
    text, problems = _decoded(path, unit)
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
    return Rows(unit, lines, {name: [row.get(name) for row in rows] for name in names}, problems)


def _json_object(written: str) -> dict[str, object]:
    value = json.loads(written)
    if not isinstance(value, dict):
        raise ValueError(f"expected {{...}}, found {written.strip()[:40]!r}")
    if "\\u" in written:  # JSON can spell half of a character, which is no text
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _read_parquet(path: Path, unit: str) -> Rows:
    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
        table.validate(full=True)
        problems = _header_problems(table.column_names, unit)
        columns = {name: table[table.column_names.index(name)] for name in table.column_names}
        kept = {name: column for name, column in columns.items() if _readable(column.type)}
        values = {name: column.to_pylist() for name, column in kept.items()}
    except (pa.ArrowException, ValueError) as error:
        raise SplitauditError(
            f"{encode_path(str(path))} is not readable Parquet: {error}"
        ) from error
    return Rows(unit, range(1, table.num_rows + 1), values, problems)


def _readable(type_: pa.DataType) -> bool:
    """Return whether cells are text, numbers or lists of text: no embeddings, no file contents."""
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return bool(
            pa.types.is_string(type_.value_type) or pa.types.is_large_string(type_.value_type)
        )
    is_bytes = pa.types.is_binary(type_) or pa.types.is_large_binary(type_)
    return not (pa.types.is_nested(type_) or is_bytes)


def _read_lines(path: Path, unit: str) -> Rows:
    text, problems = _decoded(path, unit)
    found = [
        (line, written.strip())
        for line, written in enumerate(text.split("\n"), start=1)
        if written.strip()
    ]
    ids = [written for _, written in found]
    return Rows(unit, [line for line, _ in found], {"id": ids}, problems)


def _read_label_pickle(path: Path, unit: str) -> Rows:
    try:
        labels = read_labels(path.read_bytes())
    except ValueError as error:
        name = encode_path(str(path))
        raise SplitauditError(f"{name} is no pickle of labels by id: {error}") from error
    columns: dict[str, Sequence[object]] = {"id": list(labels), "label": list(labels.values())}
    return Rows(unit, range(1, len(labels) + 1), columns, [])


def _decoded(path: Path, unit: str) -> tuple[str, list[Problem]]:
    """Return a file's text and a problem for each line that is not UTF-8."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        problems = [
            Problem(unit, line, "not valid UTF-8; save the table as UTF-8")
            for line, written in enumerate(content.split(b"\n"), start=1)
            if not _is_utf8(written)
        ]
        return content.decode("utf-8-sig", "replace"), problems


def _is_utf8(written: bytes) -> bool:
    try:
        written.decode()
    except UnicodeDecodeError:
        return False
    return True


_READERS: dict[str, Callable[[Path, str], Rows]] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    "jsonl": _read_jsonl,
    "parquet": _read_parquet,
    LINES: _read_lines,
    LABEL_PICKLE: _read_label_pickle,
}
