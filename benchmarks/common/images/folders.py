"""Folders of small pictures made from code: all different, or mostly equal, black or white."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import scipy.fft
from PIL import Image, ImageDraw, ImageFont

from benchmarks.common import harness

WIDTH, HEIGHT = 320, 240
EQUAL, DARK = 20 / 23, 2 / 23  # shares of a folder; the rest are logos: 10,000, 1,000 and 500
WORDS = ("acme", "nord", "volt", "luna", "apex", "kite", "zeta", "mira", "orbi", "pico")


def write(kind: str, folder: Path, files: int) -> None:
    """Write so many files, to train and test by turns."""
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        list(pool.map(partial(KINDS[kind], folder, files), range(files), chunksize=50))


def place(folder: Path, at: int) -> Path:
    return folder / ("train", "test")[at % 2] / f"{at:06}.jpg"


def write_different(folder: Path, files: int, at: int) -> None:
    draw_clouds(at).save(place(folder, at), quality=85)


def write_equal(folder: Path, files: int, at: int) -> None:
    """Write the same bytes again and again, then frames that are nearly black, then logos."""
    if at < EQUAL * files:
        picture = _draw_first()
    elif at < (EQUAL + DARK) * files:
        picture = draw_dark(at)
    else:
        picture = draw_logo(at)
    picture.save(place(folder, at), quality=85)


@cache
def _draw_first() -> Image.Image:
    return draw_clouds(0)


def draw_clouds(seed: int, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Return a picture whose spectrum falls with the frequency, as that of photographs does."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(scipy.fft.fftfreq(height)[:, None], scipy.fft.rfftfreq(width))
    frequency[0, 0] = 1
    falling = (frequency**-1.3).astype(np.float32)
    noise = scipy.fft.rfft2(rng.standard_normal((3, height, width), np.float32))
    planes = scipy.fft.irfft2(noise * falling, (height, width))
    planes = planes / planes.std(axis=(1, 2), keepdims=True) * np.array([50, 15, 15])[:, None, None]
    pixels = np.clip(np.moveaxis(planes + 128, 0, 2), 0, 255).astype(np.uint8)
    return Image.fromarray(pixels, "YCbCr").convert("RGB")


def draw_dark(seed: int) -> Image.Image:
    """Return a frame between two scenes of a film: black and a little noise."""
    rng = np.random.default_rng(seed)
    values = rng.normal(rng.uniform(2, 8), rng.uniform(0.5, 3), (HEIGHT, WIDTH))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def draw_logo(seed: int) -> Image.Image:
    """Return a word beside a form, small, on white."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(picture)
    ink = tuple(rng.integers(0, 200, 3).tolist())
    x, y, side = (int(rng.integers(*span)) for span in ((40, 120), (60, 140), (20, 50)))
    draw_form = (pen.ellipse, pen.rectangle, partial(pen.rounded_rectangle, radius=side // 4))
    draw_form[rng.integers(3)]((x, y, x + side, y + side), fill=ink)
    words = WORDS[rng.integers(len(WORDS))]
    pen.text((x + side + 8, y), words, ink, ImageFont.load_default(side))
    return picture


KINDS = {"different": write_different, "equal": write_equal}
