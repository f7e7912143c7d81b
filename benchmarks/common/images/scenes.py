"""Real photographs: where they come from, which show the same scene, which may be reported on.

`benchmarks.images.alike_scenes` shows the scenes that look most alike; two that show the same thing
must be joined here, in `SAME`.
"""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.common.judging import is_reported

SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff"])
LEAST = 200  # pixels (>=) of the shorter side
MOST = 800  # pixels of the longer side: larger ones are made smaller
FRAME = 30  # of a video: a second into most

# What is no photograph, or shows next to nothing, by folder: only there to be mistaken for one.
DRAWN = {
    "mate/desktop": "*",
    "mate/abstract": "*",
    "gnome": "*",
    "palapeli": "*",
    "lxqt/wallpapers": "waves* *origami* *plasma* triangles* simple_blue* debug",
    "backgrounds": "calla city desert fluent-color rollpaper focal* goldfish 2004default string "
    "firstgen* rhythm the-mouse umang* Fossa* analogpattern* Painting* Infinite-Sea* "
    "Eliminator* Rear-Admiral* Time-For-Lunch* gon-defends* mahogany*",
    "wallpapers": "Altai Autumn Canopee Cascade Cluster ColdRipple DarkestHour Elarun Flow "
    "FlyingKonqui Honeywave IceCold Kay Kokkini MilkyWay Opal PastelHills Patak SafeLanding Shell "
    "Volna",
    "data": "cell clock_motion color *logo horse multipage* Original* Transformed* *skeleton "
    "cards chess* detect_blob digits ellipses gradient imageText? ml pca_test* pic? aloeGT "
    "Blender* left[01]? right[01]? text_* *Logo blox bw_text green_palette phantom",
    "shape_sample": "*",
    "ximgproc": "*",
    "fuzzy": "*",
    "trimaps": "*",
    "output_mattes": "*",
    "text": "*",
    "images": "vimperator3",
    "misc-images": "small wee",
    "videos": "*sam2_720px_dark*",
}
# Scenes under more than one name: other encodings, other shots of the same thing, one film with
# words laid over it, and two films of one room (its background is the same).
SAME = {
    "sea": "videos/*sea-360p*",
    "pool": "videos/*rawvideo_dataset_part_0* videos/*mmaction2__tests_data_test.mp4",
    "room": "videos/*demo_skeleton* videos/*S001C001P001*",
    "wrestling": "videos/*mmaction2__demo_demo.mp4 videos/*spatiotemporal_det*",
    "bridge": "bridge-mods/* modes/*",
    "snake": "images/snake*",
    "motorcycle": "data/motorcycle_*",
    "air": "data/aero?",
    "aloe": "data/aloe*",
    "basketball": "data/basketball?",
    "box": "data/box data/box_in_scene",
    "notebook": "data/ela_*",
    "graffiti": "data/graf?",
    "books": "data/left data/right",
    "leuven": "data/leuven?",
    "plant": "input_images/plant output_mattes/plant_result trimaps/plant",
    "whale": "data/rubberwhale?",
}


@dataclass(frozen=True)
class Scene:
    """A photograph, or a frame of a film.

    Parameters
    ----------
    path
        The file: of several, the photograph with most bytes.
    name
        The same wherever the folder lies.
    photograph
        Whether copies may be made of it.
    """

    path: Path
    name: str
    photograph: bool

    @property
    def is_film(self) -> bool:
        """Whether the file is a video, of which a frame is taken."""
        return _is_film(self.path)

    @property
    def reported(self) -> bool:
        """Whether it is in the half that is reported on; the other is to develop on."""
        return is_reported(self.name)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let the command line say where pictures are."""
    parser.add_argument("--data", type=Path, help="folder that holds pdq and videos")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="folders of photographs")


def find_scenes(data: Path | None, more: Sequence[Path]) -> list[Scene]:
    """Return one picture of each scene, sorted by name.

    Parameters
    ----------
    data
        Holds `pdq` and `videos`.
    more
        Every picture below them that is large enough.
    """
    roots = [data / "pdq", data / "videos"] if data else []
    files = defaultdict(list)
    for path in (p for root in [*roots, *more] for p in root.rglob("*") if p.is_file()):
        if _is_film(path) or _is_large(path):
            files[name_scene(path)].append(path)
    best = {name: max(paths, key=_rank) for name, paths in files.items()}
    return [
        Scene(path, name, not is_drawn(path))
        for name, path in sorted(best.items())
        if not _is_film(path) or _has_frames(path)
    ]


def _rank(path: Path) -> tuple[bool, int, Path]:
    return not is_drawn(path), path.stat().st_size, path


def name_scene(path: Path) -> str:
    """Return the name of what a file shows."""
    name = name_file(path)
    return next((scene for scene, forms in SAME.items() if _is_one_of(name, forms)), name)


def name_file(path: Path) -> str:
    """Return folder and name of a file: a wallpaper of KDE is a folder with several sizes."""
    parts = path.parts
    if "contents" in parts:
        return f"wallpapers/{parts[parts.index('contents') - 1]}"
    above = "lxqt/wallpapers" if "lxqt" in parts else f"{parts[-2]}"
    above = f"mate/{above}" if "mate" in parts else above
    return f"{above}/{path.name if above == 'videos' else path.stem}"


def is_drawn(path: Path) -> bool:
    """Return whether a file is no photograph."""
    folder, _, stem = name_file(path).rpartition("/")
    return _is_one_of(stem, DRAWN.get(folder, ""))


def _is_one_of(name: str, forms: str) -> bool:
    return any(fnmatch(name, form) for form in forms.split())


def _is_film(path: Path) -> bool:
    return path.parent.name == "videos"


def _is_large(path: Path) -> bool:
    if path.suffix.lower() not in SUFFIXES or path.is_symlink():
        return False
    try:
        with Image.open(path) as image:
            return min(image.size) >= LEAST
    except OSError:  # damaged
        return False


def _has_frames(path: Path) -> bool:
    import av

    with av.open(str(path)) as container:
        return bool(container.streams.video)


def read_picture(scene: Scene) -> Image.Image:
    """Return the picture of a scene, RGB, at most `MOST` pixels to a side."""
    image = _read_frame(scene.path) if scene.is_film else Image.open(scene.path)
    image.draft("RGB", (MOST, MOST))
    image = image.convert("RGB")
    image.thumbnail((MOST, MOST), Image.Resampling.LANCZOS)
    return image


def _read_frame(path: Path) -> Any:
    """Return one frame of a video, or the last of a shorter one."""
    import av

    with av.open(str(path)) as container:
        return list(itertools.islice(container.decode(video=0), FRAME))[-1].to_image()
