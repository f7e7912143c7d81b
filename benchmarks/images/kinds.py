"""Kinds of picture in which many are alike: are copies found in each, and is anything else called one.

Of each kind the originals of one half of the sources (a set of icons, a manual, a film; halved by a
hash of their names, or, where all would fall into one half, by that of the files') stand in two
splits, and copies of some of them in a third: recoded, smaller, cropped, captioned, the recoding of
a screen. `--data` names folders of real pictures, laid out as KIND/SOURCE/files; what can be made is
made. Of originals with equal pixels one is taken. Two others may be the same picture all the same:
a pair is false unless `kinds_same.csv`, or the table that `--same` names, holds it; `--sheets` draws
those that are accepted, to be looked at.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.common import harness
from benchmarks.common.harness import LEAKS, link, must, print_table
from benchmarks.common.images import contact_sheet, kinds_made, ladder_peers
from benchmarks.common.images.kinds_makers import write_words
from benchmarks.common.judging import (
    Truth,
    find_partners,
    find_worst_false,
    is_reported,
    match_texts,
    step_above,
)

SHEET = 50  # pairs
SMALLEST = 8  # pixels of the shorter side of a copy
OWN = {"imagehash phash 64": 5, "imagededup": 10, "pdqhash": 31}  # bits: what they state themselves
SAME = Path(__file__).parent / "kinds_same.csv"
NAMED = ("flags",)  # kinds in which two sources call the same thing by the same name

Same = set[tuple[str, str]]  # of a kind: SOURCE/file, both ways


@dataclass(frozen=True)
class Copy:
    """What is done to a picture on white, and the quality of the JPEG that it becomes."""

    quality: int
    change: Callable[[Image.Image], Image.Image]


@dataclass(frozen=True)
class Laid:
    """The items of a kind: originals by item, and what each copy was made of."""

    originals: dict[str, Path]
    copies: dict[str, str]


def scale(factor: float) -> Callable[[Image.Image], Image.Image]:
    """Return what makes a picture smaller."""
    return lambda p: p.resize(
        (max(SMALLEST, round(p.width * factor)), max(SMALLEST, round(p.height * factor))),
        Image.Resampling.LANCZOS,
    )


def crop(picture: Image.Image) -> Image.Image:
    """Cut a tenth off each dimension, more of it above and on the right."""
    wide, high = picture.width / 10, picture.height / 10
    right, lower = picture.width - wide * 0.7, picture.height - high * 0.3
    return picture.crop((round(wide * 0.3), round(high * 0.7), round(right), round(lower)))


def caption(picture: Image.Image) -> Image.Image:
    """Write words over the lower part."""
    said = picture.copy()
    write_words(said, "seen in the test set", "bottom")
    return said


COPIED = {
    "recoded": Copy(60, lambda picture: picture),
    "scale 0.75": Copy(90, scale(0.75)),
    "scale 0.5": Copy(90, scale(0.5)),
    "crop 10 %": Copy(90, crop),
    "caption": Copy(90, caption),
    "screen": Copy(80, scale(0.9)),
}


def main() -> None:
    args = _arguments()
    rows, found, judged = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for kind, pictures in find_kinds(args, Path(folder) / "made"):
            home = Path(folder) / kind
            laid = lay_out(pictures, home / "items", args.copies)
            rows.append(measure(kind, laid, home, read_same(args.same, kind), found))
            print(rows[-1], flush=True)
            judged += ask_peers(kind, laid, home, args.peers, found)
            draw_sheet(args.sheets, kind, laid, [row for row in found if row["kind"] == kind])
    print_table("Kinds", rows)
    print_table("Accepted pairs of originals", found, limit=50)
    print_table("Peers on the same files (at best: just above their worst false pair)", judged)
    harness.keep(args.json, {"kinds": rows, "pairs": found, "peers": judged})


def _arguments() -> argparse.Namespace:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="KIND/SOURCE/files")
    parser.add_argument("--kinds", nargs="*", help="only these")
    parser.add_argument("--most", type=int, default=500, help="originals of a kind")
    parser.add_argument("--copies", type=int, default=25, help="originals that are copied")
    parser.add_argument("--develop", action="store_true", help="the half that is not reported")
    parser.add_argument("--same", type=Path, default=SAME, help="table kind, a, b: SOURCE/file")
    parser.add_argument("--sheets", type=Path, help="folder for pictures of what is accepted")
    parser.add_argument("--peers", type=Path, help="python of an environment with the peers")
    return parser.parse_args()


def find_kinds(args: argparse.Namespace, made: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield the kinds, and the originals of one half of their sources."""
    real = [kind for data in args.data for kind in sorted(data.iterdir()) if kind.is_dir()]
    missing = [name for name in kinds_made.MADE if name not in {kind.name for kind in real}]
    for folder in [*real, *(made / kind for kind in missing)]:
        if args.kinds and folder.name not in args.kinds:
            continue
        if folder.parent == made:
            kinds_made.make(folder.name, folder)
        half = take_half([*kinds_made.find_pictures(folder)], folder, not args.develop)
        yield folder.name, take_different(half, args.most)


def take_half(pictures: Sequence[Path], kind: Path, reported: bool) -> list[Path]:
    """Return the pictures of one half: by source, or by name where that would leave none."""
    by_source = [is_reported(f"{kind.name}/{p.relative_to(kind).parts[0]}") for p in pictures]
    if len(set(by_source)) < 2:
        by_source = [is_reported(f"{kind.name}/{p.stem}") for p in pictures]
    return [p for p, its in zip(pictures, by_source, strict=True) if its == reported]


def take_different(pictures: Sequence[Path], most: int) -> list[Path]:
    """Return so many pictures, spread over all; one of those that are equal."""
    step = max(1, -(-len(pictures) // most))
    first: dict[bytes, Path] = {}
    for path in pictures[::step]:
        pixels = read(path)
        first.setdefault(hashlib.blake2b(pixels.tobytes() + bytes(pixels.size[0])).digest(), path)
    return [*first.values()]


def read(path: Path) -> Image.Image:
    """Return a picture as it looks on white."""
    with Image.open(path) as image:
        if not image.has_transparency_data:
            return image.convert("RGB")
        drawn = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")


def read_same(path: Path, kind: str) -> Same:
    """Return the pairs that were looked at and are the same picture, with all that follows."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    table = pd.read_csv(path, dtype=str)
    table = table[table["kind"] == kind]
    codes, names = pd.factorize(pd.concat([table["a"], table["b"]]))
    a, b = np.split(codes, 2)
    joined = coo_array((np.ones(len(a)), (a, b)), shape=(len(names), len(names)))
    groups = connected_components(joined, directed=False)[1] if len(names) else np.zeros(0)
    equal = zip(*np.nonzero(groups[:, None] == groups), strict=True)
    return {(names[one], names[other]) for one, other in equal}


def lay_out(pictures: Sequence[Path], target: Path, most: int) -> Laid:
    """Put originals into train and test by turns, and copies of some into val."""
    originals, copies = {}, {}
    chosen = set(np.random.default_rng(0).permutation(len(pictures))[:most].tolist())
    for at, path in enumerate(pictures):
        item = f"{('train', 'test')[at % 2]}/{at:04d}{path.suffix}"
        link(path, target / item)
        originals[item] = path
        if at in chosen:
            copies |= dict.fromkeys(write_copies(f"{at:04d}", read(path), target), item)
    return Laid(originals, copies)


def write_copies(stem: str, picture: Image.Image, target: Path) -> Iterator[str]:
    """Write the copies of an original; yield their items."""
    for name, copy in COPIED.items():
        item = f"val/{stem}-{name}.jpg"
        (target / item).parent.mkdir(parents=True, exist_ok=True)
        copy.change(picture).save(target / item, quality=copy.quality)
        yield item


def measure(
    kind: str, laid: Laid, home: Path, same: Same, found: list[dict[str, Any]]
) -> dict[str, Any]:
    """Scan a kind; append its accepted pairs of originals to `found`."""
    before = _children_s()
    scanned = must(harness.scan(home / "items", home, "--jobs", "1"), 0, 1, 4)
    cpu_s = _children_s() - before
    accepted, media = scanned.accepted(), scanned.table("media")
    leaks = accepted[accepted["relation"].isin(LEAKS)]
    pairs = list_pairs(kind, laid, leaks, same)
    found += pairs
    got = find_copies(laid, leaks)
    n, told = len(laid.originals), find_telling(laid, media)
    return {
        "kind": kind,
        "originals": n,
        "tell nothing": n - len(told),
        "pairs": n * (n - 1) // 2,
        "copies": sum(of in told for of in laid.copies.values()),
        "found": sum(laid.copies[copy] in told for copy in got),
        **{f"missed, {how}": _count_missed(laid, got, told, how) for how in COPIED},
        "false": sum(not pair["same"] for pair in pairs),
        "same": sum(pair["same"] for pair in pairs),
        "weak": int(len(accepted) - len(leaks)),
        "CPU s": round(cpu_s, 1),
    }


def find_telling(laid: Laid, media: pd.DataFrame) -> set[str]:
    """Return the originals in which there is anything to match."""
    flat = set(media.loc[media["status"] == "degenerate", "item_id"])
    return {item for item in laid.originals if item not in flat}


def _count_missed(laid: Laid, got: set[str], told: set[str], how: str) -> int:
    ours = [copy for copy, of in laid.copies.items() if of in told and copy not in got]
    return sum(Path(copy).stem.endswith(f"-{how}") for copy in ours)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def find_copies(laid: Laid, leaks: pd.DataFrame) -> set[str]:
    """Return the copies that were matched with what they were made of."""
    right = set(laid.copies.items())
    both = [*zip(leaks["a"], leaks["b"], strict=True), *zip(leaks["b"], leaks["a"], strict=True)]
    return {a for a, b in both if (a, b) in right}


def list_pairs(kind: str, laid: Laid, leaks: pd.DataFrame, same: Same) -> list[dict[str, Any]]:
    """Return the accepted pairs of originals, and of copies with originals that they are not of.

    A copy of one stands for its original: what the originals share is looked at once.
    """
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for match in leaks.sort_values("score", ascending=False).to_dict("records"):
        a, b = sorted(laid.copies.get(match[side], match[side]) for side in ("a", "b"))
        if a != b and (a, b) not in rows:
            names = [_name(laid.originals[item]) for item in (a, b)]
            rows[a, b] = {
                "kind": kind,
                **dict(zip("ab", names, strict=True)),
                **{name: match[name] for name in ("relation", "score", "transform", "verifier")},
                "same": tuple(names) in same or (kind in NAMED and _share_name(names)),
                "items": (a, b),
            }
    return [*rows.values()]


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _share_name(names: Sequence[str]) -> bool:
    return len({Path(name).stem for name in names}) == 1


def draw_sheet(
    folder: Path | None, kind: str, laid: Laid, found: Sequence[Mapping[str, Any]]
) -> None:
    """Draw the first accepted pairs that nobody has called the same yet."""
    rows = [row for row in found if not row["same"]][:SHEET]
    if folder is None or not rows:
        return
    folder.mkdir(parents=True, exist_ok=True)
    sides = [tuple(read(laid.originals[item]) for item in row["items"]) for row in rows]
    labels = [f"{row['score']:.2f} {row['a']} | {row['b']}" for row in rows]
    contact_sheet.draw_pairs(sides, labels, folder / f"kinds_{kind.replace(' ', '_')}.png")


def ask_peers(
    kind: str, laid: Laid, home: Path, python: Path | None, found: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Run the peers that are here: copies are asked for among the originals."""
    if python is None or not laid.copies:
        return []
    known = {row["items"] for row in found if row["kind"] == kind and row["same"]}
    items, of = [*laid.originals], [*laid.copies.values()]
    right = match_texts(of, items)
    kin = np.array([[tuple(sorted((a, b))) in known for b in items] for a in of])
    truth = Truth(right, ~right & ~kin)
    made = ladder_peers.ask(python, [home / "items" / item for item in (*laid.copies, *items)])
    return [
        {"kind": kind, "peer": tool, **judge(tool, of_items, truth)}
        for tool, of_items in made.items()
    ]


def judge(tool: str, of_items: Any, truth: Truth) -> dict[str, Any]:
    """Count what a peer finds at its own threshold, where it states one, and at best."""
    scores = ladder_peers.compare(of_items, len(truth.right))[:, len(truth.right) :]
    worst = find_worst_false(scores, truth)
    own = next((-bits for name, bits in OWN.items() if tool.startswith(name)), None)
    stated = own is not None and of_items.dtype != np.float32
    return {
        "copies": len(scores),
        "at best": int(find_partners(scores, truth, step_above(worst)).sum()),
        "no false above": worst,
        "found": int(find_partners(scores, truth, own).sum()) if stated else None,
        "false": int((truth.false & (scores >= own)).sum()) if stated else None,
    }


if __name__ == "__main__":
    main()
