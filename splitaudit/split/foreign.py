"""Reading a split from the files that someone brings: a table, or a folder with a file a split."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from splitaudit.errors import InputError

Row = tuple[str, str | None]  # item id and split, None where dropped
Records = Iterable[tuple[str, Any]]  # the place in the file, and what stands there

_ID_COLUMNS = ("item_id", "id")
_SPLIT_COLUMNS = ("new_split", "split")
_MAX_PROBLEMS = 20
_SURROGATES = re.compile("[\ud800-\udfff]")  # halves of UTF-16 pairs, which JSON can spell


def read_split(path: str | Path) -> pd.DataFrame:
    """Read a split: item_id and new_split (null: dropped), every row that is listed.

    Parameters
    ----------
    path
        A table (.parquet, .csv, .tsv, .jsonl) with a column item_id or id and a column new_split or
        split, where a dropped item has a null, or the action `dropped` and an empty split. Or a
        folder whose sidecar split.json says which file is which split (`files`) and what was
        dropped (`dropped`); or that holds splits.parquet; or one list (train.txt, an id a line) or
        one Parquet file (a column item_id or id) a split. Ids are taken as they stand.

    Raises
    ------
    InputError
        With every fault and its line.
    """
    path = Path(path)
    try:
        rows = _read_folder(path) if path.is_dir() else _read_table(path)
    except OSError as fault:
        raise InputError(path, [f"cannot be read: {fault.strerror or fault}"]) from None
    ids, splits = zip(*rows, strict=True) if rows else ((), ())
    columns = {"item_id": pa.array(ids, pa.string()), "new_split": pa.array(splits, pa.string())}
    frame: pd.DataFrame = pa.table(columns).to_pandas()
    return frame


def read_digest(path: str | Path) -> str | None:
    """Return the digest that the sidecar split.json beside a split claims, None without one.

    Parameters
    ----------
    path
        As in `read_split`: the folder, or a table in it.

    Raises
    ------
    InputError
        Where the sidecar is not one.
    """
    path = Path(path)
    digest = _read_sidecar(path if path.is_dir() else path.parent).get("digest")
    return None if digest is None else str(digest)


def read_ids(path: str | Path) -> list[str]:
    """Read a list of ids, one a line, or the ids of a Parquet file.

    Raises
    ------
    InputError
        With every fault and its line.
    """
    return _read_members(Path(path))


def _read_folder(folder: Path) -> list[Row]:
    sidecar, whole = _read_sidecar(folder), folder / "splits.parquet"
    if "files" not in sidecar and whole.is_file():
        return _read_table(whole)
    if "table" in sidecar:
        return _read_table(folder / sidecar["table"]) + [
            (x, None) for x in sidecar.get("dropped", [])
        ]
    files = sidecar["files"] if "files" in sidecar else _files_by_split(folder)
    rows: list[Row] = [
        (x, split) for split, name in files.items() for x in _read_members(folder / name)
    ]
    return rows + [(x, None) for x in sidecar.get("dropped", [])]


def _files_by_split(folder: Path) -> dict[str, str]:
    """Return split -> file name, by the names of the lists or Parquet files of a folder."""
    names = sorted(x.name for x in folder.iterdir() if not x.name.startswith("."))
    found = {ending: [x for x in names if x.endswith(ending)] for ending in (".txt", ".parquet")}
    kinds = [ending for ending, files in found.items() if files]
    if len(kinds) != 1:
        what = "both .txt and .parquet files" if kinds else "neither .txt nor .parquet files"
        raise InputError(folder, [f"expected one file a split, all of one kind; found {what}"])
    return {Path(name).stem: name for name in found[kinds[0]]}


def _read_sidecar(folder: Path) -> dict[str, Any]:
    """Return what split.json of a folder holds, {} without one."""
    path = folder / "split.json"
    if not path.is_file():
        return {}
    text = _read_text(path)
    try:
        sidecar = _parse_object(text)
    except ValueError as fault:
        raise InputError(path, [str(fault)]) from None
    problems = list(_sidecar_faults(sidecar))
    if problems:
        raise InputError(path, problems)
    return sidecar


def _sidecar_faults(sidecar: dict[str, Any]) -> Iterator[str]:
    if "unfinished" in sidecar:
        yield "the export into this folder was interrupted; export again"
    files, dropped = sidecar.get("files", {}), sidecar.get("dropped", [])
    if not isinstance(files, dict) or not all(map(_is_file_name, files.values())):
        yield "`files` must give each split the name of a file in this folder"
    if not _is_file_name(sidecar.get("table", "items.csv")):
        yield "`table` must be the name of a file in this folder"
    if not isinstance(dropped, list) or not all(isinstance(x, str) for x in dropped):
        yield "`dropped` must be a list of item ids"


def _is_file_name(name: object) -> bool:
    """Say whether a name stays in its folder: a sidecar must not lead us elsewhere."""
    if not isinstance(name, str):
        return False
    name = name.removeprefix("data/")  # as in the layout of Hugging Face
    return name not in ("", ".", "..") and not re.search(r"[/\\\0]", name)


def _read_members(path: Path) -> list[str]:
    """Return the ids of a file that holds one split."""
    if path.suffix.lower() == ".parquet":
        rows = _parse_rows(
            path, _read_parquet(path, [_ID_COLUMNS]), lambda record: (_parse_id(record), None)
        )
    else:
        rows = _parse_rows(
            path, _read_lines(path), lambda line: (_parse_id({"item_id": line}), None)
        )
    return [item_id for item_id, _ in rows]


def _read_table(path: Path) -> list[Row]:
    kind = path.suffix.lower()
    if kind == ".parquet":
        return _parse_rows(path, _read_parquet(path, [_ID_COLUMNS, _SPLIT_COLUMNS]), _id_and_split)
    if kind in (".csv", ".tsv"):
        return _parse_rows(path, _read_csv(path, "," if kind == ".csv" else "\t"), _id_and_split)
    if kind == ".jsonl":
        return _parse_rows(path, _read_lines(path), lambda line: _id_and_split(_parse_object(line)))
    raise InputError(path, ["expected a folder, or a .parquet, .csv, .tsv or .jsonl file"])


def _read_parquet(path: Path, needed: Sequence[tuple[str, ...]]) -> Records:
    try:
        # ParquetFile, as read_table would take columns from the names of the folders above.
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            _require_columns(path, needed, names)
            wanted = [name for name in (*_ID_COLUMNS, *_SPLIT_COLUMNS, "action") if name in names]
            rows = file.read(columns=wanted).to_pylist()
    except pa.ArrowException as fault:
        raise InputError(path, [f"expected a Parquet file: {fault}"]) from None
    return ((f"row {i}", row) for i, row in enumerate(rows, 1))


def _read_csv(path: Path, delimiter: str) -> Records:
    text = _read_text(path)
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))  # a caption may be long
    lines = io.StringIO(text, newline="")
    reader = csv.DictReader(lines, delimiter=delimiter, strict=True, restval="")
    try:
        _require_columns(path, [_ID_COLUMNS, _SPLIT_COLUMNS], reader.fieldnames or [])
        return [(f"line {reader.line_num}", row) for row in reader]
    except csv.Error as fault:
        raise InputError(path, [f"line {reader.reader.line_num}: {fault}"]) from None


def _parse_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ValueError("expected a JSON object")
    return value


def _read_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the lines of a text file; a line feed ends a line, with or without carriage return."""
    lines = _read_text(path).split("\n")
    if not lines[-1]:
        lines.pop()
    for i, line in enumerate(lines, 1):
        yield f"line {i}", line.removesuffix("\r")


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as fault:
        raise InputError(path, [f"cannot be read: {fault.strerror}"]) from None
    except UnicodeDecodeError as fault:
        line = raw.count(b"\n", 0, fault.start) + 1
        raise InputError(path, [f"line {line}: expected UTF-8 ({fault.reason})"]) from None


def _require_columns(path: Path, needed: Sequence[tuple[str, ...]], names: Sequence[str]) -> None:
    missing = [" or ".join(either) for either in needed if not set(either) & set(names)]
    if missing:
        found = ", ".join(map(repr, names)) or "none"
        raise InputError(path, [f"expected a column {name}; found {found}" for name in missing])


def _parse_rows(path: Path, records: Records, row: Callable[[Any], Row]) -> list[Row]:
    rows, problems = [], []
    for place, record in records:
        try:
            rows.append(row(record))
        except ValueError as fault:
            problems.append(f"{place}: {fault}")
    if problems:
        more = (
            [f"and {len(problems) - _MAX_PROBLEMS} more"] if len(problems) > _MAX_PROBLEMS else []
        )
        raise InputError(path, problems[:_MAX_PROBLEMS] + more)
    return rows


def _id_and_split(record: dict[Any, Any]) -> Row:
    if None in record:  # where csv.DictReader puts the fields beyond the header
        raise ValueError("more fields than the header has")
    item_id, split = _parse_id(record), _first_value(record, _SPLIT_COLUMNS)
    if record.get("action") != "dropped":
        if split == "":
            raise ValueError(f"item {item_id!r} has no split, and its action is not 'dropped'")
        return item_id, split
    if split:
        raise ValueError(f"item {item_id!r} is dropped, and stands in split {split!r}")
    return item_id, None


def _parse_id(record: dict[Any, Any]) -> str:
    item_id = _first_value(record, _ID_COLUMNS)
    if not item_id:
        raise ValueError("no item id")
    return item_id


def _first_value(record: dict[Any, Any], names: tuple[str, ...]) -> str | None:
    """Return the text under the first of the names; a whole number is taken as its digits."""
    present = [record[name] for name in names if name in record]
    if not present:
        raise ValueError(f"no {' or '.join(names)}")
    value = str(present[0]) if type(present[0]) is int else present[0]
    if value is None or (isinstance(value, str) and not _SURROGATES.search(value)):
        return value
    raise ValueError(f"{names[0]} must be text, not {value!r}")
