"""Items cut from the same seconds of one source, as their table says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from splitaudit.schema import MATCHES, OVERLAP, conform

Indices = npt.NDArray[np.int64]

PART = "source"  # in `matches`: no medium was looked at
MAX_OVERLAPS = 1_000  # > spans that overlap one: only the next of them is linked with it


def overlaps(items: pa.Table) -> pa.Table:
    """Return the pairs of items whose spans of one source overlap, by more than nothing.

    Parameters
    ----------
    items
        Schema ITEMS. Items without a source, or without both ends of a span, overlap none.

    Returns
    -------
    table
        Schema MATCHES, sorted by (a, b): relation `overlap`, both intervals in seconds of the item.
    """
    spans = items.select(["item_id", "source", "start_s", "end_s"]).to_pandas().dropna()
    spans = spans[spans["end_s"] > spans["start_s"]]
    spans = spans.sort_values(["source", "start_s", "end_s", "item_id"], ignore_index=True)
    first, second = _overlap_pairs(spans)
    sides = spans.loc[first].reset_index(drop=True), spans.loc[second].reset_index(drop=True)
    start_s = sides[1]["start_s"]
    end_s = np.minimum(sides[0]["end_s"], sides[1]["end_s"])
    turned = sides[0]["item_id"] > sides[1]["item_id"]
    columns = {"part": PART, "relation": OVERLAP, "score": 1.0, "verifier": "declared-v1"}
    columns |= {"tempo": 1.0, "pitch": 1.0, "n_equivalent": 1, "accepted": True}
    rows = pd.DataFrame(columns, index=sides[0].index)
    for name, (one, other) in {"a": sides, "b": sides[::-1]}.items():
        side = other.where(turned, one)
        rows[name] = side["item_id"]
        rows[f"{name}_start"] = start_s - side["start_s"]
        rows[f"{name}_end"] = end_s - side["start_s"]
        rows[f"coverage_{name}"] = (end_s - start_s) / (side["end_s"] - side["start_s"])
    rows["transform"] = "the same seconds of one source"
    rows["label_conflict"] = False
    table = pa.Table.from_pandas(rows, preserve_index=False)
    return conform(table, MATCHES).sort_by([("a", "ascending"), ("b", "ascending")])


def _overlap_pairs(spans: pd.DataFrame) -> tuple[Indices, Indices]:
    """Rows of spans, sorted by source and start, of which the second begins within the first."""
    source = pd.factorize(spans["source"])[0]
    apart = spans["end_s"].max() - spans["start_s"].min() + 1 if len(spans) else 1.0
    begin = source * apart + spans["start_s"].to_numpy()
    end = source * apart + spans["end_s"].to_numpy()
    here = np.arange(len(spans))
    count = np.maximum(np.searchsorted(begin, end, "left") - here - 1, 0)
    count = np.where(count > MAX_OVERLAPS, 1, count)
    first = np.repeat(here, count)
    second = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    within = spans["start_s"].to_numpy()[second] < spans["end_s"].to_numpy()[first]
    return first[within], second[within]
