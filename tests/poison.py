"""Work that kills the process that does it; a module of its own, which processes import quickly."""

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from splitaudit.engine import jobs


def note_threads(items: Sequence[str], folder: Path) -> int:
    """Leave a file named by how many threads this process may use for algebra."""
    (folder / os.environ.get("OMP_NUM_THREADS", "any number")).touch()
    return len(items)


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


NOTED = pa.schema({"key": pa.string()})


@dataclass(frozen=True)
class Thing:
    """Something to work on; as long as its poison lies there, a process dies of it."""

    key: str
    poison: str = ""
    size: int = 1


def write_facts(things: Sequence[Thing], folder: Path) -> int:
    """Write the fact of each thing, and die of one that is poison."""
    if any(thing.poison and os.path.exists(thing.poison) for thing in things):
        os.kill(os.getpid(), signal.SIGKILL)
    keys = [thing.key for thing in things]
    return jobs.write([{"key": key} for key in keys], NOTED, keys, folder)


def note_death(things: Sequence[Thing], folder: Path) -> int:
    return jobs.write_lost([thing.key for thing in things], folder)
