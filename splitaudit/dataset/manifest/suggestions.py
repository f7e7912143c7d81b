"""What a user may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, choices: Iterable[str]) -> list[str]:
    """Return at most three of `choices` that are spelt much like `word`, the nearest first."""
    return difflib.get_close_matches(word, list(choices), n=3, cutoff=0.6)


def did_you_mean(near: Iterable[str]) -> str:
    """Return the question that follows a sentence; empty where there is nothing to propose."""
    proposed = " or ".join(map(repr, near))
    return f"; did you mean {proposed}?" if proposed else ""
