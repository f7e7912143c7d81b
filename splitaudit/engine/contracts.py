"""The contracts of a scan: what a fingerprint, a verifier and a medium offer.

Each is a Protocol: whatever has these names will do, nothing need be inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pandas as pd
import pyarrow as pa

from splitaudit.engine.closing import Held
from splitaudit.engine.stages import Contents, Settings, Stage, StageLog
from splitaudit.engine.store import digest


class Fingerprint(Protocol):
    """An algorithm that turns media into codes: a frozen dataclass.

    Its fields are exactly the parameters that change its codes; a device, a batch size or a number
    of processes is none of them.

    Attributes
    ----------
    name
        As users choose it.
    version
        Another one where the same fields give other codes than before.
    modality
        The part of an item that it is for, such as `image`.
    metric
        How codes are compared: `hamming` (bits), `cosine` (vectors), `votes` (sets of features).
    """

    name: ClassVar[str]
    version: ClassVar[int]
    modality: ClassVar[str]
    metric: ClassVar[str]

    def load(self, device: str = "cpu") -> Callable[[Any], Any]:
        """Return what turns media into codes; what is slow to set up is set up here."""


def fingerprint_id(fingerprint: Fingerprint) -> str:
    """Return the id of a fingerprint, `name-vN-digest`; equal ids mean equal codes."""
    fields = digest(asdict(fingerprint))[:8]  # type: ignore[call-overload]
    return f"{fingerprint.name}-v{fingerprint.version}-{fields}"


class Verifier(Protocol):
    """What decides of pairs whether they are copies.

    Attributes
    ----------
    name
        With its version; another one where it may decide otherwise.
    proofs
        Schema of its facts: `key` (of the pair), `found` (whether anything is to be said),
        `accepted`, `score` and what the proof consists of.
    """

    name: ClassVar[str]
    proofs: ClassVar[pa.Schema]

    def verify(self, pairs: Sequence[Any], folder: Path) -> int:
        """Write a part with the facts of `pairs` to `folder`; return of how many.

        A pair of which it can say nothing has no fact, but a reason: see `engine.proving`.
        """

    def lost(self, pairs: Sequence[Any], folder: Path) -> int:
        """Note that a process died of these pairs; return of how many."""


@dataclass(frozen=True)
class Findings:
    """What a scan found out about the media of one kind.

    Parameters
    ----------
    facts
        Of each content, index: content id. `same_id` is equal where contents are, once decoded.
    proofs
        A row a pair of `same_id` at which something was found, `a` and `b`.
    undecided
        Columns `same_id` and split: where one may have a copy with which it was not compared.
    failed
        A row a pair of `same_id` that could not be compared, `a` and `b`: `status` and `error`.
    """

    facts: pd.DataFrame
    proofs: pd.DataFrame
    undecided: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["same_id", "split"], dtype=object)
    )
    failed: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["a", "b", "status", "error"], dtype=object)
    )


@dataclass(frozen=True)
class Comparisons:
    """Pairs of contents that a verifier is to compare.

    Parameters
    ----------
    stage, verifier
        Which, and how it is run.
    pairs
        By the key of the fact, which begins with both content ids and a blank after each.
    """

    stage: Stage
    verifier: Verifier
    pairs: Mapping[str, Any]


class Medium(Protocol):
    """A kind of media: how it is read, searched and verified.

    Attributes
    ----------
    part
        Of the items, such as `audio`.
    things
        For people, such as `sounds`.
    searching
        Name of the search, for people.
    """

    part: ClassVar[str]
    things: ClassVar[str]
    searching: ClassVar[str]

    def stages(self, settings: Settings) -> Sequence[Stage]:
        """Return the stages for which each content is read, one a kind of facts."""

    def extract(self, contents: Contents, settings: Settings, log: StageLog) -> None:
        """Read what is new and write its facts."""

    def known(self, contents: Contents, settings: Settings) -> pd.DataFrame:
        """Return what is known of each content, as `Found.facts`, with its status and error."""

    def search_id(self, settings: Settings) -> str:
        """Return what candidates depend on beside the contents and their splits."""

    def search(self, keys: pa.Array, held: Held, settings: Settings) -> pa.Table:
        """Return pairs of contents to compare.

        `a` < `b` are positions in `keys`; `turn` says when they are due, see `engine.closing`.
        """

    def locate(self, keys: pa.Array, pairs: pd.DataFrame, settings: Settings) -> pa.Table:
        """Return how pairs (a, b) that no search proposed may be compared.

        Rows as of `search`, without `turn`; a pair without a row has nothing in common.
        """

    def comparisons(
        self, keys: pa.Array, found: pa.Table, contents: Contents, settings: Settings
    ) -> Sequence[Comparisons]:
        """Return the pairs that each verifier is to compare."""

    def matches(self, items: pa.Table, media: pa.Table, found: Findings, settings: Settings) -> Any:
        """Return the matches between items, a table as `schema.MATCHES`."""
