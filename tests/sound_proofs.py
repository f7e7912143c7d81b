"""Proofs between sounds, and the rows of items that they become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from splitaudit.audio.match_rows import expand

FINGERPRINT, VERIFIER = "patch-v1", "waveform-v5"
Pair = tuple[str, str]


def members_of(held: Mapping[str, tuple[str, str]], silent: Iterable[str] = ()) -> pd.DataFrame:
    """Items (item: split, content); the first letter of a content is its sound."""
    rows = [
        {
            "item_id": item,
            "split": split,
            "same_id": sound[0],
            "content_id": sound,
            "duration_s": 10.0,
            "silent": sound[0] in silent,
        }
        for item, (split, sound) in held.items()
    ]
    columns = ["item_id", "split", "same_id", "content_id", "duration_s", "silent"]
    return pd.DataFrame(rows, columns=columns)


def proof(a: str, b: str, **other: object) -> dict[str, object]:
    spans = {"a_start": 1.0, "a_end": 5.0, "b_start": 2.0, "b_end": 6.0}
    found = {"score": 0.9, "correlation": 0.5, "gain_db": 3.0, "accepted": True}
    found |= {"tempo": 1.0, "pitch": 1.0}
    coverages = {"coverage_a": 0.4, "coverage_b": 0.9, "loudness_db": -3.0}
    found |= {"verifier": VERIFIER}
    return {"a": a, "b": b, "relation": "overlap", **spans, **found, **coverages, **other}


def proofs_of(rows: Iterable[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(proof("A", "B")))


def rows_of(
    held: Mapping[str, tuple[str, str]],
    proofs: Iterable[dict[str, object]] = (),
    labels: Mapping[str, frozenset[str]] | None = None,
    silent: Iterable[str] = (),
) -> dict[Pair, dict[str, object]]:
    table = expand(members_of(held, silent), proofs_of(proofs), labels or {}, FINGERPRINT)
    rows = {(row["a"], row["b"]): row for row in table.to_pylist()}
    assert len(rows) == table.num_rows, "a pair has two rows"
    return rows
