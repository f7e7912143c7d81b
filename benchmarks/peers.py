"""Peers on the same files: chromaprint (through `fpcalc`) and audfprint (from a clone).

A peer compares a list of references with a list of queries and returns scored pairs; nothing of
theirs is in this repository, and nothing of theirs is patched.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from harness import processes

Codes = npt.NDArray[np.uint32]
AT_BEST = "at best: threshold chosen afterwards, just above their worst false pair"


class Found(NamedTuple):
    """A pair that a peer proposes; `offset_s`: where in the reference the query starts."""

    query: Path
    reference: Path
    score: float
    offset_s: float | None


@dataclass(frozen=True)
class Peer:
    """One tool at one setting.

    Parameters
    ----------
    name, settings
        In words.
    compare
        References, queries -> pairs.
    threshold
        The tool's own: a pair with a score >= it is a match. None: it states none.
    """

    name: str
    settings: str
    compare: Callable[[Sequence[Path], Sequence[Path]], list[Found]]
    threshold: float | None = None


def peers(audfprint: Path | None) -> list[Peer]:
    """Return the peers that can be run here, and say on stderr which cannot."""
    found = []
    if shutil.which("fpcalc"):
        found += [
            Peer(
                "chromaprint", "pyacoustid's compare, 120 s", partial(_chromaprint, _histogram, 120)
            ),
            Peer("chromaprint", "bit errors, any offset", partial(_chromaprint, _bit_errors, 0)),
        ]
    else:
        print("no fpcalc: apt-get install libchromaprint-tools", file=sys.stderr)
    if audfprint is not None:
        default, dense = {"density": 20, "most": 1}, {"density": 70, "fanout": 8, "pks": 10}
        found += [
            Peer("audfprint", "default", partial(_audfprint, audfprint, default), 5),
            Peer(
                "audfprint",
                "density 70, fanout 8, 10 peaks, every match",
                partial(_audfprint, audfprint, {**dense, "most": 1000}),
                5,
            ),
        ]
    else:
        print("audfprint is left out: give --audfprint DIR, a clone of it", file=sys.stderr)
    return found


def judged(
    peer: Peer,
    references: Sequence[Path],
    queries: Sequence[Path],
    is_right: Callable[[Found], bool | None],
) -> dict[str, Any]:
    """Run a peer and count what it finds.

    Parameters
    ----------
    is_right
        True or False; None where nobody can say, which counts for neither.

    Returns
    -------
    dict
        `found` and `false` at the peer's own threshold (distinct queries, and pairs), and
        `at best`: queries found at the threshold that is just above its worst false pair, which is
        chosen after the fact, in its favour; `at 1 %`: where as many false pairs as 1 % of the
        queries are let through.
    """
    begun = time.perf_counter()
    pairs = peer.compare(references, queries)
    seconds = time.perf_counter() - begun
    right = [(pair, is_right(pair)) for pair in pairs]
    false = sorted((pair.score for pair, good in right if good is False), reverse=True)
    worst, let = [*false[:1], -np.inf][0], [*false[len(queries) // 100 :], -np.inf][0]
    own = np.inf if peer.threshold is None else peer.threshold
    stated = peer.threshold is not None
    return {
        "peer": peer.name,
        "settings": peer.settings,
        "queries": len(queries),
        "at best": len({pair.query for pair, good in right if good and pair.score > worst}),
        "at 1 %": len({pair.query for pair, good in right if good and pair.score > let}),
        "no false above": None if worst == -np.inf else float(worst),
        "found": len({p.query for p, good in right if good and p.score >= own}) if stated else None,
        "false": sum(p.score >= own for p, good in right if good is False) if stated else None,
        "seconds": round(seconds, 1),
    }


# --- chromaprint -------------------------------------------------------------------------------

ITEM_S = (4096 - 4096 * 2 // 3) / 11025  # fpcalc's algorithm 2: frames of 4096, two thirds shared
FEWEST = 3  # items of the shorter side that must lie on the longer one


def _chromaprint(
    compare: Callable[[Codes, Codes], tuple[float, int]],
    length_s: int,
    references: Sequence[Path],
    queries: Sequence[Path],
) -> list[Found]:
    with ThreadPoolExecutor(processes()) as pool:
        codes = dict(
            zip(
                [*references, *queries],
                pool.map(partial(_fpcalc, length_s), [*references, *queries]),
                strict=True,
            )
        )
    rows = []
    for query in queries:
        for reference in references:
            score, shift = compare(codes[query], codes[reference])
            if score > 0:
                rows.append(Found(query, reference, score, shift * ITEM_S))
    return rows


@cache
def _fpcalc(length_s: int, path: Path) -> Codes:
    """Raw fingerprint of a file; empty where it is too short. A length of 0 reads all of it."""
    command = ["fpcalc", "-raw", "-json", "-length", str(length_s), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # fpcalc 1.5 with FFmpeg 5 prints the whole fingerprint and then fails at the end of the file.
    listed = json.loads(done.stdout)["fingerprint"] if done.stdout.startswith("{") else []
    return np.array(listed, np.uint32)


@numba.njit(nogil=True)
def _bits(x: Any) -> Any:
    x = x - ((x >> np.uint32(1)) & np.uint32(0x55555555))
    x = (x & np.uint32(0x33333333)) + ((x >> np.uint32(2)) & np.uint32(0x33333333))
    x = (x + (x >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
    return ((x * np.uint32(0x01010101)) & np.uint32(0xFFFFFFFF)) >> np.uint32(24)


@numba.njit(nogil=True)
def _histogram(query: Any, reference: Any) -> tuple[float, int]:
    """Share of items that agree to 2 bits on one offset, as in pyacoustid 1.3."""
    n, m = len(query), len(reference)
    if n == 0 or m == 0:
        return 0.0, 0
    counts = np.zeros(n + m + 1, np.int64)
    for i in range(n):
        for j in range(max(0, i - 120), min(m, i + 120)):
            if _bits(query[i] ^ reference[j]) <= 2:
                counts[j - i + n] += 1
    best = np.argmax(counts)
    return counts[best] / min(n, m), best - n


@numba.njit(nogil=True)
def _bit_errors(query: Any, reference: Any) -> tuple[float, int]:
    """1 - twice the share of bits that differ at the best offset of the whole shorter side."""
    n, m = len(query), len(reference)
    shorter = min(n, m)
    if shorter < FEWEST:
        return 0.0, 0
    best, at = 32.0 * shorter, 0
    for shift in range(min(0, m - n), max(0, m - n) + 1):
        first = max(0, -shift)
        errors = 0
        for i in range(first, first + shorter):
            errors += _bits(query[i] ^ reference[i + shift])
        if errors < best:
            best, at = errors, shift
    return max(0.0, 1.0 - best / (16.0 * shorter)), at


# --- audfprint ---------------------------------------------------------------------------------

# Uses audfprint's own classes with the values that its command line gives them (which itself needs
# docopt and joblib): shifts are 1 for references and 4 for queries, the window is 2. Names that
# NumPy 1.24 took away are given back here, outside of it.
_RUN_AUDFPRINT = """
import contextlib, json, multiprocessing, sys
import numpy as np
for name in ("int", "float", "bool", "object"):
    if name not in np.__dict__:
        setattr(np, name, __builtins__.__dict__[name])
folder, asked = sys.argv[1], json.load(sys.stdin)
sys.path.insert(0, folder)
with contextlib.redirect_stdout(sys.stderr):
    import audfprint_analyze, audfprint_match, hash_table

def analyzer(shifts):
    made = audfprint_analyze.Analyzer(asked["density"])
    made.maxpairsperpeak, made.maxpksperframe = asked.get("fanout", 3), asked.get("pks", 5)
    made.shifts, made.fail_on_error = shifts, False
    return made

def hashes(job):
    path, shifts = job
    with contextlib.redirect_stdout(sys.stderr):
        try:
            return path, np.asarray(analyzer(shifts).wavfile2hashes(path)).reshape(-1, 2)
        except Exception as error:
            print(path, error)
            return path, np.zeros((0, 2), np.int32)

found = []
with multiprocessing.Pool(asked["processes"]) as pool:
    table = hash_table.HashTable()
    for path, rows in pool.imap(hashes, [(p, 1) for p in asked["references"]], 4):
        table.store(path, rows.tolist())
    matcher = audfprint_match.Matcher()
    matcher.window, matcher.threshcount = 2, 5
    matcher.search_depth = 100 if asked["most"] == 1 else 2000
    hop = 256 / 11025
    for path, rows in pool.imap(hashes, [(p, 4) for p in asked["queries"]], 4):
        if not len(rows):
            continue
        best = {}
        for at, count, skew, *_ in matcher.match_hashes(table, rows).tolist():
            best.setdefault(at, (count, skew))
        for at, (count, skew) in list(best.items())[:asked["most"]]:
            found.append((path, table.names[at], count, skew * hop))
json.dump(found, sys.stdout)
"""


def _audfprint(
    clone: Path, settings: dict[str, int], references: Sequence[Path], queries: Sequence[Path]
) -> list[Found]:
    asked = {
        **settings,
        "processes": processes(),
        "references": [str(path) for path in references],
        "queries": [str(path) for path in queries],
    }
    command = [sys.executable, "-c", _RUN_AUDFPRINT, str(clone)]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"audfprint in {clone} failed:\n{done.stderr[-2000:]}")
    return [Found(Path(q), Path(r), float(s), o) for q, r, s, o in json.loads(done.stdout)]
