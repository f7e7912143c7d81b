"""Crowds that are planted, and what of them is reported: for pictures and sounds alike."""

from __future__ import annotations

import resource
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common import harness
from benchmarks.common.harness import must

PLACES = ("test", "train", "both")  # where the crowd stands

# Which original, how many times it was changed (0: not at all), where to write it without a suffix.
Write = Callable[[int, int, Path], None]


@dataclass(frozen=True)
class Crowd:
    """So many copies of each of some originals.

    Parameters
    ----------
    write
        Writes a copy.
    originals
        How many there are.
    side
        Copies of each on each side where the crowd stands.
    place
        One of `PLACES`. The original is in the other split; in train, where there are crowds in
        both.
    """

    write: Write
    originals: int
    side: int
    place: str

    def items(self) -> Iterator[tuple[str, int, int]]:
        """Yield split, original and change of each item."""
        for original in range(self.originals):
            yield "test" if self.place == "train" else "train", original, 0
            for at in range(self.side):
                if self.place != "both":
                    yield self.place, original, at + 1
                    continue
                yield "test", original, 2 * at + 1
                yield "train", original, 2 * at + 2


def measure(crowd: Crowd, home: Path) -> dict[str, Any]:
    """Scan a crowd; return what was reported, what was hidden, and what it cost."""
    for split, original, change in crowd.items():
        _write(crowd.write, original, change, home / "ds" / split)
    found, cpu_s = scan(home / "ds", home)
    print(f"{crowd.side} in {crowd.place}: {cpu_s:.1f} CPU s", file=sys.stderr, flush=True)
    items = {_name(o, c) for split, o, c in crowd.items() if split == "test"}
    reported = {Path(item).stem for item in _leaking(found)}
    verified = count_verified(found.run)
    return {
        "crowd in": crowd.place,
        "copies a side": crowd.side,
        "test items": len(items),
        "reported": len(reported),
        "hidden": count_hidden(crowd, items - reported, home),
        "undecided": count_undecided(found),
        "pairs verified": verified,
        "pairs a copy": verified / len(list(crowd.items())),
        "CPU s": cpu_s,
        "CPU s a copy": cpu_s / len(list(crowd.items())),
    }


def scan(target: Path, home: Path) -> tuple[harness.Scan, float]:
    """Scan in one process; return what was found, and the CPU seconds."""
    before = _children_s()
    found = must(harness.scan(target, home, "--jobs", "1"), 0, 1, 4)
    return found, _children_s() - before


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def count_verified(run: Path) -> int:
    """Return how many pairs a scan has verified."""
    from splitaudit.runs.run import Run

    stages = Run(run).record["stages"]
    return sum(of["computed"] for name, of in stages.items() if name.startswith("verify"))


def count_undecided(found: harness.Scan) -> int:
    """Return how many items were not compared with all that may be their copy."""
    return int((found.table("media")["status"] == "undecided").sum())


def count_hidden(crowd: Crowd, missing: set[str], home: Path) -> int:
    """Return how many items that were not reported are when they stand alone with their original."""
    by_change = defaultdict(list)
    for name in sorted(missing):
        original, change = map(int, name.split("-"))
        by_change[change].append(original)
    hidden = 0
    for change, originals in by_change.items():
        alone = home / "alone" / str(change)
        for original in originals:
            _write(crowd.write, original, 0, alone / "train")
            _write(crowd.write, original, change, alone / "test")
        hidden += len(_leaking(scan(alone, home / "alone" / "home")[0]))
    return hidden


def _name(original: int, change: int) -> str:
    return f"{original:03}-{change:04}"


def _write(write: Write, original: int, change: int, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write(original, change, folder / _name(original, change))


def _leaking(found: harness.Scan) -> set[str]:
    """The items of test that leak."""
    accepted = found.accepted()
    accepted = accepted[accepted["relation"].isin(harness.LEAKS)]
    sides = set(zip(accepted["a"], accepted["b"], strict=True))
    across = [{a, b} for a, b in sides if a.split("/")[0] != b.split("/")[0]]
    return {item for pair in across for item in pair if item.startswith("test/")}
