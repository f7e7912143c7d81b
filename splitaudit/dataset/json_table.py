"""Rows of a JSON file: a list of records, or an object from ids to records, anywhere in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from splitaudit.dataset.manifest import Layout, did_you_mean, nearest
from splitaudit.dataset.rows import Problem, Rows

KEY, NUMBER = "key", "number"  # columns: the id of a record in an object; the place of an entry
_MAX_DIGITS = 300
_MAX_DEPTH = 50  # levels; a real table has five
_TOO_DEEP = "not readable JSON: it is nested too deeply"
_MAX_SHOWN = 40  # characters of what was found

Record = dict[str, object]


def json_rows(text: str, unit: str, layout: Layout) -> Rows:
    """Read the records of a JSON file.

    Parameters
    ----------
    text
        The file.
    unit
        How a record is told, such as "train.json record".
    layout
        Its `records`, `each` and `wanted`.

    Returns
    -------
    Rows
        A column each name that holds texts, numbers or lists of texts; what is nested otherwise
        only where it is wanted. In an object from ids to records, `key` is the id; with `each`,
        `number` is the place of the entry, from 0.

    Raises
    ------
    ValueError
        Where the file is no JSON, or has no records where they should lie.
    """
    lines: list[int] = []
    rows: list[Record] = []
    problems: list[Problem] = []
    for line, (key, record) in enumerate(_records(_parse_json(text), layout.records), start=1):
        try:
            found = list(_entries(key, record, layout.each))
        except ValueError as error:
            problems.append(Problem(unit, line, str(error)))
            continue
        rows += found
        lines += [line] * len(found)
    return Rows(unit, lines, _columns(rows, layout.wanted), problems)


def _parse_json(text: str) -> object:
    try:
        document = json.loads(
            text, object_pairs_hook=_reject_duplicate_keys, parse_int=_parse_integer
        )
        if "\\u" in text:  # JSON can spell half of a character, which is no text
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    except ValueError as error:
        raise ValueError(f"not readable JSON: {error}") from error
    if _is_deeper(document, _MAX_DEPTH):
        raise ValueError(_TOO_DEEP)
    return document


def _is_deeper(document: object, levels: int) -> bool:
    """Whether there is anything below so many levels, which other code might not bear."""
    found = [document]
    for _ in range(levels):
        found = [
            child
            for value in found
            if isinstance(value, (dict, list))
            for child in (value.values() if isinstance(value, dict) else value)
        ]
    return bool(found)


def _reject_duplicate_keys(pairs: list[tuple[str, object]]) -> Record:
    """An object, unless it has a key twice, of which the first would be lost."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in an object")
    return found


def _parse_integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _records(document: object, where: str) -> Iterable[tuple[str | None, object]]:
    found = value_at(document, where) if where else document
    if isinstance(found, list):
        return ((None, record) for record in found)
    if isinstance(found, dict):
        return found.items()
    place = f" at records = {where!r}" if where else ""
    near = did_you_mean(nearest(where, document)) if isinstance(document, dict) else ""
    raise ValueError(
        f"expected a list of records{place}, or an object from ids to records, "
        f"found {_describe_value(found)}{near}"
    )


def _entries(key: str | None, record: object, each: tuple[str, ...]) -> Iterator[Record]:
    """Yield the rows of a record: itself, or one for each entry of its lists."""
    if not isinstance(record, dict):
        raise ValueError(f"expected an object {{...}}, found {_describe_value(record)}")
    whole = record if key is None else {**record, KEY: key}
    if not each:
        yield whole
        return
    lists = [_list(record, name) for name in each]
    if len({len(entries) for entries in lists}) > 1:
        counts = " and ".join(str(len(entries)) for entries in lists)
        raise ValueError(f"expected lists of equal length in {', '.join(each)}, found {counts}")
    for number, entries in enumerate(zip(*lists, strict=True)):
        yield {**whole, **dict(zip(each, entries, strict=True)), NUMBER: number}


def _list(record: Record, name: str) -> list[object]:
    found = record.get(name)
    if not isinstance(found, list):
        raise ValueError(f"{name}: expected a list, found {_describe_value(found)}")
    return found


def _columns(rows: list[Record], wanted: tuple[str, ...]) -> dict[str, Sequence[object]]:
    if not rows:  # an empty split has the columns that others have
        return {name: [] for name in wanted}
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    flat: dict[str, Sequence[object]] = {
        name: cells
        for name, cells in columns.items()
        if name in wanted or not any(map(_is_nested, cells))
    }
    for name in dict.fromkeys(wanted):
        cells = [value_at(row, name) for row in rows] if "." in name and name not in flat else []
        if any(cell is not None for cell in cells):
            flat[name] = cells
    return flat


def value_at(value: object, path: str) -> object:
    """Return what lies at a path such as "a.b" or "list.0"; None where nothing does."""
    for step in path.split("."):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _is_nested(cell: object) -> bool:
    if isinstance(cell, list):
        return not all(isinstance(entry, str) for entry in cell)
    return isinstance(cell, dict)


def _describe_value(found: object) -> str:
    if isinstance(found, (dict, list)):
        return "an object" if isinstance(found, dict) else f"a list of {len(found):,}"
    return "nothing" if found is None else repr(found)[:_MAX_SHOWN]
