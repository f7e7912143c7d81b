"""Work that kills the process that does it; a module of its own, which processes import quickly."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path


def note(items: Sequence[str], folder: Path) -> int:
    """Write a file for each item, and die of one that is poison."""
    for item in items:
        if item.startswith("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        (folder / item).touch()
    return len(items)


def give_up(items: Sequence[str], folder: Path) -> int:
    for item in items:
        (folder / f"lost {item}").touch()
    return len(items)


def fail(items: Sequence[str], folder: Path) -> int:
    raise RuntimeError("a mistake of ours")
