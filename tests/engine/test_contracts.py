"""What every fingerprint, verifier and medium must do, one of a third party included."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from example_fingerprint import AverageHash
from picture_files import photograph
from PIL import Image

from splitaudit import schema
from splitaudit.audio.verify.compare import Waveforms
from splitaudit.engine import media
from splitaudit.engine.contracts import fingerprint_id
from splitaudit.engine.jobs import DIED, UNDECIDED, UNDECIDED_FOLDER, File
from splitaudit.engine.progress import Quiet
from splitaudit.engine.stages import Settings, StageLog
from splitaudit.engine.store import Parts
from splitaudit.images.decode.boxes import WHOLE
from splitaudit.images.fingerprint import extract
from splitaudit.images.fingerprint.contract import COSINE, HAMMING, METRICS, encode
from splitaudit.images.fingerprint.feature_sets import FEATURE
from splitaudit.images.fingerprint.views import View
from splitaudit.images.verify.photographs.compare import Photographs
from splitaudit.images.verify.thumbnails.compare import Thumbnails
from splitaudit.scan.fingerprints import choose, modules
from splitaudit.scan.pipeline import MEDIA_BY_PART

OF_PICTURES = ("hash", "gradients", "features", "colours", "imagehash.phash", "imagehash.dhash")
OURS = [*choose([*OF_PICTURES, "patches"])]
EVERY = pytest.mark.parametrize("of", [*OURS, AverageHash()], ids=lambda of: repr(of))
PICTURES = pytest.mark.parametrize("of", [*OURS[:-1], AverageHash()], ids=lambda of: repr(of))
VERIFIERS = (Waveforms(), Thumbnails(), Photographs())


def views() -> list[View]:
    """Three pictures with much in them, of the sizes of photographs and of thumbnails."""
    rng = np.random.default_rng(7)
    found = []
    for height, width in ((320, 400), (64, 96), (300, 310)):
        coarse = rng.integers(0, 255, (height // 10 + 1, width // 10 + 1), np.uint8)
        luma = coarse.repeat(10, axis=0).repeat(10, axis=1)[:height, :width].copy()
        found.append(View(np.stack([luma] * 3, axis=2), luma, WHOLE, min(height, width)))
    return found


def bands(height: int, width: int) -> View:
    """A flag, whose shapes say little and whose colours say all."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :] = 200, 60, 90
    return View(pixels, pixels[..., 0].copy(), WHOLE, min(height, width))


def of_those(of: Any) -> list[View]:
    """Pictures of which a fingerprint says something."""
    if of.name == "colours":
        return [bands(320, 400), bands(300, 310)]
    return [view for view in views() if view.short_side >= of.short_sides[0]]


def test_every_module_with_a_fingerprint_is_tried() -> None:
    assert {name.split(".")[0] for name in (*OF_PICTURES, "patches")} == set(modules())


@EVERY
def test_a_fingerprint_is_named_by_what_changes_its_codes(of: Any) -> None:
    assert is_dataclass(of)
    assert re.fullmatch(rf"{re.escape(of.name)}-v{of.version}-[0-9a-f]{{8}}", fingerprint_id(of))
    assert of.modality in MEDIA_BY_PART
    assert of.metric in METRICS
    for field in fields(of):
        other = "dhash" if getattr(of, field.name) == "phash" else "phash"
        value = getattr(of, field.name)
        changed = replace(of, **{field.name: value + 1 if isinstance(value, int) else other})
        assert fingerprint_id(changed) != fingerprint_id(of)


@PICTURES
def test_codes_have_one_form_and_depend_on_their_picture_alone(of: Any) -> None:
    seen, load = of_those(of), of.load()
    codes = encode(of, seen, load)
    again = encode(of, seen[::-1], of.load())
    assert not codes.degenerate.any()
    for k, value in enumerate(codes.values):
        np.testing.assert_array_equal(value, again.values[len(seen) - 1 - k])
        np.testing.assert_array_equal(value, encode(of, seen[k : k + 1], load).values[0])
    kinds = {HAMMING: np.uint64, COSINE: np.int8}
    assert {value.dtype for value in codes.values} == {np.dtype(kinds.get(of.metric, FEATURE))}
    if of.metric in kinds:
        assert len({value.shape for value in codes.values}) == 1


@PICTURES
def test_a_flat_picture_is_degenerate(of: Any) -> None:
    luma = np.full((320, 320), 90, np.uint8)
    flat = View(np.stack([luma] * 3, axis=2), luma, WHOLE, 320)
    assert encode(of, [flat], of.load()).degenerate.tolist() == [True]


@PICTURES
def test_what_cannot_be_read_is_a_row_without_a_code(of: Any, tmp_path: Path) -> None:
    Image.fromarray(of_those(of)[0].pixels).save(tmp_path / "a.png")
    whole, gone = as_file(tmp_path / "a.png"), picture(tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(b"no picture at all")
    broken = as_file(tmp_path / "c.png")
    Path(gone.path).unlink()
    kinds = [extract.PICTURES_KIND, extract.kind_of(of)]
    extract.fingerprint([whole, gone, broken], tmp_path, of=[of], kinds=kinds)
    read, codes = (rows(tmp_path / kind) for kind in kinds)
    assert set(read) == set(codes) == {"a.png", "c.png"}  # what is gone is looked for again
    assert codes["a.png"]["status"] == schema.OK
    assert codes["a.png"]["codes"]
    assert codes["c.png"]["codes"] is None
    assert read["c.png"]["status"] in {schema.UNREADABLE, schema.UNSUPPORTED}


def test_facts_that_are_missing_are_written_and_no_others(tmp_path: Path) -> None:
    one, (first, second) = picture(tmp_path / "a.png"), OURS[:2]
    extract.fingerprint([one], tmp_path, of=[first, second], kinds=[extract.kind_of(second)])
    folders = [folder.name for folder in (tmp_path / "fingerprints").iterdir()]
    assert folders == [Path(extract.kind_of(second)).name]
    assert not (tmp_path / extract.PICTURES_KIND).exists()


@dataclass(frozen=True)
class AnyPair:
    """A pair that only has a key."""

    key: str


@pytest.mark.parametrize("verifier", VERIFIERS, ids=lambda verifier: verifier.name)
def test_a_verifier_says_that_it_knows_nothing_of_what_was_lost(
    verifier: Any, tmp_path: Path
) -> None:
    assert {"key", "found", "accepted", "score"} <= set(verifier.proofs.names)
    assert verifier.lost([AnyPair("x y"), AnyPair("x z")], tmp_path) == 2
    noted = Parts(tmp_path / UNDECIDED_FOLDER).read(pa.array(["x y", "x z"]), UNDECIDED)
    said = {"status": schema.UNDECIDED, "error": DIED}
    assert noted.to_pylist() == [{"key": "x y", **said}, {"key": "x z", **said}]
    known = Parts(tmp_path).known(pa.array(["x y", "x z"]))
    assert known.to_pylist() == [False, False]


def test_every_verifier_has_a_name_of_its_own() -> None:
    assert len({verifier.name for verifier in VERIFIERS}) == len(VERIFIERS)


@pytest.mark.parametrize("part", MEDIA_BY_PART)
def test_a_medium_without_contents_finds_nothing(part: str, tmp_path: Path) -> None:
    medium, settings = MEDIA_BY_PART[part], Settings(tmp_path, processes=1)
    assert medium.part == part
    assert len({stage.kind for stage in medium.stages(settings)}) == len(medium.stages(settings))
    audited = media.Audited({}, pd.DataFrame({"content": [], "split": []}, dtype=object))
    steps = media.plan(medium, audited, 0, settings)
    assert {step.action for step in steps[: len(medium.stages(settings))]} == {"reuse"}
    found = media.scan(medium, audited, settings, StageLog(Quiet()))
    assert found.facts.empty
    assert found.proofs.empty
    assert found.undecided.empty
    empty = {
        name: of.empty_table() for name, of in (("items", schema.ITEMS), ("media", schema.MEDIA))
    }
    matches = medium.matches(empty["items"], empty["media"], found, settings)
    assert matches.schema.equals(schema.MATCHES)
    assert not matches.num_rows


def picture(path: Path) -> File:
    from PIL import Image

    Image.fromarray(photograph(1)).save(path)
    return as_file(path)


def as_file(path: Path) -> File:
    from splitaudit.engine.jobs import signature

    return File(str(path), None, None, signature(str(path)), path.name)


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    parts: Sequence[pa.Table] = [pq.read_table(part) for part in folder.glob("*.parquet")]
    return {row["key"]: row for row in pa.concat_tables(parts).to_pylist()}
