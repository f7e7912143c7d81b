"""Files that say what is right, with grades or without, and runs of TREC: all say the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import run
from evaluators import cosine, pairs
from scipy import sparse

from splitaudit.errors import ScoresError
from splitaudit.evaluation.judged_scores import JudgedScores, read_judged
from splitaudit.evaluation.metrics import first_ranks, relevant_ranks
from splitaudit.evaluation.relevance import parse_relevance

named = pytest.mark.parametrize

N = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Scores of 30 queries and items with ids."""
    np.save(tmp_path / "scores.npy", cosine(*pairs(N)))
    for side in "qd":
        (tmp_path / f"{side}.txt").write_text("".join(f"{side}{k}\n" for k in range(N)))
    return tmp_path


def judged(folder: Path, text: str, grade: float | None = None, scores: str = "scores.npy") -> Any:
    (folder / "right").write_text(text, encoding="utf-8")
    ids = (folder / "q.txt", folder / "d.txt") if scores == "scores.npy" else (None, None)
    return read_judged(folder / scores, folder / "right", ids, grade)


def right_of(told: JudgedScores) -> list[tuple[int, int]]:
    return list(zip(told.right.query.tolist(), told.right.item.tolist(), strict=True))


DIAGONAL = [(k, k) for k in range(N)]
LINES = [(k, (k + step) % N, int(step == 0)) for k in range(N) for step in range(4)]


def written(pattern: str, lines: list[tuple[int, int, int]] = LINES) -> str:
    return "".join(pattern.format(q=q, d=d, g=g) for q, d, g in lines)


FORMS = {
    "a table": "query,item,score\n" + written("q{q},d{d},{g}\n"),
    "other names, order and case": "Grade;DocID;QID\n" + written("{g};d{d};q{q}\n"),
    "BEIR": "query-id\tcorpus-id\tscore\n" + written("q{q}\td{d}\t{g}\n"),
    "qrels": written("q{q} 0 d{d} {g}\n"),
    "qrels with tabs and ends of Windows": written("q{q}\t0\td{d}\t{g}\r\n"),
    "qrels with names": "qid iter docno rel\n" + written("q{q}  0 d{d}   {g}\n"),
    "a mark of the order of bytes": "\ufeffquery,item,grade\n" + written("q{q},d{d},{g}\n"),
    "empty lines": "\n\nquery,item,grade\n\n" + written("q{q},d{d},{g}\n\n"),
    "quoted": 'query,item,grade\n' + written('"q{q}","d{d}","{g}"\n'),
    "grades below 0": written("q{q} 0 d{d} {g}\n").replace(" 0\n", " -1\n"),
}  # fmt: skip


@named("form", FORMS)
def test_grades_of_zero_and_below_are_wrong(form: str, folder: Path) -> None:
    told = judged(folder, FORMS[form])
    assert right_of(told) == DIAGONAL
    assert told.notes == ("of 120 judgements, 30 say that an item is right",)


@named("names", ["q{q},d{d}\n", "{q},{d}\n"])
def test_a_list_of_pairs_has_no_grades(names: str, folder: Path) -> None:
    (folder / "right").write_text("query,item\n" + written(names, [(k, k, 1) for k in range(N)]))
    ids = (folder / "q.txt", folder / "d.txt") if "d{d}" in names else (None, None)
    told = read_judged(folder / "scores.npy", folder / "right", ids, None)
    assert (right_of(told), told.notes) == (DIAGONAL, ())


@named(("least", "right"), [(None, 3), (1, 3), (1.5, 2), (2, 2), (3, 1), (0, 4), (-5, 5)])
def test_from_which_grade_on_an_item_is_right_can_be_said(
    least: float | None, right: int, folder: Path
) -> None:
    text = written("q0 0 d{d} {g}\n", [(0, 1, 3), (0, 2, 2), (0, 3, 1), (0, 4, 0), (0, 5, -1)])
    told = judged(folder, text, least)
    assert right_of(told) == [(0, item) for item in range(1, right + 1)]
    assert told.notes[1:] == ("queries without a right item, left out: 29 of 30",)


def test_what_a_file_says_beside_is_told(folder: Path) -> None:
    text = "query,item,grade,by\nq0,d0,1,A\nq0,d0,2,B\nq0,d1,0,A\nq0,d99,0,A\nq99,d0,0,A\n"
    assert judged(folder, text).notes == (
        "of 5 judgements, 2 say that an item is right",
        "lines that say a pair again, which counts once: 1",
        "judgements of wrong items that are not in the scores, left out: 2",
        "columns that are not looked at: by",
        "queries without a right item, left out: 29 of 30",
    )


FAULTS = {
    "line 2: grade 'good': expected a number": "query,item,grade\nq0,d0,good\n",
    "line 3: grade 'nan': expected a number": "query,item,grade\nq0,d1,1\nq0,d0,nan\n",
    "line 2: grade '': expected a number": "query,item,grade\nq0,d0,\n",
    "line 2: 2 fields, expected 4": "q0 0 d0 1\nq1 d1\n",
    "line 2: 2 fields, expected 3": "query,item,grade\nq0,d0\n",
    "line 4: wrong, but by line 2 'd0' is right for 'q0'": (
        "query,item,grade\nq0,d0,2\nq0,d1,0\nq0,d0,0\n"
    ),
    "line 2: no item 'd99' in the scores": "q0 0 d0 1\nq0 0 d99 1\n",
    "line 1: no query 'q99' in the scores; lines that name what is not there: 2": (
        "q99 0 d0 1\nq98 0 d0 1\n"
    ),
    "is 'gain' how right an item is? Then call it grade": "query,item,gain\nq0,d0,1\nq0,d1,0\n",
    "both 'qid' and 'query': keep one": "qid,query,item\n0,q0,d0\n",
    "no pair has a grade that makes it right": "q0 0 d0 0\n",
    "lists nothing": "query,item\n",
    "expected a table with the columns query and item": "q0,d0,1\n",
    ": expected a table": "",
}


@named("sentence", FAULTS)
def test_a_fault_is_named_with_its_line(sentence: str, folder: Path) -> None:
    with pytest.raises(ScoresError) as raised:
        judged(folder, FAULTS[sentence])
    assert sentence in str(raised.value)
    assert "right" in str(raised.value).split(":")[0]
    assert "\n" not in str(raised.value)


def test_other_letters_than_utf_8_are_refused(folder: Path) -> None:
    (folder / "right").write_bytes("query,item\nq0,d0\n".encode("utf-16"))
    with pytest.raises(ScoresError, match="cannot be read as UTF-8"):
        read_judged(folder / "scores.npy", folder / "right", (None, None), None)


@named("name", ["q.txt", "d.txt"])
def test_an_id_that_stands_twice_is_refused(name: str, folder: Path) -> None:
    """Of two rows with one id, scores could not be told apart."""
    (folder / name).write_text("".join(f"{name[0]}{k % 29}\n" for k in range(N)))
    with pytest.raises(ScoresError, match=f"the id '{name[0]}0' stands there twice"):
        judged(folder, FORMS["qrels"])


def test_ids_may_have_a_mark_and_ends_of_windows(folder: Path) -> None:
    for side in "qd":
        lines = "\r\n".join(f"{side}{k}" for k in range(N))
        (folder / f"{side}.txt").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    assert right_of(judged(folder, FORMS["qrels"])) == DIAGONAL


# Runs


RUN = """q0 Q0 a 1 9.5 tag
q0 Q0 b 2 9.5 tag
q0 Q0 c 3 1e-3 tag

q1\tQ0\tc\t1\t-7\ttag
q1 Q0 a 2 -8 tag
"""
QRELS = "q0 0 b 1\nq0 0 e 2\nq0 0 f 0\nq1 0 a 1\nq2 0 c 1\n"


def places_of(told: JudgedScores) -> Any:
    return first_ranks(relevant_ranks(told.scores.matrix, told.right))


def test_a_run_is_scores_and_what_it_does_not_list_stands_last(folder: Path) -> None:
    """Also a right item that no query found, and a query that found nothing."""
    (folder / "x.run").write_text(RUN)
    told = judged(folder, QRELS, scores="x.run")
    assert told.scores.query_ids == ["q0", "q1", "q2"]
    assert told.scores.gallery_ids == ["a", "b", "c", "e"]
    ranks = relevant_ranks(told.scores.matrix, told.right)
    held = zip(ranks.better.tolist(), ranks.tied.tolist(), strict=True)
    assert dict(zip(right_of(told), held, strict=True)) == {
        (0, 1): (0, 2),  # ties with a, whatever the ranks of the file are
        (0, 3): (3, 1),
        (1, 0): (1, 1),
        (2, 2): (3, 1),
    }
    assert told.notes == (
        "of 5 judgements, 4 say that an item is right",
        "judgements of wrong items that are not in the scores, left out: 1",
        "right items that the run does not list, counted as last: 2 of 4; signs are not looked "
        "for, as scores are missing",
    )
    assert ranks.not_finite == 0


def test_a_gallery_can_be_larger_than_what_a_run_lists(folder: Path) -> None:
    (folder / "x.run").write_text(RUN)
    (folder / "all.txt").write_text("\n".join("zyxwabcef"))
    (folder / "right").write_text(QRELS)
    told = read_judged(folder / "x.run", folder / "right", (None, folder / "all.txt"), None)
    assert told.scores.gallery_ids == list("zyxwabcef")
    assert places_of(told).tolist() == [1.5, 2, 9]


RUN_FAULTS = {
    "x.txt, line 2: 5 fields; expected a file whose name ends": "q Q0 d 1 2 t\nq Q0 e 1 2\n",
    "x.txt: nothing; expected a file whose name ends": "\n",
    "x.txt, line 1: score 'inf': expected a number": "q0 Q0 b 1 inf t\n",
    "x.txt, line 1: score 'x': expected a number": "q0 Q0 b 1 x t\n",
    "x.txt: query 'q0' has 'b' twice": "q0 Q0 b 1 2 t\nq0 Q0 b 2 1 t\n",
}


@named("sentence", RUN_FAULTS)
def test_a_fault_of_a_run_is_one_sentence(sentence: str, folder: Path) -> None:
    (folder / "x.txt").write_text(RUN_FAULTS[sentence])
    with pytest.raises(ScoresError) as raised:
        judged(folder, "q0 0 b 1\n", scores="x.txt")
    assert sentence in str(raised.value)


def test_a_run_needs_to_be_told_what_is_right_and_fits_its_ids(folder: Path) -> None:
    (folder / "x.run").write_text(RUN)
    with pytest.raises(ScoresError, match="say it by --relevance"):
        read_judged(folder / "x.run", None, (None, None), None)
    (folder / "right").write_text(QRELS)
    for ids, said in (((folder / "q.txt", None), None), ((None, folder / "q.txt"), "item 'a'")):
        if said is None:
            told = read_judged(folder / "x.run", folder / "right", ids, None)
            assert told.scores.matrix.shape == (N, 4)
            continue
        with pytest.raises(ScoresError, match=f"{said} is not in the list of ids"):
            read_judged(folder / "x.run", folder / "right", ids, None)


def test_a_run_of_too_many_scores_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "x.run").write_text(RUN)
    monkeypatch.setattr("splitaudit.evaluation.run_files.MAX_SCORES", 12)
    assert judged(folder, QRELS, scores="x.run").scores.matrix.shape == (3, 4)
    monkeypatch.setattr("splitaudit.evaluation.run_files.MAX_SCORES", 11)
    with pytest.raises(ScoresError, match="3 queries and 4 items are more than 11 scores"):
        judged(folder, QRELS, scores="x.run")


# The command


def test_the_command_says_what_grades_count_and_accuses_no_run(folder: Path) -> None:
    """A run lists true pairs high and little else, which looks like a bonus on them."""
    scores = np.load(folder / "scores.npy")
    lines = [
        f"q{q} Q0 d{d} {rank} {scores[q, d]} t\n"
        for q in range(N)
        for rank, d in enumerate(np.argsort(-scores[q])[:10])
    ]
    (folder / "top.run").write_text("".join(lines))
    (folder / "right").write_text(FORMS["qrels"])
    words = "--relevance", "right", "--json"
    whole = run("evaluate", "matrix", "scores.npy", *words, "--query-ids", "q.txt",
                "--gallery-ids", "d.txt", cwd=folder)  # fmt: skip
    listed = run("evaluate", "matrix", "top.run", *words, cwd=folder)
    assert (whole.status, listed.status) == (0, 0), whole.err + listed.err
    found = [json.loads(one.out) for one in (whole, listed)]
    for k in (1, 5, 10):
        values = [one["metrics"]["query to item"]["all"][f"R@{k}"][0] for one in found]
        assert values[0] == values[1]
    assert found[1]["verdict"] == "no_evidence"
    assert found[0]["notes"] == ["of 120 judgements, 30 say that an item is right"]
    printed = run("evaluate", "matrix", "top.run", "--relevance", "right", cwd=folder)
    assert "note: of 120 judgements, 30 say that an item is right" in printed.out
    refused = run("evaluate", "matrix", "top.run", "--relevance", "right", "--min-grade", "2",
                  cwd=folder)  # fmt: skip
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "no pair has a grade that makes it right; see --min-grade" in refused.err


# In Python


def test_grades_of_a_sparse_matrix_are_no_signs_of_being_there() -> None:
    graded = sparse.csr_matrix(([2, 0, -1, 1], ([0, 0, 1, 1], [0, 1, 0, 2])), (2, 3))
    told = parse_relevance(graded, 3)
    assert (told.query.tolist(), told.item.tolist()) == ([0, 1], [0, 2])


@named("kind", [int, float])
def test_a_matrix_of_grades_is_no_list_of_places(kind: type) -> None:
    with pytest.raises(ScoresError, match=r"look like grades; say .* relevance > 0"):
        parse_relevance(np.eye(5).astype(kind), 5)
    every = np.array([[0, 1, 2], [2, 1, 0]])
    assert parse_relevance(every, 3).counts.tolist() == [3, 3]
    assert parse_relevance(np.array([[0, 0], [1, 1]]), 3).counts.tolist() == [1, 1]


def test_a_column_of_words_is_no_grade_and_is_told(folder: Path) -> None:
    told = judged(folder, "query,item,by\nq0,d0,A\nq0,d1,\n")
    assert right_of(told) == [(0, 0), (0, 1)]
    assert told.notes[0] == "columns that are not looked at: by"
