"""What happens to pictures on their way: forty-four changes, their strengths drawn for each picture.

A change takes a picture, another one and a generator; it is written as JPEG of quality 85 where the
change is not one of the file itself.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Picture = Image.Image
Rng = np.random.Generator
Change = Callable[[Picture, Picture, Rng], Picture]
Writer = Callable[[Path, Picture, Rng], None]

ORIENTATION = 0x0112  # tag of EXIF
# Orientation -> what is stored, so that a program that heeds it shows the picture upright.
STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
SEPIA = (0.393, 0.769, 0.189, 0, 0.349, 0.686, 0.168, 0, 0.272, 0.534, 0.131, 0)
INK = ("white", "black", "yellow", "red")


def same(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture


def jpeg(quality: int) -> Writer:
    return lambda path, picture, rng: picture.save(path, quality=quality)


as_jpeg = jpeg(85)


@dataclass(frozen=True)
class Transform:
    """A change, and how its outcome is written."""

    make: Change = same
    suffix: str = ".jpg"
    write: Writer = as_jpeg


def webp(path: Path, picture: Picture, rng: Rng) -> None:
    picture.save(path, quality=int(rng.integers(15, 85)))


def scaled(lowest: float, highest: float) -> Change:
    """Of the size; the resampling is drawn, too."""

    def make(picture: Picture, other: Picture, rng: Rng) -> Picture:
        filters = [Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS]
        by = rng.uniform(lowest, highest)
        size = tuple(round(by * side) for side in picture.size)
        return picture.resize(size, filters[rng.integers(3)])

    return make


def aspect(picture: Picture, other: Picture, rng: Rng) -> Picture:
    wide = rng.uniform(0.7, 0.88)
    by = (wide, 1.0) if rng.random() < 0.5 else (1.0, wide)
    return picture.resize((round(by[0] * picture.width), round(by[1] * picture.height)))


def blurred(picture: Picture, other: Picture, rng: Rng) -> Picture:
    radius = rng.uniform(0.003, 0.008) * min(picture.size)
    return picture.filter(ImageFilter.GaussianBlur(radius))


def sharpened(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.filter(ImageFilter.UnsharpMask(rng.uniform(1, 4), int(rng.uniform(80, 300)), 2))


def noisy(picture: Picture, other: Picture, rng: Rng) -> Picture:
    values = np.asarray(picture, float)
    return clipped(values + rng.normal(0, rng.uniform(8, 25), values.shape))


def clipped(values: Any) -> Picture:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def brightness(picture: Picture, other: Picture, rng: Rng) -> Picture:
    shift = rng.choice([-1, 1]) * rng.uniform(25, 60)
    return clipped(np.asarray(picture, float) + shift)


def enhanced(kind: Any, down: tuple[float, float], up: tuple[float, float]) -> Change:
    """By a factor from one range or the other."""

    def make(picture: Picture, other: Picture, rng: Rng) -> Picture:
        return kind(picture).enhance(rng.uniform(*(down if rng.random() < 0.5 else up)))

    return make


def gamma(picture: Picture, other: Picture, rng: Rng) -> Picture:
    power = rng.uniform(0.45, 0.7) if rng.random() < 0.5 else rng.uniform(1.5, 2.2)
    return clipped(255 * (np.asarray(picture) / 255) ** power)


def hue_shifted(picture: Picture, other: Picture, rng: Rng) -> Picture:
    hue, saturation, value = picture.convert("HSV").split()
    moved = np.asarray(hue) + rng.integers(20, 236, dtype=np.uint8)
    return Image.merge("HSV", (Image.fromarray(moved), saturation, value)).convert("RGB")


def tinted(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return clipped(np.asarray(picture, float) * rng.uniform(0.7, 1.25, 3))


def posterised(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return ImageOps.posterize(picture, int(rng.integers(2, 5)))


def turned(degrees: float, spread: float) -> Change:
    """One way or the other, on black or white, or cut to what is left of a rectangle."""

    def make(picture: Picture, other: Picture, rng: Rng) -> Picture:
        angle = rng.choice([-1, 1]) * rng.uniform(degrees - spread, degrees + spread)
        ground = ["black", "white", None][rng.integers(3)]
        whole = picture.rotate(
            angle, Image.Resampling.BICUBIC, expand=bool(ground), fillcolor=ground
        )
        return whole if ground else inscribed(whole, abs(angle))

    return make


def inscribed(picture: Picture, degrees: float) -> Picture:
    """Cut a turned picture to a rectangle of its proportions without empty corners."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    width, height = picture.size
    share = min(height / (width * sine + height * cosine), width / (height * sine + width * cosine))
    dx, dy = width * (1 - share) / 2, height * (1 - share) / 2
    return picture.crop((round(dx), round(dy), round(width - dx), round(height - dy)))


def transposed(*kinds: Image.Transpose) -> Change:
    return lambda picture, other, rng: picture.transpose(kinds[rng.integers(len(kinds))])


def cropped(lost: float) -> Change:
    """So much is cut off the width and of the height, anywhere."""

    def make(picture: Picture, other: Picture, rng: Rng) -> Picture:
        width, height = (round((1 - lost) * side) for side in picture.size)
        left = int(rng.integers(0, picture.width - width + 1))
        top = int(rng.integers(0, picture.height - height + 1))
        return picture.crop((left, top, left + width, top + height))

    return make


def colour(rng: Rng) -> tuple[int, ...]:
    """Black, white, or any."""
    drawn = [(0, 0, 0), (255, 255, 255), tuple(rng.integers(0, 256, 3).tolist())]
    return drawn[rng.integers(3)]


def margins(picture: Picture, shares: Any, fill: tuple[int, ...]) -> Picture:
    """Left, top, right, bottom: shares of the width and of the height."""
    widths = [round(share * picture.size[at % 2]) for at, share in enumerate(shares)]
    size = (picture.width + widths[0] + widths[2], picture.height + widths[1] + widths[3])
    framed = Image.new("RGB", size, fill)
    framed.paste(picture, (widths[0], widths[1]))
    return framed


def bordered(picture: Picture, other: Picture, rng: Rng) -> Picture:
    width = round(rng.uniform(0.03, 0.12) * min(picture.size))
    return ImageOps.expand(picture, width, colour(rng))


def framed(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """A thin line, a mat, a frame that is lit from above, and a wall."""
    side = min(picture.size)
    widths = [max(1, round(side * share)) for share in (0.005, *rng.uniform(0.04, 0.12, 3))]
    wood = rng.integers(20, 150, 3)
    made = ImageOps.expand(picture, widths[0], "grey")
    made = ImageOps.expand(made, widths[1], (246, 244, 238))
    made = ImageOps.expand(made, widths[2], tuple(wood.tolist()))
    pen = ImageDraw.Draw(made)
    pen.rectangle((0, 0, made.width, widths[2] // 3), fill=tuple((wood + 60).tolist()))
    return ImageOps.expand(made, widths[3], tuple(rng.integers(150, 250, 3).tolist()))


def letterboxed(picture: Picture, other: Picture, rng: Rng) -> Picture:
    bar = rng.uniform(0.08, 0.25)
    shares = (0, bar, 0, bar) if rng.random() < 0.7 else (bar, 0, bar, 0)
    return margins(picture, shares, (0, 0, 0))


def screenshot(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """Margins of other widths, a title bar with a name and buttons, a line of words below."""
    ground = (255, 255, 255) if rng.random() < 0.5 else (32, 33, 36)
    made = margins(picture, rng.uniform(0.02, 0.18, 4), ground)
    bar = max(24, round(0.05 * made.height))
    screen = margins(made, (0, bar / made.height, 0, 0), (222, 225, 230))
    pen = ImageDraw.Draw(screen)
    pen.text((bar, bar // 4), "holidays.jpg - viewer", "black", font(bar // 2))
    for at in range(3):
        x = screen.width - (at + 1) * bar
        pen.ellipse((x, bar // 4, x + bar // 2, 3 * bar // 4), fill="grey")
    pen.text((bar, screen.height - bar // 2), "12 of 345, 1024 x 768", "grey", font(bar // 3))
    return screen


def font(size: int) -> Any:
    return ImageFont.load_default(max(8, size))


def with_logo(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """In a corner, half seen through."""
    side = round(rng.uniform(0.12, 0.22) * min(picture.size))
    mark = Image.new("RGBA", (2 * side, side))
    pen = ImageDraw.Draw(mark)
    pen.rounded_rectangle((0, 0, 2 * side - 1, side - 1), side // 4, fill=(*colour(rng), 190))
    pen.text((side // 4, side // 4), "LOGO", (200, 30, 30, 255), font(side // 2))
    x = [side // 4, picture.width - 9 * side // 4][rng.integers(2)]
    y = [side // 4, picture.height - 5 * side // 4][rng.integers(2)]
    made = picture.copy()
    made.paste(mark, (x, y), mark)
    return made


def with_text(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """A line of large letters right across it."""
    made = picture.copy()
    letters = font(round(0.11 * picture.width))
    at = (0.04 * picture.width, rng.uniform(0.05, 0.8) * picture.height)
    ink = INK[rng.integers(len(INK))]
    ImageDraw.Draw(made).text(at, "When Monday comes", ink, letters, stroke_width=2)
    return made


def collage(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """Beside another one of its height, or above one of its width."""
    if rng.random() < 0.5:
        second = other.resize((round(other.width * picture.height / other.height), picture.height))
        made = Image.new("RGB", (picture.width + second.width, picture.height))
        made.paste(second, (picture.width, 0))
    else:
        second = other.resize((picture.width, round(other.height * picture.width / other.width)))
        made = Image.new("RGB", (picture.width, picture.height + second.height))
        made.paste(second, (0, picture.height))
    made.paste(picture, (0, 0))
    return made


def perspective(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """Each corner moves inwards by as much as 12 % of a side."""
    width, height = picture.size
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    inwards = np.sign(np.array([width, height]) / 2 - corners)
    moved = corners + inwards * rng.uniform(0, 0.12, (4, 2)) * picture.size
    rows, values = [], []
    for (x, y), (u, v) in zip(moved, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    map_back = np.linalg.solve(np.array(rows), np.array(values))
    kinds = Image.Transform.PERSPECTIVE, Image.Resampling.BICUBIC
    return picture.transform(picture.size, kinds[0], map_back, kinds[1], fillcolor=colour(rng))


def sepia(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.convert("RGB", SEPIA)


def negative(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return ImageOps.invert(picture)


def grey(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.convert("L")


def see_through(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """Round corners of another colour that nobody sees."""
    mask = Image.new("L", picture.size)
    corner = ((0, 0), (picture.width - 1, picture.height - 1))
    radius = round(rng.uniform(0.05, 0.3) * min(picture.size))
    ImageDraw.Draw(mask).rounded_rectangle(corner, radius, fill=255)
    made = Image.composite(picture, Image.new("RGB", picture.size, colour(rng)), mask)
    made.putalpha(mask)
    return made


def cmyk(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.convert("CMYK")


def palette(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.quantize(int(rng.choice([32, 64, 128, 256])))


def with_orientation(path: Path, picture: Picture, rng: Rng) -> None:
    """Stored another way up, with the tag that says so."""
    exif = Image.Exif()
    exif[ORIENTATION] = told = int(rng.integers(2, 9))
    picture.transpose(STORED[told]).save(path, quality=85, exif=exif.tobytes())


def sixteen_bits(path: Path, picture: Picture, rng: Rng) -> None:
    """A PNG of 16 bits a channel, which Pillow cannot write."""
    wide = np.asarray(picture).astype(">u2") * 257
    rows = wide.view(np.uint8).reshape(picture.height, -1)
    lines = np.hstack(
        [np.zeros((picture.height, 1), np.uint8), rows]
    )  # each begins with its filter
    head = struct.pack(">IIBBBBB", *picture.size, 16, 2, 0, 0, 0)
    chunks = {b"IHDR": head, b"IDAT": zlib.compress(lines.tobytes(), 1), b"IEND": b""}
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, data in chunks.items():
            checked = name + data
            file.write(struct.pack(">I", len(data)) + checked)
            file.write(struct.pack(">I", zlib.crc32(checked)))


def plainly(path: Path, picture: Picture, rng: Rng) -> None:
    picture.save(path)


TRANSFORMS: dict[str, Transform] = {
    **{f"jpeg {q}": Transform(write=jpeg(q)) for q in (80, 50, 25, 10)},
    "webp": Transform(suffix=".webp", write=webp),
    "smaller": Transform(scaled(0.3, 0.7)),
    "larger": Transform(scaled(1.3, 2.0)),
    "aspect": Transform(aspect),
    "blur": Transform(blurred),
    "sharpen": Transform(sharpened),
    "noise": Transform(noisy),
    "brightness": Transform(brightness),
    "contrast": Transform(enhanced(ImageEnhance.Contrast, (0.35, 0.7), (1.4, 2.0))),
    "gamma": Transform(gamma),
    "grey": Transform(grey),
    "hue": Transform(hue_shifted),
    "tint": Transform(tinted),
    "saturation": Transform(enhanced(ImageEnhance.Color, (0.1, 0.5), (1.6, 2.5))),
    "sepia": Transform(sepia),
    "posterise": Transform(posterised),
    "negative": Transform(negative),
    "16 bits": Transform(suffix=".png", write=sixteen_bits),
    "cmyk": Transform(cmyk),
    "palette": Transform(palette, ".png", plainly),
    "alpha": Transform(see_through, ".png", plainly),
    "exif": Transform(write=with_orientation),
    "mirror": Transform(transposed(Image.Transpose.FLIP_LEFT_RIGHT)),
    "flip": Transform(transposed(Image.Transpose.FLIP_TOP_BOTTOM)),
    "rot90": Transform(transposed(Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)),
    "rot180": Transform(transposed(Image.Transpose.ROTATE_180)),
    "rot5": Transform(turned(5, 1.5)),
    "rot15": Transform(turned(15, 3)),
    **{f"crop {round(100 * lost)} %": Transform(cropped(lost)) for lost in (0.1, 0.2, 0.3, 0.5)},
    "border": Transform(bordered),
    "frame": Transform(framed),
    "letterbox": Transform(letterboxed),
    "screenshot": Transform(screenshot),
    "logo": Transform(with_logo),
    "text": Transform(with_text),
    "collage": Transform(collage),
    "perspective": Transform(perspective),
}
