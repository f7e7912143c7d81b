"""Manifests of datasets: the shipped ones, and those that users write."""

from __future__ import annotations

from pathlib import Path

from splitaudit.manifest.model import Attribute, Join, Manifest, ManifestTable, Source
from splitaudit.manifest.paths import PLACEHOLDER, leaves_root
from splitaudit.manifest.reading import read_manifest
from splitaudit.manifest.words import did_you_mean, nearest

__all__ = [
    "PLACEHOLDER",
    "Attribute",
    "Join",
    "Manifest",
    "ManifestTable",
    "Source",
    "did_you_mean",
    "leaves_root",
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
