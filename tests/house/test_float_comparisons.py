"""Two computations in floats are compared with a tolerance: the last digit is another on some processors.

Found by the text: `==`, `assert_array_equal` and `assert_equal` between two calls of one model function with different
arguments (many at once against each alone, one order against another), for which numpy may choose other operations.
"""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOMS = (
    *("attribution", "covariance", "liquidity", "montecarlo", "performance"),
    *("pnl", "returns", "stress", "var", "var.parametric", "var_backtest"),
)
FILES = [path for room in ROOMS for path in (*TESTS.glob(f"{room}/*.py"), *TESTS.glob(f"test_{room}.py"))]
EQUAL = {"assert_array_equal", "assert_equal"}
EXACT = {"index", "columns", "names", "shape", "dtype", "len", "repr", "str", "type"}  # no floats come out of these
SELECTED = {"var_rank", "hit_transitions", "var_hits"}  # these give integers and booleans


def functions():
    """The public functions of the models."""
    rooms = [importlib.import_module(f"riskkit.{room}") for room in ROOMS]
    return {name for room in rooms for name in dir(room) if inspect.isfunction(getattr(room, name))} - SELECTED


def name_of(call):
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def calls(node, names):
    """Texts of the arguments by function, of the calls of these names in an expression; none in an exact one."""
    inside = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
    words = {name_of(call) for call in inside} | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
    if words & EXACT or "approx" in words:
        return {}
    return {name_of(call): ast.unparse(ast.Tuple(call.args, ast.Load())) for call in inside if name_of(call) in names}


def compared_exactly(text, names):
    """Lines on which two calls of one function with other arguments must be equal to the last digit."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq) for op in node.ops):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Call) and name_of(node) in EQUAL and len(node.args) >= 2:
            sides = node.args[:2]
        else:
            continue
        one, two = calls(sides[0], names), calls(sides[1], names)
        if any("approx" in ast.unparse(side) for side in sides):
            continue
        if any(one[name] != two[name] for name in one.keys() & two.keys()):
            yield node.lineno


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("assert f([1, 2]).tolist() == [f(x) for x in (1, 2)]", True),
        ("np.testing.assert_array_equal(f(a), f(b))", True),
        ("assert f(a).var == g.f(b).var", True),
        ("assert f(a) == f(a)", False),
        ("assert f(a) == pytest.approx(f(b))", False),
        ("assert list(f(a).index) == list(f(b).index)", False),
        ("np.testing.assert_allclose(f(a), f(b))", False),
        ("assert other(a) == other(b)", False),
    ],
)
def test_the_walk_finds_what_it_should(text, found):
    assert bool(list(compared_exactly(text, {"f"}))) == found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_two_computations_in_floats_are_compared_exactly(path):
    assert list(compared_exactly(path.read_text(encoding="utf-8"), functions())) == []
