"""Imports run one way, and what is heavy is imported late and in few places."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import splitaudit

PACKAGE = Path(splitaudit.__file__).parent
# Modules that every room may import; they import nothing of ours but those before them.
GROUND = ("errors", "schema", "order")
# Which rooms each room imports, from the ground up: only rooms that stand above it here.
ROOMS: dict[str, set[str]] = {
    "engine": set(),
    "metadata": {"engine"},
    "search": {"engine"},
    "groups": {"engine", "metadata"},
    "dataset": {"engine", "metadata"},
    "split": {"engine", "groups"},
    "exports": {"engine"},
    "evaluation": {"engine"},
    "report": {"engine", "dataset", "metadata"},
    "audio": {"engine", "search"},
    "images": {"engine", "search", "groups"},
    "scan": {"engine", "metadata", "groups", "dataset", "audio", "images"},
    "runs": {
        *("engine", "groups", "dataset", "split", "exports", "evaluation", "report"),
        *("audio", "images", "scan"),
    },
    "demo": {"engine", "report", "runs"},
    "cli": {
        *("engine", "metadata", "search", "dataset", "split", "evaluation", "report"),
        *("runs", "demo"),
    },
}
MEDIA = {"audio", "images"}
# What takes and returns arrays and tables knows nothing of where they lie or who computes them.
ALGORITHMS = ("metadata", "search", "groups", "split", "evaluation", "audio", "images")
PLACES = {f"splitaudit.engine.{name}" for name in ("store", "execute", "jobs", "stages")}
IN_PLACE = {
    *(f"{room}/{name}" for room in MEDIA for name in ("medium", "fingerprint/extract")),
    *(f"{room}/search/{name}" for room in MEDIA for name in ("candidates", "locate")),
    "audio/verify/compare",
    "images/fingerprint/status",
    "images/verify/pairs",
    "images/verify/proofs",
    "images/verify/drawings/compare",
    "images/verify/photographs/compare",
    "images/verify/thumbnails/compare",
}
VERBS = ("datasets", "evaluate", "scan", "split")
_DRAWINGS = "compare differences overlay verdict"
_PHOTOGRAPHS = "background changes colours exposure homography overlay"
# Package -> the files that may import it.
NAMED = {
    "av": {"audio/decode/ffmpeg", "report/preview", "demo/dataset"},
    "PIL": {
        *(f"images/decode/{name}" for name in ("pillow", "jpeg", "cut")),
        *(f"images/fingerprint/{name}" for name in ("hash", "imagehash")),
        "report/side_by_side",
    },
    "cv2": {
        "images/fingerprint/features",
        "images/verify/placement",
        *(f"images/verify/photographs/{name}" for name in _PHOTOGRAPHS.split()),
        *(f"images/verify/drawings/{name}" for name in _DRAWINGS.split()),
    },
    "simplejpeg": {"images/decode/jpeg"},
    "pillow_heif": {"images/decode/pillow"},
    "imagehash": {"images/fingerprint/imagehash"},
    "soundfile": {"audio/decode/libsndfile", "dataset/sample_rates", "demo/dataset"},
    "soxr": {
        "audio/decode/stream",
        *(f"audio/verify/{name}" for name in ("tempo_pitch", "windows")),
    },
    "threadpoolctl": {"engine/execute"},
    "numba": {"engine/compiled"},
    "faiss": {"search/vectors"},
    "jinja2": {"report/html"},
    "click": {f"cli/{name}" for name in ("__init__", *VERBS, "options", "output")},
    "pooch": {"dataset/fetch"},
    "rapidfuzz": {"metadata/near_captions"},
    "requests": {"dataset/fetch"},
    "datasets": set(),  # these two read what is exported, in tests only
    "mlcroissant": set(),
}
AT_START = {"click", "splitaudit"}  # what the command line may import before it knows what to do


def modules() -> dict[str, ast.Module]:
    """Syntax trees by name, as `media/audio`."""
    names = {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): path for path in PACKAGE.rglob("*.py")
    }
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in names.items()}


TREES = modules()


def room(name: str) -> str:
    """Return the room that a module lies in; of one at the top, its own name."""
    return name.split("/")[0]


def imported(node: ast.AST) -> set[str]:
    """Return the modules that a piece of syntax imports, with dots."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            found |= {alias.name for alias in part.names}
        elif isinstance(part, ast.ImportFrom):
            assert part.level == 0, "relative imports hide who needs whom"
            found |= {part.module or ""} | {f"{part.module}.{alias.name}" for alias in part.names}
    return found


def of_ours(node: ast.AST) -> set[str]:
    """Return our modules that a piece of syntax imports, such as `engine/store`."""
    found = {name.removeprefix("splitaudit.").replace(".", "/") for name in imported(node)}
    return {name for name in found if name in TREES or f"{name}/__init__" in TREES}


def for_types_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_every_module_has_its_room() -> None:
    assert {room(name) for name in TREES} - {"__init__"} == {*GROUND, *ROOMS}


def test_rooms_import_downwards() -> None:
    floors = list(ROOMS)
    for k, (name, below) in enumerate(ROOMS.items()):
        assert below <= set(floors[:k]), name
    assert not any(ROOMS[medium] & MEDIA for medium in MEDIA)


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_imports_those_that_the_table_says(name: str) -> None:
    own = [module for module in TREES if room(module) == name]
    used = {room(other) for module in own for other in of_ours(TREES[module])}
    assert used - {name, *GROUND, "splitaudit"} == ROOMS[name]


def test_the_ground_imports_only_itself() -> None:
    for k, name in enumerate(GROUND):
        assert of_ours(TREES[name]) <= set(GROUND[:k]), name


def test_no_modules_import_each_other_in_a_circle() -> None:
    sorter = graphlib.TopologicalSorter(
        {
            name: {other for other in of_ours(tree) if other in TREES}
            for name, tree in TREES.items()
            if not name.endswith("__init__")
        }
    )
    sorter.prepare()


@pytest.mark.parametrize("name", sorted(n for n in TREES if room(n) in ALGORITHMS))
def test_algorithms_know_no_place(name: str) -> None:
    assert name in IN_PLACE or not PLACES & imported(TREES[name])


@pytest.mark.parametrize("name", sorted(TREES))
def test_what_is_heavy_is_imported_in_named_files_only(name: str) -> None:
    packages = {module.split(".")[0] for module in imported(TREES[name])}
    assert not {package for package in packages if name not in NAMED.get(package, {name})}


AT_FIRST = ["__init__", "errors", *sorted(name for name in TREES if name.startswith("cli/"))]


@pytest.mark.parametrize("name", AT_FIRST)
def test_the_command_line_starts_with_click_and_the_standard_library(name: str) -> None:
    at_start = [node for node in TREES[name].body if not for_types_only(node)]
    top = set().union(
        *(imported(node) for node in at_start if isinstance(node, ast.Import | ast.ImportFrom))
    )
    packages = {module.split(".")[0] for module in top}
    assert packages <= AT_START | sys.stdlib_module_names
    ours = {module.split(".")[1] for module in top if module.startswith("splitaudit.")}
    assert ours <= {"errors", "cli"}


HEAVY = "av soundfile soxr numba scipy numpy rich jinja2 pandas pyarrow splitaudit.runs.audit"


def test_importing_costs_nothing() -> None:
    code = "import splitaudit, splitaudit.cli, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY.split()) & set(done.stdout.split())


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, splitaudit.cli as c; sys.argv = ['splitaudit', '--help']\n"
        "try: c.main()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage: " in done.stdout
    assert not set(HEAVY.split()) & set(done.stderr.split())


def test_nothing_is_unpickled_or_executed() -> None:
    """Whatever a user hands us is data, but the evaluator named to be run; of pickles, labels."""
    for name, tree in TREES.items():
        allowed = {
            "dataset/label_pickle": {"pickle"},
            "evaluation/sandbox": {"subprocess"},
        }.get(name, set())
        assert not {"pickle", "marshal", "shelve", "subprocess"} & imported(tree) - allowed, name
        calls = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not {"eval", "exec", "compile", "__import__"} & calls, name
