"""Pictures as a medium: read and fingerprinted, searched, verified."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa

from splitaudit import schema
from splitaudit.engine import matches
from splitaudit.engine.closing import Held
from splitaudit.engine.contracts import Comparisons, Findings, fingerprint_id
from splitaudit.engine.stages import (
    MAX_PART_ITEMS,
    Contents,
    Settings,
    Stage,
    StageLog,
    run_single_pass,
    run_stage,
)
from splitaudit.images import match_rows
from splitaudit.images.fingerprint import extract, status
from splitaudit.images.fingerprint.colours import ColourLayout
from splitaudit.images.fingerprint.features import LocalFeatures
from splitaudit.images.fingerprint.gradients import Gradient
from splitaudit.images.fingerprint.hash import ImageHash
from splitaudit.images.search import candidates, locate
from splitaudit.images.verify.pairs import Facts, build_pairs
from splitaudit.images.verify.photographs.compare import Photographs
from splitaudit.images.verify.thumbnails.compare import Thumbnails

DEFAULT_FINGERPRINTS = (ImageHash(), Gradient(), LocalFeatures(), ColourLayout())
READ_S = 2e7  # bytes a second
PIXELS = Stage(
    "pixels", f"pixels/{extract.PICTURES_KIND}", extract.identify, extract.lost_identify, 1e7
)


class Pictures:
    """Pictures, see `splitaudit.engine.contracts.Medium`."""

    part: ClassVar[str] = match_rows.PART
    things: ClassVar[str] = "pictures"
    searching: ClassVar[str] = "search pictures"

    def stages(self, settings: Settings) -> Sequence[Stage]:
        """Return the stages for which each picture is read: its facts, and each fingerprint."""
        kinds = {"read pictures": extract.PICTURES_KIND} | {
            f"fingerprint {of.name}": extract.kind_of(of) for of in self._chosen(settings)
        }
        return [
            Stage(name, kind, extract.fingerprint, extract.lost_fingerprint, READ_S)
            for name, kind in kinds.items()
        ]

    def extract(self, contents: Contents, settings: Settings, log: StageLog) -> None:
        """Decode each picture once for all that is missing; then once more, if it may be equal."""
        of = self._chosen(settings)
        read, lost = (partial(fn, of=of) for fn in (extract.fingerprint, extract.lost_fingerprint))
        kinds = [stage.kind for stage in self.stages(settings)]
        stage = Stage("fingerprint pictures", extract.PICTURES_KIND, read, lost, READ_S)
        run_single_pass(stage, kinds, contents, settings, log)
        run_stage(PIXELS, self._possible_duplicates(contents, settings), settings, log)

    def known(self, contents: Contents, settings: Settings) -> pd.DataFrame:
        """What is known of each content, without its fingerprints; index: content id."""
        pictures = self._read(contents, settings)
        keys = pa.array(contents, pa.string())
        later = settings.facts(PIXELS.kind).read(keys, extract.PIXELS)
        read_whole = later.to_pandas().set_index("key")["pixels_id"]
        pixels = pictures["pixels_id"].fillna(read_whole.reindex(pictures.index))
        # Contents with equal pixels are one picture; one not known whole stands for itself.
        pictures["same_id"] = pixels.fillna(pictures.index.to_series())
        return pictures

    def search_id(self, settings: Settings) -> str:
        """Return what candidates depend on beside the pictures."""
        return "-".join([candidates.NAME, *map(fingerprint_id, self._chosen(settings))])

    def search(self, keys: pa.Array, held: Held, settings: Settings) -> pa.Table:
        """Return pairs of pictures to compare, see `candidates.search`."""
        return candidates.search(settings, keys, held, self._chosen(settings))

    def locate(self, keys: pa.Array, pairs: pd.DataFrame, settings: Settings) -> pa.Table:
        """Return how pairs that were not searched may be compared, see `locate.locate`."""
        return locate.locate(settings, keys, pairs, self._chosen(settings))

    def comparisons(
        self, keys: pa.Array, found: pa.Table, contents: Contents, settings: Settings
    ) -> Sequence[Comparisons]:
        """Return the pairs; where either picture is small, both are compared small."""
        of = next((x for x in self._chosen(settings) if isinstance(x, LocalFeatures)), None)
        features = extract.kind_of(of) if of else None
        pairs = build_pairs(keys, found, Facts(settings, features), contents)
        small, large = Thumbnails(), Photographs()
        beside = fingerprint_id(of) if of else "no features"
        return (
            Comparisons(
                _stage("verify small pictures", small, extract.PICTURES_KIND, 2e7, 8_192),
                small,
                pairs.small,
            ),
            Comparisons(_stage("verify pictures", large, beside, 1e7), large, pairs.large),
        )

    def matches(
        self, items: pa.Table, media: pa.Table, found: Findings, settings: Settings
    ) -> pa.Table:
        """Return the matches between items."""
        members = matches.members(items, media, self.part)
        facts = found.facts[["same_id", "status"]]
        members = members.merge(facts, left_on="content_id", right_index=True)
        names = "+".join(map(fingerprint_id, self._chosen(settings)))
        return match_rows.expand(members, found.proofs, matches.labels(items), names)

    def _chosen(self, settings: Settings) -> tuple[Any, ...]:
        return settings.chosen(self.part, DEFAULT_FINGERPRINTS)

    def _read(self, contents: Contents, settings: Settings) -> pd.DataFrame:
        """The facts of pictures, with a status to which every fingerprint had its say."""
        keys = pa.array(contents, pa.string())
        names = ("key", "pixels_id", "width", "height", "status", "error")
        columns = pa.schema([extract.PICTURES.field(name) for name in names])
        pictures = (
            settings.facts(extract.PICTURES_KIND).read(keys, columns).to_pandas().set_index("key")
        )
        return status.assign_status(pictures, self._chosen(settings), settings)

    def _possible_duplicates(self, contents: Contents, settings: Settings) -> Contents:
        """The pictures that must be read at their size to tell whether they equal another."""
        pictures = self._read(contents, settings)
        read = pictures["status"].isin([schema.OK, schema.TRUNCATED])
        keys = pa.array(sorted(pictures.index[read]), pa.string())
        by = next((of for of in self._chosen(settings) if of == ImageHash()), None)
        perhaps = candidates.find_possible_duplicates(settings, keys, by).to_pandas()
        possible = pictures.loc[keys.to_pandas()[perhaps], "pixels_id"]
        return {name: contents[name] for name in possible.index[possible.isna()]}


def _stage(
    name: str, verifier: Any, beside: str, speed: float, most: int = MAX_PART_ITEMS
) -> Stage:
    kind = f"proofs/{verifier.name}-{beside.replace('/', '-')}"
    return Stage(name, kind, verifier.verify, verifier.lost, speed, most)
