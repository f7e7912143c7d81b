"""Donateacry: which of its 208 pairs are found, as what, and is the repaired split clean.

Raw uploads (.3gp, .caf) are train, the cleaned .wav test; equal stems are the same recording. A
match between two stems of one telephone may be true (recorded seconds apart): it is listed with its
evidence and counts neither way; between two telephones it is false.
"""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import splitaudit
from benchmarks.common import harness
from benchmarks.common.audio import peers
from benchmarks.common.audio.evidence import count_windows
from benchmarks.common.audio.material import INSTALLATION
from benchmarks.common.harness import Scan, link, must, print_table
from benchmarks.common.judging import Truth, match_texts

BY_COMMAND = 5  # crossings that are checked through the command line, too


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds donateacry")
    parser.add_argument("--audfprint", type=Path, help="a clone of audfprint, run as it is")
    parser.add_argument("--crossings", type=int, default=100, help="leaks planted in a new split")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        target, truth = lay_out(args.data / "donateacry", home / "donateacry")
        scanned = must(harness.scan(target, home), 1)
        numbers = {
            "pairs": report_pairs(scanned, truth),
            "matches": report_matches(scanned, target),
            "coverage": report_coverage(scanned),
            "peers": report_peers(target, truth, args.audfprint),
            "split": report_split(scanned, home, args.crossings),
            "dedup": report_dedup(scanned, target, home),
        }
    harness.keep(args.json, numbers)


def lay_out(data: Path, target: Path) -> tuple[Path, set[str]]:
    """Link the files into train and test; return the folder and the stems that are in both."""
    raw = [*data.glob("android/*"), *data.glob("ios/*")]
    cleaned = [*data.glob("cleaned/*/*.wav")]
    for split, files in (("train", raw), ("test", cleaned)):
        for path in files:
            link(path, target / split / path.name)
    return target, {path.stem for path in raw} & {path.stem for path in cleaned}


def report_pairs(scanned: Scan, truth: set[str]) -> dict[str, Any]:
    """Print how many of the true pairs were found, and as what."""
    accepted = _add_names(scanned.accepted())
    mine = accepted[(accepted["a_stem"] == accepted["b_stem"]) & accepted["a_stem"].isin(truth)]
    missed = sorted(truth - set(mine["a_stem"]))
    numbers = {
        "pairs": len(truth),
        "found": mine["a_stem"].nunique(),
        "seconds": round(scanned.seconds, 1),
        **mine["relation"].value_counts().to_dict(),
    }
    print_table("Equal stems, raw against cleaned", [numbers])
    if missed:
        print_table("Missed", [_explain_missed(scanned, stem) for stem in missed])
    return {**numbers, "missed": missed}


def _add_names(matches: pd.DataFrame) -> pd.DataFrame:
    """Add what the file names say of both sides: stem, telephone, time of recording."""
    for side in ("a", "b"):
        matches[f"{side}_stem"] = [Path(item).stem for item in matches[side]]
        matches[f"{side}_phone"] = matches[f"{side}_stem"].str[:INSTALLATION].str.lower()
    return matches


def _read_time(stem: str) -> float:
    """Time of recording: milliseconds since 1970 from Android, seconds from iOS."""
    stamp = int(stem[INSTALLATION + 1 :].split("-")[0])
    return stamp / 1000 if stamp > 1e11 else float(stamp)


def _explain_missed(scanned: Scan, stem: str) -> dict[str, Any]:
    media, matches = scanned.table("media"), _add_names(scanned.table("matches"))
    rows = media[[Path(item).stem == stem for item in media["item_id"]]]
    tried = matches[(matches["a_stem"] == stem) & (matches["b_stem"] == stem)]
    return {
        "stem": stem,
        "score": float(tried["score"].max()) if len(tried) else None,
        "status": ", ".join(rows["status"]),
        "seconds": ", ".join(f"{x:.2f}" for x in rows["duration_s"]),
    }


def report_matches(scanned: Scan, target: Path) -> list[dict[str, Any]]:
    """Print the accepted matches between different stems, with their evidence."""
    accepted = _add_names(scanned.accepted())
    others = accepted[accepted["a_stem"] != accepted["b_stem"]]
    rows = [_list_evidence(match, target) for match in others.to_dict("records")]
    false = sum(row["phone"] == "other" for row in rows)
    print_table("Accepted matches between different stems", rows)
    print(f"  of two telephones, so false: {false}")
    return rows


def _list_evidence(match: dict[str, Any], target: Path) -> dict[str, Any]:
    paths = target / match["a"], target / match["b"]
    apart = abs(_read_time(match["a_stem"]) - _read_time(match["b_stem"]))
    return {
        "a": _shorten(match["a"]),
        "b": _shorten(match["b"]),
        "score": match["score"],
        "relation": match["relation"],
        "a from": match["a_start"],
        "a to": match["a_end"],
        "b from": match["b_start"],
        "b to": match["b_end"],
        "windows that agree": count_windows(match, paths),
        "phone": "same" if match["a_phone"] == match["b_phone"] else "other",
        "recorded apart": f"{apart:,.0f} s",
    }


def _shorten(item: str) -> str:
    """Split, first digits of the telephone, time of recording."""
    path = Path(item)
    return (
        f"{path.parent}/{path.name[:8]}..{path.name[INSTALLATION : INSTALLATION + 14]}{path.suffix}"
    )


def report_coverage(scanned: Scan) -> dict[str, Any]:
    """Print what was audited, and which files decode to less than they declare."""
    media = scanned.table("media")
    short = media[media["status"] == "truncated"]
    rows = [{"item": _shorten(row.item_id), "why": row.error} for row in short.itertuples()]
    print_table("Files that decode to less than they declare", rows)
    coverage = scanned.summary["coverage"]["audio"]
    print(f"  {coverage}")
    return {**coverage, "truncated": rows}


def report_peers(target: Path, truth: set[str], clone: Path | None) -> list[dict[str, Any]]:
    """Print what the peers find on the same files."""
    references, queries = (sorted((target / split).iterdir()) for split in ("train", "test"))
    stems = [[path.stem for path in paths] for paths in (queries, references)]
    phones = [[stem[:INSTALLATION].lower() for stem in of] for of in stems]
    # Two recordings of one telephone may share sound: they count for nobody.
    known = Truth(match_texts(*stems), ~match_texts(*phones))
    rows = [peers.judge(peer, references, queries, known) for peer in peers.find_peers(clone)]
    print_table(
        f"Peers, {len(truth)} pairs to find ({peers.AT_BEST})",
        rows,
    )
    return rows


def report_split(scanned: Scan, home: Path, crossings: int) -> dict[str, Any]:
    """Print what repair moves, and whether `check` tells it from planted crossings."""
    made = harness.run_verb("split", scanned.run, "--mode", "repair", "--json")
    checked = harness.run_verb("check", "--run", scanned.run)
    audit = splitaudit.open(scanned.run)
    facts = audit.split_facts()
    numbers = {
        "moved": facts["moved"],
        "lower bound": facts["lower_bound"],
        "split ends with": made.returncode,
        "check ends with": checked.returncode,
        "of crossings": crossings,
        **count_refused(audit, scanned.run, home / "crossing", crossings),
    }
    print_table("Repair, and planted crossings that `check` refuses with 1", [numbers])
    return numbers


def count_refused(audit: Any, run: Path, folder: Path, crossings: int) -> dict[str, int]:
    """Cut a group in a copy of the split, again and again; count how often `check` says 1."""
    plan = audit.table("splits").to_pandas().set_index("item_id")["new_split"].dropna()
    groups = audit.groups()
    grouped = groups.loc[groups["size"] > 1, "item_id"].to_numpy()
    rng = np.random.default_rng(0)
    refused = {"as CSV": 0, "as lists": 0, "by command": 0}
    for at, item in enumerate(rng.choice(grouped, crossings)):
        others = sorted(set(plan) - {plan[item]})
        cut = plan.copy()
        cut[item] = others[int(rng.integers(len(others)))]
        for form, path in (
            ("as CSV", write_csv(cut, folder)),
            ("as lists", write_lists(cut, folder)),
        ):
            refused[form] += audit.check(path).exit_status == 1
            if at < BY_COMMAND:
                status = harness.run_verb("check", path, "--run", run).returncode
                refused["by command"] += status == 1
    refused["tried by command"] = 2 * min(BY_COMMAND, crossings)
    return refused


def write_csv(plan: pd.Series, folder: Path) -> Path:
    """Write a split as a table with the columns id and split."""
    folder.mkdir(exist_ok=True)
    with open(folder / "plan.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "split"), *plan.items()])
    return folder / "plan.csv"


def write_lists(plan: pd.Series, folder: Path) -> Path:
    """Write a split as one list a split."""
    lists = folder / "lists"
    lists.mkdir(parents=True, exist_ok=True)
    for split, items in plan.groupby(plan):
        (lists / f"{split}.txt").write_text("".join(f"{x}\n" for x in items.index))
    return lists


def report_dedup(scanned: Scan, target: Path, home: Path) -> dict[str, Any]:
    """Keep one of each group, scan what was kept; print what is found in it."""
    harness.run_verb("dedup", scanned.run)
    kept = pd.read_parquet(scanned.run / "dedup.parquet")
    items = kept.loc[kept["action"] == "kept", "item_id"]
    for item in items:
        link(target / item, home / "kept" / item)
    again = harness.scan(home / "kept", home, run="kept_run", cache="kept_cache")
    accepted = again.accepted()
    leaks = int(accepted["relation"].isin(harness.LEAKS).sum())
    numbers = {"items": len(kept), "kept": len(items), "duplicates among the kept": leaks}
    print_table("Dedup, then a new scan of what was kept", [numbers])
    return numbers


if __name__ == "__main__":
    main()
