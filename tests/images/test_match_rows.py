"""What proofs of pictures say of items: relations, columns of either side, and what is no leak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from splitaudit import schema
from splitaudit.images.match_rows import expand

ITEMS = {"a": "train", "b": "test"}


def rows_of(
    held: dict[str, tuple[str, str]], proofs: list[dict[str, Any]], status: str = schema.OK
) -> list[dict[str, Any]]:
    """Matches of items in train and test, by the picture and the content that each holds."""
    members = [
        {"item_id": item, "split": ITEMS[item], "same_id": same, "content_id": content}
        for item, (same, content) in held.items()
    ]
    facts = pd.DataFrame(proofs, columns=list(proof())).astype({"accepted": bool, "similar": bool})
    return expand(pd.DataFrame(members).assign(status=status), facts, {}, "print").to_pylist()


def proof(**told: Any) -> dict[str, Any]:
    return {
        "a": "A",
        "b": "B",
        "score": 0.9,
        "accepted": True,
        "similar": False,
        "coverage_a": 0.9,
        "coverage_b": 0.95,
        "homography": [2.0, 0.0, 0.5, 0.0, 4.0, 0.0, 0.0, 0.0, 1.0],
        "transform": "there",
        "undone": "back",
        "verifier": "looked",
        **told,
    }


TWO = {"a": ("A", "1"), "b": ("B", "2")}


@pytest.mark.parametrize(
    ("status", "accepted"),
    [(schema.OK, True), (schema.TRUNCATED, True), (schema.DEGENERATE, False)],
)
@pytest.mark.parametrize(
    ("contents", "said"),
    [(("1", "2"), ("pixels", "same pixels")), (("1", "1"), ("bytes", "same bytes"))],
)
def test_flat_pictures_are_equal_and_no_leak(status, accepted, contents, said):
    (row,) = rows_of({"a": ("A", contents[0]), "b": ("A", contents[1])}, [], status)
    assert (row["relation"], row["accepted"]) == (schema.EXACT, accepted)
    assert (row["verifier"], row["transform"]) == said
    assert (row["score"], row["coverage_a"], row["coverage_b"], row["part"]) == (1, 1, 1, "image")
    assert row["homography"] == np.eye(3).ravel().tolist()


@pytest.mark.parametrize(
    ("coverages", "relation"),
    [
        ((0.8, 0.8), schema.NEAR_DUPLICATE),
        ((1.0, 0.8), schema.NEAR_DUPLICATE),
        ((0.799, 1.0), schema.OVERLAP),
        ((1.0, 0.799), schema.OVERLAP),
    ],
)
def test_a_part_is_less_than_four_fifths_of_either(coverages, relation):
    shares = dict(zip(("coverage_a", "coverage_b"), coverages, strict=True))
    (row,) = rows_of(TWO, [proof(**shares)])
    assert (row["relation"], row["accepted"]) == (relation, True)
    assert (row["coverage_a"], row["coverage_b"]) == coverages
    (row,) = rows_of(TWO, [proof(**shares, accepted=False, similar=True)])
    assert (row["relation"], row["accepted"]) == (schema.SIMILAR, False)


@pytest.mark.parametrize(
    ("accepted", "similar", "listed"),
    [(True, False, 1), (False, True, 1), (True, True, 1), (False, False, 0)],
)
def test_what_is_accepted_or_similar_is_listed(accepted, similar, listed):
    assert len(rows_of(TWO, [proof(accepted=accepted, similar=similar)])) == listed


@pytest.mark.parametrize("turned", [False, True])
def test_columns_follow_their_items(turned):
    held = {"a": TWO["b"], "b": TWO["a"]} if turned else TWO
    (row,) = rows_of(held, [proof()])
    there = [2.0, 0.0, 0.5, 0.0, 4.0, 0.0, 0.0, 0.0, 1.0]
    back = [0.5, 0.0, -0.25, 0.0, 0.25, 0.0, 0.0, 0.0, 1.0]
    assert row["homography"] == pytest.approx(back if turned else there)
    assert (row["coverage_a"], row["coverage_b"]) == ((0.95, 0.9) if turned else (0.9, 0.95))
    assert row["transform"] == ("back" if turned else "there")
    assert (row["score"], row["fingerprint"], row["verifier"]) == (0.9, "print", "looked")


def test_a_map_that_bends_is_told_with_one_in_its_last_place():
    bent = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.2, 0.1, 2.0]
    (row,) = rows_of({"a": TWO["b"], "b": TWO["a"]}, [proof(homography=bent)])
    product = np.reshape(row["homography"], (3, 3)) @ np.reshape(bent, (3, 3))
    assert row["homography"][8] == pytest.approx(1)
    np.testing.assert_allclose(product / product[2, 2], np.eye(3), atol=1e-12)
