"""How many CPU seconds does a picture cost, beside peers; and what does a folder of equal ones cost?

The same JPEGs of 1600 x 1200, made from photographs that are as large, are read and hashed by every
tool, in one thread. Ours: `one hash`, of 64 bits in 16 orientations; `hashes`, also of what lies within
borders; `all that a scan takes`, with a small picture, its gradients and the local features that find
crops, written to the disk, by the function that a scan calls. How long codes take to be joined is measured by
`benchmarks/scale/hamming_join.py`. `--files N` measures scans instead: of N pictures, of which 20 in 23 are equal, 2
near-black frames and 1 a logo on white, beside N different ones (at most 1.5 times is asked).
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from benchmarks.common import harness
from benchmarks.common.harness import must, print_table
from benchmarks.common.images import folders, scenes
from benchmarks.common.images.peer_speed import Tool, time_tools
from benchmarks.common.measure import run_module, with_one_thread
from splitaudit.engine.jobs import File, signature
from splitaudit.images.decode.pictures import load
from splitaudit.images.fingerprint import extract, views
from splitaudit.images.fingerprint.hash import ImageHash, downscale
from splitaudit.images.medium import DEFAULT_FINGERPRINTS

SIZE = (1600, 1200)
QUALITY = 90
HASHED = 128  # pixels that the shorter side needs
HASH = ImageHash()
SIDE = HASH.side


def main() -> None:
    parser = harness.make_parser(__doc__)
    scenes.add_options(parser)
    parser.add_argument("--peers", type=Path, help="python of an environment with the peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, metavar="N", help="scan folders instead (11,500)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = (
            scan_folders(Path(folder), args.files)
            if args.files
            else measure_tools(Path(folder), args)
        )
    harness.keep(args.json, {"rows": rows})


def measure_tools(folder: Path, args: Any) -> list[dict[str, Any]]:
    """Measure all tools on the same files."""
    paths = write_large_jpegs(folder, args)
    seconds = time_tools(list_ours(folder), paths, args.rounds)
    if args.peers:
        seconds |= ask_peers(args.peers, folder, paths, args.rounds)
    rows = [
        {"tool": tool, "CPU ms a picture": 1e3 * s, "a CPU second": 1 / s}
        | {f"times {of}": seconds[of] / s for of in seconds if of.startswith("image")}
        for tool, s in seconds.items()
    ]
    size = sum(Path(path).stat().st_size for path in paths) / len(paths)
    print_table(f"{len(paths)} JPEGs of 1600 x 1200, {size / 1e3:.0f} kB each", rows)
    return rows


def write_large_jpegs(folder: Path, args: Any) -> list[str]:
    """Write the photographs that have so many pixels, cut to the same proportions."""
    paths = []
    for scene in scenes.find_scenes(args.data, args.more):
        if not scene.photograph or scene.is_film:
            continue
        with Image.open(scene.path) as image:
            if min(image.size) >= SIZE[1] and max(image.size) >= SIZE[0]:
                path = folder / f"{len(paths):03}.jpg"
                ImageOps.fit(image.convert("RGB"), SIZE).save(path, quality=QUALITY)
                paths.append(str(path))
    return paths


def list_ours(folder: Path) -> dict[str, Tool]:
    """Return what is done to files by default, and without what finds crops."""

    def scanned(paths: Sequence[str]) -> int:
        files = [File(path, None, None, signature(path), path) for path in paths]
        kinds = [extract.PICTURES_KIND, *map(extract.kind_of, DEFAULT_FINGERPRINTS)]
        facts = folder / "facts"
        return extract.fingerprint(files, facts, of=DEFAULT_FINGERPRINTS, kinds=kinds)

    return {
        "splitaudit, one hash": hash_once,
        "splitaudit, hashes": hash_all,
        "splitaudit, all that a scan takes": scanned,
    }


def hash_once(paths: Sequence[str]) -> Any:
    return HASH.fingerprint(np.stack([downscale(grey, SIDE) for grey in read_greys(paths)]))


def hash_all(paths: Sequence[str]) -> Any:
    small = [
        downscale(grey[part], SIDE)
        for grey in read_greys(paths)
        for part in views.view_slices(grey)
    ]
    return HASH.fingerprint(np.stack(small))


def read_greys(paths: Sequence[str]) -> Iterator[Any]:
    return (load(path, short_side=HASHED, grey=True).pixels for path in paths)


def ask_peers(python: Path, folder: Path, paths: Sequence[str], rounds: int) -> dict[str, float]:
    """Return the CPU seconds a file of the other tools."""
    listed = folder / "files.txt"
    listed.write_text("".join(f"{path}\n" for path in paths))
    module, alone = "benchmarks.common.images.peer_speed", with_one_thread()
    return dict(json.loads(run_module(module, listed, rounds, python=python, env=alone)))


def scan_folders(home: Path, files: int) -> list[dict[str, Any]]:
    """Scan a folder of different pictures, and one of equal and nearly empty ones."""
    rows = []
    for name in folders.KINDS:
        folders.write(name, home / name, files)
        where = {"run": f"{name} run", "cache": f"{name} cache"}
        scanned = must(harness.scan(home / name, home, **where), 0, 1, 4)
        matches = scanned.table("matches")
        row = {"folder": name, "files": files, "seconds": round(scanned.seconds, 1)}
        row |= {"rows of matches": len(matches), "accepted": int(matches["accepted"].sum())}
        row |= {"groups": scanned.table("groups")["group_id"].nunique()}
        rows.append(row)
    for row in rows:
        row["times different"] = row["seconds"] / rows[0]["seconds"]
    print_table(f"Scans of {files:,} pictures", rows)
    return rows


if __name__ == "__main__":
    main()
