"""Paths and templates as a manifest writes them."""

from __future__ import annotations

import os
import re

PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
IN_BRACES = re.compile(r"\{([^{}]+)\}")  # a column of theirs, whatever its name


def leaves_root(path: str) -> bool:
    """Return whether a path, as written, is absolute or steps upwards."""
    return os.path.isabs(path) or ".." in path.split("/")
