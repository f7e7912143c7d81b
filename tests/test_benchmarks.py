"""Every benchmark runs at a small size, is told of in the README, and none imports in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from benchmarks.run_small import BENCHMARKS, try_small

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "benchmarks"
SUBJECTS = ("audio", "evaluators", "images", "scale", "splits")
SCRIPTS = {
    f"{subject}.{path.stem}" for subject in SUBJECTS for path in (FOLDER / subject).glob("[!_]*.py")
}


def run_small(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.run_small", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_runs(name: str) -> None:
    became = try_small(None, name)
    if became.startswith("skipped"):
        pytest.skip(became)
    assert became.startswith("ok"), became


def test_what_real_material_lacks_is_skipped(tmp_path: Path) -> None:
    ran = run_small("--data", str(tmp_path), "images.cifar", "splits.splitters")
    assert ran.stdout.splitlines() == [
        f"images.cifar: skipped, no cifar10_5classes.tar in {tmp_path}",
        f"splits.splitters: skipped, no sounddescs in {tmp_path}",
    ]
    assert ran.returncode == 0


def test_a_benchmark_that_fails_is_said(tmp_path: Path) -> None:
    (tmp_path / "cifar10_5classes.tar").touch()
    ran = run_small("--data", str(tmp_path), "images.cifar")
    assert ran.stdout.startswith("images.cifar: failed with 1, ")
    assert "empty file" in ran.stdout
    assert ran.returncode == 1


def test_every_script_is_run_and_told_of() -> None:
    assert {name.partition(",")[0] for name in BENCHMARKS} == SCRIPTS
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert not {name for name in SCRIPTS if f"`python -m benchmarks.{name}" not in readme}


def imports(path: Path) -> set[str]:
    """Return the modules of the benchmarks that a file imports, in whatever place."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_imports_run_one_way() -> None:
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for path in FOLDER.rglob("[!_]*.py")
    }
    graph = {name: imports(path) & set(paths) for name, path in paths.items()}
    assert list(TopologicalSorter(graph).static_order())
    scripts = {f"benchmarks.{name}" for name in SCRIPTS}
    assert not {name: others for name, others in graph.items() if others & scripts}
