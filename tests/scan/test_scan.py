"""A scan from end to end: what was planted is found, and nothing else; what is said of it holds."""

from __future__ import annotations

import csv
import os
import pty
import shutil
import sys
from collections.abc import Iterable
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sound_files as files
from command import TABLES, Here, Ran, outcomes, pairs, run, stages, table, tables
from conftest import Demonstrated, Scanned, once
from sound_files import RATE, write_av, write_pcm

import splitaudit
from splitaudit import cli, schema
from splitaudit.demo import sounds
from splitaudit.engine import stages as scan_stages
from splitaudit.runs.audit import Audit

LEAKS = ("exact", "near_duplicate", "overlap")


def dataset(folder: Path, leaking: bool = True) -> Path:
    """Two sounds in train and two in test, one of them a recoded one of train."""
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
    write_pcm(folder / "train/speech.wav", sounds.speech_like(1, 4.0))
    write_pcm(folder / "train/music.wav", sounds.music_like(1, 4.0))
    write_pcm(folder / "test/ambience.flac", sounds.ambient(1, 4.0))
    seed = 1 if leaking else 2
    write_av(folder / "test/copy.mp3", sounds.speech_like(seed, 4.0))
    return folder


def tree(folder: Path) -> list[tuple[str, int, int]]:
    """Everything below a folder, with sizes and times."""
    stats = [(path, path.lstat()) for path in sorted(folder.rglob("*"))]
    return [(str(path), stat.st_size, stat.st_mtime_ns) for path, stat in stats]


# The planted dataset


def test_what_was_planted_is_found_where_it_was_planted(scanned: Scanned) -> None:
    rows = {(row["a"], row["b"]): row for row in table(scanned.run, "matches").to_pylist()}
    for leak in (*scanned.truth.leaks, *scanned.truth.duplicates):
        row = rows[leak.a, leak.b]
        assert (row["accepted"], row["relation"]) == (True, leak.relation), leak
        for end in ("a_start", "a_end", "b_start", "b_end"):
            assert row[end] == pytest.approx(getattr(leak, end), abs=0.1), leak


def test_nothing_else_is_accused(scanned: Scanned) -> None:
    rows = table(scanned.run, "matches").to_pylist()
    truth = scanned.truth
    leaks = {(leak.a, leak.b) for leak in (*truth.leaks, *truth.duplicates)}
    assert pairs(rows, *LEAKS) == leaks
    assert not {(a, b) for a, b, _ in truth.innocent} & pairs(rows, *LEAKS, "shared_material")


def test_a_jingle_is_shared_material_and_welds_nothing(scanned: Scanned) -> None:
    shared = pairs(table(scanned.run, "matches").to_pylist(), "shared_material")
    members = sorted(scanned.truth.jingle_members)
    assert shared <= set(combinations(members, 2))
    assert {item for pair in shared for item in pair} == set(members)
    sizes = {row["item_id"]: row["size"] for row in table(scanned.run, "groups").to_pylist()}
    assert {sizes[item] for item in members} == {1}


def test_the_answer_in_json_keeps_its_form(scanned: Scanned) -> None:
    answer = scanned.ran.json
    assert scanned.ran.status == 1
    assert answer["schema"] == 1
    assert answer["dataset"] == "planted"
    assert answer["verdict"] == "leaks"
    statuses = {"ok": 56, "degenerate": 4}  # silence and steady tones
    assert answer["coverage"] == {"audio": {"items": 60, "audited": 60, "by_status": statuses}}
    assert list(answer["leaks"]) == ["test|val", "test|train", "val|train"]
    assert answer["leaks"]["test|train"] == {
        "items": 7,
        "pairs": 7,
        "pairs_implied": 7,
        "by_relation": {
            "exact": {"items": 2, "pairs": 2},
            "near_duplicate": {"items": 3, "pairs": 3},
            "overlap": {"items": 2, "pairs": 2},
        },
    }
    assert answer["duplicates"]["train"] == {"items": 6, "pairs": 3, "groups": 3}
    assert answer["weak"]["test|train"] == {"by_reason": {"shared_material": {"items": 5}}}
    assert isinstance(answer["seconds"], float)
    assert (scanned.home / answer["run"]).resolve() == scanned.run.resolve()


@pytest.mark.parametrize("name", TABLES)
def test_tables_conform_to_their_schema(scanned: Scanned, name: str) -> None:
    found = table(scanned.run, name)
    assert found.schema.equals(getattr(schema, name.upper()))
    if name == "matches":
        rows = found.to_pylist()
        assert all(row["a"] < row["b"] for row in rows)
        assert all(0 <= row["score"] <= 1 for row in rows)
        assert len({(row["a"], row["b"]) for row in rows}) == len(rows)


def test_an_excerpt_is_found_beside_a_jingle(tmp_path: Path) -> None:
    """Two of six sounds that share a signature tune share something of their own as well."""
    signature = sounds.music_like(99, 3.0)
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
    for k in range(6):
        own = sounds.distinct_sound(k, 12.0)
        own[RATE : 4 * RATE] = signature
        if k == 5:
            own[6 * RATE : 8 * RATE] = sounds.distinct_sound(0, 12.0)[9 * RATE : 11 * RATE]
        write_pcm(tmp_path / f"data/{'test' if k % 2 else 'train'}/{k}.wav", own)
    settings = {"generic": 3, "processes": 1}
    audit = splitaudit.open(
        tmp_path / "data", out=tmp_path / "run", cache=tmp_path / "cache", settings=settings
    ).scan()
    assert audit.leaks()[["a", "b"]].to_numpy().tolist() == [["test/5.wav", "train/0.wav"]]
    assert len(audit.shared_material()) == 14


# What a scan computes, and when


def test_a_second_scan_computes_nothing_and_says_the_same(scanned: Scanned, here: Here) -> None:
    shutil.copytree(scanned.home / ".splitaudit", ".splitaudit")
    plan = here("scan", scanned.folder, "--plan", "--json").json
    assert {step["stage"]: step["action"] for step in plan} == dict.fromkeys(
        ("identify", "fingerprint", "search", "verify"), "reuse"
    )
    assert here("scan", scanned.folder, "--out", "again").status == 1
    assert set(stages(Path("again")).values()) == {0}
    assert tables(Path("again")) == tables(scanned.run)


def test_what_was_known_changes_nothing(scanned: Scanned, demonstrated: Demonstrated) -> None:
    """The demo had to find it all out; the scan of the same bytes elsewhere took it from there."""
    cold = demonstrated.folder / "run"
    assert min(stages(cold).values()) > 0
    assert stages(scanned.run) == {"identify": 60, "fingerprint": 0, "search": 0, "verify": 0}
    both = tables(cold), tables(scanned.run)
    for row in (row for found in both for row in found["media"]):
        row["path"] = Path(row["path"]).name
    assert both[0] == both[1]


def test_a_plan_is_no_deed(tmp_path: Path, here: Here) -> None:
    data = dataset(tmp_path / "data")

    def plan() -> dict[str, str]:
        before = tree(tmp_path)
        ran = here("scan", data, "--plan", "--json")
        assert ran.status == 0
        assert tree(tmp_path) == before
        return {step["stage"]: step["action"] for step in ran.json}

    names = ("identify", "fingerprint", "search", "verify")
    assert plan() == dict.fromkeys(names, "compute")
    here("scan", data)
    assert plan() == dict.fromkeys(names, "reuse")
    write_pcm(data / "test/new.wav", sounds.ambient(5, 4.0))
    assert plan() == dict(zip(names, ("extend", "extend", "compute", "extend"), strict=True))
    (data / "test/new.wav").unlink()
    assert plan() == dict.fromkeys(names, "reuse")
    (data / "test/ambience.flac").unlink()
    assert plan() == dict(zip(names, ("reuse", "reuse", "compute", "extend"), strict=True))
    words = here("scan", data, "--plan").out
    assert "identify     reuse    all 3 files are known\n" in words


def test_only_what_is_new_is_computed(tmp_path: Path, here: Here) -> None:
    data = dataset(tmp_path / "data")
    here("scan", data)
    shutil.copy(data / "train/music.wav", data / "test/music_too.wav")
    write_pcm(data / "test/part.wav", sounds.music_like(1, 4.0)[RATE : 3 * RATE])
    here("scan", data, "--out", "grown")
    computed = stages(Path("grown"))
    assert computed["identify"] == 2
    assert computed["fingerprint"] == 1  # equal bytes are one content
    here("scan", data, "--out", "fresh", "--cache", "fresh_cache")
    # The new sound with each of the others, and pairs whose weak places it moves.
    assert 0 < computed["verify"] < stages(Path("fresh"))["verify"]
    assert tables(Path("grown")) == tables(Path("fresh"))


def test_a_changed_file_is_read_again(tmp_path: Path, here: Here) -> None:
    data = dataset(tmp_path / "data")
    assert here("scan", data).status == 1
    write_av(data / "test/copy.mp3", sounds.speech_like(2, 4.0))
    assert here("scan", data).status == 0


def test_another_file_in_place_of_one_may_leak_where_none_did_and_the_other_way_round(
    tmp_path: Path, here: Here
) -> None:
    """As many sounds as before are other sounds, of which nothing was searched yet."""
    data = dataset(tmp_path / "data", leaking=False)
    for seed, status, word in ((2, 0, "CLEAN"), (1, 1, "LEAKS"), (3, 0, "CLEAN")):
        write_av(data / "test/copy.mp3", sounds.speech_like(seed, 4.0))
        ran = here("scan", data)
        assert (ran.status, ran.out.split(":")[0]) == (status, word)


def test_a_file_that_was_replaced_with_its_old_time_is_read_again(
    tmp_path: Path, here: Here
) -> None:
    """As `cp -p` and `rsync -t` leave it: name, size and time are those of the one before."""
    data = dataset(tmp_path / "data", leaking=False)
    path = write_pcm(data / "test/copy.wav", sounds.speech_like(3, 4.0))
    old = path.stat()
    assert here("scan", data).status == 0
    write_pcm(path, sounds.speech_like(1, 4.0))
    os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns, now.st_ino) == (old.st_size, old.st_mtime_ns, old.st_ino)
    assert here("scan", data).status == 1
    (leak,) = here("leaks", "--json").json
    assert (leak["a"], leak["b"], leak["relation"]) == (
        "test/copy.wav",
        "train/speech.wav",
        "exact",
    )


def test_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = dataset(tmp_path / "data")
    monkeypatch.setattr(scan_stages, "MIN_PARALLEL_S", -1.0)
    monkeypatch.setattr(scan_stages, "MIN_JOB_S", 1e-9)
    for jobs in (1, 2):
        out, cache = tmp_path / f"run{jobs}", tmp_path / f"cache{jobs}"
        splitaudit.open(data, out=out, cache=cache, settings={"processes": jobs}).scan()
    assert tables(tmp_path / "run1") == tables(tmp_path / "run2")


# Exit statuses


def test_exit_statuses(tmp_path: Path, here: Here) -> None:
    leaking, clean = dataset(tmp_path / "leaking"), dataset(tmp_path / "clean", leaking=False)
    ran = here("scan", leaking)
    assert (ran.status, ran.out.split(":")[0]) == (1, "LEAKS")
    assert here("scan", leaking, "--exit-zero").status == 0
    ran = here("scan", clean)
    assert (ran.status, ran.out.split(":")[0]) == (0, "CLEAN")
    (clean / "test/broken.wav").write_bytes(b"no sound")
    (leaking / "test/broken.wav").write_bytes(b"no sound")
    ran = here("scan", clean)
    assert (ran.status, "INCOMPLETE: no leak found, but only 4 of 5" in ran.out) == (4, True)
    assert here("scan", clean, "--exit-zero").status == 0
    assert here("scan", clean, "--min-coverage", "0.8").status == 0
    assert here("scan", clean, "--min-coverage", "0.81").status == 4
    assert here("scan", leaking).status == 1  # leaks, although not all was audited


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["scan", "nowhere"], "nowhere: no such file, folder or shipped dataset"),
        (["scan", "empty"], "no media found in"),
        (["scan", "x.csv"], "x.csv"),
        (["scan"], "Missing argument 'TARGET'"),
        (["scan", "empty", "--min-coverage", "2"], "2.0 is not in the range"),
        (["scan", "empty", "--jobs", "0"], "0 is not in the range"),
        (["scan", "empty", "--checks", "smell"], "no check 'smell'"),
        (["scan", "empty", "--column", "path"], "--column path: expected"),
        (["scan", "empty", "--nonsense"], "No such option"),
        (["nonsense"], "No such command 'nonsense'"),
        (["leaks"], "no run below"),
        (["leaks", "nowhere"], "no run in nowhere"),
        (["check", "nowhere"], "no run below"),
    ],
)
def test_what_the_user_can_mend_is_one_sentence(here: Here, words: list[str], said: str) -> None:
    Path("empty").mkdir()
    Path("x.csv").write_text("name,set\na,train\n")
    ran = here(*words)
    assert ran.status == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_an_internal_error_says_so(
    tmp_path: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(Audit, "scan", broken)
    ran = here("scan", dataset(tmp_path / "data"))
    assert ran.status == cli.INTERNAL_ERROR == 3
    assert "a mistake of ours" in ran.err
    assert "internal error" in ran.err


def test_weak_relations_fail_only_when_asked(tmp_path: Path, here: Here) -> None:
    write_pcm(tmp_path / "a.wav", sounds.speech_like(1, 3.0))
    write_pcm(tmp_path / "b.wav", sounds.speech_like(2, 3.0))
    write_table(tmp_path / "t.csv", [("x", "train", "a.wav"), ("x", "test", "b.wav")])
    ran = here("scan", "t.csv", "--json")
    assert (ran.status, ran.json["verdict"]) == (0, "weak")
    assert ran.json["weak"]["test|train"]["by_reason"] == {"key:id": {"items": 1}}
    assert here("scan", "t.csv", "--fail-on", "weak").status == 1


# What is said, and where


@pytest.fixture(scope="session")
def told(shared: Path) -> tuple[Path, Ran]:
    """A folder with a small dataset, `data`, and the run of it; and what that scan printed."""

    def make(folder: Path) -> dict[str, Any]:
        data = dataset(folder / "data")
        (data / "readme.txt").write_text("no sound")
        return asdict(run("scan", "data", "--json", cwd=folder))

    folder, said = once(shared, "told", make)
    return folder, Ran(**said)


def test_results_go_to_stdout_and_nothing_else_does(told: tuple[Path, Ran]) -> None:
    folder, ran = told
    assert ran.status == 1
    assert ran.json["verdict"] == "leaks"
    assert ran.err == "note: ignored 1 file that is not media (.txt 1)\n"  # and no progress
    listed = run("leaks", "--json", cwd=folder)
    assert [(row["a"], row["b"]) for row in listed.json] == [("test/copy.mp3", "train/speech.wav")]
    assert (listed.status, listed.err) == (0, "")


def on_a_terminal(words: Iterable[object], cwd: Path, **environment: str) -> str:
    """Return all that a run shows on a terminal."""
    shown = bytearray()

    def read(terminal: int) -> bytes:
        chunk = os.read(terminal, 1024)
        shown.extend(chunk)
        return b""  # which pty.spawn must not take for the end

    command = [sys.executable, "-m", "splitaudit.cli", *map(str, words)]
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(cwd)
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": "80", **environment})
        os.execv(sys.executable, command)
    while True:
        try:
            if not read(terminal) and not shown:
                break
        except OSError:  # the other end is closed
            break
    os.close(terminal)
    os.waitpid(child, 0)
    return shown.decode()


def test_a_terminal_shows_progress_and_colour_unless_told_not_to(
    told: tuple[Path, Ran], tmp_path: Path
) -> None:
    """Progress of one sound that is new, and of none."""
    shutil.copytree(told[0], tmp_path, dirs_exist_ok=True)
    write_pcm(tmp_path / "data/test/new.wav", sounds.ambient(5, 4.0))
    coloured = on_a_terminal(["scan", "data"], tmp_path)
    assert stages(tmp_path / ".splitaudit/runs/data")["fingerprint"] == 1
    plain = on_a_terminal(["scan", "data"], tmp_path, NO_COLOR="1")
    for shown in (coloured, plain):
        assert "fingerprint" in shown
        assert "LEAKS" in shown
    assert "\x1b[1;31mLEAKS" in coloured
    assert "\x1b[1;31m" not in plain
    assert not any(f"\x1b[{colour}m" in plain for colour in range(30, 38))


# Tables


def write_table(path: Path, rows: Iterable[tuple[object, ...]], *more: str) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "split", "path", *more), *rows])
    return path


def test_a_table_with_relative_and_absolute_paths(tmp_path: Path, here: Here) -> None:
    dataset(tmp_path / "sounds")
    elsewhere = write_pcm(tmp_path / "elsewhere.wav", sounds.music_like(1, 4.0))
    rows = [
        ("speech", "train", "sounds/train/speech.wav"),
        ("music", "train", "sounds/train/music.wav"),
        ("copy", "test", "sounds/test/copy.mp3"),
        ("same", "test", elsewhere),
        ("gone", "test", "sounds/test/gone.wav"),
    ]
    (tmp_path / "lists").mkdir()
    moved = write_table(tmp_path / "lists/all.csv", rows)
    assert here("scan", moved).status == 4  # nothing lies beside the table but the absolute path
    ran = here("scan", moved, "--root", tmp_path, "--json")
    assert ran.status == 1
    run_folder = Path(ran.json["run"])
    assert pairs(table(run_folder, "matches").to_pylist(), *LEAKS) == {
        ("copy", "speech"),
        ("music", "same"),
    }
    assert outcomes(run_folder)["gone"] == ("missing", "no such file")
    assert ran.json["coverage"]["audio"]["by_status"] == {"ok": 4, "missing": 1}


def test_stretches_of_one_file_are_items_of_their_own(tmp_path: Path, here: Here) -> None:
    tape = np.concatenate([sounds.speech_like(1, 4.0), sounds.music_like(1, 4.0)])
    write_pcm(tmp_path / "tape.wav", tape)
    write_av(tmp_path / "copy.mp3", sounds.music_like(1, 4.0))
    rows = [
        ("a", "train", "tape.wav", 0, 4),
        ("b", "test", "tape.wav", 4, 8),
        ("c", "test", "copy.mp3", "", ""),
        ("d", "val", "tape.wav", 4, 8),
        ("e", "val", "tape.wav", 9, 12),
    ]
    write_table(tmp_path / "t.csv", rows, "clip_start_s", "clip_end_s")
    ran = here("scan", "t.csv", "--json")
    run_folder = Path(ran.json["run"])
    rows_found = table(run_folder, "matches").to_pylist()
    assert pairs(rows_found, "exact") == {("b", "d")}
    assert pairs(rows_found, *LEAKS) == {("b", "d"), ("b", "c"), ("c", "d")}
    (near,) = [row for row in rows_found if (row["a"], row["b"]) == ("b", "c")]
    assert (near["a_start"], near["a_end"]) == pytest.approx((0, 4), abs=0.1)
    reason = "the stretch begins at 9 s, the file ends at 8 s"
    assert outcomes(run_folder)["e"] == ("unreadable", reason)


def test_stretches_that_begin_or_end_within_a_second_of_another_are_others(
    tmp_path: Path, here: Here
) -> None:
    write_pcm(tmp_path / "tape.wav", sounds.music_like(3, 4.0))
    rows = [
        ("a", "train", "tape.wav", 0.0, 3.4),
        ("b", "test", "tape.wav", 0.4, 3.4),
        ("c", "val", "tape.wav", 0.0, 3.0),
    ]
    write_table(tmp_path / "t.csv", rows, "clip_start_s", "clip_end_s")
    here("scan", "t.csv")
    found = table(Path(".splitaudit/runs/t"), "matches").to_pylist()
    assert pairs(found, "near_duplicate") == {("a", "b"), ("a", "c"), ("b", "c")}
    spans = {(x["a"], x["b"]): (x["a_start"], x["b_start"]) for x in found}
    assert spans["a", "b"] == pytest.approx((0.4, 0.0), abs=0.1)
    assert spans["b", "c"] == pytest.approx((0.0, 0.4), abs=0.1)


def test_overlapping_stretches_of_one_file_leak(tmp_path: Path, here: Here) -> None:
    write_pcm(tmp_path / "tape.wav", sounds.music_like(3, 12.0))
    rows = [("a", "train", "tape.wav", 0, 6), ("b", "test", "tape.wav", 3, 10)]
    write_table(tmp_path / "t.csv", rows, "clip_start_s", "clip_end_s")
    here("scan", "t.csv")
    (row,) = table(Path(".splitaudit/runs/t"), "matches").to_pylist()
    spans = row["a_start"], row["a_end"], row["b_start"], row["b_end"]
    assert (row["relation"], row["accepted"]) == ("overlap", True)
    assert spans == pytest.approx((3, 6, 0, 3), abs=0.1)


def test_an_id_in_two_splits_is_two_items(tmp_path: Path, here: Here) -> None:
    for name, seed in (("a.wav", 1), ("b.wav", 1), ("c.wav", 2), ("d.wav", 3)):
        write_pcm(tmp_path / name, sounds.speech_like(seed, 3.0))
    rows = [
        ("same", "train", "a.wav"),
        ("same", "test", "b.wav"),
        ("other", "train", "c.wav"),
        ("other", "test", "d.wav"),
    ]
    write_table(tmp_path / "t.csv", rows)
    ran = here("scan", "t.csv", "--json")
    run_folder = Path(ran.json["run"])
    found = table(run_folder, "matches").to_pylist()
    assert pairs(found, *LEAKS) == {("test/same", "train/same")}
    assert ran.json["leaks"]["test|train"]["by_relation"] == {"exact": {"items": 1, "pairs": 1}}
    assert ran.json["weak"]["test|train"]["by_reason"]["key:id"] == {"items": 2}
    assert "2 ids stand in more than one split" in ran.err


def test_labels_that_conflict_are_told(tmp_path: Path, here: Here) -> None:
    write_pcm(tmp_path / "a.wav", sounds.speech_like(1, 3.0))
    rows = [("a", "train", "a.wav", "dog"), ("b", "test", "a.wav", "cat")]
    write_table(tmp_path / "t.csv", rows, "label")
    here("scan", "t.csv")
    assert [row["label_conflict"] for row in here("leaks", "--json").json] == [True]


def test_films_are_audited_by_their_sound(tmp_path: Path, here: Here) -> None:
    data = dataset(tmp_path / "data")
    files.write_film(data / "test/film.mp4", sounds.music_like(1, 4.0))
    files.write_film(data / "test/mute.mp4", None)
    files.write_with_cover(data / "test/cover.mp4", sounds.ambient(9, 4.0))
    ran = here("scan", data, "--json")
    run_folder = Path(ran.json["run"])
    assert ("test/film.mp4", "train/music.wav") in pairs(
        table(run_folder, "matches").to_pylist(), *LEAKS
    )
    assert "test/mute.mp4" not in outcomes(run_folder)
    unsupported = ("unsupported", "frames are not audited yet")
    assert outcomes(run_folder, "video") == {
        "test/film.mp4": unsupported,
        "test/mute.mp4": unsupported,
    }
    assert ran.json["coverage"]["video"]["audited"] == 0
    assert ran.json["coverage"]["audio"]["by_status"] == {"ok": 6}
    only_sound = here("scan", data, "--checks", "audio", "--json")
    assert list(only_sound.json["coverage"]) == ["audio"]


# The other verbs, on what the scan wrote


def test_a_dataset_is_split_checked_exported_and_deduplicated(
    scanned: Scanned, here: Here, tmp_path: Path
) -> None:
    shutil.copytree(scanned.home / ".splitaudit", ".splitaudit")
    assert len(here("leaks", "--json").json) == 10
    assert len(here("leaks", "--duplicates", "--json").json) == 3
    assert here("leaks", "--limit", 2).out.count("...") == 1
    ran = here("split", "--json")
    assert ran.status == 0
    assert ran.json["moved"] == ran.json["lower_bound"] == 10
    assert here("check").status == 0
    assert here("export", "--to", "lists", "--format", "lists").status == 0
    assert here("check", "lists").status == 0
    first = scanned.truth.leaks[0]
    lists = {
        split: Path(f"lists/{split}.txt").read_text().splitlines() for split in ("train", "test")
    }
    home = "test" if first.a in lists["test"] else "train"
    away = "train" if home == "test" else "test"
    for split, ids in lists.items():
        kept = [item for item in ids if item != first.a] + [first.a] * (split == away)
        Path(f"lists/{split}.txt").write_text("".join(f"{item}\n" for item in kept))
    crossed = here("check", "lists", "--json")
    assert crossed.status == 1
    assert [(row["a"], row["b"]) for row in crossed.json["crossings"]] == [(first.a, first.b)]
    kept = here("dedup", "--json").json
    assert sum(row["action"] == "dropped" for row in kept) == 13
    joined = here("groups", "--policy", "duplicate").out
    assert joined.startswith("60 items in 47 groups; 13 groups hold more than one")
    report = here("report", "--to", "again.html")
    assert report.out == "again.html\n"
    assert Path("again.html").stat().st_size > 100_000
    here("scan", scanned.folder)
    assert here("check").status == 0  # what was written out still is what it was
    ran = here("export", "--to", "lists")  # conclusions from an older scan are no longer drawn
    assert (ran.status, "run `splitaudit split`" in ran.err) == (2, True)


def test_what_is_kept_holds_no_duplicates(scanned: Scanned, here: Here, tmp_path: Path) -> None:
    """Of the sounds with a jingle six suffice, where it need not be in more than five."""
    shutil.copytree(scanned.home / ".splitaudit", ".splitaudit")
    kept = [row for row in here("dedup", "--json").json if row["action"] == "kept"]
    episodes = {*scanned.truth.jingle_members[::4]}
    others = {*scanned.truth.jingle_members} - episodes
    rows = [
        (row["item_id"], row["split"], scanned.folder / row["item_id"])
        for row in kept
        if row["item_id"] not in others
    ]
    assert (len(kept), len(rows)) == (47, 29)
    table_of_kept = write_table(tmp_path / "kept.csv", rows)
    again = here("scan", table_of_kept, "--generic", 5, "--json")
    assert again.status == 0
    assert again.json["duplicates"]["train"]["items"] == 0
    assert again.json["verdict"] == "weak"  # the jingle


def test_a_dataset_that_nobody_may_write_to_is_scanned(tmp_path: Path, here: Here) -> None:
    data = dataset(tmp_path / "data")
    before = tree(data)
    for folder in (data / "train", data / "test", data):
        folder.chmod(0o555)
    try:
        assert here("scan", data).status == 1
    finally:
        for folder in (data, data / "train", data / "test"):
            folder.chmod(0o755)
    assert tree(data) == before
