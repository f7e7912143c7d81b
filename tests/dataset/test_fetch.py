"""Files are downloaded and verified, and what cannot be is named with what to do."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command import Here

from splitaudit.dataset.fetch import CHUNK_BYTES, _Bar, fetch
from splitaudit.dataset.manifest import read_manifest, shipped_manifests
from splitaudit.engine.progress import Quiet

CONTENT = bytes(range(256)) * 10_000


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a server that has `a.bin`."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.bin").write_bytes(CONTENT)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def manifest(folder: Path, *sources: str) -> Path:
    parts = [f"[[sources]]\n{source}\n" for source in sources]
    head = '[dataset]\nname = "mine"\n[[tables]]\npath = "a.txt"\n'
    file = folder / "mine.toml"
    file.write_text(head + "".join(parts))
    return file


def source(url: str, content: bytes = CONTENT, path: str = "data/a.bin") -> str:
    return f'path = "{path}"\nurl = "{url}"\nsha256 = "{hashlib.sha256(content).hexdigest()}"'


def test_a_file_is_downloaded_once_and_verified(here: Here, tmp_path: Path, served: str) -> None:
    file = manifest(tmp_path, source(f"{served}/a.bin"))
    first = here("fetch", file, "--to", "out")
    assert (first.status, first.out.split()[0], first.err) == (0, "fetched", "")
    assert (tmp_path / "out/data/a.bin").read_bytes() == CONTENT
    again = here("fetch", file, "--to", "out", "--json")
    assert again.json == [{"path": "data/a.bin", "status": "here", "reason": ""}]
    assert [path.name for path in (tmp_path / "out/data").iterdir()] == ["a.bin"]


def test_a_file_that_is_not_what_it_should_be(here: Here, tmp_path: Path, served: str) -> None:
    file = manifest(tmp_path, source(f"{served}/a.bin", b"another"))
    ran = here("fetch", file, "--to", "out", "--json")
    assert (ran.status, ran.json[0]["status"]) == (1, "changed")
    assert not list((tmp_path / "out/data").iterdir())
    (tmp_path / "out/data/a.bin").write_bytes(b"mine")
    (changed,) = here("fetch", file, "--to", "out", "--json").json
    assert changed["status"] == "changed"
    assert "remove it and fetch again" in changed["reason"]
    assert (tmp_path / "out/data/a.bin").read_bytes() == b"mine"


def test_what_is_not_served_and_what_is_to_be_placed(
    here: Here, tmp_path: Path, served: str
) -> None:
    placed = 'path = "b.csv"\nnote = "ask its authors"'
    file = manifest(tmp_path, source(f"{served}/gone"), placed)
    ran = here("fetch", file, "--to", "out", "--json")
    assert (ran.status, [one["status"] for one in ran.json]) == (1, ["failed", "place it yourself"])
    assert "404" in ran.json[0]["reason"]
    assert ran.json[1]["reason"] == "ask its authors"
    (tmp_path / "out/b.csv").write_text("there")
    assert here("fetch", file, "--to", "out", "--json").json[1]["status"] == "here"


def test_a_server_that_is_not_there(here: Here, tmp_path: Path) -> None:
    ran = here("fetch", manifest(tmp_path, source("http://127.0.0.1:9/a")), "--to", "out", "--json")
    assert (ran.status, ran.json[0]["status"]) == (1, "failed")


def test_an_unknown_dataset(here: Here) -> None:
    ran = here("fetch", "soundesc")
    assert (ran.status, ran.err.count("\n")) == (2, 1)
    assert "did you mean 'sounddesc'?" in ran.err


@pytest.mark.parametrize("name", shipped_manifests())
def test_no_shipped_manifest_names_an_address_without_a_checksum(name: str) -> None:
    read = read_manifest(shipped_manifests()[name], confined=True)
    assert all(source.sha256 for source in read.sources if source.url)
    assert read.license


def test_the_progress_ends_full(tmp_path: Path, served: str) -> None:
    class Counted(Quiet):
        total = done = 0

        def start(self, stage: str, total: int) -> None:
            self.total += total

        def advance(self, steps: int) -> None:
            self.done += steps

    counted = Counted()
    file = manifest(tmp_path, source(f"{served}/a.bin"))
    assert [x.status for x in fetch(read_manifest(file, confined=False), tmp_path, counted)]
    assert counted.done == counted.total == len(CONTENT)
    bar = _Bar("a", counted)
    bar.total = 3 * CHUNK_BYTES + 1
    for _ in range(4):
        bar.update(CHUNK_BYTES)
    assert counted.done == counted.total
