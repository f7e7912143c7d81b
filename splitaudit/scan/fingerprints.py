"""Which fingerprints a scan uses: those that are named, tried once before they are trusted.

A fingerprint of ours is a module below `fingerprint/` of its medium that holds `FINGERPRINT`; its
name is that of the module. What stands behind a dot is the first parameter: `imagehash.dhash`. One
of a third party is written `package.module:Class`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from splitaudit.dataset.manifest.suggestions import did_you_mean, nearest
from splitaudit.engine.contracts import Fingerprint, fingerprint_id
from splitaudit.engine.registry import modules_with
from splitaudit.errors import SplitauditError
from splitaudit.images.fingerprint.trial import find_fault
from splitaudit.images.medium import Pictures

FINGERPRINT_PACKAGES = ("splitaudit.audio.fingerprint", "splitaudit.images.fingerprint")


def choose(names: Sequence[str]) -> tuple[Fingerprint, ...]:
    """Return the fingerprints of these names.

    Parameters
    ----------
    names
        Such as `hash`, `imagehash.phash` and `my_package.module:MyHash`.

    Raises
    ------
    SplitauditError
        Where a name is unknown or stands twice, or where a fingerprint of a third party cannot be
        imported or does not do what it should.
    """
    if not names:
        raise SplitauditError(f"--fingerprints: name at least one of {_list_choices()}")
    found: dict[str, Fingerprint] = {}
    for name in names:
        fingerprint = _third_party(name) if ":" in name else _builtin_fingerprint(name)
        same = found.setdefault(fingerprint_id(fingerprint), fingerprint)
        if same is not fingerprint:
            raise SplitauditError(f"--fingerprints: {name} is named twice")
    return tuple(found.values())


def modules() -> dict[str, str]:
    """Return the modules of our fingerprints, by their names."""
    found = [modules_with(home, "FINGERPRINT = ") for home in FINGERPRINT_PACKAGES]
    return {name: path for some in found for name, path in some.items()}


def _list_choices() -> str:
    names = ", ".join(sorted(modules()))
    return f"{names}, or package.module:Class of your own"


def _builtin_fingerprint(name: str) -> Fingerprint:
    module, dot, parameter = name.partition(".")
    known = modules()
    if module not in known:
        near = did_you_mean(nearest(module, known))
        raise SplitauditError(
            f"--fingerprints: no fingerprint {name!r}{near}; there are {_list_choices()}"
        )
    try:
        kind = importlib.import_module(known[module]).FINGERPRINT
        made: Fingerprint = kind(_parameter(kind, parameter)) if dot else kind()
        made.load()
    except ModuleNotFoundError as error:
        extra = 'pip install "splitaudit[images]"'
        raise SplitauditError(f"--fingerprints {name}: {error.name} is missing: {extra}") from None
    except (TypeError, ValueError) as error:
        raise SplitauditError(f"--fingerprints: no fingerprint {name!r}: {error}") from None
    return made


def _parameter(kind: Any, text: str) -> Any:
    """The first parameter of a fingerprint, of the kind that it has by default."""
    first = next(iter(fields(kind)), None)
    if first is None:
        raise ValueError(f"{kind.name} has no parameter")
    return int(text) if isinstance(first.default, int) else text


def _third_party(name: str) -> Fingerprint:
    """The fingerprint of a class that somebody else wrote, here or installed."""
    module, _, attribute = name.partition(":")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))  # other processes are given the path, too
    try:
        fingerprint: Any = getattr(importlib.import_module(module), attribute)()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".replace("\n", " ")
        raise SplitauditError(f"--fingerprints: {name} cannot be used: {reason}") from None
    if getattr(fingerprint, "modality", None) != Pictures.part:
        raise SplitauditError(
            f"--fingerprints: {name} is not for pictures (modality 'image'), and only those can be "
            "searched by fingerprints of your own (docs/extending.md)"
        )
    if problem := find_fault(fingerprint):
        raise SplitauditError(f"--fingerprints: {name} {problem} (docs/extending.md)")
    made: Fingerprint = fingerprint
    return made
