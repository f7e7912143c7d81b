"""Kinds of sound in which many are alike: are copies found in each, and is anything else called one.

Of each kind the originals of half of the sources (a voice, a drum kit, an instrument; halved by a
hash of their names) stand in two splits, and copies of some of them in a third: recoded, turned
down, a third of it, a telephone's band. `--data` names folders of real sounds, laid out as
KIND/SOURCE/files; what can be made is made. Two originals of a real kind may be the same sound: a
pair is false unless a short filter makes 0.8 of the energy of one from the other, at the full rate;
those that are not false are listed, too. Files with the same bytes are one original: a synthesiser
may say a word alike in two voices. Copies are counted that the scan itself calls degenerate, beside
what it finds.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import harness
from benchmarks.common.audio import kinds_made, peers
from benchmarks.common.audio.material import (
    QUIET,
    RATE,
    RECODINGS,
    Sound,
    decode,
    find_sound_files,
    write_wav,
)
from benchmarks.common.harness import LEAKS, link, must, print_table
from benchmarks.common.judging import Truth, is_reported, match_texts
from splitaudit.audio.verify.filtering import explained_share

COPIES = 25  # originals of a kind that are copied
SHORTEST_S = 0.3  # of those; a third of them is a tenth of a second
SAME_SHARE = 0.8  # <=: a filter explains so much: two originals are the same sound
COPIED = {"recoded": "mp3 64k", "turned down": "flac -12 dB", "telephone": "telephone"}
THIRD = "a third"


@dataclass(frozen=True)
class Laid:
    """The items of a kind: originals by item, and what each copy was made of."""

    originals: dict[str, Path]
    copies: dict[str, str]
    seconds: float


def main() -> None:
    args = _arguments()
    rows, found, judged = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for kind, sounds in find_kinds(args, Path(folder) / "made"):
            home = Path(folder) / kind
            laid = lay_out(sounds, home / "items")
            rows.append(measure(kind, laid, home, found))
            print(rows[-1], flush=True)
            judged += ask_peers(kind, laid, home, args.audfprint, found)
    print_table("Kinds", rows)
    print_table("Accepted pairs of originals", found, limit=50)
    print_table(f"Peers on the same files ({peers.AT_BEST})", judged)
    harness.keep(args.json, {"kinds": rows, "pairs": found, "peers": judged})


def _arguments() -> argparse.Namespace:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="KIND/SOURCE/files")
    parser.add_argument("--kinds", nargs="*", help="only these")
    parser.add_argument("--most", type=int, default=1_000, help="originals of a kind")
    parser.add_argument("--develop", action="store_true", help="the half that is not reported")
    parser.add_argument("--audfprint", type=Path, help="a clone of audfprint, run as it is")
    return parser.parse_args()


def find_kinds(args: argparse.Namespace, made: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield the kinds, and the originals of one half of their sources."""
    real = [kind for data in args.data for kind in sorted(data.iterdir()) if kind.is_dir()]
    for folder in [*real, *(made / kind for kind in kinds_made.MADE)]:
        kind = folder.name
        if args.kinds and kind not in args.kinds:
            continue
        if folder.parent == made and not kinds_made.make(kind, folder):
            continue
        sources = [s for s in sorted(folder.iterdir()) if is_reported(f"{kind}/{s.name}")]
        if args.develop:
            sources = [s for s in sorted(folder.iterdir()) if s not in sources]
        sounds = [path for source in sources for path in sorted(find_sound_files(source))]
        step = max(1, -(-len(sounds) // args.most))
        yield kind, _without_twins(sounds[::step])


def _without_twins(sounds: Sequence[Path]) -> list[Path]:
    """The first of files that have the same bytes."""
    first: dict[bytes, Path] = {}
    for path in sounds:
        first.setdefault(path.read_bytes(), path)
    return list(first.values())


def lay_out(sounds: Sequence[Path], target: Path) -> Laid:
    """Put originals into train and test by turns, and copies of some into val."""
    rng = np.random.default_rng(0)
    originals, copies, seconds = {}, {}, 0.0
    chosen = set(rng.permutation(len(sounds))[: 3 * COPIES].tolist())
    for at, path in enumerate(sounds):
        item = f"{('train', 'test')[at % 2]}/{at:04d}-{path.parent.name}-{path.name}"
        link(path, target / item)
        originals[item] = path
        samples = decode(path)
        seconds += len(samples) / RATE
        if at in chosen and len(copies) < COPIES * (len(COPIED) + 1) and _can_be_copied(samples):
            copies |= dict.fromkeys(write_copies(f"{at:04d}", samples, target, rng), item)
    return Laid(originals, copies, seconds)


def _can_be_copied(samples: Sound) -> bool:
    return len(samples) >= SHORTEST_S * RATE and float(np.abs(samples).max()) > 10 * QUIET


def write_copies(
    stem: str, samples: Sound, target: Path, rng: np.random.Generator
) -> Iterator[str]:
    """Write the copies of an original; yield their items."""
    for name, words in COPIED.items():
        recoding = RECODINGS[words]
        item = f"val/{stem}-{name}{recoding.suffix}"
        (target / item).parent.mkdir(parents=True, exist_ok=True)
        recoding.write(target / item, recoding.degrade(samples, rng))
        yield item
    item = f"val/{stem}-{THIRD}.wav"
    write_wav(target / item, _loudest_third(samples))
    yield item


def _loudest_third(samples: Sound) -> Sound:
    """A third in which most is heard: of a drum stroke, not its silent end."""
    length = len(samples) // 3
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    start = int(np.argmax(total[length:] - total[: len(total) - length]))
    return samples[start : start + length]


def measure(kind: str, laid: Laid, home: Path, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Scan a kind; append its accepted pairs of originals to `found`."""
    before = _children_s()
    scanned = must(harness.scan(home / "items", home, "--jobs", "1"), 0, 1, 4)
    cpu_s = _children_s() - before
    accepted = scanned.accepted()
    leaks = accepted[accepted["relation"].isin(LEAKS)]
    pairs = list_pairs(kind, laid, leaks)
    found += pairs
    right = set(laid.copies.items())
    got = {a for a, b in _both_ways(leaks) if (a, b) in right}
    statuses = scanned.table("media").set_index("item_id")["status"]
    n = len(laid.originals)
    return {
        "kind": kind,
        "originals": n,
        "pairs": n * (n - 1) // 2,
        "copies": len(laid.copies),
        "found": len(got),
        "degenerate": int((statuses[list(laid.copies)] == "degenerate").sum()),
        **{f"missed, {how}": _count_missed(laid, got, how) for how in (*COPIED, THIRD)},
        "false": sum(pair["explained"] < SAME_SHARE for pair in pairs),
        "same sound": sum(pair["explained"] >= SAME_SHARE for pair in pairs),
        "weak": int(len(accepted) - len(leaks)),
        "CPU s": round(cpu_s, 1),
        "CPU s for a second": cpu_s / max(laid.seconds, 1e-9),
    }


def _count_missed(laid: Laid, got: set[str], how: str) -> int:
    return sum(Path(copy).stem.endswith(f"-{how}") and copy not in got for copy in laid.copies)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _both_ways(matches: pd.DataFrame) -> Iterator[tuple[str, str]]:
    yield from zip(matches["a"], matches["b"], strict=True)
    yield from zip(matches["b"], matches["a"], strict=True)


def list_pairs(kind: str, laid: Laid, leaks: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the accepted pairs of originals, and of copies with originals that they are not of.

    A copy of one stands for its original: what the originals share is looked at once.
    """
    rows = {}
    for match in leaks.to_dict("records"):
        a, b = (laid.copies.get(match[side], match[side]) for side in ("a", "b"))
        if a != b and tuple(sorted((a, b))) not in rows:
            paths = laid.originals[a], laid.originals[b]
            rows[tuple(sorted((a, b)))] = {
                "kind": kind,
                "a": a,
                "b": b,
                **{name: match[name] for name in ("relation", "score", "transform")},
                "explained": explain(*paths),
            }
    return [*rows.values()]


def explain(a: Path, b: Path) -> float:
    """Return how much of one original a short filter makes of the other, at their common rate.

    They are laid over each other where they correlate best, without whitening.
    """
    import scipy.signal
    import soundfile
    import soxr

    (x, rate_x), (y, rate_y) = (soundfile.read(path, always_2d=True) for path in (a, b))
    rate = min(rate_x, rate_y)
    x, y = soxr.resample(x.mean(axis=1), rate_x, rate), soxr.resample(y.mean(axis=1), rate_y, rate)
    lag = int(np.abs(scipy.signal.correlate(y, x, "full", "fft")).argmax()) - len(x) + 1
    first = max(0, -lag), max(0, lag)
    return explained_share(x[first[0] :], y[first[1] :])


def ask_peers(
    kind: str,
    laid: Laid,
    home: Path,
    audfprint: Path | None,
    found: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Run the peers that are here: copies are asked for among the originals."""
    same = {(row["a"], row["b"]) for row in found} | {(row["b"], row["a"]) for row in found}
    items, of = [*laid.originals], [*laid.copies.values()]
    right = match_texts(of, items)
    kin = np.array([[(a, b) in same for b in items] for a in of])
    paths = [home / "items" / item for item in (*items, *laid.copies)]
    truth = Truth(right, ~right & ~kin)
    references, queries = paths[: len(items)], paths[len(items) :]
    tools = peers.find_peers(audfprint) if queries else []
    return [{"kind": kind, **peers.judge(tool, references, queries, truth)} for tool in tools]


if __name__ == "__main__":
    main()
