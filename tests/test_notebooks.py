"""The notebooks run from top to bottom, and their two forms hold the same code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest
from conftest import Scanned
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
EXPLORE = Path(__file__).parent.parent / "notebooks" / "explore_duplicates.ipynb"
SHOWN = {
    "evaluator_audit": {"players": 0, "tables": 2, "figures": 1},
    "explore_duplicates": {"players": 2, "tables": 6, "figures": 0},
    "sounddesc_study": {"players": 0, "tables": 3, "figures": 1},
}


@pytest.fixture
def explored(scanned: Scanned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notebook that explores is given a dataset, and the facts of an earlier scan of it."""
    shutil.copytree(scanned.cache, tmp_path / "cache")
    monkeypatch.setenv("SPLITAUDIT_TARGET", str(scanned.folder))
    monkeypatch.setenv("SPLITAUDIT_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if path == EXPLORE:
        request.getfixturevalue("explored")
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    data = [o.get("data", {}) for cell in notebook.cells for o in cell.get("outputs", [])]
    html = [shown.get("text/html", "") for shown in data]
    shown = {
        "players": sum("<audio" in text for text in html),
        "tables": sum("<table" in text for text in html),
        "figures": sum("image/png" in one for one in data),
    }
    assert shown == SHOWN[path.stem]


def test_sounds_are_planted_where_no_dataset_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first = next(cell for cell in nbformat.read(EXPLORE, 4).cells if cell.cell_type == "code")
    held: dict[str, Any] = {}
    exec(first.source, held)
    assert held["work"].parent == tmp_path
    assert (held["target"], held["cache"]) == (held["work"] / "sounds", held["work"] / "cache")
    assert len([path for path in held["target"].rglob("*") if path.is_file()]) == 60


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_both_forms_of_a_notebook_are_the_same(path: Path) -> None:
    cells = [
        [(cell.cell_type, cell.source) for cell in jupytext.read(form).cells]
        for form in (path, path.with_suffix(".py"))
    ]
    assert cells[0] == cells[1]


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS
