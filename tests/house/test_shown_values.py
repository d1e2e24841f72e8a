"""A value of any type is shown in a message by `shown`: an integer of 5,000 digits, or a list in a list in a list, has no `repr`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import riskkit

ROOT = Path(riskkit.__file__).parent
UNTYPED = {"Any", "object", "Hashable", "Any | None"}
R = ord("r")


def raw_values(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each ``{value!r}`` of an argument that may be of any type, or of an entry of one."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        given = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
        untyped = {one.arg for one in given if one.annotation and ast.unparse(one.annotation) in UNTYPED}
        for node in ast.walk(function):
            if isinstance(node, ast.FormattedValue) and node.conversion == R:
                root = node.value
                while isinstance(root, ast.Subscript):
                    root = root.value
                if isinstance(root, ast.Name) and root.id in untyped:
                    yield node.lineno, ast.unparse(node.value)


def test_the_test_finds_them():
    source = "def f(value: Any, name: str):\n    return f'{name!r} {value!r} {value[0]!r} {value}'\n"
    assert list(raw_values(source)) == [(2, "value"), (2, "value[0]")]


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_values_of_any_type_are_shown_by_shown(path):
    assert list(raw_values(path.read_text(encoding="utf-8"))) == []
