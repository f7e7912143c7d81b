"""What splits are called: their names in a dataset, and ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from splitaudit.dataset.dataset import split_name
from splitaudit.dataset.manifest import did_you_mean, nearest
from splitaudit.order import OTHER, role

_MAX_SHOWN = 10


def rename_splits(
    found: Iterable[str | None], names: Mapping[str, str]
) -> tuple[list[str | None], list[str], list[str]]:
    """Give splits other names.

    Parameters
    ----------
    found
        The split of each item or row, as `split_name` gives it; None where there is none.
    names
        Their name -> ours; several of theirs may become one.

    Returns
    -------
    list, list, list
        The new names, what is wrong, and what is to be said: splits that are not named.
    """
    found = list(found)
    counts = Counter(name for name in found if name is not None)
    if not names or not counts:  # that there are no splits at all is told elsewhere
        return found, [], []
    ours = {split_name(old): split_name(new) for old, new in names.items()}
    there = ", ".join(map(repr, shorten(sorted(counts))))
    problems = [
        f"no split is called {name!r}{did_you_mean(nearest(name, counts))} (there are {there})"
        for name in ours
        if name not in counts
    ]
    left = [f"{name!r} ({count:,})" for name, count in sorted(counts.items()) if name not in ours]
    notes = [f"splits that were given no other name: {', '.join(shorten(left))}"] if left else []
    return [name and ours.get(name, name) for name in found], problems, notes


def order_notes(splits: Iterable[str]) -> list[str]:
    """Say that no split is evaluated before another, where none of several has a known name."""
    names = sorted(set(splits))
    if len(names) < 2 or any(role(name) != OTHER for name in names):
        return []
    return [
        f"no split is named train, val or test ({', '.join(shorten(names))}), so none is evaluated "
        f"against another; say which is which, as --splits {names[0]}=train,{names[1]}=test"
    ]


def shorten(names: Sequence[str]) -> list[str]:
    """Return the first names, and how many more there are."""
    more = [f"and {len(names) - _MAX_SHOWN:,} more"] if len(names) > _MAX_SHOWN else []
    return [*names[:_MAX_SHOWN], *more]
