"""Evaluators of many kinds, honest and leaking; metrics and intervals against counting.

1. Every evaluator of `evaluator_zoo.py`, many times: is it called what it deserves?
2. A film pooled by its own caption (T-MASS as released) and by the caption that asks, on the same
   vectors: recall, and what of the matrix moves. Can a matrix alone tell?
3. Metrics against counting every order of ties; torchmetrics, ranx and pytrec_eval on the same
   scores, where a python that has them is given.
4. How often intervals hold the truth, by groups and by queries.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import harness
import numpy as np
from evaluator_zoo import METRICS, ZOO, Kept, data, softmax, unit
from harness import print_table

from splitaudit.evaluation import intervals, metrics, structure
from splitaudit.evaluation.audit import audit_evaluator
from splitaudit.evaluation.relevance import relevant

# Of the films of `tmass`: frames, numbers each, how much of the caption one frame shows, sharpness.
FRAMES, WIDTH, SHOWS, SHARP = 12, 64, 0.63, 20.0


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100])
    parser.add_argument("--matrices", type=int, default=100)
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--peers", type=Path, help="python with torchmetrics, ranx, pytrec_eval")
    parser.add_argument("--figure", type=Path, metavar="FILE")
    args = parser.parse_args()
    numbers: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        numbers["evaluators"] = [row for n in args.sizes for row in judge_all(n, args.seeds)]
        print_table("Evaluators", numbers["evaluators"])
    numbers["tmass"] = tmass(args.figure)
    print_table("Pooled by the own caption, 1,000 films", [numbers["tmass"]])
    numbers["matrices"] = matrices(args.matrices)
    print_table("Matrices alone", numbers["matrices"])
    numbers["metrics"] = measure(args.peers)
    print_table("Metrics of 5,000 x 5,000, and of cases with ties", numbers["metrics"])
    numbers["intervals"] = [covered(args.cases, groups) for groups in (30, 100)]
    print_table("Intervals that should hold the truth in 0.95", numbers["intervals"])
    harness.keep(args.json, numbers)


def judge_all(n: int, seeds: int) -> list[dict[str, Any]]:
    rows = [judge(name, kept, "score", n, seeds) for name, kept in ZOO.items()]
    return rows + [judge(name, kept, "metric", n, seeds) for name, kept in METRICS.items()]


def judge(name: str, kept: Kept, kind: str, n: int, seeds: int) -> dict[str, Any]:
    """Audit one evaluator with many data; count the verdicts that are not the expected one."""
    begun, others = time.process_time(), []
    for seed in range(seeds):
        found = audit_evaluator(kept.function, *data(n, seed), kind=kind, seed=seed)
        others += [found.verdict] * (found.verdict != kept.verdict)
    seconds = (time.process_time() - begun) / seeds
    row = {"evaluator": name, "n": n, "expected": kept.verdict, "others": len(others)}
    return row | {"called": ", ".join(sorted(set(others))), "CPU s": seconds}


def films(n: int, shows: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Captions, and films of which one frame shows something of the caption; unit vectors."""
    rng = np.random.default_rng(seed)
    texts = unit(rng.normal(size=(n, WIDTH)))
    frames = unit(rng.normal(size=(n, FRAMES, WIDTH)))
    frames[:, 0] = unit(frames[:, 0] + shows * texts)
    return texts, frames


def honest_and_leaking(texts: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores where the asking text pools the frames, and where each film's own caption does."""
    alike = np.einsum("qd,gfd->qgf", texts, frames)
    weights = softmax(SHARP * alike, axis=2)
    inner = np.einsum("gfd,ged->gfe", frames, frames)
    lengths = np.sqrt(np.einsum("qgf,gfe,qge->qg", weights, inner, weights, optimize=True))
    honest = (weights * alike).sum(axis=2) / lengths
    places = np.arange(len(texts))
    own = unit(np.einsum("gf,gfd->gd", weights[places, places], frames))
    return honest, texts @ own.T


def tmass(figure: Path | None) -> dict[str, Any]:
    honest, leaking = honest_and_leaking(*films(1_000, SHOWS, 0))
    right, off = np.arange(len(honest)), ~np.eye(len(honest), dtype=bool)
    if figure:
        draw(honest, leaking, figure)
    return {
        "honest R@1": metrics.recall_at_k(honest, right, 1),
        "leaking R@1": metrics.recall_at_k(leaking, right, 1),
        "true pairs moved by": float(np.abs(np.diagonal(honest - leaking)).max()),
        "wrong pairs moved by": float((leaking - honest)[off].mean()),
        "wrong pairs lowered": float((leaking < honest)[off].mean()),
    }


def draw(honest: np.ndarray, leaking: np.ndarray, path: Path) -> None:
    """Draw how the scores of true and of wrong pairs are spread."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "splitaudit"
    sheet = Figure(figsize=(7, 2.6), layout="constrained")
    off = ~np.eye(len(honest), dtype=bool)
    bins = np.linspace(-0.4, 1, 71)
    for axes, scores, name in zip(
        sheet.subplots(1, 2, sharey=True, sharex=True),
        (honest, leaking),
        ("pooled by the text that asks", "pooled by the film's own caption"),
        strict=True,
    ):
        recall = metrics.recall_at_k(scores, np.arange(len(scores)), 1)
        axes.hist(np.diagonal(scores), bins, density=True, color="#D55E00", label="true pairs")
        kind = {"density": True, "histtype": "step", "color": "black"}
        axes.hist(scores[off], bins, label="wrong pairs", **kind)
        axes.set_title(f"{name}: R@1 {recall:.1%}", fontsize=9)
        axes.set_xlabel("score")
    axes.legend(frameon=False, fontsize=8)
    sheet.supylabel("density", fontsize=9)
    sheet.savefig(path, metadata={"Date": None})


def matrices(number: int) -> list[dict[str, Any]]:
    """Say how many of some matrices are suspicious: 300 films, easy and hard."""
    counts: dict[str, list[Any]] = {}
    for seed in range(number):
        shows = np.random.default_rng(seed).uniform(0.15, 0.9)
        honest, leaking = honest_and_leaking(*films(300, shows, seed))
        texts, frames = films(300, 7 * shows, seed)
        towers = texts @ unit(frames.mean(axis=1)).T
        right = relevant(np.arange(300), 300)
        for name, scores in (
            ("honest, pooled by the asking text", honest),
            ("honest, two towers", towers),
            ("leaking, pooled by the own caption", leaking),
            ("two towers, true pairs + 0.01", towers + 0.01 * np.eye(300)),
            ("softmax over the queries", softmax(20 * towers, axis=0)),
        ):
            recall = metrics.recall_at_k(scores, right, 1)
            counts.setdefault(name, []).append((recall, bool(structure.signs(scores, right))))
    return [
        {
            "matrix": name,
            "of": len(rows),
            "suspicious": sum(suspicious for _, suspicious in rows),
            "R@1 from": min(recall for recall, _ in rows),
            "to": max(recall for recall, _ in rows),
        }
        for name, rows in counts.items()
    ]


def measure(peers: Path | None) -> list[dict[str, Any]]:
    """Time and compare recall at 1 and 5 of a large matrix, and of small ones with ties and NaN."""
    rng = np.random.default_rng(0)
    large = rng.normal(size=(5_000, 5_000)).astype(np.float32)
    large[np.diag_indices(5_000)] += 3
    tied = rng.integers(0, 3, (200, 50)).astype(np.float32)
    faulty = np.where(rng.random(tied.shape) < 0.05, np.nan, tied)
    right = rng.integers(0, 50, 200)
    cases = {"large": (large, np.arange(5_000)), "tied": (tied, right), "NaN": (faulty, right)}
    begun = time.process_time()
    metrics.recall_at_k(*cases["large"], 1)
    seconds = time.process_time() - begun
    ours = {name: metrics.recall_at_k(*case, 1) for name, case in cases.items()}
    rows = [{"tool": "splitaudit", "CPU s": seconds, **ours}]
    return rows + (ask_peers(peers, cases) if peers else [])


def ask_peers(python: Path, cases: dict[str, Any]) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder) / "cases.npz"
        arrays = {f"{name} {part}": a for name, c in cases.items() for part, a in zip("sr", c)}  # noqa: B905
        np.savez(held, **arrays)
        script = Path(__file__).with_name("peer_metrics.py")
        found = subprocess.run(
            [python, script, held], stdout=subprocess.PIPE, check=True, text=True
        )
    import json

    rows: list[dict[str, Any]] = json.loads(found.stdout.splitlines()[-1])
    return rows


def covered(cases: int, groups: int) -> dict[str, Any]:
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
    sys.exit(main())
