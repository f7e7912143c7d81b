"""Audit how a dataset is split: every leak with proof, and a split without it.

>>> import splitaudit
>>> audit = splitaudit.open("my_dataset").scan()  # doctest: +SKIP
>>> audit.leaks()  # doctest: +SKIP

`splitaudit.runs.opening.open_target` has an example that runs as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from splitaudit.runs.audit import Audit as Audit
    from splitaudit.runs.opening import open_target as open

__version__ = "0.1.0"
__all__ = ["Audit", "InputError", "SplitauditError", "__version__", "open"]


def __getattr__(name: str) -> Any:
    """Import on first use, so that `import splitaudit` and `splitaudit --help` cost nothing."""
    if name in ("Audit", "open"):
        from splitaudit.runs import audit, opening

        return audit.Audit if name == "Audit" else opening.open_target
    if name in ("SplitauditError", "InputError"):
        from splitaudit import errors

        return getattr(errors, name)
    raise AttributeError(f"module 'splitaudit' has no attribute {name!r}")
