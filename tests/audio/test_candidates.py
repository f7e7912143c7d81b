"""Of many sounds the copies are proposed, in whatever order by however many threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sound_files import write_pcm

from splitaudit.audio.fingerprint import extract
from splitaudit.audio.fingerprint.patches import HOP
from splitaudit.audio.search import candidates, votes
from splitaudit.audio.search.candidates import (
    PLACE,
    STRONG_EVIDENCE_S,
    WEAK_PAIRS,
    WEAK_PAIRS_SHORT,
)
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound
from splitaudit.engine import jobs
from splitaudit.engine.store import Parts

FIRST_S = 1.5


def search(facts: Parts, keys: pa.Array, threads: int) -> pa.Table:
    """In one split."""
    return candidates.search(facts, keys, np.ones((len(keys), 1), bool), threads)


def facts_of(clips: Mapping[str, Sound], folder: Path, part: int = 5) -> Parts:
    """Fingerprint sounds as a scan does; the keys are their names."""
    files = []
    (folder / "sounds").mkdir(parents=True)
    for name, clip in clips.items():
        path = str(write_pcm(folder / "sounds" / f"{name}.wav", clip))
        files.append(jobs.File(path, None, None, jobs.signature(path), name))
    for first in range(0, len(files), part):
        extract.fingerprint(files[first : first + part], folder / "facts")
    return Parts(folder / "facts")


def clips() -> dict[str, Sound]:
    """Twelve sounds; `j` begins 1.5 s into `c`, with noise, `f` is `b` and a little faint."""
    found = {name: sounds.distinct_sound(seed, 4.0) for seed, name in enumerate("abcdefghijkl")}
    noise = np.float32(0.005) * np.random.default_rng(0).standard_normal(RATE * 2)
    found["j"] = found["c"][round(FIRST_S * RATE) :][: 2 * RATE] + noise.astype(np.float32)
    found["f"] = found["b"] * np.float32(0.3)
    return found


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return facts_of(clips(), tmp_path_factory.mktemp("candidates"))


def names(*keys: str) -> pa.Array:
    return pa.array(sorted(keys), pa.string())


@pytest.mark.slow
def test_copies_are_proposed_where_they_lie(facts: Parts) -> None:
    found = search(facts, names(*"abcdefghijkl"), 1).to_pandas()
    assert (found["a"] < found["b"]).all()
    strong = found[found["evidence"] >= STRONG_EVIDENCE_S]
    rows = strong.set_index(["a", "b"])
    assert {(1, 5), (2, 9)} <= set(rows.index)
    assert rows.index.is_unique
    for pair, seconds in (((1, 5), 0.0), ((2, 9), -FIRST_S)):
        row = rows.loc[pair]
        offset = (row["frame_b"] - row["frame_a"]) * HOP / RATE
        assert offset == pytest.approx(seconds, abs=3 * HOP / RATE)
        assert row["slope"] == pytest.approx(1, abs=0.021)
        assert row["evidence"] > 0.8
    assert len(strong) <= 4


def test_weak_pairs_are_few(facts: Parts) -> None:
    found = search(facts, names(*"abcdefghijkl"), 1).to_pandas()
    weak = found[found["evidence"] < STRONG_EVIDENCE_S].drop_duplicates(["a", "b"])
    assert len(weak) <= WEAK_PAIRS * 12


@pytest.mark.parametrize("threads", [2, 5])
def test_threads_change_nothing(facts: Parts, threads: int) -> None:
    keys = names(*"abcdefghijkl")
    assert search(facts, keys, threads).equals(search(facts, keys, 1))


def test_the_order_of_sounds_only_flips_sides(facts: Parts, tmp_path: Path) -> None:
    """Named in the opposite order, in other parts."""
    turned = {chr(ord("a") + ord("l") - ord(name)): clip for name, clip in clips().items()}
    keys = names(*"abcdefghijkl")
    straight = search(facts, keys, 1).to_pylist()
    back = search(facts_of(turned, tmp_path, part=3), keys, 1).to_pylist()
    back.sort(key=lambda row: row["evidence"])
    mirrored = {(11 - row["b"], 11 - row["a"]): row for row in back}  # the best place of each
    for row in straight:
        if row["evidence"] >= STRONG_EVIDENCE_S:
            other = mirrored[row["a"], row["b"]]
            assert other["evidence"] == pytest.approx(row["evidence"], rel=0.2)
            shift = row["frame_b"] - row["frame_a"]
            assert other["frame_a"] - other["frame_b"] == pytest.approx(shift, abs=6)
    strong = [row for row in back if row["evidence"] >= STRONG_EVIDENCE_S]
    assert len(strong) == sum(row["evidence"] >= STRONG_EVIDENCE_S for row in straight)


def test_only_what_is_asked_for_is_searched(facts: Parts) -> None:
    found = search(facts, names("b", "f", "h"), 1).to_pandas()
    assert set(found["a"]) | set(found["b"]) <= {0, 1, 2}
    assert found.sort_values("evidence").iloc[-1][["a", "b"]].tolist() == [0, 1]


def test_facts_that_two_runs_computed_count_once(facts: Parts, tmp_path: Path) -> None:
    twice = facts_of({name: clips()[name] for name in "bfh"}, tmp_path)
    files = [
        jobs.File(path, None, None, jobs.signature(path), name)
        for name in "hb"
        for path in [str(tmp_path / "sounds" / f"{name}.wav")]
    ]
    extract.fingerprint(files, twice.folder)
    assert len(list(twice.folder.iterdir())) == 2
    keys = names("b", "f", "h")
    assert search(twice, keys, 1).equals(search(facts, keys, 1))


def test_two_sounds_that_share_two_stretches_are_proposed_twice(tmp_path: Path) -> None:
    """As where one of two recordings has a cut."""
    whole = sounds.speech_like(3, 8.0)
    cut = np.concatenate([whole[: 3 * RATE], whole[5 * RATE :]])
    found = search(facts_of({"a": whole, "b": cut}, tmp_path), names("a", "b"), 1)
    offsets = [(row["frame_b"] - row["frame_a"]) * HOP / RATE for row in found.to_pylist()]
    assert sorted(offsets) == pytest.approx([-2.0, 0.0], abs=0.1)


def test_a_short_copy_is_proposed(tmp_path: Path) -> None:
    short = {f"{k}": sounds.distinct_sound(k, 3.0)[RATE:][: round(0.15 * RATE)] for k in range(8)}
    short["copy"] = short["4"] * np.float32(0.5)
    found = search(facts_of(short, tmp_path), names(*short), 1).to_pandas()
    assert [4, 8] in found[["a", "b"]].to_numpy().tolist()


@pytest.mark.parametrize(
    "clips",
    [
        {},
        {"a": sounds.speech_like(1, 2.0)},
        {"a": sounds.silence(2.0), "b": sounds.silence(3.0)},
        {"a": sounds.silence(2.0), "b": sounds.speech_like(1, 2.0)},
    ],
    ids=["none", "one", "nothing in them", "one with nothing in it"],
)
def test_nothing_to_compare_is_an_empty_table(tmp_path: Path, clips: dict[str, Sound]) -> None:
    found = search(facts_of(clips, tmp_path), names(*clips), 2)
    assert found.num_rows == 0
    types = {field.name: str(field.type) for field in found.schema}
    assert types == {
        name: kind.replace("float64", "double") for name, kind in candidates.COLUMNS.items()
    } | {"evidence": "double"}


def test_an_empty_table_has_the_types_of_a_full_one(facts: Parts, tmp_path: Path) -> None:
    full = search(facts, names("b", "f"), 1)
    empty = search(Parts(tmp_path), names(), 1)
    assert full.num_rows > 0
    assert empty.schema.equals(full.schema)


# Which pairs are worth comparing

N_SOUNDS = 7


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Rows of some pairs: each with its places, and no two with one evidence."""
    place = st.tuples(
        st.integers(0, N_SOUNDS - 2), st.integers(1, N_SOUNDS - 1), st.integers(0, 400)
    )
    drawn = draw(st.lists(place.filter(lambda row: row[0] < row[1]), max_size=60))
    order = draw(st.permutations(range(len(drawn))))
    strongest = draw(st.sampled_from([0.3, 1.0, 3.0]))
    rows = [
        (a, b, 100, 100 + offset, 1.0, strongest * (rank + 1) / (len(drawn) + 1))
        for (a, b, offset), rank in zip(drawn, order, strict=True)
    ]
    table = pd.DataFrame(rows, columns=[*PLACE, "evidence"]).astype(PLACE)
    return table.assign(much=(table["evidence"] >= STRONG_EVIDENCE_S).astype(float))


MOST = np.tile([WEAK_PAIRS_SHORT] * 3 + [WEAK_PAIRS] * (N_SOUNDS - 3), (2, 1))


def worth_comparing(found: pd.DataFrame) -> pd.DataFrame:
    """Of the sounds three are short."""
    return candidates._select_candidates(found, MOST, np.ones((N_SOUNDS, 1), bool))


def best(table: pd.DataFrame) -> dict[tuple[int, int], float]:
    """Evidence of each pair."""
    groups = table.groupby(["a", "b"])["evidence"].max()
    return {(int(a), int(b)): float(value) for (a, b), value in groups.items()}  # type: ignore


@settings(deadline=None, max_examples=80)
@given(tables())
def test_every_strong_pair_is_worth_comparing(found: pd.DataFrame) -> None:
    kept = best(worth_comparing(found))
    for pair, evidence in best(found).items():
        if evidence >= STRONG_EVIDENCE_S:
            assert kept[pair] == evidence


@settings(deadline=None, max_examples=80)
@given(tables())
def test_few_further_pairs_of_each_sound_are(found: pd.DataFrame) -> None:
    """The best of each sound on either side; that the other sound has better ones is no matter."""
    weak = {pair: e for pair, e in best(found).items() if e < STRONG_EVIDENCE_S}
    kept = {p for p, e in best(worth_comparing(found)).items() if e < STRONG_EVIDENCE_S}
    of_sound: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for pair in sorted(weak, key=lambda pair: -weak[pair]):
        for sound in pair:
            of_sound[sound].append(pair)
    assert kept == {pair for sound, pairs in of_sound.items() for pair in pairs[: MOST[0, sound]]}


@settings(deadline=None, max_examples=80)
@given(tables())
def test_places_of_a_pair_lie_apart(found: pd.DataFrame) -> None:
    kept = worth_comparing(found)
    for _, places in kept.groupby(["a", "b"]):
        offsets = (places["frame_b"] - places["frame_a"]).to_numpy()
        assert len(places) <= votes.MAX_PLACES
        assert (np.abs(offsets[1:] - offsets[0]) > 2 * votes.OFFSET_TOLERANCE).all()
        assert (np.diff(places["evidence"]) <= 0).all()


@settings(deadline=None, max_examples=60)
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_places_does_not_matter(found: pd.DataFrame, chance: object) -> None:
    order = list(range(len(found)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    turned = found.iloc[order].reset_index(drop=True)
    one, other = (worth_comparing(table).reset_index(drop=True) for table in (found, turned))
    pd.testing.assert_frame_equal(one, other)


def strokes() -> dict[str, Sound]:
    """Five copies (c) of a stroke, and others of the same drum that last longer (d)."""
    one, *others = (sounds.music_like(0, 0.5 + 0.1 * take, take=take) for take in range(8))
    noise = np.random.default_rng(0).standard_normal((5, len(one))).astype(np.float32)
    copies = {f"c{at}": one + 0.003 * faint for at, faint in enumerate(noise)}
    return copies | {f"d{at}": other for at, other in enumerate(others)}


def test_all_copies_of_a_stroke_are_proposed_among_others_like_it(tmp_path: Path) -> None:
    keys = names(*strokes())
    found = search(facts_of(strokes(), tmp_path), keys, 1).to_pandas()
    assert set(combinations(range(5), 2)) <= set(zip(found["a"], found["b"], strict=True))


def test_what_a_sound_shares_with_sixteen_others_is_proposed_for_each(tmp_path: Path) -> None:
    """Half a second, for which little speaks; for the others, copies of each other, much does."""
    own, other = sounds.distinct_sound(1, 4.0), sounds.distinct_sound(2, 4.0).copy()
    other[RATE : RATE * 3 // 2] = own[2 * RATE : RATE * 5 // 2]
    clips = {"a": own} | {f"b{at:02}": other for at in range(16)}
    found = search(facts_of(clips, tmp_path), names(*clips), 1).to_pandas()
    shared = found[found["a"] == 0]
    assert set(shared["b"]) == set(range(1, 17))
    assert shared["evidence"].max() < STRONG_EVIDENCE_S
