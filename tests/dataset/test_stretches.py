"""Stretches of files: by columns of usual names, in seconds, milliseconds or samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from splitaudit.dataset import Dataset, IngestOptions, ingest
from splitaudit.errors import InputError

Stretch = tuple[float | None, float | None]


def table(folder: Path, text: str, name: str = "t.csv") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def stretches(dataset: Dataset) -> dict[str, Stretch]:
    rows = dataset.media.to_pylist()
    return {row["item_id"]: (row["clip_start_s"], row["clip_end_s"]) for row in rows}


def read(folder: Path, text: str, **columns: str) -> Dataset:
    return ingest(table(folder, text), IngestOptions(columns=columns))


def problems(folder: Path, text: str, **columns: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, text, **columns)
    return list(caught.value.problems)


HALVES = {"a": (0.0, 4.0), "b": (4.0, 8.0)}


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        ("start,end", ("0,4", "4,8"), "columns 'start' and 'end', in seconds"),
        ("start_s,end_s", ("0,4", "4,8"), "columns 'start_s' and 'end_s', in seconds"),
        ("start_time,end_time", ("0,4", "4,8"), "columns 'start_time' and 'end_time', in seconds"),
        ("Start (ms),End (ms)", ("0,4000", "4000,8000"), "'Start (ms)' and 'End (ms)', in millise"),
        ("begin,duration", ("0,4", "4,4"), "columns 'begin' and 'duration', in seconds"),
        ("offset,duration", ("0,4", "4,4"), "columns 'offset' and 'duration', in seconds"),
        ("start_s,duration_ms", ("0,4000", "4,4000"), "in seconds and milliseconds"),
    ],
)
def test_spans_of_rows_that_share_a_path(
    tmp_path: Path, header: str, rows: tuple[str, str], said: str
) -> None:
    text = f"id,path,split,{header}\na,x.wav,train,{rows[0]}\nb,x.wav,test,{rows[1]}\n"
    found = read(tmp_path, text)
    assert stretches(found) == HALVES
    assert found.items["start_s"].to_pylist() == [None, None]
    assert any(note.startswith("stretches of files are told by") for note in found.notes)
    assert said in " ".join(found.notes)


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("frame_offset,num_frames,sample_rate", ("0,400,100", "400,-1,100")),
        ("start_sample,end_sample,SR", ("0,400,100", "400,,100")),
        ("start_samples,duration_samples,sampling_rate", ("0,8,2", "8,,2")),
    ],
)
def test_samples_with_a_column_of_their_rate(
    tmp_path: Path, header: str, rows: tuple[str, str]
) -> None:
    text = f"id,path,split,{header}\na,x.wav,train,{rows[0]}\nb,y.wav,test,{rows[1]}\n"
    assert stretches(read(tmp_path, text)) == {"a": (0.0, 4.0), "b": (4.0, None)}


def test_samples_with_the_rate_of_the_file(tmp_path: Path) -> None:
    for name, rate in (("x.wav", 8_000), ("y.flac", 16_000)):
        soundfile.write(tmp_path / name, np.zeros(100), rate)
    text = "id,path,split,frame_offset,num_frames\na,x.wav,train,0,800\nb,y.flac,test,1600,800\n"
    assert stretches(read(tmp_path, text)) == {"a": (0.0, 0.1), "b": (0.1, 0.15)}
    assert problems(tmp_path, text.replace("y.flac", "gone.flac")) == [
        "line 3: samples without a sample rate: give it in a column sample_rate"
    ]


def test_spans_of_files_of_their_own_are_places_in_the_source(tmp_path: Path) -> None:
    found = read(tmp_path, "id,path,split,start,end\na,a.wav,train,30,40\nb,b.wav,test,0,10\n")
    assert stretches(found) == {"a": (None, None), "b": (None, None)}
    assert found.items["start_s"].to_pylist() == [30.0, 0.0]
    assert found.notes == ()


def test_an_offset_with_a_duration_is_one_of_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, "id,path,split,offset,duration\na,a.wav,x,3,2.5\nb,b.wav,x,0,1\n")
    assert stretches(found) == {"a": (3.0, 5.5), "b": (0.0, 1.0)}


@pytest.mark.parametrize("column", ["duration", "offset", "start_time", "num_frames"])
def test_columns_that_say_no_stretch_stay_attributes(tmp_path: Path, column: str) -> None:
    found = read(tmp_path, f"id,path,split,{column}\na,a.wav,x,3\nb,b.wav,x,4\n")
    assert stretches(found) == {"a": (None, None), "b": (None, None)}
    assert dict(found.items["attributes"][0].as_py()) == {column: "3"}
    assert found.notes == ()


def test_a_number_of_samples_is_no_end_of_seconds(tmp_path: Path) -> None:
    text = "id,path,split,start,num_frames\na,x.wav,train,0,64000\nb,x.wav,test,4,64000\n"
    assert stretches(read(tmp_path, text)) == {"a": (0.0, None), "b": (4.0, None)}


def test_the_time_of_day_is_no_stretch(tmp_path: Path) -> None:
    found = read(tmp_path, "id,path,split,start_time\na,x.wav,x,12:03\nb,x.wav,x,12:04\n")
    assert stretches(found) == {"a": (None, None), "b": (None, None)}


def test_events_of_a_clip_are_no_stretches(tmp_path: Path) -> None:
    text = "path,split,onset,offset,label\nx.wav,train,0,1,dog\nx.wav,train,2,3,cat\n"
    found = read(tmp_path, text)
    assert stretches(found) == {"x.wav": (None, None)}
    assert found.items["labels"].to_pylist() == [["dog", "cat"]]
    text = "id,path,split,start,end,label\na,x.wav,train,0,1,dog\na,x.wav,train,2,3,cat\n"
    assert stretches(read(tmp_path, text)) == {"a": (None, None)}


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"clip_start_s": "start", "clip_end_s": "end"}, (0.5, 2.0)),
        ({"clip_start_s": "start"}, (0.5, 2.0)),
        ({"clip_start_s": "start", "clip_duration_s": "len_ms"}, (0.5, 0.75)),
        ({"clip_start_s": "begin_ms"}, (1.0, 2.0)),
        ({"start_s": "start", "end_s": "end"}, (None, None)),
    ],
)
def test_what_is_said_is_taken(tmp_path: Path, columns: dict[str, str], expected: Stretch) -> None:
    names = ["id", "path", "split", "start", "end", "len_ms"]
    cells = ["a", "x.wav", "train", "0.5", "2", "250"]
    if "begin_ms" in columns.values():
        names[3], cells[3] = "begin_ms", "1000"
    text = ",".join(names) + "\n" + ",".join(cells) + "\n"
    assert stretches(read(tmp_path, text, **columns)) == {"a": expected}


def test_what_is_said_to_lie_in_the_source_does(tmp_path: Path) -> None:
    text = "id,path,split,start,end\na,x.wav,train,0,4\nb,x.wav,test,4,8\n"
    found = read(tmp_path, text, start_s="start", end_s="end")
    assert stretches(found) == {"a": (None, None), "b": (None, None)}


def test_the_user_is_asked_where_only_few_rows_share_a_path(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n}.wav,train,{n},{n + 1}\n" for n in range(8))
    text = f"id,path,split,start,end\na,x.wav,train,0,4\nb,x.wav,test,4,8\n{rows}"
    assert problems(tmp_path, text) == [
        "line 2: 2 rows share a path and differ in columns 'start' and 'end', in seconds, and most "
        "rows have a file of their own: map them to clip_start_s and clip_end_s where they are "
        "stretches of the file, to start_s and end_s where they are places in its source"
    ]


def test_units_that_cannot_be_added(tmp_path: Path) -> None:
    text = "id,path,split,frame_offset,duration\na,x.wav,train,0,4\n"
    assert problems(tmp_path, text) == [
        "columns 'frame_offset' and 'duration', in samples and seconds: map columns of one unit to "
        "clip_start_s and clip_end_s or clip_duration_s"
    ]


def test_cells_that_are_no_numbers(tmp_path: Path) -> None:
    text = "id,path,split,offset,duration\na,x.wav,train,0,long\nb,x.wav,test,-1,4\n"
    assert problems(tmp_path, text) == [
        "line 2: duration: expected a finite number, found 'long'",
        "line 3: clip_start_s is negative",
    ]


def test_a_stretch_without_an_id_has_a_name_of_its_own(tmp_path: Path) -> None:
    text = "path,split,start,end\nx.wav,train,0,4\nx.wav,test,4.25,\ny.wav,test,0,1\n"
    assert stretches(read(tmp_path, text)) == {
        "x.wav#t=0,4": (0.0, 4.0),
        "x.wav#t=4.25": (4.25, None),
        "y.wav": (0.0, 1.0),
    }


def test_stretches_without_any_id(tmp_path: Path) -> None:
    text = "path,split,caption,offset,duration\n,train,,0,4\n,test,,4,8\n"
    assert "line 2: path is empty" in problems(tmp_path, text)


def test_sums_are_rounded(tmp_path: Path) -> None:
    text = "id,path,split,offset,duration\na,x.wav,train,0.1,0.2\n"
    assert stretches(read(tmp_path, text)) == {"a": (0.1, 0.3)}


def test_stretches_of_one_file_in_two_tables(tmp_path: Path) -> None:
    table(tmp_path, "a rec 0 4\n", "train.txt")
    table(tmp_path, "b rec 4 8\n", "test.txt")
    each = 'format = "lines"\nseparator = " "\nheader = ["id", "rec", "start", "end"]\n'
    tables = "".join(
        f'[[tables]]\npath = "{name}.txt"\nsplit = "{name}"\n{each}' for name in ("train", "test")
    )
    body = f'[dataset]\nname = "m"\n{tables}[media.audio]\npath = "{{rec}}.wav"\n'
    assert stretches(ingest(table(tmp_path, body, "m.toml"))) == HALVES
