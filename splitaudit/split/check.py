"""Independent re-verification of any split, from the files it was written to.

Shares no code with the splitter and looks at matches, never at groups.
"""

from __future__ import annotations

import hashlib
import html
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import pandas as pd
import pyarrow as pa

from splitaudit.schema import AUDITED, LEAK_RELATIONS, OK, SHARED_MATERIAL

_CROSSING_COLUMNS = ["a", "b", "relation", "score", "a_split", "b_split"]
_PARTED_COLUMNS = ["reason", "value", "items", "splits", "example"]
GENERIC = 20  # > items with one caption join nothing


@dataclass(frozen=True, eq=False)
class CheckResult:
    """What a check found.

    Parameters
    ----------
    crossings
        Accepted matches with a leak relation whose two items stand in different splits, the most
        certain first: a, b, relation, score, a_split, b_split.
    parted
        Values of chosen keys of which the items stand in different splits: reason, value, items,
        splits and an example, two items of different splits.
    kept
        By reason, how many values of chosen keys are not parted.
    missing
        Items of the dataset that stand nowhere in the split and are not listed as dropped.
    unknown
        Ids in the split that the dataset does not have.
    repeated
        Ids listed more than once, also in one split.
    digest_holds
        Whether the digest of the split is the claimed one; None where none was claimed.
    residual
        Accepted `shared_material` matches that cross: weak, and no reason to fail.
    coverage
        By check, `items` (those in the split that have such a medium) and `audited`.
    min_coverage
        The share of the items that must be audited in each check asked for.
    """

    crossings: pd.DataFrame
    parted: pd.DataFrame
    kept: dict[str, int]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    repeated: tuple[str, ...]
    digest_holds: bool | None
    residual: int
    coverage: dict[str, dict[str, int]]
    min_coverage: float

    @property
    def exit_status(self) -> int:
        """1 where the split is refuted, else 4 where a coverage is < `min_coverage`, else 0."""
        faults = self.missing or self.unknown or self.repeated or self.digest_holds is False
        if len(self.crossings) or len(self.parted) or faults:
            return 1
        return 4 if any(map(self._lacks_evidence, self.coverage.values())) else 0

    def __repr__(self) -> str:
        return f"<CheckResult: {self._answer()}; {self._describe_crossings()}>"

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(line)}</li>" for line in self.sentences())
        return f"<div><b>Check: {self._answer()}</b><ul>{lines}</ul></div>"

    def _answer(self) -> str:
        return {0: "the split holds", 1: "the split is refuted"}.get(
            self.exit_status, "no crossing found, but evidence is missing"
        )

    def sentences(self) -> list[str]:
        """Return what was found in words, one sentence each; odd characters are escaped."""
        ids = [
            _list_ids(self.missing, "of the dataset: in no split and not listed as dropped"),
            _list_ids(self.unknown, "of the split: not in the dataset"),
            _list_ids(self.repeated, "of the split: listed more than once"),
        ]
        others = [
            self._describe_digest(),
            self._describe_residual(),
            *map(self._describe_coverage, self.coverage),
        ]
        found = [
            self._describe_crossings(),
            *self._describe_parted(),
            *filter(None, [self._describe_kept()]),
        ]
        return [*found, *filter(None, ids), *filter(None, others)]

    def _lacks_evidence(self, counts: dict[str, int]) -> bool:
        """Say whether evidence is missing; a check that had nothing to look at is no evidence."""
        return not counts["items"] or counts["audited"] / counts["items"] < self.min_coverage

    def _describe_crossings(self) -> str:
        if not len(self.crossings):
            return "No accepted match crosses the split."
        a, b, relation, score, a_split, b_split = self.crossings.iloc[0][_CROSSING_COLUMNS]
        return (
            f"{len(self.crossings)} accepted matches cross the split; the first: {a!r} in "
            f"{a_split!r} and {b!r} in {b_split!r} ({relation}, score {score:.2f})."
        )

    def _describe_kept(self) -> str:
        if not self.kept:
            return ""
        counts = ", ".join(f"{reason} ({_pluralise(n)})" for reason, n in self.kept.items())
        return f"Kept whole: {counts}."

    def _describe_parted(self) -> list[str]:
        return [
            f"{reason}: {_pluralise(len(rows))} in more than one split; for instance "
            f"{rows['value'].iloc[0]!r}, {rows['example'].iloc[0]}."
            for reason, rows in self.parted.groupby("reason", sort=False)
        ]

    def _describe_digest(self) -> str:
        words = {
            None: "No digest was claimed.",
            True: "The digest holds.",
            False: "The digest does not hold: this is not the split that its sidecar describes.",
        }
        return words[self.digest_holds]

    def _describe_residual(self) -> str:
        if not self.residual:
            return ""
        return f"{self.residual} matches of shared material cross the split: weak, not a leak."

    def _describe_coverage(self, name: str) -> str:
        counts = self.coverage[name]
        if not counts["items"]:
            return f"{name}: no item has any, so there is no evidence."
        said = f"{name}: {counts['audited']:,} of {counts['items']:,} items audited"
        if not self._lacks_evidence(counts):
            return f"{said}."
        return f"{said}, less than the share of {self.min_coverage:.6g} that was asked for."


class Asked(TypedDict, total=False):
    """What is asked of a split beside.

    Parameters
    ----------
    claimed_digest
        SHA-256 in hexadecimal over the sorted (id, split) pairs, see `_digest`.
    checks
        Parts (values of MEDIA.part) for which evidence is asked; by default `audio`.
    min_coverage
        Share of the items, in [0, 1], by default 1; evidence is missing where audited / items
        < `min_coverage`.
    """

    claimed_digest: str | None
    checks: Sequence[str]
    min_coverage: float


def check(
    items: pa.Table,
    media: pa.Table,
    matches: pa.Table,
    splits: pa.Table | pd.DataFrame,
    *,
    together: pd.DataFrame | None = None,
    **asked: Unpack[Asked],
) -> CheckResult:
    """Verify that a split holds every item once and that no accepted match crosses it.

    Parameters
    ----------
    items, media, matches
        Schemas ITEMS, MEDIA and MATCHES of the scanned dataset.
    splits
        Columns item_id and new_split (null: dropped), as `read_split` returns
        them or with schema SPLITS.
    together
        What must not be parted besides, as from `must_link`.
    **asked
        See `Asked`.
    """
    claimed_digest, checks = asked.get("claimed_digest"), asked.get("checks", ("audio",))
    listed = splits.to_pandas() if isinstance(splits, pa.Table) else splits
    placed = listed.dropna(subset="new_split").set_index("item_id")["new_split"]
    known = set(items["item_id"].to_pylist())
    ids = listed["item_id"]
    together = _empty_must_link() if together is None else together
    parted = _find_parted(pd.concat([together, _one_files(media)], ignore_index=True), placed)
    across = _find_crossings(matches, placed)
    leaking = across["relation"].isin(LEAK_RELATIONS)
    return CheckResult(
        crossings=across[leaking].reset_index(drop=True),
        parted=parted,
        kept=_count_kept(together, parted),
        missing=tuple(sorted(known - set(ids))),
        unknown=tuple(sorted(set(ids) - known)),
        repeated=tuple(sorted(set(ids[ids.duplicated()]))),
        digest_holds=None if claimed_digest is None else _digest(placed) == claimed_digest,
        residual=int((across["relation"] == SHARED_MATERIAL).sum()),
        coverage={name: _coverage(media, name, placed.index) for name in checks},
        min_coverage=asked.get("min_coverage", 1.0),
    )


def must_link(memberships: pa.Table, edges: pa.Table, policy: str) -> pd.DataFrame:
    """Return what a policy keeps together: reason, value and item_id of each that has it.

    Parameters
    ----------
    memberships, edges
        Schemas MEMBERSHIPS and EDGES. Accepted matches are looked at themselves, not as edges.
    policy
        `duplicate`, `source`, `setup`, or names of keys with commas between.
    """
    names = policy.split(",")
    relations = {"source": ["same_source"], "setup": ["same_source", "same_setup"]}.get(policy, [])
    rows = memberships.to_pandas()
    rows = rows[rows["relation"].isin(relations) | rows["key"].isin(names)].dropna()
    sizes = rows.groupby(["key", "value"])["item_id"].transform("size")
    rows = rows[~rows["key"].str.startswith("caption:") | (sizes <= GENERIC)]
    links = edges.to_pandas()
    links = links[links["policy"].isin(["duplicate", *names]) & (links["reason"] != "match")]
    links = links[~links["cut"].astype(bool)]
    pair = links["a"] + " - " + links["b"]
    ends = [
        pd.DataFrame({"reason": links["reason"], "value": pair, "item_id": links[x]}) for x in "ab"
    ]
    keys = rows.assign(reason="key:" + rows["key"])[_empty_must_link().columns]
    found: pd.DataFrame = pd.concat([_empty_must_link(), keys, *ends], ignore_index=True)
    return found


def _empty_must_link() -> pd.DataFrame:
    return pd.DataFrame({"reason": [], "value": [], "item_id": []}, dtype=object)


def _one_files(media: pa.Table) -> pd.DataFrame:
    """Return the media that are one file, or a stretch of one: reason, value and item_id.

    Matches link equal items by a star, and of a star without its middle nothing would be left.
    """
    columns = ["item_id", "path", "clip_start_s", "clip_end_s", "content_id", "status"]
    frame = media.select(columns).to_pandas()
    named = frame.dropna(subset="path")
    stretches = zip(named["clip_start_s"].fillna(0.0), named["clip_end_s"], strict=True)
    words = [_describe_stretch(*stretch) for stretch in stretches]
    places = [path + stretch for path, stretch in zip(named["path"], words, strict=True)]
    read = frame[(frame["status"] == OK) & frame["content_id"].notna()]
    rows = [
        named[["item_id"]].assign(reason="one file", value=places),
        read[["item_id"]].assign(reason="equal bytes", value=read["content_id"]),
    ]
    found = pd.concat([_empty_must_link(), *(each for each in rows if len(each))])
    several: pd.DataFrame = found[found.duplicated(["reason", "value"], keep=False)]
    return several.drop_duplicates()


def _describe_stretch(start_s: float, end_s: float) -> str:
    whole = start_s == 0 and math.isnan(end_s)
    return "" if whole else f" from {start_s:.6g} s to {end_s:.6g} s"


def _find_parted(together: pd.DataFrame, placed: pd.Series[str]) -> pd.DataFrame:
    """Return the values of which the items stand in different splits."""
    where = placed.rename("split").rename_axis("item_id").reset_index()
    rows = together.merge(where, on="item_id").drop_duplicates()
    by_value = rows.groupby(["reason", "value"], sort=False)
    found = by_value.agg(items=("item_id", "nunique"), splits=("split", "nunique")).reset_index()
    found = found[found["splits"] > 1]
    first = rows.drop_duplicates(["reason", "value", "split"])
    first = first.assign(example=first["item_id"] + " in " + first["split"])
    two = first.groupby(["reason", "value"], sort=False)["example"].agg(
        lambda x: " and ".join(x[:2])
    )
    parted: pd.DataFrame = found.merge(two.reset_index(), on=["reason", "value"], how="left")
    return parted[_PARTED_COLUMNS].sort_values(["reason", "value"], ignore_index=True)


def _count_kept(together: pd.DataFrame, parted: pd.DataFrame) -> dict[str, int]:
    """Count by reason the values that are not parted."""
    values = together.groupby("reason")["value"].nunique()
    left = values.sub(parted["reason"].value_counts(), fill_value=0).astype(int)
    return {str(reason): int(n) for reason, n in left.items() if n}


def _find_crossings(matches: pa.Table, placed: pd.Series[str]) -> pd.DataFrame:
    """Return the accepted matches whose sides stand in two splits, the most certain first.

    An id that is listed in several splits is looked at in each of them.
    """
    columns = ["a", "b", "relation", "score"]
    accepted = matches.filter(matches["accepted"]).select(columns).to_pandas()
    a = placed.rename("a_split").rename_axis("a").reset_index()
    b = placed.rename("b_split").rename_axis("b").reset_index()
    both = accepted.merge(a, on="a").merge(b, on="b")
    across: pd.DataFrame = both[both["a_split"] != both["b_split"]].drop_duplicates()
    return across.sort_values(["score", "a", "b"], ascending=[False, True, True])[_CROSSING_COLUMNS]


def _digest(placed: pd.Series[str]) -> str:
    """Return the SHA-256 over the sorted (id, split) pairs of the items that have a split.

    What is hashed is, for each pair, `["id","split"]` in JSON (ASCII escapes, no spaces) and a line
    feed; sorted by id, then split, by code points.
    """
    hashed = hashlib.sha256()
    for pair in sorted(placed.items()):
        hashed.update(json.dumps(list(pair), separators=(",", ":")).encode("ascii") + b"\n")
    return hashed.hexdigest()


def _coverage(media: pa.Table, part: str, standing: pd.Index[str]) -> dict[str, int]:
    """Count the items in the split that have such a medium, and those of them that were audited."""
    audited = media.select(["item_id", "part", "status"]).to_pandas()
    ours = audited[(audited["part"] == part) & audited["item_id"].isin(standing)]
    audited = ours["status"].isin(AUDITED).groupby(ours["item_id"]).all()
    return {"items": len(audited), "audited": int(audited.sum())}


def _pluralise(number: int) -> str:
    return "1 value" if number == 1 else f"{number:,} values"


def _list_ids(ids: tuple[str, ...], what: str) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - 3} more" if len(ids) > 3 else ""
    return f"{len(ids)} items {what}: {', '.join(map(repr, ids[:3]))}{more}."
