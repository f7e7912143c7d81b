"""What an evaluator is given, and the call of it: its inputs are copies, its answer is checked."""

from __future__ import annotations

import inspect
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from splitaudit.errors import EvaluatorError, TransposedError
from splitaudit.evaluation.relevance import Relevance, Rows

Function = Callable[..., Any]
Matrix = npt.NDArray[np.float64]

SEED = 1_618_033_988  # + that of the tests: data are made with small ones, and noise must be other
OPTIONAL_ARGUMENTS = ("query_ids", "gallery_ids", "relevance", "seed", "rng")


@dataclass(frozen=True)
class Inputs:
    """Pairs of a query and the item that is right for it, row by row.

    Parameters
    ----------
    queries, gallery
        Arrays with one row each, n of them.
    query_ids, gallery_ids
        The ids of the rows.
    right
        Of each query, the id of the item that is right for it.
    """

    queries: Any
    gallery: Any
    query_ids: npt.NDArray[Any]
    gallery_ids: npt.NDArray[Any]
    right: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.query_ids)

    def with_queries(self, rows: Rows) -> Inputs:
        """Return other queries in place of these, which keep their ids."""
        return replace(self, queries=self.queries[rows])

    def with_gallery(self, rows: Rows) -> Inputs:
        """Return other items in place of these, which keep their ids."""
        return replace(self, gallery=self.gallery[rows])

    def take_rows(self, queries: Rows, gallery: Rows) -> Inputs:
        """Return rows of both sides, with their ids."""
        return Inputs(
            self.queries[queries],
            self.gallery[gallery],
            self.query_ids[queries],
            self.gallery_ids[gallery],
            self.right[queries],
        )


@dataclass
class Evaluator:
    """A function under audit, and what was noticed while it was called.

    Parameters
    ----------
    function
        `function(queries, gallery)`, and those of `OPTIONAL_ARGUMENTS` that its signature names.
    begun
        Called with the name of a test before each call.
    """

    function: Function
    begun: Callable[[str], Any]
    calls: int = 0
    wrote: bool = False
    not_finite: int = 0
    named: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.named = _accepted_arguments(self.function)

    @property
    def sees_gallery_ids(self) -> bool:
        """Whether it may look items up by their ids, and not look at those that it is given."""
        return "gallery_ids" in self.named

    def scores(self, test: str, inputs: Inputs, seed: int = 0) -> Matrix:
        """Return the scores, shape (queries, gallery); NaN stays.

        Raises
        ------
        EvaluatorError
            Naming the test, where the evaluator raises or returns anything else.
        """
        shape = len(inputs.query_ids), len(inputs.gallery_ids)
        found = _as_array(self.answer(test, inputs, seed), test)
        if found.shape == shape[::-1] != shape:
            raise TransposedError(test, f"returned shape {found.shape}: a row an item, not a query")
        if found.shape != shape:
            raise EvaluatorError(test, f"returned shape {found.shape}, expected {shape}")
        self.not_finite = max(self.not_finite, int((~np.isfinite(found)).sum()))
        return found

    def answer(self, test: str, inputs: Inputs, seed: int = 0) -> Any:
        """Return what the function returns for copies of the inputs."""
        given = [_copy_array(inputs.queries), _copy_array(inputs.gallery)]
        others = self._optional_arguments(inputs, SEED + seed)
        self.calls += 1
        self.begun(test)
        try:
            with _seed_generators(SEED + seed):
                found = self.function(*given, **others)
        except Exception as error:
            said = f"raised {type(error).__name__}: {error}"
            raise EvaluatorError(test, said) from error
        self.wrote |= not all(map(_is_same, given, (inputs.queries, inputs.gallery)))
        return found

    def _optional_arguments(self, inputs: Inputs, seed: int) -> dict[str, Any]:
        known: dict[str, Callable[[], Any]] = {
            "query_ids": inputs.query_ids.copy,
            "gallery_ids": inputs.gallery_ids.copy,
            "relevance": lambda: _relevant_rows(inputs),
            "seed": lambda: seed,
            "rng": lambda: np.random.default_rng(seed),
        }
        return {name: known[name]() for name in OPTIONAL_ARGUMENTS if name in self.named}


def _relevant_rows(inputs: Inputs) -> Rows:
    """Where the right item of each query stands, -1 where it is not in the gallery."""
    at = {name: row for row, name in enumerate(inputs.gallery_ids.tolist())}
    return np.array([at.get(name, -1) for name in inputs.right.tolist()])


def pair_inputs(queries: Any, gallery: Any, right: Relevance, ids: tuple[Any, Any]) -> Inputs:
    """Return one query for each item that has any, in the order of the items."""
    item, first = np.unique(right.turned().query, return_index=True)
    query = right.turned().item[first]
    names = [np.asarray(side) for side in ids]
    own = names[1][item]
    return Inputs(queries[query], gallery[item], names[0][query], own, own)


def _accepted_arguments(function: Function) -> frozenset[str]:
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return frozenset()
    return frozenset(known) & frozenset(OPTIONAL_ARGUMENTS)


@contextmanager
def _seed_generators(seed: int) -> Iterator[None]:
    """Seed what evaluators draw from, and put back what was there."""
    state, legacy = random.getstate(), np.random.get_state()
    torch = sys.modules.get("torch")
    kept = torch.get_rng_state() if torch else None
    try:
        random.seed(seed)
        np.random.seed(seed)
        if torch:
            torch.manual_seed(seed)
        yield
    finally:
        random.setstate(state)
        np.random.set_state(legacy)
        if torch:
            torch.set_rng_state(kept)


def _as_array(found: Any, test: str) -> Matrix:
    try:
        return to_numpy(found).astype(np.float64)
    except (TypeError, ValueError):
        raise EvaluatorError(test, f"returned a {type(found).__name__}, not scores") from None


def _copy_array(side: Any) -> Any:
    """A copy of the same kind: an array, or a tensor of torch."""
    return side.clone() if hasattr(side, "clone") else np.array(side)


def _is_same(one: Any, other: Any) -> bool:
    held = to_numpy(one)
    return bool(np.array_equal(held, to_numpy(other), equal_nan=held.dtype.kind == "f"))


def to_numpy(values: Any) -> npt.NDArray[Any]:
    """Return an array; of a tensor of torch, whose type NumPy may not know, in double precision."""
    tensor = hasattr(values, "detach")
    return np.asarray(values.detach().cpu().double().numpy() if tensor else values)


def is_floating(side: Any) -> bool:
    """Return whether embeddings can be drawn in place of these."""
    tensor = hasattr(side, "is_floating_point")
    return bool(side.is_floating_point() if tensor else side.dtype.kind == "f")


def random_like(side: Any, rng: np.random.Generator) -> Any:
    """Return random embeddings of the same shape, mean and spread."""
    spread = float(side.std()) or 1.0
    return cast_like(rng.normal(float(side.mean()), spread, tuple(side.shape)), side)


def cast_like(values: npt.NDArray[Any], side: Any) -> Any:
    """Return values as an array of the same type, or a tensor of torch where that is one."""
    return side.new_tensor(values) if hasattr(side, "new_tensor") else values.astype(side.dtype)
