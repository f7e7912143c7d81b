"""Every command and option says what it does, here and in the README."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from command import Here

from splitaudit.cli import cli

README = Path(__file__).parents[2] / "README.md"
COMMANDS = sorted(cli.commands)
OPTIONS = [
    (name, option.opts[-1])
    for name in COMMANDS
    for option in cli.commands[name].params
    if isinstance(option, click.Option)
]
EVALUATE = cli.commands["evaluate"]
assert isinstance(EVALUATE, click.Group)
NESTED = [
    option
    for command in EVALUATE.commands.values()
    for option in command.params
    if isinstance(option, click.Option)
]


def shown(*words: str) -> str:
    result = CliRunner().invoke(cli, [*words, "--help"])
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_it_does(name: str) -> None:
    text = cli.commands[name].help or ""
    assert re.match(r"[A-Z].*\.", text, re.DOTALL), "a sentence"
    first = next(line for line in shown().splitlines() if line.startswith(f"  {name} "))
    assert not first.endswith("..."), "its first sentence fits on a line of the overview"
    assert all(len(line) <= 88 for line in shown(name).splitlines())


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_an_option_says_what_it_does(name: str, option: str) -> None:
    (found,) = [one for one in cli.commands[name].params if option in one.opts]
    assert isinstance(found, click.Option)
    assert found.help
    assert re.match(r"[A-Za-z].*\.(  \[.*\])?$", found.help)
    assert option in shown(name)


@pytest.mark.parametrize("option", NESTED, ids=lambda option: option.opts[-1])
def test_an_option_of_evaluate_says_what_it_does(option: click.Option) -> None:
    assert re.match(r"[A-Za-z].*\.$", option.help or "")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_stands_in_the_readme(name: str) -> None:
    text = README.read_text(encoding="utf-8")
    assert re.search(rf"`(splitaudit )?{name}\b", text), f"README.md does not tell of `{name}`"


def test_options_that_the_readme_names_exist() -> None:
    text = README.read_text(encoding="utf-8")
    text = "".join(line for line in text.splitlines(keepends=True) if "pip install" not in line)
    known = {option for _, option in OPTIONS} | {"--help", "--version"}
    known |= {option.opts[-1] for option in NESTED}
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", text)) <= known


def test_short_help_and_version(here: Here) -> None:
    assert here("-h").out == here("--help").out
    assert here("--version").out.startswith("splitaudit ")


def test_no_mark_of_the_formatter_is_shown() -> None:
    for words in [(), *((name,) for name in COMMANDS)]:
        assert "\\b" not in shown(*words)
        assert "\b" not in shown(*words)


def test_without_a_command_the_help_is_shown(here: Here) -> None:
    ran = here()
    assert "Commands:" in ran.out + ran.err
    assert ran.status in (0, 2)
