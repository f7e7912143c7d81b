"""Picture files of every kind, and what is wrong with some of them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import zoom

from splitaudit.images.decode.pictures import Picture, load

Array = np.ndarray
# EXIF's orientation -> what a camera held so stores of an upright picture.
STORED: dict[int, Callable[[Array], Array]] = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


def photograph(seed: int = 0, height: int = 240, width: int = 320) -> Array:
    """A picture as smooth as a photograph, of dull colours, uint8, shape (height, width, 3)."""
    rng = np.random.default_rng(seed)
    layers = [_noise(rng, cells, height, width) / cells for cells in (3, 6, 12, 24, 48)]
    scene = sum(layers) + 0.3 * _noise(rng, 4, height, width, 3)
    lowest, highest = scene.min(), scene.max()
    return np.rint(40 + 180 * (scene - lowest) / (highest - lowest)).astype(np.uint8)


def _noise(rng: Any, cells: int, height: int, width: int, channels: int = 1) -> Array:
    grid = rng.standard_normal((cells + 1, cells + 2, channels))
    return zoom(grid, (height / (cells + 1), width / (cells + 2), 1), order=1)


def encoded(pixels: Array | Image.Image, form: str, **options: Any) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def turned(pixels: Array, orientation: int, form: str, **options: Any) -> bytes:
    """A file that stores pixels another way up, and says so."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](pixels))
    return encoded(stored, form, exif=exif.tobytes(), **options)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png16(pixels: Array) -> bytes:
    """PNG of 16 bits in grey, RGB or RGBA, which Pillow writes in grey only."""
    height, width = pixels.shape[:2]
    colour = {1: 0, 3: 2, 4: 6}[pixels.shape[2] if pixels.ndim == 3 else 1]
    head = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def broken_chunk(png: bytes) -> bytes:
    """A PNG whose second half has a chunk of no name."""
    at = png.index(b"IDAT")
    body, end = png[at + 4 :], len(chunk(b"IEND", b"")) + 4
    half = len(body) // 2
    pieces = chunk(b"IDAT", body[:half]) + chunk(b"\1\2\3\4", body[half:-end])
    return png[: at - 4] + pieces + chunk(b"IEND", b"")


def bomb(side: int, rows: int | None = None) -> bytes:
    """A black PNG in few bytes, or the beginning of one."""
    packer, rows = zlib.compressobj(1), side if rows is None else rows
    row = bytes(side + 1)
    data = b"".join([*(packer.compress(row) for _ in range(rows)), packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def without_adobe(jpeg: bytes) -> bytes:
    """A JPEG in CMYK as a program leaves it that does not follow Adobe: upright, unmarked."""
    at = jpeg.index(b"\xff\xee")
    return jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big") :]


def with_exif(jpeg: bytes, exif: bytes) -> bytes:
    """A JPEG with an EXIF segment as given."""
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def png_with_exif(png: bytes, exif: bytes) -> bytes:
    """A PNG with an EXIF chunk as given."""
    at = png.index(b"IDAT") - 4
    return png[:at] + chunk(b"eXIf", exif) + png[at:]


def write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def heic(pixels: Array, orientation: int) -> bytes:
    """HEIC turned by its own boxes; what its EXIF says besides does not count."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    return turned(pixels, orientation, "HEIF", quality=90)


def cmyk(pixels: Array) -> Image.Image:
    return Image.fromarray(pixels).convert("CMYK")


def frames(n: int, side: int = 64) -> list[Image.Image]:
    rng = np.random.default_rng(1)
    return [Image.fromarray(rng.integers(0, 256, (side, side), dtype=np.uint8)) for _ in range(n)]


def read(path: Path, data: bytes | Callable[[], bytes], **options: object) -> Picture:
    data = data if isinstance(data, bytes) else data()
    return load(write(path / "picture.any", data), **options)  # type: ignore[arg-type]


def difference(a: Array, b: Array) -> float:
    """Mean of the absolute differences, in levels of 255."""
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b.astype(int)).mean())
