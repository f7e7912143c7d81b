"""What is measured of pairs of pictures stays what it was: scores, maps, light, what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import measured
import numpy as np
import pytest
from test_drawings import DRAWINGS, bands, captioned, clock, coded, page, smaller
from test_photographs import COPIES, breathing, coloured, frame, photograph, wall
from test_small_changes import KINDS
from test_thumbnails import CHANGES, compared, drawn, small

from splitaudit.images.decode.thumbnail import thumbnail
from splitaudit.images.verify.drawings import differences, overlay
from splitaudit.images.verify.drawings.drawn import common_share
from splitaudit.images.verify.photographs.exposure import compare
from splitaudit.images.verify.thumbnails import changes

KEPT = Path(__file__).parent / "measured_pictures.json"
Array = np.ndarray

OTHERS: dict[str, Callable[[], tuple[Array, Array]]] = {
    "another": lambda: (coloured(0), coloured(1)),
    "frames": lambda: (frame(0), frame(30)),
    "a frame soon after": lambda: (frame(0), frame(8)),
    "breathing": lambda: (breathing(0), breathing(3.0)),
    "wall": lambda: (wall(seen=False), wall(seen=True)),
}


def of_photographs(a: Array, b: Array) -> list[float]:
    found = compare(photograph(a), photograph(np.ascontiguousarray(b)), orientations=(0,))
    if found is None:
        return []
    light = [found.score, found.common, found.gain, found.bias / 255]
    whole = found.homography / found.homography[2, 2]
    return [*light, found.coverage_a, found.coverage_b, *whole.ravel()]


@pytest.mark.parametrize("name", COPIES)
def test_of_a_photograph_and_its_copy(name: str) -> None:
    measured.check(
        KEPT, f"photograph, {name}", of_photographs(coloured(), COPIES[name][0](coloured()))
    )


@pytest.mark.parametrize("name", OTHERS)
def test_of_photographs_that_are_no_copies(name: str) -> None:
    measured.check(KEPT, f"photographs, {name}", of_photographs(*OTHERS[name]()))


def of_thumbnails(a: Array, b: Array) -> Iterator[float]:
    found = compared(a, b)
    for column in (found.score, found.gain, found.bias / 255, found.coverage_a, found.coverage_b):
        yield float(column[0])
    yield from found.affine[0].ravel()
    if found.score[0] > 0:
        yield from changes.measure(a, b, found.affine[0])


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("change", CHANGES)
def test_of_a_small_picture_and_its_copy(change: str, seed: int) -> None:
    a, b = (small(picture) for picture in (drawn(seed), CHANGES[change](drawn(seed))))
    measured.check(KEPT, f"small, {seed}, {change}", list(of_thumbnails(a, b)))


@pytest.mark.parametrize("kind", KINDS)
def test_of_small_pictures_that_are_no_copies(kind: str) -> None:
    a, b = (thumbnail(np.asarray(KINDS[kind](of).convert("RGB"))) for of in (0, 1))
    measured.check(KEPT, f"small ones, {kind}", list(of_thumbnails(a, b)))


@pytest.mark.parametrize("kind", KINDS)
def test_of_small_pictures_at_a_finer_size_and_at_half_of_it(kind: str) -> None:
    a, b = (thumbnail(np.asarray(KINDS[kind](of).convert("RGB")), 96) for of in (0, 2))
    measured.check(KEPT, f"finer, {kind}", changes.measure_finer(a, b, np.eye(2, 3)))


LAID = {
    "a page at quality 30": lambda: (page(0), coded(page(0), 30)),
    "a page, a digit changed": lambda: (page(0), page(0, 3)),
    "a page at half its size": lambda: (page(0), smaller(page(0), 0.5)),
    "a page with a caption": lambda: (page(0), captioned(page(0))),
    "clocks": lambda: (clock(3), clock(4)),
    "bands": lambda: (bands("red", "white", "blue"), bands("red", "white", "green")),
}


@pytest.mark.parametrize("name", LAID)
def test_of_drawings(name: str) -> None:
    a, b = (np.asarray(side.convert("RGB")) for side in LAID[name]())
    scale = np.diag([b.shape[1] / a.shape[1], b.shape[0] / a.shape[0], 1.0])
    values: list[float] = []
    for over in overlay.lay_over(a, b, scale):
        found = differences.compare(over)
        values += [found.changed_windows, int(found.telling.sum()), int(found.corners.sum())]
        values += [int(found.stronger.sum()), int(found.recoloured.sum())]
        values += [found.contrast_ratio, found.contrast]
    measured.check(KEPT, f"drawings, {name}", values)


@pytest.mark.parametrize("name", DRAWINGS)
def test_which_share_of_a_drawing_has_common_colours(name: str) -> None:
    shares = [
        common_share(np.asarray(side)) for side in (DRAWINGS[name], coded(DRAWINGS[name], 40))
    ]
    measured.check(KEPT, f"common colours, {name}", shares)
