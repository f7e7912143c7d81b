"""Evaluators that leak in known ways, and some that do not. Films are frames, texts a vector."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

FRAMES, WIDTH = 4, 32


def pairs(n: int = 60, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    texts, films = rng.normal(size=(n, WIDTH)), rng.normal(size=(n, FRAMES, WIDTH))
    films[:, :2] += 0.6 * texts[:, None]
    return texts, films


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def softmax(scores, axis):
    raised = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return raised / raised.sum(axis=axis, keepdims=True)


def cosine(queries, gallery):
    return unit(queries) @ unit(gallery.mean(axis=1)).T


def scaled(queries, gallery):
    return 100 * cosine(queries, gallery)


def half_precision(queries, gallery):
    return 100 * cosine(queries, gallery).astype(np.float16).astype(np.float32)


def pooled_by_the_asking(queries, gallery):
    weights = softmax(np.einsum("qd,gfd->qgf", queries, gallery), axis=2)
    return np.einsum("qd,qgd->qg", unit(queries), unit(np.einsum("qgf,gfd->qgd", weights, gallery)))


def train_bank(queries, gallery):
    bank = np.random.default_rng(9).normal(size=(50, WIDTH))
    return np.exp(9 * cosine(queries, gallery)) / np.exp(9 * cosine(bank, gallery)).sum(axis=0)


def seeded_noise(queries, gallery, seed):
    noise = np.random.default_rng(seed).normal(size=(len(queries), len(gallery)))
    return cosine(queries, gallery) + 0.02 * noise


def global_noise(queries, gallery):
    return cosine(queries, gallery) + 0.02 * np.random.normal(size=(len(queries), len(gallery)))


def free_noise(queries, gallery):
    noise = np.random.default_rng().normal(size=(len(queries), len(gallery)))
    return cosine(queries, gallery) + 0.02 * noise


def looked_up_features(queries, gallery, gallery_ids):
    return cosine(queries, pairs()[1][np.asarray(gallery_ids)])


def noise_of_the_films(queries, gallery):
    """One noise for all queries, so rows are no independent draws of it."""
    return cosine(queries, gallery + 0.3 * np.random.default_rng().normal(size=gallery.shape))


def noise_of_the_score(queries, gallery):
    """More of it in large scores, such as those of true pairs."""
    scores = cosine(queries, gallery)
    return scores * (1 + 0.3 * np.random.default_rng().standard_cauchy(size=scores.shape))


def noise_by_place(queries, gallery):
    return cosine(queries + np.random.default_rng(0).normal(size=queries.shape), gallery)


def noise_of_the_films_by_seed(queries, gallery, seed):
    return cosine(queries, gallery + np.random.default_rng(seed).normal(size=gallery.shape))


def own(queries, gallery):
    weights = softmax(np.einsum("gd,gfd->gf", queries, gallery), axis=1)
    return unit(np.einsum("gf,gfd->gd", weights, gallery))


def pooled_by_own(queries, gallery):
    return unit(queries) @ own(queries, gallery).T


def pooled_by_own_and_noise(queries, gallery):
    noise = np.random.default_rng().normal(size=queries.shape)
    return unit(queries + 0.1 * noise) @ own(queries, gallery).T


def pooled_by_own_for_some(queries, gallery):
    films = unit(gallery.mean(axis=1))
    films[::10] = own(queries[::10], gallery[::10])
    return unit(queries) @ films.T


def asked_by_own_for_some(queries, gallery):
    """Every tenth text is moved towards its own film."""
    texts = queries.copy()
    texts[::10] += 0.3 * gallery[::10].mean(axis=1)[: len(texts[::10])]
    return cosine(texts, gallery)


def bonus_for_few(queries, gallery):
    scores = cosine(queries, gallery)
    few = np.arange(0, min(scores.shape), 20)
    scores[few, few] += 0.2
    return scores


def high_wrong_ones_left_out(queries, gallery):
    scores = cosine(queries, gallery)
    scores[~np.eye(*scores.shape, dtype=bool) & (scores > 0.5)] = np.nan
    return scores


def pooled_by_id(queries, gallery, query_ids, gallery_ids):
    at = {name: row for row, name in enumerate(query_ids.tolist())}
    return unit(queries) @ own(queries[[at.get(x, 0) for x in gallery_ids.tolist()]], gallery).T


def bonus(queries, gallery):
    scores = cosine(queries, gallery)
    scores[np.diag_indices(min(scores.shape))] += 0.01
    return scores


def hair(queries, gallery):
    scores = cosine(queries, gallery)
    scores[np.diag_indices(min(scores.shape))] += 1e-9
    return scores


def bonus_for_relevance(queries, gallery, relevance):
    scores = cosine(queries, gallery)
    scores[np.arange(len(scores)), relevance] += 0.01
    return scores


def bonus_for_relevance_and_noise(queries, gallery, relevance):
    scores = bonus_for_relevance(queries, gallery, relevance)
    return scores + 0.01 * np.random.default_rng().normal(size=scores.shape)


def dual_softmax(queries, gallery):
    scores = cosine(queries, gallery)
    return scores * softmax(20 * scores, axis=0)


def dual_softmax_in_batches(queries, gallery):
    parts = [dual_softmax(queries[k : k + 16], gallery) for k in range(0, len(queries), 16)]
    return np.concatenate(parts)


def assigned(queries, gallery):
    """Each query gets an item of its own; ties go along the diagonal."""
    scores = cosine(queries, gallery)
    scores[linear_sum_assignment(-scores)] += 1
    return scores


def centred_queries(queries, gallery):
    return cosine(queries - queries.mean(axis=0), gallery)


def centred_gallery(queries, gallery):
    return cosine(queries, gallery - gallery.mean(axis=(0, 1)))


def first_come(queries, gallery):
    return cosine(queries, gallery) - 1e-4 * np.arange(len(gallery))


def softmax_over_the_gallery(queries, gallery):
    return softmax(20 * cosine(queries, gallery), axis=1)


def ten_best(queries, gallery):
    scores = cosine(queries, gallery)
    return np.where(scores < np.sort(scores, axis=1)[:, [-10]], -np.inf, scores)


def pooled_by_own_and_ten_best(queries, gallery):
    scores = pooled_by_own_and_noise(queries, gallery)
    return np.where(scores < np.sort(scores, axis=1)[:, [-10]], -np.inf, scores)


SCORES = {
    cosine: "clean",
    half_precision: "clean",
    pooled_by_the_asking: "clean",
    train_bank: "clean",
    seeded_noise: "clean",
    global_noise: "clean",
    free_noise: "clean",
    noise_of_the_films: "clean",
    noise_of_the_score: "clean",
    looked_up_features: "clean",
    pooled_by_own: "leak",
    pooled_by_own_and_noise: "leak",
    pooled_by_own_and_ten_best: "leak",
    pooled_by_own_for_some: "leak",
    asked_by_own_for_some: "leak",
    bonus_for_few: "leak",
    high_wrong_ones_left_out: "leak",
    pooled_by_id: "leak",
    bonus: "leak",
    hair: "leak",
    bonus_for_relevance: "leak",
    dual_softmax: "transductive",
    dual_softmax_in_batches: "transductive",
    assigned: "transductive",
    centred_queries: "transductive",
    centred_gallery: "gallery_dependent",
    softmax_over_the_gallery: "gallery_dependent",
    ten_best: "gallery_dependent",
    noise_by_place: "order_dependent",
    first_come: "order_dependent",
}


def places(scores, relevance):
    truth = scores[np.arange(len(scores)), relevance][:, None]
    return (scores > truth).sum(axis=1) + ((scores == truth).sum(axis=1) - 1) / 2


def recall(queries, gallery, relevance):
    found = places(cosine(queries, gallery), relevance)
    return {"R@1": 100 * (found < 1).mean(), "mean rank": found.mean() + 1}


def recall_of_place(queries, gallery):
    return (places(cosine(queries, gallery), np.arange(len(queries))) < 1).mean()


def optimistic(queries, gallery):
    scores = cosine(queries, gallery)
    return ((scores > np.diagonal(scores)[:, None]).sum(axis=1) < 1).mean()


def best_caption(queries, gallery, relevance):
    found = places(cosine(queries, gallery), relevance)
    return np.mean([found[relevance == item].min() < 1 for item in np.unique(relevance)])


def leaking(queries, gallery):
    return (places(pooled_by_own(queries, gallery), np.arange(len(queries))) < 1).mean()


def other_axis(queries, gallery):
    return (places(cosine(queries, gallery).T, np.arange(len(queries))) < 1).mean()


def leaking_for_some(queries, gallery):
    return (places(pooled_by_own_for_some(queries, gallery), np.arange(len(queries))) < 1).mean()


def noisy_recall(queries, gallery):
    return (places(free_noise(queries, gallery), np.arange(len(queries))) < 1).mean()


def both_ways(queries, gallery):
    return {"t2v": recall_of_place(queries, gallery), "v2t": other_axis(queries, gallery)}


def of_tensors(queries, gallery):
    norms = [side.norm(dim=1, keepdim=True) for side in (queries, gallery)]
    return (queries / norms[0]) @ (gallery / norms[1]).T


def of_tensors_r1(queries, gallery):
    return recall_of_scores(of_tensors(queries.float(), gallery.float()).numpy())


def recall_of_scores(scores):
    return (places(scores, np.arange(len(scores))) < 1).mean()


def told_in_vain(queries, gallery, relevance):
    return (places(cosine(queries, gallery), np.arange(len(queries))) < 1).mean()


METRICS = {
    recall: "clean",
    recall_of_place: "clean",
    optimistic: "leak",
    best_caption: "leak",
    leaking: "leak",
    other_axis: "transductive",
    told_in_vain: "order_dependent",
}


def hangs(queries, gallery):
    time.sleep(60)


def raises(queries, gallery):
    raise KeyError("x")


def dies(queries, gallery):
    os._exit(7)


def greedy(queries, gallery):
    return np.ones((1 << 20, 1 << 20))


def wrong_shape(queries, gallery):
    return cosine(queries, gallery)[:, :-1]


def transposed(queries, gallery):
    return cosine(queries, gallery).T


def words(queries, gallery):
    return "good"


def changeable(queries, gallery, calls=[]):  # noqa: B006  on purpose
    calls.append(0)
    return cosine(queries, gallery)[: len(queries) - (len(calls) > 1)]


FAULTS = {
    raises: "test 'first call': the evaluator raised KeyError: 'x'",
    wrong_shape: r"returned shape \(60, 59\), expected \(60, 60\)",
    transposed: r"returned shape \(60, 1\): a row an item, not a query",
    words: "returned a str, not scores",
    changeable: "test 'second call'",
}


def square(queries, gallery):
    assert len(queries) == len(gallery)
    return cosine(queries, gallery)


def writes(queries, gallery):
    queries[:] = 0
    return cosine(queries + 1, gallery)
