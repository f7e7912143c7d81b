"""What the proofs of sounds say, as matches between items."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit import schema
from splitaudit.audio.verify.waveform import BACKGROUND_DB
from splitaudit.engine import matches
from splitaudit.engine.matches import Row

PART = "audio"
NEAR_COVERAGE = 0.8  # >= on both sides: the same recording, not a part of it
GENERIC_COVERAGE = 0.5  # < on both sides: a jingle, not a recording
# >= of the longer of two stretches in both: one jingle, of which often only a part is found. By the
# shorter one, a leak that goes on after the jingle would pass for it.
MIN_STRETCH_OVERLAP = 0.4
RECODED_CORRELATION = 0.98  # < whitened correlation: more than level was changed
INVERTED_CORRELATION = 0.8  # >: a filter turns phases too, but not all of them
GAIN_DB = 0.5  # >= in level is worth a word
MIN_SCALE_CHANGE = 0.002  # >= of tempo or pitch, as a share, is worth one
SPEED_TOLERANCE = 0.002  # <: difference of tempo and pitch where the speed was changed


def relations(proofs: pd.DataFrame, generic: int) -> pd.Series:
    """Return the relation that each proof shows.

    Parameters
    ----------
    proofs
        One row a pair and offset. Columns a, b (sound ids), a_start, a_end, b_start, b_end,
        coverage_a, coverage_b, loudness_db, accepted.
    generic
        A stretch found in more (>) sounds than this, and covering less than half of either side,
        is shared material. So is one that lies more than 20 dB below what is loud in both.
    """
    least = proofs[["coverage_a", "coverage_b"]].min(axis=1)
    most = proofs[["coverage_a", "coverage_b"]].max(axis=1)
    near = np.where(least >= NEAR_COVERAGE, schema.NEAR_DUPLICATE, schema.OVERLAP)
    small = proofs["accepted"] & (most < GENERIC_COVERAGE)
    shared = small & (
        _count_sharing_sounds(proofs[small]).reindex(proofs.index, fill_value=0) > generic
    )
    shared |= proofs["accepted"] & (proofs["loudness_db"] < BACKGROUND_DB)
    return pd.Series(np.where(shared, schema.SHARED_MATERIAL, near), proofs.index)


def strongest_proofs(proofs: pd.DataFrame) -> pd.DataFrame:
    """Return one proof of each pair of sounds, so that no jingle hides a leak.

    Accepted before not, then by relation from hard to soft, then by how much agrees: where a loop
    repeats, that is most at the moment that was copied.
    """
    hardness = [schema.NEAR_DUPLICATE, schema.OVERLAP, schema.SHARED_MATERIAL]
    rank = pd.Index(hardness).get_indexer(pd.Index(proofs["relation"]))
    agreeing_s = proofs["correlation"].abs() * (proofs["a_end"] - proofs["a_start"])
    ranked = proofs.assign(rank=rank, agreeing_s=agreeing_s)
    by = ["accepted", "rank", "agreeing_s", "a_start", "b_start"]
    ranked = ranked.sort_values(by, ascending=[False, True, False, True, True])
    return (
        ranked.drop_duplicates(["a", "b"])
        .drop(columns=["rank", "agreeing_s"])
        .sort_values(["a", "b"])
    )


def _count_sharing_sounds(proofs: pd.DataFrame) -> pd.Series:
    """In how many sounds the stretch of each proof is found, itself included."""
    sides = pd.concat([_side_intervals(proofs, "a", "b"), _side_intervals(proofs, "b", "a")])
    counts = [_count_overlapping_partners(side) for _, side in sides.groupby("sound", sort=False)]
    if not counts:
        return pd.Series(dtype=int)
    most: pd.Series = pd.concat(counts).groupby(level=0).max()
    return most + 1


def _side_intervals(proofs: pd.DataFrame, side: str, other: str) -> pd.DataFrame:
    names = {side: "sound", f"{side}_start": "start", f"{side}_end": "end", other: "partner"}
    return proofs[list(names)].rename(columns=names)


def _count_overlapping_partners(side: pd.DataFrame) -> pd.Series:
    """For each stretch of one sound, how many partners have a stretch that covers the same part."""
    side = side.sort_values("partner")
    start, end = side["start"].to_numpy(), side["end"].to_numpy()
    common = np.minimum.outer(end, end) - np.maximum.outer(start, start)
    longer = np.maximum.outer(end - start, end - start)
    first_of_partner = np.flatnonzero(~side["partner"].duplicated())
    alike = np.logical_or.reduceat(common >= MIN_STRETCH_OVERLAP * longer, first_of_partner, axis=1)
    return pd.Series(alike.sum(axis=1), side.index)


def expand(
    members: pd.DataFrame,
    proofs: pd.DataFrame,
    labels: Mapping[str, frozenset[str]],
    fingerprint: str,
) -> pa.Table:
    """Return the matches between items.

    Parameters
    ----------
    members
        Columns item_id, split, same_id, content_id, duration_s, silent: items with a sound.
    proofs
        One row a pair, as from `strongest_proofs`. The columns of `relations` with relation, score,
        correlation, gain_db, tempo, pitch, verifier; a < b is not needed.
    labels
        Of items that have any.
    fingerprint
        For the column of that name.
    """
    words = matches.MatchColumns(PART, _exact_row, partial(_proof_rows, fingerprint=fingerprint))
    return matches.expand(members, proofs, labels, words)


def _exact_row(fact: Row) -> Row:
    whole = fact["duration_s"]
    start, end = (0.0, whole) if whole == whole else (None, None)  # null where nothing was decoded
    return {
        "verifier": "samples",
        "transform": "same samples",
        "a_start": start,
        "a_end": end,
        "b_start": start,
        "b_end": end,
        "tempo": 1.0,
        "pitch": 1.0,
        # Two silent files have equal samples and nothing in common.
        "accepted": not fact["silent"],
    }


def _proof_rows(proof: Row, fingerprint: str) -> tuple[Row, Row]:
    return _match_columns(proof, fingerprint), _match_columns(_swap_sides(proof), fingerprint)


def _match_columns(proof: Row, fingerprint: str) -> Row:
    """The columns of a match that its proof decides."""
    intervals = ("a_start", "a_end", "b_start", "b_end", "coverage_a", "coverage_b")
    scales = ("tempo", "pitch")
    return {
        **{name: proof[name] for name in ("relation", "score", "accepted", *intervals, *scales)},
        "fingerprint": fingerprint,
        "verifier": proof["verifier"],
        "transform": transform(proof),
    }


def _swap_sides(proof: Row) -> Row:
    """The same proof with its sides exchanged."""
    sides = ("start", "end")
    turned = {**proof, "gain_db": -proof["gain_db"]}
    turned |= {name: 1 / proof[name] for name in ("tempo", "pitch")}
    turned |= {f"a_{name}": proof[f"b_{name}"] for name in sides}
    turned |= {f"b_{name}": proof[f"a_{name}"] for name in sides}
    return turned | {"coverage_a": proof["coverage_b"], "coverage_b": proof["coverage_a"]}


def transform(proof: Row) -> str:
    """Return in words what was done to a to make b."""
    words = []
    if min(proof["coverage_a"], proof["coverage_b"]) < NEAR_COVERAGE:
        words.append("excerpt" if max(proof["coverage_a"], proof["coverage_b"]) >= 0.8 else "part")
    words += _describe_speed(proof["tempo"], proof["pitch"])
    if proof["correlation"] < -INVERTED_CORRELATION:
        words.append("polarity inverted")
    if abs(proof["correlation"]) < RECODED_CORRELATION:
        words.append("recoded or filtered")
    if abs(proof["gain_db"]) >= GAIN_DB:
        words.append(f"gain {proof['gain_db']:+.1f} dB")
    return ", ".join(words) or "same sound"


def _describe_speed(tempo: float, pitch: float) -> Iterator[str]:
    """In words, how much faster and higher b is."""
    if abs(tempo - 1) >= MIN_SCALE_CHANGE and abs(tempo / pitch - 1) < SPEED_TOLERANCE:
        yield f"speed {tempo - 1:+.1%}"
        return
    if abs(tempo - 1) >= MIN_SCALE_CHANGE:
        yield f"tempo {tempo - 1:+.1%}"
    if abs(pitch - 1) >= MIN_SCALE_CHANGE:
        yield f"pitch {12 * np.log2(pitch):+.2f} semitones"
