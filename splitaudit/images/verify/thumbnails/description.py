"""What was done to a small picture, in words, from the map that lays another over it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MIN_SCALING = 0.03  # >: change of scale or proportions that is told
MIN_ROTATION = 2.0  # degrees, >: told
MIN_SHIFT = 0.03  # >: shift that is told, as a share of the side
MIN_CONTRAST = 0.1  # >: change of contrast that is told, as a share
MIN_BRIGHTNESS = 8.0  # >: change of brightness that is told, of 255

Wide = npt.NDArray[np.float64]


def describe_map(affine: Wide, gain: float, bias: float) -> str:
    """Return in words what was done to a to make b."""
    if not affine.any():
        return ""
    said = []
    if is_mirrored(affine):
        said.append("mirror")
    said += _describe_shape(affine)
    if np.abs(affine[:, 2]).max() / 2 > MIN_SHIFT:
        said.append(f"shift {affine[0, 2] / 2:+.2f} {affine[1, 2] / 2:+.2f}")
    if abs(1 / gain - 1) > MIN_CONTRAST:
        said.append(f"contrast {1 / gain:.2f}")
    # How much brighter mid-grey is, whatever the contrast.
    brighter = (127.5 - bias) / gain - 127.5
    if abs(brighter) > MIN_BRIGHTNESS:
        said.append(f"brightness {brighter:+.0f}")
    return ", ".join(said)


def _describe_shape(affine: Wide) -> list[str]:
    """Scale, proportions and rotation in words."""
    said = []
    wide, high = np.linalg.norm(affine[:, :2], axis=0)
    if abs(np.log(wide * high) / 2) > MIN_SCALING:
        said.append(f"scale {np.sqrt(wide * high):.2f}")
    if abs(np.log(wide / high)) > 2 * MIN_SCALING:
        said.append(f"stretch {wide / high:.2f}")
    angle = np.degrees(rotation(affine))
    if abs(angle) > MIN_ROTATION:
        said.append(f"rotated {angle:.0f} degrees")
    return said


def is_mirrored(affine: Wide) -> npt.NDArray[np.bool_]:
    """Return which maps mirror, of shape (..., 2, 3)."""
    return np.asarray(np.linalg.det(affine[..., :2]) < 0)


def rotation(affine: Wide) -> Wide:
    """Return radians by which maps turn, beside what mirrors them; of any shape (..., 2, 3)."""
    linear = affine[..., :2]
    across = np.where(is_mirrored(affine), -1, 1)[..., None] * linear[..., 0]
    return np.arctan2(across[..., 1] - linear[..., 0, 1], across[..., 0] + linear[..., 1, 1])
