"""Evaluators that look at a query and at an item, and at nothing else."""

from __future__ import annotations

import numpy as np

from benchmarks.common.evaluators.zoo import (
    TEMPERATURE,
    WIDTH,
    Floats,
    compute_cosines,
    expect,
    normalise,
    pool,
)

rng = np.random.default_rng(0)
TRAIN_BANK = rng.normal(size=(200, WIDTH)).astype(np.float32)
MEAN = rng.normal(size=WIDTH).astype(np.float32) * 0.1


def round_to_bfloat16(values: Floats) -> Floats:
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


@expect("clean", "a query and an item, nothing else")
def cosine(queries, gallery):
    return compute_cosines(queries, gallery)


@expect("clean", "rounded, and tied at times; nothing else is looked at")
def cosine_bfloat16(queries, gallery):
    texts, films = (
        round_to_bfloat16(normalise(queries)),
        round_to_bfloat16(normalise(gallery.mean(axis=1))),
    )
    return round_to_bfloat16(texts @ films.T)


@expect("clean", "rounded before the logit scale is applied, as half precision models do")
def scaled_bfloat16(queries, gallery):
    return 100.0 * cosine_bfloat16(queries, gallery)


@expect("clean", "a query and an item, nothing else")
def dot(queries, gallery):
    return queries @ gallery.mean(axis=1).T


@expect("clean", "the film is pooled by the text that asks, whichever it is (X-Pool)")
def text_conditioned_pooling(queries, gallery):
    return np.einsum("qd,qgd->qg", normalise(queries), normalise(pool(queries, gallery)))


@expect(
    "clean", "a text is spread by how alike it and the film are, every pair for itself (T-MASS)"
)
def tmass_honest(queries, gallery, seed):
    means = pool(queries, gallery)
    radius = np.exp(np.einsum("qd,qgd->qg", normalise(queries), normalise(means)))[..., None]
    noise = np.random.default_rng(seed).standard_normal(queries.shape, np.float32)[:, None]
    return np.einsum(
        "qgd,qgd->qg", normalise(queries[:, None] + 0.1 * radius * noise), normalise(means)
    )


def bank_normalised(texts: Floats, films: Floats, bank: Floats) -> Floats:
    against = np.exp(TEMPERATURE * compute_cosines(bank, films)).sum(axis=0)
    return np.exp(TEMPERATURE * compute_cosines(texts, films)) / against


@expect("clean", "each item is normalised by queries of train, which are the same for all")
def qbnorm_train_bank(queries, gallery):
    return bank_normalised(queries, gallery, TRAIN_BANK)


@expect("clean", "a mean that was learned is taken away")
def learned_centring(queries, gallery):
    return compute_cosines(queries - MEAN, gallery)


@expect("clean", "NaN is reported, and no fault of a pair with another")
def nan_for_some(queries, gallery):
    scores = compute_cosines(queries, gallery)
    scores[:, gallery[:, 0, 0] > 2 * gallery.std(axis=(1, 2))] = np.nan
    return scores


@expect("clean", "dropout left on: noise, and nothing of the truth")
def dropout_left_on(queries, gallery):
    return compute_cosines(queries * (np.random.random(queries.shape) < 0.9), gallery)


@expect("clean", "the nearest frame of a film counts")
def best_frame(queries, gallery):
    return np.tensordot(normalise(queries), normalise(gallery), (1, 2)).max(axis=2)


@expect("clean", "the nearer, the higher")
def negative_distance(queries, gallery):
    films = gallery.mean(axis=1)
    squares = (queries**2).sum(axis=1)[:, None] + (films**2).sum(axis=1) - 2 * queries @ films.T
    return -np.sqrt(np.maximum(squares, 0))


@expect("clean", "rounded to a tenth; ties are nobody's fault")
def tenths(queries, gallery):
    return compute_cosines(queries, gallery).round(1)


@expect("clean", "scored in batches on both sides, which changes nothing but rounding")
def in_batches(queries, gallery):
    rows = [queries[at : at + 32] for at in range(0, len(queries), 32)]
    columns = [gallery[at : at + 24] for at in range(0, len(gallery), 24)]
    return np.block([[compute_cosines(row, column) for column in columns] for row in rows])


@expect("clean", "frames are drawn anew in each call, the same ones for all queries")
def drawn_frames(queries, gallery):
    shown = np.random.default_rng().random(gallery.shape[:2]) < 0.7
    return compute_cosines(queries, gallery * shown[..., None])


@expect("clean", "noise that is larger in large scores, as those of true pairs are")
def proportional_noise(queries, gallery):
    scores = compute_cosines(queries, gallery)
    return scores * (1 + 0.1 * np.random.default_rng().normal(size=scores.shape))
