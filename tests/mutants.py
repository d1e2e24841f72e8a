"""Mutants: one token of the package changed at a time; the tests of the changed file must notice.

    make mutants SAMPLE=60 SEED=1
    python tests/mutants.py --sample 20 --seed 3 riskkit/var

A mutant is killed if a test fails, or never ends. The checkout is never changed: mutants live in a copy. Everything runs
as plain Python (kernels too), and a test file stops at its first failure. Survivors are printed with their place;
those that no test can tell from the original are listed in `equivalent_mutants.toml`, each with the reason.
"""

from __future__ import annotations

import argparse
import ast
import compileall
import importlib
import os
import py_compile
import random
import shutil
import signal
import sys
import tempfile
import tomllib
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
REPLAY = ("rules/catalogue", "rules/circuit_breaker.py", "kernels", "engine/loop")
MODELS = ("attribution", "covariance", "liquidity", "montecarlo", "performance", "stress", "var", "var_backtest")
FILES = (*(f"riskkit/replay/{name}" for name in REPLAY), *(f"riskkit/{name}" for name in MODELS))
PROOFS = ("proofs/test_edges.py", "proofs/test_scenarios.py", "proofs/test_metamorphic.py")
REPLAY_TESTS = (*PROOFS, "replay/kernels", "replay/rules", "replay/run", "replay/live", "replay/engine")
LOADED = ("numpy", "pandas", "scipy.stats", "scipy.optimize", "matplotlib", "numba")  # once, for all mutants
SAID = "said.txt"  # what pytest wrote last, in the copy
USAGE, NO_TESTS = 4, 5  # what pytest ends with when it was called wrongly, and when a file has no doctest
SECONDS = 300  # of processor time, at least, after which a mutant never ends; or twice what all tests take without one

COMPARED = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
COMPARED |= {ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
COMPUTED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.BitAnd: ast.BitOr}
COMPUTED |= {ast.BitOr: ast.BitAnd}
RENAMED = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "floor": "ceil", "ceil": "floor"}
DROPPED = {"abs", "sqrt"}  # functions whose argument stands for them


class Mutant(NamedTuple):
    """One change: the file from the root, the line, and what stands there before and after."""

    file: str
    line: int
    before: str
    after: str
    text: str
    """The whole changed file."""


# ---------------------------------------------------------------------- making


def mutants_of(file: str, text: str) -> list[Mutant]:
    """Every mutant of a file, in the order of the text."""
    lines = text.splitlines(keepends=True)
    found = []
    for node, changed in _changes(ast.parse(text)):
        first, last = node.lineno - 1, node.end_lineno - 1
        head = lines[first].encode()[: node.col_offset].decode()
        tail = lines[last].encode()[node.end_col_offset :].decode()
        new = (
            f"{head}({ast.unparse(changed)}){tail}"
            if isinstance(node, ast.expr)
            else head + ast.unparse(changed) + tail
        )
        mutated = "".join([*lines[:first], new, *lines[last + 1 :]])
        before = " ".join("".join(lines[first : last + 1]).split())
        found.append(Mutant(file, first + 1, before, " ".join(new.split()), mutated))
    return found


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Each node that can be changed, with what replaces it; nothing in texts, annotations and messages of errors."""
    if isinstance(node, (ast.JoinedStr, ast.Raise, ast.Import, ast.ImportFrom)):
        return
    for changed in _replacements(node):
        yield node, changed
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "slice") and not isinstance(node, ast.Subscript):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _changes(child)


def _replacements(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARED:
            yield ast.Compare(node.left, [COMPARED[type(op)]()], node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.BinOp(op=op) if type(op) in COMPUTED:
            yield ast.BinOp(node.left, COMPUTED[type(op)](), node.right)
            if isinstance(op, (ast.Add, ast.Sub)):
                yield node.left
        case ast.AugAssign(op=ast.Add() | ast.Sub()):
            yield ast.AugAssign(node.target, COMPUTED[type(node.op)](), node.value)
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
            yield ast.Constant(node.value - 1)
        case ast.Name(id=name) if name in RENAMED:
            yield ast.Name(RENAMED[name])
        case ast.Attribute(attr=name) if name in RENAMED:
            yield ast.Attribute(node.value, RENAMED[name])
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[only], keywords=[]) if name in DROPPED:
            yield only


def equivalents() -> set[tuple[str, str, str]]:
    """File, line before and line after of each mutant that is listed as equivalent."""
    rows = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    return {(row["file"], row["before"], row["after"]) for row in rows}


def files_of(places: Iterable[str]) -> list[str]:
    """The files of files and folders, in order."""
    found = [[ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")) for place in places]
    return [path.relative_to(ROOT).as_posix() for paths in found for path in paths]


def all_mutants(places: Iterable[str]) -> list[Mutant]:
    """The mutants of files and folders, without those known to be equivalent."""
    known = equivalents()
    made = [one for file in files_of(places) for one in mutants_of(file, (ROOT / file).read_text(encoding="utf-8"))]
    return [one for one in made if (one.file, one.before, one.after) not in known]


# ---------------------------------------------------------------------- running


def tests_of(file: str) -> list[list[str]]:
    """Arguments of the runs of pytest that judge a file, the quickest first."""
    parts = Path(file).with_suffix("").parts[1:]
    doctest = [file]
    if parts[0] == "replay":
        tests = [f"tests/{name}" for name in REPLAY_TESTS]
        named = [[*tests[:2], "-k", parts[-1]]] if "catalogue" in parts else []
        return [doctest, *named, tests]
    names = [
        f"tests/{parts[0]}/test_{name}.py" for name in parts[1:] if (ROOT / f"tests/{parts[0]}/test_{name}.py").exists()
    ]
    return [doctest, [*names, f"tests/{parts[0]}"], ["tests/proofs/test_reference.py"]]


def passes(folder: Path, arguments: list[str], seconds: int = -1) -> bool:
    """Whether these tests pass in a copy of the project, in a process of their own, in at most `seconds` (-1: any number)."""
    import resource  # not on Windows

    if any(name.startswith("tests/") for name in arguments):
        options = ["--fast"]  # tests/conftest.py knows it
    else:  # doctests alone: a name that a module imports, as TestResult, is no test
        options = ["-o", "python_classes=", "-o", "python_functions="]
    child = os.fork()
    if not child:
        code = USAGE
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            os.chdir(folder)
            said = os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(said, 1), os.dup2(said, 2)
            import pytest

            code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *options, *arguments]))
            sys.stdout.flush()
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == USAGE:
        sys.exit(f"pytest did not run {' '.join(arguments)}:\n" + (folder / SAID).read_text(encoding="utf-8")[-3000:])
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) in (0, NO_TESTS)


def survives(folder: Path, mutant: Mutant, seconds: int) -> bool:
    """Whether every test passes with the mutant in its place, in at most `seconds` of processor time a run."""
    place = folder / mutant.file
    original = place.read_bytes()
    place.write_text(mutant.text, encoding="utf-8")
    try:
        return all(passes(folder, arguments, seconds) for arguments in tests_of(mutant.file))
    finally:
        place.write_bytes(original)


def copy_of_project(folder: Path) -> Path:
    """A copy whose compiled files are told apart by content: two mutants may have one size and one time."""
    for name in ("riskkit", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if not (folder / path.name).exists() and not path.name.startswith(".") and path.name != "out":
            (folder / path.name).symlink_to(path)
    compileall.compile_dir(folder / "riskkit", quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", default=list(FILES), help="files and folders of the package")
    parser.add_argument("--sample", type=int, default=60, help="number of mutants; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    made = all_mutants(chosen.files)
    sample = random.Random(chosen.seed).sample(made, min(chosen.sample, len(made))) if chosen.sample else made
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.environ |= {"NUMBA_DISABLE_JIT": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    for name in LOADED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as name:
        os.environ["RISKKIT_CACHE"] = str(Path(name) / "cache")
        folder = copy_of_project(Path(name) / "copy")
        tests = {path for one in sample for run in tests_of(one.file)[1:] for path in run if path.startswith("tests/")}
        for run in (sorted({one.file for one in sample}), sorted(tests)):
            if not passes(folder, run):
                sys.exit("without a mutant a test fails:\n" + (folder / SAID).read_text(encoding="utf-8")[-3000:])
        taken = os.times()
        seconds = max(SECONDS, round(2 * (taken.children_user + taken.children_system)))
        alive = []
        for number, one in enumerate(sample, 1):
            alive += [one] if survives(folder, one, seconds) else []
            print(
                f"{number}/{len(sample)} {'SURVIVED' if one in alive else 'killed'} {one.file}:{one.line}", flush=True
            )
            print(f"    {one.before}\n    {one.after}", flush=True)
    print(f"{len(sample) - len(alive)} of {len(sample)} killed ({len(made):,} mutants in all, seed {chosen.seed})")
    return 1 if len(alive) > 0.05 * len(sample) else 0


if __name__ == "__main__":
    sys.exit(main())
