"""Where ink lies on a picture, and what it accounts for, on both sides of every number."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.images.verify.photographs.changes import (
    Ink,
    block_mask,
    find_ink,
    unexplained_blocks,
)
from splitaudit.images.verify.photographs.overlay import MARGIN_A, Overlay

Array = np.ndarray
SIDE, BLOCK = 128, 16
INKED = 240.0


def block(x: int, y: int, alike: float = 0.5, level: int = 0) -> list[float]:
    """A block whose first pixel is that of a picture without its edges."""
    place = [(at + MARGIN_A) / 2**level + (BLOCK - 1) / 2 for at in (x, y)]
    return [*place, alike, alike, 100.0, 100.0, 0.0, 0.0]


def blocks(n: int, alike: float = 0.5) -> Array:
    """The first blocks, line by line."""
    across = SIDE // BLOCK
    return np.array([block(BLOCK * (k % across), BLOCK * (k // across), alike) for k in range(n)])


def behind() -> Array:
    """A picture of many levels, 40 to 140."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return (40 + (7 * rows + 13 * columns) % 101).astype(np.float32)


def other(under: Array) -> Array:
    """Levels that are far from those of a picture, of no ink, and no two alike."""
    levels = (37.0 * np.arange(len(under))) % 200
    near = np.abs(levels - under) < 20
    return np.where(near, (levels + 60) % 200, levels).astype(np.float32)


def places(n: int, count: int) -> tuple[Array, Array]:
    """So many pixels of the first blocks."""
    marked = block_mask(blocks(n), (SIDE, SIDE))
    rows, columns = np.nonzero(marked)
    return rows[:count], columns[:count]


def seen(levels: Array, n: int) -> tuple[Array, Array]:
    """A picture with other levels in the first blocks, and the pixels that have them."""
    at = places(n, len(levels))
    picture = behind()
    under = picture[at]
    picture[at] = np.where(np.isnan(levels), other(under), levels)
    return picture, at


def found(mine: Array, its: Array, rows: Array) -> Ink | None:
    return find_ink(Overlay(mine, its, np.eye(3), its.shape), rows)


def ink(levels: Array, n: int = 4) -> Ink | None:
    """What is found where pixels of some blocks have these levels; NaN: any other than before."""
    picture, _ = seen(levels, n)
    mine, its = found(picture, behind(), blocks(n)), found(behind(), picture, blocks(n))
    assert (mine is None) == (its is None)
    return mine


def levels(n: int, *some: tuple[int, float]) -> Array:
    """So many pixels of one level, so many of another, and the rest of many."""
    rest = np.full(n - sum(count for count, _ in some), np.nan)
    return np.concatenate([*[np.full(count, level) for count, level in some], rest])


@pytest.mark.parametrize(("count", "is_ink"), [(539, False), (540, True), (541, True)])
def test_ink_is_what_54_in_a_hundred_changed_pixels_show(count, is_ink):
    assert (ink(levels(1000, (count, INKED))) is not None) == is_ink


@pytest.mark.parametrize(("level", "is_ink"), [(222.5, True), (221.5, False)])
def test_the_level_of_an_ink_may_vary(level, is_ink):
    """That of the commonest levels is 234: of twenty, in steps of four."""
    assert (ink(levels(1000, (530, INKED), (20, level))) is not None) == is_ink


def see_through(level: float, through: float, vary: Array) -> tuple[Array, Array, Array]:
    """A picture with ink in 1,000 pixels, the one without, and where they differ."""
    its = 2 * behind() - 80  # 0 to 200, or 55 to 255
    its = its if level > 100 else 255 - its
    mine, at = its.copy(), places(4, 1000)
    mine[at] = through * its[at] + (1 - through) * level + vary
    mine[at[0][:20], at[1][:20]] = 0.1 * its[at[0][:20], at[1][:20]] + 0.9 * level
    return mine, its, np.abs(mine - its) > 10


TIMES = np.arange(1000)


@pytest.mark.parametrize(("through", "share"), [(0.0, 0.96), (0.25, 0.95), (0.5, 0.76)])
@pytest.mark.parametrize("level", [-100.0, 0.0, 255.0, 370.0])
def test_ink_may_be_seen_through(level, through, share):
    """And vary by some levels, mostly by few; beyond white, where a picture was made darker.

    Where less of the picture is seen through it, it is mixed, as at edges.
    """
    vary = 1.5 * (TIMES % 7 - 3 + TIMES // 7 % 7 - 3)
    mine, its, changed = see_through(level, through, vary)
    inside = found(mine, its, blocks(4))
    assert inside is not None
    assert inside.solid.sum() / changed.sum() == pytest.approx(share, abs=0.05)
    assert not inside.unexplained.any()


@pytest.mark.parametrize(("through", "is_ink"), [(0.0, True), (0.5, False)])
def test_ink_that_is_seen_through_may_vary_less(through, is_ink):
    mine, its, _ = see_through(255.0, through, TIMES % 29 - 14)
    assert (found(mine, its, blocks(4)) is not None) == is_ink


@pytest.mark.parametrize(("n", "is_ink"), [(3999, False), (4000, True), (6000, False)])
def test_of_many_pixels_two_thousand_tell_the_level(n, is_ink):
    """Every second one is of ink; of 6,000 every third is looked at, and half of those are."""
    picture, _ = seen(np.where(np.arange(n) % 2, np.nan, INKED), 24)
    assert (found(picture, behind(), blocks(24)) is not None) == is_ink


@pytest.mark.parametrize(("alike", "doubted"), [(0.85, False), (0.84, True)])
def test_ink_is_looked_for_in_doubted_blocks(alike, doubted):
    picture, _ = seen(levels(500, (500, INKED)), 2)
    assert (found(picture, behind(), blocks(2, alike)) is not None) == doubted
    assert found(picture, behind(), blocks(1)) is None


@pytest.mark.parametrize(("touched", "solid"), [(20, 100), (21, 121)])
def test_ink_is_looked_for_in_blocks_of_which_some_has_changed(touched, solid):
    picture = behind()
    for block_at, count in ((0, 100), (1, touched)):
        at = places(1, count)
        picture[at[0], at[1] + BLOCK * block_at] = INKED
    inside = found(picture, behind(), blocks(2))
    assert inside is not None
    assert inside.solid.sum() == solid


def lighter(by: float, noise: Array | None = None) -> Array | None:
    """Where a picture is found to be inked that is lighter by so much in two blocks."""
    under = np.zeros((SIDE, SIDE), np.float32) + 100
    under[2::5] = 60  # so that gain and bias can be told
    picture = under.copy()
    at = places(2, 256)
    picture[at] = under[at] + by
    if noise is not None:
        noise[at] = 0
        picture += noise
    inside = found(picture, under, blocks(2))
    return None if inside is None else inside.solid | inside.unexplained


def wavering(by: float, every: int, but: bool = False) -> Array:
    """A picture up and down by so much in some lines and columns of every few, or in all others."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    there = (rows % every == 0) & (columns % every == 0)
    up = np.where((rows // 4 + columns // 4) % 2, by, -by)
    return np.where(there ^ but, up, 0).astype(np.float32)


@pytest.mark.parametrize(("by", "changed"), [(9.9, False), (10.1, True)])
def test_pixels_have_changed_by_ten_levels(by, changed):
    assert (lighter(by) is not None) == changed


@pytest.mark.parametrize(("by", "changed"), [(22.0, False), (22.4, True)])
def test_pixels_have_changed_by_five_times_the_noise(by, changed):
    """Of a typical difference of 3, the noise is 1.48 times as much: 22.2 levels."""
    inside = lighter(by, wavering(3.0, 1))
    assert (inside is not None) == changed


def test_noise_is_told_by_every_fourth_line_and_column():
    assert lighter(15.0, wavering(4.0, 4, but=True)) is not None
    assert lighter(15.0, wavering(4.0, 4)) is None


# What an ink accounts for.


def test_edges_of_ink_are_mixed_with_the_picture():
    """What lies between the picture and the ink is explained, and nothing beyond either."""
    picture = behind()
    rows, columns = places(2, 400)
    under = picture[rows, columns]
    changed = np.full(400, 190.0)
    changed[:10] = under[:10] + 0.5 * (190 - under[:10])  # half of it
    changed[10:20] = under[10:20] - 30  # darker, where ink makes lighter
    changed[20:30] = 240.0  # lighter than the ink
    picture[rows, columns] = changed
    inside = found(picture, behind(), blocks(2))
    assert inside is not None
    solid, unexplained = inside.solid[rows, columns], inside.unexplained[rows, columns]
    assert solid[30:].all()
    assert not solid[:30].any()
    assert unexplained[:30].tolist() == [False] * 10 + [True] * 20


def walled(count: int, *, stepped: bool) -> Ink | None:
    """What is found where a plain wall is seen in place of squares, and what is beside.

    `count` of 256 unchanged pixels have the level of the wall; if `stepped`, not where it ends.
    """
    wall = np.full((SIDE, SIDE), 100.0, np.float32)
    wall[::3] = 60.0
    wall[:8, :32] = INKED
    beside = [(row, column) for row in range(8, 16) for column in range(32)]
    for k, at in enumerate(beside[::-1] if stepped else beside):
        wall[at] = INKED if k < count else 20.0
    before = wall.copy()
    rows, columns = np.mgrid[:8, :32]
    before[:8, :32] = np.where((rows + columns) % 2, 60.0, 160.0)
    return found(wall, before, blocks(2))


@pytest.mark.parametrize(("count", "is_ink"), [(127, True), (128, False)])
def test_what_lies_beside_it_as_well_is_no_ink(count, is_ink):
    """Half of what has not changed has its level: it is what lay behind."""
    assert (walled(count, stepped=False) is not None) == is_ink


def test_what_ends_with_larger_steps_is_ink_whatever_lies_beside():
    assert walled(200, stepped=False) is None
    assert walled(200, stepped=True) is not None


def mask(*parts: tuple[slice, slice]) -> Array:
    marked = np.zeros((SIDE, SIDE), bool)
    for part in parts:
        marked[part] = True
    return marked


def pixel(x: int, y: int) -> tuple[slice, slice]:
    return slice(y, y + 1), slice(x, x + 1)


def test_without_ink_no_block_is_accounted_for():
    rows = blocks(3)
    assert unexplained_blocks(rows, 0, None) is rows
    assert len(unexplained_blocks(rows, 0, Ink(mask(), mask()))) == 3


@pytest.mark.parametrize(("unexplained", "kept"), [(10, 0), (11, 1)])
def test_a_block_is_accounted_for_of_which_a_fifth_is_not(unexplained, kept):
    """Of 40 pixels of ink a quarter."""
    solid = mask((slice(32, 36), slice(32, 42)))
    more = mask((slice(40, 41), slice(32, 32 + unexplained)))
    assert len(unexplained_blocks(np.array([block(32, 32)]), 0, Ink(solid, more))) == kept


@pytest.mark.parametrize("level", [0, 1])
def test_ink_changes_the_detail_of_blocks_five_pixels_around_it(level):
    one, side, reach = np.array([block(32, 32, level=level)]), BLOCK << level, 5 << level
    for x, y, count in (
        (32 - reach, 32, 0),
        (32 - reach - 1, 32, 1),
        (32 + side + reach - 1, 40, 0),
        (32 + side + reach, 40, 1),
        (40, 32 - reach, 0),
        (40, 32 - reach - 1, 1),
        (40, 32 + side + reach - 1, 0),
        (40, 32 + side + reach, 1),
    ):
        assert len(unexplained_blocks(one, level, Ink(mask(pixel(x, y)), mask()))) == count
    # What no ink accounts for counts within the block alone.
    around = Ink(mask(pixel(36, 36)), mask(pixel(31, 36), pixel(32 + side, 36)))
    assert len(unexplained_blocks(one, level, around)) == 0
    within = Ink(mask(pixel(36, 36)), mask(pixel(32, 36)))
    assert len(unexplained_blocks(one, level, within)) == 1
