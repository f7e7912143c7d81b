"""From where to where two aligned sounds agree, and what speaks against it: values, both sides."""

from __future__ import annotations

import numpy as np
import pytest

from splitaudit.audio.verify import extent
from splitaudit.audio.verify.extent import FRAME, Aligned, Stretch, find

Run = tuple[int, float]


def frames(*runs: Run) -> np.ndarray:
    """So many times each value, one run after the other."""
    return np.concatenate([np.zeros(0), *(np.full(count, value) for count, value in runs)])


def aligned(*runs: Run, a: np.ndarray | None = None, b: np.ndarray | None = None) -> Aligned:
    """Frames that agree so well, of eight loudnesses in turn, heard in both or where told."""
    agreement = frames(*runs)
    loud = 1.0 + np.arange(len(agreement)) % 8
    heard = np.ones(len(agreement), bool)
    return Aligned(
        agreement, heard if a is None else a > 0, heard if b is None else b > 0, *[loud] * 2
    )


def ends(found: Stretch) -> tuple[int, int]:
    return found.start, found.end


@pytest.mark.parametrize(
    ("agreement", "expected"), [(0.04, (0, 0)), (0.06, (0, 40)), (0.5, (0, 40)), (-0.5, (0, 0))]
)
def test_half_of_the_least_agreement_begins_a_stretch(
    agreement: float, expected: tuple[int, int]
) -> None:
    found = find(aligned((40, agreement)))
    assert ends(found) == expected
    assert found.agreement == pytest.approx(agreement if expected[1] else 0)
    assert found.sure.sum() == found.shared.sum() == expected[1]


@pytest.mark.parametrize(("against", "told"), [(0, 0), (3, 0), (4, 4), (30, 30), (200, 200)])
@pytest.mark.parametrize("agreement", [1.0, 0.5])
def test_a_stretch_goes_on_to_the_end_unless_frames_speak_against_it(
    agreement: float, against: int, told: int
) -> None:
    """Three of the best agreement missed do not."""
    last = find(aligned((48, agreement), (against, 0.0)))
    first = find(aligned((against, 0.0), (48, agreement)))
    assert ends(last) == (0, 48 + against - told)
    assert ends(first) == (told, 48 + against)
    assert last.agreement == first.agreement == agreement
    assert last.sure.tolist() == (frames((48, 1), (against, 0)) > 0).tolist()
    assert last.shared.sum() == 48 + against - told


@pytest.mark.parametrize(("against", "told"), [(0.26, 6), (0.24, 0)])
def test_what_agrees_a_little_speaks_a_little_against(against: float, told: int) -> None:
    """It misses a half of an expected agreement of 1: six times 0.24 or 0.26, three times 0.5."""
    assert ends(find(aligned((48, 1.0), (6, against)))) == (0, 48 + told)


def test_silence_adds_nothing() -> None:
    heard = frames((20, 1), (30, 0), (20, 1), (40, 0))
    found = find(aligned((20, 0.8), (30, -0.9), (20, 0.8), (40, -0.9), a=heard, b=heard))
    assert ends(found) == (0, 110)
    assert found.agreement == pytest.approx(0.8)
    assert found.sure.tolist() == (heard > 0).tolist()
    assert found.shared.all()


@pytest.mark.parametrize("side", ["a", "b"])
def test_what_one_of_them_has_alone_speaks_against(side: str) -> None:
    found = find(aligned((48, 0.8), (40, 0.0), **{side: frames((48, 1), (40, 0))}))
    assert ends(found) == (0, 48)


def test_what_is_expected_settles_in_three_rounds() -> None:
    """Each round drops what agrees less than half as well as the mean of what is left."""
    found = find(aligned((8, 0.9), (8, 0.45), (8, 0.25), (8, 0.2), (24, 0.1)))
    assert ends(found) == (0, 24)
    assert found.agreement == pytest.approx((0.9 + 0.45 + 0.25) / 3)


@pytest.mark.parametrize(("patched", "lost"), [(37, 0), (43, 13), (47, 15), (100, 66)])
def test_a_patch_of_most_of_a_second_is_not_shared(patched: int, lost: int) -> None:
    found = find(aligned((100, 1.0), (patched, 0.0), (100, 1.0)))
    assert ends(found) == (0, 200 + patched)
    assert (~found.shared).sum() == pytest.approx(lost, abs=1)
    assert found.sure.all()


def test_beyond_the_sounds_nothing_speaks_against_a_frame() -> None:
    heard = frames((40, 0), (7, 1))
    found = find(aligned((40, 0.0), (4, 1.0), (3, 0.0), a=heard, b=heard))
    assert ends(found) == (0, 47)
    assert found.shared.all()


def test_of_what_is_quiet_less_is_expected() -> None:
    """Eight groups of two, by loudness; between their means a line, beyond them no more."""
    loudness = np.arange(16.0)
    power = 10 ** (loudness / 10)
    given = Aligned(loudness / 16, *[np.ones(16, bool)] * 2, power, power)
    expected = extent._expected_agreement(given, np.ones(16, bool))
    assert expected == pytest.approx(np.clip(loudness, 0.5, 14.5) / 16)


def test_what_is_louder_is_never_expected_to_agree_less() -> None:
    power = 10 ** (np.arange(8.0) / 10)
    fall = np.array([-0.2, 0.1, 0.6, 0.4, 0.5, 0.2, 0.7, 0.3])
    given = Aligned(fall, *[np.ones(8, bool)] * 2, power, power)
    expected = extent._expected_agreement(given, np.ones(8, bool))
    assert expected == pytest.approx([0, 0.1, 0.6, 0.6, 0.6, 0.6, 0.7, 0.7])


def test_a_frame_is_as_loud_as_in_the_louder_sound() -> None:
    """Where both are, b is 3 dB louder; what else is in a is held against b by that."""
    a = np.array([1.0, 2.0, 4.0, 4.0, 1.0])
    b = np.array([2.0, 4.0, 8.0, 1.0, 5.0])
    given = Aligned(np.array([0.1, 0.4, 0.8, 0, 0]), *[np.ones(5, bool)] * 2, a, b)
    expected = extent._expected_agreement(given, np.arange(5) < 3)
    between = 0.4 + 0.4 * np.log2(5 / 4)
    assert expected == pytest.approx([0.1, 0.4, 0.8, 0.8, between], abs=1e-6)


# Frames


def test_power_is_the_mean_of_whole_frames() -> None:
    samples = np.repeat([1.0, -3.0, 9.0], [FRAME, FRAME, 300]).astype(np.float32)
    assert extent.frame_power(samples).tolist() == [1.0, 9.0]
    assert extent.frame_power(samples[:319]).tolist() == []


@pytest.mark.parametrize(("below_db", "active"), [(44.9, True), (45.1, False)])
def test_silence_is_45_db_below_the_loud_parts(below_db: float, active: bool) -> None:
    """Of which a twentieth may be louder still."""
    quiet = 10 ** (-below_db / 10)
    few = frames((4, 1e3), (95, 1.0), (1, quiet))
    many = frames((6, 1.0), (93, 1e-3), (1, quiet))
    assert extent.active_frames(few).tolist() == [True] * 99 + [active]
    assert extent.active_frames(many)[-1] == active


@pytest.mark.parametrize(("level_db", "active"), [(-74.9, True), (-75.1, False)])
def test_some_silence_is_silence_wherever_it_is(level_db: float, active: bool) -> None:
    assert extent.active_frames(np.full(9, 10 ** (level_db / 10))).all() == active
    assert extent.active_frames(np.zeros(0)).tolist() == []


def test_frames_agree_from_minus_one_to_one() -> None:
    """A frame of less than a tenth of the energy counts as much as it has."""
    rng = np.random.default_rng(0)
    one = rng.choice([-1.0, 1.0], (5, FRAME)).astype(np.float32)
    other = one.copy()
    other[1] *= -2
    other[2, : FRAME // 4] *= -1
    other[3] *= 0.05
    other[4] *= 0.2
    found = extent.agreement(one.ravel(), np.append(other.ravel(), one[0, :100]))
    assert found == pytest.approx([1, -1, 0.5, 0.5, 1], abs=1e-5)
    assert extent.agreement(one[0, :5], one[0]).tolist() == []
