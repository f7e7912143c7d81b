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
# # The study of SoundDescs: what its splits share, and splits that share nothing
#
# Weck and Serra ("Data leakage in cross-modal retrieval training: a case study", ICASSP 2023) found
# duplicates and shared recording setups across the splits of SoundDescs. This notebook repeats what
# metadata can show of that and goes on to new splits. `SPLITAUDIT_DATA` names the folder that holds
# `sounddesc/` (its lists, categories and catalogue: `splitaudit fetch sounddesc` says where they come
# from); without it, a small tree of the same layout is made from code, and the numbers are of that.

# %%
import os
import random
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

import splitaudit
from splitaudit.dataset import IngestOptions

work = Path(tempfile.mkdtemp())


def stand_in(folder, tapes=150):
    """Write lists, categories and a catalogue as SoundDescs has them."""
    folder.mkdir()
    draw = random.Random(0)
    scenes = [f"{a} {b}" for a in ("Steam", "Old", "Distant") for b in ("train", "clock", "dog")]
    lists, labels, catalogue = {"train": [], "val": [], "test": []}, {}, []
    for tape in range(tapes):
        for track in range(draw.randint(1, 30)):
            name = f"07{tape:03}{track:03}" if tape % 3 else f"nhu05{tape:03}{track:03}"
            lists[draw.choices(list(lists), (70, 15, 15))[0]].append(name)
            scene = draw.choice(scenes)
            labels[name] = [scene.split()[1], draw.choice(("nature", "town", "town"))]
            words = f"{scene}, {draw.choice(('near', 'far', 'inside'))}, take {draw.randint(1, 4)}"
            row = {"location": f"{name}.wav", "description": words, "secs": draw.randint(5, 120)}
            row |= {"CDNumber": f"CD{tape // 2}", "CDName": "Sounds", "tracknum": track}
            if tape % 3:
                catalogue.append(row)
    for split, names in lists.items():
        (folder / f"{split}_list.txt").write_text("\n".join(names) + "\n")
    pd.DataFrame(catalogue).to_csv(folder / "BBCSoundEffects.csv", index=False)
    pd.to_pickle(labels, folder / "categories.pkl")
    return folder


data = os.environ.get("SPLITAUDIT_DATA")
root = Path(data) / "sounddesc" if data else stand_in(work / "sounddesc")
checks = ["keys", "captions", *(["audio"] if (root / "audio").is_dir() else [])]
audit = splitaudit.open(
    "sounddesc", out=work / "run", options=IngestOptions(root=root), settings={"checks": checks}
).scan()
summary = audit.summary()
summary["verdict"], summary["coverage"]

# %% [markdown]
# ## What test and val share with train
#
# Items of an evaluated split that have at least one partner in train, by what is equal. None of this
# is called a leak: an equal tape is a reason to look, an equal recording is proven by its sound.

# %%
reasons = pd.DataFrame(
    {
        pair: {reason: n["items"] for reason, n in entry["by_reason"].items()}
        for pair, entry in summary["weak"].items()
        if pair.endswith("|train")
    }
)
shares = 100 * reasons / [summary["splits"][pair.split("|")[0]] for pair in reasons]
order = shares.mean(axis=1).sort_values().index
reasons.loc[order].fillna(0).astype(int)

# %%
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
shares.loc[order].plot.barh(ax=axes, width=0.8, color=["#33658a", "#f6ae2d"])
axes.set(xlabel="share of the split with a partner in train, %", xlim=(0, 100))
axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## What each policy would keep together
#
# How many groups, how large the largest is, and how much of test and val stays usable as it is.

# %%
audit.policies().round(3)

# %% [markdown]
# ## Splits, old and new
#
# - *official*: as it is.
# - *repaired*: the fewest moves after which no two items with equal words and nearly equal lengths
#   stand in different splits.
# - *by scene*: a new split, 70/15/15, in which clips of one CD that begin with the same words stay
#   together.
# - *by scene and tape*: the same, and each tape of the Natural History Unit stays whole.
#
# Each is checked from its written files by code that the splitter does not use. The label error is
# the mean, over categories and splits, of how far the share of a category is from its share in all.

# %%
labels = audit.table("items").to_pandas().set_index("item_id")["labels"]
whole = pd.get_dummies(labels.explode()).groupby(level=0).max()


def facts(plan, status):
    """Return the sizes of a split, its label error in points, and what its check ended with."""
    shares = whole.groupby(plan.set_index("item_id")["new_split"]).mean()
    sizes = plan["new_split"].value_counts().to_dict()
    error = 100 * (shares - whole.mean()).abs().to_numpy().mean()
    moved = int((plan["action"] == "moved").sum())
    return {**sizes, "moved": moved, "label error": error, "check": status}


items = audit.table("items").to_pandas()
official = items.assign(new_split=items["split"], action="kept")
rows = {"official": facts(official, audit.check(root, policy="scene,nhu_tape").exit_status)}
for name, mode, policy in (
    ("repaired", "repair", "duplicate"),
    ("by scene", "regroup", "scene"),
    ("by scene and tape", "regroup", "scene,nhu_tape"),
):
    rows[name] = facts(audit.split(mode, policy=policy), audit.check().exit_status)
pd.DataFrame(rows).T.round(4)

# %%
print("\n".join(audit.check().sentences()))
assert audit.check().exit_status == 0

# %% [markdown]
# `audit.export("sounddesc_clean", "lists")` writes the last split as lists of ids, with its digest.
