"""Do all benchmarks still run? Each one at a small size, without peers.

    python -m benchmarks.run_small
    python -m benchmarks.run_small audio.ladder images.cifar

prints a line each: ok, skipped and why, or failed with the error. The exit status is 1 if any fails.
Without `--data` material is made up; what a benchmark says of it means nothing and is thrown away.
"""

from __future__ import annotations

import argparse
import importlib.util
import shlex
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.common.harness import count_processes
from benchmarks.common.preloaded import run_module


@dataclass(frozen=True)
class Small:
    """How a benchmark is run.

    Parameters
    ----------
    words
        Of its command line, as a shell takes them; `{out}` is a folder of its own.
    data
        What it reads below the folder that `--data` names; nothing: it takes no `--data`.
    needs
        Modules without which it does not run.
    """

    words: str = ""
    data: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


SOUNDS, PICTURES = ("donateacry", "videos"), ("pdq", "videos")
BENCHMARKS = {
    "audio.cost": Small("--sizes 5 10 --most 10"),
    "audio.crowds": Small("--sides 3 --places test --seconds 3", SOUNDS),
    "audio.donateacry": Small("--crossings 1", ("donateacry",)),
    "audio.excerpts": Small("--seconds 3 --recordings 2 --per-recording 1", SOUNDS),
    "audio.kinds": Small("--kinds 'takes of one vowel' --most 6"),
    "audio.ladder": Small(
        "--references 1 --others 1 --transforms ogg 'tempo 2 %' --figure {out}/ladder.svg",
        SOUNDS,
        ("matplotlib",),
    ),
    "audio.learn_patches": Small("--recordings 2 --out {out}/patches.npz", SOUNDS),
    "audio.speed": Small("--clips 4"),
    "audio.traps": Small("--seeds 1 --seconds 1", SOUNDS),
    "evaluators.metrics": Small("--side 200 --rows 2000 --cases 4"),
    "evaluators.mixed_leaks": Small("--seeds 1 --after nothing"),
    "evaluators.own_captions": Small(
        "--films 50 --matrices 2 --figure {out}/films.svg", needs=("matplotlib",)
    ),
    "evaluators.verdicts": Small(
        "--seeds 1 --most 100 --only cosine dsl tmass_as_released recall_honest ties_drawn"
    ),
    "images.alike_scenes": Small("--sheet {out}/sheet.png", PICTURES, ("PIL",)),
    "images.cifar": Small("--classes ship --sheets {out}", ("cifar10_5classes.tar",), ("PIL",)),
    "images.crowds": Small(
        "--sides 3 --places test --originals 2 --changes 2 --different 4", PICTURES, ("PIL", "cv2")
    ),
    "images.decode": Small("--pictures 1 --rounds 1", needs=("PIL",)),
    "images.kinds": Small("--kinds forms --most 4 --copies 1 --sheets {out}", needs=("PIL", "cv2")),
    "images.ladder": Small(
        "--scenes 2 --others 1 --transforms mirror 'crop 20 %' --figure {out}/ladder.svg",
        PICTURES,
        ("PIL", "cv2", "matplotlib"),
    ),
    "images.small": Small("--sheets {out}", PICTURES, ("PIL", "matplotlib")),
    "images.speed": Small("--rounds 1", PICTURES, ("PIL", "cv2")),
    "images.speed, folders": Small("--files 23", needs=("PIL", "cv2")),
    "scale.components": Small("--edges 20000"),
    "scale.equal_files": Small("--n 16"),
    "scale.feature_search": Small("--pictures 100", needs=("PIL", "cv2")),
    "scale.hamming_join": Small("--most 20000 --divide 8", needs=("faiss",)),
    "scale.patch_search": Small("--sounds 150 --clips 5", needs=("faiss",)),
    "scale.robustness": Small("--clips 8 --kills 1 --turns 1 --only kill splits"),
    "scale.startup": Small(),
    "splits.sounddesc_study": Small("--tables audiocaps", ("sounddescs", "metadata")),
    "splits.splitters": Small("--items 2000 --draws 1", ("sounddescs",)),
}


def main() -> None:
    args = _arguments()
    names = args.benchmarks or list(BENCHMARKS)
    failed = False
    with ThreadPoolExecutor(count_processes()) as pool:
        for name, became in zip(names, pool.map(partial(try_small, args.data), names), strict=True):
            print(f"{name}: {became}", flush=True)
            failed |= became.startswith("failed")
    sys.exit(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmarks", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--data", type=Path, help="real material, laid out as in README.md")
    args = parser.parse_args()
    if unknown := set(args.benchmarks) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    return args


def try_small(data: Path | None, name: str) -> str:
    """Run a benchmark; return what became of it."""
    small = BENCHMARKS[name]
    missing = [module for module in small.needs if importlib.util.find_spec(module) is None]
    missing += [f"{part} in {data}" for part in small.data if data and not (data / part).exists()]
    if missing:
        return f"skipped, no {', no '.join(missing)}"
    from benchmarks.common import synthetic

    with tempfile.TemporaryDirectory() as scratch:
        words = shlex.split(small.words.format(out=scratch))
        if small.data:
            words += ["--data", str(data or synthetic.make(Path(scratch) / "data", small.data))]
        return run(f"benchmarks.{name.split(',')[0]}", words)


def run(module: str, words: Sequence[str]) -> str:
    """Run a module and throw away what it says, but for the error where it fails."""
    begun = time.perf_counter()
    done = run_module(module, words, Path.cwd())
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["not a word of why"]
        return f"failed with {done.returncode}, {said[-1]}"
    return f"ok, {time.perf_counter() - begun:.0f} s"


if __name__ == "__main__":
    main()
