"""How much memory does the search of a large collection take, and how long?

The patches are drawn, for each of N sounds of 10 s, around those of clips made from code (speech-, music-
and ambience-like), so that they crowd in the same places; no two sounds are alike. The
facts are written to a cache as a scan does, and searched by the scan's own stage in a process of its own.

    python -m benchmarks.scale.patch_search --sounds 30000
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.common import harness

PART = 256
APART = 1.2  # length of what is added to a patch: two made of one are then as alike as chance makes them

SEARCH = """
import json, resource, sys, time
from pathlib import Path
import numpy as np, pyarrow as pa
from splitaudit.audio.medium import FINGERPRINT
from splitaudit.audio.search import candidates
from splitaudit.engine import stages
if __name__ == "__main__":
    keys = pa.array([f"{k:06d}" for k in range(int(sys.argv[2]))])
    begun, cpu = time.perf_counter(), time.process_time()
    settings = stages.Settings(Path(sys.argv[1]))
    facts = settings.facts(FINGERPRINT.kind)
    held = np.ones((len(keys), 1), bool)
    found = candidates.search(facts, keys, held, settings.processes)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({"candidates": found.num_rows, "wall_s": round(time.perf_counter() - begun, 1),
                      "cpu_s": round(time.process_time() - cpu, 1), "peak_MB": round(peak)}))
"""


def describe_clips(clips: int) -> np.ndarray:
    """Return the patches of some clips as unit vectors, shape (n, directions)."""
    from splitaudit.audio.decode.sounds import segments
    from splitaudit.audio.fingerprint import patches
    from splitaudit.demo.sounds import distinct_sound

    pooled = []
    for seed in range(clips):
        pieces = patches.pad_silence(iter([distinct_sound(seed, 10.0)]))
        cut = segments(pieces, patches.SEGMENT, patches.CONTEXT)
        pooled.append(patches.PatchFingerprint().fingerprint(cut).vectors)
    return np.concatenate(pooled) / np.float32(patches.SCALE)


def write_facts(cache: Path, sounds: int, clips: int) -> int:
    """Write the facts of drawn sounds as a scan would, and return the patches of one."""
    from splitaudit.audio import medium
    from splitaudit.audio.fingerprint import extract, patches
    from splitaudit.engine import stages
    from splitaudit.engine.store import write_table
    from splitaudit.schema import conform

    known = describe_clips(clips)
    each = len(known) // clips
    frames = np.arange(each, dtype=np.int32) * patches.STEP
    rng = np.random.default_rng(0)
    folder = stages.Settings(cache).facts(medium.FINGERPRINT.kind).folder
    for first in range(0, sounds, PART):
        n = min(PART, sounds - first)
        drawn = rng.choice(known, n * each)
        added = patches.l2_normalise(rng.standard_normal(drawn.shape, np.float32))
        vectors = patches.quantise(drawn + np.float32(APART) * added)
        offsets = np.arange(n + 1) * each
        table = pa.table(
            {
                "key": [f"{k:06d}" for k in range(first, first + n)],
                "vectors": pa.LargeListArray.from_arrays(
                    offsets * patches.DIRECTIONS, vectors.ravel()
                ),
                "frames": pa.LargeListArray.from_arrays(offsets, np.tile(frames, n)),
            }
        )
        write_table(conform(table, extract.SOUNDS), folder / f"{first:06d}.parquet")
    return each


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--sounds", type=int, default=30_000)
    parser.add_argument("--clips", type=int, default=1_500, help="as varied as a collection")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        each = write_facts(Path(scratch), options.sounds, options.clips)
        command = [sys.executable, "-c", SEARCH, scratch, str(options.sounds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = {"sounds": options.sounds, "patches_each": each, **json.loads(done.stdout)}
    print(json.dumps(result, indent=2))
    harness.keep(options.json, result)


if __name__ == "__main__":
    main()
