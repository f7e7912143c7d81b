"""The notebooks run from top to bottom, and their two forms hold the same code."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    players = [o for o in outputs if "<audio" in o.get("data", {}).get("text/html", "")]
    assert len(players) == 2


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_both_forms_of_a_notebook_are_the_same(path: Path) -> None:
    cells = [
        [(cell.cell_type, cell.source) for cell in jupytext.read(form).cells]
        for form in (path, path.with_suffix(".py"))
    ]
    assert cells[0] == cells[1]


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS
