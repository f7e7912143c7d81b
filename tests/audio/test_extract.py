"""What is said of a sound once it was read: whole or not, silent, short, or fit to be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sound_files import write_pcm

from splitaudit.audio.decode.stream import Format, Reading, truncation_reason
from splitaudit.audio.fingerprint import extract
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE, Sound
from splitaudit.engine import jobs


def reading(frames: int, declared_s: float | None = None, *faults: str) -> Reading:
    """A reading at 16 kHz that has come to its end."""
    return Reading(Format(RATE, 1, 16, True, declared_s), iter(()), list(faults), frames)


@pytest.mark.parametrize(
    ("frames", "degenerate", "silent", "status"),
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
    frames: int, degenerate: bool, silent: bool, status: str
) -> None:
    found, reason = extract._status(reading(frames), degenerate, silent)
    assert found == status
    assert (reason is None) == (status == "ok")


def test_each_reason_says_what_is_the_matter() -> None:
    said = [
        extract._status(reading(1_280), True, False),
        extract._status(reading(RATE), True, True),
        extract._status(reading(RATE), True, False),
        extract._status(reading(RATE, 2.0), True, True),
    ]
    assert said == [
        ("unsupported", "0.08 s is too short: compared as an equal copy only"),
        ("degenerate", "silence"),
        ("degenerate", "too quiet or too steady to compare"),
        ("truncated", "decodes to 1.00 s of 2.00 s declared"),
    ]


@pytest.mark.parametrize(
    ("declared_s", "lost_s", "whole"),
    [(10.0, 0.149, True), (10.0, 0.151, False), (300.0, 0.299, True), (300.0, 0.301, False)],
)
def test_a_last_frame_may_be_dropped(declared_s: float, lost_s: float, whole: bool) -> None:
    """0.15 s, or a thousandth of what the file declares."""
    frames = round((declared_s - lost_s) * RATE)
    said = f"decodes to {declared_s - lost_s:.2f} s of {declared_s:.2f} s declared"
    assert truncation_reason(reading(frames, declared_s)) == (None if whole else said)
    assert extract._status(reading(frames, declared_s), False, False)[0] == (
        "ok" if whole else "truncated"
    )


def test_what_is_missing_is_said_before_any_fault_and_faults_once() -> None:
    assert truncation_reason(reading(RATE, 1.0, "torn", "odd", "torn")) == "torn; odd"
    assert "declared" in (truncation_reason(reading(RATE, 2.0, "torn")) or "")
    assert truncation_reason(reading(2 * RATE, 1.0)) is None
    assert truncation_reason(reading(RATE)) is None


def row_of(path: Path, sound: Sound) -> dict[str, object]:
    write_pcm(path, sound, "PCM_24" if path.suffix == ".wav" else None)
    return extract._fingerprint_file(
        jobs.File(str(path), None, None, jobs.signature(str(path)), "content")
    )


@pytest.mark.parametrize(("steps", "silent"), [(5, True), (6, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_silence_is_what_never_exceeds_75_db_below_full_scale(
    tmp_path: Path, sign: int, steps: int, silent: bool
) -> None:
    """Of 16 bits five steps lie below it, six above."""
    sound = np.zeros(RATE, np.float32)
    sound[100] = sign * steps / 32_767
    row = row_of(tmp_path / "a.wav", sound)
    assert row["silent"] == silent
    said = "silence" if silent else "too quiet or too steady to compare"
    assert (row["status"], row["error"]) == ("degenerate", said)


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
