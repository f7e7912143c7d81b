"""Which split a file of a folder belongs to: by folders, by lists, or by nothing at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from splitaudit.dataset import Dataset, IngestOptions, ingest


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def lines(root: Path, **lists: str) -> None:
    for name, text in lists.items():
        (root / f"{name}.txt").write_text(text)


def splits(dataset: Dataset) -> dict[str, str]:
    names = (dataset.items[name].to_pylist() for name in ("item_id", "split"))
    return dict(zip(*names, strict=True))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("cat/train/a.jpg", "cat/test/b.jpg"),
        ("images/train2017/a.jpg", "images/val2017/b.jpg"),
        ("archive/data/Training/cat/a.jpg", "archive/data/Testing/cat/b.jpg"),
        ("LibriSpeech/train-clean-100/1/a.flac", "LibriSpeech/dev-clean/2/b.flac"),
    ],
)
def test_folders_below_the_first_level(tmp_path: Path, train: str, test: str) -> None:
    found = ingest(str(touch(tmp_path, train, test, "more/" + train)))
    ours = {"train2017": "train2017", "val2017": "val2017", "dev-clean": "dev-clean"}
    assert found.splits_known
    assert len(set(splits(found).values())) == 2
    assert splits(found)[train] in {"train", "Training", "train2017", "train-clean-100"}
    assert splits(found)[test] in {"test", "Testing", *ours}
    assert found.notes[0].startswith("splits are the folders below the first level: ")


def test_classes_that_sound_like_splits(tmp_path: Path) -> None:
    found = ingest(str(touch(tmp_path, "a/testudo/a.jpg", "a/trainer/b.jpg", "b/values/c.jpg")))
    assert (set(splits(found).values()), found.splits_known) == ({"a", "b"}, False)


def test_a_few_files_in_such_a_folder_are_no_split(tmp_path: Path) -> None:
    found = ingest(str(touch(tmp_path, "a/1.jpg", "a/2.jpg", "b/3.jpg", "b/test/4.jpg")))
    assert (set(splits(found).values()), found.splits_known) == ({"a", "b"}, False)


def test_what_no_list_names_is_train(tmp_path: Path) -> None:
    touch(tmp_path, "yes/a.wav", "yes/b.wav", "no/a.wav", "no/c.wav", "_noise_/n.wav")
    lines(tmp_path, testing_list="yes/a.wav\nno/a.wav\n", validation_list="yes/b.wav\n")
    found = ingest(str(tmp_path))
    assert splits(found) == {
        "yes/a.wav": "test",
        "no/a.wav": "test",
        "yes/b.wav": "val",
        "no/c.wav": "train",
        "_noise_/n.wav": "train",
    }
    assert found.splits_known
    assert found.notes[:2] == (
        "splits are those of the lists testing_list.txt, validation_list.txt",
        "files that no list names stand in the split 'train': 2",
    )


VOC = [f"VOC/JPEGImages/{n}.jpg" for n in range(4)]


def test_lists_of_names_beside_a_folder(tmp_path: Path) -> None:
    touch(tmp_path, *VOC, "VOC/SegmentationClass/0.png", "VOC/SegmentationClass/2.png")
    main, other = tmp_path / "VOC/ImageSets/Main", tmp_path / "VOC/ImageSets/Segmentation"
    main.mkdir(parents=True)
    other.mkdir()
    lines(main, train="0\n1\n", test="2\n", trainval="0\n1\n3\n", cat_train="0 1\n1 -1\n")
    lines(other, train="0\n", test="2\n")
    found = ingest(str(tmp_path))
    assert {name: split for name, split in splits(found).items() if "JPEG" in name} == {
        VOC[0]: "train",
        VOC[1]: "train",
        VOC[2]: "test",
        VOC[3]: "unsplit",
    }
    assert found.notes[1] == (
        "lists that were not read: VOC/ImageSets/Main/cat_train.txt, "
        "VOC/ImageSets/Segmentation/test.txt, VOC/ImageSets/Segmentation/train.txt"
    )


@pytest.mark.parametrize("line", ["data/yes/a.wav", "./yes/a.wav", "/home/x/data/yes/a.wav", "a"])
def test_a_line_may_begin_anywhere(tmp_path: Path, line: str) -> None:
    touch(tmp_path, "data/yes/a.wav", "data/no/b.wav")
    lines(tmp_path, test=f"{line}\n")
    assert splits(ingest(str(tmp_path))) == {"data/yes/a.wav": "test", "data/no/b.wav": "train"}


def test_a_line_that_may_mean_two_files_means_none(tmp_path: Path) -> None:
    touch(tmp_path, "yes/a.wav", "no/a.wav", "no/b.wav", "yes/c.wav")
    lines(tmp_path, test="a\nb\nc\n")
    found = ingest(str(tmp_path))
    assert splits(found)["test/a"] == "test"
    media = {row["item_id"]: row for row in found.media.to_pylist()}
    assert media["test/a"]["status"] == "missing"
    assert media["test/a"]["error"] == "test.txt names it, and there is no such file"


def test_a_file_in_two_lists_is_two_items(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.wav", "x/b.wav")
    lines(tmp_path, train="x/a.wav\n", test="x/a.wav\nx/b.wav\n")
    found = ingest(str(tmp_path))
    assert splits(found) == {"train/x/a.wav": "train", "test/x/a.wav": "test", "x/b.wav": "test"}
    assert len(set(found.media["path"].to_pylist())) == 2


def test_a_csv_with_a_header_may_be_a_list(tmp_path: Path) -> None:
    touch(tmp_path, "images/a.jpg", "images/b.jpg")
    (tmp_path / "train.csv").write_text("image,label\na.jpg,1\n")
    (tmp_path / "test.csv").write_text("image,label\nb.jpg,0\n")
    assert splits(ingest(str(tmp_path))) == {"images/a.jpg": "train", "images/b.jpg": "test"}


def test_the_lists_of_common_voice(tmp_path: Path) -> None:
    touch(tmp_path, "clips/a.mp3", "clips/b.mp3", "clips/c.mp3")
    for name, file in (("train", "a"), ("dev", "b"), ("validated", "c"), ("test", "c")):
        text = f'client_id\tpath\tsentence\nx\t{file}.mp3\t"Well," she said\n'
        (tmp_path / f"{name}.tsv").write_text(text)
    found = splits(ingest(str(tmp_path)))
    assert found == {"clips/a.mp3": "train", "clips/b.mp3": "val", "clips/c.mp3": "test"}


def test_several_lists_of_one_split_are_not_chosen_from(tmp_path: Path) -> None:
    touch(tmp_path, "UCF/A/a.avi", "UCF/B/b.avi")
    lines(tmp_path, trainlist01="A/a.avi 1\n", trainlist02="B/b.avi 2\n")
    found = ingest(str(tmp_path))
    assert not found.splits_known
    assert found.notes[0].endswith(
        "where folders are splits, scan UCF itself; else write a manifest"
    )
    assert found.notes[1] == "lists that were not read: trainlist01.txt, trainlist02.txt"


def test_other_texts_are_no_lists(tmp_path: Path) -> None:
    touch(tmp_path, "yes/a.wav", "no/b.wav")
    lines(tmp_path, latest="yes/a.wav\n", train_classes="cat\ndog\n", readme="no/b.wav\n", test="")
    found = ingest(str(tmp_path))
    assert (found.splits_known, set(splits(found).values())) == (False, {"yes", "no"})


def test_a_list_that_is_no_file_is_not_opened(tmp_path: Path) -> None:
    touch(tmp_path, "yes/a.wav", "no/b.wav")
    os.mkfifo(tmp_path / "test.txt")
    (tmp_path / "train.txt").symlink_to("nowhere")
    assert not ingest(str(tmp_path)).splits_known


def test_folders_that_are_splits_go_before_lists(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.wav", "extra/b.wav")
    lines(tmp_path, test="train/a.wav\n")
    found = ingest(str(tmp_path))
    assert set(splits(found).values()) == {"train", "extra"}
    assert found.notes[0] == "no folder is named test or val: train is compared with extra"


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (["train/a.wav", "cat/b.wav", "dog/c.wav"], ("cat", "dog")),
        (["train/a.wav", "test/b.wav", "cat/c.wav"], ("cat",)),
        (["train/a.wav", "test/b.wav", "c.wav"], ("unsplit",)),
        (["x/train/a.wav", "x/test/b.wav", "y/c.wav"], ("unsplit",)),
        (["train/a.wav", "test/b.wav"], ()),
        (["cat/a.wav", "dog/b.wav"], ()),  # no split is known at all, and that is said
    ],
)
def test_what_is_under_no_split_is_told(
    tmp_path: Path, names: list[str], left: tuple[str, ...]
) -> None:
    found = ingest(str(touch(tmp_path, *names)))
    assert found.unplaced == left
    said = [note for note in found.notes if note.startswith("files that belong to no split: ")]
    assert len(said) == bool(left)


def test_what_lists_leave_is_under_no_split(tmp_path: Path) -> None:
    touch(tmp_path, "x/a.wav", "x/b.wav", "x/c.wav")
    lines(tmp_path, train="x/a.wav\n", test="x/b.wav\n")
    assert ingest(str(tmp_path)).unplaced == ("unsplit",)


def test_a_folder_that_is_named_is_placed(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.wav", "test/b.wav", "extra/c.wav", "more/d.wav", "e.wav")
    named = {"extra": "extra", "unsplit": "train"}
    found = ingest(str(tmp_path), IngestOptions(splits=named))
    assert found.unplaced == ("more",)
    assert found.notes[-1] == (
        "files that belong to no split: 1 in more; they are compared with all others, but "
        "nothing says what they are: include them with --splits more=train (or more=more, to keep "
        "them as a split of their own), or take them out of the folder"
    )
