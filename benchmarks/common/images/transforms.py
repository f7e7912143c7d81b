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


def leave(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture


def make_jpeg_writer(quality: int) -> Writer:
    return lambda path, picture, rng: picture.save(path, quality=quality)


as_jpeg = make_jpeg_writer(85)


@dataclass(frozen=True)
class Transform:
    """A change, and how its outcome is written."""

    make: Change = leave
    suffix: str = ".jpg"
    write: Writer = as_jpeg


def write_webp(path: Path, picture: Picture, rng: Rng) -> None:
    picture.save(path, quality=int(rng.integers(15, 85)))


def scale(lowest: float, highest: float) -> Change:
    """Of the size; the resampling is drawn, too."""

    def make(picture: Picture, other: Picture, rng: Rng) -> Picture:
        filters = [Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS]
        by = rng.uniform(lowest, highest)
        size = tuple(round(by * side) for side in picture.size)
        return picture.resize(size, filters[rng.integers(3)])

    return make


def change_aspect(picture: Picture, other: Picture, rng: Rng) -> Picture:
    wide = rng.uniform(0.7, 0.88)
    by = (wide, 1.0) if rng.random() < 0.5 else (1.0, wide)
    return picture.resize((round(by[0] * picture.width), round(by[1] * picture.height)))


def blur(picture: Picture, other: Picture, rng: Rng) -> Picture:
    radius = rng.uniform(0.003, 0.008) * min(picture.size)
    return picture.filter(ImageFilter.GaussianBlur(radius))


def sharpen(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.filter(ImageFilter.UnsharpMask(rng.uniform(1, 4), int(rng.uniform(80, 300)), 2))


def add_noise(picture: Picture, other: Picture, rng: Rng) -> Picture:
    values = np.asarray(picture, float)
    return clip(values + rng.normal(0, rng.uniform(8, 25), values.shape))


def clip(values: Any) -> Picture:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def change_brightness(picture: Picture, other: Picture, rng: Rng) -> Picture:
    shift = rng.choice([-1, 1]) * rng.uniform(25, 60)
    return clip(np.asarray(picture, float) + shift)


def enhance(kind: Any, down: tuple[float, float], up: tuple[float, float]) -> Change:
    """By a factor from one range or the other."""

    def make(picture: Picture, other: Picture, rng: Rng) -> Picture:
        return kind(picture).enhance(rng.uniform(*(down if rng.random() < 0.5 else up)))

    return make


def change_gamma(picture: Picture, other: Picture, rng: Rng) -> Picture:
    power = rng.uniform(0.45, 0.7) if rng.random() < 0.5 else rng.uniform(1.5, 2.2)
    return clip(255 * (np.asarray(picture) / 255) ** power)


def shift_hue(picture: Picture, other: Picture, rng: Rng) -> Picture:
    hue, saturation, value = picture.convert("HSV").split()
    moved = np.asarray(hue) + rng.integers(20, 236, dtype=np.uint8)
    return Image.merge("HSV", (Image.fromarray(moved), saturation, value)).convert("RGB")


def tint(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return clip(np.asarray(picture, float) * rng.uniform(0.7, 1.25, 3))


def posterise(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return ImageOps.posterize(picture, int(rng.integers(2, 5)))


def turn(degrees: float, spread: float) -> Change:
    """One way or the other, on black or white, or cut to what is left of a rectangle."""

    def make(picture: Picture, other: Picture, rng: Rng) -> Picture:
        angle = rng.choice([-1, 1]) * rng.uniform(degrees - spread, degrees + spread)
        ground = ["black", "white", None][rng.integers(3)]
        whole = picture.rotate(
            angle, Image.Resampling.BICUBIC, expand=bool(ground), fillcolor=ground
        )
        return whole if ground else cut_inscribed(whole, abs(angle))

    return make


def cut_inscribed(picture: Picture, degrees: float) -> Picture:
    """Cut a turned picture to a rectangle of its proportions without empty corners."""
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    width, height = picture.size
    share = min(height / (width * sine + height * cosine), width / (height * sine + width * cosine))
    dx, dy = width * (1 - share) / 2, height * (1 - share) / 2
    return picture.crop((round(dx), round(dy), round(width - dx), round(height - dy)))


def transpose(*kinds: Image.Transpose) -> Change:
    return lambda picture, other, rng: picture.transpose(kinds[rng.integers(len(kinds))])


def crop(lost: float) -> Change:
    """So much is cut off the width and of the height, anywhere."""

    def make(picture: Picture, other: Picture, rng: Rng) -> Picture:
        width, height = (round((1 - lost) * side) for side in picture.size)
        left = int(rng.integers(0, picture.width - width + 1))
        top = int(rng.integers(0, picture.height - height + 1))
        return picture.crop((left, top, left + width, top + height))

    return make


def draw_colour(rng: Rng) -> tuple[int, ...]:
    """Black, white, or any."""
    drawn = [(0, 0, 0), (255, 255, 255), tuple(rng.integers(0, 256, 3).tolist())]
    return drawn[rng.integers(3)]


def add_margins(picture: Picture, shares: Any, fill: tuple[int, ...]) -> Picture:
    """Left, top, right, bottom: shares of the width and of the height."""
    widths = [round(share * picture.size[at % 2]) for at, share in enumerate(shares)]
    size = (picture.width + widths[0] + widths[2], picture.height + widths[1] + widths[3])
    framed = Image.new("RGB", size, fill)
    framed.paste(picture, (widths[0], widths[1]))
    return framed


def add_border(picture: Picture, other: Picture, rng: Rng) -> Picture:
    width = round(rng.uniform(0.03, 0.12) * min(picture.size))
    return ImageOps.expand(picture, width, draw_colour(rng))


def add_frame(picture: Picture, other: Picture, rng: Rng) -> Picture:
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


def letterbox(picture: Picture, other: Picture, rng: Rng) -> Picture:
    bar = rng.uniform(0.08, 0.25)
    shares = (0, bar, 0, bar) if rng.random() < 0.7 else (bar, 0, bar, 0)
    return add_margins(picture, shares, (0, 0, 0))


def make_screenshot(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """Margins of other widths, a title bar with a name and buttons, a line of words below."""
    ground = (255, 255, 255) if rng.random() < 0.5 else (32, 33, 36)
    made = add_margins(picture, rng.uniform(0.02, 0.18, 4), ground)
    bar = max(24, round(0.05 * made.height))
    screen = add_margins(made, (0, bar / made.height, 0, 0), (222, 225, 230))
    pen = ImageDraw.Draw(screen)
    pen.text((bar, bar // 4), "holidays.jpg - viewer", "black", load_font(bar // 2))
    for at in range(3):
        x = screen.width - (at + 1) * bar
        pen.ellipse((x, bar // 4, x + bar // 2, 3 * bar // 4), fill="grey")
    pen.text((bar, screen.height - bar // 2), "12 of 345, 1024 x 768", "grey", load_font(bar // 3))
    return screen


def load_font(size: int) -> Any:
    return ImageFont.load_default(max(8, size))


def add_logo(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """In a corner, half seen through."""
    side = round(rng.uniform(0.12, 0.22) * min(picture.size))
    mark = Image.new("RGBA", (2 * side, side))
    pen = ImageDraw.Draw(mark)
    pen.rounded_rectangle((0, 0, 2 * side - 1, side - 1), side // 4, fill=(*draw_colour(rng), 190))
    pen.text((side // 4, side // 4), "LOGO", (200, 30, 30, 255), load_font(side // 2))
    x = [side // 4, picture.width - 9 * side // 4][rng.integers(2)]
    y = [side // 4, picture.height - 5 * side // 4][rng.integers(2)]
    made = picture.copy()
    made.paste(mark, (x, y), mark)
    return made


def add_text(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """A line of large letters right across it."""
    made = picture.copy()
    letters = load_font(round(0.11 * picture.width))
    at = (0.04 * picture.width, rng.uniform(0.05, 0.8) * picture.height)
    ink = INK[rng.integers(len(INK))]
    ImageDraw.Draw(made).text(at, "When Monday comes", ink, letters, stroke_width=2)
    return made


def make_collage(picture: Picture, other: Picture, rng: Rng) -> Picture:
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


def change_perspective(picture: Picture, other: Picture, rng: Rng) -> Picture:
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
    return picture.transform(picture.size, kinds[0], map_back, kinds[1], fillcolor=draw_colour(rng))


def make_sepia(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.convert("RGB", SEPIA)


def make_negative(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return ImageOps.invert(picture)


def make_grey(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.convert("L")


def round_corners(picture: Picture, other: Picture, rng: Rng) -> Picture:
    """Round corners of another colour that nobody sees."""
    mask = Image.new("L", picture.size)
    corner = ((0, 0), (picture.width - 1, picture.height - 1))
    radius = round(rng.uniform(0.05, 0.3) * min(picture.size))
    ImageDraw.Draw(mask).rounded_rectangle(corner, radius, fill=255)
    made = Image.composite(picture, Image.new("RGB", picture.size, draw_colour(rng)), mask)
    made.putalpha(mask)
    return made


def make_cmyk(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.convert("CMYK")


def reduce_colours(picture: Picture, other: Picture, rng: Rng) -> Picture:
    return picture.quantize(int(rng.choice([32, 64, 128, 256])))


def write_turned(path: Path, picture: Picture, rng: Rng) -> None:
    """Stored another way up, with the tag that says so."""
    exif = Image.Exif()
    exif[ORIENTATION] = told = int(rng.integers(2, 9))
    picture.transpose(STORED[told]).save(path, quality=85, exif=exif.tobytes())


def write_sixteen_bits(path: Path, picture: Picture, rng: Rng) -> None:
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


def write_plainly(path: Path, picture: Picture, rng: Rng) -> None:
    picture.save(path)


TRANSFORMS: dict[str, Transform] = {
    **{f"jpeg {q}": Transform(write=make_jpeg_writer(q)) for q in (80, 50, 25, 10)},
    "webp": Transform(suffix=".webp", write=write_webp),
    "smaller": Transform(scale(0.3, 0.7)),
    "larger": Transform(scale(1.3, 2.0)),
    "aspect": Transform(change_aspect),
    "blur": Transform(blur),
    "sharpen": Transform(sharpen),
    "noise": Transform(add_noise),
    "brightness": Transform(change_brightness),
    "contrast": Transform(enhance(ImageEnhance.Contrast, (0.35, 0.7), (1.4, 2.0))),
    "gamma": Transform(change_gamma),
    "grey": Transform(make_grey),
    "hue": Transform(shift_hue),
    "tint": Transform(tint),
    "saturation": Transform(enhance(ImageEnhance.Color, (0.1, 0.5), (1.6, 2.5))),
    "sepia": Transform(make_sepia),
    "posterise": Transform(posterise),
    "negative": Transform(make_negative),
    "16 bits": Transform(suffix=".png", write=write_sixteen_bits),
    "cmyk": Transform(make_cmyk),
    "palette": Transform(reduce_colours, ".png", write_plainly),
    "alpha": Transform(round_corners, ".png", write_plainly),
    "exif": Transform(write=write_turned),
    "mirror": Transform(transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "flip": Transform(transpose(Image.Transpose.FLIP_TOP_BOTTOM)),
    "rot90": Transform(transpose(Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)),
    "rot180": Transform(transpose(Image.Transpose.ROTATE_180)),
    "rot5": Transform(turn(5, 1.5)),
    "rot15": Transform(turn(15, 3)),
    **{f"crop {round(100 * lost)} %": Transform(crop(lost)) for lost in (0.1, 0.2, 0.3, 0.5)},
    "border": Transform(add_border),
    "frame": Transform(add_frame),
    "letterbox": Transform(letterbox),
    "screenshot": Transform(make_screenshot),
    "logo": Transform(add_logo),
    "text": Transform(add_text),
    "collage": Transform(make_collage),
    "perspective": Transform(change_perspective),
}
