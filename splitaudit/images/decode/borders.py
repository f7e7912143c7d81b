"""Where a picture lies within letterbox bars, a passe-partout or the frame of a screenshot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]

SAMPLES = 48  # pixels looked at along a line, at most
ROUNDS = 6  # bands within bands: a screenshot's bar, a frame, its mat
NOISE = 12  # <= grey levels that half of an outermost line may lie off its colour
TOLERANCE = 12  # > grey levels off the colour, and more where the band itself is noisy
RINGING = 16  # lines of a band that a picture beside it disturbs: a block of JPEG's colours
BLUR = 3  # lines over which an edge may be spread
STEEP = 1 / 3  # < of how far the picture lies off the colour: as far may the band, before the edge
QUIET = 1 / 4  # <= of what is off in the picture may be off in a band: text on a title bar
CROSSING = 4  # lines of a band through all of which goes what crosses its edge
PLAINLY = 1 / 2  # >= of how far the picture lies off the colour: as far does what crosses the edge
STRAIGHT = 3 / 4  # >= of how wide a picture is further in, it is at its edge; a round one is not
MIN_SHARE = 1 / 5  # >= of either side of a picture that is left; else nothing is taken away


def inner_box(pixels: Pixels) -> Box:
    """Return where the picture is, within bands of one colour or nearly one.

    A band ends at once and along its side: a sky above roofs and a white ground do not, unless
    what is seen before them has a straight edge. That cannot be told from a frame, so whoever
    trims a picture should look at the whole one too.

    Parameters
    ----------
    pixels
        uint8, shape (height, width) or (height, width, 3). Bands are at least a pixel wide.

    Returns
    -------
    tuple
        top, left, bottom, right: the picture is `pixels[top:bottom, left:right]`; the whole where
        it has no bands.
    """
    planes = np.ascontiguousarray(np.moveaxis(np.atleast_3d(pixels), 2, 0))
    height, width = pixels.shape[:2]
    box = (0, 0, height, width)
    for _ in range(ROUNDS):
        trimmed = _trim(planes, box)
        if trimmed == box:
            break
        box = trimmed
    top, left, bottom, right = box
    enough = bottom - top >= MIN_SHARE * height and right - left >= MIN_SHARE * width
    return box if enough else (0, 0, height, width)


def is_frame(luma: Pixels, box: Box) -> bool:
    """Return whether what lies around a box is no part of the picture.

    A frame ends at the picture, all along a straight edge, and so does a page. An object on plain
    ground is round, or reaches over what looked like an edge: there, the ground is a part of it.

    Parameters
    ----------
    luma
        Grey, uint8, shape (height, width).
    box
        As `inner_box` returns it.
    """
    top, left, bottom, right = box
    height, width = luma.shape
    turned = luma.T
    sides = (
        (luma[:, left:right], top, bottom),
        (luma[::-1, left:right], height - bottom, height - top),
        (turned[:, top:bottom], left, right),
        (turned[::-1, top:bottom], width - right, width - left),
    )
    return all(_is_straight(lines[:end], edge) for lines, edge, end in sides if edge)


def _is_straight(lines: Pixels, edge: int) -> bool:
    """Whether a picture begins at an edge all along, and nothing of it lies in the lines before."""
    last = max(1, edge - BLUR)
    before = lines[max(0, last - CROSSING) : last].astype(np.int16)
    colour = np.median(before)
    within = np.abs(lines[edge : edge + 2 * RINGING].astype(np.int16) - colour)
    off = within[within > TOLERANCE]
    if not off.size:
        return True
    wide = (within > TOLERANCE).mean(axis=1)
    if wide[BLUR : BLUR + CROSSING].mean() < STRAIGHT * wide.max():
        return False
    plainly = np.abs(before - colour) >= max(TOLERANCE, PLAINLY * float(np.median(off)))
    return not _goes_through(plainly[:, BLUR:-BLUR])


def _goes_through(marked: npt.NDArray[np.bool_]) -> bool:
    """Whether something is marked in all lines, each time within a pixel of the line before."""
    on = marked[0]
    for line in marked[1:]:
        grown = on.copy()
        grown[1:] |= on[:-1]
        grown[:-1] |= on[1:]
        on = line & grown
    return bool(on.any())


def _trim(planes: Pixels, box: Box) -> Box:
    """Take the outermost band away, of each side that has one."""
    top, left, bottom, right = box
    part = planes[:, top:bottom, left:right]
    turned = part.swapaxes(1, 2)
    sides = (part, part[:, ::-1], turned, turned[:, ::-1])
    above, below, before, behind = map(_band_width, sides)
    if above + below >= bottom - top or before + behind >= right - left:
        return box
    return top + above, left + before, bottom - below, right - behind


def _band_width(planes: Pixels) -> int:
    """Return how many of the first lines, shape (channels, lines, pixels), have one colour."""
    if min(planes.shape[1:]) < 2:
        return 0
    sampled = planes[:, :, :: -(-planes.shape[2] // SAMPLES)]
    colour = _upper_median(sampled[:, 0])
    noise = int(_upper_median(_colour_distance(sampled[:, :1], colour)[0]))
    if noise > NOISE:
        return 0
    away = _colour_distance(np.ascontiguousarray(sampled), colour)
    off = (away > max(TOLERANCE, 4 * noise)).mean(axis=1)
    return _find_edge(off, away.mean(axis=1))


def _upper_median(values: Pixels) -> Pixels:
    """Return the upper median; NumPy's own takes ten times as long for so few."""
    middle: Pixels = np.sort(values, axis=-1)[..., values.shape[-1] // 2]
    return middle


def _colour_distance(planes: Pixels, colour: Pixels) -> Pixels:
    """How far pixels lie off a colour, in the channel where they lie farthest."""
    against = colour[:, None, None]
    away: Pixels = (np.maximum(planes, against) - np.minimum(planes, against)).max(axis=0)
    return away


def _find_edge(off: npt.NDArray[np.float64], distance: npt.NDArray[np.float64]) -> int:
    """Return at which line a picture begins, 0 where what begins is no straight edge."""
    peak = off.max()
    if not peak:
        return 0  # nothing but the colour: what little is off is noise
    first = int(np.argmax(off >= peak / 2))
    if (off[: max(0, first - RINGING)] > QUIET * peak).any():
        return 0
    beyond = distance[first : first + 2 * RINGING]
    edge = first + int(np.argmax(beyond >= beyond.mean() / 2))
    return edge if distance[max(0, edge - BLUR)] < STEEP * beyond.mean() else 0
