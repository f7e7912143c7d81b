"""Memory that is freed stays with the process for the next array.

By default glibc gives large blocks back to the system each time, which clears every page of them
anew when the next array of that size is made. Where pages are slow to come by (a virtual machine),
this took a fifth of the time of a scan.
"""

from __future__ import annotations

import contextlib
import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of mallopt(3)
TRIM_BYTES = 1 << 27  # bytes at the end of the heap that are not given back
MMAP_BYTES = 1 << 25  # bytes: blocks above are mapped, and given back; as large as glibc allows


def keep_freed() -> None:
    """Let this process keep what it frees, up to `TRIM_BYTES`; does nothing but on glibc."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(MMAP_THRESHOLD, MMAP_BYTES)
        mallopt(TRIM_THRESHOLD, TRIM_BYTES)
