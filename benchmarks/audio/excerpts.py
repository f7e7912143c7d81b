"""Excerpts of 3 s and 5 s, recoded: whether they are found in their recording, and where.

Sources are real recordings of which half, by a hash of the source's name, is reported on. The
recordings are train, as the files they are; a few excerpts of each, cut at random places and
recoded, are test. A match is false where it joins two recordings that do not share sound, or two
places of one recording that do not repeat each other. Which recordings share sound is taken from a
scan of the recordings alone, whose matches are listed; whether a recording repeats itself (a loop,
a refrain from a sequencer), from the correlation of the two stretches of its waveform, differenced
so that a common bass is not enough. Beside it stands how many quarter seconds of the two places have
their own best lag where the match has it (see `benchmarks/common/audio/evidence.py`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy.signal

from benchmarks.common import harness
from benchmarks.common.audio import material, peers
from benchmarks.common.audio.evidence import count_windows
from benchmarks.common.audio.material import (
    RATE,
    RECODINGS,
    Recording,
    Sound,
    cut,
    decode,
    find_recordings,
    measure_heard,
)
from benchmarks.common.harness import Scan, link, must, print_table
from benchmarks.common.judging import Truth, match_texts

LENGTHS_S = (3.0, 5.0)
MARGIN_S = 1.0  # a recording is this much longer than the excerpt, or is left out
NEAR_S = 0.1  # <=: the offset or the end of an interval is right
HEARD_S = 1.0  # >=: an excerpt in which there is something to find, counted apart, too
REPEATS = 0.5  # >=: correlation of two stretches of one recording that repeat each other
ENDS = ("start", "end")
REPEAT_LAG_S = 0.02  # of the lag at which that is highest


@dataclass(frozen=True)
class Excerpt:
    """What was cut and where: the truth."""

    item: str
    source: str  # item of the recording
    recoding: str
    start_s: float
    seconds: float
    heard_s: float  # of them, silence apart


def main() -> None:
    args = _arguments()
    used = [r for r in find_recordings(args.data, args.more) if r.reported != args.develop]
    numbers: dict[str, Any] = {"half": "develop" if args.develop else "report"}
    with tempfile.TemporaryDirectory() as folder:
        for seconds in args.seconds:
            home = Path(folder) / f"{seconds:g}"
            target = home / "excerpts"
            chosen = choose_long(used, seconds, args.recordings)
            excerpts = lay_out(chosen, target, seconds, args.per_recording)
            kin = group_related(target, home)
            scanned = must(harness.scan(target, home), 1)
            numbers[f"{seconds:g} s"] = {
                "recordings": len(list((target / "train").iterdir())),
                "excerpts": len(excerpts),
                "seconds": round(scanned.seconds, 1),
                "found": report_found(scanned, excerpts, f"excerpts of {seconds:g} s"),
                "missed": report_missed(scanned, excerpts),
                "false": report_false(scanned, excerpts, kin),
                "recordings that share sound": kin.evidence,
                "peers": report_peers(target, excerpts, kin, args.audfprint),
            }
    harness.keep(args.json, numbers)


def _arguments() -> Any:
    parser = harness.make_parser(__doc__)
    material.add_options(parser)
    parser.add_argument("--audfprint", type=Path, help="a clone of audfprint, run as it is")
    parser.add_argument("--recordings", type=int, help="use at most so many, evenly chosen")
    parser.add_argument("--per-recording", type=int, default=2, help="excerpts of each length")
    parser.add_argument("--seconds", type=float, nargs="*", default=LENGTHS_S)
    parser.add_argument("--develop", action="store_true", help="use the other half of the sources")
    return parser.parse_args()


def choose_long(used: Sequence[Recording], seconds: float, most: int | None) -> list[Recording]:
    """Return what is longer than an excerpt and a margin, at most `most` recordings."""
    least = (seconds + MARGIN_S) * RATE
    found = [recording for recording in used if len(decode(recording.path)) >= least]
    step = max(1.0, len(found) / (most or len(found)))
    return [found[int(at * step)] for at in range(int(len(found) / step))]


def lay_out(
    used: Sequence[Recording], target: Path, seconds: float, per_recording: int
) -> list[Excerpt]:
    """Link recordings into train, write excerpts of them into test."""
    names, made = list(RECODINGS), []
    for at, recording in enumerate(used):
        samples, item = decode(recording.path), f"train/{at:04}_{recording.path.name}"
        link(recording.path, target / item)
        for turn in range(per_recording):
            # by turns, so that every recoding meets every kind of recording
            recoding = names[(at * per_recording + turn) % len(names)]
            made.append(_write_excerpt(samples, item, recoding, seconds, target))
    return made


def _write_excerpt(
    samples: Sound, item: str, recoding: str, seconds: float, target: Path
) -> Excerpt:
    how = RECODINGS[recoding]
    rng = np.random.default_rng([*f"{Path(item).name} {recoding} {seconds}".encode()])
    start_s, piece = cut(samples, seconds, rng)
    number, words = Path(item).name[:4], recoding.replace(" ", "_")
    path = target / "test" / f"{number}_{words}{how.suffix}"
    path.parent.mkdir(exist_ok=True)
    how.write(path, how.degrade(piece, rng))
    return Excerpt(f"test/{path.name}", item, recoding, start_s, seconds, measure_heard(piece))


@dataclass(frozen=True)
class Kin:
    """Recordings that share sound, so far as a scan of the recordings alone says."""

    group: dict[str, str]  # item of a recording -> the same for all that share sound
    evidence: list[dict[str, Any]]


def group_related(target: Path, home: Path) -> Kin:
    """Scan the recordings alone and list what they share."""
    for path in (target / "train").iterdir():
        link(path, home / "alone" / "train" / path.name)
    scanned = must(harness.scan(home / "alone", home, run="alone_run"), 0, 1, 4)
    rows = [_list_evidence(match) for match in scanned.accepted().to_dict("records")]
    print_table("Recordings that share sound (none of these is counted)", rows, limit=40)
    groups = scanned.table("groups").set_index("item_id")["group_id"]
    return Kin(groups.to_dict(), rows)


def _list_evidence(match: dict[str, Any]) -> dict[str, Any]:
    names = ("score", "relation", "a_start", "a_end", "b_start", "b_end", "transform")
    short = {side: Path(match[side]).name[-44:] for side in ("a", "b")}
    return {**short, **{name.replace("_", " "): match[name] for name in names}}


def _add_truth(scanned: Scan, excerpts: Sequence[Excerpt]) -> pd.DataFrame:
    """Accepted matches with the recording on each side, and by how much the offset is wrong.

    The offset is the place in the recording at which an item starts; a recording starts at 0.
    """
    truth = {x.item: x for x in excerpts}
    matches = scanned.accepted()
    for side in ("a", "b"):
        known = [truth.get(item) for item in matches[side]]
        matches[f"{side}_source"] = [
            x.source if x else item for x, item in zip(known, matches[side], strict=True)
        ]
        matches[f"{side}_at"] = [x.start_s if x else 0.0 for x in known]
        matches[f"{side}_recoding"] = [x.recoding if x else "" for x in known]
    said = matches["a_start"] - matches["b_start"]
    matches["offset_error"] = (said - (matches["b_at"] - matches["a_at"])).abs()
    return matches


def report_found(scanned: Scan, excerpts: Sequence[Excerpt], what: str) -> list[dict[str, Any]]:
    """Print, for each recoding, how many excerpts were found in their own recording, and where."""
    matches = _add_truth(scanned, excerpts)
    # test < train: an excerpt is always side a
    own = matches[(matches["a_source"] == matches["b"]) & (matches["a_recoding"] != "")].copy()
    length = own["a"].map({x.item: x.seconds for x in excerpts})
    starts = [own["a_start"], own["b_start"] - own["a_at"]]
    ends = [own["a_end"] - length, own["b_end"] - own["a_at"] - length]
    own["interval_error"] = np.abs([*starts, *ends]).max(axis=0)
    asked = pd.Series([x.recoding for x in excerpts])
    rows = [
        _count_found(name, int((asked == name).sum()), own[own["a_recoding"] == name])
        for name in RECODINGS
    ]
    rows.append(_count_found("together", len(excerpts), own))
    heard = {x.item for x in excerpts if x.heard_s >= HEARD_S}
    rows.append(
        _count_found(f"of them, {HEARD_S:g} s heard", len(heard), own[own["a"].isin(heard)])
    )
    print_table(f"Found by splitaudit, {what} ({scanned.seconds:.0f} s)", rows)
    return rows


def _count_found(name: str, asked: int, found: pd.DataFrame) -> dict[str, Any]:
    """Of an excerpt with several matches in its recording, the best (lowest error) counts."""
    best = found.sort_values("offset_error").drop_duplicates("a")
    offset, interval = best["offset_error"], best["interval_error"]
    return {
        "recoding": name,
        "excerpts": asked,
        "found": len(best),
        "share": len(best) / max(asked, 1),
        "offset within 0.1 s": float((offset <= NEAR_S).mean()),
        "error median": float(offset.quantile(0.5)),
        "error 99 %": float(offset.quantile(0.99)),
        "interval within 0.1 s": float((interval <= NEAR_S).mean()),
        "interval error 90 %": float(interval.quantile(0.9)),
    }


def report_missed(scanned: Scan, excerpts: Sequence[Excerpt]) -> list[dict[str, Any]]:
    """Print the excerpts that were not found in their recording, and how near they came."""
    accepted, matches = scanned.accepted(), scanned.table("matches")
    found = set(zip(accepted["a"], accepted["b"], strict=True))
    status = scanned.table("media").set_index("item_id")["status"]
    score = matches.set_index(["a", "b"])["score"]
    rows = [
        {
            "excerpt": Path(x.item).name,
            "of": Path(x.source).name[-44:],
            "from": x.start_s,
            "heard s": x.heard_s,
            "status": status[x.item],
            "best score": float(score.get((x.item, x.source), float("nan"))),
        }
        for x in excerpts
        if (x.item, x.source) not in found
    ]
    print_table("Missed (no score: it was not even compared)", rows, limit=40)
    return rows


def report_false(scanned: Scan, excerpts: Sequence[Excerpt], kin: Kin) -> dict[str, Any]:
    """Print the accepted matches that cannot be true, with their evidence."""
    matches = _add_truth(scanned, excerpts)
    group = {side: matches[f"{side}_source"].map(kin.group) for side in ("a", "b")}
    same = matches["a_source"] == matches["b_source"]
    strangers = matches[group["a"] != group["b"]].to_dict("records")
    moved = matches[same & (matches["offset_error"] > NEAR_S)].to_dict("records")
    others = [_list_evidence(match) for match in strangers]
    places = [
        {
            **_list_evidence(match),
            "of": match["a_source"][-30:],
            "repeats": _correlate_places(match, scanned),
            "windows that agree": _count_windows(match, scanned),
        }
        for match in moved
    ]
    print_table("Accepted matches of recordings that share no sound", others)
    print_table("Accepted matches of two places of one recording", places)
    unlike = sum(row["repeats"] < REPEATS for row in places)
    print(f"  false: {len(others)} of other recordings, {unlike} of places that are not alike")
    return {"other recordings": others, "other places": places, "places not alike": unlike}


def _count_windows(match: dict[str, Any], scanned: Scan) -> str:
    """How much of the two places of the recording itself is aligned as the match says."""
    media = scanned.table("media").set_index("item_id")["path"]
    path = Path(media[match["a_source"]])
    placed = {f"{s}_{end}": match[f"{s}_at"] + match[f"{s}_{end}"] for s in "ab" for end in ENDS}
    return count_windows(placed, (path, path))


def _correlate_places(match: dict[str, Any], scanned: Scan) -> float:
    """Correlation of the two stretches in the differenced waveform of their recording."""
    media = scanned.table("media").set_index("item_id")["path"]
    samples = np.diff(decode(Path(media[match["a_source"]])))
    lag, length = round(REPEAT_LAG_S * RATE), round((match["a_end"] - match["a_start"]) * RATE)
    at = [max(0, round((match[f"{s}_at"] + match[f"{s}_start"]) * RATE)) for s in ("a", "b")]
    one, other = samples[at[0] : at[0] + length], samples[max(0, at[1] - lag) :][: length + 2 * lag]
    one = one[: len(other)]
    power = np.convolve(other.astype(float) ** 2, np.ones(len(one)), "valid") * float(one @ one)
    cross = scipy.signal.correlate(other, one, "valid", "fft")
    return float(np.abs(cross / np.sqrt(power + 1e-12)).max())


def report_peers(
    target: Path, excerpts: Sequence[Excerpt], kin: Kin, clone: Path | None
) -> list[dict[str, Any]]:
    """Print what the peers find: recordings are references, excerpts queries."""
    references, queries = (sorted((target / split).iterdir()) for split in ("train", "test"))
    source = {x.item: x.source for x in excerpts}
    sources = [source[f"test/{path.name}"] for path in queries]
    items = [f"train/{path.name}" for path in references]
    groups = [[kin.group[item] for item in of] for of in (sources, items)]
    truth = Truth(match_texts(sources, items), ~match_texts(*groups))
    rows = [peers.judge(peer, references, queries, truth) for peer in peers.find_peers(clone)]
    print_table(f"Peers ({peers.AT_BEST})", rows)
    return rows


if __name__ == "__main__":
    main()
