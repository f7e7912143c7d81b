"""A planted dataset and its scan, made once for all tests and all processes that run them."""

from __future__ import annotations

import environment  # noqa: F401  before NumPy is loaded

# isort: split
import fcntl
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from command import Here, Ran, run
from hypothesis import settings
from other_readers import datasets, mlcroissant  # noqa: F401  fixtures

from splitaudit.demo.dataset import GroundTruth, Leak, plant

# In CI (.ci/run sets the variable) Hypothesis draws the same examples in every run: what is red
# there is red again. Elsewhere it draws others each time, and so finds what nobody thought of.
# `settings` in a test file says only what differs, and takes the rest from the profile loaded here.
settings.register_profile("fixed", settings.get_profile("ci"), derandomize=True, database=None)
if "CI" in os.environ:
    settings.load_profile("fixed")


@dataclass(frozen=True)
class Scanned:
    """The planted dataset in `folder`, scanned from `home`; others may look, not touch."""

    folder: Path
    home: Path
    truth: GroundTruth
    ran: Ran

    @property
    def run(self) -> Path:
        return self.home / ".splitaudit" / "runs" / "planted"

    @property
    def cache(self) -> Path:
        return self.home / ".splitaudit" / "cache"


@dataclass(frozen=True)
class Demonstrated:
    """What the demo has left in `folder`, and said; it found out all by itself."""

    folder: Path
    ran: Ran


def once(shared: Path, name: str, make: Callable[[Path], dict[str, Any]]) -> tuple[Path, Any]:
    """Make a folder once for all processes; return it and what `make` had to say."""
    folder, said = shared / name, shared / f"{name}.json"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            folder.mkdir(parents=True)
            said.write_text(json.dumps(make(folder)))
    return folder, json.loads(said.read_text())


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all processes of this test run have in common."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def demonstrated(shared: Path) -> Demonstrated:
    """The demo, of which others take the sounds and the facts about them: it takes its time."""
    home, said = once(shared, "demo", lambda home: asdict(run("demo", cwd=home)))
    return Demonstrated(home / "splitaudit-demo", Ran(**said))


@pytest.fixture(scope="session")
def planted(shared: Path, demonstrated: Demonstrated) -> tuple[Path, GroundTruth]:
    """The small dataset with leaks in it, and its truth."""

    def make(folder: Path) -> dict[str, Any]:
        truth = plant(folder)
        # The same sounds in the same bytes, which an encoder need not write again.
        shutil.copytree(demonstrated.folder / "sounds", folder, dirs_exist_ok=True)
        return asdict(truth)

    folder, said = once(shared, "planted", make)
    leaks, duplicates = (
        tuple(Leak(**leak) for leak in said[name]) for name in ("leaks", "duplicates")
    )
    innocent = tuple(tuple(row) for row in said["innocent"])
    return folder, GroundTruth(leaks, duplicates, innocent, tuple(said["jingle_members"]))


@pytest.fixture(scope="session")
def scanned(shared: Path, planted: tuple[Path, GroundTruth], demonstrated: Demonstrated) -> Scanned:
    """The planted dataset after a scan from the command line, to which the facts were known."""
    folder, truth = planted

    def make(home: Path) -> dict[str, Any]:
        shutil.copytree(demonstrated.folder / "cache", home / ".splitaudit" / "cache")
        return asdict(run("scan", folder, "--json", cwd=home))

    home, said = once(shared, "scanned", make)
    return Scanned(folder, home, truth, Ran(**said))


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Here:
    """Run `splitaudit` in this process, from an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Here(monkeypatch, capfd)
