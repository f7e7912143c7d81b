"""What verifiers say of pairs: facts, or why nothing can be said. Nothing of a user ends a scan."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from splitaudit import schema
from splitaudit.engine.jobs import File, error_reason, write, write_lost, write_undecided
from splitaudit.errors import MediaError

Row = dict[str, Any]
Place = tuple[pa.Schema, Path]  # of facts: their schema, and the folder where they lie

CHANGED = "one of the files changed during the scan: run it again"


class Pair(Protocol):
    """Two contents to be compared, under the key of the fact."""

    @property
    def key(self) -> str:
        """Of the fact."""

    @property
    def files(self) -> Sequence[File]:
        """What is read to compare them."""


def write_proofs(
    pairs: Sequence[Any], prove: Callable[[Any], Row], of: pa.Schema, folder: Path
) -> int:
    """Write what `prove` says of each pair, or why it says nothing; return of how many.

    Parameters
    ----------
    pairs
        See `Pair`.
    prove
        Returns a fact, less its key. What it raises, a number that is none and a file that changed
        make the pair undecided, and no other.
    of
        Schema of the facts.
    folder
        Where they lie.
    """
    said = [{"key": pair.key, **_decide(pair, prove)} for pair in pairs]
    decided = [row for row in said if "status" not in row]
    undecided = [row for row in said if "status" in row]
    return write_decided(decided, undecided, [pair.key for pair in pairs], (of, folder))


def write_decided(
    facts: pa.Table | list[Row], undecided: list[Row], keys: Sequence[str], place: Place
) -> int:
    """Write facts, and of the other keys why nothing could be decided; return of how many."""
    of, folder = place
    write_undecided(undecided, keys, folder)
    return write(facts, of, keys, folder)


def write_lost_pairs(pairs: Sequence[Any], folder: Path) -> int:
    """Write that a process died of these pairs."""
    return write_lost([pair.key for pair in pairs], folder)


def refuse_changed(file: File) -> None:
    """See to it that what was just read of a file is the content that was searched.

    Raises
    ------
    MediaError
        Where the file holds other bytes by now.
    """
    if file.changed:
        raise MediaError(schema.UNDECIDED, CHANGED)


def explain(pair: Any, error: Exception) -> Row:
    """Return the status and the reason of a pair that raised; where a file changed, that is why."""
    if any(file.changed for file in pair.files):
        return {"status": schema.UNDECIDED, "error": CHANGED}
    return failure(error)


def failure(error: Exception) -> Row:
    """Return the status and the reason of a pair at which a verifier raised."""
    reason = error.reason if isinstance(error, MediaError) else error_reason(error)
    return {"status": schema.ERROR, "error": f"they could not be compared: {reason}"}


def are_finite(proofs: pa.Table) -> npt.NDArray[np.bool_]:
    """Return at which proofs all numbers are finite; where nothing is found only the score counts.

    A score that is no number is no refusal: it decides nothing.
    """
    found = np.asarray(proofs["found"])
    sound = np.isfinite(np.asarray(proofs["score"], np.float64))
    for name in proofs.column_names:
        column = proofs[name].combine_chunks()
        if pa.types.is_floating(column.type):
            sound &= np.isfinite(np.asarray(column, np.float64)) | ~found
        elif pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
            numbers = np.isfinite(np.asarray(column.flatten(), np.float64))
            sound &= numbers.reshape(len(proofs), -1).all(axis=1) | ~found
    return sound


def _decide(pair: Any, prove: Callable[[Any], Row]) -> Row:
    """What is to be said of a pair: its fact, or a status and an error."""
    try:
        said = prove(pair)
        odd = [name for name, value in said.items() if not all(map(math.isfinite, _numbers(value)))]
        if odd:
            raise ValueError(f"{odd[0]} is no number")
    except Exception as error:  # of one pair: that is a row, not the end
        return explain(pair, error)
    return said


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, float))
