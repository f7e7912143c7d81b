"""Which pairs of pictures are looked at: crowds are no flood, and a copy within one is not lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from splitaudit.engine.jobs import File, write
from splitaudit.engine.stages import Settings
from splitaudit.images.decode.thumbnail import SIDE
from splitaudit.images.fingerprint.extract import CODES, PICTURES, PICTURES_KIND, kind_of
from splitaudit.images.fingerprint.feature_sets import FEATURE
from splitaudit.images.fingerprint.hash import ImageHash
from splitaudit.images.medium import DEFAULT_FINGERPRINTS
from splitaudit.images.search import candidates
from splitaudit.images.search.candidates import CROWD, Views
from splitaudit.images.verify.pairs import Facts, build_pairs
from splitaudit.search.turns import CUT

VARIANTS, RADIUS = ImageHash.variants, int(ImageHash().radius)


def by_codes(views: Views) -> pd.DataFrame:
    return candidates.search_codes(views, one_split(len(views.owner)), RADIUS)


def one_split(n: int) -> np.ndarray:
    return np.ones((n, 1), bool)


def search(settings: Settings, keys: pa.Array) -> pa.Table:
    return candidates.search(settings, keys, one_split(len(keys)), DEFAULT_FINGERPRINTS)


def perhaps_equal(settings: Settings, keys: pa.Array) -> pa.Array:
    return candidates.find_possible_duplicates(settings, keys, ImageHash())


def drawn(rng: np.random.Generator, n: int) -> np.ndarray:
    """Codes of n pictures of which each orientation looks different."""
    return rng.integers(0, 2**64, (n, VARIANTS), dtype=np.uint64)


def views(codes: np.ndarray, inner_of: list[int] | None = None) -> Views:
    """Codes of pictures; the last ones are of what lies within the borders of some."""
    rest = inner_of or []
    owner = np.append(np.arange(len(codes) - len(rest)), rest).astype(np.int64)
    order, inner = np.argsort(owner, kind="stable"), np.arange(len(codes)) >= len(codes) - len(rest)
    return Views(codes[order][..., None], np.ones(len(codes), bool), owner[order], inner[order])


def rows(found: pd.DataFrame) -> list[tuple[int, ...]]:
    return [tuple(row) for row in found[["a", "b", "variant", "views"]].to_numpy().tolist()]


def flipped(code: np.uint64, *bits: int) -> np.uint64:
    return code ^ np.bitwise_or.reduce([np.uint64(1) << np.uint64(bit) for bit in bits])


def test_what_lies_within_a_border_is_searched_as_a_picture_and_named():
    codes = drawn(np.random.default_rng(0), 8)
    codes[6, 5], codes[7, 3] = codes[2, 0], codes[1, 0]  # within 4 lies 2, within 5 lies 1, turned
    found = by_codes(views(codes, [4, 5]))
    assert rows(found) == [(1, 5, 3, 2), (2, 4, 5, 2)]


def test_both_may_be_framed_and_a_picture_is_no_copy_of_itself():
    codes = drawn(np.random.default_rng(1), 6)
    codes[4, 0] = codes[5, 2] = np.uint64(77)
    codes[3] = codes[2]  # the whole pictures look alike, too, but less
    codes[3, 0] = flipped(codes[2, 0], 1, 2, 3)
    inner = views(codes, [2, 3])
    assert rows(by_codes(inner)) == [(2, 3, 2, 3)]
    alone = views(np.concatenate([codes[:1], codes[:1]]), [0])
    assert rows(by_codes(alone)) == []


def test_of_equal_codes_each_is_compared_with_the_first():
    codes = np.repeat(drawn(np.random.default_rng(2), 1), CROWD + 60, axis=0)
    found = by_codes(views(codes))
    assert len(found) < 40 * len(codes)
    assert set(range(1, len(codes))) <= set(found.loc[found["a"] == 0, "b"])


@pytest.mark.parametrize(("bits", "found"), [(8, [(0, 1, 3, 0)]), (9, [])])
def test_codes_are_near_that_differ_in_eight_bits(bits, found):
    codes = drawn(np.random.default_rng(3), 4)
    codes[1, 3] = flipped(codes[0, 0], *range(bits))
    assert rows(by_codes(views(codes))) == found


def test_what_has_no_code_to_tell_it_is_no_pair():
    codes = np.repeat(drawn(np.random.default_rng(4), 1), 3, axis=0)
    told = np.array([True, False, True])
    found = by_codes(Views(codes[..., None], told, np.arange(3), np.zeros(3, bool)))
    assert rows(found) == [(0, 2, 0, 0)]


@pytest.mark.parametrize("n", [32, 33, 35])
def test_of_a_crowd_32_are_compared_with_each_other_and_all_with_the_first(n):
    codes = np.repeat(drawn(np.random.default_rng(2), 1), n, axis=0)
    found = {(a, b) for a, b, *_ in rows(by_codes(views(codes)))}
    assert {(0, b) for b in range(1, n)} <= found or n == 32
    assert {end for pair in found - {(0, b) for b in range(n)} for end in pair} == set(range(1, 32))


def test_of_a_crowd_each_is_compared_with_the_first_of_every_split():
    n, train = 200, [150, 170, 190]
    codes = np.repeat(drawn(np.random.default_rng(2), 1), n, axis=0)
    held = np.isin(np.arange(n), train)[:, None] == [True, False]
    found = candidates.search_codes(views(codes), held, RADIUS)
    kept = found[found["turn"] < CUT]
    pairs = set(zip(kept["a"].tolist(), kept["b"].tolist(), strict=True))
    assert {(k, 150) if k < 150 else (150, k) for k in range(n) if k not in train} <= pairs
    assert len(kept) < 20 * n
    # What each is not compared with is told.
    cut = found[found["turn"] == CUT]
    assert set(range(40, 150)) <= {*cut["a"], *cut["b"]}


def test_the_nearest_way_to_see_a_picture_is_told():
    codes = drawn(np.random.default_rng(5), 2)
    codes[1, 6], codes[1, 2] = flipped(codes[0, 0], 1, 2), flipped(codes[0, 0], 3)
    assert rows(by_codes(views(codes))) == [(0, 1, 2, 0)]
    codes[1, 1] = flipped(codes[0, 0], 4)  # as near, and named first
    assert rows(by_codes(views(codes))) == [(0, 1, 1, 0)]


def test_the_whole_of_a_picture_is_told_before_what_lies_within():
    codes = drawn(np.random.default_rng(6), 3)
    codes[1, 5] = codes[2, 1] = codes[0, 0]
    assert rows(by_codes(views(codes, [1]))) == [(0, 1, 5, 0)]


# What is read of the facts.


def facts(folder: Path, pictures: list[dict[str, object]]) -> tuple[Settings, pa.Array]:
    """Facts as the fingerprinting leaves them, of pictures of which little is told."""
    plain: dict[str, object] = {
        "width": 300,
        "height": 300,
        "status": "ok",
        "told": [True],
        "gradients": bytes(512),
    }
    keys = [f"{k:02}" for k in range(len(pictures))]
    rows = [plain | {"key": key} | one for key, one in zip(keys, pictures, strict=True)]
    read = [{name: row[name] for name in ("key", "width", "height", "status")} for row in rows]
    write(read, PICTURES, keys, folder / PICTURES_KIND)
    codes_of = (hash_of, gradients_of, features_of, colours_of)
    for of, codes in zip(DEFAULT_FINGERPRINTS, codes_of, strict=True):
        facts = [{"key": row["key"], "status": "ok", **codes(row)} for row in rows]
        write(facts, CODES, keys, folder / kind_of(of))
    return Settings(folder), pa.array(keys)


def hash_of(row: dict[str, object]) -> dict[str, object]:
    codes = np.array(row["codes"], np.uint64)
    return {"told": row["told"], "many": codes.size, "codes": codes.tobytes()}


def gradients_of(row: dict[str, object]) -> dict[str, object]:
    return {"told": [True], "many": 512, "codes": row["gradients"]}


def colours_of(row: dict[str, object]) -> dict[str, object]:
    """Of pictures whose shapes say enough, nothing is told."""
    return {"told": [False], "many": 195, "codes": row.get("colours", bytes(195))}


def features_of(row: dict[str, object]) -> dict[str, object]:
    """Those of a photograph; a small picture has none."""
    if "descriptors" not in row:
        return {}
    held = np.zeros(len(row["angle"]) // 4, FEATURE)
    for name in FEATURE.names:
        kind = FEATURE[name]
        held[name] = np.frombuffer(row[name], kind.base).reshape(-1, *kind.shape)
    return {"told": [True], "many": len(held), "codes": held.tobytes()}


def coded(code: np.uint64, **other: object) -> dict[str, object]:
    """A picture that looks so, upright; in no other orientation it is like any."""
    others = drawn(np.random.default_rng(int(code) % 1000), 1)[0, 1:]
    return {"codes": [code, *others], **other}


@pytest.mark.parametrize(("bits", "perhaps"), [(6, True), (7, False)])
def test_pictures_are_read_whole_that_differ_in_six_bits(tmp_path, bits, perhaps):
    code = np.uint64(0x123456789ABCDEF)
    near = flipped(code, *range(bits))
    found = perhaps_equal(*facts(tmp_path, [coded(code), coded(near), coded(~code)]))
    assert found.to_pylist() == [perhaps, perhaps, False]


@pytest.mark.parametrize("size", [(300, 300), (60, 60)])
def test_one_picture_is_like_no_other(tmp_path, size):
    wide, high = size
    vector = np.ones(512, np.int8).tobytes()
    settings, keys = facts(
        tmp_path, [coded(np.uint64(9), width=wide, height=high, gradients=vector)]
    )
    assert search(settings, keys).num_rows == 0
    assert perhaps_equal(settings, keys).to_pylist() == [False]


def test_pictures_of_other_sizes_are_not_read_whole(tmp_path):
    code = np.uint64(77)
    sizes = [(300, 300), (300, 301), (301, 300), (300, 301)]
    some = [coded(code, width=wide, height=high) for wide, high in sizes]
    assert perhaps_equal(*facts(tmp_path, some)).to_pylist() == [False, True, False, True]


def alike(width: int, height: int) -> dict[str, object]:
    """A picture told by its gradients alone."""
    vector = np.zeros(512, np.int8)
    vector[:16] = 64  # a length of 256
    size = {"width": width, "height": height}
    return coded(np.uint64(width * 1_000_003), told=[False], gradients=vector.tobytes(), **size)


def test_small_pictures_are_found_by_their_gradients(tmp_path):
    sizes = [(96, 300), (300, 96), (97, 97), (50, 97)]
    found = search(*facts(tmp_path, [alike(*size) for size in sizes])).to_pylist()
    assert {(row["a"], row["b"]) for row in found} == {(0, 1), (0, 3), (1, 3)}
    assert {(row["variant"], row["views"], row["readings"]) for row in found} == {(-1, 0, 0)}


def featured(seed: int, n: int, *shared: tuple[int, int, bool]) -> dict[str, object]:
    """A photograph told by its features alone.

    Of these, some are shared: seed of what shows them, how many, and whether it is a negative.
    """
    codes = np.random.default_rng(seed).integers(0, 2**64, (n, 4), dtype=np.uint64)
    angle, at = np.full(n, 0.5, np.float32), 0
    for common, count, negative in shared:
        some, own = np.random.default_rng(common), slice(at, at + count)
        seen = some.integers(0, 2**64, (count, 4), dtype=np.uint64)
        codes[own] = ~seen[:, [2, 3, 0, 1]] if negative else seen
        angle[own] += np.float32(np.pi) if negative else 0
        at += count
    columns = {"angle": angle, "scale": np.ones(n, np.float32), "descriptors": codes}
    held = {name: values.tobytes() for name, values in columns.items()}
    points = np.zeros((n, 2), np.float32).tobytes()
    return coded(np.uint64(seed * 7919), told=[False], points=points, **held)


PLAIN, NEGATIVE, BOTH = (0, 20, False), (0, 20, True), (90, 10, True)


def test_photographs_are_found_by_their_features(tmp_path):
    """One reading a bit: plain, mirrored, negative, mirrored negative."""
    some = [
        featured(1, 60, PLAIN, (90, 10, False)),
        featured(2, 60),
        featured(3, 60, PLAIN, BOTH),
        featured(4, 60, NEGATIVE),
    ]
    found = search(*facts(tmp_path, [*some, alike(96, 96)])).to_pylist()
    assert [(row["a"], row["b"], row["readings"]) for row in found] == [
        (0, 2, 1 + 4),
        (0, 3, 4),
        (2, 3, 4),
    ]
    assert {(row["variant"], row["views"]) for row in found} == {(-1, 0)}


def test_of_photographs_that_share_features_those_come_first_that_share_most(tmp_path):
    """Each of 40 has a logo, and so more partners than are looked at; two have more in common."""
    logo, more = (0, 6, False), (1, 20, False)
    some = [featured(k + 2, 26, logo, *([more] if k in (10, 20) else [])) for k in range(40)]
    found = search(*facts(tmp_path, some)).to_pylist()
    pairs = {(row["a"], row["b"]) for row in found}
    partners = [sum(k in pair for pair in pairs) for k in (10, 20)]
    assert (10, 20) in pairs
    assert max(partners) <= 26


def test_what_the_codes_say_of_a_pair_comes_first(tmp_path):
    """And of what is seen small; the readings of features are kept beside."""
    first, second = featured(1, 60, PLAIN), featured(2, 60, PLAIN)
    codes = drawn(np.random.default_rng(6), 1)[0]
    turned = np.roll(codes, 5)
    for one, seen in ((first, codes), (second, turned)):
        one |= {"codes": seen.tolist(), "told": [True]}
    found = search(*facts(tmp_path, [first, second])).to_pylist()
    assert found == [{"a": 0, "b": 1, "variant": 5, "views": 0, "readings": 1, "turn": 0}]


@pytest.mark.parametrize(("height", "small"), [(60, True), (200, False)])
def test_a_picture_is_small_that_is_so_in_either_direction(
    tmp_path: Path, height: int, small: bool
) -> None:
    """Two of 200 x 60 pixels are compared by their thumbnails, not as photographs."""
    row = {"width": 200, "height": height, "status": "ok", "boxes": [-1.0, -1, 1, 1]}
    row |= {"framed": False, "thumbnail": bytes(3 * SIDE * SIDE)}
    write([row | {"key": key} for key in "ab"], PICTURES, ["a", "b"], tmp_path / PICTURES_KIND)
    pair = {"a": [0], "b": [1], "variant": [-1], "views": [0], "readings": [1], "turn": [0]}
    files = {key: File(str(tmp_path / key), None, None, "", key) for key in "ab"}
    found = build_pairs(
        pa.array(["a", "b"]), pa.table(pair), Facts(Settings(tmp_path), None), files
    )
    assert (len(found.small), len(found.large)) == (small, not small)
