"""Leaks of six kinds, and fourteen things done to scores after them: is the leak still found?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from benchmarks.common import harness
from benchmarks.common.evaluators.zoo import (
    TEMPERATURE,
    compute_cosines,
    dual_softmax,
    make_data,
    pool_by_own,
    softmax,
)
from splitaudit.evaluation.audit import audit_evaluator

Scores = np.ndarray[Any, Any]
FIRST = 10_000  # of the seeds: no bound was chosen on them


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=30, help="of each mixture")
    parser.add_argument(
        "--after", nargs="+", choices=list(AFTER), default=list(AFTER), metavar="NAME"
    )
    args = parser.parse_args()
    rows = count_right(args.after, range(FIRST, FIRST + args.seeds))
    harness.print_table("Leaks, and what is done after: found", rows)
    harness.keep(args.json, {"mixed": rows})


def draw_noise(*shape: int) -> Scores:
    """Drawn anew in each call."""
    return np.random.default_rng().normal(size=shape)


def use_own_caption(every: int) -> Callable[[Scores, Scores], Scores]:
    def scores(queries: Scores, gallery: Scores) -> Scores:
        some = np.arange(0, min(len(queries), len(gallery)), every)
        films = gallery.mean(axis=1)
        films[some] = pool_by_own(queries[some], gallery[some])
        return compute_cosines(queries, films[:, None])

    return scores


def use_own_film(every: int) -> Callable[[Scores, Scores], Scores]:
    def scores(queries: Scores, gallery: Scores) -> Scores:
        some, texts = np.arange(0, min(len(queries), len(gallery)), every), queries.copy()
        texts[some] += 0.3 * gallery[some].mean(axis=1)
        return compute_cosines(texts, gallery)

    return scores


def add_bonus(every: int, more: float) -> Callable[[Scores, Scores], Scores]:
    def scores(queries: Scores, gallery: Scores) -> Scores:
        found = compute_cosines(queries, gallery)
        some = np.arange(0, min(found.shape), every)
        found[some, some] += more
        return found

    return scores


LEAKS = {
    "none": compute_cosines,
    "own caption": use_own_caption(1),
    "of a tenth": use_own_caption(10),
    "own film": use_own_film(1),
    "of a 10th": use_own_film(10),
    "+ 0.01": add_bonus(1, 0.01),
    "a 10th + 0.05": add_bonus(10, 0.05),
}

# What is done after, and the verdict it deserves without a leak.
AFTER: dict[str, tuple[Callable[[Scores], Scores], str]] = {
    "nothing": (lambda s: s, "clean"),
    "times 100": (lambda s: 100 * s, "clean"),
    "half precision": (lambda s: s.astype(np.float16), "clean"),
    "rounded to 0.001": (lambda s: s.round(3), "clean"),
    "noise": (lambda s: s + 0.01 * draw_noise(*s.shape), "clean"),
    "noise of queries": (lambda s: s * (1 + 0.05 * draw_noise(len(s), 1)), "clean"),
    "noise of items": (lambda s: s + 0.02 * draw_noise(1, s.shape[1]), "clean"),
    "ten best kept": (
        lambda s: np.where(s < np.sort(s, axis=1)[:, [-10]], -np.inf, s),
        "gallery_dependent",
    ),
    "z of rows": (
        lambda s: (s - s.mean(axis=1, keepdims=True)) / s.std(axis=1, keepdims=True),
        "gallery_dependent",
    ),
    "softmax of rows": (lambda s: softmax(TEMPERATURE * s, axis=1), "gallery_dependent"),
    "ranks": (lambda s: s.argsort(axis=1).argsort(axis=1), "gallery_dependent"),
    "dual softmax": (dual_softmax, "transductive"),
    "z of columns": (lambda s: (s - s.mean(axis=0)) / s.std(axis=0), "transductive"),
    "dual, and noise": (lambda s: dual_softmax(s) + 0.001 * draw_noise(*s.shape), "transductive"),
}


def count_right(names: Sequence[str], seeds: Sequence[int]) -> list[dict[str, Any]]:
    """Count how often each leak is found, and how often who has none is called what it deserves."""
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        found = list(pool.map(partial(audit, names), seeds))
    return [
        {"done after": name, "of": len(seeds)}
        | {leak: sum(one[leak, name] for one in found) for leak in LEAKS}
        for name in names
    ]


def audit(names: Sequence[str], seed: int) -> dict[tuple[str, str], bool]:
    """Return whether each verdict is the expected one, with 100 to 300 pairs."""
    pairs = make_data(int(100 * 3 ** np.random.default_rng(seed).random()), seed)
    right = {}
    for leak, scores in LEAKS.items():
        for name, (after, verdict) in ((name, AFTER[name]) for name in names):

            def evaluator(queries: Scores, gallery: Scores) -> Scores:
                return after(scores(queries, gallery))  # noqa: B023  called before the next one

            with np.errstate(all="ignore"):
                found = audit_evaluator(evaluator, *pairs, seed=seed)
            right[leak, name] = found.verdict == (verdict if leak == "none" else "leak")
    return right


if __name__ == "__main__":
    main()
