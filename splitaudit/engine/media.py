"""The way of every medium: read, searched, verified; and what of that is still to be done."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit.engine import closing
from splitaudit.engine.comparing import Comparing
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
from splitaudit.engine.store import digest


@dataclass(frozen=True)
class Audited:
    """The contents of one medium.

    Parameters
    ----------
    contents
        One file of each.
    splits
        Columns content and split: where each stands, once.
    """

    contents: Contents
    splits: pd.DataFrame


def scan(medium: Medium, audited: Audited, settings: Settings, log: StageLog) -> Findings:
    """Read media, search, and verify what was found."""
    medium.extract(audited.contents, settings, log)
    facts = medium.known(audited.contents, settings)
    keys, held = _stand(facts, audited.splits)
    path = _candidates_path(medium, keys, held, settings)
    search = partial(medium.search, keys, held.to_numpy(), settings)
    found = propose(medium.searching, path, len(keys), search, log)
    prove = partial(_verify_pairs, settings=settings, log=log)
    pairs = Comparing(medium, keys, audited.contents, settings, found, prove)
    left = closing.close(found.to_pandas(), held.to_numpy(), pairs.compare)
    undecided = {"same_id": held.index[left["content"]], "split": held.columns[left["split"]]}
    rows = _name_sides(pairs.all_proofs(), facts)
    failed = rows["status"].notna()
    said = rows.loc[failed, ["a", "b", "status", "error"]].reset_index(drop=True)
    proofs = rows[~failed].drop(columns=["status", "error"]).reset_index(drop=True)
    return Findings(facts, proofs, pd.DataFrame(undecided), said)


def _stand(facts: pd.DataFrame, splits: pd.DataFrame) -> tuple[pa.Array, pd.DataFrame]:
    """The contents to compare, sorted, and in which splits each stands: a row each, by `same_id`.

    One stands where any stands that equals it once decoded.
    """
    keys = representatives(facts)
    same_ids = facts["same_id"].reindex(keys.to_pandas())
    of = facts["same_id"].reindex(splits["content"]).to_numpy()
    held = pd.crosstab(pd.Series(of, name="same_id"), splits["split"].reset_index(drop=True))
    return keys, held.reindex(same_ids).fillna(0) > 0


def _candidates_path(
    medium: Medium, keys: pa.Array, held: pd.DataFrame, settings: Settings
) -> Path:
    """Where the pairs are kept that a search proposed among contents that stand so in splits."""
    stand = digest(held.shape, np.packbits(held.to_numpy(bool)).tobytes().hex())
    return candidates_path(f"{medium.search_id(settings)} {stand}", keys, settings)


def _verify_pairs(work: Comparisons, settings: Settings, log: StageLog) -> pd.DataFrame:
    """Verify pairs; a row a proof at which something was found, or a pair that stays undecided.

    Only of the latter there are a status and an error.
    """
    undecided = run_stage(work.stage, work.pairs, settings, log)
    found = _read_proofs(work, settings)
    return pd.concat([found, _as_proofs(undecided, found)]) if len(undecided) else found


def _read_proofs(work: Comparisons, settings: Settings) -> pd.DataFrame:
    """What is known of pairs; a row a proof at which something was found."""
    names = pa.array(sorted(work.pairs), pa.string())
    facts = settings.facts(work.stage.kind).read(names, work.verifier.proofs).to_pandas()
    found: pd.DataFrame = facts[facts["found"].astype(bool)].drop(columns="found")
    return found.assign(status=None, error=None, verifier=work.verifier.name)


def _as_proofs(undecided: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """Pairs that stay undecided as rows of nothing that was found."""
    rows = undecided.reindex(columns=found.columns)
    flags = found.select_dtypes(bool).columns
    return rows.assign(**dict.fromkeys(flags, False)).astype(found.dtypes)


def _name_sides(proofs: pd.DataFrame, facts: pd.DataFrame) -> pd.DataFrame:
    """The proofs with both sides, as `same_id`."""
    contents = proofs["key"].str.split(" ", expand=True)
    for at, side in enumerate(("a", "b")):
        proofs[side] = facts["same_id"].reindex(contents[at]).to_numpy() if len(proofs) else None
    return proofs


def plan(medium: Medium, audited: Audited, unread: int, settings: Settings) -> list[Step]:
    """Say what `scan` would do; of `unread` media the bytes are not known yet."""
    contents = audited.contents
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
    return [*steps, *_plan_search(medium, audited, settings)]


def _plan_search(medium: Medium, audited: Audited, settings: Settings) -> list[Step]:
    """The steps after the fingerprints, where all of those are known."""
    keys, held = _stand(medium.known(audited.contents, settings), audited.splits)
    path = _candidates_path(medium, keys, held, settings)
    if not path.exists():
        why = f"another set of {medium.things} than before"
        return [Step(medium.searching, "compute", why), Step("verify", "extend", why)]
    searched = step(medium.searching, 0, len(keys), medium.things)
    missing, total, found = Counter[str](), Counter[str](), read_candidates(path)

    def look_up(work: Comparisons) -> pd.DataFrame:
        missing[work.stage.name] += count_missing(work.stage, work.pairs, settings)
        total[work.stage.name] += len(work.pairs)
        return _read_proofs(work, settings)

    # What is missing may join pairs, so that others need not be compared: it is about so many.
    pairs = Comparing(medium, keys, audited.contents, settings, found, look_up)
    closing.close(found.to_pandas(), held.to_numpy(), pairs.compare)
    pairs.all_proofs()
    return [searched, *(step(name, missing[name], many, "pairs") for name, many in total.items())]
