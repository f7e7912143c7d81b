"""Stretches of one file are what they are in the whole, and cost no more than the whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sound_files import RATE, write_av, write_pcm

from splitaudit.audio.decode import ffmpeg, libsndfile, tape
from splitaudit.audio.decode import sounds as audio
from splitaudit.audio.decode.stream import Reading
from splitaudit.demo import sounds

SOUND = np.concatenate([sounds.speech_like(1, 6.0), sounds.music_like(2, 6.0)])
ORDER = [(2.0, 3.0), (2.5, 4.5), (11.0, None), (None, 0.25), (7.123, 9.001), (0.0, 12.0)]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(ffmpeg, "BLOCK_SAMPLES", 5_000)
    monkeypatch.setattr(libsndfile, "BLOCK_SAMPLES", 5_000)
    tape._TAPES.last.clear()
    yield
    tape._TAPES.last.clear()


def written(path: Path, sound: np.ndarray = SOUND) -> str:
    lossless = path.suffix in (".wav", ".flac", ".ogg", ".aiff", ".au")
    return str((write_pcm if lossless else write_av)(path, sound))


@pytest.mark.parametrize("kept", [1 << 30, 100_000])
@pytest.mark.parametrize("ending", ["wav", "flac", "aiff", "au", "mp3", "m4a", "ogg", "opus"])
def test_stretches_in_any_order_are_those_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, kept: int
) -> None:
    monkeypatch.setattr(tape, "KEPT_BYTES", kept)
    path = written(tmp_path / f"a.{ending}")
    whole = np.concatenate(list(audio.open_audio(path).blocks))
    rate = audio.open_audio(path).format.sample_rate
    for start, end in ORDER:
        reading = audio.open_audio(path, start, end)
        part = np.concatenate(list(reading.blocks))
        last = None if end is None else round(end * rate)
        np.testing.assert_array_equal(part, whole[round((start or 0) * rate) : last])
        assert not reading.faults


@pytest.mark.parametrize("ending", ["wav", "flac", "m4a", "opus"])
def test_a_stretch_is_heard_at_the_rate_of_all_others(tmp_path: Path, ending: str) -> None:
    """Opus is decoded at 48 kHz; the resampler takes plain arrays only."""
    path = written(tmp_path / f"a.{ending}")
    whole = audio.load(path)
    part = audio.load(path, 2.0, 3.0)
    heard = whole[round(2.1 * RATE) : round(2.9 * RATE)]  # but the ends, where filters begin
    lag = np.argmax(np.correlate(part, heard, "valid"))
    assert abs(lag - 0.1 * RATE) <= 1
    np.testing.assert_allclose(part[lag : lag + len(heard)], heard, atol=0.01)


@pytest.mark.parametrize("ending", ["mp3", "ogg"])
def test_a_file_is_opened_once_for_all_its_stretches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    path = written(tmp_path / f"a.{ending}")
    opened: list[str] = []
    real = audio._open_whole

    def counted(path: str) -> Reading:
        opened.append(path)
        return real(path)

    monkeypatch.setattr(audio, "_open_whole", counted)
    for start in (5.0, 0.0, 2.0, 10.0, 1.0):
        assert len(audio.load(path, start, start + 1.0)) == RATE
    assert opened == [path]


def test_threads_that_read_one_file_do_not_mix_its_stretches(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp3")
    whole = np.concatenate(list(audio.open_audio(path).blocks))

    def read(k: int) -> bool:
        start = 0.1 * (k * 7 % 80)
        part = np.concatenate(list(audio.open_audio(path, start, start + 2.0).blocks))
        first = round(start * RATE)
        return np.array_equal(part, whole[first : first + len(part)]) and len(part) == 2 * RATE

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(60)))


def test_a_file_that_was_changed_is_read_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mp3")
    before = audio.load(path, 1.0, 2.0)
    written(tmp_path / "a.mp3", SOUND[::-1])
    assert not np.array_equal(audio.load(path, 1.0, 2.0), before)


def test_only_a_few_files_are_kept(tmp_path: Path) -> None:
    for k in range(6):
        audio.load(written(tmp_path / f"{k}.mp3", SOUND[: 2 * RATE]), 0.5, 1.0)
    assert len(tape._TAPES.last) == tape.KEPT_TAPES
