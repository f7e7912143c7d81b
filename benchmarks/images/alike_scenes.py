"""Which photographs look most alike, and so may show the same scene? Draws the pairs, to be viewed.

    python -m benchmarks.images.alike_scenes --data DIR --more FOLDER... --sheet FILE.png

Two that show the same thing must be joined in `SAME` of `benchmarks.common.images.scenes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.common import harness
from benchmarks.common.images import scenes

SIDE = 24  # pixels of what is compared


def main() -> None:
    parser = harness.make_parser(__doc__)
    scenes.add_options(parser)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--sheet", type=Path, required=True, help="where to draw the pairs")
    args = parser.parse_args()
    used = [scene for scene in scenes.find_scenes(args.data, args.more) if scene.photograph]
    pictures = [scenes.read_picture(scene) for scene in used]
    pairs = [pair for pair, _ in zip(find_alike(pictures), range(args.pairs), strict=False)]
    names = [{"alike": r, "a": used[a].name, "b": used[b].name} for r, a, b in pairs]
    halves = [sum(scene.reported == half for scene in used) for half in (True, False)]
    harness.print_table(f"{halves[0]} scenes to report, {halves[1]} to develop on", names)
    draw([(pictures[a], pictures[b], f"{r:.2f} {used[a].name}") for r, a, b in pairs], args.sheet)
    harness.keep(args.json, names)


def find_alike(pictures: Sequence[Image.Image]) -> Iterator[tuple[float, int, int]]:
    """Yield pairs, those first whose small pictures have the most similar slopes."""
    small = np.stack([np.asarray(p.convert("L").resize((SIDE, SIDE)), float) for p in pictures])
    slopes = np.hstack([np.diff(small, axis=a).reshape(len(small), -1) for a in (1, 2)])
    slopes /= np.linalg.norm(slopes, axis=1, keepdims=True) + 1
    correlation = slopes @ slopes.T
    first, second = np.triu_indices(len(small), 1)
    for at in np.argsort(-correlation[first, second]):
        a, b = int(first[at]), int(second[at])
        yield float(correlation[a, b]), a, b


def draw(rows: Sequence[tuple[Image.Image, Image.Image, str]], path: Path) -> None:
    """Write pairs side by side, six to a row."""
    wide, high = 120, 104
    sheet = Image.new("RGB", (12 * wide, -(-len(rows) // 6) * high), "white")
    pen = ImageDraw.Draw(sheet)
    for at, (a, b, label) in enumerate(rows):
        x, y = at % 6 * 2 * wide, at // 6 * high
        for place, image in enumerate((a, b)):
            small = image.copy()
            small.thumbnail((wide - 4, high - 14))
            sheet.paste(small, (x + place * wide, y))
        pen.text((x, y + high - 13), label[:38], fill="black")
    sheet.save(path)


if __name__ == "__main__":
    main()
