"""What peers find on the ladder: one index of all references, every copy of every transform a query."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common.audio.ladder_material import Copy
from benchmarks.common.audio.ladder_ours import average
from benchmarks.common.audio.peers import Peer
from benchmarks.common.judging import (
    Mask,
    Scores,
    Truth,
    count_first,
    find_partners,
    find_worst_false,
    list_worst_pairs,
    step_above,
)

WORST = 8  # false pairs listed of each peer


@dataclass(frozen=True)
class Judged:
    """What one peer found.

    Parameters
    ----------
    numbers
        Of all transforms together.
    at_best
        Which copies it finds with no false pair.
    """

    numbers: dict[str, Any]
    at_best: Mask


def judge_all(
    peers: Sequence[Peer], copies: Sequence[Copy], references: Mapping[str, Path], known: Truth
) -> list[dict[str, Any]]:
    """Run each peer over everything and count; the last row is what any of them finds."""
    judged = [judge(peer, copies, references, known) for peer in peers]
    if not judged:
        return []
    union = np.any([one.at_best for one in judged], axis=0)
    row = {
        "peer": "any of them",
        "settings": "at best",
        **_average_by_transform(copies, {"recall": union}),
    }
    return [*(one.numbers for one in judged), row]


def judge(
    peer: Peer, copies: Sequence[Copy], references: Mapping[str, Path], known: Truth
) -> Judged:
    """Count at one threshold over all transforms, chosen afterwards, and at the peer's own.

    `recall` is with the threshold just above its worst false pair in the entire run.
    """
    begun = time.perf_counter()
    scores = peer.compare(list(references.values()), [copy.path for copy in copies])
    seconds = time.perf_counter() - begun
    print(f"{peer.name}, {peer.settings}: {seconds:.0f} s", file=sys.stderr, flush=True)
    worst = find_worst_false(scores, known)
    best = find_partners(scores, known, step_above(worst))
    values = {"recall": best, "ranked first": count_first(scores, known)}
    states = peer.threshold
    stated = {"states": states, "recall as stated": None, "false as stated": None}
    if states is not None:
        stated["recall as stated"] = float(find_partners(scores, known, states).mean())
        stated["false as stated"] = int((known.false & (scores >= states)).sum())
    numbers = {
        "peer": peer.name,
        "settings": peer.settings,
        **_average_by_transform(copies, values),
        "no false above": worst if np.isfinite(worst) else None,
        **stated,
        "worst false": _list_worst(scores, known, copies, list(references)),
        "seconds": round(seconds, 1),
    }
    return Judged(numbers, best)


def _average_by_transform(
    copies: Sequence[Copy], values: Mapping[str, npt.NDArray[Any]]
) -> dict[str, Any]:
    """Return the means over all copies, and `transforms`: those of each transform."""
    names = np.array([copy.transform for copy in copies])
    each = {
        name: average([c for c in copies if c.transform == name], _select(values, names == name))
        for name in dict.fromkeys(names.tolist())
    }
    return {**average(copies, values), "transforms": each}


def _select(values: Mapping[str, npt.NDArray[Any]], mask: Mask) -> dict[str, npt.NDArray[Any]]:
    return {name: value[mask] for name, value in values.items()}


def _list_worst(
    scores: Scores, known: Truth, copies: Sequence[Copy], references: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the false pairs with the highest scores, at most one of each two recordings."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for query, reference, score in list_worst_pairs(scores, known, 100 * WORST):
        copy, item = copies[query], references[reference]
        row = {"transform": copy.transform, "score": score, "of": copy.reference, "is": item}
        rows.setdefault((copy.reference, item), row)
    return list(rows.values())[:WORST]
