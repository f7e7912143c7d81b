"""The hashes of the imagehash library, such as `imagehash.phash`; its own, as it computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from splitaudit.images.fingerprint.contract import HAMMING, PictureFingerprint
from splitaudit.images.fingerprint.views import View

FUNCTIONS = {
    "phash": "phash",
    "ahash": "average_hash",
    "dhash": "dhash",
    "whash": "whash",
    "colorhash": "colorhash",
}


@dataclass(frozen=True)
class LibraryHash(PictureFingerprint):
    """The fingerprint.

    Parameters
    ----------
    function
        Of `FUNCTIONS`.
    """

    name: ClassVar[str] = "imagehash"
    metric: ClassVar[str] = HAMMING
    radius: ClassVar[float] = 8

    function: str = "phash"

    def __post_init__(self) -> None:
        if self.function not in FUNCTIONS:
            raise ValueError(f"imagehash has {', '.join(FUNCTIONS)}")

    def load(self, device: str = "cpu") -> Callable[[Sequence[View]], Any]:
        """Return what hashes views."""
        import imagehash

        return lambda views: _hashes(getattr(imagehash, FUNCTIONS[self.function]), views)


def _hashes(function: Callable[..., Any], views: Sequence[View]) -> Any:
    from PIL import Image

    return np.array([function(Image.fromarray(view.pixels)).hash.ravel() for view in views])


FINGERPRINT = LibraryHash
