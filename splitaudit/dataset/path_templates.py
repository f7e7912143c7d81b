"""Templates that leave the ending of a file open: `videos/{id}.*`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from splitaudit.dataset.file_kinds import AUDIO, VIDEO, kind_of
from splitaudit.dataset.paths import decode_path, encode_path

ANY_ENDING = ".*"
_KINDS = {AUDIO: (AUDIO, VIDEO), VIDEO: (VIDEO,)}  # a film is good for its sound, too


def resolve_endings(paths: Sequence[str | None], root: Path, modality: str) -> list[str | None]:
    """Return paths with the ending that the file has which is there.

    Parameters
    ----------
    paths
        Relative to `root`, encoded, each ending in ".*".
    root
        The dataset's folder.
    modality
        Whether a sound or a film is meant.

    Returns
    -------
    list
        As given where no file is there; where several are, the first by name.
    """
    folders = {os.path.dirname(path) for path in paths if path is not None}
    known = {
        os.path.join(folder, os.path.splitext(name)[0]): os.path.join(folder, name)
        for folder in folders
        for name in sorted(_list_folder(root / decode_path(folder)), reverse=True)
        if name.endswith(".") or kind_of(name) in _KINDS[modality]
    }
    return [path and known.get(path.removesuffix(ANY_ENDING), path) for path in paths]


def _list_folder(folder: Path) -> list[str]:
    try:
        return [encode_path(name) for name in os.listdir(folder)]
    except OSError:
        return []
