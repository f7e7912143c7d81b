"""Imports run one way, and what is heavy is imported late and in few places."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import splitaudit

PACKAGE = Path(splitaudit.__file__).parent
# Each module or package may import those of the rows above; of its own row only what `WITHIN` says.
LAYERS = (
    ("compiled", "memory"),
    (
        "errors",
        "schema",
        "progress",
        "order",
        "components",
        "capped",
        "stratify",
        "captions",
        "near",
        "keys",
        "route",
        "spans",
        "features",
    ),
    ("manifest", "store", "media", "ingest"),
    (
        "fingerprints",
        "search",
        "verify",
        "written",
        "group",
        "giants",
        "split",
        "check",
        "dedup",
        "matches",
        "evaluation",
    ),
    ("jobs", "execute"),
    ("stages", "outcomes"),
    ("sounds", "pictures"),
    ("pipeline",),
    ("report", "exports", "splitfiles", "fetch", "scorefiles", "sandbox"),
    ("run",),
    ("grouping",),
    ("splitting",),
    ("audit",),
    ("opening", "scored"),
    ("demo", "cli"),
)
WITHIN = {
    "capped": {"components"},
    "keys": {"captions", "schema"},
    "spans": {"schema"},
    "ingest": {"manifest"},
    "cli": {"demo"},
}
ALGORITHMS = LAYERS[3]
# Taking and returning arrays and tables, they know nothing of where those lie or who computes them.
FORBIDDEN = {name: {"store", "execute", "pipeline", "ingest", "manifest"} for name in ALGORITHMS}
VERBS = ("datasets", "evaluating", "finding", "parting")
# Package -> the files that may import it.
NAMED = {
    "av": {"media/ffmpeg", "report/preview", "demo/dataset"},
    "PIL": {"media/pillow", "media/jpeg", "fingerprints/image_hash", "report/beside"},
    "cv2": {
        "fingerprints/local_features",
        *(
            f"verify/{name}"
            for name in ("background", "changes", "photographs", "matching", "overlay", "placement")
        ),
    },
    "simplejpeg": {"media/jpeg"},
    "pillow_heif": {"media/pillow"},
    "imagehash": set(),  # a peer, in tests only
    "soundfile": {"media/libsndfile", "demo/dataset"},
    "soxr": {"media/reading", "verify/scaled", "verify/windows"},
    "numba": {"compiled"},
    "faiss": {"search/nearest"},
    "jinja2": {"report/html"},
    "click": {f"cli/{name}" for name in ("__init__", *VERBS, "options", "show")},
    "pooch": {"fetch"},
    "rapidfuzz": {"near"},
    "requests": {"fetch"},
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


def unit(name: str) -> str:
    """Return what stands in `LAYERS`: the module, or the package that it lies in."""
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


def ours(node: ast.AST) -> set[str]:
    """Return the units of this package that a piece of syntax imports."""
    known = {unit(name) for name in TREES} - {"__init__"}
    parts = [name.split(".") for name in imported(node) if name.startswith("splitaudit.")]
    return {names[1] for names in parts if names[1] in known}


def for_types_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def level(name: str) -> int:
    return next(k for k, layer in enumerate(LAYERS) if name in layer)


def test_every_module_has_its_layer() -> None:
    assert {unit(name) for name in TREES} - {"__init__"} == {x for layer in LAYERS for x in layer}


@pytest.mark.parametrize("name", sorted(set(TREES) - {"__init__"}))
def test_imports_run_one_way(name: str) -> None:
    own = unit(name)
    others = ours(TREES[name]) - {own}
    upwards = {other for other in others if level(other) > level(own)}
    beside = {other for other in others if level(other) == level(own)} - WITHIN.get(own, set())
    assert not upwards, f"{name} imports from above"
    assert not beside, f"{name} imports its siblings"
    assert not others & FORBIDDEN.get(own, set())


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
        allowed = {"ingest/label_pickle": {"pickle"}, "sandbox": {"subprocess"}}.get(name, set())
        assert not {"pickle", "marshal", "shelve", "subprocess"} & imported(tree) - allowed, name
        calls = {
            node.func.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not {"eval", "exec", "compile", "__import__"} & calls, name
