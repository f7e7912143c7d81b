"""What was found in the planted dataset, beside what was planted in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from splitaudit.demo.dataset import GroundTruth, Leak

TOLERANCE_S = 0.1  # <=: how far a stretch may lie from where it was planted

Pair = tuple[str, str]
Row = dict[Any, Any]


@dataclass(frozen=True)
class Comparison:
    """Planted and found.

    Parameters
    ----------
    kinds
        Of each kind of leak: how many were planted, how many found, how many in the right place.
    false
        Pairs found that were not planted.
    jingle
        Pairs of items found to share the planted jingle, and how many there are.
    welded
        Items that share only the jingle and yet stand in one group.
    """

    kinds: dict[str, tuple[int, int, int]]
    false: tuple[Pair, ...]
    jingle: tuple[int, int]
    welded: tuple[str, ...]

    @property
    def is_perfect(self) -> bool:
        """Whether all leaks were found in place, and nothing else."""
        complete = all(n == found == placed for n, found, placed in self.kinds.values())
        return complete and not self.false and not self.welded


def compare(
    planted: GroundTruth, found: pd.DataFrame, shared: pd.DataFrame, groups: pd.DataFrame
) -> Comparison:
    """Compare the planted leaks and duplicates with the found ones.

    Parameters
    ----------
    planted
        The truth.
    found
        Accepted matches that are leaks or duplicates.
    shared
        Accepted matches of shared material.
    groups
        `splitaudit.schema.GROUPS`.
    """
    truth = {(leak.a, leak.b): leak for leak in (*planted.leaks, *planted.duplicates)}
    rows = {(row["a"], row["b"]): row for row in found.to_dict("records")}
    jingled = set(zip(shared["a"], shared["b"], strict=True))
    members = sorted(planted.jingle_members)
    size = groups.set_index("item_id")["size"]
    return Comparison(
        kinds=_count_kinds(truth.values(), rows),
        false=tuple(sorted(rows.keys() - truth.keys())),
        jingle=(len(jingled), len(members) * (len(members) - 1) // 2),
        welded=tuple(item for item in members if size[item] > 1),
    )


def _count_kinds(leaks: Iterable[Leak], rows: dict[Pair, Row]) -> dict[str, tuple[int, int, int]]:
    kinds: dict[str, tuple[int, int, int]] = {}
    for leak in leaks:
        row = rows.get((leak.a, leak.b))
        planted, found, placed = kinds.get(leak.kind, (0, 0, 0))
        kinds[leak.kind] = (
            planted + 1,
            found + (row is not None),
            placed + (row is not None and _is_in_place(leak, row)),
        )
    return kinds


def _is_in_place(leak: Leak, row: Row) -> bool:
    ends = ("a_start", "a_end", "b_start", "b_end")
    return all(abs(row[name] - getattr(leak, name)) <= TOLERANCE_S for name in ends) and (
        row["relation"] == leak.relation
    )


def sentences(comparison: Comparison) -> list[str]:
    """Say what was planted and what of it was found."""
    lines = [
        f"{kind:<12} planted {planted}, found {found}, in the right place {placed}"
        for kind, (planted, found, placed) in comparison.kinds.items()
    ]
    found, there = comparison.jingle
    lines.append(f"{'jingle':<12} shared by {there} pairs of items, seen in {found}, no leak of it")
    lines += [f"false pair   {a} - {b}" for a, b in comparison.false]
    lines += [f"welded       {item} by a jingle" for item in comparison.welded]
    innocent = "nothing else was accused: silence, tones, rain and second takes went free"
    return [*lines, innocent] if not comparison.false else lines
