"""Other ways to split, on the same groups and labels.

Nothing of theirs is in this repository, and nothing of theirs is patched.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common.splits.material import Indices, Material

SPLITS = ("train", "val", "test")
RATIOS = np.array([0.70, 0.15, 0.15])
FOLDS = 20  # of which 14, 3 and 3 make the splits
DATASAIL = """
import json, sys
from datasail.sail import datasail
given = json.load(sys.stdin)
found, _, _ = datasail(techniques=["I1e"], splits=[0.70, 0.15, 0.15], names=["train", "val", "test"],
                       e_type="O", e_data={name: name for name in given["weights"]}, e_weights=given["weights"],
                       **({"e_strat": {name: set(x) for name, x in given["labels"].items()}} if given["labels"] else {}),
                       max_sec=given["seconds"], verbose="E")
json.dump(found["I1e"][0], open(given["out"], "w"))
"""


class NoSplitError(Exception):
    """A peer made no split; why."""


@dataclass(frozen=True)
class Peer:
    """One way to split.

    Parameters
    ----------
    name
        In words.
    split
        Items and a seed -> the index of each item's split, shape (n,).
    draws
        Of which the best is taken, of SoundDescs.
    large
        The same, of a million items; 0: it is not tried on them.
    """

    name: str
    split: Callable[[Material, int], Indices]
    draws: int
    large: int


def find_peers(datasail: Path | None, seconds: float) -> list[Peer]:
    """Return those that can be run here, and say on stderr which cannot."""
    return [
        Peer("random items", _draw_items, 1, 1),
        *_find_scikit_learn(),
        *_find_datasail(datasail, seconds),
    ]


def _draw_items(material: Material, seed: int) -> Indices:
    """Items in random order, cut at 70 and 85 %."""
    n = len(material.group)
    home = np.repeat(np.arange(3), np.diff([0, round(0.70 * n), round(0.85 * n), n]))
    return np.random.default_rng(seed).permutation(home)


def _find_scikit_learn() -> list[Peer]:
    if importlib.util.find_spec("sklearn") is None:
        print("scikit-learn is left out: pip install scikit-learn", file=sys.stderr)
        return []
    return [
        Peer("GroupShuffleSplit", _shuffle_groups, 50, 50),
        Peer("StratifiedGroupKFold", _fold, 20, 1),
    ]


def _shuffle_groups(material: Material, seed: int) -> Indices:
    """Draw 70 % of the groups for train, then half of the others for val."""
    from sklearn.model_selection import GroupShuffleSplit

    group = material.group
    home = np.zeros(len(group), np.int64)
    first = GroupShuffleSplit(1, train_size=0.70, random_state=seed)
    _, rest = next(first.split(group, groups=group))
    second = GroupShuffleSplit(1, train_size=0.50, random_state=seed)
    val, test = next(second.split(rest, groups=group[rest]))
    home[rest[val]], home[rest[test]] = 1, 2
    return home


def _fold(material: Material, seed: int) -> Indices:
    """Make 20 stratified folds: the first 14 are train, then 3 val, then 3 test.

    It takes one class an item: that of an item with several labels is the set of them.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    labels = material.labels
    sets = [labels.indices[a:b].tobytes() for a, b in itertools.pairwise(labels.indptr)]
    y = np.unique(sets, return_inverse=True)[1]
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    home = np.zeros(len(y), np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some sets are rarer than there are folds
        for fold, (_, held) in enumerate(folds.split(y, y, material.group)):
            home[held] = 0 if fold < 14 else 1 if fold < 17 else 2
    return home


def _find_datasail(python: Path | None, seconds: float) -> list[Peer]:
    if python is None:
        print("DataSAIL is left out: name a Python that has it by --datasail", file=sys.stderr)
        return []
    known = "from importlib.metadata import version; print(version('datasail'))"
    said = subprocess.run([python, "-c", known], capture_output=True, text=True, check=False)
    if said.returncode:
        print(f"DataSAIL is left out: {python} does not have it", file=sys.stderr)
        return []
    name = f"DataSAIL {said.stdout.strip()}, I1e"
    return [
        Peer(f"{name}, sizes", partial(_run_datasail, python, seconds, False), 1, 0),
        Peer(f"{name}, sizes and labels", partial(_run_datasail, python, seconds, True), 1, 0),
    ]


def _run_datasail(
    python: Path, seconds: float, stratified: bool, material: Material, seed: int
) -> Indices:
    """Hand over each group as one entity with its weight, and the set of labels in it.

    It knows how often a label is in an entity only as once or not.
    """
    given = {
        "weights": {str(k): float(n) for k, n in enumerate(np.bincount(material.group))},
        "labels": _collect_labels(material) if stratified else None,
        "seconds": round(
            seconds / 2
        ),  # the solver's own limit; stating the problem takes long, too
    }
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "placed.json"
        _run_for(seconds, [str(python), "-c", DATASAIL], json.dumps({**given, "out": str(out)}))
        placed = json.loads(out.read_text())
    homes = np.array([SPLITS.index(placed[str(k)]) for k in range(len(placed))])
    return homes[material.group]


def _run_for(seconds: float, command: Sequence[str], said: str) -> None:
    """Run a command on a text, or say why that came to nothing."""
    try:
        done = subprocess.run(
            command, input=said, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoSplitError(f"no split within {seconds:.0f} s") from None
    if done.returncode:
        raise NoSplitError(f"no split: {done.stderr.strip().splitlines()[-1]}")


def _collect_labels(material: Material) -> dict[str, list[int]]:
    items = material.labels.tocoo()
    sets: dict[str, set[int]] = {str(k): set() for k in range(material.group.max() + 1)}
    for group, label in zip(material.group[items.row], items.col, strict=True):
        sets[str(group)].add(int(label))
    return {name: sorted(found) for name, found in sets.items()}
