"""Whether two photographs that are aligned have the same colours, and what it takes if not.

The evidence is taken from grey levels. Where a picture has much detail, these prove it in any
colours. Bands of three colours in one glossy frame agree in all their edges, whatever the colours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from splitaudit.images.verify.photographs.overlay import Map

GRID = 16  # cells to each side, of which mean colours are compared
MAX_CHROMA = 28.0  # > levels of chroma: another colour
MAX_RECOLOURED = 0.2  # > of the cells that both show
# >= local features of both: of photographs nearly all have 300 at most sizes, of glossy flags 100
MIN_FEATURES = 200

Colours = npt.NDArray[np.float32]


def mean_chroma(pixels: npt.NDArray[np.uint8]) -> Colours:
    """Return the mean chromas (Cr, Cb) of the cells of a picture, shape (GRID, GRID, 2)."""
    import cv2

    cells = cv2.resize(pixels, (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(cells, cv2.COLOR_RGB2YCrCb)[..., 1:], np.float32)


def are_recoloured(a: Colours, b: Colours, homography: Map) -> bool:
    """Return whether two pictures have other colours where both are seen.

    Parameters
    ----------
    a, b
        What `mean_chroma` returns.
    homography
        Where a lies in b; both reach from -1 to 1.
    """
    middles = (2 * np.arange(GRID) + 1) / GRID - 1
    x, y = (axis.ravel() for axis in np.meshgrid(middles, middles))
    u, v, w = homography @ np.stack([x, y, np.ones_like(x)])
    with np.errstate(divide="ignore", invalid="ignore"):
        places = np.stack([v / w, u / w])
    inside = (w > 0) & (np.abs(places) < 1).all(axis=0)
    if not inside.any():
        return False
    row, column = ((places[:, inside] + 1) * GRID / 2).astype(np.int64)
    away = np.abs(a.reshape(-1, 2)[inside] - b[row, column]).max(axis=1)
    return float((away > MAX_CHROMA).mean()) > MAX_RECOLOURED
