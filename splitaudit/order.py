"""The order of evaluation: which of two splits is the evaluated side."""

from __future__ import annotations

import re
from collections.abc import Iterable

TEST = "test"
VAL = "val"
TRAIN = "train"
OTHER = "other"
EVALUATED = (TEST, VAL)

# `dev-clean` and `val2017` are validation; `development` (the training side in DCASE) is not.
_PATTERNS = {TEST: r"test", VAL: r"(val|valid|validation|dev)(?![^\W\d_])", TRAIN: r"train"}
_RANKS = {name: rank for rank, name in enumerate((TEST, VAL, TRAIN, OTHER))}


def role(split: str) -> str:
    """Return what a split is for, by its name: `test`, `val`, `train` or `other`.

    Upper and lower case are the same. Test and train are the names that begin so; validation the
    names that begin with the word val, valid, validation or dev.
    """
    matching = (name for name, pattern in _PATTERNS.items() if re.match(pattern, split.casefold()))
    return next(matching, OTHER)


def evaluation_order(splits: Iterable[str]) -> list[str]:
    """Return each split once: test before val before train before others.

    Splits of one role keep the order they are given in.
    """
    return sorted(dict.fromkeys(splits), key=lambda split: _RANKS[role(split)])
