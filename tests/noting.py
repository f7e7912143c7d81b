"""Work that notes which process did it; a module of its own, which processes can import."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from splitaudit.engine import jobs

NOTED = pa.schema({"key": pa.string(), "process": pa.int64()})


@dataclass(frozen=True)
class Thing:
    """Something with a size to work on."""

    key: str
    size: int


def note_process(things: Sequence[Thing], folder: Path) -> int:
    """Write of each thing which process did it, as a part of the store."""
    rows = [{"key": thing.key, "process": os.getpid()} for thing in things]
    return jobs.write(rows, NOTED, [thing.key for thing in things], folder)
