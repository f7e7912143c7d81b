"""Results at a glance: what a notebook shows of an object."""

from __future__ import annotations

import html
from collections.abc import Iterable


def card(title: str, lines: Iterable[str]) -> str:
    """Return a title and a list of lines as HTML; whatever they hold is escaped."""
    listed = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f"<div><b>{html.escape(title)}</b><ul>{listed}</ul></div>"
