"""Options that several verbs have, and what their words mean."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from splitaudit.errors import SplitauditError

if TYPE_CHECKING:
    from splitaudit.dataset.manifest import Layout
    from splitaudit.metadata.keys import Key
    from splitaudit.metadata.placeholders import Override
    from splitaudit.runs.audit import Audit

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
run = click.argument("run", required=False)
coverage = click.option(
    "--min-coverage",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Share of the items that must be audited to call a dataset clean.",
)
cap = click.option(
    "--cap",
    type=click.IntRange(1),
    help="Most items of a group that near captions and keys with a tolerance may make.",
)
limit = click.option(
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Print at most so many; --json gives all.",
)
cache = click.option("--cache", help="Folder of facts about files.  [default: .splitaudit/cache]")


_LAYOUT = (
    click.option("--separator", metavar="TEXT", help="What stands between cells of a table."),
    click.option("--header", metavar="NAME,...", help="The columns of a table without a header."),
    click.option(
        "--quotes", type=click.Choice(["csv", "text"]), help="What quotes in a table are."
    ),
    click.option(
        "--decimal", type=click.Choice(["comma", "point"]), help="What begins its decimals."
    ),
    click.option("--encoding", metavar="NAME", help="Of a table that is not UTF-8."),
)
_SEPARATORS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|"}


def table_layout(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that say how a table is written."""
    for option in reversed(_LAYOUT):
        command = option(command)
    return command


def parse_layout(chosen: Mapping[str, Any]) -> Layout:
    """Return how a table is written, as the options of `table_layout` say."""
    from splitaudit.dataset.manifest import Layout

    separator = _SEPARATORS.get(chosen["separator"], chosen["separator"] or "")
    if len(separator) > 1:
        known = ", ".join(name for name in _SEPARATORS if name.isalpha())
        raise SplitauditError(f"--separator {separator}: expected one character, or {known}")
    encoding = chosen["encoding"] or Layout.encoding
    try:
        codecs.lookup(encoding)
    except (LookupError, ValueError):
        raise SplitauditError(f"--encoding {encoding}: no such encoding, as latin-1") from None
    header = tuple(parse_names(chosen["header"]))
    quotes, decimal = chosen["quotes"] or "", chosen["decimal"] or ""
    return Layout(encoding, header, separator, quotes=quotes, decimal=decimal)


def parse_splits(text: str | None) -> dict[str, str]:
    """Return the new names of words such as `0=train,2=test`."""
    return dict(parse_assignments(text.split(","), "--splits", "0=train")) if text else {}


def parse_names(text: str | None) -> list[str]:
    """Return names with commas between, none where nothing is said."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def parse_choices(option: str, what: str, text: str | None, choices: Sequence[str]) -> list[str]:
    """Return names with commas between, each one of some."""
    found = parse_names(text)
    for name in found:
        if name not in choices:
            raise SplitauditError(f"{option}: no {what} {name!r}; choose from {', '.join(choices)}")
    return found


def parse_assignments(
    words: Sequence[str], option: str, example: str = "path=filename"
) -> Iterator[tuple[str, str]]:
    """Yield both sides of each word such as `path=filename`."""
    for word in words:
        ours, equals, theirs = word.partition("=")
        if not (ours and equals and theirs):
            raise SplitauditError(f"{option} {word}: expected two names such as {example}")
        yield ours.strip(), theirs.strip()


def parse_keys(words: Sequence[str]) -> tuple[Key, ...]:
    """Return the keys of words such as `tape` and `room=same_setup`."""
    from splitaudit.metadata.keys import Key
    from splitaudit.schema import KEY_RELATIONS, SAME_SOURCE

    found = []
    for word in words:
        name, _, relation = word.partition("=")
        if relation and relation not in KEY_RELATIONS:
            known = ", ".join(KEY_RELATIONS)
            raise SplitauditError(f"--key {word}: no relation {relation!r}; choose from {known}")
        found.append(Key(name, (name,), relation=relation or SAME_SOURCE))
    return tuple(found)


def parse_values(missing: Sequence[str], real: Sequence[str]) -> dict[str, Override]:
    """Return what words such as `speaker=unknown` say of the values of each key."""
    from splitaudit.metadata.placeholders import Override

    found: dict[str, Override] = {}
    for option, words in (("missing", missing), ("real", real)):
        for key, value in parse_assignments(words, f"--{option}"):
            found[key] = found.get(key, Override()) | Override(**{option: (value,)})
    return found


def parse_ratios(text: str | None) -> dict[str, float] | None:
    """Return the shares of words such as `train=0.8,test=0.2`, None where nothing is said."""
    if text is None:
        return None
    try:
        return {
            name: float(share) for name, share in parse_assignments(text.split(","), "--ratios")
        }
    except ValueError:
        raise SplitauditError(f"--ratios {text}: expected numbers, as train=0.8,test=0.2") from None


def open_audit(run: str | None) -> Audit:
    """Return the audit of a run, by default the newest."""
    from splitaudit.runs.opening import open_run

    return open_run(run)


def export_formats() -> list[str]:
    """Return the formats of an export; none of their modules is imported."""
    from splitaudit.engine.registry import modules_with

    return list(modules_with("splitaudit.exports", "def export("))
