"""What other tools make of picture files, run by the interpreter of an environment of their own.

    PYTHON -m benchmarks.common.images.peer_files LIST.txt OUT.npz

reads the names of files, a line each, and writes of each tool that is installed the bits of its
hash, packed in bytes (n, ways, bytes): `ways` is 1, or 8 where a tool gives the hash of the picture
in all orientations. Of fastdup it writes what it compares by its cosine, float32 (n, dimensions),
zero where it could not read the file. Files are opened as the tools do it, with Pillow to RGB.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.common.images import peer_tools
from benchmarks.common.images.peer_tools import ORIENTED

UPRIGHT = "pdqhash 256"
USED = ("phash 64", "phash 256", "imagededup dhash 64", ORIENTED)
OFFERS = (peer_tools.imagehash_hashes, peer_tools.imagededup_hashes, peer_tools.oriented_pdq_hashes)


def read_pictures(paths: list[str]) -> Iterator[Any]:
    from PIL import Image

    for path in paths:
        with Image.open(path) as image:
            yield np.asarray(image.convert("RGB"))


def main() -> None:
    with open(sys.argv[1]) as file:
        paths = file.read().splitlines()
    offered = peer_tools.find_installed(OFFERS)
    tools = {name: encode for name, encode in offered.items() if name.endswith(USED)}
    bits: dict[str, list[Any]] = {name: [] for name in tools}
    for picture in read_pictures(paths):
        for name, encode in tools.items():
            bits[name].append(np.packbits(np.atleast_2d(encode(picture)).astype(bool), axis=1))
    made = {name: np.stack(codes) for name, codes in bits.items()}
    if ORIENTED in made:
        made[UPRIGHT] = made[ORIENTED][:, :1]
    try:
        made["fastdup embedding"] = peer_tools.embed(paths)
    except ImportError as error:
        print(f"fastdup is left out: {error}", file=sys.stderr)
    np.savez(sys.argv[2], **made)


if __name__ == "__main__":
    main()
