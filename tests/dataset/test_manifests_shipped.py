"""Every shipped manifest, on a small tree of its dataset's layout with a source in two splits."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Here, tables

from splitaudit.dataset import IngestOptions, ingest
from splitaudit.dataset.from_manifest import file_presence, find_manifest
from splitaudit.dataset.manifest import read_manifest, shipped_manifests

Tree = dict[str, str]
Weak = dict[str, dict[str, int]]


def lines(*written: str) -> str:
    return "".join(f"{line}\n" for line in written)


def sounddesc() -> Tree:
    catalogue = "location,description,secs,category,CDNumber,CDName,tracknum"
    labels = pickle.dumps({"07051001": ["Aircraft"]}, protocol=0).decode("ascii")
    return {
        "BBCSoundEffects.csv": lines(
            catalogue, "07051001.wav,Avro Lancaster - one,43,Aircraft,ECD025,Aircraft,29"
        ),
        "categories.pkl": labels,
        "train_list.txt": lines("07051001", "07051002", "nhu05102079"),
        "val_list.txt": lines("07023079"),
        "test_list.txt": lines("07051146"),
    }


def audiocaps() -> Tree:
    head = "audiocap_id,youtube_id,start_time,caption"
    return {
        "train.csv": lines(
            head, '1,aaaaaaaaaaa,130,"A dog, barking"', "2,-bbbbbbbbbb,20,Rain falls"
        ),
        "val.csv": lines(head, "3,ccccccccccc,0,Wind", "4,ccccccccccc,0,Wind blows"),
        "test.csv": lines(head, "5,aaaaaaaaaaa,300,Birds", "6,ddddddddddd,30,a dog barking!"),
    }


def clotho() -> Tree:
    captions = "file_name,caption_1,caption_2,caption_3,caption_4,caption_5"
    told = "file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license"
    return {
        "clotho_captions_development.csv": lines(
            captions, 'Rain 1.wav,"Rain, falling",Drops,c,d,e', "Bus.wav,f,g,h,i,j"
        ),
        "clotho_captions_validation.csv": lines(captions, "Bus.wav,k,l,m,n,o"),
        "clotho_captions_evaluation.csv": lines(
            captions, "Storm.wav,p,q,r,s,drops", "Sea.wav,t,u,v,w,x"
        ),
        "clotho_metadata_development.csv": lines(
            told, 'Rain 1.wav,rain,17,l,"[0, 9]",José,cc', "Bus.wav,bus,Not found,l,x,ann,cc"
        ),
        "clotho_metadata_validation.csv": lines(told, "Bus.wav,bus,Not found,l,x,bob,cc"),
        "clotho_metadata_evaluation.csv": lines(
            told, 'Storm.wav,rain,17,l,"[9, 20]",José,cc', "Sea.wav,sea,18,l,x,José,cc"
        ),
    }


def _msrvtt_data() -> str:
    videos = [
        {
            "id": number,
            "video_id": f"video{number}",
            "category": 9,
            "url": f"https://www.youtube.com/watch?v={source}",
            "start time": float(start),
            "end time": start + 10.5,
            "split": "validate",
        }
        for number, (source, start) in enumerate(
            [("aaaaaaaaaaa", 0), ("bbbbbbbbbbb", 5), ("aaaaaaaaaaa", 40), ("ccccccccccc", 0)]
        )
    ]
    said = [
        ("video0", "a man cooks"),
        ("video0", "rice"),
        ("video2", "A man cooks!"),
        ("video3", "x"),
    ]
    sentences = [
        {"sen_id": number, "video_id": video, "caption": caption}
        for number, (video, caption) in enumerate(said)
    ]
    return json.dumps({"info": {"year": "2016"}, "videos": videos, "sentences": sentences})


def msrvtt_1ka() -> Tree:
    return {
        "MSRVTT_train.9k.csv": lines("video_id", "video0", "video1"),
        "MSRVTT_JSFUSION_test.csv": lines(
            "key,vid_key,video_id,sentence", "ret0,msr2,video2,rice!", "ret1,msr3,video3,a boy"
        ),
        "MSRVTT_data.json": _msrvtt_data(),
    }


def msrvtt_1kb() -> Tree:
    return {
        "train_list_miech.txt": "video0\nvideo1",
        "test_list_miech.txt": "video2\nvideo3",
        "MSRVTT_data.json": _msrvtt_data(),
    }


def msrvtt_full() -> Tree:
    return {
        "train_list_full.txt": "video0",
        "val_list_full.txt": "video1",
        "test_list_full.txt": "video2\nvideo3",
        "MSRVTT_data.json": _msrvtt_data(),
    }


def msvd() -> Tree:
    return {
        "train_list.txt": "-4wsuPC_DBc_5_15\n-4wsuPC_DBc_30_40",
        "val_list.txt": "bQJQGoJF7_k_162_169",
        "test_list.txt": "-4wsuPC_DBc_12_20\neyhzdC936uk_15_27",
        "AllVideoDescriptions.txt": lines(
            "#",
            "# A comment of its authors",
            "",
            "-4wsuPC_DBc_5_15 a squirrel is eating",
            '-4wsuPC_DBc_5_15 a "chipmunk" eats',
            "eyhzdC936uk_15_27 A squirrel is eating.",
            "zzzzzzzzzzz_1_2 in no split",
        ),
    }


def lsmdc() -> Tree:
    def row(clip: str, sentence: str) -> str:
        stamps = clip.rsplit("_", 1)[1].replace("-", "\t")
        return f"{clip}\t{stamps}\t{stamps}\t{sentence}"

    beauty, dating = "0001_American_Beauty", "3011_BLIND_DATING"
    return {
        "LSMDC16_annos_training.csv": lines(
            row(f"{beauty}_00.00.51.926-00.00.54.129", "SOMEONE sits."),
            row(f"{beauty}_00.00.51.926-00.00.54.129", '"Yes," he says.'),
        ),
        "LSMDC16_annos_val.csv": lines(row(f"{dating}_01.11.23.496-01.11.25.853", "He nods.")),
        "LSMDC16_challenge_1000_publictect.csv": lines(
            row(f"{beauty}_01.00.51.926-01.00.54.129", "She leaves."),
            row("1006_Slumdog_Millionaire_01.25.49.077-01.25.54.718", "He NODS."),
        ),
    }


def didemo() -> Tree:
    def record(number: int, video: str, text: str) -> dict[str, object]:
        return {
            "annotation_id": number,
            "description": text,
            "video": video,
            "times": [[0, 1], [1, 1]],
            "num_segments": 6,
            "dl_link": f"https://www.flickr.com/video_download.gne?id={number}",
        }

    return {
        "train_data.json": json.dumps(
            [
                record(1, "11@N01_4253489686_265c3c8051.mov", "a bug"),
                record(2, "11@N01_4253489686_265c3c8051.mp4", "some rocks"),
                record(3, "22@N01_5_a.", "a cat"),
            ]
        ),
        "val_data.json": json.dumps([record(4, "33@N01_6_b.avi", "a cat!")]),
        "test_data.json": json.dumps(
            [record(5, "11@N01_7_c.3gp", "a tree"), record(6, "44@N01_8_d.mp4", "a dog")]
        ),
    }


def vatex() -> Tree:
    def record(video: str, english: list[str], **more: list[str]) -> dict[str, object]:
        return {"videoID": video, "enCap": english, **more}

    return {
        "vatex_training_v1.0.json": json.dumps(
            [record("Ptf_2VRj-V0_000122_000132", ["A man.", "One."], chCap=["一个人。", "在"])],
        ),
        "vatex_validation_v1.0.json": json.dumps(
            [record("3c0hLqxvSSI_000000_000010", ["A dog."], chCap=["一个人"])], ensure_ascii=False
        ),
        "vatex_public_test_english_v1.1.json": json.dumps(
            [
                record("Ptf_2VRj-V0_000125_000135", ["Two."]),
                record("Ptf_2VRj-V0_000132_000142", ["Three."]),
            ]
        ),
    }


def activitynet() -> Tree:
    def record(*sentences: str) -> dict[str, object]:
        stamps = [[0.83, 19.86 + number] for number in range(len(sentences))]
        return {"duration": 82.73, "timestamps": stamps, "sentences": list(sentences)}

    return {
        "train.json": json.dumps(
            {"v_QOlSCBRmfWY": record("A woman.", " She dances."), "v_b": record("Rain.")}
        ),
        "val_1.json": json.dumps({"v_uqiMw7tQ1Cc": record("A man."), "v_b": record("Snow.")}),
        "val_2.json": json.dumps({"v_uqiMw7tQ1Cc": record("she dances", "Ice.")}),
    }


def youcook2() -> Tree:
    def record(subset: str, kind: str, *steps: tuple[int, int, str]) -> dict[str, object]:
        return {
            "duration": 241.62,
            "subset": subset,
            "recipe_type": kind,
            "annotations": [
                {"segment": [start, end], "id": number, "sentence": text}
                for number, (start, end, text) in enumerate(steps)
            ],
            "video_url": "https://www.youtube.com/watch?v=",
        }

    database = {
        "GLd3aX16zBg": record(
            "training", "113", (90, 102, "spread butter"), (114, 127, "add cheese")
        ),
        "xHr8X2Wpmno": record("validation", "113", (47, 60, "Spread  butter!")),
    }
    return {"youcookii_annotations_trainval.json": json.dumps({"database": database})}


def cifar10() -> Tree:
    return {"train/airplane/0001.png": "", "train/bird/0001.png": "", "test/bird/0002.jpg": ""}


def folder() -> Tree:
    return {"train/a/s1_x.wav": "", "train/a/notes.txt": "", "test/b/s1_y.wav": ""}


# Of each dataset: its tree, and what is weakly related across splits.
STAND_INS: dict[str, tuple[Callable[[], Tree], Weak]] = {
    "sounddesc": (sounddesc, {"test|train": {"key:tape": 1}}),
    "audiocaps": (audiocaps, {"test|train": {"key:source": 1, "caption:text": 1}}),
    "clotho": (
        clotho,
        {
            "test|train": {"key:source": 1, "key:uploader": 2, "caption:text": 1},
            "val|train": {"key:file_name": 1},
        },
    ),
    "msrvtt_1ka": (msrvtt_1ka, {"test|train": {"key:source": 1, "caption:text": 1}}),
    "msrvtt_1kb": (msrvtt_1kb, {"test|train": {"key:source": 1, "caption:text": 1}}),
    "msrvtt_full": (msrvtt_full, {"test|train": {"key:source": 1, "caption:text": 1}}),
    "msvd": (msvd, {"test|train": {"key:source": 1, "caption:text": 1}}),
    "lsmdc": (lsmdc, {"test|train": {"key:source": 1}, "test|val": {"caption:text": 1}}),
    "didemo": (didemo, {"test|train": {"key:owner": 1}, "val|train": {"caption:text": 1}}),
    "vatex": (vatex, {"test|train": {"key:source": 2}, "val|train": {"caption:text": 1}}),
    "activitynet": (
        activitynet,
        {"val|train": {"key:id": 1, "key:source": 1, "caption:text": 1}},
    ),
    "youcook2": (youcook2, {"val|training": {"caption:text": 1}}),
    "cifar10": (cifar10, {}),
    "folder": (folder, {}),
}
# Of the test items seconds are in train: 12 to 15, 125 to 132. One film is in train and val.
LEAKS = {
    "msvd": {"test|train": 1},
    "vatex": {"test|train": 1},
    "activitynet": {"val|train": 1},
}


def planted(name: str, root: Path) -> Path:
    for path, text in STAND_INS[name][0]().items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="latin-1" if "metadata" in path else "utf-8")
    return root


def test_every_shipped_manifest_has_a_stand_in() -> None:
    assert set(STAND_INS) == set(shipped_manifests())


def test_every_shipped_manifest_stands_in_the_documentation() -> None:
    text = (Path(__file__).parents[2] / "docs/manifests.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.M)) >= set(shipped_manifests())


@pytest.mark.parametrize("name", STAND_INS)
def test_a_source_in_two_splits_is_found(name: str, here: Here, tmp_path: Path) -> None:
    planted(name, tmp_path / name)
    ran = here("scan", name, "--checks", "keys,captions", "--out", "run", "--json")
    told = {
        pair: {reason: found["items"] for reason, found in weak["by_reason"].items()}
        for pair, weak in ran.json["weak"].items()
    }
    assert told == STAND_INS[name][1]
    leaks = {pair: found["items"] for pair, found in ran.json["leaks"].items() if found["items"]}
    assert leaks == LEAKS.get(name, {})
    assert "differs between rows" not in ran.err
    assert "not found" not in ran.err
    assert ran.status == (1 if name in LEAKS else 0 if told else 4)


def media(name: str, root: Path) -> list[tuple[str, ...]]:
    dataset = ingest(name, IngestOptions(root=root))
    columns = ("item_id", "part", "path", "status")
    rows = zip(*(dataset.media[column].to_pylist() for column in columns), strict=True)
    return [
        (item, part, str(Path(path).relative_to(root)), status) for item, part, path, status in rows
    ]


@pytest.mark.parametrize(
    ("name", "file", "item", "parts"),
    [
        ("sounddesc", "audio/07051001.wav", "07051001", ("audio",)),
        ("audiocaps", "audio/aaaaaaaaaaa_130.flac", "aaaaaaaaaaa_130", ("audio",)),
        ("clotho", "development/Rain 1.wav", "development/Rain 1.wav", ("audio",)),
        ("msrvtt_1ka", "videos/video0.webm", "video0", ("audio", "video")),
        ("msrvtt_1kb", "videos/video0.mp4", "video0", ("audio", "video")),
        ("msrvtt_full", "videos/video0.mp4", "video0", ("audio", "video")),
        ("msvd", "YouTubeClips/-4wsuPC_DBc_5_15.avi", "-4wsuPC_DBc_5_15", ("audio", "video")),
        (
            "lsmdc",
            "videos/0001_American_Beauty/0001_American_Beauty_00.00.51.926-00.00.54.129.avi",
            "0001_American_Beauty_00.00.51.926-00.00.54.129",
            ("audio", "video"),
        ),
        ("didemo", "videos/22@N01_5_a.", "22@N01_5_a", ("audio", "video")),
        (
            "vatex",
            "videos/Ptf_2VRj-V0_000122_000132.mkv",
            "Ptf_2VRj-V0_000122_000132",
            ("audio", "video"),
        ),
        ("activitynet", "videos/v_b.mp4", "train/v_b", ("audio", "video")),
        ("youcook2", "videos/GLd3aX16zBg.mp4", "GLd3aX16zBg_1", ("audio", "video")),
    ],
)
def test_where_media_lie(
    name: str, file: str, item: str, parts: tuple[str, ...], tmp_path: Path
) -> None:
    planted(name, tmp_path)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    found = media(name, tmp_path)
    assert [row for row in found if row[0] == item] == [(item, part, file, None) for part in parts]
    assert "missing" in {status for *_, status in found}


def test_an_image_is_listed_with_its_label(tmp_path: Path) -> None:
    planted("cifar10", tmp_path)
    dataset = ingest("cifar10", IngestOptions(root=tmp_path))
    rows = [(row["item_id"], row["split"], row["labels"]) for row in dataset.items.to_pylist()]
    assert rows == [
        ("train/airplane/0001.png", "train", ["airplane"]),
        ("train/bird/0001.png", "train", ["bird"]),
        ("test/bird/0002.jpg", "test", ["bird"]),
    ]
    assert [row[1:] for row in media("cifar10", tmp_path)] == [
        ("image", item, None) for item, _, _ in rows
    ]


def items(name: str, root: Path) -> dict[str, dict[str, Any]]:
    dataset = ingest(name, IngestOptions(root=planted(name, root)))
    return {row["item_id"]: row for row in dataset.items.to_pylist()}


def test_all_captions_of_an_item(tmp_path: Path) -> None:
    captions = {
        "clotho/development/Rain 1.wav": ["Rain, falling", "Drops", "c", "d", "e"],
        "msrvtt_1ka/video0": ["a man cooks", "rice"],
        "msrvtt_1ka/video2": ["rice!"],  # that of the test list, and no other
        "msvd/-4wsuPC_DBc_5_15": ["a squirrel is eating", 'a "chipmunk" eats'],
        "lsmdc/0001_American_Beauty_00.00.51.926-00.00.54.129": [
            "SOMEONE sits.",
            '"Yes," he says.',
        ],
        "didemo/11@N01_4253489686_265c3c8051": ["a bug", "some rocks"],
        "vatex/Ptf_2VRj-V0_000122_000132": ["A man.", "One.", "一个人。", "在"],
        "activitynet/v_uqiMw7tQ1Cc": ["A man.", "she dances", "Ice."],
        "audiocaps/ccccccccccc_0": ["Wind", "Wind blows"],
        "youcook2/GLd3aX16zBg_1": ["add cheese"],
    }
    for place, said in captions.items():
        name, _, item = place.partition("/")
        assert items(name, tmp_path / name)[item]["captions"] == said


def test_the_place_of_an_item_in_its_source(tmp_path: Path) -> None:
    places = {
        "msrvtt_full/video2": ("aaaaaaaaaaa", 40, 50.5),
        "msvd/-4wsuPC_DBc_30_40": ("-4wsuPC_DBc", 30, 40),
        "vatex/Ptf_2VRj-V0_000125_000135": ("Ptf_2VRj-V0", 125, 135),
        "youcook2/GLd3aX16zBg_1": ("GLd3aX16zBg", 114, 127),
        "audiocaps/-bbbbbbbbbb_20": ("-bbbbbbbbbb", 20, None),
        "activitynet/v_QOlSCBRmfWY": ("QOlSCBRmfWY", None, None),
        "lsmdc/3011_BLIND_DATING_01.11.23.496-01.11.25.853": ("3011_BLIND_DATING", None, None),
        "clotho/development/Bus.wav": (None, None, None),  # of no number
    }
    for place, expected in places.items():
        name, _, item = place.partition("/")
        row = items(name, tmp_path / name)[item]
        assert (row["source"], row["start_s"], row["end_s"]) == expected


def test_a_step_of_a_recipe_is_a_stretch_of_its_video(tmp_path: Path) -> None:
    planted("youcook2", tmp_path)
    dataset = ingest("youcook2", IngestOptions(root=tmp_path))
    stretches = {
        row["item_id"]: (row["clip_start_s"], row["clip_end_s"])
        for row in dataset.media.to_pylist()
    }
    assert stretches["GLd3aX16zBg_1"] == (114, 127)
    assert dict(dataset.items["attributes"][0].as_py())["recipe"] == "113"


def test_the_template_is_filled_in(here: Here, tmp_path: Path) -> None:
    planted("folder", tmp_path)
    text = shipped_manifests()["folder"].read_text(encoding="utf-8")
    (tmp_path / "mine.toml").write_text(re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.M))
    (tmp_path / "recordings.csv").write_text(
        "path,text,who,tape,from,to\ntrain/a/s1_x.wav,Rain,ann,t1,0,5\ntest/b/s1_y.wav,rain!,ann,t1,4,9\n"
    )
    ran = here("scan", "mine.toml", "--checks", "keys,captions", "--out", "run", "--json")
    assert "train: ignored 1 file that is not media (.txt 1)" in ran.err
    assert set(ran.json["weak"]["test|train"]["by_reason"]) == {
        "key:source",
        "key:speaker",
        "key:session",
        "caption:text",
    }
    assert ran.json["leaks"]["test|train"]["by_relation"] == {"overlap": {"items": 1, "pairs": 1}}
    rows = {row["item_id"]: row["labels"] for row in tables(Path("run"))["items"]}
    assert rows == {"train/a/s1_x.wav": ["a"], "test/b/s1_y.wav": ["b"]}


def test_a_shipped_dataset_is_looked_for_in_a_folder_of_its_name(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPLITAUDIT_DATA", raising=False)
    assert f"not found in {tmp_path}/vatex;" in here("scan", "vatex").err
    planted("vatex", tmp_path / "vatex")
    assert ingest("vatex").items.num_rows == 4


def test_media_that_were_not_asked_for_are_not_listed(here: Here, tmp_path: Path) -> None:
    planted("msrvtt_1kb", tmp_path / "msrvtt_1kb")
    assert "no such file" not in here("scan", "msrvtt_1kb", "--checks", "keys").out
    assert "no such file" in here("scan", "msrvtt_1kb").out


def test_a_joined_file_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    planted("msrvtt_1kb", tmp_path)
    (tmp_path / "MSRVTT_data.json").unlink()
    dataset = ingest("msrvtt_1kb", IngestOptions(root=tmp_path))
    assert dataset.notes == ("MSRVTT_data.json not found: what it tells is not audited",)


def test_the_list_says_what_is_at_hand(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPLITAUDIT_DATA", str(tmp_path / "data"))
    planted("cifar10", tmp_path / "data/cifar10")
    planted("msvd", tmp_path / "data/msvd")
    (tmp_path / "data/msvd/val_list.txt").unlink()
    out = here("list").out
    assert all(len(line) <= 80 for line in out.splitlines())
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert set(shipped_manifests()) <= set(rows)
    assert rows["cifar10"].endswith(" 2 of 2")
    assert rows["msvd"].endswith(" 3 of 4")
    assert rows["lsmdc"].endswith(" 0 of 3")
    said = here("list", "--json").json["msvd"]
    assert said["at_hand"]["val_list.txt"] is False
    assert said["at_hand"]["test_list.txt"] is True
    assert said["license"]


@pytest.mark.parametrize("name", STAND_INS)
def test_a_manifest_says_where_each_of_its_files_comes_from(name: str, tmp_path: Path) -> None:
    read = find_manifest(name)
    told = {source.path for source in read.sources}
    assert set(file_presence(read, tmp_path)) <= told
    assert read_manifest(shipped_manifests()[name], confined=True).title
    assert read.note


def test_fetch_says_which_files_are_here_and_where_they_come_from(
    here: Here, tmp_path: Path
) -> None:
    planted("cifar10", tmp_path / "cifar10")
    ran = here("fetch", "cifar10")
    assert (ran.status, ran.out.count("here ")) == (0, 2)
    assert "https://www.cs.toronto.edu/~kriz/cifar.html" in ran.out
