"""What is written about items, audited without any media: keys, captions, spans of one source."""

from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import Here, tables

TABLE = """\
id,split,source,start,end,caption,tape,take
a,train,v1,0,10,A dog barks.,t1,1
b,test,v1,8,12,"a DOG barks",t1,2
c,test,v1,12,13,Rain,t2,
d,val,v2,0,1,,t2,5
e,train,v3,,,"Rain ",,6
f,test,,,,Snow,,9
"""
MANIFEST = """
[dataset]
name = "mine"
[[tables]]
path = "train.txt"
format = "lines"
split = "train"
[[tables]]
path = "test.txt"
format = "lines"
split = "test"
[[tables]]
path = "catalogue.csv"
join = { id = "location", strip = ".wav" }
columns = { caption = "words", cd = "CD" }
[[tables]]
path = "labels.pkl"
format = "label_pickle"
join = { id = "id" }
[media.audio]
path = "audio/{id}.wav"
[attributes.track]
from = "id"
pattern = '(\\d+)$'
[keys.tape]
from = "id"
pattern = '^(.*?)\\d+$'
[keys.cd]
from = "cd"
relation = "same_setup"
[keys.neighbour]
from = "tape"
within = { track = 1 }
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "items.csv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "train.txt").write_text("x1\nx2\ny7\n")
    (tmp_path / "test.txt").write_text("x3\ny9\nz1\n")
    (tmp_path / "catalogue.csv").write_text(
        "location,words,CD\nx1.wav,Glass crash,1\ny9.wav,glass CRASH!,1\nq.wav,other,2\n"
    )
    (tmp_path / "labels.pkl").write_bytes(pickle.dumps({"x1": ["glass"], "z1": ["rain", "wind"]}))
    path = tmp_path / "mine.toml"
    path.write_text(MANIFEST)
    return path


def test_spans_of_one_source_that_overlap_are_a_leak(here: Here, table: Path) -> None:
    ran = here("scan", table, "--checks", "keys", "--out", "run", "--json")
    assert ran.status == 1
    assert ran.json["leaks"]["test|train"]["by_relation"] == {"overlap": {"items": 1, "pairs": 1}}
    assert ran.json["weak"] == {"test|train": {"by_reason": {"key:source": {"items": 2}}}}
    assert ran.json["coverage"] == {"keys": {"items": 5, "audited": 5, "by_status": {"ok": 5}}}
    (leak,) = here("leaks", "run", "--json").json
    assert (leak["a"], leak["b"], leak["splits"]) == ("a", "b", "test|train")
    assert [leak[name] for name in ("a_start", "a_end", "b_start", "b_end")] == [8, 10, 0, 2]
    assert (leak["coverage_a"], leak["coverage_b"]) == (0.2, 0.5)
    assert "seconds of one" in here("leaks", "run").out  # the words stand in a narrow column
    assert here("report", "run").status == 0


def test_captions_that_are_equal_as_they_stand_or_as_words(here: Here, table: Path) -> None:
    ran = here("scan", table, "--checks", "captions", "--out", "run", "--json")
    reasons = {"caption:exact": {"items": 1}, "caption:text": {"items": 2}}
    assert ran.json["weak"] == {"test|train": {"by_reason": reasons}}
    assert (ran.status, ran.json["verdict"]) == (0, "weak")
    assert ran.json["coverage"]["captions"] == {"items": 5, "audited": 5, "by_status": {"ok": 5}}
    assert here("scan", table, "--checks", "captions", "--fail-on", "weak").status == 1


def test_keys_of_the_command_line(here: Here, table: Path) -> None:
    words = ("scan", table, "--checks", "keys", "--key", "tape", "--key", "take=same_setup")
    ran = here(*words, "--out", "run", "--json")
    assert ran.json["weak"]["test|val"]["by_reason"] == {"key:tape": {"items": 1}}
    assert ran.json["weak"]["test|train"]["by_reason"]["key:tape"] == {"items": 1}
    policies = {row["policy"]: row for row in here("groups", "run", "--json").json}
    captions = {"caption:exact", "caption:text"}
    assert set(policies) == {"duplicate", "source", "setup", "tape", "take", *captions}
    assert policies["duplicate"]["test apart from train"] == pytest.approx(2 / 3)
    wrong = here("scan", table, "--checks", "keys", "--key", "tap")
    assert (wrong.status, wrong.err.count("\n")) == (2, 1)
    assert "key tap: no column 'tap'; did you mean 'tape'" in wrong.err
    assert "no relation 'same'" in here("scan", table, "--key", "tape=same").err


def test_items_without_paths_need_their_checks_named(here: Here, table: Path) -> None:
    ran = here("scan", table)
    assert ran.status == 2
    assert "column 'path' is missing" in ran.err


def test_what_was_asked_for_and_is_not_there_is_no_evidence(here: Here, table: Path) -> None:
    table.write_text("id,split\na,train\nb,test\n")
    ran = here("scan", table, "--checks", "keys,captions", "--json")
    assert (ran.status, ran.json["verdict"]) == (4, "incomplete")


def test_a_manifest_without_its_media(here: Here, manifest: Path) -> None:
    ran = here("scan", manifest, "--out", "run", "--json")
    assert (ran.status, ran.json["verdict"]) == (4, "incomplete")
    assert ran.json["coverage"]["audio"] == {
        "items": 6,
        "audited": 0,
        "by_status": {"missing": 6},
    }
    assert ran.json["weak"]["test|train"]["by_reason"] == {
        "caption:text": {"items": 1},
        "key:cd": {"items": 1},
        "key:neighbour": {"items": 1},
        "key:tape": {"items": 2},
    }
    assert "catalogue.csv: 1 of 3 rows name no item" in ran.err
    items = {row["item_id"]: row for row in tables(Path("run"))["items"]}
    assert items["z1"]["labels"] == ["rain", "wind"]
    assert items["x1"]["captions"] == ["Glass crash"]
    assert dict(items["x1"]["attributes"]) == {"cd": "1", "track": "1", "tape": "x"}
    assert "audio: 0 of 6 items audited: 6 missing" in here("scan", manifest).out


def test_a_split_by_keys_is_checked_by_keys(here: Here, manifest: Path) -> None:
    here("scan", manifest, "--checks", "keys", "--out", "run")
    done = here("split", "run", "--policy", "tape,cd")
    assert (done.status, "No accepted match crosses" in done.out) == (0, True)
    assert here("check", "run/split", "--run", "run", "--policy", "tape,cd").status == 0
    old = here("check", manifest.parent, "--run", "run", "--policy", "cd")
    assert old.status == 1
    assert "key:cd: 1 value in more than one split; for instance '1'" in old.out
    assert here("check", manifest.parent, "--run", "run").status == 0
    wrong = here("split", "run", "--policy", "disc")
    assert (wrong.status, "no policy or key 'disc'" in wrong.err) == (2, True)


def test_a_joined_table_that_is_not_there_is_said(here: Here, manifest: Path) -> None:
    (manifest.parent / "catalogue.csv").unlink()
    ran = here("scan", manifest, "--checks", "keys", "--json")
    assert "catalogue.csv not found: what it tells is not audited" in ran.err
    assert set(ran.json["weak"]["test|train"]["by_reason"]) == {"key:tape", "key:neighbour"}


def test_a_hostile_or_broken_joined_table(here: Here, manifest: Path) -> None:
    (manifest.parent / "labels.pkl").write_bytes(pickle.dumps({"x1": [print]}))
    ran = here("scan", manifest)
    assert (ran.status, "is no pickle of labels by id: it asks for builtins.print" in ran.err) == (
        2,
        True,
    )
    (manifest.parent / "catalogue.csv").write_text("location,words,CD\nx1.wav,one\n")
    (manifest.parent / "labels.pkl").write_bytes(pickle.dumps({}))
    ran = here("scan", manifest)
    assert (ran.status, "catalogue.csv line 2: 2 cells, expected 3" in ran.err) == (2, True)


def test_captions_that_are_nearly_alike(here: Here, table: Path) -> None:
    table.write_text(
        "id,split,caption\na,train,An old man reads a newspaper.\n"
        "b,test,An older man reads a newspaper\nc,test,Rain\n"
    )
    asked = ("--checks", "captions", "--captions", "near", "--out", "run", "--json")
    found = here("scan", table, *asked).json
    assert found["weak"] == {"test|train": {"by_reason": {"caption:near": {"items": 1}}}}
    assert found["coverage"] == {"captions": {"items": 3, "audited": 3, "by_status": {"ok": 3}}}
    (edge,) = tables(Path("run"))["edges"]
    assert (edge["a"], edge["b"], edge["policy"], edge["cut"]) == ("a", "b", "caption:near", False)
    assert here("split", "run", "--policy", "caption:near", "--json").json["moved"] == 1
    assert "caption:near (1 value)" in here("check", "--run", "run").out
    ran = here("scan", table, "--captions", "near,alike")
    assert (ran.status, "--captions: no rule 'alike'" in ran.err) == (2, True)


def test_a_cap_on_groups_is_listed_and_kept(here: Here, manifest: Path) -> None:
    here("scan", manifest, "--checks", "keys", "--out", "run")
    assert (
        "x2 - x3 (key:neighbour 0.50)"
        in here("groups", "run", "--policy", "neighbour", "--cap", "2").out
    )
    made = here("split", "run", "--policy", "neighbour", "--cap", "2", "--json").json
    assert (made["refused"], made["moved"]) == (1, 0)
    cut = tables(Path("run"))["edges"]
    assert [(row["a"], row["b"]) for row in cut if row["cut"]] == [("x2", "x3")]
    assert here("check", "--run", "run").status == 0
    again = here("split", "run", "--policy", "neighbour", "--json").json
    assert (again["refused"], again["moved"]) == (0, 1)


def test_pinned_items_stay(here: Here, manifest: Path) -> None:
    here("scan", manifest, "--checks", "keys", "--out", "run")
    pins = Path("pins.txt")
    pins.write_text("x3\n")
    made = here("split", "run", "--policy", "neighbour", "--pin", pins, "--json").json
    assert (made["moved"], made["counts"]) == (2, {"test": 5, "train": 1})
    pins.write_text("x9\n")
    ran = here("split", "run", "--pin", pins)
    assert (ran.status, "no item 'x9' to pin" in ran.err) == (2, True)


def test_ratios_are_those_of_the_manifest_and_what_they_miss_is_said(
    here: Here, manifest: Path
) -> None:
    manifest.write_text(manifest.read_text() + "[split]\nratios = { train = 0.5, test = 0.5 }\n")
    here("scan", manifest, "--checks", "keys", "--out", "run")
    made = here("split", "run", "--mode", "regroup", "--json").json
    assert (made["counts"], made["unmet"]) == ({"test": 3, "train": 3}, [])
    shares = ("--ratios", "train=0.9,test=0.1", "--policy", "neighbour")
    said = here("split", "run", "--mode", "regroup", *shares).out
    assert "test holds 16.7% of the items where 10.0% was asked for" in said


def test_a_caption_of_a_megabyte(here: Here, table: Path) -> None:
    long = "word " * 200_000
    rows = [f'{name},{split},"{long}{more}"' for name, split, more in LONG]
    table.write_text("\n".join(["id,split,caption", *rows]))
    asked = ("--checks", "captions", "--captions", "exact,near")
    ran = here("scan", table, *asked, "--out", "run", "--json")
    equal = {"caption:exact": {"items": 1}, "caption:near": {"items": 1}}  # and not c
    assert ran.json["weak"] == {"test|train": {"by_reason": equal}}
    assert here("check", table, "--run", "run").status == 0


LONG = [("a", "train", ""), ("b", "test", ""), ("c", "test", "more")]


def test_columns_of_odd_types_are_named(here: Here, tmp_path: Path) -> None:
    odd = pa.table({"id": ["a"], "split": [[1]]})
    pq.write_table(odd, tmp_path / "odd.parquet")
    ran = here("scan", tmp_path / "odd.parquet", "--checks", "keys")
    assert (ran.status, "column 'split' is missing" in ran.err) == (2, True)
    assert "columns of neither text nor numbers are not read: 'split' (list<" in ran.err
    odd = pa.table({"id": ["a"], "split": ["train"], "captions": [{"en": 1}], "source": ["s"]})
    pq.write_table(odd, tmp_path / "odd.parquet")
    ran = here("scan", tmp_path / "odd.parquet", "--checks", "keys")
    assert (ran.status, "'captions' (struct<en" in ran.err) == (0, True)


def test_a_list_of_nothing_is_said(here: Here, manifest: Path) -> None:
    (manifest.parent / "test.txt").write_text("\n")
    ran = here("scan", manifest, "--checks", "keys", "--json")
    assert "note: test.txt lists nothing" in ran.err
    assert ran.json["splits"] == {"train": 3}


def test_equal_file_names_are_a_key_that_is_asked_for(here: Here, tmp_path: Path) -> None:
    for name in ("train/a/x1.wav", "test/b/x1.flac", "test/b/x2.wav", "train/c/x2.wav"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(b"")
    asked = ("--checks", "keys", "--out", "run", "--json")
    found = here("scan", tmp_path / "data", *asked, "--key", "stem", "--key", "file_name").json
    assert found["weak"]["test|train"]["by_reason"] == {
        "key:file_name": {"items": 1},
        "key:stem": {"items": 2},
    }
    table = tmp_path / "items.csv"
    table.write_text("id,split,path\na,train,a/x.wav\nb,test,b/x.mp3\n")
    assert here("scan", table, *asked, "--key", "stem").json["verdict"] == "weak"
    ran = here("scan", tmp_path / "data", "--key", "speaker")
    assert (ran.status, "key speaker: of a folder only" in ran.err) == (2, True)
