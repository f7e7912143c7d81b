"""Rows of CSV, TSV, JSON, JSONL, Parquet and lines, each with its line and every fault."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from splitaudit.dataset.file_kinds import ending
from splitaudit.dataset.json_table import json_rows
from splitaudit.dataset.label_pickle import read_labels
from splitaudit.dataset.manifest import JSON, LINES, Layout
from splitaudit.dataset.paths import encode_path
from splitaudit.dataset.rows import Problem, Rows
from splitaudit.errors import SplitauditError

LABEL_PICKLE = "label_pickle"
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": JSON,
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def read_rows(
    path: Path, form: str | None = None, label: str = "", layout: Layout | None = None
) -> Rows:
    """Read a table.

    Parameters
    ----------
    path
        A regular file.
    form
        "lines", "label_pickle" for `id` and `label`, or a value of `FORMATS`; None where the
        ending tells.
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
    form = form or FORMATS.get(ending(path.name))
    if form is None:
        known = ", ".join(FORMATS)
        raise SplitauditError(f"{name}: the format of a table is told by its ending ({known})")
    unit = f"{label} {_UNITS.get(form, 'line')}".strip()
    try:
        return _READERS[form](path, unit, layout or Layout())
    except OSError as error:
        raise SplitauditError(f"cannot read {name}: {error.strerror or error}") from error


def _read_csv(path: Path, unit: str, layout: Layout) -> Rows:
    return _read_delimited(path, unit, layout, ",")


def _read_tsv(path: Path, unit: str, layout: Layout) -> Rows:
    return _read_delimited(path, unit, layout, "\t")


def _read_delimited(path: Path, unit: str, layout: Layout, delimiter: str) -> Rows:
    text, problems = _decode(path, unit, layout.encoding)
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
            if cells:  # an empty line is no row
                yield line, cells


def _header_problems(header: list[str], unit: str) -> list[Problem]:
    twice = sorted({name for name in header if header.count(name) > 1})
    return [Problem(unit, 0, f"two columns are named {name!r}") for name in twice]


def _read_jsonl(path: Path, unit: str, layout: Layout) -> Rows:
    text, problems = _decode(path, unit, layout.encoding)
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


def _read_json(path: Path, unit: str, layout: Layout) -> Rows:
    text, problems = _decode(path, unit, layout.encoding)
    try:
        if problems:
            raise ValueError(problems[0].text)
        return json_rows(text, unit, layout)
    except ValueError as error:
        raise SplitauditError(f"{encode_path(str(path))}: {error}") from error


def _read_parquet(path: Path, unit: str, layout: Layout) -> Rows:
    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
        table.validate(full=True)
        problems = _header_problems(table.column_names, unit)
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


def _is_readable(type_: pa.DataType) -> bool:
    """Return whether cells are text, numbers or lists of text: no embeddings, no file contents."""
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return bool(
            pa.types.is_string(type_.value_type) or pa.types.is_large_string(type_.value_type)
        )
    is_bytes = pa.types.is_binary(type_) or pa.types.is_large_binary(type_)
    return not (pa.types.is_nested(type_) or is_bytes)


def _read_lines(path: Path, unit: str, layout: Layout) -> Rows:
    text, problems = _decode(path, unit, layout.encoding)
    header = layout.header or ("id",)
    lines, rows = [], []
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip() or (layout.comment and written.startswith(layout.comment)):
            continue
        cells = written.strip("\r").split(layout.separator, len(header) - 1)
        if len(cells) < len(header):
            reason = f"{len(cells)} cells, expected {len(header)}: {', '.join(header)}"
            problems.append(Problem(unit, line, reason))
        else:
            lines.append(line)
            rows.append([cell.strip() for cell in cells])
    columns = zip(*rows, strict=True) if rows else ((),) * len(header)
    problems += _header_problems(list(header), unit)
    return Rows(unit, lines, dict(zip(header, columns, strict=True)), problems)


def _read_label_pickle(path: Path, unit: str, layout: Layout) -> Rows:
    try:
        labels = read_labels(path.read_bytes())
    except ValueError as error:
        name = encode_path(str(path))
        raise SplitauditError(f"{name} is no pickle of labels by id: {error}") from error
    columns: dict[str, Sequence[object]] = {"id": list(labels), "label": list(labels.values())}
    return Rows(unit, range(1, len(labels) + 1), columns, [])


def _decode(path: Path, unit: str, encoding: str) -> tuple[str, list[Problem]]:
    """Return a file's text and a problem for each line that is not UTF-8."""
    content = path.read_bytes()
    if encoding != Layout.encoding:
        try:
            return content.decode(encoding), []
        except ValueError as error:
            return "", [Problem(unit, 0, f"not valid {encoding}: {error}")]
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


_UNITS = {"parquet": "row", JSON: "record"}
_READERS: dict[str, Callable[[Path, str, Layout], Rows]] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    JSON: _read_json,
    "jsonl": _read_jsonl,
    "parquet": _read_parquet,
    LINES: _read_lines,
    LABEL_PICKLE: _read_label_pickle,
}
