"""Are two small pictures the same exposure? They are aligned, and the rest compared.

Two shots of one scene can be aligned as well, and their large shapes then agree. What
does not agree is the finest detail, and colour; so those are compared, and not the grey levels.
What agrees well enough in all may still differ at a few places, see `changes`.

The score is how certain it is that both are one exposure, times what is left of it where one of
them was cropped, mirrored or exposed anew: of two pairs that are as certain, the one to which less
was done ranks first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.engine.compiled import compiled
from splitaudit.images.decode.thumbnail import SIDE, Pixels, grey
from splitaudit.images.verify.thumbnails import changes, registration
from splitaudit.images.verify.thumbnails.description import describe_map, is_mirrored, rotation
from splitaudit.images.verify.thumbnails.registration import MIN_GAIN

NAME = "thumbnails-v5"
MIN_SCORE = 0.5  # <= of an accepted match
# <= of correlation at the best place, or no map is tried; copies have 0.6 and more
MIN_PLACE_CORRELATION = 0.5
RIVAL_SHARE = 0.9  # <= of the best place's: places from which a map is tried
KEEP = 2  # places of either kind
# <= of correlation at half the size, or no more is sought; copies have 0.85
MIN_HALF_CORRELATION = 0.8
AT_ONCE = 64  # pictures to which one is compared together
BLOCK = 2_048  # pictures made ready at once
SMOOTH, FINE, SURROUNDINGS, TINT = 0.7, 1.5, 2.5, 1.0  # pixels: deviations of Gaussians
NOISE = 1.0  # variance of fine detail and of colour that tells little; JPEG at 75 leaves up to 4
# Share of the certainty of detail that colour has where there is none. With all of it, detail
# counts twice, and one pair in five of handwritten digits is accepted; with none, one in thirteen
# of their copies and a fifth of photographs made grey are lost.
LENT = 0.2
CLOSEST = 0.005  # distance from 1 of a correlation, below which nothing is told any more
# Logistic regression on the halves that are not reported on: of CIFAR's test pictures, the 290 that
# rank first judged by eye (benchmarks/images/cifar.py), and of handwritten digits, which together
# weigh as much as 30 pictures (benchmarks/images/small.py). Weights of the certainty of detail and
# of colour, of the logarithms of what both have in common and of the spread, of being mirrored
# (half of the look-alikes are, and one copy in eight) and of each radian of rotation (what has
# little detail, an aeroplane in an empty sky, is aligned with its like only when turned; held,
# since hardly a copy in CIFAR is turned). `INTERCEPT` leaves it open.
DETAIL, COLOUR, COMMON, SPREAD = 3.45, 2.25, 5.2, 1.1
MIRRORED, ROTATED, INTERCEPT = -1.05, -11.0, 14.3
# The same, of the 188 copies among them, for being on the published list of near-duplicates: what
# people call one is framed and exposed alike. Weights of the logarithm of what both have in common,
# of being mirrored, and of the logarithm of the gain; `LIKENESS_INTERCEPT` is the evidence of an
# equal picture.
FRAMED, FLIPPED, EXPOSED, LIKENESS_INTERCEPT = 10.5, -4.3, -5.5, 2.35
MIN_LIKENESS = 0.55  # of the certainty, however much was done to a picture; it must be 0.91 then
Grey = npt.NDArray[np.float32]
Wide = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Thumbnails:
    """Pictures made ready to be compared.

    Parameters
    ----------
    smooth, half
        Grey levels, shapes (n, `SIDE`, `SIDE`) and, at half the size, (n, `SIDE` / 2, `SIDE` / 2).
    edges
        Grey levels at half the size less their surroundings.
    planes
        Shape (n, `SIDE`, `SIDE`, 3): fine detail, blue and red against grey.
    spread
        Shape (n,): over how many pixels the energy of the fine detail is spread. The outlines of
        two aeroplanes in an empty sky agree more easily than two meadows.
    """

    smooth: Grey
    half: Grey
    edges: Grey
    planes: Grey
    spread: Grey


@dataclass(frozen=True)
class Proofs:
    """What comparisons of m pairs found.

    Parameters
    ----------
    score
        Shape (m,), in [0, 1]: how certain it is that both are one exposure; at least
        `MIN_LIKENESS` of
        that where much was done to one of them, all of it where nothing was.
    affine
        Shape (m, 2, 3): where a point of a lies in b, see `verify.registration`.
    gain, bias
        Grey level of a = gain * grey level of b + bias.
    coverage_a, coverage_b
        Share of each picture that the other shows.
    """

    score: Wide
    affine: Wide
    gain: Wide
    bias: Wide
    coverage_a: Wide
    coverage_b: Wide

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """Whether score >= `MIN_SCORE`."""
        return self.score >= MIN_SCORE

    def turned(self) -> Proofs:
        """Return the same proofs with their sides exchanged."""
        placed = self.affine.any(axis=(1, 2))
        linear, shift = self.affine[placed, :, :2], self.affine[placed, :, 2:]
        back = np.linalg.inv(linear)
        affine = np.zeros_like(self.affine)
        affine[placed] = np.concatenate([back, -back @ shift], axis=2)
        gain = np.where(self.gain > 0, self.gain, 1.0)
        return Proofs(
            self.score, affine, 1 / gain, -self.bias / gain, self.coverage_b, self.coverage_a
        )

    def transforms(self) -> list[str]:
        """Return in words how b differs from a; "" where it hardly does, or score is 0."""
        light = zip(self.gain.tolist(), self.bias.tolist(), strict=True)
        return [describe_map(affine, *of) for affine, of in zip(self.affine, light, strict=True)]


def prepare(pictures: Pixels) -> Thumbnails:
    """Make pictures ready to be compared.

    Parameters
    ----------
    pictures
        uint8, shape (n, `SIDE`, `SIDE`, 3), see `splitaudit.images.decode.thumbnail`.
    """
    n, half = len(pictures), SIDE // 2
    stack = Thumbnails(
        smooth=np.empty((n, SIDE, SIDE), np.float32),
        half=np.empty((n, half, half), np.float32),
        edges=np.empty((n, half, half), np.float32),
        planes=np.empty((n, SIDE, SIDE, 3), np.float32),
        spread=np.empty(n, np.float32),
    )
    for begin in range(0, n, BLOCK):
        _fill_stack(pictures[begin : begin + BLOCK], slice(begin, begin + BLOCK), stack)
    return stack


def _fill_stack(pictures: Pixels, some: slice, stack: Thumbnails) -> None:
    """Enter pictures into a stack; a block at a time, since what lies between is larger."""
    levels = grey(pictures)
    smooth, halved = _blur(levels, SMOOTH), _halve(levels)
    detail = smooth - _blur(levels, FINE)
    stack.smooth[some], stack.half[some] = smooth, _blur(_halve(smooth), 0.5)
    stack.edges[some] = halved - _blur(halved, SURROUNDINGS)
    stack.planes[some, :, :, 0] = detail
    for plane, channel in ((1, 2), (2, 0)):
        stack.planes[some, :, :, plane] = _blur(pictures[..., channel] - levels, TINT)
    stack.spread[some] = _participation_ratio(detail)


def _participation_ratio(detail: Grey) -> Grey:
    """Participation ratio of the energy of each picture, 1 to `SIDE` squared."""
    energy = np.square(detail).reshape(-1, SIDE * SIDE)
    squared, fourth = energy.sum(axis=1) ** 2, np.square(energy).sum(axis=1)
    return np.asarray(np.maximum(1, squared / np.maximum(fourth, 1e-9)), np.float32)


def _blur(pictures: Any, deviation: float) -> Grey:
    import scipy.ndimage

    blurred = scipy.ndimage.gaussian_filter(pictures, deviation, mode="nearest", axes=(1, 2))
    return np.asarray(blurred, np.float32)


def _halve(pictures: Grey) -> Grey:
    n = SIDE // 2
    return np.asarray(pictures.reshape(-1, n, 2, n, 2).mean(axis=(2, 4)), np.float32)


def compare(pictures: Thumbnails, pairs: npt.NDArray[np.int64]) -> Proofs:
    """Compare pairs of pictures; one thread, which lets others run.

    Fastest where the pairs of an a stand together, as a search returns them.

    Parameters
    ----------
    pictures
        Of which `pairs` are.
    pairs
        Shape (m, 2): positions of a and b.
    """
    stack = pictures.edges, pictures.half, pictures.smooth, pictures.planes
    found, affine = _compare_stack(
        np.ascontiguousarray(pairs, np.int64), stack, registration.grid()
    )
    spread = pictures.spread[pairs].min(axis=1)
    score = np.where(
        found[:, 2] > 0,
        _same_exposure_probability(found, affine, spread) * _likeness(found, affine),
        0.0,
    )
    return Proofs(score, affine, *found.T[2:])


def look_closer(a: Pixels, b: Pixels, affine: Wide) -> tuple[float, Wide]:
    """Return what is left of the score of an accepted pair at a finer size, and a better map.

    Parameters
    ----------
    a, b
        uint8, shape (n, n, 3), of a size that both have.
    affine
        The map that was found.
    """
    smooth, refined = _blur(grey(np.stack([a, b])), SMOOTH), affine.copy()
    if registration.refine(*smooth, refined)[0] <= 0:
        refined = affine
    return changes.measure_finer(a, b, refined).left, refined


def _same_exposure_probability(found: Wide, affine: Wide, spread: Grey) -> Wide:
    """How certain it is that two pictures are one exposure."""
    detail, colour = found.T[:2]
    agree = DETAIL * _certainty(detail) + COLOUR * _certainty(colour)
    change = MIRRORED * is_mirrored(affine) + ROTATED * np.abs(rotation(affine))
    evidence = agree + COMMON * _log_coverage(found) + SPREAD * np.log(spread) + change
    return 1 / (1 + np.exp(INTERCEPT - evidence))


def _likeness(found: Wide, affine: Wide) -> Wide:
    """Share of the certainty, `MIN_LIKENESS` to 1: 1 where both are framed and exposed alike."""
    exposed = EXPOSED * np.abs(np.log(np.maximum(found[:, 2], MIN_GAIN)))
    evidence = FRAMED * _log_coverage(found) + FLIPPED * is_mirrored(affine) + exposed
    likeness = (1 + np.exp(-LIKENESS_INTERCEPT)) / (1 + np.exp(-LIKENESS_INTERCEPT - evidence))
    return np.asarray(MIN_LIKENESS + (1 - MIN_LIKENESS) * likeness)


def _log_coverage(found: Wide) -> Wide:
    """Logarithm of the product of both coverages, at most 0."""
    return np.asarray(np.log(np.maximum(found[:, 4] * found[:, 5], 1e-3)))


def _certainty(correlation: Wide) -> Wide:
    return np.asarray(-np.log(np.clip(1 - correlation, CLOSEST, 1)))


@compiled
def _compare_stack(pairs: Any, stack: Any, grid: Any) -> tuple[Any, Any]:
    """Rows (detail, colour, gain, bias, coverage of a, of b), 0 where nothing was found; maps."""
    found, maps = np.zeros((len(pairs), 6)), np.zeros((len(pairs), 2, 3))
    begin = 0
    while begin < len(pairs):
        a, end = pairs[begin, 0], begin + 1
        while end < min(len(pairs), begin + AT_ONCE) and pairs[end, 0] == a:
            end += 1
        values, places = registration.places(stack[0][a], stack[0][pairs[begin:end, 1]], KEEP, grid)
        for row in range(begin, end):
            best = values[row - begin], places[row - begin]
            _compare_pair(a, pairs[row, 1], stack, best, (found[row], maps[row]))
        begin = end
    return found, maps


@compiled
def _compare_pair(a: int, b: int, stack: Any, best: Any, out: Any) -> None:
    """Lay picture b over a, from its best places, and enter what is found."""
    _, half, smooth, planes = stack
    promise, affine = _best_map(half[a], half[b], best[0], best[1])
    if promise < MIN_HALF_CORRELATION:
        return
    correlation, gain, bias = registration.refine(smooth[a], smooth[b], affine)
    if correlation <= 0 or gain < MIN_GAIN:
        return
    detail, colour, shared = _agreement(planes[a], planes[b], affine)
    area = abs(affine[0, 0] * affine[1, 1] - affine[0, 1] * affine[1, 0])
    out[0][:] = np.array([detail, colour, gain, bias, shared, min(1.0, shared * area)])
    out[1][:] = affine


@compiled
def _best_map(a: Any, b: Any, values: Any, places: Any) -> tuple[float, Any]:
    """The map that aligns b with a best at half the size, of those tried from places."""
    best, at = -1.0, 0
    for k in range(len(values)):
        if values[k] >= max(MIN_PLACE_CORRELATION, RIVAL_SHARE * values.max()):
            correlation = registration.refine(a, b, places[k])[0]
            if correlation > best:
                best, at = correlation, k
    return best, places[at]


@compiled
def _agreement(a: Any, b: Any, affine: Any) -> tuple[float, float, float]:
    """Correlation of detail and of colour where a and b overlap, and the overlap's share of a."""
    n = len(a)
    sums = np.zeros((3, 5))
    pixels = 0
    for i in range(n):
        y = (2 * i + 1) / n - 1
        for j in range(n):
            x = (2 * j + 1) / n - 1
            u = (affine[0, 0] * x + affine[0, 1] * y + affine[0, 2] + 1) * n / 2 - 0.5
            v = (affine[1, 0] * x + affine[1, 1] * y + affine[1, 2] + 1) * n / 2 - 0.5
            if u >= -0.25 and v >= -0.25 and u <= n - 0.75 and v <= n - 0.75:
                pixels += 1
                _add(a[i, j], b, u, v, sums)
    detail, colour = _correlations(sums, max(pixels, 1))
    return detail, colour, pixels / (n * n)


@compiled
def _add(a: Any, b: Any, u: float, v: float, sums: Any) -> None:
    """Add a pixel of a, and b at (u, v), to the sums of each plane."""
    n = len(b)
    u, v = min(max(u, 0.0), n - 1.0), min(max(v, 0.0), n - 1.0)
    x, y = min(int(u), n - 2), min(int(v), n - 2)
    u, v = u - x, v - y
    for plane in range(3):
        above = (1 - u) * b[y, x, plane] + u * b[y, x + 1, plane]
        below = (1 - u) * b[y + 1, x, plane] + u * b[y + 1, x + 1, plane]
        p, q = a[plane], (1 - v) * above + v * below
        sums[plane, 0] += p
        sums[plane, 1] += q
        sums[plane, 2] += p * p
        sums[plane, 3] += q * q
        sums[plane, 4] += p * q


@compiled
def _correlations(sums: Any, pixels: int) -> tuple[float, float]:
    """Correlation of detail, and of both colours together.

    Where one picture has no colour, colour says nothing, and detail lends it little.
    """
    power_a = sums[:, 2] / pixels - (sums[:, 0] / pixels) ** 2
    power_b = sums[:, 3] / pixels - (sums[:, 1] / pixels) ** 2
    product = sums[:, 4] / pixels - sums[:, 0] * sums[:, 1] / pixels**2
    detail = product[0] / np.sqrt((power_a[0] + NOISE) * (power_b[0] + NOISE))
    both_a, both_b = power_a[1] + power_a[2], power_b[1] + power_b[2]
    colour = (product[1] + product[2]) / np.sqrt((both_a + NOISE) * (both_b + NOISE))
    told = min(both_a, both_b) / (min(both_a, both_b) + NOISE)
    lent = 1 - max(0.0, 1 - detail) ** LENT
    return detail, told * colour + (1 - told) * lent
