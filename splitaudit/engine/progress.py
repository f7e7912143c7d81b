"""How far a scan is: bars on a terminal, nothing elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Protocol


class Progress(Protocol):
    """What the pipeline tells of itself."""

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of `total` steps."""

    def advance(self, steps: int) -> None:
        """Note that `steps` more are done."""


class Quiet:
    """Say nothing."""

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of `total` steps."""

    def advance(self, steps: int) -> None:
        """Note that `steps` more are done."""


class _Bars:
    def __init__(self, bars: object) -> None:
        self._bars = bars
        self._task = None

    def start(self, stage: str, total: int) -> None:
        self._task = self._bars.add_task(stage, total=total)  # type: ignore[attr-defined]

    def advance(self, steps: int) -> None:
        self._bars.advance(self._task, steps)  # type: ignore[attr-defined]


@contextlib.contextmanager
def bars() -> Iterator[Progress]:
    """Yield a progress that draws on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield Quiet()
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description:<12}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as drawn:
        yield _Bars(drawn)
