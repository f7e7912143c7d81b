"""Forty-four changes of photographs among others: what is found, and what is not true.

Of each photograph a *reference* is in train with the *others* (drawings, and photographs of which no
copies are made here); what a transform makes of it is in test. Half of the scenes, by a hash of their
names, is reported on. Each transform is scanned by itself, then all copies at once, so that every two
pictures of two scenes meet, changed ones too: whatever is accepted of those is false, unless both are
others. (Of a collage, the picture beside is not.) Ours is counted at its default threshold; each peer, on the same files, at
one threshold for all, which is chosen afterwards, just above its worst false pair.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import harness, ladder
from benchmarks.common.harness import Scan, must, print_table
from benchmarks.common.images import ladder_peers, scenes
from benchmarks.common.images.ladder_material import Item, choose, lay_out, make_copies, tell_truth
from benchmarks.common.images.transforms import TRANSFORMS
from benchmarks.common.judging import Scores, find_partners, score_nothing

ALL = "all"  # copies at once
ACCEPTED = 0.0  # >=: scores of accepted matches; the others are left out


def main() -> None:
    args = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        references, others = choose(args)
        originals = lay_out(references, others, home / "alone" / "train")
        names = args.transforms
        copies = [copy for name in names for copy in make_copies(name, originals, home / name)]
        items = [*copies, *originals]
        queries = items[: len(copies) + len(references)]
        known = tell_truth(queries, items)
        numbers: dict[str, Any] = {"references": len(references), "others": len(others)}
        numbers["transforms"] = [{"transform": name, "recall": None} for name in (*names, "mean")]
        if not args.peers_only:
            scores = climb(names, home, queries, items)
            best = find_partners(scores, known, ACCEPTED)
            numbers["transforms"] = tabulate(ladder_peers.average_by_transform(queries, best))
            numbers["false"] = list_false(np.where(known.false, scores, -np.inf), items)
        numbers["peers"] = (
            ladder_peers.judge_all(args.peers, queries, items, known) if args.peers else []
        )
    report(numbers)
    ladder.write(numbers, args)


def _arguments() -> Any:
    parser = harness.make_parser(__doc__)
    scenes.add_options(parser)
    parser.add_argument("--peers", type=Path, help="python of an environment with the peers")
    parser.add_argument("--peers-only", action="store_true", help="do not scan")
    parser.add_argument("--scenes", type=int, help="references at most, to be quick")
    parser.add_argument("--others", type=int)
    ladder.add_options(parser, TRANSFORMS, "scenes")
    return parser.parse_args()


def climb(
    names: Sequence[str], home: Path, queries: Sequence[Item], items: Sequence[Item]
) -> Scores:
    """Scan each transform with the originals, then all copies; return the scores of what is accepted."""
    for item in items:
        harness.link(item.path, home / ALL / item.item)
    scores = score_nothing(queries, items)
    for name in (*names, ALL):
        scanned = must(harness.scan(home / name, home, run=f"{name} run"), 0, 1, 4)
        note(scanned, items, scores)
        print(f"scanned {name} in {scanned.seconds:.0f} s", flush=True)
    return scores


def note(scanned: Scan, items: Sequence[Item], scores: Scores) -> None:
    """Write down the score of each accepted match of a query, whichever side it is."""
    matches = scanned.accepted()
    matches = matches[matches["part"] == "image"]
    at = {item.item: row for row, item in enumerate(items)}
    a, b = (matches[side].map(at).to_numpy(np.int64) for side in "ab")
    score = matches["score"].to_numpy(np.float32)
    for query, item in ((a, b), (b, a)):
        asked = query < len(scores)
        np.maximum.at(scores, (query[asked], item[asked]), score[asked])


def tabulate(counted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the recall of each transform, and their mean."""
    rows = [{"transform": name, **row} for name, row in counted["transforms"].items()]
    return [*rows, {"transform": "mean", "recall": counted["recall"]}]


def list_false(scores: Scores, items: Sequence[Item]) -> list[dict[str, Any]]:
    """Return the accepted matches of two scenes, the highest score first."""
    rows = [
        {"score": float(scores[a, b]), "a": f"{items[a].scene}, {items[a].kind}"}
        | {"b": f"{items[b].scene}, {items[b].kind}"}
        for a, b in zip(*np.nonzero(scores > -np.inf), strict=True)
        if a < b
    ]
    return sorted(rows, key=lambda row: -row["score"])


def report(numbers: Mapping[str, Any]) -> None:
    """Print the tables."""
    among = f"{numbers['references']} references among {numbers['others']} others"
    if "false" in numbers:
        print_table("Accepted matches of two scenes", numbers["false"], limit=60)
    title = f"Recall by transform, {among}"
    ladder.print_beside_peers(numbers, "Peers on the same files, no false pair", title)


if __name__ == "__main__":
    main()
