"""The documents: links lead somewhere, and the reference has every verb, option and column."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pyarrow as pa
import pytest
from command import Here

from splitaudit import schema
from splitaudit.cli import cli

ROOT = Path(__file__).parents[1]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "benchmarks/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
REFERENCE = (ROOT / "docs/reference.md").read_text(encoding="utf-8")
MOST_LINES = 200  # <= of the architecture, so that it is read
TABLES = ("ITEMS", "MEDIA", "MATCHES", "MEMBERSHIPS", "EDGES", "GROUPS", "SPLITS", "DEDUP")


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def links(page: Path) -> list[str]:
    """Return the targets of a page's links and pictures that lead to files or headings."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """Return what GitHub makes of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", prose(page), flags=re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_links_are_found() -> None:
    assert sum(len(links(page)) for page in PAGES) > 50


def test_the_architecture_is_short() -> None:
    text = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES


def verbs(command: click.Command = cli, name: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every verb that can be run, such as `evaluate matrix`."""
    if isinstance(command, click.Group):
        for word, inner in command.commands.items():
            yield from verbs(inner, f"{name} {word}".strip())
    else:
        yield name, command


def section(heading: str) -> str:
    """Return what the reference says below a heading, up to the next one."""
    found = re.findall(rf"^#+ `{heading}(?: [^`]*)?`\n(.*?)(?=^#)", REFERENCE, re.M | re.S)
    assert len(found) == 1, f"docs/reference.md has {len(found)} headings `{heading}`"
    return str(found[0])


def shown_options(command: click.Command) -> set[str]:
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    return {name for one in options for name in one.opts if name.startswith("--")}


VERBS = dict(verbs())


def test_the_reference_has_the_options_of_the_program() -> None:
    text = " ".join(REFERENCE.split())
    assert shown_options(cli)
    assert [option for option in shown_options(cli) if f"`splitaudit {option}`" not in text] == []


@pytest.mark.parametrize("name", list(VERBS))
def test_the_reference_has_every_verb_and_option(name: str) -> None:
    rows = re.findall(r"^\| (`--.*?`) \|", section(name), re.M)
    told = {option for row in rows for option in re.findall(r"--[a-z][\w-]*", row)}
    assert told == shown_options(VERBS[name])


@pytest.mark.parametrize("name", TABLES)
def test_the_reference_has_every_column(name: str) -> None:
    held: pa.Schema = getattr(schema, name)
    rows = re.findall(r"^\| (`.*?`) \|", section(f"{name.lower()}.parquet"), re.M)
    told = [column for row in rows for column in re.findall(r"`(\w+)`", row)]
    assert told == held.names


def test_the_reference_has_every_status_and_relation() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", REFERENCE, re.M))
    relations = {*schema.LEAK_RELATIONS, *schema.KEY_RELATIONS, schema.SHARED_MATERIAL}
    assert {*schema.STATUSES, *relations, schema.SIMILAR} <= told


def test_the_manifest_that_is_shown_is_one(here: Here, tmp_path: Path) -> None:
    text = (ROOT / "docs/manifests.md").read_text(encoding="utf-8")
    shown = re.search(r"```toml\n(.*?)```", text, re.S)
    assert shown
    manifest = tmp_path / "shown.toml"
    manifest.write_text(shown[1], encoding="utf-8")
    ran = here("fetch", manifest, "--to", tmp_path / "data", "--json")
    assert [file["status"] for file in ran.json] == ["place it yourself"]


def test_what_the_docs_call_by_its_dotted_name_is_there() -> None:
    texts = [path.read_text(encoding="utf-8") for path in PAGES]
    found = [re.findall(r"`(splitaudit(?:\.[a-zA-Z_]+)+)[`(]", text) for text in texts]
    names = {name for some in found for name in some}
    assert len(names) > 5
    for name in sorted(names):
        assert pkgutil.resolve_name(name) is not None
