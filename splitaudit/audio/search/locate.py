"""Where two sounds may agree that no search proposed: the patches of the one among the other's."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from splitaudit.audio.fingerprint import patches
from splitaudit.audio.search import votes
from splitaudit.audio.search.candidates import (
    COLUMNS,
    PLACE,
    WINDOW,
    PatchIndex,
    read_patches,
    refine_place,
    select_places,
)
from splitaudit.engine.store import Parts
from splitaudit.search import vectors as nearest

Wide = npt.NDArray[np.float64]


def locate(facts: Parts, keys: pa.Array, pairs: pd.DataFrame) -> pa.Table:
    """Return how pairs of sounds may be compared.

    Parameters
    ----------
    facts, keys
        As of `candidates.search`.
    pairs
        Columns a < b, positions in `keys`.

    Returns
    -------
    pa.Table
        As of `candidates.search`, without `turn`. Two sounds without any patches that are alike
        have no row.
    """
    used, at = np.unique(pairs[["a", "b"]], return_inverse=True)
    prints = read_patches(facts, keys.take(pa.array(used)))
    names = [*PLACE, "evidence", "much"]
    rows = [_places(prints, a, b) for a, b in at.reshape(-1, 2).tolist()]
    found = pd.DataFrame(np.concatenate([np.zeros((0, len(names))), *rows]), columns=names)
    found = select_places(found).drop(columns="much")
    for side in ("a", "b"):
        found[side] = used[found[side].to_numpy(int)]
    kinds = {name: COLUMNS[name] for name in found.columns}
    return pa.Table.from_pandas(found.astype(kinds), preserve_index=False)


def _places(prints: PatchIndex, a: int, b: int) -> Wide:
    """Rows of the best places of the shorter sound in the other, as `candidates` has them."""
    one, other = sorted((a, b), key=lambda sound: (prints.length_s[sound], sound))
    own, its = prints.patch_range(one), prints.patch_range(other)
    mine = own.stop - own.start
    find = nearest.searcher(
        prints.vectors[own], patches.SCALE, nearest.NEIGHBOURS, prints.vectors[its]
    )
    rows = []
    for begin in range(0, mine, WINDOW):
        end = min(mine, begin + WINDOW)
        near = find(slice(begin, end), slice(0, 0))
        frames = prints.frames[own][begin:end]
        others = prints.sounds[its], prints.frames[its]
        for sound, here, there in votes.vote(frames, near, others, votes.MAX_PLACES, np.inf):
            rows.append(refine_place(prints, (one, here), (sound, there)))
    return np.array(rows, np.float64).reshape(-1, len(PLACE) + 2)
