"""Peers on the same files: which can be run here, at which settings, and what they find.

Nothing of theirs is in this repository, and nothing of theirs is patched.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common.audio import peer_audfprint, peer_chromaprint, peer_mfcc, peer_olaf
from benchmarks.common.judging import Scores, Truth, find_partners, find_worst_false, step_above

AT_BEST = "at best: threshold chosen afterwards, just above their worst false pair"


@dataclass(frozen=True)
class Peer:
    """One tool at one setting.

    Parameters
    ----------
    name, settings
        In words.
    compare
        References, queries -> scores.
    threshold
        The tool's own: a pair with a score >= it is a match. None: it states none.
    """

    name: str
    settings: str
    compare: Callable[[Sequence[Path], Sequence[Path]], Scores]
    threshold: float | None = None


def find_peers(audfprint: Path | None) -> list[Peer]:
    """Return chromaprint and audfprint where they can be run; say on stderr where not."""
    return [*_find_chromaprint(), *_find_audfprint(audfprint)]


def find_all_peers(audfprint: Path | None, olaf: Path | None) -> list[Peer]:
    """Return the peers that can be run here, and say on stderr which cannot."""
    return [*find_peers(audfprint), *_find_olaf(olaf), *_find_mean_mfcc()]


def _leave_out(why: str) -> list[Peer]:
    print(why, file=sys.stderr)
    return []


def _find_chromaprint() -> list[Peer]:
    if not shutil.which("fpcalc"):
        return _leave_out("no fpcalc: apt-get install libchromaprint-tools")
    return [
        Peer("chromaprint", "pyacoustid's compare, 120 s", peer_chromaprint.compare_histograms),
        Peer("chromaprint", "bit errors, any offset", peer_chromaprint.compare_bits),
    ]


def _find_audfprint(clone: Path | None) -> list[Peer]:
    if clone is None:
        return _leave_out("audfprint is left out: give --audfprint DIR, a clone of it")
    default, dense = {"density": 20, "most": 1}, {"density": 70, "fanout": 8, "pks": 10}
    settings = {
        "default": default,
        "density 70, fanout 8, 10 peaks, every match": {**dense, "most": 1000},
    }
    return [
        Peer("audfprint", words, partial(peer_audfprint.compare, clone, values), 5)
        for words, values in settings.items()
    ]


def _find_olaf(clone: Path | None) -> list[Peer]:
    if clone is None or not (clone / peer_olaf.CORE).exists():
        return _leave_out(
            "Olaf is left out: give --olaf DIR, a clone in which `make compile_core` was run"
        )
    return [Peer("Olaf", "default", partial(peer_olaf.compare, clone), 6)]


def _find_mean_mfcc() -> list[Peer]:
    if importlib.util.find_spec("librosa") is None:
        return _leave_out("no librosa: pip install librosa")
    return [Peer("mean MFCC", "20, cosine", peer_mfcc.compare)]


def judge(
    peer: Peer, references: Sequence[Path], queries: Sequence[Path], truth: Truth
) -> dict[str, Any]:
    """Run a peer and count what it finds.

    Returns
    -------
    dict
        `found` and `false` at the peer's own threshold (distinct queries, and pairs), and
        `at best`: queries found at the threshold that is just above its worst false pair, which is
        chosen after the fact, in its favour; `at 1 %`: where as many false pairs as 1 % of the
        queries are let through.
    """
    begun = time.perf_counter()
    scores = peer.compare(references, queries)
    seconds = time.perf_counter() - begun
    false = np.sort(scores[truth.false])[::-1]
    worst, let = find_worst_false(scores, truth), [*false[len(queries) // 100 :], -np.inf][0]
    own, stated = peer.threshold, peer.threshold is not None
    return {
        "peer": peer.name,
        "settings": peer.settings,
        "queries": len(queries),
        "at best": int(find_partners(scores, truth, step_above(worst)).sum()),
        "at 1 %": int(find_partners(scores, truth, step_above(let)).sum()),
        "no false above": None if worst == -np.inf else worst,
        "found": int(find_partners(scores, truth, own).sum()) if stated else None,
        "false": int((false >= own).sum()) if stated else None,
        "seconds": round(seconds, 1),
    }
