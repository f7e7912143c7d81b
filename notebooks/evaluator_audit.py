# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Does the truth enter your scores?
#
# Two evaluators of text-to-video retrieval on the same vectors. A film is twelve frames of which one
# shows something of its caption. The honest one pools the frames by the text that *asks*; the other
# by the film's *own* caption, as the released test code of T-MASS was reported to do.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from splitaudit.evaluation import metrics
from splitaudit.evaluation.audit import audit_evaluator

rng = np.random.default_rng(0)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


texts = unit(rng.normal(size=(200, 64)))
films = unit(rng.normal(size=(200, 12, 64)))
films[:, 0] = unit(films[:, 0] + 0.5 * texts)


def weights(alike):
    raised = np.exp(20 * (alike - alike.max(axis=-1, keepdims=True)))
    return raised / raised.sum(axis=-1, keepdims=True)


def honest(queries, gallery):
    pooled = np.einsum("qgf,gfd->qgd", weights(np.einsum("qd,gfd->qgf", queries, gallery)), gallery)
    return np.einsum("qd,qgd->qg", queries, unit(pooled))


def leaking(queries, gallery):
    own = weights(np.einsum("gd,gfd->gf", queries, gallery))
    return queries @ unit(np.einsum("gf,gfd->gd", own, gallery)).T


def dual_softmax(queries, gallery):
    scores = honest(queries, gallery)
    return scores * weights(scores.T).T


# %% [markdown]
# ## Ask them

# %%
evaluators = {"honest": honest, "leaking": leaking, "dual softmax": dual_softmax}
audits = {name: audit_evaluator(function, texts, films) for name, function in evaluators.items()}
pd.DataFrame.from_dict(
    {name: (found.verdict, found.test, found.sentence) for name, found in audits.items()},
    orient="index",
    columns=["verdict", "test", "why"],
)

# %% [markdown]
# ## What the leak is worth
#
# True pairs score the same. Wrong films look like their own captions, and less like the query.

# %%
scores = {name: function(texts, films) for name, function in evaluators.items()}
right = np.arange(len(texts))
pd.DataFrame(
    {
        name: {
            "R@1": metrics.recall_at_k(matrix, right, 1),
            "R@5": metrics.recall_at_k(matrix, right, 5),
            "mean rank": metrics.mean_rank(matrix, right),
        }
        for name, matrix in scores.items()
    }
).round(3)

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), sharex=True, sharey=True)
wrong = ~np.eye(len(texts), dtype=bool)
for side, name in zip(axes, ("honest", "leaking"), strict=True):
    side.hist(np.diagonal(scores[name]), 40, density=True, label="true pairs")
    side.hist(scores[name][wrong], 80, density=True, histtype="step", label="wrong pairs")
    side.set_title(name)
axes[1].legend()
plt.show()

# %% [markdown]
# ## Ties
#
# A model that has collapsed gives one score to everything. Counted honestly that is chance.

# %%
constant = np.zeros((200, 200))
{
    ties: metrics.recall_at_k(constant, right, 1, ties=ties)
    for ties in ("optimistic", "expected", "pessimistic")
}
