"""The README's commands do what it says, in the order in which it shows them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from splitaudit.demo.dataset import plant

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXPECTED = {"scan": 1}  # leaks are planted in it; all else ends with 0


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\s*```\w*\n(.*?)```", README, re.S)
    assert found, f"the README has lost its block {name!r}"
    return found[1]


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "splitaudit.cli", *shlex.split(command)[1:]]
    environment = {**os.environ, "COLUMNS": "80"}
    return subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True)


def test_the_session_works_as_it_is_shown(tmp_path: Path) -> None:
    plant(tmp_path / "my_dataset")
    commands = [line[2:] for line in block("session").splitlines() if line.startswith("$ ")]
    assert len(commands) >= 9
    for command in commands:
        done = run(command, tmp_path)
        assert done.returncode == EXPECTED.get(command.split()[1], 0), (command, done.stderr)
        assert max(map(len, done.stdout.splitlines())) <= 80 or "/" in done.stdout


def test_the_output_shown_is_the_output(tmp_path: Path) -> None:
    plant(tmp_path / "my_dataset")
    shown = re.search(r"```text\n(LEAKS.*?)```", README, re.S)
    assert shown
    printed = run("splitaudit scan my_dataset", tmp_path).stdout
    for line in shown[1].strip().splitlines():
        assert line.strip() in printed


def test_the_demo_finds_what_it_planted(tmp_path: Path) -> None:
    assert block("demo").strip().endswith("splitaudit demo")
    done = run("splitaudit demo", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "splitaudit-demo" / "run" / "report.html").exists()


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_the_two_commands_make_their_own_environment(name: str) -> None:
    assert "python3 -m venv .venv && .venv/bin/pip install" in block(name)
