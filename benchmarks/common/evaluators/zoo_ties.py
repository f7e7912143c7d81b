"""Evaluators of a metric that differ in what they do with ties, and with single queries.

Those of the first half are found in the code of other people: what they do with a tie is one order
of the equal items, or a mean over orders. Those of the second half count queries otherwise.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.stats import rankdata

from benchmarks.common.evaluators.zoo import compute_cosines, count_places, dual_softmax, expect
from benchmarks.common.evaluators.zoo_depending import csls, sinkhorn
from splitaudit.evaluation import metrics

expect_metric = partial(expect, kind="metric")
BATCH = 16


def measure(places):
    """What retrieval papers report, of places from 0."""
    places = np.asarray(places, np.float64)
    found = {f"R{k}": 100 * (places < k).mean() for k in (1, 5, 10)}
    return found | {"MR": np.median(places) + 1, "MeanR": places.mean() + 1}


def own_of(scores):
    return np.diagonal(scores)[:, None]


@expect_metric("clean", "the truth stands behind what it ties with")
def ties_pessimistic(queries, gallery):
    scores = compute_cosines(queries, gallery)
    return measure((scores >= own_of(scores)).sum(axis=1) - 1)


@expect_metric("clean", "argsort of falling scores, whatever it does with ties")
def ties_as_sorted(queries, gallery):
    order = np.argsort(compute_cosines(queries, gallery), axis=1)[:, ::-1]
    return measure((order == np.arange(len(order))[:, None]).argmax(axis=1))


@expect_metric("clean", "ties in an order that is drawn")
def ties_drawn(queries, gallery):
    scores = compute_cosines(queries, gallery)
    order = np.lexsort([np.random.default_rng(3).random(scores.shape), -scores], axis=1)
    return measure((order == np.arange(len(order))[:, None]).argmax(axis=1))


@expect_metric("clean", "the mean over all orders, exactly")
def ties_expected(queries, gallery):
    ranks = metrics.relevant_ranks(compute_cosines(queries, gallery), range(len(queries)))
    found = {f"R{k}": metrics.recall_at_k(ranks, None, k) for k in (1, 5, 10)}
    return found | {"MR": metrics.median_rank(ranks, None), "mean": metrics.mean_rank(ranks, None)}


@expect_metric("clean", "middle ranks; mean reciprocal, nDCG, area under the curve, geometric mean")
def ties_in_the_middle(queries, gallery):
    scores = compute_cosines(queries, gallery)
    place = np.diagonal(rankdata(-scores, axis=1))
    return {
        "MRR": (1 / place).mean(),
        "nDCG": (1 / np.log2(1 + place)).mean(),
        "AUC": 1 - ((place - 1) / (len(scores) - 1)).mean(),
        "geometric": np.exp(np.log(place).mean()),
        "1 / mean": 1 / place.mean(),
        "GM": np.cbrt(np.prod([(place <= k).mean() for k in (1, 5, 10)])),
    }


@expect_metric("clean", "the largest rank, in half precision and rounded")
def ties_half_precision(queries, gallery):
    scores = compute_cosines(queries, gallery).astype(np.float16)
    found = measure(np.diagonal(rankdata(-scores, "max", axis=1)) - 1)
    return {name: round(float(value), 1) for name, value in found.items()}


@expect_metric("clean", "recall of the ten best as a set, and a loss that does not only rank")
def ties_cut_off(queries, gallery):
    scores = compute_cosines(queries, gallery)
    best = np.argpartition(-scores, 10, axis=1)[:, :10]
    raised = np.exp(20 * scores)
    loss = -np.log(np.diagonal(raised) / raised.sum(axis=1)).mean()
    hits = (best == np.arange(len(best))[:, None]).any(axis=1)
    return {"R10": hits.mean(), "loss": loss, "similarity": np.diagonal(scores).mean()}


@expect_metric("clean", "queries in whole and in broken batches, then all together")
def ties_in_batches(queries, gallery):
    parts = [queries[at : at + BATCH] for at in range(0, len(queries), BATCH)]
    scores = np.concatenate([compute_cosines(part, gallery) for part in parts])
    return measure(count_places(scores, np.arange(len(queries))))


@expect_metric("transductive", "a dual softmax, whose ties are other ones")
def ties_after_dual_softmax(queries, gallery):
    return measure(
        count_places(dual_softmax(compute_cosines(queries, gallery)), np.arange(len(queries)))
    )


@expect_metric("transductive", "CSLS")
def ties_after_csls(queries, gallery):
    return measure(count_places(csls(queries, gallery), np.arange(len(queries))))


@expect_metric("transductive", "Sinkhorn")
def ties_after_sinkhorn(queries, gallery):
    return measure(count_places(sinkhorn(queries, gallery), np.arange(len(queries))))


@expect_metric("clean", "both ways, ties against the truth")
def ties_both_ways(queries, gallery):
    scores = compute_cosines(queries, gallery)
    ways = {"t2v": scores, "v2t": scores.T}
    return {
        f"{way} {name}": value
        for way, held in ways.items()
        for name, value in measure((held >= own_of(held)).sum(axis=1) - 1).items()
    }


@expect_metric("leak", "each place at which the truth could stand is counted, as in CLIP4Clip")
def places_pooled(queries, gallery):
    scores = compute_cosines(queries, gallery)
    return measure(np.where(np.sort(-scores, axis=1) - -own_of(scores) == 0)[1])


@expect_metric("leak", "the same, in the mean of reciprocals")
def reciprocals_pooled(queries, gallery):
    scores = compute_cosines(queries, gallery)
    return (1 / (1 + np.where(np.sort(-scores, axis=1) == -own_of(scores))[1])).mean()


@expect_metric("leak", "the same, the median alone")
def median_pooled(queries, gallery):
    scores = compute_cosines(queries, gallery)
    return float(np.median(np.where(np.sort(-scores, axis=1) == -own_of(scores))[1]) + 1)


@expect_metric("leak", "the same, where it is told what is right")
def places_pooled_relevance(queries, gallery, relevance):
    scores = compute_cosines(queries, gallery)
    own = scores[np.arange(len(scores)), relevance][:, None]
    return measure(np.where(np.sort(-scores, axis=1) == -own)[1])


@expect_metric("leak", "the same on the way back only")
def places_pooled_back(queries, gallery):
    scores = compute_cosines(queries, gallery)
    back = np.where(np.sort(-scores.T, axis=1) == -own_of(scores))[1]
    return {
        "t2v": (count_places(scores, np.arange(len(scores))) < 1).mean(),
        "v2t": (back < 1).mean(),
    }


@expect_metric("leak", "each hit among the places is counted, and divided by the queries")
def hits_by_place(queries, gallery):
    scores = compute_cosines(queries, gallery)
    places = np.where(np.sort(-scores, axis=1) == -own_of(scores))[1]
    return {f"R{k}": (places < k).sum() / len(scores) for k in (1, 5, 10)}


@expect_metric("leak", "queries with ties are left out")
def tied_left_out(queries, gallery):
    scores = compute_cosines(queries, gallery)
    tied = (scores == own_of(scores)).sum(axis=1) > 1
    places = count_places(scores, np.arange(len(scores)))
    return measure(places[~tied] if not tied.all() else places)


@expect_metric("leak", "a query counts the less the more its truth ties")
def tied_weighed(queries, gallery):
    scores = compute_cosines(queries, gallery)
    weights = 1 / (scores == own_of(scores)).sum(axis=1)
    places = count_places(scores, np.arange(len(scores)))
    return np.average(places, weights=weights) + 1


@expect_metric("leak", "better scores are counted, each value once")
def ranks_dense(queries, gallery):
    scores = compute_cosines(queries, gallery)
    return measure(np.diagonal(rankdata(-np.round(scores, 6), "dense", axis=1)) - 1)


@expect_metric("order_dependent", "the last batch is left out where it is not whole")
def last_batch_left_out(queries, gallery):
    whole = len(queries) // BATCH * BATCH
    places = count_places(compute_cosines(queries, gallery), np.arange(len(queries)))
    return (places[:whole] < 1).mean()


@expect_metric("order_dependent", "the mean over batches, of which the last is smaller")
def mean_of_batches(queries, gallery):
    places = count_places(compute_cosines(queries, gallery), np.arange(len(queries)))
    return np.mean([places[at : at + BATCH].mean() for at in range(0, len(places), BATCH)])


@expect_metric("order_dependent", "a running mean that weighs later queries more")
def running_mean(queries, gallery):
    found = 0.0
    for place in count_places(compute_cosines(queries, gallery), np.arange(len(queries))):
        found = 0.9 * found + 0.1 * (place < 5)
    return found
