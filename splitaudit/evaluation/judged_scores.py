"""Files of scores and of what is right, put together; what is left out on the way is said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from splitaudit.errors import ScoresError
from splitaudit.evaluation.id_lists import find_positions, read_ids
from splitaudit.evaluation.relevance import Relevance, Rows, diagonal, sort_pairs
from splitaudit.evaluation.relevance_files import Judgements, read_judgements
from splitaudit.evaluation.run_files import place_scores, read_run
from splitaudit.evaluation.score_files import READERS, Scores, read_matrix

Mask = npt.NDArray[np.bool_]
Paths = tuple[Path | None, Path | None]


@dataclass(frozen=True)
class JudgedScores:
    """Scores, what is right among them, and sentences on what of the files counts how."""

    scores: Scores
    right: Relevance
    notes: tuple[str, ...] = ()


def read_judged(
    scores: Path, relevance: Path | None, ids: Paths, min_grade: float | None
) -> JudgedScores:
    """Read scores and what is right; by default that is the diagonal.

    Parameters
    ----------
    scores
        A matrix, see `splitaudit.evaluation.score_files`; else a run of TREC.
    relevance
        See `splitaudit.evaluation.relevance_files`; ids where they are known, else places counted
        from 0.
    ids
        Files with one id a line, of the queries and of the gallery.
    min_grade
        From which grade on an item is right; None for all above 0.

    Raises
    ------
    ScoresError
        Where a file is not what it should be, or they do not fit together.
    """
    if relevance is None:
        held = read_matrix(scores, *ids) if scores.suffix in READERS else _refuse_run(scores)
        rows, columns = held.matrix.shape
        return JudgedScores(held, diagonal(rows, columns, "--relevance"))
    if scores.suffix in READERS:
        held, judged = read_matrix(scores, *ids), read_judgements(relevance)
        return _join(held, judged, judged.right(min_grade), relevance)
    judged = read_judgements(relevance)
    right = judged.right(min_grade)
    return _join(_read_partial(scores, ids, judged, right), judged, right, relevance)


def _refuse_run(path: Path) -> Scores:
    read_run(path)
    raise ScoresError(f"{path}: a run does not say what is right: say it by --relevance")


def _read_partial(path: Path, ids: Paths, judged: Judgements, right: Mask) -> Scores:
    """Scores of a run; what is right and was not found has a row and a column, too."""
    run = read_run(path)
    queries, items = (
        read_ids(file) if file else _unite(found, told, right)
        for file, found, told in zip(
            ids, (run.query, run.item), (judged.query, judged.item), strict=True
        )
    )
    return Scores(place_scores(run, queries, items, str(path)), queries, items, partial=True)


def _unite(found: Sequence[str], told: Sequence[str], right: Mask) -> list[str]:
    return list(dict.fromkeys([*found, *np.array(told, object)[right]]))


def _join(scores: Scores, judged: Judgements, right: Mask, path: Path) -> JudgedScores:
    rows, columns = scores.matrix.shape
    query = find_positions(judged.query, scores.query_ids or list(map(str, range(rows))))
    item = find_positions(judged.item, scores.gallery_ids or list(map(str, range(columns))))
    known = (query >= 0) & (item >= 0)
    if not right.any():
        raise ScoresError(f"{path}: no pair has a grade that makes it right; see --min-grade")
    _refuse_unknown(path, judged, right & ~known, query)
    pair = np.where(known, query * columns + item, -1)
    _refuse_contradiction(path, judged, pair, right)
    pairs = sort_pairs(query[right], item[right], rows, columns)
    notes = [*_note_lines(judged, pair, right), *_note_queries(scores, pairs)]
    return JudgedScores(_place_unfound(scores, pairs), pairs, tuple(notes))


def _refuse_unknown(path: Path, judged: Judgements, unknown: Mask, query: Rows) -> None:
    if not unknown.any():
        return
    at = int(unknown.argmax())
    what = f"item {judged.item[at]!r}" if query[at] >= 0 else f"query {judged.query[at]!r}"
    others = int(unknown.sum()) - 1
    more = f"; lines that name what is not there: {others + 1:,}" if others else ""
    raise ScoresError(f"{path}, line {judged.line[at]}: no {what} in the scores{more}")


def _refuse_contradiction(path: Path, judged: Judgements, pair: Rows, right: Mask) -> None:
    """Refuse a pair that is right by one line and wrong by another."""
    both = np.intersect1d(pair[right], pair[~right & (pair >= 0)])
    if len(both):
        one, other = (int(np.flatnonzero((pair == both[0]) & side)[0]) for side in (right, ~right))
        what = f"{judged.item[one]!r} is right for {judged.query[one]!r}"
        raise ScoresError(
            f"{path}, line {judged.line[other]}: wrong, but by line {judged.line[one]} {what}"
        )


def _note_lines(judged: Judgements, pair: Rows, right: Mask) -> Iterator[str]:
    known = pair[pair >= 0]
    if judged.grade is not None:
        yield f"of {len(pair):,} judgements, {int(right.sum()):,} say that an item is right"
    if repeated := len(known) - len(np.unique(known)):
        yield f"lines that say a pair again, which counts once: {repeated:,}"
    if unknown := len(pair) - len(known):
        yield f"judgements of wrong items that are not in the scores, left out: {unknown:,}"
    if judged.unread:
        yield f"columns that are not looked at: {', '.join(judged.unread)}"


def _note_queries(scores: Scores, right: Relevance) -> Iterator[str]:
    if without := int((right.counts == 0).sum()):
        yield f"queries without a right item, left out: {without:,} of {right.queries:,}"
    if not scores.partial:
        return
    unfound = int(np.isnan(scores.matrix[right.query, right.item]).sum())
    yield (
        f"right items that the run does not list, counted as last: {unfound:,} of "
        f"{len(right.query):,}; signs are not looked for, as scores are missing"
    )


def _place_unfound(scores: Scores, right: Relevance) -> Scores:
    """Put what a run does not list below what it lists, right items last: it never helps."""
    if not scores.partial:
        return scores
    unfound = np.isnan(scores.matrix)
    least = float(np.min(scores.matrix, initial=np.inf, where=~unfound))
    step = 1 + abs(least)
    placed = np.where(unfound, least - step, scores.matrix)
    missed = unfound[right.query, right.item]
    placed[right.query[missed], right.item[missed]] = least - 2 * step
    return replace(scores, matrix=placed)
