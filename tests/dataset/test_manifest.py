"""Manifests: the shipped ones, and every mistake of one's own at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from splitaudit.dataset import IngestOptions, ingest
from splitaudit.dataset import manifest as manifest_module
from splitaudit.dataset.from_manifest import from_manifest
from splitaudit.dataset.manifest import (
    Attribute,
    Join,
    Manifest,
    ManifestTable,
    Source,
    read_manifest,
    shipped_manifests,
)
from splitaudit.errors import InputError, SplitauditError
from splitaudit.metadata.keys import Key

LISTS = """
[dataset]
name = "mine"
title = "Mine"
[[tables]]
path = "train.txt"
format = "lines"
split = "train"
[[tables]]
path = "test.txt"
format = "lines"
split = "Test"
[media.audio]
path = "audio/{id}.wav"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(folder: Path, text: str, *, confined: bool = False) -> list[str]:
    file = write(folder, text)
    with pytest.raises(InputError) as caught:
        read_manifest(file, confined=confined)
    assert caught.value.where == str(file)
    return list(caught.value.problems)


@pytest.mark.parametrize("name", shipped_manifests())
def test_every_shipped_manifest_reads_and_bears_its_name(name: str) -> None:
    assert read_manifest(shipped_manifests()[name], confined=True).name == name


def test_sounddesc_is_shipped() -> None:
    manifest = read_manifest(shipped_manifests()["sounddesc"], confined=True)
    assert [(table.path, table.split, table.format) for table in manifest.tables] == [
        ("train_list.txt", "train", "lines"),
        ("val_list.txt", "val", "lines"),
        ("test_list.txt", "test", "lines"),
        ("BBCSoundEffects.csv", None, None),
        ("categories.pkl", None, "label_pickle"),
    ]
    assert manifest.audio == "audio/{id}.wav"


def test_an_installed_package_carries_its_manifests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "splitaudit/data_manifests/one.toml"
    beside = tmp_path / "data_manifests/two.toml"
    for file in (inside, beside):
        file.parent.mkdir(parents=True)
        file.touch()
    module = tmp_path / "splitaudit/dataset/manifest/__init__.py"
    monkeypatch.setattr(manifest_module, "__file__", str(module))
    assert shipped_manifests() == {"one": inside}
    inside.unlink()
    inside.parent.rmdir()
    assert shipped_manifests() == {"two": beside}


def test_what_a_manifest_says(tmp_path: Path) -> None:
    text = LISTS + '[[tables]]\npath = "more.csv"\ncolumns = { caption = "description" }\n'
    assert read_manifest(write(tmp_path, text), confined=False) == Manifest(
        name="mine",
        title="Mine",
        tables=(
            ManifestTable("train.txt", "train", "lines"),
            ManifestTable("test.txt", "Test", "lines"),
            ManifestTable("more.csv", columns={"caption": "description"}),
        ),
        audio="audio/{id}.wav",
    )


def test_every_mistake_at_once(tmp_path: Path) -> None:
    text = """
    [dataset]
    nmae = "x"
    title = 5
    [[tables]]
    split = "train"
    format = "excel"
    [[tables]]
    path = ""
    columns = { caption = 1 }
    colums = {}
    [[tables]]
    path = "c.csv"
    columns = "description"
    [media.audio]
    path = "audio/{id.__class__}.wav"
    [media.sound]
    [dataste]
    """
    assert problems(tmp_path, text) == [
        "dataste: unknown key; did you mean 'dataset'?",
        "dataset.nmae: unknown key; did you mean 'name'?",
        "tables[1].path: missing (expected text)",
        "tables[1].format: expected one of csv, tsv, jsonl, json, parquet, lines, label_pickle, "
        "folder, found 'excel'",
        "tables[2].colums: unknown key; did you mean 'columns'?",
        "tables[2].path: expected text, found ''",
        "tables[2].columns.caption: expected text, found 1",
        "tables[3].columns: expected { ours = \"theirs\" }, found 'description'",
        "media.sound: unknown key",
        "media.audio.path: expected only {column} in braces, found 'audio/{id.__class__}.wav'",
        "dataset.name: missing (expected text)",
        "dataset.title: expected text, found 5",
    ]


def test_what_belongs_together(tmp_path: Path) -> None:
    text = (
        LISTS
        + """
    [[tables]]
    path = "catalogue.csv"
    join = { id = "location", strip = ".wav" }
    columns = { cd = "CDNumber" }
    [[sources]]
    path = "catalogue.csv"
    note = "from the archive"
    [attributes.track]
    from = "id"
    pattern = '(\\d{3})$'
    [keys.tape]
    from = "id"
    pattern = '^(.*)\\d{3}$'
    [keys.scene]
    from = ["cd", "caption"]
    normalise = { caption = "prefix" }
    relation = "same_setup"
    [keys.take]
    from = "caption"
    within = { duration_s = 1 }
    policy = "duplicate"
    [split]
    ratios = { train = 0.7, test = 3 }
    """
    )
    read = read_manifest(write(tmp_path, text), confined=False)
    assert read.tables[2].join == Join("location", ".wav")
    assert read.sources == (Source("catalogue.csv", note="from the archive"),)
    assert read.attributes == (
        Attribute("track", "id", r"(\d{3})$"),
        Attribute("tape", "id", r"^(.*)\d{3}$"),
    )
    assert read.keys == (
        Key("tape", ("tape",)),
        Key("scene", ("cd", "caption"), {"caption": "prefix"}, "same_setup"),
        Key("take", ("caption",), within={"duration_s": 1.0}, policy="duplicate"),
    )
    assert read.ratios == {"train": 0.7, "test": 3.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dataset = 1\n", "dataset: expected a table of keys, found 1"),
        ("", "dataset: expected a table of keys, found nothing"),
        ('tables = "x"\n', "tables: expected [[tables]], found 'x'"),
        ("tables = []\n", "tables: expected at least one [[tables]] that lists items"),
        (
            '[[tables]]\npath = "a"\njoin = { id = "x" }\n',
            "tables: expected at least one [[tables]] that lists items",
        ),
        (
            '[[tables]]\npath = "a"\nsplit = "test"\njoin = { id = "x" }\n',
            "tables[1]: expected a split or a join, found both",
        ),
        ("[[tables]]\njoin = { idd = 1 }\n", "tables[1].join.idd: unknown key; did you mean 'id'?"),
        ("keys = 1\n", "keys: expected a table of keys, found 1"),
        ("[keys]\ntape = 1\n", "keys.tape: expected a table of keys, found 1"),
        ("[keys.k]\n", "keys.k.from: expected a column, or a list of columns, found nothing"),
        (
            "[keys.k]\nfrom = []\n",
            "keys.k.from: expected a column, or a list of columns, found []",
        ),
        (
            '[keys.k]\nfrom = "id"\npattern = "x"\n',
            "keys.k.pattern: expected a regular expression with one group (...), found 'x'",
        ),
        (
            '[keys.k]\nfrom = "id"\npattern = "(x"\n',
            "keys.k.pattern: expected a regular expression with one group (...), found '(x'",
        ),
        (
            '[keys.k]\nfrom = "caption"\nnormalise = { capton = "text" }\n',
            "keys.k.normalise.capton: unknown key; did you mean 'caption'?",
        ),
        (
            '[keys.k]\nfrom = "caption"\nnormalise = { caption = "txt" }\n',
            "keys.k.normalise.caption: expected one of exact, text, numberless, core, prefix, "
            "found 'txt'",
        ),
        (
            '[keys.k]\nfrom = "x"\nrelation = "exact"\n',
            "keys.k.relation: expected one of same_source, same_setup, same_caption, found 'exact'",
        ),
        (
            '[keys.k]\nfrom = "x"\nwithin = { t = "1" }\n',
            "keys.k.within.t: expected a number, found '1'",
        ),
        ("[attributes.a]\n", "attributes.a.from: missing (expected text)"),
        ("[split.ratios]\ntrain = -1\n", "split.ratios.train: expected a number, found -1"),
        (
            '[[sources]]\npath = "a"\n',
            "sources[1]: expected a url, or a note that says where it comes from",
        ),
        (
            '[[sources]]\npath = "../a"\nurl = "u"\n',
            "sources[1].path: expected a path inside the dataset's folder, found '../a'",
        ),
        (
            '[[sources]]\npath = "a"\nurl = "u"\nsha256 = "0"\n',
            "sources[1].sha256: expected 64 hexadecimal digits, found '0'",
        ),
        ("tables = [1]\n", "tables[1]: expected a table of keys, found 1"),
        ("media = 1\n", "media: expected [media.audio], found 1"),
        ("[media.audio]\n", "media.audio.path: missing (expected text)"),
        ("[media.video]\n", "media.video.path: missing (expected text)"),
        (
            '[media]\naudio = { path = "{id}.a" }\nvideo = { path = "{id}.v" }\n',
            "media: expected [media.audio] or [media.video], found both",
        ),
        (
            '[[tables]]\npath = "a.csv"\nrecords = "r"\n',
            "tables[1].records: only with format = 'json'",
        ),
        (
            '[[tables]]\npath = "a.json"\nheader = ["a"]\n',
            "tables[1].header: only with format = 'csv' or 'tsv' or 'lines'",
        ),
        (
            '[[tables]]\npath = "a"\nformat = "folder"\njoin = { id = "x" }\n',
            "tables[1].format: expected a file, since it is joined, found 'folder'",
        ),
        (
            '[[tables]]\npath = "a.csv"\nencoding = "base64"\n',
            "tables[1].encoding: expected the name of an encoding, such as 'latin-1', "
            "found 'base64'",
        ),
        (
            '[[tables]]\npath = "a.csv"\ndrop = 1\n',
            "tables[1].drop: expected a column, or a list of columns, found 1",
        ),
        (
            '[[tables]]\npath = "a.csv"\ncolumns = { id = ["a", "b"] }\n',
            "tables[1].columns.id: expected text, found ['a', 'b']",
        ),
        (
            '[[tables]]\npath = "a.csv"\ncolumns = { id = { from = "a" } }\n',
            "tables[1].columns.id.pattern: missing (expected text)",
        ),
        (
            '[[tables]]\npath = "a.csv"\ncolumns = { id = { from = "a", pattern = "a" } }\n',
            "tables[1].columns.id.pattern: expected a regular expression with one group (...), "
            "found 'a'",
        ),
        (
            '[[tables]]\npath = "a.csv"\ncolumns = { id = { form = "a" } }\n',
            "tables[1].columns.id.form: unknown key; did you mean 'from'?",
        ),
        (
            '[media.audio]\npath = "a.wav"\n',
            "media.audio.path: expected a {column} such as {id}, found 'a.wav'",
        ),
        (
            '[dataset]\nname = "../up"\n',
            "dataset.name: expected letters, digits, '.', '_' and '-', found '../up'",
        ),
    ],
)
def test_single_mistakes(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in problems(tmp_path, text)


@pytest.mark.parametrize("content", [b"name = \n", b"\xff", b"a = " + b"[" * 20_000])
def test_what_is_no_toml(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"mine\.toml: not valid TOML: "):
        ingest(str(file))


@pytest.mark.parametrize("path", ["../out/{id}.wav", "/abs/{id}.wav", "a/../../{id}.wav"])
def test_a_shipped_manifest_stays_in_its_root(tmp_path: Path, path: str) -> None:
    text = LISTS.replace("audio/{id}.wav", path).replace("test.txt", "../test.txt")
    expected = "expected a path inside the dataset's folder, found"
    assert problems(tmp_path, text, confined=True) == [
        f"tables[2].path: {expected} '../test.txt'",
        f"media.audio.path: {expected} {path!r}",
    ]
    assert read_manifest(tmp_path / "mine.toml", confined=False).audio == path


def test_an_id_cannot_lead_a_shipped_manifest_outside(tmp_path: Path) -> None:
    file = write(tmp_path, LISTS)
    (tmp_path / "train.txt").write_text("a\n../../etc/passwd\n")
    (tmp_path / "test.txt").write_text("b\n")
    with pytest.raises(InputError) as caught:
        from_manifest(file, IngestOptions(root=tmp_path), confined=True)
    assert caught.value.problems == ("train.txt line 2: the path leaves the dataset's folder",)
    assert from_manifest(file, IngestOptions(), confined=False).items.num_rows == 3


def test_a_shipped_name_is_confined(tmp_path: Path) -> None:
    for name in ("train", "val", "test"):
        (tmp_path / f"{name}_list.txt").write_text("../../up\n")
    with pytest.raises(InputError, match="the path leaves the dataset's folder"):
        ingest("sounddesc", IngestOptions(root=tmp_path))


def test_lists_become_items(tmp_path: Path) -> None:
    write(tmp_path, LISTS)
    (tmp_path / "train.txt").write_text("\ufeffa\r\n\n b \n{id}\n", encoding="utf-8")
    (tmp_path / "test.txt").write_text("a\nc")
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio/c.wav").touch()
    dataset = ingest(str(tmp_path / "mine.toml"))
    assert (dataset.name, dataset.root, dataset.split_order) == (
        "mine",
        tmp_path,
        ("test", "train"),
    )
    assert dataset.items["item_id"].to_pylist() == ["train/a", "b", "{id}", "test/a", "c"]
    assert dataset.memberships["value"].to_pylist() == ["a", "a"]
    assert dataset.media["path"].to_pylist() == [
        f"{tmp_path}/audio/{name}.wav" for name in ("a", "b", "{id}", "a", "c")
    ]
    assert dataset.media["status"].to_pylist() == ["missing"] * 4 + [None]


def test_columns_and_attributes_of_a_table(tmp_path: Path) -> None:
    text = """
    [dataset]
    name = "mine"
    [[tables]]
    path = "a.csv"
    columns = { id = "Number", caption = "description", disc = "CD Number" }
    [[tables]]
    path = "b.jsonl"
    split = "test"
    [media.audio]
    path = "{disc}/{id}.flac"
    """
    (tmp_path / "a.csv").write_text("Number,description,CD Number,split\n7,rain,d1,train\n")
    (tmp_path / "b.jsonl").write_text('{"id": "8", "disc": "d2", "source": "s"}\n')
    dataset = ingest(str(write(tmp_path, text)))
    assert dataset.items["captions"].to_pylist() == [["rain"], []]
    assert dataset.items["attributes"].to_pylist() == [[("disc", "d1")], [("disc", "d2")]]
    assert dataset.items["source"].to_pylist() == [None, "s"]
    assert dataset.media["path"].to_pylist() == [f"{tmp_path}/d1/7.flac", f"{tmp_path}/d2/8.flac"]


def test_faults_of_several_tables_at_once(tmp_path: Path) -> None:
    text = LISTS.replace("{id}", "{disc}/{id}") + '[[tables]]\npath = "c.csv"\n'
    (tmp_path / "train.txt").write_text("a\n")
    (tmp_path / "test.txt").write_bytes(b"ok\n\xff\n")
    (tmp_path / "c.csv").write_text("idd,disc\n1,2\n")
    with pytest.raises(InputError) as caught:
        ingest(str(write(tmp_path, text)))
    assert caught.value.problems == (
        "c.csv: column 'id' is missing; did you mean 'idd'? "
        'map it: columns = { id = "idd" } in its [[tables]]',
        "c.csv: column 'split' is missing; "
        'map it: columns = { split = "THEIRS" } in its [[tables]]',
        "c.csv: columns present: 'idd', 'disc'",
        "test.txt: media.audio.path: no column 'disc'",
        "test.txt line 2: not valid UTF-8; save the table as UTF-8, or say its encoding, "
        'as --encoding latin-1 (in a manifest: encoding = "latin-1")',
        "train.txt: media.audio.path: no column 'disc'",
    )


def test_an_empty_cell_in_the_template(tmp_path: Path) -> None:
    text = (
        LISTS.replace("{id}", "{disc}/{id}").replace(".txt", ".csv").replace('format = "lines"', "")
    )
    (tmp_path / "train.csv").write_text("id,disc\na,1\nb,\n,2\n")
    (tmp_path / "test.csv").write_text("id,disc\nc,3\n")
    with pytest.raises(InputError) as caught:
        ingest(str(write(tmp_path, text)))
    assert caught.value.problems == (
        "train.csv line 3: a column of the template 'audio/{disc}/{id}.wav' is empty",
        "train.csv line 4: id is empty",
    )


def test_where_a_dataset_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPLITAUDIT_DATA", raising=False)
    file = write(tmp_path, LISTS)
    named = "mine: train.txt, test.txt not found in {}; name the folder"

    def message(options: IngestOptions) -> str:
        with pytest.raises(SplitauditError) as caught:
            ingest(str(file), options)
        return str(caught.value)

    assert message(IngestOptions()).startswith(named.format(tmp_path))
    monkeypatch.setenv("SPLITAUDIT_DATA", str(tmp_path / "data"))
    assert message(IngestOptions()).startswith(named.format(tmp_path / "data/mine"))
    (tmp_path / "root").mkdir()
    root = IngestOptions(root=tmp_path / "root")
    assert message(root).startswith(named.format(tmp_path / "root"))


def test_a_shipped_name_goes_before_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sounddesc/train").mkdir(parents=True)
    (tmp_path / "sounddesc/train/a.wav").touch()
    with pytest.raises(SplitauditError, match=r"train_list\.txt"):
        ingest("sounddesc", IngestOptions(root=tmp_path / "sounddesc"))
    assert ingest("./sounddesc").items.num_rows == 1


def test_columns_are_declared_in_the_manifest(tmp_path: Path) -> None:
    with pytest.raises(SplitauditError, match="--column maps the columns of a table"):
        ingest(str(write(tmp_path, LISTS)), IngestOptions(columns={"path": "x"}))
