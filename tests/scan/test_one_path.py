"""One file in two splits is a certain leak, whatever is asked and whether the file is there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from command import Here, pairs, table
from sound_files import write_pcm

from splitaudit import schema
from splitaudit.demo import sounds
from splitaudit.scan import one_path

Row = dict[str, Any]


def found_of(*rows: Row, known: tuple[Row, ...] = ()) -> list[Row]:
    """The matches of media; `i` and `split` of each row are its item."""
    items = [{"item_id": row.pop("i"), "split": row.pop("split", "train")} for row in rows]
    for item, row in zip(items, rows, strict=True):
        item |= {name: row.pop(name) for name in ("start_s", "end_s") if name in row}
        row |= {"item_id": item["item_id"], "part": row.get("part", "audio")}
    unique = {item["item_id"]: item for item in items}
    found = one_path.add(
        [schema.conform(list(known), schema.MATCHES)],
        schema.conform(list(unique.values()), schema.ITEMS),
        schema.conform(list(rows), schema.MEDIA),
    )
    return found.to_pylist()


def told(rows: list[Row]) -> set[tuple[str, str, str]]:
    return {(row["a"], row["b"], row["relation"]) for row in rows if row["accepted"]}


def test_equal_paths_are_one_file_however_they_are_written() -> None:
    rows = found_of(
        {"i": "a", "path": "/x/a.wav", "split": "test"},
        {"i": "b", "path": "/x/../x/./a.wav"},
        {"i": "c", "path": "/x/c.wav"},
    )
    assert told(rows) == {("a", "b", "exact")}
    (row,) = rows
    assert (row["verifier"], row["transform"], row["score"]) == ("path-v1", "the same file", 1.0)


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ((0.0, 5.0), (0.0, 5.0), "exact"),
        ((None, 5.0), (0.0, 5.0), "exact"),
        ((None, None), (None, None), "exact"),
        ((0.0, 5.0), (5.0, 9.0), None),
        ((0.0, 5.0), (4.95, 9.0), None),  # the sums in tables are rounded
        ((0.0, 5.0), (4.85, 9.0), "overlap"),
        ((0.0, 5.0), (4.0, 9.0), "overlap"),
        ((None, None), (4.0, 9.0), "overlap"),
        ((6.0, None), (4.0, 9.0), "overlap"),
        ((9.0, None), (4.0, 9.0), None),
    ],
)
@pytest.mark.parametrize("columns", [("clip_start_s", "clip_end_s"), ("start_s", "end_s")])
def test_stretches_of_one_file_are_copies_where_they_overlap(
    one: tuple[float, float],
    other: tuple[float, float],
    relation: str | None,
    columns: tuple[str, str],
) -> None:
    rows = found_of(
        {"i": "a", "path": "/x/a.wav", "split": "test", **dict(zip(columns, one, strict=True))},
        {"i": "b", "path": "/x/a.wav", **dict(zip(columns, other, strict=True))},
    )
    assert told(rows) == ({("a", "b", relation)} if relation else set())


def test_overlapping_stretches_that_were_compared_are_named_once() -> None:
    """What is heard in both may be found or not: steady sounds and silence prove nothing."""
    stretches = [(0.0, 4.0, 4.0), (3.0, 7.0, 4.0), (8.0, None, 2.0), (9.5, 16.0, 6.5)]
    rows = [
        {
            "i": item,
            "path": "/x/a.wav",
            "clip_start_s": start_s,
            "clip_end_s": end_s,
            "duration_s": duration_s,
            "content_id": item,
            "status": "ok",
        }
        for item, (start_s, end_s, duration_s) in zip("abcd", stretches, strict=True)
    ]
    found = found_of(*(dict(row) for row in rows))
    assert told(found) == {("a", "b", "overlap"), ("c", "d", "overlap")}
    by_pair = {(row["a"], row["b"]): row for row in found}
    one = by_pair["a", "b"]
    assert (one["a_start"], one["a_end"], one["b_start"], one["b_end"]) == (3.0, 4.0, 0.0, 1.0)
    assert (one["coverage_a"], by_pair["c", "d"]["coverage_a"]) == (0.25, 0.25)
    known = {"a": "a", "b": "b", "part": "audio", "relation": "overlap", "verifier": "waveform"}
    said = found_of(*(dict(row) for row in rows), known=({**known, "accepted": True},))
    assert [row["verifier"] for row in said if row["a"] == "a"] == ["waveform"]
    said = found_of(*(dict(row) for row in rows), known=({**known, "accepted": False},))
    assert told(said) == {("a", "b", "overlap"), ("c", "d", "overlap")}


def test_a_film_is_one_pair_and_what_is_known_is_said_once() -> None:
    film = [{"path": "/x/a.mp4", "part": part} for part in ("audio", "video")]
    rows = [{"i": item, **part} for item in "ab" for part in film]
    assert len(found_of(*(dict(row) for row in rows))) == 1
    known = {"a": "a", "b": "b", "part": "audio", "relation": "exact", "verifier": "bytes"}
    (row,) = found_of(*(dict(row) for row in rows), known=({**known, "accepted": True},))
    assert row["verifier"] == "bytes"
    (row,) = found_of(*(dict(row) for row in rows), known=({**known, "accepted": False},))
    assert (row["verifier"], row["accepted"]) == ("path-v1", True)  # silent, and the same file


def test_links_of_a_file_that_was_not_read_are_that_file(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a.wav", "b.wav", "c.wav", "d.wav")]
    for name in (names[0], names[3]):
        Path(name).write_bytes(b"sound")
    os.link(names[0], names[1])
    Path(names[2]).symlink_to(names[0])
    rows = found_of(*({"i": name[-5], "path": name} for name in names))
    assert told(rows) == {("a", "b", "exact"), ("a", "c", "exact")}


LISTS = "id,path,split\n" + "".join(
    f"{split}{k},clips/{k}.wav,{split}\n"
    for split, some in (("train", range(8)), ("test", range(5, 12)))
    for k in some
)


@pytest.mark.parametrize("checks", [["--checks", "keys"], ["--checks", "image"], []])
@pytest.mark.parametrize("there", [False, True])
def test_three_clips_of_two_lists_leak(
    tmp_path: Path, here: Here, checks: list[str], there: bool
) -> None:
    (tmp_path / "t.csv").write_text(LISTS)
    (tmp_path / "clips").mkdir()
    for k in range(12 if there else 0):
        write_pcm(tmp_path / f"clips/{k}.wav", sounds.distinct_sound(k, 1.0))
    ran = here("scan", "t.csv", "--json", "--jobs", 1, *checks)
    assert (ran.status, ran.json["verdict"]) == (1, "leaks")
    assert ran.json["leaks"]["test|train"]["by_relation"] == {"exact": {"items": 3, "pairs": 3}}
    assert len(here("leaks", "--json").json) == 3
    assert here("check", "t.csv").status == 1
    made = here("split", "--json")
    assert (made.json["moved"], made.json["check"][0]) == (
        3,
        "No accepted match crosses the split.",
    )


def test_what_was_not_asked_is_not_read_and_not_stored(tmp_path: Path, here: Here) -> None:
    for split in ("train", "test"):
        (tmp_path / "d" / split).mkdir(parents=True)
        write_pcm(tmp_path / f"d/{split}/a.wav", sounds.distinct_sound(1, 1.0))
    plan = here("scan", "d", "--checks", "keys", "--key", "stem", "--plan", "--json").json
    assert [step["stage"] for step in plan] == ["identify"]
    ran = here("scan", "d", "--checks", "keys", "--key", "stem", "--json")
    assert (ran.status, ran.json["verdict"]) == (0, "weak")
    run = Path(ran.json["run"])
    assert not list(Path(".splitaudit").rglob("cache/*/*"))
    assert table(run, "matches").num_rows == 0
    assert set(table(run, "media")["error"].to_pylist()) == {"not asked for: see --checks"}
    assert here("leaks").out == "no leaks\n"
    assert here("check", "--rescan").status == 2  # no split was made
    ran = here("scan", "d", "--json")
    assert (ran.status, pairs(table(run, "matches").to_pylist(), "exact")) == (
        1,
        {("test/a.wav", "train/a.wav")},
    )


def test_a_check_looks_at_files_where_a_star_of_matches_has_lost_its_middle(
    tmp_path: Path, here: Here
) -> None:
    rows = "".join(f"{name},one.wav,train\n" for name in "abcd")
    (tmp_path / "t.csv").write_text(f"id,path,split\n{rows}e,two.wav,test\n")
    here("scan", "t.csv", "--checks", "keys")
    placed = "id,split\nb,test\nc,train\nd,train\ne,test\na,\n"
    (tmp_path / "new.csv").write_text(placed.replace("a,\n", ""))
    said = here("check", "new.csv", "--json").json
    assert any(sentence.startswith("one file: 1 value") for sentence in said["sentences"])
