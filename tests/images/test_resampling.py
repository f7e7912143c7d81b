"""Pictures made smaller: as Pillow and as a product of matrices make them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from splitaudit.images.decode.resampling import lanczos, weighted_sums
from splitaudit.images.fingerprint.hash import downscale


@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from([8, 32, 64]), st.integers(1, 255))
@settings(deadline=None, max_examples=60)
def test_it_is_that_of_pillow_bit_for_bit(height, width, side, steep):
    """Also where a kernel with negative lobes goes beyond black and white."""
    rng = np.random.default_rng([height, width])
    picture = (rng.integers(0, 256, (height, width)) // steep * steep).astype(np.uint8)
    expected = Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS)
    assert np.array_equal(downscale(picture, side), expected)


@pytest.mark.parametrize("shape", [(300, 400), (32, 500), (500, 32), (20, 40), (32, 32)])
def test_lines_come_first(shape):
    rng = np.random.default_rng(0)
    picture = (rng.integers(0, 2, shape) * 255).astype(np.uint8)
    narrow = Image.fromarray(picture).resize((32, shape[0]), Image.Resampling.LANCZOS)
    expected = narrow.resize((32, 32), Image.Resampling.LANCZOS)
    assert np.array_equal(lanczos(picture, 32), expected)


def test_weighed_sums_are_a_product_of_matrices():
    rng = np.random.default_rng(0)
    lines = rng.integers(0, 256, (50, 90), dtype=np.uint8)
    weights = (rng.random((7, 50)) * (rng.random((7, 50)) > 0.6)).astype(np.float32)
    assert np.allclose(weighted_sums(lines, weights), weights @ lines, rtol=1e-5)
