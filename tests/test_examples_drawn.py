"""In CI every run draws the same examples of the property tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ASKED = """
import conftest
from hypothesis import settings
from small_tables import unhurried
for used in (settings(), settings(max_examples=150), unhurried):
    print(used.derandomize, used.database is None)
"""


@pytest.mark.parametrize(("ci", "fixed"), [("true", True), (None, False)])
def test_examples_are_the_same_in_every_run_of_ci_and_only_there(ci, fixed):
    needed = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        cwd=Path(__file__).parent,
        env=needed | ({"CI": ci} if ci else {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(fixed)] * 6
