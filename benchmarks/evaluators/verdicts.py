"""Are evaluators, honest and leaking, called what they deserve? How long does an audit take?

Every evaluator of `benchmarks/common/evaluators/zoo_*.py`, many times, with 100 to 1,000 pairs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from benchmarks.common import harness
from benchmarks.common.evaluators import (  # noqa: F401
    zoo_clean,
    zoo_depending,
    zoo_leaking,
    zoo_metrics,
    zoo_ties,
)
from benchmarks.common.evaluators.zoo import ZOO, make_data
from splitaudit.evaluation.audit import audit_evaluator

LEAST = 100  # pairs of the smallest data


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="of each evaluator")
    parser.add_argument("--most", type=int, default=1_000, help="pairs of the largest data")
    parser.add_argument("--only", nargs="*", choices=list(ZOO), default=list(ZOO), metavar="NAME")
    args = parser.parse_args()
    rows = judge_all(args.only, args.seeds, args.most)
    harness.print_table("Evaluators", rows)
    harness.keep(args.json, {"evaluators": rows})


def judge_all(names: Sequence[str], seeds: int, most: int) -> list[dict[str, Any]]:
    """Audit evaluators with data of all sizes; count verdicts that are not the expected one."""
    # Many small ones and few large ones: an audit takes as long as there are pairs of pairs.
    sizes = (LEAST / np.linspace(1, LEAST / most, seeds)).round().astype(int).tolist()
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        rows = []
        for name in names:
            entry = ZOO[name]
            audits = list(pool.map(audit, [name] * seeds, sizes, range(seeds), chunksize=5))
            wrong = [
                f"{verdict} of {n}"
                for n, (verdict, _) in zip(sizes, audits, strict=True)
                if verdict != entry.verdict
            ]
            row = {"evaluator": name, "expected": entry.verdict, "audits": seeds}
            row |= {"others": len(wrong), "called": ", ".join(wrong)}
            ends = {f"CPU s, {sizes[at]:,}": audits[at][1] for at in (0, -1)}
            rows.append(row | ends)
            print(name, len(wrong), "others", file=sys.stderr, flush=True)
    return rows


def audit(name: str, n: int, seed: int) -> tuple[str, float]:
    """Return the verdict of an evaluator, and the CPU seconds it took."""
    entry = ZOO[name]
    begun = time.process_time()
    with np.errstate(all="ignore"):
        found = audit_evaluator(entry.function, *make_data(n, seed), kind=entry.kind, seed=seed)
    return found.verdict, time.process_time() - begun


if __name__ == "__main__":
    main()
