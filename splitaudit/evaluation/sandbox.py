"""A function of the user's, audited in a process of its own with limits on time and memory.

The process says what came of it in a file; whatever the function prints goes to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from splitaudit.errors import EvaluatorError, SplitauditError
from splitaudit.evaluation.audit import EvaluatorAudit, audit_evaluator

ARRAYS = ("queries", "gallery")
OPTIONAL = ("relevance", "query_ids", "gallery_ids")
ANSWER, TEST = "answer.json", "test"


@dataclass(frozen=True)
class Task:
    """What to run.

    Parameters
    ----------
    function
        Such as ``package.module:name``; looked for in the current folder, too.
    data
        ``.npz`` with `ARRAYS`, and any of `OPTIONAL`.
    kind, seed
        See `splitaudit.evaluation.audit.audit_evaluator`.
    memory
        Bytes that the process may have, 0 for no limit.
    """

    function: str
    data: str
    kind: str
    seed: int
    memory: int


def run(task: Task, seconds: float) -> dict[str, Any]:
    """Audit a function in a process of its own; return `EvaluatorAudit` as a dictionary.

    Raises
    ------
    SplitauditError
        Where there is no such function or data.
    EvaluatorError
        Where it could not be run: it raised, took too much time or memory, or died.
    """
    with tempfile.TemporaryDirectory() as folder:
        words = [
            sys.executable,
            "-m",
            "splitaudit.evaluation.sandbox",
            json.dumps(asdict(task)),
            folder,
        ]
        try:
            ended = subprocess.run(words, stdout=sys.stderr.fileno(), timeout=seconds, check=False)
            died = f"ended its process, status {ended.returncode}"
        except subprocess.TimeoutExpired:
            died = f"took more than {seconds:g} s in all"
        found = _read_answer(Path(folder))
    if "audit" in found:
        return dict(found["audit"])
    if "wrong" in found:
        raise SplitauditError(found["wrong"])
    raise EvaluatorError(found.get("test", "start"), found.get("problem", died))


def _read_answer(folder: Path) -> dict[str, Any]:
    """The answer of the process, or the test that it began last."""
    if (folder / ANSWER).is_file():
        return dict(json.loads((folder / ANSWER).read_text()))
    test = folder / TEST
    return {"test": test.read_text()} if test.is_file() else {}


def main() -> None:
    """Run in the process: answer in a file."""
    task, folder = Task(**json.loads(sys.argv[1])), Path(sys.argv[2])
    sys.path.insert(0, os.getcwd())
    try:
        found: dict[str, Any] = {"audit": asdict(_run_audit(task, (folder / TEST).write_text))}
    except EvaluatorError as error:
        found = {"test": error.test, "problem": error.problem}
    except SplitauditError as error:
        found = {"wrong": str(error)}
    (folder / "part").write_text(json.dumps(found))
    (folder / "part").rename(folder / ANSWER)


def _run_audit(task: Task, begun: Callable[[str], Any]) -> EvaluatorAudit:
    arrays, function = _load_arrays(Path(task.data)), _load_function(task.function)
    if task.memory:
        resource.setrlimit(resource.RLIMIT_DATA, (task.memory, task.memory))
    return audit_evaluator(function, **arrays, kind=task.kind, seed=task.seed, begun=begun)


def _load_arrays(path: Path) -> dict[str, Any]:
    try:
        with np.load(path, allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
    except (OSError, ValueError, EOFError, AttributeError) as error:
        raise SplitauditError(f"{path}: not an .npz file of arrays ({error})") from None
    unknown = sorted(set(arrays) - {*ARRAYS, *OPTIONAL})
    missing = sorted(set(ARRAYS) - set(arrays))
    if unknown or missing:
        known = ", ".join((*ARRAYS, *OPTIONAL))
        raise SplitauditError(
            f"{path}: holds {', '.join(sorted(arrays)) or 'nothing'}; expected {known}, of which "
            "the first two are needed"
        )
    return arrays


def _load_function(name: str) -> Callable[..., Any]:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise SplitauditError(f"{name}: expected package.module:function")
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == module.split(".")[0]:
            raise SplitauditError(f"{name}: no module {error.name!r}, here or installed") from None
        raise EvaluatorError("import", f"raised {type(error).__name__}: {error}") from error
    if callable(found):
        return cast(Callable[..., Any], found)
    raise SplitauditError(f"{name}: {module} has no function {attribute!r}")


if __name__ == "__main__":
    main()
