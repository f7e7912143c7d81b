"""Words for a missing value join nothing; no real value is lost, and what is doubted is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import Here

from splitaudit.metadata.placeholders import Override, describe, find_placeholders, is_placeholder

NOTHING = Override()


@pytest.mark.parametrize(
    "value",
    [
        *("unknown", "UNKNOWN", " Unknown ", "<unk>", "[Unknown]", "(unknown)", "not_found"),
        *("N/A", "n/a", "#N/A", "<NA>", "NA", "n.a.", "n / a", "None", "null", "NaN", "nil", "-1"),
        *(
            "-",
            "--",
            "—",
            "?",
            "???",
            "...",
            "/",
            "___",
            "",
            " ",
            "not-available",
            "Not  Specified",
        ),
        *(
            "unbekannt",
            "Inconnu",
            "DESCONOCIDO",
            "не указано",
            "未知",
            "不明",
            "なし",
            "없음",
            "مجهول",
        ),
    ],
)
def test_a_word_for_a_missing_value_is_a_placeholder(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value",
    [
        *(
            "0",
            "1",
            "a",
            "Nancy",
            "Nona",
            "unknown pleasures",
            "speaker_unknown_3",
            "s1",
            "-2",
            "+1",
        ),
        *(
            "none of us",
            "n",
            "NAT7",
            "Unk-Bar",
            "missing link",
            "é",
            "李",
            "nanaimo",
            "x-1",
            "tape 1",
        ),
    ],
)
def test_a_value_is_none(value: str) -> None:
    assert not is_placeholder(value)


def column(**counts: int) -> pd.Series:
    return pd.Series([value for value, n in counts.items() for _ in range(n)], dtype=object)


def sources(count: int, size: int = 2) -> dict[str, int]:
    return {f"tape{k:03}": size for k in range(count)}


def test_a_value_far_more_frequent_than_all_others_and_unlike_them_is_a_placeholder() -> None:
    found = find_placeholders(column(**sources(30), studio=40), NOTHING)
    assert found == ({"studio": 40}, {})


@pytest.mark.parametrize(
    "counts",
    [
        {**sources(30), "studio": 20},  # of few items
        {**sources(30, 5), "studio": 49},  # not ten times as many as the next
        {**sources(19), "studio": 400},  # among few values nothing is usual
        {f"name{'x' * k}": 1 for k in range(25)} | {"studio": 9},
    ],
)
def test_a_value_that_is_only_frequent_is_a_value(counts: dict[str, int]) -> None:
    assert find_placeholders(column(**counts), NOTHING) == ({}, {})


def test_a_large_source_that_looks_like_the_others_joins_and_is_named() -> None:
    found = find_placeholders(column(**sources(30), tape999=400), NOTHING)
    assert found == ({}, {"tape999": 400})
    (sentence,) = describe("tape", *found)
    assert "'tape999' (400 items)" in sentence
    assert "--missing tape=tape999" in sentence


def test_a_video_of_many_clips_is_no_placeholder_where_ids_are_random() -> None:
    rng = np.random.default_rng(4)
    letters = np.array([*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"])
    ids = ["".join(rng.choice(letters, 11)) for _ in range(300)]
    for large in ids[:20]:
        counts = {name: 500 if name == large else 1 for name in ids}
        assert find_placeholders(column(**counts), NOTHING) == ({}, {large: 500})


def test_a_number_of_zeros_is_unlike_other_numbers() -> None:
    numbers = {str(k): 1 for k in range(1, 40)} | {"000": 30}
    assert find_placeholders(column(**numbers), NOTHING) == ({"000": 30}, {})


def test_a_user_has_the_last_word() -> None:
    values = column(**sources(30), unknown=3, studio=40)
    said = Override(missing=("tape000",), real=("unknown", "studio"))
    assert find_placeholders(values, said) == ({"tape000": 2}, {})


def test_what_is_named_is_counted_and_quoted_for_a_shell() -> None:
    (sentence,) = describe("who", {"not found": 1, "?": 1_200}, {})
    assert sentence == (
        "key who: 'not found' (1 item) and '?' (1,200 items): a place holder joins nothing; if one "
        "is a value, say --real 'who=not found'"
    )
    (sentence,) = describe("who", {"-" * k: 1 for k in range(1, 9)}, {})
    assert "and 3 others: a place holder" in sentence


def speakers(tmp_path: Path) -> Path:
    rows = [
        f"u{k},{'train' if k < 30 else 'test'},"
        + ("unknown" if k % 4 == 0 else "N/A" if k % 10 == 1 else f"s{k // 2}")
        for k in range(40)
    ]
    path = tmp_path / "t.csv"
    path.write_text("id,split,speaker\n" + "\n".join(rows) + "\n")
    return path


def test_placeholders_join_nothing_and_are_named_everywhere(tmp_path: Path, here: Here) -> None:
    words = ("scan", speakers(tmp_path), "--checks", "keys", "--key", "speaker")
    ran = here(*words, "--json")
    assert (ran.status, ran.json["verdict"]) == (0, "clean")
    said = "key speaker: 'unknown' (10 items) and 'N/A' (4 items): a place holder joins nothing"
    assert said in ran.err
    assert any(note.startswith(said) for note in ran.json["notes"])
    page = Path(ran.json["run"], "report.html").read_text()
    assert "a place holder joins nothing" in page
    assert here("split", "--policy", "speaker", "--json").json["moved"] == 0
    ran = here(*words, "--real", "speaker=unknown", "--json")
    assert ran.json["weak"]["test|train"]["by_reason"] == {"key:speaker": {"items": 2}}
    ran = here(*words, "--missing", "speaker=s1", "--json")
    assert any("'s1' (" in note for note in ran.json["notes"])
    ran = here(*words, "--real", "speker=x")
    assert (ran.status, "no key 'speker'; there are: id, source, speaker" in ran.err) == (2, True)


def test_an_unknown_source_has_no_spans_that_overlap(tmp_path: Path, here: Here) -> None:
    rows = "a,train,Unknown,0,5\nb,test,Unknown,1,6\nc,train,film,0,5\nd,test,film,1,6\n"
    (tmp_path / "t.csv").write_text("id,split,source,start_s,end_s\n" + rows)
    ran = here("scan", "t.csv", "--checks", "keys", "--json")
    assert ran.json["leaks"]["test|train"]["by_relation"] == {"overlap": {"items": 1, "pairs": 1}}
    assert ran.json["weak"]["test|train"]["by_reason"] == {"key:source": {"items": 1}}


def test_captions_that_say_nothing_are_not_the_same_caption(tmp_path: Path, here: Here) -> None:
    rows = "a,train,N/A\nb,test,N/A\nc,train,a dog\nd,test,a dog\n"
    (tmp_path / "t.csv").write_text("id,split,caption\n" + rows)
    ran = here("scan", "t.csv", "--checks", "captions", "--json")
    assert ran.json["weak"]["test|train"]["by_reason"]["caption:exact"] == {"items": 1}
    assert any("captions: 'N/A' (2 items)" in note for note in ran.json["notes"])


def test_a_manifest_says_it_too(tmp_path: Path, here: Here) -> None:
    speakers(tmp_path)
    (tmp_path / "d.toml").write_text(
        '[dataset]\nname = "d"\n[[tables]]\npath = "t.csv"\n[keys.who]\nfrom = "speaker"\n'
        'real = ["N/A"]\nmissing = ["s1", "s3"]\n'
    )
    ran = here("scan", "d.toml", "--checks", "keys", "--json")
    (note,) = ran.json["notes"]
    for named in ("'unknown' (10 items)", "'s1' (", "'s3' ("):
        assert named in note
    assert "N/A" not in note
