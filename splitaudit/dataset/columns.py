"""The columns of a table under our names, typed, and checked row by row."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from splitaudit.dataset.dataset import split_name
from splitaudit.dataset.file_kinds import PARTS, kind_of
from splitaudit.dataset.manifest import did_you_mean, nearest
from splitaudit.dataset.paths import encode_path
from splitaudit.dataset.rows import Problem, Rows, parse_number, wrong_number
from splitaudit.dataset.stretches import find_spans
from splitaudit.order import TEST, TRAIN, VAL

SYNONYMS = {"start": "start_s", "end": "end_s", "captions": "caption", "labels": "label"}
# What others call it, where the spelling alone would not tell.
_USUAL_NAMES = {
    "path": (
        *("filename", "file_name", "filepath", "file_path", "file", "audio", "wav", "image"),
        *("audio_filepath", "audio_path", "wav_path", "image_path", "img_path", "video_path"),
    ),
    "split": ("subset", "partition", "fold", "set"),
}
_ODD_IN_SPLIT = re.compile(r"[\"\r\n\t]|^'|'$")
_ODD_SPLIT = (
    "the name of the split has a quote, a tab or a line break in it: the table is not written as "
    'it was read; see --separator, --header and --quotes (in a manifest: format = "csv", '
    "separator, header, quotes)"
)
_NUMBER = re.compile(r"\d+(\.\d+)?")
_Convert = Callable[[object], object]
ATTRIBUTE = "attribute:"  # prefix of the columns that are not ours


def map_columns(
    rows: Rows, given: Mapping[str, str], required: Sequence[str], how: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the rows under our names, and everything that is wrong with them.

    Parameters
    ----------
    rows
        A table as it was written.
    given
        Ours -> theirs, as the user says; goes before equal names.
    required
        Columns that must be there and have no empty cell; so must `id`, where there is one. Else
        it is the path as written.
    how
        How the user maps a column, with the fields `ours` and `theirs`.

    Returns
    -------
    pandas.DataFrame, list
        Columns `unit`, `line`, those of `CONVERTERS`, attributes, which begin with `ATTRIBUTE`, and
        `stretches.SPAN` where the table has such;
        None where a cell is empty. `id` and `path` are as `encode_path` gives them.
    """
    given, spans, told_spans = find_spans(rows, given)
    found, problems = _match_columns(rows, given, required, how)
    frame, wrong = _convert_columns(rows, found)
    frame = frame.assign(**spans)
    problems += told_spans
    for name in ("id", "path") if not rows.encoded else ():
        frame[name] = pd.Series([cell and encode_path(cell) for cell in frame[name]], dtype=object)
    if "id" not in found:
        frame["id"] = frame["path"]
    filled = [name for name in dict.fromkeys(("id", *required)) if name in found]
    told = {(problem.line, problem.text.partition(":")[0]) for problem in wrong}
    empty = [
        Problem(rows.unit, rows.lines[row], f"{name} is empty")
        for name in filled
        for row in np.flatnonzero(frame[name].isna()).tolist()
        if (rows.lines[row], name) not in told
    ]
    return frame, [*rows.problems, *problems, *wrong, *empty, *_check_rows(frame)]


def _match_columns(
    rows: Rows, given: Mapping[str, str], required: Sequence[str], how: str
) -> tuple[dict[str, str], list[Problem]]:
    """Return ours -> theirs of the columns that are there."""
    present = list(rows.columns)
    mapped = {SYNONYMS.get(ours, ours): theirs for ours, theirs in given.items()}
    found = {ours: theirs for ours, theirs in mapped.items() if theirs in present}
    problems = [
        f"column {theirs!r} (for {ours}) is not there{did_you_mean(nearest(theirs, present))}"
        for ours, theirs in mapped.items()
        if ours not in found
    ]
    for name in present:
        ours = SYNONYMS.get(name, name)
        if ours not in CONVERTERS or ours in mapped or name in mapped.values():
            continue
        if ours in found:
            problems.append(f"columns {found[ours]!r} and {name!r} both stand for {ours}")
        found[ours] = name
    absent = [ours for ours in required if ours not in found and ours not in mapped]
    problems += [_missing_message(ours, present, how) for ours in absent]
    if absent and ((len(present) == 1 and not found) or _look_like_data(present)):
        problems.append(
            "where a table has no header, name its columns, as --header id,path,split; where cells "
            'are parted otherwise, say --separator (in a manifest: header = ["id"], separator)'
        )
    if problems:
        problems.append(f"columns present: {', '.join(map(repr, present[:20])) or 'none'}")
        problems += rows.notes
    return found, [Problem(rows.unit, 0, text) for text in problems]


def _look_like_data(names: Sequence[str]) -> bool:
    """Whether the name of a column is a number, a file of media or a split, or is several."""
    return any(
        kind_of(name)
        or re.fullmatch(r"\d+(\.\d+)?", name)
        or split_name(name) in (TEST, VAL, TRAIN)
        or "|" in name
        or ";" in name
        for name in map(str.strip, names)
    )


def _missing_message(ours: str, present: list[str], how: str) -> str:
    usual = (ours, *_USUAL_NAMES.get(ours, ()))
    near = [name for name in present if name.strip().lower() in usual] or nearest(ours, present)
    how = how.format(ours=ours, theirs=near[0] if near else "THEIRS")
    return f"column {ours!r} is missing{did_you_mean(near) or ';'} map it: {how}"


def _convert_columns(rows: Rows, found: Mapping[str, str]) -> tuple[pd.DataFrame, list[Problem]]:
    columns: dict[str, object] = {"unit": rows.unit, "line": rows.lines}
    problems: list[Problem] = []
    for ours, convert in CONVERTERS.items():
        if ours not in found:
            columns[ours] = None
            continue
        columns[ours], wrong = _convert_cells(rows.columns[found[ours]], convert, rows.commas)
        problems += [Problem(rows.unit, rows.lines[i], f"{ours}: {text}") for i, text in wrong]
    used = {theirs for ours, theirs in found.items() if ours in CONVERTERS}
    renamed = {theirs: ours for ours, theirs in found.items() if ours not in CONVERTERS}
    for theirs in rows.columns:
        if theirs not in used:
            name = ATTRIBUTE + renamed.get(theirs, theirs)
            columns[name] = [_attribute(cell) for cell in rows.columns[theirs]]
    return pd.DataFrame(columns, index=range(len(rows.lines)), dtype=object), problems


def _check_rows(frame: pd.DataFrame) -> list[Problem]:
    quoted = frame["split"].map(lambda name: name is not None and bool(_ODD_IN_SPLIT.search(name)))
    problems = problems_at(frame, quoted.astype(bool), _ODD_SPLIT)
    known = frame["modality"].isin(PARTS) | frame["modality"].isna()
    return problems + problems_at(frame, ~known, f"modality is none of {', '.join(PARTS)}")


def problems_at(frame: pd.DataFrame, wrong: pd.Series[bool], text: str) -> list[Problem]:
    """Return one problem for each row where `wrong` is true."""
    rows = frame.loc[wrong, ["unit", "line"]]
    return [
        Problem(unit, line, text) for unit, line in zip(rows["unit"], rows["line"], strict=True)
    ]


def attribute_columns(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns that hold attributes, prefix included."""
    return [name for name in map(str, frame.columns) if name.startswith(ATTRIBUTE)]


def _convert_cells(
    written: Sequence[object], convert: _Convert, commas: bool
) -> tuple[list[object], list[tuple[int, str]]]:
    values: list[object] = []
    wrong: list[tuple[int, str]] = []
    for row, cell in enumerate(written):
        try:
            number = convert is parse_number
            values.append(parse_number(cell, commas) if number else convert(cell))
        except (ValueError, OverflowError):
            values.append(None)
            expected = f"expected {_EXPECTED.get(convert)}, found {repr(cell)[:60]}"
            wrong.append((row, wrong_number(cell) if number else expected))
    return values, wrong


def _text(cell: object) -> str | None:
    if isinstance(cell, str):
        if "\0" in cell:
            raise ValueError
        return cell or None
    if cell is None or cell != cell:  # NaN
        return None
    if isinstance(cell, (list, dict, bytes)):
        raise ValueError
    return str(cell)


def _split(cell: object) -> str | None:
    if isinstance(cell, float) and cell.is_integer():  # a column with gaps makes floats of numbers
        cell = int(cell)
    text = (_text(cell) or "").strip()
    return split_name(text) if text else None


def _modality(cell: object) -> str | None:
    return (_text(cell) or "").strip().lower() or None


def _texts(cell: object) -> str | list[str] | None:
    if isinstance(cell, str) and cell.startswith("["):
        cell = _parse_list(cell)
    if isinstance(cell, list):
        return [text for text in map(_text, cell) if text is not None]
    return _text(cell)


def _parse_list(cell: str) -> object:
    """A list of texts in JSON, or the text itself where it is none."""
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return cell
    texts = isinstance(found, list) and all(isinstance(text, str) for text in found)
    return found if texts else cell


def _attribute(cell: object) -> str | None:
    if isinstance(cell, (list, dict)):
        return json.dumps(cell, ensure_ascii=False, sort_keys=True, default=str)
    return cell or None if isinstance(cell, str) else _text(cell)


CONVERTERS: dict[str, _Convert] = {
    "id": _text,
    "path": _text,
    "split": _split,
    "caption": _texts,
    "label": _texts,
    "source": _text,
    "start_s": parse_number,
    "end_s": parse_number,
    "clip_start_s": parse_number,
    "clip_end_s": parse_number,
    "modality": _modality,
}
_EXPECTED: dict[_Convert, str] = {
    _text: "text",
    _split: "text",
    _modality: "text",
    _texts: "text or a list of texts",
}
