"""Does a crowd hide anything? Copies of a picture, 5 to 500 a side, in test, in train, in both.

Each copy is changed in one of 44 ways, at a strength of its own. What is not reported is scanned
again alone with its original: what is found then was hidden by the crowd. A crowd of 28 photographs
under 47 changes each is set beside as many different pictures (`--different`), which costs so much
without any crowd. Different pictures are quarters of photographs, which share nothing.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common import harness
from benchmarks.common.crowds import PLACES, Crowd, count_undecided, count_verified, measure, scan
from benchmarks.common.harness import print_table
from benchmarks.common.images import scenes
from benchmarks.common.images.transforms import TRANSFORMS

NAMES = tuple(TRANSFORMS)
PARTS = 4  # of a photograph
TICK_S = 0.01  # of a clock of CPU time: less reads as nothing
SIDES = {"photographs": 640, "thumbnails": 48}  # pixels of the longer side


def main() -> None:
    parser = harness.make_parser(__doc__)
    scenes.add_options(parser)
    parser.add_argument("--kinds", nargs="+", choices=list(SIDES), default=list(SIDES))
    parser.add_argument("--places", nargs="+", choices=PLACES, default=list(PLACES))
    parser.add_argument("--sides", type=int, nargs="*", default=[5, 20, 100, 500])
    parser.add_argument("--originals", type=int, default=28, help="of the crowd beside others")
    parser.add_argument("--changes", type=int, default=47, help="of each of these")
    parser.add_argument("--different", type=int, default=1_346, help="0: nothing is set beside")
    args = parser.parse_args()
    found = [scene for scene in scenes.find_scenes(args.data, args.more) if scene.photograph]
    numbers: dict[str, Any] = {}
    for kind in args.kinds:
        write = partial(write_copy, Material(found, SIDES[kind]))
        rows = [
            _measure(Crowd(write, 1, side, place)) for side in args.sides for place in args.places
        ]
        print_table(f"Crowds of {kind}", rows)
        numbers[kind] = rows
    if args.different:
        numbers["beside"] = set_beside(Material(found, SIDES["photographs"]), args)
        print_table("Beside different pictures", numbers["beside"])
    harness.keep(args.json, numbers)


@dataclass(frozen=True)
class Material:
    """Photographs, of which quarters are taken, and how large they are made."""

    found: Sequence[scenes.Scene]
    side: int

    def original(self, at: int) -> Image.Image:
        """Return a quarter of a photograph: first one of each, then the next."""
        part, scene = divmod(at, len(self.found))
        picture = scenes.read_picture(self.found[scene])
        wide, high = picture.width // 2, picture.height // 2
        x, y = part % 2 * wide, part // 2 % 2 * high
        quarter = picture.crop((x, y, x + wide, y + high))
        by = self.side / max(quarter.size)
        size = [max(1, round(length * by)) for length in quarter.size]
        return quarter.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def write_copy(material: Material, original: int, change: int, path: Path) -> None:
    """Write an original (change 0) or a copy that was changed."""
    picture = material.original(original)
    if not change:
        picture.save(f"{path}.png")
        return
    transform = TRANSFORMS[NAMES[(change - 1) % len(NAMES)]]
    rng = np.random.default_rng([original, change])
    made = transform.make(picture, material.original(original + 1), rng)
    transform.write(Path(f"{path}{transform.suffix}"), made, rng)


def _measure(crowd: Crowd) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        return measure(crowd, Path(home))


def set_beside(material: Material, args: Any) -> list[dict[str, Any]]:
    """Scan a crowd, and as many pictures that are different."""
    crowd = _measure(Crowd(partial(write_copy, material), args.originals, args.changes, "test"))
    most = min(args.different, PARTS * len(material.found))
    with tempfile.TemporaryDirectory() as home:
        for at in range(most):
            folder = Path(home) / "ds" / ("train" if at < args.originals else "test")
            folder.mkdir(parents=True, exist_ok=True)
            material.original(at).save(folder / f"{at:05}.jpg", quality=85)
        found, cpu_s = scan(Path(home) / "ds", Path(home))
        verified, undecided = count_verified(found.run), count_undecided(found)
    many = args.originals * (args.changes + 1)
    names = ("test items", "reported", "hidden", "undecided", "pairs verified", "CPU s")
    alone = {"undecided": undecided, "pairs verified": verified, "CPU s": cpu_s}
    return [
        {"pictures": f"{many:,} in crowds", **{name: crowd[name] for name in names}},
        {"pictures": f"{most:,} different", **{name: alone.get(name) for name in names}},
        {"pictures": "times", "CPU s": crowd["CPU s"] / many / (max(cpu_s, TICK_S) / most)},
    ]


if __name__ == "__main__":
    main()
