"""What a fingerprint of pictures offers beside `splitaudit.engine.contracts.Fingerprint`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from splitaudit.images.fingerprint.views import View

HAMMING, COSINE, VOTES = METRICS = ("hamming", "cosine", "votes")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Codes:
    """The codes of some views.

    Parameters
    ----------
    values
        One array a view. `hamming`: booleans, or uint64 of shape (`variants`, words). `cosine`:
        numbers, or int8, unit vectors times `scale`. `votes`: features, as `features.FEATURE`.
    degenerate
        Of each view, whether there is too little in it to tell it from others.
    """

    values: Sequence[npt.NDArray[Any]] | npt.NDArray[Any]
    degenerate: Flags


class PictureFingerprint:
    """The usual properties of a fingerprint of pictures; to be inherited, or written anew.

    A subclass is a frozen dataclass with `name`, `metric` and `load`.

    Attributes
    ----------
    radius
        Pairs are proposed whose codes are as near (<=): in bits, or 1 less the cosine.
    variants
        Codes of a view: 1, or more where it is known in other orientations, too.
    scale
        Length of a vector as it is stored.
    short_sides
        Least and most pixels of the shorter side of pictures that are searched by it.
    inside_borders
        Whether what lies within a border is a view of its own.
    """

    version: ClassVar[int] = 1
    modality: ClassVar[str] = "image"
    radius: ClassVar[float] = 8
    variants: ClassVar[int] = 1
    scale: ClassVar[int] = 127
    short_sides: ClassVar[tuple[int, int]] = (1, sys.maxsize)
    inside_borders: ClassVar[bool] = True

    def load(self, device: str = "cpu") -> Callable[[Sequence[View]], Any]:
        """Return what turns views into `Codes`, or into one array of shape (views, ...)."""
        raise NotImplementedError

    def queries(self, vectors: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Return vectors as they are looked up, shape (looks, sides, n, d); first as they are."""
        return vectors[None, None]


def encode(fingerprint: Any, views: Sequence[View], load: Callable[[Sequence[View]], Any]) -> Codes:
    """Return the codes of views in the form in which they are kept.

    Raises
    ------
    TypeError, ValueError
        Where the fingerprint returns something else than it should, in words.
    """
    made = load(views)
    if not isinstance(made, Codes):
        made = Codes(made, np.array([_is_flat(view) for view in views], bool))
    if len(made.values) != len(views) or len(made.degenerate) != len(views):
        raise ValueError(f"{len(made.values)} codes for {len(views)} pictures")
    form = _FORMS[fingerprint.metric]
    return Codes([form(fingerprint, np.asarray(value)) for value in made.values], made.degenerate)


def _is_flat(view: View) -> bool:
    """Whether a view shows nothing: for fingerprints that do not say so themselves."""
    return bool(view.thumbnail.std(axis=(0, 1)).max() < 1)


def _bits(fingerprint: Any, value: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    """Words of 64 bits, shape (`variants`, words)."""
    if value.dtype == np.bool_ and value.size:
        bits = np.packbits(value.reshape(fingerprint.variants, -1), axis=1)
        whole = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8)))
        return whole.view(">u8").astype(np.uint64)
    if value.dtype == np.uint64 and value.size:
        return value.reshape(fingerprint.variants, -1)
    raise TypeError(f"codes of bits are booleans or uint64, not {value.dtype} {value.shape}")


def _vector(fingerprint: Any, value: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """A unit vector times `scale`, in whole numbers; zero where there is none."""
    if value.dtype == np.int8 and value.ndim == 1:
        return value
    if value.ndim != 1 or not value.size or not np.issubdtype(value.dtype, np.floating):
        raise TypeError(f"a vector is one row of floats, not {value.dtype} {value.shape}")
    if not np.isfinite(value).all():
        raise ValueError("a vector holds NaN or infinity")
    unit = value / max(float(np.linalg.norm(value)), 1e-12)
    return np.asarray(np.rint(unit * fingerprint.scale), np.int8)


def _keep_features(fingerprint: Any, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return value


_FORMS: dict[str, Callable[[Any, npt.NDArray[Any]], npt.NDArray[Any]]] = {
    HAMMING: _bits,
    COSINE: _vector,
    VOTES: _keep_features,
}
