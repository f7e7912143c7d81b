"""Hashes of pictures by other tools, run by the interpreter of a virtual environment of their own.

    PYTHON peer_hashes.py PICTURES.npy OUT.npz [fastdup]

reads uint8 (n, height, width, 3) and writes the bits of each hash that can be computed, packed in
bytes (n, bytes), and descriptors, float32 (n, d), of length 1. imagededup is used without its
network, which would need torch; fastdup is asked for by name, since its network takes 25 ms a picture.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# Modules of imagededup that need torch, and what its others import from them.
NETWORK = {"imagededup.methods.cnn": "CNN", "imagededup.utils.models": "CustomModel"}
PROCESSES, AT_ONCE = 2, 500  # pictures
TOOLS: dict[str, Callable[[Any], Any]] = {}  # what is installed; processes are forked with it


def imagehash_hashes() -> dict[str, Callable[[Any], Any]]:
    import imagehash
    from PIL import Image

    def bits(kind: Callable[..., Any], size: int) -> Callable[[Any], Any]:
        return lambda picture: kind(Image.fromarray(picture), hash_size=size).hash.ravel()

    names = {"phash 64": (imagehash.phash, 8), "phash 256": (imagehash.phash, 16)}
    names |= {"dhash 64": (imagehash.dhash, 8), "whash 64": (imagehash.whash, 8)}
    return {f"imagehash {name}": bits(*how) for name, how in names.items()}


def pdq_hashes() -> dict[str, Callable[[Any], Any]]:
    import pdqhash

    return {"pdqhash 256": lambda picture: pdqhash.compute(picture)[0].astype(bool)}


def without_torch() -> None:
    """Let imagededup be imported where torch is missing, for its hashes."""
    for name, member in NETWORK.items():
        sys.modules[name] = types.ModuleType(name)
        setattr(sys.modules[name], member, None)


def imagededup_hashes() -> dict[str, Callable[[Any], Any]]:
    without_torch()
    from imagededup.methods import AHash, DHash, PHash, WHash

    def bits(hasher: Any) -> Callable[[Any], Any]:
        def encode(picture: Any) -> Any:
            code = hasher.encode_image(image_array=picture)
            return np.unpackbits(np.frombuffer(bytes.fromhex(code.zfill(16)), np.uint8))

        return encode

    kinds = {"phash": PHash, "dhash": DHash, "ahash": AHash, "whash": WHash}
    return {f"imagededup {name} 64": bits(kind(verbose=False)) for name, kind in kinds.items()}


def hog_descriptors() -> dict[str, Callable[[Any], Any]]:
    from skimage.feature import hog

    cells = {"orientations": 8, "pixels_per_cell": (4, 4), "cells_per_block": (2, 2)}
    return {"scikit-image HOG, cosine": lambda picture: hog(picture, channel_axis=-1, **cells)}


def installed() -> dict[str, Callable[[Any], Any]]:
    """Return the tools that are here."""
    found: dict[str, Callable[[Any], Any]] = {}
    for kind in (hog_descriptors, imagehash_hashes, pdq_hashes, imagededup_hashes):
        try:
            found |= kind()
        except ImportError as error:
            print(f"{kind.__name__} are left out: {error}", file=sys.stderr)
    return found


def described(pictures: Any) -> dict[str, Any]:
    """Return what each tool makes of some pictures."""
    made = {name: np.array([encode(one) for one in pictures]) for name, encode in TOOLS.items()}
    return {
        name: of_length_one(values) if values.dtype.kind == "f" else np.packbits(values, axis=1)
        for name, values in made.items()
    }


def of_length_one(vectors: Any) -> Any:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(lengths, 1e-6)).astype(np.float32)


def embedded(pictures: Any) -> Any:
    """Return what the network of fastdup makes of pictures."""
    import peer_images
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{row}.png" for row in range(len(pictures))]
        for path, picture in zip(paths, pictures, strict=True):
            Image.fromarray(picture).save(Path(path))
        return of_length_one(peer_images.embedded(paths))


def main() -> None:
    TOOLS.update(installed())
    pictures = np.load(sys.argv[1])
    parts = [pictures[begin : begin + AT_ONCE] for begin in range(0, len(pictures), AT_ONCE)]
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        rows = pool.map(described, parts, chunksize=1)
    made = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    if "fastdup" in sys.argv[3:]:
        made["fastdup, cosine of its network"] = embedded(pictures)
    np.savez(sys.argv[2], **made)


if __name__ == "__main__":
    main()
