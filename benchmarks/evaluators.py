"""Evaluators of many kinds, honest and leaking; metrics and intervals against counting.

1. Metrics against counting every order of ties; torchmetrics, ranx and pytrec_eval on the same
   scores, where a python that has them is given; 100,000 x 100,000 scores.
2. A film pooled by its own caption (T-MASS as released) and by the caption that asks, on the same
   vectors: recall, and what of the matrix moves. Can a matrix alone tell?
3. How often intervals hold the truth, by groups and by queries.
4. Every evaluator of `zoo_*.py`, many times, with 100 to 1,000 pairs: is it called what it
   deserves? How long does an audit take?
5. Leaks of six kinds, and fourteen things done to scores after them: is the leak found?
"""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import harness
import numpy as np
from evaluator_films import matrices, tmass
from evaluator_metrics import compared, counted, covered, huge
from evaluator_mixed import mixed
from evaluator_zoo import ZOO, data
from harness import print_table

from splitaudit.evaluation.audit import audit_evaluator

LEAST = 100  # pairs of the smallest data
MIXED = 10_000  # the first seed of mixtures
for file in ("zoo_clean", "zoo_leaking", "zoo_depending", "zoo_metrics"):
    import_module(file)  # enters its evaluators


def main() -> None:
    parser = harness.parser(__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="of each evaluator")
    parser.add_argument("--most", type=int, default=1_000, help="pairs of the largest data")
    parser.add_argument("--mixed", type=int, default=30, help="seeds of each mixture")
    parser.add_argument("--matrices", type=int, default=100)
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--peers", type=Path, help="python with torchmetrics, ranx, pytrec_eval")
    parser.add_argument("--figure", type=Path, metavar="FILE")
    args = parser.parse_args()
    numbers: dict[str, Any] = {}

    def told(name: str, title: str, found: Any) -> None:
        numbers[name] = found
        print_table(title, found if isinstance(found, list) else [found])

    told("metrics", "Recall at 1 of 5,000 x 5,000, and of matrices with ties", compared(args.peers))
    told("huge", "A function that makes rows", huge())
    told("counted", "Metrics against every order of tied items", counted(args.cases))
    told("tmass", "Pooled by the own caption, 1,000 films", tmass(args.figure))
    told("matrices", "Matrices alone", matrices(args.matrices))
    held = [covered(args.cases, groups) for groups in (30, 100)]
    told("intervals", "Intervals that should hold the truth in 0.95", held)
    told("evaluators", "Evaluators", judge_all(args.seeds, args.most))
    # Seeds that no bound was chosen on.
    told("mixed", "Leaks, and what is done after: found", mixed(args.mixed, MIXED))
    harness.keep(args.json, numbers)


def judge_all(seeds: int, most: int) -> list[dict[str, Any]]:
    """Audit all evaluators with data of all sizes; count verdicts that are not the expected one."""
    # Many small ones and few large ones: an audit takes as long as there are pairs of pairs.
    sizes = (LEAST / np.linspace(1, LEAST / most, seeds)).round().astype(int).tolist()
    with ProcessPoolExecutor(harness.processes()) as pool:
        rows = []
        for name, kept in ZOO.items():
            audits = list(pool.map(audit, [name] * seeds, sizes, range(seeds), chunksize=5))
            wrong = [
                f"{verdict} of {n}"
                for n, (verdict, _) in zip(sizes, audits, strict=True)
                if verdict != kept.verdict
            ]
            row = {"evaluator": name, "expected": kept.verdict, "audits": seeds}
            row |= {"others": len(wrong), "called": ", ".join(wrong)}
            ends = {f"CPU s, {sizes[at]:,}": audits[at][1] for at in (0, -1)}
            rows.append(row | ends)
            print(name, len(wrong), "others", file=sys.stderr, flush=True)
    return rows


def audit(name: str, n: int, seed: int) -> tuple[str, float]:
    """Return the verdict of an evaluator, and the CPU seconds it took."""
    kept = ZOO[name]
    begun = time.process_time()
    with np.errstate(all="ignore"):
        found = audit_evaluator(kept.function, *data(n, seed), kind=kept.kind, seed=seed)
    return found.verdict, time.process_time() - begun


if __name__ == "__main__":
    main()
