"""Hashes of pictures by other tools, run by the interpreter of a virtual environment of their own.

    PYTHON peer_hashes.py PICTURES.npy OUT.npz

reads uint8 (n, height, width, 3) and writes the bits of each hash that can be computed, packed in
bytes (n, bytes), and descriptors, float32 (n, d), of length 1. imagededup is used without its network, which would need torch.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

# Modules of imagededup that need torch, and what its others import from them.
NETWORK = {"imagededup.methods.cnn": "CNN", "imagededup.utils.models": "CustomModel"}


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


def hog_descriptors(pictures: Any) -> Any:
    from skimage.feature import hog

    cells = {"orientations": 8, "pixels_per_cell": (4, 4), "cells_per_block": (2, 2)}
    found = [hog(picture, channel_axis=-1, **cells) for picture in pictures]
    found = np.array(found, np.float32)
    return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)


def main() -> None:
    pictures, packed = np.load(sys.argv[1]), {}
    try:
        packed["scikit-image HOG, cosine"] = hog_descriptors(pictures)
    except ImportError as error:
        print(f"HOG is left out: {error}", file=sys.stderr)
    for hashes in (imagehash_hashes, pdq_hashes, imagededup_hashes):
        try:
            kinds = hashes()
        except ImportError as error:
            print(f"{hashes.__name__} are left out: {error}", file=sys.stderr)
            continue
        for name, encode in kinds.items():
            packed[name] = np.packbits([encode(picture) for picture in pictures], axis=1)
    np.savez(sys.argv[2], **packed)


if __name__ == "__main__":
    main()
