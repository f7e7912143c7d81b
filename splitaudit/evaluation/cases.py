"""What the tests of an evaluator share: what they are given, and what they find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from splitaudit.evaluation.differences import (
    Mask,
    Rounding,
    exceeds_rounding,
    rounding_tolerance,
    signed_difference,
    systematic_p_value,
)
from splitaudit.evaluation.inputs import Evaluator, Inputs, Matrix

LEAK = "leak"
TRANSDUCTIVE = "transductive"
GALLERY_DEPENDENT = "gallery_dependent"
ORDER_DEPENDENT = "order_dependent"
CLEAN = "clean"

# Of one audit; each of the fifteen comparisons that can accuse may err in its share of it.
FAMILY_WISE_ERROR = 1e-6
ALPHA = FAMILY_WISE_ERROR / 15
SHUFFLES = 4  # of queries and items alike
TRIALS = 24  # of a stochastic evaluator; all succeed by chance in 2**-24
# seeds, of scores drawn anew and of what is compared with them
DRAW_SEED, ANSWER_SEED = 1_000, 2_000

Answer = Callable[[int], Matrix]
Part = Callable[[Matrix], Matrix]


@dataclass(frozen=True)
class Finding:
    """What a test says of an evaluator; it is shown where p < `ALPHA`.

    Parameters
    ----------
    test
        Its name.
    verdict
        What follows from it.
    sentence
        In plain words.
    p
        How likely an evaluator without that fault shows it, at most.
    """

    test: str
    verdict: str
    sentence: str
    p: float


@dataclass(frozen=True)
class Case:
    """An evaluator and what it is tested with.

    Parameters
    ----------
    evaluator, inputs
        The pairs are those of the user.
    scores
        Of the inputs, shape (n, n).
    again
        The same, drawn anew where the evaluator is stochastic.
    rng
        Of the tests.
    """

    evaluator: Evaluator
    inputs: Inputs
    scores: Matrix
    again: Matrix
    rng: np.random.Generator

    @cached_property
    def within(self) -> Rounding:
        """What is rounding in its scores."""
        return rounding_tolerance(self.scores)

    @cached_property
    def stochastic(self) -> bool:
        """Whether the evaluator returns other scores for the same inputs."""
        return bool(exceeds_rounding(self.scores, self.again, self.within).any())

    @cached_property
    def ignores_seed(self) -> bool:
        """Whether it does so with the same seed, too."""
        if not self.stochastic:
            return False
        same = self.evaluator.scores("repeat", self.inputs)
        return bool(exceeds_rounding(self.scores, same, self.within).any())

    @cached_property
    def permutation_changes(self) -> Mask:
        """Which scores change where queries and items stand in other orders, both in the same."""
        others = [self.permuted_scores(seed=0) for _ in range(SHUFFLES)]
        changed: Mask = np.any(
            [exceeds_rounding(self.scores, one, self.within) for one in others], axis=0
        )
        return changed

    @cached_property
    def permutation_p_value(self) -> float:
        """Chance that the scores of an evaluator that follows what stands where differ so."""
        return self.difference_p_value(self.permuted_scores, np.asarray)

    @cached_property
    def is_equivariant(self) -> bool:
        """Whether nothing but what stands there, and noise, makes the score at a place."""
        steady = self.stochastic or not self.permutation_changes.any()
        return steady and self.permutation_p_value >= ALPHA

    def permuted_scores(self, seed: int) -> Matrix:
        """The scores where queries and items stand in another order, both in the same one."""
        order = self.rng.permutation(len(self.inputs))
        back = np.empty_like(self.scores)
        shuffled = self.inputs.take_rows(order, order)
        back[np.ix_(order, order)] = self.evaluator.scores("equivariance", shuffled, seed)
        return back

    def difference_p_value(self, answer: Answer, part: Part) -> float:
        """Return how likely an answer that should be a part of the scores differs so from it.

        Parameters
        ----------
        answer
            From a seed to scores.
        part
            From all scores to those that are expected.
        """
        if self.stochastic:
            return self._noise_p_value(answer, part)
        return systematic_p_value(answer(0), part(self.scores), self.within)

    def placewise_p_value(self, answer: Answer, part: Part) -> float:
        """As `differ`, of scores at the places where they were: one seed gives one noise there."""
        if self.ignores_seed:
            return self._noise_p_value(answer, part)
        return systematic_p_value(answer(0), part(self.scores), self.within)

    def _noise_p_value(self, answer: Answer, part: Part) -> float:
        """Whether answers differ more from scores than scores drawn anew do, time after time.

        Where nothing but noise differs, the answer and the scores drawn anew can be exchanged, so
        it is the further one in half of the trials, however noise is spread and shared.
        """
        for trial in range(TRIALS):
            scores, anew = (part(self._draw_scores(2 * trial + k)) for k in range(2))
            if not _mean_square(
                signed_difference(answer(ANSWER_SEED + trial), scores)
            ) > _mean_square(signed_difference(anew, scores)):
                return 1.0
        return 2.0**-TRIALS

    def _draw_scores(self, number: int) -> Matrix:
        while len(self._draws) <= number:
            seed = DRAW_SEED + len(self._draws)
            self._draws.append(self.evaluator.scores("repeat", self.inputs, seed))
        return self._draws[number]

    @cached_property
    def _draws(self) -> list[Matrix]:
        return []


def _mean_square(gap: Matrix) -> float:
    finite = gap[np.isfinite(gap)]
    return float(np.square(finite).mean()) if len(finite) else 0.0
