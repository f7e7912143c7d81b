"""Small pictures of other kinds than CIFAR's: what is found of their copies, and what is not one.

Photographs are tiles of single frames of films and of the photographs in `pdq`; tiles of one frame
share nothing, so they are other pictures. Icons are those of matplotlib's toolbar, digits those of
scikit-learn (8 x 8 pixels, some 180 of each). Each is copied by each change, at another size;
all originals and copies are then searched together. Pairs of different originals are false.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common import harness
from benchmarks.common.harness import print_table
from benchmarks.common.images.contact_sheet import Row, draw
from benchmarks.common.judging import is_reported
from splitaudit.images.decode.thumbnail import thumbnail
from splitaudit.images.fingerprint import gradients
from splitaudit.images.verify.thumbnails import exposure
from splitaudit.search import near_vectors

Pixels = npt.NDArray[np.uint8]

SIDES = (32, 48, 64, 96)  # pixels, of the small pictures
ORIGINAL = 192  # pixels, of what they are made from
TILES = 2  # along a side of a frame
DIGITS, FEW = 600, 60  # digits, and those of them that are copied
PAGE = 60  # false pairs on a contact sheet
# Films that show the same thing as another one.
AGAIN = ("_sea-360p.", "_sea-360p-10s", "demo_skeleton", "demo_spatiotemporal", "_test.mp4")


@dataclass(frozen=True)
class Original:
    """A picture to make copies of: RGB, `ORIGINAL` pixels square."""

    kind: str
    name: str
    pixels: Pixels

    @property
    def reported(self) -> bool:
        """Whether it is in the half that is reported on; all of a scene are in one."""
        return is_reported(self.name.split("#")[0])


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with videos and pdq")
    parser.add_argument("--develop", action="store_true", help="the half to develop on, only")
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets of false pairs")
    args = parser.parse_args()
    originals = [one for one in find_originals(args.data) if args.develop != one.reported]
    numbers = {}
    for kind in sorted({one.kind for one in originals}):
        numbers[kind] = audit([one for one in originals if one.kind == kind], args.sheets)
    rows = [{"kind": kind, **found["sums"]} for kind, found in numbers.items()]
    print_table("Small pictures", rows)
    recalls = [found["recall"] for found in numbers.values()]
    names = list(dict.fromkeys(name for recall in recalls for name in recall))
    by_name = [{"change": n} | {k: f["recall"].get(n) for k, f in numbers.items()} for n in names]
    print_table("Recall", by_name)
    harness.keep(args.json, numbers)


def find_originals(data: Path) -> Iterator[Original]:
    """Return all originals that can be had."""
    yield from cut_photographs(data)
    yield from read_icons()
    yield from read_digits()


def cut_photographs(data: Path) -> Iterator[Original]:
    """Return tiles of a frame of each film, and of each photograph."""
    from PIL import Image

    frames = {"bridge": Image.open(data / "pdq/bridge-mods/aaa-orig.jpg").convert("RGB")}
    frames["modes"] = Image.open(data / "pdq/misc-images/modes/original.jpg").convert("RGB")
    films = sorted((data / "videos").iterdir())
    once = [film for film in films if not any(word in film.name for word in AGAIN)]
    once += [film for film in films if film.name.endswith("_sea-360p.mp4")]
    frames |= {film.stem: frame for film in once if (frame := _read_frame(film)) is not None}
    for name, frame in frames.items():
        wide, high = frame.width / TILES, frame.height / TILES
        for tile in range(TILES * TILES):
            x, y = tile % TILES * wide, tile // TILES * high
            pixels = _make_square(
                frame.crop((round(x), round(y), round(x + wide), round(y + high)))
            )
            if np.asarray(pixels, float).std(axis=(0, 1)).mean() > 8:  # else it is a wall or a sky
                yield Original("photographs", f"{name}#{tile}", pixels)


def _read_frame(film: Path) -> Any:
    """A frame from the middle of a film; None where there is none."""
    import av

    with av.open(str(film)) as container:
        if not container.streams.video:
            return None
        if container.duration:
            container.seek(container.duration // 2)
        frame = next(container.decode(video=0), None)
        return None if frame is None else frame.to_image()


def read_icons() -> Iterator[Original]:
    """Return the icons of matplotlib's toolbar, on white."""
    import matplotlib
    from PIL import Image

    for path in sorted(Path(matplotlib.get_data_path(), "images").glob("*_large.png")):
        # "back" is "forward" seen in a mirror.
        if not path.name.startswith("forward"):
            drawn = Image.open(path).convert("RGBA")
            page = Image.new("RGBA", drawn.size, "white")
            yield Original("icons", path.stem, _make_square(Image.alpha_composite(page, drawn)))


def read_digits() -> Iterator[Original]:
    """Return the digits of scikit-learn, where it is installed."""
    from PIL import Image

    if importlib.util.find_spec("sklearn") is None:
        print("digits are left out: pip install scikit-learn", file=sys.stderr)
        return
    from sklearn.datasets import load_digits

    for row, picture in enumerate(load_digits().images[:DIGITS]):
        level = Image.fromarray((picture * 15.9).astype(np.uint8))
        yield Original("digits", f"{row}", _make_square(level))


def _make_square(picture: Any) -> Pixels:
    return np.asarray(picture.convert("RGB").resize((ORIGINAL, ORIGINAL), 1))


def crop(share: float) -> Callable[[Pixels], Pixels]:
    """Return what keeps a share of each side, off the middle."""
    kept = round(share * ORIGINAL)
    from_top, from_left = (ORIGINAL - kept) // 3, (ORIGINAL - kept) * 2 // 3
    return lambda x: x[from_top : from_top + kept, from_left : from_left + kept]


def change_light(gain: float, bias: float) -> Callable[[Pixels], Pixels]:
    """Return what changes contrast about the middle, and brightness."""
    return lambda x: _round_levels(gain * (x.astype(float) - 128) + 128 + bias)


def _round_levels(values: Any) -> Pixels:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)


def _make_grey(pixels: Pixels) -> Pixels:
    return _round_levels(np.repeat(pixels.mean(axis=-1, keepdims=True), 3, axis=-1))


CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "scaled": lambda x: x,
    "mirror": lambda x: x[:, ::-1],
    "crop 0.9": crop(0.9),
    "crop 0.8": crop(0.8),
    "brighter": change_light(1, 25),
    "darker": change_light(1, -25),
    "contrast 0.7": change_light(0.7, 0),
    "grey": _make_grey,
    "JPEG 50": lambda x: x,
    "JPEG 20": lambda x: x,
}


def make_small(pixels: Pixels, side: int, quality: int) -> Pixels:
    """Return a picture at a size, through JPEG, as the scan would make it ready."""
    from PIL import Image

    page = io.BytesIO()
    made = Image.fromarray(np.ascontiguousarray(pixels)).resize((side, side), 1)
    made.save(page, "JPEG", quality=quality)
    return thumbnail(np.asarray(Image.open(page)))


def audit(originals: list[Original], sheets: Path | None) -> dict[str, Any]:
    """Search originals and copies together; return sums, and the recall of each change."""
    pictures, of, made = _make_copies(originals)
    begun = time.process_time()
    plain = gradients.Gradient().fingerprint(pictures).vectors
    found = near_vectors.pairs(
        gradients.query_vectors(plain), gradients.SCALE, 1 - gradients.Gradient.radius
    )
    pairs = np.stack([found["a"].to_numpy(), found["b"].to_numpy()], axis=1)
    proofs = exposure.compare(exposure.prepare(pictures), pairs)
    seconds = time.process_time() - begun
    same = of[pairs[:, 0]] == of[pairs[:, 1]]
    # An original stands before its copies.
    told = same & (made[pairs[:, 0]] == "") & proofs.accepted
    recall = {
        change: float(np.isin(np.flatnonzero(made == change), pairs[told, 1]).mean())
        for change in CHANGES
    }
    false = np.flatnonzero(~same & proofs.accepted)
    one, other = np.sort(of[pairs[false]], axis=1).T
    if sheets and len(false):
        _draw_sheet(sheets / f"small_{originals[0].kind}.png", (pictures, pairs, proofs), false)
    sums = {
        "originals": len(originals),
        "copies": int((made != "").sum()),
        "mean recall": float(np.mean(list(recall.values()))),
        "false pairs": len(false),
        "of originals": len(set(zip(one.tolist(), other.tolist(), strict=True))),
        "pairs compared": len(pairs),
        "CPU s": seconds,
    }
    return {"sums": sums, "recall": recall}


def _make_copies(originals: list[Original]) -> tuple[Pixels, npt.NDArray[np.int64], Any]:
    """Originals, then copies; which original each is of; by which change, "" of an original."""
    rows = [(make_small(one.pixels, SIDES[0], 90), at, "") for at, one in enumerate(originals)]
    copied = [at for at, one in enumerate(originals) if one.kind != "digits" or at < FEW]
    for at in copied:
        for turn, (change, do) in enumerate(CHANGES.items()):
            side = SIDES[(_draw_number(originals[at].name) + turn) % len(SIDES)]
            quality = int(change.split()[1]) if change.startswith("JPEG") else 85
            rows.append((make_small(do(originals[at].pixels), side, quality), at, change))
    pictures, of, made = zip(*rows, strict=True)
    return np.stack(pictures), np.array(of), np.array(made)


def _draw_number(name: str) -> int:
    return hashlib.blake2b(name.encode(), digest_size=2).digest()[1]


def _draw_sheet(path: Path, found: Any, rows: Any) -> None:
    """Draw the false pairs that are scored highest."""
    pictures, pairs, proofs = found
    path.parent.mkdir(parents=True, exist_ok=True)
    best = rows[np.argsort(-proofs.score[rows], kind="stable")][:PAGE]
    sides = [(pictures[pairs[row, 0]], pictures[pairs[row, 1]]) for row in best]
    labels = [f"{proofs.score[row]:.2f} {pairs[row]}" for row in best]
    maps = proofs.affine[best]
    draw([Row(*side, at, label) for side, at, label in zip(sides, maps, labels, strict=True)], path)
    print(f"  {path}")


if __name__ == "__main__":
    main()
