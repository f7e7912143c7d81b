"""The formats of tables, and how the ending of a file tells one."""

from __future__ import annotations

from splitaudit.dataset.compressed import inner_name
from splitaudit.dataset.file_kinds import ending

CSV, TSV, JSON, JSONL, PARQUET = "csv", "tsv", "json", "jsonl", "parquet"
# What no ending tells.
LINES, LABEL_PICKLE, FOLDER = "lines", "label_pickle", "folder"
FORMATS = (CSV, TSV, JSONL, JSON, PARQUET, LINES, LABEL_PICKLE, FOLDER)
BY_ENDING = {
    ".csv": CSV,
    ".tsv": TSV,
    ".json": JSON,
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".parquet": PARQUET,
    ".pq": PARQUET,
}


def table_format(name: str) -> str | None:
    """Return the format of a table by the ending of its name, compressed or not."""
    return BY_ENDING.get(ending(inner_name(name)))
