"""Maps of one style from an atlas in TopoJSON: squares of the world that share no border."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

SIDE = 384  # pixels
MIN_CORNERS = 150  # of borders and shores on a map, or there is little to see
SEA = (181, 208, 224)
LANDS = ((242, 239, 233), (226, 214, 190), (205, 222, 196), (238, 217, 217), (217, 214, 238))

Line = npt.NDArray[np.float64]  # (points, 2), degrees


def draw_maps(path: Path) -> Iterator[tuple[str, Image.Image]]:
    """Yield the squares on which much is to be seen: of states 9 degrees wide, of counties 3."""
    atlas = json.loads(path.read_text(encoding="utf-8"))
    arcs = _read_arcs(atlas)
    of = max(atlas["objects"].values(), key=lambda one: len(one["geometries"]))
    lands = [
        (at % len(LANDS), ring)
        for at, shape in enumerate(of["geometries"])
        for ring in _read_rings(shape, arcs)
    ]
    step = 3 if "counties" in path.name else 9
    corners = np.concatenate([ring for _, ring in lands])
    squares, counts = np.unique(np.floor(corners / step), axis=0, return_counts=True)
    for x, y in squares[counts >= MIN_CORNERS].tolist():
        if abs(y * step) < 72:
            yield f"{x * step:+04.0f}{y * step:+03.0f}", _draw(lands, x * step, y * step, step)


def _read_arcs(atlas: Any) -> list[Line]:
    scale, move = (np.array(atlas["transform"][name]) for name in ("scale", "translate"))
    return [np.cumsum(arc, axis=0) * scale + move for arc in atlas["arcs"]]


def _read_rings(shape: Any, arcs: Sequence[Line]) -> Iterator[Line]:
    """Yield the outer rings of a country."""
    polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape.get("arcs", [])
    for polygon in polygons:
        parts = [arcs[at] if at >= 0 else arcs[~at][::-1] for at in polygon[0]]
        yield np.concatenate(parts)


def _draw(lands: Sequence[tuple[int, Line]], west: float, south: float, step: float) -> Image.Image:
    picture = Image.new("RGB", (SIDE, SIDE), SEA)
    pen = ImageDraw.Draw(picture)
    for colour, ring in lands:
        low, high = ring.min(axis=0), ring.max(axis=0)
        if (high < (west, south)).any() or (low > (west + step, south + step)).any():
            continue
        x, y = ((ring - (west, south)) / step * SIDE).T
        pen.polygon([*zip(x, SIDE - y, strict=True)], fill=LANDS[colour], outline=(150, 110, 130))
    return picture
