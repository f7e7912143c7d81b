"""Whatever lies in a folder becomes a row with a reason; nothing is raised, nothing looks clean."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import sound_files as files
import soundfile
from command import Here, outcomes, pairs, table, tables
from sound_files import RATE, write_av, write_pcm

from splitaudit.dataset import encode_path, ingest
from splitaudit.demo import sounds
from splitaudit.engine.progress import Quiet
from splitaudit.engine.stages import Settings, StageLog
from splitaudit.runs.audit import Audit
from splitaudit.scan import pipeline

SOUND = sounds.speech_like(1, 3.0)
BYTES = 2 * len(SOUND)

# What is wrong -> how it is made, its status, and what the reason must say.
FAULTS: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "zero.wav": (Path.touch, "unreadable", "the file is empty"),
    "text.wav": (lambda path: path.write_text("no sound\n" * 99), "unreadable", "no sound file"),
    "text.mp3": (lambda path: path.write_text("no sound\n" * 99), "unreadable", "no sound file"),
    "noise.flac": (lambda path: path.write_bytes(bytes(range(256)) * 9), "unreadable", "no sound"),
    "picture.wav": (files.write_jpeg_as, "unsupported", "holds no sound"),
    "cut.mp3": (lambda path: cut(write_av(path, SOUND)), "truncated", "1.80 s of 3.00 s declared"),
    "cut.m4a": (
        lambda path: cut(write_av(path, SOUND, {"movflags": "faststart"})),
        "truncated",
        "s of 3.00 s declared",
    ),
    "without_index.m4a": (lambda path: cut(write_av(path, SOUND)), "unreadable", "no sound file"),
    "cut.flac": (lambda path: cut(write_pcm(path, SOUND)), "truncated", "of 3.00 s declared"),
    "cut.ogg": (lambda path: cut(write_pcm(path, SOUND)), "truncated", "last Ogg page is cut"),
    "more.wav": (lambda path: lying(path, 2 * BYTES), "truncated", "declares 192,000 bytes"),
    "less.wav": (
        lambda path: lying(path, BYTES // 2),
        "truncated",
        "accounts for 48,044 of 96,044",
    ),
    "nan.wav": (lambda path: odd_numbers(path), "truncated", "not finite"),
    "one_sample.wav": (lambda path: write_pcm(path, SOUND[:1]), "unsupported", "is too short"),
    "90_ms.wav": (
        lambda path: write_pcm(path, SOUND[: RATE * 9 // 100]),
        "unsupported",
        "0.09 s is too short: compared as an equal copy only",
    ),
    "no_sample.wav": (lambda path: write_pcm(path, SOUND[:0]), "unreadable", "no sound could be"),
    "4_hertz.wav": (lambda path: write_pcm(path, SOUND[:40], rate=4), "unsupported", "4 Hz"),
    "codec.wav": (
        lambda path: path.write_bytes(files.tagged_wav(SOUND)),
        "unsupported",
        "no decoder",
    ),
    "speex.ogg": (lambda path: path.write_bytes(files.speex_ogg()), "unreadable", "no sound could"),
    "64_bits.wav": (lambda path: sixty_four_bits(path), "error", "the decoder failed: ValueError"),
    "loop.wav": (lambda path: path.symlink_to(path), "unreadable", "link loop"),
    "dangling.wav": (lambda path: path.symlink_to("gone.wav"), "missing", "does not exist"),
    "folder": (lambda path: path.symlink_to(path.parent), "unreadable", "link loop"),
    "pipe.wav": (os.mkfifo, "unsupported", "a named pipe"),
}
FINE: dict[str, Callable[[Path], object]] = {
    "good.wav": lambda path: write_pcm(path, sounds.music_like(2, 3.0)),
    "streamed.wav": lambda path: lying(path, 0, sounds.music_like(3, 3.0)),
    "200_channels.wav": lambda path: soundfile.write(
        path, np.tile(sounds.ambient(4, 1.0)[:, None], 200), RATE
    ),
    "silence.wav": lambda path: write_pcm(path, sounds.silence(1.0)),
}


def cut(path: Path) -> Path:
    return files.truncate(path, 0.6)


def lying(path: Path, declared: int, sound: np.ndarray = SOUND) -> None:
    path.write_bytes(files.wav_bytes(files.as_int16(sound).tobytes(), declared))


def odd_numbers(path: Path) -> None:
    odd = SOUND.astype(np.float64)
    odd[[100, 200]] = np.nan, np.inf
    soundfile.write(path, odd, RATE, subtype="FLOAT")


def sixty_four_bits(path: Path) -> None:
    """FFmpeg decodes them, and PyAV has no array for that."""
    content = bytearray(files.wav_bytes(bytes(8 * RATE), 8 * RATE))
    content[32:36] = (8).to_bytes(2, "little") + (64).to_bytes(2, "little")
    path.write_bytes(content)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset with everything that is bad in train, and what is good in test."""
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
    for name, (make, *_) in FAULTS.items():
        make(tmp_path / "data/train" / name)
    for name, fine in FINE.items():
        fine(tmp_path / "data/test" / name)
    return tmp_path / "data"


def test_every_fault_is_a_row_with_its_reason(folder: Path, here: Here) -> None:
    # All of them hold the beginning of one sound, so they are not compared with each other here.
    ran = here("scan", folder, "--json")
    assert "Traceback" not in ran.err
    assert (ran.status, ran.json["verdict"]) == (4, "incomplete")
    found = outcomes(Path(ran.json["run"]))
    for name, (_, status, reason) in FAULTS.items():
        assert found[f"train/{name}"][0] == status, (name, found[f"train/{name}"])
        assert reason in (found[f"train/{name}"][1] or ""), name
    assert {found[f"test/{name}"] for name in FINE} == {("ok", None), ("degenerate", "silence")}
    statuses = Counter(status for status, _ in found.values())
    coverage = ran.json["coverage"]["audio"]
    assert coverage["by_status"] == statuses
    assert coverage["items"] == len(FAULTS) + len(FINE)
    assert coverage["audited"] == statuses["ok"] + statuses["degenerate"] == len(FINE)


def test_faults_are_told_on_the_screen_and_in_the_report(folder: Path, here: Here) -> None:
    ran = here("scan", folder)
    assert "INCOMPLETE: no leak found, but only 4 of 28 items could be audited" in ran.out
    assert "and 14 more media that were not audited" in ran.out
    report = Path(".splitaudit/runs/data/report.html").read_text()
    for _, status, reason in FAULTS.values():
        assert status in report
        assert reason in report


def test_what_is_truncated_is_searched_all_the_same(tmp_path: Path, here: Here) -> None:
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
    write_pcm(tmp_path / "data/train/whole.wav", SOUND)
    cut(write_av(tmp_path / "data/test/cut.mp3", SOUND))
    ran = here("scan", tmp_path / "data", "--json")
    assert (ran.status, ran.json["verdict"]) == (1, "leaks")
    assert ran.json["leaks"]["test|train"]["by_relation"] == {"overlap": {"items": 1, "pairs": 1}}
    assert ran.json["coverage"]["audio"]["audited"] == 1


def test_equal_files_that_nothing_decodes_are_equal(tmp_path: Path, here: Here) -> None:
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
        (tmp_path / f"data/{split}/riddle.wav").write_bytes(b"the same riddle")
        (tmp_path / f"data/{split}/empty.wav").touch()
        write_pcm(tmp_path / f"data/{split}/click.wav", SOUND[:100])
    ran = here("scan", tmp_path / "data", "--json")
    found = table(Path(ran.json["run"]), "matches").to_pylist()
    assert pairs(found, "exact") == {
        ("test/click.wav", "train/click.wav"),
        ("test/riddle.wav", "train/riddle.wav"),
    }


def test_the_shortest_sounds_are_compared_as_equal_copies_and_longer_ones_by_ear(
    tmp_path: Path, here: Here
) -> None:
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
    ending, noise = {"train": "wav", "test": "flac"}, sounds.white_noise(1, 1.0)
    lengths = {"90_ms": 0.09, "100_ms": 0.1, "150_ms": 0.15}
    for seed, (name, seconds) in enumerate(lengths.items()):
        clip = sounds.speech_like(seed, 2.0)[RATE:][: round(seconds * RATE)]
        for split, suffix in ending.items():
            write_pcm(tmp_path / f"data/{split}/{name}.{suffix}", clip)
        other = sounds.ambient(seed, 2.0)[RATE:][: len(clip)]
        write_pcm(tmp_path / f"data/train/{name}_original.wav", other)
        changed = (other + np.float32(0.01) * noise[: len(other)]) / 2
        write_pcm(tmp_path / f"data/test/{name}_changed.wav", changed)
    ran = here("scan", tmp_path / "data", "--json")
    assert (ran.status, ran.json["verdict"]) == (1, "leaks")
    run = Path(ran.json["run"])
    matches = table(run, "matches").to_pylist()
    assert pairs(matches, "exact") == {
        (f"test/{name}.flac", f"train/{name}.wav") for name in lengths
    }
    assert pairs(matches, "near_duplicate", "overlap") == {
        (f"test/{name}_changed.wav", f"train/{name}_original.wav") for name in ("100_ms", "150_ms")
    }
    for item, (status, reason) in outcomes(run).items():
        short = "90_ms" in item
        assert status == ("unsupported" if short else "ok")
        assert (reason == "0.09 s is too short: compared as an equal copy only") == short


def test_short_tones_are_looked_at_and_match_nothing(tmp_path: Path, here: Here) -> None:
    """Of two steady tones nothing says that one is a copy of the other."""
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
    t = np.arange(RATE) / RATE
    for seconds in (0.1, 0.15, 0.2, 0.4, 0.6):
        for split, phase in (("train", 0.0), ("test", 1.0)):
            tone = (0.5 * np.sin(2 * np.pi * 1_000 * t + phase)).astype(np.float32)
            write_pcm(tmp_path / f"data/{split}/{seconds}.wav", tone[: round(seconds * RATE)])
    ran = here("scan", tmp_path / "data", "--json")
    assert (ran.status, ran.json["verdict"]) == (0, "clean")
    found = outcomes(Path(ran.json["run"]))
    assert set(found.values()) == {("degenerate", "too quiet or too steady to compare")}


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: (path / "train").mkdir(parents=True)])
def test_an_empty_folder_says_so(tmp_path: Path, here: Here, make: Callable[[Path], None]) -> None:
    make(tmp_path / "data")
    ran = here("scan", "data")
    assert ran.status == 2
    assert ran.err == (
        f"splitaudit: no media found in {tmp_path}/data: expected sound files in folders such as "
        "train and test\n"
    )


def test_a_folder_without_splits_is_audited_within_itself(tmp_path: Path, here: Here) -> None:
    (tmp_path / "data").mkdir()
    for name in ("a.wav", "b.wav"):
        write_pcm(tmp_path / "data" / name, SOUND)
    ran = here("scan", "data", "--json")
    assert "no split folders: audited for duplicates only" in ran.err
    assert (ran.status, ran.json["verdict"]) == (5, "duplicates")
    assert ran.json["duplicates"] == {"unsplit": {"items": 2, "pairs": 1, "groups": 1}}
    said = "DUPLICATES: 1 pair of copies, and no split is known"
    assert said in here("scan", "data").out
    one = here("scan", "data", "--splits", "unsplit=train")
    assert (one.status, "there is only one split, so nothing can leak" in one.out) == (5, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path, here: Here) -> None:
    (tmp_path / "data/test").mkdir(parents=True)
    write_pcm(tmp_path / "data/test/secret.wav", SOUND).chmod(0)
    ran = here("scan", "data", "--json")
    assert ran.status == 4
    assert outcomes(Path(ran.json["run"])) == {
        "test/secret.wav": ("unreadable", "Permission denied")
    }


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux")
def test_a_file_that_fails_while_it_is_read(tmp_path: Path, here: Here) -> None:
    (tmp_path / "data/test").mkdir(parents=True)
    (tmp_path / "data/test/broken_disk.wav").symlink_to("/proc/self/mem")
    ran = here("scan", "data", "--json")
    assert ran.status == 4
    assert outcomes(Path(ran.json["run"])) == {
        "test/broken_disk.wav": ("unreadable", "Input/output error")
    }


class Vandal(Quiet):
    """Change a dataset when a stage begins."""

    def __init__(self, stage: str, deed: Callable[[], object]) -> None:
        self.stage, self.deed = stage, deed

    def start(self, stage: str, total: int) -> None:
        if stage == self.stage:
            self.deed()


@pytest.mark.parametrize("stage", ["identify", "fingerprint", "search", "verify"])
@pytest.mark.parametrize("deed", ["delete", "replace"])
def test_a_file_that_vanishes_during_the_scan(tmp_path: Path, stage: str, deed: str) -> None:
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
    write_pcm(tmp_path / "data/train/whole.wav", SOUND)
    write_pcm(tmp_path / "data/test/other.wav", sounds.music_like(1, 3.0))
    victim = write_av(tmp_path / "data/test/victim.mp3", SOUND)

    def harm() -> None:
        if deed == "delete":
            victim.unlink()
        else:
            write_av(victim, sounds.music_like(9, 4.0))

    settings = Settings(tmp_path / "cache", processes=1)
    audit = Audit(tmp_path / "run", settings, ingest(str(tmp_path / "data")))
    audit.scan(progress=Vandal(stage, harm))
    found = outcomes(tmp_path / "run")
    assert audit.summary()["verdict"] == "incomplete"
    if stage in ("identify", "fingerprint"):
        gone = "missing", "vanished during the scan"
        changed = "error", "changed during the scan: run it again"
        assert found["test/victim.mp3"] == (gone if deed == "delete" else changed)
        assert found["train/whole.wav"] == found["test/other.wav"] == ("ok", None)
    else:  # it was searched as what it was, and cannot be compared any more
        for item in ("test/victim.mp3", "train/whole.wav"):
            status, reason = found[item]
            assert status == "undecided"
            assert "changed during the scan: run it again" in (reason or "")
        failed = {(row["a"], row["b"]) for row in tables(audit.run)["failed"]}
        assert ("test/victim.mp3", "train/whole.wav") in failed
    # What was learnt of files that changed meanwhile must not be believed later.
    again = Audit(tmp_path / "again", settings, ingest(str(tmp_path / "data"))).scan()
    fresh_settings = Settings(tmp_path / "fresh_cache", processes=1)
    fresh = Audit(tmp_path / "fresh", fresh_settings, ingest(str(tmp_path / "data"))).scan()
    assert tables(again.run) == tables(fresh.run)


def test_a_file_that_vanishes_before_the_scan(tmp_path: Path) -> None:
    (tmp_path / "data/test").mkdir(parents=True)
    victim = write_pcm(tmp_path / "data/test/victim.wav", SOUND)
    dataset = ingest(str(tmp_path / "data"))
    victim.unlink()
    found = pipeline.scan(dataset, Settings(tmp_path / "cache"), StageLog(Quiet()))
    assert found["media"]["status"].to_pylist() == ["missing"]
    assert found["media"]["error"].to_pylist() == ["there is no such file"]


HOSTILE = (
    "new\nline.wav",
    "[bold red]markup[/bold red].wav",
    "<img src=x onerror=alert(1)>.wav",
    "&lt;script&gt;.wav",
    "</script><script>alert(1)<!--.wav",
    "\N{MUSICAL NOTE}\N{FAMILY}.wav",
    "caf\udce9.wav",
    "right\u202eto left.wav",
    "quote\"'`$(touch owned).wav",
    "back\\slash\\x41.wav",
    "-rf.wav",
    "a,b;c\td.wav",
)


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Path]:
    """A dataset in which each item of test is one of train, and all have names that do harm."""
    folder = tmp_path / "hostile <b>[i]\n\udcff"
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
    for seed, name in enumerate(HOSTILE):
        plain = write_pcm(tmp_path / "plain.wav", sounds.distinct_sound(seed, 2.0)).read_bytes()
        for split in ("train", "test"):
            (folder / split / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / split / name).write_bytes(plain)
    yield folder
    assert not list(Path.cwd().rglob("owned"))


def test_hostile_names_go_through_every_verb(
    hostile: Path, here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "240")  # wide enough for each name to stand on one line
    ids = {(f"test/{name}", f"train/{name}") for name in map(encode_path, HOSTILE)}
    ran = here("scan", hostile, "--json")
    assert (ran.status, ran.err) == (1, "")
    assert pairs(table(Path(ran.json["run"]), "matches").to_pylist(), "exact") == ids
    on_screen = here("scan", hostile)
    listed = here("leaks", "--limit", 50)
    for shown in (on_screen, listed, here("groups"), here("dedup"), here("split")):
        assert shown.err == ""
        assert "\x1b" not in shown.out
        assert "\u202e" not in shown.out
    assert "new\\nline.wav" in listed.out
    assert "[bold red]markup[/bold red].wav" in listed.out
    assert "caf\\xe9.wav" in listed.out
    assert {(row["a"], row["b"]) for row in here("leaks", "--json").json} == ids
    assert here("check").status == 0
    exported = here("export", "--to", "clean")
    assert exported.status == 0
    assert here("check", "clean").status == 0
    lists = here("export", "--to", "lists", "--format", "lists")
    assert lists.status == 2
    assert "cannot stand on a line of a list; export to Parquet instead" in lists.err
    assert here("report", "--to", "report.html").status == 0
    page = Path("report.html").read_text(encoding="utf-8")
    for harm in ("<img src=x", "<script>alert", "<!--.wav", "\u202e", "<b>[i]"):
        assert harm not in page
    assert "onerror=alert(1)" in page  # as text


TABLE = """id,path,split,clip_start_s
a,a.wav,train,
,b.wav,test,
c,,test,
d,d.wav,test,soon
e,e.wav,test,
e,f.wav,test,
"""


def test_a_table_with_faults_tells_all_of_them_with_their_lines(tmp_path: Path, here: Here) -> None:
    (tmp_path / "t.csv").write_text(TABLE)
    ran = here("scan", "t.csv")
    assert ran.status == 2
    for told in (
        "line 3: id is empty",
        "line 4: path is empty",
        "line 5: clip_start_s: expected a finite number, found 'soon'",
        "line 7: id 'e' of split 'test' has a second path for its audio: 'f.wav' after 'e.wav'",
    ):
        assert told in ran.err
    assert not (tmp_path / ".splitaudit").exists()


def test_a_table_without_its_columns_tells_which(tmp_path: Path, here: Here) -> None:
    (tmp_path / "t.csv").write_text("name,filename,subset\nx,a.wav,train\n")
    ran = here("scan", "t.csv")
    assert ran.status == 2
    for told in ("column 'path' is missing", "path=filename", "column 'split'", "split=subset"):
        assert told in ran.err


# By a process between: what a process is said to need begins with what its parent needs.
MEMORY = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.slow
def test_five_hours_need_no_five_hours_of_memory(tmp_path: Path) -> None:
    """Which at 16 kHz would be 1.15 GB, beside half a GB that any scan takes."""
    rate = 2_000
    for split in ("train", "test"):
        (tmp_path / "data" / split).mkdir(parents=True)
    minutes = np.zeros(rate * 600, np.int16)
    with soundfile.SoundFile(tmp_path / "data/train/five_hours.flac", "w", rate, 1) as file:
        for ten_minutes in range(30):
            minutes[: 5 * rate] = 0
            if ten_minutes % 20 == 7:
                minutes[: 5 * rate] = files.as_int16(sounds.music_like(ten_minutes, 5.0))[::8]
            file.write(minutes)
    write_pcm(tmp_path / "data/test/other.wav", SOUND)
    command = [sys.executable, "-c", MEMORY, sys.executable, "-m", "splitaudit.cli", "scan", "data"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert int(ran.stdout.splitlines()[-1]) < 1_000_000  # kB
    media = table(tmp_path / ".splitaudit/runs/data", "media").to_pylist()
    assert [row["duration_s"] for row in media] == [3.0, 18_000.0]
