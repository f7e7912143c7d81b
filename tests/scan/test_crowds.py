"""A crowd hides nothing: of each item in test it is decided whether it stands in train."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from picture_files import photograph
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps
from sound_files import write_pcm

import splitaudit
from splitaudit import schema
from splitaudit.demo import sounds
from splitaudit.demo.synthesis import RATE
from splitaudit.engine.contracts import Findings
from splitaudit.engine.stages import Settings
from splitaudit.scan.outcomes import mark_undecided


def detailed(seed: int, side: int) -> Image.Image:
    """A picture with shapes of all sizes and some grain."""
    rng = np.random.default_rng(seed)
    page = Image.fromarray(photograph(seed, 240, 320))
    pen = ImageDraw.Draw(page)
    for _ in range(60):
        x, y, size = rng.integers(0, 310), rng.integers(0, 230), int(rng.integers(6, 50))
        draw = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        draw((x, y, x + size, y + size), tuple(rng.integers(30, 220, 3).tolist()))
    grain = np.asarray(page) + rng.normal(0, 6, (240, 320, 1))
    return Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)).resize((side * 4 // 3, side), 1)


def edited(picture: Image.Image, k: int) -> Image.Image:
    """One of many edits of a picture."""
    (wide, high), by = picture.size, 1 + k // 6
    cut = 0.008 * by
    return [
        lambda: picture.resize((round(wide * (1 - 0.08 * by)), round(high * (1 - 0.08 * by)))),
        lambda: picture.crop((round(wide * cut), round(high * cut), wide, round(high * (1 - cut)))),
        lambda: ImageEnhance.Brightness(picture).enhance(0.7 + 0.1 * by),
        lambda: picture.filter(ImageFilter.GaussianBlur(0.0012 * high * by)),
        lambda: ImageOps.expand(picture, high * by // 40, (20 * by, 90, 30)),
        lambda: ImageEnhance.Contrast(picture).enhance(0.5 + 0.15 * by),
    ][k % 6]()


def verified(audit: splitaudit.Audit) -> int:
    stages = audit.record["stages"]
    return sum(of["computed"] for name, of in stages.items() if name.startswith("verify"))


@pytest.mark.slow
@pytest.mark.parametrize("side", [60, 240])
def test_every_edit_of_a_picture_is_reported_though_there_are_many(tmp_path: Path, side: int):
    """And the pairs that are compared are few for each."""
    many = 36
    for split in ("train", "test"):
        (tmp_path / "ds" / split).mkdir(parents=True)
    originals = [detailed(seed, side) for seed in range(2)]
    for at, original in enumerate(originals):
        original.save(tmp_path / f"ds/train/{at}.png")
        for k in range(many):
            edited(original, k).save(tmp_path / f"ds/test/{at}-{k:02}.jpg", quality=70 + k % 25)
    audit = splitaudit.open(tmp_path / "ds", out=tmp_path / "run", cache=tmp_path / "cache")
    summary = audit.scan().summary()
    assert summary["leaks"]["test|train"]["items"] == 2 * many
    assert summary["duplicates"]["test"]["groups"] == 2
    assert summary["coverage"]["image"]["audited"] == 2 * many + 2
    assert verified(audit) < 8 * 2 * many


@pytest.mark.slow
def test_every_copy_of_a_sound_is_reported_and_few_pairs_are_compared(tmp_path: Path):
    many, rng = 30, np.random.default_rng(0)
    original = sounds.speech_like(0, 2.5)
    for split in ("train", "test"):
        (tmp_path / "ds" / split).mkdir(parents=True)
    write_pcm(tmp_path / "ds/train/0.wav", original)
    for k in range(many):
        noise = rng.standard_normal(len(original)).astype(np.float32)
        copy = original[k * RATE // 100 :] * (0.4 + 0.02 * k) + 0.002 * noise[k * RATE // 100 :]
        write_pcm(tmp_path / f"ds/test/{k:02}.wav", copy.astype(np.float32))
    audit = splitaudit.open(tmp_path / "ds", out=tmp_path / "run", cache=tmp_path / "cache")
    summary = audit.scan().summary()
    assert summary["leaks"]["test|train"]["items"] == many
    assert summary["duplicates"]["test"]["groups"] == 1
    assert verified(audit) < 6 * many
    assert {step.action for step in audit.plan()} == {"reuse"}


def tables(*rows: tuple[str, str, str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Items and media of (item, split, content, status)."""
    items = [{"item_id": item, "split": split} for item, split, *_ in rows]
    media = [
        {"item_id": item, "part": "image", "content_id": content, "status": status}
        for item, _, content, status in rows
    ]
    return schema.conform(items, schema.ITEMS), schema.conform(media, schema.MEDIA)


def test_what_was_not_compared_with_all_is_undecided_on_the_evaluated_side():
    items, media = tables(
        ("a", "test", "x", "ok"),
        ("b", "test", "y", "ok"),
        ("c", "train", "z", "ok"),
        ("d", "test", "same as x", "ok"),
        ("e", "val", "x", "ok"),
        ("f", "test", "w", "truncated"),
    )
    facts = pd.DataFrame(
        {"same_id": ["x", "x", "y", "z", "w"]}, index=["x", "same as x", "y", "z", "w"]
    )
    undecided = pd.DataFrame(
        {"same_id": ["x", "x", "z", "w"], "split": ["train", "val", "test", "train"]}
    )
    found = {"image": Findings(facts, pd.DataFrame(), undecided)}
    marked = mark_undecided(media, items, found, ["test", "val", "train"]).to_pylist()
    assert {row["item_id"]: row["status"] for row in marked} == {
        **dict.fromkeys("ade", schema.UNDECIDED),
        "b": schema.OK,
        "c": schema.OK,
        "f": schema.TRUNCATED,
    }
    assert marked[0]["error"].startswith("looks like more items of train than it was compared with")
    assert schema.UNDECIDED not in schema.AUDITED


def test_another_split_is_another_search(tmp_path: Path):
    """What is near in a split depends on what else stands there."""
    for seed in range(2):
        path = tmp_path / f"ds/{('train', 'test')[seed]}/{seed}.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(photograph(seed)).save(path)
    cache = tmp_path / "cache"
    splitaudit.open(tmp_path / "ds", out=tmp_path / "one", cache=cache).scan()
    (tmp_path / "ds/test/1.png").rename(tmp_path / "ds/train/1.png")
    splitaudit.open(tmp_path / "ds", out=tmp_path / "two", cache=cache).scan()
    assert len(list(Settings(cache).facts("candidates").folder.glob("*.parquet"))) == 2
