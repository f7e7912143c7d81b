"""Draw recall by transform, ours and the peers', from what a ladder wrote with `--json`.

    python -m benchmarks.common.ladder_figure ladder.json ladder.svg

Of a tool that was run at several settings, the one with the highest recall is drawn.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# Ours, then the peers. Open forms, so that equal values and grey print leave all legible; the colours
# are of Okabe and Ito's palette.
LOOKS = (
    {"marker": "o", "color": "black", "markersize": 6.5},
    {"marker": "x", "color": "#777777", "markersize": 5.0},
    {"marker": "D", "color": "#009E73", "markersize": 4.5, "markerfacecolor": "none"},
    {"marker": "^", "color": "#D55E00", "markersize": 6.0, "markerfacecolor": "none"},
    {"marker": "s", "color": "#0072B2", "markersize": 5.5, "markerfacecolor": "none"},
)
ROW_INCHES = 0.19
GAP = 0.6  # rows between transforms of different kinds


def main() -> None:
    source, target = map(Path, sys.argv[1:])
    draw(json.loads(source.read_text(encoding="utf-8")), target)


def draw(numbers: Mapping[str, Any], target: Path) -> None:
    """Write a dot plot: transforms as rows, recall along, a marker a tool."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({"svg.hashsalt": "ladder", "font.size": 8})
    names = [row["transform"] for row in numbers["transforms"]]
    rows = _rows(names)
    figure = Figure(figsize=(6.4, 1.2 + ROW_INCHES * rows[-1]), layout="constrained")
    axes = figure.add_subplot()
    for (tool, recall), look in zip(_tools(numbers), LOOKS, strict=False):
        axes.plot([recall[name] for name in names], rows, linestyle="none", label=tool, **look)
    _dress(axes, names, rows)
    figure.legend(loc="outside upper center", ncols=5, frameon=False)
    figure.savefig(target, metadata={"Date": None})


def tell_kind(transform: str) -> str:
    """Return what a transform does to time and pitch."""
    first = transform.split()[0]
    return first if first in ("speed", "pitch", "tempo") else "not scaled"


def _rows(names: Sequence[str]) -> list[float]:
    """Return the row of each transform, with a gap before another kind and before the mean."""
    kinds = ["mean" if name == "mean" else tell_kind(name) for name in names]
    steps = [1 + GAP * (a != b) for a, b in itertools.pairwise(kinds)]
    return [sum(steps[:at]) for at in range(len(names))]


def _tools(numbers: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield ours, then each peer at the setting that finds most: recall by transform."""
    yield "splitaudit", {row["transform"]: row["recall"] for row in numbers["transforms"]}
    best: dict[str, Any] = {}
    for peer in numbers["peers"]:
        if peer["recall"] > best.get(peer["peer"], {"recall": -1})["recall"]:
            best[peer["peer"]] = peer
    best.pop("any of them", None)
    for name, peer in best.items():
        each = {transform: row["recall"] for transform, row in peer["transforms"].items()}
        yield name, {**each, "mean": peer["recall"]}


def _dress(axes: Any, names: Sequence[str], rows: Sequence[float]) -> None:
    """Label the rows, first on top, and leave only the lines that guide the eye."""
    axes.set(xlim=(-0.02, 1.02), ylim=(rows[-1] + 0.7, -0.7), yticks=rows, yticklabels=names)
    axes.set_xlabel(
        "recall: ours at the default threshold, peers just above their worst false pair"
    )
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


if __name__ == "__main__":
    main()
