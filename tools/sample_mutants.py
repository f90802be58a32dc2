"""Break a room at random places, one at a time, and say which breaks its tests do not notice.

    python tools/sample_mutants.py fauxlab_mock/engine [--number 20] [--tests engine whole]

The tests run on a scratch copy, stop at the first failure, and have `--seconds` for each mutant.
A survivor is printed as file:line and the change: some are harmless, the others want a test.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

__all__ = ["broken"]

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("contract", "mock_server", "client", "fauxlab")
PAIRS = [
    *((ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Eq, ast.NotEq), (ast.In, ast.NotIn)),
    *((ast.Is, ast.IsNot), (ast.And, ast.Or)),
]
OTHER: dict[type[ast.AST], Any] = {**dict(PAIRS), **{new: old for old, new in PAIRS}}


def broken(node: ast.AST) -> bool:
    """Give a node another meaning, in place; False when there is nothing to break in it."""
    match node:
        case ast.Compare():
            node.ops[0] = OTHER[type(node.ops[0])]()
        case ast.BoolOp():
            node.op = OTHER[type(node.op)]()
        case ast.If() | ast.IfExp() | ast.While():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            node.value = number + 1
        case ast.Return(value=ast.expr()):
            node.value = ast.Constant(None)
        case _:
            return False
    return True


def mutant(path: Path, number: int) -> tuple[str, str]:
    """What node `number` of a module's tree becomes, in words; and the module's new text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    node = list(ast.walk(tree))[number]
    line = getattr(node, "lineno", 0)
    before, _, _ = ast.unparse(node).partition("\n")
    broken(node)
    after, _, _ = ast.unparse(node).partition("\n")
    return f"{line}: {before} -> {after}", ast.unparse(tree)


def is_noticed(checkout: Path, tests: list[str], seconds: float) -> bool:
    """True when a test fails, or hangs."""
    command = [sys.executable, "-m", "pytest", "-xq", "-m", "not slow and not alone", *tests]
    path = os.pathsep.join(str(checkout / folder) for folder in FOLDERS)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        code = subprocess.call(
            [*command, "-p", "no:randomly", "-p", "no:cacheprovider"],
            cwd=checkout,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return True
    return code != 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Which random breaks does no test notice?")
    parser.add_argument("room", help="a folder or module, such as fauxlab_mock/engine")
    parser.add_argument("--number", type=int, default=20, help="of mutants (default: 20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tests", nargs="*", help="below tests/ (default: the room's folder)")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each mutant")
    parsed = parser.parse_args()
    places = [ROOT / folder / parsed.room for folder in FOLDERS]
    (top,) = [place for place in places if place.exists()]
    files = [top] if top.is_file() else sorted(top.rglob("*.py"))
    pool = []
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        pool += [(file, number) for number, node in enumerate(ast.walk(tree)) if broken(node)]
    chosen = random.Random(parsed.seed).sample(pool, min(parsed.number, len(pool)))
    room = "client"
    if "fauxlab_client" not in parsed.room:
        room = parsed.room.split("/")[1]
    tests = [f"tests/{name}" for name in parsed.tests or [room]]
    survivors = 0
    with tempfile.TemporaryDirectory() as scratch:
        checkout = Path(scratch) / "checkout"
        shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".venv", ".git", ".*_cache"))
        if is_noticed(checkout, tests, parsed.seconds):
            parser.error("the tests fail, or take too long, before anything is broken")
        for file, number in chosen:
            name = file.relative_to(ROOT)
            change, text = mutant(file, number)
            (checkout / name).write_text(text, encoding="utf-8")
            if not is_noticed(checkout, tests, parsed.seconds):
                survivors += 1
                print(f"survived: {name}:{change}", flush=True)
            shutil.copy(file, checkout / name)
    noticed = len(chosen) - survivors
    print(f"{noticed} of {len(chosen)} mutants were noticed by {' '.join(tests)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
