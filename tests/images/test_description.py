"""What was done to a small picture, in words: each threshold from both sides."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.images.verify.thumbnails.description import describe_map, is_mirrored, rotation


def mapping(
    wide: float = 1.0, high: float = 1.0, degrees: float = 0.0, shift: tuple[float, float] = (0, 0)
) -> np.ndarray:
    """A map of coordinates from -1 to 1: scaled, then turned, then shifted."""
    angle = np.radians(degrees)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turned @ np.diag([wide, high]), shift])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (mapping(), ""),
        (mapping(shift=(0.0599, -0.0599)), ""),  # 3 % of the side, which is 2 long
        (mapping(shift=(0.0601, 0.0)), "shift +0.03 +0.00"),
        (mapping(shift=(0.0, -0.0601)), "shift +0.00 -0.03"),
        (mapping(1.0304, 1.0304), ""),
        (mapping(1.0306, 1.0306), "scale 1.03"),
        (mapping(0.9705, 0.9705), ""),
        (mapping(0.9703, 0.9703), "scale 0.97"),
        (mapping(1.0302, 1 / 1.0302), ""),
        (mapping(1.0306, 1 / 1.0306), "stretch 1.06"),
        (mapping(1 / 1.0306, 1.0306), "stretch 0.94"),
        (mapping(degrees=1.99), ""),
        (mapping(degrees=2.01), "rotated 2 degrees"),
        (mapping(degrees=-2.01), "rotated -2 degrees"),
        (mapping(-1.0, 1.0), "mirror"),
        (mapping(-1.2, 1.2, 0.0, (0.2, 0.0)), "mirror, scale 1.20, shift +0.10 +0.00"),
        (np.zeros((2, 3)), ""),  # no map was found
    ],
)
def test_shape_in_words(made: np.ndarray, said: str) -> None:
    assert describe_map(made, 1.0, 0.0) == said


@pytest.mark.parametrize(
    ("contrast", "brighter", "said"),
    [
        (1.099, 0.0, ""),
        (1.101, 0.0, "contrast 1.10"),
        (0.901, 0.0, ""),
        (0.899, 0.0, "contrast 0.90"),
        (1.0, 7.9, ""),
        (1.0, 8.1, "brightness +8"),
        (1.0, -8.1, "brightness -8"),
        (1.5, 20.0, "contrast 1.50, brightness +20"),
    ],
)
def test_light_in_words(contrast: float, brighter: float, said: str) -> None:
    """A value v of b is (v - bias) / gain in a: mid-grey becomes `brighter` more."""
    gain = 1 / contrast
    bias = 127.5 - gain * (127.5 + brighter)
    assert describe_map(mapping(), gain, bias) == said


def test_turns_and_mirrors_of_many_maps() -> None:
    maps = np.array([mapping(degrees=30), mapping(-1, 1), mapping(2, 3, -100)])
    assert is_mirrored(maps).tolist() == [False, True, False]
    assert np.degrees(rotation(maps[0])) == pytest.approx(30)
    assert np.degrees(rotation(maps[1])) == pytest.approx(0)
