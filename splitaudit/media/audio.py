"""Sound files to samples, in bounded memory, with the truth about how much could be read.

libsndfile (through soundfile) reads what it reads well, FFmpeg (through PyAV) the rest. MP3 goes
to FFmpeg although libsndfile opens it: libsndfile 1.2 fills a truncated MP3 with zeros up to its
declared length and reports no error.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit import schema
from splitaudit.errors import MediaError

Samples = npt.NDArray[np.float32]

RATE = 16_000  # Hz, of everything after decoding; keeps speech, cries, most of music
HELD_SAMPLES = 1 << 24  # held in memory of one sound when it is compared: 17 minutes
BLOCK_SAMPLES = 1 << 21  # decoded values (frames x channels) held at once
NO_SOUND = "holds no sound"
LOWEST_RATE = 2_000  # Hz; below it there is no band left in which sounds differ
# A decoder may drop its last frame: the longest frames in use (AAC-LD apart) hold 0.13 s at 16 kHz.
TOLERATED_LOSS_S = 0.15


@dataclass(frozen=True)
class Format:
    """What a file says of its sound before it is decoded."""

    sample_rate: int
    channels: int
    bit_depth: int | None
    lossless: bool
    declared_s: float | None  # None: the container does not say
    holds_frames: bool = False  # a film; a cover picture is none


@dataclass
class Reading:
    """A sound being read: iterate `blocks`, then look at what became of it.

    `blocks` yields float32 arrays of shape (frames, channels) at the native rate.
    """

    format: Format
    blocks: Iterator[Samples]
    faults: list[str] = field(default_factory=list)
    frames: int = 0
    digest: Any = field(default_factory=lambda: hashlib.blake2b(digest_size=16))

    @property
    def duration_s(self) -> float:
        """Seconds decoded so far."""
        return self.frames / self.format.sample_rate

    @property
    def samples_id(self) -> str:
        """Identity of the decoded samples, with their rate and channels."""
        head = f"{self.format.sample_rate}/{self.format.channels}/"
        return head + str(self.digest.hexdigest())

    def mono(self) -> Iterator[Samples]:
        """Yield the sound as one channel at `RATE`, in pieces of any length, shape (n,)."""
        import soxr

        rate = self.format.sample_rate
        if rate == RATE:
            yield from (_mix(block) for block in self._counted())
            return
        resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="HQ")
        for block in self._counted():
            yield resampler.resample_chunk(_mix(block))
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)

    def _counted(self) -> Iterator[Samples]:
        """Pass blocks on; count, digest and mend them on the way."""
        scale = 1 << 23 if self.format.lossless else 1 << 15
        for block in self.blocks:
            if not np.isfinite(block).all():
                self.faults.append("holds samples that are not finite")
                block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            self.frames += len(block)
            self.digest.update(_canonical(block, scale))
            yield block


def _canonical(block: Samples, scale: int) -> npt.NDArray[np.int32]:
    """Integers on the 24-bit scale, the same for every container of the same samples.

    A lossy decoder works in floating point; what people store of it is 16 bits, so that is what
    its samples are compared at. float32 holds 24-bit samples exactly.
    """
    whole = np.clip(np.rint(block * np.float32(scale)), -scale, scale - 1)
    return np.ascontiguousarray(whole, np.int32) * np.int32((1 << 23) // scale)


def _mix(block: Samples) -> Samples:
    return block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)


def open_audio(path: str, start_s: float | None = None, end_s: float | None = None) -> Reading:
    """Open the first sound of a file.

    Parameters
    ----------
    path
        Of the file, with odd bytes as surrogates (`os.fsdecode`).
    start_s, end_s
        The stretch to read, seconds of the file; None: from its start, to its end.

    Raises
    ------
    MediaError
        missing, unreadable or unsupported, with a reason in words.
    """
    head = _head(path)
    reading = _open_soundfile(path) if head[:4] in _SOUNDFILE_MAGIC else None
    reading = reading or _open_av(path, head)
    reading.faults += chunk_faults(path) if head[:4] in _CHUNKED else []
    if reading.format.sample_rate < LOWEST_RATE:
        raise MediaError(
            schema.UNSUPPORTED,
            f"sample rate {reading.format.sample_rate} Hz is below {LOWEST_RATE} Hz: "
            "compared by bytes only",
        )
    if start_s is None and end_s is None:
        return reading
    return _stretch(reading, start_s or 0.0, end_s)


# FLAC, WAV, RF64, W64, AIFF/AIFC, AU, CAF. Ogg too: libsndfile reads Vorbis, FLAC and Opus in it.
_SOUNDFILE_MAGIC = (b"fLaC", b"RIFF", b"RF64", b"riff", b"FORM", b".snd", b"caff", b"OggS")


def _head(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            head = file.read(8192)
    except FileNotFoundError:
        raise MediaError(schema.MISSING, "there is no such file") from None
    except OSError as error:
        raise MediaError(schema.UNREADABLE, str(error.strerror or error)) from None
    if not head:
        raise MediaError(schema.UNREADABLE, "the file is empty")
    return head


def _open_soundfile(path: str) -> Reading | None:
    """Read with libsndfile; None where it cannot, so that FFmpeg may try."""
    import soundfile

    try:
        file = soundfile.SoundFile(os.fsencode(path))
    except soundfile.LibsndfileError:
        return None
    if file.frames == 0:  # perhaps written to a pipe; FFmpeg reads on to the end
        file.close()
        return None
    lossless = file.subtype.startswith(("PCM_", "FLOAT", "DOUBLE")) or file.format == "FLAC"
    depth = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32}
    info = Format(
        sample_rate=file.samplerate,
        channels=file.channels,
        bit_depth=depth.get(file.subtype),
        lossless=lossless,
        declared_s=file.frames / file.samplerate,
    )
    faults = ogg_faults(path) if file.format == "OGG" else []
    reading = Reading(info, iter(()), faults)
    reading.blocks = _soundfile_blocks(path, file, faults)
    return reading


def _soundfile_blocks(path: str, file: Any, faults: list[str]) -> Iterator[Samples]:
    import soundfile

    frames, read = max(1, BLOCK_SAMPLES // file.channels), 0
    try:
        with file:
            while len(block := file.read(frames, dtype="float32", always_2d=True)):
                read += len(block)
                yield block
        return
    except soundfile.LibsndfileError:
        pass
    # libsndfile gives nothing of a block in which the stream breaks; FFmpeg gives all before it.
    rescue = _open_av(path, b"")
    yield from _skip(rescue.blocks, read)
    faults += rescue.faults or ["damaged: libsndfile stopped"]


def _skip(blocks: Iterator[Samples], frames: int) -> Iterator[Samples]:
    for block in blocks:
        if frames < len(block):
            yield block[frames:]
        frames = max(0, frames - len(block))


# Magic of a file -> where its chunks begin, and the header of a chunk: name, bytes that follow.
_CHUNKED = {b"RIFF": (12, "<4sI"), b"FORM": (12, ">4sI"), b"caff": (8, ">4sq")}
# Data of so many bytes were written to a pipe: 2**32 - 1 by FFmpeg, the next by SoX, -1 in CAF.
_UNTOLD = (0, 0xFFFFFFFF, 0x7FFFF000, -1)
_TAG = 4096  # <: bytes behind the last chunk that are a tag or padding


def chunk_faults(path: str) -> list[str]:
    """Say where the sizes of the chunks of a WAV, AIFF or CAF file cannot be true.

    Sizes that are the custom of programs that write to a pipe are no fault.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        position, form = _CHUNKED[file.read(4)]
        width = struct.calcsize(form)
        while position + width <= size:
            file.seek(position)
            name, length = struct.unpack(form, file.read(width))
            held = size - position - width
            if name == b"data" and length in _UNTOLD:
                return []
            if not all(32 <= c < 127 for c in name):
                told = f"the header accounts for {position:,} of {size:,} bytes"
                return [] if held < _TAG else [told]
            if not 0 <= length <= held:
                told = f"the header declares {length:,} bytes of {name.decode()!r}, not {held:,}"
                return [] if held < _TAG and name not in (b"data", b"SSND") else [told]
            position += width + length + (0 if form == ">4sq" else length % 2)
    return []


def ogg_faults(path: str) -> list[str]:
    """Say whether the last page of an Ogg file is cut (Ogg declares no length; RFC 3533)."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        start = max(0, size - 131_072)  # a page holds at most 65,307 bytes
        file.seek(start)
        tail = file.read()
    at = tail.rfind(b"OggS")
    if at < 0:
        return ["the last Ogg page is missing"]
    page = tail[at:]
    segments = page[26] if len(page) > 26 else 0
    whole = 27 + segments + sum(page[27 : 27 + segments])
    return [] if len(page) > 26 and len(page) >= whole else ["the last Ogg page is cut"]


def _open_av(path: str, head: bytes) -> Reading:
    import av

    try:
        container = av.open(path, metadata_errors="replace")
    except (av.FFmpegError, UnicodeError, ValueError) as error:
        raise MediaError(schema.UNREADABLE, f"no sound file: {_said(error)}") from None
    if fault := _undecodable(container):
        container.close()
        raise fault
    stream = container.streams.audio[0]
    context = stream.codec_context
    info = Format(
        sample_rate=context.sample_rate,
        channels=context.channels,
        bit_depth=None,
        lossless=context.name.startswith(("pcm_", "flac", "alac", "wavpack", "ape", "tta")),
        declared_s=_declared(container, stream, head),
        holds_frames=any(
            not film.disposition & av.stream.Disposition.attached_pic
            for film in container.streams.video
        ),
    )
    reading = Reading(info, iter(()))
    reading.blocks = _av_blocks(container, info, reading.faults)
    return reading


def _undecodable(container: Any) -> MediaError | None:
    if container.format.name == "concat":  # whose sound would be that of other files
        return MediaError(schema.UNSUPPORTED, "a list of other files")
    if not container.streams.audio:
        return MediaError(schema.UNSUPPORTED, NO_SOUND)
    context = container.streams.audio[0].codec_context
    if context is None:
        return MediaError(schema.UNSUPPORTED, "no decoder knows the codec of its sound")
    if not context.sample_rate or not context.channels:
        return MediaError(schema.UNREADABLE, "no sound could be decoded")
    return None


def _said(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).replace("\n", " ")


# Streams without a container: FFmpeg guesses how long they are from their first bit rates.
_BARE = ("aac", "ac3", "amr", "amrnb", "amrwb", "dts", "eac3", "loas", "truehd")


def _declared(container: Any, stream: Any, head: bytes) -> float | None:
    """Seconds that the container states, as opposed to those that FFmpeg guesses."""
    told = any(tag in head for tag in (b"Xing", b"Info", b"VBRI"))
    if container.format.name in _BARE or (container.format.name == "mp3" and not told):
        return None
    if stream.duration is not None:
        return float(stream.duration * stream.time_base)
    # Matroska, one a track
    clock = re.fullmatch(r"(\d+):(\d+):(\d+\.?\d*)", stream.metadata.get("DURATION", ""), re.ASCII)
    if clock:
        hours, minutes, seconds = map(float, clock.groups())
        return hours * 3600 + minutes * 60 + seconds
    if container.duration is not None and not container.streams.video:
        return float(container.duration) / 1e6
    return None


def _av_blocks(container: Any, info: Format, faults: list[str]) -> Iterator[Samples]:
    """Decode to blocks; what FFmpeg cannot decode is counted and left out."""
    frames, held = [], 0
    for frame in _av_frames(container, faults):
        frames.append(_planes(frame, info))
        held += frames[-1].size
        if held >= BLOCK_SAMPLES:
            yield np.concatenate(frames)
            frames, held = [], 0
    if frames:
        yield np.concatenate(frames)


def _av_frames(container: Any, faults: list[str]) -> Iterator[Any]:
    import av

    broken = 0
    with container:
        packets = container.demux(container.streams.audio[0])
        while True:
            try:
                yield from next(packets).decode()
            except StopIteration:
                break
            except av.FFmpegError:
                broken += 1
                if broken > 1000:  # no end of file in sight
                    break
    if broken:
        faults.append(f"{broken} packets could not be decoded")


def _planes(frame: Any, info: Format) -> Samples:
    """One decoded frame as float32 (frames, channels) in [-1, 1]."""
    data = np.asarray(frame.to_ndarray())
    data = data.T if frame.format.is_planar else data.reshape(-1, frame.layout.nb_channels)
    if data.shape[1] != info.channels:
        data = data.mean(axis=1, keepdims=True).repeat(info.channels, axis=1)
    if data.dtype.kind == "f":
        return data.astype(np.float32)
    if data.dtype == np.uint8:
        return (data.astype(np.float32) - np.float32(128)) / np.float32(128)
    return (data / float(1 << (8 * data.itemsize - 1))).astype(np.float32)


def _stretch(reading: Reading, start_s: float, end_s: float | None) -> Reading:
    """Restrict a reading to a stretch of its file."""
    rate, declared = reading.format.sample_rate, reading.format.declared_s
    if declared is not None and start_s >= declared:
        reason = f"the stretch begins at {start_s:.6g} s, the file ends at {declared:.6g} s"
        raise MediaError(schema.UNREADABLE, reason)
    first, last = round(start_s * rate), None if end_s is None else round(end_s * rate)
    end = min(x for x in (end_s, declared, float("inf")) if x is not None)
    length = max(0.0, end - start_s) if end < float("inf") else None
    form = replace(reading.format, declared_s=length)
    return Reading(form, _crop(reading.blocks, first, last), reading.faults)


def _crop(blocks: Iterator[Samples], first: int, last: int | None) -> Iterator[Samples]:
    at = 0
    for block in blocks:
        piece = block[max(0, first - at) : None if last is None else max(0, last - at)]
        at += len(block)
        if len(piece):
            yield piece
        if last is not None and at >= last:
            break


def shortfall(reading: Reading) -> str | None:
    """Why a finished reading is not the whole sound, or None where it is."""
    declared = reading.format.declared_s or 0.0
    if reading.duration_s < declared - max(TOLERATED_LOSS_S, declared / 1000):
        return f"decodes to {reading.duration_s:.2f} s of {declared:.2f} s declared"
    return "; ".join(dict.fromkeys(reading.faults)) or None


def load(path: str, start_s: float | None = None, end_s: float | None = None) -> Samples:
    """Return a sound as one channel at `RATE`, shape (n,); a memory map where it is long.

    Raises
    ------
    MediaError
        As `open_audio`.
    """
    return gather(open_audio(path, start_s, end_s).mono())


def gather(pieces: Iterator[Samples]) -> Samples:
    """Join pieces of a sound; what is long (> `HELD_SAMPLES`) becomes a memory map."""
    parts, held = [np.zeros(0, np.float32)], 0
    for piece in pieces:
        parts.append(piece)
        held += len(piece)
        if held > HELD_SAMPLES:
            return _spooled(itertools.chain(parts, pieces))
    return np.concatenate(parts)


def _spooled(pieces: Iterator[Samples]) -> Samples:
    with tempfile.TemporaryFile(prefix="splitaudit-") as file:
        for piece in pieces:
            piece.tofile(file)
        file.flush()
        return np.memmap(file, np.float32, "r")


def segments(pieces: Iterator[Samples], length: int, context: int) -> Iterator[tuple[int, Samples]]:
    """Cut a stream of samples into overlapping segments.

    Yields
    ------
    (start, samples)
        Segments of `length` samples with `context` more on both sides where the sound has them;
        `start` is the index of the first sample of `samples`. At least one segment.
    """
    start, held = 0, np.zeros(0, np.float32)
    for piece in itertools.chain(pieces):
        held = np.concatenate([held, piece]) if len(held) else piece
        while len(held) >= length + 2 * context:
            yield start, held[: length + 2 * context]
            held, start = held[length:], start + length
    yield start, held
