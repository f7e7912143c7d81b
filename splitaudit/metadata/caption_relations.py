"""What is written about items: captions that say the same, or nearly so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit.metadata import keys
from splitaudit.metadata.captions import GENERIC, NEAR, exact, text
from splitaudit.metadata.keys import Key
from splitaudit.metadata.near_captions import near
from splitaudit.metadata.placeholders import describe_captions
from splitaudit.schema import CAPTION, EDGES, MEMBERSHIPS, SAME_CAPTION, conform


def memberships(items: pa.Table, rules: Sequence[str]) -> pa.Table:
    """Return the captions of items, as each rule leaves them: MEMBERSHIPS.

    Parameters
    ----------
    items
        Schema ITEMS.
    rules
        Names of `captions.RULES`.
    """
    captions = pd.DataFrame(
        {
            "item_id": items["item_id"].to_pandas(),
            "caption": pd.Series(items["captions"].to_pylist(), dtype=object),
        }
    )
    found = [
        keys.memberships(captions, Key(name(rule), ("caption",), {"caption": rule}, SAME_CAPTION))
        for rule in rules
        if rule != NEAR
    ]
    return pa.concat_tables([conform([], MEMBERSHIPS), *found])


def notes(items: pa.Table) -> list[str]:
    """Return a sentence that names the captions which stand for missing ones."""
    texts = pd.Series(items["captions"].to_pylist(), dtype=object).explode().dropna().map(exact)
    return describe_captions(texts)


def edges(items: pa.Table, rules: Sequence[str]) -> pa.Table:
    """Return the pairs of items with captions that are nearly alike: EDGES, where that is a rule.

    Captions of one text are alike with weight 1. One of more (>) than `GENERIC` items joins none.
    """
    held = _specific_captions(items) if NEAR in rules else pd.DataFrame()
    if held.empty:
        return conform([], EDGES)
    texts = np.unique(held["text"].to_numpy(object))
    pairs = near(texts)
    one = [*texts[pairs["a"]], *texts]
    other = [*texts[pairs["b"]], *texts]
    weights = [*pairs["score"], *np.ones(len(texts))]
    alike = pd.DataFrame({"text": one, "other_text": other, "weight": weights})
    both = alike.merge(held, on="text").merge(held.add_prefix("other_"), on="other_text")
    ends = both[["item_id", "other_item_id"]]
    both = both.assign(a=ends.min(axis=1), b=ends.max(axis=1))
    both = both[both["a"] != both["b"]].sort_values("weight", ascending=False)
    said = (
        both.drop_duplicates(["a", "b"])
        .sort_values(["a", "b"])
        .assign(policy=name(NEAR), reason=name(NEAR), cut=False)
    )
    return conform(pa.Table.from_pandas(said[EDGES.names], EDGES, preserve_index=False), EDGES)


def name(rule: str) -> str:
    """Return how a rule is called as a key, a policy and a reason."""
    return f"{CAPTION}:{rule}"


def _specific_captions(items: pa.Table) -> pd.DataFrame:
    """Return item_id and text of each caption that is not generic."""
    captions = items.select(["item_id", "captions"]).to_pandas().explode("captions").dropna()
    held = pd.DataFrame({"item_id": captions["item_id"], "text": captions["captions"].map(text)})
    held = held[held["text"] != ""].drop_duplicates()
    few: pd.DataFrame = held[held.groupby("text")["item_id"].transform("size") <= GENERIC]
    return few
