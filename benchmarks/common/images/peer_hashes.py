"""Hashes of pictures by other tools, run by the interpreter of a virtual environment of their own.

    PYTHON -m benchmarks.common.images.peer_hashes PICTURES.npy OUT.npz [fastdup]

reads uint8 (n, height, width, 3) and writes the bits of each hash that can be computed, packed in
bytes (n, bytes), and descriptors, float32 (n, d), of length 1. fastdup is asked for by name, since
its network takes 25 ms a picture.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.images import peer_tools

PROCESSES, AT_ONCE = 2, 500  # pictures
OFFERS = (
    peer_tools.hog_descriptors,
    peer_tools.imagehash_hashes,
    peer_tools.pdq_hashes,
    peer_tools.imagededup_hashes,
)
TOOLS: dict[str, peer_tools.Encoder] = {}  # what is installed; processes are forked with it


def describe(pictures: Any) -> dict[str, Any]:
    """Return what each tool makes of some pictures."""
    made = {name: np.array([encode(one) for one in pictures]) for name, encode in TOOLS.items()}
    return {
        name: normalise(values) if values.dtype.kind == "f" else np.packbits(values, axis=1)
        for name, values in made.items()
    }


def normalise(vectors: Any) -> Any:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-6)).astype(np.float32)


def embed(pictures: Any) -> Any:
    """Return what the network of fastdup makes of pictures."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{row}.png" for row in range(len(pictures))]
        for path, picture in zip(paths, pictures, strict=True):
            Image.fromarray(picture).save(Path(path))
        return normalise(peer_tools.embed(paths))


def main() -> None:
    TOOLS.update(peer_tools.find_installed(OFFERS))
    pictures = np.load(sys.argv[1])
    parts = [pictures[begin : begin + AT_ONCE] for begin in range(0, len(pictures), AT_ONCE)]
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        rows = pool.map(describe, parts, chunksize=1)
    made = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    if "fastdup" in sys.argv[3:]:
        made["fastdup, cosine of its network"] = embed(pictures)
    np.savez(sys.argv[2], **made)


if __name__ == "__main__":
    main()
