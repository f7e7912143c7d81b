"""Sounds as a medium: read and fingerprinted, searched, verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa

from splitaudit.audio import match_rows
from splitaudit.audio.decode.stream import RATE
from splitaudit.audio.fingerprint import extract
from splitaudit.audio.fingerprint.extract import VIEW_FRAMES
from splitaudit.audio.fingerprint.patches import HOP, PatchFingerprint
from splitaudit.audio.search import candidates, locate
from splitaudit.audio.verify.compare import Pair, Waveforms
from splitaudit.engine import matches
from splitaudit.engine.closing import Held
from splitaudit.engine.contracts import Comparisons, Findings, fingerprint_id
from splitaudit.engine.pair_order import order_pairs
from splitaudit.engine.stages import Contents, Settings, Stage, StageLog, run_stage

DEFAULT_FINGERPRINTS = (PatchFingerprint(),)
_ID = fingerprint_id(PatchFingerprint())
FINGERPRINT = Stage(
    "fingerprint", f"fingerprints/{_ID}", extract.fingerprint, extract.lost_fingerprint, 2e7
)
HALF = VIEW_FRAMES // 2  # patches may begin a little before a sound
_WAVEFORMS = Waveforms()
VERIFY = Stage("verify", f"proofs/{Waveforms.name}-{_ID}", _WAVEFORMS.verify, _WAVEFORMS.lost, 4e7)


class Sounds:
    """Sounds, see `splitaudit.engine.contracts.Medium`."""

    part: ClassVar[str] = match_rows.PART
    things: ClassVar[str] = "sounds"
    searching: ClassVar[str] = "search"

    def stages(self, settings: Settings) -> Sequence[Stage]:
        """Return the stages for which each sound is read."""
        return (FINGERPRINT,)

    def extract(self, contents: Contents, settings: Settings, log: StageLog) -> None:
        """Decode sounds and take their fingerprints."""
        in_turn = sorted(contents.items(), key=lambda one: extract.in_turn(one[1]))
        run_stage(FINGERPRINT, dict(in_turn), settings, log)

    def known(self, contents: Contents, settings: Settings) -> pd.DataFrame:
        """What is known of each content, without its patches; index: content id."""
        columns = [field for field in extract.SOUNDS if field.name not in ("vectors", "frames")]
        facts = settings.facts(FINGERPRINT.kind).read(
            pa.array(contents, pa.string()), pa.schema(columns)
        )
        sounds: pd.DataFrame = facts.to_pandas().set_index("key")
        # Contents with equal samples are one sound; one that could not be decoded is its own.
        sounds["same_id"] = _join_twins(sounds)
        sounds["silent"] = sounds["silent"].fillna(False).astype(bool)
        return sounds

    def search_id(self, settings: Settings) -> str:
        """Return what candidates depend on beside the sounds."""
        return f"{_ID}-{candidates.NAME}"

    def search(self, keys: pa.Array, held: Held, settings: Settings) -> pa.Table:
        """Return pairs of sounds to compare, see `candidates.search`."""
        return candidates.search(settings.facts(FINGERPRINT.kind), keys, held, settings.processes)

    def locate(self, keys: pa.Array, pairs: pd.DataFrame, settings: Settings) -> pa.Table:
        """Return how pairs that were not searched may be compared, see `locate.locate`."""
        return locate.locate(settings.facts(FINGERPRINT.kind), keys, pairs)

    def comparisons(
        self, keys: pa.Array, found: pa.Table, contents: Contents, settings: Settings
    ) -> Sequence[Comparisons]:
        """Return the pairs, in an order in which few sounds are read twice."""
        columns = pa.schema([extract.SOUNDS.field(name) for name in ("key", "duration_s")])
        seconds = settings.facts(FINGERPRINT.kind).read(keys, columns)["duration_s"].to_pylist()
        pairs = _pairs(keys.to_pylist(), seconds, contents, found)
        return (Comparisons(VERIFY, _WAVEFORMS, pairs),)

    def matches(
        self, items: pa.Table, media: pa.Table, found: Findings, settings: Settings
    ) -> pa.Table:
        """Return the matches between items."""
        members = matches.members(items, media, self.part)
        facts = found.facts[["same_id", "duration_s", "silent"]]
        members = members.merge(facts, left_on="content_id", right_index=True)
        relations = match_rows.relations(found.proofs, settings.generic)
        proofs = match_rows.strongest_proofs(found.proofs.assign(relation=relations))
        return match_rows.expand(members, proofs, matches.labels(items), _ID)


def _join_twins(sounds: pd.DataFrame) -> pd.Series:
    """Identities of samples; what is as another decoder gives a lossy file is that file."""
    lossy = sounds[sounds["twin_id"].notna() & (sounds["twin_id"] != sounds["samples_id"])]
    decoded = dict(zip(lossy["twin_id"], lossy["samples_id"], strict=True))
    own = sounds["samples_id"].fillna(sounds.index.to_series())
    return own.map(lambda samples: decoded.get(samples, samples)) if decoded else own


def _pairs(
    keys: Sequence[str], seconds: Sequence[float], contents: Contents, found: pa.Table
) -> dict[str, Pair]:
    frame_s = HOP / RATE
    order = order_pairs(*(found[side].to_numpy().astype(np.int64) for side in ("a", "b")))
    pairs = {}
    for row in found.take(order).to_pylist():
        a, b = keys[row["a"]], keys[row["b"]]
        views, moment = np.divmod(np.array([row["frame_a"], row["frame_b"]]) + HALF, VIEW_FRAMES)
        moment = moment - HALF
        name = f"{a} {b} {row['frame_a']} {row['frame_b']} {row['slope']:.3f}"
        pairs[name] = Pair(
            key=name,
            a=replace(contents[a], view=int(views[0])),
            b=replace(contents[b], view=int(views[1])),
            moment_s=(float(moment[0]) * frame_s, float(moment[1]) * frame_s),
            slope=row["slope"],
            seconds=(seconds[row["a"]], seconds[row["b"]]),
            evidence_s=row["evidence"],
        )
    return pairs
