"""How long do all pairs of binary codes within a radius take, and how much memory?

Codes: `uniform`; `correlated`: signs of Gaussians on an 8 x 8 grid (of words one after the other, where
there are four), whose correlation falls as exp(-distance); over pairs of bits that is 0.073 (rms), where the
64 bits of `phash` over pictures of CIFAR-10 have 0.060; `crowds`: correlated, with 10,000 equal codes and 1,000 that
differ from one in a few bits. Each case has a process of its own and one thread; what is compiled is compiled
before. FAISS compares all pairs, so it is given fewer codes, and its pairs must be the same.

    python -m benchmarks.scale.hamming_join
"""

from __future__ import annotations

import json
import resource
import time

import numpy as np

from benchmarks.common import harness
from benchmarks.common.measure import run_module, with_one_thread

CASES = (  # codes, how many, words, radius, with the peer
    ("uniform", 100_000, 1, 8, True),
    ("correlated", 100_000, 1, 8, True),
    ("crowds", 100_000, 1, 8, True),
    ("uniform", 1_000_000, 1, 8, False),
    ("correlated", 1_000_000, 1, 8, False),
    ("crowds", 1_000_000, 1, 8, False),
    ("uniform", 5_000_000, 1, 8, False),
    ("correlated", 5_000_000, 1, 8, False),
    ("uniform", 50_000, 4, 40, True),
    ("uniform", 500_000, 4, 40, False),
    ("correlated", 500_000, 4, 40, False),
)
AT_ONCE = 50_000


def mix_grid(kind: str) -> np.ndarray:
    """Return what makes independent Gaussians into those of a kind, shape (64, 64)."""
    if kind == "uniform":
        return np.eye(64, dtype=np.float32)
    rows, columns = np.divmod(np.arange(64), 8)
    distance = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    return np.linalg.cholesky(np.exp(-distance)).astype(np.float32)


def draw_codes(kind: str, n: int, words: int) -> np.ndarray:
    """Return codes of a kind, shape (n, words)."""
    rng, mixing = np.random.default_rng(0), mix_grid(kind)
    codes = np.empty((n * words, 8), np.uint8)
    for begin in range(0, len(codes), AT_ONCE):
        some = codes[begin : begin + AT_ONCE]
        normal = rng.standard_normal((len(some), 64), np.float32)
        some[:] = np.packbits(normal @ mixing.T > 0, axis=1)
    codes = codes.view(np.uint64).reshape(n, words)
    if kind == "crowds":
        places = rng.choice(n, 11_000, replace=False)
        codes[places[:10_000]] = codes[places[0]]
        for place in places[10_000:]:
            bits = rng.choice(64, 3, replace=False).astype(np.uint64)
            codes[place] = codes[places[-1]] ^ np.bitwise_or.reduce(np.uint64(1) << bits)
    return codes


def join_ours(codes: np.ndarray, radius: int) -> tuple[int, list]:
    """Return how many pairs there are, equal codes as one, and by which blocks they are found."""
    from splitaudit.search.blocks import plan
    from splitaudit.search.hamming import self_join

    blocks = [(len(block.bits), block.radius) for block in plan(codes, codes, radius)]
    return len(self_join(codes, radius).first), blocks


def join_by_faiss(codes: np.ndarray, radius: int) -> tuple[int, list]:
    """Return the same of FAISS, which counts a code with itself and each pair twice."""
    import faiss

    faiss.omp_set_num_threads(1)
    codes = np.unique(codes, axis=0)
    index = faiss.IndexBinaryFlat(64 * codes.shape[1])
    index.add(codes.view(np.uint8))
    found = index.range_search(codes.view(np.uint8), radius + 1)[0][-1]  # FAISS takes < radius
    return (int(found) - len(codes)) // 2, []


def measure(tool: str, kind: str, n: int, words: int, radius: int) -> dict:
    """Return what one join takes in this process; a small one goes before."""
    join = {"splitaudit": join_ours, "faiss": join_by_faiss}[tool]
    join(draw_codes("uniform", 5_000, words), radius)
    codes = draw_codes(kind, n, words)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, begun = time.process_time(), time.perf_counter()
    pairs, blocks = join(codes, radius)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "tool": tool, "codes": kind, "n": n, "bits": 64 * words, "radius": radius, "pairs": pairs,
        "cpu_s": round(cpu, 2), "wall_s": round(wall, 2), "peak_MB": round(peak / 1e3),
        "before_MB": round(before / 1e3), "blocks": blocks,
    }  # fmt: skip


def measure_alone(*case: object) -> dict:
    """Measure in a process of its own, with one thread."""
    words = ("benchmarks.scale.hamming_join", "--case", *case)
    return dict(json.loads(run_module(*words, env=with_one_thread())))


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--case", nargs=5, metavar=("TOOL", "CODES", "N", "WORDS", "RADIUS"))
    parser.add_argument(
        "--most", type=int, default=5_000_000, help="codes; larger cases are left out"
    )
    parser.add_argument(
        "--divide", type=int, default=1, metavar="N", help="the codes of each case by N"
    )
    options = parser.parse_args()
    if options.case:
        tool, kind, *numbers = options.case
        print(json.dumps(measure(tool, kind, *map(int, numbers))))
        return
    results = []
    for kind, n, words, radius, with_peer in CASES:
        if n > options.most:
            continue
        case = (kind, n // options.divide, words, radius)
        rows = [measure_alone(tool, *case) for tool in ("splitaudit", "faiss")[: 1 + with_peer]]
        for row in rows:
            print(*(f"{value!s:>12}" for value in row.values()), flush=True)
        assert len({row["pairs"] for row in rows}) == 1, "not the same pairs"
        results += rows
    harness.keep(options.json, {"cases": results})


if __name__ == "__main__":
    main()
