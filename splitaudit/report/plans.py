"""Groups, deduplication and splits on the screen, for 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from splitaudit.report.sentences import escape_invisible, pluralise


def print_groups(
    groups: pd.DataFrame, giants: pd.DataFrame, console: Console, limit: int = 20
) -> None:
    """Print how many groups there are, the largest, and what welds giant ones together.

    Parameters
    ----------
    groups
        `splitaudit.schema.GROUPS`.
    giants
        From `splitaudit.groups.policies.giants`.
    console, limit
        Where to, and how many groups.
    """
    sizes = groups.drop_duplicates("group_id").sort_values(
        ["size", "group_id"], ascending=[False, True]
    )
    joined = sizes[sizes["size"] > 1]
    console.print(
        f"{len(groups):,} items in {len(sizes):,} groups; {len(joined):,} groups hold more than "
        f"one item, together {joined['size'].sum():,}."
    )
    table = Table("items", "group (its smallest item)", box=None, pad_edge=False)
    for row in joined.head(limit).to_dict("records"):
        table.add_row(f"{row['size']:,}", Text(escape_invisible(row["group_id"])))
    if table.row_count:
        console.print(table)
    if len(joined) > limit:
        console.print(f"... and {len(joined) - limit:,} more: --limit, --json")
    _print_giants(giants, console)


def print_refused(edges: pd.DataFrame, console: Console, limit: int = 20) -> None:
    """Print the edges that were refused, the strongest first.

    Parameters
    ----------
    edges
        From `Audit.refused`.
    console, limit
        Where to, and how many.
    """
    console.print(f"\n{pluralise(len(edges), 'pair')} refused: the group would be too large")
    ranked = edges.sort_values(["weight", "a", "b"], ascending=[False, True, True])
    for row in ranked.head(limit).to_dict("records"):
        pair = f"{escape_invisible(row['a'])} - {escape_invisible(row['b'])}"
        console.print(Text(f"  {pair} ({escape_invisible(row['reason'])} {row['weight']:.2f})"))
    if len(edges) > limit:
        console.print(f"... and {len(edges) - limit:,} more: edges.parquet of the split, --limit")


def print_policies(policies: pd.DataFrame, console: Console) -> None:
    """Print what each policy joins.

    Parameters
    ----------
    policies
        From `Audit.policies`.
    console
        Where to.
    """
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for place, name in enumerate(policies.columns):
        table.add_column(name, justify="right" if place else "left", overflow="fold")
    for policy, groups, largest, *shares in policies.itertuples(index=False, name=None):
        counts = (f"{groups:,}", f"{largest:,}", *(f"{share:.1%}" for share in shares))
        table.add_row(Text(escape_invisible(policy)), *counts)
    console.print(table)


def _print_giants(giants: pd.DataFrame, console: Console) -> None:
    for group_id, rows in giants.groupby("group_id"):
        share = rows["share"].iloc[0]
        name = escape_invisible(str(group_id))
        console.print(f"\nA giant group, {share:.0%} of all items: ", Text(name), style="bold")
        bridges = rows.dropna(subset=["a"])
        for row in bridges.head(10).to_dict("records"):
            pair = f"{escape_invisible(row['a'])} - {escape_invisible(row['b'])}"
            console.print(Text(f"  held together by {pair} (score {row['weight']:.2f})"))


def print_dedup(kept: pd.DataFrame, console: Console, limit: int = 20) -> None:
    """Print how many items are kept, and which stands for each dropped one.

    Parameters
    ----------
    kept
        `splitaudit.schema.DEDUP`.
    console, limit
        Where to, and how many dropped items.
    """
    dropped = kept[kept["action"] == "dropped"]
    console.print(f"kept {len(kept) - len(dropped):,} of {len(kept):,} items")
    for row in dropped.head(limit).to_dict("records"):
        console.print(Text(f"- {escape_invisible(row['item_id'])}"))
        console.print(Text(f"    {escape_invisible(row['reason'])}", style="dim"))
    if len(dropped) > limit:
        console.print(f"... and {len(dropped) - limit:,} more: --json")


def _changes(facts: dict[str, Any]) -> str:
    """How much the new split differs, beside the least that is possible where that is known."""
    if facts["mode"] == "regroup":
        return f"moved {facts['moved']:,} items"
    if facts["mode"] != "repair":
        return f"dropped {facts['dropped']:,} items"
    least = f"no split without leaks moves fewer than {facts['lower_bound']:,}"
    return f"moved {facts['moved']:,} items; {least}"


def print_split(facts: dict[str, Any], proof: Sequence[str], console: Console) -> None:
    """Print what a split changed, what it costs, and the proof.

    Parameters
    ----------
    facts
        From `splitaudit.runs.audit.Audit.split_facts`.
    proof
        From `splitaudit.split.check.CheckResult.sentences`.
    console
        Where to.
    """
    counts = ", ".join(f"{escape_invisible(name)} {n:,}" for name, n in facts["counts"].items())
    console.print(Text(f"new split: {counts}"))
    for sentence in facts["unmet"]:
        console.print(Text(escape_invisible(sentence)))
    console.print(_changes(facts))
    if facts["refused"]:
        console.print(
            f"{pluralise(facts['refused'], 'pair')} refused, since the group would be larger than "
            "--cap: `cut` in edges.parquet"
        )
    for name, entering in facts["entering_eval"].items():
        if entering:
            console.print(
                Text(
                    f"{entering:,} items of the old train enter {escape_invisible(name)}: "
                    "checkpoints trained on the old split have seen them "
                    "(--no-train-to-eval forbids it)"
                )
            )
    console.print("\nChecked from the written files:")
    for sentence in proof:
        console.print(Text(f"  {sentence}"))
