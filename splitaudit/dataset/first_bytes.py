"""What a file is whose ending says nothing: told by its first bytes, or by what an archive lists.

Whatever may be a medium becomes a row: read where a decoder knows it, and `unsupported` where none
does. Only what is plainly none, such as a text, is passed over.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from itertools import islice

from splitaudit.dataset.file_kinds import (
    AUDIO,
    IMAGE,
    OPENABLE,
    UNKNOWN,
    VIDEO,
    Outcome,
    error_outcome,
    kind_of,
    may_be_media,
    unsupported_ending,
)
from splitaudit.schema import UNSUPPORTED

HEAD_BYTES = 8192  # looked at
LISTED_MEMBERS = 10_000  # of an archive, looked through for media
# Bytes of compressed archives that are unpacked to look through their list.
LISTED_BYTES = 64 << 20

Found = tuple[str | None, Outcome]  # a kind of `file_kinds`, None where it is no medium
NO_MEDIUM: Found = (None, OPENABLE)

# (offset, bytes) at which files of a kind begin; a film may turn out to hold only a sound.
_READ: dict[str, tuple[tuple[int, bytes], ...]] = {
    AUDIO: (
        *((0, magic) for magic in (b"fLaC", b"RF64", b"RIFX", b"riff\x2e\x91\xcf\x11", b"caff")),
        *((0, magic) for magic in (b".snd", b"dns.", b"ID3", b"#!AMR", b"NIST_1A", b"MAC ")),
        *((0, magic) for magic in (b"Creative Voice File", b"MP+", b"MPCK", b"DSD ", b"FRM8")),
        *((0, magic) for magic in (b"TTA1", b"wvpk", b"tBaK", b"ajkg", b"\x0b\x77", b"SOUND SAM")),
        *((0, magic) for magic in (b"\x7f\xfe\x80\x01", b"\xfe\x7f\x01\x80", b".SoX", b"XoS.")),
        *((0, magic) for magic in (b"\x1f\xff\xe8\x00", b"\xff\x1f\x00\xe8", b"qoaf", b"2BIT")),
        *((0, magic) for magic in (b"TWIN97012000", b" paf", b"fap ", b"PVF1", b"PVF2")),
        *((0, b"\x64\xa3%c\0" % machine) for machine in range(5)),  # IRCAM
        *((0, b"\0%c\xa3\x64" % machine) for machine in range(5)),
        *((8, magic) for magic in (b"WAVE", b"AIFF", b"AIFC", b"8SVX", b"16SV", b"QLCM")),
        *((4, b"ftyp" + brand) for brand in (b"M4A ", b"M4B ")),
    ),
    IMAGE: (
        *((0, magic) for magic in (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*")),
        *((0, magic) for magic in (b"\0\0\1\0", b"\0\0\2\0", b"8BPS", b"qoif", b"DDS ")),
        *((0, magic) for magic in (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ", b"\x59\xa6\x6a\x95")),
        *((0, b"P%d%c" % (kind, blank)) for kind in range(1, 8) for blank in b" \t\r\n"),
        *((0, magic) for magic in (b"\x01\xda\0\1", b"\x01\xda\1\1", b"\x0a\5\1", b"II+\0")),
        (8, b"WEBP"),
        *((4, b"ftyp" + brand) for brand in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")),
    ),
    VIDEO: (
        *((0, magic) for magic in (b"OggS", b"\x1a\x45\xdf\xa3", b"FLV\1", b".RMF", b"DKIF")),
        *((0, magic) for magic in (b"\x30\x26\xb2\x75", b"\0\0\1\xba", b"\0\0\1\xb3", b"YUV4MPEG")),
        *((0, magic) for magic in (b"\x06\x0e\x2b\x34", b"\x8aMNG")),
        *((4, atom) for atom in (b"ftyp", b"moov", b"mdat", b"wide", b"skip")),
        (8, b"AVI "),
    ),
}
_CONVERT = "which no decoder here reads: convert it, or take it out of the folder"
_REFUSED = {
    (0, b"\xff\x0a"): "JPEG XL",
    (4, b"JXL "): "JPEG XL",
    (0, b"\x76\x2f\x31\x01"): "OpenEXR",
    (0, b"#?RADIANCE"): "a Radiance picture",
    (0, b"SIMPLE  ="): "FITS",
    (128, b"DICM"): "DICOM",
    (0, b"BPG\xfb"): "BPG",
    (0, b"FLIF"): "FLIF",
    (0, b"%!PS"): "PostScript",
    (0, b"MThd"): "MIDI (notes, not a sound)",
    (0, b"OFR "): "OptimFROG",
    (0, b"\x93NUMPY"): "an array of NumPy",
    (0, b"\x89HDF"): "HDF5",
    (0, b"ARROW1"): "a table of Arrow",
    (0, b"PAR1"): "a table of Parquet",
    (0, b"MATLAB 5"): "an array of MATLAB",
    (0, b"SQLite format 3"): "a database",
    (0, b"\x80\x02"): "a pickle",
    (0, b"\x80\x03"): "a pickle",
    (0, b"\x80\x04"): "a pickle",
    (0, b"\x80\x05"): "a pickle",
}
_BITMAP_HEADERS = [bytes([size, 0, 0, 0]) for size in (12, 40, 52, 56, 64, 108, 124)]
_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")  # what tarfile can unpack
_PACKED_ENDINGS = (".gz", ".bz2", ".xz", ".zst")
_ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x28\xb5\x2f\xfd", b"LZIP", b"MSCF", b"xar!")
_NO_MEDIA = (b"%PDF", b"\x7fELF", b"MZ", b"{\\rtf", b"\xd0\xcf\x11\xe0", b"\xca\xfe\xba\xbe")


def recognise(path: str, name: str) -> Found:
    """Look at a file whose ending names no kind.

    Parameters
    ----------
    path
        Of the operating system; a plain file.
    name
        Its last part.

    Returns
    -------
    kind
        `audio`, `video` or `image`, `UNKNOWN` where it may be any, None where it is no medium.
    outcome
        Whether it may be opened as such; else the status and what to do.
    """
    stem, last = os.path.splitext(name)
    if not may_be_media(stem if last.lower() in _PACKED_ENDINGS else name):
        return NO_MEDIUM
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        return UNKNOWN, error_outcome(error)
    if reason := unsupported_ending(name):
        return (UNKNOWN, (UNSUPPORTED, reason)) if head else NO_MEDIUM
    return _tell(head, path)


def _tell(head: bytes, path: str) -> Found:
    if not head or head.startswith(_NO_MEDIA):
        return NO_MEDIUM
    for kind, marks in _READ.items():
        if any(head[at : at + len(magic)] == magic for at, magic in marks):
            return kind, OPENABLE
    if _is_mpeg_audio(head):
        return AUDIO, OPENABLE
    if head[:2] == b"BM" and head[14:18] in _BITMAP_HEADERS:
        return IMAGE, OPENABLE
    if head[:1] == head[188:189] == head[376:377] == b"\x47":  # packets of an MPEG stream
        return VIDEO, OPENABLE
    for (at, magic), what in _REFUSED.items():
        if head[at : at + len(magic)] == magic:
            return UNKNOWN, (UNSUPPORTED, f"{what}, {_CONVERT}")
    if _is_archive(head):
        return _archive(head, path)
    return NO_MEDIUM if _is_text(head) else (UNKNOWN, (UNSUPPORTED, _unknown_reason()))


def _unknown_reason() -> str:
    return (
        "neither its ending nor its first bytes say what it is: give it the ending of its format, "
        "convert it, or take it out of the folder"
    )


def _is_mpeg_audio(head: bytes) -> bool:
    """Whether a frame of MPEG audio or of ADTS begins here (ISO 11172-3, 13818-7)."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    layer = head[1] >> 1 & 3
    if layer == 0:
        return head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 15 < 13  # ADTS
    return head[1] >> 3 & 3 != 1 and head[2] >> 4 not in (0, 15) and head[2] >> 2 & 3 != 3


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16
        return True
    control = sum((byte < 32 and byte not in b"\t\n\r\f\x1b\b") or byte == 127 for byte in head)
    return control == 0


def _is_archive(head: bytes) -> bool:
    return head.startswith((b"PK\3\4", *_PACKED, *_ARCHIVES)) or head[257:262] == b"ustar"


def _archive(head: bytes, path: str) -> Found:
    """An archive that lists no medium is none; one that cannot be looked into may hold some."""
    try:
        names = list(islice(_members(head, path), LISTED_MEMBERS + 1))
    except Exception:  # a hostile archive may raise anything
        names = []
    if not names or len(names) > LISTED_MEMBERS:
        return UNKNOWN, (UNSUPPORTED, "an archive that may hold media: unpack it")
    media = sum(_is_medium(name) for name in names)
    if not media:
        return NO_MEDIUM
    return UNKNOWN, (UNSUPPORTED, f"an archive that holds media ({media:,} files): unpack it")


def _is_medium(name: str) -> bool:
    return kind_of(name) is not None or unsupported_ending(name) is not None


def _members(head: bytes, path: str) -> Iterable[str]:
    """Names of the files in an archive; nothing is unpacked to the disk.

    Raises
    ------
    Exception
        Where it cannot be listed.
    """
    if head.startswith(b"PK\3\4"):
        with zipfile.ZipFile(path) as packed:
            return packed.namelist()
    if head.startswith(_ARCHIVES):
        raise ValueError("no list")
    return _tar_members(path, "r:" if head[257:262] == b"ustar" else "r|*")


def _tar_members(path: str, mode: str) -> Iterator[str]:
    with tarfile.open(path, mode) as packed:  # type: ignore[call-overload]
        for member in packed:
            if mode == "r|*" and member.offset > LISTED_BYTES:
                raise ValueError("a long list")
            yield member.name
