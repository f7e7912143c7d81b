"""Made-up material, laid out as the real one is: to see that a benchmark runs, and for nothing else.

What a benchmark says of it is worth nothing. `MAKERS` has what can be made, by its name in `--data`.
"""

from __future__ import annotations

import csv
import io
import pickle
import tarfile
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common.audio.material import RATE, make_writer, write_wav
from splitaudit.demo.sounds import distinct_sound

SOUNDS, SECONDS = 6, 4.0  # uploads, and their length
PHOTOGRAPHS, FILMS = 8, 3
PICTURES = 40  # of CIFAR-10, in each split
COPIED = 8  # pictures of train that are in test again
CLIPS = 48  # of SoundDescs
WORDS = ("rain on a tin roof", "a door is shut", "crowd, applause", "dog barks", "old engine")
TABLES = ("audiocaps", "msvd", "didemo", "querydsegments", "tvr", "msrvtt_1ka")


def make(folder: Path, names: Iterable[str]) -> Path:
    """Make what is named below a new folder; return it."""
    folder.mkdir()
    for name in names:
        MAKERS[name](folder)
    return folder


def make_donateacry(folder: Path) -> None:
    """Write uploads of telephones, two of each, and what is left of most when they are cleaned."""
    home = folder / "donateacry"
    for name in ("android", "ios", "cleaned/hungry"):
        (home / name).mkdir(parents=True)
    for seed in range(SOUNDS):
        sound = distinct_sound(seed, SECONDS)
        telephone = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{seed // 2}"))
        if seed % 4 < 2:
            stem = f"{telephone}-{1_430_000_000_000 + 10_000 * seed}-1.7-m-26-hu"
            make_writer("aac", 48_000)(home / "android" / f"{stem}.3gp", sound)
        else:
            stem = f"{telephone.upper()}-{1_430_000_000 + 10 * seed}-1.0-f-26-ti"
            write_wav(home / "ios" / f"{stem}.caf", sound)
        # Of the last telephone one sound is not cleaned, and one is another than the upload.
        if seed < SOUNDS - 2:
            write_wav(home / "cleaned" / "hungry" / f"{stem}.wav", sound[: -RATE // 2])
    write_wav(home / "cleaned" / "hungry" / f"{stem}.wav", distinct_sound(SOUNDS, SECONDS))


def make_videos(folder: Path) -> None:
    """Write films of one picture that moves, without sound."""
    (folder / "videos").mkdir()
    for seed in range(FILMS):
        _write_film(folder / "videos" / f"film_{seed}.mp4", seed)


def _write_film(path: Path, seed: int) -> None:
    import av

    from benchmarks.common.images.folders import draw_clouds

    pixels = np.asarray(draw_clouds(1_000 + seed))
    with av.open(str(path), "w") as film:
        track: Any = film.add_stream("mpeg4", rate=25)
        track.height, track.width = pixels.shape[:2]
        for at in range(40):
            frame = av.VideoFrame.from_ndarray(np.roll(pixels, at, axis=1), format="rgb24")
            film.mux(track.encode(frame))
        film.mux(track.encode(None))


def make_pdq(folder: Path) -> None:
    """Write photographs, one of them as large as those of a camera."""
    from benchmarks.common.images.folders import draw_clouds

    home = folder / "pdq"
    paths = [home / "bridge-mods/aaa-orig.jpg", home / "misc-images/modes/original.jpg"]
    paths += [home / f"made/{at}.jpg" for at in range(PHOTOGRAPHS)]
    for seed, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        size = (640, 480) if seed else (1600, 1200)
        draw_clouds(seed, *size).save(path, quality=90)


def make_cifar(folder: Path) -> None:
    """Write small pictures, some of them in train and in test, and the list of those."""
    from benchmarks.common.images.folders import draw_clouds

    pairs = [(f"test/ship/{at:04}.jpg", f"train/ship/{at:04}.jpg") for at in range(COPIED)]
    with tarfile.open(folder / "cifar10_5classes.tar", "w") as archive:
        for split, first in (("train", 0), ("test", PICTURES)):
            for at in range(PICTURES):
                copied = split == "test" and at < COPIED
                page = io.BytesIO()
                picture = draw_clouds(at if copied else first + at, 32, 32)
                picture.save(page, "JPEG", quality=80 if copied else 95)
                member = tarfile.TarInfo(f"{split}/ship/{at:04}.jpg")
                member.size = page.tell()
                page.seek(0)
                archive.addfile(member, page)
    with open(folder / "cifar10_5classes_pairs.csv", "w", newline="") as file:
        csv.writer(file).writerows([("a", "b", "judgment"), *((a, b, 1) for a, b in pairs)])


def make_sounddescs(folder: Path) -> None:
    """Write the lists, the catalogue and the categories of SoundDescs."""
    home, clips = folder / "sounddescs", _list_clips()
    home.mkdir()
    for split in ("train", "val", "test"):
        ids = [clip["id"] for clip in clips if clip["split"] == split]
        (home / f"{split}_list.txt").write_text("".join(f"{name}\n" for name in ids))
    columns = ["description", "secs", "category", "CDNumber", "CDName", "tracknum"]
    with open(home / "BBCSoundEffects.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["location", *columns])
        for clip in (clip for clip in clips if clip["description"]):
            table.writerow([f"{clip['id']}.wav", *(clip[name] for name in columns)])
    categories = {clip["id"]: [clip["category"] or "Nature"] for clip in clips}
    (home / "categories.pkl").write_bytes(pickle.dumps(categories))


def _list_clips() -> list[dict[str, Any]]:
    """Four clips a tape, a third of them of the Natural History Unit, of which nothing is told."""
    clips = []
    for at in range(CLIPS):
        tape, track = divmod(at, 4)
        told = tape % 3 > 0
        said: dict[str, Any] = dict.fromkeys(
            ("description", "secs", "category", "CDNumber", "CDName", "tracknum")
        )
        if told:
            said |= {"description": f"{WORDS[at % len(WORDS)]} {at % 9}", "secs": 10.0 + at % 3}
            said |= {"category": f"Sounds: {at % 4}", "CDNumber": f"ECD{tape // 2:03}"}
            said |= {"CDName": "Sounds", "tracknum": str(track + 1)}
        name = f"{7_000 + tape:05}" if told else f"nhu{5_000 + tape:05}"
        split = ("train", "train", "train", "val", "test")[at % 5]
        clips.append({"id": f"{name}{track + 1:03}", "split": split, **said})
    return clips


def make_metadata(folder: Path) -> None:
    """Write the tables of the splits of seven datasets."""
    (folder / "metadata").mkdir()
    clips = pd.DataFrame(_list_clips())
    clips.to_parquet(folder / "metadata" / "sounddescs.parquet")
    for name in TABLES:
        items = [
            {
                "id": f"{name}_{at}",
                "split": ("train", "train", "val", "test")[at % 4],
                "source": f"film {at // 3}",
                "start": None,
                "end": None,
                "captions": [f"{WORDS[at % len(WORDS)]} {at % 7}"],
            }
            for at in range(30)
        ]
        pd.DataFrame(items).to_parquet(folder / "metadata" / f"{name}.parquet")


MAKERS: dict[str, Callable[[Path], None]] = {
    "donateacry": make_donateacry,
    "videos": make_videos,
    "pdq": make_pdq,
    "cifar10_5classes.tar": make_cifar,
    "sounddescs": make_sounddescs,
    "metadata": make_metadata,
}
