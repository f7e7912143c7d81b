"""Files as a scan finds them: which are others by now, which stretch is meant, what is noted."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from splitaudit.engine import jobs
from splitaudit.engine.jobs import File, signature
from splitaudit.engine.store import Parts, digest
from splitaudit.schema import ERROR, UNDECIDED

WORDS = pa.schema({"key": pa.string(), "said": pa.string()})
FAULTS = pa.schema({"key": pa.string(), "status": pa.string(), "error": pa.string()})


def written(path: Path, text: str = "words") -> Path:
    path.write_text(text)
    return path


def file_of(path: Path, content_id: str = "") -> File:
    return File(str(path), None, None, signature(str(path)), content_id)


def rows(folder: Path) -> list[dict[str, Any]]:
    """Every fact below a folder, part by part."""
    parts = sorted(folder.glob("*.parquet"))
    return [row for part in parts for row in pq.read_table(part).to_pylist()]


def test_a_signature_is_size_both_times_and_number(tmp_path: Path) -> None:
    path = written(tmp_path / "a")
    found = path.stat()
    told = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    assert signature(str(path)) == "-".join(map(str, told))
    assert file_of(path).size == 5
    with pytest.raises(FileNotFoundError):
        signature(str(tmp_path / "b"))


def test_a_file_that_was_replaced_with_its_old_time_is_another_one(tmp_path: Path) -> None:
    """As `cp -p` and `rsync -t` do: only its ctime tells, which nobody can set."""
    path = written(tmp_path / "a", "old")
    file, old = file_of(path), path.stat()
    assert not file.changed
    while path.stat().st_ctime_ns == old.st_ctime_ns:  # until the clock of the disk has moved
        written(path, "new")
        os.utime(path, ns=(old.st_atime_ns, old.st_mtime_ns))
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns, now.st_ino) == (old.st_size, old.st_mtime_ns, old.st_ino)
    assert file.changed


def test_a_file_that_grew_or_is_newer_or_gone_is_another_one(tmp_path: Path) -> None:
    for number, change in enumerate(
        (
            lambda path: path.write_text("words more"),
            lambda path: os.utime(path, ns=(1, path.stat().st_mtime_ns + 1)),
            lambda path: path.unlink(),
        )
    ):
        path = written(tmp_path / str(number))
        file = file_of(path)
        change(path)
        assert file.changed


def identified(path: Path, stretch: str = "") -> File:
    """A file of which the bytes are known."""
    file = file_of(path)
    of_bytes = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    return dataclasses.replace(file, content_id=of_bytes + stretch)


def link(path: Path) -> None:
    path.with_name("link").hardlink_to(path)


def rename_a_copy(path: Path) -> None:
    """As rsync puts a file in its place: other times and another number, and the same bytes."""
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)


@pytest.mark.parametrize("stretch", ["", "@0.000000-1.000000"])
@pytest.mark.parametrize("move", [lambda path: path.chmod(0o640), link, Path.touch, rename_a_copy])
def test_a_file_that_was_read_is_what_it_holds_whatever_its_times_and_links(
    tmp_path: Path, move: Callable[[Path], object], stretch: str
) -> None:
    path = written(tmp_path / "a")
    file = identified(path, stretch)
    os.utime(path, ns=(1, path.stat().st_mtime_ns - 10**9))
    assert signature(str(path)) != file.signature
    move(path)
    assert not file.changed
    written(path, "other")  # as long
    assert file.changed


def test_a_file_is_identified_as_what_it_holds_and_left_out_where_it_grew(tmp_path: Path) -> None:
    files = [file_of(written(tmp_path / name)) for name in "abc"]
    (tmp_path / "a").chmod(0o600)
    written(tmp_path / "b", "other")
    written(tmp_path / "c", "longer words")
    jobs.identify(files, tmp_path / "facts")
    digests = {row["key"]: row["digest"] for row in rows(tmp_path / "facts")}
    assert digests == {
        file.name: hashlib.blake2b(text, digest_size=16).hexdigest()
        for file, text in zip(files, (b"words", b"other"), strict=False)
    }


def test_a_file_that_is_written_to_while_it_is_read_is_not_identified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a")
    file, read = file_of(path), hashlib.file_digest

    def read_and_write(*words: Any) -> Any:
        found = read(*words)
        written(path, "other")
        os.utime(path, ns=(1, 1))
        return found

    monkeypatch.setattr(hashlib, "file_digest", read_and_write)
    jobs.identify([file], tmp_path / "facts")
    assert rows(tmp_path / "facts") == []


def test_a_reason_is_one_line_that_a_table_can_hold() -> None:
    assert jobs.error_reason(OSError("caf\udce9\nno")) == "OSError: caf\\udce9 no"


@pytest.mark.parametrize(
    ("start_s", "end_s", "stretch"),
    [
        (None, None, ""),
        (0.0, None, "@0.000000-"),
        (None, 3.0, "@0.000000-3.000000"),
        (0.0, 3.0, "@0.000000-3.000000"),
        (0.4, 3.0, "@0.400000-3.000000"),
        (0.0, 3.4, "@0.000000-3.400000"),
        (0.000001, 3.000001, "@0.000001-3.000001"),
        (0.0000004, 2.9999996, "@0.000000-3.000000"),
        (61.25, None, "@61.250000-"),
    ],
)
def test_a_stretch_is_told_to_the_microsecond(
    start_s: float | None, end_s: float | None, stretch: str
) -> None:
    assert File("a", start_s, end_s, "1-2-3-4").stretch == stretch


def test_the_name_of_a_file_is_its_path_and_signature_and_no_stretch() -> None:
    file = File("a", None, None, "1-2-3-4")
    assert file.name == digest("a", "1-2-3-4")
    assert dataclasses.replace(file, path="b").name != file.name
    assert dataclasses.replace(file, signature="1-2-3-5").name != file.name
    assert dataclasses.replace(file, start_s=1.0, content_id="x").name == file.name


def test_bytes_are_digested_and_what_is_gone_is_left_out(tmp_path: Path) -> None:
    files = [file_of(written(tmp_path / name, name[0])) for name in ("x1", "x2", "y", "z")]
    (tmp_path / "z").unlink()
    assert jobs.identify(files, tmp_path / "facts") == 4
    of_x, of_y = (hashlib.blake2b(text, digest_size=16).hexdigest() for text in (b"x", b"y"))
    assert rows(tmp_path / "facts") == [
        {"key": files[0].name, "digest": of_x},
        {"key": files[1].name, "digest": of_x},
        {"key": files[2].name, "digest": of_y},
    ]
    assert Parts(tmp_path / "facts").path([file.name for file in files]).exists()


def test_of_files_that_a_process_died_of_nothing_is_known(tmp_path: Path) -> None:
    file = file_of(written(tmp_path / "x"))
    assert jobs.lost_identify([file], tmp_path / "facts") == 1
    assert rows(tmp_path / "facts") == []
    said = {"key": file.name, "status": UNDECIDED, "error": jobs.DIED}
    assert rows(tmp_path / "facts" / "undecided") == [said]


def test_what_is_said_of_a_file_that_changed_meanwhile_is_not_kept(tmp_path: Path) -> None:
    files = [file_of(written(tmp_path / name), name.upper()) for name in "abc"]

    def read(file: File) -> dict[str, str]:
        if file.content_id == "B":
            written(Path(file.path), "other words")
        return {"said": file.content_id.lower()}

    assert jobs.write_each(files, read, WORDS, tmp_path / "facts") == 3
    assert rows(tmp_path / "facts") == [{"key": "A", "said": "a"}, {"key": "C", "said": "c"}]
    assert Parts(tmp_path / "facts").path(["A", "B", "C"]).exists()


def test_a_decoder_that_crashed_is_noted_of_each_file(tmp_path: Path) -> None:
    files = [file_of(written(tmp_path / name), name.upper()) for name in "ab"]
    assert jobs.write_crashed(files, FAULTS, tmp_path / "facts") == 2
    said = {"status": ERROR, "error": "the decoder crashed"}
    assert rows(tmp_path / "facts") == [{"key": "A", **said}, {"key": "B", **said}]


def test_a_decoder_that_tripped_says_over_what_in_one_line() -> None:
    error = "the decoder failed: ValueError: no such tag"
    assert jobs.decode_error(ValueError("no\nsuch\ntag")) == {"status": ERROR, "error": error}
