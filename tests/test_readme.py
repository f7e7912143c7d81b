"""The README's commands do what it says, in the order in which it shows them."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from command import Ran, run
from conftest import Demonstrated, Scanned, once

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXPECTED = {"scan": 1}  # leaks are planted in it; all else ends with 0


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\s*```\w*\n(.*?)```", README, re.S)
    assert found, f"the README has lost its block {name!r}"
    return found[1]


@pytest.fixture(scope="session")
def session(shared: Path, scanned: Scanned) -> list[tuple[str, Ran]]:
    """The commands in order, each with what it gave; the facts about the sounds are known."""

    def make(folder: Path) -> dict[str, Any]:
        shutil.copytree(scanned.folder, folder / "my_dataset")
        shutil.copytree(scanned.cache, folder / ".splitaudit" / "cache")
        lines = [line[2:] for line in block("session").splitlines() if line.startswith("$ ")]
        return {line: asdict(run(*shlex.split(line)[1:], cwd=folder)) for line in lines}

    _, said = once(shared, "session", make)
    return [(line, Ran(**ran)) for line, ran in said.items()]


def test_the_session_works_as_it_is_shown(session: list[tuple[str, Ran]]) -> None:
    assert len(session) >= 9
    for command, ran in session:
        assert ran.status == EXPECTED.get(command.split()[1], 0), (command, ran.err)
        assert max(map(len, ran.out.splitlines())) <= 80 or "/" in ran.out


def test_the_output_shown_is_the_output(session: list[tuple[str, Ran]]) -> None:
    shown = re.search(r"```text\n(LEAKS.*?)```", README, re.S)
    assert shown
    command, ran = session[0]
    assert command == "splitaudit scan my_dataset"
    for line in shown[1].strip().splitlines():
        assert line.strip() in ran.out


@pytest.mark.slow
def test_the_demo_finds_what_it_planted(demonstrated: Demonstrated) -> None:
    assert block("demo").strip().endswith("splitaudit demo")
    assert demonstrated.ran.status == 0, demonstrated.ran.out + demonstrated.ran.err
    assert (demonstrated.folder / "run" / "report.html").exists()


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_the_two_commands_make_their_own_environment(name: str) -> None:
    assert "python3 -m venv .venv && .venv/bin/pip install" in block(name)
