"""Which pairs are compared when: few of a crowd, and across splits until nothing is open.

Contents that are joined by copies are a group. A content is open to a split where its group stands
in it, or where something there looks like it, and no copy of it was found there. The search says in
which turn its pairs are due (`splitaudit.search.turns`). In a crowd those that are joined already
are left out: so the work grows with the contents and not with their pairs. Then what is still open
is compared with the rest of what looks like it, and with the members of its group on the other
side, those first of which most copies were found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Turns up to this are of all pairs; up to the next, of what is open; pairs beyond are not compared,
# and each stands for all that was cut.
LAST_OF_ALL, LAST_OF_OPEN = 3, 4
CROWD = 8  # contents of one group, >: pairs of it that are joined already are no longer compared
LINKS = 4  # pairs of two groups that are more together, <=: that are compared in a turn
MEMBERS = 16  # of a group in another split, <=: that a content is compared with

Held = npt.NDArray[np.bool_]  # shape (contents, splits): in which splits each stands
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]
# Pairs (a, b, and what the search says of them, if it proposed them) -> which of them are joined.
Compare = Callable[[pd.DataFrame], Flags]


def close(found: pd.DataFrame, held: Held, compare: Compare) -> pd.DataFrame:
    """Compare pairs, turn by turn; return what is still open.

    Parameters
    ----------
    found
        What the search proposed: a < b, positions in `held`; turn.
    held
        In which splits each content stands.
    compare
        Is handed pairs, each once, and says which of them are copies.

    Returns
    -------
    pd.DataFrame
        Columns content and split, as positions in `held`, sorted: where a content may have a copy
        that it was not compared with.
    """
    if not len(held):
        return pd.DataFrame({"content": [], "split": []}, dtype=np.int64)
    pairs = found.drop_duplicates(["a", "b"])
    known = _Known(held)
    for _, due in pairs[pairs["turn"] <= LAST_OF_ALL].groupby("turn"):
        known.learn(due[known.is_worthwhile(due)], compare)
    for _, due in pairs[pairs["turn"].between(1, LAST_OF_OPEN)].groupby("turn"):
        known.learn(due[known.is_open(due)], compare)
    members = known.members()
    for place in sorted(set(members["place"]) - {MEMBERS}):
        known.learn(known.beside(members, place), compare)
    cut = pairs[pairs["turn"] > LAST_OF_OPEN]
    return known.still_open(cut, members)


class _Known:
    """What is known of pairs so far.

    Parameters
    ----------
    held
        In which splits each content stands.
    """

    def __init__(self, held: Held) -> None:
        self.held = held
        self._compared = np.zeros(0, np.int64)
        self._joined = np.zeros((0, 2), np.int64)
        self._update()

    def _update(self) -> None:
        ends = self._joined
        both = self._links(ends)
        alike = (self.held[ends[:, 0]] == self.held[ends[:, 1]]).all(axis=1)
        self.group = connected_components(both, directed=False)[1]
        self.within = connected_components(self._links(ends[alike]), directed=False)[1]
        self.degree = np.asarray(both.sum(axis=1)).ravel()
        # What stands in a split has a copy there as well: itself.
        self.answered = self.held | (both @ self.held.astype(np.int32) > 0)

    def _links(self, ends: Rows) -> Any:
        n = len(self.held)
        ones = np.ones(len(ends), np.int32)
        links = coo_array((ones, (ends[:, 0], ends[:, 1])), shape=(n, n))
        return (links + links.T).tocsr()

    def learn(self, due: pd.DataFrame, compare: Compare) -> None:
        """Compare the pairs that were not compared yet."""
        due = due[~self._is_compared(due)]
        if len(due):
            joined = due.loc[compare(due), ["a", "b"]].to_numpy(np.int64)
            self._compared = np.union1d(self._compared, self._keys(due))
            self._joined = np.concatenate([self._joined, joined])
            self._update()

    def _is_compared(self, pairs: pd.DataFrame) -> Flags:
        return np.isin(self._keys(pairs), self._compared)

    def _keys(self, pairs: pd.DataFrame) -> Rows:
        keys: Rows = pairs["a"].to_numpy(np.int64) * len(self.held) + pairs["b"].to_numpy(np.int64)
        return keys

    def is_worthwhile(self, pairs: pd.DataFrame) -> Flags:
        """Which pairs may tell something: not those in a crowd, and few of two groups that are.

        Within a split only what is joined there counts: its groups are told, too.
        """
        a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
        across = (self.held[a] != self.held[b]).any(axis=1)
        of = np.where(across, self.group[[a, b]], self.within[[a, b]])
        sizes = np.where(across, self._sizes(self.group)[[a, b]], self._sizes(self.within)[[a, b]])
        joined = of[0] == of[1]
        ends = pd.DataFrame({"across": across, "one": of.min(axis=0), "other": of.max(axis=0)})
        enough = ends.groupby(["across", "one", "other"]).cumcount().to_numpy() >= LINKS
        crowd = np.where(joined, sizes[0], sizes.sum(axis=0)) > CROWD
        return np.asarray(~(crowd & (joined | enough)))

    @staticmethod
    def _sizes(group: Rows) -> Rows:
        """How many contents are in the group of each."""
        return np.bincount(group)[group]

    def is_open(self, pairs: pd.DataFrame) -> Flags:
        """Which pairs have a side that is open to a split of the other."""
        a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
        mine, its = ~self.answered[a] & self.held[b], ~self.answered[b] & self.held[a]
        return np.asarray((mine | its).any(axis=1))

    def members(self) -> pd.DataFrame:
        """The first `MEMBERS` and one of each group in each split, by how many copies they have.

        Columns group, split, place, member.
        """
        at, split = np.nonzero(self.held)
        many = self._sizes(self.group)[at]
        rows = pd.DataFrame({"group": self.group[at], "split": split, "member": at})
        rows = rows.assign(degree=-self.degree[at])[many > 1]
        rows = rows.sort_values(["group", "split", "degree", "member"])
        place = rows.groupby(["group", "split"]).cumcount()
        return rows.assign(place=place)[place <= MEMBERS].drop(columns="degree")

    def beside(self, members: pd.DataFrame, place: int) -> pd.DataFrame:
        """What is open, and the member at a place of its group in that split, as pairs."""
        at, split = np.nonzero(~self.answered)
        lacking = pd.DataFrame({"content": at, "split": split, "group": self.group[at]})
        its = lacking.merge(members[members["place"] == place], on=["group", "split"])
        both = np.sort(its[["content", "member"]].to_numpy(np.int64), axis=1)
        return pd.DataFrame(both, columns=["a", "b"]).drop_duplicates()

    def still_open(self, cut: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
        """Where a content is open, and was not compared with all that may be its copy."""
        further = self.beside(members, MEMBERS)
        pairs = pd.concat([cut[["a", "b"]], further])
        pairs = pairs[~self._is_compared(pairs)]
        ends = [self._lacking(pairs[one], pairs[other]) for one, other in ("ab", "ba")]
        columns: Any = np.unique(np.concatenate(ends), axis=0)
        return pd.DataFrame(columns, columns=["content", "split"])

    def _lacking(self, of: pd.Series, other: pd.Series) -> Rows:
        row, split = np.nonzero(~self.answered[of] & self.held[other])
        return np.stack([of.to_numpy(np.int64)[row], split], axis=1)
