"""Items that name one file: certain copies, whether the file was read or is even there."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit import schema
from splitaudit.dataset import decode_path
from splitaudit.engine import matches
from splitaudit.engine.matches import MatchColumns, Row
from splitaudit.metadata import spans

# > of two stretches: the sums that tables are made of are rounded; what is shorter is not compared
MIN_SHARED_S = 0.1
_STRETCH = ["start_s", "end_s"]


def add(found: Sequence[pa.Table], items: pa.Table, media: pa.Table) -> pa.Table:
    """Return matches with those of items that name one file, which the media did not prove.

    Items that name stretches of one file are copies where the stretches are equal, overlap where
    these overlap, and have nothing in common elsewhere.

    Parameters
    ----------
    found
        Each of schema MATCHES: what is known already.
    items, media
        Schemas ITEMS and MEDIA. Where a medium has no stretch, the place of the item in its source
        counts as one.
    """
    placed = _placed_media(items, media)
    labels = matches.labels(items)
    rows = [schema.conform([], schema.MATCHES), *found]
    for part in schema.MEDIA_PARTS:
        own = placed[placed["part"] == part]
        rows += [matches.expand(own, pd.DataFrame(), labels, _columns(part))]
        rows += [_overlaps(own, part)]
    return _once(pa.concat_tables(rows))


def _placed_media(items: pa.Table, media: pa.Table) -> pd.DataFrame:
    """A row a medium with a path: its file and the stretch of it, and both as `same_id`."""
    columns = ["item_id", "part", "path", "clip_start_s", "clip_end_s", "content_id", "duration_s"]
    frame = media.select(columns).to_pandas().dropna(subset="path")
    frame = frame.merge(items.select(["item_id", "split", *_STRETCH]).to_pandas(), on="item_id")
    whole = frame[["clip_start_s", "clip_end_s"]].isna().all(axis=1)
    for name in _STRETCH:
        frame[name] = frame[name].where(whole, frame[f"clip_{name}"])
    frame["file"] = _files(frame)
    start_s = frame["start_s"].fillna(0.0).astype(str)
    end_s = frame["end_s"].fillna(math.inf).astype(str)  # open: to its end
    same = frame["file"].astype(object) + " " + start_s + " " + end_s
    # Equal bytes are told by what was read; here every item is a file of its own.
    placed: pd.DataFrame = frame.assign(same_id=same, content_id=frame["item_id"])
    return placed


def _files(media: pd.DataFrame) -> pd.Series:
    """Which file each medium is: by its path, and of one that was not read by its number, too."""
    unread = media["content_id"].isna()
    names = {path: os.path.normpath(path) for path in media["path"].unique()}
    numbers = {path: _number(path) or names[path] for path in media.loc[unread, "path"].unique()}
    found: pd.Series = media["path"].map(names).where(~unread, media["path"].map(numbers))
    return found


def _number(path: str) -> str | None:
    """The device and number of a file, which all its links share; None where there is none."""
    try:
        status = os.stat(decode_path(path))
    except (OSError, ValueError):
        return None
    return f"{status.st_dev}:{status.st_ino}"


def _columns(part: str) -> MatchColumns:
    def equal(_: Row) -> Row:
        return {
            "verifier": schema.ONE_PATH,
            "fingerprint": None,
            "transform": "the same file",
            "homography": np.eye(3).ravel().tolist() if part == "image" else None,
            "accepted": True,
        }

    return MatchColumns(part, equal, lambda proof: (proof, proof))


def _overlaps(media: pd.DataFrame, part: str) -> pa.Table:
    """Matches of stretches of one file that overlap and are not equal."""
    crowded = media[media["file"].duplicated(keep=False)]
    if crowded.empty:
        return schema.conform([], schema.MATCHES)
    start_s = crowded["start_s"].fillna(0.0)
    crowded = crowded.assign(end_s=crowded["end_s"].fillna(start_s + crowded["duration_s"]))
    ends = crowded["end_s"].fillna(start_s).groupby(crowded["file"]).transform("max") + 1.0
    told = crowded.assign(source=crowded["file"], start_s=start_s)
    told["end_s"] = told["end_s"].fillna(ends)  # open ones reach beyond all others
    found = spans.overlaps(pa.Table.from_pandas(told, preserve_index=False)).to_pandas()
    of = crowded.set_index("item_id")
    found = found[found["a_end"] - found["a_start"] > MIN_SHARED_S]
    found = found[(found["a"].map(of["same_id"]) != found["b"].map(of["same_id"])).to_numpy()]
    for side in "ab":
        open_ended = found[side].map(of["end_s"]).isna()
        found[f"coverage_{side}"] = found[f"coverage_{side}"].mask(open_ended)
    words = {
        "part": part,
        "verifier": schema.ONE_PATH,
        "transform": "overlapping parts of one file",
    }
    table = pa.Table.from_pandas(found.assign(**words), schema.MATCHES, preserve_index=False)
    return schema.conform(table, schema.MATCHES)


def _once(rows: pa.Table) -> pa.Table:
    """Matches without what one path says of a pair that is known, or of its sound and frames."""
    frame = rows.to_pandas()
    named = frame["verifier"].eq(schema.ONE_PATH)
    pairs = pd.MultiIndex.from_frame(frame[["a", "b"]])
    proven = pairs.isin(pairs[frame["accepted"].eq(True) & ~named])
    again = frame[named].duplicated(["a", "b"]).reindex(frame.index, fill_value=False)
    certain = pairs.isin(pairs[named & ~proven])
    refuted = ~named & certain & frame["relation"].eq(schema.EXACT)  # equal, and empty or silent
    kept = ~((named & (proven | again)) | refuted)
    return rows.filter(pa.array(kept.to_numpy()))
