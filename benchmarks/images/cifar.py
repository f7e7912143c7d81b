"""CIFAR-10, five classes: which test pictures are in train again, beside hashes and descriptors.

The truth is ciFAIR's list of pairs that people judged: 0 (exact) and 1 (near-duplicate) are to be
found, a test picture that has only a 2 (very similar) counts for nobody. The list is incomplete, so
look at the contact sheet of what is counted as false. A test picture's score is that of its best
match in train. Weights and thresholds were chosen on the half of the test pictures that is not
reported on; pairs within the test set were looked at by nobody.
"""

from __future__ import annotations

import csv
import io
import tarfile
import tempfile
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.common import harness
from benchmarks.common.harness import print_table
from benchmarks.common.images.contact_sheet import Row, draw
from benchmarks.common.judging import is_reported
from benchmarks.common.measure import run_module
from splitaudit.images.decode.thumbnail import thumbnail
from splitaudit.images.fingerprint import gradients
from splitaudit.images.verify.thumbnails import exposure
from splitaudit.search import near_vectors

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

TOP = 410 / 5_000  # of the test pictures, among which the published ones are looked for
DRAWN = 100  # accepted matches to look at
PAGE = 96  # on a contact sheet
UNPROPOSED = -1.0  # score of a test picture for which no pair is proposed


@dataclass(frozen=True)
class Material:
    """The pictures, sorted by name, and what is known of them."""

    names: npt.NDArray[np.str_]
    pictures: npt.NDArray[np.uint8]
    judged: dict[tuple[str, str], int]

    @cached_property
    def at(self) -> dict[str, int]:
        """Where each name stands."""
        return {name: row for row, name in enumerate(self.names.tolist())}

    @cached_property
    def test(self) -> Mask:
        """Whether a picture is in the test set."""
        return np.char.startswith(self.names, "test/")

    @cached_property
    def queries(self) -> npt.NDArray[np.int64]:
        """Test pictures that are counted."""
        best: dict[str, int] = {}
        for (a, b), verdict in self.judged.items():
            if b.startswith("train/"):
                best[a] = min(verdict, best.get(a, 2))
        unclear = [self.at[name] for name, verdict in best.items() if verdict == 2]
        return np.setdiff1d(np.flatnonzero(self.test), unclear)

    @cached_property
    def right(self) -> Mask:
        """Whether a query has a published near-duplicate in train."""
        found = {a for (a, b), verdict in self.judged.items() if verdict < 2 and b[:5] == "train"}
        return np.array([name in found for name in self.names[self.queries].tolist()])

    @cached_property
    def reported(self) -> Mask:
        """Whether a query is in the half that is reported on."""
        return np.array([is_reported(name) for name in self.names[self.queries].tolist()])


def main() -> None:
    parser = harness.make_parser(__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with cifar10_5classes.tar")
    parser.add_argument("--classes", nargs="+", help="only these, to be quick")
    parser.add_argument("--peers", type=Path, help="python of an environment with the peers")
    parser.add_argument("--fastdup", action="store_true", help="ask its network, 25 ms a picture")
    parser.add_argument("--develop", action="store_true", help="the half to develop on, only")
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets")
    args = parser.parse_args()
    material = read(args.data, args.classes)
    found, numbers = audit(material)
    scores = {"splitaudit": score_best_in_train(material, found["pairs"], found["score"])}
    scores["oriented gradients, cosine"] = score_best_in_train(
        material, found["pairs"], found["similarity"]
    )
    if args.peers:
        scores |= ask_peers(material, args.peers, ["fastdup"] * args.fastdup)
    parts = {"development half": ~material.reported}
    if not args.develop:
        parts |= {"reported half": material.reported, "both": material.reported | True}
        numbers["within test"] = report_within_test(material, found)
    for name, part in parts.items():
        rows = [judge(tool, score[part], material.right[part]) for tool, score in scores.items()]
        print_table(f"{name}: {part.sum():,} test pictures", rows)
        numbers[name] = rows
    if args.sheets:
        args.sheets.mkdir(parents=True, exist_ok=True)
        draw_contact_sheets(material, found, args)
    harness.keep(args.json, numbers)


def read(data: Path, classes: list[str] | None) -> Material:
    """Read the pictures, and the judged pairs among them."""
    from PIL import Image

    pictures = {}
    with tarfile.open(data / "cifar10_5classes.tar") as archive:
        for member in archive:
            chosen = not classes or member.name.split("/")[1:2][0] in classes
            if chosen and member.name.endswith(".jpg"):
                content = archive.extractfile(member).read()  # type: ignore[union-attr]
                pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
                pictures[member.name] = thumbnail(pixels)
    with open(data / "cifar10_5classes_pairs.csv", newline="") as file:
        rows = [(row["a"], row["b"], int(row["judgment"])) for row in csv.DictReader(file)]
    judged = {(a, b): verdict for a, b, verdict in rows if a in pictures and b in pictures}
    names = sorted(pictures)
    return Material(np.array(names), np.stack([pictures[name] for name in names]), judged)


def audit(material: Material) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe and search all pictures, compare the pairs that have a test picture."""
    begun = time.process_time()
    plain = gradients.Gradient().fingerprint(material.pictures).vectors
    described = time.process_time()
    found = near_vectors.pairs(
        gradients.query_vectors(plain), gradients.SCALE, 1 - gradients.Gradient.radius
    )
    searched = time.process_time()
    pairs = np.stack([found["a"].to_numpy(), found["b"].to_numpy()], axis=1)
    chosen = material.test[pairs].any(axis=1)
    pairs, similarity = pairs[chosen], found["similarity"].to_numpy()[chosen]
    proofs = exposure.compare(exposure.prepare(material.pictures), pairs)
    numbers = {
        "pictures": len(plain),
        "pairs found": len(found),
        "pairs compared": len(pairs),
        "accepted": int(proofs.accepted.sum()),
        "CPU s to describe": described - begun,
        "to search": searched - described,
        "to compare": time.process_time() - searched,
    }
    print_table("Work", [numbers])
    return {
        "pairs": pairs,
        "similarity": similarity,
        "score": proofs.score,
        "proofs": proofs,
    }, numbers


def score_best_in_train(material: Material, pairs: npt.NDArray[np.int64], scores: Any) -> Floats:
    """Return the best score of each query with a picture of train."""
    best = np.full(len(material.names), UNPROPOSED)
    across = material.test[pairs].sum(axis=1) == 1
    query = np.where(material.test[pairs[:, 0]], pairs[:, 0], pairs[:, 1])
    np.maximum.at(best, query[across], np.asarray(scores, np.float64)[across])
    return best[material.queries]


def ask_peers(material: Material, python: Path, more: list[str]) -> dict[str, Floats]:
    """Return the scores by other tools, and by those that are asked for: how near is the nearest."""
    with tempfile.TemporaryDirectory() as folder:
        pictures, out = Path(folder) / "pictures.npy", Path(folder) / "hashes.npz"
        np.save(pictures, material.pictures)
        run_module("benchmarks.common.images.peer_hashes", pictures, out, *more, python=python)
        with np.load(out) as hashes:
            return {name: score_nearest(material, hashes[name]) for name in hashes.files}


def score_nearest(material: Material, codes: npt.NDArray[Any]) -> Floats:
    """Return how near the nearest picture of train is to each query, by bits or by cosine."""
    if codes.dtype == np.uint8:
        return score_nearest_bits(material, codes)
    train, best = codes[~material.test].T, []
    for begin in range(0, len(material.queries), 256):
        best.append((codes[material.queries[begin : begin + 256]] @ train).max(axis=1))
    return np.concatenate(best).astype(np.float64)


def score_nearest_bits(material: Material, packed: npt.NDArray[np.uint8]) -> Floats:
    """Return minus the fewest bits in which each query differs from a picture of train."""
    words = np.ascontiguousarray(packed).view(np.uint64)
    train, best = words[~material.test], []
    for query in material.queries:
        differ = np.bitwise_count(train ^ words[query]).sum(axis=1, dtype=np.int64)
        best.append(-float(differ.min()))
    return np.array(best)


def judge(tool: str, scores: Floats, right: Mask) -> dict[str, Any]:
    """Return average precision, and the share of the published ones at the top."""
    order = np.argsort(-scores, kind="stable")
    top = round(TOP * len(scores))
    return {
        "tool": tool,
        "to find": int(right.sum()),
        "average precision": average_precision(scores, right),
        f"in the top {top}": float(right[order][:top].sum() / max(1, right.sum())),
    }


def average_precision(scores: Floats, right: Mask) -> float:
    """Return the mean precision over the right ones; of equal scores, all are counted as the last."""
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(right[order])
    last = np.append(np.diff(scores) != 0, True)
    precision, recall = hits[last] / (np.flatnonzero(last) + 1), hits[last] / max(1, right.sum())
    return float((precision * np.diff(recall, prepend=0)).sum())


def report_within_test(material: Material, found: dict[str, Any]) -> dict[str, Any]:
    """Print what is accepted of the judged pairs within the test set."""
    scores = dict(zip(map(tuple, found["pairs"].tolist()), found["score"].tolist(), strict=True))
    rows = []
    for (a, b), verdict in sorted(material.judged.items()):
        if b.startswith("test/"):
            key = tuple(sorted((material.at[a], material.at[b])))
            rows.append({"a": a, "b": b, "judged": verdict, "score": scores.get(key, UNPROPOSED)})
    print_table("Judged pairs within test", rows)
    near = [row["score"] >= exposure.MIN_SCORE for row in rows if row["judged"] < 2]
    print(f"  accepted: {sum(near)} of {len(near)} near-duplicates")
    return {"accepted": sum(near), "of": len(near), "pairs": rows}


def draw_contact_sheets(material: Material, found: dict[str, Any], args: Any) -> None:
    """Draw the top pairs counted as false, and some accepted ones, drawn by lot."""
    order = np.argsort(-found["score"], kind="stable")
    known = dict(zip(material.queries.tolist(), material.right.tolist(), strict=True))
    false, accepted, seen = [], [], set()
    for row in order:
        test = [int(side) for side in found["pairs"][row] if material.test[side]]
        if (
            len(test) == 2
            or test[0] in seen
            or args.develop == is_reported(material.names[test[0]])
        ):
            continue
        seen.add(test[0])
        false += [row] * (known.get(test[0]) is False)
        accepted += [row] * bool(found["proofs"].accepted[row])
    rng = np.random.default_rng(0)
    chance = rng.permutation(accepted)[:DRAWN]
    for name, rows in (("false", false[:PAGE]), ("accepted", np.sort(chance))):
        path = args.sheets / f"cifar_{name}.png"
        draw([_make_row(material, found, row) for row in rows], path)
        print(f"  {path}")


def _make_row(material: Material, found: dict[str, Any], row: int) -> Row:
    a, b = found["pairs"][row]
    name = "/".join(str(material.names[a]).removesuffix(".jpg").split("/")[1:])
    label = f"{name} {found['score'][row]:.2f}"
    return Row(material.pictures[a], material.pictures[b], found["proofs"].affine[row], label)


if __name__ == "__main__":
    main()
