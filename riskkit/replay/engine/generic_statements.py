"""Statements of the generic loop, and what becomes of the names in them."""

from __future__ import annotations

import ast
import operator
from typing import Any

from riskkit.replay.engine.generic_words import POINTED, SHAPE
from riskkit.replay.engine.template import parsed, position_of


def pointed(node: Any) -> Any:
    """A statement that reads arrays at their addresses, and masks and the number of events, out of the words of the shape."""
    if isinstance(node, ast.Name) and (node.id in POINTED or node.id in SHAPE):
        word = f"shape_words[{SHAPE.index(f'at_{node.id}' if node.id in POINTED else node.id)}]"
        return parsed(f"pointer_{node.id}({word})" if node.id in POINTED else word, node)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "len":
        return parsed(f"shape_words[{SHAPE.index('length')}]", node)
    fields = {name: getattr(node, name) for name in node._fields}
    made = {
        name: [pointed(part) if isinstance(part, ast.AST) else part for part in value] if isinstance(value, list)
        else pointed(value) if isinstance(value, ast.AST) and not isinstance(value, ast.expr_context)
        else value
        for name, value in fields.items()
    }  # fmt: skip
    if all(_same(made[name], value) for name, value in fields.items()):
        return node
    return type(node)(**made, **(position_of(node) if hasattr(node, "lineno") else {}))


def _same(made: Any, value: Any) -> bool:
    return made is value or (isinstance(value, list) and all(map(operator.is_, made, value)))


def reads(statement: ast.stmt, name: str) -> bool:
    """True if a statement has a name."""
    return any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(statement))


def branching_arguments(call: ast.Call) -> list[ast.stmt]:
    """Assignments of the arguments that branch, which numba does not take within a call of more than 30 arguments."""
    before: list[ast.stmt] = []
    for k, given in enumerate(call.args):
        if any(isinstance(part, (ast.IfExp, ast.BoolOp)) for part in ast.walk(given)):
            before.append(ast.Assign([stored(f"given_{k}", given)], given, **position_of(call)))
            call.args[k] = parsed(f"given_{k}", given)
    return before


def stored(text: str, node: ast.AST) -> ast.expr:
    """A variable or word that is written."""
    made = parsed(text, node)
    made.ctx = ast.Store()  # type: ignore[attr-defined]
    return made
