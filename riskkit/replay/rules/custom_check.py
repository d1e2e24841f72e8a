"""Static checks on a user-defined rule: its source is parsed, validated and frozen.

The functions run compiled and interpreted, with the same result. So they are integer arithmetic, branches and loops
over their arguments, and all other values are fixed at the declaration: the functions of riskkit in `FUNCTIONS`, which
change nothing and follow no index, other functions of the cell, and integer constants. Everything else is refused with
its line.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import inspect
import linecache
import textwrap
import tokenize
import types
from collections.abc import Iterator, Mapping
from enum import EnumType, IntEnum
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.kernels.book import equity, notional, order_price, profit
from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.kernels.records import at
from riskkit.replay.rules.catalogue.message import price_of, rest
from riskkit.replay.rules.custom_guard import MOST, guarded
from riskkit.replay.rules.verdict import CapVerdict, Verdict

BUILTINS = ("abs", "bool", "float", "int", "max", "min", "range")
FUNCTIONS = (at, equity, exceeds_fraction, fraction_of, notional, order_price, price_of, profit, rest)
STATEMENTS: tuple[type[ast.stmt], ...] = (ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If)
STATEMENTS += (ast.For, ast.Expr, ast.Pass, ast.Break, ast.Continue)
EXPRESSIONS: tuple[type[ast.expr], ...] = (ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Call)
EXPRESSIONS += (ast.Attribute, ast.Subscript, ast.Name, ast.Constant, ast.Tuple)
WORDS = {"Pow": "the power **; write x * x", "In": "the word in", "NotIn": "the words not in", "Is": "the word is"}
WORDS |= {"IsNot": "the words is not", "MatMult": "the operator @", "JoinedStr": "a text", "Try": "try"}
WORDS |= {"ListComp": "a list", "List": "a list", "Dict": "a dict", "DictComp": "a dict", "Set": "a set"}
WORDS |= {"Lambda": "a lambda", "FunctionDef": "a function inside a function", "Import": "an import"}
WORDS |= {"ImportFrom": "an import", "Raise": "raise; return a verdict instead", "With": "with"}
WORDS |= {"While": "while, which may never end"}
WORDS |= {"Yield": "yield", "Global": "the word global", "Nonlocal": "the word nonlocal", "Delete": "del"}
WORDS |= {
    "GeneratorExp": "a generator",
    "Starred": "a starred argument",
    "Assert": "assert",
    "Slice": "a slice",
}


class CellFunction:
    """A function of a cell: its syntax tree, its source and the names that it reads.

    ``frozen`` is the function with the values of its globals at the declaration.
    """

    def __init__(self, function: types.FunctionType, tree: ast.FunctionDef, text: str) -> None:
        self.function = function
        self.tree = tree
        self.text = text
        self.helpers: dict[str, CellFunction] = {}
        self.constants: dict[str, int] = {}
        self.frozen: Any = None
        self.role = ""  # of a helper

    def at(self, node: ast.AST) -> str:
        """Location of a node, as the start of a message: function, line number, the line."""
        return line_of(self.function, getattr(node, "lineno", self.function.__code__.co_firstlineno))

    def with_helpers(self) -> Iterator[CellFunction]:
        """The function and the functions of the cell that it calls, each once."""
        found: dict[int, CellFunction] = {}
        stack = [self]
        while stack:
            current = stack.pop()
            if id(current.function) not in found:
                found[id(current.function)] = current
                stack.extend(current.helpers.values())
        return iter(found.values())

    @property
    def loops(self) -> bool:
        """True if it, or a function of the cell that it calls, has a loop."""
        return any(isinstance(node, ast.For) for part in self.with_helpers() for node in ast.walk(part.tree))

    @property
    def mark(self) -> str:
        """Hash of the source and the constants, helpers included."""
        digest = hashlib.blake2b(digest_size=16)
        for function in self.with_helpers():
            digest.update(repr((function.text, sorted(function.constants.items()))).encode())
        return digest.hexdigest()


def line_of(function: Any, number: int) -> str:
    """A line of a function's source, as the start of a message."""
    text = linecache.getline(function.__code__.co_filename, number).strip()
    return f"{function.__name__}, line {number} ({text!r})"


def read(
    function: Any, *, known: dict[Any, CellFunction] | None = None, words: int = 0, role: str = ""
) -> CellFunction:
    """Parse and validate a function, and all functions of the cell that it calls; its workspace has `words` words.

    ``role``: the hook of a rule's type that it is; empty for a function that hooks call.

    Raises
    ------
    InputError
        If it is not a plain function, its source cannot be found, or it does something not allowed.
    """
    known = {} if known is None else known
    if not isinstance(function, types.FunctionType) or function.__name__ == "<lambda>":
        raise InputError(f"{shown(function)} is not a function written with def; a rule's functions are plain Python")
    if function in known:
        return known[function]
    found = known[function] = _parsed(function)
    found.role = role
    if function.__code__.co_freevars:
        name = function.__code__.co_freevars[0]
        raise InputError(
            f"{line_of(function, function.__code__.co_firstlineno)} reads {name!r} of the enclosing function; "
            "make it a parameter of the rule, or an integer constant of the cell"
        )
    _check_arguments(found)
    for node in ast.walk(found.tree):
        _check_node(found, node)
    check_set(found)
    _bind(found, known, words)
    return found


def _parsed(function: types.FunctionType) -> CellFunction:
    """Parse a function's source, from the file or the cell (IPython stores cells in `linecache`)."""
    code = function.__code__
    nameless = code.co_filename == "<string>"  # of exec; since Python 3.13 the lines of `python -c` have this name too
    lines = [] if nameless else linecache.getlines(code.co_filename, function.__globals__)
    index = code.co_firstlineno - 1
    if index >= len(lines):
        raise InputError(
            f"the source of the function {function.__name__!r} cannot be found; write it in a cell or a file"
        )
    text = ""
    tree: ast.stmt = ast.Pass()
    try:
        text = textwrap.dedent("".join(inspect.getblock(lines[index:])))
        tree = ast.parse(text).body[0]
    except (SyntaxError, tokenize.TokenError, IndexError):
        pass  # the file or cell has changed
    if not isinstance(tree, ast.FunctionDef) or tree.name != code.co_name:
        raise InputError(
            f"{line_of(function, code.co_firstlineno)} is not the start of {function.__name__!r}; run the cell again"
        )
    if tree.decorator_list:
        raise InputError(f"{line_of(function, code.co_firstlineno)} is a decorator; a rule's functions have none")
    ast.increment_lineno(tree, index)
    return CellFunction(function, tree, text)


def _check_arguments(found: CellFunction) -> None:
    arguments = found.tree.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults or arguments.posonlyargs:
        raise InputError(f"{found.at(found.tree)} has arguments with * or a default; name each argument plainly")


def _check_node(found: CellFunction, node: ast.AST) -> None:
    """Raise if a node is not allowed in a rule."""
    kind = type(node).__name__
    if isinstance(node, ast.stmt) and node is not found.tree and not isinstance(node, STATEMENTS):
        raise InputError(f"{found.at(node)} uses {WORDS.get(kind, kind.lower())}; a rule is arithmetic and branches")
    if isinstance(node, ast.expr) and not isinstance(node, EXPRESSIONS) and not _is_annotation(found, node):
        raise InputError(f"{found.at(node)} uses {WORDS.get(kind, kind.lower())}; a rule is arithmetic and branches")
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Pow | ast.MatMult):
        raise InputError(f"{found.at(node)} uses {WORDS[type(node.op).__name__]}")
    if isinstance(node, ast.Compare):
        for op in node.ops:
            if type(op).__name__ in WORDS:
                raise InputError(f"{found.at(node)} uses {WORDS[type(op).__name__]}; compare numbers with == or !=")
    if isinstance(node, ast.Constant) and not isinstance(node.value, int | float) and not _is_docstring(found, node):
        if not _is_annotation(found, node):
            raise InputError(f"{found.at(node)} uses the value {node.value!r}; a rule's values are numbers")
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and abs(node.value) > MOST:
        raise InputError(f"{found.at(node)} uses a number beyond 64 bits, {shown(node.value)}")
    if isinstance(node, ast.For) and not (
        isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) and node.iter.func.id == "range"
    ):
        raise InputError(f"{found.at(node)} loops over something that is not a range of numbers")


def _is_docstring(found: CellFunction, node: ast.AST) -> bool:
    first = found.tree.body[0]
    return isinstance(first, ast.Expr) and first.value is node


def _is_annotation(found: CellFunction, node: ast.AST) -> bool:
    arguments = found.tree.args.args
    hints = [argument.annotation for argument in arguments if argument.annotation] + (
        [found.tree.returns] if found.tree.returns else []
    )
    return any(node is inner for hint in hints for inner in ast.walk(hint))


# ---------------------------------------------------------------------- global names


def _bind(found: CellFunction, known: dict[Any, CellFunction], words: int) -> None:
    """Look up every global name, freeze its value, and put in the guards."""
    function = found.function
    code = function.__code__
    local = {*code.co_varnames, *code.co_cellvars}
    values: dict[str, Any] = {"__builtins__": builtins.__dict__}
    called = {id(node.func) for node in ast.walk(found.tree) if isinstance(node, ast.Call)}
    owners = {id(node.value) for node in ast.walk(found.tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(found.tree):
        if not isinstance(node, ast.Name) or node.id in local or _is_annotation(found, node):
            continue
        if node.id not in values:
            values[node.id] = _global(found, node, known, words)
        value = values[node.id]
        if callable(value) and id(node) not in (owners if isinstance(value, EnumType) else called):
            raise InputError(f"{found.at(node)} uses {node.id!r} as a value; a rule calls functions by their names")
    frozen = types.FunctionType(guarded(found, values, words), values, function.__name__)
    frozen.__module__ = function.__module__
    frozen.__doc__ = function.__doc__
    frozen.cell = True  # type: ignore[attr-defined]
    found.frozen = frozen


def _global(found: CellFunction, node: ast.Name, known: dict[Any, CellFunction], words: int) -> Any:
    """Value of a global name, if a rule may read it."""
    name, names = node.id, found.function.__globals__
    if name not in names:
        if name in BUILTINS:
            return getattr(builtins, name)
        if hasattr(builtins, name):
            raise InputError(
                f"{found.at(node)} calls {name!r}; the built-in functions of a rule are {', '.join(BUILTINS)}"
            )
        raise InputError(f"{found.at(node)} reads {name!r}, which is not defined")
    value = names[name]
    if isinstance(value, bool | int):
        found.constants[name] = int(value)
        return int(value) if not isinstance(value, bool) else value
    if isinstance(value, types.FunctionType):
        if value in FUNCTIONS:
            return value
        if (value.__module__ or "").startswith("riskkit."):
            allowed = ", ".join(function.__name__ for function in FUNCTIONS)
            raise InputError(
                f"{found.at(node)} calls {name!r}; the functions of riskkit that a rule may call are {allowed}"
            )
        found.helpers[name] = read(value, known=known, words=words)
        if found.helpers[name].frozen is None:
            raise InputError(
                f"{found.at(node)} calls {name!r}, which is not finished: a rule's functions call no caller"
            )
        return found.helpers[name].frozen
    internal = isinstance(value, type) and value.__module__.startswith("riskkit.replay.")
    if internal and (issubclass(value, IntEnum) or hasattr(value, "_fields")):
        return value
    kind = "module" if isinstance(value, types.ModuleType) else type(value).__name__
    raise InputError(
        f"{found.at(node)} reads the global {name!r}, a {kind}; a rule reads its arguments, integer constants and "
        "riskkit's functions: make it a parameter"
    )


def fields_read(found: CellFunction) -> Iterator[tuple[ast.Attribute, tuple[str, ...]]]:
    """Full attribute paths that a function reads or writes, as ("book", "position", "qty")."""
    inner = {id(node.value) for node in ast.walk(found.tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Attribute) and id(node) not in inner:
            path: list[str] = []
            at: ast.AST = node
            while isinstance(at, ast.Attribute):
                path.append(at.attr)
                at = at.value
            if isinstance(at, ast.Name):
                yield node, (at.id, *reversed(path))


def check_fields(found: CellFunction, records: Mapping[str, Mapping[str, Any] | tuple[str, ...]]) -> None:
    """Raise for a field that a record does not have; `records` maps arguments to fields or nested records."""
    for node, path in fields_read(found):
        if path[0] not in found.function.__code__.co_varnames[: found.function.__code__.co_argcount]:
            continue
        fields: Any = records.get(path[0])
        for depth, name in enumerate(path[1:], 1):
            if fields is None:
                break
            if name not in fields:
                import difflib

                close = difflib.get_close_matches(name, list(fields), 1)
                hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(fields) or 'none'}"
                raise InputError(f"{found.at(node)}: {'.'.join(path[:depth])} has no field {name!r}; {hint}")
            fields = fields[name] if isinstance(fields, Mapping) else ()


def check_writes(found: CellFunction, writable: tuple[str, ...], reserved: tuple[str, ...] = ()) -> None:
    """Raise if a function changes anything but local names and the arguments in `writable`, without `reserved` fields."""
    for node in ast.walk(found.tree):
        if not isinstance(node, ast.Attribute | ast.Subscript) or not isinstance(node.ctx, ast.Store):
            continue
        if isinstance(node, ast.Attribute) and node.attr in reserved:
            raise InputError(f"{found.at(node)} changes {node.attr!r}, which the engine keeps")
        if not isinstance(node.value, ast.Name) or node.value.id not in writable:
            allowed = f"may change {' and '.join(writable)}" if writable else "changes nothing"
            changed = ast.unparse(node.value)
            raise InputError(f"{found.at(node)} changes {changed!r}; {found.function.__name__} {allowed}")


def check_returns(found: CellFunction) -> None:
    """Raise if a check may end without a verdict, or returns something else."""
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Return) and not _is_verdict(found, node.value):
            raise InputError(f"{found.at(node)} returns no verdict; write Verdict(OBJECT or PASS, observed, limit)")
    check_ends(found, "verdict")


def _is_verdict(found: CellFunction, node: ast.AST | None) -> bool:
    """True if an expression is the call of a verdict, or of a function of the cell that returns one, or a name of such."""
    match node:
        case ast.Call(ast.Name(name)) if name in found.helpers:
            helper = found.helpers[name]
            returned = [part.value for part in ast.walk(helper.tree) if isinstance(part, ast.Return)]
            return all(_is_verdict(helper, value) for value in returned)
        case ast.Call(ast.Name(name)):
            return found.function.__globals__.get(name) in (Verdict, CapVerdict)
        case ast.IfExp(_, body, orelse):
            return _is_verdict(found, body) and _is_verdict(found, orelse)
        case ast.Name(name):
            given = [part for part in ast.walk(found.tree) if isinstance(part, ast.Assign | ast.AnnAssign)]
            values = [part.value for part in given if any(_is_name(target, name) for target in targets_of(part))]
            return bool(values) and all(_is_verdict(found, value) for value in values)
    return False


def targets_of(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    """What an assignment gives a value to."""
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def check_set(found: CellFunction) -> None:
    """Raise for a name that is read where a path leads to it on which it has no value."""
    arguments = {argument.arg for argument in found.tree.args.args}
    local = set(found.function.__code__.co_varnames)
    _set_after(found, found.tree.body, arguments, local)


def _set_after(found: CellFunction, body: list[ast.stmt], known: set[str], local: set[str]) -> set[str] | None:
    """The names that have a value after statements; None if no path leads there."""
    known = set(known)
    for statement in body:
        parts = (
            [statement.test]
            if isinstance(statement, ast.If)
            else [statement.iter]
            if isinstance(statement, ast.For)
            else [statement]
        )
        for node in (node for part in parts for node in ast.walk(part)):
            if isinstance(node, ast.Name) and node.id in local - known:
                if isinstance(node.ctx, ast.Load) or isinstance(statement, ast.AugAssign):
                    raise InputError(
                        f"{found.at(node)} reads {node.id!r}, which has no value on some way to it; set it first"
                    )
        match statement:
            case ast.If():
                ways = [_set_after(found, way, known, local) for way in (statement.body, statement.orelse)]
                open_ways = [way for way in ways if way is not None]
                if not open_ways:
                    return None
                known = set.intersection(*open_ways)
            case ast.For():
                target = {node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name)}
                _set_after(found, statement.body, known | target, local)
            case ast.Return() | ast.Break() | ast.Continue():
                return None
            case ast.Assign() | ast.AnnAssign():
                known |= {
                    node.id
                    for node in ast.walk(statement)
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                }
    return known


def check_ends(found: CellFunction, result: str) -> None:
    """Raise if a function may end without a result."""
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Return) and node.value is None:
            raise InputError(f"{found.at(node)} returns no {result}")
    if not _ends(found.tree.body):
        raise InputError(f"{found.at(found.tree)} may end without a {result}; let every branch return one")


def _ends(body: list[ast.stmt]) -> bool:
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _ends(last.body) and _ends(last.orelse)
    return isinstance(last, ast.Return)


def names_called(found: CellFunction) -> set[str]:
    """Names of the functions called."""
    calls = [node.func for node in ast.walk(found.tree) if isinstance(node, ast.Call)]
    return {function.id for function in calls if isinstance(function, ast.Name)}
