"""How a file of a package becomes originals of a kind: copied, rendered, cut, captioned."""

from __future__ import annotations

import io
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LARGEST = 1280  # pixels: a larger picture is made smaller, to be quick
MOST_PIXELS = 20_000_000  # a larger one is left out
DRAWN = 256  # pixels, of what is drawn from SVG
PAGES, RESOLUTION = 40, 72  # of a document at most; dots an inch
EVERY_S, FRAMES = 0.5, 12  # of a film
CAPTIONS = (
    ("one does not simply", "split at random"),
    ("when the test set", "is in the training set"),
    ("such accuracy", "very leak"),
    ("what if I told you", "those are the same"),
)

Made = Iterator[tuple[str, Image.Image]]  # a name, and a picture


def copy(path: Path) -> Made:
    """Yield the picture, smaller where it is large."""
    with Image.open(path) as image:
        if image.width * image.height > MOST_PIXELS:
            return
        image.draft("RGB", (LARGEST, LARGEST))
        image.thumbnail((LARGEST, LARGEST))
        yield path.stem, image


def is_small(path: Path) -> bool:
    """Return whether a picture is kept as it is."""
    with Image.open(path) as image:
        return max(image.size) <= LARGEST


def draw_svg(path: Path) -> Made:
    """Yield a drawing on nothing."""
    command = ["rsvg-convert", "-w", f"{DRAWN}", "--keep-aspect-ratio", str(path)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode == 0:
        yield path.stem, Image.open(io.BytesIO(done.stdout))


def print_pages(path: Path) -> Made:
    """Yield pages of a document, spread over it."""
    with tempfile.TemporaryDirectory() as folder:
        count = _count_pages(path)
        for page in range(1, count + 1, max(1, count // PAGES)):
            out = f"{folder}/{page}"
            words = ["-r", f"{RESOLUTION}", "-f", f"{page}", "-l", f"{page}", "-singlefile"]
            subprocess.run(["pdftoppm", *words, "-png", path, out], check=True)
            with Image.open(f"{out}.png") as image:
                yield f"{path.stem} {page:04}", image.convert("RGB")


def _count_pages(path: Path) -> int:
    done = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True)
    return int(done.stdout.partition("Pages:")[2].split()[0])


def engrave(path: Path) -> Made:
    """Yield pages of music; none where LilyPond does not take them."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["lilypond", "-s", "--png", "-dresolution=72", "-o", f"{folder}/page", path]
        subprocess.run(command, capture_output=True, timeout=120, check=False)
        for page in sorted(Path(folder).glob("page*.png"))[:2]:
            with Image.open(page) as image:
                yield f"{path.stem} {page.stem}", image.convert("RGB")


def unzip(path: Path) -> Made:
    """Yield the pictures of an archive, one of each of its folders."""
    with zipfile.ZipFile(path) as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".png"))
        first = {name.rpartition("/")[0]: name for name in reversed(names)}
        for folder, name in sorted(first.items()):
            letter = Image.open(io.BytesIO(archive.read(name)))
            yield folder.replace("/", " "), letter.convert("L")


def cut_lines(path: Path) -> Made:
    """Yield strips of a written page that hold ink, a tenth of its height each."""
    with Image.open(path) as image:
        page = image.convert("L")
    page.thumbnail((LARGEST, LARGEST))
    high = page.height // 10
    for at in range(1, 9):
        strip = page.crop((page.width // 10, at * high, page.width * 9 // 10, (at + 1) * high))
        if np.asarray(strip, float).std() > 12:
            yield f"{path.stem} {at}", strip


def caption(path: Path) -> Made:
    """Yield the picture with words over it that others bear, too."""
    with Image.open(path) as image:
        picture = image.convert("RGB")
    picture.thumbnail((640, 640))
    said = CAPTIONS[sum(path.parent.name.encode()) % len(CAPTIONS)]
    write_words(picture, said[0].upper(), "top")
    write_words(picture, said[1].upper(), "bottom")
    yield path.parent.name, picture


def write_words(picture: Image.Image, words: str, place: str) -> None:
    """Write white words with a black edge over the width of a picture."""
    size = max(8, picture.width // 14)
    font, pen = ImageFont.load_default(size), ImageDraw.Draw(picture)
    y, anchor = (size // 3, "ma") if place == "top" else (picture.height - size // 3, "md")
    edge = {"stroke_width": max(1, size // 12), "stroke_fill": "black"}
    pen.text((picture.width // 2, y), words, "white", font, anchor, **edge)


def take_frames(side: int) -> Callable[[Path], Made]:
    """Return what yields frames half a second apart, the shorter side so many pixels."""

    def take(path: Path) -> Made:
        import av

        with av.open(str(path)) as film:
            due = taken = 0.0
            for frame in film.decode(video=0) if film.streams.video else ():
                if taken < FRAMES and frame.time is not None and frame.time >= due:
                    image: Any = frame.to_image()
                    scale = side / min(image.size)
                    size = tuple(max(1, round(scale * n)) for n in image.size)
                    yield f"{taken:02.0f}", image.resize(size, Image.Resampling.LANCZOS)
                    due, taken = frame.time + EVERY_S, taken + 1

    return take


def draw_emoji(path: Path) -> Made:
    """Yield the glyphs of a font of bitmaps."""
    from fontTools.ttLib import TTFont

    font = ImageFont.truetype(str(path), 109)  # the one size that it has
    points = sorted(point for point in TTFont(path).getBestCmap() if point > 0x1F000)
    for point in points:
        picture = Image.new("RGB", (136, 128), "white")
        ImageDraw.Draw(picture).text((0, 0), chr(point), font=font, embedded_color=True)
        if np.asarray(picture).std() > 0:
            yield f"{point:x}", picture
