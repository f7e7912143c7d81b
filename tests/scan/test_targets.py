"""Scans of targets in the shapes of others: the verdict is that of the splits that they mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import Here, tables
from sound_files import RATE, write_pcm

from splitaudit.demo import sounds

SOUND = sounds.speech_like(3, 8.0)


def piece(n: int) -> np.ndarray:
    return SOUND[n * RATE : (n + 1) * RATE]


def write(folder: Path, **pieces: int) -> None:
    """Write a second of sound a file; equal numbers are equal sounds. `__` parts folders."""
    for name, n in pieces.items():
        path = folder / f"{name.replace('__', '/')}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_pcm(path, piece(n))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    write_pcm(tmp_path / "rec.wav", SOUND)
    return tmp_path


def test_stretches_of_one_recording(recording: Path, here: Here) -> None:
    rows = ["id,path,start,end,split", "a,rec.wav,0,4,train", "b,rec.wav,4,8,test"]
    (recording / "apart.csv").write_text("\n".join(rows))
    (recording / "across.csv").write_text("\n".join([*rows, "c,rec.wav,3.5,5,test"]))
    ran = here("scan", "apart.csv", "--jobs", 1, "--json")
    assert (ran.status, ran.json["verdict"]) == (0, "clean")
    ran = here("scan", "across.csv", "--jobs", 1, "--json")
    assert (ran.status, ran.json["leaks"]["test|train"]["items"]) == (1, 1)


def test_silence_that_two_stretches_share_is_shared(tmp_path: Path, here: Here) -> None:
    quiet = np.zeros(2 * RATE, np.float32)
    write_pcm(tmp_path / "rec.wav", np.concatenate([SOUND[: 3 * RATE], quiet, SOUND[3 * RATE :]]))
    (tmp_path / "t.csv").write_text(
        "id,path,start,end,split\na,rec.wav,0,4.75,train\nb,rec.wav,4,8,test\n"
    )
    ran = here("scan", "t.csv", "--jobs", 1, "--json")
    assert ran.status == 1
    (row,) = [row for row in tables(Path(ran.json["run"]))["matches"] if row["accepted"]]
    assert (row["relation"], row["transform"]) == ("overlap", "overlapping parts of one file")


def test_class_folders_without_a_split(tmp_path: Path, here: Here) -> None:
    write(tmp_path / "d", yes__a=0, yes__b=1, no__c=2, no__d=3)
    ran = here("scan", "d", "--jobs", 1)
    assert ran.status == 4
    assert ran.out.startswith("INCOMPLETE: no copies found, but no split is known")
    write(tmp_path / "d", no__e=0)
    ran = here("scan", "d", "--jobs", 1)
    assert ran.status == 5
    assert ran.out.startswith("DUPLICATES: 1 pair of copies, and no split is known")
    assert here("split").status == 2
    made = here("split", "--mode", "regroup", "--ratios", "train=0.5,test=0.5")
    assert (made.status, here("check").status) == (0, 0)


def test_class_folders_with_lists(tmp_path: Path, here: Here) -> None:
    write(tmp_path / "d", yes__a=0, yes__b=1, no__c=2, no__d=3, no__e=0)
    (tmp_path / "d/testing_list.txt").write_text("yes/a.wav\nno/c.wav\n")
    (tmp_path / "d/validation_list.txt").write_text("yes/b.wav\n")
    ran = here("scan", "d", "--jobs", 1)
    assert ran.status == 1
    assert ran.out.startswith("LEAKS: 1 of 2 test items is already in train")


def test_class_folders_beside_a_split(tmp_path: Path, here: Here) -> None:
    write(tmp_path / "d", train__a=0, cat__b=1, dog__c=2)
    ran = here("scan", "d", "--jobs", 1)
    assert ran.status == 4
    assert ran.out.startswith(
        "INCOMPLETE: no leak found, but 2 of 3 items belong to no split (cat, dog)"
    )
    assert "--splits cat=train,dog=train" in ran.err
    assert here("scan", "d", "--jobs", 1, "--splits", "cat=test,dog=dog").status == 0
    assert here("scan", "d", "--jobs", 1, "--min-coverage", 0.3).status == 0


@pytest.mark.parametrize("layout", ["c{n}__{split}__{n}", "audio__{split}__{n}"])
def test_splits_below_the_first_level(tmp_path: Path, here: Here, layout: str) -> None:
    placed = [("train", 0), ("train", 1), ("val", 2), ("val", 3)]
    write(tmp_path / "d", **{layout.format(n=n, split=split): n % 3 for split, n in placed})
    ran = here("scan", "d", "--jobs", 1)
    assert ran.status == 1
    assert ran.out.startswith("LEAKS: 1 of 2 val items is already in train")


def test_numbers_and_their_names(tmp_path: Path, here: Here) -> None:
    write(tmp_path, a=0, b=1, c=0)
    (tmp_path / "t.csv").write_text("path,split\na.wav,0\nb.wav,1\nc.wav,2\n")
    ran = here("scan", "t.csv", "--jobs", 1)
    assert (ran.status, ran.out.partition(":")[0]) == (5, "DUPLICATES")
    assert "say which is which, as --splits 0=train,1=test" in ran.err
    ran = here("scan", "t.csv", "--jobs", 1, "--splits", "0=train,1=val,2=test")
    assert ran.status == 1
    assert ran.out.startswith("LEAKS: 1 of 1 test items is already in train")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--splits", "0"], "--splits 0: expected two names such as 0=train"),
        (["--separator", "ab"], "--separator ab: expected one character, or tab, space, comma"),
        (["--encoding", "klingon"], "--encoding klingon: no such encoding"),
        (["--splits", "7=train"], "splits: no split is called '7' (there are 'x')"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, here: Here, options: list[str], said: str
) -> None:
    (tmp_path / "t.csv").write_text("path,split\na.wav,x\n")
    ran = here("scan", "t.csv", *options)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
