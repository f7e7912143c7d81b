"""How found copies and false pairs of kinds of picture are counted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmarks.images import kinds

LAID = kinds.Laid(
    {f"train/{at}.png": Path(f"flags/{name}.png") for at, name in enumerate(("a/x", "a/y", "b/x"))},
    {"val/0-recoded.jpg": "train/0.png", "val/1-recoded.jpg": "train/1.png"},
)


def leaks(*pairs: tuple[str, str]) -> pd.DataFrame:
    said = {"relation": "near_duplicate", "score": 0.9, "transform": "", "verifier": "any"}
    return pd.DataFrame([{"a": a, "b": b, **said} for a, b in pairs])


def test_a_copy_is_found_with_its_own_original_only() -> None:
    matches = leaks(("train/0.png", "val/0-recoded.jpg"), ("train/0.png", "val/1-recoded.jpg"))
    assert kinds.find_copies(LAID, matches) == {"val/0-recoded.jpg"}


def test_a_copy_stands_for_its_original_in_a_false_pair() -> None:
    matches = leaks(("train/0.png", "val/1-recoded.jpg"), ("train/0.png", "train/1.png"))
    pairs = kinds.list_pairs("icons", LAID, matches, set())
    assert [(pair["a"], pair["b"], pair["same"]) for pair in pairs] == [
        ("a/x.png", "a/y.png", False)
    ]


def test_what_is_known_to_be_the_same_is_not_false(tmp_path: Path) -> None:
    table = tmp_path / "same.csv"
    table.write_text("kind,a,b\nicons,a/x.png,c/z.png\nicons,c/z.png,a/y.png\n")
    same = kinds.read_same(table, "icons")
    assert ("a/x.png", "a/y.png") in same
    assert not kinds.read_same(table, "pages")
    pairs = kinds.list_pairs("icons", LAID, leaks(("train/0.png", "train/1.png")), same)
    assert [pair["same"] for pair in pairs] == [True]


def test_what_tells_nothing_is_told_by_its_status() -> None:
    media = pd.DataFrame(
        {"item_id": ["train/0.png", "train/1.png"], "status": ["degenerate", "ok"]}
    )
    assert kinds.find_telling(LAID, media) == {"train/1.png", "train/2.png"}
