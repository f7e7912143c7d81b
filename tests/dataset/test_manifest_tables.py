"""How the tables of a manifest are read: JSON, lines of cells, folders, columns that are made."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from splitaudit.dataset import Dataset, IngestOptions, ingest
from splitaudit.errors import InputError, SplitauditError

WRITTEN = IngestOptions(media=False)


def dataset(folder: Path, body: str, options: IngestOptions = WRITTEN) -> Dataset:
    file = folder / "mine.toml"
    file.write_text(f'[dataset]\nname = "mine"\n[[tables]]\n{body}', encoding="utf-8")
    return ingest(str(file), options)


def rows(folder: Path, body: str) -> list[dict[str, Any]]:
    found = dataset(folder, body).items.to_pylist()
    return [{**row, "attributes": dict(row["attributes"])} for row in found]


def from_json(folder: Path, content: object, body: str) -> list[dict[str, Any]]:
    (folder / "a.json").write_text(json.dumps(content), encoding="utf-8")
    return rows(folder, f'path = "a.json"\nsplit = "train"\n{body}')


def fault(folder: Path, content: object, body: str = "") -> str:
    written = content if isinstance(content, bytes) else str(content).encode()
    (folder / "a.json").write_bytes(written)
    with pytest.raises(SplitauditError) as caught:
        dataset(folder, f'path = "a.json"\nsplit = "train"\n{body}')
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 600
    return text.removeprefix(f"{folder}/").removeprefix(f"{folder}: ")


RECORDS = [{"id": "a", "caption": ["x", "y"], "n": 1}, {"id": "b", "n": 2.5}]


def test_a_list_of_records_is_a_table(tmp_path: Path) -> None:
    found = from_json(tmp_path, RECORDS, "")
    assert [(row["item_id"], row["captions"], row["attributes"]) for row in found] == [
        ("a", ["x", "y"], {"n": "1"}),
        ("b", [], {"n": "2.5"}),
    ]


@pytest.mark.parametrize("where", ["records", "data.records", "data.0"])
def test_records_lie_anywhere(tmp_path: Path, where: str) -> None:
    first, _, second = where.partition(".")
    inner = {"": RECORDS, "records": {"records": RECORDS}, "0": [RECORDS]}[second]
    found = from_json(tmp_path, {"info": {}, first: inner}, f'records = "{where}"\n')
    assert [row["item_id"] for row in found] == ["a", "b"]


def test_an_object_holds_records_by_id(tmp_path: Path) -> None:
    content = {"v1": {"t": "x", "id": 7}, "v2": {"t": "y", "id": 8}}
    found = from_json(tmp_path, content, 'columns = { id = "key", caption = "t" }\ndrop = ["id"]\n')
    assert [(row["item_id"], row["captions"]) for row in found] == [("v1", ["x"]), ("v2", ["y"])]
    assert found[0]["attributes"] == {}


def test_each_entry_of_a_list_is_a_row(tmp_path: Path) -> None:
    content = {
        "v": {"d": 9, "parts": [{"at": [1, 2], "say": "x"}, {"at": [3, 4], "say": "y"}]},
        "w": {"d": 8, "parts": []},
    }
    body = """each = ["parts"]
    [tables.columns]
    id = "{key}/{number}"
    source = "key"
    caption = "parts.say"
    start_s = "parts.at.0"
    end_s = "parts.at.1"
    """
    found = from_json(tmp_path, content, body)
    assert [
        (r["item_id"], r["source"], r["start_s"], r["end_s"], r["captions"]) for r in found
    ] == [
        ("v/0", "v", 1, 2, ["x"]),
        ("v/1", "v", 3, 4, ["y"]),
    ]
    assert found[0]["attributes"] == {"d": "9", "number": "0"}


def test_lists_side_by_side(tmp_path: Path) -> None:
    content = {"v": {"sentences": ["x", "y"], "timestamps": [[0.5, 2], [2, 3]]}}
    body = """each = ["sentences", "timestamps"]
    columns = { id = "{key}_{number}", caption = "sentences", start_s = "timestamps.0" }
    """
    found = from_json(tmp_path, content, body)
    assert [(row["item_id"], row["captions"], row["start_s"]) for row in found] == [
        ("v_0", ["x"], 0.5),
        ("v_1", ["y"], 2),
    ]


def test_what_is_nested_is_left_out_unless_it_is_named(tmp_path: Path) -> None:
    content = [{"id": "a", "times": [[1, 2]], "meta": {"who": "ann"}, "tags": ["t"]}]
    assert from_json(tmp_path, content, "")[0]["attributes"] == {"tags": '["t"]'}
    body = 'columns = { who = "meta.who", first = "times.0.1" }\n'
    assert from_json(tmp_path, content, body)[0]["attributes"] == {
        "tags": '["t"]',
        "who": "ann",
        "first": "2",
    }


def test_a_json_table_is_a_target(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('[{"id": "a", "split": "train", "path": "a.wav"}]')
    assert ingest(str(tmp_path / "t.json")).items["item_id"].to_pylist() == ["a"]


@pytest.mark.parametrize(
    ("content", "body", "expected"),
    [
        ("[1, 2", "", "a.json: not readable JSON: Expecting"),
        ("5", "", "a.json: expected a list of records, or an object from ids to records, found 5"),
        (
            '{"videos": []}',
            'records = "video"\n',
            "a.json: expected a list of records at records = 'video', or an object from ids to "
            "records, found nothing; did you mean 'videos'?",
        ),
        ('{"a": {}, "a": {}}', "", "a.json: not readable JSON: the key 'a' stands twice"),
        ("[" * 60 + "]" * 60, "", "a.json: not readable JSON: it is nested too deeply"),
        ("[" * 99_999, "", "a.json: not readable JSON: it is nested too deeply"),
        (
            '[{"id": 1' + "0" * 5_000 + "}]",
            "",
            "a.json: not readable JSON: a number of 5,001 digits",
        ),
        ('["\\ud800"]', "", "a.json: not readable JSON: "),
        (b'[{"id": "\xff"}]', "", "a.json: not valid UTF-8"),
        ("[1]", "", "a.json record 1: expected an object {...}, found 1"),
        (
            '[{"id": "a"}, [2, 3]]',
            "",
            "a.json record 2: expected an object {...}, found a list of 2",
        ),
        ('[{"id": {"x": 1}}]', 'columns = { id = "id" }\n', "a.json record 1: id: expected text"),
        (
            '[{"id": "a", "t": 1e999}]',
            'columns = { start_s = "t" }\n',
            "a.json record 1: start_s: expected a finite number, found inf",
        ),
        (
            '[{"id": "a", "t": 1' + "0" * 299 + "9" * 40 + "}]",
            "",
            "a.json: not readable JSON: a number of 340 digits",
        ),
        (
            '{"v": {"s": ["x", "y"], "t": [1]}}',
            'each = ["s", "t"]\n',
            "a.json record 1: expected lists of equal length in s, t, found 2 and 1",
        ),
        ('{"v": {"s": "x"}}', 'each = ["s"]\n', "a.json record 1: s: expected a list, found 'x'"),
        (
            '{"v": {"s": [1]}}',
            'columns = { id = "key", start_s = "s.3" }\n',
            "a.json: column 's.3' (for start_s) is not there",
        ),
        ("[]", 'columns = { id = "video" }\n', "no rows"),
    ],
)
def test_a_fault_of_json_is_one_sentence(
    tmp_path: Path, content: str | bytes, body: str, expected: str
) -> None:
    assert expected in fault(tmp_path, content, body)


def test_every_record_at_fault_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        from_json(tmp_path, [1, {"id": "a"}, "x", {"id": None}], "")
    assert caught.value.problems == (
        "a.json record 1: expected an object {...}, found 1",
        "a.json record 3: expected an object {...}, found 'x'",
        "a.json record 4: id is empty",
    )


def test_an_empty_split_beside_another(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id\na\n")
    body = """columns = { id = "video" }
    [[tables]]
    path = "t.csv"
    split = "test"
    """
    assert [row["item_id"] for row in from_json(tmp_path, [], body)] == ["a"]


def test_lines_of_cells(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b'# who\r\nx 1\tsay "hi\tthere"\r\n\r\n y\t\tlast\tof\tall\n')
    body = """path = "a.csv"
    format = "lines"
    split = "test"
    header = ["id", "who", "caption"]
    comment = "#"
    """
    found = rows(tmp_path, body)
    assert [(row["item_id"], row["captions"], row["attributes"]) for row in found] == [
        ("x 1", ['there"'], {"who": 'say "hi'}),
        ("y", ["last\tof\tall"], {}),
    ]
    with pytest.raises(InputError) as caught:
        rows(tmp_path, body.replace('comment = "#"', ""))
    assert caught.value.problems == ("a.csv line 1: 1 cells, expected 3: id, who, caption",)


def test_a_list_with_a_header_is_a_csv(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("video_id\nv1\nv2\n")
    body = 'path = "a.txt"\nformat = "csv"\nsplit = "test"\ncolumns = { id = "video_id" }\n'
    assert [row["item_id"] for row in rows(tmp_path, body)] == ["v1", "v2"]


def test_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,who\na,José\n".encode("latin-1"))
    body = 'path = "a.csv"\nsplit = "test"\n'
    assert rows(tmp_path, f'{body}encoding = "latin-1"\n')[0]["attributes"] == {"who": "José"}
    with pytest.raises(InputError, match="line 2: not valid UTF-8"):
        rows(tmp_path, body)
    with pytest.raises(InputError, match="not valid cp932"):
        rows(tmp_path, f'{body}encoding = "cp932"\n')


TABLE = "n,a,b,caption_2,caption_1\n1,x/1,é,,Rain\n2,y,,Two,One\n"


def test_columns_that_are_made(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8")
    body = """path = "t.csv"
    split = "test"
    [tables.columns]
    id = "{n}-{a}"
    caption = ["caption_1", "caption_2"]
    source = { from = "a", pattern = '^(\\w)/' }
    both = "{b} of {a}"
    """
    found = rows(tmp_path, body)
    assert [(row["item_id"], row["captions"], row["source"]) for row in found] == [
        ("1-x/1", ["Rain"], "x"),
        ("2-y", ["One", "Two"], None),
    ]
    # What became a list is not there twice; of a template whose column is empty, nothing is left.
    assert found[0]["attributes"] == {"n": "1", "a": "x/1", "b": "é", "both": "é of x/1"}
    assert found[1]["attributes"] == {"n": "2", "a": "y"}


def test_a_made_column_without_its_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8")
    body = """path = "t.csv"
    split = "test"
    [tables.columns]
    id = "{n}-{aa}"
    caption = ["caption_1", "caption_3"]
    source = { from = "A", pattern = '(.)' }
    """
    with pytest.raises(InputError) as caught:
        rows(tmp_path, body)
    assert caught.value.problems[:3] == (
        "t.csv: column 'A' (for source) is not there",
        "t.csv: column 'aa' (for id) is not there; did you mean 'a'?",
        "t.csv: column 'caption_3' (for caption) is not there; did you mean 'caption_2'?",
    )
    with pytest.raises(InputError, match="line 3: id is empty"):
        rows(tmp_path, 'path = "t.csv"\nsplit = "test"\ncolumns = { id = "{b}" }\n')


def test_a_table_is_joined_by_an_id_that_is_made(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id\ntrain/a\n")
    (tmp_path / "more.csv").write_text("name,who\na,ann\nb,bob\n")
    body = """path = "t.csv"
    split = "train"
    [[tables]]
    path = "more.csv"
    join = { id = "train/{name}" }
    """
    found = dataset(tmp_path, body)
    assert dict(found.items["attributes"][0].as_py()) == {"who": "ann", "name": "a"}
    assert found.notes == ("more.csv: 1 of 2 rows name no item",)


def test_media_below_a_folder(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    for name in (
        "a/b/1.wav",
        "a/2.mp4",
        f"a/{odd}/3.png",
        "a/notes.txt",
        "a/.x.wav",
        "other/4.wav",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/lost.wav").symlink_to("nowhere")
    body = """path = "a/"
    format = "folder"
    split = "train"
    columns = { label = { from = "id", pattern = '^a/([^/]+)/' } }
    [attributes.stem]
    from = "path"
    pattern = '([^/]+)\\.'
    [keys.place]
    from = "id"
    """
    found = dataset(tmp_path, body, IngestOptions())
    assert {row["item_id"]: row["labels"] for row in found.items.to_pylist()} == {
        "a/2.mp4": [],
        "a/b/1.wav": ["b"],
        r"a/caf\xe9/3.png": [r"caf\xe9"],
        "a/lost.wav": [],
    }
    media = {(row["item_id"], row["part"]): row["status"] for row in found.media.to_pylist()}
    assert media == {
        ("a/2.mp4", "audio"): None,
        ("a/2.mp4", "video"): None,
        ("a/b/1.wav", "audio"): None,
        (r"a/caf\xe9/3.png", "image"): None,
        ("a/lost.wav", "audio"): "missing",
    }
    assert found.notes == ("a/: ignored 1 file that is not media (.txt 1)",)


def test_a_folder_that_is_not_there_or_empty(tmp_path: Path) -> None:
    body = 'path = "a"\nformat = "folder"\nsplit = "train"\n'
    (tmp_path / "a").touch()
    with pytest.raises(SplitauditError, match="a not found in "):
        dataset(tmp_path, body)
    (tmp_path / "a").unlink()
    (tmp_path / "a").mkdir()
    with pytest.raises(InputError, match="a: no media in this folder"):
        dataset(tmp_path, body)


def test_the_split_of_a_folder_is_a_part_of_the_path(tmp_path: Path) -> None:
    for name in ("train/1.wav", "valid/2.wav"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    body = """path = "."
    format = "folder"
    columns = { split = { from = "path", pattern = '^([^/]+)/' } }
    """
    found = dataset(tmp_path, body, IngestOptions()).items.to_pylist()
    assert [(row["item_id"], row["split"]) for row in found] == [
        ("train/1.wav", "train"),
        ("valid/2.wav", "val"),
    ]


LISTS = """path = "t.csv"
split = "train"
[media.video]
path = "films/{who}/{id}.*"
"""


def test_a_film_of_any_ending(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,who\na.b,x\nc,x\nd,x\ne,y\n")
    (tmp_path / "films/x").mkdir(parents=True)
    for name in ("a.b.webm", "a.b.json", "a.jpg", "c.mp4", "c.avi", "d.wav"):
        (tmp_path / "films/x" / name).touch()
    found = dataset(tmp_path, LISTS, IngestOptions()).media.to_pylist()
    audio = [(row["path"].removeprefix(f"{tmp_path}/films/"), row["status"]) for row in found[::2]]
    assert audio == [
        ("x/a.b.webm", None),
        ("x/c.avi", None),
        ("x/d.*", "missing"),
        ("y/e.*", "missing"),
    ]
    assert [row["part"] for row in found[:2]] == ["audio", "video"]
    (tmp_path / "t.csv").write_text("id,who\nd,x\nc,x\n")
    sound = LISTS.replace("media.video", "media.audio")
    found = dataset(tmp_path, sound, IngestOptions()).media.to_pylist()
    assert [(Path(row["path"]).name, row["part"]) for row in found] == [
        ("d.wav", "audio"),
        ("c.avi", "audio"),
    ]


def test_only_what_is_written_needs_no_paths(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id\na\n")
    body = 'path = "t.csv"\nsplit = "train"\n'
    assert dataset(tmp_path, body).media.num_rows == 0
    with pytest.raises(InputError, match="column 'path' is missing"):
        dataset(tmp_path, body, IngestOptions())
