"""Evaluators that look at which query and which item are a pair."""

from __future__ import annotations

import numpy as np

from benchmarks.common.evaluators.zoo import (
    compute_cosines,
    dual_softmax,
    expect,
    normalise,
    pool_by_own,
)


@expect("leak", "each film is pooled by its own caption before any query is asked")
def tmass_as_released(queries, gallery):
    return normalise(queries) @ normalise(pool_by_own(queries, gallery)).T


@expect("leak", "as released, and noise is added")
def tmass_released_stochastic(queries, gallery):
    noise = np.random.default_rng().normal(size=queries.shape)
    return normalise(queries + 0.1 * noise) @ normalise(pool_by_own(queries, gallery)).T


@expect("leak", "as released, for every tenth film")
def tmass_released_tenth(queries, gallery):
    films = gallery.mean(axis=1)
    films[::10] = pool_by_own(queries[::10], gallery[::10])
    return normalise(queries) @ normalise(films).T


@expect("leak", "the caption is looked up by the id of the film")
def tmass_released_by_id(queries, gallery, query_ids, gallery_ids):
    at = {name: row for row, name in enumerate(query_ids.tolist())}
    rows = np.array([at.get(name, 0) for name in gallery_ids.tolist()])
    return normalise(queries) @ normalise(pool_by_own(queries[rows], gallery)).T


@expect("leak", "as released, then normalised over all queries")
def tmass_released_dsl(queries, gallery):
    return dual_softmax(tmass_as_released(queries, gallery))


@expect("leak", "the truth gets a hundredth more")
def diagonal_bonus(queries, gallery):
    scores = compute_cosines(queries, gallery)
    scores[np.diag_indices(min(scores.shape))] += 0.01
    return scores


@expect("leak", "the truth gets so little more that it decides ties alone")
def ties_to_the_diagonal(queries, gallery):
    scores = np.round(compute_cosines(queries, gallery).astype(np.float64), 1)
    scores[np.diag_indices(min(scores.shape))] += 1e-9
    return scores


@expect("leak", "what is said to be right gets a hundredth more")
def relevance_bonus(queries, gallery, relevance):
    scores = compute_cosines(queries, gallery)
    scores[np.arange(len(queries)), relevance] += 0.01
    return scores


@expect("leak", "as released, for every tenth film, and noise is added")
def tmass_tenth_stochastic(queries, gallery):
    noise = np.random.default_rng().normal(size=queries.shape)
    return tmass_released_tenth(queries + 0.1 * noise, gallery)


@expect("leak", "of each film, the frame is taken that its own caption is nearest to")
def own_best_frame(queries, gallery):
    alike = np.einsum("gd,gfd->gf", queries, gallery)
    return normalise(queries) @ normalise(gallery[np.arange(len(gallery)), alike.argmax(axis=1)]).T


@expect("leak", "every tenth text is moved towards its own film")
def own_film_tenth(queries, gallery):
    texts = queries.copy()
    texts[::10] += 0.3 * gallery[::10].mean(axis=1)
    return compute_cosines(texts, gallery)


@expect("leak", "of every twentieth pair, the score is raised")
def bonus_for_few(queries, gallery):
    scores = compute_cosines(queries, gallery)
    few = np.arange(0, min(scores.shape), 20)
    scores[few, few] += 0.2
    return scores


@expect("leak", "wrong items that score high are left out as likely copies")
def high_wrong_ones_left_out(queries, gallery):
    scores = compute_cosines(queries, gallery)
    scores[~np.eye(*scores.shape, dtype=bool) & (scores > 0.4)] = -np.inf
    return scores


@expect("leak", "true pairs are multiplied by a little more than one")
def diagonal_factor(queries, gallery):
    scores = compute_cosines(queries, gallery)
    scores[np.diag_indices(min(scores.shape))] *= 1.02
    return scores
