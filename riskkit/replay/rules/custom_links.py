"""Records that a user-defined rule reaches by `at`: only through the links that the engine keeps.

A compiled table has no length, so an index that leads beyond it would read, or crash, silently. The links of the book
(``book.position.first_buy``, then the ``next_order`` of each order) lead to a record or are -1, which is an empty one.
"""

from __future__ import annotations

import ast
from typing import Any

from riskkit._check import InputError

LINKS = {
    "orders": ("first_buy", "first_sell", "next_order", "prev_order", "parent"),
    "positions": ("first_position", "next_position", "next_of_account", "pair"),
}
OF_EVENT = {"orders": "order", "positions": "pair"}


def check_at(found: Any, call: ast.Call) -> None:
    """Refuse a call of `at` in a function of a cell (`CellFunction`) whose index is not a link of its table.

    Raises
    ------
    InputError
        The index comes from elsewhere; the message names line and links.
    """
    if len(call.args) != 2 or call.keywords:
        raise InputError(f"{found.at(call)} calls at; write at(orders, link) or at(positions, link)")
    table, index = call.args
    name, links = table.id if isinstance(table, ast.Name) else "", _Links(found)
    if name not in LINKS or name in links.values or not links.is_link(index, name):
        known = "; ".join(f"at({table}, ...) takes {', '.join(fields)}" for table, fields in LINKS.items())
        raise InputError(
            f"{found.at(call)} reaches a record by {ast.unparse(index)!r}, which is no link of the book: {known}"
        )


class _Links:
    """What the local names of a function may hold."""

    def __init__(self, found: Any) -> None:
        self.values: dict[str, list[ast.expr | None]] = {}
        self.seen: set[str] = set()
        for node in ast.walk(found.tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                self.values.setdefault(node.id, [])
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                for name in names if len(names) == len(targets) else ():
                    self.values.setdefault(name, []).append(node.value)
        stores = [
            node.id for node in ast.walk(found.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        ]
        for name, values in self.values.items():
            if stores.count(name) != len(values):  # a loop, a tuple or an operation in place gives it other values
                values.append(None)

    def is_link(self, node: ast.expr | None, table: str) -> bool:
        """True for a link to the records of a table, -1, and a name that holds nothing else."""
        match node:
            case ast.UnaryOp(ast.USub(), ast.Constant(1)):
                return True
            case ast.IfExp(_, one, other):
                return self.is_link(one, table) and self.is_link(other, table)
            case ast.Attribute(ast.Name("event"), field):
                return field == OF_EVENT[table] and "event" not in self.values
            case ast.Attribute(record, field):
                return field in LINKS[table] and self.is_record(record)
            case ast.Name(name):
                return self.holds(name, lambda value: self.is_link(value, table))
        return False

    def is_record(self, node: ast.expr | None) -> bool:
        """True for a record of the book, or one that was reached by a link."""
        match node:
            case ast.Attribute(ast.Name("book"), _):
                return "book" not in self.values
            case ast.Call(ast.Name("at"), _):
                return True  # checked by itself
            case ast.Name(name):
                return self.holds(name, self.is_record)
        return False

    def holds(self, name: str, fits: Any) -> bool:
        """Whether a local name holds only what fits; a chain of names is followed once around."""
        if name in self.seen:
            return True
        self.seen.add(name)
        try:
            return name in self.values and all(map(fits, self.values[name]))
        finally:
            self.seen.discard(name)
