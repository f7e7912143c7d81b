"""Lay out real pictures of many kinds, as `images/kinds.py` reads them: KIND/SOURCE/files.

    python -m benchmarks.common.images.kinds_material FROM KINDS [--kinds icons flags]

FROM is a folder with a folder for each package of Debian (unpacked with `dpkg -x`), each package of
npm and each clone that is there, by its name as in `PARTS`; what is not there is left out, and said.
`benchmarks/README.md` says how to get them. SVG needs `rsvg-convert`, PDF `pdftoppm`, music
`lilypond`.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PIL import Image

from benchmarks.common.images import kinds_makers as makers
from benchmarks.common.images.kinds_maps import draw_maps

Maker = Callable[[Path], makers.Made]

ICONS, DOCS, STAMPS = "usr/share/icons", "usr/share/doc", "usr/share/tuxpaint/stamps"
CLIPS, HELP = "usr/share/openclipart/png", "usr/share/help/C"
LARGE = Image.DecompressionBombError


@dataclass(frozen=True)
class Part:
    """Originals of a kind from one place.

    Parameters
    ----------
    kind
        Folder to write to.
    home, files
        Package or clone, and a pattern of files below it.
    make
        How a file becomes originals.
    source
        Folder below the kind; how many levels above the file it is named of, where a number.
    most
        Originals of a source.
    """

    kind: str
    home: str
    files: str
    make: Maker = makers.copy
    source: str | int = ""
    most: int = 100


PARTS = (
    Part("portraits", "orl-face-recognition-pca-svm", "orl_faces/*/*.pgm", source=1),
    Part("portraits", "yale-face-dataset-recognition", "src/preprocessing/*/*.*", source=1),
    Part("portraits", "deepface", "tests/unit/dataset/*.jpg"),
    Part("icons", "oxygen-icon-theme", f"{ICONS}/oxygen/base/64x64/*/*.png"),
    Part("icons", "gnome-icon-theme", f"{ICONS}/gnome/48x48/*/*.png"),
    Part("icons", "tango-icon-theme", f"{ICONS}/Tango/scalable/*/*.svg", makers.draw_svg),
    Part("icons", "elementary-xfce-icon-theme", f"{ICONS}/elementary-xfce/*/64/*.png"),
    Part("icons", "faenza-icon-theme", f"{ICONS}/Faenza/apps/64/*.png"),
    Part("icons", "breeze-icon-theme", f"{ICONS}/breeze/apps/48/*.svg", makers.draw_svg),
    Part("icons", "papirus-icon-theme", f"{ICONS}/Papirus/64x64/apps/*.svg", makers.draw_svg),
    Part("file types", "oxygen-icon-theme", f"{ICONS}/oxygen/base/128x128/mimetypes/*.png"),
    Part("file types", "gnome-icon-theme", f"{ICONS}/gnome/256x256/mimetypes/*.png"),
    Part("file types", "breeze-icon-theme", f"{ICONS}/breeze/mimetypes/64/*.svg", makers.draw_svg),
    Part("file types", "elementary-xfce-icon-theme", f"{ICONS}/elementary-xfce/mimes/64/*.png"),
    Part("tiny icons", "famfamfam-silk", "usr/**/*.png", most=300),
    Part("tiny icons", "famfamfam-flag-png", "usr/share/flags/countries/16x11/*.png", most=300),
    Part("tiny icons", "gnome-icon-theme", f"{ICONS}/gnome/16x16/*/*.png", most=300),
    Part("tiny icons", "oxygen-icon-theme", f"{ICONS}/oxygen/base/16x16/*/*.png", most=300),
    Part(
        "emoji", "fonts-noto-color-emoji", "usr/**/NotoColorEmoji.ttf", makers.draw_emoji, most=400
    ),
    Part("emoji", "twemoji-svg", "package/1f[3-9]*.svg", makers.draw_svg, most=400),
    Part("flags", "flag-icons", "package/flags/4x3/*.svg", makers.draw_svg, most=300),
    Part("flags", "country-flags", "svg/*.svg", makers.draw_svg, most=300),
    Part("flags", "iso-flags-png-320x240", "usr/**/*.png", most=300),
    Part("flags", "kgeography-data", "usr/share/kgeography/flags/*.png", most=300),
    Part("pages", "texlive-humanities-doc", "usr/**/*.pdf", makers.print_pages, source=1, most=8),
    Part("pages", "r-doc-pdf", f"{DOCS}/**/*.pdf", makers.print_pages, source=0, most=25),
    Part("pages", "pari-doc", "usr/**/*.pdf", makers.print_pages, source=0, most=25),
    Part("pages", "octave-doc", f"{DOCS}/**/*.pdf", makers.print_pages, source=0, most=25),
    Part("pages", "developers-reference", "usr/**/*.pdf", makers.print_pages, most=25),
    Part("pages", "gnuplot-doc", "usr/**/*.pdf", makers.print_pages, most=25),
    Part("screens", "gnucash-docs", f"{HELP}/gnucash-guide/figures/*.png"),
    Part("screens", "kile-doc", f"{DOCS}/HTML/en/kile/*.png"),
    Part("screens", "kstars-data", f"{DOCS}/HTML/en/kstars/*.png"),
    Part("screens", "okular", f"{DOCS}/HTML/en/okular/*.png"),
    Part("screens", "gimp-help-en", "usr/share/gimp/2.0/help/en/images/dialogs/*.png"),
    Part("screens", "gnome-user-docs", f"{HELP}/**/*.png"),
    Part("drawings", "openclipart-png", f"{CLIPS}/animals/**/*.png", source=1, most=30),
    Part("drawings", "openclipart-png", f"{CLIPS}/people/**/*.png", source=1, most=30),
    Part("drawings", "openclipart-png", f"{CLIPS}/food/**/*.png", source=1, most=30),
    Part("drawings", "openclipart-png", f"{CLIPS}/transportation/**/*.png", source=1, most=30),
    Part("drawings", "openclipart-png", f"{CLIPS}/recreation/**/*.png", source=1, most=30),
    Part("drawings", "asymptote-doc", "usr/**/*.png"),
    Part("stars", "openclipart-png", f"{CLIPS}/shapes/stars/*.png", source="", most=300),
    Part(
        "sheet music",
        "MutopiaProject",
        "ftp/BachJS/**/*.ly",
        makers.engrave,
        source="Bach",
        most=40,
    ),
    Part(
        "sheet music", "MutopiaProject", "ftp/SorF/**/*.ly", makers.engrave, source="Sor", most=40
    ),
    Part(
        "sheet music",
        "MutopiaProject",
        "ftp/ChopinFF/**/*.ly",
        makers.engrave,
        source="Chopin",
        most=40,
    ),
    Part(
        "sheet music",
        "MutopiaProject",
        "ftp/CarulliF/**/*.ly",
        makers.engrave,
        source="Carulli",
        most=40,
    ),
    Part(
        "sheet music",
        "MutopiaProject",
        "ftp/MozartWA/**/*.ly",
        makers.engrave,
        source="Mozart",
        most=40,
    ),
    Part(
        "sheet music",
        "MutopiaProject",
        "ftp/Traditional/**/*.ly",
        makers.engrave,
        source="songs",
        most=40,
    ),
    Part("snippets", "lilypond-doc-pdf", f"{DOCS}/**/notation.pdf", makers.print_pages, source=0),
    Part("maps", "kgeography-data", "usr/share/kgeography/*.png", most=160),
    Part("maps", "world-atlas", "package/countries-10m.json", draw_maps, most=160),
    Part("maps", "us-atlas", "package/counties-10m.json", draw_maps, most=160),
    Part("handwriting", "handwriting-ocr", "data/pages/*.jpg", makers.cut_lines, source=0),
    Part("letters", "omniglot", "python/images_background_small*.zip", makers.unzip, source=0),
    Part("memes", "memegen", "templates/*/default.*", makers.caption, most=300),
    Part("products", "GroceryStoreDataset", "dataset/iconic*/**/*.jpg"),
    Part("products", "tuxpaint-stamps-default", f"{STAMPS}/*/**/*.png", source="stamps", most=300),
    Part("clothes", "clothing-dataset-small", "train/*/*.jpg", source=1, most=60),
    Part("turned objects", "ProjetoAM", "datasets/coil20/*.png", most=300),
    Part("x-rays", "COVID-19", "*/No_findings/*", source=1, most=120),
    Part("x-rays", "COVID-19", "*/Pneumonia/*", source=1, most=120),
    Part("x-rays", "COVID-19", "*/Covid-19/*", source=1, most=120),
    Part("heads", "Brain-Tumor-Detection", "yes/*", source=1, most=160),
    Part("heads", "Brain-Tumor-Detection", "no/*", source=1, most=160),
    Part("blood cells", "BCCD_Dataset", "BCCD/JPEGImages/*.jpg", most=400),
    Part("receipts", "ICDAR-2019-SROIE", "data/img/*.jpg", most=400),
    Part("frames 72", "videos", "*", makers.take_frames(72), source=0),
    Part("frames 288", "videos", "*", makers.take_frames(288), source=0),
    Part("photographs", "BSDS500", "BSDS500/data/images/*/*.jpg", source=1, most=150),
)
# Films that show the same as another one.
AGAIN = ("_sea-360p.", "_sea-360p-10s", "demo_skeleton", "demo_spatiotemporal", "_test.mp4")
ONCE = "_sea-360p.mp4"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("home", type=Path, metavar="FROM")
    parser.add_argument("out", type=Path, metavar="KINDS")
    parser.add_argument("--kinds", nargs="*", help="only these")
    args = parser.parse_args()
    there = {kind.name for kind in args.out.glob("*")}
    for kind in sorted(there):
        print(f"{kind}: there already, left as it is", file=sys.stderr)
    for part in PARTS:
        if part.kind in there or (args.kinds and part.kind not in args.kinds):
            continue
        if not (args.home / part.home).is_dir():
            print(f"{part.kind}: no {part.home}", file=sys.stderr)
            continue
        written = write(part, args.home / part.home, args.out / part.kind)
        print(f"{part.kind}: {written} from {part.home}", flush=True)


def write(part: Part, home: Path, folder: Path) -> int:
    """Write the originals of a part; return how many."""
    written: dict[str, int] = {}
    for path in _spread(find_files(part, home)):
        source = _name_source(part, path)
        if written.get(source, 0) >= part.most:
            continue
        at = f"{path.parent.name} " if path.stem.isdigit() else ""
        left = part.most - written.get(source, 0)
        for name, made in islice(_try_to_make(part, path), left):
            save(made, folder / source / f"{at}{name}".replace("/", " "))
            written[source] = written.get(source, 0) + 1
    return sum(written.values())


def find_files(part: Part, home: Path) -> list[Path]:
    """Return the files of a part, links left out, since they are the same as another."""
    paths = [p for p in sorted(home.glob(part.files)) if p.is_file() and not p.is_symlink()]
    again = [p for p in paths if any(w in p.name for w in AGAIN) and not p.name.endswith(ONCE)]
    return [p for p in paths if p not in again]


def _spread(paths: list[Path]) -> list[Path]:
    """Return them in an order that takes some of everything, the same each time."""
    return sorted(paths, key=lambda path: hashlib.blake2b(path.name.encode()).digest())


def _name_source(part: Part, path: Path) -> str:
    if isinstance(part.source, str):
        return part.source or part.home
    return path.stem if part.source == 0 else path.parts[-1 - part.source]


def _try_to_make(part: Part, path: Path) -> Iterator[tuple[str, Image.Image | Path]]:
    try:
        if part.make is makers.copy and makers.is_small(path):
            yield path.stem, path
        else:
            yield from part.make(path)
    except (OSError, ValueError, LARGE, subprocess.SubprocessError) as error:
        print(f"{path.name}: {error}", file=sys.stderr)


def save(made: Image.Image | Path, stem: Path) -> None:
    """Write a picture under a name that is free, without loss unless it is a large photograph."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    while any(stem.parent.glob(f"{glob.escape(stem.name)}.*")):
        stem = stem.with_name(f"{stem.name} again")
    if isinstance(made, Path):
        shutil.copyfile(made, f"{stem}{made.suffix.lower()}")
    elif made.format == "JPEG" and made.mode in ("L", "RGB"):
        made.save(f"{stem}.jpg", quality=92)
    else:
        plain = made if made.mode in ("L", "LA", "P", "RGB", "RGBA") else made.convert("RGB")
        plain.save(f"{stem}.png", compress_level=1)


if __name__ == "__main__":
    main()
