"""Do a room's own tests notice small changes to the code that decides?

    python -m benchmarks.mutants --changes 150 --seed 1

Changes are drawn by the seed over the rooms that decide: a comparison moved to its boundary or turned
round, a constant scaled, `and` for `or`, a sign, `min` for `max`, a truth value. Each is made by itself
in a copy of the project; then the tests of that room are run, those first that import the changed
module and those last that are slow, until one goes red. What survives is printed as a diff. Not drawn
is what guards against mistakes in the code itself and decides nothing: `frozen=True` and the like of a
class, `strict=True` of a `zip`. Some changes are equivalent to what they change (a faster way, an order
without effect): those must be judged by hand.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[1]
ROOMS = ("audio", "images", "search", "metadata", "groups", "split", "engine", "scan", "evaluation")
COPIED = ("splitaudit", "tests", "data_manifests", "docs", "README.md", "pyproject.toml")
NO_TESTS = 5  # exit status of pytest where none was selected
LIMIT_S = 1200  # for the tests of one change

BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
OPPOSITE = {ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq}
OPPOSITE |= {ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In}
SIGN = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum"}


@dataclass(frozen=True)
class Change:
    """A change of one expression.

    Parameters
    ----------
    file
        Below the root.
    line
        Where.
    kind
        What was done.
    before, after
        The whole file.
    """

    file: str
    line: int
    kind: str
    before: str
    after: str

    @property
    def room(self) -> str:
        """Whose tests are asked."""
        return Path(self.file).parts[1]

    @property
    def diff(self) -> str:
        """The lines that differ."""
        sides = self.before.splitlines(), self.after.splitlines()
        lines = list(difflib.unified_diff(*sides, n=0, lineterm=""))[2:]
        return "\n".join(x for x in lines if not x.startswith("@@"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rooms", nargs="*", default=list(ROOMS), choices=ROOMS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    changes = draw(args.rooms, args.changes, args.seed)
    noticed = run(changes, args.jobs)
    report(changes, noticed)
    if args.json:
        rows = [
            {**asdict(c), "before": "", "after": "", "diff": c.diff, "noticed": n}
            for c, n in zip(changes, noticed, strict=True)
        ]
        args.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def draw(rooms: list[str], count: int, seed: int) -> list[Change]:
    """Draw changes: a file by its size, then one of its expressions."""
    rng = random.Random(seed)
    files = [file for room in rooms for file in sorted((ROOT / "splitaudit" / room).rglob("*.py"))]
    every = {file: list(changes_of(file)) for file in files}
    weights = [len(every[file]) for file in files]
    found: dict[tuple[str, str], Change] = {}
    while len(found) < count:
        change = rng.choice(every[rng.choices(files, weights)[0]])
        found[change.file, change.diff] = change
    return list(found.values())


def changes_of(file: Path) -> Iterator[Change]:
    """Yield every change that may be drawn of a file."""
    before = file.read_text(encoding="utf-8")
    for node in deciding(ast.parse(before)):
        for kind, old, new in replacements(node):
            after = replaced(before, old, new)
            if after is not None:
                name = file.relative_to(ROOT).as_posix()
                yield Change(name, getattr(node, "lineno", 0), kind, before, after)


def deciding(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and those below it, without what `left_out` names."""
    yield node
    for child in ast.iter_child_nodes(node):
        if child not in left_out(node):
            yield from deciding(child)


def left_out(node: ast.AST) -> list[ast.AST]:
    """What decides nothing: decorators of a class, `strict=`, and the -1 of a shape (-2 is as good)."""
    if isinstance(node, ast.ClassDef):
        return list(node.decorator_list)
    if not isinstance(node, ast.Call):
        return []
    shaped = isinstance(node.func, ast.Attribute) and node.func.attr == "reshape"
    rests = [arg for arg in node.args if shaped and ast.unparse(arg) == "-1"]
    return [*rests, *(each for each in node.keywords if each.arg == "strict")]


def replacements(node: ast.AST) -> Iterator[tuple[str, ast.AST, str]]:
    """Yield what can be put in place of an expression: kind, expression, source."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for kind, others in (("boundary", BOUNDARY), ("opposite", OPPOSITE)):
            if (other := others.get(type(node.ops[0]))) is not None:
                changed = ast.Compare(node.left, [other()], node.comparators)
                yield kind, node, f"({ast.unparse(changed)})"
    elif isinstance(node, ast.BoolOp):
        other = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield "and/or", node, f"({ast.unparse(ast.BoolOp(other, node.values))})"
    elif isinstance(node, ast.BinOp) and type(node.op) in SIGN:
        changed = ast.BinOp(node.left, SIGN[type(node.op)](), node.right)
        yield "sign", node, f"({ast.unparse(changed)})"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "truth", node, str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value:
        larger = node.value + 1 if isinstance(node.value, int) else node.value * 1.3
        yield "constant", node, repr(larger)
    elif isinstance(node, ast.Name | ast.Attribute):
        name = node.id if isinstance(node, ast.Name) else node.attr
        if name in NAMES:
            changed_name = ast.unparse(node).removesuffix(name) + NAMES[name]
            yield "name", node, changed_name


def replaced(text: str, node: ast.AST, new: str) -> str | None:
    """Return the text with an expression replaced; None where it has no place, as in f-strings."""
    if not hasattr(node, "lineno") or node.end_lineno is None:
        return None
    lines = text.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[node.end_lineno - 1] + node.end_col_offset
    data = text.encode()
    after = (data[:begin] + new.encode() + data[end:]).decode()
    try:
        changed = ast.parse(after)
    except SyntaxError:
        return None
    same = ast.dump(changed) == ast.dump(ast.parse(text))
    return None if same or after == text else after


def run(changes: list[Change], jobs: int) -> list[bool]:
    """Return whether each change was noticed."""
    places: SimpleQueue[Path] = SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        for k in range(jobs):
            places.put(copied(Path(folder) / str(k)))
        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(lambda change: tried(change, places), changes))


def copied(home: Path) -> Path:
    """Return a copy of the project."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, home / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, home / name)
    return home


def tried(change: Change, places: SimpleQueue[Path]) -> bool:
    """Make a change, run the tests of its room, and take it back."""
    home = places.get()
    try:
        (home / change.file).write_text(change.after, encoding="utf-8")
        noticed = any(goes_red(home, tests) for tests in in_order(change))
    finally:
        (home / change.file).write_text(change.before, encoding="utf-8")
        places.put(home)
    print(f"{'noticed ' if noticed else 'SURVIVED'} {change.file}:{change.line} {change.kind}")
    sys.stdout.flush()
    return noticed


def in_order(change: Change) -> list[list[str]]:
    """The tests of a room: of the files that name the module, of the others, and the slow ones."""
    module = change.file.removesuffix(".py").replace("/", ".")
    package, _, base = module.rpartition(".")
    files = sorted((ROOT / "tests" / change.room).glob("test_*.py"))
    files.sort(key=lambda file: "measured" not in file.name)  # these notice most, soon
    near, far = [], []
    for file in files:
        text = file.read_text(encoding="utf-8")
        names = module in text or (f"from {package} import" in text and base in text)
        (near if names else far).append(file.relative_to(ROOT).as_posix())
    quick = [["-m", "not slow", *tests] for tests in (near, far) if tests]
    return [*quick, ["-m", "slow", *near, *far]]


def goes_red(home: Path, tests: list[str]) -> bool:
    """Whether any of some tests fails."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(home), "CI": "true"}
    try:
        done = subprocess.run(
            command, cwd=home, env=environment, capture_output=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"more than {LIMIT_S} s: {' '.join(tests)}")
        return True  # it hangs, which nobody overlooks
    return done.returncode not in (0, NO_TESTS)


def report(changes: list[Change], noticed: list[bool]) -> None:
    """Print what survived, and how many were noticed in each room."""
    for change, seen in zip(changes, noticed, strict=True):
        if not seen:
            print(f"\n{change.file}:{change.line} ({change.kind})\n{change.diff}")
    print(f"\n{'room':<12} changes noticed")
    for room in dict.fromkeys(change.room for change in changes):
        own = [seen for change, seen in zip(changes, noticed, strict=True) if change.room == room]
        print(f"{room:<12} {len(own):>7} {sum(own):>7}")
    print(f"{'all':<12} {len(changes):>7} {sum(noticed):>7}  {sum(noticed) / len(noticed):.0%}")


if __name__ == "__main__":
    main()
