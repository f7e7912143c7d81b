"""What was measured once, kept beside a test: a constant that moves changes some of it.

Each threshold has cases of its own on both sides. Here the values are compared from which these
decide: a change is noticed, too, that moves none of those cases over its line. Where values are
meant to change, look at each that does, and write them anew, in one process:

    WRITE_MEASURED=1 python -m pytest tests/images/test_measured_pictures.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

Values = Sequence[float]
RELATIVE, ABSOLUTE = 2e-3, 5e-4  # other versions of libraries differ in the last bits


def check(kept: Path, name: str, found: Values) -> None:
    """Compare what is found under a name with what was kept; write it instead where so asked."""
    known: dict[str, Values] = json.loads(kept.read_text()) if kept.exists() else {}
    values = [float(f"{value:.7g}") for value in map(float, found)]
    if "WRITE_MEASURED" in os.environ:
        _write(kept, {**known, name: values})
    else:
        assert values == pytest.approx(known[name], rel=RELATIVE, abs=ABSOLUTE)


def _write(kept: Path, values: Mapping[str, Values]) -> None:
    lines = [f"{json.dumps(name)}: {json.dumps(values[name])}" for name in sorted(values)]
    kept.write_text("{\n" + ",\n".join(lines) + "\n}\n")
