"""The command line: parse, call `Audit`, print. Only click and the standard library at start.

Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import splitaudit
from splitaudit.errors import SplitauditError

if TYPE_CHECKING:
    from rich.console import Console

    from splitaudit.audit import Audit
    from splitaudit.keys import Key
    from splitaudit.manifest import Manifest

INTERNAL_ERROR = 3


def main() -> None:
    """Run the command line; the exit status says what was found (see `splitaudit scan -h`)."""
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("interrupted; run the same command again to go on from there", err=True)
        sys.exit(130)
    except SplitauditError as error:
        click.echo(f"splitaudit: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:  # such as `splitaudit leaks | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception:
        traceback.print_exc()
        click.echo("splitaudit: internal error; please report it with the lines above", err=True)
        sys.exit(INTERNAL_ERROR)


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
_run = click.argument("run", required=False)
_coverage = click.option(
    "--min-coverage",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Share of the items that must be audited to call a dataset clean.",
)
_cap = click.option(
    "--cap",
    type=click.IntRange(1),
    help="Most items of a group that near captions and keys with a tolerance may make.",
)
_limit = click.option(
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Print at most so many; --json gives all.",
)
_cache = click.option("--cache", help="Folder of facts about files.  [default: .splitaudit/cache]")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88})
@click.version_option(splitaudit.__version__, message="splitaudit %(version)s")
def cli() -> None:
    """Find the test items that are already in train, with proof, and get a split without them.

    \b
      splitaudit scan my_dataset     every leak, and a report to listen to
      splitaudit leaks               list them
      splitaudit split               a split without them, checked
    """  # noqa: D301  click wants the character


@cli.command()
@click.argument("target")
@click.option("--out", help="Folder of the run.  [default: .splitaudit/runs/NAME]")
@_cache
@click.option("--root", type=click.Path(path_type=Path), help="Where relative paths start from.")
@click.option("--column", "columns", multiple=True, metavar="OURS=THEIRS", help="Map a column.")
@click.option(
    "--key",
    "keys",
    multiple=True,
    metavar="NAME[=RELATION]",
    help="A column whose equal values belong together.",
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
@click.option("--jobs", type=click.IntRange(1), help="Processes.  [default: one a core]")
@click.option(
    "--generic",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="What more sounds than this share is a jingle, not a leak.",
)
@_coverage
@click.option("--fail-on", type=click.Choice(["weak"]), help="Exit 1 on weak relations too.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
@click.option("--plan", "only_plan", is_flag=True, help="Say what would be computed, and stop.")
@_json
def scan(target: str, only_plan: bool, as_json: bool, exit_zero: bool, **options: Any) -> int:
    """Find every leak and duplicate in TARGET, with proof.

    TARGET is a folder whose first-level folders are the splits (train, val, test), a table (CSV,
    TSV, JSON, JSONL, Parquet), a manifest (.toml) or a shipped one's name (see `splitaudit list`).

    Exit status: 0 no leak, 1 leaks, 2 wrong usage, 3 an internal error, 4 no leak found but less
    audited than --min-coverage.
    """
    from splitaudit.progress import bars
    from splitaudit.report.summary import exit_status

    audit = _opened(target, options)
    if only_plan:
        return _print_plan(audit, as_json)
    _say_notes(audit)
    with bars() as progress:
        audit.scan(progress=progress, min_coverage=options["min_coverage"])
    summary = audit.summary()
    _print_json(summary) if as_json else _print_scan(audit, summary)
    status = exit_status(
        summary, min_coverage=options["min_coverage"], fail_on_weak=options["fail_on"] == "weak"
    )
    return 0 if exit_zero else status


@cli.command()
@_run
@_limit
@click.option("--duplicates", is_flag=True, help="List the pairs within a split instead.")
@_json
def leaks(run: str | None, limit: int, duplicates: bool, as_json: bool) -> None:
    """List the leaks of RUN, the most certain first.

    RUN is the folder of a run or what was scanned; by default the newest run.
    """
    from splitaudit.report.terminal import print_leaks

    audit = _opened_run(run)
    found = audit.duplicates() if duplicates else audit.leaks()
    if as_json:
        _print_records(found)
    elif found.empty:
        click.echo("no duplicates within a split" if duplicates else "no leaks")
    else:
        print_leaks(found, _console(), limit)


@cli.command()
@_run
@_limit
@click.option("--policy", help="List the groups of this one.  [default: compare all]")
@_cap
@_json
def groups(run: str | None, limit: int, policy: str | None, cap: int | None, as_json: bool) -> None:
    """Say what must stay together in RUN.

    Without --policy, for each policy and each key: how many groups there are, how large the
    largest is, and how much of the evaluated splits has nothing of train in its group.
    """
    audit = _opened_run(run)
    found = audit.groups(policy, cap=cap) if policy else audit.policies()
    if as_json:
        _print_records(found)
        return
    from splitaudit.report.plans import print_groups, print_policies, print_refused

    if policy:
        print_groups(found, audit.giants(), _console(), limit)
    else:
        print_policies(found, _console())
    if policy and cap:
        print_refused(audit.refused(policy, cap), _console(), limit)


@cli.command()
@_run
@click.option("--within", metavar="SPLIT", help="Look only at this split.")
@click.option(
    "--keep",
    type=click.Choice(["longest", "first", "best"]),
    default="best",
    show_default=True,
    help="Which item of a group is kept.",
)
@click.option("--prefer", metavar="SPLIT", help="Keep items of this split before others'.")
@_json
def dedup(run: str | None, as_json: bool, **options: Any) -> None:
    """Keep one item of each duplicate group of RUN.

    Items of the evaluated splits are kept before others, unless --prefer says otherwise. `best`
    is the highest sample rate, then bit depth, then duration, then lossless before lossy.
    """
    audit = _opened_run(run)
    kept = audit.dedup(**options)
    if as_json:
        _print_records(kept)
        return
    from splitaudit.report.plans import print_dedup

    print_dedup(kept, _console())
    click.echo(f"\nWritten: {audit.run / 'dedup.parquet'}")


@cli.command()
@_run
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
@_cap
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
@_coverage
@_json
def split(run: str | None, as_json: bool, min_coverage: float, **options: Any) -> int:
    """Make a split of RUN that no leak crosses, and check it.

    The exit status is that of `splitaudit check` on the new split.
    """
    from splitaudit.splitfiles import read_ids

    audit = _opened_run(run)
    audit.split(
        options["mode"],
        policy=options["policy"],
        cap=options["cap"],
        ratios=_ratios(options["ratios"]),
        seed=options["seed"],
        train_to_eval=not options["no_train_to_eval"],
        stratify=_names(options["stratify"]),
        pinned=read_ids(options["pin"]) if options["pin"] else (),
    )
    facts, result = audit.split_facts(), audit.check(min_coverage=min_coverage)
    if as_json:
        _print_json({**facts, "check": result.sentences(), "run": str(audit.run)})
    else:
        from splitaudit.report.plans import print_split

        print_split(facts, result.sentences(), _console())
        click.echo(f"\nWritten: {audit.run / 'split'}")
    return result.exit_status


@cli.command()
@click.argument("against", required=False)
@click.option("--run", "run", help="Folder of the run.  [default: the newest]")
@click.option("--policy", help="What must not be parted.  [default: that of the split]")
@click.option("--rescan", is_flag=True, help="Read and search all media again.")
@_coverage
@_json
def check(against: str | None, run: str | None, as_json: bool, **options: Any) -> int:
    """Verify that no leak crosses a split.

    The split AGAINST, by default the one that `splitaudit split` made, is compared with a run.
    AGAINST is a table with the columns id and split, or a folder with a list (train.txt) or a
    Parquet file a split.

    Exit status: 1 where a leak crosses the split or an item is missing, unknown or listed twice; 4
    where not enough was audited to say so.
    """
    audit = _opened_run(run)
    result = audit.check(against, **options)
    if as_json:
        crossings = json.loads(result.crossings.to_json(orient="records"))
        said = {"exit_status": result.exit_status, "sentences": result.sentences()}
        _print_json({**said, "coverage": result.coverage, "crossings": crossings})
    else:
        click.echo("\n".join(result.sentences()))
    return result.exit_status


@cli.command()
@_run
@click.option("--to", "folder", required=True, help="Folder to write to.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "lists", "csv", "huggingface", "croissant"]),
    default="parquet",
    show_default=True,
    help="A Parquet file a split, lists of ids, one CSV, or for Hugging Face or Croissant.",
)
def export(run: str | None, folder: str, form: str) -> None:
    """Write the new split of RUN to a folder.

    A sidecar, split.json, holds its digest, by which `splitaudit check` knows it again.
    """
    for path in _opened_run(run).export(folder, form):
        click.echo(path)


@cli.command()
@_run
@click.option("--to", "path", help="File to write.  [default: report.html in the run]")
def report(run: str | None, path: str | None) -> None:
    """Write the report of RUN again.

    It is one HTML file to look at and listen to, without a network.
    """
    click.echo(_opened_run(run).report(path))


@cli.command()
@click.option("--to", "folder", default="splitaudit-demo", show_default=True, help="Folder.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Another gives other sounds.",
)
def demo(folder: str, seed: int) -> int:
    """Plant leaks in sounds made from code, and find them.

    The small dataset is written, scanned, compared with what was planted, split and checked.
    Exit status 0 where everything planted was found, and nothing else.
    """
    from splitaudit.demo.run import run_demo

    return run_demo(Path(folder), seed, _console())


@cli.command()
@click.argument("name")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Folder of the dataset.")
@_json
def fetch(name: str, folder: Path | None, as_json: bool) -> int:
    """Download the files of the dataset NAME, or say where they come from.

    NAME is that of a shipped manifest or a manifest (.toml). The folder is --to, else
    $SPLITAUDIT_DATA/NAME, else NAME. Exit status 1 where a file is still to be placed, is not what
    it should be, or could not be downloaded.
    """
    from splitaudit.fetch import GOOD
    from splitaudit.fetch import fetch as fetched
    from splitaudit.ingest.declared import named_manifest, root_of
    from splitaudit.progress import bars

    manifest = named_manifest(name)
    root = root_of(manifest, folder, Path(manifest.name))
    with bars() as progress:
        found = list(fetched(manifest, root, progress))
    if as_json:
        _print_json([vars(outcome) for outcome in found])
    else:
        for outcome in found:
            click.echo(f"{outcome.status:<18} {root / outcome.path}  {outcome.reason}".rstrip())
        _print_origin(manifest)
    return 0 if all(outcome.status in GOOD for outcome in found) else 1


@cli.command("list")
@_json
def list_manifests(as_json: bool) -> None:
    """List the shipped manifests.

    At hand is how many of the files that a dataset is read from lie in its folder:
    $SPLITAUDIT_DATA/NAME, else NAME.
    """
    from splitaudit.ingest.declared import at_hand, named_manifest, root_of
    from splitaudit.manifest import shipped

    manifests = [named_manifest(name) for name in shipped()]
    here = {m.name: at_hand(m, root_of(m, None, Path(m.name))) for m in manifests}
    if as_json:
        keys = ("title", "homepage", "license", "note")
        said = {m.name: {key: getattr(m, key) for key in keys} for m in manifests}
        _print_json({name: {**texts, "at_hand": here[name]} for name, texts in said.items()})
        return
    width = max(map(len, here))
    click.echo(f"{'name':<{width}}  {'dataset':<46}  at hand")
    for manifest in manifests:
        found = here[manifest.name]
        counted = f"{sum(found.values())} of {len(found)}"
        click.echo(f"{manifest.name:<{width}}  {manifest.title:<46}  {counted}")
    click.echo("\n`splitaudit fetch NAME` gets its files, or says where they come from.")


def _print_origin(manifest: Manifest) -> None:
    """Print where a dataset comes from, under which licence, and how it is laid out."""
    texts = {"homepage": manifest.homepage, "licence": manifest.license, "note": manifest.note}
    for name, text in texts.items():
        if text:
            click.echo(f"{name:<18} {text}")


def _opened(target: str, options: dict[str, Any]) -> Audit:
    from splitaudit.audit import open_target
    from splitaudit.captions import RULES
    from splitaudit.ingest import IngestOptions
    from splitaudit.schema import CHECKS, WRITTEN

    columns = dict(_assigned(options["columns"], "--column"))
    checks = _chosen("--checks", options["checks"], CHECKS)
    captions = _chosen("--captions", options["captions"], RULES)
    settings: dict[str, Any] = {"generic": options["generic"], "checks": checks or None}
    if options["jobs"]:
        settings["processes"] = options["jobs"]
    return open_target(
        target,
        out=options["out"],
        cache=options["cache"],
        options=IngestOptions(
            options["root"],
            columns,
            _keys(options["keys"]),
            tuple(captions) or None,
            not (checks and set(checks) <= set(WRITTEN)),
        ),
        settings=settings,
    )


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _chosen(option: str, text: str | None, choices: Sequence[str]) -> list[str]:
    names = _names(text)
    for name in names:
        if name not in choices:
            raise SplitauditError(f"{option}: no {name!r}; choose from {', '.join(choices)}")
    return names


def _opened_run(run: str | None) -> Audit:
    from splitaudit.audit import open_run

    return open_run(run)


def _assigned(words: Sequence[str], option: str) -> Iterator[tuple[str, str]]:
    for word in words:
        ours, equals, theirs = word.partition("=")
        if not (ours and equals and theirs):
            raise SplitauditError(f"{option} {word}: expected two names such as path=filename")
        yield ours.strip(), theirs.strip()


def _keys(words: Sequence[str]) -> tuple[Key, ...]:
    from splitaudit.keys import Key
    from splitaudit.schema import KEY_RELATIONS, SAME_SOURCE

    found = []
    for word in words:
        name, _, relation = word.partition("=")
        if relation and relation not in KEY_RELATIONS:
            known = ", ".join(KEY_RELATIONS)
            raise SplitauditError(f"--key {word}: no relation {relation!r}; choose from {known}")
        found.append(Key(name, (name,), relation=relation or SAME_SOURCE))
    return tuple(found)


def _ratios(text: str | None) -> dict[str, float] | None:
    if text is None:
        return None
    try:
        return {name: float(share) for name, share in _assigned(text.split(","), "--ratios")}
    except ValueError:
        raise SplitauditError(f"--ratios {text}: expected numbers, as train=0.8,test=0.2") from None


def _print_plan(audit: Audit, as_json: bool) -> int:
    steps = [vars(step) for step in audit.plan()]
    if as_json:
        _print_json(steps)
    else:
        for step in steps:
            click.echo(f"{step['stage']:<12} {step['action']:<8} {step['why']}")
    return 0


def _say_notes(audit: Audit) -> None:
    from splitaudit.search import nearest

    for note in audit.dataset.notes if audit.dataset else ():
        click.echo(f"note: {note}", err=True)
    if not nearest.installed():
        click.echo(
            "note: without FAISS all is compared with all, which is slow beyond some thousand "
            "sounds: pip install 'splitaudit[cpu]'",
            err=True,
        )


def _print_scan(audit: Audit, summary: dict[str, Any]) -> None:
    from splitaudit.report.terminal import print_unaudited, print_verdict

    console = _console()
    print_verdict(summary, console)
    media = audit.table("media").to_pandas()
    print_unaudited(media[media["part"].isin(summary["coverage"])], console, limit=10)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _print_records(frame: Any) -> None:
    click.echo(frame.to_json(orient="records", indent=2, force_ascii=False))


if __name__ == "__main__":
    main()
