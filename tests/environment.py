"""The environment of tests, and of what they start: the default, whatever the machine is set to."""

from __future__ import annotations

import os
import sys

for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(name, None)
for name in ("SPLITAUDIT_DATA", "SPLITAUDIT_TARGET", "SPLITAUDIT_CACHE"):
    os.environ.pop(name, None)

# Else each of some hundred processes would compile the package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A process of tests has one core. Threads of its linear algebra would wait for it, and burn it.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
