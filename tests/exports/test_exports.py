import errno
import json
import os
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import groups_of, items_of, match, matches_of, media_of, plan_of, unhurried

from splitaudit import schema
from splitaudit.errors import SplitauditError
from splitaudit.exports import file_names, lists, parquet
from splitaudit.split import digest, repair
from splitaudit.split.check import check
from splitaudit.split.foreign import read_digest, read_split

FORMATS = pytest.mark.parametrize(
    "export", [lists.export, parquet.export], ids=["lists", "parquet"]
)


def export_plan(export, placed, folder):
    items = items_of(dict.fromkeys(placed, "train"))
    plan = plan_of(placed)
    media = media_of({x: {"path": f"/data/{i}.wav"} for i, x in enumerate(placed)})
    return export(items, media, plan, folder, {"seed": 3, "digest": digest(plan)})


def read(folder):
    rows = read_split(folder)
    return {
        x: None if pd.isna(y) else y
        for x, y in zip(rows["item_id"], rows["new_split"], strict=True)
    }


@FORMATS
def test_what_is_exported_passes_the_check(export, tmp_path):
    items = items_of({"train/a": "train", "test/a": "test", "test/b": "test", "c": "val"})
    media = media_of({x: {"path": f"/data/{x}"} for x in items["item_id"].to_pylist()})
    matches = matches_of([match("train/a", "test/b")])
    new = repair(items, groups_of(items, matches))
    paths = export(items, media, new, tmp_path / "new" / "deep", {"digest": digest(new)})
    assert {x.parent for x in paths} == {tmp_path / "new" / "deep"}
    assert sorted(paths) == sorted((tmp_path / "new" / "deep").iterdir())
    back = read_split(paths[0].parent)
    claimed = read_digest(paths[0].parent)
    assert check(items, media, matches, back, claimed_digest=claimed).exit_status == 0


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5)
HOSTILE = st.one_of(
    TEXT,
    st.sampled_from(["../x", "..", ".", "/etc", "splits", "Train", "train", "a\0b", "x" * 300]),
)


@unhurried
@given(st.dictionaries(TEXT, st.one_of(st.none(), HOSTILE), min_size=1, max_size=6))
def test_any_split_of_any_ids_comes_back_from_parquet(tmp_path_factory, placed):
    folder = tmp_path_factory.mktemp("x") / "out"
    paths = export_plan(parquet.export, placed, folder)
    assert read(folder) == placed
    files = json.loads((folder / "split.json").read_text())["files"]
    assert {y for y in placed.values() if y} == set(files)
    for split, name in files.items():
        ids = pq.read_table(folder / name)["item_id"].to_pylist()
        assert ids == sorted(x for x, y in placed.items() if y == split)
    assert sorted(folder.iterdir()) == sorted(paths)
    assert [x.name for x in folder.parent.iterdir()] == ["out"]


@unhurried
@given(st.dictionaries(TEXT, st.one_of(st.none(), HOSTILE), min_size=1, max_size=6))
def test_any_split_comes_back_from_lists_or_is_refused_before_anything_is_written(
    tmp_path_factory, placed
):
    folder = tmp_path_factory.mktemp("x") / "out"
    unlistable = [x for x, y in placed.items() if y and (set(x) & set("\r\n") or x[0] == "\ufeff")]
    if unlistable:
        with pytest.raises(SplitauditError, match="cannot stand on a line of a list"):
            export_plan(lists.export, placed, folder)
        assert not folder.exists()
    else:
        paths = export_plan(lists.export, placed, folder)
        assert read(folder) == placed
        assert sorted(folder.iterdir()) == sorted(paths)
        assert [x.name for x in folder.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("item_id", ["a\nb", "a\r", "\ufeffa", ""])
def test_an_id_that_no_list_can_hold_is_named(tmp_path, item_id):
    with pytest.raises(SplitauditError) as caught:
        export_plan(lists.export, {item_id: "train"}, tmp_path)
    assert repr(item_id) in str(caught.value)
    assert "Parquet" in str(caught.value)


def test_a_dropped_id_need_not_be_listable(tmp_path):
    export_plan(lists.export, {"a\nb": None, "c": "train"}, tmp_path)
    assert read(tmp_path) == {"a\nb": None, "c": "train"}


def test_lists_are_plain_text_with_one_sorted_id_a_line(tmp_path):
    export_plan(lists.export, {"b é": "train", "a": "train", "c": "test", "d": None}, tmp_path)
    assert (tmp_path / "train.txt").read_bytes() == "a\nb é\n".encode()
    assert (tmp_path / "test.txt").read_bytes() == b"c\n"


@FORMATS
def test_the_sidecar_has_what_the_caller_says_and_the_counts(export, tmp_path):
    export_plan(export, {"a": "train", "b": "test", "c": "train", "d": None}, tmp_path)
    sidecar = json.loads((tmp_path / "split.json").read_text())
    assert sidecar["seed"] == 3
    assert sidecar["counts"] == {"test": 1, "train": 2}
    assert sidecar["dropped"] == ["d"]
    assert set(sidecar["files"]) == {"test", "train"}


def test_parquet_files_carry_what_is_known_of_each_item(tmp_path):
    item = {
        "item_id": "a",
        "split": "test",
        "captions": ["x", "y"],
        "labels": ["l"],
        "attributes": [("k", "v")],
    }
    items = schema.conform([{"item_id": "b", "split": "train"}, item], schema.ITEMS)
    sound = {"item_id": "a", "part": "audio", "path": "/d/a.wav", "clip_start_s": 1.5}
    film = {"item_id": "a", "part": "video", "path": "/d/a.mp4"}
    media = schema.conform([film, sound], schema.MEDIA)
    moved = {"item_id": "a", "group_id": "a", "old_split": "test", "new_split": "train"}
    plan = schema.conform(
        [moved | {"action": "moved", "reason": "why"}, {"item_id": "b", "action": "dropped"}],
        schema.SPLITS,
    )
    parquet.export(items, media, plan, tmp_path, {})
    rows = pq.read_table(tmp_path / "train.parquet").to_pylist()
    known = {
        "path": "/d/a.wav",
        "clip_start_s": 1.5,
        "captions": ["x", "y"],
        "labels": ["l"],
        "attributes": [("k", "v")],
    }
    assert len(rows) == 1
    assert rows[0] | known == rows[0]
    assert (rows[0]["old_split"], rows[0]["action"], rows[0]["reason"]) == ("test", "moved", "why")
    assert pq.read_table(tmp_path / "splits.parquet").equals(plan)


def test_an_item_without_media_is_exported(tmp_path):
    parquet.export(items_of({"a": "test"}), media_of({}), plan_of({"a": "test"}), tmp_path, {})
    assert pq.read_table(tmp_path / "test.parquet")["path"].to_pylist() == [None]


@FORMATS
def test_a_plan_of_nothing_is_only_a_sidecar_and_a_plan(export, tmp_path):
    export_plan(export, {}, tmp_path)
    assert json.loads((tmp_path / "split.json").read_text())["counts"] == {}
    assert {x.name for x in tmp_path.iterdir()} <= {"split.json", "splits.parquet"}


@FORMATS
def test_links_in_the_folder_are_replaced_and_not_followed(export, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    for name in ("train.txt", "train.parquet", "split.json"):
        (folder / name).symlink_to(outside)
    export_plan(export, {"a": "train"}, folder)
    assert outside.read_text() == "mine"
    assert read(folder) == {"a": "train"}


@FORMATS
def test_a_folder_that_is_a_file_is_a_clear_error(export, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SplitauditError, match="cannot write"):
        export_plan(export, {"a": "train"}, tmp_path / "file")


@FORMATS
def test_a_failing_write_leaves_the_old_file_and_no_other(export, tmp_path, monkeypatch):
    export_plan(export, {"a": "train"}, tmp_path)
    before = {x.name: x.read_bytes() for x in tmp_path.iterdir()}

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(SplitauditError, match="the disk is full"):
        export_plan(export, {"a": "test", "b": "train"}, tmp_path)
    assert {x.name: x.read_bytes() for x in tmp_path.iterdir()} == before


def test_plain_names_are_kept_and_others_are_safe_and_differ():
    hostile = [
        "train",
        "dev-clean",
        "test_2.b",
        "../x",
        "..",
        "a/b",
        "a\\b",
        "splits",
        "Val",
        "val",
        "é",
        "e\u0301",
        "x" * 300,
    ]
    names = file_names(hostile, ".txt")
    assert [names[x] for x in hostile[:3]] == ["train.txt", "dev-clean.txt", "test_2.b.txt"]
    assert len({x.casefold() for x in names.values()}) == len(hostile)
    assert all(
        len(x) < 100 and x.isascii() and x[0] != "." and "/" not in x and "\\" not in x
        for x in names.values()
    )
    assert names["splits"] != "splits.txt"


def test_a_later_export_into_the_same_folder_is_the_one_that_is_read(tmp_path):
    export_plan(parquet.export, {"a": "train", "b": "test"}, tmp_path)
    export_plan(lists.export, {"a": "test", "b": None}, tmp_path)
    assert read(tmp_path) == {"a": "test", "b": None}
    assert sorted(x.name for x in tmp_path.iterdir()) == ["split.json", "test.txt"]


def test_an_export_removes_nothing_but_an_earlier_export(tmp_path):
    folder = tmp_path / "out"
    export_plan(lists.export, {"a": "train", "b": "test"}, folder)
    for mine in (folder / "mine.txt", tmp_path / "mine.txt"):
        mine.write_text("mine")
    sidecar = json.loads((folder / "split.json").read_text())
    sidecar["written"] += ["../mine.txt", 3, str(tmp_path / "mine.txt"), "data/../mine.txt"]
    (folder / "split.json").write_text(json.dumps(sidecar))
    export_plan(lists.export, {"a": "test"}, folder)
    assert sorted(x.name for x in folder.iterdir()) == ["mine.txt", "split.json", "test.txt"]
    assert (tmp_path / "mine.txt").exists()


def test_plan_tables_keep_their_schema(tmp_path):
    export_plan(parquet.export, {"a": "train"}, tmp_path)
    assert pq.read_schema(tmp_path / "splits.parquet").equals(schema.SPLITS)
    assert pq.read_schema(tmp_path / "train.parquet").field("captions").type == pa.list_(
        pa.string()
    )
