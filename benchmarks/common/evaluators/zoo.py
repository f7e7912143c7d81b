"""What evaluators are made of, and the list of them; each is entered where it is defined.

A query is a text embedding, shape (d,); an item is a film of some frames, shape (frames, d).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

FRAMES, WIDTH = 6, 32
TEMPERATURE = 20.0


@dataclass(frozen=True)
class Entry:
    """An evaluator, the verdict expected of it, why, and what it returns."""

    function: Callable[..., Any]
    verdict: str
    reason: str
    kind: str


ZOO: dict[str, Entry] = {}
Enter = Callable[[Callable[..., Any]], Callable[..., Any]]


def expect(verdict: str, reason: str, kind: str = "score") -> Enter:
    """Enter what is decorated among the evaluators."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        ZOO[function.__name__] = Entry(function, verdict, reason, kind)
        return function

    return enter


def make_data(n: int, seed: int) -> tuple[Floats, Floats]:
    """Texts, and films of which a few frames show what the text says.

    Of four kinds: as they are drawn; large numbers of double precision; with copies among them; and
    all to one side, as embeddings tend to be.
    """
    draw = np.random.default_rng(seed)
    films = draw.normal(size=(n, FRAMES, WIDTH))
    texts = draw.normal(size=(n, WIDTH))
    told = draw.integers(1, FRAMES, n)
    shows = np.arange(FRAMES)[None, :, None] < told[:, None, None]
    films += shows * texts[:, None]
    kind = seed % 4
    if kind == 1:
        return 1_000 * texts, 1_000 * films
    if kind == 2:
        few = draw.permutation(n)[: n // 4]
        texts[few], films[few[::2]] = texts[draw.integers(n, size=len(few))], films[few[0]]
    if kind == 3:
        aside = draw.normal(size=WIDTH)
        texts, films = texts + aside, films + aside
    return texts.astype(np.float32), films.astype(np.float32)


def normalise(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def softmax(scores: Floats, axis: int) -> Floats:
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def pool(texts: Floats, films: Floats) -> Floats:
    """Frames of each film as each text weighs them, shape (texts, films, d)."""
    weights = softmax(np.tensordot(texts, films, (1, 2)), axis=2)
    return np.matmul(weights.swapaxes(0, 1), films).swapaxes(0, 1)


def compute_cosines(texts: Floats, films: Floats) -> Floats:
    return normalise(texts) @ normalise(films.mean(axis=1)).T


def pool_by_own(texts: Floats, films: Floats) -> Floats:
    weights = softmax(np.einsum("gd,gfd->gf", texts, films), axis=1)
    return np.einsum("gf,gfd->gd", weights, films)


def dual_softmax(scores: Floats) -> Floats:
    return scores * softmax(TEMPERATURE * scores, axis=0)


def count_places(scores: Floats, relevance: Any) -> Floats:
    """How many items stand before each truth, half of those that tie."""
    own = scores[np.arange(len(scores)), relevance][:, None]
    return (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2
