"""The media of a run searched again, trusting nothing that was computed before."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from splitaudit import schema
from splitaudit.dataset import Dataset
from splitaudit.engine.progress import Quiet
from splitaudit.engine.stages import Settings, StageLog
from splitaudit.runs.run import Run
from splitaudit.scan import pipeline


def search_again(run: Run, settings: Settings) -> dict[str, pa.Table]:
    """Return the tables that a scan of the same media gives with an empty cache."""
    listed = run.table("media").to_pandas()
    # What was not opened, such as a pipe, is left alone.
    read = listed["part"].isin(list(pipeline.MEDIA_BY_PART)) & listed["content_id"].notna()
    listed.loc[read, ["status", "error"]] = None
    media = schema.conform(pa.Table.from_pandas(listed, schema.MEDIA, False), schema.MEDIA)
    known = run.known("items", "memberships")
    links = schema.conform([], schema.EDGES)
    name = run.record["dataset"]
    dataset = Dataset(name, run.folder, known["items"], media, known["memberships"], links, ())
    with tempfile.TemporaryDirectory(prefix="splitaudit-") as empty:
        fresh = replace(settings, cache=Path(empty))
        return pipeline.scan(dataset, fresh, StageLog(Quiet()), run.record["checks"])
