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
from PIL import Image

from benchmarks.common import harness
from benchmarks.common.images.folders import draw_clouds
from splitaudit.images.decode.pictures import load

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
    path = folder / f"{seed}.jpg"
    draw_clouds(seed, WIDTH, HEIGHT).save(path, quality=QUALITY)
    return str(path)


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
