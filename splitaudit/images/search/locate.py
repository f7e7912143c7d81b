"""How two pictures may be compared that no search proposed: as a hash sees them, or in any way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from splitaudit.engine.stages import Settings
from splitaudit.images.fingerprint.contract import HAMMING, VOTES
from splitaudit.images.fingerprint.feature_sets import READINGS
from splitaudit.images.search.candidates import HINTS, Views, read_bits

EVERY_READING = (1 << len(READINGS)) - 1

Rows = npt.NDArray[np.int64]


def locate(
    settings: Settings, keys: pa.Array, pairs: pd.DataFrame, fingerprints: Sequence[Any]
) -> pa.Table:
    """Return how pairs of pictures may be compared.

    Parameters
    ----------
    settings, keys, fingerprints
        As of `candidates.search`.
    pairs
        Columns a < b, positions in `keys`.

    Returns
    -------
    pa.Table
        As of `candidates.search`, without `turn`; a row a pair. The variant is that in which the
        hash sees both most alike, and of the local features all readings are asked.
    """
    votes = any(of.metric == VOTES for of in fingerprints)
    readings = EVERY_READING if votes else 0
    found = pairs[["a", "b"]].assign(variant=-1, views=0, readings=readings)
    by = next((of for of in fingerprints if of.metric == HAMMING), None)
    if by is not None:
        used, at = np.unique(pairs[["a", "b"]], return_inverse=True)
        views = read_bits(settings, keys.take(pa.array(used)), by)
        near = _nearest_variants(views, *at.reshape(-1, 2).T)
        found.loc[found.index[near["pair"]], ["variant", "views"]] = near[
            ["variant", "views"]
        ].to_numpy()
    return pa.Table.from_pandas(found.astype(HINTS), preserve_index=False)


def _nearest_variants(views: Views, a: Rows, b: Rows) -> pd.DataFrame:
    """Of pairs of which the hash says something: pair, variant, views, where they are nearest."""
    told = pd.DataFrame({"owner": views.owner, "row": np.arange(len(views.owner))})[views.told]
    sides = [pd.DataFrame({"pair": np.arange(len(of)), "owner": of}).merge(told) for of in (a, b)]
    both = sides[0].merge(sides[1], on="pair", suffixes=("_a", "_b"))
    one, other = both["row_a"].to_numpy(), both["row_b"].to_numpy()
    differ = np.bitwise_count(views.codes[one, :1] ^ views.codes[other]).sum(axis=2)
    seen = both.assign(
        variant=differ.argmin(axis=1),
        far=differ.min(axis=1, initial=np.iinfo(differ.dtype).max),
        views=views.inner[one] + 2 * views.inner[other],
    )
    return seen.sort_values(["pair", "far", "views"]).drop_duplicates("pair")
