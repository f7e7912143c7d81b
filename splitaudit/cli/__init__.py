"""The command line: parse, call `Audit`, print. Only click and the standard library at start.

Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import os
import sys
import traceback

import click

import splitaudit
from splitaudit.cli import datasets, evaluate, scan, split
from splitaudit.errors import SplitauditError

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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88})
@click.version_option(splitaudit.__version__, message="splitaudit %(version)s")
def cli() -> None:
    """Find the test items that are already in train, with proof, and get a split without them.

    \b
      splitaudit scan my_dataset     every leak, and a report to listen to
      splitaudit leaks               list them
      splitaudit split               a split without them, checked
    """  # noqa: D301  click wants the character


for verb in (
    scan.scan,
    scan.leaks,
    scan.groups,
    scan.report,
    split.dedup,
    split.split,
    split.check,
    split.export,
    evaluate.evaluate,
    datasets.demo,
    datasets.fetch,
    datasets.list_manifests,
):
    cli.add_command(verb)
