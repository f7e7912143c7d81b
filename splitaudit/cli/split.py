"""Verbs that part: dedup, split, check, export."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from splitaudit.cli import options, output


@click.command()
@options.run
@click.option("--within", metavar="SPLIT", help="Look only at this split.")
@click.option(
    "--keep",
    type=click.Choice(["longest", "first", "best"]),
    default="best",
    show_default=True,
    help="Which item of a group is kept.",
)
@click.option("--prefer", metavar="SPLIT", help="Keep items of this split before others'.")
@options.as_json
def dedup(run: str | None, as_json: bool, **chosen: Any) -> None:
    """Keep one item of each duplicate group of RUN.

    Items of the evaluated splits are kept before others, unless --prefer says otherwise. `best`
    is the highest sample rate, then bit depth, then duration, then lossless before lossy.
    """
    audit = options.open_audit(run)
    kept = audit.dedup(**chosen)
    if as_json:
        output.print_records(kept)
        return
    from splitaudit.report.plans import print_dedup

    print_dedup(kept, output.console())
    click.echo(f"\nWritten: {audit.run / 'dedup.parquet'}")


@click.command()
@options.run
@click.option(
    "--mode",
    type=click.Choice(["repair", "drop-train", "drop-test", "regroup"]),
    default="repair",
    show_default=True,
    help="repair: fewest moves; drop-...: no moves; regroup: a new split by ratio.",
)
@click.option(
    "--policy",
    default="duplicate",
    show_default=True,
    help="What stays together: duplicate, source, setup, or names of keys.",
)
@options.cap
@click.option(
    "--ratios",
    metavar="SPLIT=SHARE,...",
    help="Of regroup.  [default: of the manifest, else as they are]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of regroup.")
@click.option(
    "--stratify",
    metavar="NAME,...",
    default="label",
    show_default=True,
    help="Labels and attributes that regroup keeps in balance.",
)
@click.option("--no-train-to-eval", is_flag=True, help="Move no train item to val or test.")
@click.option(
    "--pin",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A list of ids, one a line, that stay where they are.",
)
@options.coverage
@options.as_json
def split(run: str | None, as_json: bool, min_coverage: float, **chosen: Any) -> int:
    """Make a split of RUN that no leak crosses, and check it.

    The exit status is that of `splitaudit check` on the new split.
    """
    from splitaudit.split.foreign import read_ids

    audit = options.open_audit(run)
    audit.split(
        chosen["mode"],
        policy=chosen["policy"],
        cap=chosen["cap"],
        ratios=options.parse_ratios(chosen["ratios"]),
        seed=chosen["seed"],
        train_to_eval=not chosen["no_train_to_eval"],
        stratify=options.parse_names(chosen["stratify"]),
        pinned=read_ids(chosen["pin"]) if chosen["pin"] else (),
    )
    facts, result = audit.split_facts(), audit.check(min_coverage=min_coverage)
    if as_json:
        output.print_json({**facts, "check": result.sentences(), "run": str(audit.run)})
    else:
        from splitaudit.report.plans import print_split

        print_split(facts, result.sentences(), output.console())
        click.echo(f"\nWritten: {audit.run / 'split'}")
    return result.exit_status


@click.command()
@click.argument("against", required=False)
@click.option("--run", "run", help="Folder of the run.  [default: the newest]")
@click.option("--policy", help="What must not be parted.  [default: that of the split]")
@click.option("--rescan", is_flag=True, help="Read and search all media again.")
@options.coverage
@options.as_json
def check(against: str | None, run: str | None, as_json: bool, **chosen: Any) -> int:
    """Verify that no leak crosses a split.

    The split AGAINST, by default the one that `splitaudit split` made, is compared with a run.
    AGAINST is a table with the columns id and split, or a folder with a list (train.txt) or a
    Parquet file a split.

    Exit status: 1 where a leak crosses the split or an item is missing, unknown or listed twice; 4
    where not enough was audited to say so.
    """
    audit = options.open_audit(run)
    result = audit.check(against, **chosen)
    if as_json:
        crossings = json.loads(result.crossings.to_json(orient="records"))
        said = {"exit_status": result.exit_status, "sentences": result.sentences()}
        output.print_json({**said, "coverage": result.coverage, "crossings": crossings})
    else:
        click.echo("\n".join(result.sentences()))
    return result.exit_status


@click.command()
@options.run
@click.option("--to", "folder", required=True, help="Folder to write to.")
@click.option(
    "--format",
    "form",
    type=click.Choice(options.export_formats()),
    default="parquet",
    show_default=True,
    help="A Parquet file a split, lists of ids, one CSV, or for Hugging Face or Croissant.",
)
def export(run: str | None, folder: str, form: str) -> None:
    """Write the new split of RUN to a folder.

    A sidecar, split.json, holds its digest, by which `splitaudit check` knows it again.
    """
    for path in options.open_audit(run).export(folder, form):
        click.echo(path)
