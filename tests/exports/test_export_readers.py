"""Exports as others read them: `datasets`, mlcroissant, pandas, polars, DuckDB."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from other_readers import mlcroissant_warns
from small_tables import media_of, plan_of

from splitaudit import schema
from splitaudit.exports import croissant, csv, huggingface, parquet
from splitaudit.split import digest

PLACED = {"00008000": "train", "1e5": "train", "007": "val", "x y": "test", "gone": None}
DATASET = {"name": "mine", "title": "My sounds", "license": "CC0-1.0", "homepage": "https://x.org"}


def export(form: Any, folder: Path, placed: dict[str, str | None], **sidecar: Any) -> Path:
    rows = [
        {
            "item_id": x,
            "split": "train",
            "captions": ["rain", "wind"] if x[0] == "0" else [],
            "labels": ["weather"],
            "start_s": 1.5 if x[0] == "0" else None,
            "attributes": [("CD Number/é", "0012")] if x[0] == "0" else [],
        }
        for x in placed
    ]
    media = media_of({x: {"path": f"/data/{x}.wav"} for x in placed})
    plan = plan_of(placed)
    told = {"digest": digest(plan), **sidecar}
    form.export(schema.conform(rows, schema.ITEMS), media, plan, folder, told)
    return folder


# Hugging Face


@pytest.fixture
def load(datasets: Any, tmp_path: Path) -> Any:
    def loaded(folder: Path) -> Any:
        return datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))

    return loaded


def test_datasets_reads_the_splits_with_ids_as_text_and_captions_as_lists(
    load: Any, tmp_path: Path
) -> None:
    found = load(export(huggingface, tmp_path / "out", PLACED))
    assert {name: part["id"][:] for name, part in found.items()} == {
        "train": ["00008000", "1e5"],
        "validation": ["007"],
        "test": ["x y"],
    }
    train = found["train"]
    assert train.features["id"].dtype == "string"
    assert train["captions"][:] == [["rain", "wind"], []]
    assert train["start_s"][:] == [1.5, None]
    assert train["CD Number/é"][:] == ["0012", None]
    assert "split" not in train.column_names
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "out"]


def test_datasets_reads_the_other_splits_where_one_is_empty(load: Any, tmp_path: Path) -> None:
    folder = export(
        huggingface, tmp_path / "out", {"a": "train", "b": None}, splits=["train", "val", "test"]
    )
    found = load(folder)
    assert {name: part["id"][:] for name, part in found.items()} == {"train": ["a"]}
    counts = json.loads((folder / "split.json").read_text())["counts"]
    assert counts == {"test": 0, "train": 1, "val": 0}


def test_datasets_reads_no_empty_split(datasets: Any, load: Any, tmp_path: Path) -> None:
    """Why an empty split has no file; when this fails, it may have one."""
    folder = export(huggingface, tmp_path / "out", {"a": "train", "b": "test"})
    file = folder / "data/test-00000-of-00001.parquet"
    pd.read_parquet(file).head(0).to_parquet(file)
    with pytest.raises(datasets.exceptions.DatasetGenerationError):
        load(folder)


def test_datasets_reads_splits_of_any_name_it_allows(load: Any, tmp_path: Path) -> None:
    names = ["Train", "train", "dev.clean", "é", "訓練", "fold_1", "1", "splits"]
    folder = export(huggingface, tmp_path / "out", {f"i{k}": x for k, x in enumerate(names)})
    found = load(folder)
    assert {name: part["id"][:] for name, part in found.items()} == {
        name: [f"i{k}"] for k, name in enumerate(names)
    }


# Croissant

# What nobody has told us of a dataset, and mlcroissant recommends.
UNKNOWN = {"http://mlcommons.org/croissant/citeAs"} | {
    f"https://schema.org/{name}" for name in ("datePublished", "version")
}


def complaints(dataset: Any) -> set[str]:
    """Return which properties mlcroissant misses, and everything else that it has to say."""
    issues = dataset.metadata.ctx.issues
    assert not issues.errors
    return {re.sub(r'.*Property "(.+)" is recommended.*', r"\1", said) for said in issues.warnings}


def records(dataset: Any, name: str) -> list[dict[str, Any]]:
    """Return the records of a set by column. mlcroissant gives text as bytes."""
    return [
        {
            key.partition("/")[2]: value.decode() if isinstance(value, bytes) else value
            for key, value in record.items()
        }
        for record in dataset.records(name)
    ]


@mlcroissant_warns
def test_mlcroissant_accepts_it_and_gives_the_rows_back(
    mlcroissant: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = export(croissant, tmp_path / "out", PLACED, dataset=DATASET)
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    assert complaints(dataset) == UNKNOWN
    assert "@context" not in caplog.text
    rows = {name: records(dataset, name) for name in ("train", "val", "test")}
    assert {name: [row["id"] for row in found] for name, found in rows.items()} == {
        "train": ["00008000", "1e5"],
        "val": ["007"],
        "test": ["x y"],
    }
    assert all(row["split"] == name for name, found in rows.items() for row in found)
    first, second = rows["train"]
    assert (first["captions"], second["captions"]) == ([b"rain", b"wind"], [])
    assert (first["start_s"], second["start_s"]) == (1.5, None)
    assert first["CD%20Number%2F%C3%A9"] == "0012"
    assert records(dataset, "splits") == [
        {"name": "test", "url": "cr:TestSplit"},
        {"name": "train", "url": "cr:TrainingSplit"},
        {"name": "val", "url": "cr:ValidationSplit"},
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


@mlcroissant_warns
def test_mlcroissant_accepts_an_empty_split_and_names_of_any_kind(
    mlcroissant: Any, tmp_path: Path
) -> None:
    placed = {"a": "Train", "b": "train", "c": "../é x%", "d": "splits", "e": 'say "\\x"\n'}
    folder = export(croissant, tmp_path / "out", placed, splits=["test"])
    dataset = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    assert complaints(dataset) == UNKNOWN | {"https://schema.org/license"}
    sets = [one.uuid for one in dataset.metadata.record_sets if one.uuid != "splits"]
    rows = [row for name in sets for row in records(dataset, name)]
    assert {row["id"]: row["split"] for row in rows} == placed
    assert {row["name"] for row in records(dataset, "splits")} == {*placed.values(), "test"}
    assert records(dataset, "test") == []


@mlcroissant_warns
def test_mlcroissant_refuses_a_file_that_was_changed(mlcroissant: Any, tmp_path: Path) -> None:
    folder = export(croissant, tmp_path / "out", PLACED)
    rows = pd.read_parquet(folder / "train.parquet")
    rows.assign(source="another").to_parquet(folder / "train.parquet")
    dataset = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    with pytest.raises(Exception, match=r"Download\(train\.parquet\)") as caught:
        records(dataset, "train")
    assert "is not identical with the reference" in str(caught.value.__cause__)
    assert len(records(dataset, "test")) == 1


def test_the_description_says_what_is_known_and_no_more(tmp_path: Path) -> None:
    folder = export(croissant, tmp_path / "out", PLACED, dataset=DATASET)
    said = json.loads((folder / "croissant.json").read_text())
    assert said["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert (said["name"], said["license"], said["url"]) == ("mine", "CC0-1.0", "https://x.org")
    assert said["description"] == "My sounds, split by splitaudit: 1 in test, 2 in train, 1 in val."
    for file in said["distribution"]:
        content = (folder / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["contentSize"] == f"{len(content)} B"
    splits, *others = said["recordSet"]
    assert splits["dataType"] == "cr:Split"
    for one in others:
        (field,) = [field for field in one["field"] if field["name"] == "split"]
        assert field["references"] == {"field": splits["key"]}
    unknown = json.loads((export(croissant, tmp_path / "x", {}) / "croissant.json").read_text())
    assert not {"license", "url", "citeAs", "version", "datePublished"} & set(unknown)


# Tables


def polars_ids(file: Path) -> list[Any]:
    found: list[Any] = pytest.importorskip("polars").read_parquet(file).to_dict(as_series=False)
    return found[next(iter(found))]


def duckdb_ids(file: Path) -> list[Any]:
    rows = pytest.importorskip("duckdb").sql(f"select * from '{file}'").fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    "ids",
    [lambda file: pd.read_parquet(file).iloc[:, 0].tolist(), polars_ids, duckdb_ids],
    ids=["pandas", "polars", "duckdb"],
)
@pytest.mark.parametrize("form", [parquet, huggingface, croissant])
def test_other_readers_of_parquet_find_text(form: Any, ids: Any, tmp_path: Path) -> None:
    folder = export(form, tmp_path / "out", PLACED)
    file = json.loads((folder / "split.json").read_text())["files"]["train"]
    assert ids(folder / file) == ["00008000", "1e5"]


def test_pandas_reads_the_csv_where_it_is_told_to_keep_text(tmp_path: Path) -> None:
    rows = pd.read_csv(export(csv, tmp_path / "out", PLACED) / "items.csv", dtype={"id": str})
    assert rows["id"].tolist() == ["00008000", "007", "1e5", "x y"]
