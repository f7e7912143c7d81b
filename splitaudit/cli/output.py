"""What verbs print: JSON on stdout, or text on a console."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """Return where text goes: stdout, with colours where that is a terminal."""
    from rich.console import Console

    return Console(highlight=False)


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_records(frame: Any) -> None:
    """Print the rows of a frame as JSON."""
    click.echo(frame.to_json(orient="records", indent=2, force_ascii=False))
