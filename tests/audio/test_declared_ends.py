"""All sound of a file is read, whatever its header declares, and what is lost is told."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path

import numpy as np
import pytest
import sound_files as files
import soundfile
from sound_files import RATE, write_av, write_pcm

from splitaudit.audio.decode import boxes, flac, mpeg
from splitaudit.audio.decode import sounds as audio
from splitaudit.audio.decode.containers import is_unknown_length
from splitaudit.audio.decode.flac import last_sample
from splitaudit.audio.decode.stream import Reading, truncation_reason
from splitaudit.demo import sounds

A, B = sounds.speech_like(1, 3.0), sounds.music_like(2, 2.0)


def read(path: Path) -> tuple[Reading, np.ndarray]:
    reading = audio.open_audio(str(path))
    pieces = list(reading.mono())
    return reading, np.concatenate(pieces)


def outcome(path: Path) -> tuple[float, str]:
    """Seconds that are read, and what is wrong with them."""
    reading, _ = read(path)
    return round(reading.duration_s, 2), truncation_reason(reading) or ""


def encoded(sound: np.ndarray, form: str, subtype: str | None = None, rate: int = RATE) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, sound, rate, format=form, subtype=subtype)
    return content.getvalue()


def put_together(path: Path, *contents: bytes) -> Path:
    path.write_bytes(b"".join(contents))
    return path


CHAINS = [("ogg", "OGG", "VORBIS"), ("opus", "OGG", "OPUS"), ("flac", "FLAC", None)]
CHAINS += [("wav", "WAV", None), ("aiff", "AIFF", None)]


@pytest.mark.parametrize(("ending", "form", "subtype"), CHAINS)
def test_sounds_put_one_behind_another_are_one(
    tmp_path: Path, ending: str, form: str, subtype: str | None
) -> None:
    parts = [encoded(sound, form, subtype) for sound in (A, B, A)]
    alone = [
        read(put_together(tmp_path / f"{k}.{ending}", part))[1] for k, part in enumerate(parts)
    ]
    path = put_together(tmp_path / f"all.{ending}", *parts)
    reading, samples = read(path)
    assert (round(reading.duration_s, 2), truncation_reason(reading)) == (8.0, None)
    if reading.format.sample_rate == RATE:
        np.testing.assert_array_equal(samples, np.concatenate(alone))


def test_a_stream_of_another_rate_behind_the_first_is_told(tmp_path: Path) -> None:
    parts = encoded(A, "OGG", "VORBIS"), encoded(B, "OGG", "VORBIS", 22_050)
    seconds, fault = outcome(put_together(tmp_path / "a.ogg", *parts))
    assert seconds == 3.0
    assert fault == (
        "1 of 2 sounds put one behind another were not read: "
        "they have another rate or other channels"
    )


@pytest.mark.parametrize("tagged", [True, False])
def test_two_mp3s_put_together_are_one(tmp_path: Path, tagged: bool) -> None:
    parts = [write_av(tmp_path / f"{k}.mp3", sound).read_bytes() for k, sound in enumerate((A, B))]
    if not tagged:
        parts = [part[part.index(b"\xff") :] for part in parts]
    seconds, fault = outcome(put_together(tmp_path / "all.mp3", *parts))
    assert (seconds, fault) == (5.0, "")


def declare(path: Path, samples: int) -> Path:
    """Overwrite how many samples the header of a FLAC file declares."""
    content = bytearray(path.read_bytes())
    rest = int.from_bytes(content[18:26], "big") >> 36 << 36
    content[18:26] = (rest | samples).to_bytes(8, "big")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("declared", [0, 1, RATE, 3 * RATE - 4096])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_flac_is_read_to_its_end_whatever_it_declares(
    tmp_path: Path, declared: int, subtype: str
) -> None:
    whole, samples = read(write_pcm(tmp_path / "a.flac", A, subtype))
    found, others = read(declare(write_pcm(tmp_path / "b.flac", A, subtype), declared))
    assert truncation_reason(found) is None
    assert found.samples_id == whole.samples_id
    np.testing.assert_array_equal(samples, others)


def test_flac_that_holds_less_than_it_declares_is_truncated(tmp_path: Path) -> None:
    assert outcome(write_pcm(tmp_path / "a.flac", A)) == (3.0, "")
    seconds, fault = outcome(declare(tmp_path / "a.flac", 6 * RATE))
    assert (seconds, "of 6.00 s declared" in fault) == (3.0, True)
    cut = files.truncate(declare(write_pcm(tmp_path / "b.flac", A), 0), 0.5)
    assert outcome(cut)[1]  # of which the last frame is cut


@pytest.mark.parametrize("rest", [1, 100, 192, 256, 257, 576, 3000])
def test_flac_may_end_with_a_block_of_any_size(tmp_path: Path, rest: int) -> None:
    sound = A[: 2 * 4096 + rest]
    path = declare(write_pcm(tmp_path / "a.flac", sound), 0)
    reading, samples = read(path)
    assert (len(samples), truncation_reason(reading)) == (len(sound), None)
    assert last_sample(str(path)) == len(sound)


STREAMED = [0, 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFF000, 0xFFFFFFFF - 36, 0x7FFFFFD4]


@pytest.mark.parametrize("declared", STREAMED)
def test_a_wav_that_was_written_to_a_pipe_is_whole(tmp_path: Path, declared: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(files.wav_bytes(files.as_int16(A).tobytes(), declared))
    assert outcome(path) == (3.0, "")


@pytest.mark.parametrize("declared", [2_000_000, 0x60000000, 0xC0000000])
def test_a_long_wav_that_was_cut_is_truncated(tmp_path: Path, declared: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(files.wav_bytes(files.as_int16(A).tobytes(), declared))
    assert "declares" in outcome(path)[1]


def test_what_lengths_are_unknown() -> None:
    assert all(is_unknown_length(length) for length in (*STREAMED, -1, 2**32 - 4096))
    assert not any(is_unknown_length(length) for length in (1, 44, 60_000, 10**9, 3 * 10**9))


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_an_aiff_that_was_written_to_a_pipe_is_whole(tmp_path: Path, declared: int) -> None:
    content = bytearray(encoded(A, "AIFF"))
    at = content.index(b"SSND")
    content[at + 4 : at + 8] = struct.pack(">I", declared)
    assert outcome(put_together(tmp_path / "a.aiff", bytes(content))) == (3.0, "")


def test_an_au_that_was_written_to_a_pipe_is_whole(tmp_path: Path) -> None:
    content = bytearray(encoded(A, "AU"))
    content[8:12] = struct.pack(">I", 0xFFFFFFFF)
    assert outcome(put_together(tmp_path / "a.au", bytes(content))) == (3.0, "")


@pytest.mark.parametrize("form", ["RF64", "W64", "AU", "CAF", "AIFF", "WAV", "VOC"])
def test_what_is_cut_off_is_told(tmp_path: Path, form: str) -> None:
    content = encoded(A, form)
    assert outcome(put_together(tmp_path / "whole", content)) == (3.0, "")
    seconds, fault = outcome(put_together(tmp_path / "cut", content[: len(content) // 2]))
    assert seconds == pytest.approx(1.5, abs=0.1)
    assert "declare" in fault or "account" in fault


@pytest.mark.parametrize("share", [0.15, 0.5, 0.95])
def test_a_cut_wma_is_told(tmp_path: Path, share: float) -> None:
    """FFmpeg takes the length of a cut one from its bytes."""
    path = write_av(tmp_path / "a.wma", A)
    assert outcome(path)[1] == ""
    assert "declare" in outcome(files.truncate(path, share))[1]


def ogg_pages(content: bytes) -> list[bytes]:
    return [b"OggS" + page for page in content.split(b"OggS")[1:]]


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_pages_that_are_damaged_or_missing_are_told(tmp_path: Path, subtype: str) -> None:
    """Decoders drop them and go on."""
    long = np.concatenate([A, B, A, B, A, B, A, B])
    pages = ogg_pages(encoded(long, "OGG", subtype))
    assert len(pages) > 5
    assert outcome(put_together(tmp_path / "whole.ogg", *pages))[1] == ""
    broken = bytearray(pages[-3])
    broken[len(broken) // 2] ^= 0xFF
    damaged = put_together(tmp_path / "a.ogg", *pages[:-3], bytes(broken), *pages[-2:])
    assert any(word in outcome(damaged)[1] for word in ("1 Ogg pages are damaged", "declared"))
    missing = put_together(tmp_path / "b.ogg", *pages[:-3], *pages[-2:])
    assert any(word in outcome(missing)[1] for word in ("missing in 1 places", "declared"))
    garbage = put_together(tmp_path / "c.ogg", *pages[:-3], bytes(50), *pages[-3:])
    assert "50 bytes are no Ogg pages" in outcome(garbage)[1]


def id3(length: int) -> bytes:
    digits = bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + digits + bytes(length)


def id3_with_footer(body: bytes) -> bytes:
    """A tag of ID3 2.4 that repeats its head behind what it holds."""
    rest = b"\4\0\x10" + bytes(len(body) >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + rest + body + b"3DI" + rest


@pytest.mark.parametrize("tags", [(), (9_000,), (300_000,), (100, 20_000)])
@pytest.mark.parametrize("padding", [0, 500])
def test_a_cut_mp3_is_truncated_whatever_stands_before_it(
    tmp_path: Path, tags: Sequence[int], padding: int
) -> None:
    content = write_av(tmp_path / "a.mp3", A).read_bytes()
    content = content[content.index(b"\xff") :]
    head = b"".join(map(id3, tags)) + bytes(padding)
    assert outcome(put_together(tmp_path / "whole.mp3", head, content))[1] == ""
    half = put_together(tmp_path / "cut.mp3", head, content[: len(content) // 2])
    assert "of 3.00 s declared" in outcome(half)[1]


def test_what_a_tag_with_a_footer_holds_is_no_frame(tmp_path: Path) -> None:
    """A picture in it may end with bytes that look like the head of one."""
    content = write_av(tmp_path / "a.mp3", A).read_bytes()
    content = content[content.index(b"\xff") :]
    tag = id3_with_footer(bytes(2_000) + b"\xff\xfb\x90\x64" + bytes(4))
    assert outcome(put_together(tmp_path / "whole.mp3", tag, content)) == (3.0, "")
    half = put_together(tmp_path / "cut.mp3", tag, content[: len(content) // 2])
    assert "of 3.00 s declared" in outcome(half)[1]


@pytest.mark.parametrize(("version", "ends"), [(2, True), (4, True), (5, False), (255, False)])
def test_tags_of_versions_to_come_are_no_tags(tmp_path: Path, version: int, ends: bool) -> None:
    """Their heads may mean something else."""
    path = put_together(tmp_path / "a.mp3", b"ID3" + bytes([version]) + id3(500)[4:])
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        assert mpeg._after_id3(content, 0) == (510 if ends else 0)


NUMBERS = [0, 1, 0x7F, 0x80, 0x7FF, 0x800, 0xFFFF, 0x10000, 0x1FFFFF, 0x200000, 0x7FFFFFFF]


@pytest.mark.parametrize("number", [*NUMBERS, 0x3FFFFFF, 0x4000000, 0x80000000, 0xFFFFFFFFF])
def test_the_number_of_a_frame_is_coded_as_utf8_is(number: int) -> None:
    coded = coded_number(number)
    assert flac._coded_number(bytes(4) + coded + b"\xbf\xff") == (number, 4 + len(coded))


def coded_number(number: int) -> bytes:
    """Return a number as the format of FLAC has it: UTF-8 went on to 36 bits once."""
    if number < 0x80:
        return bytes([number])
    more = next(n for n in range(1, 7) if number < 1 << (5 * n + 6 if n < 6 else 36))
    rest = [0x80 | number >> 6 * k & 0x3F for k in reversed(range(more))]
    return bytes([(0xFF00 >> (more + 1)) & 0xFF | number >> 6 * more, *rest])


def test_a_header_behind_a_box_of_more_than_32_bits_is_found(tmp_path: Path) -> None:
    """The length of a long box stands behind its name."""
    content = files.write_av(tmp_path / "a.m4a", A).read_bytes()
    at = content.index(b"moov") - 4
    long = struct.pack(">I4sQ", 1, b"free", 16 + 1_000) + bytes(1_000)
    put_together(tmp_path / "b.m4a", content[:at], long, content[at:])
    stated = boxes.stated_length(str(tmp_path / "a.m4a"))
    assert stated == pytest.approx(3.0, abs=0.1)
    assert boxes.stated_length(str(tmp_path / "b.m4a")) == stated


@pytest.mark.parametrize("name", ["a.m4a", "a.mp4", "a.mp3", "a.opus", "a.webm"])
def test_priming_and_padding_are_no_sound(tmp_path: Path, name: str) -> None:
    """A lossy file has as many samples as what was encoded."""
    sound = A[: 2 * RATE + 77] if name not in ("a.opus", "a.webm") else A
    reading, _ = read(write_av(tmp_path / name, sound))
    assert reading.duration_s == len(sound) / RATE


def test_a_lossy_file_and_its_decoded_copy_have_equal_samples(tmp_path: Path) -> None:
    for name in ("a.m4a", "a.mp3", "a.opus"):
        path = write_av(tmp_path / name, A)
        blocks = np.concatenate(list(audio.open_audio(str(path)).blocks))
        rate = audio.open_audio(str(path)).format.sample_rate
        kept = np.clip(np.rint(blocks * 32768), -32768, 32767).astype(np.int16)
        soundfile.write(tmp_path / "copy.wav", kept, rate)
        assert read(tmp_path / "copy.wav")[0].samples_id == read(path)[0].samples_id


@pytest.mark.parametrize("name", ["a.m4a", "a.3gp"])
def test_a_header_that_states_more_than_its_tables_list_is_told(tmp_path: Path, name: str) -> None:
    path = files.write_av(tmp_path / name, A)
    whole, fault = outcome(path)
    assert (whole, fault) == (pytest.approx(3.0, abs=0.15), "")
    content = bytearray(path.read_bytes())
    delta = struct.unpack_from(">I", content, content.index(b"stts") + 16)[0]
    files.patch(content, b"stts", 1, 6, delta)  # six packets, where there are many
    at = content.index(b"stsz") + 12
    content[at : at + 4] = struct.pack(">I", 6)
    path.write_bytes(content)
    seconds, fault = outcome(path)
    assert seconds < 0.5
    assert f"decodes to {seconds:.2f} s of 3." in fault or "of 2.9" in fault


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x08moov", b"\0\0\0\x20moov" + 6 * b"\0\0\0\x08"])
def test_a_header_that_cannot_be_read_states_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.m4a").write_bytes(content)
    assert boxes.stated_length(str(tmp_path / "a.m4a")) is None
