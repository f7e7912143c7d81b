"""Every container is read in full, and what cannot be read says why."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sound_files as files
import soundfile
from sound_files import RATE, write_av, write_pcm

from splitaudit.audio.decode import ffmpeg, libsndfile
from splitaudit.audio.decode import sounds as audio
from splitaudit.audio.decode.ffmpeg import NO_SOUND
from splitaudit.audio.decode.stream import Reading, truncation_reason
from splitaudit.audio.fingerprint.patches import CONTEXT, SEGMENT, PatchFingerprint, pad_silence
from splitaudit.demo import sounds
from splitaudit.errors import MediaError

SOUND = sounds.speech_like(1, 3.0)
LOSSLESS = {  # name: subtype of libsndfile
    "u8.wav": "PCM_U8",
    "16.wav": "PCM_16",
    "24.wav": "PCM_24",
    "32.wav": "PCM_32",
    "float.wav": "FLOAT",
    "double.wav": "DOUBLE",
    "16.flac": "PCM_16",
    "24.flac": "PCM_24",
    "16.aiff": "PCM_16",
    "16.caf": "PCM_16",
    "24.caf": "PCM_24",
}


def read(path: Path, start_s: float | None = None, end_s: float | None = None) -> Reading:
    """Return a reading that has come to its end."""
    reading = audio.open_audio(str(path), start_s, end_s)
    for _ in reading.mono():
        pass
    return reading


def samples_id(path: Path) -> str:
    return read(path).samples_id


def fault(path: Path) -> str:
    return truncation_reason(read(path)) or ""


def refusal(path: Path, start_s: float | None = None) -> tuple[str, str]:
    with pytest.raises(MediaError) as caught:
        audio.open_audio(str(path), start_s)
    return caught.value.status, caught.value.reason


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_is_read_to_the_sample(tmp_path: Path, name: str) -> None:
    reading = read(write_pcm(tmp_path / name, SOUND, LOSSLESS[name]))
    assert reading.frames == len(SOUND)
    assert (reading.format.sample_rate, reading.format.channels) == (RATE, 1)
    assert reading.format.lossless
    assert truncation_reason(reading) is None


@pytest.mark.parametrize("name", [*files.AV_CODECS, "vorbis.ogg"])
def test_lossy_is_read_to_its_end(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"sound{name}"
    reading = read(write_pcm(path, SOUND) if name == "vorbis.ogg" else write_av(path, SOUND))
    padding = 0.08 if name == ".aac" else 0.03  # ADTS cannot say what the encoder put in front
    assert reading.duration_s == pytest.approx(3.0, abs=padding)
    assert truncation_reason(reading) is None
    assert reading.format.lossless == (name == ".mka")  # which holds FLAC


@pytest.mark.parametrize("name", sorted(set(LOSSLESS) - {"u8.wav"}))
def test_equal_samples_have_one_id_in_every_container(tmp_path: Path, name: str) -> None:
    reference = samples_id(write_pcm(tmp_path / "reference.wav", SOUND))
    assert samples_id(write_pcm(tmp_path / name, SOUND, LOSSLESS[name])) == reference
    assert samples_id(write_av(tmp_path / "by_ffmpeg.mka", SOUND)) == reference
    changed = SOUND.copy()
    changed[1000] += 1 / 16384
    assert samples_id(write_pcm(tmp_path / name, changed, LOSSLESS[name])) != reference


def test_id_tells_rate_and_channels(tmp_path: Path) -> None:
    ids = {samples_id(write_pcm(tmp_path / "a.wav", SOUND, rate=rate)) for rate in (RATE, 8_000)}
    soundfile.write(tmp_path / "b.wav", np.stack([SOUND, SOUND], axis=1), RATE)
    assert len(ids | {samples_id(tmp_path / "b.wav")}) == 3


def test_a_lossy_file_equals_its_decoded_copy(tmp_path: Path) -> None:
    mp3 = write_av(tmp_path / "a.mp3", SOUND)
    decoded = np.concatenate(list(audio.open_audio(str(mp3)).blocks))
    kept = np.clip(np.rint(decoded * 32768), -32768, 32767).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", kept, RATE)
    assert samples_id(tmp_path / "a.wav") == samples_id(mp3)


def test_24_bits_are_not_rounded_to_16(tmp_path: Path) -> None:
    fine = np.rint(SOUND * 8_000_000) / 2**23
    soundfile.write(tmp_path / "a.wav", fine, RATE, subtype="PCM_24")
    soundfile.write(tmp_path / "b.flac", fine, RATE, subtype="PCM_24")
    soundfile.write(tmp_path / "c.wav", fine, RATE, subtype="PCM_16")
    ids = [samples_id(tmp_path / name) for name in ("a.wav", "b.flac", "c.wav")]
    assert ids[0] == ids[1] != ids[2]


def test_several_amr_frames_in_a_packet_are_all_decoded(tmp_path: Path) -> None:
    single = write_av(tmp_path / "one.3gp", SOUND)
    sixes = files.write_amr_in_sixes(tmp_path / "six.3gp", SOUND)
    assert abs(len(audio.load(str(sixes))) - len(audio.load(str(single)))) < 0.06 * RATE
    assert fault(sixes) == ""


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.m4a"])
def test_a_stretch_is_that_part_of_the_whole(tmp_path: Path, name: str) -> None:
    lossless = name in ("a.wav", "a.flac")
    path = (write_pcm if lossless else write_av)(tmp_path / name, SOUND)
    whole = audio.load(str(path))
    for start, end in ((1.0, 2.0), (None, 0.5), (2.5, None), (0.25, 2.75)):
        part = audio.load(str(path), start, end)
        first, last = round((start or 0) * RATE), round((end or 9) * RATE)
        np.testing.assert_array_equal(part, whole[first:last])
        assert truncation_reason(read(path, start, end)) is None


def test_a_stretch_of_a_truncated_file_is_told_truncated(tmp_path: Path) -> None:
    path = files.truncate(write_av(tmp_path / "a.mp3", SOUND), 0.5)
    assert "declared" in (truncation_reason(read(path, 1.0, 3.0)) or "")
    assert truncation_reason(read(path, 0.25, 1.0)) is None


def test_a_stretch_behind_the_end_says_so(tmp_path: Path) -> None:
    path = write_pcm(tmp_path / "a.wav", SOUND)
    reason = "the stretch begins at 3.5 s, the file ends at 3 s"
    assert refusal(path, 3.5) == ("unreadable", reason)
    assert read(path, 2.5, 9.0).duration_s == pytest.approx(0.5)


TRUNCATED: dict[str, Callable[[Path], Path]] = {
    "xing.mp3": lambda path: write_av(path, SOUND),
    "faststart.m4a": lambda path: write_av(path, SOUND, {"movflags": "faststart"}),
    "faststart.3gp": lambda path: write_av(path, SOUND, {"movflags": "faststart"}),
    "a.opus": lambda path: write_av(path, SOUND),
    "a.webm": lambda path: write_av(path, SOUND),
    "a.mka": lambda path: write_av(path, SOUND),
    "a.wma": lambda path: write_av(path, SOUND),
    "a.ogg": lambda path: write_pcm(path, SOUND),
    "a.flac": lambda path: write_pcm(path, SOUND),
    "a.wav": lambda path: write_pcm(path, SOUND),
    "a.aiff": lambda path: write_pcm(path, SOUND),
    "a.caf": lambda path: write_pcm(path, SOUND),
}


@pytest.mark.parametrize("name", TRUNCATED)
def test_what_is_cut_off_is_missed_and_the_rest_is_read(tmp_path: Path, name: str) -> None:
    path = TRUNCATED[name](tmp_path / name)
    whole = audio.load(str(path))
    assert fault(path) == ""
    rest = audio.load(str(files.truncate(path, 0.6)))
    assert fault(path)
    # pages of Ogg hold a second and more: the last whole one ends earlier
    assert (0.2 if name in ("a.opus", "a.ogg") else 0.5) * len(whole) < len(rest) < 0.7 * len(whole)
    np.testing.assert_allclose(rest[:8000], whole[:8000], atol=1e-3)


def test_an_mp3_without_xing_header_declares_nothing(tmp_path: Path) -> None:
    """Of a stream without a container FFmpeg only guesses how long it is."""
    path = write_av(tmp_path / "a.mp3", SOUND, {"write_xing": "0"})
    assert fault(path) == ""
    assert audio.open_audio(str(path)).format.declared_s is None
    assert read(files.truncate(path, 0.6)).duration_s == pytest.approx(1.8, abs=0.15)


@pytest.mark.parametrize("name", ["a.aac", "a.amr", "a.mp3"])
def test_a_guessed_length_is_no_declared_one(tmp_path: Path, name: str) -> None:
    """Seconds of silence, in which the bit rate falls, make FFmpeg guess far too much."""
    quiet_first = np.concatenate([sounds.silence(4.0), SOUND, SOUND])
    path = write_av(tmp_path / name, quiet_first, {"write_xing": "0"} if name == "a.mp3" else {})
    assert fault(path) == ""
    assert read(path).duration_s == pytest.approx(10.0, abs=0.2)


def test_an_m4a_without_its_index_is_unreadable(tmp_path: Path) -> None:
    status, reason = refusal(files.truncate(write_av(tmp_path / "a.m4a", SOUND), 0.6))
    assert status == "unreadable"
    assert reason.startswith("no sound file: ")


def wav(path: Path, declared: int, tail: bytes = b"") -> Path:
    path.write_bytes(files.wav_bytes(files.as_int16(SOUND).tobytes(), declared) + tail)
    return path


BYTES = 2 * len(SOUND)


@pytest.mark.parametrize(
    ("declared", "said", "decoded"),
    [
        (2 * BYTES, f"declares {2 * BYTES:,} bytes of 'data', not {BYTES:,}", 3.0),
        (BYTES // 2, f"accounts for {44 + BYTES // 2:,} of {44 + BYTES:,} bytes", 1.5),
        (0, "", 3.0),  # these two are what programs write that write to a pipe
        (2**32 - 1, "", 3.0),
        (BYTES, "", 3.0),
    ],
)
def test_a_wav_header_that_lies_is_found_out(
    tmp_path: Path, declared: int, said: str, decoded: float
) -> None:
    reading = read(wav(tmp_path / "a.wav", declared))
    assert said in (truncation_reason(reading) or "")
    assert (truncation_reason(reading) is None) == (not said)
    assert reading.duration_s == pytest.approx(decoded)


def test_a_tag_behind_the_sound_is_no_fault(tmp_path: Path) -> None:
    assert fault(wav(tmp_path / "a.wav", BYTES, b"TAG" + b"title".ljust(125, b"\0"))) == ""
    assert fault(wav(tmp_path / "b.wav", BYTES, bytes(64))) == ""


def test_a_short_wav_that_was_cut_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(files.wav_bytes(bytes(1000), BYTES))
    assert "declares" in fault(tmp_path / "a.wav")


def test_samples_that_are_no_numbers_are_silenced_and_told(tmp_path: Path) -> None:
    odd = SOUND.astype(np.float64)
    odd[100], odd[200], odd[300] = np.nan, np.inf, -np.inf
    soundfile.write(tmp_path / "a.wav", odd, RATE, subtype="FLOAT")
    assert fault(tmp_path / "a.wav") == "holds samples that are not finite"
    assert np.isfinite(audio.load(str(tmp_path / "a.wav"))).all()
    assert "/nan" not in samples_id(tmp_path / "a.wav")


def test_one_sample_and_none(tmp_path: Path) -> None:
    one = read(write_pcm(tmp_path / "one.wav", SOUND[:1]))
    none = read(write_pcm(tmp_path / "none.wav", SOUND[:0]))
    assert (one.frames, none.frames) == (1, 0)
    assert truncation_reason(one) is None
    assert len(audio.load(str(write_pcm(tmp_path / "a.wav", SOUND[:1], rate=44_100)))) <= 1


def test_200_channels_become_one(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.tile(SOUND[:1600, None], 200), RATE)
    reading = audio.open_audio(str(tmp_path / "a.wav"))
    mono = np.concatenate(list(reading.mono()))
    assert reading.format.channels == 200
    np.testing.assert_allclose(mono, files.as_int16(SOUND)[:1600] / 32768, atol=1e-4)


def test_4_hz_are_too_few(tmp_path: Path) -> None:
    status, reason = refusal(write_pcm(tmp_path / "a.wav", SOUND[:100], rate=4))
    assert status == "unsupported"
    assert "4 Hz" in reason


def test_other_rates_are_resampled(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100).astype(np.float32) / 2
    soundfile.write(tmp_path / "a.flac", tone, 44_100)
    found = audio.load(str(tmp_path / "a.flac"))
    expected = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE) / 2
    assert len(found) == RATE
    np.testing.assert_allclose(found[200:-200], expected[200:-200], atol=2e-3)


def test_what_is_no_sound_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    assert refusal(tmp_path / "empty.wav") == ("unreadable", "the file is empty")
    for name in ("text.wav", "text.mp3"):
        (tmp_path / name).write_text("Once upon a time there was no sound.\n" * 50)
        assert refusal(tmp_path / name)[0] == "unreadable"
    picture = files.write_jpeg(tmp_path / "picture.jpg").rename(tmp_path / "picture.wav")
    assert refusal(picture) == ("unsupported", NO_SOUND)
    assert refusal(tmp_path / "absent.wav") == ("missing", "there is no such file")
    assert refusal(tmp_path)[0] == "unreadable"


def test_a_list_of_other_files_is_not_followed(tmp_path: Path) -> None:
    write_pcm(tmp_path / "other.wav", SOUND)
    (tmp_path / "list.mp3").write_text("ffconcat version 1.0\nfile other.wav\n")
    assert refusal(tmp_path / "list.mp3") == ("unsupported", "a list of other files")


def test_a_codec_that_nothing_decodes_is_unsupported(tmp_path: Path) -> None:
    (tmp_path / "tag.wav").write_bytes(files.tagged_wav(SOUND))
    expected = "unsupported", "no decoder knows the codec of its sound"
    assert refusal(tmp_path / "tag.wav") == expected
    (tmp_path / "celt.ogg").write_bytes(files.celt_ogg())
    # FFmpeg of PyAV 19 does not even find the stream
    assert refusal(tmp_path / "celt.ogg") in (
        expected,
        ("unreadable", "no sound file: End of file"),
    )


def test_a_stream_of_broken_packets_ends(tmp_path: Path) -> None:
    (tmp_path / "speex.ogg").write_bytes(files.speex_ogg())
    assert fault(tmp_path / "speex.ogg")
    assert read(tmp_path / "speex.ogg").frames < RATE


def test_films_hold_frames_and_cover_pictures_are_none(tmp_path: Path) -> None:
    film = files.write_film(tmp_path / "film.mp4", SOUND)
    assert audio.open_audio(str(film)).format.holds_frames
    assert read(film).duration_s == pytest.approx(3.0, abs=0.03)
    assert refusal(files.write_film(tmp_path / "mute.mp4", None)) == ("unsupported", NO_SOUND)
    for name in ("cover.mp3", "cover.mp4"):
        covered = files.write_with_cover(tmp_path / name, SOUND)
        assert not audio.open_audio(str(covered)).format.holds_frames
        assert read(covered).duration_s == pytest.approx(3.0, abs=0.03)


def test_names_that_are_not_utf8_are_opened(tmp_path: Path) -> None:
    for ending in (".wav", ".mp3"):
        write = write_pcm if ending == ".wav" else write_av
        plain = write(tmp_path / f"plain{ending}", SOUND)
        odd = tmp_path / f"caf\udce9 \U0001f3b5\n[b]{ending}"
        odd.write_bytes(plain.read_bytes())
        assert samples_id(odd) == samples_id(plain)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3"])
@pytest.mark.parametrize("rate", [RATE, 44_100])
def test_block_size_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, rate: int
) -> None:
    path = write_av(tmp_path / name, SOUND) if name == "a.mp3" else None
    path = path or write_pcm(tmp_path / name, SOUND, rate=rate)
    found = set()
    for block in (1 << 21, 5000, 777):
        for reader in (ffmpeg, libsndfile):
            monkeypatch.setattr(reader, "BLOCK_SAMPLES", block)
        reading = audio.open_audio(str(path))
        prints = PatchFingerprint().fingerprint(
            audio.segments(pad_silence(reading.mono()), SEGMENT, CONTEXT)
        )
        found.add((reading.samples_id, prints.vectors.tobytes(), prints.frames.tobytes()))
    assert len(found) == 1


def test_long_sounds_are_the_same_from_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = np.array_split(SOUND, 7)
    monkeypatch.setattr(audio, "IN_MEMORY_SAMPLES", 10_000)
    spooled = audio.gather(iter(pieces))
    assert isinstance(spooled, np.memmap)
    np.testing.assert_array_equal(spooled, SOUND)


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_segments_overlap_by_their_context(pieces: int) -> None:
    sound = np.arange(48_000, dtype=np.float32)
    cut = list(audio.segments(iter(np.array_split(sound, pieces)), 10_000, 500))
    assert [start for start, _ in cut] == [0, 10_000, 20_000, 30_000, 40_000]
    for start, samples in cut:
        np.testing.assert_array_equal(samples, sound[start : start + len(samples)])
    assert all(len(samples) == 11_000 for _, samples in cut[:-1])
    assert cut[-1][0] + len(cut[-1][1]) == len(sound)


_FINGERPRINT_ONE = """
import resource, sys

from splitaudit.audio.decode import sounds
from splitaudit.audio.fingerprint.patches import (
    CONTEXT, SEGMENT, PatchFingerprint, pad_silence
)

def fingerprint(path):
    reading = sounds.open_audio(path)
    pieces = sounds.segments(pad_silence(reading.mono()), SEGMENT, CONTEXT)
    patches = len(PatchFingerprint().fingerprint(pieces).frames)
    return reading.duration_s, patches

fingerprint(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(*fingerprint(sys.argv[2]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_ten_minutes_need_the_memory_of_two(tmp_path: Path) -> None:
    """The ten are 106 MB of samples."""
    clip = np.tile(sounds.music_like(1, 10.0, 22_050)[:, None], (1, 2))
    for name, clips in (("short.flac", 12), ("long.flac", 60)):
        with soundfile.SoundFile(tmp_path / name, "w", 22_050, 2) as file:
            for _ in range(clips):
                file.write(clip)
    command = [sys.executable, "-c", _FINGERPRINT_ONE, tmp_path / "short.flac"]
    done = subprocess.run([*command, tmp_path / "long.flac"], capture_output=True, check=True)
    seconds, patches, more_kb = done.stdout.split()
    assert float(seconds) == pytest.approx(600)
    assert int(patches) > 5_000
    assert int(more_kb) < 30_000
