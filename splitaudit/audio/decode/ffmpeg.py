"""Sounds that FFmpeg reads, through PyAV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from splitaudit import schema
from splitaudit.audio.decode.stream import BLOCK_SAMPLES, Format, Reading, Samples
from splitaudit.errors import MediaError

NO_SOUND = "holds no sound"
_STEP_BITS = {"pcm_u8": 8, "pcm_s8": 8, "pcm_mulaw": 13, "pcm_alaw": 12}  # see libsndfile.STEP_BITS


def open_sound(path: str, head: bytes) -> Reading:
    """Open the first sound of a file; `head` are its first bytes.

    Raises
    ------
    MediaError
        unreadable or unsupported, with a reason in words.
    """
    import av

    try:
        container = av.open(path, **_metadata_options(av.__version__))
    except (av.FFmpegError, UnicodeError, ValueError) as error:
        raise MediaError(schema.UNREADABLE, f"no sound file: {_error_text(error)}") from None
    if fault := _stream_error(container):
        container.close()
        raise fault
    stream = container.streams.audio[0]
    context = stream.codec_context
    info = Format(
        sample_rate=context.sample_rate,
        channels=context.channels,
        bit_depth=None,
        lossless=context.name.startswith(("pcm_", "flac", "alac", "wavpack", "ape", "tta")),
        declared_s=_declared_duration(container, stream, head),
        holds_frames=any(
            not film.disposition & av.stream.Disposition.attached_pic
            for film in container.streams.video
        ),
        step_bits=_STEP_BITS.get(context.name, 16),
    )
    reading = Reading(info, iter(()))
    reading.blocks = _av_blocks(container, info, reading.faults)
    return reading


def _metadata_options(version: str) -> dict[str, Any]:
    """PyAV before 19 fails at tags that are not UTF-8 unless told otherwise; 19 needs no word."""
    return {} if int(version.split(".")[0]) >= 19 else {"metadata_errors": "replace"}


def _stream_error(container: Any) -> MediaError | None:
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


def _error_text(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).replace("\n", " ")


# Streams without a container: FFmpeg guesses how long they are from their first bit rates.
_RAW_FORMATS = ("aac", "ac3", "amr", "amrnb", "amrwb", "dts", "eac3", "loas", "truehd")


def _declared_duration(container: Any, stream: Any, head: bytes) -> float | None:
    """Seconds that the container states, as opposed to those that FFmpeg guesses."""
    told = any(tag in head for tag in (b"Xing", b"Info", b"VBRI"))
    if container.format.name in _RAW_FORMATS or (container.format.name == "mp3" and not told):
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
        frames.append(_frame_samples(frame, info))
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


def _frame_samples(frame: Any, info: Format) -> Samples:
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
