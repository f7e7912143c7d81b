"""Verbs about datasets themselves: demo, fetch, list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from splitaudit.cli import options, output

if TYPE_CHECKING:
    from splitaudit.dataset.manifest import Manifest


@click.command()
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

    return run_demo(Path(folder), seed, output.console())


@click.command()
@click.argument("name")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Folder of the dataset.")
@options.as_json
def fetch(name: str, folder: Path | None, as_json: bool) -> int:
    """Download the files of NAME, or say where they come from.

    NAME is that of a shipped manifest or a manifest (.toml). The folder is --to, else
    $SPLITAUDIT_DATA/NAME, else NAME. Exit status 1 where a file is still to be placed, is not what
    it should be, or could not be downloaded.
    """
    from splitaudit.dataset.fetch import GOOD
    from splitaudit.dataset.fetch import fetch as fetched
    from splitaudit.dataset.from_manifest import dataset_root, find_manifest
    from splitaudit.engine.progress import bars

    manifest = find_manifest(name)
    root = dataset_root(manifest, folder, Path(manifest.name))
    with bars() as progress:
        found = list(fetched(manifest, root, progress))
    if as_json:
        output.print_json([vars(outcome) for outcome in found])
    else:
        for outcome in found:
            click.echo(f"{outcome.status:<18} {root / outcome.path}  {outcome.reason}".rstrip())
        _print_origin(manifest)
    return 0 if all(outcome.status in GOOD for outcome in found) else 1


@click.command("list")
@options.as_json
def list_manifests(as_json: bool) -> None:
    """List the shipped manifests.

    At hand is how many of the files that a dataset is read from lie in its folder:
    $SPLITAUDIT_DATA/NAME, else NAME.
    """
    from splitaudit.dataset.from_manifest import dataset_root, file_presence, find_manifest
    from splitaudit.dataset.manifest import shipped_manifests

    manifests = [find_manifest(name) for name in shipped_manifests()]
    here = {m.name: file_presence(m, dataset_root(m, None, Path(m.name))) for m in manifests}
    if as_json:
        keys = ("title", "homepage", "license", "note")
        said = {m.name: {key: getattr(m, key) for key in keys} for m in manifests}
        output.print_json({name: {**texts, "at_hand": here[name]} for name, texts in said.items()})
        return
    width = max(map(len, here))
    click.echo(f"{'name':<{width}}  {'dataset':<46}  at hand")
    for manifest in manifests:
        found = here[manifest.name]
        counted = f"{sum(found.values())} of {len(found)}"
        click.echo(f"{manifest.name:<{width}}  {manifest.title:<46}  {counted}")
    click.echo("\n`splitaudit fetch NAME` gets its files, or says where they come from.")


def _print_origin(manifest: Manifest) -> None:
    """Print where a dataset comes from, under which licence, and what its layout is."""
    texts = {"homepage": manifest.homepage, "licence": manifest.license, "note": manifest.note}
    for name, text in texts.items():
        if text:
            click.echo(f"{name:<18} {text}")
