"""Evaluators whose scores depend on other queries, on other items, or on places."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from benchmarks.common.evaluators.zoo import (
    TEMPERATURE,
    compute_cosines,
    dual_softmax,
    expect,
    normalise,
    softmax,
)
from benchmarks.common.evaluators.zoo_clean import bank_normalised


@expect("transductive", "the softmax goes over all queries of the test (CAMoE)")
def dsl(queries, gallery):
    return dual_softmax(compute_cosines(queries, gallery))


@expect("transductive", "the softmax goes over the queries of a batch")
def dsl_in_batches(queries, gallery):
    scores = compute_cosines(queries, gallery)
    parts = [dual_softmax(scores[at : at + 32]) for at in range(0, len(scores), 32)]
    return np.concatenate(parts)


@expect("transductive", "each item is normalised by what the queries of the test score with it")
def qbnorm_test_bank(queries, gallery):
    return bank_normalised(queries, gallery, queries)


@expect("transductive", "items near to many queries of the test are pushed back")
def csls(queries, gallery):
    scores = compute_cosines(queries, gallery)
    near = [np.sort(scores, axis=axis) for axis in (0, 1)]
    hubs = near[0][-10:].mean(axis=0, keepdims=True), near[1][:, -10:].mean(axis=1, keepdims=True)
    return 2 * scores - hubs[0] - hubs[1]


@expect("transductive", "the mean of the test's queries is taken away")
def query_centring(queries, gallery):
    return compute_cosines(queries - queries.mean(axis=0), gallery)


@expect("transductive", "the softmax goes over the wrong axis, the queries")
def softmax_wrong_axis(queries, gallery):
    return softmax(TEMPERATURE * compute_cosines(queries, gallery), axis=0)


@expect("transductive", "batch statistics of the queries are left on")
def batch_norm_queries(queries, gallery):
    return compute_cosines((queries - queries.mean(axis=0)) / queries.std(axis=0), gallery)


@expect("transductive", "scores are made to sum to one both ways (Sinkhorn)")
def sinkhorn(queries, gallery):
    scores = np.exp(10 * compute_cosines(queries, gallery))
    for _ in range(10):
        scores = scores / scores.sum(axis=0)
        scores = scores / scores.sum(axis=1, keepdims=True)
    return scores


@expect("transductive", "each query is given an item of its own, as many as there are")
def assigned(queries, gallery):
    scores = compute_cosines(queries, gallery)
    scores[linear_sum_assignment(-scores)] += 1
    return scores


@expect("transductive", "each query is averaged with the queries nearest to it")
def query_expansion(queries, gallery):
    near = np.argsort(-normalise(queries) @ normalise(queries).T, axis=1)[:, :3]
    return compute_cosines(queries[near].mean(axis=1), gallery)


@expect("transductive", "axes are those of the test's queries")
def axes_of_queries(queries, gallery):
    axes = np.linalg.svd(queries - queries.mean(axis=0), full_matrices=False)[2][:8].T
    return compute_cosines(queries @ axes, gallery @ axes)


@expect("gallery_dependent", "the mean of the gallery is taken away")
def gallery_centring(queries, gallery):
    return compute_cosines(queries, gallery - gallery.mean(axis=(0, 1)))


@expect("gallery_dependent", "each query's scores are set to mean 0 and deviation 1")
def gallery_zscore(queries, gallery):
    scores = compute_cosines(queries, gallery)
    return (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)


@expect("gallery_dependent", "a softmax over the gallery")
def gallery_softmax(queries, gallery):
    return softmax(TEMPERATURE * compute_cosines(queries, gallery), axis=1)


@expect("gallery_dependent", "batch statistics of the gallery are left on")
def batch_norm_gallery(queries, gallery):
    return compute_cosines(
        queries, (gallery - gallery.mean(axis=(0, 1))) / gallery.std(axis=(0, 1))
    )


@expect("gallery_dependent", "only the ten best of each query are kept")
def ten_best(queries, gallery):
    scores = compute_cosines(queries, gallery)
    return np.where(scores < np.sort(scores, axis=1)[:, [-10]], -np.inf, scores)


@expect("gallery_dependent", "each query is moved towards what it found first")
def feedback(queries, gallery):
    first = np.argsort(-compute_cosines(queries, gallery), axis=1)[:, :3]
    return compute_cosines(
        normalise(queries) + normalise(gallery.mean(axis=1))[first].mean(axis=1), gallery
    )


@expect("order_dependent", "equal scores are parted by their place in the gallery")
def ties_by_position(queries, gallery):
    return compute_cosines(queries, gallery) - 1e-4 * np.arange(len(gallery))


@expect("order_dependent", "ranks, in which of two equal items the first is the better")
def ranks_by_position(queries, gallery):
    order = np.argsort(-compute_cosines(queries, gallery), axis=1, kind="stable")
    ranks = np.empty(order.shape)
    np.put_along_axis(ranks, order, -np.arange(order.shape[1], dtype=float)[None], axis=1)
    return ranks
