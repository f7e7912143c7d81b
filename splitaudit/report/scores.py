"""What is known of an evaluator or of its scores, on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from splitaudit.report.sentences import escape_invisible, pluralise

_STYLES = {"clean": "bold green", "no_evidence": "bold green", "leak": "bold red"}
MAX_INLINE_PARTS = 3  # <= parts, or intervals stand below their values: a line has 80 characters
_UNPROVEN = "a matrix alone cannot prove that its evaluator is clean"


def print_evaluator(found: dict[str, Any], console: Console) -> None:
    """Print the verdict, what shows it, and what else was noticed."""
    verdict, shown = found["verdict"], found["test"]
    said = found["sentence"] + (f" (test: {shown})" if shown else "")
    _say(console, f"{verdict.upper()}: {said}", _STYLES.get(verdict, "bold yellow"))
    for other in found["findings"][1:]:
        _say(console, f"also {other['verdict']}: {other['sentence']} (test: {other['test']})")
    for note in found["notes"]:
        _say(console, f"note: {note}")
    if found["stochastic"]:
        _say(console, "note: the same inputs give other scores; give it a seed, or report a spread")
    if found["ties"] and found["ties"] > 0:
        _say(console, f"note: {found['ties']:.1%} of the scores equal another one of their query")
    _say(console, f"{pluralise(found['calls'], 'call')} of the evaluator", "dim")


def print_matrix(found: dict[str, Any], console: Console) -> None:
    """Print the verdict, the signs and the metrics."""
    verdict = found["verdict"]
    sentence = found["signs"][0]["sentence"] if found["signs"] else _UNPROVEN
    style = _STYLES.get(verdict, "bold yellow")
    _say(console, f"{verdict.upper().replace('_', ' ')}: {sentence}", style)
    for sign in found["signs"][1:]:
        _say(console, f"also: {sign['sentence']}")
    _say(console, f"{found['queries']:,} queries, {found['gallery']:,} items")
    for sentence in (*_faults(found), *(f"note: {note}" for note in found["notes"])):
        _say(console, sentence)
    for way, parts in found["metrics"].items():
        console.print()
        console.print(_metrics_table(way, parts))
        for sentence in _score_inflation(parts):
            _say(console, sentence)


def _faults(found: dict[str, Any]) -> list[str]:
    said = []
    if found["not_finite"]:
        faults = f"{found['not_finite']:,} scores are NaN or infinite"
        of_truth = f"{found['not_finite_right']:,} of them those of right items"
        said.append(f"{faults}, {of_truth}: counted against the truth")
    if found["tied"]:
        best = f"R@1 would be {found['optimistic_r1']:.1%} if ties were counted for the truth"
        said.append(f"{found['tied']:.1%} of the true pairs tie with another item: {best}")
    return said


def _score_inflation(parts: dict[str, Any]) -> Iterator[str]:
    """What the leaks were worth, in points of recall at 1."""
    everything, clean = parts["all"].get("R@1"), parts.get("clean", {}).get("R@1")
    if not (everything and clean and parts["leaked"]["queries"]):
        return
    points = 100 * (everything[0] - clean[0])
    yield f"Without what leaked, R@1 is {clean[0]:.1%} instead of {everything[0]:.1%}: " + (
        f"the leaks are worth {points:.1f} points" if points >= 0.05 else "the leaks raise nothing"
    )


def _metrics_table(way: str, parts: dict[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(way)
    for name, rows in parts.items():
        table.add_column(f"{name} ({rows['queries']:,})", justify="right")
    names = [name for name in parts["all"] if name not in ("queries", "groups")]
    within = " " if len(parts) <= MAX_INLINE_PARTS else "\n"
    for name in names:
        cells = (_format_interval(name, rows.get(name), within) for rows in parts.values())
        table.add_row(name, *cells)
    return table


def _format_interval(name: str, value: list[float] | None, within: str) -> str:
    if value is None:
        return "-"
    ends = value
    if name.startswith("R@"):
        ends = [100 * each for each in value]
    said, low, high = (f"{each:.1f}".removesuffix(".0") for each in ends)
    return f"{said}{'%' if ends is not value else ''}{within}[{low}, {high}]"


def _say(console: Console, sentence: str, style: str = "") -> None:
    console.print(Text(escape_invisible(sentence), style))
