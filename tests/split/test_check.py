import ast
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tables import (
    groups_of,
    items_of,
    match,
    matches_of,
    media_of,
    random_dataset,
    unhurried,
)

import splitaudit.split.check
from splitaudit import schema
from splitaudit.errors import InputError
from splitaudit.schema import conform
from splitaudit.split import digest, repair
from splitaudit.split.check import check, must_link
from splitaudit.split.foreign import read_digest, read_split


def frame(placed):
    return pd.DataFrame(list(placed.items()), columns=["item_id", "new_split"])


def media_for(items):
    return media_of({x: {} for x in items["item_id"].to_pylist()})


@pytest.fixture(scope="module")
def repaired():
    items, matches = random_dataset(300, 150, seed=7)
    return items, matches, repair(items, groups_of(items, matches))


def test_a_repaired_split_passes(repaired):
    items, matches, new = repaired
    result = check(items, media_for(items), matches, new, claimed_digest=digest(new))
    assert result.exit_status == 0
    assert result.digest_holds is True
    assert result.sentences() == [
        "No accepted match crosses the split.",
        "The digest holds.",
        "audio: 300 of 300 items audited.",
    ]


def test_the_old_split_is_refuted(repaired):
    items, matches, _ = repaired
    old = frame(dict(zip(*items.select(["item_id", "split"]).to_pydict().values(), strict=True)))
    crossing = {x["a"] + x["b"] for x in matches.to_pylist() if x["a"][:3] != x["b"][:3]}
    result = check(items, media_for(items), matches, old)
    assert {
        x + y for x, y in zip(result.crossings["a"], result.crossings["b"], strict=True)
    } == crossing
    assert result.exit_status == 1


def test_each_of_100_planted_crossings_is_found(repaired):
    items, matches, new = repaired
    media, home = media_for(items), new.to_pandas().set_index("item_id")["new_split"]
    for i, row in enumerate(matches.to_pylist()[:100]):
        moved, stayed = (row["a"], row["b"]) if i % 2 else (row["b"], row["a"])
        elsewhere = next(x for x in ("test", "val", "train") if x != home[stayed])
        planted = home.where(home.index != moved, elsewhere).reset_index()
        result = check(items, media, matches, planted, claimed_digest=digest(new))
        found = set(zip(result.crossings["a"], result.crossings["b"], strict=True))
        assert (row["a"], row["b"]) in found
        assert all(moved in pair for pair in found)
        assert result.exit_status == 1
        assert result.digest_holds is False


def small(matches, placed, **asked):
    items = items_of({"a": "train", "b": "test", "c": "val"})
    return check(items, media_for(items), matches_of(matches), frame(placed), **asked)


SOUND = {"a": "train", "b": "test", "c": "val"}


@pytest.mark.parametrize("relation", ["exact", "near_duplicate", "overlap"])
def test_every_leak_relation_counts(relation):
    result = small([match("a", "b", relation)], SOUND)
    assert result.crossings.to_dict("records") == [
        {
            "a": "a",
            "b": "b",
            "relation": relation,
            "score": 0.9,
            "a_split": "train",
            "b_split": "test",
        }
    ]
    assert result.exit_status == 1


def test_refused_matches_and_weak_relations_do_not_count():
    rows = [match("a", "b", accepted=False), match("a", "c", accepted=None)]
    assert small([*rows, match("b", "c", "same_source")], SOUND).exit_status == 0


def test_shared_material_is_residual():
    result = small([match("a", "b", "shared_material"), match("a", "c", "shared_material")], SOUND)
    assert (result.residual, result.exit_status) == (2, 0)
    assert "2 matches of shared material cross the split: weak, not a leak." in result.sentences()


def test_the_most_certain_crossing_comes_first():
    rows = [match("a", "b", score=0.5), match("b", "c", score=0.99)]
    result = small(rows, SOUND)
    assert result.crossings["score"].tolist() == [0.99, 0.5]
    assert result.sentences()[0] == (
        "2 accepted matches cross the split; the first: 'b' in 'test' and 'c' in 'val' "
        "(near_duplicate, score 0.99)."
    )


def test_among_equals_crossings_come_in_the_order_of_their_items():
    items = items_of(dict.fromkeys("abcd", "train"))
    rows = [match(*pair) for pair in ("cd", "bc", "ad", "ab")]
    placed = frame({"a": "train", "b": "test", "c": "train", "d": "test"})
    found = check(items, media_for(items), matches_of(rows), placed).crossings
    assert (found["a"] + found["b"]).tolist() == ["ab", "ad", "bc", "cd"]


def test_a_pair_that_two_parts_prove_alike_is_one_crossing():
    rows = [match("a", "b", part="audio"), match("a", "b", part="image")]
    assert len(small(rows, SOUND).crossings) == 1
    rows = [match("a", "b", part="audio"), match("a", "b", part="image", score=0.8)]
    assert small(rows, SOUND).crossings["score"].tolist() == [0.9, 0.8]


def test_shared_material_counts_where_it_is_accepted_and_crosses():
    rows = [match(*pair, "shared_material") for pair in ("ab", "ac")]
    rows += [match("b", "c", "shared_material", accepted=False), match("b", "c", "similar")]
    assert small(rows, SOUND).residual == 2
    assert small(rows, SOUND | {"b": "train"}).residual == 1
    assert small(rows, dict.fromkeys("abc", "train")).residual == 0


def kept_together(*rows):
    return pd.DataFrame(list(rows), columns=["reason", "value", "item_id"])


def test_each_parted_value_is_told_with_its_items_its_splits_and_two_of_them():
    placed = {"a": "train", "b": "train", "c": "test", "d": "val", "e": "val", "f": None}
    kept = kept_together(
        ("key:tape", "x", "b"),
        ("key:tape", "x", "a"),
        ("key:tape", "x", "d"),
        ("key:tape", "x", "c"),
        ("key:tape", "x", "c"),
        ("key:tape", "x", "f"),
        ("key:tape", "w", "d"),
        ("key:tape", "w", "e"),
        ("key:tape", "v", "e"),
        ("key:tape", "v", "c"),
        ("key:cd", "x", "d"),
        ("key:cd", "x", "e"),
        ("key:cd", "y", "f"),
    )
    items = items_of(dict.fromkeys(placed, "train"))
    found = check(items, media_for(items), matches_of([]), frame(placed), together=kept)
    assert found.parted.to_dict("records") == [
        {
            "reason": "key:tape",
            "value": "v",
            "items": 2,
            "splits": 2,
            "example": "e in val and c in test",
        },
        {
            "reason": "key:tape",
            "value": "x",
            "items": 4,
            "splits": 3,
            "example": "b in train and d in val",
        },
    ]
    assert found.kept == {"key:cd": 2, "key:tape": 1}
    assert found.exit_status == 1
    assert found.sentences()[1:3] == [
        "key:tape: 2 values in more than one split; for instance 'v', e in val and c in test.",
        "Kept whole: key:cd (2 values), key:tape (1 value).",
    ]


def test_reasons_are_parted_on_their_own_and_none_is_kept_where_all_are_parted():
    placed = {"a": "train", "b": "test", "c": "test"}
    kept = kept_together(("key:tape", "x", "a"), ("key:tape", "x", "b"), ("key:cd", "x", "b"))
    items = items_of(placed)
    found = check(items, media_for(items), matches_of([]), frame(placed), together=kept)
    assert (found.parted["reason"].tolist(), found.kept) == (["key:tape"], {"key:cd": 1})
    kept = kept_together(("key:tape", "x", "b"), ("key:tape", "x", "c"))
    found = check(items, media_for(items), matches_of([]), frame(placed), together=kept)
    assert (len(found.parted), found.kept, found.exit_status) == (0, {"key:tape": 1}, 0)


def test_a_link_of_a_policy_that_is_parted_is_named_by_its_two_items():
    placed = {"a": "train", "b": "test", "c": "test"}
    link = {"policy": "tape", "reason": "key:tape", "weight": 1.0, "cut": False}
    links = [link | {"a": "a", "b": "b"}, link | {"a": "b", "b": "c"}]
    together = must_link(schema.MEMBERSHIPS.empty_table(), conform(links, schema.EDGES), "tape")
    items = items_of(placed)
    found = check(items, media_for(items), matches_of([]), frame(placed), together=together)
    assert found.parted["value"].tolist() == ["a - b"]
    assert "'a - b', a in train and b in test" in found.sentences()[1]
    assert found.exit_status == 1


def test_an_item_that_is_listed_in_two_splits_parts_its_values_by_itself():
    listed = pd.DataFrame({"item_id": ["a", "a"], "new_split": ["train", "test"]})
    items = items_of({"a": "train"})
    kept = kept_together(("key:tape", "x", "a"))
    found = check(items, media_for(items), matches_of([]), listed, together=kept)
    row = {"reason": "key:tape", "value": "x", "items": 1, "splits": 2}
    assert found.parted.to_dict("records") == [row | {"example": "a in train and a in test"}]


@pytest.mark.parametrize(
    ("count", "listed"),
    [(1, "'x0'."), (3, "'x0', 'x1', 'x2'."), (4, "'x0', 'x1', 'x2' and 1 more.")],
)
def test_three_ids_are_named_and_the_others_counted(count, listed):
    placed = SOUND | {f"x{n}": "test" for n in range(count)}
    said = small([], placed).sentences()
    assert f"{count} items of the split: not in the dataset: {listed}" in said


def test_each_kind_of_fault_is_said_of_its_own_ids():
    items = items_of(dict.fromkeys("abc", "train"))
    listed = pd.DataFrame({"item_id": ["a", "x", "a"], "new_split": ["train", "test", "train"]})
    found = check(items, media_for(items), matches_of([]), listed)
    assert (found.missing, found.unknown, found.repeated) == (("b", "c"), ("x",), ("a",))
    assert found.sentences()[1:4] == [
        "2 items of the dataset: in no split and not listed as dropped: 'b', 'c'.",
        "1 items of the split: not in the dataset: 'x'.",
        "1 items of the split: listed more than once: 'a'.",
    ]


def test_a_digest_that_does_not_hold_fails_on_its_own():
    result = small([], SOUND, claimed_digest="0" * 64)
    assert (result.digest_holds, result.exit_status) == (False, 1)
    assert (
        "The digest does not hold: this is not the split that its sidecar describes."
        in result.sentences()
    )
    assert small([], SOUND).digest_holds is None


def test_missing_unknown_and_dropped():
    assert small([], {"a": "train", "b": "test"}).missing == ("c",)
    assert small([], {"a": "train", "b": "test"}).exit_status == 1
    assert small([], SOUND | {"x\n": "test"}).unknown == ("x\n",)
    assert small([], SOUND | {"x\n": "test"}).exit_status == 1
    dropped = small([match("a", "b")], SOUND | {"b": None})
    assert (dropped.missing, dropped.exit_status) == ((), 0)
    assert (
        "1 items of the split: not in the dataset: 'x\\n'."
        in small([], SOUND | {"x\n": "t"}).sentences()
    )


@pytest.mark.parametrize("second", ["train", "test", None])
def test_an_item_that_is_listed_twice(second):
    items = items_of({"a": "train", "b": "train"})
    listed = pd.DataFrame({"item_id": ["a", "b", "b"], "new_split": ["train", "train", second]})
    result = check(items, media_for(items), matches_of([match("a", "b")]), listed)
    assert result.repeated == ("b",)
    assert result.exit_status == 1
    assert len(result.crossings) == (second == "test")


@pytest.mark.parametrize(
    ("status", "least", "expected"),
    [
        ("ok", 1.0, 0),
        ("degenerate", 1.0, 0),
        ("truncated", 1.0, 4),
        ("truncated", 2 / 3, 0),
        ("error", 0.67, 4),
    ],
)
def test_coverage(status, least, expected):
    items = items_of(SOUND)
    media = media_of({"a": {}, "b": {}, "c": {"status": status}})
    result = check(items, media, matches_of([]), frame(SOUND), min_coverage=least)
    assert result.exit_status == expected
    assert result.coverage == {"audio": {"items": 3, "audited": 2 + (status in schema.AUDITED)}}


def test_an_item_is_audited_where_all_its_media_of_a_part_are():
    items = items_of(SOUND)
    known = {"modality": "audio", "part": "audio"}
    rows = [("a", "ok"), ("a", "error"), ("b", "ok"), ("b", "degenerate"), ("c", "missing")]
    rows = [known | {"item_id": x, "status": status} for x, status in rows]
    rows.append({"item_id": "c", "part": "image", "modality": "image", "status": "ok"})
    media = schema.conform(rows, schema.MEDIA)
    asked = {"checks": ("audio", "image"), "min_coverage": 1 / 3}
    found = check(items, media, matches_of([]), frame(SOUND), **asked)
    assert found.coverage == {
        "audio": {"items": 3, "audited": 1},
        "image": {"items": 1, "audited": 1},
    }
    assert found.exit_status == 0
    found = check(items, media, matches_of([]), frame(SOUND), **asked | {"min_coverage": 0.3334})
    assert found.exit_status == 4
    assert found.sentences()[-2:] == [
        "audio: 1 of 3 items audited, less than the share of 0.3334 that was asked for.",
        "image: 1 of 1 items audited.",
    ]
    unasked = check(items, media, matches_of([]), frame(SOUND))
    assert (list(unasked.coverage), unasked.min_coverage) == (["audio"], 1.0)


def test_a_crossing_weighs_more_than_missing_evidence():
    items = items_of(SOUND)
    media = media_of({"a": {"status": "missing"}, "b": {}, "c": {}})
    result = check(items, media, matches_of([match("a", "b")]), frame(SOUND))
    assert result.exit_status == 1
    assert result.sentences()[-1] == (
        "audio: 2 of 3 items audited, less than the share of 1 that was asked for."
    )


def test_a_dropped_item_needs_no_evidence_and_a_check_without_media_has_none():
    items = items_of(SOUND)
    media = media_of({"a": {"status": "missing"}, "b": {}, "c": {}})
    assert check(items, media, matches_of([]), frame(SOUND | {"a": None})).exit_status == 0
    video = check(items, media, matches_of([]), frame(SOUND), checks=("video",), min_coverage=0)
    assert video.exit_status == 4
    assert video.sentences()[-1] == "video: no item has any, so there is no evidence."


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)


@unhurried
@given(st.dictionaries(IDS, st.one_of(st.none(), IDS), max_size=6))
def test_checker_and_splitter_agree_on_the_digest_of_any_text(placed):
    rows = [{"item_id": x, "new_split": split} for x, split in placed.items()]
    claimed = digest(schema.conform(rows, schema.SPLITS))
    items = items_of(dict.fromkeys(placed, "train"))
    result = check(items, media_for(items), matches_of([]), frame(placed), claimed_digest=claimed)
    assert result.digest_holds
    other = frame(placed | {"more": "x"})
    result = check(items, media_for(items), matches_of([]), other, claimed_digest=claimed)
    assert not result.digest_holds or placed.get("more") == "x"


def test_the_checker_shares_no_code_with_the_splitter():
    tree = ast.parse(Path(splitaudit.split.check.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {x for x in imported if x.startswith("splitaudit")} == {"splitaudit.schema"}


# Reading what someone brings.


def read(path):
    rows = read_split(path)
    return [
        (x, None if pd.isna(y) else y)
        for x, y in zip(rows["item_id"], rows["new_split"], strict=True)
    ]


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


TWO = [("é,1", "train"), ("b", "test")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.csv", 'item_id,new_split\n"é,1",train\nb,test\n'),
        ("s.CSV", '\ufeffid,x,split\r\n"é,1",7,train\r\nb,,test\r\n'),
        ("s.csv", 'split,id,new_split\nold,"é,1",train\nold,b,test\n'),
        ("s.tsv", "id\tsplit\né,1\ttrain\nb\ttest"),
        ("s.jsonl", '{"id": "é,1", "split": "train"}\n{"item_id": "b", "new_split": "test"}\n'),
    ],
)
def test_tables(tmp_path, name, text):
    assert read(write(tmp_path / name, text)) == TWO


def test_ids_that_hold_newlines_are_read_from_tables(tmp_path):
    assert read(write(tmp_path / "s.csv", 'id,split\n"a\r\nb",train\n')) == [("a\r\nb", "train")]


@pytest.mark.parametrize("columns", [("item_id", "new_split"), ("id", "split")])
def test_parquet_tables_with_text_and_whole_numbers(tmp_path, columns):
    path = tmp_path / "split=x" / "s.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table([[7, 8], ["train", None]], names=list(columns)), path)
    assert read(path) == [("7", "train"), ("8", None)]


def test_dropped_items_of_tables(tmp_path):
    text = "id,split,action\na,,dropped\nb,test,moved\n"
    assert read(write(tmp_path / "s.csv", text)) == [("a", None), ("b", "test")]
    text = '{"id": "a", "split": null}\n{"id": 3, "split": "x"}\n'
    assert read(write(tmp_path / "s.jsonl", text)) == [("a", None), ("3", "x")]


def test_a_folder_of_lists(tmp_path):
    write(tmp_path / "train.txt", "train/é,1\r\n b \r\n")
    write(tmp_path / "test.txt", "c")
    write(tmp_path / "val.txt", "")
    write(tmp_path / ".hidden.txt", "d")
    assert read(tmp_path) == [("c", "test"), ("train/é,1", "train"), (" b ", "train")]


def test_a_folder_of_parquet_files(tmp_path):
    pq.write_table(pa.table({"item_id": ["a"], "split": ["old"]}), tmp_path / "test.parquet")
    pq.write_table(pa.table({"id": ["b", "c"]}), tmp_path / "train.parquet")
    assert read(tmp_path) == [("a", "test"), ("b", "train"), ("c", "train")]


def test_a_folder_with_a_whole_plan(tmp_path):
    pq.write_table(pa.table({"item_id": ["b", "c"]}), tmp_path / "train.parquet")
    plan = pa.table({"item_id": ["b", "c"], "new_split": ["train", None], "old_split": ["x", "x"]})
    pq.write_table(plan, tmp_path / "splits.parquet")
    assert read(tmp_path) == [("b", "train"), ("c", None)]


def test_the_sidecar_names_files_drops_and_digest(tmp_path):
    write(tmp_path / "x~1.txt", "a\n")
    write(tmp_path / "stale.txt", "a\n")
    sidecar = {"files": {"../x": "x~1.txt"}, "dropped": ["b"], "digest": "d"}
    write(tmp_path / "split.json", json.dumps(sidecar))
    assert read(tmp_path) == [("a", "../x"), ("b", None)]
    assert read_digest(tmp_path) == read_digest(tmp_path / "x~1.txt") == "d"
    assert read_digest(tmp_path.parent / "nowhere.csv") is None


FAULTS = [
    ("s.csv", "", "expected a column item_id or id; found none"),
    ("s.csv", "id,set\na,x\n", "expected a column new_split or split; found 'id', 'set'"),
    ("s.csv", "id,split\na,train\n,test\n", "line 3: no item id"),
    ("s.csv", "id,split\na,train\nb\n", "line 3: item 'b' has no split"),
    ("s.csv", "id,split\na,train,x\n", "line 2: more fields than the header has"),
    ("s.csv", 'id,split\na,train\n"b"c,train\n', "line 3: "),
    ("s.csv", b"id,split\na,train\n\xff,test\n", "line 3: expected UTF-8"),
    ("s.csv", "id,split,action\na,,kept\n", "line 2: item 'a' has no split, and its action is not"),
    ("s.csv", "id,split,action\na,x,dropped\n", "line 2: item 'a' is dropped, and stands in"),
    ("s.jsonl", '{"id": "a", "split": "x"}\n[]\n', "line 2: expected a JSON object"),
    ("s.jsonl", '{"id": "a"}\n', "line 1: no new_split or split"),
    ("s.jsonl", '{"id": 1.5, "split": "x"}\n', "line 1: item_id must be text, not 1.5"),
    ("s.jsonl", '{"id": true, "split": "x"}\n', "line 1: item_id must be text, not True"),
    ("s.jsonl", '{"id": "\\ud800", "split": "x"}\n', "line 1: item_id must be text"),
    ("s.jsonl", "[" * 100_000, "line 1: expected a JSON object"),
    ("s.parquet", "PAR1", "expected a Parquet file"),
    ("s.xlsx", "a", "expected a folder, or a .parquet, .csv, .tsv or .jsonl file"),
    ("train.txt", "a\n", "expected a folder, or"),
]


@pytest.mark.parametrize(("name", "text", "said"), FAULTS)
def test_faults_name_the_file_and_the_line(tmp_path, name, text, said):
    path = write(tmp_path / name, text)
    with pytest.raises(InputError) as caught:
        read_split(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_all_faults_come_at_once_and_not_without_end(tmp_path):
    path = write(tmp_path / "s.csv", "id,split\n" + "a,\n" * 50)
    with pytest.raises(InputError) as caught:
        read_split(path)
    assert len(caught.value.problems) == 21
    assert caught.value.problems[-1] == "and 30 more"


def test_a_parquet_fault_names_the_row(tmp_path):
    pq.write_table(pa.table({"id": ["a", None], "split": ["x", "x"]}), tmp_path / "s.parquet")
    with pytest.raises(InputError, match="row 2: no item id"):
        read_split(tmp_path / "s.parquet")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "neither .txt nor .parquet"),
        ({"a.txt": "", "b.parquet": ""}, "both .txt and .parquet"),
        ({"a.txt": "x\n\ny\n"}, "line 2: no item id"),
        ({"a.txt": "", "split.json": "{"}, "expected a JSON object"),
        ({"a.txt": "", "split.json": '{"files": {"x": "../a.txt"}}'}, "`files` must"),
        ({"a.txt": "", "split.json": '{"files": {"x": "/etc/passwd"}}'}, "`files` must"),
        ({"a.txt": "", "split.json": '{"files": {"x": 7}}'}, "`files` must"),
        ({"a.txt": "", "split.json": '{"table": 7}'}, "`table` must be the name of a file"),
        ({"a.txt": "", "split.json": '{"files": ["a.txt"], "dropped": [1]}'}, "`dropped` must"),
        ({"a.txt": "", "split.json": '{"files": {"x": "gone.txt"}}'}, "cannot be read"),
    ],
)
def test_faults_of_folders(tmp_path, files, said):
    for name, text in files.items():
        write(tmp_path / name, text)
    with pytest.raises(InputError) as caught:
        read_split(tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["gone.csv", "gone.parquet", "gone"])
def test_a_path_that_does_not_exist(tmp_path, name):
    with pytest.raises(InputError, match=name):
        read_split(tmp_path / name)
