"""Lists of ids, one a line, and where ids stand in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from splitaudit.errors import ScoresError
from splitaudit.evaluation.relevance import Rows


def read_text(path: Path) -> str:
    """Return what a file of text says, without the mark of its byte order.

    Raises
    ------
    ScoresError
        Where it cannot be read, or is not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ScoresError(f"{path}: cannot be read as UTF-8 ({error})") from None


def read_ids(path: Path) -> list[str]:
    """Return the ids of a file with one a line.

    Raises
    ------
    ScoresError
        Where one stands there twice.
    """
    lines = read_text(path).split("\n")
    ids = [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]
    check_unique(ids, str(path))
    return ids


def check_unique(ids: Sequence[str], where: str) -> None:
    """Refuse ids of which one stands in two places: scores could not be told apart."""
    if len(set(ids)) == len(ids):
        return
    seen: set[str] = set()
    twice = next(name for name in ids if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    raise ScoresError(f"{where}: the id {twice!r} stands there twice")


def find_positions(names: Sequence[str], ids: Sequence[str]) -> Rows:
    """Return where each name stands among ids, -1 where it does not."""
    at = {name: place for place, name in enumerate(ids)}
    return np.array([at.get(name, -1) for name in names], np.int64)
