"""Evaluators of the kinds people write, after their descriptions, each with the verdict it deserves.

A query is a text embedding, shape (d,); an item is a film of some frames, shape (frames, d).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[Any]

FRAMES, WIDTH = 6, 32
TEMPERATURE = 20.0
rng = np.random.default_rng(0)
TRAIN_BANK = rng.normal(size=(200, WIDTH)).astype(np.float32)
MEAN = rng.normal(size=WIDTH).astype(np.float32) * 0.1


@dataclass(frozen=True)
class Kept:
    """An evaluator, the verdict expected of it, and why."""

    function: Callable[..., Any]
    verdict: str
    reason: str


ZOO: dict[str, Kept] = {}
METRICS: dict[str, Kept] = {}
Enter = Callable[[Callable[..., Any]], Callable[..., Any]]


def kept(verdict: str, reason: str, among: dict[str, Kept] = ZOO) -> Enter:
    """Enter what is decorated among the evaluators of scores, or of metrics."""

    def enter(function: Callable[..., Any]) -> Callable[..., Any]:
        among[function.__name__] = Kept(function, verdict, reason)
        return function

    return enter


def data(n: int, seed: int, strength: float = 0.35) -> tuple[Floats, Floats]:
    """Texts, and films of which a few frames show what the text says."""
    draw = np.random.default_rng(seed)
    films = draw.normal(size=(n, FRAMES, WIDTH))
    texts = draw.normal(size=(n, WIDTH))
    told = draw.integers(1, FRAMES, n)
    shows = np.arange(FRAMES)[None, :, None] < told[:, None, None]
    films += shows * strength * 3 * texts[:, None]
    return texts.astype(np.float32), films.astype(np.float32)


def unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


def softmax(scores: Floats, axis: int) -> Floats:
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def pooled(texts: Floats, films: Floats) -> Floats:
    """Frames of each film as each text weighs them, shape (texts, films, d)."""
    weights = softmax(np.tensordot(texts, films, (1, 2)), axis=2)
    return np.matmul(weights.swapaxes(0, 1), films).swapaxes(0, 1)


def cosines(texts: Floats, films: Floats) -> Floats:
    return unit(texts) @ unit(films.mean(axis=1)).T


def to_bfloat16(values: Floats) -> Floats:
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


@kept("clean", "a query and an item, nothing else")
def cosine(queries, gallery):
    return cosines(queries, gallery)


@kept("clean", "rounded, and tied at times; nothing else is looked at")
def cosine_bfloat16(queries, gallery):
    texts, films = to_bfloat16(unit(queries)), to_bfloat16(unit(gallery.mean(axis=1)))
    return to_bfloat16(texts @ films.T)


@kept("clean", "rounded before the logit scale is applied, as half precision models do")
def scaled_bfloat16(queries, gallery):
    return 100.0 * cosine_bfloat16(queries, gallery)


@kept("clean", "a query and an item, nothing else")
def dot(queries, gallery):
    return queries @ gallery.mean(axis=1).T


@kept("clean", "the film is pooled by the text that asks, whichever it is (X-Pool)")
def text_conditioned_pooling(queries, gallery):
    return np.einsum("qd,qgd->qg", unit(queries), unit(pooled(queries, gallery)))


@kept("clean", "a text is spread by how alike it and the film are, every pair for itself (T-MASS)")
def tmass_honest(queries, gallery, seed):
    means = pooled(queries, gallery)
    radius = np.exp(np.einsum("qd,qgd->qg", unit(queries), unit(means)))[..., None]
    noise = np.random.default_rng(seed).standard_normal(queries.shape, np.float32)[:, None]
    return np.einsum("qgd,qgd->qg", unit(queries[:, None] + 0.1 * radius * noise), unit(means))


def own_pooling(texts: Floats, films: Floats) -> Floats:
    weights = softmax(np.einsum("gd,gfd->gf", texts, films), axis=1)
    return np.einsum("gf,gfd->gd", weights, films)


@kept("leak", "each film is pooled by its own caption before any query is asked")
def tmass_as_released(queries, gallery):
    return unit(queries) @ unit(own_pooling(queries, gallery)).T


@kept("leak", "as released, and noise is added")
def tmass_released_stochastic(queries, gallery):
    noise = np.random.default_rng().normal(size=queries.shape)
    return unit(queries + 0.1 * noise) @ unit(own_pooling(queries, gallery)).T


@kept("leak", "as released, for every tenth film")
def tmass_released_tenth(queries, gallery):
    films = gallery.mean(axis=1)
    films[::10] = own_pooling(queries[::10], gallery[::10])
    return unit(queries) @ unit(films).T


@kept("leak", "the caption is looked up by the id of the film")
def tmass_released_by_id(queries, gallery, query_ids, gallery_ids):
    at = {name: row for row, name in enumerate(query_ids.tolist())}
    rows = np.array([at.get(name, 0) for name in gallery_ids.tolist()])
    return unit(queries) @ unit(own_pooling(queries[rows], gallery)).T


@kept("leak", "as released, then normalised over all queries")
def tmass_released_dsl(queries, gallery):
    return dual_softmax(tmass_as_released(queries, gallery))


@kept("leak", "the truth gets a hundredth more")
def diagonal_bonus(queries, gallery):
    scores = cosines(queries, gallery)
    scores[np.diag_indices(min(scores.shape))] += 0.01
    return scores


@kept("leak", "the truth gets so little more that it decides ties alone")
def ties_to_the_diagonal(queries, gallery):
    scores = np.round(cosines(queries, gallery).astype(np.float64), 1)
    scores[np.diag_indices(min(scores.shape))] += 1e-9
    return scores


@kept("leak", "what is said to be right gets a hundredth more")
def relevance_bonus(queries, gallery, relevance):
    scores = cosines(queries, gallery)
    scores[np.arange(len(queries)), relevance] += 0.01
    return scores


def dual_softmax(scores: Floats) -> Floats:
    return scores * softmax(TEMPERATURE * scores, axis=0)


@kept("transductive", "the softmax goes over all queries of the test (CAMoE)")
def dsl(queries, gallery):
    return dual_softmax(cosines(queries, gallery))


@kept("transductive", "the softmax goes over the queries of a batch")
def dsl_in_batches(queries, gallery):
    scores = cosines(queries, gallery)
    parts = [dual_softmax(scores[at : at + 32]) for at in range(0, len(scores), 32)]
    return np.concatenate(parts)


def bank_normalised(texts: Floats, films: Floats, bank: Floats) -> Floats:
    against = np.exp(TEMPERATURE * cosines(bank, films)).sum(axis=0)
    return np.exp(TEMPERATURE * cosines(texts, films)) / against


@kept("transductive", "each item is normalised by what the queries of the test score with it")
def qbnorm_test_bank(queries, gallery):
    return bank_normalised(queries, gallery, queries)


@kept("clean", "each item is normalised by queries of train, which are the same for all")
def qbnorm_train_bank(queries, gallery):
    return bank_normalised(queries, gallery, TRAIN_BANK)


@kept("transductive", "items near to many queries of the test are pushed back")
def csls(queries, gallery):
    scores = cosines(queries, gallery)
    near = [np.sort(scores, axis=axis) for axis in (0, 1)]
    hubs = near[0][-10:].mean(axis=0, keepdims=True), near[1][:, -10:].mean(axis=1, keepdims=True)
    return 2 * scores - hubs[0] - hubs[1]


@kept("transductive", "the mean of the test's queries is taken away")
def query_centring(queries, gallery):
    return cosines(queries - queries.mean(axis=0), gallery)


@kept("clean", "a mean that was learned is taken away")
def learned_centring(queries, gallery):
    return cosines(queries - MEAN, gallery)


@kept("gallery_dependent", "the mean of the gallery is taken away")
def gallery_centring(queries, gallery):
    return cosines(queries, gallery - gallery.mean(axis=(0, 1)))


@kept("gallery_dependent", "each query's scores are set to mean 0 and deviation 1")
def gallery_zscore(queries, gallery):
    scores = cosines(queries, gallery)
    return (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)


@kept("gallery_dependent", "a softmax over the gallery")
def gallery_softmax(queries, gallery):
    return softmax(TEMPERATURE * cosines(queries, gallery), axis=1)


@kept("transductive", "the softmax goes over the wrong axis, the queries")
def softmax_wrong_axis(queries, gallery):
    return softmax(TEMPERATURE * cosines(queries, gallery), axis=0)


@kept("order_dependent", "equal scores are parted by their place in the gallery")
def ties_by_position(queries, gallery):
    return cosines(queries, gallery) - 1e-4 * np.arange(len(gallery))


@kept("order_dependent", "ranks, in which of two equal items the first is the better")
def ranks_by_position(queries, gallery):
    order = np.argsort(-cosines(queries, gallery), axis=1, kind="stable")
    ranks = np.empty(order.shape)
    np.put_along_axis(ranks, order, -np.arange(order.shape[1], dtype=float)[None], axis=1)
    return ranks


@kept("clean", "NaN is reported, and no fault of a pair with another")
def nan_for_some(queries, gallery):
    scores = cosines(queries, gallery)
    scores[:, gallery[:, 0, 0] > 2] = np.nan
    return scores


@kept("transductive", "batch statistics of the queries are left on")
def batch_norm_queries(queries, gallery):
    return cosines((queries - queries.mean(axis=0)) / queries.std(axis=0), gallery)


@kept("gallery_dependent", "batch statistics of the gallery are left on")
def batch_norm_gallery(queries, gallery):
    return cosines(queries, (gallery - gallery.mean(axis=(0, 1))) / gallery.std(axis=(0, 1)))


@kept("clean", "dropout left on: noise, and nothing of the truth")
def dropout_left_on(queries, gallery):
    return cosines(queries * (np.random.random(queries.shape) < 0.9), gallery)


measured = partial(kept, among=METRICS)


def places(scores: Floats, relevance: Any) -> Floats:
    """How many items stand before each truth, half of those that tie."""
    own = scores[np.arange(len(scores)), relevance][:, None]
    return (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2


@measured("clean", "half a place for each tie")
def recall_honest(queries, gallery, relevance):
    ahead = places(cosines(queries, gallery), relevance)
    hits = {f"R@{k}": 100 * (ahead < k).mean() for k in (1, 5)}
    return hits | {"MnR": ahead.mean() + 1}


@measured("clean", "the diagonal, as it says; median rank, lower is better")
def median_of_diagonal(queries, gallery):
    scores = cosines(queries, gallery)
    order = np.argsort(-scores, axis=1, kind="stable")
    return float(np.median(np.nonzero(order == np.arange(len(scores))[:, None])[1] + 1))


@measured("leak", "ties are counted for the truth: a constant has 100 %")
def recall_optimistic(queries, gallery):
    scores = cosines(queries, gallery)
    return ((scores > np.diagonal(scores)[:, None]).sum(axis=1) < 1).mean()


@measured("leak", "of the captions of a film, the best one counts")
def recall_per_film(queries, gallery, relevance):
    ahead = places(cosines(queries, gallery), relevance)
    return np.mean([ahead[relevance == film].min() < 1 for film in np.unique(relevance)])


@measured("leak", "films are pooled by their own captions, then ranked")
def recall_tmass(queries, gallery):
    return (places(tmass_as_released(queries, gallery), np.arange(len(queries))) < 1).mean()


@measured("transductive", "ranks over the queries of each film are called text to video")
def recall_wrong_axis(queries, gallery):
    return (places(cosines(queries, gallery).T, np.arange(len(queries))) < 1).mean()


@measured("order_dependent", "told what is right, and takes the diagonal")
def recall_diagonal(queries, gallery, relevance):
    scores = cosines(queries, gallery)
    return (places(scores, np.arange(len(scores)) % scores.shape[1]) < 1).mean()
