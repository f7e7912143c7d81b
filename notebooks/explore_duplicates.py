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
# # Explore duplicates by ear
#
# Which test items are already in train? This notebook scans a dataset, lists the pairs, and plays both
# sides of one from the matched second. It runs as it is, on a small dataset made from code; put the path
# of your own folder or table in `target`.

# %%
import os
import tempfile
from pathlib import Path

import splitaudit
from splitaudit.demo.dataset import plant

target = os.environ.get("SPLITAUDIT_TARGET")
work = Path(tempfile.mkdtemp())
cache = Path(os.environ.get("SPLITAUDIT_CACHE", work / "cache"))
if target is None:
    target = work / "sounds"
    plant(target)

# %%
audit = splitaudit.open(target, out=work / "run", cache=cache).scan()
summary = audit.summary()
summary["verdict"], summary["coverage"]

# %% [markdown]
# ## Leaks
#
# One row a pair: what relates them, how certain that is (`score`, 1 for equal samples), the stretch that
# both share in seconds of each, and how much of each side it is.

# %%
leaks = audit.leaks()
leaks[
    ["splits", "a", "b", "relation", "score", "a_start", "a_end", "b_start", "b_end", "transform"]
]

# %% [markdown]
# ## Listen to a pair
#
# Both sides from the matched second.

# %%
from IPython.display import Audio, display

from splitaudit.audio.decode.sounds import load
from splitaudit.audio.decode.stream import RATE

paths = audit.table("media").to_pandas().set_index("item_id")["path"]


def listen(pair, seconds=5.0):
    """Show players of both sides of a row of `audit.leaks()`."""
    for side in "ab":
        start = pair[f"{side}_start"]
        print(f"{pair[side]}  from {start:.2f} s")
        display(Audio(load(paths[pair[side]], start, start + seconds), rate=RATE))


if len(leaks):
    listen(leaks.iloc[-1])

# %% [markdown]
# ## Duplicates inside a split, and a jingle that is no leak

# %%
audit.duplicates()[["a", "b", "relation", "score", "transform"]]

# %%
shared = audit.shared_material()
print(len(shared), "pairs share a stretch that is found in more than 20 sounds")
shared[["a", "b", "score", "a_start", "a_end"]].head()

# %% [markdown]
# ## Groups, and what to keep of each

# %%
groups = audit.groups()
groups[groups["size"] > 1].sort_values("group_id")

# %%
kept = audit.dedup(within="train", keep="best")
kept[kept["action"] == "dropped"][["item_id", "stands_for", "reason"]]

# %% [markdown]
# ## A split without leaks, and its proof

# %%
plan = audit.split("repair")
plan[plan["action"] == "moved"][["item_id", "old_split", "new_split", "reason"]]

# %%
proof = audit.check()
print("\n".join(proof.sentences()))
assert proof.exit_status == 0
