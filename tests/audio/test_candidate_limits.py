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
from splitaudit.search import vectors as near
from splitaudit.search.turns import CUT

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
        table, np.full((2, N_SOUNDS), most), np.ones((N_SOUNDS, 1), bool)
    )
    assert set(found.loc[found["a"] == 0, "b"]) == kept


# What stands in other splits.

TRAIN, TEST = range(2)


def crowd(n: int, seed: int, patches: int = 60, apart: float = 0.7) -> list[Vectors]:
    """Sounds that are alike, each patch of one as that of another, but no copies."""
    rng = np.random.default_rng(seed)
    common = np.random.default_rng(0).standard_normal((patches, 64))
    shared = common + 0.3 * rng.standard_normal((patches, 64))
    return [unit(shared + apart * rng.standard_normal((patches, 64))) for _ in range(n)]


def unit(rows: npt.NDArray[np.float64]) -> Vectors:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.round(candidates.patches.SCALE * rows / length).astype(np.int8)


def searched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sides: list[tuple[int, list[Vectors]]]
) -> pd.DataFrame:
    """What is proposed of sounds of some splits, with the split of each side."""
    clips = [clip for _, side in sides for clip in side]
    of = np.repeat([split for split, _ in sides], [len(side) for _, side in sides])
    monkeypatch.setattr(candidates, "read_patches", lambda *_: prints_of(*clips))
    keys = pa.array([f"{at:03}" for at in range(len(clips))])
    found = candidates.search(Parts(tmp_path), keys, np.eye(2, dtype=bool)[of], 1).to_pandas()
    return found.assign(across=of[found["a"]] != of[found["b"]])


def test_a_crowd_in_its_own_split_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = [(TEST, crowd(60, 1)), (TRAIN, crowd(1, 2))]
    found = searched(monkeypatch, tmp_path, sides)
    assert set(found.loc[found["across"] & (found["turn"] < CUT), "a"]) == set(range(60))


@pytest.mark.slow
def test_it_is_told_that_a_crowd_elsewhere_was_not_looked_at_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "NEIGHBOURS", 1)  # as of a crowd that is far larger
    sides = [(TEST, crowd(30, 2, 190, 0.6)), (TRAIN, crowd(30, 1, 190, 0.6))]
    found = searched(monkeypatch, tmp_path, sides)
    cut, seen = (found[found["across"] & found["turn"].eq(CUT).eq(is_cut)] for is_cut in (1, 0))
    assert found.loc[found["turn"] == CUT, "across"].all()
    assert {*cut["a"], *cut["b"]} == set(range(60))
    of_one = np.bincount(seen.drop_duplicates(["a", "b"])[["a", "b"]].to_numpy().ravel())
    assert 16 <= of_one.min() < 30
    assert not set(zip(cut["a"], cut["b"], strict=True)) & set(
        zip(seen["a"], seen["b"], strict=True)
    )


@pytest.mark.parametrize(("alike", "others"), [(10, 0), (10, 20), (0, 20)])
def test_where_all_that_is_alike_was_looked_at_nothing_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alike: int, others: int
) -> None:
    rng = np.random.default_rng(7)
    unlike = [unit(rng.standard_normal((190, 64))) for _ in range(others)]
    sides = [(TEST, crowd(1, 2, 190, 0.6)), (TRAIN, crowd(alike, 1, 190, 0.6) + unlike)]
    found = searched(monkeypatch, tmp_path, sides)
    assert not found["turn"].eq(CUT).any()
    assert set(range(1, 1 + alike)) <= set(found.loc[found["a"] == 0, "b"])


def test_more_weak_pairs_are_kept_across_splits() -> None:
    """0 to 3 stand in one, the others in the other; of its own 0 keeps one, of the other three."""
    rows = [place(a, b) for a, b in combinations(range(N_SOUNDS), 2)]
    table = pd.DataFrame(rows, columns=[*candidates.PLACE, "evidence", "much"])
    held = np.arange(N_SOUNDS)[:, None] < 4
    most = np.repeat([[1], [3]], N_SOUNDS, axis=1)
    found = candidates._select_candidates(table, most, np.hstack([held, ~held]))
    assert set(found.loc[found["a"] == 0, "b"]) == {3, 5, 6, 7}


@pytest.mark.parametrize(
    ("patches", "within", "across"), [(62, 4, 16), (63, 4, 4), (187, 4, 4), (188, 2, 2)]
)
def test_so_many_weak_pairs_are_compared(patches: int, within: int, across: int) -> None:
    """Of a word, a short sound, a longer one; in its own split and in others."""
    prints = prints_of(vectors((patches, 0)), vectors((1, 0)))
    assert prints.most_weak[:, 0].tolist() == [within, across]


@pytest.mark.parametrize(("patches", "neighbours", "places"), [(62, 128, 48), (63, 32, 16)])
def test_a_word_is_looked_for_among_more_elsewhere(
    patches: int, neighbours: int, places: int
) -> None:
    """Sixty others are like it in one patch each, in another split."""
    prints = prints_of(vectors((patches, 0)), *[vectors((1, 0))] * 60)
    asked = []

    def find(some: slice, own: slice, k: int) -> tuple[npt.NDArray[np.float32], npt.NDArray]:
        asked.append(k)
        index = np.tile(np.arange(60), (some.stop - some.start, 1))
        similarity = 0.0 if own.stop > own.start else 0.41
        return np.full(index.shape, similarity, np.float32), index

    rows = np.arange(len(prints.sounds))
    splits = [
        candidates.Split(sounds, find, of, (prints.sounds[of], prints.frames[of]))
        for sounds, of in ((rows[:1], rows[:patches]), (rows[1:61], rows[patches:]))
    ]
    found = candidates._candidate_places(prints, splits, 0)
    assert asked == [32, neighbours]
    assert len(found) == places
