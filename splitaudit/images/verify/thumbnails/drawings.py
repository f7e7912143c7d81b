"""Small pictures that are drawn: an accepted pair must differ in nothing that was drawn.

A hand of a clock is a dozen pixels of a picture of 32 x 32, and the fields of a flag are one large
pattern of light: what is told of photographs of that size tells them from nothing.
"""

from __future__ import annotations

import numpy as np

from splitaudit.images.decode.thumbnail import Pixels
from splitaudit.images.fingerprint.hash import inverse_variant, orient, orientation_matrix
from splitaudit.images.verify.drawings.drawn import LEAST_SHARE, common_share
from splitaudit.images.verify.drawings.overlay import enlarge
from splitaudit.images.verify.drawings.verdict import confirms
from splitaudit.images.verify.thumbnails.changes import Wide

# Pixels of a side at least, at which they are compared: of a picture of 32 a window is as large as
# a stroke then.
SIDE = 96


def are_small_drawings(a: Pixels, b: Pixels) -> bool:
    """Return whether both pictures have few colours.

    Where a picture is small, a larger share of it is edges, whose colours are mixed: so neither has
    to be a clear drawing, as one of two large ones has to be. Of 3,000 photographs of CIFAR-10, 5 %
    have so few colours, such as a ship before a plain sky.
    """
    return min(common_share(a), common_share(b)) >= LEAST_SHARE


def confirms_small(a: Pixels, b: Pixels, affine: Wide, variant: int, is_whole: bool) -> bool:
    """Return whether two small drawings are one.

    Parameters
    ----------
    a, b
        RGB, uint8, shape (n, n, 3).
    affine
        Where a point of a lies in b, see `registration`.
    variant
        How b was turned, see `hash.orient`. What is mirrored or turned has to show that it is, see
        `drawings.verdict.confirms`, which the smallest pictures cannot.
    is_whole
        Whether all of the one lies upon all of the other.
    """
    there = orient(b, inverse_variant(variant))
    to = orientation_matrix(variant) @ np.vstack([affine, [0.0, 0.0, 1.0]])
    return confirms(enlarge(a, SIDE), enlarge(there, SIDE), to, is_whole)
