"""One channel of several, in which nothing cancels."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.audio.decode.downmix import downmix
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE

A, B = sounds.speech_like(1, 2.0), sounds.music_like(2, 2.0)


def mixed(channels: list[np.ndarray], block: int = 1 << 20) -> np.ndarray:
    frames = np.stack(channels, axis=1).astype(np.float32)
    blocks = (frames[at : at + block] for at in range(0, len(frames), block))
    return np.concatenate(list(downmix(blocks, RATE)))


@pytest.mark.parametrize(
    "channels", [[A, A], [A, B], [A, 0 * A], [A, 0.5 * A, B], [A, -0.4 * A], [0 * A, A]]
)
def test_where_nothing_cancels_it_is_the_mean(channels: list[np.ndarray]) -> None:
    np.testing.assert_allclose(mixed(channels), np.mean(channels, axis=0), atol=1e-6)


@pytest.mark.parametrize("share", [1.0, 0.999, 0.9, 1.1])
def test_what_cancels_is_turned(share: float) -> None:
    np.testing.assert_allclose(mixed([A, -share * A]), A * (1 + share) / 2, atol=1e-6)


def test_of_several_channels_that_cancel_all_are_kept() -> None:
    found = mixed([0 * A, A, -A, 0 * A, B * 1e-3, 0 * A])
    np.testing.assert_allclose(found, A * 2 / 6, atol=1e-3)


def test_what_cancels_for_a_while_is_turned_for_that_while() -> None:
    right = A.copy()
    right[RATE // 2 : RATE] *= -1
    np.testing.assert_allclose(mixed([A, right]), A, atol=1e-6)


@pytest.mark.parametrize("block", [1, 777, 4_000, 10_001])
def test_blocks_change_nothing(block: int) -> None:
    right = A.copy()
    right[3_000:9_000] *= -1
    np.testing.assert_array_equal(mixed([A, right], block), mixed([A, right]))


def test_one_channel_is_passed_on() -> None:
    np.testing.assert_array_equal(mixed([A], 999), A.astype(np.float32))
    assert list(downmix(iter([np.zeros((0, 2), np.float32)]), RATE)) == []
