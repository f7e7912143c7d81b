"""Facts in parts: each is there once, whole or not at all, and what cannot be written is said."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from splitaudit.engine.store import (
    Parts,
    atomic_replace,
    digest,
    read_json,
    to_json,
    write_table,
    write_text,
)
from splitaudit.errors import SplitauditError

FACTS = pa.schema({"key": pa.string(), "number": pa.int64()})


def note(parts: Parts, facts: dict[str, int]) -> None:
    """Write a part with a fact of each key."""
    table = pa.table({"key": list(facts), "number": list(facts.values())}, FACTS)
    write_table(table, parts.path(tuple(facts)))


def read(parts: Parts, *keys: str) -> list[tuple[str, int]]:
    found = parts.read(pa.array(keys, pa.string()), FACTS)
    assert found.schema.equals(FACTS)
    return [(row["key"], row["number"]) for row in found.to_pylist()]


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path / "facts")


def test_facts_come_sorted_by_key_and_only_those_that_are_asked_for(parts: Parts) -> None:
    assert read(parts, "a") == []
    note(parts, {"d": 4, "b": 2})
    note(parts, {"c": 3, "a": 1})
    assert read(parts, "a", "b", "c", "d") == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert read(parts, "d", "a", "x") == [("a", 1), ("d", 4)]
    assert read(parts) == []


def test_a_fact_that_two_runs_computed_is_read_once(parts: Parts) -> None:
    """Two scans at once cut the same jobs into different parts."""
    note(parts, {"a": 1, "b": 2})
    note(parts, {"b": 2, "c": 3})
    note(parts, {"c": 3})
    assert read(parts, "a", "b", "c") == [("a", 1), ("b", 2), ("c", 3)]
    assert read(parts, "c") == [("c", 3)]
    assert read(parts, "b", "a") == [("a", 1), ("b", 2)]


def test_a_fact_that_two_runs_computed_is_read_once_where_another_is_missing(parts: Parts) -> None:
    note(parts, {"a": 1, "b": 2})
    note(parts, {"b": 2})
    assert read(parts, "b", "x") == [("b", 2)]


def test_part_by_part_what_was_computed_twice_comes_twice(parts: Parts) -> None:
    note(parts, {"a": 1, "b": 2})
    note(parts, {"b": 2, "c": 3})
    found = parts.parts_of(pa.array(["b", "c"]), FACTS)
    assert sorted(key for table in found for key in table["key"].to_pylist()) == ["b", "b", "c"]


def test_which_facts_are_known(parts: Parts) -> None:
    keys = pa.array(["a", "b", "c"])
    assert parts.known(keys).to_pylist() == [False, False, False]
    note(parts, {"a": 1})
    note(parts, {"c": 3, "d": 4})
    assert parts.known(keys).to_pylist() == [True, False, True]
    assert parts.known(pa.array([], pa.string())).to_pylist() == []


def test_only_the_columns_of_the_schema_are_read(parts: Parts) -> None:
    write_table(pa.table({"more": ["x"], "number": [1], "key": ["a"]}), parts.path(["a"]))
    assert read(parts, "a") == [("a", 1)]


def test_a_part_is_named_by_its_keys_and_their_order(parts: Parts) -> None:
    names = [parts.path(keys) for keys in (["a", "b"], ["b", "a"], ["ab"], ["a"], [])]
    assert len(set(names)) == 5
    assert parts.path(["a", "b"]) == parts.folder / f"{digest('a', 'b')}.parquet"
    assert len(digest("a")) == 32
    assert digest("\udcff") != digest("\udcfe")  # odd bytes of paths
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


@pytest.mark.parametrize(("age_s", "left"), [(24 * 3600 - 90, True), (24 * 3600 + 90, False)])
def test_what_was_left_half_written_a_day_ago_is_removed(
    parts: Parts, age_s: int, left: bool
) -> None:
    note(parts, {"a": 1})
    (whole,) = parts.folder.iterdir()
    half = parts.folder / "x-0123.tmp"
    half.touch()
    for path in (half, whole):
        os.utime(path, (0, time.time() - age_s))
    parts.sweep()
    assert half.exists() == left
    assert whole.exists()


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.txt"
    write_text("old", path)

    def fail() -> None:
        with atomic_replace(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]
    write_text("new", path)
    assert path.read_text() == "new"


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with atomic_replace(tmp_path / "made") as temporary:
            temporary.mkdir()
            (temporary / "a").touch()
            raise OSError(errno.EACCES, "Permission denied")

    with pytest.raises(SplitauditError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [40, 41, 240])
def test_a_name_as_long_as_a_disk_takes_is_written(tmp_path: Path, length: int) -> None:
    """The free name beside it is a part of it and some more."""
    path = tmp_path / f"{'n' * length}.txt"
    with atomic_replace(path) as temporary:
        assert temporary.name.startswith(f"{'n' * 40}-")
        assert temporary.suffix == ".tmp"
        temporary.write_text("x")
    assert path.read_text() == "x"


FULL = "the disk is full: {folder} cannot take a.txt; free some space"
REFUSED = "cannot write {folder}/a.txt: {reason}; choose another folder"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "Kein Platz mehr"), FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), FULL),
        (OSError("[Errno 28] Error writing bytes. Detail: No space left on device"), FULL),
        (
            OSError(errno.EACCES, "Permission denied"),
            REFUSED.replace("{reason}", "Permission denied"),
        ),
        (OSError("worn out"), REFUSED.replace("{reason}", "worn out")),
    ],
)
def test_why_nothing_can_be_written_is_said(tmp_path: Path, error: OSError, said: str) -> None:
    with pytest.raises(SplitauditError) as caught, atomic_replace(tmp_path / "a.txt"):
        raise error
    assert str(caught.value).startswith(said.replace("{folder}", str(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_json_is_for_people_and_comes_back(tmp_path: Path) -> None:
    assert to_json({"ü": [1]}) == '{\n  "ü": [\n    1\n  ]\n}\n'
    write_text(to_json({"ü": [1]}), tmp_path / "a.json")
    assert read_json(tmp_path / "a.json") == {"ü": [1]}


def test_a_table_comes_back_as_it_was_and_a_folder_with_an_equals_sign_says_nothing(
    tmp_path: Path,
) -> None:
    table = pa.table({"key": ["a", "a", None], "number": [1, None, 3]}, FACTS)
    write_table(table, tmp_path / "number=z" / "x.parquet")
    assert pq.read_table(tmp_path / "number=z" / "x.parquet", partitioning=None).equals(table)
    assert read(Parts(tmp_path / "number=z"), "a") == [("a", 1)]
