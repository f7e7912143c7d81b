"""What a folder amounts to: splits, items, links, names, and all that is no plain file."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from splitaudit.dataset import IngestOptions, decode_path, encode_path, ingest
from splitaudit.dataset.dataset import split_name
from splitaudit.dataset.paths import safe_name
from splitaudit.errors import SplitauditError
from splitaudit.schema import ITEMS, MEDIA, MEMBERSHIPS


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def listed(target: Path) -> list[tuple[str, str, str | None]]:
    """Return (item, part, status) of every medium."""
    media = ingest(str(target)).media
    return list(
        zip(*(media[name].to_pylist() for name in ("item_id", "part", "status")), strict=True)
    )


def error_of(target: Path, item_id: str) -> str:
    media = ingest(str(target)).media.to_pylist()
    (error,) = {row["error"] for row in media if row["item_id"] == item_id}
    return error


def splits(target: Path) -> dict[str, str]:
    items = ingest(str(target)).items
    return dict(zip(items["item_id"].to_pylist(), items["split"].to_pylist(), strict=True))


@settings(deadline=None)
@given(st.binary().filter(lambda name: b"\0" not in name))
def test_any_name_can_be_written_as_text_and_back(name: bytes) -> None:
    text = encode_path(os.fsdecode(name))
    text.encode("utf-8")
    assert os.fsencode(decode_path(text)) == name


@settings(deadline=None)
@given(st.text(alphabet="\\x5ca8f\udc80\udcff", max_size=12))
def test_names_that_look_like_escapes_come_back_too(name: str) -> None:
    text = encode_path(name)
    text.encode("utf-8")
    assert decode_path(text) == name


def test_escapes_are_readable() -> None:
    assert encode_path(os.fsdecode(b"caf\xe9.wav")) == r"caf\xe9.wav"
    assert encode_path(r"C:\xylo\new.wav") == r"C:\x5cxylo\new.wav"


@settings(deadline=None)
@given(st.text(st.characters(codec=None)))
def test_a_safe_name_is_one_folder_below(name: str) -> None:
    safe = safe_name(name)
    assert "/" not in safe
    assert not safe.startswith(".")
    assert 0 < len(os.fsencode(safe)) < 256


@settings(max_examples=30, deadline=None)
@given(
    st.sets(
        st.tuples(
            st.sampled_from(["train", "test", "a\udce9", "b/c"]),
            st.binary(min_size=1, max_size=20).filter(
                lambda name: not name.startswith(b".") and not set(name) & {0, ord("/")}
            ),
        ),
        min_size=1,
    )
)
def test_every_file_is_found_under_its_own_name(names: set[tuple[str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = {os.path.join(folder, split, os.fsdecode(name) + ".wav") for split, name in names}
        for path in made:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "wb").close()
        dataset = ingest(folder)
        assert {decode_path(path) for path in dataset.media["path"].to_pylist()} == made
        ids = dataset.items["item_id"].to_pylist()
        assert ids == sorted(set(ids))
        assert {os.path.join(folder, decode_path(item)) for item in ids} == made


def test_first_level_folders_are_splits(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "Train/a.wav",
        "Train/deep/er/b.FLAC",
        "validation/c.mp3",
        "TEST/d.ogg",
        "Extra/e.m4a",
    )
    dataset = ingest(str(tmp_path))
    assert splits(tmp_path) == {
        "Extra/e.m4a": "Extra",
        "TEST/d.ogg": "test",
        "Train/a.wav": "train",
        "Train/deep/er/b.FLAC": "train",
        "validation/c.mp3": "val",
    }
    assert dataset.split_order == ("test", "val", "train", "Extra")
    assert dataset.unplaced == ("Extra",)
    assert (dataset.items.schema, dataset.media.schema) == (ITEMS, MEDIA)
    assert (dataset.memberships.schema, dataset.memberships.num_rows) == (MEMBERSHIPS, 0)
    assert dataset.items["captions"].to_pylist() == [[]] * 5
    assert dataset.items["attributes"].to_pylist() == [[]] * 5
    assert dataset.root == tmp_path
    assert dataset.media["path"][0].as_py() == str(tmp_path / "Extra/e.m4a")


@pytest.mark.parametrize("name", ["val", "Valid", "VALIDATION", "dev"])
def test_validation_has_many_names(name: str) -> None:
    assert split_name(name) == "val"


def test_parts_by_ending(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.wav", "train/b.mp4", "train/c.3gp", "train/d.JPG", "train/e.webm")
    assert listed(tmp_path) == [
        ("train/a.wav", "audio", None),
        ("train/b.mp4", "audio", None),
        ("train/b.mp4", "video", None),
        ("train/c.3gp", "audio", None),
        ("train/c.3gp", "video", None),
        ("train/d.JPG", "image", None),
        ("train/e.webm", "audio", None),
        ("train/e.webm", "video", None),
    ]


def test_a_flat_folder_is_audited_within_itself(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav", "b.wav")
    assert splits(tmp_path) == {"a.wav": "unsplit", "b.wav": "unsplit"}
    assert ingest(str(tmp_path)).notes == (
        "no split folders: audited for duplicates only; say --splits unsplit=train where all is "
        "one split",
    )


def test_one_split_is_audited_within_itself(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.wav")
    assert ingest(str(tmp_path)).notes == (
        "one split only (train): audited for duplicates within itself",
    )


def test_notes_say_what_was_taken_for_a_split_and_what_was_ignored(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "ios/a.caf",
        "android/a.3gp",
        "stray.wav",
        "info.csv",
        "x.txt",
        "ios/y.TXT",
        "docs/z",
    )
    assert ingest(str(tmp_path)).notes == (
        "no folder is named train, val or test (android, ios), and no list says which file is in "
        "which split: audited for duplicates only; where folders are splits, say "
        "--splits android=train,ios=test; else write a manifest",
        "ignored 4 files that are not media (.txt 2, without ending 1, .csv 1)",
    )


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.wav", "train/._a.wav", ".git/b.wav", "__MACOSX/train/a.wav")
    assert list(splits(tmp_path)) == ["train/a.wav"]


def test_names_of_every_kind(tmp_path: Path) -> None:
    names = [
        "new\nline.wav",
        "<b>&'\".wav",
        "🎵.wav",
        os.fsdecode(b"\xff\xfe.wav"),
        r"back\xslash.wav",
    ]
    touch(tmp_path, *(f"test/{name}" for name in names))
    dataset = ingest(str(tmp_path))
    assert set(dataset.items["item_id"].to_pylist()) == {
        "test/new\nline.wav",
        "test/<b>&'\".wav",
        "test/🎵.wav",
        r"test/\xff\xfe.wav",
        r"test/back\x5cxslash.wav",
    }
    assert all(os.path.isfile(decode_path(path)) for path in dataset.media["path"].to_pylist())


@pytest.mark.parametrize("name", ["nothing", "only text"])
def test_no_media_at_all(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    target.mkdir()
    if name == "only text":
        touch(target, "train/readme.txt")
    with pytest.raises(SplitauditError, match=f"no media found in .*{name}"):
        ingest(str(target))


def test_links_are_followed(tmp_path: Path) -> None:
    touch(tmp_path, "store/a.wav", "data/train/b.wav")
    (tmp_path / "data/test").symlink_to(tmp_path / "store")
    (tmp_path / "data/train/c.wav").symlink_to(tmp_path / "store/a.wav")
    assert splits(tmp_path / "data") == {
        "test/a.wav": "test",
        "train/b.wav": "train",
        "train/c.wav": "train",
    }


@pytest.mark.parametrize("back", [".", "..", "../..", "../../../.."])
def test_a_link_to_a_folder_above_is_one_row(tmp_path: Path, back: str) -> None:
    touch(tmp_path, "data/train/deep/a.wav")
    (tmp_path / "data/train/deep/loop").symlink_to(back)
    assert listed(tmp_path / "data") == [
        ("train/deep/a.wav", "audio", None),
        ("train/deep/loop", "audio", "unreadable"),
    ]
    assert error_of(tmp_path / "data", "train/deep/loop").startswith("a link loop: ")


def test_two_folders_that_link_to_each_other(tmp_path: Path) -> None:
    touch(tmp_path, "a/x.wav", "b/y.wav")
    (tmp_path / "a/to_b").symlink_to("../b")
    (tmp_path / "b/to_a").symlink_to("../a")
    assert listed(tmp_path) == [
        ("a/to_b/to_a", "audio", "unreadable"),
        ("a/to_b/y.wav", "audio", None),
        ("a/x.wav", "audio", None),
        ("b/to_a/to_b", "audio", "unreadable"),
        ("b/to_a/x.wav", "audio", None),
        ("b/y.wav", "audio", None),
    ]


def test_links_that_lead_nowhere(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.wav")
    (tmp_path / "train/self.wav").symlink_to("self.wav")
    (tmp_path / "train/gone.mp4").symlink_to("nowhere.mp4")
    (tmp_path / "train/note.txt").symlink_to("nowhere.txt")
    (tmp_path / "test").symlink_to("unmounted")  # perhaps a whole split
    assert listed(tmp_path) == [
        ("test", "audio", "missing"),
        ("train/a.wav", "audio", None),
        ("train/gone.mp4", "audio", "missing"),
        ("train/gone.mp4", "video", "missing"),
        ("train/self.wav", "audio", "unreadable"),
    ]
    assert error_of(tmp_path, "train/self.wav") == "a link loop: the link leads back to itself"
    assert error_of(tmp_path, "train/gone.mp4") == "a link to a file that does not exist"


def test_what_is_no_file_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "train/a.wav", "train/folder.wav/b.wav")
    os.mkfifo(tmp_path / "train/pipe.wav")  # to open it would wait for ever
    os.mkfifo(tmp_path / "train/pipe.txt")
    monkeypatch.chdir(tmp_path / "train")  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.wav")
        assert listed(tmp_path) == [
            ("train/a.wav", "audio", None),
            ("train/folder.wav/b.wav", "audio", None),
            ("train/pipe.wav", "audio", "unsupported"),
            ("train/socket.wav", "audio", "unsupported"),
        ]
    assert error_of(tmp_path, "train/pipe.wav") == "a named pipe, not a file"
    assert error_of(tmp_path, "train/socket.wav") == "a socket, not a file"


def test_a_folder_too_deep_to_list_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "train/a.wav")
    monkeypatch.chdir(tmp_path / "train")
    for _ in range(20):
        os.mkdir("d" * 250 + ".d")
        os.chdir("d" * 250 + ".d")
    ((_, deep),) = [
        (part, item) for item, part, status in listed(tmp_path) if status == "unreadable"
    ]
    assert deep.startswith("train/ddd")
    assert error_of(tmp_path, deep) == "File name too long"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_forbidden_folder_is_a_row(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.wav", "test/b.wav")
    (tmp_path / "test").chmod(0)
    try:
        assert splits(tmp_path) == {"test": "test", "train/a.wav": "train"}
        assert error_of(tmp_path, "test") == "the folder cannot be listed: Permission denied"
    finally:
        (tmp_path / "test").chmod(stat.S_IRWXU)


def test_a_path_deeper_than_pythons_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1100):
        os.mkdir("d")
        os.chdir("d")
    touch(Path(), "a.wav")
    try:
        assert ingest(str(tmp_path)).items.num_rows == 1
    finally:  # shutil.rmtree, with which pytest tidies up, would overrun the stack
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)


def test_a_name_is_safe_as_a_folder_name(tmp_path: Path) -> None:
    touch(tmp_path, "my data: <1>/train/a.wav")
    assert ingest(str(tmp_path / "my data: <1>")).name == "my_data_1"


def test_options_of_tables_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.wav")
    with pytest.raises(SplitauditError, match="--root is for tables"):
        ingest(str(tmp_path), IngestOptions(root=tmp_path))
    with pytest.raises(SplitauditError, match="--column maps the columns of a table"):
        ingest(str(tmp_path), IngestOptions(columns={"path": "file"}))


def test_a_folder_with_the_ending_of_a_table_is_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, "data.csv/train/a.wav")
    assert list(splits(tmp_path / "data.csv")) == ["train/a.wav"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("sounddsc", "did you mean 'sounddesc'"),
        ("nowhere.csv", "nowhere.csv: no such file"),
        ("text.txt", "is a file of another kind: a target is a shipped dataset"),
        ("pipe.csv", "neither a folder nor a regular file"),
    ],
)
def test_no_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "text.txt")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(SplitauditError, match=message):
        ingest(target)


def test_tables_hold_text_only(tmp_path: Path) -> None:
    touch(tmp_path, os.fsdecode(b"\xe9/\xe9.wav"))
    dataset = ingest(str(tmp_path))
    for table in (dataset.items, dataset.media):
        table.validate(full=True)
    assert dataset.split_order == (r"\xe9",)
    assert dataset.media["path"].type == pa.string()
