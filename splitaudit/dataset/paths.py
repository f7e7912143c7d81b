r"""File names as text: any bytes in, valid UTF-8 out, and back.

A name on disk is bytes. Python shows those that are not UTF-8 as lone surrogates, which neither
Parquet nor HTML can hold; in our tables they stand as ``\xNN``.
"""

from __future__ import annotations

import os
import re

# A literal backslash before an x is escaped too, so that every \x in an encoded name is ours.
_TO_ESCAPE = re.compile(r"[\udc80-\udcff]|\\(?=x)")
_ESCAPED = re.compile(r"\\x(5c|[89a-f][0-9a-f])")


def encode_path(os_path: str) -> str:
    r"""Return a path of the operating system as text that any table can hold.

    Examples
    --------
    >>> encode_path("caf\udce9.wav")
    'caf\\xe9.wav'
    """
    return _TO_ESCAPE.sub(lambda found: f"\\x{ord(found[0]) & 0xFF:02x}", os_path)


def decode_path(text: str) -> str:
    """Return the path that `encode_path` was given."""
    return _ESCAPED.sub(lambda found: os.fsdecode(bytes.fromhex(found[1])), text)


def safe_name(text: str) -> str:
    """Return `text` as a name that any folder can bear: at most 60 letters, digits, ``. _ -``."""
    return re.sub(r"[^\w.-]+", "_", text).strip("._")[:60] or "dataset"
