"""What metadata alone show of SoundDescs and other datasets: which reasons join test or val to train.

Each dataset is scanned by the command, as a user would. Beside what it says stands a plain count, by
sets of values and loops over items, with nothing of splitaudit but the rules for captions; they must
agree. Last, how long captions that are nearly alike take.

    python -m benchmarks.splits.sounddesc_study --data DIR
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import harness
from benchmarks.common.harness import must, print_table
from splitaudit.metadata.captions import NORMALISERS
from splitaudit.metadata.near_captions import near

CAPTIONS = 200_000
SECONDS = 1.0  # <= apart: equal words are then the same recording
TABLES = ("audiocaps", "msvd", "didemo", "querydsegments", "tvr", "msrvtt_1ka")
Values = Callable[[dict[str, Any]], Iterable[object]]


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="holds sounddescs and metadata")
    parser.add_argument("--tables", nargs="*", default=TABLES, metavar="NAME", help="of metadata")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        study = study_sounddescs(args.data, home)
        others = [
            study_table(args.data / "metadata" / f"{name}.parquet", home) for name in args.tables
        ]
        alike = study_near_captions(args.data / "metadata", home)
    print_table("SoundDescs: items with a partner in train", study["reasons"])
    print_table("Equal words, and lengths within a second", [study["hard pairs"]])
    print_table("Other datasets: items of test (val) with the same in train", others)
    print_table("Captions that are nearly alike", [alike])
    harness.keep(args.json, {**study, "others": others, "near": alike})
    if not all(row["agrees"] for row in [*study["reasons"], *others]):
        sys.exit("the command and the plain count differ")


def study_sounddescs(data: Path, home: Path) -> dict[str, Any]:
    """Scan SoundDescs, and count by hand."""
    root = str(data / "sounddescs")
    scanned = must(harness.scan(Path("sounddesc"), home / "sd", "--root", root), 4)
    items = _read_items(data / "metadata" / "sounddescs.parquet")
    rows = []
    for reason, values in REASONS.items():
        plain = {split: count_partners(items, split, values) for split in ("test", "val")}
        rows.append(_compare(reason, scanned.summary, plain))
    pairs = find_hard_pairs(items)
    plain = {
        split: len({x for p in pairs for x in _find_across(p, split)}) for split in ("test", "val")
    }
    rows.append(_compare("key:take", scanned.summary, plain))
    return {
        "seconds": round(scanned.seconds, 1),
        "coverage": scanned.summary["coverage"],
        "reasons": rows,
        "hard pairs": {
            "pairs": len(pairs),
            "across splits": sum(one["split"] != two["split"] for one, two in pairs),
            "test and train": sum({one["split"], two["split"]} == TEST_TRAIN for one, two in pairs),
            "test items": plain["test"],
        },
    }


TEST_TRAIN = {"test", "train"}


def _read_items(path: Path) -> list[dict[str, Any]]:
    frame = pd.read_parquet(path, partitioning=None).astype(object)
    return frame.where(frame.notna(), None).to_dict("records")


def _normalise_captions(rule: str) -> Values:
    def values(item: dict[str, Any]) -> Iterable[object]:
        captions = item["captions"] if "captions" in item else [item["description"]]
        written = (NORMALISERS[rule](text) for text in captions if text is not None)
        return [text for text in written if text]

    return values


def _name_neighbours(item: dict[str, Any]) -> Iterable[object]:
    """The tracks beside an item's, as its own in the values of others."""
    tape, track = item["id"][:-3], int(item["id"][-3:])
    return [(tape, track), (tape, track + 1)]


REASONS: dict[str, Values] = {
    **{
        f"caption:{rule}": _normalise_captions(rule)
        for rule in ("exact", "text", "numberless", "core")
    },
    "key:cd": lambda item: [item["CDNumber"]] if item["CDNumber"] else [],
    "key:tape": lambda item: [item["id"][:-3]],
    "key:neighbour": _name_neighbours,
}


def count_partners(items: list[dict[str, Any]], split: str, values: Values) -> int:
    """Count the items of a split with a value in common with an item of train."""
    found = {value for item in items if item["split"] == "train" for value in values(item)}
    return sum(any(x in found for x in values(item)) for item in items if item["split"] == split)


def find_hard_pairs(items: list[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Pairs of items with the same words and lengths within a second."""
    alike = defaultdict(list)
    for item in items:
        for text in _normalise_captions("text")(item):
            alike[text].append(item)
    return [
        (one, two)
        for held in alike.values()
        for at, one in enumerate(held)
        for two in held[:at]
        if abs(one["secs"] - two["secs"]) <= SECONDS
    ]


def _find_across(pair: tuple[dict[str, Any], dict[str, Any]], split: str) -> list[str]:
    """The item of a pair that stands in a split, where the other stands in train."""
    splits = {item["split"]: item["id"] for item in pair}
    return [splits[split]] if set(splits) == {split, "train"} else []


def _compare(reason: str, summary: dict[str, Any], plain: dict[str, int]) -> dict[str, Any]:
    said = {split: _read_count(summary, split, reason) for split in plain}
    counts = {
        f"{split}, {how}": n[split]
        for how, n in (("said", said), ("plain", plain))
        for split in plain
    }
    return {"reason": reason, **counts, "agrees": said == plain}


def _read_count(summary: dict[str, Any], split: str, reason: str) -> int:
    by_reason = summary["weak"].get(f"{split}|train", {}).get("by_reason", {})
    return int(by_reason.get(reason, {}).get("items", 0))


def study_table(path: Path, home: Path) -> dict[str, Any]:
    """Scan a table for its keys and captions, and count by hand."""
    items = _read_items(path)
    splits = sorted({item["split"] for item in items} - {"train"})
    sources = {
        x: count_partners(items, x, lambda item: [item["source"]] if item["source"] else [])
        for x in splits
    }
    captions = {x: count_partners(items, x, _normalise_captions("text")) for x in splits}
    keys = _scan(path, home, "--checks", "keys")
    both = _scan(path, home, "--checks", "keys,captions")
    said_sources = {x: _read_count(keys.summary, x, "key:source") for x in splits}
    said_captions = {x: _read_count(both.summary, x, "caption:text") for x in splits}
    return {
        "dataset": path.stem,
        "sources": " ".join(f"{x} {n:,}" for x, n in sources.items()),
        "captions": " ".join(f"{x} {n:,}" for x, n in captions.items()),
        "verdict by keys": keys.summary["verdict"],
        "exit": keys.status,
        "on weak": _scan(path, home, "--checks", "keys", "--fail-on", "weak").status,
        "agrees": (said_sources, said_captions) == (sources, captions),
    }


def _scan(path: Path, home: Path, *options: str) -> harness.Scan:
    return must(harness.scan(path, home / path.stem, *options), 0, 1, 4)


def study_near_captions(folder: Path, home: Path) -> dict[str, Any]:
    """Scan 200,000 captions, an item each, for those that are nearly alike."""
    tables = [pd.read_parquet(path, partitioning=None) for path in sorted(folder.glob("*.parquet"))]
    written = [t["captions"].explode() if "captions" in t else t["description"] for t in tables]
    captions = pd.concat(written).dropna().sample(frac=1, random_state=0).head(CAPTIONS)
    ids = [f"{n:06}" for n in range(len(captions))]
    splits = np.where(np.arange(len(captions)) % 5, "train", "test")
    table = pd.DataFrame({"id": ids, "split": splits, "caption": captions.to_numpy()})
    table.to_csv(home / "captions.csv", index=False)
    asked = ("--checks", "captions", "--captions", "near")
    scanned = must(harness.scan(home / "captions.csv", home / "near", *asked), 0)
    texts = np.unique(captions.map(NORMALISERS["text"]).to_numpy(object))
    begun = time.perf_counter()
    pairs = near(texts)
    return {
        "captions": len(captions),
        "texts": len(texts),
        "pairs": len(pairs),
        "test items": _read_count(scanned.summary, "test", "caption:near"),
        "seconds, pairs alone": round(time.perf_counter() - begun, 1),
        "seconds, whole scan": round(scanned.seconds, 1),
    }


if __name__ == "__main__":
    main()
