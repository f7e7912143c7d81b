"""Retrieval metrics in which a tie is worth its mean, so that a constant scores chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from splitaudit.errors import ScoresError
from splitaudit.evaluation.ranks import TIES, Floats, Ranks, relevant_ranks

__all__ = [
    "hit_rate_at_k",
    "mean_rank",
    "median_rank",
    "recall_at_gallery_size",
    "recall_at_k",
    "relevant_ranks",
]


def recall_at_k(scores: Any, relevance: Any, k: int, *, ties: str = "expected") -> float:
    """Return how much of what is right stands among the first k, the mean over the queries.

    Parameters
    ----------
    scores, relevance
        As for `relevant_ranks`; scores may be what that returned, then relevance is not looked at.
        Queries without a right item are left out.
    k
        At least 1.
    ties
        Of equal scores: `expected`, the mean over all orders, exactly; `optimistic`, the right ones
        first; `pessimistic`, last.

    Returns
    -------
    float
        In [0, 1].
    """
    return float(recalls(_ranks(scores, relevance), k, ties).mean())


def hit_rate_at_k(scores: Any, relevance: Any, k: int, *, ties: str = "expected") -> float:
    """Return how often at least one right item stands among the first k; see `recall_at_k`."""
    return float(hits(_ranks(scores, relevance), k, ties).mean())


def median_rank(scores: Any, relevance: Any, *, ties: str = "expected") -> float:
    """Return the median place of the first right item, 1 at best; see `recall_at_k`."""
    return float(np.median(first_ranks(_ranks(scores, relevance), ties)))


def mean_rank(scores: Any, relevance: Any, *, ties: str = "expected") -> float:
    """Return the mean place of the first right item, 1 at best; see `recall_at_k`."""
    return float(first_ranks(_ranks(scores, relevance), ties).mean())


def recall_at_gallery_size(
    scores: Any,
    relevance: Any,
    k: int,
    size: int,
    *,
    ties: str = "expected",
    transductive: bool = False,
) -> float:
    """Return the recall at k to be expected in a smaller gallery that holds the right item.

    The others are drawn at random: how many of the better ones come along is hypergeometric,
    and the right item is found where fewer than k do.

    Parameters
    ----------
    scores, relevance, k, ties
        As for `recall_at_k`; one right item a query.
    size
        Items of the smaller gallery, the right one included: k <= size is not needed.
    transductive
        Whether scores depend on the other queries or items: then those of a smaller gallery would
        be others, and nothing can be said.

    Raises
    ------
    ScoresError
        Where a query has not one right item, the gallery is smaller, or scores are transductive.
    """
    if transductive:
        raise ScoresError("recall at another gallery size: transductive scores would be others")
    ranks = _ranks(scores, relevance)
    gallery = ranks.relevance.gallery
    if (ranks.relevance.counts != 1).any():
        raise ScoresError("recall at another gallery size: each query must have one right item")
    if not 1 <= size <= gallery:
        raise ScoresError(f"gallery size {size:,}: expected 1 to {gallery:,}")
    within = np.append(0.0, np.cumsum(_hit_probability(gallery, _check_k(k), size)))
    first, width = _tie_places(ranks, ties)
    return float(((within[first + width] - within[first]) / width).mean())


def _hit_probability(gallery: int, k: int, size: int) -> Floats:
    """Chance that fewer than k better items are drawn, where there are 0 to `gallery` - 1."""
    from scipy.stats import hypergeom

    if gallery == 1:
        return np.ones(1)
    found: Floats = hypergeom.cdf(k - 1, gallery - 1, np.arange(gallery), size - 1)
    return found


def recalls(ranks: Ranks, k: int, ties: str = "expected") -> Floats:
    """Return the recall of each query that has a right item, shape (queries,)."""
    first, width = _tie_places(ranks, ties)
    found = np.clip((_check_k(k) - first) / width, 0, 1)
    summed = np.bincount(ranks.relevance.query, found, ranks.relevance.queries)
    asked = ranks.relevance.counts > 0
    shares: Floats = summed[asked] / ranks.relevance.counts[asked]
    return shares


def hits(ranks: Ranks, k: int, ties: str = "expected") -> Floats:
    """Return the chance of each query that has a right item to find one, shape (queries,)."""
    best = _best_pairs(ranks)
    better, tied, right = ranks.better[best], ranks.tied[best], ranks.tied_right[best]
    drawn = np.clip(_check_k(k) - better, 0, tied)
    if _check_ties(ties) == "optimistic":
        return np.asarray(drawn > 0, np.float64)
    if ties == "pessimistic":
        return np.asarray(drawn > tied - right, np.float64)
    found: Floats = 0.0 - np.expm1(_log_miss_probability(tied, right, drawn))
    return found


def _log_miss_probability(tied: Any, right: Any, drawn: Any) -> Floats:
    """Log chance that none of `right` is among `drawn` of `tied`."""
    from scipy.special import gammaln

    wrong = tied - right
    left = np.maximum(wrong - drawn, 0)
    chance = gammaln(wrong + 1) - gammaln(left + 1) - gammaln(tied + 1) + gammaln(tied - drawn + 1)
    return np.where(drawn > wrong, -np.inf, np.minimum(chance, 0.0))


def first_ranks(ranks: Ranks, ties: str = "expected") -> Floats:
    """Return the place of the first right item of each query that has one, shape (queries,)."""
    best = _best_pairs(ranks)
    better, tied, right = ranks.better[best], ranks.tied[best], ranks.tied_right[best]
    among = {"expected": (tied + 1) / (right + 1), "optimistic": 1.0}
    places: Floats = better + np.asarray(among.get(_check_ties(ties), tied - right + 1), np.float64)
    return places


def _best_pairs(ranks: Ranks) -> Any:
    """The pair of each query that stands first."""
    order = np.lexsort([ranks.better, ranks.relevance.query])
    return order[np.append(True, np.diff(ranks.relevance.query[order]) != 0)]


def _tie_places(ranks: Ranks, ties: str) -> tuple[Any, Any]:
    """Each right item stands anywhere in so many places after so many others."""
    if _check_ties(ties) == "expected":
        return ranks.better, ranks.tied
    behind = ranks.tied - ranks.tied_right if ties == "pessimistic" else 0
    return ranks.better + behind, ranks.tied_right


def _ranks(scores: Any, relevance: Any) -> Ranks:
    return scores if isinstance(scores, Ranks) else relevant_ranks(scores, relevance)


def _check_k(k: int) -> int:
    if not (isinstance(k, int | np.integer) and k >= 1):
        raise ScoresError(f"k = {k!r}: expected a whole number from 1 on")
    return int(k)


def _check_ties(ties: str) -> str:
    if ties not in TIES:
        raise ScoresError(f"ties={ties!r}: choose from {', '.join(TIES)}")
    return ties
