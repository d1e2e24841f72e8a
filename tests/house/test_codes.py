"""Codes that have an enumeration are compared and assigned by its members, never as bare integers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import riskkit

ROOT = Path(riskkit.__file__).parent
CODES = {
    "cause",
    "code",
    "kind",
    "status",
    "rejects",
    "pause_end",
    "fill_cap",
    "policy",
    "on_missing_price",
    "cmd",
    "flow",
}
EQUALITY = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


def name_of(node: ast.expr) -> str:
    """The last part of a name, an attribute or a subscript by a text."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    if isinstance(node, ast.Call) and len(node.args) == 1:  # int(row["cause"])
        return name_of(node.args[0])
    return getattr(node, "attr", getattr(node, "id", ""))


def is_bare(node: ast.expr) -> bool:
    """True for an integer, also negative, and for a tuple, list or set with one."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return any(map(is_bare, node.elts))
    if isinstance(node, ast.UnaryOp):
        return is_bare(node.operand)
    return isinstance(node, ast.Constant) and type(node.value) is int


def is_code(node: ast.expr) -> bool:
    """True for a name of a code, also as the last word of a longer name."""
    name = name_of(node)
    return name in CODES or name.rsplit("_", 1)[-1] in ("cause", "code", "status", "policy")


def bare_codes(tree: ast.AST) -> Iterator[str]:
    """Comparisons and assignments of a code with a bare integer."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
                pair = (is_code(left) and is_bare(right)) or (is_code(right) and is_bare(left))
                if isinstance(operator, EQUALITY) and pair:
                    yield ast.unparse(node)
        elif isinstance(node, ast.Assign) and is_bare(node.value) and any(map(is_code, node.targets)):
            yield ast.unparse(node)
        elif isinstance(node, ast.keyword) and node.arg in CODES and is_bare(node.value):
            yield ast.unparse(node)


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_code_is_a_bare_integer(path):
    assert list(bare_codes(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "text", ["cause == -1", "row['code'] in (1, 2)", "order.status = 2", "0 != int(row['kind'])", "a_policy == 1"]
)
def test_the_walk_finds_each_form(text):
    assert list(bare_codes(ast.parse(text))) == [text]


def test_the_walk_finds_an_argument():
    assert list(bare_codes(ast.parse("make(kind=3)"))) == ["kind=3"]


@pytest.mark.parametrize("text", ["cause >= 0", "code == DecisionCode.PASS", "order.status = WORKING", "n == 1"])
def test_the_walk_leaves_the_rest(text):
    assert list(bare_codes(ast.parse(text))) == []
