"""A trial of a fingerprint that somebody else wrote, on a few pictures, before it is trusted."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import Any

import numpy as np

from splitaudit.engine.limits import time_limit
from splitaudit.images.decode.boxes import WHOLE
from splitaudit.images.fingerprint.contract import METRICS, VOTES, encode
from splitaudit.images.fingerprint.views import View

LIMIT_S = 60.0  # for all of the trial
NEEDED = ("name", "version", "metric", "radius", "variants", "short_sides", "inside_borders")


def find_fault(fingerprint: Any) -> str | None:
    """Return what is wrong with a fingerprint, as the end of a sentence that begins with it."""
    frozen = is_dataclass(fingerprint) and fingerprint.__hash__ is not None
    if not frozen:
        return "is no frozen dataclass"
    lacks = [name for name in NEEDED if not hasattr(fingerprint, name)]
    if lacks:
        return f"lacks {', '.join(lacks)}: inherit from PictureFingerprint"
    if fingerprint.metric not in METRICS or fingerprint.metric == VOTES:
        return f"has the metric {fingerprint.metric!r}, not hamming or cosine"
    try:
        with time_limit(LIMIT_S):
            return _find_inconsistency(fingerprint)
    except Exception as error:
        reason = str(error).replace("\n", " ")
        return f"failed on a picture of noise: {type(error).__name__}: {reason}"


def _find_inconsistency(fingerprint: Any) -> str | None:
    """Whether codes have several lengths, or are others when they are asked for again."""
    load = fingerprint.load()
    first, again = (encode(fingerprint, _noise_views(), load).values for _ in range(2))
    if len({value.shape for value in first}) > 1:
        return "gives codes of several lengths"
    if any((one != other).any() for one, other in zip(first, again, strict=True)):
        return "gives another code on the second call"
    return None


def _noise_views() -> list[View]:
    """Noise of three sizes, smooth enough to have a shape."""
    rng = np.random.default_rng(5)
    found = []
    for height, width in ((64, 64), (300, 400), (48, 32)):
        coarse = rng.integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
        pixels = coarse.repeat(8, axis=0).repeat(8, axis=1)[:height, :width]
        luma = np.rint(pixels.mean(axis=2)).astype(np.uint8)
        found.append(View(np.ascontiguousarray(pixels), luma, WHOLE, min(height, width)))
    return found
