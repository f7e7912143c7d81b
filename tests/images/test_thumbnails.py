"""Small pictures: what is found to look alike, and what is then proven to be one exposure."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import scipy.sparse.csgraph
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from splitaudit.images.decode.thumbnail import LUMA, SIDE, Pixels, thumbnail
from splitaudit.images.fingerprint import gradients
from splitaudit.images.verify.thumbnails import exposure, registration
from splitaudit.search import near_vectors, vectors

ALIKE = 1 - gradients.Gradient.radius
LARGE = 96
# What is done to a picture -> what is then said of it.
CHANGES = {
    "": lambda x: x,
    "mirror": lambda x: x[:, ::-1],
    "brightness": lambda x: x + 30,
    "contrast": lambda x: 0.7 * (x - 128) + 128,
    "scale": lambda x: x[6:-6, 6:-6],
    "stretch": lambda x: x[:, 12:-12],
    "shift": lambda x: np.roll(x, (9, 6), axis=(0, 1)),
    "rotated": lambda x: scipy.ndimage.rotate(x, 5, reshape=False, order=1, mode="reflect"),
    "noise": lambda x: x + np.random.default_rng(9).normal(0, 6, x.shape),
    "grey": lambda x: np.repeat((x @ LUMA)[..., None], 3, axis=-1),
}


def drawn(seed: int) -> np.ndarray:
    """A picture whose power falls with frequency, as that of photographs does; (96, 96, 3)."""
    rng = np.random.default_rng(seed)
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(LARGE), np.fft.fftfreq(LARGE)))
    noise = np.fft.fft2(rng.standard_normal((3, LARGE, LARGE)))
    layers = np.fft.ifft2(noise / np.maximum(f, 1 / LARGE) ** 1.3).real
    layers /= layers.std(axis=(1, 2), keepdims=True)
    tints = np.array([[0.6, 0.3, 0.1], [0.6, -0.1, -0.3], [0.6, -0.2, 0.4]])
    return np.clip(128 + 45 * np.einsum("ck,kyx->yxc", tints, layers), 0, 255)


def small(picture: np.ndarray) -> Pixels:
    return thumbnail(np.clip(np.rint(picture), 0, 255).astype(np.uint8))


def compared(a: Pixels, b: Pixels) -> exposure.Proofs:
    return exposure.compare(exposure.prepare(np.stack([a, b])), np.array([[0, 1]]))


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seed", range(4))
def test_copies_are_proven_and_the_change_is_named(change: str, seed: int) -> None:
    picture = drawn(seed)
    proofs = compared(small(picture), small(CHANGES[change](picture)))
    assert proofs.accepted.all()
    said = proofs.transforms()[0]
    named = [word for word in CHANGES if word and word in said and word not in ("noise", "grey")]
    if change in ("", "mirror", "brightness", "scale", "shift", "noise"):
        assert named == [change] * (change not in ("", "noise")), said
    elif change != "grey":
        assert change in said


def test_numbers_in_words_are_those_of_the_change() -> None:
    picture = drawn(1)
    assert compared(small(picture), small(picture + 30)).transforms() == ["brightness +30"]
    assert compared(small(picture), small(picture[:, ::-1])).transforms() == ["mirror"]
    # 84 of 96 pixels fill the frame, so all in it is 96 / 84 as large.
    assert compared(small(picture), small(picture[6:-6, 6:-6])).transforms() == ["scale 1.14"]


def test_coverage_is_the_share_that_the_other_shows() -> None:
    picture = drawn(2)
    proofs = compared(small(picture), small(picture[9:-9, 9:-9]))
    assert proofs.coverage_a[0] == pytest.approx((78 / 96) ** 2, abs=0.05)
    assert proofs.coverage_b[0] > 0.95


def test_detail_is_what_is_fine() -> None:
    """Of a wave of 5 pixels half is detail, of one of 16 a tenth: shapes say little of a copy."""
    x = np.arange(SIDE)
    waves = [100 * np.sin(2 * np.pi * x / length) for length in (5, 16)]
    pictures = [np.broadcast_to(128 + wave[None, :, None], (SIDE, SIDE, 3)) for wave in waves]
    ready = exposure.prepare(np.rint(np.stack(pictures)).astype(np.uint8))
    inside = (
        ready.planes[:, :, 8:-8, 0] - ready.planes[:, :, 8:-8, 0].mean(axis=(1, 2))[:, None, None]
    )
    fine, coarse = np.sqrt(2) * inside.std(axis=(1, 2)) / 100
    assert fine == pytest.approx(0.51, abs=0.05)
    assert coarse == pytest.approx(0.12, abs=0.04)


@pytest.mark.parametrize("shape", [(20, 32), (32, 40), (33, 36), (41, 90)])
def test_a_picture_is_made_as_small_as_other_programs_make_it(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    theirs = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    assert np.abs(thumbnail(pixels).astype(int) - np.asarray(theirs)).max() <= 1


def test_other_pictures_are_not_accepted() -> None:
    pictures = exposure.prepare(np.stack([small(drawn(seed)) for seed in range(60)]))
    pairs = np.array([(a, b) for a in range(60) for b in range(a)])
    assert exposure.compare(pictures, pairs).score.max() < 0.1


def test_two_shots_of_a_scene_are_not_one_exposure() -> None:
    """The large shapes are the same; what stirs in the wind is not."""
    rng = np.random.default_rng(5)
    for seed in range(6):
        scene = scipy.ndimage.gaussian_filter(drawn(seed), (5, 5, 0))
        shots = [scene + (drawn(int(rng.integers(100, 10**6))) - 128) * 0.45 for _ in range(2)]
        proofs = compared(*map(small, shots))
        assert not proofs.accepted.any()


def test_grey_pictures_owe_nothing_to_colour() -> None:
    """Else what little agrees in the outlines of two digits would count twice."""
    scene = drawn(1) + 0.25 * (drawn(2) - 128)
    grey, other = (np.repeat(x.mean(axis=-1, keepdims=True), 3, axis=-1) for x in (drawn(1), scene))
    assert compared(small(drawn(1)), small(scene)).score > compared(small(grey), small(other)).score


@pytest.mark.parametrize("angle", [0, 8, -8])
@pytest.mark.parametrize("step", [1, -1])
def test_each_radian_is_weighed(angle: int, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = scipy.ndimage.rotate(drawn(3), angle, reshape=False, order=1, mode="reflect")
    monkeypatch.setattr(exposure, "MIN_LIKENESS", 1.0)
    pair = small(drawn(3)), small(picture[:, ::step])
    weighed = compared(*pair)
    monkeypatch.setattr(exposure, "ROTATED", 0.0)
    evidence = [scipy.special.logit(proofs.score[0]) for proofs in (weighed, compared(*pair))]
    assert evidence[0] - evidence[1] == pytest.approx(-11 * np.radians(abs(angle)), abs=0.2)
    assert ("rotated" in weighed.transforms()[0]) == (angle != 0)


def test_the_less_was_done_to_a_picture_the_higher_it_ranks() -> None:
    picture = drawn(4)
    done = {name: compared(small(picture), small(CHANGES[name](picture))) for name in CHANGES}
    score = {name: proofs.score[0] for name, proofs in done.items()}
    assert score[""] > 0.999
    assert all(score[""] > score[name] + 0.05 for name in ("mirror", "scale", "contrast", "shift"))
    cropped = [compared(small(picture), small(picture[k:-k, k:-k])).score[0] for k in (3, 6, 12)]
    assert cropped == sorted(cropped, reverse=True)
    assert cropped[-1] >= exposure.MIN_SCORE


def test_the_order_of_a_pair_hardly_matters() -> None:
    for change in CHANGES.values():
        a, b = small(drawn(3)), small(change(drawn(3)))
        assert compared(a, b).score[0] == pytest.approx(compared(b, a).score[0], abs=0.05)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_pictures_prove_nothing(level: int) -> None:
    flat = np.full((SIDE, SIDE, 3), level, np.uint8)
    proofs = compared(flat, flat)
    assert proofs.score.tolist() == [0.0]
    assert proofs.transforms() == [""]
    assert not compared(flat, small(drawn(0))).accepted.any()
    assert not compared(small(drawn(0)), flat).accepted.any()


@given(st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=30)
def test_scores_are_finite_whatever_the_pixels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, rng.integers(2, 256), (2, SIDE, SIDE, 3)).astype(np.uint8)
    pictures[1, rng.integers(1, SIDE) :] = 0
    proofs = compared(pictures[0], pictures[1])
    assert 0 <= proofs.score[0] <= 1
    assert np.isfinite(proofs.affine).all()


def test_no_pairs_have_no_proofs() -> None:
    pictures = exposure.prepare(np.zeros((0, SIDE, SIDE, 3), np.uint8))
    assert len(exposure.compare(pictures, np.zeros((0, 2), np.int64)).score) == 0


def test_a_map_is_found_to_a_tenth_of_a_pixel() -> None:
    picture, truth = drawn(4), np.array([[1.06, 0.05, 0.04], [-0.04, 0.97, -0.06]])
    grid = (2 * np.arange(LARGE) + 1) / LARGE - 1
    x, y = np.meshgrid(grid, grid)
    # b shows at a point what a shows where the map leads to it, so b is sampled by its inverse.
    back = np.linalg.inv(np.vstack([truth, [0, 0, 1]]))
    at = [((back[k, 0] * x + back[k, 1] * y + back[k, 2] + 1) * LARGE - 1) / 2 for k in (1, 0)]
    layers = np.moveaxis(picture, -1, 0)
    moved = [scipy.ndimage.map_coordinates(layer, at, order=3, mode="reflect") for layer in layers]
    found = compared(small(picture), small(np.stack(moved, axis=-1))).affine[0]
    np.testing.assert_allclose(found, truth, atol=0.1 * 2 / SIDE)


def test_gain_and_bias_are_found() -> None:
    picture = drawn(6)[..., 0].astype(np.float32)[:SIDE, :SIDE]
    smooth = scipy.ndimage.gaussian_filter(picture, 1)
    affine = np.array([[1.0, 0, 0.03], [0, 1.0, -0.03]])
    correlation, gain, bias = registration.refine(0.5 * smooth + 20, smooth, affine)
    assert (correlation, gain, bias) == pytest.approx((1, 0.5, 20), abs=0.5)
    np.testing.assert_allclose(affine, [[1, 0, 0], [0, 1, 0]], atol=0.01)


def test_a_negative_is_no_copy_in_other_light() -> None:
    smooth = scipy.ndimage.gaussian_filter(drawn(6)[:SIDE, :SIDE, 0].astype(np.float32), 1)
    assert registration.refine(smooth, 255 - smooth, np.eye(2, 3))[0] == -1


def test_places_are_found_plain_and_mirrored() -> None:
    rng = np.random.default_rng(1)
    scene = scipy.ndimage.gaussian_filter(rng.normal(0, 500, (30, 30)), 1).astype(np.float32)
    a, b = scene[5:21, 5:21].copy(), scene[7:23, 4:20].copy()
    found = registration.places(a, np.stack([b, b[:, ::-1]]), 2, registration.grid())
    for values, maps, sign in zip(*found, (1, -1), strict=True):
        assert values.argmax() == (0 if sign == 1 else 2)
        # What is in a at x lies in b a pixel of 16 further to the right, and two further up.
        shift = np.array([[sign, 0, sign / 8], [0, 1, -2 / 8]])
        np.testing.assert_allclose(maps[values.argmax()], shift, atol=1e-9)


@pytest.mark.parametrize("size", [16, 18])
def test_a_place_is_as_certain_when_both_pictures_are_turned(size: int) -> None:
    """Also where they share a corner only, and one is seen larger than it is."""
    rng = np.random.default_rng(3)
    scene = scipy.ndimage.zoom(rng.normal(90, 60, (12, 12)), 5, order=3).astype(np.float32)

    def shown(first: float, wide: float) -> np.ndarray:
        box = (first, first, first + wide, first + wide)
        return np.asarray(Image.fromarray(scene).resize((16, 16), box=box))

    a, b = shown(8, 32), shown(16, 32 * 16 / size)
    grid = registration.grid()
    ours, theirs = (
        registration.places(one.copy(), other.copy()[None], 1, grid)
        for one, other in ((a, b), (a[::-1, ::-1], b[::-1, ::-1]))
    )
    assert ours[0][0, 0] > 0.7
    np.testing.assert_allclose(ours[0][0, 0], theirs[0][0, 0], rtol=1e-4)
    turned = ours[1][0, 0] * [1, 1, -1]
    np.testing.assert_allclose(turned, theirs[1][0, 0], atol=1e-9)


def test_no_scale_is_left_out() -> None:
    """A map is refined from a twelfth beside: two sizes that follow are a sixth apart at most."""
    steps = np.divide(registration.SIZES[1:], registration.SIZES[:-1])
    assert steps.max() <= 7 / 6
    assert registration.SIZES[0] <= 0.75 * registration.SIDE <= registration.SIZES[-1]
    assert registration.SIZES[-1] * 0.75 < registration.SIDE < registration.SIZES[-1] * 7 / 6


@pytest.mark.parametrize("axis", [1, 2])
def test_a_second_place_may_lie_in_line_with_the_first(axis: int) -> None:
    """What recurs every four pixels has places that are four apart, and equal in the other axis."""
    tile = np.random.default_rng(2).normal(0, 60, (16, 4))
    picture = np.tile(tile, (1, 4)).astype(np.float32)
    picture = picture if axis == 1 else np.ascontiguousarray(picture.T)
    values, maps = registration.places(picture, picture[None], 3, registration.grid())
    assert values[0, :3].min() > 0.8
    shifts = maps[0, :3, :, 2]
    np.testing.assert_allclose(sorted(shifts[:, axis - 1]), [-0.5, 0, 0.5], atol=1e-9)
    np.testing.assert_allclose(shifts[:, 2 - axis], 0, atol=1e-9)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("way", [-1, 1])
@pytest.mark.parametrize(("pixels", "left"), [(0.2, SIDE), (0.3, SIDE - 1), (1.2, SIDE - 1)])
def test_a_quarter_of_a_pixel_may_lie_beyond_the_edge(
    axis: int, way: int, pixels: float, left: int
) -> None:
    level = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE, 3)).astype(np.float32)
    affine = np.eye(2, 3)
    affine[axis, 2] = way * pixels * 2 / SIDE
    assert exposure._agreement(level, level, affine)[2] == left / SIDE


def test_what_has_no_light_is_turned_all_the_same() -> None:
    """Its gain of 0 has no inverse."""
    row = np.zeros(1)
    proofs = exposure.Proofs(row, np.zeros((1, 2, 3)), row, row + 7, row, row + 0.5).turned()
    assert (proofs.gain[0], proofs.bias[0]) == (1, -7)
    assert (proofs.coverage_a[0], proofs.coverage_b[0]) == (0.5, 0)


@pytest.mark.parametrize("size", registration.SIZES)
def test_places_are_found_at_each_scale(size: int) -> None:
    rng = np.random.default_rng(size)
    scene = scipy.ndimage.zoom(rng.normal(0, 100, (13, 13)), 5, order=3).astype(np.float32)

    def shown(wide: float) -> np.ndarray:
        box = (32 - wide / 2,) * 2 + (32 + wide / 2,) * 2
        return np.asarray(Image.fromarray(scene).resize((16, 16), box=box))

    # What fills 16 pixels of the one fills `size` of the other, which shows so much less.
    found = registration.places(shown(32), shown(32 * 16 / size)[None], 2, registration.grid())
    values, maps = found[0][0], found[1][0]
    best = maps[values.argmax()]
    assert values.max() > 0.8
    assert best[0, 0] == pytest.approx(size / 16, rel=0.01)
    np.testing.assert_allclose(best[:, 2], 0, atol=1.1 / 16)


def test_pairs_are_proven_in_any_order_and_number() -> None:
    pictures = [drawn(seed) for seed in range(70)]
    pictures[1:] = [0.8 * pictures[0] + 0.2 * other for other in pictures[1:]]
    ready = exposure.prepare(np.stack([small(picture) for picture in pictures]))
    pairs = np.array([[0, other] for other in range(1, 70)] + [[3, 2], [5, 4]])
    order = np.random.default_rng(0).permutation(len(pairs))
    together, apart = (exposure.compare(ready, some).score for some in (pairs, pairs[order]))
    np.testing.assert_allclose(together[order], apart, atol=1e-6)
    assert together[:69].min() > 0


def gradient(pictures: list[np.ndarray]) -> gradients.Gradients:
    return gradients.Gradient().fingerprint(np.stack([small(picture) for picture in pictures]))


def test_gradients_are_unit_vectors_and_flat_pictures_have_none() -> None:
    flat, faint = np.full((LARGE, LARGE, 3), 90.0), 128 + 0.002 * (drawn(0) - 128)
    found = gradient([drawn(0), flat, faint])
    assert found.degenerate.tolist() == [False, True, True]
    lengths = np.linalg.norm(found.vectors.astype(float), axis=1)
    np.testing.assert_allclose(lengths, [gradients.SCALE, 0, 0], rtol=0.01)


def test_gradients_of_no_pictures() -> None:
    found = gradients.Gradient().fingerprint(np.zeros((0, SIDE, SIDE, 3), np.uint8))
    assert found.vectors.shape == (0, gradients.DIMENSIONS)


def test_gradients_do_not_depend_on_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [drawn(seed) for seed in range(7)]
    whole = gradient(pictures).vectors
    monkeypatch.setattr(gradients, "BLOCK", 3)
    np.testing.assert_array_equal(gradient(pictures).vectors, whole)


def test_the_gradients_of_an_edge_lie_where_it_is_and_point_across_it() -> None:
    edge = np.zeros((SIDE, SIDE, 3))
    edge[:, 10:] = 200  # from dark to bright, to the right, amid the third column of cells
    cells = gradient([edge]).vectors.reshape(8, 8, 8).astype(int)
    assert (cells.max(axis=2).argmax(axis=1) == 2).all()
    assert (cells[:, 2].argmax(axis=-1) == 0).all()


def test_mirrored_gradients_are_those_of_the_mirrored_picture() -> None:
    pictures = [drawn(seed) for seed in range(5)]
    there = gradient([picture[:, ::-1] for picture in pictures]).vectors
    here = gradients.mirror(gradient(pictures).vectors)
    assert np.abs(here.astype(int) - there).max() <= 1  # rounding


def test_closer_gradients_are_nearly_those_of_the_middle() -> None:
    flat = np.zeros((LARGE, LARGE, 3))
    pictures = [drawn(seed) for seed in range(20)]
    edge = round(LARGE * (1 - gradients.MIDDLE) / 2)
    plain = gradient([*pictures, flat]).vectors
    there = gradient([picture[edge:-edge, edge:-edge] for picture in pictures]).vectors
    here = gradients.zoom_in(plain)
    assert not here[-1].any()
    near, far = ((rows[:-1].astype(float) * there).sum(axis=1) for rows in (here, plain))
    assert near.min() / gradients.SCALE**2 > 0.75
    assert (near > far + 0.1 * gradients.SCALE**2).all()
    mirrored = gradients.mirror(here).astype(int) - gradients.zoom_in(gradients.mirror(plain))
    assert np.abs(mirrored).max() <= 1  # rounding


@pytest.mark.parametrize("change", [name for name in CHANGES if name != "mirror"])
def test_copies_have_near_gradients(change: str) -> None:
    picture = drawn(0)
    a, b = gradient([picture, CHANGES[change](picture)]).vectors.astype(float) / gradients.SCALE
    others = gradient([drawn(seed) for seed in range(1, 30)]).vectors / gradients.SCALE
    assert a @ b > max(ALIKE, (others @ b).max())


def found(pictures: list[np.ndarray], alike: float = ALIKE) -> dict[tuple[int, int], float]:
    plain = gradient(pictures).vectors
    table = near_vectors.pairs(gradients.query_vectors(plain), gradients.SCALE, alike)
    rows = table.to_pydict()
    return dict(zip(zip(rows["a"], rows["b"], strict=True), rows["similarity"], strict=True))


def test_pairs_are_found_plain_and_mirrored_once_each() -> None:
    flat = np.zeros((LARGE, LARGE, 3))
    pictures = [flat, *(drawn(seed) for seed in range(6)), flat]
    pictures += [pictures[3][:, ::-1], pictures[5] + 9]
    alike = found(pictures)
    assert {pair for pair, similarity in alike.items() if similarity > 0.8} == {(3, 8), (5, 9)}
    assert all(a < b for a, b in alike)
    assert not {0, 7} & {picture for pair in alike for picture in pair}


@pytest.mark.parametrize("step", [1, -1])
def test_a_crop_is_found_from_what_is_seen_closer(step: int) -> None:
    picture = drawn(0)
    crop = picture[14:-14, 14:-14][:, ::step]
    whole, part = gradient([picture[:, ::step], crop]).vectors.astype(float) / gradients.SCALE
    alike = found([drawn(1), crop, *(drawn(seed) for seed in range(2, 60)), picture])
    assert alike[1, 60] > max(whole @ part + 0.2, ALIKE + 0.2)


def test_of_each_picture_few_are_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_vectors, "TOP_K", 3)
    alike = np.array(list(found([drawn(seed) for seed in range(50)], -1.0)))
    # As it is and closer; a pair may be among the nearest of one side only.
    assert 50 * 3 / 2 <= len(alike) <= 50 * 2 * 3


def test_a_clique_of_copies_is_found_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    size = vectors.NEIGHBOURS + 5
    rng = np.random.default_rng(0)
    copies = [drawn(0) + rng.normal(0, 3, (LARGE, LARGE, 3)) for _ in range(size)]
    alike = found([*copies, *(drawn(seed) for seed in range(1, 40))])
    assert {(a, b) for b in range(size) for a in range(b)} <= set(alike)


def test_a_crowd_is_one_group_through_few_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "NEIGHBOURS", 3)
    monkeypatch.setattr(near_vectors, "MAX_NEIGHBOURS", 12)
    rng = np.random.default_rng(0)
    crowd = [drawn(0) + rng.normal(0, 3, (LARGE, LARGE, 3)) for _ in range(60)]
    alike = list(found(crowd))
    assert len(alike) <= 12 * 60
    _, group = scipy.sparse.csgraph.connected_components(
        scipy.sparse.coo_array((np.ones(len(alike)), np.transpose(alike)), (60, 60))
    )
    assert (group == 0).all()


@pytest.mark.parametrize("count", [0, 1])
def test_of_too_few_pictures_there_are_no_pairs(count: int) -> None:
    plain = gradients.Gradient().fingerprint(np.zeros((count, SIDE, SIDE, 3), np.uint8)).vectors
    assert len(near_vectors.pairs(gradients.query_vectors(plain), gradients.SCALE, ALIKE)) == 0


@pytest.mark.parametrize("shape", [(96, 96), (96, 48), (20, 33), (1, 1), (32, 32), (31, 97)])
def test_a_thumbnail_keeps_a_ramp_and_a_level(shape: tuple[int, int]) -> None:
    level = np.full((*shape, 3), 77, np.uint8)
    assert (thumbnail(level) == 77).all()
    ramp = np.repeat(np.linspace(0, 255, shape[1])[None, :, None], 3, axis=2)
    across = thumbnail(np.repeat(ramp, shape[0], axis=0).astype(np.uint8))
    assert across.shape == (SIDE, SIDE, 3)
    wanted = np.interp(
        (np.arange(SIDE) + 0.5) / SIDE * shape[1] - 0.5, range(shape[1]), ramp[0, :, 0]
    )
    inner = slice(1, -1)
    np.testing.assert_allclose(across[5, inner, 1], wanted[inner], atol=4)
