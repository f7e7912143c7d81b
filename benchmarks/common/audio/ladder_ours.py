"""What a scan finds of one transform: how much, how well placed and scaled, and what is not true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.common.audio.ladder_material import Copy
from benchmarks.common.harness import Scan
from benchmarks.common.judging import Scores, Truth, count_first, score_nothing
from benchmarks.common.ladder_figure import tell_kind

SHORT_S = 2.7  # <: counted apart, too
LONG_S = 5.0  # <=: of these a tempo can be told
LONG = f", of {LONG_S:g} s and more"
SHARES = ("recall", "recall, short", "ranked first", "ranked first, short")
SCALES = ("tempo", "pitch")  # columns of a match, where the scan measures them


def join_matches(scanned: Scan, copies: Sequence[Copy], references: Sequence[str]) -> pd.DataFrame:
    """Return the matches of a copy (side a) with a reference (side b), accepted or not."""
    matches = scanned.table("matches")
    other = {"a": "b", "b": "a"}
    swapped = matches.rename(columns=lambda c: f"{other[c[0]]}{c[1:]}" if _is_side(c) else c)
    for column in set(SCALES) & set(matches):
        swapped[column] = 1 / matches[column]  # of one side to the other
    both = pd.concat([matches, swapped], ignore_index=True)
    items = [copy.item for copy in copies]
    return both[both["a"].isin(items) & both["b"].isin(references)]


def _is_side(column: str) -> bool:
    return column in ("a", "b") or column.startswith(("a_", "b_"))


def score_pairs(found: pd.DataFrame, copies: Sequence[Copy], references: Sequence[str]) -> Scores:
    """Return the highest score of each pair; shape (copies, references)."""
    rows = pd.Index([copy.item for copy in copies]).get_indexer(found["a"])
    columns = pd.Index(references).get_indexer(found["b"])
    made = score_nothing(copies, references)
    np.maximum.at(made, (rows, columns), found["score"].to_numpy(np.float32))
    return made


def count_found(
    copies: Sequence[Copy], references: Sequence[str], matches: pd.DataFrame, known: Truth
) -> dict[str, Any]:
    """Count what was found of one transform, and how well it was placed."""
    accepted = matches[matches["accepted"].astype(bool)]
    right = accepted[_is_right(accepted, copies)]
    found = np.array([copy.item in set(right["a"]) for copy in copies])
    first = count_first(score_pairs(matches, copies, references), known)
    return {
        "transform": copies[0].transform,
        "copies": len(copies),
        "found": int(found.sum()),
        **average(copies, {"recall": found, "ranked first": first}),
    }


def _is_right(matches: pd.DataFrame, copies: Sequence[Copy]) -> pd.Series:
    """Whether the reference of a match is what its copy was made of."""
    return matches["b"] == matches["a"].map({copy.item: copy.reference for copy in copies})


def average(
    copies: Sequence[Copy], values: Mapping[str, npt.NDArray[Any]]
) -> dict[str, float | None]:
    """Return the mean of each, over all copies and over those of short recordings."""
    short = np.array([copy.seconds < SHORT_S for copy in copies])
    return {
        f"{name}{suffix}": float(value[mask].mean()) if mask.any() else None
        for name, value in values.items()
        for suffix, mask in (("", np.ones_like(short)), (", short", short))
    }


def measure_errors(copies: Sequence[Copy], matches: pd.DataFrame) -> pd.DataFrame:
    """Return how wrongly each right match is placed and scaled; a row a match.

    `offset` is milliseconds, `tempo` percent, `pitch` semitones. A match gives the copy against the
    reference, a place the reverse: tempo is seconds of the copy for one of the reference, pitch a
    frequency of the reference over that of the copy.
    """
    right = matches[matches["accepted"].astype(bool) & _is_right(matches, copies)]
    of = {copy.item: copy for copy in copies}
    places = [of[a].place for a in right["a"]]
    what = tell_kind(copies[0].transform)
    speed, pitch, start, pad = (
        np.array([getattr(place, name) for place in places], float)
        for name in ("speed", "pitch", "start_s", "pad_s")
    )
    said = {name: right.get(name, np.nan) for name in SCALES}
    return pd.DataFrame(
        {
            "transform": copies[0].transform,
            "kind": what,
            "long": [what + LONG if of[a].seconds >= LONG_S else None for a in right["a"]],
            "offset": 1000 * (right["b_start"] - ((right["a_start"] - pad) * speed + start)),
            "tempo": 100 * (said["tempo"] * speed - 1),
            "pitch": 12 * np.log2(said["pitch"] * pitch),
        }
    )


def tabulate_errors(placed: pd.DataFrame) -> list[dict[str, Any]]:
    """Return quantiles of the errors of each transform, then of all of a kind, then of long ones.

    In two or three seconds FFmpeg changes a tempo by 1 or 2 % without moving a sample.
    """
    units = {"offset": "offset, ms,", "tempo": "tempo, %,", "pitch": "pitch, semitones,"}
    return [
        {"of": name, "matches": len(group)}
        | {
            f"{words} {share:.0%}": None
            if group[column].isna().all()
            else float(group[column].abs().quantile(share))
            for column, words in units.items()
            for share in (0.5, 0.95)
        }
        for by in ("transform", "kind", "long")
        for name, group in placed.groupby(by, sort=False)
    ]


def list_false(
    copies: Sequence[Copy], references: Sequence[str], matches: pd.DataFrame, known: Truth
) -> list[dict[str, Any]]:
    """Return the accepted matches of a copy with a recording that shares no sound with it."""
    accepted = matches[matches["accepted"].astype(bool)]
    rows = pd.Index([copy.item for copy in copies]).get_indexer(accepted["a"])
    columns = pd.Index(references).get_indexer(accepted["b"])
    wanted = ["a", "b", "score", "a_start", "a_end", "b_start", "b_end"]
    false = accepted[known.false[rows, columns]][wanted].to_dict("records")
    of = {copy.item: copy for copy in copies}
    return [
        {"transform": of[m["a"]].transform, **m, "of": of[m["a"]].reference, "is": m["b"]}
        for m in false
    ]


def average_rows(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean over the transforms."""
    values = {key: [r[key] for r in rows if r[key] is not None] for key in SHARES}
    means = {key: float(np.mean(of)) if of else None for key, of in values.items()}
    totals = {key: sum(r[key] for r in rows) for key in ("copies", "found")}
    return {"transform": "mean", **totals, **means}
