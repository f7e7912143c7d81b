"""Scores and a run together: which test items leaked, and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.errors import ScoresError
from splitaudit.evaluation.score_files import Scores
from splitaudit.runs.audit import Audit

Mask = npt.NDArray[np.bool_]

LEAKED, CLEAN, UNRELATED = "leaked", "clean", "not even weakly related"


def partition_gallery(audit: Audit, scores: Scores) -> tuple[npt.NDArray[Any], dict[str, Mask]]:
    """Return the group of each item of the gallery, and which items leaked.

    Parameters
    ----------
    audit
        Of the dataset that the items are from.
    scores
        With the ids of the gallery: those of the dataset's items.

    Returns
    -------
    groups
        Shape (gallery,): items that are copies of each other, or of one source.
    parts
        Shape (gallery,) each: items with a copy in another split; without; and without anything in
        common with another split.
    """
    items = _check_ids(audit, scores.gallery_ids)
    leaks = audit.leaks()
    leaked = np.isin(items, np.union1d(leaks["a"], leaks["b"]))
    weak = np.isin(items, _weakly_related(audit))
    groups = audit.groups("setup").set_index("item_id")["group_id"]
    parts = {CLEAN: ~leaked, LEAKED: leaked}
    if (weak & ~leaked).any():
        parts[UNRELATED] = ~(leaked | weak)
    return groups.reindex(items).to_numpy(), parts


def _check_ids(audit: Audit, ids: Sequence[str] | None) -> npt.NDArray[Any]:
    if ids is None:
        raise ScoresError("--run needs the ids of the items: say them by --gallery-ids")
    known = set(audit.table("items")["item_id"].to_pylist())
    unknown = [name for name in ids if name not in known]
    if unknown:
        first = f"the first is {unknown[0]!r}"
        raise ScoresError(f"{len(unknown):,} of {len(ids):,} items are not in the run, {first}")
    return np.array(ids, object)


def _weakly_related(audit: Audit) -> npt.NDArray[Any]:
    """Items whose group, by the widest policy, has items of another split."""
    items = audit.table("items").select(["item_id", "split"]).to_pandas()
    groups = audit.groups("setup").merge(items, on="item_id")
    splits = groups.groupby("group_id")["split"].transform("nunique")
    found: npt.NDArray[Any] = groups.loc[splits > 1, "item_id"].to_numpy()
    return found
