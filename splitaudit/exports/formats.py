"""The formats of an export, by name: each module of this package that has a function `export`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from splitaudit.engine.registry import modules_with

Export = Callable[..., list[Path]]
FORMATS: dict[str, Export] = {
    name: importlib.import_module(path).export
    for name, path in modules_with("splitaudit.exports", "def export(").items()
}
