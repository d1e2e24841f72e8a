"""What a rule's function from a notebook cell may say: its text is read, checked line by line, and frozen.

Such a function runs in two ways, compiled and as it stands, and both must decide the same. So it is whole numbers,
branches and loops over its arguments, and what it reads besides is fixed when the rule is declared: riskkit's
helpers, other functions of the cell, and integer constants. Everything else is refused with the line that it is in.
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
from enum import IntEnum
from typing import Any

from riskkit._check import InputError

BUILTINS = ("abs", "bool", "float", "int", "max", "min", "range")
HELPERS = tuple(f"riskkit.replay.{room}" for room in ("kernels.", "rules."))
STATEMENTS: tuple[type[ast.stmt], ...] = (ast.Return, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.While)
STATEMENTS += (ast.For, ast.Expr, ast.Pass, ast.Break, ast.Continue)
EXPRESSIONS: tuple[type[ast.expr], ...] = (ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.IfExp, ast.Call)
EXPRESSIONS += (ast.Attribute, ast.Subscript, ast.Name, ast.Constant, ast.Tuple)
WORDS = {"Pow": "the power **; write x * x", "In": "the word in", "NotIn": "the words not in", "Is": "the word is"}
WORDS |= {"IsNot": "the words is not", "MatMult": "the operator @", "JoinedStr": "a text", "Try": "try"}
WORDS |= {"ListComp": "a list", "List": "a list", "Dict": "a dict", "DictComp": "a dict", "Set": "a set"}
WORDS |= {"Lambda": "a lambda", "FunctionDef": "a function inside a function", "Import": "an import"}
WORDS |= {"ImportFrom": "an import", "Raise": "raise; a verdict is counted, not raised", "With": "with"}
WORDS |= {"Yield": "yield", "Global": "the word global", "Nonlocal": "the word nonlocal", "Delete": "del"}
WORDS |= {"GeneratorExp": "a generator", "Starred": "a starred argument", "Assert": "assert", "Slice": "a slice"}


class CellFunction:
    """One function of a cell: its tree, its lines, and what it reads.

    ``frozen`` is the function with the values that it reads now, whatever the cell's names mean later.
    """

    def __init__(self, function: types.FunctionType, tree: ast.FunctionDef, text: str) -> None:
        self.function = function
        self.tree = tree
        self.text = text
        self.helpers: dict[str, CellFunction] = {}
        self.constants: dict[str, int] = {}
        self.frozen: Any = function

    def at(self, node: ast.AST) -> str:
        """Where a node stands, as a sentence begins: function, line number, the line."""
        return line_of(self.function, getattr(node, "lineno", self.function.__code__.co_firstlineno))

    def whole(self) -> Iterator[CellFunction]:
        """Itself and the functions of the cell that it calls, each once."""
        found: dict[int, CellFunction] = {}
        stack = [self]
        while stack:
            one = stack.pop()
            if id(one.function) not in found:
                found[id(one.function)] = one
                stack.extend(one.helpers.values())
        return iter(found.values())

    @property
    def mark(self) -> str:
        """A hash of the text and the constants: what the rule does, whatever it is called with."""
        digest = hashlib.blake2b(digest_size=16)
        for one in self.whole():
            digest.update(repr((one.text, sorted(one.constants.items()))).encode())
        return digest.hexdigest()


def line_of(function: Any, number: int) -> str:
    """A line of a function's text, as a sentence begins."""
    text = linecache.getline(function.__code__.co_filename, number).strip()
    return f"{function.__name__}, line {number} ({text!r})"


def read(function: Any, *, known: dict[Any, CellFunction] | None = None) -> CellFunction:
    """Read and check a function, and all functions of the cell that it calls.

    Raises
    ------
    InputError
        Where it is no plain function, its text cannot be found, or it does what a rule may not.
    """
    known = {} if known is None else known
    if not isinstance(function, types.FunctionType) or function.__name__ == "<lambda>":
        raise InputError(f"{function!r} is not a function written with def; a rule's functions are plain Python")
    if function in known:
        return known[function]
    found = known[function] = _parsed(function)
    if function.__code__.co_freevars:
        name = function.__code__.co_freevars[0]
        raise InputError(
            f"{line_of(function, function.__code__.co_firstlineno)} reads {name!r} of the function around it; "
            "make it a parameter of the rule, or an integer constant of the cell"
        )
    _check_arguments(found)
    for node in ast.walk(found.tree):
        _check_node(found, node)
    _bind(found, known)
    return found


def _parsed(function: types.FunctionType) -> CellFunction:
    """The text of a function, from the file or the cell (IPython keeps cells in `linecache`)."""
    code = function.__code__
    lines = linecache.getlines(code.co_filename, function.__globals__)
    place = code.co_firstlineno - 1
    if place >= len(lines):
        raise InputError(
            f"the text of the function {function.__name__!r} is not to be found; write it in a cell or a file"
        )
    text = ""
    tree: ast.stmt = ast.Pass()
    try:
        text = textwrap.dedent("".join(inspect.getblock(lines[place:])))
        tree = ast.parse(text).body[0]
    except (SyntaxError, tokenize.TokenError, IndexError):
        pass  # what stands there now is something else
    if not isinstance(tree, ast.FunctionDef) or tree.name != code.co_name:
        raise InputError(
            f"{line_of(function, code.co_firstlineno)} is not where {function.__name__!r} begins; run the cell again"
        )
    if tree.decorator_list:
        raise InputError(f"{line_of(function, code.co_firstlineno)} is a decorator; a rule's functions have none")
    ast.increment_lineno(tree, place)
    return CellFunction(function, tree, text)


def _check_arguments(found: CellFunction) -> None:
    arguments = found.tree.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.defaults or arguments.posonlyargs:
        raise InputError(f"{found.at(found.tree)} has arguments with * or a default; name each argument plainly")


def _check_node(found: CellFunction, node: ast.AST) -> None:
    """Refuse what a rule may not say, wherever it stands."""
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
    if isinstance(node, ast.For) and not (
        isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) and node.iter.func.id == "range"
    ):
        raise InputError(f"{found.at(node)} loops over something that is not a range of numbers")


def _is_docstring(found: CellFunction, node: ast.AST) -> bool:
    first = found.tree.body[0]
    return isinstance(first, ast.Expr) and first.value is node


def _is_annotation(found: CellFunction, node: ast.AST) -> bool:
    arguments = found.tree.args.args
    hints = [one.annotation for one in arguments if one.annotation] + (
        [found.tree.returns] if found.tree.returns else []
    )
    return any(node is inner for hint in hints for inner in ast.walk(hint))


# ---------------------------------------------------------------------- what it reads besides its arguments


def _bind(found: CellFunction, known: dict[Any, CellFunction]) -> None:
    """Look up every global name, and fix its value."""
    function = found.function
    code = function.__code__
    local = {*code.co_varnames, *code.co_cellvars}
    values: dict[str, Any] = {"__builtins__": builtins.__dict__}
    for node in ast.walk(found.tree):
        if not isinstance(node, ast.Name) or node.id in local or node.id in values or _is_annotation(found, node):
            continue
        values[node.id] = _global(found, node, known)
    frozen = types.FunctionType(code, values, function.__name__)
    frozen.__module__ = function.__module__
    frozen.__doc__ = function.__doc__
    frozen.cell = True  # type: ignore[attr-defined]
    found.frozen = frozen


def _global(found: CellFunction, node: ast.Name, known: dict[Any, CellFunction]) -> Any:
    """The value of a global name, if a rule may read it."""
    name, names = node.id, found.function.__globals__
    if name not in names:
        if name in BUILTINS:
            return getattr(builtins, name)
        if hasattr(builtins, name):
            raise InputError(
                f"{found.at(node)} calls {name!r}; of Python's own functions a rule may call {', '.join(BUILTINS)}"
            )
        raise InputError(f"{found.at(node)} reads {name!r}, which is not defined")
    value = names[name]
    if isinstance(value, bool | int):
        found.constants[name] = int(value)
        return int(value) if not isinstance(value, bool) else value
    if isinstance(value, types.FunctionType):
        if (value.__module__ or "").startswith(HELPERS):
            return value
        found.helpers[name] = read(value, known=known)
        return found.helpers[name].frozen
    ours = isinstance(value, type) and value.__module__.startswith("riskkit.replay.")
    if ours and (issubclass(value, IntEnum) or hasattr(value, "_fields")):
        return value
    what = "module" if isinstance(value, types.ModuleType) else type(value).__name__
    raise InputError(
        f"{found.at(node)} reads the global {name!r}, a {what}; a rule reads its arguments, whole-number constants and "
        "riskkit's own functions: make it a parameter"
    )


def fields_read(found: CellFunction) -> Iterator[tuple[ast.Attribute, tuple[str, ...]]]:
    """Every path of attributes that a function reads or writes, as ("book", "position", "qty"), the longest only."""
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
    """Refuse a field that a record does not have; `records` maps an argument to its fields (or to records again)."""
    for node, path in fields_read(found):
        if path[0] not in found.function.__code__.co_varnames[: found.function.__code__.co_argcount]:
            continue
        have: Any = records.get(path[0])
        for place, name in enumerate(path[1:], 1):
            if have is None:
                break
            if name not in have:
                import difflib

                close = difflib.get_close_matches(name, list(have), 1)
                hint = f"did you mean {close[0]!r}?" if close else f"it has {', '.join(have) or 'none'}"
                raise InputError(f"{found.at(node)}: {'.'.join(path[:place])} has no field {name!r}; {hint}")
            have = have[name] if isinstance(have, Mapping) else ()


def check_writes(found: CellFunction, writable: tuple[str, ...]) -> None:
    """Refuse a change of anything but local names and what stands in `writable`."""
    for node in ast.walk(found.tree):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) else []:
            at: Any = target
            while isinstance(at, ast.Attribute | ast.Subscript):
                at = at.value
            if at is not target and isinstance(at, ast.Name) and at.id not in writable:
                may = f"may change {' and '.join(writable)}" if writable else "changes nothing"
                raise InputError(f"{found.at(node)} changes {at.id!r}; {found.function.__name__} {may}")


def check_returns(found: CellFunction) -> None:
    """Refuse a check that may end without a verdict, or whose answer is plainly none."""
    for node in ast.walk(found.tree):
        plain = ast.Constant | ast.Compare | ast.BoolOp | ast.BinOp | ast.Tuple | None
        if isinstance(node, ast.Return) and isinstance(node.value, plain):
            raise InputError(f"{found.at(node)} returns no verdict; write Verdict(OBJECT or PASS, observed, limit)")
    check_ends(found, "verdict")


def check_ends(found: CellFunction, what: str) -> None:
    """Refuse a function that may end without an answer."""
    for node in ast.walk(found.tree):
        if isinstance(node, ast.Return) and node.value is None:
            raise InputError(f"{found.at(node)} returns no {what}")
    if not _ends(found.tree.body):
        raise InputError(f"{found.at(found.tree)} may end without a {what}; let every branch return one")


def _ends(body: list[ast.stmt]) -> bool:
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _ends(last.body) and _ends(last.orelse)
    return isinstance(last, ast.Return)


def names_called(found: CellFunction) -> set[str]:
    """The names of the functions that it calls."""
    calls = [node.func for node in ast.walk(found.tree) if isinstance(node, ast.Call)]
    return {function.id for function in calls if isinstance(function, ast.Name)}
