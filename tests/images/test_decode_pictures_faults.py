"""Picture files that are damaged, no pictures, too large or not there: each says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import picture_files as files
import pytest
from numpy.testing import assert_array_equal
from picture_files import cmyk, difference, encoded, photograph, read, write
from PIL import Image

from splitaudit import schema
from splitaudit.errors import MediaError
from splitaudit.images.decode.pictures import load

PHOTO = photograph()
GREY = np.asarray(Image.fromarray(PHOTO).convert("L"))


def became(path: Path, data: bytes) -> str:
    try:
        return read(path, data, short_side=64, grey=True).status
    except MediaError as error:
        return error.status


def refusal(path: str) -> tuple[str, str]:
    with pytest.raises(MediaError) as caught:
        load(path, short_side=128, grey=True)
    return caught.value.status, caught.value.reason


def peak(path: str) -> int:
    """Bytes that the process of a reader holds at most."""
    code = (
        "import resource, sys; from splitaudit.images.decode.pictures import load\n"
        "from splitaudit.errors import MediaError\n"
        "try: load(sys.argv[1], short_side=128, grey=True)\n"
        "except MediaError as error: print(error, file=sys.stderr)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_gif_of_1000_frames_takes_the_memory_of_one(tmp_path: Path) -> None:
    first, *rest = files.frames(1000, 200)
    paths = [
        write(tmp_path / "1.gif", encoded(first, "GIF")),
        write(tmp_path / "1000.gif", encoded(first, "GIF", save_all=True, append_images=rest)),
    ]
    assert os.path.getsize(paths[1]) > 30e6
    assert peak(paths[1]) - peak(paths[0]) < 10e6


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    path = write(tmp_path / "bomb.png", files.bomb(30_000))
    assert os.path.getsize(path) < 9e6
    assert refusal(path) == (
        schema.UNSUPPORTED,
        "900,000,000 pixels are more than the 178,956,970 that are decoded",
    )
    assert peak(path) - peak(write(tmp_path / "a.png", encoded(PHOTO, "PNG"))) < 10e6


def test_a_bomb_is_refused_whatever_pillow_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "bomb.png", files.bomb(13_500, rows=0))
    for limit in (None, 10**9, 10**6):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert refusal(path)[1].startswith("182,250,000 pixels are more than")


# What is wrong with files.

JPEG = encoded(PHOTO, "JPEG", quality=90)
PNG = encoded(PHOTO, "PNG")


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


PART = {
    "jpeg": half(JPEG),
    "jpeg progressive": half(encoded(PHOTO, "JPEG", quality=90, progressive=True)),
    "jpeg cmyk": half(encoded(cmyk(PHOTO), "JPEG")),
    "jpeg whose decoder lost its way": JPEG[:-2] + JPEG[-70:-10] + JPEG[-2:],
    "jpeg damaged": JPEG[: len(JPEG) // 2] + b"\x5a" * 300 + JPEG[len(JPEG) // 2 + 300 :],
    "png": half(PNG),
    "png damaged": half(PNG) + b"\0" * 40 + PNG[len(PNG) // 2 + 40 :],
    "png of a broken chunk": files.broken_chunk(PNG),
    "gif": half(encoded(GREY, "GIF")),
    "bmp": half(encoded(PHOTO, "BMP")),
    "tiff": half(encoded(PHOTO, "TIFF")),
}
NOTHING = {
    "text": b"This is no picture, whatever its name says.\n" * 20,
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
    "zeros": bytes(5000),
    "one byte": b"\xff",
    "jpeg's first bytes": JPEG[:20],
    "jpeg's head": JPEG[: JPEG.index(b"\xff\xda") + 14],
    "png's head": PNG[:45],
    "png of a broken head": PNG[:18] + b"\xff" + PNG[19:],
    "webp's head": encoded(PHOTO, "WEBP")[:60],
    "avif": half(encoded(PHOTO, "AVIF")),
    "gif's head": encoded(GREY, "GIF")[:20],
}


@pytest.mark.parametrize("name", PART)
def test_a_part_is_told_truncated_and_still_read(tmp_path: Path, name: str) -> None:
    picture = read(tmp_path, PART[name])
    assert picture.status == schema.TRUNCATED
    assert (picture.error or "").startswith("only a part could be read: ")
    assert picture.pixels.shape == (picture.height, *PHOTO.shape[1:])
    levels = 40 if "progressive" in name else 12  # a coarse whole, instead of a fine part
    assert len(picture.pixels) > 80  # the rows that were decoded
    many = min(100, len(picture.pixels))
    there = slice(-many, None) if name == "bmp" else slice(0, many)  # stored from below
    assert difference(picture.pixels[there], PHOTO[there]) < levels or name == "gif"


@pytest.mark.parametrize("name", NOTHING)
def test_what_is_no_picture_says_so(tmp_path: Path, name: str) -> None:
    status, reason = refusal(write(tmp_path / "picture.jpg", NOTHING[name]))
    assert status == schema.UNREADABLE
    assert "\n" not in reason
    assert str(tmp_path) not in reason


def test_a_jpeg_that_lacks_its_end_marker_alone_is_whole(tmp_path: Path) -> None:
    whole = read(tmp_path, JPEG)
    for data in (JPEG[:-2], JPEG[:-1], JPEG + b"trailer" * 9, JPEG[:-2] + bytes(5) + JPEG[-2:]):
        picture = read(tmp_path, data)
        assert picture.status == schema.OK
        assert_array_equal(picture.pixels, whole.pixels)


def test_a_progressive_jpeg_cut_anywhere_is_never_whole(tmp_path: Path) -> None:
    data = encoded(photograph(1, 48, 64), "JPEG", quality=30, progressive=True)
    statuses = {became(tmp_path, data[:n]) for n in range(1, len(data) - 2)}
    assert statuses == {schema.TRUNCATED, schema.UNREADABLE}


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    assert refusal(str(tmp_path / "no.png")) == (schema.MISSING, "there is no such file")


def test_what_cannot_be_opened_is_unreadable(tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    assert refusal(str(loop))[0] == schema.UNREADABLE
    assert refusal(str(tmp_path)) == (schema.UNREADABLE, "Is a directory")
    assert refusal(write(tmp_path / "a.png", b"")) == (schema.UNREADABLE, "the file is empty")


@pytest.mark.parametrize("name", [b"caf\xe9.jpg", b"a b\n.jpg", b"\xff\xfe"])
def test_names_of_any_bytes_are_read(tmp_path: Path, name: bytes) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    for data in (JPEG, PNG):
        with open(path, "wb") as file:
            file.write(data)
        assert load(os.fsdecode(path)).status == schema.OK


@pytest.mark.parametrize("at", range(0, 26, 2))
def test_odd_metadata_spoil_no_picture(tmp_path: Path, at: int) -> None:
    data = bytearray(files.turned(PHOTO, 6, "JPEG"))
    start = data.index(b"Exif") + 6
    data[start + at] = 0xFE
    picture = read(tmp_path, bytes(data))
    assert picture.status == schema.OK
    assert {picture.width, picture.height} == {320, 240}


@pytest.mark.parametrize("exif", [b"", b"MM", b"MM\0*\0\0\0\x08\0\xff", b"\xff" * 30])
def test_metadata_that_cannot_be_parsed_spoil_no_picture(tmp_path: Path, exif: bytes) -> None:
    webp = encoded(PHOTO, "WEBP", exif=b"Exif\0\0" + exif)
    for data in (files.with_exif(JPEG, b"Exif\0\0" + exif), files.png_with_exif(PNG, exif), webp):
        picture = read(tmp_path, data)
        assert (picture.status, picture.width) == (schema.OK, 320)


def test_orientations_that_do_not_exist_are_none(tmp_path: Path) -> None:
    exif = Image.Exif()
    for value in (0, 9, 300):
        exif[0x0112] = value
        assert read(tmp_path, encoded(PHOTO, "JPEG", exif=exif)).pixels.shape == PHOTO.shape


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "TIFF", "BMP", "WEBP", "TGA", "JPEG2000"])
def test_damage_anywhere_is_a_picture_or_a_reason(tmp_path: Path, form: str) -> None:
    rng = np.random.default_rng(2)
    small = photograph(3, 48, 64)
    data = encoded(small, form)
    for _ in range(40):
        at = int(rng.integers(0, len(data) if rng.random() < 0.5 else 64))
        damaged = data[:at] + bytes(rng.integers(0, 256, 3, dtype=np.uint8)) + data[at + 3 :]
        status = became(tmp_path, damaged[: rng.integers(1, 2 * len(data))])
        assert status in (schema.OK, schema.TRUNCATED, schema.UNREADABLE, schema.UNSUPPORTED)


# What is not installed.


MISSING = {
    "PIL": ('pip install "splitaudit[images]"', JPEG),
    "simplejpeg": ('pip install "splitaudit[images]"', JPEG),
    "pillow_heif": ('pip install "splitaudit[heic]"', files.heic(PHOTO, 1)),
}


@pytest.mark.parametrize("package", MISSING)
def test_what_is_missing_names_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    remedy, data = MISSING[package]
    monkeypatch.setitem(sys.modules, package, None)
    status, reason = refusal(write(tmp_path / "a.jpg", data))
    assert status == schema.UNSUPPORTED
    assert remedy in reason


def test_the_others_are_read_without_heic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for form in ("JPEG", "AVIF", "PNG"):
        assert read(tmp_path, encoded(PHOTO, form)).status == schema.OK
