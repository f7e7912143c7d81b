"""Libraries that read what we export: without a network, their files in a temporary folder.

They read the environment when they are imported, so tests take them from these fixtures.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

# rdflib's own parser makes a ConjunctiveGraph; mlcroissant resets an index in place.
mlcroissant_warns = pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated:DeprecationWarning",
    "ignore:The inplace keyword in DataFrame.reset_index:DeprecationWarning",
)


@pytest.fixture(scope="session")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The library of Hugging Face."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("huggingface")))
        for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):
            patch.setenv(name, "1")
        library = importlib.import_module("datasets")
        library.disable_progress_bars()
        yield library


@pytest.fixture(scope="session")
def mlcroissant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The reader of MLCommons."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROISSANT_CACHE", str(tmp_path_factory.mktemp("croissant")))
        yield importlib.import_module("mlcroissant")
