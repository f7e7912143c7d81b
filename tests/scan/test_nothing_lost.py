"""What was asked and not answered never passes for "nothing found", in any medium."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import Here, outcomes, table
from PIL import Image
from sound_files import write_av, write_pcm

from splitaudit.audio import medium as audio_medium
from splitaudit.audio.decode import sounds as sound_files
from splitaudit.audio.fingerprint.patches import PatchFingerprint
from splitaudit.audio.verify import compare as waveforms
from splitaudit.demo import sounds
from splitaudit.engine import jobs, media
from splitaudit.engine.contracts import Comparisons
from splitaudit.images import medium as images_medium
from splitaudit.images.decode import pictures
from splitaudit.images.fingerprint import extract
from splitaudit.images.verify.photographs import compare as photographs
from splitaudit.images.verify.thumbnails import compare as thumbnails

MEDIA = ("sounds", "pictures", "small")


def dataset(folder: Path, kind: str) -> Path:
    """Three media in train, of which test has one again, recoded; and another one."""
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
    for seed in range(4):
        split = "test" if seed == 3 else "train"
        if kind == "sounds":
            write_pcm(folder / split / f"{seed}.wav", sounds.distinct_sound(seed, 3.0))
            continue
        picture = scene(seed, 320 if kind == "pictures" else 64)
        Image.fromarray(picture).save(folder / split / f"{seed}.png")
    if kind == "sounds":
        write_av(folder / "test/again.mp3", sounds.distinct_sound(0, 3.0))
    else:
        Image.open(folder / "train/0.png").save(folder / "test/again.jpg", quality=80)
    return folder


def scene(seed: int, side: int) -> np.ndarray:
    """Something as rich as a photograph: noise at every scale."""
    rng = np.random.default_rng([seed, 11])
    levels = sum(
        np.kron(rng.normal(size=(side // by, side // by, 3)), np.ones((by, by, 1))) * by**0.7
        for by in (1, 2, 4, 8, 16, 32)
    )
    return np.clip(127 + 5 * levels, 0, 255).astype(np.uint8)


def part_of(kind: str) -> str:
    return "audio" if kind == "sounds" else "image"


def at_every_stage(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    """Do something whenever a scan begins a stage or a search."""
    from splitaudit.engine.stages import StageLog

    start = StageLog.start

    def start_after(self: StageLog, *words: Any) -> None:
        deed()
        start(self, *words)

    monkeypatch.setattr(StageLog, "start", start_after)


MOVES: dict[str, Callable[[Path], object]] = {
    "rights": lambda path: path.chmod(path.stat().st_mode ^ 0o020),
    "link": lambda path: path.with_name(f".{path.stem}{os.urandom(4).hex()}").hardlink_to(path),
    "time": lambda path: os.utime(path, ns=(1, path.stat().st_mtime_ns - 10**9)),
}


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("kind", MEDIA)
def test_files_that_are_moved_and_not_written_to_are_the_same_files(
    kind: str, move: str, tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(tmp_path / "data", kind)
    files = sorted(data.glob("*/*"))
    at_every_stage(monkeypatch, lambda: [MOVES[move](path) for path in files])
    ran = here("scan", data, "--json", "--jobs", 1)
    assert (ran.status, ran.json["verdict"]) == (1, "leaks")
    assert ran.json["leaks"]["test|train"]["items"] == 1
    assert set(outcomes(Path(ran.json["run"]), part_of(kind)).values()) == {("ok", None)}


VERIFYING = {
    "sounds": (waveforms, "_compare"),
    "pictures": (photographs.exposure, "compare"),
    "small": (thumbnails.exposure, "compare"),
}


def fail_by(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


ERRORS = (
    MemoryError(),
    OSError("caf\udce9.wav\nno"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("kind", MEDIA)
def test_a_pair_at_which_a_verifier_raises_is_told_and_tried_again(
    kind: str, error: Exception, tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(tmp_path / "data", kind)
    with monkeypatch.context() as patched:
        patched.setattr(*VERIFYING[kind], fail_by(error))
        ran = here("scan", data, "--json", "--jobs", 1)
    assert (ran.status, ran.json["verdict"]) == (4, "incomplete")
    run = Path(ran.json["run"])
    found = outcomes(run, part_of(kind))
    for item in ("test/again", "train/0"):
        (status, reason) = next(said for name, said in found.items() if name.startswith(item))
        assert status == "error"
        assert "not compared with" in (reason or "")
        assert type(error).__name__ in (reason or "")
    coverage = ran.json["coverage"][part_of(kind)]
    assert coverage["by_status"]["error"] == coverage["items"] - coverage["audited"] >= 2
    assert ran.json["undecided"][part_of(kind)]["pairs"] == table(run, "failed").num_rows >= 1
    assert here("split").status == 4
    again = here("scan", data, "--json")
    assert (again.status, "undecided" in again.json) == (1, False)


def test_what_is_undecided_is_told_on_the_screen_and_in_the_report(
    tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(tmp_path / "data", "pictures")
    compare = photographs._compare_pair

    def fail_at_one(pair: Any, sides: Any) -> Any:
        if {Path(file.path).stem for file in pair.files} == {"0", "again"}:
            raise ValueError("odd")
        return compare(pair, sides)

    monkeypatch.setattr(photographs, "_compare_pair", fail_at_one)
    ran = here("scan", data, "--jobs", 1)
    said = "not compared with train/0.png: they could not be compared: ValueError: odd"
    assert ran.out.startswith("INCOMPLETE: no leak found, but only 3 of 5 items could be audited")
    assert "items audited: 2 error; 1 pair could not be compared" in ran.out
    assert said in " ".join(ran.out.split())
    page = Path(".splitaudit/runs/data/report.html").read_text()
    assert "items audited: 2 error; 1 pair could not be compared" in page
    assert said in page


@pytest.mark.parametrize("kind", MEDIA)
def test_a_score_that_is_no_number_decides_nothing(
    kind: str, tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(tmp_path / "data", kind)
    module, name = VERIFYING[kind]
    compare = getattr(module, name)

    def spoil(*words: Any) -> Any:
        found = compare(*words)
        if kind == "small":
            return replace(found, score=found.score * np.nan)
        return found and type(found)(**{**vars(found), "score": float("nan")})

    monkeypatch.setattr(module, name, spoil)
    ran = here("scan", data, "--json", "--jobs", 1)
    assert (ran.status, ran.json["verdict"]) == (4, "incomplete")
    reasons = [
        reason or "" for _, reason in outcomes(Path(ran.json["run"]), part_of(kind)).values()
    ]
    assert any("is no number" in reason for reason in reasons)


@pytest.mark.parametrize("kind", MEDIA)
def test_pairs_of_which_a_stage_says_nothing_are_asked_twice_and_told(
    kind: str, tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(tmp_path / "data", kind)
    asked = []

    def silent(stage: Any, verifier: Any, pairs: Any) -> Comparisons:
        def forget(some: Any, folder: Path) -> int:
            asked.append([pair.key for pair in some])
            return jobs.write([], verifier.proofs, asked[-1], folder)

        return Comparisons(replace(stage, fn=forget), verifier, pairs)

    with monkeypatch.context() as patched:
        for medium in (audio_medium, images_medium):
            patched.setattr(medium, "Comparisons", silent)
        ran = here("scan", data, "--json", "--jobs", 1)
    assert set(Counter(key for keys in asked for key in keys).values()) == {2}
    assert (ran.status, ran.json["verdict"]) == (4, "incomplete")
    assert ran.json["coverage"][part_of(kind)]["by_status"]["undecided"] >= 2
    assert here("scan", data).status == 1


# Decoders and fingerprints


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        ("sounds", (sound_files, "open_audio")),
        ("sounds", (PatchFingerprint, "fingerprint")),
        ("sounds", (sound_files, "load")),
        ("pictures", (pictures, "load")),
        ("pictures", (extract, "picture_views")),
        ("pictures", (extract, "encode")),
        ("small", (pictures, "load")),
        ("small", (extract, "encode")),
    ],
)
def test_a_decoder_or_fingerprint_that_raises_makes_rows_and_ends_nothing(
    kind: str,
    broken: tuple[Any, str],
    error: Exception,
    tmp_path: Path,
    here: Here,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = dataset(tmp_path / "data", kind)
    monkeypatch.setattr(*broken, fail_by(error))
    ran = here("scan", data, "--json", "--jobs", 1)
    assert (ran.status, ran.json["verdict"]) == (4, "incomplete")
    statuses = ran.json["coverage"][part_of(kind)]["by_status"]
    assert statuses["error"] >= 2
    assert "Traceback" not in ran.err


def test_a_picture_without_one_of_its_fingerprints_is_not_audited(
    tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the picture is known and its file is another one when a fingerprint is added."""
    data = dataset(tmp_path / "data", "pictures")
    assert here("scan", data, "--fingerprints", "hash").status == 1
    write = extract.write

    def lose_features(rows: Any, of: Any, keys: Any, folder: Path) -> int:
        return write([] if "features" in str(folder) else rows, of, keys, folder)

    monkeypatch.setattr(extract, "write", lose_features)
    ran = here("scan", data, "--fingerprints", "features", "--json", "--jobs", 1)
    assert (ran.status, ran.json["coverage"]["image"]["by_status"]) == (4, {"error": 5})


def test_what_changed_before_it_is_compared_is_told(
    tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(tmp_path / "data", "sounds")
    prove = media._verify_pairs

    def harm(*words: Any, **options: Any) -> Any:
        write_av(data / "test/again.mp3", sounds.distinct_sound(9, 3.0))
        return prove(*words, **options)

    monkeypatch.setattr(media, "_verify_pairs", harm)
    ran = here("scan", data, "--json", "--jobs", 1)
    assert (ran.status, ran.json["verdict"]) == (4, "incomplete")
    found = outcomes(Path(ran.json["run"]))
    status, reason = found["test/again.mp3"]
    assert status == "undecided"
    assert "changed during the scan: run it again" in (reason or "")
    record = json.loads((Path(ran.json["run"]) / "run.json").read_text())
    assert record["stages"]["verify"]["undecided"] >= 1
