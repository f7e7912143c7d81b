"""What a file is, told by its name and its kind on disk; nothing is opened here."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable

from splitaudit.dataset.paths import encode_path
from splitaudit.schema import MISSING, UNREADABLE, UNSUPPORTED

AUDIO, VIDEO, IMAGE = "audio", "video", "image"
UNKNOWN = "unknown"  # perhaps one of them
# A film has sound and frames. Which of the two it really holds is known once it is opened.
PARTS = {AUDIO: (AUDIO,), VIDEO: (AUDIO, VIDEO), IMAGE: (IMAGE,)}
_ENDINGS = {
    AUDIO: """
        wav wave bwf w64 rf64 flac mp3 mp2 mp1 mpga ogg oga opus spx m4a m4b m4r aac amr awb caf aif
        aiff aifc 8svx iff wma ac3 eac3 au snd wv ape tta tak shn mka weba sph nist voc dts gsm mpc
        mpp dsf dff sf ircam paf pvf qcp qoa ra
    """,
    VIDEO: """
        mp4 mov qt mkv avi webm mpg mpeg mpe mpv m2v wmv asf m4v flv f4v ts mts m2ts vob ogv ogm ogx
        3gp 3g2 divx rm rmvb mxf dv y4m ivf mj2
    """,
    IMAGE: """
        jpg jpeg jpe jfif png apng webp gif tif tiff bmp dib heic heif hif avif jp2 j2k j2c jpc jpx
        jpf ppm pgm pbm pnm pfm pam tga psd ico cur pcx sgi qoi dds ras
    """,
}
# What is a medium or holds some, and no decoder here reads: by what is said of it.
_CONVERT = "which is not read here: convert it, or take it out of the folder"
_UNSUPPORTED = {
    "samples without a header": "raw pcm sln vox adpcm lpcm s16 s16le f32 f32le al",
    "a recording of a kind": """
        wavpack ofr dss ds2 dvf msv aax aa mid midi kar mod xm it s3m mogg
    """,
    "a picture of a kind": """
        jxl exr hdr fits fit dcm dicom nii nrrd mha svg svgz eps ps xcf kra psb bpg flif wdp jxr cr2
        cr3 nef arw dng orf rw2 raf pef srw djvu wmf emf
    """,
    "a file of records": """
        npy npz h5 hdf5 hdf tfrecord tfrecords record rec lmdb mdb arrow feather parquet pq mat zarr
        ark msgpack pkl pickle pt pth
    """,
}
# Texts, documents, programs and models: no medium, whatever their bytes.
_PLAIN = """
    txt md markdown rst csv tsv json jsonl ndjson toml yaml yml xml html htm xhtml ini cfg conf log
    py ipynb sh bat ps1 c h cc cpp hpp java js css r rmd m jl go rs tex bib pdf doc docx xls xlsx
    ppt pptx odt ods odp rtf lab textgrid eaf srt vtt ass sub lrc ctm stm trn phn wrd rttm uem cha
    md5 sha1 sha256 sha512 sfv crc sig asc db sqlite ckpt onnx safetensors gguf tflite pb so dll exe
    pyc o class jar whl ttf otf woff woff2 lock url lnk cue m3u m3u8 pls license licence readme
"""
_KIND = {f".{ending}": kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_REASON = {
    f".{ending}": f"{what}, {_CONVERT}"
    for what, endings in _UNSUPPORTED.items()
    for ending in endings.split()
}
_NO_MEDIUM = {f".{ending}" for ending in _PLAIN.split()}
_NOT_FILES = {
    stat.S_IFIFO: "a named pipe, not a file",
    stat.S_IFSOCK: "a socket, not a file",
    stat.S_IFCHR: "a device, not a file",
    stat.S_IFBLK: "a device, not a file",
}

# A status of splitaudit.schema and its reason; both None where the file may be opened.
Outcome = tuple[str | None, str | None]
OPENABLE: Outcome = (None, None)


def ending(name: str) -> str:
    """Return the ending of a file name in small letters, with its dot."""
    return os.path.splitext(name)[1].lower()


def kind_of(name: str) -> str | None:
    """Return audio, video or image by the ending of a file name; None where it is not media."""
    return _KIND.get(ending(name))


def unsupported_ending(name: str) -> str | None:
    """Return why media with this ending are not read and what to do; None for other endings."""
    return _REASON.get(ending(name))


def may_be_media(name: str) -> bool:
    """Return whether the ending of a file leaves open what it is."""
    return ending(name) not in _NO_MEDIUM


def names_and_stems(paths: Iterable[str | None]) -> dict[str, list[str | None]]:
    """Return the last part of each path, encoded, as `file_name`, and without ending as `stem`."""
    names = [path and encode_path(os.path.basename(path)) for path in paths]
    return {"file_name": names, "stem": [name and os.path.splitext(name)[0] for name in names]}


def probe(path: str) -> Outcome:
    """Look at what lies at a path of the operating system, following links."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return error_outcome(error)
    return mode_outcome(mode)


def mode_outcome(mode: int) -> Outcome:
    """Return whether what has this `st_mode` may be opened as a file."""
    if stat.S_ISREG(mode):
        return OPENABLE
    if stat.S_ISDIR(mode):
        return UNREADABLE, "a folder, not a file"
    return UNSUPPORTED, _NOT_FILES.get(stat.S_IFMT(mode), "not a regular file")


def error_outcome(error: OSError) -> Outcome:
    """Return the status and the reason of a path that could not be looked at."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return MISSING, "no such file"
    if error.errno == errno.ELOOP:
        return UNREADABLE, "a link loop: the link leads back to itself"
    return UNREADABLE, error.strerror or "cannot be looked at"
