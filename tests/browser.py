"""Headless Chromium, asked through its DevTools pipe: no driver, no port, no network."""

import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--autoplay-policy=no-user-gesture-required", "--mute-audio", "--remote-debugging-pipe"),
]
PATIENCE_S = 30
# Chromium reads commands from file descriptor 3 and answers on 4.
_START = """import fcntl, os, sys
aside = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(aside[0], 3); os.dup2(aside[1], 4)
os.execv(sys.argv[3], sys.argv[3:])"""


def chromium() -> str:
    """Return the browser's path; without one the test is skipped, or in CI fails."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        return found
    how = "the report is looked at in Chromium: apt-get install chromium"
    if "CI" in os.environ:
        pytest.fail(how)
    pytest.skip(how)


class Browser:
    """A running Chromium with a profile of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        path = chromium()
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        start = [sys.executable, "-c", _START, str(commands), str(answers), path]
        self._process = subprocess.Popen(
            [*start, *FLAGS, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come meanwhile are kept."""
        message = {"id": next(self._numbers), "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != message["id"]:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], PATIENCE_S)
            piece = os.read(self._answers, 1 << 20) if ready else b""
            assert piece, "Chromium does not answer"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        os.close(self._commands)
        os.close(self._answers)


class Page:
    """A file opened in a tab of its own, which knows of every error it reports."""

    def __init__(self, browser: Browser, file: Path, width: int = 1280) -> None:
        self._browser = browser
        browser.events.clear()
        window = {"newWindow": True, "width": width, "height": 900}
        target = browser.call("Target.createTarget", url="about:blank", **window)
        attached = browser.call("Target.attachToTarget", **target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call("Page.navigate", url=file.as_uri())
        loaded = f"document.readyState === 'complete' && location.href === '{file.as_uri()}'"
        while not self._call("Runtime.evaluate", expression=loaded)["result"].get("value"):
            time.sleep(0.02)

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def ask(self, body: str) -> Any:
        """Run the body of an async function in the page and return what it returns.

        In it `all(selector)` is the list of elements, `pause(ms)` waits, and `until(test)` waits
        until a function returns something true, and returns that.
        """
        helpers = """
            const all = (selector) => [...document.querySelectorAll(selector)];
            const pause = (ms) => new Promise((done) => setTimeout(done, ms));
            const until = async (test) => { while (!test()) await pause(20); return test(); };"""
        expression = f"(async () => {{ {helpers}\n{body} }})()"
        result = self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def errors(self) -> list[str]:
        """Return what the page's scripts and the policy of what it may load have reported."""
        self._call("Runtime.evaluate", expression="0")  # so that earlier events have arrived
        bad = ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled")
        found = [event for event in self._browser.events if event.get("method") in bad]
        return [json.dumps(event["params"]) for event in found]

    def requests(self) -> list[str]:
        """Return the addresses that the page has asked for."""
        sent = [e for e in self._browser.events if e.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]
