"""What becomes of each medium once its file was read, or was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from splitaudit import schema
from splitaudit.audio.decode.ffmpeg import NO_SOUND
from splitaudit.engine.jobs import File
from splitaudit.scan.outcomes import FACTS, fill

Row = dict[str, Any]
SOUND = {"duration_s": 2.5, "sample_rate": 8000, "channels": 2, "bit_depth": 24, "lossless": True}


def media_of(*rows: tuple[str, str] | tuple[str, str, str]) -> Any:
    """The media table of (item, part) or (item, part, status)."""
    named = [dict(zip(("item_id", "part", "status"), row, strict=False)) for row in rows]
    return schema.conform([{**row, "path": f"/{row['item_id']}"} for row in named], schema.MEDIA)


def files_of(content_ids: Mapping[int, str], folder: Path) -> dict[int, File]:
    """Files that are there, by row."""
    for row in content_ids:
        (folder / str(row)).write_text("bytes")
    return {
        row: File(str(folder / str(row)), None, None, "1-2-3-4", name)
        for row, name in content_ids.items()
    }


def facts_of(part: str, rows: Mapping[str, Row]) -> dict[str, pd.DataFrame]:
    """What is known of contents, with the types that a store gives."""
    fields = [schema.MEDIA.field(name) for name in (*FACTS[part], "status", "error")]
    if part == "audio":
        fields.append(pa.field("holds_frames", pa.bool_()))
    columns = pa.schema([pa.field("key", pa.string()), *fields])
    table = pa.Table.from_pylist([{"key": key, **row} for key, row in rows.items()], columns)
    return {part: table.to_pandas().set_index("key")}


def filled(media: Any, files: dict[int, File], facts: dict[str, pd.DataFrame]) -> list[Row]:
    found = fill(media, files, facts)
    assert found.schema.equals(schema.MEDIA)
    return found.to_pylist()


def said(rows: Sequence[Row]) -> list[tuple[str, str, str, str | None]]:
    return [(row["item_id"], row["part"], row["status"], row["error"]) for row in rows]


def sound(status: str = "ok", error: str | None = None, *, frames: bool | None = False) -> Row:
    read = SOUND if status != "error" else {}
    return {**read, "status": status, "error": error, "holds_frames": frames}


def test_what_was_found_of_a_content_is_said_of_each_item_that_holds_it(tmp_path: Path) -> None:
    media = media_of(("a", "audio"), ("b", "audio"), ("p", "image"), ("c", "audio"))
    files = files_of({0: "one", 1: "one", 2: "two", 3: "three"}, tmp_path)
    of_sounds = {"one": sound("truncated", "ends early"), "three": sound(), "other": sound()}
    picture = {"two": {"width": 4, "height": 3, "status": "degenerate", "error": None}}
    rows = filled(media, files, facts_of("audio", of_sounds) | facts_of("image", picture))
    assert [row["content_id"] for row in rows] == ["one", "one", "two", "three"]
    assert said(rows) == [
        ("a", "audio", "truncated", "ends early"),
        ("b", "audio", "truncated", "ends early"),
        ("p", "image", "degenerate", None),
        ("c", "audio", "ok", None),
    ]
    assert [{name: row[name] for name in SOUND} for row in rows if row["part"] == "audio"] == [
        SOUND
    ] * 3
    assert (rows[2]["width"], rows[2]["height"], rows[2]["sample_rate"]) == (4, 3, None)
    assert (rows[0]["width"], rows[0]["path"]) == (None, "/a")


def test_what_was_decided_before_stays(tmp_path: Path) -> None:
    media = media_of(("a", "audio", "unsupported"), ("b", "audio", "missing"))
    rows = filled(media, files_of({0: "one"}, tmp_path), facts_of("audio", {"one": sound()}))
    assert said(rows) == [("a", "audio", "unsupported", None), ("b", "audio", "missing", None)]
    assert [(row["content_id"], row["sample_rate"]) for row in rows] == [
        ("one", None),
        (None, None),
    ]


@pytest.mark.parametrize("part", ["audio", "image"])
def test_why_nothing_is_known_of_a_file(tmp_path: Path, part: str) -> None:
    media = media_of(*((x, part) for x in "abcde"))
    files = files_of({1: "", 2: "two", 3: "", 4: ""}, tmp_path)
    (tmp_path / "3").unlink()
    (tmp_path / "4").unlink()
    (tmp_path / "4").mkdir()  # which nobody can read as a file
    rows = filled(media, files, facts_of(part, {}))
    assert said(rows) == [
        ("a", part, "missing", "there is no such file"),
        ("b", part, "error", "changed during the scan: run it again"),
        ("c", part, "error", "changed during the scan: run it again"),
        ("d", part, "missing", "vanished during the scan"),
        ("e", part, "unreadable", "Is a directory"),
    ]
    assert [row["content_id"] for row in rows] == [None, None, "two", None, None]


def test_a_part_of_which_no_file_was_there_is_missing() -> None:
    assert said(filled(media_of(("a", "audio"), ("p", "image")), {}, {})) == [
        ("a", "audio", "missing", "there is no such file"),
        ("p", "image", "missing", "there is no such file"),
    ]


UNSEEN = ("unsupported", "frames are not audited yet")


@pytest.mark.parametrize(
    ("found", "left"),
    [
        (sound(frames=True), [("audio", "ok", None), ("video", *UNSEEN)]),
        (sound(frames=False), [("audio", "ok", None)]),
        (sound(frames=None), [("audio", "ok", None)]),
        (
            sound("truncated", "ends early", frames=True),
            [("audio", "truncated", "ends early"), ("video", *UNSEEN)],
        ),
        (sound("error", NO_SOUND, frames=True), [("video", *UNSEEN)]),
        (sound("error", NO_SOUND, frames=None), [("video", *UNSEEN)]),
        (
            sound("error", "broken", frames=True),
            [("audio", "error", "broken"), ("video", "error", "broken")],
        ),
    ],
)
def test_a_file_that_may_be_a_film_has_the_parts_that_it_holds(
    tmp_path: Path, found: Row, left: list[tuple[str, str, str | None]]
) -> None:
    media = media_of(("x", "audio"), ("f", "video"), ("f", "audio"), ("y", "video", "missing"))
    files = files_of({0: "x", 2: "f"}, tmp_path)
    rows = filled(media, files, facts_of("audio", {"x": sound(), "f": found}))
    beside = [row for row in said(rows) if row[0] != "f"]
    assert beside == [("x", "audio", "ok", None), ("y", "video", "missing", None)]
    assert sorted(row[1:] for row in said(rows) if row[0] == "f") == left


def test_a_sound_beside_no_film_that_holds_none_is_told(tmp_path: Path) -> None:
    """Only of a file that is a film is it no fault that it is mute."""
    media, found = media_of(("x", "audio")), {"x": sound("error", NO_SOUND)}
    rows = filled(media, files_of({0: "x"}, tmp_path), facts_of("audio", found))
    assert said(rows) == [("x", "audio", "error", NO_SOUND)]
