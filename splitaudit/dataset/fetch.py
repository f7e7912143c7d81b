"""The files that a dataset consists of: downloaded where it is known from where, else named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from splitaudit.dataset.manifest import Manifest, Source
from splitaudit.engine.progress import Progress

HERE = "here"
FETCHED = "fetched"
PLACE = "place it yourself"
CHANGED = "changed"
FAILED = "failed"
GOOD = (HERE, FETCHED)
CHUNK_BYTES = 1 << 20  # bytes read at once, and a step of the progress


@dataclass(frozen=True)
class Outcome:
    """What became of a file: its path, one of the words above, and what to do."""

    path: str
    status: str
    reason: str = ""


def fetch(manifest: Manifest, root: Path, progress: Progress) -> Iterator[Outcome]:
    """Download what is not there yet, and verify what is; yield what became of each file.

    Parameters
    ----------
    manifest
        Its sources.
    root
        The dataset's folder; made if need be.
    progress
        Is told the steps, of `CHUNK_BYTES` bytes.
    """
    for source in manifest.sources:
        path = root / source.path
        if path.exists():  # also a folder of media
            yield _verify_checksum(source, path, HERE)
        elif source.url:
            yield _download(source, path, progress)
        else:
            yield Outcome(source.path, PLACE, source.note)


def _verify_checksum(source: Source, path: Path, status: str) -> Outcome:
    """Whether a file is the one that the manifest means."""
    if not source.sha256:
        return Outcome(source.path, status, "no checksum is known")
    found = _sha256(path)
    if found == source.sha256:
        return Outcome(source.path, status)
    what = "remove it and fetch again" if source.url else source.note
    return Outcome(source.path, CHANGED, f"its SHA-256 is {found}, not {source.sha256}: {what}")


def _download(source: Source, path: Path, progress: Progress) -> Outcome:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # it would tell of every file beside our progress
    path.parent.mkdir(parents=True, exist_ok=True)
    downloader = pooch.HTTPDownloader(
        progressbar=_Bar(source.path, progress), chunk_size=CHUNK_BYTES
    )
    known = f"sha256:{source.sha256}" if source.sha256 else None
    try:
        pooch.retrieve(source.url, known, path.name, path.parent, downloader=downloader)
    except ValueError:  # as pooch says that the checksum is another
        return Outcome(source.path, CHANGED, f"what {source.url} gives is not what it was")
    except (requests.RequestException, OSError) as error:
        return Outcome(source.path, FAILED, f"{source.url}: {error}")
    return _verify_checksum(source, path, FETCHED)


class _Bar:
    """A progress as pooch takes it."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name, self._progress = name, progress
        self._total = self._done = 0

    @property
    def total(self) -> int:
        """Bytes."""
        return self._total

    @total.setter
    def total(self, size: int) -> None:
        self._total = size
        self._progress.start(self._name, size)

    def update(self, size: int) -> None:
        """Note that so many more bytes are there; pooch says a whole chunk of the last one, too."""
        step = min(size, self._total - self._done)
        self._done += step
        self._progress.advance(step)

    def reset(self) -> None:
        """Begin anew, as pooch does before it fills the bar."""
        self._progress.advance(-self._done)
        self._done = 0

    def close(self) -> None:
        """Nothing is left open."""


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK_BYTES):
            digest.update(block)
    return digest.hexdigest()
