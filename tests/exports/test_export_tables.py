"""Exports that others read: a CSV that is a target again, and a layout for Hugging Face."""

import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import items_of, media_of, plan_of, unhurried

from splitaudit import schema
from splitaudit.dataset import IngestOptions, ingest
from splitaudit.errors import SplitauditError
from splitaudit.exports import csv, huggingface
from splitaudit.split import digest
from splitaudit.split.check import check
from splitaudit.split.foreign import read_digest, read_split

TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6)
SEVERAL = st.lists(
    st.one_of(TEXT, st.sampled_from(['["a"]', "[", "a, b", 'say "x"'])), max_size=3, unique=True
)


def items_with(rows):
    """Items of (id, captions, labels, room)."""
    return schema.conform(
        [
            {
                "item_id": x,
                "split": "train",
                "source": f"tape {x}",
                "start_s": 1.5,
                "end_s": 2.0,
                "captions": captions,
                "labels": labels,
                "attributes": [("room", room)] if room else [],
            }
            for x, captions, labels, room in rows
        ],
        schema.ITEMS,
    )


def exported(export, items, placed, folder):
    plan = plan_of(placed)
    media = media_of({x: {"path": f"/data/{i}.wav", "status": "ok"} for i, x in enumerate(placed)})
    export(items, media, plan, folder, {"digest": digest(plan)})
    return media


@unhurried
@given(
    st.lists(
        st.tuples(
            TEXT, SEVERAL, SEVERAL, st.one_of(st.none(), TEXT), st.sampled_from(["train", "test"])
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda row: row[0],
    )
)
def test_a_csv_is_the_same_dataset_again(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("csv")
    items = items_with([row[:4] for row in rows])
    placed = {row[0]: row[4] for row in rows}
    exported(csv.export, items, placed, folder)
    again = ingest(str(folder / "items.csv"), IngestOptions()).items.to_pylist()
    expected = {
        row["item_id"]: {**row, "split": placed[row["item_id"]]} for row in items.to_pylist()
    }
    assert {row["item_id"]: row for row in again} == expected


@pytest.mark.parametrize("export", [csv.export, huggingface.export])
def test_what_is_exported_passes_the_check(export, tmp_path):
    placed = {"00008000": "train", "b": "test", "c": "val", "d": None}
    items = items_with([(x, [], [], None) for x in placed])
    media = exported(export, items, placed, tmp_path / "out")
    found = check(
        items,
        media,
        schema.conform([], schema.MATCHES),
        read_split(tmp_path / "out"),
        claimed_digest=read_digest(tmp_path / "out"),
    )
    assert (found.exit_status, found.digest_holds) == (0, True)
    sidecar = json.loads((tmp_path / "out/split.json").read_text())
    assert (sidecar["dropped"], sidecar["counts"]) == (["d"], {"test": 1, "train": 1, "val": 1})


def test_the_layout_for_hugging_face(tmp_path):
    items = items_with([("00008000", ["rain", "wind"], ["x"], "a"), ("b", [], [], None)])
    exported(huggingface.export, items, {"00008000": "val", "b": "train"}, tmp_path)
    names = [f"data/{name}-00000-of-00001.parquet" for name in ("train", "validation")]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet")) == names
    table = pq.read_table(tmp_path / names[1])
    assert table.schema.field("id").type == pa.string()
    row = table.to_pylist()[0]
    assert (row["id"], row["captions"], row["room"]) == ("00008000", ["rain", "wind"], "a")
    head = (tmp_path / "README.md").read_text().split("---\n")[1]
    assert re.findall(r'split: "(\w+)"\n    path: "(.+)"', head) == [
        ("train", names[0]),
        ("validation", names[1]),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a-b", "letters, digits"),
        ("../x", "letters, digits"),
        ("a b", "letters, digits"),
        ("train\n", "letters, digits"),
    ],
)
def test_a_name_that_hugging_face_cannot_read_is_refused(tmp_path, name, reason):
    with pytest.raises(SplitauditError, match=reason):
        exported(huggingface.export, items_of({"a": "train"}), {"a": name}, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_sidecar_leads_nowhere_else(tmp_path):
    for sidecar in (
        {"table": "../x.csv"},
        {"files": {"a": "data/../../x"}},
        {"files": {"a": "data/"}},
    ):
        (tmp_path / "split.json").write_text(json.dumps(sidecar))
        with pytest.raises(SplitauditError, match="in this folder"):
            read_split(tmp_path)
