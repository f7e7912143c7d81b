"""Manifests of datasets: the shipped ones, and those that users write."""

from __future__ import annotations

from pathlib import Path

from splitaudit.dataset.manifest.model import (
    Attribute,
    Column,
    Join,
    Layout,
    Manifest,
    ManifestTable,
    Part,
    Source,
    source_columns,
)
from splitaudit.dataset.manifest.paths import IN_BRACES, PLACEHOLDER, leaves_root
from splitaudit.dataset.manifest.reading import read_manifest
from splitaudit.dataset.manifest.suggestions import did_you_mean, nearest

__all__ = [
    "IN_BRACES",
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
    "nearest",
    "read_manifest",
    "shipped_manifests",
    "source_columns",
]


def shipped_manifests() -> dict[str, Path]:
    """Return the manifests that come with the package, by name.

    They lie beside the package in a source checkout and inside it in an installed wheel.
    """
    package = Path(__file__).parents[2]
    inside, beside = package / "data_manifests", package.parent / "data_manifests"
    folder = inside if inside.is_dir() else beside
    return {file.stem: file for file in sorted(folder.glob("*.toml"))}
