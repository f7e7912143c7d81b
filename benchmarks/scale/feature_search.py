"""How long does the search by local features take as a collection grows, how much memory, and what is found?

Descriptors are drawn whose bits depend on one another as those of pictures do: signs of Gaussians with
the correlations measured on the features of pictures made from code. Of each hundredth picture there is
a copy, mirrored or not, that has 40 % of its features, each with 20 of 256 bits changed. Each size has a
process of its own and one thread; exponents and what is beyond come from the last two sizes.

    python -m benchmarks.scale.feature_search --pictures 3000 10000 30000
"""

from __future__ import annotations

import json
import resource
import time
from functools import cache
from typing import Any

import numpy as np

from benchmarks.common import harness
from benchmarks.common.images.folders import draw_clouds
from benchmarks.common.measure import run_module, with_one_thread

FEATURES, EVERY, KEPT, CHANGED = 300, 100, 0.4, 20
SAMPLE = 150  # pictures whose features are looked at
AT_ONCE = 1 << 17
GOAL = 100_000  # pictures


@cache
def fit_model() -> tuple[np.ndarray, np.ndarray]:
    """Return what makes independent Gaussians into those of bits, and from where on a bit is set."""
    from scipy.stats import norm

    from splitaudit.images.fingerprint.features import fingerprint

    found = [fingerprint(np.asarray(draw_clouds(seed).convert("L"))) for seed in range(SAMPLE)]
    codes = np.concatenate([features.descriptors for features in found])
    bits = np.unpackbits(codes.view(np.uint8), axis=1)
    correlation = np.sin(np.pi / 2 * np.corrcoef(bits.T))
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 1e-6))
    root /= np.linalg.norm(root, axis=1, keepdims=True)
    return root.astype(np.float32), norm.ppf(1 - bits.mean(axis=0)).astype(np.float32)


def draw_collection(pictures: int) -> tuple[Any, set[tuple[int, int, int]]]:
    """Return a collection, and the pairs in it with their reading."""
    from splitaudit.images.fingerprint.feature_sets import transform_descriptors
    from splitaudit.images.search.feature_votes import Collection

    (root, least), rng, n = fit_model(), np.random.default_rng(0), pictures * FEATURES
    codes = np.empty((n, 4), np.uint64)
    for begin in range(0, n, AT_ONCE):
        some = codes[begin : begin + AT_ONCE]
        normal = rng.standard_normal((len(some), 256), np.float32) @ root.T
        some[:] = np.packbits(normal > least, axis=1).view(np.uint64)
    angle = rng.uniform(0, 2 * np.pi, n).astype(np.float32)
    scale = (1.2 ** rng.integers(0, 8, n)).astype(np.float32)
    pairs, share = set(), round(KEPT * FEATURES)
    for a in range(0, pictures - EVERY // 2, EVERY):
        b, reading = a + EVERY // 2, (a // EVERY) % 2
        mine, its = (slice(at * FEATURES, at * FEATURES + share) for at in (a, b))
        codes[its] = transform_descriptors(codes[mine], reading)
        for code in codes[its]:
            for bit in rng.choice(256, CHANGED, replace=False):
                code[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
        angle[its] = (np.pi - angle[mine] if reading else angle[mine]) + rng.normal(0, 0.1, share)
        scale[its] = scale[mine] * 0.9
        pairs.add((a, b, reading))
    begins = np.arange(pictures + 1) * FEATURES
    return Collection(begins, angle, scale, codes), pairs


def measure(pictures: int) -> dict[str, Any]:
    """Search one collection in this process; a small one goes before."""
    from splitaudit.images.search.feature_votes import pairs as search

    search(draw_collection(60)[0])
    collection, planted = draw_collection(pictures)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, begun = time.process_time(), time.perf_counter()
    found = search(collection)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    named = set(zip(*(found[name].to_pylist() for name in ("a", "b", "reading")), strict=True))
    return {
        "pictures": pictures, "CPU s": round(cpu, 1), "wall s": round(wall, 1),
        "peak GB": round(peak / 1e6, 2), "before GB": round(before / 1e6, 2),
        "planted": len(planted), "found": len(planted & named),
        "pairs": len(found.group_by(["a", "b"]).aggregate([])),
    }  # fmt: skip


def measure_alone(pictures: int) -> dict[str, Any]:
    """Measure in a process of its own, with one thread."""
    words = ("benchmarks.scale.feature_search", "--one", pictures)
    return dict(json.loads(run_module(*words, env=with_one_thread())))


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--pictures", type=int, nargs="+", default=[3_000, 10_000, 30_000])
    parser.add_argument("--one", type=int)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one)))
        return
    rows = [measure_alone(pictures) for pictures in args.pictures]
    harness.print_table(f"{FEATURES} features a picture", rows)
    if len(rows) > 1:
        (one, cpu, gb), (other, more, most) = (
            (row["pictures"], row["CPU s"], row["peak GB"]) for row in rows[-2:]
        )
        exponent = np.log(more / cpu) / np.log(other / one)
        then = more * (GOAL / other) ** exponent
        memory = most + (most - gb) / (other - one) * (GOAL - other)
        print(
            f"CPU grows with the power {exponent:.2f}: {then:,.0f} s for {GOAL:,}; {memory:.1f} GB"
        )
    harness.keep(args.json, {"rows": rows})


if __name__ == "__main__":
    main()
