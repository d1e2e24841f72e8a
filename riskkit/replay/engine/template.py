"""The template `riskkit.replay.engine.loop` as syntax trees, with what is the same for every shape folded.

Its lines are numbered through all its files, so that a statement is told by its line alone; `source_of` names its file.
"""

from __future__ import annotations

import ast
import inspect
from bisect import bisect_left
from collections.abc import Collection, Iterable
from copy import deepcopy
from enum import IntEnum
from functools import cache
from operator import attrgetter, itemgetter
from types import ModuleType
from typing import Any, NamedTuple

from riskkit.replay.engine import loop
from riskkit.replay.engine.shape import MESSAGES, columns
from riskkit.replay.schema.columns import OPTIONAL, EventRow

Values = dict[str, Any]  # the value of a name of the template: a fact, or the expression passed for it
GLOBALS: dict[str, Any] = {}  # of the expressions of facts
_PARENTS = (ast.expr, ast.stmt, ast.arguments)  # what is in a field of a node and can hold a name


class Family(NamedTuple):
    """Variables written as attributes or items of one name."""

    prefix: str

    def variable(self, name: str) -> str:
        """The variable of an attribute or item."""
        return self.prefix + name


class _Template(NamedTuple):
    """Declarations of the template, with what is the same for every shape folded."""

    namespace: Values  # the names of all files, which mean the same in each
    functions: dict[str, ast.FunctionDef]
    variables: set[str]
    facts: Values  # for every shape: modules, enumerations, numbers, tables, families of variables
    names: Values  # functions and types of the modules
    nodes: frozenset[ast.AST]


@cache
def template() -> _Template:
    """The declarations of the template."""
    body = [node for file in sources() for node in ast.increment_lineno(ast.parse(file.text), file.before).body]
    for node in ast.walk(ast.Module(body, [])):
        # a compiled call of a NamedTuple makes no fields but those that it is given
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "EventRow":
            rest = map(EventRow._field_defaults.get, EventRow._fields[len(node.args) :])
            node.args += [ast.Constant(value, **position_of(node)) for value in rest]
    namespace = {name: value for file in loop.FILES for name, value in vars(file).items()}
    declared = [node for node in body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    declared = [node for node in declared if isinstance(node.value, ast.Name) and node.value.id == "variable"]
    variables = {name.id for node in declared for name in ast.walk(node) if isinstance(name, ast.Name)}
    kinds = (int, ModuleType, type(IntEnum))
    facts: Values = {name: value for name, value in namespace.items() if isinstance(value, kinds)}
    facts |= {"OPTIONAL": OPTIONAL, "MESSAGES": MESSAGES, "columns": columns}
    facts |= {"log": Family("log_"), "arrays": Family("all_"), "variables": Family("")}
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    constants = Constants(facts, functions)
    for function in functions.values():
        constants.visit(function)
    nodes = frozenset(node for function in functions.values() for node in ast.walk(function))
    return _Template(namespace, functions, variables, facts, constants.names, nodes)


class Source(NamedTuple):
    """A file of the template."""

    path: str
    text: str
    before: int
    """The lines of the files before it."""


@cache
def sources() -> list[Source]:
    """The files of the template."""
    found: list[Source] = []
    before = 0
    for file in loop.FILES:
        found.append(Source(str(file.__file__), inspect.getsource(file), before))
        before += len(found[-1].text.splitlines())
    return found


def source_of(line: int) -> Source:
    """The file of a line of the template."""
    return sources()[bisect_left(sources(), line, key=attrgetter("before")) - 1]


class Constants(ast.NodeTransformer):
    """Folds what is the same for every shape; arguments that are such facts stay, as they keep their type."""

    def __init__(self, facts: Values, functions: Collection[str]) -> None:
        self.facts = facts
        self.functions = functions
        self.names: Values = {}  # functions and types of modules that are used

    def visit(self, node: Any) -> Any:
        """One node: a number, a name of a module, or the node with its children folded."""
        match node:
            case ast.Call(_, arguments):
                node.func = self.visit(node.func)
                node.args = [argument if self.is_constant(argument) else self.visit(argument) for argument in arguments]
                for keyword in node.keywords:
                    keyword.value = keyword.value if self.is_constant(keyword.value) else self.visit(keyword.value)
            case ast.expr() if self.is_constant(node):
                return ast.Constant(int(eval(code_of(node), GLOBALS, self.facts)), **position_of(node))
            case ast.Attribute(ast.Name(owner), name) if self.is_of_module(owner, name):
                self.names[name] = getattr(self.facts[owner], name)
                return parsed(name, node)
            case _:
                self.generic_visit(node)
        return node

    def is_of_module(self, owner: str, name: str) -> bool:
        """True of a function or type of a module, unless a function of the template has its name."""
        return isinstance(self.facts.get(owner), ModuleType) and name not in self.functions

    def is_constant(self, node: ast.expr) -> bool:
        """True if an expression consists of facts only, and is a number."""
        parts = walked(node)
        names = {part.id for part in parts if isinstance(part, ast.Name)}
        if not names or any(not isinstance(self.facts.get(name), (int, ModuleType, type(IntEnum))) for name in names):
            return False
        is_called = any(isinstance(part, ast.Call) for part in parts)
        return not is_called and isinstance(eval(code_of(node), GLOBALS, self.facts), int)


def names_below(node: ast.AST) -> list[tuple[int, str, bool]]:
    """Depth, name and whether it is written, of each name in a node, in the order of ``ast.walk``."""
    found: list[tuple[int, str, bool]] = []
    _note_names(node, 0, found)
    return sorted(found, key=itemgetter(0))


def _note_names(node: Any, depth: int, found: list[tuple[int, str, bool]]) -> None:
    """Note the names in a node; those in a node of the template are known."""
    if type(node) is ast.Name:
        found.append((depth, node.id, type(node.ctx) is ast.Store))
    elif node in template().nodes:
        found += [(depth + below, name, is_written) for below, name, is_written in _names_of_template(node)]
    elif type(node) is not ast.Nonlocal:  # holds names, not nodes
        _note_names_of_parts(node, depth + 1, found)


@cache
def _names_of_template(node: ast.AST) -> list[tuple[int, str, bool]]:
    found: list[tuple[int, str, bool]] = []
    _note_names_of_parts(node, 1, found)
    first: dict[tuple[str, bool], tuple[int, str, bool]] = {}
    for name in sorted(found, key=itemgetter(0)):
        first.setdefault(name[1:], name)
    return list(first.values())


def _note_names_of_parts(node: Any, depth: int, found: list[tuple[int, str, bool]]) -> None:
    for value in vars(node).values():
        if type(value) is list:
            for part in value:
                _note_names(part, depth, found)
        elif isinstance(value, _PARENTS):
            _note_names(value, depth, found)


def walked(node: ast.AST) -> list[ast.AST]:
    """The nodes of ``ast.walk`` in its order, in a tenth of its time."""
    parts = [node]
    for part in parts:
        if isinstance(part, (ast.Name, ast.Constant)):
            continue
        for value in vars(part).values():
            if isinstance(value, list):
                parts += value
            elif isinstance(value, _PARENTS):
                parts.append(value)
    return parts


@cache
def names_in(node: ast.AST) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """The names in a node, and the attributes of names."""
    parts = walked(node)
    owned = [part for part in parts if isinstance(part, ast.Attribute)]
    attributes = [(part.value.id, part.attr) for part in owned if isinstance(part.value, ast.Name)]
    return frozenset(part.id for part in parts if isinstance(part, ast.Name)), frozenset(attributes)


@cache
def has_return(node: ast.AST) -> bool:
    """True if a node holds a ``return``."""
    return any(isinstance(part, ast.Return) for part in walked(node))


@cache
def code_of(node: ast.expr) -> Any:
    """An expression, compiled once; with its line, as that of a folded test has no other code that can be counted."""
    source = source_of(node.lineno)
    return compile(ast.Expression(ast.increment_lineno(deepcopy(node), -source.before)), source.path, "eval")


def returned_by(function: ast.FunctionDef) -> ast.expr | None:
    """The expression that a function returns; None if it has other statements."""
    first, *rest = [
        node for node in function.body if not isinstance(node, ast.Expr) or isinstance(node.value, ast.Call)
    ]
    return first.value if isinstance(first, ast.Return) and not rest else None


def parsed(text: str | None, node: ast.AST) -> ast.expr:
    """A variable or a key as an expression, at the position of `node`."""
    if text is not None and text.isidentifier():
        return ast.Name(text, getattr(node, "ctx", ast.Load()), **position_of(node))
    made = ast.parse(str(text), mode="eval").body
    for part in ast.walk(made):
        ast.copy_location(part, node)
    return made


def statements(lines: Iterable[str], node: ast.AST) -> list[ast.stmt]:
    """Statements at the position of a node of the template."""
    made = ast.parse("\n".join(lines)).body
    for statement in made:
        for part in ast.walk(statement):
            ast.copy_location(part, node)
    return made


def arguments_of(names: list[str], node: ast.AST) -> ast.arguments:
    """Arguments by position, where `node` stands."""
    place = position_of(node)
    return ast.arguments([], [ast.arg(name, **place) for name in names], None, [], [], None, [])


def position_of(node: Any) -> dict[str, Any]:
    """The position of a node."""
    return {
        "lineno": node.lineno,
        "col_offset": node.col_offset,
        "end_lineno": node.end_lineno,
        "end_col_offset": node.end_col_offset,
    }


def error_at(node: Any, message: str) -> SyntaxError:
    """An error at a line of the template."""
    source = source_of(node.lineno)
    number = node.lineno - source.before
    line = source.text.splitlines()[number - 1]
    return SyntaxError(message, (source.path, number, node.col_offset + 1, line))
