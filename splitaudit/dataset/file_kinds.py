"""What a file is, told by its name and its kind on disk; nothing is opened here."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable

from splitaudit.dataset.paths import encode_path
from splitaudit.schema import MISSING, UNREADABLE, UNSUPPORTED

AUDIO, VIDEO, IMAGE = "audio", "video", "image"
# A film has sound and frames. Which of the two it really holds is known once it is opened.
PARTS = {AUDIO: (AUDIO,), VIDEO: (AUDIO, VIDEO), IMAGE: (IMAGE,)}
_ENDINGS = {
    AUDIO: "wav wave w64 rf64 flac mp3 mp2 ogg oga opus spx m4a m4b aac amr awb caf aif aiff aifc "
    "wma ac3 eac3 au snd wv ape tta mka",
    VIDEO: "mp4 mov mkv avi webm mpg mpeg wmv asf m4v flv ts mts m2ts vob ogv 3gp 3g2",
    IMAGE: "jpg jpeg png webp gif tif tiff bmp heic",
}
_KIND = {f".{ending}": kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
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
