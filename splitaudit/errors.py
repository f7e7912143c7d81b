"""What can go wrong, in words a user can act on."""

from __future__ import annotations

from collections.abc import Sequence


class SplitauditError(Exception):
    """A mistake or a condition the user can mend; shown as one sentence, exit status 2."""


class InputError(SplitauditError):
    """Every fault of a manifest or table at once.

    Parameters
    ----------
    where
        The file or folder at fault.
    problems
        One sentence each, with the line and what was expected.
    """

    def __init__(self, where: object, problems: Sequence[str]) -> None:
        self.where = str(where)
        self.problems = tuple(problems)
        super().__init__(f"{self.where}: " + "; ".join(self.problems))


class ScoresError(SplitauditError, ValueError):
    """Scores, or what is said to be right, that cannot be evaluated."""


class EvaluatorError(SplitauditError):
    """An evaluator that could not be run, or did not answer as it should.

    Parameters
    ----------
    test
        Which it was called for.
    problem
        What it did.
    """

    def __init__(self, test: str, problem: str) -> None:
        self.test, self.problem = test, problem
        super().__init__(f"test {test!r}: the evaluator {problem}")


class TransposedError(EvaluatorError):
    """An evaluator that returns a row an item, where a row a query is expected."""


class MediaError(Exception):
    """A file that cannot be turned into samples. It becomes a row, never the end of a scan.

    Parameters
    ----------
    status
        A value of `splitaudit.schema.STATUSES`.
    reason
        One sentence for the row.
    """

    def __init__(self, status: str, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status}: {reason}")
