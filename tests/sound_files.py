"""Sound files of every kind, and what is wrong with some of them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from splitaudit.demo.synthesis import RATE, Sound

# Ending -> encoder of FFmpeg and the rate that it takes.
AV_CODECS = {
    ".mp3": ("libmp3lame", 16_000),
    ".opus": ("libopus", 48_000),
    ".m4a": ("aac", 16_000),
    ".wma": ("wmav2", 16_000),
    ".webm": ("libopus", 48_000),
    ".mka": ("flac", 16_000),
    ".3gp": ("libopencore_amrnb", 8_000),
    ".amr": ("libopencore_amrnb", 8_000),
    ".mp4": ("aac", 16_000),
    ".aac": ("aac", 16_000),
}


def as_int16(samples: Sound) -> np.ndarray:
    return np.rint(samples * 32767).astype(np.int16)


def write_pcm(path: Path, samples: Sound, subtype: str | None = None, rate: int = RATE) -> Path:
    """Write what has been rounded to 16 bits, in a lossless format."""
    soundfile.write(path, as_int16(samples).astype(np.float64) / 32768, rate, subtype=subtype)
    return path


def write_av(path: Path, samples: Sound, options: Mapping[str, str] | None = None) -> Path:
    """Encode 16 kHz mono with FFmpeg; the ending tells the codec."""
    codec, rate = AV_CODECS[path.suffix]
    _need(codec)
    with av.open(str(path), "w", options=dict(options or {})) as container:
        track = container.add_stream(codec, rate=rate, layout="mono")
        track.bit_rate = 12_200 if "amr" in codec else 64_000
        for packet in packets(track, samples):
            container.mux(packet)
    return path


def _need(codec: str) -> None:
    """Skip the test where FFmpeg was built without an encoder: PyAV 19 has none for AMR."""
    if codec not in av.codecs_available:
        pytest.skip(f"PyAV {av.__version__} cannot encode with {codec}")


def packets(track: Any, samples: Sound) -> list[av.Packet]:
    """Encode 16 kHz mono on a track of any rate."""
    frame = av.AudioFrame.from_ndarray(as_int16(samples)[None], format="s16", layout="mono")
    frame.pts, frame.sample_rate, frame.time_base = 0, RATE, Fraction(1, RATE)
    return [*track.encode(frame), *track.encode(None)]


def write_amr_in_sixes(path: Path, samples: Sound) -> Path:
    """Write 3gp with six AMR frames to a packet, as some telephones do.

    FFmpeg will not write that, so the tables of a file with one frame to a packet are rewritten.
    """
    _need("libopencore_amrnb")
    with av.open(str(path), "w") as container:
        track: Any = container.add_stream("libopencore_amrnb", rate=8_000, layout="mono")
        track.bit_rate = 12_200
        single = packets(track, samples)
        container.mux(single[: len(single) // 6 * 6])
    content = bytearray(path.read_bytes())
    count = len(single) // 6
    patch(content, b"stts", 1, count, 960)  # one entry: so many packets of 960 samples
    patch(content, b"stsc", 1, 1, count, 1)  # one entry: from the first chunk on, all in one
    patch(content, b"stsz", 6 * 32, count)  # bytes of each packet, number of packets
    path.write_bytes(content)
    return path


def patch(content: bytearray, box: bytes, *numbers: int) -> None:
    """Overwrite the numbers that follow the version of a box of ISO 14496-12."""
    struct.pack_into(f">{len(numbers)}I", content, content.index(box) + 8, *numbers)


def write_film(path: Path, samples: Sound | None, seconds: float = 2.0) -> Path:
    """Write a film of grey pictures, with or without a sound."""
    with av.open(str(path), "w") as container:
        picture: Any = container.add_stream("mpeg4", rate=10)
        picture.width = picture.height = 64
        track: Any = None
        if samples is not None:
            track = container.add_stream("aac", rate=RATE, layout="mono")
        for shade in range(round(10 * seconds)):
            grey = np.full((64, 64, 3), 10 * shade % 255, np.uint8)
            container.mux(picture.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        container.mux(picture.encode(None))
        for packet in [] if samples is None else packets(track, samples):
            container.mux(packet)
    return path


def write_with_cover(path: Path, samples: Sound) -> Path:
    """Write a sound with a picture of its cover."""
    with av.open(str(path), "w") as container:
        codec, rate = AV_CODECS[path.suffix]
        track = container.add_stream(codec, rate=rate, layout="mono")
        picture: Any = container.add_stream("mjpeg", rate=1)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuvj420p"
        picture.disposition = av.stream.Disposition.attached_pic
        for packet in [*_grey(picture), *packets(track, samples)]:
            container.mux(packet)
    return path


def _grey(picture: Any) -> list[av.Packet]:
    grey = np.full((64, 64, 3), 90, np.uint8)
    frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format="yuvj420p")
    return [*picture.encode(frame), *picture.encode(None)]


def write_jpeg(path: Path) -> Path:
    with av.open(str(path), "w", format="image2") as container:
        picture: Any = container.add_stream("mjpeg", rate=1)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuvj420p"
        container.mux(_grey(picture))
    return path


def write_jpeg_as(path: Path) -> Path:
    """Write a picture under a name that promises something else."""
    return write_jpeg(path.with_suffix(".jpg")).rename(path)


def truncate(path: Path, share: float) -> Path:
    """Cut a file off after a share of its bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
    return path


def wav_bytes(data: bytes, declared: int, rate: int = RATE, channels: int = 1) -> bytes:
    """Make a WAV file of 16 bits whose header declares any number of bytes."""
    width = 2 * channels
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * width, width, 16)
    riff = min(4 + len(form) + 8 + declared, 0xFFFFFFFF)
    head = struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + form
    return head + struct.pack("<4sI", b"data", declared) + data


def ogg_page(data: bytes, serial: int, sequence: int, flags: int, granule: int = 0) -> bytes:
    """Make one page (RFC 3533) that holds one packet of less than 255 bytes."""
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, serial, sequence, 0)
    page = bytearray(head + bytes([1, len(data)]) + data)
    page[22:26] = struct.pack("<I", _ogg_checksum(page))
    return bytes(page)


def _ogg_checksum(page: bytes) -> int:
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            carry = 0x04C11DB7 if checksum & 0x80000000 else 0
            checksum = (checksum << 1) & 0xFFFFFFFF ^ carry
    return checksum


def tagged_wav(samples: Sound) -> bytes:
    """Return a WAV file whose codec tag nobody knows."""
    content = bytearray(wav_bytes(as_int16(samples).tobytes(), 2 * len(samples)))
    content[20:22] = b"\x77\x77"
    return bytes(content)


def celt_ogg() -> bytes:
    """Make an Ogg stream of CELT, the forerunner of Opus, which FFmpeg knows by name only."""
    head = (
        b"CELT    " + b"0.11".ljust(20, b"\0") + struct.pack("<8i", 1, 60, RATE, 1, 320, 160, 64, 0)
    )
    pages = [ogg_page(head, 7, 0, 2), ogg_page(bytes(8), 7, 1, 0)]
    pages += [ogg_page(bytes(60), 7, n, 4 * (n == 9), 320 * (n - 1)) for n in range(2, 10)]
    return b"".join(pages)


def speex_ogg() -> bytes:
    """Make an Ogg stream with a Speex header (RFC 5574) and frames that nothing can decode."""
    numbers = (1, 80, RATE, 1, 4, 1, -1, 320, 0, 1, 0, 0, 0)
    head = b"Speex   " + b"1.2".ljust(20, b"\0") + struct.pack("<13i", *numbers)
    comment = struct.pack("<I", 0) * 2
    pages = [ogg_page(head, 7, 0, 2), ogg_page(comment, 7, 1, 0)]
    noise = np.random.default_rng(0).bytes(60)
    pages += [ogg_page(noise, 7, n, 4 * (n == 9), 320 * (n - 1)) for n in range(2, 10)]
    return b"".join(pages)


def stretched(samples: Sound, tempo: float) -> Sound:
    """Play faster by `tempo` at the same pitch, as FFmpeg does: in pieces (WSOLA)."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=RATE, format="flt", layout="mono", time_base=Fraction(1, RATE)
    )
    change, sink = graph.add("atempo", f"{tempo:.6f}"), graph.add("abuffersink")
    source.link_to(change)
    change.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "flt", "mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
    source.push(frame)
    source.push(None)
    pieces = [np.zeros(0, np.float32)]
    while True:
        try:
            pieces.append(sink.pull().to_ndarray()[0])
        except (av.error.EOFError, av.error.BlockingIOError):
            return np.concatenate(pieces)
