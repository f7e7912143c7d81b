"""The report: one HTML file that opens from the disk, with nothing to fetch.

Names reach the page as text only: in the static part through Jinja's escaping, in the lists through
a block of JSON that a script reads and writes with `textContent`.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from splitaudit.engine.store import write_text
from splitaudit.report.listing import EMBEDDED, KINDS, LISTED, RELATIONS, MediaLoaders, report_data
from splitaudit.report.sentences import coverage_sentences, escape_invisible, headline
from splitaudit.report.summary import Tables, has_order


def write_report(
    tables: Tables, summary: dict[str, Any], path: Path, *, reach: MediaLoaders
) -> None:
    """Write the report of a run to `path`.

    Parameters
    ----------
    tables
        The tables of the run.
    summary
        What `splitaudit.report.summary.summarise` made of them.
    path
        The HTML file; an older one is replaced when the new one is whole.
    reach
        How to get at what is shown. Where that raises `MediaError`, the reason stands in its place.
    """
    listed = report_data(tables, list(summary["splits"]), reach)
    data = _escape_json(listed)
    page = _template().render(
        summary=summary,
        headline=headline(summary),
        coverage=list(zip(summary["coverage"].values(), coverage_sentences(summary), strict=True)),
        leaks=_leak_rows(summary),
        ordered=has_order(summary["splits"]),
        counts=dict(zip(KINDS, listed["counts"], strict=True)),
        limits={"listed": LISTED, "embedded": min(EMBEDDED, len(listed["pairs"]["kind"]))},
        unaudited=listed["unaudited_count"],
        relations=RELATIONS,
        data=Markup(data),
        nonce=hashlib.sha256(data.encode()).hexdigest()[:32],
    )
    write_text(page, path)


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("splitaudit", "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = escape_invisible
    return environment.get_template("report.html.j2")


def _leak_rows(summary: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (evaluated split, other split, counts) of the pairs of splits that share items."""
    pairs = combinations(summary["splits"], 2)
    rows = [(one, other, summary["leaks"][f"{one}|{other}"]) for one, other in pairs]
    return [row for row in rows if row[2]["pairs"]]


def _escape_json(data: dict[str, Any]) -> str:
    """Return JSON in ASCII that can neither end its script element nor begin another."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
