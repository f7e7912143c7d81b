"""What became of each medium: the media table, filled in after the files were read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from splitaudit import schema
from splitaudit.audio.decode.ffmpeg import NO_SOUND
from splitaudit.engine.contracts import Findings
from splitaudit.engine.jobs import File

NO_FRAMES = "frames are not audited yet"
NOT_ASKED = "not asked for: see --checks"
FACTS = {
    "audio": ["duration_s", "sample_rate", "channels", "bit_depth", "lossless"],
    "image": ["width", "height"],
}


def fill(
    media: pa.Table,
    files: Mapping[int, File],
    facts: Mapping[str, pd.DataFrame],
    checks: Sequence[str] = schema.CHECKS,
) -> pa.Table:
    """Return `media` with what was found, less the parts that files turned out not to hold.

    Parameters
    ----------
    media
        As listed: the status is null where a file was to be read.
    files
        Row -> the file as it was when the scan began, for those that were there.
    facts
        Part -> what is known of each content, index: content id. The columns of `FACTS` with
        status and error; of sounds, holds_frames.
    checks
        What is asked. What is not keeps no status.
    """
    frame = media.to_pandas()
    contents = pd.Series({row: file.content_id for row, file in files.items()}, dtype=object)
    frame["content_id"] = contents.reindex(frame.index).replace("", None)
    holds_frames = pd.Series(None, frame.index, dtype=object)
    for part, columns in FACTS.items():
        rows = (frame["part"] == part) & frame["status"].isna()
        if part in facts:
            known = facts[part].reindex(frame.loc[rows, "content_id"])
            for name in (*columns, "status", "error"):
                frame.loc[rows, name] = known[name].to_numpy()
        if part == "audio" and part in facts:
            holds_frames[rows] = known["holds_frames"].to_numpy()
        if part not in checks:
            frame.loc[rows, "error"] = NOT_ASKED
        for row in frame.index[rows & frame["status"].isna() & (part in checks)]:
            frame.loc[row, ["status", "error"]] = _read_failure(files.get(row))
    frame = _resolve_parts(frame, holds_frames) if "audio" in checks else frame
    unseen = (frame["part"] == "video") & frame["status"].isna()
    frame.loc[unseen, "error"] = NO_FRAMES if "video" in checks else NOT_ASKED
    frame.loc[unseen & ("video" in checks), "status"] = schema.UNSUPPORTED
    return schema.conform(pa.Table.from_pandas(frame, schema.MEDIA, False), schema.MEDIA)


def mark_undecided(
    media: pa.Table, items: pa.Table, found: Mapping[str, Findings], order: Sequence[str]
) -> pa.Table:
    """Return `media` with a status for what was not compared with all that may be its copy.

    Parameters
    ----------
    media, items
        As filled in.
    found
        What was found out, by part.
    order
        Of the splits: of two, the items of the first are evaluated.
    """
    frame, ranks = media.to_pandas(), {split: rank for rank, split in enumerate(order)}
    splits = items.select(["item_id", "split"]).to_pandas().set_index("item_id")["split"]
    own = frame["item_id"].map(splits).map(ranks)
    for part, of in found.items():
        rows = frame["part"].eq(part) & frame["status"].eq(schema.OK)
        same = frame["content_id"].where(rows).map(of.facts["same_id"])
        for split, rank in ranks.items():  # the last one, train, is told
            left = of.undecided.loc[of.undecided["split"] == split, "same_id"]
            those = rows & same.isin(left) & (own < rank)
            reason = (
                f"looks like more items of {split} than it was compared with: look at it yourself"
            )
            frame.loc[those, ["status", "error"]] = schema.UNDECIDED, reason
    return schema.conform(pa.Table.from_pandas(frame, schema.MEDIA, False), schema.MEDIA)


def _read_failure(file: File | None) -> tuple[str, str]:
    """Why nothing is known of a file."""
    if file is None:
        return schema.MISSING, "there is no such file"
    try:
        with open(file.path, "rb") as opened:
            opened.read(1)
    except FileNotFoundError:
        return schema.MISSING, "vanished during the scan"
    except OSError as error:
        return schema.UNREADABLE, error.strerror or str(error)
    if file.changed:
        return schema.ERROR, "changed during the scan: run it again"
    return schema.UNDECIDED, "nothing came back of it, although it did not change: run it again"


def _resolve_parts(frame: pd.DataFrame, holds_frames: pd.Series) -> pd.DataFrame:
    """Decide the sound and the frames of files that may hold either or both."""
    undecided = (frame["part"] == "video") & frame["status"].isna()
    sound = frame[frame["part"] == "audio"].set_index("item_id")
    sound["holds_frames"] = holds_frames[frame["part"] == "audio"].to_numpy()
    its_sound = sound.reindex(frame.loc[undecided, "item_id"])
    read = its_sound["sample_rate"].notna().to_numpy()
    mute = (its_sound["error"] == NO_SOUND).to_numpy()
    film = mute | (its_sound["holds_frames"].fillna(False).astype(bool).to_numpy() & read)
    video = frame.loc[undecided, ["status", "error"]].copy()
    video["status"], video["error"] = its_sound["status"].to_numpy(), its_sound["error"].to_numpy()
    video.loc[film, ["status", "error"]] = schema.UNSUPPORTED, NO_FRAMES
    frame.loc[undecided, ["status", "error"]] = video
    no_film = frame.index[undecided][read & ~film]
    mute_items = its_sound.index[mute]
    no_sound = frame.index[(frame["part"] == "audio") & frame["item_id"].isin(mute_items)]
    return frame.drop(index=no_film.union(no_sound))
