"""Are metrics and intervals right, against counting; what do other tools say of the same scores?

Metrics against counting every order of ties; torchmetrics, ranx and pytrec_eval on the same scores,
where a python that has them is given; many rows that a function makes; and how often intervals hold
the truth, by groups and by queries.
"""

from __future__ import annotations

import json
import resource
import tempfile
import time
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import harness
from benchmarks.common.measure import run_module
from splitaudit.evaluation import intervals, metrics

WIDTH = 32
VALUES = (0.0, 1.0, 2.0, 3.0, np.nan, np.inf, -np.inf)


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--side", type=int, default=5_000, help="of the large matrix")
    parser.add_argument("--rows", type=int, default=100_000, help="that a function makes")
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--peers", type=Path, help="python with torchmetrics, ranx, pytrec_eval")
    args = parser.parse_args()
    side = f"{args.side:,}"
    found = {
        f"Recall at 1 of {side} x {side}, and of matrices with ties": compare_tools(
            args.side, args.peers
        ),
        "A function that makes rows": [rank_many(args.rows)],
        "Metrics against every order of tied items": [count_orders(args.cases)],
        "Intervals that should hold the truth in 0.95": [
            count_covered(args.cases, n) for n in (30, 100)
        ],
    }
    for title, rows in found.items():
        harness.print_table(title, rows)
    harness.keep(args.json, found)


def count_orders(cases: int) -> dict[str, Any]:
    """Compare metrics with counting every order of tied items, on random small cases."""
    far = {"recall": 0.0, "hit rate": 0.0, "mean rank": 0.0, "median rank": 0.0}
    for seed in range(cases):
        rng = np.random.default_rng(seed)
        queries, gallery, k = rng.integers(1, 5), rng.integers(1, 7), int(rng.integers(1, 7))
        scores = rng.choice(VALUES, (queries, gallery), p=[0.22] * 4 + [0.04] * 3)
        right = [rng.permutation(gallery)[: rng.integers(1, gallery + 1)].tolist() for _ in scores]
        for name, gap in _measure_gaps(scores, right, k).items():
            far[name] = max(far[name], gap)
    return {"cases": cases, **{f"{name}, largest gap": gap for name, gap in far.items()}}


def _measure_gaps(scores: np.ndarray, right: list[list[int]], k: int) -> dict[str, float]:
    every = [_list_orders(row, items) for row, items in zip(scores, right, strict=True)]
    recall, hit, first = (
        np.array([np.mean([value(o, {*r}) for o in orders]) for orders, r in zip(every, right, strict=True)])
        for value in (
            lambda o, r: len({*o[:k]} & r) / len(r),
            lambda o, r: bool({*o[:k]} & r),
            lambda o, r: 1 + min(map(o.index, r)),
        )
    )  # fmt: skip
    return {
        "recall": abs(metrics.recall_at_k(scores, right, k) - recall.mean()),
        "hit rate": abs(metrics.hit_rate_at_k(scores, right, k) - hit.mean()),
        "mean rank": abs(metrics.mean_rank(scores, right) - first.mean()),
        "median rank": abs(metrics.median_rank(scores, right) - np.median(first)),
    }


def _list_orders(row: np.ndarray, right: list[int]) -> list[tuple[int, ...]]:
    """Every order by falling score; what is not finite never helps."""
    is_right = np.isin(np.arange(len(row)), right)
    worth = np.where(np.isfinite(row), row, np.where(is_right, -np.inf, np.inf))
    every = permutations(range(len(row)))
    return [o for o in every if all(worth[a] >= worth[b] for a, b in pairwise(o))]


def compare_tools(side: int, peers: Path | None) -> list[dict[str, Any]]:
    """Time recall at 1 of a large matrix, and compare that of small ones with ties and NaN."""
    cases = _make_cases(side)
    rows = [{"tool": "splitaudit", **_ask_ours(cases)}]
    return rows + (_ask_peers(peers, cases) if peers else [])


def _make_cases(side: int) -> dict[str, tuple[Any, Any]]:
    rng = np.random.default_rng(0)
    large = rng.normal(size=(side, side)).astype(np.float32)
    large[np.diag_indices(side)] += 3
    tied = rng.integers(0, 3, (200, 50)).astype(np.float32)
    faulty = np.where(rng.random(tied.shape) < 0.05, np.nan, tied)
    right = rng.integers(0, 50, 200)
    constant = np.zeros((50, 50), np.float32)
    return {
        "large": (large, np.arange(side)),
        "constant": (constant, np.arange(50)),
        "tied": (tied, right),
        "NaN": (faulty, right),
    }


def _ask_ours(cases: dict[str, tuple[Any, Any]]) -> dict[str, Any]:
    metrics.recall_at_k(*cases["tied"], 1)
    begun = time.process_time()
    metrics.recall_at_k(*cases["large"], 1)
    seconds = time.process_time() - begun
    return {"CPU s": seconds} | {n: metrics.recall_at_k(*case, 1) for n, case in cases.items()}


def _ask_peers(python: Path, cases: dict[str, Any]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "cases.npz"
        arrays = {
            f"{n} {part}": case[at] for n, case in cases.items() for at, part in enumerate("sr")
        }
        np.savez(held, **arrays)
        said = run_module("benchmarks.common.evaluators.peer_metrics", held, python=python)
    rows: list[dict[str, Any]] = json.loads(said.splitlines()[-1])
    return rows


def rank_many(n: int) -> dict[str, Any]:
    """Rank n x n scores, of which a function makes some rows at a time."""
    rng = np.random.default_rng(0)
    texts = rng.normal(size=(n, WIDTH)).astype(np.float32)
    films = texts + 1.5 * rng.normal(size=texts.shape).astype(np.float32)
    begun, alone = time.process_time(), time.perf_counter()
    ranks = metrics.relevant_ranks(lambda a, b: texts[a:b] @ films.T, np.arange(n))
    return {
        "scores": f"{n:,} x {n:,}",
        "R@1": metrics.recall_at_k(ranks, None, 1),
        "CPU s": time.process_time() - begun,
        "seconds": time.perf_counter() - alone,
        "GB at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def count_covered(cases: int, groups: int) -> dict[str, Any]:
    """Draw hits of groups that are alike; the truth is 0.5."""
    hit = naive = 0
    for seed in range(cases):
        rng = np.random.default_rng(seed)
        group = np.repeat(np.arange(groups), rng.integers(1, 40, groups))
        hits = (rng.random(len(group)) < rng.beta(0.8, 0.8, groups)[group]).astype(float)
        found, alone = (intervals.mean(hits, g) for g in (group, np.arange(len(group))))
        hit += found.low <= 0.5 <= found.high
        naive += alone.low <= 0.5 <= alone.high
    return {"groups": groups, "cases": cases, "by groups": hit / cases, "by queries": naive / cases}


if __name__ == "__main__":
    main()
