"""The tables of a run as the report takes them, small enough to be counted by hand."""

from collections.abc import Iterable, Mapping

from small_tables import items_of, matches_of, media_of

from splitaudit.report.summary import Tables
from splitaudit.schema import MEMBERSHIPS, conform

ORDER = ["test", "val", "train"]


def tables_of(
    splits: Mapping[str, str],
    matches: Iterable[dict[str, object]] = (),
    memberships: Iterable[tuple[str, str, str | None]] = (),
    media: Mapping[str, Mapping[str, object]] | None = None,
    checks: tuple[str, ...] = ("audio",),
) -> Tables:
    """Tables of items (item: split), keys (item, key, value) and what is special of their media."""
    rows = [{"item_id": x, "key": key, "value": value} for x, key, value in memberships]
    return Tables(
        items=items_of(splits).to_pandas(),
        media=media_of({x: (media or {}).get(x, {}) for x in splits}).to_pandas(),
        matches=matches_of(matches).to_pandas(),
        memberships=conform(rows, MEMBERSHIPS).to_pandas(),
        checks=checks,
        dataset="sounds",
    )
