"""Recall at 1 by other tools, of the arrays of an .npz file; runs in an environment of theirs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def main() -> None:
    held = np.load(sys.argv[1])
    names = [name[:-2] for name in held.files if name.endswith(" s")]
    rows = []
    for tool, function in (
        ("torchmetrics", ask_torchmetrics),
        ("ranx", ask_ranx),
        ("pytrec_eval", ask_trec),
    ):
        try:
            rows.append({"tool": tool, **ask(function, held, names)})
        except ImportError as error:
            print(f"{tool}: {error}", file=sys.stderr)
    print(json.dumps(rows))


def ask(function: Callable[..., float], held: Any, names: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in names:
        begun = time.process_time()
        try:
            found: Any = function(held[f"{name} s"], held[f"{name} r"])
        except ImportError:
            raise
        except Exception as error:
            found = type(error).__name__
        row |= {"CPU s": time.process_time() - begun} if name == "large" else {}
        row[name] = found
    return row


def ask_torchmetrics(scores: Any, right: Any) -> float:
    import torch
    from torchmetrics.retrieval import RetrievalRecall

    torch.set_num_threads(1)
    target = np.zeros(scores.shape, bool)
    target[np.arange(len(right)), right] = True
    rows = np.repeat(np.arange(len(right)), scores.shape[1])
    metric = RetrievalRecall(top_k=1)
    given = (torch.from_numpy(x) for x in (scores.ravel(), target.ravel(), rows))
    preds, truth, indexes = given
    return float(metric(preds, truth, indexes=indexes))


def ask_ranx(scores: Any, right: Any) -> float:
    from ranx import Qrels, Run, evaluate

    return float(evaluate(Qrels(_list_truth(right)), Run(_list_run(scores)), "recall@1"))


def ask_trec(scores: Any, right: Any) -> float:
    import pytrec_eval

    found = pytrec_eval.RelevanceEvaluator(_list_truth(right), {"recall.1"}).evaluate(
        _list_run(scores)
    )
    return float(np.mean([row["recall_1"] for row in found.values()]))


def _list_truth(right: Any) -> dict[str, dict[str, int]]:
    return {str(q): {str(item): 1} for q, item in enumerate(right.tolist())}


def _list_run(scores: Any) -> dict[str, dict[str, float]]:
    names = [str(item) for item in range(scores.shape[1])]
    return {str(q): dict(zip(names, row, strict=True)) for q, row in enumerate(scores.tolist())}


if __name__ == "__main__":
    main()
