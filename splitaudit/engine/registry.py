"""What there is to choose from: a module is entered by a line of its own, and nowhere else."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def modules_with(package: str, line: str) -> dict[str, str]:
    """Return the modules of a package that have a line beginning so, by name; none is imported.

    Parameters
    ----------
    package
        With dots.
    line
        How the line begins, such as `FINGERPRINT = `.
    """
    spec = importlib.util.find_spec(package)
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    files = sorted(file for folder in folders for file in folder.glob("*.py"))
    return {
        file.stem: f"{package}.{file.stem}"
        for file in files
        if f"\n{line}" in file.read_text(encoding="utf-8")
    }
