"""From a target to items: which samples there are, in which split, and where their media lie."""

from __future__ import annotations

import os
from pathlib import Path

from splitaudit.dataset.dataset import Dataset, IngestOptions
from splitaudit.dataset.file_kinds import ending
from splitaudit.dataset.formats import BY_ENDING, table_format
from splitaudit.dataset.from_folder import from_folder
from splitaudit.dataset.from_manifest import from_manifest
from splitaudit.dataset.from_table import from_table
from splitaudit.dataset.manifest import Layout, did_you_mean, nearest, shipped_manifests
from splitaudit.dataset.paths import decode_path, encode_path
from splitaudit.errors import SplitauditError

__all__ = ["Dataset", "IngestOptions", "decode_path", "encode_path", "ingest"]

_MANIFEST_ENDING = ".toml"
_TARGET_KINDS = (
    f"a target is a shipped dataset, a manifest ({_MANIFEST_ENDING}), a table "
    f"({', '.join(BY_ENDING)}) "
    "or a folder"
)


def ingest(target: str, options: IngestOptions | None = None) -> Dataset:
    """List a dataset without opening any of its media.

    Parameters
    ----------
    target
        In this order: the name of a shipped manifest, a ``.toml`` manifest, a table or a folder.
    options
        How to read it.

    Raises
    ------
    InputError
        Every fault of a manifest or table at once.
    SplitauditError
        Where there is no such target, or nothing in it to audit.
    """
    options = options or IngestOptions()
    manifests = shipped_manifests()
    kind = ending(target)
    is_manifest = target in manifests or kind == _MANIFEST_ENDING
    if options.columns and (is_manifest or os.path.isdir(target)):
        raise SplitauditError("--column maps the columns of a table; this target is none")
    if options.layout != Layout() and (is_manifest or os.path.isdir(target)):
        raise SplitauditError(
            "--separator, --header, --quotes and --encoding say how a table is written; "
            f"{'say it in the manifest' if is_manifest else 'this target is a folder'}"
        )
    if options.root and not options.root.is_dir():
        raise SplitauditError(f"--root {encode_path(str(options.root))} is not a folder")
    if target in manifests:
        return from_manifest(manifests[target], options, confined=True)
    if os.path.isdir(target):
        if options.root:
            raise SplitauditError("--root is for tables and manifests; this target is a folder")
        return from_folder(target, options.keys, names=options.splits, values=options.values)
    if not os.path.isfile(target):
        raise SplitauditError(_not_found(target, list(manifests)))
    if kind == _MANIFEST_ENDING:
        return from_manifest(Path(target), options, confined=False)
    if table_format(target) or options.layout.separator or options.layout.header:
        return from_table(Path(target), options)
    raise SplitauditError(
        f"{encode_path(target)} is a file of another kind: {_TARGET_KINDS}; a table with another "
        "ending is read with --separator or --header"
    )


def _not_found(target: str, manifests: list[str]) -> str:
    name = encode_path(target)
    if os.path.lexists(target):
        return f"{name} is neither a folder nor a regular file: {_TARGET_KINDS}"
    near = did_you_mean(nearest(target, manifests)) or ":"
    return f"{name}: no such file, folder or shipped dataset{near} {_TARGET_KINDS}"
