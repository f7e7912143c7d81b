"""Verbs that find: scan, leaks, groups, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from splitaudit.cli import options, output

if TYPE_CHECKING:
    from splitaudit.runs.audit import Audit


@click.command()
@click.argument("target")
@click.option("--out", help="Folder of the run.  [default: .splitaudit/runs/NAME]")
@options.cache
@click.option("--root", type=click.Path(path_type=Path), help="Where relative paths start from.")
@click.option("--column", "columns", multiple=True, metavar="OURS=THEIRS", help="Map a column.")
@click.option("--splits", metavar="OLD=NEW,...", help="Name splits anew, as 0=train,1=val,2=test.")
@options.table_layout
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="NAME[=RELATION]",
    help="A column whose equal values belong together.",
)
@click.option(
    "--missing",
    multiple=True,
    metavar="KEY=VALUE",
    help="This value of a key stands for a missing one, and joins nothing.",
)
@click.option(
    "--real", multiple=True, metavar="KEY=VALUE", help="This one does not, whatever it looks like."
)
@click.option(
    "--checks",
    help="Ask only these, of audio,video,image,captions,keys.  [default: all there is]",
)
@click.option(
    "--captions",
    metavar="RULE,...",
    help="How captions are equal: exact, text, numberless, core, near.  [default: exact,text]",
)
@click.option(
    "--fingerprints",
    metavar="NAME,...",
    help="Search pictures by these: hash, gradients, features, imagehash.phash, "
    "package.module:Class.  [default: the first three]",
)
@click.option("--jobs", type=click.IntRange(1), help="Processes.  [default: one a core]")
@click.option(
    "--generic",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="What more sounds than this share is a jingle, not a leak.",
)
@options.coverage
@click.option("--fail-on", type=click.Choice(["weak"]), help="Exit 1 on weak relations too.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be computed, and stop.")
@options.as_json
def scan(target: str, only_plan: bool, as_json: bool, exit_zero: bool, **chosen: Any) -> int:
    """Find every leak and duplicate in TARGET, with proof.

    TARGET is a folder with a folder or a list for each split (train, val, test), a table (CSV, TSV,
    JSON, JSONL, Parquet), a manifest (.toml) or a shipped one's name (see `splitaudit list`).

    Exit status: 0 no leak, 1 leaks, 2 wrong usage, 3 an internal error, 4 no leak found but less
    audited than --min-coverage, 5 duplicates where no split is evaluated against another.
    """
    from splitaudit.engine.progress import bars
    from splitaudit.report.summary import exit_status

    audit = _open_audit(target, chosen)
    if only_plan:
        return _print_plan(audit, as_json)
    _print_notes(audit)
    with bars() as progress:
        audit.scan(progress=progress, min_coverage=chosen["min_coverage"])
    summary = audit.summary()
    output.print_json(summary) if as_json else _print_scan(audit, summary)
    status = exit_status(
        summary, min_coverage=chosen["min_coverage"], fail_on_weak=chosen["fail_on"] == "weak"
    )
    return 0 if exit_zero else status


@click.command()
@options.run
@options.limit
@click.option(
    "--duplicates",
    "kind",
    flag_value="duplicates",
    help="List the pairs within a split instead.",
)
@click.option(
    "--similar",
    "kind",
    flag_value="similar",
    help="List pictures that resemble each other and are no copies, or not provably.",
)
@options.as_json
def leaks(run: str | None, limit: int, kind: str | None, as_json: bool) -> None:
    """List the leaks of RUN, the most certain first.

    RUN is the folder of a run or what was scanned; by default the newest run.
    """
    from splitaudit.report.terminal import print_leaks

    audit = options.open_audit(run)
    lists = {"duplicates": audit.duplicates, "similar": audit.similar}
    found = lists[kind]() if kind else audit.leaks()
    if as_json:
        output.print_records(found)
    elif found.empty:
        nothing = {"duplicates": "no duplicates within a split", "similar": "nothing is similar"}
        click.echo(nothing[kind] if kind else "no leaks")
    else:
        print_leaks(found, output.console(), limit)


@click.command()
@options.run
@options.limit
@click.option("--policy", help="List the groups of this one.  [default: compare all]")
@options.cap
@options.as_json
def groups(run: str | None, limit: int, policy: str | None, cap: int | None, as_json: bool) -> None:
    """Say what must stay together in RUN.

    Without --policy, for each policy and each key: how many groups there are, how large the
    largest is, and how much of the evaluated splits has nothing of train in its group.
    """
    audit = options.open_audit(run)
    found = audit.groups(policy, cap=cap) if policy else audit.policies()
    if as_json:
        output.print_records(found)
        return
    from splitaudit.report.plans import print_groups, print_policies, print_refused

    if policy:
        print_groups(found, audit.giants(), output.console(), limit)
    else:
        print_policies(found, output.console())
    if policy and cap:
        print_refused(audit.refused(policy, cap), output.console(), limit)


@click.command()
@options.run
@click.option("--to", "path", help="File to write.  [default: report.html in the run]")
def report(run: str | None, path: str | None) -> None:
    """Write the report of RUN again.

    It is one HTML file to look at and listen to, without a network.
    """
    click.echo(options.open_audit(run).report(path))


def _open_audit(target: str, chosen: dict[str, Any]) -> Audit:
    from splitaudit.dataset import IngestOptions
    from splitaudit.metadata.captions import RULES
    from splitaudit.runs.opening import open_target
    from splitaudit.schema import CHECKS, METADATA_CHECKS

    columns = dict(options.parse_assignments(chosen["columns"], "--column"))
    checks = options.parse_choices("--checks", "check", chosen["checks"], CHECKS)
    captions = options.parse_choices("--captions", "rule", chosen["captions"], RULES)
    settings: dict[str, Any] = {"generic": chosen["generic"], "checks": checks or None}
    if chosen["fingerprints"] is not None:
        settings["fingerprints"] = options.parse_names(chosen["fingerprints"])
    if chosen["jobs"]:
        settings["processes"] = chosen["jobs"]
    return open_target(
        target,
        out=chosen["out"],
        cache=chosen["cache"],
        options=IngestOptions(
            chosen["root"],
            columns,
            options.parse_keys(chosen["keys"]),
            tuple(captions) or None,
            not (checks and set(checks) <= set(METADATA_CHECKS)),
            layout=options.parse_layout(chosen),
            splits=options.parse_splits(chosen["splits"]),
            values=options.parse_values(chosen["missing"], chosen["real"]),
        ),
        settings=settings,
    )


def _print_plan(audit: Audit, as_json: bool) -> int:
    steps = [vars(step) for step in audit.plan()]
    if as_json:
        output.print_json(steps)
    else:
        width = max(12, *(len(step["stage"]) for step in steps))
        for step in steps:
            click.echo(f"{step['stage']:<{width}} {step['action']:<8} {step['why']}")
    return 0


def _print_notes(audit: Audit) -> None:
    from splitaudit.search import vectors

    for note in audit.dataset.notes if audit.dataset else ():
        click.echo(f"note: {note}", err=True)
    if not vectors.has_faiss():
        click.echo(
            "note: without FAISS all is compared with all, which is slow beyond some thousand "
            "sounds: pip install 'splitaudit[cpu]'",
            err=True,
        )


def _print_scan(audit: Audit, summary: dict[str, Any]) -> None:
    from splitaudit.report.terminal import print_unaudited, print_verdict

    console = output.console()
    print_verdict(summary, console)
    media = audit.table("media").to_pandas()
    print_unaudited(media[media["part"].isin(summary["coverage"])], console, limit=10)
