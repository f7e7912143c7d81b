"""The way of every medium: read, searched, verified; and what of that is still to be done."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import pyarrow as pa

from splitaudit.engine.contracts import Comparisons, Findings, Medium
from splitaudit.engine.stages import (
    Contents,
    Settings,
    StageLog,
    Step,
    candidates_path,
    count_missing,
    propose,
    read_candidates,
    representatives,
    run_stage,
    step,
)


def scan(medium: Medium, contents: Contents, settings: Settings, log: StageLog) -> Findings:
    """Read media, search, and verify what was found."""
    medium.extract(contents, settings, log)
    facts = medium.known(contents, settings)
    keys = representatives(facts)
    path = candidates_path(medium.search_id(settings), keys, settings)
    search = partial(medium.search, keys, settings)
    found = propose(medium.searching, path, len(keys), search, log)
    work = medium.comparisons(keys, found, contents, settings)
    return Findings(facts, _prove(work, facts, settings, log))


def _prove(
    work: Sequence[Comparisons], facts: pd.DataFrame, settings: Settings, log: StageLog
) -> pd.DataFrame:
    """Verify every pair; a row a proof at which something was found."""
    rows = pd.concat([_verify_pairs(each, settings, log) for each in work], ignore_index=True)
    contents = rows["key"].str.split(" ", expand=True)
    for at, side in enumerate(("a", "b")):
        rows[side] = facts["same_id"].reindex(contents[at]).to_numpy() if len(rows) else None
    return rows.astype({"accepted": bool})


def _verify_pairs(work: Comparisons, settings: Settings, log: StageLog) -> pd.DataFrame:
    run_stage(work.stage, work.pairs, settings, log)
    names = pa.array(sorted(work.pairs), pa.string())
    facts = settings.facts(work.stage.kind).read(names, work.verifier.proofs).to_pandas()
    found: pd.DataFrame = facts[facts["found"].astype(bool)].drop(columns="found")
    return found.assign(verifier=work.verifier.name)


def plan(medium: Medium, contents: Contents, unread: int, settings: Settings) -> list[Step]:
    """Say what `scan` would do; of `unread` media the bytes are not known yet."""
    total = unread + len(contents)
    missing = {
        stage.name: unread + count_missing(stage, contents, settings)
        for stage in medium.stages(settings)
    }
    steps = [step(name, new, total, medium.things) for name, new in missing.items()]
    if any(missing.values()):
        old = total - max(missing.values())
        why = f"a new {medium.things.removesuffix('s')} may match any other"
        verify = Step("verify", "extend" if old else "compute", why)
        return [*steps, Step(medium.searching, "compute", why), verify]
    return [*steps, *_plan_search(medium, contents, settings)]


def _plan_search(medium: Medium, contents: Contents, settings: Settings) -> list[Step]:
    """The steps after the fingerprints, where all of those are known."""
    keys = representatives(medium.known(contents, settings))
    path = candidates_path(medium.search_id(settings), keys, settings)
    if not path.exists():
        why = f"another set of {medium.things} than before"
        return [Step(medium.searching, "compute", why), Step("verify", "extend", why)]
    searched = step(medium.searching, 0, len(keys), medium.things)
    work = medium.comparisons(keys, read_candidates(path), contents, settings)
    return [searched, *(_plan_comparisons(each, settings) for each in work)]


def _plan_comparisons(work: Comparisons, settings: Settings) -> Step:
    new = count_missing(work.stage, work.pairs, settings)
    return step(work.stage.name, new, len(work.pairs), "pairs")
