"""How long do the groups of ten million edges take, and how much memory, beside other libraries?

Two graphs of ten million edges: ends drawn at random among as many nodes (half of all nodes end in one component),
and one chain through all nodes in random order. Every library is handed the same two arrays of node numbers, in a
process of its own, and says the component of every node; what it builds from the arrays counts. The last row is
`splitaudit.groups.policies.groups` on a table of edges whose ends are texts, as in a run.

    python -m benchmarks.scale.components
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import harness

EDGES = 10_000_000
# Each sets `found`, the component of each node (or a list of them), from a, b and n.
WAYS = {
    "splitaudit smallest_members": (
        "from splitaudit.groups.components import smallest_members; smallest_members(2, a[:0], b[:0])",
        "found = smallest_members(n, a, b)",
    ),
    "scipy csgraph": (
        "from scipy.sparse import coo_array; from scipy.sparse.csgraph import connected_components",
        "edges = coo_array((np.ones(len(a), bool), (a, b)), shape=(n, n)); "
        "found = connected_components(edges, directed=False)[1]",
    ),
    "igraph": (
        "import igraph",
        "found = igraph.Graph(n, np.column_stack([a, b])).connected_components().membership",
    ),
    "networkit": (
        "import networkit as nk",
        "graph = nk.GraphFromCoo((np.ones(len(a)), (a, b)), n=n); "
        "parts = nk.components.ConnectedComponents(graph); parts.run(); "
        "found = parts.getPartition().getVector()",
    ),
    "networkx": (
        "import networkx",
        "graph = networkx.Graph(); graph.add_nodes_from(range(n)); "
        "graph.add_edges_from(zip(a.tolist(), b.tolist())); "
        "found = list(networkx.connected_components(graph))",
    ),
}
TENTH = {
    "networkx"
}  # is tried on a tenth of the edges: it takes more memory than most machines have
TEXTS = "splitaudit groups(), ids as text"
CHILD = """
import json, time
import numpy as np
a, b = np.load(HOME + "/a.npy"), np.load(HOME + "/b.npy")
n = int(max(a.max(), b.max())) + 1
IMPORTS
begun = time.perf_counter(), time.process_time()
WORK
wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
status = open("/proc/self/status").read()  # ru_maxrss would count the process that started this one
peak = int(status.split("VmHWM:")[1].split()[0]) / 1e3
many = len(found) if isinstance(found, list) and isinstance(found[0], set) else len(np.unique(found))
print(json.dumps({"components": many, "seconds": wall, "CPU s": cpu, "peak MB": peak}))
"""
GROUPS = """
import pyarrow as pa, pyarrow.parquet as pq
from splitaudit.groups.components import smallest_members; smallest_members(2, a[:0], b[:0])
from splitaudit.groups.policies import groups
del a, b
edges = pq.read_table(HOME + "/edges.parquet")
ids = [f"{k:08d}" for k in range(n)]
"""


def draw_ends(shape: str, edges: int) -> tuple[Any, Any]:
    """Draw the ends of edges."""
    rng = np.random.default_rng(0)
    if shape == "chain":
        order = rng.permutation(edges + 1)
        return order[:-1].copy(), order[1:].copy()
    return rng.integers(0, edges, edges), rng.integers(0, edges, edges)


def write(home: Path, shape: str, edges: int) -> None:
    """Write edges as arrays, and as the table of a run."""
    import pyarrow as pa

    from splitaudit.engine.store import write_table
    from splitaudit.schema import EDGES as SCHEMA
    from splitaudit.schema import conform

    a, b = draw_ends(shape, edges)
    np.save(home / "a.npy", a)
    np.save(home / "b.npy", b)
    ids = pa.array([f"{k:08d}" for k in range(int(max(a.max(), b.max())) + 1)])
    columns = {
        "a": ids.take(pa.array(np.minimum(a, b))),
        "b": ids.take(pa.array(np.maximum(a, b))),
        "policy": pa.repeat("duplicate", edges),
        "reason": pa.repeat("match", edges),
        "weight": pa.repeat(1.0, edges),
        "cut": pa.repeat(False, edges),
    }
    write_table(conform(pa.table(columns), SCHEMA), home / "edges.parquet")


def run(home: Path, imports: str, work: str) -> dict[str, Any]:
    """Run one way in a process of its own; say why where it does not end well."""
    code = CHILD.replace("IMPORTS", imports).replace("WORK", work).replace("HOME", repr(str(home)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return {"components": said[-1]}
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def compare(shape: str, edges: int) -> list[dict[str, Any]]:
    """Measure every way on one graph, and one on a tenth of it."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        home, small = Path(scratch), Path(scratch) / "tenth"
        small.mkdir()
        write(home, shape, edges)
        write(small, shape, edges // 10)
        for name, way in WAYS.items():
            few = name in TENTH
            said = name + (f", {edges // 10:,} edges" if few else "")
            rows.append({"from arrays of ends": said, **run(small if few else home, *way)})
        work = "found = groups(ids, edges)['group_id'].to_pandas().factorize()[0]"
        rows.append({"from arrays of ends": TEXTS, **run(home, GROUPS, work)})
    harness.print_table(f"{edges:,} edges, {shape}; asked: under 5 s and 1,500 MB", rows)
    return rows


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--edges", type=int, default=EDGES)
    args = parser.parse_args()
    shapes = ("random ends", "chain")
    harness.keep(args.json, {shape: compare(shape, args.edges) for shape in shapes})


if __name__ == "__main__":
    main()
