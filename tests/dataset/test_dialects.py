"""Tables in the dialects that others write: read, or refused with what reads them."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from splitaudit.dataset import Dataset, IngestOptions, ingest
from splitaudit.dataset.manifest import Layout
from splitaudit.errors import InputError, SplitauditError

PLAIN = "path,split,caption\na.wav,train,Grüße\nb.wav,test,two words\n"
READ = [("a.wav", "train", ["Grüße"]), ("b.wav", "test", ["two words"])]


def write(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def rows(dataset: Dataset) -> list[tuple[str, str, list[str]]]:
    names = ("item_id", "split", "captions")
    return list(zip(*(dataset.items[name].to_pylist() for name in names), strict=True))


def read(target: Path, layout: Layout | None = None) -> Dataset:
    return ingest(str(target), IngestOptions(layout=layout or Layout()))


def refused(target: Path, layout: Layout | None = None) -> str:
    with pytest.raises(SplitauditError) as caught:
        read(target, layout)
    return str(caught.value)


@pytest.mark.parametrize(
    ("separator", "name"), [(";", "';'"), ("|", "'|'"), ("\t", "a tab"), (",", "")]
)
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_separator_is_told_by_the_rows(
    tmp_path: Path, separator: str, name: str, ending: str
) -> None:
    found = read(write(tmp_path, PLAIN.replace(",", separator), f"t.{ending}"))
    assert rows(found) == READ
    usual = separator == {"csv": ",", "tsv": "\t"}[ending]
    assert found.notes == (() if usual else (f"cells have {name or repr(',')} between",))


def test_the_separator_of_the_ending_goes_before_others(tmp_path: Path) -> None:
    text = "path,split,caption;note\na.wav,train,x;y\n"
    assert dict(read(write(tmp_path, text)).items["attributes"][0].as_py()) == {
        "caption;note": "x;y"
    }
    assert rows(read(write(tmp_path, "path,split\na;b.wav,train\n"))) == [("a;b.wav", "train", [])]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-be"])
def test_marks_of_an_encoding_are_believed(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    for name in ("t.csv", "t.tsv"):
        text = PLAIN if name == "t.csv" else PLAIN.replace(",", "\t")
        assert rows(read(write(tmp_path, (mark + text).encode(encoding), name))) == READ


def test_other_encodings_are_refused_and_read_when_said(tmp_path: Path) -> None:
    for encoding, proposed in (("latin-1", "latin-1"), ("utf-16-le", "utf-16-le")):
        target = write(tmp_path, PLAIN.encode(encoding))
        assert f"--encoding {proposed}" in refused(target)
        assert rows(read(target, Layout(encoding))) == READ


@pytest.mark.parametrize(
    ("ending", "compress"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", lambda content: pa.Codec("zstd").compress(content, asbytes=True)),
    ],
)
def test_compressed_tables(tmp_path: Path, ending: str, compress: Callable[[bytes], bytes]) -> None:
    found = read(write(tmp_path, compress(PLAIN.encode()), f"list.csv.{ending}"))
    assert (found.name, rows(found)) == ("list", READ)
    lines = b'{"path": "a.wav", "split": "train", "caption": "x"}\n'
    found = read(write(tmp_path, compress(lines), f"t.JSONL.{ending}"))
    assert rows(found) == [("a.wav", "train", ["x"])]
    damaged = write(tmp_path, compress(PLAIN.encode())[:-9], f"cut.csv.{ending}")
    assert "is damaged, or not compressed as its ending says" in refused(damaged)
    assert "is damaged" in refused(write(tmp_path, PLAIN, f"plain.csv.{ending}"))


def test_quotes_are_text_where_each_line_is_a_row_only_so(tmp_path: Path) -> None:
    text = 'path\tsplit\tcaption\na.wav\ttrain\t"Well," she said.\nb.wav\ttest\t"never closed\n'
    found = read(write(tmp_path, text, "cv.tsv"))
    assert rows(found) == [
        ("a.wav", "train", ['"Well," she said.']),
        ("b.wav", "test", ['"never closed']),
    ]
    assert found.notes == ("quotes are text here, not marks around a cell",)


def test_a_quote_that_opens_a_cell_does_not_swallow_lines(tmp_path: Path) -> None:
    text = 'path\tsplit\tcaption\na.wav\ttrain\t"one\nb.wav\ttest\ttwo"\n'
    assert len(rows(read(write(tmp_path, text, "cv.tsv")))) == 2


def test_lines_between_commas_that_a_quote_swallows_are_told(tmp_path: Path) -> None:
    target = write(tmp_path, 'path,split,caption\na.wav,train,"one\nb.wav,test,two"\n')
    assert "line 2: a quoted cell runs over lines that are rows by themselves" in refused(target)
    assert len(rows(read(target, Layout(quotes="text")))) == 2
    assert rows(read(target, Layout(quotes="csv"))) == [("a.wav", "train", ["one\nb.wav,test,two"])]
    whole = 'caption\n"one\ntwo"\n'
    assert "column 'path' is missing" in refused(write(tmp_path, whole))


def test_quotes_of_a_tsv_as_pandas_writes_them(tmp_path: Path) -> None:
    text = 'path\tsplit\tcaption\na.wav\ttrain\t"a ""b""\tc"\nb.wav\ttest\t"new\nline"\n'
    found = read(write(tmp_path, text, "t.tsv"))
    assert rows(found) == [("a.wav", "train", ['a "b"\tc']), ("b.wav", "test", ["new\nline"])]
    assert found.notes == ()


def test_quotes_as_they_are_said(tmp_path: Path) -> None:
    target = write(tmp_path, 'path,split,caption\na.wav,train,"x" y\nb.wav,test,"z"\n')
    assert "--quotes text" in refused(target)
    said = rows(read(target, Layout(quotes="text")))
    assert said == [("a.wav", "train", ['"x" y']), ("b.wav", "test", ['"z"'])]


def test_a_table_without_a_header(tmp_path: Path) -> None:
    text = 'aaa.wav,"birds, tweeting",train\nbbb.wav,dogs,test\n'
    target = write(tmp_path, text)
    assert "name its columns, as --header id,path,split" in refused(target)
    found = read(target, Layout(header=("path", "label", "split")))
    assert found.items["labels"].to_pylist() == [["birds, tweeting"], ["dogs"]]


def test_any_ending_with_how_it_is_written(tmp_path: Path) -> None:
    target = write(tmp_path, 'a.wav|train|"x" y, z\nb.wav|test|w\n', "metadata.txt")
    assert "read with --separator or --header" in refused(target)
    found = read(target, Layout(header=("path", "split", "caption")))
    assert rows(found) == [("a.wav", "train", ['"x" y, z']), ("b.wav", "test", ["w"])]


@pytest.mark.parametrize("name", ['tweeting",train', "a\nb", "'train'", "x\ty"])
def test_a_split_with_a_quote_is_the_sign_of_another_dialect(tmp_path: Path, name: str) -> None:
    quoted = name.replace('"', '""')
    target = write(tmp_path, f'path,split\na.wav,"{quoted}"\nb.wav,test\n')
    with pytest.raises(InputError) as caught:
        read(target)
    assert caught.value.problems[0].startswith("line 2: the name of the split has a quote")


def test_what_is_no_csv_has_no_separator(tmp_path: Path) -> None:
    target = write(tmp_path, '{"path": "a.wav", "split": "x"}\n', "t.jsonl")
    assert "are for CSV and TSV" in refused(target, Layout(separator=";"))
    (tmp_path / "train").mkdir()
    assert "this target is a folder" in refused(tmp_path, Layout(separator=";"))


def manifest(folder: Path, body: str) -> Dataset:
    (folder / "m.toml").write_text(f'[dataset]\nname = "m"\n[[tables]]\n{body}')
    return ingest(str(folder / "m.toml"), IngestOptions(media=False))


QUOTED = 'aaa,1,"people, marching",train\nbbb,30,dog barking,test\n'
NAMED = 'header = ["id", "start", "caption", "split"]\n'


@pytest.mark.parametrize("form", ["csv", "lines"])
def test_a_manifest_gives_the_header_of_a_csv(tmp_path: Path, form: str) -> None:
    write(tmp_path, QUOTED)
    found = manifest(tmp_path, f'path = "t.csv"\nformat = "{form}"\nseparator = ","\n{NAMED}')
    assert rows(found) == [("aaa", "train", ["people, marching"]), ("bbb", "test", ["dog barking"])]


def test_lines_with_other_quotes_are_plain_text(tmp_path: Path) -> None:
    write(tmp_path, 'a,train,"x" y, z\nb,test,"w"\n')
    body = 'format = "lines"\nseparator = ","\nheader = ["id", "split", "caption"]\n'
    found = manifest(tmp_path, f'path = "t.csv"\n{body}')
    assert rows(found) == [("a", "train", ['"x" y, z']), ("b", "test", ['"w"'])]


def test_the_segments_of_audioset(tmp_path: Path) -> None:
    text = (
        '# Segments csv created\n# YTID, start, end, labels\n--aE2, 30.000, 40.000, "/m/0, /m/1"\n'
    )
    write(tmp_path, text)
    body = 'split = "train"\ncomment = "#"\nheader = ["id", "start", "end", "label"]\n'
    found = manifest(tmp_path, f'path = "t.csv"\n{body}').items.to_pylist()
    assert [(x["item_id"], x["start_s"], x["labels"]) for x in found] == [
        ("--aE2", 30.0, ["/m/0, /m/1"])
    ]


def test_a_dialect_is_said_of_what_has_one(tmp_path: Path) -> None:
    write(tmp_path, "[]", "t.json")
    with pytest.raises(
        InputError, match=r"separator: only with format = 'csv' or 'tsv' or 'lines'"
    ):
        manifest(tmp_path, 'path = "t.json"\nsplit = "x"\nseparator = ";"\n')


COMMAS = "path;split;{begin};{end}\nrec.wav;train;0;1,5\nrec.wav;test;1,5;3,25\n"
SPANS = [("begin", "end"), ("start", "end"), ("clip_start_s", "clip_end_s"), ("offset", "duration")]


def stretches(dataset: Dataset) -> list[tuple[float, float]]:
    columns = (dataset.media[name].to_pylist() for name in ("clip_start_s", "clip_end_s"))
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(("begin", "end"), SPANS)
def test_between_semicolons_a_comma_is_a_decimal_point(
    tmp_path: Path, begin: str, end: str
) -> None:
    found = read(write(tmp_path, COMMAS.format(begin=begin, end=end)))
    last = 4.75 if end == "duration" else 3.25
    assert stretches(found) == [(0.0, 1.5), (1.5, last)]


@pytest.mark.parametrize(("begin", "end"), SPANS)
@pytest.mark.parametrize("separator", ["\t", ",", "|"])
def test_else_a_comma_in_a_number_is_refused_with_what_reads_it(
    tmp_path: Path, begin: str, end: str, separator: str
) -> None:
    lines = COMMAS.format(begin=begin, end=end).split("\n")
    text = "\n".join(separator.join(f'"{c}"' for c in line.split(";")) for line in lines if line)
    target = write(tmp_path, text)
    assert (
        "expected a finite number, found '1,5'; where commas are decimal points, say --decimal "
        'comma (in a manifest: decimal = "comma")'
    ) in refused(target)
    assert stretches(read(target, Layout(decimal="comma")))[0] == (0.0, 1.5)


def test_between_semicolons_it_may_be_said_that_a_comma_is_none(tmp_path: Path) -> None:
    target = write(tmp_path, COMMAS.format(begin="start", end="end"))
    assert "found '1,5'" in refused(target, Layout(decimal="point"))
    points = write(tmp_path, COMMAS.format(begin="start", end="end").replace(",", "."), "p.csv")
    assert stretches(read(points)) == [(0.0, 1.5), (1.5, 3.25)]


@pytest.mark.parametrize("cell", ["1,2,3", "1.234,5", ",", "1,", "a,5", "1,5 s"])
def test_what_is_no_number_with_a_comma_is_refused(tmp_path: Path, cell: str) -> None:
    text = f"path;split;clip_start_s;clip_end_s\nrec.wav;train;0;{cell}\n"
    assert f"expected a finite number, found '{cell}'" in refused(write(tmp_path, text))
