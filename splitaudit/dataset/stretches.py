"""Stretches of files: which columns say them, in which unit, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from splitaudit.dataset.rows import Problem, Rows, has_comma, parse_number, wrong_number
from splitaudit.dataset.sample_rates import read_rates

START, END, LENGTH = "clip_start_s", "clip_end_s", "clip_duration_s"
IN_SOURCE = ("start_s", "end_s", "start", "end")
# Columns of a frame that say a span of which it is not decided yet what it means.
SPAN = ["span_begin", "span_finish", "span_rate", "span_sure", "span_said"]
_MOST = 0.5  # >= of the rows with a span share their path with another: it is a stretch of the file

_SECONDS, _MILLISECONDS, _SAMPLES = "seconds", "milliseconds", "samples"
_UNIT = re.compile(r"_(?:(ms|msecs?|millis|milliseconds?)|(s|secs?|seconds?)|(samples?))$")
_ROLES = {
    "start": "start begin start_time begin_time clip_start segment_start seg_start t_start",
    "end": "end stop end_time stop_time clip_end segment_end seg_end t_end",
    "offset": "offset clip_offset segment_offset",
    "length": "duration dur clip_duration segment_duration",
}
_ROLE = {name: role for role, names in _ROLES.items() for name in names.split()}
# Names that count samples without saying so.
_OF_SAMPLES = {
    "frame_offset": "offset",
    "sample_offset": "offset",
    "sample_start": "start",
    "sample_end": "end",
    "num_frames": "length",
    "num_samples": "length",
}
_RATES = ("sample_rate", "sampling_rate", "samplerate", "sr")


class _Column(NamedTuple):
    name: str
    role: str
    unit: str


@dataclass(frozen=True)
class _Choice:
    """The columns that say where a stretch begins and where it ends, or how long it is."""

    begin: _Column | None
    finish: _Column | None = None
    length: _Column | None = None
    sure: bool = False  # whether the columns can only mean a stretch of the file

    @property
    def columns(self) -> list[_Column]:
        return [column for column in (self.begin, self.finish, self.length) if column]


def find_spans(
    rows: Rows, given: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, Any], list[Problem]]:
    """Find the columns that say a span of each row.

    Parameters
    ----------
    rows
        A table as it was written.
    given
        Ours -> theirs, as the user says.

    Returns
    -------
    dict, dict, list
        What is given, less what is read here; the columns `SPAN` of a frame, none where the table
        has no spans; and cells that are no numbers.
    """
    chosen = _choose(rows, given)
    if chosen is None:
        return dict(given), {}, []
    names = [column.name for column in chosen.columns]
    read = {ours for ours in (START, END, LENGTH) if given.get(ours) in names}
    rest = {ours: theirs for ours, theirs in given.items() if ours not in read}
    if chosen.sure and _is_plain(chosen):
        said = {START: chosen.begin, END: chosen.finish}
        return {**rest, **{ours: column.name for ours, column in said.items() if column}}, {}, []
    values, problems = _numbers(rows, chosen.columns)
    if problems and not (chosen.sure or _have_commas(rows, names)):
        return dict(given), {}, []  # columns of another kind that bear such names
    if {column.unit for column in chosen.columns} > {_SAMPLES}:
        mixed = f"{_describe(chosen)}: map columns of one unit to {START} and {END} or {LENGTH}"
        return rest, {}, [Problem(rows.unit, 0, mixed)]
    begin, finish, length = (
        values.get(column.name) if column else None
        for column in (chosen.begin, chosen.finish, chosen.length)
    )
    if length is not None:
        start = np.zeros(len(length)) if begin is None else np.nan_to_num(begin)
        finish = np.round(start + np.where(length < 0, np.nan, length), 6)  # -1: to the end
    in_samples = chosen.columns[0].unit == _SAMPLES
    span = (begin, finish, _rates(rows) if in_samples else 1.0, chosen.sure, _describe(chosen))
    return rest, dict(zip(SPAN, span, strict=True)), problems


def place_stretches(
    frame: pd.DataFrame, root: str
) -> tuple[pd.DataFrame, list[Problem], list[str]]:
    """Decide which spans are stretches of a file; fill `clip_start_s` and `clip_end_s` with them.

    A span that may also be a place in the source of a clip is a stretch of the file where rows that
    share one path differ in it. Where only few do, the user is asked.

    Parameters
    ----------
    frame
        Rows of all tables, with columns `SPAN` where any table has spans.
    root
        The folder that paths start from, to read sample rates that no column says.

    Returns
    -------
    DataFrame, list, list
        The rows without `SPAN`; what is wrong, or the question; and what is to be said.
    """
    if "span_begin" not in frame:
        return *_name_stretches(frame), []
    told = frame[["span_begin", "span_finish"]].notna().any(axis=1) & frame["path"].notna()
    sure = told & frame["span_sure"].eq(True)
    open_ = told & ~sure
    shared = open_ & _share_paths(frame)
    problems, notes = [], []
    if 0 < shared.sum() < _MOST * open_.sum():
        problems.append(_question(frame[shared]))
    stretches = sure | (open_ if shared.any() else shared)
    spans, lost = _in_seconds(frame[stretches], root)
    problems += lost
    frame = frame.assign(
        clip_start_s=spans["span_begin"].reindex(frame.index).where(stretches, frame[START]),
        clip_end_s=spans["span_finish"].reindex(frame.index).where(stretches, frame[END]),
        start_s=frame["start_s"].mask(stretches),
        end_s=frame["end_s"].mask(stretches),
    )
    for said in dict.fromkeys(frame.loc[stretches, "span_said"]):
        notes.append(f"stretches of files are told by {said}")
    frame = frame.drop(columns=SPAN).astype(object)
    frame, wrong = _name_stretches(frame.where(frame.notna(), None))
    return frame, problems + wrong, notes


def _choose(rows: Rows, given: Mapping[str, str]) -> _Choice | None:
    """The columns that are given, with their partners; else those with usual names."""
    parsed = map(_parse, rows.columns)
    clip = {ours: ours for ours in (START, END) if ours in rows.columns and ours not in given}
    clip |= {ours: given[ours] for ours in (START, END, LENGTH) if ours in given}
    clip = {ours: name for ours, name in clip.items() if name in rows.columns}
    taken = {*given.values(), *clip.values()}
    free = [column for column in parsed if column.role and column.name not in taken]
    if clip:
        return _complete(clip, free)
    if any(ours in given for ours in IN_SOURCE) or not free:
        return None
    counted = [column for column in free if column.unit == _SAMPLES]
    timed = [column for column in free if column.unit != _SAMPLES]
    if begin := _only(counted, "start", "offset"):
        return _pair(begin, counted if _has_end(counted) else timed, sure=True)
    if (begin := _only(timed, "offset")) and "onset" not in map(str.casefold, rows.columns):
        lengths = [column for column in timed if column.role == "length"]
        return _pair(begin, lengths, sure=bool(lengths))
    begin = _only(timed, "start")
    return _pair(begin, timed, sure=False) if begin else None


def _has_end(columns: Sequence[_Column]) -> bool:
    return any(column.role in ("end", "length") for column in columns)


def _pair(begin: _Column, free: Sequence[_Column], *, sure: bool) -> _Choice:
    """A beginning with its end, else with its duration."""
    finish = _only(free, "end")
    return _Choice(begin, finish, None if finish else _only(free, "length"), sure)


def _complete(clip: Mapping[str, str], free: Sequence[_Column]) -> _Choice:
    """What is said, and the end or the duration that goes with a beginning that is said."""
    columns = {ours: _parse(name) for ours, name in clip.items()}
    begin, finish, length = (columns.get(ours) for ours in (START, END, LENGTH))
    if begin and not finish and not length:
        finish = None if _only(free, "start") else _only(free, "end")
        length = None if finish else _only(free, "length")
    return _Choice(begin, finish, length, sure=True)


def _only(columns: Sequence[_Column], *roles: str) -> _Column | None:
    """The one column of some roles; of several, the one with our name, else none."""
    fitting = [column for column in columns if column.role in roles]
    ours = [column for column in fitting if column.name in IN_SOURCE]
    return fitting[0] if len(fitting) == 1 else (ours[0] if len(ours) == 1 else None)


def _parse(name: str) -> _Column:
    """What a column says of a stretch by its name, and in which unit; no role where it is none."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
    if plain in _OF_SAMPLES:
        return _Column(name, _OF_SAMPLES[plain], _SAMPLES)
    found = _UNIT.search(plain)
    unit = _SECONDS
    if found:
        unit = _MILLISECONDS if found[1] else _SAMPLES if found[3] else _SECONDS
    return _Column(name, _ROLE.get(plain[: found.start()] if found else plain, ""), unit)


def _is_plain(chosen: _Choice) -> bool:
    """Whether columns can be read as they stand: seconds, and no duration to be added."""
    return not chosen.length and all(column.unit == _SECONDS for column in chosen.columns)


def _have_commas(rows: Rows, names: Sequence[str]) -> bool:
    """Whether columns hold numbers that have commas: no other kind of column."""
    return any(has_comma(cell) for name in names for cell in rows.columns[name])


def _numbers(rows: Rows, columns: Sequence[_Column]) -> tuple[dict[str, np.ndarray], list[Problem]]:
    """Seconds or samples of each row, NaN where there is none; and cells that are no numbers."""
    found: dict[str, np.ndarray] = {}
    problems = []
    for column in columns:
        values = np.full(len(rows.lines), np.nan)
        for row, cell in enumerate(rows.columns[column.name]):
            try:
                number = parse_number(cell, rows.commas)
            except (ValueError, OverflowError):
                wrong = f"{column.name}: {wrong_number(cell)}"
                problems.append(Problem(rows.unit, rows.lines[row], wrong))
            else:
                values[row] = np.nan if number is None else number
        found[column.name] = values / 1000 if column.unit == _MILLISECONDS else values
    return found, problems


def _rates(rows: Rows) -> object:
    """Samples a second by a column of the table; NaN where none says it."""
    for name in rows.columns:
        if name.casefold() in _RATES:
            return pd.to_numeric(pd.Series(list(rows.columns[name])), errors="coerce").to_numpy()
    return float("nan")


def _describe(chosen: _Choice) -> str:
    names = " and ".join(repr(column.name) for column in chosen.columns)
    units = " and ".join(dict.fromkeys(column.unit for column in chosen.columns))
    return f"{'columns' if len(chosen.columns) > 1 else 'column'} {names}, in {units}"


def _share_paths(frame: pd.DataFrame) -> pd.Series[bool]:
    """Whether a row shares its path with another item, and differs from it in its span."""
    spans = frame.groupby(["span_begin", "span_finish"], dropna=False).ngroup()
    items = frame.groupby(["split", "id"], dropna=False).ngroup()
    by_path = frame.assign(span=spans, item=items).groupby("path")
    several = by_path["span"].transform("nunique") > 1
    of_items = by_path["item"].transform("nunique") > 1
    return several.eq(True) & (of_items.eq(True) | frame["id"].eq(frame["path"]))


def _question(shared: pd.DataFrame) -> Problem:
    first = shared.iloc[0]
    return Problem(
        first["unit"],
        first["line"],
        f"{len(shared):,} rows share a path and differ in {first['span_said']}, and most rows have "
        "a file of their own: map them to clip_start_s and clip_end_s where they are stretches of "
        "the file, to start_s and end_s where they are places in its source",
    )


def _in_seconds(frame: pd.DataFrame, root: str) -> tuple[pd.DataFrame, list[Problem]]:
    """The spans of rows in seconds; what counts samples needs a rate."""
    rates = frame["span_rate"].astype(float)
    unknown = rates.isna() | (rates <= 0)
    rates = rates.mask(unknown, read_rates(frame["path"].where(unknown), root))
    lost = frame[rates.isna()]
    problems = [
        Problem(unit, line, "samples without a sample rate: give it in a column sample_rate")
        for unit, line in zip(lost["unit"], lost["line"], strict=True)
    ]
    spans = frame[["span_begin", "span_finish"]].astype(float).div(rates, axis=0)
    return spans.round(6), problems


def _name_stretches(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """Give items that are named by their path, and are one stretch of several, a name each."""
    start, end = frame[START].astype(float), frame[END].astype(float)
    if not (whole := start.isna() & end.isna()).all():
        frame = frame.assign(id=_names_with_stretch(frame, start, end, whole))
    problems = _problems(frame, start < 0, "clip_start_s is negative")
    ends_before = end <= start.fillna(0.0)
    problems += _problems(frame, ends_before, "clip_end_s is not greater than clip_start_s")
    return frame, problems


def _names_with_stretch(
    frame: pd.DataFrame, start: pd.Series, end: pd.Series, whole: pd.Series[bool]
) -> pd.Series:
    """Ids; that of one of several stretches that would be its path ends as `#t=4,8`."""
    until = end.map(lambda seconds: "" if np.isnan(seconds) else f",{seconds:.10g}")
    stretch = start.fillna(0.0).map("{:.10g}".format) + until
    several = frame.assign(stretch=stretch).groupby("path")["stretch"].transform("nunique") > 1
    named = frame["id"].notna() & frame["id"].eq(frame["path"]) & several.eq(True) & ~whole
    ids = frame["id"].astype(object)
    pairs = zip(ids[named], stretch[named], strict=True)
    ids[named] = [f"{name}#t={seconds}" for name, seconds in pairs]
    return ids


def _problems(frame: pd.DataFrame, wrong: pd.Series[bool], text: str) -> list[Problem]:
    rows = frame.loc[wrong, ["unit", "line"]]
    return [
        Problem(unit, line, text) for unit, line in zip(rows["unit"], rows["line"], strict=True)
    ]
