"""Fingerprints of a third party of which each is wrong in one way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from splitaudit.images.fingerprint.contract import PictureFingerprint
from splitaudit.images.fingerprint.views import View

GREEN = (0, 255, 0)  # a picture that begins with this pixel is one that some of them fail of


@dataclass(frozen=True)
class Coarse(PictureFingerprint):
    """Nothing is wrong with this one: 64 bits of a thumbnail."""

    name: ClassVar[str] = "odd"
    metric: ClassVar[str] = "hamming"

    def load(self, device: str = "cpu") -> Callable[[Sequence[View]], Any]:
        return lambda views: [self.code(view) for view in views]

    def code(self, view: View) -> Any:
        return view.thumbnail[::4, ::4, 0] > np.median(view.thumbnail[::4, ::4, 0])


class Raises(Coarse):
    def code(self, view: View) -> Any:
        raise ValueError("no\nway")


class Text(Coarse):
    def code(self, view: View) -> Any:
        return ["a"] * 8


class Empty(Coarse):
    def code(self, view: View) -> Any:
        return np.zeros(0, bool)


class Lengths(Coarse):
    def code(self, view: View) -> Any:
        return np.ones(view.short_side, bool)


class One(Coarse):
    def load(self, device: str = "cpu") -> Callable[[Sequence[View]], Any]:
        return lambda views: np.ones((1, 64), bool)


class Another(Coarse):
    def code(self, view: View) -> Any:
        return np.random.default_rng().random(64) > 0.5


class Hangs(Coarse):
    def code(self, view: View) -> Any:
        time.sleep(60)


class Euclid(Coarse):
    metric: ClassVar[str] = "euclid"


class Nan(Coarse):
    metric: ClassVar[str] = "cosine"

    def code(self, view: View) -> Any:
        return np.full(8, np.nan)


class Sound(Coarse):
    modality: ClassVar[str] = "audio"


class Plain:
    modality: ClassVar[str] = "image"


class RaisesOfGreen(Coarse):
    def code(self, view: View) -> Any:
        if tuple(view.pixels[0, 0]) == GREEN:
            raise ValueError("too green")
        return super().code(view)


class HangsOfGreen(Coarse):
    def code(self, view: View) -> Any:
        if tuple(view.pixels[0, 0]) == GREEN:
            time.sleep(60)
        return super().code(view)


class LongOfGreen(Coarse):
    def code(self, view: View) -> Any:
        return np.ones(128, bool) if tuple(view.pixels[0, 0]) == GREEN else super().code(view)


@dataclass(frozen=True)
class Mean(Coarse):
    """Nothing is wrong with this one, either: a vector."""

    metric: ClassVar[str] = "cosine"
    radius: ClassVar[float] = 0.05

    def code(self, view: View) -> Any:
        return view.thumbnail[::4, ::4].ravel() - view.thumbnail.mean()
