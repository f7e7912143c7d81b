"""Which pairs of sounds to compare: the patches of all, read from the facts and searched."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from splitaudit.audio.fingerprint import patches
from splitaudit.audio.fingerprint.extract import SOUNDS
from splitaudit.audio.search import votes
from splitaudit.engine.store import Parts
from splitaudit.search import vectors as nearest
from splitaudit.search.turns import CUT, Held, in_turns, stands

NAME = "search-v3"  # another where pairs change: what was found is kept
WINDOW = 2_048  # patches (3 min) of a long sound that vote together
PLACES_PER_WINDOW = 16  # places of each window, in every split
# >= of evidence: compared in any case; or, of what the shorter sound can have,
STRONG_EVIDENCE_S = 0.5
STRONG_SHARE = 0.75  # >= this share
WEAK_PAIRS = 2  # further pairs of each sound that are compared, however little speaks for them; and
WEAK_PAIRS_SHORT = 4  # of one which cannot have much evidence, being shorter than
SHORT_S = 3.0
WEAK_PAIRS_WORD = 16  # across splits, of one that has the patches of any other take, being under
WORD_S = 1.0
NEIGHBOURS_WORD, PLACES_WORD = 128, 48  # of each patch of it, and places, that are looked at

MORE = 2.0  # much speaks for a place, and there may be more such places

Wide = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

PLACE = {"a": "int32", "b": "int32", "frame_a": "int32", "frame_b": "int32", "slope": "float64"}
COLUMNS = PLACE | {"evidence": "float64", "turn": "int8"}


@dataclass(frozen=True)
class PatchIndex:
    """The patches of all sounds, one sound after the other.

    Parameters
    ----------
    vectors, frames
        As in `patches.Patches`.
    sounds
        int32: whose they are.
    bounds
        Where each sound begins, and the end.
    """

    vectors: patches.Vectors
    frames: patches.Frames
    sounds: npt.NDArray[np.int32]
    bounds: npt.NDArray[np.int64]

    def patch_range(self, sound: int) -> slice:
        """Which patches a sound has."""
        return slice(int(self.bounds[sound]), int(self.bounds[sound + 1]))

    @cached_property
    def step_s(self) -> Wide:
        """Seconds from a patch of each sound to the next."""
        frames = (self.frames[self.patch_range(sound)] for sound in range(len(self.bounds) - 1))
        apart = [np.diff(own).min(initial=patches.STEP) for own in frames]
        return np.array(apart, np.float64) * patches.HOP / patches.RATE

    @cached_property
    def length_s(self) -> Wide:
        """Seconds that the patches of each sound stand for."""
        return self.step_s * np.diff(self.bounds)

    @cached_property
    def strong_s(self) -> Wide:
        """Seconds of evidence that are much for each sound."""
        return np.minimum(
            STRONG_EVIDENCE_S, STRONG_SHARE * (1 - votes.NEUTRAL_SIMILARITY) * self.length_s
        )

    @cached_property
    def most_weak(self) -> npt.NDArray[np.int_]:
        """How many pairs of each sound are compared for which little speaks; and across splits."""
        within = np.where(self.length_s < SHORT_S, WEAK_PAIRS_SHORT, WEAK_PAIRS)
        return np.stack([within, np.where(self.length_s < WORD_S, WEAK_PAIRS_WORD, within)])

    def patches(self, sound: int) -> tuple[patches.Vectors, patches.Frames, int]:
        """Return the patches of a sound as `votes.refine` takes them."""
        own = self.patch_range(sound)
        return self.vectors[own], self.frames[own], patches.SCALE


class Split(NamedTuple):
    """What stands in the same splits: which, how it is searched, whose each patch is, and when."""

    sounds: npt.NDArray[np.int64]
    find: nearest.Search
    patches: npt.NDArray[np.int64]
    owners: tuple[npt.NDArray[np.int32], patches.Frames]


def search(facts: Parts, keys: pa.Array, held: Held, processes: int) -> pa.Table:
    """Return pairs of sounds whose patches agree along a line.

    Parameters
    ----------
    facts
        Of the fingerprints.
    keys
        The sounds, sorted.
    held
        In which splits each stands.
    processes
        How many threads to use.

    Returns
    -------
    pa.Table
        Sorted by a, b. a < b: positions in `keys`; frame_a, frame_b: a moment in both; slope:
        frames of b in a frame of a; evidence: seconds of agreement; turn: when the pair is due, see
        `search.turns`.
    """
    prints = read_patches(facts, keys)
    splits = _splits(prints, held)
    with ThreadPoolExecutor(processes) as threads:
        rows = list(threads.map(partial(_candidate_places, prints, splits), range(len(keys))))
    names = [*PLACE, "evidence", "much"]
    found = pd.DataFrame(np.concatenate([np.zeros((0, len(names))), *rows]), columns=names)
    of = np.repeat(np.arange(len(rows)), [len(each) for each in rows])
    chosen = _select_candidates(found, prints.most_weak, held)
    left = _cut_pairs(found.assign(of=of), chosen, [split.sounds for split in splits])
    found = pd.concat([chosen, left]).astype(COLUMNS).sort_values(["a", "b"], kind="stable")
    return pa.Table.from_pandas(found, preserve_index=False)


def _splits(prints: PatchIndex, held: Held) -> list[Split]:
    """The sounds that stand in the same splits are searched apart: a crowd hides nothing there."""
    of_sound = stands(held)
    found = []
    for stand in range(of_sound.max(initial=-1) + 1):
        rows = np.flatnonzero(of_sound[prints.sounds] == stand)
        find = nearest.searcher(prints.vectors, patches.SCALE, among=prints.vectors[rows])
        owners = prints.sounds[rows], prints.frames[rows]
        found.append(Split(np.flatnonzero(of_sound == stand), find, rows, owners))
    return found


def read_patches(facts: Parts, keys: pa.Array) -> PatchIndex:
    """Return the patches of all sounds; a part at a time, to copy nothing."""
    lengths = np.zeros(len(keys), np.int64)
    for table in facts.parts_of(keys, _subschema("key", "frames")):
        at = pc.index_in(table["key"], value_set=keys).to_numpy()
        lengths[at] = pc.list_value_length(table["frames"]).to_numpy()
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    vectors = np.empty((bounds[-1], patches.DIRECTIONS), np.int8)
    frames = np.empty(bounds[-1], np.int32)
    for table in facts.parts_of(keys, _subschema("key", "frames", "vectors")):
        rows = pc.index_in(table["key"], value_set=keys).to_numpy()
        for out, name in ((frames, "frames"), (vectors, "vectors")):
            for row, values in zip(rows, _unpack_lists(table[name]), strict=True):
                own = out[bounds[row] : bounds[row + 1]]
                own[:] = values.reshape(own.shape)
    sounds = np.repeat(np.arange(len(keys), dtype=np.int32), lengths)
    return PatchIndex(vectors, frames, sounds, bounds)


def _subschema(*names: str) -> pa.Schema:
    return pa.schema([SOUNDS.field(name) for name in names])


def _unpack_lists(column: pa.ChunkedArray) -> list[npt.NDArray[Any]]:
    values = column.combine_chunks().flatten().to_numpy()
    lengths = pc.list_value_length(column).to_numpy()
    ends = np.cumsum(lengths)
    return [values[start:end] for start, end in zip(ends - lengths, ends, strict=True)]


def _candidate_places(prints: PatchIndex, splits: Sequence[Split], sound: int) -> Wide:
    """Rows (`PLACE`, evidence, whether that is much) of places where a sound may be another.

    Much is `MORE` where it is the last of so many places that others may have been left out.
    """
    own, sure = prints.patch_range(sound), prints.strong_s[sound] / prints.step_s[sound]
    rows = []
    for begin in range(own.start, own.stop, WINDOW):
        some = slice(begin, min(own.stop, begin + WINDOW))
        for split in splits:
            first, last = np.searchsorted(split.patches, [own.start, own.stop]).tolist()
            many, most = _how_many(prints.length_s[sound], first == last)
            near = split.find(some, slice(first, last), many)
            places = votes.vote(prints.frames[some], near, split.owners, most, sure)
            found = [refine_place(prints, (sound, at), (to, there)) for to, at, there in places]
            if len(found) >= most and found[-1][-1]:
                found[-1] = (*found[-1][:-1], MORE)
            rows += found
    return np.array(rows, np.float64).reshape(-1, len(PLACE) + 2)


def _how_many(length_s: float, elsewhere: bool) -> tuple[int, int]:
    """How many neighbours of each patch are found in a split, and how many places."""
    if length_s < WORD_S and elsewhere:
        return NEIGHBOURS_WORD, PLACES_WORD
    return nearest.NEIGHBOURS, PLACES_PER_WINDOW


def refine_place(
    prints: PatchIndex, one: tuple[int, int], other: tuple[int, int]
) -> tuple[float, ...]:
    """Return the line near a place, and what speaks for it in the shorter sound."""
    if prints.length_s[one[0]] > prints.length_s[other[0]]:
        one, other = other, one
    sound, beside = prints.patches(one[0]), prints.patches(other[0])
    evidence, there, slope = votes.refine(sound, beside, (one[1], other[1]))
    evidence_s = evidence * prints.step_s[one[0]]
    ours, theirs = one, (other[0], there)
    if ours[0] > theirs[0]:
        ours, theirs, slope = theirs, ours, 1 / slope
    places = ours[0], theirs[0], ours[1], theirs[1]
    return *places, slope, evidence_s, evidence_s >= prints.strong_s[one[0]]


def _select_candidates(found: pd.DataFrame, most: npt.NDArray[np.int_], held: Held) -> pd.DataFrame:
    """The places of the pairs for which much speaks, or more than for others, with their turns.

    `most` is how many pairs of each sound are kept, in its own and in every other split, for which
    little speaks.
    """
    found = select_places(found)
    strength = found[["a", "b", "evidence", "much"]].astype({"a": int, "b": int})
    pairs = strength.groupby(["a", "b"], as_index=False).max()
    pairs = pairs[(pairs["much"] > 0) | _is_top_ranked(pairs, most, held)]
    pairs = in_turns(pairs.assign(far=-pairs["evidence"]), held, all_of=True)
    return found.drop(columns="much").merge(pairs[["a", "b", "turn"]], on=["a", "b"])


def _cut_pairs(found: pd.DataFrame, chosen: pd.DataFrame, splits: Sequence[Rows]) -> pd.DataFrame:
    """A pair of a sound and one of another split for all there that it may be and was not seen."""
    full = found[found["much"] == MORE]
    ends = chosen[["a", "b"]].to_numpy(np.int64)
    rows = set()
    for of, a, b in full[["of", "a", "b"]].to_numpy(np.int64).tolist():
        theirs = next(split for split in splits if a + b - of in split)
        seen = ends[(ends == of).any(axis=1)]
        unseen = np.setdiff1d(theirs, seen)
        if of not in theirs and len(unseen):
            rows.add((min(of, unseen[0]), max(of, unseen[0])))
    pairs = pd.DataFrame(sorted(rows), columns=["a", "b"], dtype=np.int64)
    return pairs.assign(frame_a=0, frame_b=0, slope=1.0, evidence=0.0, turn=CUT)


def select_places(found: pd.DataFrame) -> pd.DataFrame:
    """Return the best places of each pair that lie apart, by falling evidence."""
    found = found.sort_values(["a", "b", "evidence"], ascending=[True, True, False])
    offset, pairs = found["frame_b"] - found["frame_a"], [found["a"], found["b"]]
    best = offset.groupby(pairs).transform("first")
    first = ~found.duplicated(["a", "b"])
    found = found[first | ((offset - best).abs() > 2 * votes.OFFSET_TOLERANCE)]
    return found[found.groupby(["a", "b"]).cumcount() < votes.MAX_PLACES]


def _is_top_ranked(
    pairs: pd.DataFrame, most: npt.NDArray[np.int_], held: Held
) -> npt.NDArray[np.bool_]:
    """Whether of either sound only so many weak pairs in a split of the other have more evidence.

    Those of another split hide nothing: a sound that is there many times is its own nearest.
    """
    weak = pairs["much"] == 0
    of = np.concatenate([pairs["a"][weak], pairs["b"][weak]])
    other = np.concatenate([pairs["b"][weak], pairs["a"][weak]])
    evidence, top = np.tile(pairs["evidence"][weak], 2), np.zeros(len(of), np.bool_)
    for split in held.T:
        there = split[other]
        ranks = pd.Series(evidence[there]).groupby(of[there]).rank("dense", ascending=False)
        across = (~split[of[there]]).astype(int)
        top[there] |= ranks.to_numpy() <= most[across, of[there]]
    found = np.zeros(len(pairs), np.bool_)
    found[weak] = top.reshape(2, -1).any(axis=0)
    return found
