"""A few seconds of a medium to hear and to see: MP3 bytes and a small log-mel picture."""

from __future__ import annotations

import base64
import io
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

RATE = 16_000  # what `preview` callables deliver, in Hz
CONTEXT_S = 1.0  # heard before and after the shared stretch
LENGTH_S = 6.0  # of a preview, at most
BANDS = 48
FRAMES = 160  # at most
_WINDOW = 1024
_RANGE_DB = 65.0
_BIT_RATE = 32_000
_MP3_OPTIONS = {"compression_level": "7"}  # LAME's fast setting: half the time, the same size

Samples = npt.NDArray[np.float32]


def preview_interval(start_s: float, end_s: float, duration_s: float) -> tuple[float, float]:
    """Return the seconds of a medium to embed for a match from `start_s` to `end_s`.

    An unknown (NaN) start is that of the medium, an unknown end or duration is no bound.
    """
    first = max(0.0, np.nan_to_num(start_s) - CONTEXT_S)
    last = np.nanmin([first + LENGTH_S, end_s + CONTEXT_S, duration_s])
    return float(first), float(last)


def encode_preview(samples: Samples, start_s: float) -> dict[str, Any]:
    """Return what the report holds of a preview: base64 of the sound and of its picture.

    Parameters
    ----------
    samples
        Shape (n,), mono at `RATE`.
    start_s
        Where in the medium they begin.
    """
    bands = log_mel(samples)
    return {
        "start": round(start_s, 3),
        "seconds": len(samples) / RATE,
        "frames": bands.shape[1],
        "bands": base64.b64encode(bands.tobytes()).decode(),
        "mp3": base64.b64encode(encode_mp3(samples)).decode(),
    }


def encode_mp3(samples: Samples) -> bytes:
    """Return mono samples at `RATE`, at least one, as an MP3 file, which every browser plays."""
    import av

    buffer = io.BytesIO()
    pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=RATE, layout="mono", options=_MP3_OPTIONS)
        stream.bit_rate = _BIT_RATE
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def log_mel(samples: Samples) -> npt.NDArray[np.uint8]:
    """Return a log-mel spectrogram, shape (BANDS, frames), of at most FRAMES frames.

    0 is `_RANGE_DB` below the loudest point or less, 255 the loudest point; high bands come first.
    The columns divide the time evenly.
    """
    hop = max(_WINDOW // 8, -(-len(samples) // FRAMES))
    padded = np.pad(samples, (_WINDOW // 2, _WINDOW // 2 + hop))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[hop // 2 :: hop]
    windows = windows[: -(-len(samples) // hop)]
    power = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW))) ** 2 @ _mel_filters()
    level = 10 * np.log10(power + 1e-12)
    shade = 1 + (level - level.max(initial=-40.0)) / _RANGE_DB
    return np.ascontiguousarray((np.clip(shade, 0, 1) * 255).astype(np.uint8).T[::-1])


@cache
def _mel_filters() -> npt.NDArray[np.float64]:
    """Return triangles evenly spaced in mel (O'Shaughnessy), shape (_WINDOW // 2 + 1, BANDS)."""
    edges_mel = np.linspace(
        2595 * np.log10(1 + 40 / 700), 2595 * np.log10(1 + 8000 / 700), BANDS + 2
    )
    edges = 700 * (10 ** (edges_mel / 2595) - 1)
    hertz = np.fft.rfftfreq(_WINDOW, 1 / RATE)[:, None]
    rising = (hertz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None)
