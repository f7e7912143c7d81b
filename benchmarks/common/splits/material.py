"""What the splitters are tried on: items, their labels and their groups."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from scipy.sparse import csr_array

Indices = npt.NDArray[np.int64]

LABELS = 50
LEANING = 0.5  # of the items of a group have the label that the group leans to


@dataclass(frozen=True)
class Material:
    """Items to split.

    Parameters
    ----------
    name
        In words.
    items, groups
        Schemas ITEMS and GROUPS, both sorted by item id.
    group
        Number of the group of each item, shape (n,).
    labels
        1 where an item has a label, shape (n, labels).
    """

    name: str
    items: pa.Table
    groups: pa.Table
    group: Indices
    labels: csr_array


def number_groups(name: str, items: pa.Table, groups: pa.Table) -> Material:
    """Number the groups and the labels of items."""
    items, groups = items.sort_by("item_id"), groups.sort_by("item_id")
    group = pd.factorize(groups["group_id"].to_pandas())[0].astype(np.int64)
    exploded = items["labels"].to_pandas().explode().dropna()
    label, names = pd.factorize(exploded, sort=True)
    shape = items.num_rows, len(names)
    labels = csr_array((np.ones(len(label)), (exploded.index.to_numpy(), label)), shape=shape)
    labels.data[:] = 1.0
    return Material(name, items, groups, group, labels)


def scan_sounddescs(folder: Path, scratch: Path) -> Any:
    """Scan SoundDescs by the shipped manifest for what keys and captions say."""
    import splitaudit
    from splitaudit.dataset import IngestOptions

    audit = splitaudit.open(
        "sounddesc",
        out=scratch / "run",
        cache=scratch / "cache",
        options=IngestOptions(root=folder),
        settings={"checks": ("keys", "captions")},
    )
    return audit.scan()


def group_sounddescs(audit: Any, name: str, policy: str) -> Material:
    """Group SoundDescs by a policy."""
    groups = pa.Table.from_pandas(audit.groups(policy), preserve_index=False)
    return number_groups(f"SoundDescs, {name}", audit.table("items"), groups)


def make_items(n: int) -> Material:
    """Make items, a million of them in some 70,000 groups.

    The sizes of the groups are those of a Pareto distribution, P(size >= s) = s ** -0.9 (a density of exponent
    1.9), rounded down and cut off at 0.5 % of all items; groups are drawn until there are enough items. A label
    is drawn by Zipf's law of exponent 1.1 for each group and for each item; an item has that of its group with
    a chance of a half, else its own.
    """
    from splitaudit.schema import GROUPS, conform
    from splitaudit.schema import ITEMS as SCHEMA

    rng = np.random.default_rng(0)
    sizes = np.minimum(np.floor(rng.pareto(0.9, n // 5) + 1).astype(np.int64), n // 200)
    sizes = sizes[: np.searchsorted(np.cumsum(sizes), n) + 1]
    sizes[-1] -= sizes.sum() - n
    chance = 1 / np.arange(1, LABELS + 1) ** 1.1
    chance /= chance.sum()
    own = rng.choice(LABELS, n, p=chance)
    group = np.repeat(np.arange(len(sizes)), sizes)
    leans = rng.choice(LABELS, len(sizes), p=chance)[group]
    label = np.where(rng.random(n) < LEANING, leans, own)
    ids = pa.array([f"{k:07d}" for k in range(n)])
    values = pa.array([f"label {k:02d}" for k in range(LABELS)]).take(pa.array(label))
    labels = pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32), values)
    given = {"item_id": ids, "split": pa.repeat("all", n), "labels": labels}
    absent = {x.name: pa.nulls(n, x.type) for x in SCHEMA if x.name not in given}
    items = conform(pa.table({**given, **absent}), SCHEMA)
    firsts = np.cumsum(sizes) - sizes
    grouped = {
        "item_id": ids,
        "policy": pa.repeat("duplicate", n),
        "group_id": ids.take(pa.array(firsts[group])),
        "size": sizes[group],
    }
    return number_groups("Items made from code", items, conform(pa.table(grouped), GROUPS))
