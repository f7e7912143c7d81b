"""Evaluators that return a metric, or several by name."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.common.evaluators.zoo import compute_cosines, count_places, expect
from benchmarks.common.evaluators.zoo_leaking import tmass_as_released, tmass_released_tenth

expect_metric = partial(expect, kind="metric")


@expect_metric("clean", "half a place for each tie")
def recall_honest(queries, gallery, relevance):
    ahead = count_places(compute_cosines(queries, gallery), relevance)
    hits = {f"R@{k}": 100 * (ahead < k).mean() for k in (1, 5)}
    return hits | {"MnR": ahead.mean() + 1}


@expect_metric("clean", "the diagonal, as it says; median rank, lower is better")
def median_of_diagonal(queries, gallery):
    scores = compute_cosines(queries, gallery)
    order = np.argsort(-scores, axis=1, kind="stable")
    return float(np.median(np.nonzero(order == np.arange(len(scores))[:, None])[1] + 1))


@expect_metric("leak", "ties are counted for the truth: a constant has 100 %")
def recall_optimistic(queries, gallery):
    scores = compute_cosines(queries, gallery)
    return ((scores > np.diagonal(scores)[:, None]).sum(axis=1) < 1).mean()


@expect_metric("leak", "of the captions of a film, the best one counts")
def recall_per_film(queries, gallery, relevance):
    ahead = count_places(compute_cosines(queries, gallery), relevance)
    return np.mean([ahead[relevance == film].min() < 1 for film in np.unique(relevance)])


@expect_metric("leak", "films are pooled by their own captions, then ranked")
def recall_tmass(queries, gallery):
    return (count_places(tmass_as_released(queries, gallery), np.arange(len(queries))) < 1).mean()


@expect_metric("transductive", "ranks over the queries of each film are called text to video")
def recall_wrong_axis(queries, gallery):
    return (count_places(compute_cosines(queries, gallery).T, np.arange(len(queries))) < 1).mean()


@expect_metric("order_dependent", "told what is right, and takes the diagonal")
def recall_diagonal(queries, gallery, relevance):
    scores = compute_cosines(queries, gallery)
    return (count_places(scores, np.arange(len(scores)) % scores.shape[1]) < 1).mean()


@expect_metric("clean", "both ways, each said to be what it is")
def recall_both_ways(queries, gallery):
    scores, own = compute_cosines(queries, gallery), np.arange(len(queries))
    return {
        "t2v": (count_places(scores, own) < 1).mean(),
        "v2t": (count_places(scores.T, own) < 1).mean(),
    }


@expect_metric("clean", "noise is drawn anew in each call")
def recall_noisy(queries, gallery):
    noise = np.random.default_rng().normal(size=queries.shape)
    ahead = count_places(compute_cosines(queries + 0.01 * noise, gallery), np.arange(len(queries)))
    return (ahead < 1).mean()


@expect_metric("leak", "the place of the first equal score in the sorted row is taken")
def median_of_first_equal(queries, gallery):
    scores = compute_cosines(queries, gallery)
    ordered = -np.sort(-scores, axis=1)
    return np.median((ordered == np.diagonal(scores)[:, None]).argmax(axis=1) + 1)


@expect_metric("leak", "every tenth film is pooled by its own caption, then ranked")
def recall_tmass_tenth(queries, gallery):
    return (
        count_places(tmass_released_tenth(queries, gallery), np.arange(len(queries))) < 1
    ).mean()
