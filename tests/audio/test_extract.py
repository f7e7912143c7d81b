"""What is said of a sound once it was read: whole or not, silent, short, or fit to be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from sound_files import write_pcm

from splitaudit.audio.decode.levels import Moments
from splitaudit.audio.decode.stream import Format, Reading, truncation_reason
from splitaudit.audio.fingerprint import extract
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound
from splitaudit.engine import jobs


def reading(
    frames: int, declared_s: float | None = None, *faults: str, silent: bool = False
) -> Reading:
    """A reading at 16 kHz that has come to its end."""
    found = Reading(Format(RATE, 1, 16, True, declared_s), iter(()), list(faults), frames)
    block = np.zeros((2, 1), np.float32) if silent else np.float32([[0.5], [-0.5]])
    found.levels.add(block, np.int32(block * (1 << 23)), True)
    found.mixed.add(block[:, 0])
    return found


def status(found: Reading, degenerate: bool, within: float = 1.0) -> tuple[str, str | None]:
    """What is said of a reading of which so much of the energy lies where sounds are compared."""
    compared = Moments(samples=2, energy=found.mixed.energy * within)
    return extract._status(found, degenerate, compared)


@pytest.mark.parametrize(
    ("frames", "degenerate", "silent", "expected"),
    [
        (1_599, False, False, "unsupported"),
        (1_600, False, False, "ok"),
        (1_600, True, False, "degenerate"),
        (1_599, True, False, "unsupported"),
        (1_599, True, True, "degenerate"),
        (9_999, False, True, "degenerate"),
    ],
)
def test_a_tenth_of_a_second_is_compared(
    frames: int, degenerate: bool, silent: bool, expected: str
) -> None:
    found, reason = status(reading(frames, silent=silent), degenerate)
    assert found == expected
    assert (reason is None) == (expected == "ok")


def test_each_reason_says_what_is_the_matter() -> None:
    said = [
        status(reading(1_280), True),
        status(reading(RATE, silent=True), True),
        status(reading(RATE), True),
        status(reading(RATE, 2.0, silent=True), True),
        status(reading(RATE), False, 0.0004),
    ]
    assert said == [
        ("unsupported", "0.08 s is too short: compared as an equal copy only"),
        ("degenerate", "silence"),
        ("degenerate", "too quiet or too steady to compare"),
        ("truncated", "decodes to 1.00 s of 2.00 s declared"),
        (
            "unsupported",
            "99.96% of its energy lies above 8 kHz: compared as an equal copy only",
        ),
    ]


@pytest.mark.parametrize(
    ("within", "degenerate", "expected"),
    [
        (0.0011, False, "ok"),
        (0.0009, False, "unsupported"),
        (0.51, True, "degenerate"),
        (0.49, True, "unsupported"),
        (0.0, True, "unsupported"),
    ],
)
def test_what_lies_above_the_band_was_not_looked_at(
    within: float, degenerate: bool, expected: str
) -> None:
    assert status(reading(RATE), degenerate, within)[0] == expected


@pytest.mark.parametrize(
    ("declared_s", "lost_s", "whole"),
    [(10.0, 0.149, True), (10.0, 0.151, False), (300.0, 0.299, True), (300.0, 0.301, False)],
)
def test_a_last_frame_may_be_dropped(declared_s: float, lost_s: float, whole: bool) -> None:
    """0.15 s, or a thousandth of what the file declares."""
    frames = round((declared_s - lost_s) * RATE)
    said = f"decodes to {declared_s - lost_s:.2f} s of {declared_s:.2f} s declared"
    assert truncation_reason(reading(frames, declared_s)) == (None if whole else said)
    assert status(reading(frames, declared_s), False)[0] == ("ok" if whole else "truncated")


def test_what_is_missing_is_said_before_any_fault_and_faults_once() -> None:
    assert truncation_reason(reading(RATE, 1.0, "torn", "odd", "torn")) == "torn; odd"
    assert "declared" in (truncation_reason(reading(RATE, 2.0, "torn")) or "")
    assert truncation_reason(reading(2 * RATE, 1.0)) is None
    assert truncation_reason(reading(RATE)) is None


def row_of(path: Path, sound: Sound) -> dict[str, object]:
    write_pcm(path, sound, "PCM_24" if path.suffix == ".wav" else None)
    return facts(path)


def facts(path: Path) -> dict[str, object]:
    return extract._fingerprint_file(
        jobs.File(str(path), None, None, jobs.signature(str(path)), "content")
    )


@pytest.mark.parametrize(("steps", "silent"), [(4, True), (5, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_silence_is_what_stays_within_four_steps_of_the_file(
    tmp_path: Path, sign: int, steps: int, silent: bool
) -> None:
    sound = np.zeros(RATE, np.float32)
    sound[100] = sign * steps / 32_767
    row = row_of(tmp_path / "a.wav", sound)
    assert row["silent"] == silent
    said = "silence" if silent else None
    assert (row["status"], row["error"]) == ("degenerate" if silent else "ok", said)


def test_a_quiet_sound_gives_the_patches_of_a_loud_one(tmp_path: Path) -> None:
    """Sixteen bits that nobody turned up, and the volts of a sensor."""
    sound = sounds.speech_like(2, 3.0)
    loud = row_of(tmp_path / "a.wav", sound)
    for name, scale in (("b.wav", 1e-4), ("c.wav", 1e-12), ("d.wav", 1e4)):
        soundfile.write(tmp_path / name, sound * scale, RATE, subtype="FLOAT")
        quiet = facts(tmp_path / name)
        assert (quiet["status"], quiet["silent"]) == ("ok", False)
        ours, theirs = (np.reshape(row["vectors"], (-1, 64)) / 256.0 for row in (loud, quiet))
        assert abs(len(ours) - len(theirs)) <= 2
        assert np.median((ours @ theirs.T).max(axis=1)) > 0.99


@pytest.mark.parametrize("scale", [1e12, 1e30, 3e38])
def test_what_is_far_too_large_is_no_sound(tmp_path: Path, scale: float) -> None:
    sound = sounds.speech_like(2, 1.0)
    soundfile.write(tmp_path / "a.wav", sound / abs(sound).max() * scale, RATE, subtype="FLOAT")
    row = facts(tmp_path / "a.wav")
    assert row["status"] == "unsupported"
    assert row["error"] == f"samples as large as {scale:.2g}: scale them to -1 to 1"


def test_a_sound_that_cancels_is_described(tmp_path: Path) -> None:
    sound = sounds.speech_like(2, 3.0)
    soundfile.write(tmp_path / "a.wav", sound, RATE)
    soundfile.write(tmp_path / "b.wav", np.stack([sound, -sound], 1), RATE)
    one, other = facts(tmp_path / "a.wav"), facts(tmp_path / "b.wav")
    assert (other["status"], other["silent"]) == ("ok", False)
    assert np.abs(np.subtract(one["vectors"], other["vectors"], dtype=int)).max() < 20


def test_sounds_above_hearing_are_unsupported(tmp_path: Path) -> None:
    at = np.arange(96_000) / 192_000
    call = np.sin(2 * np.pi * (30_000 * at + 40_000 * at**2)) * np.hanning(len(at))
    soundfile.write(tmp_path / "a.wav", call / 2, 192_000)
    row = facts(tmp_path / "a.wav")
    assert (row["status"], row["silent"]) == ("unsupported", False)
    assert str(row["error"]).endswith(
        "of its energy lies above 8 kHz: compared as an equal copy only"
    )


@pytest.mark.parametrize(("n", "status"), [(1_599, "unsupported"), (1_600, "ok")])
def test_of_a_short_file_it_is_said(tmp_path: Path, n: int, status: str) -> None:
    sound = sounds.speech_like(2, 3.0)[RATE:][:n]
    row = row_of(tmp_path / "a.wav", sound)
    assert row["status"] == status
    assert row["duration_s"] == n / RATE


def test_a_row_holds_what_was_read(tmp_path: Path) -> None:
    sound = sounds.speech_like(2, 1.0)
    row = row_of(tmp_path / "a.wav", sound)
    names = ("duration_s", "sample_rate", "channels", "bit_depth", "lossless", "holds_frames")
    assert [row[name] for name in names] == [1.0, RATE, 1, 24, True, False]
    assert (row["status"], row["error"], row["silent"]) == ("ok", None, False)
    assert len(row["vectors"]) == 64 * len(row["frames"])  # type: ignore[arg-type]


def test_a_file_that_holds_nothing_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"")
    row = extract._fingerprint_file(
        jobs.File(str(path), None, None, jobs.signature(str(path)), "content")
    )
    assert row == {"status": "unreadable", "error": "the file is empty", "silent": True}
    path.write_bytes(b"x")
    row = extract._fingerprint_file(
        jobs.File(str(path), None, None, jobs.signature(str(path)), "content")
    )
    assert (row["status"], row["silent"]) == ("unreadable", False)


def test_a_file_without_samples_is_unreadable(tmp_path: Path) -> None:
    row = row_of(tmp_path / "a.wav", np.zeros(0, np.float32))
    assert (row["status"], row["error"]) == ("unreadable", "no sound could be decoded")
