"""What other tools make of picture files, run by the interpreter of an environment of their own.

    PYTHON peer_images.py LIST.txt OUT.npz

reads the names of files, a line each, and writes of each tool that is installed the bits of its
hash, packed in bytes (n, ways, bytes): `ways` is 1, or 8 where a tool gives the hash of the picture
in all orientations. Of fastdup it writes what it compares by its cosine, float32 (n, dimensions),
zero where it could not read the file. Files are opened as the tools do it, with Pillow to RGB.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from peer_hashes import imagededup_hashes, imagehash_hashes

UPRIGHT, ORIENTED = "pdqhash 256", "pdqhash 256, 8 orientations"
USED = ("phash 64", "phash 256", "imagededup dhash 64", ORIENTED)


def pdq_oriented() -> dict[str, Callable[[Any], Any]]:
    import pdqhash

    return {ORIENTED: lambda picture: pdqhash.compute_dihedral(picture)[0]}


def installed() -> dict[str, Callable[[Any], Any]]:
    """Return the hashes of the tools that are here."""
    found: dict[str, Callable[[Any], Any]] = {}
    for hashes in (imagehash_hashes, imagededup_hashes, pdq_oriented):
        try:
            found |= hashes()
        except ImportError as error:
            print(f"{hashes.__name__} are left out: {error}", file=sys.stderr)
    return {name: encode for name, encode in found.items() if name.endswith(USED)}


def pictures(paths: list[str]) -> Iterator[Any]:
    from PIL import Image

    for path in paths:
        with Image.open(path) as image:
            yield np.asarray(image.convert("RGB"))


def embedded(paths: list[str]) -> Any:
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


def main() -> None:
    with open(sys.argv[1]) as file:
        paths = file.read().splitlines()
    tools = installed()
    bits: dict[str, list[Any]] = {name: [] for name in tools}
    for picture in pictures(paths):
        for name, encode in tools.items():
            bits[name].append(np.packbits(np.atleast_2d(encode(picture)).astype(bool), axis=1))
    made = {name: np.stack(codes) for name, codes in bits.items()}
    if ORIENTED in made:
        made[UPRIGHT] = made[ORIENTED][:, :1]
    try:
        made["fastdup embedding"] = embedded(paths)
    except ImportError as error:
        print(f"fastdup is left out: {error}", file=sys.stderr)
    np.savez(sys.argv[2], **made)


if __name__ == "__main__":
    main()
