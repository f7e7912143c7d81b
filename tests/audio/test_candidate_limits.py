"""How much must speak for a pair of sounds to be compared, and how many pairs are all the same."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pytest

from splitaudit.audio.search import candidates
from splitaudit.engine.store import Parts

N_SOUNDS = 8


def search(facts: Parts, keys: pa.Array, threads: int) -> pa.Table:
    """In one split."""
    return candidates.search(facts, keys, np.ones((len(keys), 1), bool), threads)


Vectors = npt.NDArray[np.int8]


def prints_of(*sounds: Vectors) -> candidates.PatchIndex:
    """Sounds with a patch in each frame (16 ms)."""
    lengths = [len(sound) for sound in sounds]
    return candidates.PatchIndex(
        vectors=np.concatenate(sounds),
        frames=np.concatenate([np.arange(n, dtype=np.int32) for n in lengths]),
        sounds=np.repeat(np.arange(len(sounds), dtype=np.int32), lengths),
        bounds=np.concatenate([[0], np.cumsum(lengths)]),
    )


def vectors(*runs: tuple[int, int]) -> Vectors:
    """So many patches of each kind: those of one kind are equal, others have nothing in common."""
    kinds = 32 * np.array([[1] * 64, [1, -1] * 32, [1, 1, -1, -1] * 16], np.int8)
    return np.concatenate([np.tile(kinds[kind], (count, 1)) for count, kind in runs])


@pytest.mark.parametrize(
    ("patches", "seconds"),
    [
        (40, 0.288),  # three quarters of what 0.64 s can have
        (69, 0.4968),
        (70, 0.5),
        (1000, 0.5),
    ],
)
def test_so_much_evidence_is_much(patches: int, seconds: float) -> None:
    prints = prints_of(vectors((patches, 0)), vectors((1, 0)))
    assert prints.strong_s[0] == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize(
    ("patches", "shared", "much"),
    [
        (40, 29, 0.0),
        (40, 31, 1.0),  # more than three quarters of the shorter sound
        (200, 52, 0.0),
        (200, 53, 1.0),  # more than 0.5 s, at 0.6 of each patch
    ],
)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_much_speaks_for_a_pair_that_shares_so_many_patches(
    patches: int, shared: int, much: float, order: tuple[int, int]
) -> None:
    one = vectors((shared, 0), (patches - shared, 1))
    prints = prints_of(one, vectors((shared, 0), (300, 2)))
    *_, evidence, found = candidates.refine_place(prints, (order[0], 0), (order[1], 0))
    assert evidence == pytest.approx(0.6 * 0.016 * shared)
    assert found == much


def place(a: int, b: int, much: float = 0.0) -> tuple[float, ...]:
    """Little speaks for pairs of the first sound, more for later ones; for others always more."""
    return a, b, 100, 100, 1.0, (0.01 * b if a == 0 else 0.1 + 0.01 * a + 0.001 * b), much


@pytest.mark.parametrize(
    ("patches", "kept"),
    [
        (187, {4, 5, 6, 7}),  # 2.992 s
        (188, {6, 7}),  # 3.008 s
    ],
)
def test_so_many_pairs_of_a_sound_are_compared_however_little_speaks_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patches: int, kept: set[int]
) -> None:
    """Four of a sound shorter than 3 s, two of others; those for which much speaks besides."""
    prints = prints_of(vectors((patches, 0)), *[vectors((400, 0))] * (N_SOUNDS - 1))
    of_sound = [
        np.array([place(a, b, float((a, b) == (0, 1))) for b in range(a + 1, N_SOUNDS)])
        for a in range(N_SOUNDS)
    ]
    monkeypatch.setattr(candidates, "read_patches", lambda *_: prints)
    monkeypatch.setattr(
        candidates, "_candidate_places", lambda *where: of_sound[where[-1]].reshape(-1, 7)
    )
    keys = pa.array([str(at) for at in range(N_SOUNDS)])
    found = search(Parts(tmp_path), keys, 1).to_pandas()
    assert set(found.loc[found["a"] == 0, "b"]) == kept | {1}


@pytest.mark.parametrize(("most", "kept"), [(1, {7}), (2, {6, 7}), (4, {4, 5, 6, 7})])
def test_the_best_of_weak_pairs_are_kept(most: int, kept: set[int]) -> None:
    rows = [place(a, b) for a, b in combinations(range(N_SOUNDS), 2)]
    table = pd.DataFrame(rows, columns=[*candidates.PLACE, "evidence", "much"])
    found = candidates._select_candidates(
        table, np.full(N_SOUNDS, most), np.ones((N_SOUNDS, 1), bool)
    )
    assert set(found.loc[found["a"] == 0, "b"]) == kept
