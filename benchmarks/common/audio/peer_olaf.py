"""Olaf, from a clone in which `make compile_core` was run: its C core, driven as its front end does.

The front end (which needs zig) turns every file into 16 kHz mono 32-bit floats with FFmpeg and
passes them on; so does this. Settings are those that the core is compiled with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.common.harness import count_processes
from benchmarks.common.judging import Scores, score_nothing

CORE = Path("bin/olaf_core")
_DECODE = "ffmpeg -hide_banner -loglevel panic -i {} -ac 1 -ar 16000 -f f32le -acodec pcm_f32le -"


def compare(clone: Path, references: Sequence[Path], queries: Sequence[Path]) -> Scores:
    """Store the references in one database, then query it; the score counts aligned hashes."""
    scores = score_nothing(queries, references)
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(count_processes()) as pool:
        (Path(home) / ".olaf/db").mkdir(parents=True)
        core = partial(_run_core, clone / CORE, home)
        list(pool.map(partial(core, "store"), references, map(str, range(len(references)))))
        answers = pool.map(partial(core, "query"), queries, ["query"] * len(queries))
        for row, answer in zip(scores, answers, strict=True):
            for count, reference in map(_parse, answer.splitlines()):
                if count:
                    row[reference] = max(row[reference], count)
    return scores


def _run_core(core: Path, home: str, verb: str, path: Path, name: str) -> str:
    """Feed a file to the core, which keeps its database in HOME; return what it prints."""
    decoding = [word.format(path) for word in _DECODE.split()]
    samples = subprocess.run(decoding, capture_output=True, check=False).stdout
    command = [str(core), verb, "/dev/stdin", name]
    environment = {**os.environ, "HOME": home}
    done = subprocess.run(command, input=samples, capture_output=True, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{core} {verb} failed on {path}:\n{done.stderr.decode()[-2000:]}")
    return done.stdout.decode()


def _parse(line: str) -> tuple[int, int]:
    """Return count and reference of `count, from, to, name, id, from, to`; 0: nothing is found."""
    words = [word.strip() for word in line.split(",")]
    return int(words[0]), int(words[3] or -1)
