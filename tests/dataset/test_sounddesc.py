"""The shipped manifest of SoundDescs on a small tree of its layout, with and without sounds."""

from __future__ import annotations

import csv
import pickle
from collections import defaultdict
from pathlib import Path

import pytest
from command import Here, tables
from sound_files import write_pcm

from splitaudit.demo.sounds import distinct_sound

SPLITS = {
    "train": ["07001001", "07001002", "00008000", "nhu05001001", "nhu05001007"],
    "val": ["07002001", "nhu05002003"],
    "test": ["07001003", "00009000", "nhu05001002"],
}
CATALOGUE = [
    ("07001001.wav", "Take-off, take one. (Comet.)", "60", "C1", "Sounds", "1"),
    ("07001002.wav", "Take-off, take 2", "50", "C1", "Sounds", "2"),
    ("07001003.wav", " Take-off, take two (Comet jet)", "61", "C1", "Sounds", "3"),
    ("07002001.wav", "Rain", "10.4", "C2", "Sounds", "1"),
    ("00008000.wav", "RAIN!", "10", "", "Sounds", "1"),
    ("00009000.wav", "", "not a number", "", "Sounds", ""),
    ("99999999.wav", "Of no list", "1", "C9", "Sounds", "1"),
]
CATEGORIES = {"07001001": ["Aircraft"], "07001003": ["Aircraft", "Comet"], "00008000": ["Weather"]}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "sounddescs"
    folder.mkdir()
    for split, ids in SPLITS.items():
        (folder / f"{split}_list.txt").write_text("\n".join(ids) + "\n")
    with (folder / "BBCSoundEffects.csv").open("w", newline="") as file:
        rows = csv.writer(file, quoting=csv.QUOTE_ALL)
        rows.writerow(["location", "description", "secs", "CDNumber", "CDName", "tracknum"])
        rows.writerows(CATALOGUE)
    labels = defaultdict(list, CATEGORIES)
    (folder / "categories.pkl").write_bytes(pickle.dumps(labels))
    return folder


def test_without_sounds_all_else_is_audited(here: Here, tree: Path) -> None:
    ran = here("scan", "sounddesc", "--root", tree, "--out", "run", "--json")
    assert (ran.status, ran.json["verdict"]) == (4, "incomplete")
    assert ran.json["coverage"]["audio"]["audited"] == 0
    assert {name: part["audited"] for name, part in ran.json["coverage"].items()} == {
        "audio": 0,
        "captions": 5,
        "keys": 10,
    }
    weak = ran.json["weak"]
    assert {name: n["items"] for name, n in weak["test|train"]["by_reason"].items()} == {
        "caption:core": 1,  # both takes of the Comet
        "key:cd": 1,
        "key:scene": 1,
        "key:tape": 2,
        "key:nhu_tape": 1,
        "key:neighbour": 2,
    }
    assert {name: n["items"] for name, n in weak["val|train"]["by_reason"].items()} == {
        "caption:text": 1,
        "caption:numberless": 1,
        "caption:core": 1,
        "key:take": 1,  # 10.4 s and 10 s of rain
    }
    assert "BBCSoundEffects.csv: 1 of 7 rows name no item" in ran.err
    labels = {row["item_id"]: row["labels"] for row in tables(Path("run"))["items"]}
    assert labels["07001003"] == ["Aircraft", "Comet"]


def test_with_sounds_these_are_audited_too(here: Here, tree: Path) -> None:
    (tree / "audio").mkdir()
    for seed, name in enumerate(name for ids in SPLITS.values() for name in ids):
        write_pcm(
            tree / f"audio/{name}.wav", distinct_sound(0 if name == "00009000" else seed, 3.0)
        )
    ran = here("scan", "sounddesc", "--root", tree, "--out", "run", "--json")
    assert (ran.status, ran.json["verdict"]) == (1, "leaks")
    assert ran.json["coverage"]["audio"] == {"items": 10, "audited": 10, "by_status": {"ok": 10}}
    (leak,) = here("leaks", "run", "--json").json
    assert (leak["a"], leak["b"], leak["relation"]) == ("00009000", "07001001", "exact")
    made = here("split", "run", "--mode", "regroup", "--policy", "scene,nhu_tape", "--json")
    assert (made.status, sum(made.json["counts"].values())) == (0, 10)


def test_the_labels_may_ask_for_nothing_else(here: Here, tree: Path) -> None:
    (tree / "categories.pkl").write_bytes(pickle.dumps({"07001001": [Path("x")]}))
    ran = here("scan", "sounddesc", "--root", tree)
    assert ran.status == 2
    assert "categories.pkl" in ran.err
    assert "it asks for" in ran.err
