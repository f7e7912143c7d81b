"""Tables: what a row becomes, and every fault at once with its line."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from splitaudit.dataset import Dataset, IngestOptions, decode_path, ingest
from splitaudit.errors import InputError, SplitauditError
from splitaudit.schema import ITEMS, MEDIA, MEMBERSHIPS

Records = list[dict[str, object]]


def write_csv(path: Path, records: Records, delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(records[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(records)
    return path


def write_jsonl(path: Path, records: Records) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def write_parquet(path: Path, records: Records) -> Path:
    pq.write_table(pa.Table.from_pylist(records), path)
    return path


WRITERS: dict[str, Callable[[Path, Records], Path]] = {
    "t.csv": write_csv,
    "t.TSV": lambda path, records: write_csv(path, records, "\t"),
    "t.jsonl": write_jsonl,
    "t.ndjson": write_jsonl,
    "t.parquet": write_parquet,
}


def table(folder: Path, text: str | bytes, name: str = "t.csv") -> str:
    content = text if isinstance(text, bytes) else text.encode()
    (folder / name).write_bytes(content)
    return str(folder / name)


def problems(target: str, **columns: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        ingest(target, IngestOptions(columns=columns))
    assert caught.value.where == target
    return list(caught.value.problems)


def items(dataset: Dataset) -> pd.DataFrame:
    return dataset.items.to_pandas().set_index("item_id")


def media(dataset: Dataset) -> list[tuple[object, ...]]:
    columns = ("item_id", "part", "clip_start_s", "clip_end_s", "status")
    return list(zip(*(dataset.media[name].to_pylist() for name in columns), strict=True))


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_says_the_same(tmp_path: Path, name: str) -> None:
    (tmp_path / "é 🎵.wav").touch()
    records: Records = [
        {
            "id": "1",
            "path": "é 🎵.wav",
            "split": "Test",
            "caption": 'a "b",\tc',
            "start": 1.5,
            "cd": "x",
        },
        {
            "id": "2",
            "path": "b.mp4",
            "split": "validation",
            "caption": "new\nline",
            "start": 2,
            "cd": "y",
        },
    ]
    dataset = ingest(str(WRITERS[name](tmp_path / name, records)))
    assert (dataset.name, dataset.root) == ("t", tmp_path)
    assert dataset.items.schema == ITEMS
    assert dataset.media.schema == MEDIA
    assert dataset.memberships.schema == MEMBERSHIPS
    columns = ("item_id", "split", "source", "start_s", "end_s", "captions", "labels", "attributes")
    assert [tuple(row[name] for name in columns) for row in dataset.items.to_pylist()] == [
        ("1", "test", None, 1.5, None, ['a "b",\tc'], [], [("cd", "x")]),
        ("2", "val", None, 2.0, None, ["new\nline"], [], [("cd", "y")]),
    ]
    assert media(dataset) == [
        ("1", "audio", None, None, None),
        ("2", "audio", None, None, "missing"),
        ("2", "video", None, None, "missing"),
    ]
    assert dataset.media["path"].to_pylist()[0] == str(tmp_path / "é 🎵.wav")
    assert dataset.split_order == ("test", "val")
    assert dataset.notes == ()


def test_only_path_and_split_are_needed(tmp_path: Path) -> None:
    dataset = ingest(table(tmp_path, "\ufeffpath,split\n./a.wav,train\n\n/abs/b.wav,other\n"))
    assert dataset.items["item_id"].to_pylist() == ["./a.wav", "/abs/b.wav"]
    assert dataset.media["path"].to_pylist() == [f"{tmp_path}/./a.wav", "/abs/b.wav"]


def test_relative_paths_start_from_the_root(tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"\xff")
    root.mkdir()
    (root / "a.wav").touch()
    target = table(tmp_path, "path,split\na.wav,train\n")
    dataset = ingest(target, IngestOptions(root=root))
    assert dataset.media["path"].to_pylist() == [rf"{tmp_path}/\xff/a.wav"]
    assert decode_path(dataset.media["path"][0].as_py()) == str(root / "a.wav")
    assert media(dataset) == [("a.wav", "audio", None, None, None)]
    with pytest.raises(SplitauditError, match=r"--root .*nowhere is not a folder"):
        ingest(target, IngestOptions(root=tmp_path / "nowhere"))


def test_rows_of_one_item_gather_captions_and_labels(tmp_path: Path) -> None:
    records: Records = [
        {"id": "a", "path": "a.wav", "split": "train", "captions": ["one", "two"], "labels": "dog"},
        {"id": "b", "path": "b.wav", "split": "train", "captions": None, "labels": ["cat"]},
        {
            "id": "a",
            "path": "a.wav",
            "split": "train",
            "captions": ["two", "three"],
            "labels": "dog",
        },
        {"id": "a", "path": "a.wav", "split": "train", "captions": "zero", "labels": ["pet", None]},
    ]
    found = items(ingest(str(write_jsonl(tmp_path / "t.jsonl", records))))
    assert list(found.index) == ["a", "b"]
    assert [list(texts) for texts in found["captions"]] == [["one", "two", "three", "zero"], []]
    assert [list(texts) for texts in found["labels"]] == [["dog", "pet"], ["cat"]]


def test_parquet_lists_are_captions_and_bulk_is_left_out(tmp_path: Path) -> None:
    records: Records = [
        {
            "path": "a.wav",
            "split": "x",
            "captions": ["c", "d"],
            "label": 3,
            "vector": [1.0],
            "raw": b"\xff",
        }
    ]
    found = items(ingest(str(write_parquet(tmp_path / "t.parquet", records)))).loc["a.wav"]
    assert (list(found["captions"]), list(found["labels"])) == (["c", "d"], ["3"])
    assert list(found["attributes"]) == []


def test_attributes_are_all_other_columns(tmp_path: Path) -> None:
    records: Records = [
        {"path": "a.wav", "split": "x", "n": 1, "none": None, "tags": ["é"], "empty": ""},
        {"path": "b.wav", "split": "x", "late": 2.5},
    ]
    found = items(ingest(str(write_jsonl(tmp_path / "t.jsonl", records))))
    assert [dict(pairs) for pairs in found["attributes"]] == [
        {"n": "1", "tags": '["é"]'},
        {"late": "2.5"},
    ]


def test_a_note_where_rows_of_one_item_differ(tmp_path: Path) -> None:
    text = "path,split,source,who,same\na.wav,x,tape1,,s\na.wav,x,tape2,anna,s\n"
    dataset = ingest(table(tmp_path, text))
    assert dataset.items["source"].to_pylist() == ["tape1"]
    assert dataset.notes == (
        "column 'source' differs between rows of one item: the first row's was taken",
        "column 'who' differs between rows of one item: the first row's was taken",
    )


def test_stretches_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "long.wav").touch()
    text = "id,path,split,clip_start_s,clip_end_s\na,long.wav,train,0,2.5\nb,long.wav,test,2.5,\n"
    assert media(ingest(table(tmp_path, text))) == [
        ("a", "audio", 0.0, 2.5, None),
        ("b", "audio", 2.5, None, None),
    ]


def test_modality_goes_before_the_ending(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.dat", "c.dat", "d.jpg", "folder.wav/x", "e"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    text = (
        "path,split,modality\na.mp4,x,audio\nb.dat,x,Video\nc.dat,x,\nd.jpg,x,image\n"
        "folder.wav,x,\ne,x,\n"
    )
    dataset = ingest(table(tmp_path, text))
    assert media(dataset) == [
        ("a.mp4", "audio", None, None, None),
        ("b.dat", "audio", None, None, None),
        ("b.dat", "video", None, None, None),
        ("c.dat", "audio", None, None, "unsupported"),
        ("d.jpg", "image", None, None, None),
        ("folder.wav", "audio", None, None, "unreadable"),
        ("e", "audio", None, None, "unsupported"),
    ]
    assert dataset.media["error"].to_pylist()[3:] == [
        ".dat tells no kind of media; say it in a column 'modality'",
        None,
        "a folder, not a file",
        "a name without ending tells no kind of media; say it in a column 'modality'",
    ]


def test_an_item_may_have_sound_and_picture(tmp_path: Path) -> None:
    dataset = ingest(table(tmp_path, "id,path,split\na,a.wav,train\na,a.png,train\n"))
    assert media(dataset) == [
        ("a", "audio", None, None, "missing"),
        ("a", "image", None, None, "missing"),
    ]


def test_an_id_in_two_splits_is_two_items(tmp_path: Path) -> None:
    text = (
        "id,path,split,caption\na,a.wav,train,x\nb,b.wav,train,y\na,c.wav,test,z\na,a.wav,train,w\n"
    )
    dataset = ingest(table(tmp_path, text))
    found = items(dataset)
    assert found["split"].to_dict() == {"train/a": "train", "b": "train", "test/a": "test"}
    assert list(found.loc["train/a", "captions"]) == ["x", "w"]
    assert [row[0] for row in media(dataset)] == ["train/a", "b", "test/a"]
    assert dataset.memberships.to_pylist() == [
        {"item_id": "train/a", "key": "id", "value": "a", "relation": "same_source"},
        {"item_id": "test/a", "key": "id", "value": "a", "relation": "same_source"},
    ]
    assert dataset.notes == (
        "1 id stands in more than one split: items named split/id, joined by the key 'id'",
    )


def test_a_path_in_two_splits_without_ids(tmp_path: Path) -> None:
    dataset = ingest(table(tmp_path, "path,split\na.wav,train\na.wav,test\n"))
    assert dataset.items["item_id"].to_pylist() == ["train/a.wav", "test/a.wav"]
    assert len(set(dataset.media["path"].to_pylist())) == 1


def test_split_names_are_one_split_when_they_mean_one(tmp_path: Path) -> None:
    dataset = ingest(table(tmp_path, "path,split\na.wav,dev\na.wav, Valid\n"))
    assert items(dataset)["split"].to_dict() == {"a.wav": "val"}


def test_a_new_name_must_not_be_anothers(tmp_path: Path) -> None:
    text = "id,path,split\na,a.wav,train\na,b.wav,test\ntest/a,c.wav,train\n"
    reason = "the item would bear the name of another: an id in several splits becomes split/id"
    assert problems(table(tmp_path, text)) == [f"line 3: {reason}", f"line 4: {reason}"]


def test_columns_are_mapped(tmp_path: Path) -> None:
    text = "file,subset,id,text\na.wav,train,7,hello\n"
    columns = {"path": "file", "split": "subset", "id": "file", "captions": "text"}
    found = items(ingest(table(tmp_path, text), IngestOptions(columns=columns)))
    assert found.index.tolist() == ["a.wav"]
    assert list(found["captions"].iloc[0]) == ["hello"]
    assert dict(found["attributes"].iloc[0]) == {"id": "7"}


def test_a_column_mapped_away_is_no_longer_its_name(tmp_path: Path) -> None:
    target = table(tmp_path, "path,split,label\na.wav,train,tape7\n")
    dataset = ingest(target, IngestOptions(columns={"source": "label"}))
    assert dataset.items["source"].to_pylist() == ["tape7"]
    assert dataset.items["labels"].to_pylist() == [[]]


def test_every_missing_column_at_once(tmp_path: Path) -> None:
    assert problems(table(tmp_path, "filename,Split,x\na.wav,train\n")) == [
        "column 'path' is missing; did you mean 'filename'? map it: --column path=filename",
        "column 'split' is missing; did you mean 'Split'? map it: --column split=Split",
        "columns present: 'filename', 'Split', 'x'",
        "line 2: 2 cells, expected 3 as in the header",
    ]


def test_wrong_mappings(tmp_path: Path) -> None:
    target = table(tmp_path, "path,splt,start,start_s\n")
    assert problems(target, split="split", id="foo") == [
        "column 'foo' (for id) is not there",
        "column 'split' (for split) is not there; did you mean 'splt'?",
        "columns 'start' and 'start_s' both stand for start_s",
        "columns present: 'path', 'splt', 'start', 'start_s'",
    ]
    with pytest.raises(
        InputError, match="'captoin' is none of our columns; did you mean 'caption'"
    ):
        ingest(target, IngestOptions(columns={"captoin": "x"}))


def test_every_fault_of_a_csv_at_once_with_its_line(tmp_path: Path) -> None:
    text = (
        "id,path,split,start_s,clip_start_s,clip_end_s,caption,modality\n"
        '1,a.wav,train,,,,"two\nlines",\n'  # lines 2 and 3
        "\n"
        ",b.wav,train,,,,,\n"  # 5
        "3,,train,,,,,\n"
        "4,d.wav, ,,,,,\n"
        "5,e.wav,train,soon,,,,\n"
        "6,f.wav,train,,2,2.0,,\n"
        "7,g.wav,train,,,0,,\n"  # 10
        "8,h.wav,train,,-1,,,\n"
        "9,i.wav,train,,nan,inf,,\n"
        "10,j.wav,train\n"
        "1,other.wav,train,,,,,\n"
        "1,a.wav,train,,1,,,\n"  # 15
        "11,k\0.wav,train,,,,,\n"
        "12,l.wav,train,,,,,smell\n"
    )
    assert problems(table(tmp_path, text)) == [
        "line 5: id is empty",
        "line 6: path is empty",
        "line 7: split is empty",
        "line 8: start_s: expected a finite number, found 'soon'",
        "line 9: clip_end_s is not greater than clip_start_s",
        "line 10: clip_end_s is not greater than clip_start_s",
        "line 11: clip_start_s is negative",
        "line 12: clip_end_s: expected a finite number, found 'inf'",
        "line 12: clip_start_s: expected a finite number, found 'nan'",
        "line 13: 3 cells, expected 8 as in the header",
        "line 14: id '1' of split 'train' has a second path for its audio: "
        "'other.wav' after 'a.wav' in line 2",
        "line 15: id '1' of split 'train' has a second stretch for its audio: "
        "'a.wav' after 'a.wav' in line 2",
        "line 16: path: expected text, found 'k\\x00.wav'",
        "line 17: modality is none of audio, video, image",
    ]


def test_every_fault_of_jsonl_at_once_with_its_line(tmp_path: Path) -> None:
    lines = [
        '{"id": 1, "path": "a.wav", "split": "train"}',
        "",
        '{"id": 1, "path": "b.wav", "split": "train"}',  # 3
        '{"id": null, "path": "c.wav", "split": "train"}',
        '{"id": 2, "path": "d.wav", "split": "train"',  # 5
        '["id", 3]',
        '{"id": {"a": 1}, "path": "e.wav", "split": "train"}',
        '{"id": 4, "path": "f.wav", "split": "train", "start": true}',
        '{"id": "\\ud800", "path": "g.wav", "split": "train"}',
        '{"id": 5, "path": "h.wav", "split": "train", "end": 1' + "0" * 400 + "}",  # 10
        "[" * 100_000,
    ]
    found = problems(table(tmp_path, "\n".join(lines), "t.jsonl"))
    assert [text[:60] for text in found] == [
        "line 3: id '1' of split 'train' has a second path for its au",
        "line 4: id is empty",
        "line 5: not a JSON object: Expecting ',' delimiter: line 1 c",
        "line 6: not a JSON object: expected {...}, found '[\"id\", 3]'",
        "line 7: id: expected text, found {'a': 1}",
        "line 8: start_s: expected a finite number, found True",
        "line 9: not a JSON object: 'utf-8' codec can't encode charac",
        "line 10: end_s: expected a finite number, found 100000000000",
        "line 11: not a JSON object: maximum recursion depth exceeded",
    ]


def test_faults_of_parquet_are_told_by_row(tmp_path: Path) -> None:
    records: Records = [
        {"path": "a.wav", "split": "train", "end": "1"},
        {"path": None, "split": "train", "end": "x"},
        {"path": "b.wav", "split": None, "end": None},
    ]
    assert problems(str(write_parquet(tmp_path / "t.parquet", records))) == [
        "row 2: end_s: expected a finite number, found 'x'",
        "row 2: path is empty",
        "row 3: split is empty",
    ]


def test_bytes_that_are_not_utf8(tmp_path: Path) -> None:
    content = b"path,split\na.wav,train\ncaf\xe9.wav,train\nb.wav,\n\xff.wav,test\n"
    reason = (
        "not valid UTF-8; save the table as UTF-8, or say its encoding, as --encoding latin-1 "
        '(in a manifest: encoding = "latin-1")'
    )
    assert problems(table(tmp_path, content)) == [
        f"line 3: {reason}",
        "line 4: split is empty",
        f"line 5: {reason}",
    ]


def test_a_quote_that_is_never_closed_swallows_nothing(tmp_path: Path) -> None:
    target = table(tmp_path, 'path,split\na.wav,train\n"b.wav,train\nc.wav,train\n')
    assert problems(target) == [
        "line 3: not a row of a table: unexpected end of data; say --quotes csv, or --quotes text "
        'where they are text (in a manifest: quotes = "text")'
    ]


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    assert problems(table(tmp_path, "path,split,path\na,b,c\n")) == ["two columns are named 'path'"]


def test_a_film_with_two_paths_is_one_problem(tmp_path: Path) -> None:
    assert problems(table(tmp_path, "id,path,split\na,a.mp4,train\na,b.mp4,train\n")) == [
        "line 3: id 'a' of split 'train' has a second path for its audio: "
        "'b.mp4' after 'a.mp4' in line 2"
    ]


def test_many_problems_are_counted(tmp_path: Path) -> None:
    found = problems(table(tmp_path, "path,split\n" + "a.wav,\n" * 1234))
    assert found == [f"line {line}: split is empty" for line in range(2, 22)] + ["and 1,214 more"]


@pytest.mark.parametrize("text", ["path,split\n", "path,split"])
def test_no_rows(tmp_path: Path, text: str) -> None:
    assert problems(table(tmp_path, text)) == ["no rows"]


def test_an_empty_file(tmp_path: Path) -> None:
    assert problems(table(tmp_path, ""))[-1] == "columns present: none"


@pytest.mark.parametrize("content", [b"", b"PAR1", b"path,split\na.wav,train\n"])
def test_what_is_no_parquet(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SplitauditError, match=r"t\.parquet is not readable Parquet"):
        ingest(table(tmp_path, content, "t.parquet"))


def test_ids_are_written_like_names(tmp_path: Path) -> None:
    dataset = ingest(table(tmp_path, "id,path,split\n\\xe9,\\xe9.wav,train\n"))
    (item_id,) = dataset.items["item_id"].to_pylist()
    assert (item_id, decode_path(item_id)) == (r"\x5cxe9", r"\xe9")
    assert dataset.media["path"].to_pylist() == [rf"{tmp_path}/\x5cxe9.wav"]
