"""Manifests of datasets: the shipped ones, and those that users write."""

from __future__ import annotations

from pathlib import Path

from splitaudit.manifest.model import (
    Attribute,
    Column,
    Join,
    Layout,
    Manifest,
    ManifestTable,
    Part,
    Source,
    named,
)
from splitaudit.manifest.paths import IN_BRACES, PLACEHOLDER, leaves_root
from splitaudit.manifest.reading import read_manifest
from splitaudit.manifest.tables import FOLDER, JSON, LINES
from splitaudit.manifest.words import did_you_mean, nearest

__all__ = [
    "FOLDER",
    "IN_BRACES",
    "JSON",
    "LINES",
    "PLACEHOLDER",
    "Attribute",
    "Column",
    "Join",
    "Layout",
    "Manifest",
    "ManifestTable",
    "Part",
    "Source",
    "did_you_mean",
    "leaves_root",
    "named",
    "nearest",
    "read_manifest",
    "shipped",
]


def shipped() -> dict[str, Path]:
    """Return the manifests that come with the package, by name.

    They lie beside the package in a source checkout and inside it in an installed wheel.
    """
    package = Path(__file__).parent.parent
    inside, beside = package / "data_manifests", package.parent / "data_manifests"
    folder = inside if inside.is_dir() else beside
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}
