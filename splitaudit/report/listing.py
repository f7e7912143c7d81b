"""What the lists of the HTML report hold: pairs, their media and previews, and the unaudited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from splitaudit.dataset.paths import decode_path
from splitaudit.errors import MediaError
from splitaudit.metadata.spans import PART as SPANS
from splitaudit.report import side_by_side
from splitaudit.report.preview import BANDS, encode_preview, preview_interval
from splitaudit.report.sentences import escape_invisible
from splitaudit.report.summary import Tables, positions, split_ranks
from splitaudit.schema import AUDITED, LEAK_RELATIONS, SHARED_MATERIAL

Load = Callable[[str, float, float], npt.NDArray[np.float32]]
Look = Callable[[str], npt.NDArray[np.uint8]]

EMBEDDED = 50  # pairs with a preview; each costs some 60 ms of CPU and 60 kB
LISTED = 20_000  # rows of each kind: a browser still opens the file
KINDS = ("leaks", "duplicates", "shared material")
RELATIONS = (*LEAK_RELATIONS, SHARED_MATERIAL)
SIDES = ("one", "other")
PICTURE_PART = "image"  # the part of items that is a picture


class MediaLoaders(NamedTuple):
    """How to get at what is shown.

    Parameters
    ----------
    load
        ``(file, start_s, end_s)`` to samples, mono at 16 kHz, or a `MediaError`.
    look
        A file to pixels, shape (height, width, 3), or a `MediaError`.
    """

    load: Load
    look: Look


class PreviewSource(NamedTuple):
    """Where a preview is read: seconds of the item's medium, which begins at `offset` of a file."""

    path: str
    offset: float
    start: float
    end: float


def report_data(tables: Tables, order: Sequence[str], reach: MediaLoaders) -> dict[str, Any]:
    """Return the data of the page's lists, ready for JSON: tables are dicts of columns.

    Parameters
    ----------
    tables
        The tables of a run.
    order
        Every split, in the order of evaluation.
    reach
        How to get at the media.
    """
    media = _add_span_media(tables)
    pairs = _pairs(replace(tables, media=media), order)
    counts = pairs["kind"].value_counts().reindex(range(len(KINDS)), fill_value=0)
    pairs = pairs.groupby("kind").head(LISTED).reset_index(drop=True)
    previews, places = _previews(pairs.head(EMBEDDED), media, reach)
    used, codes = np.unique(pairs[list(SIDES)], return_inverse=True)
    pairs[list(SIDES)] = codes.reshape(-1, 2)
    unaudited = _unaudited(tables)
    return {
        "relations": RELATIONS,
        "counts": counts.tolist(),
        "media": _columns(_media(media.iloc[used], tables.items)),
        "pairs": _columns(pairs.drop(columns="homography").round(4)),
        "previews": previews,
        "preview_of": places,
        "bands": BANDS,
        "unaudited": _columns(unaudited.head(LISTED)),
        "unaudited_count": len(unaudited),
    }


def _add_span_media(tables: Tables) -> pd.DataFrame:
    """The media, and of items that their table alone relates what there is to hear, or nothing."""
    related = tables.matches[tables.matches["part"].eq(SPANS)]
    items = pd.unique(related[["a", "b"]].to_numpy().ravel())
    heard = tables.media[tables.media["part"].eq("audio")].drop_duplicates("item_id")
    rows = heard.set_index("item_id").reindex(items).rename_axis("item_id").reset_index()
    rows = rows.assign(part=SPANS, path=rows["path"].fillna(""))[tables.media.columns]
    return pd.concat([tables.media, rows], ignore_index=True) if len(rows) else tables.media


def _pairs(tables: Tables, order: Sequence[str]) -> pd.DataFrame:
    """Return what the list shows, the most certain first, `one` being the evaluated side."""
    matches = tables.matches
    shown = matches["accepted"].eq(True) & matches["relation"].isin(RELATIONS)
    matches = matches[shown].reset_index(drop=True)
    ranks = pd.Series(split_ranks(tables.items, order), index=tables.items["item_id"])
    rank_a, rank_b = (ranks.loc[matches[side]].to_numpy() for side in "ab")
    kind = np.where(rank_a == rank_b, 1, 0)
    kind[matches["relation"].eq(SHARED_MATERIAL)] = 2
    hardness = pd.Index(RELATIONS).get_indexer(pd.Index(matches["relation"]))
    told = matches[["score", "transform", "n_equivalent", "label_conflict", "homography"]]
    sides = _sides(matches, tables.media, rank_a > rank_b)
    pairs = pd.concat([sides, told], axis=1).assign(kind=kind, relation=hardness)
    pairs["picture"], pairs["swapped"] = matches["part"].eq(PICTURE_PART), rank_a > rank_b
    by = ["kind", "score", "relation"]
    return pairs.sort_values(by, ascending=[True, False, True], kind="stable")


def _sides(matches: pd.DataFrame, media: pd.DataFrame, swap: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """Return row of `media`, start, end, coverage of both sides: a is `one`, unless swapped."""
    places = pd.MultiIndex.from_frame(media[["item_id", "part"]])
    columns: dict[str, Any] = {}
    for name, kept, swapped in (("one", "a", "b"), ("other", "b", "a")):
        ids = np.where(swap, matches[swapped], matches[kept])
        columns[name] = positions(places, pd.MultiIndex.from_arrays([ids, matches["part"]]))
        for what, source in (("start", "{}_start"), ("end", "{}_end"), ("cover", "coverage_{}")):
            values = (matches[source.format(side)].astype(float) for side in (swapped, kept))
            columns[f"{name}_{what}"] = np.where(swap, *values)
    return pd.DataFrame(columns)


def _previews(
    pairs: pd.DataFrame, media: pd.DataFrame, reach: MediaLoaders
) -> tuple[list[dict[str, Any]], dict[str, list[int | None]]]:
    """Return the previews, and by side and `difference` the place of each pair's among them."""
    seen = pairs["picture"]
    found, heard = _sound_previews(pairs[~seen], media, reach.load)
    shown = [_picture_previews(pair, media, reach.look) for pair in pairs[seen].itertuples()]
    places: dict[str, list[int | None]] = {}
    for name in (*SIDES, "difference"):
        of_sounds, of_pictures = iter(heard.get(name, [None] * len(pairs))), iter(shown)
        places[name] = [
            _append_preview(found, next(of_pictures)[name]) if picture else next(of_sounds)
            for picture in seen
        ]
    return found, places


def _append_preview(found: list[dict[str, Any]], preview: dict[str, Any]) -> int:
    found.append(preview)
    return len(found) - 1


def _picture_previews(pair: Any, media: pd.DataFrame, look: Look) -> dict[str, dict[str, Any]]:
    """The previews of two pictures and of their difference."""
    try:
        one, other = (look(decode_path(media["path"].iloc[getattr(pair, s)])) for s in SIDES)
    except MediaError as error:
        return {name: {"error": escape_invisible(str(error))} for name in (*SIDES, "difference")}
    there: side_by_side.Floats = np.reshape(np.asarray(pair.homography, np.float64), (3, 3))
    return side_by_side.encode_comparison(
        one, other, np.asarray(np.linalg.inv(there)) if pair.swapped else there
    )


def _sound_previews(
    pairs: pd.DataFrame, media: pd.DataFrame, load: Load
) -> tuple[list[dict[str, Any]], dict[str, list[int]]]:
    """Return the previews of sounds, and for both sides the place of each pair's among them.

    One stretch of one content is embedded once, however many pairs show it.
    """
    sources: dict[tuple[Any, ...], PreviewSource] = {}
    keys: dict[str, list[tuple[Any, ...]]] = {}
    for side in SIDES:
        rows = zip(pairs[side], pairs[f"{side}_start"], pairs[f"{side}_end"], strict=True)
        wanted = [_preview_source(media.iloc[place], start, end) for place, start, end in rows]
        contents = media["content_id"].iloc[pairs[side]].fillna("")
        keys[side] = [
            (content or source.path, source.start, source.end)
            for content, source in zip(contents, wanted, strict=True)
        ]
        sources.update(zip(keys[side], wanted, strict=True))
    places = {key: place for place, key in enumerate(sources)}
    with ThreadPoolExecutor() as pool:  # the MP3 encoder takes most of the time, without the GIL
        found = list(pool.map(lambda source: _sound_preview(source, load), sources.values()))
    return found, {side: [places[key] for key in keys[side]] for side in SIDES}


def _preview_source(medium: pd.Series, start: float, end: float) -> PreviewSource:
    first, last = preview_interval(start, end, medium["duration_s"])
    return PreviewSource(medium["path"], float(np.nan_to_num(medium["clip_start_s"])), first, last)


def _sound_preview(source: PreviewSource, load: Load) -> dict[str, Any]:
    start, end = source.offset + source.start, source.offset + source.end
    try:
        samples = load(decode_path(source.path), start, end)
    except MediaError as error:
        return {"error": escape_invisible(str(error))}
    return (
        encode_preview(samples, source.start)
        if len(samples)
        else {"error": "there is no sound here"}
    )


def _media(media: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    splits = items.set_index("item_id")["split"]
    return pd.DataFrame(
        {
            "item": media["item_id"].map(escape_invisible),
            "split": media["item_id"].map(splits).map(escape_invisible),
            "path": media["path"].map(escape_invisible),
            "uri": [path and Path(decode_path(path)).as_uri() for path in media["path"]],
            "offset": media["clip_start_s"].fillna(0.0),
            "seconds": media["duration_s"],
        }
    )


def _unaudited(tables: Tables) -> pd.DataFrame:
    media = tables.media
    rows = media[media["part"].isin(tables.checks) & ~media["status"].isin(AUDITED)]
    splits = tables.items.set_index("item_id")["split"]
    return pd.DataFrame(
        {
            "item": rows["item_id"].map(escape_invisible),
            "split": rows["item_id"].map(splits).map(escape_invisible),
            "part": rows["part"],
            "status": rows["status"],
            "reason": rows["error"].fillna("").map(escape_invisible),
        }
    ).sort_values("status", kind="stable")


def _columns(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the columns as lists of Python values, null where a value is missing."""
    return {
        str(name): column.astype(object).where(column.notna(), None).tolist()
        for name, column in frame.items()
    }
