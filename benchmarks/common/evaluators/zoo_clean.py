"""Evaluators that look at a query and at an item, and at nothing else."""

from __future__ import annotations

import numpy as np

from benchmarks.common.evaluators.zoo import TEMPERATURE, WIDTH, Floats, cosines, kept, pooled, unit

rng = np.random.default_rng(0)
TRAIN_BANK = rng.normal(size=(200, WIDTH)).astype(np.float32)
MEAN = rng.normal(size=WIDTH).astype(np.float32) * 0.1


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


def bank_normalised(texts: Floats, films: Floats, bank: Floats) -> Floats:
    against = np.exp(TEMPERATURE * cosines(bank, films)).sum(axis=0)
    return np.exp(TEMPERATURE * cosines(texts, films)) / against


@kept("clean", "each item is normalised by queries of train, which are the same for all")
def qbnorm_train_bank(queries, gallery):
    return bank_normalised(queries, gallery, TRAIN_BANK)


@kept("clean", "a mean that was learned is taken away")
def learned_centring(queries, gallery):
    return cosines(queries - MEAN, gallery)


@kept("clean", "NaN is reported, and no fault of a pair with another")
def nan_for_some(queries, gallery):
    scores = cosines(queries, gallery)
    scores[:, gallery[:, 0, 0] > 2 * gallery.std(axis=(1, 2))] = np.nan
    return scores


@kept("clean", "dropout left on: noise, and nothing of the truth")
def dropout_left_on(queries, gallery):
    return cosines(queries * (np.random.random(queries.shape) < 0.9), gallery)


@kept("clean", "the nearest frame of a film counts")
def best_frame(queries, gallery):
    return np.tensordot(unit(queries), unit(gallery), (1, 2)).max(axis=2)


@kept("clean", "the nearer, the higher")
def negative_distance(queries, gallery):
    films = gallery.mean(axis=1)
    squares = (queries**2).sum(axis=1)[:, None] + (films**2).sum(axis=1) - 2 * queries @ films.T
    return -np.sqrt(np.maximum(squares, 0))


@kept("clean", "rounded to a tenth; ties are nobody's fault")
def tenths(queries, gallery):
    return cosines(queries, gallery).round(1)


@kept("clean", "scored in batches on both sides, which changes nothing but rounding")
def in_batches(queries, gallery):
    rows = [queries[at : at + 32] for at in range(0, len(queries), 32)]
    columns = [gallery[at : at + 24] for at in range(0, len(gallery), 24)]
    return np.block([[cosines(row, column) for column in columns] for row in rows])


@kept("clean", "frames are drawn anew in each call, the same ones for all queries")
def drawn_frames(queries, gallery):
    shown = np.random.default_rng().random(gallery.shape[:2]) < 0.7
    return cosines(queries, gallery * shown[..., None])


@kept("clean", "noise that is larger in large scores, as those of true pairs are")
def proportional_noise(queries, gallery):
    scores = cosines(queries, gallery)
    return scores * (1 + 0.1 * np.random.default_rng().normal(size=scores.shape))
