"""What the ladders of sounds and of pictures share: options, and the tables of ours beside the peers."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.common.harness import keep, print_table
from benchmarks.common.ladder_figure import draw

NESTED = ("transforms", "worst false")


def add_options(parser: argparse.ArgumentParser, transforms: Iterable[str], whose: str) -> None:
    """Let the command line choose transforms and the half of the sources, and ask for a figure."""
    names = list(transforms)
    parser.add_argument("--transforms", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--develop", action="store_true", help=f"use the other half of the {whose}")
    parser.add_argument("--figure", type=Path, metavar="FILE", help="draw recall by transform")


def write(numbers: Mapping[str, Any], args: argparse.Namespace) -> None:
    """Write the numbers and the figure where they were asked for."""
    keep(args.json, numbers)
    if args.figure:
        draw(numbers, args.figure)


def print_beside_peers(numbers: Mapping[str, Any], peers: str, transforms: str) -> None:
    """Print the peers, recall by transform, and the worst false pairs of each peer; two titles."""
    short = [{k: v for k, v in peer.items() if k not in NESTED} for peer in numbers["peers"]]
    print_table(peers, short)
    print_table(transforms, _rows_by_transform(numbers))
    for peer in numbers["peers"][:-1]:
        title = f"Worst false pairs of {peer['peer']}, {peer['settings']}"
        print_table(title, peer["worst false"])


def _rows_by_transform(numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Our recall of each transform beside that of every peer."""
    return [
        {"transform": row["transform"], "splitaudit": row["recall"]}
        | {
            f"{peer['peer']}, {peer['settings']}": (
                peer["transforms"].get(row["transform"], peer)["recall"]
            )
            for peer in numbers["peers"]
        }
        for row in numbers["transforms"]
    ]
