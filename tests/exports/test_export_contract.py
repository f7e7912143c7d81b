"""What every format of `splitaudit export` does."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import Here
from small_tables import items_of, media_of, plan_of

from splitaudit.cli import cli
from splitaudit.dataset import IngestOptions, ingest
from splitaudit.errors import InputError, SplitauditError
from splitaudit.exports import SIDECAR
from splitaudit.exports.formats import FORMATS
from splitaudit.split import digest
from splitaudit.split.foreign import read_split

EVERY = pytest.mark.parametrize("form", FORMATS)
IDS = {"00008000": "train", "0001": "train", "1e5": "test", "007": None, "v-l": "val"}
# 007 and 1e5 are the same seconds of one source.
TABLE = """\
id,split,source,start,end,caption,room
00008000,train,v1,0,10,"[""Rain"", ""Wind""]",a
0001,train,v2,0,10,Snow,
007,train,v3,0,10,,b
1e5,test,v3,2,12,Hail,b
v-l,val,v4,0,10,"Fog, thick",a
"""


def write(form: str, placed: dict[str, str | None], folder: Path, **sidecar: Any) -> list[Path]:
    plan = plan_of(placed)
    media = media_of({x: {"path": f"/data/{i}.wav"} for i, x in enumerate(placed)})
    items = items_of(dict.fromkeys(placed, "train"))
    return FORMATS[form](items, media, plan, folder, {"digest": digest(plan), **sidecar})


def read(folder: Path) -> dict[str, str | None]:
    rows = read_split(folder).astype(object)
    rows = rows.where(rows.notna(), None)
    return dict(zip(rows["item_id"], rows["new_split"], strict=True))


def files_of(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def run(here: Here) -> Path:
    """A run with a split from which 007 was dropped."""
    Path("items.csv").write_text(TABLE)
    assert here("scan", "items.csv", "--checks", "keys,captions", "--out", "run").status == 1
    assert here("split", "run", "--mode", "drop-train").status == 0
    return Path("run")


def test_the_command_line_offers_every_format() -> None:
    (option,) = [one for one in cli.commands["export"].params if one.name == "form"]
    assert isinstance(option.type, click.Choice)
    assert list(option.type.choices) == list(FORMATS)


@EVERY
def test_rows_are_kept_ids_are_text_and_the_split_is_known_again(
    form: str, here: Here, run: Path
) -> None:
    made = here("export", run, "--format", form, "--to", "out")
    assert made.status == 0
    assert sorted(made.out.split()) == sorted(str(x) for x in Path("out").rglob("*") if x.is_file())
    assert read(Path("out")) == IDS
    sidecar = json.loads(Path("out/split.json").read_text())
    assert len(sidecar["digest"]) == 64
    assert sidecar["counts"] == {"test": 1, "train": 2, "val": 1}
    assert (sidecar["dropped"], sidecar["mode"]) == (["007"], "drop-train")
    assert sidecar["dataset"] == {"name": "items"}
    checked = here("check", "out", "--run", run)
    assert (checked.status, "The digest holds." in checked.out) == (0, True)


@EVERY
def test_what_is_known_of_an_item_stays(form: str, here: Here, run: Path) -> None:
    here("export", run, "--format", form, "--to", "out")
    if form == "lists":
        assert Path("out/train.txt").read_text() == "00008000\n0001\n"
    elif form == "csv":
        again = ingest("out/items.csv", IngestOptions(media=False)).items.to_pylist()
        row = next(row for row in again if row["item_id"] == "00008000")
        assert (row["split"], row["captions"]) == ("train", ["Rain", "Wind"])
        assert (row["source"], row["end_s"], row["attributes"]) == ("v1", 10, [("room", "a")])
    else:
        file = json.loads(Path("out/split.json").read_text())["files"]["train"]
        table = pq.read_table(Path("out") / file)
        name = "item_id" if form == "parquet" else "id"
        assert table.schema.field(name).type == pa.string()
        row = table.to_pylist()[0]
        assert (row[name], row["captions"], row["end_s"]) == ("00008000", ["Rain", "Wind"], 10)
        assert (row["attributes"] if form == "parquet" else row["room"]) in ("a", [("room", "a")])


def tamper(folder: Path) -> None:
    """Move the item 0001 from train to test."""
    sidecar = json.loads((folder / SIDECAR).read_text())
    if "table" in sidecar:
        path = folder / sidecar["table"]
        path.write_text(path.read_text().replace("0001,train,", "0001,test,"))
        return
    source, target = (folder / sidecar["files"][split] for split in ("train", "test"))
    if source.suffix == ".txt":
        source.write_text(source.read_text().replace("0001\n", ""))
        target.write_text(target.read_text() + "0001\n")
        return
    rows, others = pq.read_table(source), pq.read_table(target)
    pq.write_table(rows.slice(0, 1), source)
    pq.write_table(pa.concat_tables([others, rows.slice(1)]), target)


@EVERY
def test_a_split_that_somebody_changed_is_refused(form: str, here: Here, run: Path) -> None:
    here("export", run, "--format", form, "--to", "out")
    before = files_of(Path("out"))
    tamper(Path("out"))
    assert files_of(Path("out")) != before
    assert read(Path("out")) == IDS | {"0001": "test"}
    checked = here("check", "out", "--run", run)
    assert (checked.status, "The digest does not hold" in checked.out) == (1, True)


ODD_IDS = ["a\rb", "\r\n", "a\nb", '"', " x ", "\ufeffy", "a,b", "\0", "\u2028", "00", "nan", "é"]


@EVERY
def test_ids_of_any_characters_come_back_or_are_refused(form: str, tmp_path: Path) -> None:
    placed: dict[str, str | None] = dict.fromkeys(ODD_IDS, "train")
    if form == "lists":
        with pytest.raises(SplitauditError, match="cannot stand on a line of a list"):
            write(form, placed, tmp_path / "out")
        placed = {x: y for x, y in placed.items() if not set(x) & set("\r\n\ufeff")}
    write(form, placed, tmp_path / "out")
    assert read(tmp_path / "out") == placed


@EVERY
def test_a_split_without_items_is_counted(form: str, tmp_path: Path) -> None:
    write(form, {"a": "train"}, tmp_path / "out", splits=["train", "test"])
    sidecar = json.loads((tmp_path / "out/split.json").read_text())
    assert sidecar["counts"] == {"test": 0, "train": 1}
    assert read(tmp_path / "out") == {"a": "train"}
    held = {"parquet", "lists", "croissant"}  # `datasets` reads no empty split
    assert ("test" in sidecar["files"]) == (form in held)
    assert all((tmp_path / "out" / file).exists() for file in sidecar["files"].values())


@EVERY
@pytest.mark.parametrize("name", ["all", "All", ""])
def test_a_name_that_cannot_be_is_refused_before_anything_is_written(
    form: str, name: str, tmp_path: Path
) -> None:
    reason = "Hugging Face reserves" if name else "empty name"
    with pytest.raises(SplitauditError, match=reason) as caught:
        write(form, {"a": "train", "b": name}, tmp_path / "out")
    assert repr(name) in str(caught.value) or not name
    assert not list(tmp_path.iterdir())


def test_no_split_is_made_under_a_name_that_cannot_be(here: Here, run: Path) -> None:
    before = files_of(run)
    made = here("split", run, "--mode", "regroup", "--ratios", "ALL=0.5,test=0.5")
    assert (made.status, made.err.count("\n")) == (2, 1)
    assert "cannot be called 'ALL': Hugging Face reserves" in made.err
    assert files_of(run) == before


@EVERY
def test_a_split_that_lost_all_its_items_is_told(form: str, here: Here, run: Path) -> None:
    assert here("split", run, "--mode", "drop-test").status == 0
    assert here("export", run, "--format", form, "--to", "out").status == 0
    assert json.loads(Path("out/split.json").read_text())["counts"]["test"] == 0
    assert here("check", "out", "--run", run).status == 0


def test_what_a_manifest_tells_of_a_dataset_is_told_on(here: Here) -> None:
    Path("items.csv").write_text(TABLE)
    Path("mine.toml").write_text(
        '[dataset]\nname = "mine"\ntitle = "My sounds"\nlicense = "CC0-1.0"\n'
        '[[tables]]\npath = "items.csv"\n[media.audio]\npath = "{id}.wav"\n'
    )
    here("scan", "mine.toml", "--checks", "keys", "--out", "run")
    here("split", "run")
    here("export", "run", "--format", "croissant", "--to", "out")
    known = {"name": "mine", "title": "My sounds", "license": "CC0-1.0"}
    assert json.loads(Path("out/split.json").read_text())["dataset"] == known
    said = json.loads(Path("out/croissant.json").read_text())
    assert (said["name"], said["license"], "url" in said) == ("mine", "CC0-1.0", False)
    assert said["description"].startswith("My sounds, split by splitaudit: ")


HOSTILE = ["../x", "a/b", "a\\b", "..", "Train", "train", "splits", "é", "e\u0301", "x" * 300]


@EVERY
def test_hostile_names_stay_inside_and_apart_or_are_refused_in_a_sentence(
    form: str, tmp_path: Path
) -> None:
    placed = {f"i{k}": name for k, name in enumerate(HOSTILE)}
    folder = tmp_path / "home/out"
    if form == "huggingface":
        for name in {"../x", "a/b", "a\\b", "..", "e\u0301"}:
            with pytest.raises(SplitauditError, match="letters, digits, '_' and inner dots") as no:
                write(form, {"i": name}, folder)
            assert "\n" not in str(no.value)
        placed = {x: name for x, name in placed.items() if name.isalnum()}
        with pytest.raises(SplitauditError, match="both be called 'validation'"):
            write(form, {"a": "val", "b": "validation"}, folder)
        assert not folder.exists()
    write(form, placed, folder)
    assert read(folder) == placed
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert [path.name for path in folder.parent.iterdir()] == ["out"]
    names = files_of(folder)
    assert len({name.casefold() for name in names}) == len(names)
    assert all(name.isascii() and len(name) < 120 for name in names)


@EVERY
def test_an_export_takes_the_place_of_any_other(form: str, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write(form, {"a": "test", "b": None}, tmp_path / "expected")
    for other in FORMATS:
        write(other, {"a": "train", "b": "test", "c": "extra"}, folder)
        (folder / "mine.txt").write_text("mine")
        write(form, {"a": "test", "b": None}, folder)
        assert files_of(folder) == files_of(tmp_path / "expected") | {"mine.txt": b"mine"}
        assert (folder / "data").exists() == (form == "huggingface")


@EVERY
def test_a_link_to_another_folder_is_not_followed(form: str, tmp_path: Path) -> None:
    for folder in ("out", "outside"):
        write("huggingface", {"a": "train"}, tmp_path / folder)
    before = files_of(tmp_path / "outside")
    for name in ("train-00000-of-00001.parquet", ""):
        path = tmp_path / "out/data" / name
        path.unlink() if name else path.rmdir()
    (tmp_path / "out/data").symlink_to(tmp_path / "outside/data")
    write(form, {"a": "train", "b": "test"}, tmp_path / "out")
    assert files_of(tmp_path / "outside") == before
    assert read(tmp_path / "out") == {"a": "train", "b": "test"}


KILLED = """
    import json, os, signal, sys
    from pathlib import Path
    sys.path[:0] = [{tests!r}, {tests!r} + '/exports']
    from test_export_contract import NEW, OLD, write

    def dying(method, left):
        def call(*arguments, **named):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return method(*arguments, **named)
        return call

    form, home = sys.argv[1], Path(sys.argv[2])
    write(form, OLD, home / "old"); write(form, NEW, home / "new")
    for there in (False, True):
        for moment in range(99):
            folder = home / f"{{there}}-{{moment}}"
            folder.mkdir()
            if there:
                write(form, OLD, folder / "out")
            child = os.fork()
            if not child:
                left = [moment]
                for name in ("write_bytes", "write_text", "replace", "unlink"):
                    setattr(Path, name, dying(getattr(Path, name), left))
                write(form, NEW, folder / "out")
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status != -signal.SIGKILL:
                assert not status
                break
"""
OLD: dict[str, str | None] = {"a": "train", "b": "test", "c": None}
NEW: dict[str, str | None] = {"a": "test", "b": "train", "c": "train"}


@EVERY
def test_a_killed_export_never_looks_complete(form: str, tmp_path: Path) -> None:
    """Killed before each write, move and removal in turn, into a new folder and over another."""
    code = textwrap.dedent(KILLED.format(tests=str(Path(__file__).parents[1])))
    subprocess.run([sys.executable, "-c", code, form, str(tmp_path)], check=True)
    whole = {name: files_of(tmp_path / name) for name in ("old", "new")}
    states = [path / "out" for path in tmp_path.iterdir() if path.name[:4] in ("True", "Fals")]
    told = {state: said(state, whole) for state in states}
    assert len(told) > 8
    assert set(told.values()) >= {"new", "old", "nothing", "unfinished"}
    assert all((said == "nothing") <= (s.parent.name[0] == "F") for s, said in told.items())


def said(folder: Path, whole: dict[str, dict[str, bytes]]) -> str:
    """Return which export a reader takes a folder for."""
    if not folder.exists():
        return "nothing"
    files = {name: x for name, x in files_of(folder).items() if not name.endswith(".tmp")}
    for name, complete in whole.items():
        if files == complete:
            return name
    with pytest.raises(InputError, match=r"split\.json: the export into this folder was interr"):
        read_split(folder)
    assert not list(misleading(files, whole))
    return "unfinished"


def misleading(files: dict[str, bytes], whole: dict[str, dict[str, bytes]]) -> Iterator[str]:
    """Yield what tells others than us of files of two exports, or of too few."""
    data = {name for name in whole["new"] if name.endswith(".parquet")}
    for name in {"README.md", "croissant.json"} & set(whole["new"]):
        if name in files:
            alike = [one for one in whole.values() if one[name] == files[name]]
            there = data & set(files)
            if there == data and not any(files[x] == one[x] for one in alike for x in data):
                yield name
        elif name == "README.md" and data & set(files):
            yield "data"  # which `datasets` would take for all there is
