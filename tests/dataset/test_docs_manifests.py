"""The manifests that the docs show can be read, and say what the docs say of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from splitaudit.dataset import ingest

PAGE = Path(__file__).parents[2] / "docs/manifests.md"
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
FILES = {  # what lies there, and the split of each item
    "testing_list.txt": ("yes/a.wav\n", {"yes/a.wav": "test", "no/b.wav": "train"}),
    "train_test_split.txt": ("1 1\n2 0\n", {"1": "train", "2": "test"}),
    "data/train/segments": ("u1 rec 0 2\nu2 rec 2 4\n", {"u1": "train", "u2": "train"}),
}


def touch(root: Path, name: str, text: str = "") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize("named", FILES)
def test_an_example_is_a_manifest(tmp_path: Path, named: str) -> None:
    (example,) = [text for text in EXAMPLES if named in text]
    listed, expected = FILES[named]
    for name in ("yes/a.wav", "no/b.wav", "audio/rec.flac", "images/1.jpg", "images/2.jpg"):
        if name in expected or not named.startswith("testing"):
            touch(tmp_path, name)
    touch(tmp_path, named, listed)
    touch(tmp_path, "images.txt", "1 1.jpg\n2 2.jpg\n")
    touch(tmp_path, "validation_list.txt")
    head = "" if "[dataset]" in example else '[dataset]\nname = "shown"\n'
    (tmp_path / "shown.toml").write_text(head + example)
    found = ingest(str(tmp_path / "shown.toml"))
    names = (found.items[name].to_pylist() for name in ("item_id", "split"))
    assert dict(zip(*names, strict=True)) == expected
    assert found.media["status"].to_pylist() == [None, None]
