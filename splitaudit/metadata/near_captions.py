"""Captions that say nearly the same: a word more or less, a slip of the pen, another order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rapidfuzz import fuzz, process

from splitaudit.engine.compiled import compiled

MIN_JACCARD = 0.6  # >= of the words that either has are in both
MIN_SIMILARITY = 0.9  # >= of the characters agree, in order, once the words are sorted
MAX_LENGTH = 2_000  # > characters: a caption that is not compared
_EPSILON = 1e-9  # below any difference of two shares of words

Positions = npt.NDArray[np.int64]


def near(texts: npt.NDArray[np.object_]) -> pd.DataFrame:
    """Return the pairs of texts that are nearly alike.

    Two texts are compared where they share `MIN_JACCARD` of their words (Jaccard's index).
    None of those is missed: sets that overlap so far share one of the rarest words of each
    (prefix filtering [1]_, with the bound by positions of [2]_). Alike is then the share of the
    characters that agree, by the longest common subsequence of the sorted words.

    .. [1] Bayardo, Ma and Srikant, "Scaling up all pairs similarity search", WWW 2007.
    .. [2] Xiao, Wang, Lin and Yu, "Efficient similarity joins for near duplicate detection",
       WWW 2008.

    Parameters
    ----------
    texts
        Words with one space between, each text once, shape (texts,).

    Returns
    -------
    frame
        a, b (positions in `texts`, a < b), score (`MIN_SIMILARITY` <= score <= 1), sorted by a, b.
    """
    words = _tokenise(texts)
    if words.empty:
        return pd.DataFrame({"a": [], "b": [], "score": []})
    order = words["text"].drop_duplicates().to_numpy()
    sizes = words["size"][~words["text"].duplicated()].to_numpy(np.int64)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    one, other = _jaccard_join(starts, words["word"].to_numpy(np.int64), MIN_JACCARD)
    one, other = order[one], order[other]
    pairs = pd.DataFrame({"a": np.minimum(one, other), "b": np.maximum(one, other)})
    alike = process.cpdist(
        texts[pairs["a"]],
        texts[pairs["b"]],
        scorer=fuzz.token_sort_ratio,
        score_cutoff=100 * MIN_SIMILARITY,
        workers=-1,
    )
    found = pairs.assign(score=np.asarray(alike, np.float64) / 100)
    return found[found["score"] >= MIN_SIMILARITY].sort_values(["a", "b"], ignore_index=True)


def _tokenise(texts: npt.NDArray[np.object_]) -> pd.DataFrame:
    """Return text, word, size: the words of each text, the rarest first, by falling size.

    Words are numbered from the rarest on.
    """
    short = pd.Series(texts, dtype=object)
    written = short[short.str.len() <= MAX_LENGTH].str.split().explode().dropna()
    words = pd.DataFrame({"text": written.index, "word": written.to_numpy()}).drop_duplicates()
    codes, _ = pd.factorize(words["word"])
    rank = np.argsort(np.argsort(np.bincount(codes), kind="stable"), kind="stable")
    words = words.assign(word=rank[codes], size=words.groupby("text")["word"].transform("size"))
    return words.sort_values(["size", "text", "word"], ignore_index=True)


@compiled
def _jaccard_join(starts: Positions, words: Positions, share: float) -> Any:
    """Pairs of sets of words, sorted by size, of which Jaccard's index is >= `share`."""
    count = len(starts) - 1
    begin = _posting_starts(starts, words, share)
    first, end = begin[:-1].copy(), begin[:-1].copy()
    holder, rank = np.empty(begin[-1], np.int64), np.empty(begin[-1], np.int64)
    seen = np.full(count, -1)
    pairs = [(0, 0) for _ in range(0)]
    for text in range(count):
        size = starts[text + 1] - starts[text]
        for at in range(_prefix_length(size, share)):
            word = words[starts[text] + at]
            first[word] = _size_filter(first[word], end[word], holder, starts, share * size)
            for place in range(first[word], end[word]):
                other = holder[place]
                if seen[other] == text:
                    continue
                seen[other] = text
                other_size = starts[other + 1] - starts[other]
                needed = share / (1 + share) * (size + other_size) - _EPSILON
                left = min(size - at, other_size - rank[place])
                if left >= needed and _count_common(text, other, starts, words) >= needed:
                    pairs.append((text, other))
            holder[end[word]], rank[end[word]] = text, at
            end[word] += 1
    return np.array([a for a, _ in pairs], np.int64), np.array([b for _, b in pairs], np.int64)


@compiled
def _prefix_length(size: int, share: float) -> int:
    """How many of a set's rarest words there are, of which one at least is shared."""
    return int(size - np.ceil(share * size - _EPSILON) + 1)


@compiled
def _posting_starts(starts: Positions, words: Positions, share: float) -> Positions:
    """Where the texts of each word begin, if they stand one after the other."""
    counts = np.zeros(words.max() + 2, np.int64)
    for text in range(len(starts) - 1):
        for at in range(_prefix_length(starts[text + 1] - starts[text], share)):
            counts[words[starts[text] + at] + 1] += 1
    return np.cumsum(counts)


@compiled
def _size_filter(first: int, end: int, holder: Positions, starts: Positions, least: float) -> int:
    """The first place whose set has the least size; sets grow, so none before is needed again."""
    while first < end and starts[holder[first] + 1] - starts[holder[first]] < least - _EPSILON:
        first += 1
    return first


@compiled
def _count_common(one: int, other: int, starts: Positions, words: Positions) -> int:
    """How many words two sets share."""
    i, j, found = starts[one], starts[other], 0
    while i < starts[one + 1] and j < starts[other + 1]:
        found += words[i] == words[j]
        step = words[i] <= words[j]
        j += words[j] <= words[i]
        i += step
    return found
