"""What other tools make of pictures; imported by the interpreter of an environment of their own.

Each function returns what a tool offers, by name, and raises ImportError where it is not installed.
imagededup is used without its network, which would need torch.
"""

from __future__ import annotations

import os
import sys
import tempfile
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Encoder = Callable[[Any], Any]  # a picture, uint8 (height, width, 3) -> bits or numbers

# Modules of imagededup that need torch, and what its others import from them.
NETWORK = {"imagededup.methods.cnn": "CNN", "imagededup.utils.models": "CustomModel"}
ORIENTED = "pdqhash 256, 8 orientations"


def find_installed(offers: Iterable[Callable[[], dict[str, Any]]]) -> dict[str, Any]:
    """Return what the tools offer that are here; say on stderr which are not."""
    found: dict[str, Any] = {}
    for offer in offers:
        try:
            found |= offer()
        except ImportError as error:
            print(f"{offer.__name__} are left out: {error}", file=sys.stderr)
    return found


def imagehash_hashes() -> dict[str, Encoder]:
    import imagehash
    from PIL import Image

    def bits(kind: Callable[..., Any], size: int) -> Encoder:
        return lambda picture: kind(Image.fromarray(picture), hash_size=size).hash.ravel()

    names = {"phash 64": (imagehash.phash, 8), "phash 256": (imagehash.phash, 16)}
    names |= {"dhash 64": (imagehash.dhash, 8), "whash 64": (imagehash.whash, 8)}
    return {f"imagehash {name}": bits(*how) for name, how in names.items()}


def pdq_hashes() -> dict[str, Encoder]:
    import pdqhash

    return {"pdqhash 256": lambda picture: pdqhash.compute(picture)[0].astype(bool)}


def hide_torch() -> None:
    """Let imagededup be imported where torch is missing, for its hashes."""
    for name, member in NETWORK.items():
        sys.modules[name] = types.ModuleType(name)
        setattr(sys.modules[name], member, None)


def imagededup_hashes() -> dict[str, Encoder]:
    hide_torch()
    from imagededup.methods import AHash, DHash, PHash, WHash

    def bits(hasher: Any) -> Encoder:
        def encode(picture: Any) -> Any:
            code = hasher.encode_image(image_array=picture)
            return np.unpackbits(np.frombuffer(bytes.fromhex(code.zfill(16)), np.uint8))

        return encode

    kinds = {"phash": PHash, "dhash": DHash, "ahash": AHash, "whash": WHash}
    return {f"imagededup {name} 64": bits(kind(verbose=False)) for name, kind in kinds.items()}


def hog_descriptors() -> dict[str, Encoder]:
    from skimage.feature import hog

    cells = {"orientations": 8, "pixels_per_cell": (4, 4), "cells_per_block": (2, 2)}
    return {"scikit-image HOG, cosine": lambda picture: hog(picture, channel_axis=-1, **cells)}


def oriented_pdq_hashes() -> dict[str, Encoder]:
    import pdqhash

    return {ORIENTED: lambda picture: pdqhash.compute_dihedral(picture)[0]}


def embed(paths: list[str]) -> Any:
    """Return what fastdup compares of each file."""
    os.environ["SENTRY_OPT_OUT"] = "1"
    import fastdup

    with tempfile.TemporaryDirectory() as folder:
        listed, work = f"{folder}/files.txt", f"{folder}/work"
        with open(listed, "w") as file:
            file.write("\n".join(paths) + "\n")
        fastdup.run(listed, work_dir=work, run_mode=1, num_threads=1)
        names, vectors = fastdup.load_binary_feature(f"{work}/atrain_features.dat")
    made = np.zeros((len(paths), vectors.shape[1]), np.float32)
    at = {os.path.realpath(path): row for row, path in enumerate(paths)}
    made[[at[os.path.realpath(name)] for name in names]] = vectors
    return made
