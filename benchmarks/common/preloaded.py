"""Run modules in processes of their own that need not load the package first.

A scan of a few files spends most of its time on imports. A server loads them once, and forks for each
module that it is asked to run: what a run leaves in memory, no other sees. Processes that it has
forked ask the same server. Where speed or the start itself is measured, start a real process instead.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[2]
ADDRESS = "SPLITAUDIT_PRELOADED"  # variable that names the server's socket to what it has forked
STARTING = threading.Lock()
HEAVY = (
    "splitaudit.cli.scan",
    "splitaudit.report.summary",
    "splitaudit.runs.audit",
    "splitaudit.audio.medium",
    "splitaudit.images.medium",
    "pandas",
    "scipy.fft",
    "scipy.sparse.csgraph",
    "numba",
    "faiss",
    "cv2",
    "av",
    "PIL.Image",
)


def run_module(
    module: str,
    words: Sequence[str],
    cwd: Path,
    added: Mapping[str, str] | None = None,
    timeout_s: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a module as `python -m` does, in a folder.

    Parameters
    ----------
    added
        To the environment of this process.

    Raises
    ------
    subprocess.TimeoutExpired
        The process has been killed by then.
    """
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("out", "err")]
        environment = {**os.environ, **(added or {}), ADDRESS: _address()}
        request = {
            "module": module,
            "words": list(words),
            "cwd": str(cwd),
            "environment": environment,
            "streams": list(map(str, streams)),
        }
        status = _ask(environment[ADDRESS], request, timeout_s)
        said = [stream.read_text(encoding="utf-8", errors="replace") for stream in streams]
    return subprocess.CompletedProcess([module, *words], status, *said)


def is_served() -> bool:
    """Whether this process, or the one that started it, has a server."""
    return ADDRESS in os.environ


def _address() -> str:
    """Return the server's socket; start it where this process has none."""
    with STARTING:
        if not is_served():
            os.environ[ADDRESS] = _start()
    return os.environ[ADDRESS]


def _start() -> str:
    home = tempfile.TemporaryDirectory()
    address = str(Path(home.name) / "socket")
    command = [sys.executable, "-m", "benchmarks.common.preloaded", address]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdout.readline()  # it listens
    for end in (home.cleanup, server.wait, server.stdout.close, server.stdin.close):
        atexit.register(end)  # the last one first: without its input it ends
    return address


def _ask(address: str, request: Mapping[str, object], timeout_s: float | None) -> int:
    with socket.socket(socket.AF_UNIX) as asking, asking.makefile("rw") as lines:
        asking.connect(address)
        print(json.dumps(request), file=lines, flush=True)
        process = int(lines.readline())
        if not select.select([asking], [], [], timeout_s)[0]:
            os.kill(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(str(request["module"]), timeout_s or 0.0)
        return int(lines.readline())


def main() -> None:
    request = serve(sys.argv[1])
    if request is not None:
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["cwd"])
        sys.path[0] = request["cwd"]
        sys.argv = [request["module"], *request["words"]]
        _end(_status_of(request["module"]))


def _status_of(module: str) -> int:
    """Run a module; return the status with which Python would end."""
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _end(status: int) -> NoReturn:
    """End at once: to take apart all that was loaded would copy it first, for most of a second."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def serve(address: str) -> dict[str, Any] | None:
    """Load what is heavy, and fork for each request; return it in the process that is to do it."""
    _load()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who answer
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen()
        print("ready", flush=True)
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            connection, _ = listening.accept()
            with connection:
                if os.fork() == 0:
                    listening.close()
                    return _answer(connection)
    return None


def _load() -> None:
    for name in HEAVY:
        with suppress(ImportError):
            importlib.import_module(name)
    from numba.core.registry import cpu_target

    cpu_target.target_context.refresh()  # what it would load at its first call
    gc.collect()
    gc.freeze()  # else each process would look through it, and so copy it


def _answer(connection: socket.socket) -> dict[str, Any]:
    """Fork once more: here for the status of a request, and there to return it and do it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    lines = connection.makefile("rw")
    request: dict[str, Any] = json.loads(lines.readline())
    if process := os.fork():
        with suppress(OSError):  # who asked may have gone
            print(process, file=lines, flush=True)
            status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
            print(status, file=lines, flush=True)
        os._exit(0)
    _redirect(request["streams"])
    return request


def _redirect(streams: Sequence[str]) -> None:
    """Let this process write into two files, and read nothing."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream, path in enumerate(streams, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), stream)


if __name__ == "__main__":
    main()
