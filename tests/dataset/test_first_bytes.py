"""What is said of files whose endings name no medium."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from splitaudit.dataset import Dataset, ingest
from splitaudit.dataset.file_kinds import kind_of
from splitaudit.dataset.first_bytes import recognise
from splitaudit.demo import sounds

SOUND = sounds.speech_like(1, 0.5)


def told(path: Path) -> tuple[str | None, str | None]:
    kind, (status, _) = recognise(str(path), path.name)
    return kind, status


def with_bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "form",
    ["WAV", "FLAC", "OGG", "AIFF", "AU", "CAF", "W64", "RF64", "NIST", "VOC", "IRCAM", "MP3"],
)
def test_sounds_are_told_by_their_first_bytes(tmp_path: Path, form: str) -> None:
    if form not in soundfile.available_formats():
        pytest.skip(f"libsndfile does not write {form}")
    content = io.BytesIO()
    soundfile.write(content, SOUND, 16_000, format=form)
    for name in ("a", "a.bin", "a.dat", "a.0001"):
        kind, status = told(with_bytes(tmp_path / name, content.getvalue()))
        assert (kind, status) in (("audio", None), ("video", None))  # which is sound or film


@pytest.mark.parametrize(
    "form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF", "ICO", "SGI"]
)
def test_pictures_are_told_by_their_first_bytes(tmp_path: Path, form: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, form)
    assert told(with_bytes(tmp_path / "picture", content.getvalue())) == ("image", None)


@pytest.mark.parametrize(
    "name",
    [*("a.sph", "a.dts", "a.gsm", "a.voc", "a.mpc", "a.dsf", "a.dff", "a.mp1", "a.AU", "a.qoa")],
)
def test_sounds_of_rare_kinds_are_known_by_their_endings(name: str) -> None:
    assert kind_of(name) == "audio"


@pytest.mark.parametrize(
    "name", ["a.jfif", "a.avif", "a.ppm", "a.pgm", "a.pbm", "a.pnm", "a.jp2", "a.tga", "a.ico"]
)
def test_pictures_of_rare_kinds_are_known_by_their_endings(name: str) -> None:
    assert kind_of(name) == "image"


TEXTS = {
    "labels.txt": b"\x89PNG is a word here",
    "README": b"What this is, and whose.\n",
    "LICENSE": "caf\u00e9 \u00a9\n".encode("latin-1"),
    "checksums": b"d41d8cd98f00b204e9800998ecf8427e  a.wav\n",
    "words.lst": "one\ntwo\n".encode("utf-16"),
    "nothing": b"",
    "nothing.npy": b"",
    "paper.pdf": b"%PDF-1.7\n\0\0",
    "paper": b"%PDF-1.7\n\0\0",
    "tool": b"\x7fELF\2\1\1\0",
    "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_plainly_no_medium_is_passed_over(tmp_path: Path, name: str) -> None:
    assert told(with_bytes(tmp_path / name, TEXTS[name])) == (None, None)


OTHERS = {
    "a.xyz": bytes(range(256)),
    "a": b"\0\1\2\3" * 99,
    "a.raw": b"\0\1" * 99,
    "a.npy": b"\x93NUMPY\1\0",
    "batch_1": b"\x80\x02}q\x01(U\x04data",
    "a.tfrecord": b"\x10\0\0\0\0\0\0\0",
    "a.jxl": b"\xff\x0a\0\0",
    "photo": b"\xff\x0a\0\0",
    "scan": bytes(128) + b"DICM",
    "a.7z": b"7z\xbc\xaf\x27\x1c",
    "a.rar": b"Rar!\x1a\7\1\0",
    "a.tar": b"no archive\0",
    "broken.zip": b"PK\3\4 and no more",
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_may_be_a_medium_says_what_to_do(tmp_path: Path, name: str) -> None:
    path = with_bytes(tmp_path / name, OTHERS[name])
    kind, (status, reason) = recognise(str(path), path.name)
    assert (kind, status) == ("unknown", "unsupported")
    assert any(word in (reason or "") for word in ("convert", "unpack"))


def archive(path: Path, *names: str) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name in names:
                packed.writestr(name, b"abc")
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as packed:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 3
            packed.addfile(member, io.BytesIO(b"abc"))
    return path


@pytest.mark.parametrize("name", ["a.tar", "a.tgz", "a.zip", "a"])
def test_an_archive_counts_where_it_lists_media(tmp_path: Path, name: str) -> None:
    kind, (status, reason) = recognise(
        str(archive(tmp_path / name, "x/1.wav", "x/2.jpg", "x/n.txt")), name
    )
    assert (kind, status) == ("unknown", "unsupported")
    assert reason == "an archive that holds media (2 files): unpack it"
    assert told(archive(tmp_path / name, "paper.txt", "code.py")) == (None, None)


def test_one_packed_file_may_hold_anything(tmp_path: Path) -> None:
    assert told(with_bytes(tmp_path / "a.gz", gzip.compress(bytes(1000)))) == (
        "unknown",
        "unsupported",
    )
    assert told(with_bytes(tmp_path / "words.txt.gz", gzip.compress(b"words " * 99))) == (
        None,
        None,
    )
    assert told(with_bytes(tmp_path / "a.wav.gz", gzip.compress(b"RIFF")))[0] == "unknown"


def rows(target: Path) -> list[tuple[str, str, str | None]]:
    media = ingest(str(target)).media
    names = ("item_id", "part", "status")
    return list(zip(*(media[name].to_pylist() for name in names), strict=True))


def test_unknown_files_are_rows_of_what_there_is_most(tmp_path: Path) -> None:
    for name in ("train/1.jpg", "train/2.jpg", "train/a.wav", "test/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with_bytes(tmp_path / "test" / "b.xyz", b"\0\1\2")
    with_bytes(tmp_path / "test" / "c", b"\x89PNG\r\n\x1a\n")
    assert [row for row in rows(tmp_path) if row[0].startswith("test")] == [
        ("test/b.xyz", "image", "unsupported"),
        ("test/c", "image", None),
    ]
    assert ingest(str(tmp_path)).notes == ("ignored 1 file that is not media (.txt 1)",)


def test_a_link_to_nothing_is_missing_unless_it_is_plainly_no_medium(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train/a.wav").touch()
    for name in ("b.xyz", "b.txt"):
        (tmp_path / "train" / name).symlink_to("nowhere")
    assert rows(tmp_path) == [
        ("train/a.wav", "audio", None),
        ("train/b.xyz", "audio", "missing"),
    ]


def odd_files(root: Path) -> Path:
    """A sound, a film's container, a picture, an unknown file and a text, none with an ending."""
    content = io.BytesIO()
    soundfile.write(content, SOUND, 16_000, format="WAV")
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(picture, "PNG")
    (root / "data").mkdir()
    with_bytes(root / "data/sound.0001", content.getvalue())
    with_bytes(root / "data/picture", picture.getvalue())
    with_bytes(root / "data/odd.xyz", bytes(range(256)) * 9)
    with_bytes(root / "data/words", b"a text\n")
    return root


ODD = {
    "data/sound.0001": ("audio", None),
    "data/picture": ("image", None),
    "data/odd.xyz": ("audio", "unsupported"),
}


def listed(dataset: Dataset) -> dict[str, tuple[str, str | None]]:
    return {row["item_id"]: (row["part"], row["status"]) for row in dataset.media.to_pylist()}


def test_what_a_table_names_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    odd_files(tmp_path)
    rows = "".join(f"{name},train\n" for name in (*ODD, "data/words"))
    (tmp_path / "t.csv").write_text(f"path,split\n{rows}")
    found = ingest(str(tmp_path / "t.csv"))
    assert listed(found) == ODD | {"data/words": ("audio", "unsupported")}
    reasons = {row["item_id"]: row["error"] for row in found.media.to_pylist()}
    assert reasons["data/odd.xyz"].startswith("neither its ending nor its first bytes say what")
    assert "a column 'modality'" in reasons["data/words"]


def test_what_lies_in_a_folder_of_a_manifest_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    odd_files(tmp_path)
    table = '[[tables]]\npath = "data"\nformat = "folder"\nsplit = "train"\n'
    (tmp_path / "mine.toml").write_text(f'[dataset]\nname = "mine"\n\n{table}')
    found = ingest(str(tmp_path / "mine.toml"))
    assert listed(found) == ODD
    assert any("ignored 1 file that is not media (without ending 1)" in n for n in found.notes)
