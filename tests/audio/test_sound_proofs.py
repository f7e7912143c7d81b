"""What the proofs of sounds say: relation, the strongest proof of a pair, the change in words."""

from __future__ import annotations

from itertools import combinations

import pandas as pd
import pytest
from sound_proofs import FINGERPRINT, members_of, proof, proofs_of, rows_of

from splitaudit.audio import match_rows
from splitaudit.audio.match_rows import expand, relations, strongest_proofs, transform


@pytest.mark.parametrize(
    ("coverages", "relation"),
    [((0.8, 0.8), "near_duplicate"), ((1, 0.79), "overlap"), ((0.1, 1), "overlap")],
)
def test_relation_by_coverage(coverages: tuple[float, float], relation: str) -> None:
    row = proof("A", "B", coverage_a=coverages[0], coverage_b=coverages[1])
    assert relations(proofs_of([row]), 20).tolist() == [relation]


def jingled(count: int, coverage: float = 0.3, **other: object) -> pd.DataFrame:
    """Proofs among `count` sounds, each of which holds the jingle at a second of its own."""
    names = [f"S{k}" for k in range(count)]
    rows = [
        proof(
            names[i],
            names[j],
            a_start=float(i),
            a_end=i + 3.0,
            b_start=float(j),
            b_end=j + 3.0,
            coverage_a=coverage,
            coverage_b=coverage,
            **other,
        )
        for i, j in combinations(range(count), 2)
    ]
    return proofs_of(rows)


@pytest.mark.parametrize(("count", "shared"), [(5, False), (6, True), (9, True)])
def test_what_more_sounds_than_generic_share_is_a_jingle(count: int, shared: bool) -> None:
    expected = {"shared_material" if shared else "overlap"}
    assert set(relations(jingled(count), 5)) == expected


def test_a_jingle_covers_less_than_half_of_either_side() -> None:
    assert set(relations(jingled(9, coverage=0.5), 5)) == {"overlap"}
    assert set(relations(jingled(9, accepted=False), 5)) == {"overlap"}
    one_sided = jingled(9).assign(coverage_b=0.5)
    assert set(relations(one_sided, 5)) == {"overlap"}


def test_a_leak_of_two_stays_a_leak_beside_a_jingle_of_many() -> None:
    """S0 and S1 share the jingle at 0 s, and besides something at 20 s that nobody else has."""
    other = {"a_start": 20.0, "a_end": 23.0, "b_start": 30.0, "b_end": 33.0}
    jingle = jingled(9)
    alone = proof("S0", "X", coverage_a=0.2, coverage_b=0.2, **other)
    found = relations(pd.concat([jingle, proofs_of([alone])], ignore_index=True), 5)
    assert found.tolist() == ["shared_material"] * len(jingle) + ["overlap"]


def test_a_jingle_of_which_only_parts_were_heard_is_a_jingle_all_the_same() -> None:
    """Bells die away: the stretches found of one jingle differ by a factor of two."""
    proofs = jingled(9)
    heard = [1.3 + 1.7 * (k % 5) / 4 for k in range(len(proofs))]
    proofs["a_end"], proofs["b_end"] = proofs["a_start"] + heard, proofs["b_start"] + heard
    assert set(relations(proofs, 7)) == {"shared_material"}


def test_a_long_excerpt_around_a_jingle_is_a_leak() -> None:
    jingle = jingled(9)
    around = {"a_start": 0.0, "a_end": 9.0, "b_start": 3.0, "b_end": 12.0}
    longer = proof("S0", "X", coverage_a=0.4, coverage_b=0.4, **around)
    found = relations(pd.concat([jingle, proofs_of([longer])], ignore_index=True), 5)
    assert found.tolist() == ["shared_material"] * len(jingle) + ["overlap"]


def test_a_jingle_heard_twice_counts_each_partner_once() -> None:
    proofs = pd.concat([jingled(4), jingled(4)], ignore_index=True)
    assert set(relations(proofs, 5)) == {"overlap"}


def test_a_leak_beside_a_jingle_stands_for_the_pair() -> None:
    rows = [
        proof("A", "B", relation="shared_material", score=0.99),
        proof("A", "B", relation="overlap", score=0.7),
        proof("A", "B", relation="near_duplicate", score=0.9, accepted=False),
    ]
    kept = strongest_proofs(proofs_of(rows))
    assert kept[["b", "relation", "score"]].to_numpy().tolist() == [["B", "overlap", 0.7]]
    assert strongest_proofs(proofs_of([])).empty


def test_of_a_loop_the_moment_that_was_copied_stands_for_the_pair() -> None:
    rows = [
        proof("A", "B", correlation=-0.6, score=0.99),
        proof("A", "B", correlation=-0.7, score=0.8),  # polarity says nothing
        proof("A", "B", correlation=0.9, a_start=4.0, b_start=5.0),  # a beat of it
    ]
    assert strongest_proofs(proofs_of(rows))["correlation"].tolist() == [-0.7]


def test_no_proofs_no_relations() -> None:
    assert relations(proofs_of([]), 5).empty


def _scaled(tempo: float, pitch: float) -> dict[str, object]:
    whole = {"coverage_a": 1.0, "coverage_b": 1.0, "correlation": 0.99, "gain_db": 0.0}
    return {**whole, "tempo": tempo, "pitch": pitch}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"coverage_a": 1.0, "coverage_b": 1.0, "correlation": 0.99, "gain_db": 0.0}, "same sound"),
        ({"coverage_a": 0.5, "coverage_b": 0.5, "correlation": 0.99, "gain_db": 0.0}, "part"),
        (
            {"coverage_a": 1.0, "coverage_b": 1.0, "correlation": -0.99, "gain_db": -6.0},
            "polarity inverted, gain -6.0 dB",
        ),
        (_scaled(1.05, 1.05), "speed +5.0%"),
        (_scaled(0.98, 1.0), "tempo -2.0%"),
        (_scaled(1.0, 2 ** (1 / 12)), "pitch +1.00 semitones"),
        (_scaled(1.001, 1.001), "same sound"),
    ],
)
def test_transform_in_words(found: dict[str, object], words: str) -> None:
    assert transform(proof("A", "B", **found)) == words


@pytest.mark.parametrize(
    ("coverages", "relation"),
    [
        ((0.8, 0.8), "near_duplicate"),
        ((0.7999, 1.0), "overlap"),
        ((1.0, 0.7999), "overlap"),
        ((0.49, 0.49), "overlap"),  # of two alone, however little
    ],
)
def test_four_fifths_of_both_are_the_same_recording(
    coverages: tuple[float, float], relation: str
) -> None:
    row = proof("A", "B", coverage_a=coverages[0], coverage_b=coverages[1])
    assert relations(proofs_of([row]), 20).tolist() == [relation]


@pytest.mark.parametrize(
    ("coverages", "relation"),
    [
        ((0.4999, 0.4999), "shared_material"),
        ((0.1, 0.5), "overlap"),
        ((0.5, 0.1), "overlap"),
        ((0.9, 0.85), "near_duplicate"),
    ],
)
def test_a_jingle_is_less_than_half_of_both(coverages: tuple[float, float], relation: str) -> None:
    found = jingled(9).assign(coverage_a=coverages[0], coverage_b=coverages[1])
    assert set(relations(found, 5)) == {relation}


@pytest.mark.parametrize(("length", "count"), [(4.1, 4), (3.9, 3)])
@pytest.mark.parametrize("late", [0.0, 1.0])
def test_what_lies_within_two_fifths_of_the_longer_stretch_is_one(
    late: float, length: float, count: int
) -> None:
    """Beside two of ten seconds in both there is a shorter one, or one that overlaps by as much."""
    whole = {"a_start": 0.0, "a_end": 10.0}
    start = late * (10.0 - length)
    some = {"a_start": start, "a_end": start + (10.0 if late else length)}
    covers = {"coverage_a": 0.3, "coverage_b": 0.3}
    partners = [("B", whole), ("C", whole), ("D", some)]
    rows = [proof("A", b, **covers, **span) for b, span in partners]
    found = match_rows._count_sharing_sounds(proofs_of(rows))
    assert found.tolist() == [count, count, count if count == 4 else 2]


def test_a_stretch_is_counted_in_the_sound_in_which_more_have_it() -> None:
    rows = [proof("A", "Z", b_start=50.0, b_end=54.0), *(proof("A", b) for b in "BCD")]
    turned = [proof("Z", "A", a_start=50.0, a_end=54.0, b_start=1.0, b_end=5.0), *rows[1:]]
    for some in (rows, turned):
        assert match_rows._count_sharing_sounds(proofs_of(some)).tolist() == [5, 5, 5, 5]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"coverage_a": 0.8, "coverage_b": 0.8}, "same sound"),
        ({"coverage_a": 0.7999, "coverage_b": 0.8}, "excerpt"),
        ({"coverage_a": 0.8, "coverage_b": 0.7999}, "excerpt"),
        ({"coverage_a": 0.7999, "coverage_b": 0.7999}, "part"),
        ({"correlation": 0.98}, "same sound"),
        ({"correlation": 0.9799}, "recoded or filtered"),
        ({"correlation": -0.98}, "polarity inverted"),
        ({"correlation": -0.801}, "polarity inverted, recoded or filtered"),
        ({"correlation": -0.799}, "recoded or filtered"),
        ({"gain_db": 0.499}, "same sound"),
        ({"gain_db": 0.5}, "gain +0.5 dB"),
        ({"gain_db": -0.5}, "gain -0.5 dB"),
        ({"tempo": 1.0019, "pitch": 1.0019}, "same sound"),
        ({"tempo": 1.0021, "pitch": 1.0021}, "speed +0.2%"),
        ({"tempo": 0.9979, "pitch": 0.9979}, "speed -0.2%"),
        ({"tempo": 0.9981, "pitch": 0.9981}, "same sound"),
        ({"tempo": 1.05, "pitch": 1.0481}, "speed +5.0%"),
        ({"tempo": 1.05, "pitch": 1.0519}, "speed +5.0%"),
        ({"tempo": 1.05, "pitch": 1.0478}, "tempo +5.0%, pitch +0.81 semitones"),
        ({"tempo": 1.05, "pitch": 1.0522}, "tempo +5.0%, pitch +0.88 semitones"),
        ({"tempo": 1.0019, "pitch": 1.0}, "same sound"),
        ({"tempo": 1.0021, "pitch": 1.0}, "tempo +0.2%"),
        ({"tempo": 1.0, "pitch": 1.0019}, "same sound"),
        ({"tempo": 1.0, "pitch": 1.0021}, "pitch +0.04 semitones"),
        ({"tempo": 1.0, "pitch": 0.9979}, "pitch -0.04 semitones"),
        ({"tempo": 0.98, "pitch": 1.03}, "tempo -2.0%, pitch +0.51 semitones"),
    ],
)
def test_what_is_worth_a_word(found: dict[str, object], words: str) -> None:
    assert transform(proof("A", "B", **{**_scaled(1.0, 1.0), **found})) == words


def test_words_come_in_order() -> None:
    found = {"coverage_a": 0.3, "correlation": -0.9, "gain_db": -2.0, "tempo": 1.02, "pitch": 1.02}
    words = "excerpt, speed +2.0%, polarity inverted, recoded or filtered, gain -2.0 dB"
    assert transform(proof("A", "B", **found)) == words


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"accepted": True, "relation": "shared_material"}, {"accepted": False}),
        ({"relation": "near_duplicate", "correlation": 0.1}, {"relation": "overlap"}),
        ({"relation": "overlap", "correlation": 0.1}, {"relation": "shared_material"}),
        ({"correlation": -0.51}, {"correlation": 0.5}),
        ({"a_end": 5.1}, {}),
        ({"correlation": 0.3, "a_end": 8.0}, {"correlation": 0.5}),
        ({"a_start": 0.5, "a_end": 4.5}, {}),
        ({"b_start": 1.5, "b_end": 5.5}, {}),
        ({"a_start": 0.5, "a_end": 4.5, "b_start": 9.0, "b_end": 13.0}, {}),
    ],
)
def test_which_proof_stands_for_a_pair(better: dict[str, object], worse: dict[str, object]) -> None:
    first, second = (
        proof("A", "B", score=score, **one) for score, one in ((0.1, better), (0.9, worse))
    )
    for rows in ([first, second], [second, first]):
        assert strongest_proofs(proofs_of(rows))["score"].tolist() == [0.1]


def test_each_pair_of_sounds_keeps_one_proof() -> None:
    rows = [proof(*pair, score=score) for pair in ("BC", "AC", "AB") for score in (0.8, 0.7)]
    kept = strongest_proofs(proofs_of(rows))
    assert kept[["a", "b"]].to_numpy().tolist() == [["A", "B"], ["A", "C"], ["B", "C"]]
    assert set(kept.columns) == set(proof("A", "B"))


def test_a_row_says_what_its_proof_does() -> None:
    """Also with its sides exchanged: gain and scales turn round."""
    found = proof("A", "B", tempo=1.25, pitch=0.8, correlation=1.0, coverage_a=1.0)
    straight = rows_of({"x": ("train", "A1"), "y": ("test", "B1")}, [found])["x", "y"]
    turned = rows_of({"x": ("train", "B1"), "y": ("test", "A1")}, [found])["x", "y"]
    assert (straight["tempo"], straight["pitch"]) == (1.25, 0.8)
    assert (turned["tempo"], turned["pitch"]) == (0.8, 1.25)
    assert straight["transform"] == "tempo +25.0%, pitch -3.86 semitones, gain +3.0 dB"
    assert turned["transform"] == "tempo -20.0%, pitch +3.86 semitones, gain -3.0 dB"
    assert straight["score"] == turned["score"] == 0.9


def test_of_what_could_not_be_decoded_no_stretch_is_told() -> None:
    members = members_of({"a": ("train", "A1"), "b": ("test", "A1")}).assign(
        duration_s=float("nan")
    )
    (row,) = expand(members, proofs_of([]), {}, FINGERPRINT).to_pylist()
    assert (row["a_start"], row["a_end"], row["b_start"], row["b_end"]) == (None,) * 4
    assert (row["tempo"], row["pitch"], row["relation"]) == (1.0, 1.0, "exact")


@pytest.mark.parametrize(("loudness_db", "told"), [(-20.0, "overlap"), (-20.1, "shared_material")])
@pytest.mark.parametrize("coverage", [0.2, 0.7])
def test_what_lies_behind_both_sounds_is_shared_material(
    loudness_db: float, told: str, coverage: float
) -> None:
    """Room tone of 0.7 of a word, 20 dB below it."""
    covers = {"coverage_a": coverage, "coverage_b": coverage, "loudness_db": loudness_db}
    assert set(relations(proofs_of([proof("A", "B", **covers)]), 5)) == {told}
    refused = proofs_of([proof("A", "B", accepted=False, **covers)])
    assert set(relations(refused, 5)) == {"overlap"}
