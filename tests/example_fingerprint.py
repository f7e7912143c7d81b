"""The fingerprint that docs/extending.md shows, as it stands there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

TEXT = (Path(__file__).parents[1] / "docs/extending.md").read_text(encoding="utf-8")
found = re.search(r"<!-- fingerprint -->\s*```python\n(.*?)```", TEXT, re.DOTALL)
assert found
CODE = found[1]


def _shown() -> Any:
    module = ModuleType("shown_in_the_docs")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(CODE, module.__dict__)
    return module.AverageHash


AverageHash = _shown()
