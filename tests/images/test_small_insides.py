"""What lies within a border may be so small that it has fewer sizes than a photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import Here
from picture_files import photograph
from PIL import Image, ImageDraw

from splitaudit.images.fingerprint.feature_sets import NO_FEATURES
from splitaudit.images.verify.photographs.exposure import compare, prepare


def part(seed: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    grain = rng.integers(0, 255, (height // 3 + 1, width // 3 + 1, 3), np.uint8)
    pixels = grain.repeat(3, axis=0).repeat(3, axis=1)[:height, :width]
    return np.ascontiguousarray(pixels // 2 + photograph(seed, height, width) // 2)


@pytest.mark.parametrize("side", [27, 31, 32, 48, 63, 64, 80])
@pytest.mark.parametrize("other", [27, 40, 63, 64, 256])
def test_parts_of_any_size_are_compared(side: int, other: int) -> None:
    a, b = (prepare(part(seed, n, n + 9), NO_FEATURES) for seed, n in enumerate((side, other)))
    for one, two in ((a, b), (b, a)):
        found = compare(one, two, (), range(16))
        assert found is None or not found.accepted


@pytest.mark.parametrize("side", [63, 64, 80])
def test_a_copy_of_a_small_part_is_accepted_and_another_is_not(side: int) -> None:
    pixels = part(3, side, side + 20)
    noise = np.random.default_rng(9).normal(0, 4, pixels.shape)
    copy = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    a, b, other = (prepare(each, NO_FEATURES) for each in (pixels, copy, part(4, side, side + 20)))
    found = compare(a, b, (), (0,))
    assert found is not None
    assert found.accepted
    refused = compare(a, other, (), (0,))
    assert refused is None or not refused.accepted


def test_drawings_on_white_paper_are_all_audited(tmp_path: Path, here: Here) -> None:
    for k in range(12):
        rng = np.random.default_rng(k)
        drawing = Image.new("L", (105, 105), 255)
        corners = np.array([(30, 70), (52, 30), (76, 72), (30, 70)])
        moved = corners + rng.integers(-10, 11, (4, 2))
        ImageDraw.Draw(drawing).line([tuple(map(int, point)) for point in moved], 0, 3)
        folder = tmp_path / "data" / ("train" if k % 4 else "test")
        folder.mkdir(parents=True, exist_ok=True)
        drawing.save(folder / f"{k}.png")
    ran = here("scan", tmp_path / "data", "--jobs", 1, "--json")
    assert ran.status in (0, 1)
    assert ran.json["coverage"]["image"]["audited"] == 12
