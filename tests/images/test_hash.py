"""Hashes of pictures: those of imagehash, in every orientation, and none of what is flat."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
import scipy.fft
from PIL import Image

from splitaudit.images.fingerprint.hash import NEGATIVE, ORIENTATIONS, ImageHash, downscale

SIZES = (8, 16)
# What NumPy calls it when a picture is turned: the codes are compared with those of such pictures.
TURNS = {
    "upright": lambda p: p,
    "mirror": np.fliplr,
    "flip": np.flipud,
    "rot180": lambda p: np.rot90(p, 2),
    "transpose": np.transpose,
    "rot90": np.rot90,
    "rot270": lambda p: np.rot90(p, 3),
    "transverse": lambda p: np.rot90(p, 2).T,
}


def scene(seed: int, height: int = 240, width: int = 320) -> np.ndarray:
    """Return a picture made from code: clouds of several scales, as grey levels."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width))
    for cells in (3, 6, 12, 24):
        noise = Image.fromarray(rng.normal(0, 1 / cells, (cells, cells)).astype(np.float32))
        total += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC))
    low, high = total.min(), total.max()
    return ((total - low) / (high - low) * 255).astype(np.uint8)


def small(size: int, n: int = 20) -> np.ndarray:
    return np.stack([downscale(scene(seed), ImageHash(size).side) for seed in range(n)])


def bits(codes: np.ndarray) -> np.ndarray:
    return np.bitwise_count(codes).sum(axis=-1, dtype=int)


@pytest.mark.parametrize("size", SIZES)
def test_the_code_is_that_of_imagehash(size):
    upright = ImageHash(size).fingerprint(small(size)).codes[:, 0]
    for seed, code in enumerate(upright):
        expected = str(imagehash.phash(Image.fromarray(scene(seed)), hash_size=size))
        assert "".join(f"{word:016x}" for word in code.tolist()) == expected


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("name", ORIENTATIONS)
def test_an_orientation_is_the_hash_of_the_turned_picture(name, negative, size):
    pictures = small(size)
    turned = np.stack([TURNS[name](picture) for picture in pictures])
    turned = 255 - turned if negative else turned
    place = ORIENTATIONS.index(name) + NEGATIVE * negative
    expected = ImageHash(size).fingerprint(turned).codes[:, 0]
    assert np.array_equal(ImageHash(size).fingerprint(pictures).codes[:, place], expected)


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_pictures_turned_before_they_are_shrunk_lie_near(name):
    ours = ImageHash().fingerprint(small(8)).codes[:, ORIENTATIONS.index(name)]
    turned = np.stack(
        [downscale(np.ascontiguousarray(TURNS[name](scene(k))), 32) for k in range(20)]
    )
    assert bits(ours ^ ImageHash().fingerprint(turned).codes[:, 0]).max() <= 4


def test_other_pictures_lie_far_in_every_orientation():
    codes = ImageHash().fingerprint(small(8)).codes
    for first in range(20):
        for second in range(first):
            assert bits(codes[first, 0] ^ codes[second]).min() > 8


def test_pictures_are_hashed_alike_alone_and_together():
    pictures = small(8)
    together = ImageHash().fingerprint(pictures).codes
    alone = [ImageHash().fingerprint(picture[None]).codes[0] for picture in pictures]
    assert np.array_equal(together, np.stack(alone))
    assert ImageHash().fingerprint(pictures[:0]).codes.shape == (0, 16, 1)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_flat_is_degenerate(size):
    rng = np.random.default_rng(0)
    side = ImageHash(size).side
    dark = np.clip(np.rint(rng.normal(6, 3, (600, 800))), 0, 255).astype(np.uint8)
    flat = np.stack([np.full((side, side), 200, np.uint8), downscale(dark, side)])
    assert ImageHash(size).fingerprint(flat).degenerate.all()
    assert not ImageHash(size).fingerprint(small(size)).degenerate.any()


@pytest.mark.parametrize("size", SIZES)
def test_quality_is_the_middle_distance_from_the_middle_frequency(size):
    pictures = small(size, 3)
    side = ImageHash(size).side
    low = scipy.fft.dctn(pictures.astype(float), axes=(1, 2))[:, :size, :size].reshape(3, -1)
    away = np.median(np.abs(low - np.median(low, axis=1, keepdims=True)), axis=1)
    assert ImageHash(size).fingerprint(pictures).quality == pytest.approx(away / (2 * side), 1e-3)


def test_a_picture_of_little_contrast_is_told_while_rounding_changes_few_of_its_bits():
    pictures = small(8)
    whole = ImageHash().fingerprint(pictures).codes[:, 0]
    for contrast in (0.02, 0.05, 0.1, 0.3):
        faint = np.rint(128 + (pictures - 128.0) * contrast).astype(np.uint8)
        hashes = ImageHash().fingerprint(faint)
        changed = bits(hashes.codes[:, 0] ^ whole)
        assert (changed[~hashes.degenerate] <= 12).all()


def test_a_copy_differs_in_an_eighth_of_the_bits_at_most():
    assert [ImageHash(size).radius for size in (4, 8, 16)] == [2, 8, 32]
