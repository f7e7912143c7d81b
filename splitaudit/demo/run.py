"""The demo: plant, scan, compare with the truth, report, split, check."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.text import Text

from splitaudit.demo.dataset import GroundTruth, plant
from splitaudit.demo.story import Comparison, compare, sentences
from splitaudit.engine.progress import bars
from splitaudit.report.plans import print_split
from splitaudit.report.terminal import print_verdict
from splitaudit.runs.audit import Audit
from splitaudit.runs.opening import open_target


def run_demo(folder: Path, seed: int, console: Console) -> int:
    """Play the demo in `folder`; return 0 where all that was planted was found, else 1.

    Parameters
    ----------
    folder
        Gets the sounds (`sounds`), the run (`run`) and the facts about files (`cache`).
    seed
        Of the sounds.
    console
        Where the story is told.
    """
    _print_heading(console, f"1. A dataset with leaks planted in it: {folder / 'sounds'}")
    planted = plant(folder / "sounds", seed)
    audit = open_target(folder / "sounds", out=folder / "run", cache=folder / "cache")
    _print_heading(console, f"2. splitaudit scan {folder / 'sounds'}")
    with bars() as progress:
        audit.scan(progress=progress)
    print_verdict(audit.summary(), console)
    _print_heading(console, "3. What was planted, and what was found")
    comparison = _compare_audit(audit, planted)
    for line in sentences(comparison):
        console.print(Text(f"  {line}"))
    _print_heading(console, f"4. splitaudit split {folder / 'run'}")
    audit.split()
    proof = audit.check()
    print_split(audit.split_facts(), proof.sentences(), console)
    return 0 if comparison.is_perfect and proof.exit_status == 0 else 1


def _print_heading(console: Console, text: str) -> None:
    console.print(Text(f"\n{text}\n", style="bold"))


def _compare_audit(audit: Audit, planted: GroundTruth) -> Comparison:
    found = pd.concat([audit.leaks(), audit.duplicates()])
    return compare(planted, found, audit.shared_material(), audit.groups())
