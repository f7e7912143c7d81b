"""Splits under other names, splits of a joined table, and what no other table lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from splitaudit.dataset import Dataset, IngestOptions, ingest
from splitaudit.errors import InputError, SplitauditError

NUMBERS = {"0": "train", "1": "valid", "2": "test"}


def splits(dataset: Dataset) -> dict[str, str]:
    return dict(
        zip(*(dataset.items[name].to_pylist() for name in ("item_id", "split")), strict=True)
    )


def table(folder: Path, text: str, name: str = "t.csv") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def manifest(folder: Path, body: str, options: IngestOptions | None = None) -> Dataset:
    (folder / "m.toml").write_text(f'[dataset]\nname = "m"\n{body}')
    return ingest(str(folder / "m.toml"), options or IngestOptions(media=False))


def test_numbers_become_splits(tmp_path: Path) -> None:
    target = table(tmp_path, "path,split\na.wav,0\nb.wav,1\nc.wav,2\nd.wav,3\n")
    found = ingest(target, IngestOptions(splits=NUMBERS))
    assert splits(found) == {"a.wav": "train", "b.wav": "val", "c.wav": "test", "d.wav": "3"}
    assert found.split_order == ("test", "val", "train", "3")
    assert found.notes == ("splits that were given no other name: '3' (1)",)


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    target = table(tmp_path, "path,split\na.wav,fold1\nb.wav,fold2\n")
    with pytest.raises(InputError) as caught:
        ingest(target, IngestOptions(splits={"flod1": "train"}))
    assert list(caught.value.problems) == [
        "splits: no split is called 'flod1'; did you mean 'fold1' or 'fold2'? (there are 'fold1', "
        "'fold2')"
    ]


def test_several_splits_become_one(tmp_path: Path) -> None:
    target = table(tmp_path, "id,path,split\na,a.wav,fold1\na,a.wav,fold2\nb,b.wav,fold3\n")
    names = {"fold1": "train", "fold2": "train", "fold3": "test"}
    assert splits(ingest(target, IngestOptions(splits=names))) == {"a": "train", "b": "test"}


def test_splits_without_an_order_are_said(tmp_path: Path) -> None:
    found = ingest(table(tmp_path, "path,split\na.wav,0\nb.wav,1\n"))
    assert found.notes == (
        "no split is named train, val or test (0, 1), so none is evaluated against another; say "
        "which is which, as --splits 0=train,1=test",
    )


def test_a_number_with_a_point_is_the_number(tmp_path: Path) -> None:
    target = table(
        tmp_path, '{"path": "a.wav", "split": 1.0}\n{"path": "b.wav", "split": 0}\n', "t.jsonl"
    )
    assert sorted(splits(ingest(target)).values()) == ["0", "1"]


def test_folders_under_other_names(tmp_path: Path) -> None:
    for name in ("ios/a.wav", "android/b.wav"):
        (tmp_path / "d" / name).parent.mkdir(parents=True)
        (tmp_path / "d" / name).touch()
    found = ingest(str(tmp_path / "d"), IngestOptions(splits={"ios": "test", "android": "train"}))
    assert splits(found) == {"ios/a.wav": "test", "android/b.wav": "train"}
    assert found.split_order == ("test", "train")
    with pytest.raises(SplitauditError, match="no split is called 'window'"):
        ingest(str(tmp_path / "d"), IngestOptions(splits={"window": "test"}))


def test_a_manifest_names_splits(tmp_path: Path) -> None:
    table(tmp_path, "a 0\nb 2\n", "list.txt")
    body = (
        '[[tables]]\npath = "list.txt"\nformat = "lines"\nseparator = " "\n'
        'header = ["id", "split"]\n[splits]\n0 = "train"\n2 = "test"\n'
    )
    assert splits(manifest(tmp_path, body)) == {"a": "train", "b": "test"}
    options = IngestOptions(media=False, splits={"2": "val"})
    assert splits(manifest(tmp_path, body, options)) == {"a": "train", "b": "val"}


JOINED = """
[[tables]]
path = "images.txt"
format = "lines"
header = ["id", "path"]
separator = " "
[[tables]]
path = "split.txt"
format = "lines"
header = ["id", "split"]
separator = " "
join = { id = "id" }
"""


def test_a_joined_table_brings_the_split(tmp_path: Path) -> None:
    table(tmp_path, "1 a.jpg\n2 b.jpg\n", "images.txt")
    table(tmp_path, "1 1\n2 0\n", "split.txt")
    names = '[splits]\n1 = "train"\n0 = "test"\n'
    assert splits(manifest(tmp_path, JOINED + names)) == {"1": "train", "2": "test"}


def test_a_joined_table_that_leaves_items_without_a_split(tmp_path: Path) -> None:
    table(tmp_path, "1 a.jpg\n2 b.jpg\n", "images.txt")
    table(tmp_path, "1 train\n", "split.txt")
    with pytest.raises(InputError) as caught:
        manifest(tmp_path, JOINED)
    assert list(caught.value.problems) == [
        "images.txt line 2: split is empty, and no joined table says it"
    ]
    table(tmp_path, "3 train\n", "split.txt")
    with pytest.raises(InputError, match="no table says the split of an item"):
        manifest(tmp_path, JOINED)


REST = """
[[tables]]
path = "."
format = "folder"
split = "train"
rest = true
[[tables]]
path = "test.txt"
format = "lines"
split = "test"
columns = { path = "id" }
"""


def test_the_rest_is_what_no_other_table_lists(tmp_path: Path) -> None:
    for name in ("yes/a.wav", "yes/b.wav", "no/c.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    table(tmp_path, "yes/a.wav\n./no/c.wav\n", "test.txt")
    found = manifest(tmp_path, REST, IngestOptions())
    assert splits(found) == {"yes/a.wav": "test", "./no/c.wav": "test", "yes/b.wav": "train"}
    assert found.media["status"].to_pylist() == [None] * 3


def test_the_rest_is_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="rest: expected no such key, or format = 'folder'"):
        manifest(tmp_path, '[[tables]]\npath = "a.csv"\nsplit = "x"\nrest = true\n')
