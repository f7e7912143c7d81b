"""How fast JPEGs become small grey pictures: scaled decodes of three libraries, and whole ones.

Pictures of 1600 x 1200 made from code, with as much detail as photographs have (1/f). Seconds are
those of the CPU, best of `--rounds`; OpenCV is measured where it is installed.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import scipy.fft
from PIL import Image

from benchmarks.common import harness
from splitaudit.media.image import load

HEIGHT, WIDTH, QUALITY = 1200, 1600, 85
Reader = Callable[[str], object]


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--pictures", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(Path(folder), seed) for seed in range(args.pictures)]
        size = np.mean([Path(path).stat().st_size for path in paths])
        rows = [
            {"reader": name, "scale": scale, **measure(read, paths, args.rounds)}
            for scale in (8, 4, 2, 1)
            for name, read in find_readers(scale).items()
        ]
    title = f"JPEG of {WIDTH} x {HEIGHT} to grey, {size / 1e3:.0f} kB each"
    harness.print_table(title, rows)
    harness.keep(args.json, {"bytes": size, "rows": rows})


def write(folder: Path, seed: int) -> str:
    """Write a picture whose spectrum falls with the frequency, and its colours more so."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(scipy.fft.fftfreq(HEIGHT)[:, None], scipy.fft.rfftfreq(WIDTH)[None])
    frequency[0, 0] = 1
    channels = [draw_plane(rng, frequency, power) for power in (1.3, 1.8, 1.8)]
    pixels = np.clip(np.stack(channels, axis=2) * (50, 15, 15) + 128, 0, 255).astype(np.uint8)
    path = folder / f"{seed}.jpg"
    Image.fromarray(pixels, "YCbCr").save(path, quality=QUALITY)
    return str(path)


def draw_plane(rng: np.random.Generator, frequency: np.ndarray, power: float) -> np.ndarray:
    noise = scipy.fft.rfft2(rng.standard_normal((HEIGHT, WIDTH)))
    plane = scipy.fft.irfft2(noise / frequency**power, (HEIGHT, WIDTH))
    return (plane - plane.mean()) / plane.std()


def find_readers(scale: int) -> dict[str, Reader]:
    short_side = None if scale == 1 else HEIGHT // scale
    found: dict[str, Reader] = {
        "splitaudit": partial(load, short_side=short_side, grey=True),
        "Pillow, draft": partial(read_draft, scale=scale),
    }
    if scale == 1:
        found["Pillow, RGB to grey"] = read_whole
    try:
        import cv2
    except ImportError:
        return found
    cv2.setNumThreads(1)
    flag = "IMREAD_GRAYSCALE" if scale == 1 else f"IMREAD_REDUCED_GRAYSCALE_{scale}"
    return {**found, "OpenCV": partial(cv2.imread, flags=getattr(cv2, flag))}


def read_draft(path: str, scale: int) -> np.ndarray:
    with Image.open(path) as image:
        image.draft("L", (WIDTH // scale, HEIGHT // scale))
        return np.asarray(image)


def read_whole(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def measure(read: Reader, paths: list[str], rounds: int) -> dict[str, float | str]:
    shape = getattr(read(paths[0]), "pixels", read(paths[0])).shape
    seconds = min(time_reader(read, paths) for _ in range(rounds)) / len(paths)
    return {"pixels": f"{shape[1]} x {shape[0]}", "ms": 1e3 * seconds, "a CPU second": 1 / seconds}


def time_reader(read: Reader, paths: list[str]) -> float:
    begun = time.process_time()
    for path in paths:
        read(path)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
