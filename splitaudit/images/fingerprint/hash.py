"""The perceptual hash of pictures, in all orientations and as their negatives, from one transform.

The low frequencies of a small grey picture, each compared with their median (C. Zauner,
"Implementation and benchmarking of perceptual image hash functions", 2010). To mirror a picture is
to change the sign of its odd frequencies, to transpose it is to transpose them, and to turn it is
both; so what is the same picture in another orientation is found without transforming it again.
Given the same small picture, the code is that of `imagehash.phash`, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from splitaudit.images.decode.resampling import lanczos
from splitaudit.images.fingerprint.contract import HAMMING, Codes, PictureFingerprint
from splitaudit.images.fingerprint.views import View

Pictures = npt.NDArray[np.uint8]
Coefficients = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

# What was done to a picture: transposed (at its main diagonal) or not, then flipped upside down or
# not, then mirrored left to right or not. Turns are counter-clockwise, as those of `numpy.rot90`.
ORIENTATIONS = (
    "upright",
    "mirror",
    "flip",
    "rot180",
    "transpose",
    "rot270",
    "rot90",
    "transverse",
)
NEGATIVE = len(ORIENTATIONS)  # where the negatives of all orientations begin
HIGHFREQ_FACTOR = 4  # side of the small picture, over that of the hash (`highfreq_factor`)
WHITE = 255
FLAT = 1.0  # < in `quality`: rounding off the pixels then decides bits


@dataclass(frozen=True)
class ImageHash(PictureFingerprint):
    """The fingerprint, in every orientation and as the negative.

    Parameters
    ----------
    size
        Frequencies to each side: 8 for 64 bits, 16 for 256.
    """

    name: ClassVar[str] = "hash"
    version: ClassVar[int] = 2  # of what lies within borders, too
    metric: ClassVar[str] = HAMMING
    variants: ClassVar[int] = 2 * len(ORIENTATIONS)

    size: int = 8

    @property
    def radius(self) -> float:  # type: ignore[override]
        """Of 64 bits 8 (<=), of others the same share."""
        return self.size * self.size / 8

    @property
    def side(self) -> int:
        """Of the small pictures."""
        return self.size * HIGHFREQ_FACTOR

    def load(self, device: str = "cpu") -> Callable[[Sequence[View]], Codes]:
        """Return what hashes views."""
        return self._of_views

    def _of_views(self, views: Sequence[View]) -> Codes:
        small = np.array([downscale(view.luma, self.side) for view in views], np.uint8)
        hashes = self.fingerprint(small.reshape(-1, self.side, self.side))
        return Codes(hashes.codes, hashes.degenerate)

    def fingerprint(self, pictures: Pictures) -> Hashes:
        """Return the hashes of small grey pictures, shape (n, `side`, `side`)."""
        low = frequencies(pictures, self.size)
        return Hashes(codes(low, self.side), quality(low, self.side))


@dataclass(frozen=True)
class Hashes:
    """The hashes of some pictures.

    Parameters
    ----------
    codes
        uint64, shape (n, 16, words): in each of `ORIENTATIONS`, then of the negative in each.
    quality
        float32, shape (n,): how far the frequencies lie from their median, see `quality`.
    """

    codes: Words
    quality: npt.NDArray[np.float32]

    @property
    def degenerate(self) -> npt.NDArray[np.bool_]:
        """Which pictures have too little in them to be told by their hash."""
        return self.quality < FLAT


def orient(picture: Pictures, variant: int) -> Pictures:
    """Return a picture as the code of that place in `Hashes.codes` sees it.

    Parameters
    ----------
    picture
        Shape (height, width) or (height, width, channels).
    variant
        Of `ORIENTATIONS`, from `NEGATIVE` on of the negative.
    """
    turned = picture.swapaxes(0, 1) if variant & 4 else picture
    flipped = turned[::-1] if variant & 2 else turned
    mirrored = flipped[:, ::-1] if variant & 1 else flipped
    return WHITE - mirrored if variant >= NEGATIVE else mirrored


def orientation_matrix(variant: int) -> Coefficients:
    """Return where a point that `orient` shows lies in the picture, shape (3, 3).

    Points are (x, y, 1), with the edges of a picture at -1 and 1.
    """
    signs = np.diag([-1.0 if variant & 1 else 1.0, -1.0 if variant & 2 else 1.0, 1.0])
    return signs[[1, 0, 2]] if variant & 4 else signs


def inverse_variant(variant: int) -> int:
    """Return the variant that undoes another: all undo themselves but the quarter turns."""
    quarter = ORIENTATIONS.index("rot90"), ORIENTATIONS.index("rot270")
    at = variant % NEGATIVE
    return variant - at + (sum(quarter) - at if at in quarter else at)


def downscale(picture: Pictures, side: int) -> Pictures:
    """Return a grey picture, shape (height, width), at (side, side), as imagehash makes it."""
    from PIL import Image

    height, width = picture.shape
    if height <= width:
        return lanczos(picture, side)
    # From version 13 on, Pillow shrinks some upright formats the other way first.
    small = Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(small)


def frequencies(pictures: Pictures, size: int) -> Coefficients:
    """Return the lowest `size` x `size` frequencies (DCT-II) of pictures, shape (n, side, side)."""
    import scipy.fft

    # In this order, and in full, so that each number is rounded as imagehash rounds it.
    down = scipy.fft.dct(pictures.astype(np.float64), axis=1)[:, :size]
    low: Coefficients = scipy.fft.dct(down, axis=2)[:, :, :size]
    return low


def codes(low: Coefficients, side: int) -> Words:
    """Return the codes of pictures as they would be in each orientation, and of the negatives.

    Parameters
    ----------
    low
        What `frequencies` returns of pictures of that `side`, shape (n, size, size).
    """
    positive = list(_orient_coefficients(low))
    odd = -low
    # A negative is white less the picture; white has no frequency but the lowest.
    odd[:, 0, 0] += 4 * side * side * WHITE
    return np.stack([_threshold_bits(c) for c in (*positive, *_orient_coefficients(odd))], axis=1)


def _orient_coefficients(low: Coefficients) -> Iterator[Coefficients]:
    signs = (-1.0) ** np.arange(low.shape[1])
    for turned in (low, low.transpose(0, 2, 1)):
        for flipped in (turned, turned * signs[:, None]):
            yield flipped
            yield flipped * signs


def _threshold_bits(low: Coefficients) -> Words:
    """Bits by rows, the first the highest, as imagehash writes them in hexadecimal digits."""
    flat = _flatten(low)
    bits = np.packbits(flat > _median(flat), axis=1)
    return bits.view(">u8").astype(np.uint64)


def quality(low: Coefficients, side: int) -> npt.NDArray[np.float32]:
    """Return how far a frequency typically lies from the median, by which its bit is decided.

    The median of the distances, in grey levels of an orthonormal transform: there what is rounded
    off the pixels has a deviation of 0.29, whatever the size. Where it is below 1, rounding alone
    changes about eight of 64 bits; photographs have 5 and more. Not only what is flat has little:
    most frequencies of a ramp, and half of those of a picture equal to its mirror image, are zero.
    Shape (n,).
    """
    flat = _flatten(low)
    away = _median(np.abs(flat - _median(flat)))
    return np.asarray(away[:, 0] / (2 * side), np.float32)


def _flatten(low: Coefficients) -> Coefficients:
    return low.reshape(len(low), low.shape[1] * low.shape[2])


def _median(flat: Coefficients) -> Coefficients:
    """Of rows of even length, shape (n, 1); to sort them is faster than NumPy's own."""
    middle = flat.shape[1] // 2
    ordered = np.sort(flat, axis=1)
    median: Coefficients = ordered[:, middle - 1 : middle + 1].mean(axis=1, keepdims=True)
    return median


FINGERPRINT = ImageHash
