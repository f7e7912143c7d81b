"""The answer on the screen."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from run_tables import ORDER, tables_of
from small_tables import match

from splitaudit.report.summary import Tables, summarise
from splitaudit.report.terminal import print_leaks, print_unaudited, print_verdict

SPLITS = {"t1.wav": "test", "t2.wav": "test", "v1.wav": "val", "a1.wav": "train", "a2.wav": "train"}
FOUND = {"a_start": 3.0, "a_end": 6.5, "b_start": 65.0, "b_end": 68.5, "coverage_a": 0.35}
HOSTILE = "[red]x[/]\n\x1b[31m\u202e[bold].wav"
SHOWN = "[red]x[/]\\n\\x1b[31m\\u202e[bold].wav"


def printed(show: Any, *arguments: Any, width: int = 80, **options: Any) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    show(*arguments, console, **options)
    text = console.file.getvalue()
    assert max(map(len, text.split("\n"))) <= width
    return "\n".join(line.rstrip() for line in text.split("\n"))


def leaking() -> Tables:
    return tables_of(
        SPLITS,
        [
            match("t1.wav", "a1.wav", "exact", n_equivalent=9),
            match("t1.wav", "a2.wav", "overlap"),
            match("v1.wav", "a1.wav"),
            match("a1.wav", "a2.wav"),
        ],
        [("t2.wav", "tape", "7"), ("a1.wav", "tape", "7")],
        {"t2.wav": {"status": "degenerate"}, "a2.wav": {"status": "truncated"}},
    )


def test_the_verdict_comes_first_then_coverage_counts_and_what_to_do() -> None:
    assert (
        printed(print_verdict, summarise(leaking(), ORDER))
        == """\
LEAKS: 1 of 2 test items is already in train
audio: 4 of 5 items audited: 1 truncated (1 silent or steady: nothing to match)
keys: 2 of 2 items audited

evaluated  already in  relation        items  pairs
test       train       exact               1      1
                       overlap             1      1
                       together            1      2
val        train       near_duplicate      1      1
test|train: 10 pairs, counting every pair of equal files

Duplicates within a split
  train: 2 items in 1 group

Weakly related across splits (not called leaks)
  reason    test|train
  key:tape           1

Next
  splitaudit leaks   list them, with the stretch in both items
  splitaudit split   write a split without them
  splitaudit dedup   keep one item of each group
"""
    )


def test_a_clean_verdict_is_short_and_names_the_report(tmp_path: Path) -> None:
    summary = {**summarise(tables_of(SPLITS), ORDER), "run": str(tmp_path)}
    (tmp_path / "report.html").touch()
    assert printed(print_verdict, summary, width=300).split("\n") == [
        "CLEAN: no leak found between test, val and train",
        "audio: 5 of 5 items audited",
        "",
        f"Report: {tmp_path / 'report.html'}",
        "",
    ]


def test_leaks_are_listed_with_both_stretches() -> None:
    found = leaking().matches.assign(a_split="train", b_split="test", transform=None, **FOUND)
    text = printed(print_leaks, found, limit=1)
    first, second = text.split("\n")[1:3]
    assert first.split() == ["exact", "train", "a1.wav", "00:03.000-00:06.500", "35%"]
    assert second.split() == ["0.900", "test", "t1.wav", "01:05.000-01:08.500"]
    assert text.endswith("... and 3 more pairs\n")


def test_of_pictures_it_is_said_which_was_made_how() -> None:
    found = leaking().matches.assign(a_split="train", b_split="test", transform="crop 0.72")
    one, other = printed(print_leaks, found, limit=1).split("\n")[1:3]
    assert one.split() == ["exact", "train", "a1.wav"]
    assert other.split() == ["0.900", "test", "t1.wav", "crop", "0.72"]


def test_what_was_not_audited_is_listed_with_the_reason() -> None:
    media = leaking().media.assign(error="shorter than declared")
    text = printed(print_unaudited, media)
    assert text.split("\n")[1].split()[:3] == ["truncated", "audio", "a2.wav"]
    assert "shorter than declared" in text
    assert printed(print_unaudited, media[media["status"] == "ok"]) == ""


def test_names_are_text_never_markup_or_control() -> None:
    tables = tables_of(
        {HOSTILE: "[bold]test", "b": "train"},
        [match(HOSTILE, "b", "exact", transform="[red]")],
        [(HOSTILE, "[b]", "7"), ("b", "[b]", "7")],
        {"b": {"status": "missing", "error": HOSTILE}},
    )
    splits = {HOSTILE: "[bold]test", "b": "train"}
    found = tables.matches
    found = found.assign(a_split=found["a"].map(splits), b_split=found["b"].map(splits))
    summary = summarise(tables, ["[bold]test", "train"])
    text = printed(print_leaks, found, width=200) + printed(
        print_unaudited, tables.media, width=200
    )
    assert text.count(SHOWN) == 2
    assert "[red]" in text
    verdict = printed(print_verdict, summary)
    assert verdict.startswith("LEAKS: 1 of 1 [bold]test items is already in train")
    assert re.search(r"key:\[b\] +1\n", verdict)
    assert not set(text + verdict) & set("\x1b\u202e")


@pytest.mark.parametrize("width", [40, 80])
def test_long_names_are_folded_and_kept_whole(width: int) -> None:
    name = "a_very_long_name_" * 9
    tables = tables_of({name: "test"}, media={name: {"status": "missing", "error": "gone"}})
    text = printed(print_unaudited, tables.media, width=width)
    assert text.count("_") == name.count("_")
