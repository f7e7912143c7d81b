"""The tables of a ladder, of sounds or of pictures: ours beside the peers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness import print_table

NESTED = ("transforms", "worst false")


def print_beside_peers(numbers: Mapping[str, Any], peers: str, transforms: str) -> None:
    """Print the peers, recall by transform, and the worst false pairs of each peer; two titles."""
    short = [{k: v for k, v in peer.items() if k not in NESTED} for peer in numbers["peers"]]
    print_table(peers, short)
    print_table(transforms, _by_transform(numbers))
    for peer in numbers["peers"][:-1]:
        title = f"Worst false pairs of {peer['peer']}, {peer['settings']}"
        print_table(title, peer["worst false"])


def _by_transform(numbers: Mapping[str, Any]) -> list[dict[str, Any]]:
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
