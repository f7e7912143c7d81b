"""What is a film worth that is pooled by its own caption? Can a matrix alone tell?

A film pooled by its own caption (T-MASS as released) and by the caption that asks, on the same
vectors: recall, and what of the matrix moves. Then matrices of 300 films, easy and hard.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import harness
from benchmarks.common.evaluators.zoo import normalise, softmax
from splitaudit.evaluation import metrics, structure
from splitaudit.evaluation.relevance import parse_relevance

# Of the films of `tmass`: frames, numbers each, how much of the caption one frame shows, sharpness.
FRAMES, WIDTH, SHOWS, SHARP = 12, 64, 0.63, 20.0


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--films", type=int, default=1_000)
    parser.add_argument("--matrices", type=int, default=100)
    parser.add_argument("--figure", type=Path, metavar="FILE")
    args = parser.parse_args()
    numbers = {
        "tmass": compare_pooling(args.films, args.figure),
        "matrices": judge_matrices(args.matrices),
    }
    harness.print_table(f"Pooled by the own caption, {args.films:,} films", [numbers["tmass"]])
    harness.print_table("Matrices alone", numbers["matrices"])
    harness.keep(args.json, numbers)


def make_films(n: int, shows: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Captions, and films of which one frame shows something of the caption; unit vectors."""
    rng = np.random.default_rng(seed)
    texts = normalise(rng.normal(size=(n, WIDTH)))
    frames = normalise(rng.normal(size=(n, FRAMES, WIDTH)))
    frames[:, 0] = normalise(frames[:, 0] + shows * texts)
    return texts, frames


def score_two_towers(n: int, noise: float, seed: int) -> np.ndarray:
    """Scores of captions and of films that are the captions and noise."""
    rng = np.random.default_rng(seed)
    texts = normalise(rng.normal(size=(n, WIDTH)))
    return texts @ normalise(texts + noise * normalise(rng.normal(size=(n, WIDTH)))).T


def score_films(texts: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores where the asking text pools the frames, and where each film's own caption does."""
    alike = np.einsum("qd,gfd->qgf", texts, frames)
    weights = softmax(SHARP * alike, axis=2)
    inner = np.einsum("gfd,ged->gfe", frames, frames)
    lengths = np.sqrt(np.einsum("qgf,gfe,qge->qg", weights, inner, weights, optimize=True))
    honest = (weights * alike).sum(axis=2) / lengths
    places = np.arange(len(texts))
    own = normalise(np.einsum("gf,gfd->gd", weights[places, places], frames))
    return honest, texts @ own.T


def compare_pooling(number: int, figure: Path | None) -> dict[str, Any]:
    """Score some films in both ways, and say what the leak moves."""
    honest, leaking = score_films(*make_films(number, SHOWS, 0))
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


def judge_matrices(number: int) -> list[dict[str, Any]]:
    """Say how many of some matrices are suspicious: 300 films, easy and hard."""
    counts: dict[str, list[Any]] = {}
    for seed in range(number):
        shows, noise = np.random.default_rng(seed).uniform([0.3, 1.7], [0.7, 7])
        honest, leaking = score_films(*make_films(300, shows, seed))
        towers = score_two_towers(300, noise, seed)
        right = parse_relevance(np.arange(300), 300)
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


if __name__ == "__main__":
    main()
