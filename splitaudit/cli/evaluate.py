"""The verb that audits scores: evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from splitaudit.cli import options, output

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
GIGABYTE = 1 << 30
COULD_NOT_RUN = 4

strict = click.option("--strict", is_flag=True, help="Exit 1 for anything but clean.")
seed = click.option("--seed", type=int, default=0, show_default=True, help="Of the tests.")


@click.group()
def evaluate() -> None:
    """Audit an evaluator, or the scores that it gave.

    An evaluator that can be called can be asked what it looks at: `function`. Of a matrix of scores
    one can only say whether something in it is suspicious: `matrix`.
    """


@evaluate.command()
@click.argument("name", metavar="PACKAGE.MODULE:FUNCTION")
@click.option(
    "--data", type=FILE, required=True, help="An .npz file with the arrays queries and gallery."
)
@click.option(
    "--kind",
    type=click.Choice(["score", "metric"]),
    default="score",
    show_default=True,
    help="What the function returns.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(0, min_open=True),
    default=600,
    show_default=True,
    help="Seconds for all tests.",
)
@click.option(
    "--memory-limit",
    type=click.FloatRange(0),
    default=16,
    show_default=True,
    help="Gigabytes; 0 for none.",
)
@strict
@seed
@options.as_json
def function(
    name: str, data: Path, time_limit: float, memory_limit: float, as_json: bool, **chosen: Any
) -> int:
    """Call an evaluator with changed inputs, and say what it looks at.

    FUNCTION(queries, gallery) returns scores, a row a query, or a metric. It runs in a process of
    its own. The file may hold relevance, query_ids and gallery_ids, too.
    """
    from splitaudit.errors import EvaluatorError
    from splitaudit.evaluation import sandbox
    from splitaudit.report.scores import print_evaluator

    memory = round(memory_limit * GIGABYTE)
    task = sandbox.Task(name, str(data), chosen["kind"], chosen["seed"], memory)
    try:
        found = sandbox.run(task, time_limit)
    except EvaluatorError as error:
        click.echo(f"splitaudit: {name} could not be audited: {error}", err=True)
        return COULD_NOT_RUN
    output.print_json(found) if as_json else print_evaluator(found, output.console())
    return int(found["verdict"] == "leak" or (chosen["strict"] and found["verdict"] != "clean"))


@evaluate.command()
@click.argument("scores", type=FILE)
@click.option(
    "--relevance",
    type=FILE,
    help="What is right: CSV or TSV with the columns query, item and grade, or qrels.",
)
@click.option(
    "--min-grade",
    type=float,
    metavar="G",
    help="Grades of at least G are right; without it, all above 0.",
)
@click.option("--query-ids", type=FILE, help="A list of ids, one a line, of the rows.")
@click.option("--gallery-ids", type=FILE, help="A list of ids, one a line, of the columns.")
@click.option("--run", help="Folder of a run whose leaks are taken out.")
@options.as_json
def matrix(
    scores: Path,
    relevance: Path | None,
    min_grade: float | None,
    **chosen: Any,
) -> int:
    """Measure SCORES, and look for what an honest evaluator does not leave.

    SCORES is a .npy file, a row a query, or .parquet, a column an item; or a run of TREC, a line
    an item that was found. By default the item at the place of a query is the right one.
    """
    import numpy as np

    from splitaudit.evaluation.judged_scores import read_judged
    from splitaudit.evaluation.summary import summarise
    from splitaudit.report.scores import print_matrix

    ids = chosen["query_ids"], chosen["gallery_ids"]
    judged = read_judged(scores, relevance, ids, min_grade)
    held, right = judged.scores, judged.right
    apart: tuple[Any, dict[str, Any]] = np.arange(right.gallery), {}
    if chosen["run"]:
        from splitaudit.runs.leaked import partition_gallery

        apart = partition_gallery(options.open_audit(chosen["run"]), held)
    found = summarise(held.matrix, right, *apart, partial=held.partial)
    found["notes"] = list(judged.notes)
    output.print_json(found) if chosen["as_json"] else print_matrix(found, output.console())
    return int(found["verdict"] == "suspicious")
