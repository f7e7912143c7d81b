"""A pickle of labels by id, read without running anything that it asks for."""

from __future__ import annotations

import collections
import io
import pickle

_ALLOWED = {
    ("collections", "defaultdict"): collections.defaultdict,
    ("builtins", "list"): list,
    ("__builtin__", "list"): list,  # as Python 2 spelt it
}


class _LabelUnpickler(pickle.Unpickler):
    """An unpickler that knows a dictionary, a default of lists, and nothing else."""

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _ALLOWED[module, name]


def read_labels(content: bytes) -> dict[str, list[str]]:
    """Return the labels of each id.

    Parameters
    ----------
    content
        A pickle of a dictionary or `defaultdict(list)` from texts to lists of texts.

    Raises
    ------
    ValueError
        Where it is anything else, or asks for any other class: it is not read then.
    """
    try:
        labels = _LabelUnpickler(io.BytesIO(content)).load()
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except Exception as error:  # a broken pickle raises nearly anything
        raise ValueError(f"{error}" or type(error).__name__) from error
    if not isinstance(labels, dict):
        raise ValueError(f"expected a dictionary, found {type(labels).__name__}")
    for key, held in labels.items():
        if not isinstance(key, str) or not isinstance(held, list):
            raise ValueError("expected texts and lists of texts")
        if not all(isinstance(label, str) for label in held):
            raise ValueError(f"expected a list of texts for {key!r}")
    return dict(labels)
