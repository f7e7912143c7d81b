"""Loops that do not vectorise, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.extending import intrinsic


def compiled(function: Callable[..., Any]) -> Any:
    """Return a function compiled at its first call, which lets other threads run.

    What is compiled is kept beside the package, or where that cannot be written below the user's
    home, for the next process; where neither can be, each process compiles anew.
    """
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # "cannot cache function"
        return numba.njit(nogil=True)(function)


def _popcount(_context: Any, value: Any) -> Any:
    return numba.int64(value), lambda _, builder, __, arguments: builder.ctpop(arguments[0])


# How many bits of a 64-bit number are set, in one instruction; for compiled loops. It is signed,
# since numba makes floats of sums of both kinds.
popcount: Any = intrinsic(_popcount)
