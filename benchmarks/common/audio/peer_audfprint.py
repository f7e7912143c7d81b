"""audfprint, from a clone of it, through its own classes; nothing of it is patched."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common.harness import count_processes
from benchmarks.common.judging import Scores, score_nothing

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
    for path, rows in pool.imap(hashes, [(p, 4) for p in asked["queries"]], 4):
        if not len(rows):
            continue
        best = {}
        for at, count, *_ in matcher.match_hashes(table, rows).tolist():
            best.setdefault(at, count)
        for at, count in list(best.items())[:asked["most"]]:
            found.append((path, table.names[at], count))
json.dump(found, sys.stdout)
"""


def compare(
    clone: Path, settings: dict[str, int], references: Sequence[Path], queries: Sequence[Path]
) -> Scores:
    """Put the references into one table, then match every query; the score counts hashes."""
    asked = {
        **settings,
        "processes": count_processes(),
        "references": [str(path) for path in references],
        "queries": [str(path) for path in queries],
    }
    command = [sys.executable, "-c", _RUN_AUDFPRINT, str(clone)]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"audfprint in {clone} failed:\n{done.stderr[-2000:]}")
    row = {str(path): k for k, path in enumerate(queries)}
    column = {str(path): k for k, path in enumerate(references)}
    scores = score_nothing(queries, references)
    for query, reference, count in json.loads(done.stdout):
        scores[row[query], column[reference]] = count
    return scores
