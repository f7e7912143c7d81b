"""A lossy file and its own decode are one sound, whichever of two decoders made it."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from sound_files import write_av, write_pcm

from splitaudit.audio.fingerprint import extract
from splitaudit.audio.medium import Sounds
from splitaudit.demo import sounds
from splitaudit.engine import jobs
from splitaudit.engine.progress import Quiet
from splitaudit.engine.stages import Settings, StageLog

SOUND = sounds.speech_like(1, 3.0)


def by_ffmpeg(path: Path) -> tuple[np.ndarray, int]:
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        return np.concatenate(frames), container.streams.audio[0].rate


def keep(path: Path, decoded: np.ndarray, rate: int) -> Path:
    kept = np.clip(np.rint(decoded * 32768), -32768, 32767).astype(np.int16)
    soundfile.write(path, kept, rate)
    return path


@pytest.mark.parametrize("ending", ["ogg", "opus"])
def test_both_decoded_copies_have_the_samples_of_the_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    (write_pcm if ending == "ogg" else write_av)(path, SOUND)
    one = keep(tmp_path / "ffmpeg.wav", *by_ffmpeg(path))
    other = keep(tmp_path / "libsndfile.wav", *soundfile.read(path, dtype="float32"))
    others = write_pcm(tmp_path / "third.wav", sounds.music_like(1, 1.0))
    files = {
        str(p): jobs.File(str(p), None, None, jobs.signature(str(p)), str(p))
        for p in (path, one, other, others)
    }
    settings = Settings(tmp_path / "cache", 1)
    Sounds().extract(files, settings, StageLog(Quiet()))
    same = Sounds().known(files, settings)["same_id"]
    assert same[str(path)] == same[str(one)] == same[str(other)] != same[str(others)]


def test_what_has_one_decoder_has_no_twin(tmp_path: Path) -> None:
    for path in (write_pcm(tmp_path / "a.wav", SOUND), write_av(tmp_path / "a.m4a", SOUND)):
        file = jobs.File(str(path), None, None, jobs.signature(str(path)), "content")
        assert extract._fingerprint_file(file)["twin_id"] is None
