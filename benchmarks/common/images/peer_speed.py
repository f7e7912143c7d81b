"""How fast other tools hash picture files, run by the interpreter of an environment of their own.

    PYTHON -m benchmarks.common.images.peer_speed LIST.txt ROUNDS

prints, as JSON, the CPU seconds a file of each tool that is installed: each reads the files in its
own way, or with Pillow, in this process and one thread. The rounds go by turns through all tools;
the best one counts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.common.images.peer_tools import find_installed, hide_torch

Tool = Callable[[Sequence[str]], Any]  # works on all files that it is given


def imagehash_phash() -> dict[str, Tool]:
    import imagehash
    from PIL import Image

    return {"imagehash phash": lambda paths: [imagehash.phash(Image.open(p)) for p in paths]}


def imagededup_phash() -> dict[str, Tool]:
    hide_torch()
    from imagededup.methods import PHash

    hasher = PHash(verbose=False)
    return {"imagededup PHash": lambda paths: [hasher.encode_image(image_file=p) for p in paths]}


def pdqhash_compute() -> dict[str, Tool]:
    import numpy as np
    import pdqhash
    from PIL import Image

    def compute(path: str) -> Any:
        return pdqhash.compute(np.asarray(Image.open(path).convert("RGB")))

    return {"pdqhash": lambda paths: [compute(path) for path in paths]}


OFFERS = (imagehash_phash, imagededup_phash, pdqhash_compute)


def time_tools(tools: Mapping[str, Tool], paths: Sequence[str], rounds: int) -> dict[str, float]:
    """Return the CPU seconds a file; what is made at a first call is made before."""
    best = dict.fromkeys(tools, float("inf"))
    for tool in tools.values():
        tool(paths[:1])
    for _ in range(rounds):
        for name, tool in tools.items():
            begun = time.process_time()
            tool(paths)
            best[name] = min(best[name], (time.process_time() - begun) / len(paths))
    return best


def main() -> None:
    with open(sys.argv[1]) as file:
        paths = file.read().splitlines()
    print(json.dumps(time_tools(find_installed(OFFERS), paths, int(sys.argv[2]))))


if __name__ == "__main__":
    main()
