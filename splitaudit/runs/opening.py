"""From what a user names to an audit: a dataset to scan, or a run to look at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from splitaudit.dataset import IngestOptions, ingest
from splitaudit.engine.stages import Settings
from splitaudit.errors import SplitauditError
from splitaudit.runs.audit import Audit
from splitaudit.scan.fingerprints import choose

HOME = Path(".splitaudit")


def open_target(
    target: str | Path,
    *,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    options: IngestOptions | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Audit:
    """Open a dataset, to scan it or to look at its last scan.

    Parameters
    ----------
    target
        A folder, a table, a manifest or the name of a shipped one; or the folder of a run.
    out
        Folder of the run; by default ``.splitaudit/runs/<name>``.
    cache
        Folder of what is known about files; by default ``.splitaudit/cache``.
    options
        How to read the target.
    settings
        `processes`, `generic`, `checks` and `fingerprints` (names, see
        `splitaudit.scan.fingerprints.choose`).

    Examples
    --------
    >>> import numpy as np, soundfile, splitaudit
    >>> noise = np.random.default_rng(0).normal(0, 0.1, 16_000)
    >>> for name in ("train", "test"):
    ...     Path("sounds", name).mkdir(parents=True)
    ...     soundfile.write(f"sounds/{name}/{name}.wav", noise, 16_000)
    >>> audit = splitaudit.open("sounds")
    >>> audit
    <Audit of sounds: not scanned yet>
    >>> audit.scan()
    <Audit of sounds: LEAKS: 1 of 1 test items is already in train>
    >>> audit.leaks().relation.tolist()
    ['exact']
    """
    chosen = dict(settings or {})
    checks = chosen.pop("checks", None)
    if "fingerprints" in chosen:
        chosen["fingerprints"] = choose(chosen["fingerprints"])
    facts = Settings(Path(cache) if cache else HOME / "cache", **chosen)
    if (Path(target) / "run.json").is_file():
        return Audit(Path(target), facts)
    dataset = ingest(str(target), options)
    run = Path(out) if out else HOME / "runs" / dataset.name
    return Audit(run, facts, dataset, checks)


def open_run(run: str | Path | None = None) -> Audit:
    """Open what a scan has written.

    Parameters
    ----------
    run
        The folder of the run, or what was scanned; None: the newest below ``.splitaudit/runs``.
    """
    if run is None:
        newest = sorted((HOME / "runs").glob("*/run.json"), key=lambda file: file.stat().st_mtime)
        if not newest:
            raise SplitauditError(
                f"no run below {HOME / 'runs'}: run `splitaudit scan TARGET` first"
            )
        return Audit(newest[-1].parent, Settings(HOME / "cache"))
    if (HOME / "runs" / Path(run).name / "run.json").is_file() and not (
        Path(run) / "run.json"
    ).is_file():
        run = HOME / "runs" / Path(run).name
    audit = Audit(Path(run), Settings(HOME / "cache"))
    audit.record  # noqa: B018  an error here, not at first use
    return audit
