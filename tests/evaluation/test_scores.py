"""What is said of a matrix of scores: signs, intervals, files, and parts that leaked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command import run
from conftest import Scanned
from evaluators import (
    bonus,
    cosine,
    dual_softmax,
    pairs,
    pooled_by_own,
    pooled_by_the_asking,
    softmax,
    unit,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from splitaudit.evaluation import intervals, structure
from splitaudit.evaluation.relevance import parse_relevance


def signs(scores: Any) -> list[str]:
    return [
        sign.name
        for sign in structure.signs(scores, parse_relevance(range(len(scores)), len(scores)))
    ]


@given(st.integers(0, 1000), st.sampled_from([cosine, pooled_by_the_asking, dual_softmax]))
@settings(deadline=None, max_examples=20)
def test_honest_scores_are_not_suspected(seed, function):
    assert signs(function(*pairs(90, seed))) == []


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
@pytest.mark.slow
def test_a_bonus_for_the_truth_is_suspected(seed):
    assert signs(bonus(*pairs(240, seed))) == ["unexplained"]


def test_a_bonus_is_found_wherever_the_truth_stands() -> None:
    texts, films = pairs(240)
    order = np.random.default_rng(0).permutation(240)
    scores = bonus(texts, films)[:, order]
    right = parse_relevance(np.argsort(order), 240)
    assert [sign.name for sign in structure.signs(scores, right)] == ["unexplained"]


def test_scores_of_towers_pooled_by_their_captions_cannot_be_told() -> None:
    """They are those of two honest towers; the module says so."""
    assert signs(pooled_by_own(*pairs(120))) == []


def kept_by_rank(scores: Any) -> Any:
    """The ten best of each row, as where a second model asks only for these."""
    return np.where(scores < np.sort(scores, axis=1)[:, [-10]], -np.inf, scores)


HONEST = {
    "left out below rank ten": kept_by_rank,
    "without the logarithm of negatives": lambda scores: np.log(np.maximum(scores, 0)),
    "cut off": lambda scores: np.clip(20 * scores, -1, 1),
    "saturated": lambda scores: (1 / (1 + np.exp(12 - 90 * scores))).astype(np.float32),
    "constant": np.ones_like,
    "nothing": np.zeros_like,
    "ranks": lambda scores: scores.argsort(axis=1).argsort(axis=1),
}


@pytest.mark.parametrize("name", HONEST)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_what_honest_evaluators_do_to_scores_is_not_suspected(name: str) -> None:
    for seed in range(5):
        assert signs(HONEST[name](cosine(*pairs(60, seed)))) == []


def test_nearly_equal_pairs_are_not_suspected() -> None:
    rng = np.random.default_rng(0)
    texts = unit(rng.normal(size=(60, 32)))
    assert signs(texts @ unit(texts + 0.002 * rng.normal(size=texts.shape)).T) == []


NORMALISED = {
    "sum": lambda scores: softmax(9 * scores, axis=0),
    "highest": lambda scores: scores / scores.max(axis=0),
    "range": lambda scores: (scores - scores.min(axis=0)) / np.ptp(scores, axis=0),
}


@pytest.mark.parametrize("name", NORMALISED)
def test_columns_normalised_over_the_queries_are_suspected(name: str) -> None:
    scores = NORMALISED[name](cosine(*pairs(60)))
    assert signs(scores) == ["normalised"]


def test_nothing_but_the_truth_is_suspected() -> None:
    assert signs(np.eye(60)) == ["constant", "normalised"]


def test_a_query_without_scores_hides_no_sign() -> None:
    scores = bonus(*pairs(240))
    scores[7] = np.nan
    assert signs(scores) == ["unexplained"]


def test_one_score_for_all_true_pairs_is_suspected() -> None:
    scores = cosine(*pairs(60))
    np.fill_diagonal(scores, 1.0)
    assert "constant" in signs(scores)


def grouped(seed: int) -> tuple[Any, Any]:
    """Hits of groups of 1 to 39 queries that are alike; 0.5 is true."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(60), rng.integers(1, 40, 60))
    return (rng.random(len(groups)) < rng.beta(0.8, 0.8, 60)[groups]).astype(float), groups


@pytest.mark.slow
def test_intervals_over_groups_hold_the_truth_and_naive_ones_do_not() -> None:
    covered = naive = 0
    for seed in range(30):
        hits, groups = grouped(seed)
        found = intervals.mean(hits, groups)
        covered += found.low <= 0.5 <= found.high
        alone = intervals.mean(hits, np.arange(len(hits)))
        naive += alone.low <= 0.5 <= alone.high
    assert covered >= 26
    assert naive <= 21


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 8))
@settings(deadline=None, max_examples=30)
def test_an_interval_holds_its_value_within_the_values(values, number):
    held, groups = np.array(values), np.arange(len(values)) % number
    for interval in (intervals.mean(held, groups), intervals.median(held, groups)):
        assert held.min() - 1e-9 <= interval.low <= interval.high <= held.max() + 1e-9


def matrix(folder: Path, *words: str) -> Any:
    return run("evaluate", "matrix", *words, cwd=folder)


def test_metrics_are_printed_with_intervals(tmp_path: Path) -> None:
    np.save(tmp_path / "scores.npy", cosine(*pairs(60)))
    ran = matrix(tmp_path, "scores.npy")
    assert ran.status == 0
    assert ran.out.startswith(
        "NO EVIDENCE: a matrix alone cannot prove that its evaluator is clean"
    )
    assert ran.out.count("R@10") == 2
    assert max(map(len, ran.out.splitlines())) <= 80


def test_a_suspicious_matrix_has_status_1(tmp_path: Path) -> None:
    np.save(tmp_path / "scores.npy", bonus(*pairs(240)))
    ran = matrix(tmp_path, "scores.npy", "--json")
    assert ran.status == 1
    assert json.loads(ran.out)["verdict"] == "suspicious"


def values(ran: Any) -> list[float]:
    metrics = json.loads(ran.out)["metrics"]
    return [
        row[0] for way in metrics.values() for row in way["all"].values() if isinstance(row, list)
    ]


def test_ids_say_what_is_right(tmp_path: Path) -> None:
    scores = cosine(*pairs(30))
    names = [f"film {k}" for k in range(30)]
    frame = pd.DataFrame(scores[:, ::-1], columns=names[::-1])
    frame.insert(0, "query", [f"text {k}" for k in range(30)])
    frame.to_parquet(tmp_path / "scores.parquet")
    rows = [f"text {k},film {k}" for k in range(30)]
    (tmp_path / "right.csv").write_text("\n".join(["query,item", *rows]))
    np.save(tmp_path / "scores.npy", scores)
    by_name = matrix(tmp_path, "scores.parquet", "--relevance", "right.csv", "--json")
    by_place = matrix(tmp_path, "scores.npy", "--json")
    assert values(by_name) == values(by_place)


FAULTS = {
    "not an array of numbers": ("scores.npy", b"no", ()),
    "expected a file whose name ends": ("scores.txt", b"", ()),
    "not a Parquet file": ("scores.parquet", b"no", ()),
    "say by --relevance": ("scores.npy", np.zeros((3, 4)), ()),
    "nothing to rank": ("scores.npy", np.zeros((0, 0)), ()),
    "1 dimensions": ("scores.npy", np.zeros(3), ()),
    "real numbers": ("scores.npy", np.zeros((3, 3), complex), ()),
    "no item 'x'": ("scores.npy", np.zeros((3, 3)), ("--relevance", "unknown.csv")),
    "columns query and item": ("scores.npy", np.zeros((3, 3)), ("--relevance", "other.csv")),
    "2 ids for 3 rows": ("scores.npy", np.zeros((3, 3)), ("--query-ids", "two.txt")),
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_fault_of_a_file_is_one_sentence(sentence: str, tmp_path: Path) -> None:
    name, content, options = FAULTS[sentence]
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    else:
        np.save(tmp_path / name, content)
    (tmp_path / "unknown.csv").write_text("query,item\n0,x\n")
    (tmp_path / "other.csv").write_text("a,b\n0,1\n")
    (tmp_path / "two.txt").write_text("a\nb\n")
    ran = matrix(tmp_path, name, *options)
    assert ran.status == 2
    assert sentence in ran.err
    assert len(ran.err.strip().splitlines()) == 1


def test_overflow_never_raises_a_score(tmp_path: Path) -> None:
    with np.errstate(over="ignore"):
        scores = (1e4 * cosine(*pairs(60))).astype(np.float16) * np.float16(100)
    np.save(tmp_path / "scores.npy", scores)
    found = json.loads(matrix(tmp_path, "scores.npy", "--json").out)
    assert found["not_finite"] == int((~np.isfinite(scores)).sum()) > 0
    best = found["metrics"]["query to item"]["all"]["R@1"][0]
    assert best <= (cosine(*pairs(60)).argmax(axis=1) == np.arange(60)).mean()


@pytest.fixture(scope="module")
def of_a_run(
    scanned: Scanned, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str], list[bool]]:
    """Scores of the test items of a run: what leaked is found, of the others every second."""
    folder = tmp_path_factory.mktemp("scores")
    names = sorted(path.name for path in (scanned.folder / "test").iterdir())
    items = [f"test/{name}" for name in names]
    leaked = [any(item in (leak.a, leak.b) for leak in scanned.truth.leaks) for item in items]
    found = np.array(leaked) | (np.arange(len(items)) % 2 == 0)
    np.save(folder / "scores.npy", np.where(np.eye(len(items)), found[:, None] - 0.5, 0.1))
    (folder / "ids.txt").write_text("\n".join(items))
    return folder, items, leaked


def test_what_leaked_in_a_run_is_taken_out(of_a_run: Any, scanned: Scanned) -> None:
    folder, _, leaked = of_a_run
    words = "scores.npy", "--gallery-ids", "ids.txt", "--run", str(scanned.run)
    parts = json.loads(matrix(folder, *words, "--json").out)["metrics"]["query to item"]
    assert parts["leaked"]["queries"] == sum(leaked)
    assert parts["leaked"]["R@1"][0] == 1
    assert parts["clean"]["queries"] == len(leaked) - sum(leaked)
    assert 0.2 < parts["clean"]["R@1"][0] < 0.8
    printed = matrix(folder, *words).out
    assert "the leaks are worth" in " ".join(printed.split())
    assert max(map(len, printed.splitlines())) <= 80


def test_a_run_needs_the_ids_of_its_items(of_a_run: Any, scanned: Scanned) -> None:
    folder, items, _ = of_a_run
    (folder / "other.txt").write_text("\n".join([*items[1:], "test/unheard.wav"]))
    for words, sentence in (
        ((), "--gallery-ids"),
        (("--gallery-ids", "other.txt"), "'test/unheard.wav'"),
    ):
        ran = matrix(folder, "scores.npy", "--run", str(scanned.run), *words)
        assert ran.status == 2
        assert sentence in ran.err
        assert len(ran.err.strip().splitlines()) == 1
