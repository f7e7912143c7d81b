"""Fingerprints are chosen by name, added without a change of ours, and none fails unnoticed."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from command import Here, Ran, outcomes, pairs, stages, tables
from example_fingerprint import CODE, TEXT
from odd_fingerprints import GREEN
from PIL import Image

from splitaudit.images.fingerprint import extract, trial


@pytest.fixture
def pictures(tmp_path: Path) -> Iterator[Path]:
    """A picture in train, the same recoded in test, and two others."""
    home = tmp_path / "pictures"
    for split in ("train", "test"):
        (home / split).mkdir(parents=True)
    Image.fromarray(scene(1)).save(home / "train/one.png")
    Image.fromarray(scene(1)).save(home / "test/again.jpg", quality=60)
    Image.fromarray(scene(2)).save(home / "test/two.png")
    Image.fromarray(scene(3)).save(home / "train/three.png")
    yield home
    for name in ("my_hash", "odd_syntax"):
        sys.modules.pop(name, None)


def scene(seed: int, side: int = 320) -> np.ndarray:
    """Something as rich as a photograph: noise at every scale."""
    rng = np.random.default_rng([seed, 11])
    levels = sum(
        np.kron(rng.normal(size=(side // by, side // by, 3)), np.ones((by, by, 1))) * by**0.7
        for by in (1, 2, 4, 8, 16, 32)
    )
    return np.clip(127 + 5 * levels, 0, 255).astype(np.uint8)


LEAK = {("test/again.jpg", "train/one.png")}


def found(out: str = ".splitaudit/runs/pictures") -> set[tuple[str, str]]:
    return pairs(tables(Path(out))["matches"], "exact", "near_duplicate", "overlap")


@pytest.mark.parametrize(
    "names",
    ["hash", "features", "hash,features", "imagehash.phash", "imagehash.dhash", "gradients,hash"],
)
def test_each_choice_finds_a_plain_copy(pictures: Path, here: Here, names: str) -> None:
    assert here("scan", "pictures", "--fingerprints", names).status == 1
    assert found() == LEAK


def test_the_usual_ones_are_four(pictures: Path, here: Here) -> None:
    assert here("scan", "pictures", "--out", "usual").status == 1
    names = "features,colours,gradients,hash"
    every = here("scan", "pictures", "--out", "named", "--fingerprints", names)
    assert every.status == 1
    usual, named = (tables(Path(run))["matches"] for run in ("usual", "named"))
    for row in (*usual, *named):
        row["fingerprint"] = sorted((row["fingerprint"] or "").split("+"))
    assert usual == named


def test_one_that_is_added_reads_the_pictures_and_computes_nothing_else(
    pictures: Path, here: Here
) -> None:
    assert here("scan", "pictures", "--fingerprints", "hash").status == 1
    plan = here("scan", "pictures", "--fingerprints", "hash,features", "--plan", "--json").out
    planned = json.loads(plan)
    assert [(step["stage"], step["action"]) for step in planned[1:4]] == [
        ("read pictures", "reuse"),
        ("fingerprint hash", "reuse"),
        ("fingerprint features", "compute"),
    ]
    assert here("scan", "pictures", "--fingerprints", "hash,features").status == 1
    assert stages(Path(".splitaudit/runs/pictures"))["fingerprint pictures"] == 4
    assert here("scan", "pictures", "--fingerprints", "features").status == 1
    assert stages(Path(".splitaudit/runs/pictures"))["fingerprint pictures"] == 0


def test_what_the_docs_show_finds_a_leak(pictures: Path, here: Here) -> None:
    Path("my_hash.py").write_text(CODE)
    session = TEXT.split("<!-- session -->")[1].split("```")[1].splitlines()[1:]
    for line in session:
        _, program, *words = shlex.split(line)
        assert program == "splitaudit"
        assert here(*words).status == 1
        assert found() == LEAK


def test_pictures_of_a_size_that_nothing_looks_at_are_not_audited(
    pictures: Path, here: Here
) -> None:
    Image.fromarray(scene(9, 64)).save(pictures / "test/small.png")
    assert here("scan", "pictures", "--fingerprints", "features").status == 1
    status, error = outcomes(Path(".splitaudit/runs/pictures"), "image")["test/small.png"]
    assert status == "unsupported"
    assert error == "no fingerprint that was chosen is for pictures of this size"


WRONG = {
    "Raises": "failed on a picture of noise: ValueError: no way",
    "Text": "codes of bits are booleans or uint64",
    "Empty": "codes of bits are booleans or uint64",
    "Lengths": "gives codes of several lengths",
    "One": "1 codes for 3 pictures",
    "Another": "gives another code on the second call",
    "Hangs": "took more than 0.3 s",
    "Euclid": "has the metric 'euclid', not hamming or cosine",
    "Nan": "a vector holds NaN or infinity",
    "Sound": "is not for pictures",
    "Plain": "is no frozen dataclass",
    "Gone": "cannot be used: AttributeError",
}


@pytest.mark.parametrize("name", WRONG)
def test_one_that_is_wrong_is_refused_in_a_sentence(
    pictures: Path, here: Here, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "LIMIT_S", 0.3)
    ran = here("scan", "pictures", "--fingerprints", f"odd_fingerprints:{name}")
    assert_one_sentence(ran, f"odd_fingerprints:{name}", WRONG[name])


def assert_one_sentence(ran: Ran, *said: str) -> None:
    assert ran.status == 2
    assert len(ran.err.strip().splitlines()) == 1
    for words in said:
        assert words in ran.err


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("hahs", "no fingerprint 'hahs'; did you mean 'hash'?"),
        ("imagehash.phsh", "imagehash has phash, ahash, dhash, whash"),
        ("hash.8x", "no fingerprint 'hash.8x'"),
        ("hash,features,hash", "hash is named twice"),
        (",", "name at least one of"),
        ("odd_missing:Odd", "odd_missing:Odd cannot be used: ModuleNotFoundError"),
        ("odd_syntax:Odd", "odd_syntax:Odd cannot be used: SyntaxError"),
    ],
)
def test_a_name_that_means_nothing_is_refused_in_a_sentence(
    pictures: Path, here: Here, names: str, said: str
) -> None:
    Path("odd_syntax.py").write_text("def (:")
    assert_one_sentence(here("scan", "pictures", "--fingerprints", names), said)


FAILS = {
    "RaisesOfGreen": "the fingerprint odd failed: ValueError: too green",
    "HangsOfGreen": "the fingerprint odd failed: TimeoutError: took more than 0.3 s",
    "LongOfGreen": "odd gave a code of another length",
}


@pytest.mark.parametrize("name", FAILS)
def test_one_that_fails_of_a_picture_leaves_it_unaudited(
    pictures: Path, here: Here, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "LIMIT_S", 0.3)
    monkeypatch.setattr(extract, "LIMIT_EACH_S", 0.0)
    green = scene(4)
    green[0, 0] = GREEN
    Image.fromarray(green).save(pictures / "train/green.png")
    ran = here(
        "scan", "pictures", "--fingerprints", f"odd_fingerprints:{name}", "--jobs", 1, "--json"
    )
    assert ran.status == 1
    assert ran.json["coverage"]["image"]["by_status"] == {"ok": 4, "error": 1}
    status, error = outcomes(Path(".splitaudit/runs/pictures"), "image")["train/green.png"]
    assert status == "error"
    assert FAILS[name] in str(error)
    assert found() == LEAK


def test_a_vector_finds_a_copy_as_well(pictures: Path, here: Here) -> None:
    assert here("scan", "pictures", "--fingerprints", "odd_fingerprints:Mean").status == 1
    assert found() == LEAK
