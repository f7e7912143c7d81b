"""What the ladder of pictures is made of: references, others, copies, and which show the same."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common import harness
from benchmarks.common.images.scenes import Scene, find_scenes, read_picture
from benchmarks.common.images.transforms import TRANSFORMS
from benchmarks.common.judging import Mask, Truth, match_texts

REFERENCE, OTHER = "reference", "other"


@dataclass(frozen=True)
class Item:
    """A picture that was written.

    Parameters
    ----------
    path, item
        The file, and its name in a scan.
    kind
        `reference`, `other`, or the transform by which it was made.
    scene, beside
        What is to be seen, and what else (the same where nothing is).
    """

    path: Path
    item: str
    kind: str
    scene: str
    beside: str


def choose(args: Any) -> tuple[list[Scene], list[Scene]]:
    """Return what copies are made of, and what is only there to be mistaken for it.

    References are the photographs of one half; others are drawings, and the other half.
    """
    every = find_scenes(args.data, args.more)
    half = [s for s in every if s.photograph and s.reported != args.develop][: args.scenes]
    rest = [s for s in every if not s.photograph or s.reported == args.develop]
    return half, rest[: args.others]


def lay_out(references: Sequence[Scene], others: Sequence[Scene], train: Path) -> list[Item]:
    """Write the pictures as JPEG."""
    train.mkdir(parents=True)
    named = [*((REFERENCE, s) for s in references), *((OTHER, s) for s in others)]
    items = [
        Item(train / f"{at:04}_{kind}.jpg", f"train/{at:04}_{kind}.jpg", kind, s.name, s.name)
        for at, (kind, s) in enumerate(named)
    ]
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        list(pool.map(_write, (s for _, s in named), (item.path for item in items), chunksize=8))
    return items


def _write(scene: Scene, path: Path) -> None:
    read_picture(scene).save(path, quality=92)


def make_copies(name: str, originals: Sequence[Item], home: Path) -> list[Item]:
    """Write what a transform makes of each reference to test; train is linked."""
    for original in originals:
        harness.link(original.path, home / original.item)
    references = [original for original in originals if original.kind == REFERENCE]
    others = [*references[1:], references[0]]
    (home / "test").mkdir()
    with ProcessPoolExecutor(harness.count_processes()) as pool:
        made = pool.map(partial(_make_copy, name, home / "test"), references, others, chunksize=8)
        return list(made)


def _make_copy(name: str, folder: Path, reference: Item, other: Item) -> Item:
    transform = TRANSFORMS[name]
    path = folder / f"{reference.path.stem[:4]} {name}{transform.suffix}"
    rng = np.random.default_rng([*f"{reference.scene} {name}".encode()])
    with Image.open(reference.path) as image, Image.open(other.path) as second:
        transform.write(path, transform.make(image.copy(), second, rng), rng)
    beside = other.scene if name == "collage" else reference.scene
    return Item(path, f"test/{path.name}", name, reference.scene, beside)


def tell_truth(queries: Sequence[Item], items: Sequence[Item]) -> Truth:
    """The reference of a copy is to be found; what shares no scene with it is false."""
    references = match_texts([REFERENCE], [item.kind for item in items])
    right = references & match_texts([q.scene for q in queries], [item.scene for item in items])
    return Truth(right, ~_share(queries, items))


def _share(queries: Sequence[Item], items: Sequence[Item]) -> Mask:
    return np.asarray(
        np.any(
            [
                match_texts([getattr(q, mine) for q in queries], [getattr(i, its) for i in items])
                for mine in ("scene", "beside")
                for its in ("scene", "beside")
            ],
            axis=0,
        )
    )
