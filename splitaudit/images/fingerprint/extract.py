"""The reading of pictures as a function that a process can be handed: facts and fingerprints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from splitaudit import schema
from splitaudit.engine.contracts import Fingerprint, fingerprint_id
from splitaudit.engine.jobs import (
    File,
    decode_error,
    error_reason,
    write,
    write_crashed,
    write_each,
)
from splitaudit.engine.limits import time_limit
from splitaudit.errors import MediaError
from splitaudit.images.decode import pictures
from splitaudit.images.fingerprint import features
from splitaudit.images.fingerprint.contract import Codes, encode
from splitaudit.images.fingerprint.views import View, has_frame, picture_views

PIXELS_AT_ONCE = 1 << 23  # about: pictures with so many pixels are held and described together
LIMIT_S = 60.0  # for one picture, before a fingerprint counts as hanging; and for many this and
LIMIT_EACH_S = 1.0  # so much each

DECODING = "pixels-v2"  # how files become pixels: fingerprints of others are not those of these
PICTURES_KIND = "pictures/v2"  # kind of the facts that hold for all fingerprints
PICTURES = pa.schema(
    {
        "key": pa.string(),  # content_id
        "pixels_id": pa.string(),  # null where a smaller picture was read
        "width": pa.int32(),
        "height": pa.int32(),
        "status": pa.string(),
        "error": pa.string(),
        # Of the picture, then of what lies within its border if it has one:
        "boxes": pa.list_(pa.float32()),  # left, top, right, bottom; a picture is from -1 to 1
        "framed": pa.bool_(),  # whether the border is no part of the picture
        "thumbnail": pa.binary(),
    }
)
CODES = pa.schema(
    {
        "key": pa.string(),  # content_id
        "status": pa.string(),  # ok, degenerate, error; null of a picture that could not be read
        "error": pa.string(),
        "told": pa.list_(pa.bool_()),  # of each view, whether its code tells it from others
        "many": pa.int32(),  # numbers of all views together: words, features
        "codes": pa.large_binary(),  # of all views, one behind the other
    }
)
PIXELS = pa.schema({"key": pa.string(), "pixels_id": pa.string()})


def kind_of(fingerprint: Fingerprint) -> str:
    """Return where the facts of a fingerprint lie in the cache."""
    return f"fingerprints/{fingerprint_id(fingerprint)}-{DECODING}"


@dataclass
class _PictureRead:
    """A picture that was read: its facts, and what of it is fingerprinted (nothing, if unread)."""

    row: dict[str, Any]
    views: list[View] = field(default_factory=list)


def fingerprint(
    files: Sequence[File], folder: Path, *, of: Sequence[Fingerprint], kinds: Sequence[str]
) -> int:
    """Decode pictures once and write the facts that are missing.

    Parameters
    ----------
    files
        Pictures.
    folder
        The cache.
    of
        The fingerprints.
    kinds
        Which facts are missing, of `PICTURES_KIND` and those of the fingerprints.
    """
    missing = [each for each in of if kind_of(each) in kinds]
    rows: dict[str, list[dict[str, Any]]] = {kind: [] for kind in kinds}
    for some in _batches(files):
        if PICTURES_KIND in rows:
            rows[PICTURES_KIND] += [_picture_row(read) for read in some]
        for each in missing:
            rows[kind_of(each)] += _code_rows(each, some)
    keys = [file.content_id for file in files]
    for kind, found in rows.items():
        write(found, PICTURES if kind == PICTURES_KIND else CODES, keys, folder / kind)
    return len(files)


def _batches(files: Sequence[File]) -> Iterator[list[_PictureRead]]:
    """Pictures of about `PIXELS_AT_ONCE`, less those that were changed on the way."""
    some: list[_PictureRead] = []
    pixels = 0
    for file in files:
        read = _load_picture(file)
        if not file.changed:
            some.append(read)
            pixels += sum(view.luma.size for view in read.views)
        if pixels > PIXELS_AT_ONCE:
            yield some
            some, pixels = [], 0
    yield some


def _load_picture(file: File) -> _PictureRead:
    key = {"key": file.content_id}
    try:
        return _extract_views(key, pictures.load(file.path, short_side=features.SHORT))
    except MediaError as error:
        return _PictureRead({**key, "status": error.status, "error": error.reason})
    except ModuleNotFoundError as error:
        reason = f'{error.name} is missing: `pip install "splitaudit[images]"`'
        return _PictureRead({**key, "status": schema.UNSUPPORTED, "error": reason})
    except Exception as error:  # that is a row, not the end
        return _PictureRead({**key, **decode_error(error)})


def _extract_views(key: dict[str, Any], picture: pictures.Picture) -> _PictureRead:
    pixels, size = picture.pixels, (picture.height, picture.width)
    row = {
        **key,
        "pixels_id": picture.identity,
        "width": picture.width,
        "height": picture.height,
        "status": picture.status,
        "error": picture.error,
    }
    return _PictureRead(row, picture_views(pixels, features.luma(pixels), min(size)))


def _picture_row(read: _PictureRead) -> dict[str, Any]:
    if not read.views:
        return read.row
    return {
        **read.row,
        "boxes": [edge for view in read.views for edge in view.box],
        "framed": has_frame(read.views),
        "thumbnail": b"".join(view.thumbnail.tobytes() for view in read.views),
    }


def _code_rows(of: Any, some: Sequence[_PictureRead]) -> Iterator[dict[str, Any]]:
    """The facts of a fingerprint; where it fails of many pictures, each is asked by itself."""
    seen = [_select_views(of, read) for read in some]
    every = [view for own in seen for view in own]
    try:
        found = _encode_within_limit(of, every, LIMIT_S + LIMIT_EACH_S * len(every))
    except Exception:
        yield from (_encode_alone(of, read, own) for read, own in zip(some, seen, strict=True))
        return
    ends = np.cumsum([len(own) for own in seen])
    for read, own, end in zip(some, seen, ends, strict=True):
        at = slice(end - len(own), end)
        codes = Codes(found.values[at], found.degenerate[at])
        yield {"key": read.row["key"], **_code_columns(codes)}


def _select_views(of: Any, read: _PictureRead) -> list[View]:
    """What of a picture a fingerprint describes."""
    # What is too large to be searched by it is described: that says whether it is flat.
    if read.views and read.views[0].short_side < of.short_sides[0]:
        return []
    return read.views if of.inside_borders else read.views[:1]


def _encode_within_limit(of: Any, views: Sequence[View], seconds: float) -> Codes:
    if not views:
        return Codes([], np.zeros(0, bool))
    with time_limit(seconds):
        return encode(of, views, _load_fingerprint(of))


@lru_cache(maxsize=8)
def _load_fingerprint(of: Fingerprint) -> Callable[[Any], Any]:
    return of.load()


def _encode_alone(of: Any, read: _PictureRead, views: Sequence[View]) -> dict[str, Any]:
    try:
        return {"key": read.row["key"], **_code_columns(_encode_within_limit(of, views, LIMIT_S))}
    except Exception as error:  # of one picture: that is a row, not the end
        reason = f"the fingerprint {of.name} failed: {error_reason(error)}"
        return {"key": read.row["key"], "status": schema.ERROR, "error": reason}


def _code_columns(codes: Codes) -> dict[str, Any]:
    if not len(codes.values):
        return {}
    return {
        "status": schema.DEGENERATE if codes.degenerate.all() else schema.OK,
        "told": (~codes.degenerate).tolist(),
        "many": sum(value.size for value in codes.values),
        "codes": b"".join(value.tobytes() for value in codes.values),
    }


def lost_fingerprint(
    files: Sequence[File], folder: Path, *, of: Sequence[Fingerprint], kinds: Sequence[str]
) -> int:
    """Note that a process died of these files."""
    for kind in kinds:
        write_crashed(files, PICTURES if kind == PICTURES_KIND else CODES, folder / kind)
    return len(files)


def identify(files: Sequence[File], folder: Path) -> int:
    """Read pictures at their size to tell those with equal pixels."""
    return write_each(files, _identity, PIXELS, folder)


def _identity(file: File) -> dict[str, str]:
    try:
        picture = pictures.load(file.path)
    except Exception:  # read once at a smaller size, and then not any more
        return {}
    return {"pixels_id": picture.identity} if picture.identity else {}


def lost_identify(files: Sequence[File], folder: Path) -> int:
    """Note that the decoder died of these files at their size."""
    rows = [{"key": file.content_id} for file in files]
    return write(rows, PIXELS, [file.content_id for file in files], folder)
