"""The fingerprinting of pictures as a function that a process can be handed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from splitaudit import schema
from splitaudit.engine.jobs import File, failed, read_each, write, write_crashed, write_each
from splitaudit.errors import MediaError
from splitaudit.images.decode import pictures
from splitaudit.images.decode.pictures import Picture
from splitaudit.images.fingerprint import features
from splitaudit.images.fingerprint.feature_sets import Features
from splitaudit.images.fingerprint.views import View, fingerprinted, views

SMALL = 96  # pixels of the shorter side, <=: told by its gradients, not by local features
FLAT = "a flat picture: nothing in it to compare"
FEATURES = ("points", "scale", "angle", "descriptors")
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
        "codes": pa.list_(pa.uint64()),  # in each orientation, then of the negatives
        "told": pa.list_(pa.bool_()),  # whether the codes tell the picture from others
        "thumbnail": pa.binary(),
        "gradients": pa.binary(),
        # Local features: points, scale, angle (float32), descriptors (uint64); null of small ones.
        **{name: pa.binary() for name in FEATURES},
    }
)

PIXELS = pa.schema({"key": pa.string(), "pixels_id": pa.string()})


def fingerprint(files: Sequence[File], folder: Path) -> int:
    """Decode pictures and take their fingerprints, the hashes of all together."""
    rows = read_each(files, _picture)
    read = [row for row in rows if "views" in row]
    seen: list[list[View]] = [row.pop("views") for row in read]
    for row, prints in zip(read, fingerprinted(seen), strict=True):
        flat = prints.pop("flat")
        row |= prints
        if flat and row["status"] == schema.OK:
            row |= {"status": schema.DEGENERATE, "error": FLAT}
    return write(rows, PICTURES, [file.content_id for file in files], folder)


def _picture(file: File) -> dict[str, Any]:
    try:
        return _read(pictures.load(file.path, short_side=features.SHORT))
    except MediaError as error:
        return {"status": error.status, "error": error.reason}
    except ModuleNotFoundError as error:
        reason = f'{error.name} is missing: `pip install "splitaudit[images]"`'
        return {"status": schema.UNSUPPORTED, "error": reason}
    except Exception as error:  # that is a row, not the end
        return failed(error)


def _read(picture: Picture) -> dict[str, Any]:
    pixels = picture.pixels
    whole = pixels.shape[:2] == (picture.height, picture.width)
    luma = features.luma(pixels)
    return {
        "pixels_id": pictures.pixels_id(pixels) if whole else None,
        "width": picture.width,
        "height": picture.height,
        "status": picture.status,
        "error": picture.error,
        "views": views(pixels, luma),
        **_features(luma, min(picture.width, picture.height)),
    }


def _features(luma: npt.NDArray[np.uint8], short: int) -> dict[str, bytes]:
    if short <= SMALL:
        return {}
    found = features.fingerprint(luma)
    return {name: getattr(found, name).tobytes() for name in FEATURES}


def features_of(row: dict[str, bytes]) -> Features:
    """Return local features as they were before they became a row."""
    return Features(
        np.frombuffer(row["points"], np.float32).reshape(-1, 2),
        np.frombuffer(row["scale"], np.float32),
        np.frombuffer(row["angle"], np.float32),
        np.frombuffer(row["descriptors"], np.uint64).reshape(-1, 4),
    )


def lost_fingerprint(files: Sequence[File], folder: Path) -> int:
    """Note that the decoder died of these files."""
    return write_crashed(files, PICTURES, folder)


def identify(files: Sequence[File], folder: Path) -> int:
    """Read pictures at their size to tell those with equal pixels."""
    return write_each(files, _identity, PIXELS, folder)


def _identity(file: File) -> dict[str, str]:
    try:
        picture = pictures.load(file.path)
    except Exception:  # read once at a smaller size, and then not any more
        return {}
    return {"pixels_id": pictures.pixels_id(picture.pixels)} if picture.status == schema.OK else {}


def lost_identify(files: Sequence[File], folder: Path) -> int:
    """Note that the decoder died of these files at their size."""
    rows = [{"key": file.content_id} for file in files]
    return write(rows, PIXELS, [file.content_id for file in files], folder)
