"""Pairs of small pictures to look at: a, b laid over a, b."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage

COLUMNS, ZOOM, TEXT = 6, 3, 13
PAIRS, CELL = 3, 220  # pairs of files in a row, and pixels for one


@dataclass(frozen=True)
class Row:
    """A pair: pictures of shape (n, n, 3), the map from the first to the second, and a label."""

    a: npt.NDArray[np.uint8]
    b: npt.NDArray[np.uint8]
    affine: npt.NDArray[np.float64]
    label: str


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the pairs as a picture."""
    from PIL import Image, ImageDraw

    wide = ZOOM * (len(rows[0].a) if rows else 1)
    width, height = 3 * wide + 6, wide + TEXT
    sheet = Image.new("RGB", (COLUMNS * width, -(-len(rows) // COLUMNS) * height), "white")
    pen = ImageDraw.Draw(sheet)
    for at, row in enumerate(rows):
        x, y = at % COLUMNS * width, at // COLUMNS * height
        for place, picture in enumerate((row.a, lay_over(row.b, row.affine), row.b)):
            large = Image.fromarray(picture).resize((wide, wide), Image.Resampling.BICUBIC)
            sheet.paste(large, (x + place * wide, y))
        pen.text((x + 2, y + wide), row.label, fill="black")
    sheet.save(path)


def draw_pairs(sides: Sequence[tuple[Any, ...]], labels: Sequence[str], path: Path) -> None:
    """Write pairs of pictures of any size side by side, each made small."""
    from PIL import Image, ImageDraw

    wide, high = 2 * CELL + 10, CELL + TEXT
    sheet = Image.new("RGB", (PAIRS * wide, -(-len(sides) // PAIRS) * high), (200, 220, 235))
    pen = ImageDraw.Draw(sheet)
    for at, (pair, label) in enumerate(zip(sides, labels, strict=True)):
        x, y = at % PAIRS * wide, at // PAIRS * high
        for place, picture in enumerate(pair):
            small = picture.copy()
            small.thumbnail((CELL, CELL))
            sheet.paste(small, (x + place * (CELL + 2), y))
        pen.text((x + 2, y + CELL), label[:75], fill="black")
    sheet.save(path)


def lay_over(picture: npt.NDArray[np.uint8], affine: Any) -> npt.NDArray[np.uint8]:
    """Return b as it lies over a; black where it does not reach."""
    n = len(picture)
    x, y = np.meshgrid(*2 * [(2 * np.arange(n) + 1) / n - 1])
    u, v = (((m[0] * x + m[1] * y + m[2] + 1) * n - 1) / 2 for m in affine)
    layers = np.moveaxis(picture.astype(float), -1, 0)
    laid = [scipy.ndimage.map_coordinates(layer, [v, u], order=1) for layer in layers]
    return np.stack(laid, axis=-1).astype(np.uint8)
