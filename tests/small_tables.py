"""Tables small enough to be checked by hand, and random ones."""

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
from hypothesis import settings
from hypothesis import strategies as st

from splitaudit import schema
from splitaudit.groups.policies import edges, groups
from splitaudit.schema import ITEMS, MATCHES, MEDIA, conform

unhurried = settings(deadline=None, max_examples=60)  # pandas takes its time on a busy machine

SPLITS = ["train", "val", "test", "extra"]


def items_of(splits: Mapping[str, str]) -> pa.Table:
    return conform([{"item_id": x, "split": split} for x, split in splits.items()], ITEMS)


def match(a: str, b: str, relation: str = "near_duplicate", **other: object) -> dict[str, object]:
    a, b = sorted((a, b))
    row = {"a": a, "b": b, "part": "audio", "relation": relation, "score": 0.9, "accepted": True}
    return row | other


def matches_of(rows: Iterable[dict[str, object]]) -> pa.Table:
    return conform(list(rows), MATCHES)


def media_of(rows: Mapping[str, Mapping[str, object]]) -> pa.Table:
    known = {"part": "audio", "modality": "audio", "status": "ok"}
    return conform(
        [{"item_id": x, "content_id": x, **known, **row} for x, row in rows.items()], MEDIA
    )


def plan_of(placed: Mapping[str, str | None]) -> pa.Table:
    """A plan that puts each item into a split, or drops it."""
    rows: list[dict[str, object]] = [
        {"item_id": x, "new_split": y, "action": "kept" if y else "dropped", "reason": "stays"}
        for x, y in placed.items()
    ]
    return conform(rows, schema.SPLITS)


def groups_of(items: pa.Table, matches: pa.Table) -> pa.Table:
    return groups(items["item_id"].to_pylist(), edges(matches))


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    return table.take(np.random.default_rng(seed).permutation(table.num_rows))


@st.composite
def datasets(draw, max_items: int = 7, splits: int = 3):
    """Return items and matches: a random graph over items in random splits."""
    n = draw(st.integers(1, max_items))
    names = [f"i{x}" for x in draw(st.permutations(range(n)))]
    placed = {x: draw(st.sampled_from(SPLITS[:splits])) for x in names}
    pairs = [(a, b) for a in names for b in names if a < b]
    joined = draw(st.lists(st.sampled_from(pairs), max_size=n, unique=True)) if pairs else []
    kinds = st.sampled_from(["exact", "near_duplicate", "overlap"])
    return items_of(placed), matches_of(match(a, b, draw(kinds)) for a, b in joined)


def random_dataset(n: int, n_pairs: int, seed: int) -> tuple[pa.Table, pa.Table]:
    rng = np.random.default_rng(seed)
    names = [f"{split}/{x:04d}.wav" for x, split in enumerate(rng.choice(SPLITS[:3], n))]
    items = items_of({x: x.split("/")[0] for x in names})
    pairs = [rng.choice(names, 2, replace=False) for _ in range(n_pairs)]
    return items, matches_of(match(str(a), str(b)) for a, b in pairs)
