"""What a notebook shows of an audit and of its results, and the example of `splitaudit.open`."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest
from command import Here

import splitaudit
from splitaudit.dataset import IngestOptions
from splitaudit.evaluation.audit import audit_evaluator
from splitaudit.runs import opening

OPTIONS = IngestOptions(media=False)
TABLE = "id,split,caption,tape\nx1,train,a dog barks,7\nx2,test,A dog barks,7\nx3,test,rain,8\n"


@pytest.fixture
def table(here: Here) -> Path:
    """A table in an empty folder, in which is worked."""
    Path("so<u>nds.csv").write_text(TABLE)
    return Path("so<u>nds.csv")


def test_the_example_of_open_does_what_it_says(here: Here) -> None:
    result = doctest.testmod(opening, verbose=False, raise_on_error=True)
    assert result.attempted >= 6


def test_an_audit_says_its_verdict(table: Path) -> None:
    audit = splitaudit.open(table, out="run", options=OPTIONS)
    assert repr(audit) == f"<Audit of {audit.dataset.name}: not scanned yet>"  # type: ignore[union-attr]
    assert repr(audit.dataset).endswith(": 3 items in test, train>")
    audit.scan()
    assert "WEAK: no leak found, but 1 of 2 test items has the same caption" in repr(audit)
    shown = audit._repr_html_()
    assert "<li>captions: 3 of 3 items audited</li>" in shown
    assert "<u>" not in shown


def test_the_answer_is_that_of_the_last_scan_and_nobody_changes_it(table: Path) -> None:
    audit = splitaudit.open(table, out="run", options=OPTIONS).scan()
    audit.summary()["weak"].clear()
    again = audit.summary()
    assert again["weak"]
    assert again["verdict"] == "weak"
    table.write_text(TABLE.replace("A dog barks", "snow"))
    other = splitaudit.open(table, out="run", options=OPTIONS).scan()
    assert other.summary()["verdict"] == "clean"
    assert audit.summary()["verdict"] == "clean"  # of the same folder
    assert audit.summary(min_coverage=0.5) == audit.summary()


def test_a_check_says_whether_the_split_holds(table: Path) -> None:
    audit = splitaudit.open(table, out="run", options=OPTIONS).scan()
    audit.split()
    held = audit.check()
    assert repr(held).startswith("<CheckResult: the split holds; ")
    assert held.sentences()[0] in repr(held)
    assert "<ul><li>" in held._repr_html_()


def test_an_evaluator_is_shown_with_its_verdict() -> None:
    rng = np.random.default_rng(0)
    queries, gallery = rng.normal(size=(2, 30, 16)).astype(np.float32)
    found = audit_evaluator(lambda queries, gallery: queries @ gallery.T, queries, gallery)
    assert repr(found) == f"<EvaluatorAudit: clean: {found.sentence}>"
    assert found.sentence in found._repr_html_()
