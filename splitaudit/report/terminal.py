"""The answer on the screen, for 80 columns. Names are printed as text, never read as markup."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from splitaudit.report.sentences import (
    coverage_sentences,
    escape_invisible,
    format_time,
    headline,
    pluralise,
)
from splitaudit.report.summary import has_order
from splitaudit.schema import AUDITED

_RELATION_WIDTH = 15  # of 80 columns; the rest is for names
_STYLES = {
    "leaks": "bold red",
    "duplicates": "bold yellow",
    "incomplete": "bold yellow",
    "weak": "bold yellow",
}


def print_verdict(summary: dict[str, Any], console: Console) -> None:
    """Print the verdict, the coverage, the counts and what to do next.

    Parameters
    ----------
    summary
        From `splitaudit.report.summary.summarise`; its `run`, where given, is the run's folder.
    console
        Where to.
    """
    verdict = summary["verdict"]
    style = _STYLES.get(verdict, "bold yellow")
    _say(console, f"{verdict.upper()}: {headline(summary)}", style)
    for sentence in coverage_sentences(summary):
        _say(console, sentence)
    _print_leak_counts(summary, console)
    _print_duplicate_counts(summary, console)
    _print_weak_counts(summary, console)
    _print_next(summary, console)


def print_leaks(frame: pd.DataFrame, console: Console, limit: int = 20) -> None:
    """Print pairs, two lines each: what is shared, and where it lies in both items.

    Of pictures, what makes the item on a line from the other one.

    Parameters
    ----------
    frame
        Rows of matches with `a_split`, `b_split` and, of leaks, `splits`, in the order to be
        printed; the evaluated side comes first.
    console
        Where to.
    limit
        At most this many; how many are left out is said.
    """
    timed = frame["a_start"].notna().any()
    table = _make_table(
        "relation", "split", "item", "shared stretch" if timed else "made by", "share"
    )
    table.columns[0].max_width = _RELATION_WIDTH
    for row in frame.head(limit).to_dict("records"):
        if table.row_count:
            table.add_row()
        turned = row.get("splits", "").startswith(f"{row['b_split']}|")
        one, other = "ba" if turned else "ab"
        table.add_row(_text(row["relation"]), *_side_cells(row, one))
        table.add_row(_text(_score(row)), *_side_cells(row, other))
    if len(frame):
        console.print(table)
    _print_omitted(console, len(frame) - limit, "pairs")


def print_unaudited(media: pd.DataFrame, console: Console, limit: int = 20) -> None:
    """Print the media that were not audited, each with its status and the reason."""
    rows = media[~media["status"].isin(AUDITED)]
    table = _make_table("status", "part", "item", "reason")
    for row in rows.head(limit).to_dict("records"):
        reason = row["error"] if isinstance(row["error"], str) else ""
        table.add_row(*map(_text, (row["status"], row["part"], row["item_id"], reason)))
    if len(rows):
        console.print(table)
    _print_omitted(console, len(rows) - limit, "media that were not audited")


def _print_leak_counts(summary: dict[str, Any], console: Console) -> None:
    sides = ("evaluated", "already in") if has_order(summary["splits"]) else ("split", "and")
    table = _make_table(*sides, "relation", "items", "pairs", right=2)
    for one, other in combinations(summary["splits"], 2):
        entry = summary["leaks"][f"{one}|{other}"]
        rows = list(entry["by_relation"].items())
        if len(rows) > 1:
            rows.append(("together", entry))
        for number, (relation, counts) in enumerate(rows):
            names = (_text(one), _text(other)) if number == 0 else ("", "")
            table.add_row(*names, relation, f"{counts['items']:,}", f"{counts['pairs']:,}")
    if table.row_count:
        console.print()
        console.print(table)
        _print_implied(summary, console)


def _print_implied(summary: dict[str, Any], console: Console) -> None:
    for pair, entry in summary["leaks"].items():
        if entry["pairs_implied"] > entry["pairs"]:
            counted = f"{entry['pairs_implied']:,} pairs, counting every pair of equal files"
            _say(console, f"{pair}: {counted}", "dim")


def _print_duplicate_counts(summary: dict[str, Any], console: Console) -> None:
    found = {split: entry for split, entry in summary["duplicates"].items() if entry["items"]}
    if found:
        console.print("\nDuplicates within a split")
    for split, entry in found.items():
        groups = pluralise(entry["groups"], "group")
        _say(console, f"  {split}: {pluralise(entry['items'], 'item')} in {groups}")


def _print_weak_counts(summary: dict[str, Any], console: Console) -> None:
    weak = summary["weak"]
    if not weak:
        return
    console.print("\nWeakly related across splits (not called leaks)")
    reasons = list(dict.fromkeys(name for entry in weak.values() for name in entry["by_reason"]))
    # A column a pair of splits, where so many fit; else a row.
    names = ["  reason", *map(escape_invisible, weak)]
    wide = max(map(len, reasons)) + 4 + sum(len(name) + 2 for name in names[1:]) <= console.width
    table = (
        _make_table(*names, right=len(weak))
        if wide
        else _make_table("  reason", "splits", "items", right=1)
    )
    for reason in reasons:
        found = {pair: entry["by_reason"].get(reason, {"items": 0}) for pair, entry in weak.items()}
        counts = {escape_invisible(pair): f"{entry['items']:,}" for pair, entry in found.items()}
        if wide:
            table.add_row(_text(f"  {reason}"), *counts.values())
            continue
        for number, (pair, count) in enumerate(counts.items()):
            table.add_row(_text("" if number else f"  {reason}"), Text(pair), count)
    console.print(table)


def _print_next(summary: dict[str, Any], console: Console) -> None:
    steps = Table.grid(padding=(0, 3, 0, 0))
    if summary["verdict"] == "leaks":
        steps.add_row("  splitaudit leaks", "list them, with the stretch in both items")
        steps.add_row("  splitaudit split", "write a split without them")
    if any(entry["items"] for entry in summary["duplicates"].values()):
        steps.add_row("  splitaudit dedup", "keep one item of each group")
    if steps.row_count:
        console.print("\nNext")
        console.print(steps)
    report = Path(summary.get("run", "")) / "report.html"
    if report.is_file():
        console.print()
        _say(console, f"Report: {report}", soft_wrap=True)


def _side_cells(row: dict[Any, Any], side: str) -> tuple[Text, Text, str | Text, str]:
    start, end, coverage = row[f"{side}_start"], row[f"{side}_end"], row[f"coverage_{side}"]
    stretch = (
        f"{format_time(start)}-{format_time(end)}"
        if _has_times(row)
        else _transform_text(row, side)
    )
    share = "" if pd.isna(coverage) else f"{coverage:.0%}"
    return _text(row[f"{side}_split"]), _text(row[side]), stretch, share


def _has_times(row: dict[Any, Any]) -> bool:
    return not (pd.isna(row["a_start"]) or pd.isna(row["a_end"]))


def _transform_text(row: dict[Any, Any], side: str) -> Text:
    """What was done to a picture is said from a to b."""
    return _text(row["transform"]) if side == "b" and isinstance(row["transform"], str) else Text()


def _score(row: dict[Any, Any]) -> str:
    transform = row["transform"] if _has_times(row) and isinstance(row["transform"], str) else ""
    return f"{row['score']:.3f} {transform}".strip()


def _make_table(*headers: str, right: int = 0) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for place, header in enumerate(headers):
        justify: Any = "right" if place >= len(headers) - right else "left"
        table.add_column(header, justify=justify, overflow="fold")
    return table


def _text(value: str) -> Text:
    return Text(escape_invisible(value))


def _say(console: Console, sentence: str, style: str = "", *, soft_wrap: bool = False) -> None:
    """Print plain text on one line; with `soft_wrap` left whole, so that a path can be copied."""
    console.print(Text(escape_invisible(sentence), style), soft_wrap=soft_wrap)


def _print_omitted(console: Console, number: int, what: str) -> None:
    if number > 0:
        _say(console, f"... and {number:,} more {what}", "dim")
