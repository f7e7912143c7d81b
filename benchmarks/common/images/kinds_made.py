"""Kinds of picture that can be made here: many that are alike, of which none is a copy of another.

Each function writes files to a folder for every source: a form in a font, a library in a style.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Rng = np.random.Generator

EACH = 40  # pictures of a source
NAMES = ("Adams", "Baker", "Costa", "Dahl", "Eriksen", "Fuchs", "Gomez", "Haas", "Ito", "Jensen")
FIRST = ("Anna", "Ben", "Clara", "David", "Eva", "Felix", "Greta", "Hugo", "Ida", "Jonas")
GOODS = ("Bread", "Milk 1 l", "Apples", "Coffee", "Rice 1 kg", "Soap", "Butter", "Pasta", "Tea")
FIELDS = ("Name", "First name", "Date", "Number", "Street", "City", "Account", "Total", "Signed")
FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral")
STYLES = ("default", "ggplot", "bmh", "seaborn-v0_8-whitegrid")
PALETTES = ((200, 70, 60), (60, 90, 170), (40, 130, 90), (150, 90, 160))


def make_forms(folder: Path, rng: Rng) -> None:
    """Filled in forms and tills' receipts: the same print, other values in it."""
    for form, font in enumerate(FONTS):
        for at in range(EACH):
            _save(_fill_form(form, font, rng), folder / f"form {font}", at)
            _save(_print_receipt(form, font, rng), folder / f"receipt {font}", at)


def _fill_form(form: int, font: str, rng: Rng) -> Image.Image:
    """Fields in frames, a title and a colour of its own; only the values are drawn by lot."""
    page = Image.new("RGB", (480 + 40 * form, 640), "white")
    pen, print_ = ImageDraw.Draw(page), np.random.default_rng(form)
    colour, left = PALETTES[form % len(PALETTES)], 40
    pen.rectangle((0, 0, page.width, 60), fill=colour)
    pen.text((left, 18), f"Application {form + 1}", "white", load_font(font, 24))
    for row, field in enumerate(print_.permutation(FIELDS).tolist()):
        y = 90 + 58 * row
        pen.text((left, y), field, colour, load_font(font, 12))
        pen.rectangle((left, y + 16, page.width - left, y + 44), outline=(120, 120, 120))
        pen.text((left + 8, y + 21), _draw_value(field, rng), "black", load_font(font, 15))
    return page


def _draw_value(field: str, rng: Rng) -> str:
    if "ame" in field or field == "Signed":
        return f"{FIRST[rng.integers(len(FIRST))]} {NAMES[rng.integers(len(NAMES))]}"
    if field in ("Street", "City"):
        return f"{NAMES[rng.integers(len(NAMES))]}straat {rng.integers(1, 200)}"
    if field == "Date":
        return f"{rng.integers(1, 29):02}.{rng.integers(1, 13):02}.{rng.integers(1990, 2025)}"
    return f"{rng.integers(10**7, 10**8):,}"


def _print_receipt(form: int, font: str, rng: Rng) -> Image.Image:
    """A shop's name, goods and prices, a sum: in each receipt of a shop as many lines."""
    slip = Image.new("RGB", (300, 520), (250, 249, 246))
    pen, ink = ImageDraw.Draw(slip), (40, 40, 45)
    pen.text((150, 20), f"SHOP No. {form + 1}", ink, load_font(font, 22), "ma")
    pen.text((150, 52), "Thank you for your visit", ink, load_font(font, 12), "ma")
    prices = rng.integers(49, 2000, 10) / 100
    for row, price in enumerate(prices.tolist()):
        goods = f"{rng.integers(1, 5)} x {GOODS[rng.integers(len(GOODS))]}"
        pen.text((24, 90 + 30 * row), goods, ink, load_font(font, 14))
        pen.text((276, 90 + 30 * row), f"{price:.2f}", ink, load_font(font, 14), "ra")
    pen.line((24, 400, 276, 400), ink, 2)
    pen.text((24, 412), "TOTAL", ink, load_font(font, 18))
    pen.text((276, 412), f"{prices.sum():.2f}", ink, load_font(font, 18), "ra")
    date = f"{rng.integers(1, 29):02}.{rng.integers(1, 13):02}.2024"
    pen.text((150, 470), f"{date}  {rng.integers(10**5, 10**6)}", ink, load_font(font, 12), "ma")
    return slip


def load_font(name: str, size: int) -> Any:
    """Return a font that matplotlib ships; Pillow's own where it is not installed."""
    if importlib.util.find_spec("matplotlib") is None:
        return ImageFont.load_default(size)
    import matplotlib

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/{name}.ttf", size)


def make_charts(folder: Path, rng: Rng) -> None:
    """Charts by the libraries that are here: of each style many, of other data."""
    for library, draw in CHARTS.items():
        if not _is_here(library):
            print(f"charts by {library} are left out: it is not installed", file=sys.stderr)
            continue
        draw(folder, rng)


def _is_here(library: str) -> bool:
    if library == "pygal":
        return bool(importlib.util.find_spec("pygal") and shutil.which("rsvg-convert"))
    return bool(importlib.util.find_spec(library) or shutil.which(library))


def draw_by_matplotlib(folder: Path, rng: Rng) -> None:
    """Lines, bars, points and histograms, each in a style of its own."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    draws: dict[str, Callable[[Any], object]] = {
        "lines": lambda axes: axes.plot(walk(rng, 60, 3)),
        "bars": lambda axes: axes.bar([*"ABCDEFGH"], rng.uniform(1, 9, 8)),
        "points": lambda axes: axes.scatter(*rng.normal(size=(2, 80)), s=12),
        "histogram": lambda axes: axes.hist(rng.gamma(rng.uniform(1, 6), size=300), bins=24),
    }
    for style, (name, draw) in zip(STYLES, draws.items(), strict=True):
        for at in range(EACH):
            with plt.style.context(style):
                figure, axes = plt.subplots(figsize=(4.8, 3.6), dpi=100)
                draw(axes)
                axes.set(title="Measured values", xlabel="time, s", ylabel="value")
                home = folder / f"matplotlib {name}"
                home.mkdir(parents=True, exist_ok=True)
                figure.savefig(home / f"{at:04}.png")
                plt.close(figure)


def draw_by_gnuplot(folder: Path, rng: Rng) -> None:
    """Lines and boxes in gnuplot's own colours."""
    for kind in ("lines", "boxes"):
        home = folder / f"gnuplot {kind}"
        home.mkdir(parents=True, exist_ok=True)
        script = ["set terminal pngcairo size 480,360", "set style fill solid 0.5", "set grid"]
        for at in range(EACH):
            values = walk(rng, 60, 2) if kind == "lines" else rng.uniform(1, 9, (12, 1))
            script.append("\n".join([f"$d{at} << E", *map(_join, values), "E"]))
            parts = [f"$d{at} using 0:{c + 1} with {kind}" for c in range(values.shape[1])]
            script += [f"set output '{home / f'{at:04}.png'}'", f"plot {', '.join(parts)}"]
        subprocess.run(["gnuplot"], input="\n".join([*script, ""]), text=True, check=True)


def _join(values: Any) -> str:
    return " ".join(f"{value:.4f}" for value in values)


def draw_by_pygal(folder: Path, rng: Rng) -> None:
    """Lines, bars and pies."""
    import pygal

    from benchmarks.common.images.kinds_makers import draw_svg

    for kind in ("Line", "Bar", "Pie"):
        for at in range(EACH):
            chart = getattr(pygal, kind)(width=600, height=400, title="Sales by region")
            for row, name in enumerate(("north", "east", "south", "west")):
                many = 1 if kind == "Pie" else 8
                chart.add(name, np.abs(walk(rng, many, 1)[:, 0] + row + 1).tolist())
            path = folder / f"pygal {kind}" / f"{at:04}.svg"
            path.parent.mkdir(parents=True, exist_ok=True)
            chart.render_to_file(str(path))
            for _, picture in draw_svg(path):
                picture.save(path.with_suffix(".png"))
            path.unlink()


def walk(rng: Rng, steps: int, lines: int) -> Any:
    """Return values that wander."""
    return np.cumsum(rng.normal(size=(steps, lines)), axis=0)


def _save(picture: Image.Image, folder: Path, at: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / f"{at:04}.png")


CHARTS: dict[str, Callable[[Path, Rng], None]] = {
    "matplotlib": draw_by_matplotlib,
    "gnuplot": draw_by_gnuplot,
    "pygal": draw_by_pygal,
}
MADE: dict[str, Callable[[Path, Rng], None]] = {"forms": make_forms, "charts": make_charts}


def make(kind: str, folder: Path) -> None:
    """Make a kind, the same each time."""
    MADE[kind](folder, np.random.default_rng([*kind.encode()]))


def find_sources(folder: Path) -> Sequence[Path]:
    """Return the folders of the sources of a kind."""
    return sorted(path for path in folder.iterdir() if path.is_dir())


def find_pictures(folder: Path) -> Iterator[Path]:
    """Yield the pictures of a source."""
    suffixes = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".webp")
    yield from (p for p in sorted(folder.rglob("*")) if p.suffix.lower() in suffixes)
