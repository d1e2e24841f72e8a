"""Every public method and property of a public class is used by a test, a doctest or a notebook.

Used means named after a dot. A method that the package calls and a user writes (`BaseRule.on_order`) may be defined there
instead, in a class. What only the package calls does not count: `make coverage` says whether it is reached, not whether
anybody says what it should return.
"""

from __future__ import annotations

import ast
import doctest
import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from public_names import public_names

ROOT = Path(__file__).parents[2]
PUBLIC = [getattr(import_module(public.module), public.name) for public in public_names()]
CLASSES = sorted({public for public in PUBLIC if inspect.isclass(public)}, key=str)


def code_that_runs() -> Iterator[str]:
    """All tests, doctests and cells of notebooks."""
    for path in (ROOT / "tests").rglob("*.py"):
        yield path.read_text(encoding="utf-8")
    for path in (ROOT / "riskkit").rglob("*.py"):
        examples = doctest.DocTestParser().get_examples(path.read_text(encoding="utf-8"))
        yield from (example.source for example in examples)
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield from ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def names_used(text: str) -> set[str]:
    """Names after a dot, and methods of the classes that are defined."""
    nodes = list(ast.walk(ast.parse(text)))
    methods = [part for node in nodes if isinstance(node, ast.ClassDef) for part in node.body]
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)} | {
        method.name for method in methods if isinstance(method, ast.FunctionDef)
    }


def methods_of(kind: type) -> set[str]:
    """Public methods and properties of a class that riskkit defines."""
    owners = [owner for owner in kind.__mro__ if owner.__module__.startswith("riskkit.")]
    fields = {name for owner in owners for name in getattr(owner, "__annotations__", {})}
    return {
        name
        for owner in owners
        for name, member in vars(owner).items()
        if hasattr(member, "__get__")
        and not inspect.isclass(member)
        and not name.startswith("_")
        and name not in fields
    }


@pytest.fixture(scope="module")
def used():
    return set().union(*map(names_used, code_that_runs()))


@pytest.mark.lengthy
@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_public_method_is_used_in_a_test_a_doctest_or_a_notebook(kind, used):
    assert methods_of(kind) - used == set()


def test_a_new_method_would_be_found(used):
    class Report:
        __module__ = "riskkit.report"

    vars_of_report = {"unheard_of": property(lambda report: 0), "_private": lambda report: 0}
    for name, member in vars_of_report.items():
        setattr(Report, name, member)
    assert methods_of(Report) - used == {"unheard_of"}


def test_what_counts_as_used():
    assert names_used("class A:\n    def hook(self):\n        return b.called + named") == {"hook", "called"}
