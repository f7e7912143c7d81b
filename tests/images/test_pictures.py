"""A folder of pictures scanned as a user would: what is found, and what is not read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import Here, Ran, outcomes, pairs, run, stages, table, tables
from picture_files import bomb, broken_chunk, encoded, frames, photograph, with_exif
from PIL import Image

from splitaudit.images.decode import pictures as image
from splitaudit.images.match_rows import expand

SIZE = 64, 64
# Test item -> what was done to a picture of train, as it is said from test to train.
COPIES = {
    "bytes.png": ("exact", "same bytes"),
    "pixels.bmp": ("exact", "same pixels"),
    "again.jpg": ("near_duplicate", "same picture"),
    "mirror.png": ("near_duplicate", "mirror"),
    "turned.png": ("near_duplicate", "rot270"),
    "negative.png": ("near_duplicate", "negative"),
    "part.png": ("overlap", "scale"),
}


def planted(folder: Path) -> None:
    """Twelve pictures in train, of seven of them a copy in test beside five others."""
    train, test = folder / "train", folder / "test"
    for split in (train, test):
        split.mkdir(parents=True)
    pictures = [photograph(seed, *SIZE) for seed in range(17)]
    for name, pixels in zip("abcdefghijkl", pictures, strict=False):
        Image.fromarray(pixels).save(train / f"{name}.png")
    (test / "bytes.png").write_bytes((train / "a.png").read_bytes())
    Image.fromarray(pictures[1]).save(test / "pixels.bmp")
    Image.fromarray(pictures[2]).save(test / "again.jpg", quality=75)
    Image.fromarray(pictures[3][:, ::-1]).save(test / "mirror.png")
    Image.fromarray(np.rot90(pictures[4])).save(test / "turned.png")
    Image.fromarray(255 - pictures[5]).save(test / "negative.png")
    Image.fromarray(pictures[6][10:, 10:]).save(test / "part.png")
    for name, pixels in zip("mnopq", pictures[12:], strict=True):
        Image.fromarray(pixels).save(test / f"{name}.png")


def scanned(folder: Path, *options: str) -> tuple[Ran, Path]:
    out = folder.parent / "run"
    command = ("scan", folder, "--out", out, "--cache", folder.parent / "cache", "--json")
    return run(*command, *options, cwd=folder.parent), out


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("pictures") / "data"
    planted(folder)
    ran, out = scanned(folder)
    return ran, out


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_found_and_named(found: Any, name: str) -> None:
    rows = table(found[1], "matches").to_pylist()
    row = next(row for row in rows if row["accepted"] and row["a"] == f"test/{name}")
    relation, words = COPIES[name]
    assert row["b"] == f"train/{'abcdefg'[list(COPIES).index(name)]}.png"
    assert row["relation"] == relation
    assert words in row["transform"]
    assert row["part"] == "image"


def test_nothing_else_is_found(found: Any) -> None:
    ran, out = found
    assert ran.status == 1
    assert len(pairs(tables(out)["matches"], "exact", "near_duplicate", "overlap")) == len(COPIES)
    media = table(out, "media")
    assert set(media["status"].to_pylist()) == {"ok"}
    assert set(zip(media["width"].to_pylist(), media["height"].to_pylist(), strict=True)) == {
        SIZE,
        (SIZE[0] - 10, SIZE[1] - 10),
    }


def test_what_is_alike_and_no_copy_is_similar_and_nothing_less_is_listed() -> None:
    proofs = pd.DataFrame(
        {
            "a": ["1", "1", "2"],
            "b": ["2", "3", "3"],
            "score": [0.3, 0.05, 0.6],
            "accepted": [False, False, True],
            "similar": [True, False, False],
            "homography": [np.eye(3).ravel()] * 3,
            **dict.fromkeys(("coverage_a", "coverage_b"), 1.0),
            **dict.fromkeys(("transform", "undone", "verifier"), "x"),
        }
    )
    members = pd.DataFrame(
        {"item_id": ["a", "b", "c"], "split": "all", "same_id": ["1", "2", "3"], "status": "ok"}
    )
    listed = expand(members.assign(content_id=members["same_id"]), proofs, {}, "x").to_pylist()
    said = [(row["a"], row["b"], row["relation"], row["accepted"]) for row in listed]
    assert said == [("a", "b", "similar", False), ("b", "c", "near_duplicate", True)]


def test_the_map_leads_from_one_picture_to_the_other(found: Any) -> None:
    rows = table(found[1], "matches").to_pylist()
    part = next(row for row in rows if row["accepted"] and row["a"] == "test/part.png")
    corner = np.reshape(part["homography"], (3, 3)) @ [-1, -1, 1]
    # The part begins 10 of 64 pixels from the corner of the whole.
    assert corner[:2] / corner[2] == pytest.approx([20 / 64 - 1, 20 / 64 - 1], abs=0.03)
    assert part["coverage_a"] == pytest.approx(1, abs=0.02)
    assert part["coverage_b"] == pytest.approx((54 / 64) ** 2, abs=0.05)


def test_what_is_known_is_not_read_again(found: Any) -> None:
    folder = found[1].parent / "data"
    planned, _ = scanned(folder, "--plan")
    assert {step["action"] for step in planned.json} == {"reuse"}
    ran, out = scanned(folder)
    assert ran.status == 1
    assert not any(stages(out).values())


BAD = {
    "empty.jpg": (b"", "unreadable"),
    "text.jpg": (b"this is no picture at all", "unreadable"),
    "cut.jpg": (encoded(photograph(20), "JPEG")[:-3000], "truncated"),
    "chunk.png": (broken_chunk(encoded(photograph(21, 64, 64), "PNG")), "truncated"),
    "bomb.png": (bomb(30_000), "unsupported"),
    "flat.png": (encoded(np.full((64, 64, 3), 90, np.uint8), "PNG"), "degenerate"),
}


def test_what_cannot_be_read_is_counted_with_its_reason(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    planted(folder)
    for name, (data, _) in BAD.items():
        (folder / "train" / name).write_bytes(data)
    first, *rest = frames(40)
    first.save(folder / "train" / "many.gif", save_all=True, append_images=rest)
    os.symlink("loop.png", folder / "train" / "loop.png")
    odd = os.fsencode(folder / "train") + b"/\xff\xfe.png"
    Path(os.fsdecode(odd)).write_bytes(encoded(photograph(30, 64, 64), "PNG"))
    ran, out = scanned(folder)
    assert ran.status == 1
    became = outcomes(out, "image")
    for name, (_, status) in BAD.items():
        assert became[f"train/{name}"][0] == status, (name, became[f"train/{name}"])
    assert became["train/many.gif"][0] == "ok"
    assert became["train/loop.png"][0] == "unreadable"
    assert became["train/\\xff\\xfe.png"][0] == "ok"
    assert len(pairs(tables(out)["matches"], "exact", "near_duplicate", "overlap")) == len(COPIES)


def test_equal_pixels_are_told_of_large_pictures_too(tmp_path: Path) -> None:
    """JPEG files are read small; what looks equal is then read at its size."""
    folder = tmp_path / "data"
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
    jpeg = encoded(photograph(1, 600, 800), "JPEG", quality=90)
    (folder / "train" / "a.jpg").write_bytes(jpeg)
    (folder / "test" / "b.jpg").write_bytes(with_exif(jpeg, b"Exif\0\0II*\0"))
    decoded = image.load(str(folder / "train" / "a.jpg")).pixels
    Image.fromarray(decoded).save(folder / "test" / "c.png")
    Image.fromarray(photograph(2, 600, 800)).save(folder / "test" / "other.jpg")
    _, out = scanned(folder)
    found = {(row["a"], row["b"]): row for row in table(out, "matches").to_pylist()}
    for name in ("b.jpg", "c.png"):
        row = found[f"test/{name}", "train/a.jpg"]
        assert (row["relation"], row["transform"]) == ("exact", "same pixels")
    assert stages(out)["pixels"] == 3  # other.jpg need not be read at its size


def black(folder: Path) -> Path:
    """A black picture in train, in test the same file and the same pixels, and another flat one."""
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
        Image.fromarray(photograph(len(split), *SIZE)).save(folder / split / "own.png")
    dark = Image.fromarray(np.zeros((*SIZE, 3), np.uint8))
    for name in ("train/a.png", "test/b.png", "test/c.bmp"):
        dark.save(folder / name)
    Image.fromarray(np.full((*SIZE, 3), 200, np.uint8)).save(folder / "test" / "d.png")
    return folder


def test_two_black_pictures_are_no_leak(tmp_path: Path, here: Here) -> None:
    ran = here("scan", black(tmp_path / "data"), "--out", "run", "--json")
    assert (ran.status, ran.json["verdict"]) == (0, "clean")
    rows = table(Path("run"), "matches").to_pylist()
    flat = {(row["a"], row["b"]): (row["relation"], row["accepted"]) for row in rows}
    assert flat["test/b.png", "train/a.png"] == ("exact", False)
    assert set(flat.values()) == {("exact", False)}
    assert not {pair for pair in flat if "test/d.png" in pair}
    became = outcomes(Path("run"), "image")
    reason = "a flat picture: nothing in it to compare"
    assert became["test/d.png"] == became["train/a.png"] == ("degenerate", reason)


def lying_apart(folder: Path, lists: Path) -> None:
    """Three pictures in train and three in test, and the lists of both."""
    lists.mkdir()
    for seed, split in enumerate(("train", "test")):
        (folder / split).mkdir(parents=True)
        for k, name in enumerate("abc"):
            pixels = photograph(3 * seed + k, *SIZE)
            Image.fromarray(pixels).save(folder / split / f"{name}.png")
        listed = "".join(f"{split}/{name}.png\n" for name in "abc")
        (lists / f"{split}.txt").write_text(listed)


def leaking(folder: Path) -> None:
    """A picture of test becomes one of train, turned."""
    Image.fromarray(np.rot90(photograph(1, *SIZE))).save(folder / "test" / "c.png")


LEAK = ("test/c.png", "train/b.png", "near_duplicate")


def test_a_check_that_reads_all_again_finds_what_has_changed_since(
    tmp_path: Path, here: Here
) -> None:
    lying_apart(tmp_path / "data", Path("lists"))
    assert here("scan", tmp_path / "data").status == 0
    assert here("check", "lists", "--rescan").status == 0
    leaking(tmp_path / "data")
    known, again = (here("check", "lists", "--json", *more) for more in ((), ("--rescan",)))
    assert (known.status, known.json["crossings"]) == (0, [])
    assert again.status == 1
    (crossing,) = again.json["crossings"]
    assert (crossing["a"], crossing["b"], crossing["relation"]) == LEAK
    assert again.json["coverage"] == {"image": {"items": 6, "audited": 6}}


def test_a_check_that_reads_all_again_believes_nothing_that_was_kept(
    tmp_path: Path, here: Here
) -> None:
    lying_apart(tmp_path / "data", Path("lists"))
    leaking(tmp_path / "data")
    assert here("scan", tmp_path / "data").status == 1
    kept = [part for part in Path(".splitaudit").rglob("*.parquet") if "proofs" in part.parts]
    assert kept
    for part in kept:
        proofs = pq.read_table(part)
        no = pa.array([False] * len(proofs))
        at = proofs.column_names.index("accepted")
        pq.write_table(proofs.set_column(at, "accepted", no), part)
    assert here("scan", tmp_path / "data").status == 0
    assert here("check", "lists").status == 0
    again = here("check", "lists", "--rescan", "--json")
    assert [(row["a"], row["b"], row["relation"]) for row in again.json["crossings"]] == [LEAK]


@pytest.mark.slow
def test_a_check_that_reads_all_again_opens_no_pipe(tmp_path: Path) -> None:
    """It would wait for ever for somebody to write into it."""
    lying_apart(tmp_path / "data", tmp_path / "lists")
    (tmp_path / "data" / "test" / "c.png").unlink()
    os.mkfifo(tmp_path / "data" / "test" / "c.png")
    assert run("scan", tmp_path / "data", cwd=tmp_path).status == 4
    again = run("check", tmp_path / "lists", "--rescan", "--json", cwd=tmp_path)
    assert again.status == 4
    assert again.json["coverage"] == {"image": {"items": 6, "audited": 5}}


@pytest.mark.parametrize(("high", "status"), [(96, "unsupported"), (97, "ok")])
def test_the_shorter_side_says_what_a_fingerprint_reaches(
    here: Here, high: int, status: str
) -> None:
    for seed, split in enumerate(("train", "test")):
        Path("data", split).mkdir(parents=True)
        Image.fromarray(photograph(seed, high, 300)).save(f"data/{split}/{split}.png")
    assert here("scan", "data", "--fingerprints", "features").status == (0 if status == "ok" else 4)
    found = outcomes(Path(".splitaudit/runs/data"), "image")
    assert {said for said, _ in found.values()} == {status}
