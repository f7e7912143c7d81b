"""What docs/exports.md shows is what one gets, in the order in which it shows it."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from command import Here
from other_readers import mlcroissant_warns

from splitaudit.exports.formats import FORMATS

TEXT = (Path(__file__).parents[2] / "docs/exports.md").read_text(encoding="utf-8")
FOUND = {"scan": 1}  # the leak


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)


@mlcroissant_warns
def test_every_snippet_gives_what_it_shows(here: Here, datasets: Any, mlcroissant: Any) -> None:
    (table,), (session,) = blocks("csv"), blocks("console")
    Path("sounds.csv").write_text(table)
    for line in session.splitlines():
        _, program, *words = shlex.split(line)
        assert program == "splitaudit"
        assert here(*words).status == FOUND.get(words[0], 0), line
    code = doctest.DocTestParser().get_doctest("".join(blocks("pycon")), {}, "exports", None, 0)
    said: list[str] = []
    result = doctest.DocTestRunner().run(code, out=said.append)
    assert (result.failed, said) == (0, [])
    assert result.attempted >= 2 * len(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_told_and_shown(form: str) -> None:
    assert f"| `{form}` |" in TEXT
    assert f"--format {form} " in TEXT
    assert re.search(rf"^`{form}`[^|]*?:\n\n```pycon", TEXT, re.MULTILINE | re.DOTALL)
