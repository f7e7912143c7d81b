"""Whether an evaluator looks at what it must not see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np

from splitaudit.engine.cards import card
from splitaudit.errors import EvaluatorError, ScoresError, TransposedError
from splitaudit.evaluation import cases, dependence_tests, metric_tests, truth_tests
from splitaudit.evaluation.cases import Case, Finding
from splitaudit.evaluation.inputs import Evaluator, Inputs, pair_inputs, to_numpy
from splitaudit.evaluation.relevance import Relevance, Rows, diagonal, parse_relevance

VERDICTS = (
    cases.LEAK,
    cases.TRANSDUCTIVE,
    cases.ORDER_DEPENDENT,
    cases.GALLERY_DEPENDENT,
    cases.CLEAN,
)
MAX_PAIRS = 1_000  # <= pairs an evaluator is tested with
SIDES = "queries", "gallery"
MIN_PAIRS = 8  # >=: of fewer nothing can be told
CLEAN_SENTENCE = "no test found that it looks at anything but the query and the item"


@dataclass(frozen=True)
class EvaluatorAudit:
    """What is known of an evaluator.

    Parameters
    ----------
    verdict
        The gravest of what was found, see `VERDICTS`.
    test, sentence
        Which test shows it, and in words; of a clean evaluator, no test.
    findings
        Everything that was found, the gravest first.
    notes
        What is no fault by itself, or could not be tested.
    ties
        Share of the scores that equal another one of their query.
    not_finite
        Scores that are NaN or infinite, in one answer at most.
    stochastic
        Whether the same inputs give other scores.
    calls
        How often the evaluator was called.
    """

    verdict: str
    test: str | None
    sentence: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    ties: float
    not_finite: int
    stochastic: bool
    calls: int

    def __repr__(self) -> str:
        return f"<EvaluatorAudit: {self.verdict}: {self.sentence}>"

    def _repr_html_(self) -> str:
        others = [finding.sentence for finding in self.findings[1:]]
        return card(f"Evaluator: {self.verdict}", [self.sentence, *others, *self.notes])


class AuditOptions(TypedDict, total=False):
    """What may be said beside of an evaluator.

    Parameters
    ----------
    query_ids, gallery_ids
        By default their places.
    seed
        Of the tests; by default 0.
    begun
        Called with the name of a test before each call of the evaluator.
    """

    query_ids: Any
    gallery_ids: Any
    seed: int
    begun: Callable[[str], Any]


def audit_evaluator(
    fn: Callable[..., Any],
    queries: Any,
    gallery: Any,
    *,
    relevance: Any = None,
    kind: str = "score",
    **options: Unpack[AuditOptions],
) -> EvaluatorAudit:
    """Call an evaluator with changed inputs, and say what it looks at.

    An evaluator may look at a query and at an item, nothing else. The chance that a clean one is
    called anything else is at most 1e-6.

    Parameters
    ----------
    fn
        `fn(queries, gallery)` returns scores, shape (queries, gallery), or a metric: a number, or a
        dictionary of them. It is given copies, and whatever of `query_ids`, `gallery_ids`,
        `relevance` (an index a query), `seed` and `rng` its signature names.
    queries, gallery
        Arrays with a row each.
    relevance
        As in `splitaudit.evaluation.metrics`; by default the item at the place of the query.
    kind
        `score` or `metric`.
    **options
        See `AuditOptions`.

    Returns
    -------
    EvaluatorAudit
        What was found.

    Raises
    ------
    EvaluatorError
        Naming the test in which the evaluator could not be run.
    ScoresError
        Where inputs do not fit together.
    """
    if kind not in ("score", "metric"):
        raise ScoresError(f"kind={kind!r}: choose score or metric")
    queries, gallery = _as_rows(queries), _as_rows(gallery)
    right = _check_relevance(relevance, len(queries), len(gallery))
    ids = (
        _check_ids(options.get("query_ids"), len(queries), "query"),
        _check_ids(options.get("gallery_ids"), len(gallery), "gallery"),
    )
    rng = np.random.default_rng(options.get("seed", 0))
    inputs = _subsample(pair_inputs(queries, gallery, right, ids), rng)
    evaluator = Evaluator(fn, options.get("begun", str))
    if kind == "metric":
        return _build_audit(*metric_tests.run(evaluator, inputs, rng), evaluator, None)
    return _audit_scores(evaluator, inputs, rng)


def _audit_scores(evaluator: Evaluator, inputs: Inputs, rng: np.random.Generator) -> EvaluatorAudit:
    scores = evaluator.scores("first call", inputs)
    again = evaluator.scores("second call", inputs, seed=1)
    case = Case(evaluator, inputs, scores, again, rng)
    findings: list[Finding] = []
    notes: list[str] = []
    for test in (*truth_tests.TRUTH_TESTS, *dependence_tests.COMPARISON_TESTS):
        findings += test(case)
    for test in dependence_tests.SHAPE_TESTS:
        try:
            findings += test(case)
        except TransposedError:  # what looks like a leak is none: columns are queries
            raise
        except EvaluatorError as error:
            notes.append(str(error))
    return _build_audit(findings, notes, evaluator, case)


def _build_audit(
    findings: Sequence[Finding], notes: Sequence[str], evaluator: Evaluator, case: Case | None
) -> EvaluatorAudit:
    shown = [finding for finding in findings if finding.p < cases.ALPHA]
    ordered = sorted(shown, key=lambda finding: VERDICTS.index(finding.verdict))
    first = ordered[0] if ordered else Finding("", cases.CLEAN, CLEAN_SENTENCE, 1.0)
    return EvaluatorAudit(
        first.verdict,
        first.test or None,
        first.sentence,
        tuple(ordered),
        (*notes, *_call_notes(evaluator)),
        _tied_share(case.scores) if case else float("nan"),
        evaluator.not_finite,
        bool(case and case.stochastic),
        evaluator.calls,
    )


def _call_notes(evaluator: Evaluator) -> Iterator[str]:
    if evaluator.wrote:
        yield "it writes to its inputs"
    if evaluator.not_finite:
        yield f"up to {evaluator.not_finite:,} of its scores are NaN or infinite"


def _tied_share(scores: Any) -> float:
    ordered = np.sort(scores, axis=1)
    same = ordered[:, 1:] == ordered[:, :-1]
    tied = np.zeros(scores.shape, bool)
    tied[:, 1:] |= same
    tied[:, :-1] |= same
    return float(tied.mean())


def _check_relevance(relevance: Any, queries: int, gallery: int) -> Relevance:
    if relevance is None:
        return diagonal(queries, gallery)
    right = parse_relevance(relevance, gallery)
    if right.queries != queries:
        raise ScoresError(f"relevance: {right.queries:,} rows for {queries:,} queries")
    return right


def _as_rows(side: Any) -> Any:
    return side if hasattr(side, "shape") else np.asarray(side)


def _check_ids(ids: Any, n: int, side: str) -> Any:
    found = np.arange(n) if ids is None else np.asarray(ids)
    if found.shape != (n,) or len(np.unique(found)) != n:
        raise ScoresError(f"{side}_ids: expected {n:,} ids, none twice")
    return found


def _subsample(inputs: Inputs, rng: np.random.Generator) -> Inputs:
    if len(inputs) < MIN_PAIRS:
        raise ScoresError(
            f"{len(inputs)} queries with an item of their own: at least {MIN_PAIRS} are needed"
        )
    rows = np.sort(_drop_repeats(inputs, rng.permutation(len(inputs)))[:MAX_PAIRS])
    return inputs.take_rows(rows, rows)


def _drop_repeats(inputs: Inputs, rows: Rows) -> Rows:
    """Rows without those that repeat a query or an item: copies tie, and ties hide what moves."""
    seen: set[tuple[str, bytes]] = set()
    kept = []
    for row in rows:
        sides = {(name, to_numpy(getattr(inputs, name)[row]).tobytes()) for name in SIDES}
        if not sides & seen:
            kept.append(row)
        seen |= sides
        if len(kept) == MAX_PAIRS:
            break
    return np.array(kept) if len(kept) >= MIN_PAIRS else rows
