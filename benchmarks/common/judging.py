"""How what a tool finds is counted, ours and the peers' alike: scored pairs against the truth."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]  # (queries, references); -inf: the pair is not proposed
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """Which pairs are to be found and which are false; a pair that is neither counts for nobody.

    Parameters
    ----------
    right, false
        Shape (queries, references).
    """

    right: Mask
    false: Mask


def is_reported(source: str) -> bool:
    """Return whether a source is in the half that is reported on; the other is to develop on."""
    return hashlib.blake2b(source.encode(), digest_size=1).digest()[0] % 2 == 1


def match_texts(queries: Sequence[str], references: Sequence[str]) -> Mask:
    """Return where the two texts are the same; shape (queries, references)."""
    return np.array(queries, str)[:, None] == np.array(references, str)[None, :]


def score_nothing(queries: Sequence[object], references: Sequence[object]) -> Scores:
    """Return scores that propose no pair."""
    return np.full((len(queries), len(references)), -np.inf, np.float32)


def find_worst_false(scores: Scores, truth: Truth) -> float:
    """Return the highest score of a false pair; -inf where none is proposed."""
    return float(np.max(scores, where=truth.false, initial=-np.inf))


def list_worst_pairs(scores: Scores, truth: Truth, most: int) -> Iterator[tuple[int, int, float]]:
    """Yield query, reference and score of the false pairs, the highest score first."""
    false = np.where(truth.false, scores, -np.inf)
    most = min(most, false.size)
    some = np.argpartition(-false, most - 1, axis=None)[:most]
    for flat in some[np.argsort(-false.flat[some], kind="stable")].tolist():
        if false.flat[flat] > -np.inf:
            yield *divmod(flat, false.shape[1]), float(false.flat[flat])


def step_above(score: float) -> float:
    """Return the lowest threshold that a score does not reach."""
    return float(np.nextafter(np.float32(score), np.float32(np.inf)))


def find_partners(scores: Scores, truth: Truth, threshold: float) -> Mask:
    """Return for each query whether its right partner scores >= threshold."""
    return np.asarray((truth.right & (scores >= threshold)).any(axis=1))


def count_first(scores: Scores, truth: Truth) -> npt.NDArray[np.float64]:
    """Return for each query 1 where no false reference scores as high as its right partner.

    A tie with n others counts 1 / (n + 1); a right partner that is not proposed counts 0.
    """
    own = np.max(scores, axis=1, where=truth.right, initial=-np.inf)
    level = (truth.false & (scores == own[:, None])).sum(axis=1)
    first = (own > -np.inf) & (own >= np.max(scores, axis=1, where=truth.false, initial=-np.inf))
    return np.where(first, 1 / (level + 1), 0.0)
