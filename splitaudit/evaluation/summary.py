"""What a matrix of scores is worth: metrics in both directions, of all and of what did not leak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.evaluation import intervals
from splitaudit.evaluation.metrics import first_ranks, hits
from splitaudit.evaluation.ranks import Ranks, relevant_ranks
from splitaudit.evaluation.relevance import Relevance
from splitaudit.evaluation.structure import NO_EVIDENCE, SUSPICIOUS, signs

Mask = npt.NDArray[np.bool_]

CUTOFFS = (1, 5, 10)
DIRECTIONS = ("query to item", "item to query")
ALL = "all"


def summarise(
    scores: Any,
    right: Relevance,
    groups: npt.NDArray[Any],
    parts: Mapping[str, Mask],
    partial: bool = False,
) -> dict[str, Any]:
    """Return verdict, signs, faults and metrics, ready for JSON.

    Parameters
    ----------
    scores
        Shape (queries, gallery).
    right
        What is right.
    groups
        Of each item of the gallery; what is in one is not independent.
    parts
        Items to be looked at by themselves, shape (gallery,) each. Their queries are ranked in the
        whole gallery, so that parts can be compared.
    partial
        Whether scores were missing: then signs are not looked for, as a filled place is none.
    """
    there, back = relevant_ranks(scores, right), relevant_ranks(scores.T, right.turned())
    found = [] if partial else signs(scores, right)
    return {
        "verdict": SUSPICIOUS if found else NO_EVIDENCE,
        "signs": [{"name": s.name, "sentence": s.sentence, "p": s.p} for s in found],
        "queries": right.queries,
        "gallery": right.gallery,
        "not_finite": there.not_finite,
        "not_finite_right": there.not_finite_right,
        "tied": float((there.tied > there.tied_right).mean()),
        "optimistic_r1": float(hits(there, 1, "optimistic").mean()),
        "metrics": {
            DIRECTIONS[0]: _summarise_parts(there, _first_items(right), groups, parts),
            DIRECTIONS[1]: _summarise_parts(back, np.unique(right.item), groups, parts),
        },
    }


def _first_items(right: Relevance) -> npt.NDArray[np.int64]:
    """The first right item of each query that has any."""
    _, first = np.unique(right.query, return_index=True)
    return right.item[first]


def _summarise_parts(
    ranks: Ranks, items: Any, groups: Any, parts: Mapping[str, Mask]
) -> dict[str, Any]:
    chosen = {ALL: np.ones(len(items), bool), **{name: mask[items] for name, mask in parts.items()}}
    return {name: _compute_metrics(ranks, mask, groups[items]) for name, mask in chosen.items()}


def _compute_metrics(ranks: Ranks, mask: Mask, groups: Any) -> dict[str, Any]:
    if not mask.any():
        return {"queries": 0}
    places = first_ranks(ranks)[mask]
    found = {f"R@{k}": intervals.mean(hits(ranks, k)[mask], groups[mask]) for k in CUTOFFS}
    found |= {"median rank": intervals.median(places, groups[mask])}
    found |= {"mean rank": intervals.mean(places, groups[mask])}
    rows = {name: [one.value, one.low, one.high] for name, one in found.items()}
    return {"queries": int(mask.sum()), "groups": len(np.unique(groups[mask])), **rows}
