"""Sounds that FFmpeg reads, through PyAV."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from splitaudit import schema
from splitaudit.audio.decode import boxes, mpeg
from splitaudit.audio.decode.parts import Bounds, Part
from splitaudit.audio.decode.stream import BLOCK_SAMPLES, Format, Reading, Samples, chain
from splitaudit.errors import MediaError

NO_SOUND = "holds no sound"
MAX_PADDING = 4096  # frames (<=): two of the longest frames in use
_STEP_BITS = {"pcm_u8": 8, "pcm_s8": 8, "pcm_mulaw": 13, "pcm_alaw": 12}  # see libsndfile.STEP_BITS


def open_sound(path: str) -> Reading:
    """Open the first sound of a file; of several MP3s put one behind another, all.

    Raises
    ------
    MediaError
        unreadable or unsupported, with a reason in words.
    """
    container = _open(path)
    if container.format.name != "mp3":
        return _reading(container, lambda stream: _stated_duration(path, container, stream))
    parts = mpeg.mp3_parts(path)
    if len(parts) == 1:
        return _reading(container, lambda _: mpeg.stated_length(path, parts[0]))
    container.close()
    return chain([_mp3_part(path, part) for part in parts])


def _mp3_part(path: str, part: Bounds) -> Reading | None:
    try:
        return _reading(_open(Part(path, part)), lambda _: mpeg.stated_length(path, part))
    except MediaError:
        return None


def _open(file: str | Part) -> Any:
    import av

    try:
        container = av.open(file, **_metadata_options(av.__version__))
    except (av.FFmpegError, UnicodeError, ValueError) as error:
        raise MediaError(schema.UNREADABLE, f"no sound file: {_error_text(error)}") from None
    if fault := _stream_error(container):
        container.close()
        raise fault
    return container


def _reading(container: Any, declared_s: Callable[[Any], float | None]) -> Reading:
    import av

    stream = container.streams.audio[0]
    context = stream.codec_context
    info = Format(
        sample_rate=context.sample_rate,
        channels=context.channels,
        bit_depth=None,
        lossless=context.name.startswith(("pcm_", "flac", "alac", "wavpack", "ape", "tta")),
        declared_s=declared_s(stream),
        holds_frames=any(
            not film.disposition & av.stream.Disposition.attached_pic
            for film in container.streams.video
        ),
        step_bits=_STEP_BITS.get(context.name, 16),
    )
    reading = Reading(info, iter(()))
    end = _End(_itunes_length(container), stream.time_base * info.sample_rate)
    reading.blocks = _av_blocks(container, info, reading.faults, end)
    if container.format.name.startswith("mov"):
        reading.blocks = _trim_padding(reading.blocks, end)
    return reading


@dataclass
class _End:
    """Where a sound ends by its container: the frames before it."""

    stated: int | None
    frames_a_tick: Fraction
    ticks: int | None = None  # at the end of the last packet, whose duration leaves out padding

    @property
    def frames(self) -> int | None:
        if self.stated is not None or self.ticks is None:
            return self.stated
        return round(self.ticks * self.frames_a_tick)


def _itunes_length(container: Any) -> int | None:
    """Frames of the sound by iTunes: " 00000000 00000840 000001C0 000000000002EE00 ..."."""
    stated = container.metadata.get("iTunSMPB", "").split()
    if len(stated) > 3 and re.fullmatch("[0-9A-Fa-f]{1,16}", stated[3]):
        return int(stated[3], 16) or None
    return None


def _trim_padding(blocks: Iterator[Samples], end: _End) -> Iterator[Samples]:
    """Leave out what lies behind the end, if it is so little that an encoder padded it."""
    at, held = 0, None
    for block in blocks:
        at += len(block)
        held = block if held is None else np.concatenate([held, block])
        if len(held) > MAX_PADDING:
            yield held[:-MAX_PADDING]
            held = held[-MAX_PADDING:]
    if held is not None:
        padding = 0 if end.frames is None else at - end.frames
        yield held[: len(held) - padding] if 0 < padding <= MAX_PADDING else held


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


def _stated_duration(path: str, container: Any, stream: Any) -> float | None:
    """Seconds that the container states; of MP4 and its like also where FFmpeg knows of fewer."""
    declared = _declared_duration(container, stream)
    if not container.format.name.startswith("mov"):
        return declared
    return max((s for s in (declared, boxes.stated_length(path)) if s is not None), default=None)


def _declared_duration(container: Any, stream: Any) -> float | None:
    """Seconds that the container states, as opposed to those that FFmpeg guesses."""
    if container.format.name in _RAW_FORMATS:
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


def _av_blocks(container: Any, info: Format, faults: list[str], end: _End) -> Iterator[Samples]:
    """Decode to blocks; what FFmpeg cannot decode is counted and left out."""
    frames, held = [], 0
    for frame in _av_frames(container, faults, end):
        frames.append(_frame_samples(frame, info))
        held += frames[-1].size
        if held >= BLOCK_SAMPLES:
            yield np.concatenate(frames)
            frames, held = [], 0
    if frames:
        yield np.concatenate(frames)


def _av_frames(container: Any, faults: list[str], end: _End) -> Iterator[Any]:
    import av

    broken = 0
    with container:
        packets = container.demux(container.streams.audio[0])
        while True:
            try:
                packet = next(packets)
                if packet.pts is not None and packet.duration:
                    end.ticks = packet.pts + packet.duration
                yield from packet.decode()
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
