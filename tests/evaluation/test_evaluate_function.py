"""Evaluators that leak are caught, those that do not are not accused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import evaluators
import numpy as np
import pytest
from command import run
from evaluators import FAULTS, METRICS, SCORES, pairs

from splitaudit.errors import EvaluatorError, ScoresError
from splitaudit.evaluation.audit import audit_evaluator

named = pytest.mark.parametrize


@named("seed", range(3))
@named("function", SCORES, ids=lambda function: function.__name__)
def test_what_scores_look_at_is_found(function: Any, seed: int) -> None:
    data_seed = 0 if function is evaluators.looked_up_features else seed
    found = audit_evaluator(function, *pairs(seed=data_seed), seed=seed)
    assert found.verdict == SCORES[function], found.findings
    assert (found.test is None) == (found.verdict == "clean")


@named("seed", range(3))
def test_rounding_of_large_scores_is_no_leak(seed: int) -> None:
    """In float32; the true pairs have the largest scores, and so the largest errors."""
    texts, films = pairs(700, seed)
    films[:, :2] += 0.5 * texts[:, None]
    given = texts.astype(np.float32), films.astype(np.float32)
    found = audit_evaluator(evaluators.softmax_over_the_gallery, *given, seed=seed)
    assert found.verdict == "gallery_dependent", found.findings


@named("seed", range(20))
def test_products_are_rounded_otherwise_at_the_ends_of_rows(seed: int) -> None:
    """Equal items do not score quite equal there; 33 is one more than fits into whole blocks."""
    single = [side.astype(np.float32) for side in pairs(33, seed)]
    found = audit_evaluator(evaluators.scaled, *single, seed=seed)
    assert found.verdict == "clean", found.findings


@named("width", [4, 32])
@named("seed", range(10))
@named("function", [evaluators.noise_of_the_films, evaluators.noise_of_the_score])
def test_noise_is_no_fault_however_it_is_spread(function: Any, seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    texts = rng.normal(size=(60, width))
    films = 3 * texts[:, None] + rng.normal(size=(60, 1, width))
    found = audit_evaluator(function, texts, films, seed=seed)
    assert found.verdict == "clean", found.findings


@named("seed", range(20))
def test_noise_of_a_seed_is_none_that_data_are_made_of(seed: int) -> None:
    rng = np.random.default_rng(seed)
    texts = rng.normal(size=(100, 1, 32))
    given = texts[:, 0], texts + rng.normal(size=texts.shape)
    found = audit_evaluator(evaluators.noise_of_the_films_by_seed, *given, seed=seed)
    assert found.verdict == "clean", found.findings


@named("n", range(8, 16))
def test_items_looked_up_by_ids_have_no_twins(n: int) -> None:
    for seed in range(20):
        texts, films = pairs(n, seed)
        found = audit_evaluator(evaluators.looked_up_features, texts + 3, films, seed=seed)
        assert found.verdict == "clean", found.findings


@named("seed", range(10))
def test_a_normalisation_over_few_items_is_found(seed: int) -> None:
    found = audit_evaluator(evaluators.softmax_over_the_gallery, *pairs(8, seed), seed=seed)
    assert found.verdict == "gallery_dependent", found.findings


@named("seed", range(10))
def test_two_leaking_pairs_of_thirty_are_found(seed: int) -> None:
    found = audit_evaluator(evaluators.bonus_for_few, *pairs(30, seed), seed=seed)
    assert found.verdict == "leak", found.findings


@named("seed", range(3))
def test_what_is_said_to_be_right_counts_however_many_others_there_are(seed: int) -> None:
    for function in (evaluators.bonus_for_relevance, evaluators.bonus_for_relevance_and_noise):
        found = audit_evaluator(function, *pairs(300, seed), seed=seed)
        assert (found.verdict, found.test) == ("leak", "labels"), found.findings


def test_copies_among_the_data_are_asked_once() -> None:
    """They tie, and rounding decides which of them ranks higher."""
    texts, films = pairs()
    texts[::3], films[1::3] = texts[0], films[1]
    asked = []

    def recorded(queries, gallery):
        asked.append(len(queries))
        return evaluators.cosine(queries, gallery)

    assert audit_evaluator(recorded, texts, films).verdict == "clean"
    assert asked[0] == 22  # the twenty left alone, and one of each that was copied
    assert audit_evaluator(evaluators.cosine, texts[[0] * 60], films).verdict == "clean"


@named("function", METRICS, ids=lambda function: function.__name__)
def test_what_a_metric_counts_is_found(function: Any) -> None:
    found = audit_evaluator(function, *pairs(), kind="metric")
    assert found.verdict == METRICS[function], found.findings


@named("seed", range(5))
def test_a_metric_for_a_tenth_of_the_films_is_found(seed: int) -> None:
    given = pairs(217, seed)
    found = audit_evaluator(evaluators.leaking_for_some, *given, kind="metric", seed=seed)
    assert found.verdict == "leak", found.findings


@named("seed", range(20))
def test_a_noisy_metric_hangs_on_no_order(seed: int) -> None:
    found = audit_evaluator(evaluators.noisy_recall, *pairs(64, seed), kind="metric", seed=seed)
    assert found.verdict == "clean", found.findings


def test_both_ways_are_measured_by_one_evaluator() -> None:
    found = audit_evaluator(evaluators.both_ways, *pairs(), kind="metric")
    assert found.verdict == "clean", found.findings
    assert "v2t: ranks the queries of each item, the way back" in found.notes


def test_metrics_of_short_vectors_are_tested() -> None:
    texts, films = pairs()
    narrow = texts[:, :5], films[:, :, :5]
    found = audit_evaluator(evaluators.optimistic, *narrow, kind="metric")
    assert (found.verdict, "in favour of the right item" in found.sentence) == ("leak", True)
    assert audit_evaluator(evaluators.recall, *narrow, kind="metric").verdict == "clean"


def test_who_returns_several_metrics_is_not_called_for_each() -> None:
    ids = {"query_ids": np.arange(60).astype(str).astype(object)}

    def many(queries, gallery, relevance):
        value = evaluators.recall(queries, gallery, relevance)["R@1"]
        return dict.fromkeys(map(str, range(20)), value)

    one = audit_evaluator(evaluators.recall, *pairs(), kind="metric", **ids)
    found = audit_evaluator(many, *pairs(), kind="metric", **ids)
    assert found.verdict == one.verdict == "clean"
    assert found.calls <= one.calls


def test_a_metric_that_cannot_be_tested_is_not_called_clean() -> None:
    texts, films = pairs()
    with pytest.raises(ScoresError, match="24 pairs"):
        audit_evaluator(evaluators.recall, texts[:20], films[:20], kind="metric")
    with pytest.raises(ScoresError, match="real numbers"):
        audit_evaluator(evaluators.recall, texts.astype(int), films, kind="metric")
    with pytest.raises(EvaluatorError, match="nothing but the same"):
        audit_evaluator(lambda queries, gallery: 1.0, texts, films, kind="metric")


def test_tensors_are_given_as_tensors() -> None:
    torch = pytest.importorskip("torch")
    for kind in (torch.float32, torch.bfloat16):
        given = [torch.tensor(side[:, :1].mean(axis=1)).to(kind) for side in (pairs()[1],) * 2]
        for function, how in (
            (evaluators.of_tensors, "score"),
            (evaluators.of_tensors_r1, "metric"),
        ):
            assert audit_evaluator(function, *given, kind=how).verdict == "clean"


@named("function", FAULTS, ids=lambda function: function.__name__)
def test_a_fault_names_the_test(function: Any) -> None:
    with pytest.raises(EvaluatorError, match=FAULTS[function]):
        audit_evaluator(function, *pairs())


def test_one_query_for_each_item_is_asked_where_there_are_several() -> None:
    texts, films = pairs()
    relevance = np.repeat(np.arange(60), 2)
    queries = texts[relevance] + np.random.default_rng(0).normal(size=(120, evaluators.WIDTH))
    assert (
        audit_evaluator(evaluators.cosine, queries, films, relevance=relevance).verdict == "clean"
    )


def test_square_input_is_noted_and_no_fault() -> None:
    found = audit_evaluator(evaluators.square, *pairs())
    assert found.verdict == "clean"
    assert any("'rectangular'" in note for note in found.notes)


def test_who_writes_to_the_inputs_changes_nothing_of_ours() -> None:
    texts, films = pairs()
    before = texts.copy()
    found = audit_evaluator(evaluators.writes, texts, films)
    assert "it writes to its inputs" in found.notes
    np.testing.assert_array_equal(texts, before)


def test_inputs_that_do_not_fit_are_one_sentence() -> None:
    texts, films = pairs()
    for wrong, sentence in (
        ({"relevance": np.arange(59)}, "59 rows for 60 queries"),
        ({"query_ids": ["a"] * 60}, "none twice"),
        ({"kind": "score?"}, "choose score or metric"),
    ):
        with pytest.raises(ScoresError, match=sentence):
            audit_evaluator(evaluators.cosine, texts, films, **wrong)
    with pytest.raises(ScoresError, match="at least 8"):
        audit_evaluator(evaluators.cosine, texts[:5], films[:5])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("evaluators")
    (found / "evaluators.py").write_bytes(Path(evaluators.__file__).read_bytes())
    queries, gallery = pairs()
    np.savez(found / "data.npz", queries=queries, gallery=gallery)
    return found


def evaluated(folder: Path, name: str, *options: str) -> Any:
    command = ("evaluate", "function", f"evaluators:{name}", "--data", "data.npz", *options)
    return run(*command, cwd=folder)


@named(("name", "status"), [("cosine", 0), ("pooled_by_own", 1), ("dual_softmax", 0)])
def test_the_exit_status_says_whether_it_leaks(folder: Path, name: str, status: int) -> None:
    ran = evaluated(folder, name)
    assert ran.status == status, ran.err
    assert ran.out.startswith(SCORES[getattr(evaluators, name)].upper())


def test_strict_refuses_all_but_clean(folder: Path) -> None:
    assert evaluated(folder, "dual_softmax", "--strict").status == 1


@named(
    ("name", "said"), [("raises", "raised KeyError"), ("dies", "status 7"), ("hangs", "4 s in all")]
)
def test_what_could_not_be_run_is_status_4(folder: Path, name: str, said: str) -> None:
    ran = evaluated(folder, name, "--time-limit", "4" if name == "hangs" else "60")
    assert ran.status == 4
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_memory_is_limited(folder: Path) -> None:
    ran = evaluated(folder, "greedy", "--memory-limit", "2")
    assert ran.status == 4
    assert "MemoryError" in ran.err


@named(
    ("name", "said"),
    [("nothing", "no function 'nothing'"), ("a:b:c", "no function"), ("", "expected package")],
)
def test_a_function_that_is_not_there_is_one_sentence(folder: Path, name: str, said: str) -> None:
    ran = run("evaluate", "function", f"evaluators:{name}", "--data", "data.npz", cwd=folder)
    assert ran.status == 2
    assert said in ran.err


def test_data_of_other_names_are_refused(folder: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", texts=np.zeros((9, 2)))
    ran = run("evaluate", "function", "json:dumps", "--data", "other.npz", cwd=tmp_path)
    assert ran.status == 2
    assert "holds texts; expected queries, gallery" in ran.err
    (tmp_path / "broken.npz").write_bytes(b"PK no")
    ran = run("evaluate", "function", "json:dumps", "--data", "broken.npz", cwd=tmp_path)
    assert ran.status == 2
    assert "not an .npz file" in ran.err


def test_the_process_leaves_nothing_behind(folder: Path) -> None:
    before = set(folder.iterdir())
    evaluated(folder, "cosine")
    assert set(folder.iterdir()) - before <= {folder / "__pycache__"}
    assert not subprocess.run(["pgrep", "-f", "evaluators:hangs"], capture_output=True).stdout
