"""The tables of a run as the report takes them, small enough to be counted by hand."""

from collections.abc import Iterable, Mapping

from small_tables import items_of, matches_of, media_of

from splitaudit.report.summary import Tables
from splitaudit.schema import EDGES, MEMBERSHIPS, conform

ORDER = ["test", "val", "train"]


def tables_of(
    splits: Mapping[str, str],
    matches: Iterable[dict[str, object]] = (),
    memberships: Iterable[tuple[str, str, str | None]] = (),
    media: Mapping[str, Mapping[str, object]] | None = None,
    checks: tuple[str, ...] | None = None,
    links: Iterable[tuple[str, str, str]] = (),
) -> Tables:
    """Tables of items (item: split), keys (item, key, value; a, b, key) and special media."""
    edges = [{"a": a, "b": b, "reason": f"key:{key}", "cut": False} for a, b, key in links]
    rows = [{"item_id": x, "key": key, "value": value} for x, key, value in memberships]
    return Tables(
        items=items_of(splits).to_pandas(),
        media=media_of({x: (media or {}).get(x, {}) for x in splits}).to_pandas(),
        matches=matches_of(matches).to_pandas(),
        memberships=conform(rows, MEMBERSHIPS).to_pandas(),
        edges=conform(edges, EDGES).to_pandas(),
        checks=checks or (("audio", "keys") if rows or edges else ("audio",)),
        dataset="sounds",
    )
