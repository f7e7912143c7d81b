"""What hashes and fastdup find on the ladder of pictures: every copy and reference against all pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common.images.ladder_material import REFERENCE, Item
from benchmarks.common.judging import (
    Mask,
    Scores,
    Truth,
    find_partners,
    find_worst_false,
    list_worst_pairs,
    step_above,
)
from benchmarks.common.measure import run_module

WORST = 8  # false pairs listed of each peer


def judge_all(
    python: Path, queries: Sequence[Item], items: Sequence[Item], known: Truth
) -> list[dict[str, Any]]:
    """Run the peers on all files and count; the last row is what any of them finds."""
    made = ask(python, [item.path for item in items])
    rows, union = [], np.zeros(len(queries), bool)
    for tool, of_items in made.items():
        name, _, settings = tool.partition(" ")
        scores = compare(of_items, len(queries))
        worst = find_worst_false(scores, known)
        best = find_partners(scores, known, step_above(worst))
        union |= best
        row = {"peer": name, "settings": settings, **average_by_transform(queries, best)}
        rows.append(
            row | {"no false above": worst, "worst false": _list_worst(scores, known, items)}
        )
    return [
        *rows,
        {"peer": "any of them", "settings": "at best", **average_by_transform(queries, union)},
    ]


def ask(python: Path, paths: Sequence[Path]) -> dict[str, npt.NDArray[Any]]:
    """Return what each tool makes of the files."""
    with tempfile.TemporaryDirectory() as folder:
        listed, out = Path(folder) / "files.txt", Path(folder) / "out.npz"
        listed.write_text("".join(f"{path}\n" for path in paths))
        run_module("benchmarks.common.images.peer_files", listed, out, python=python)
        with np.load(out) as made:
            return {tool: made[tool] for tool in made.files}


def compare(of_items: npt.NDArray[Any], queries: int) -> Scores:
    """Return how alike the first items, which are the queries, and all are.

    Minus the bits in which they differ, least over the ways of the query; or the cosine.
    """
    if of_items.dtype == np.float32:
        unit = of_items / np.maximum(np.linalg.norm(of_items, axis=1, keepdims=True), 1e-9)
        return np.asarray(unit[:queries] @ unit.T, np.float32)
    words = np.ascontiguousarray(of_items).view(np.uint64)
    scores = np.empty((queries, len(words)), np.float32)
    for row, ways in enumerate(words[:queries]):
        differ = np.bitwise_count(words[:, :1] ^ ways).sum(axis=2, dtype=np.int64)
        scores[row] = -differ.min(axis=1)
    return scores


def average_by_transform(queries: Sequence[Item], at_best: Mask) -> dict[str, Any]:
    """Return the share that is found, of all copies and of those of each transform."""
    kinds = np.array([query.kind for query in queries])
    names = [name for name in dict.fromkeys(kinds.tolist()) if name != REFERENCE]
    each = {name: {"recall": float(at_best[kinds == name].mean())} for name in names}
    return {"recall": float(at_best[kinds != REFERENCE].mean()), "transforms": each}


def _list_worst(scores: Scores, known: Truth, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Return the false pairs with the highest scores, one of each two scenes."""
    rows: dict[frozenset[str], dict[str, Any]] = {}
    for query, reference, score in list_worst_pairs(scores, known, 100 * WORST):
        a, b = items[query], items[reference]
        row = {"score": score, "a": f"{a.scene}, {a.kind}", "b": f"{b.scene}, {b.kind}"}
        rows.setdefault(frozenset((a.scene, b.scene)), row)
    return list(rows.values())[:WORST]
