"""Files of media, opened; what keeps them shut is told as a row tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

from splitaudit import schema
from splitaudit.errors import MediaError


@contextmanager
def open_file(path: str) -> Iterator[BufferedReader]:
    """Open a file that holds something.

    Parameters
    ----------
    path
        Of the file, with odd bytes as surrogates (`os.fsdecode`).

    Raises
    ------
    MediaError
        missing, or unreadable: also where it is empty, a folder or a loop of links.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115  closed below
    except FileNotFoundError:
        raise MediaError(schema.MISSING, "there is no such file") from None
    except OSError as error:
        raise MediaError(schema.UNREADABLE, str(error.strerror or error)) from None
    with file:
        if not head(file):
            raise MediaError(schema.UNREADABLE, "the file is empty")
        yield file


def head(file: BufferedReader) -> bytes:
    """Return the first bytes of a file just opened, at most 8192, and stay at its start.

    Raises
    ------
    MediaError
        unreadable
    """
    try:
        return file.peek(8192)[:8192]
    except OSError as error:
        raise MediaError(schema.UNREADABLE, str(error.strerror or error)) from None
