"""Thirty-six transforms of real recordings among a thousand others: what is found, and what is not true.

Of each recording a stretch of at most 20 s is a *reference*, in train with the *others* (recordings
that nothing was made of); what a transform makes of it is in test. Half of the sources, by a hash of
their names, is reported on. A match is false where it joins two recordings that share no sound;
which do is taken from a scan of the recordings alone, whose matches are listed. Beside a false one
stands how many quarter seconds of the two recordings have their own best lag where the whole has it:
by chance one in a hundred. Peers get the same files: all recordings as one index, every copy of
every transform as a query; each at one threshold for all, which is chosen afterwards, just above its
worst false pair, and at the one it states.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.common import harness, ladder
from benchmarks.common.audio import ladder_ours, ladder_peers, material, peers
from benchmarks.common.audio.evidence import align_recordings
from benchmarks.common.audio.ladder_material import (
    Copy,
    choose,
    group_related,
    lay_out,
    make_copies,
    tell_truth,
)
from benchmarks.common.audio.transforms import TRANSFORMS
from benchmarks.common.harness import must, print_table

REFERENCES = 168
OTHERS = 1_000


def main() -> None:
    args = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        train = home / "alone" / "train"
        references, others = choose(args, material.find_recordings(args.data, args.more))
        origin = lay_out(references, others, train)
        kin = group_related(home, origin)
        copies, ours = climb(args.transforms, home, kin)
        for row in ours["false"]:
            originals = (home / "alone" / row["of"], home / "alone" / row["is"])
            row["windows of the recordings that agree"] = align_recordings(originals)
        theirs = ask_peers(
            args, copies, {f"train/{p.name}": p for p in sorted(train.iterdir())}, kin
        )
    for row in [*ours["false"], *(pair for peer in theirs for pair in peer.get("worst false", []))]:
        row |= {side: origin.get(row[side], row[side]) for side in ("of", "is")}
    numbers = {"references": len(references), "others": len(others), **ours, "peers": theirs}
    report(numbers)
    ladder.write(numbers, args)


def _arguments() -> Any:
    parser = harness.make_parser(__doc__)
    material.add_options(parser)
    parser.add_argument("--audfprint", type=Path, help="a clone of audfprint, run as it is")
    parser.add_argument("--olaf", type=Path, help="a clone of Olaf, `make compile_core` done")
    parser.add_argument("--references", type=int, default=REFERENCES)
    parser.add_argument("--others", type=int, default=OTHERS)
    ladder.add_options(parser, TRANSFORMS, "sources")
    return parser.parse_args()


def climb(
    names: Sequence[str], home: Path, kin: Mapping[str, str]
) -> tuple[list[Copy], dict[str, Any]]:
    """Make the copies of each transform and scan them; return all copies, and what was found."""
    copies: list[Copy] = []
    rows, false, placed = [], [], []
    for name in names:
        made = make_copies(name, home / "alone" / "train", home / name)
        scanned = must(harness.scan(home / name, home, run=f"{name} run"), 0, 1, 4)
        known = tell_truth(made, list(kin), kin)
        matches = ladder_ours.join_matches(scanned, made, list(kin))
        rows.append(ladder_ours.count_found(made, list(kin), matches, known))
        false += ladder_ours.list_false(made, list(kin), matches, known)
        placed.append(ladder_ours.measure_errors(made, matches))
        copies += made
        print(rows[-1], flush=True)
    rows.append(ladder_ours.average_rows(rows))
    table = ladder_ours.tabulate_errors(pd.concat(placed, ignore_index=True))
    return copies, {"transforms": rows, "errors": table, "false": false}


def ask_peers(
    args: Any, copies: Sequence[Copy], references: Mapping[str, Path], kin: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Run the peers that are here over all copies."""
    known = tell_truth(copies, list(references), kin)
    tools = peers.find_all_peers(args.audfprint, args.olaf)
    return ladder_peers.judge_all(tools, copies, references, known)


def report(numbers: Mapping[str, Any]) -> None:
    """Print the tables."""
    among = f"{numbers['references']} references among {numbers['others']} others"
    print_table(among, numbers["transforms"])
    print_table("How wrongly the right matches are placed and scaled", numbers["errors"])
    print_table("Accepted matches of recordings that share no sound", numbers["false"], limit=60)
    peers_title = f"Peers on the same files ({peers.AT_BEST})"
    ladder.print_beside_peers(numbers, peers_title, "Recall by transform, peers at best")


if __name__ == "__main__":
    main()
