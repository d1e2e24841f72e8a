"""The loop of a shape as plain Python that can be stepped through in the files of the template.

In the text that is compiled all functions of an event are one function, but in Python a function has the lines of one file.
So here each of them is a function again. Those that would be one are nested in a function that only holds what they share.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Callable
from types import CodeType
from typing import Any

from riskkit._jit import jit_is_off
from riskkit.replay.engine.shape import Shape
from riskkit.replay.engine.specialise import Loop, Scope, Specialiser
from riskkit.replay.engine.template import (
    Values,
    arguments_of,
    names_below,
    parsed,
    position_of,
    source_of,
    statements,
    template,
)

APART = "__"  # between a function's name and a number: what it calls, a function of a kernel, may have its name


def is_followed() -> bool:
    """True where somebody follows the lines that run: a debugger, coverage, or numba is switched off."""
    monitoring: Any = getattr(sys, "monitoring", None)  # from Python 3.12 on
    tools = monitoring is not None and any(map(monitoring.get_tool, range(6)))
    return jit_is_off() or sys.gettrace() is not None or tools


def plain_loop(shape: Shape) -> Loop:
    """The loop of a shape, in which each function of the template stays one."""
    return Nested(shape).loop()


def plain_code(found: Loop) -> CodeType:
    """The code of a plain loop, with the files and the lines of the template."""
    code = compile(found.tree, "<plain loop>", "exec")
    return _inside(code, lambda holder: _inside(holder, _placed))


def _inside(code: CodeType, change: Callable[[CodeType], CodeType]) -> CodeType:
    """Code with other functions inside."""
    constants = [change(part) if isinstance(part, CodeType) else part for part in code.co_consts]
    return code.replace(co_consts=tuple(constants))


def _placed(code: CodeType) -> CodeType:
    """Code with the name, file and lines that it has in the template; the lines of a code object count from its first one."""
    source, name = source_of(code.co_firstlineno), code.co_name.partition(APART)[0]
    first = code.co_firstlineno - source.before
    return code.replace(co_name=name, co_qualname=name, co_filename=source.path, co_firstlineno=first)


class Nested(Specialiser):
    """Generates the functions of one shape, with functions in place of inlined text."""

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.inner: dict[Any, ast.FunctionDef] = {}  # of the function that is being made, by name and arguments

    def body(self, source: ast.FunctionDef, values: Values) -> list[ast.stmt]:
        """The statements of a separate function: what its nested functions share, they themselves, and a call of its own one."""
        outer, self.inner = self.inner, {}
        own = ast.FunctionDef(
            source.name, arguments_of([], source), super().body(source, values), [], **position_of(source)
        )
        nested, self.inner = [*(function for function in self.inner.values() if function.body), own], outer
        given = {argument.arg for argument in source.args.args}
        written = [_names(function, written=True) for function in nested]
        read = Counter(name for function in nested for name in _names(function))
        shared = sorted(name for name in set().union(*written) if read[name] > 1 or name in given)
        for function, names in zip(nested, written, strict=True):
            if changed := [name for name in shared if name in names]:
                function.body.insert(0, ast.Nonlocal(changed, **position_of(function)))
        unset = [f"{name} = None" for name in shared if name not in given]
        return [*statements(unset, source), *nested, *statements([f"return {own.name}()"], source)]

    def statement(self, node: ast.stmt, scope: Scope) -> list[ast.stmt]:
        """The statements that remain of one statement; a ``return`` of a nested function stays."""
        return [node] if isinstance(node, ast.Return) and scope.inlined else super().statement(node, scope)

    def inlined(self, call: ast.Call, function: ast.FunctionDef, scope: Scope) -> list[ast.stmt]:
        """A call of a nested function; nothing if nothing is left of it."""
        made = self.nested(function, scope.values, lambda: self.block(function.body, Scope(scope.values, inlined=True)))
        place = position_of(call)
        return [ast.Expr(ast.Call(parsed(made.name, call), [], [], **place), **place)] if made.body else []

    def inlined_expression(self, call: ast.Call, returned: ast.expr, values: Values) -> ast.expr:
        """A call of a nested function; its value if that is a fact or a variable."""
        value = self.expression(returned, values)
        if isinstance(value, (ast.Constant, ast.Name)):
            return parsed(ast.unparse(value), call)
        function = template().functions[call.func.id]  # type: ignore[attr-defined]
        made = self.nested(function, values, lambda: [ast.Return(value, **position_of(function.body[-1]))])
        return ast.Call(parsed(made.name, call), [], [], **position_of(call))

    def nested(self, function: ast.FunctionDef, values: Values, make: Any) -> ast.FunctionDef:
        """The nested function for these arguments, which are part of it."""
        given = [values[argument.arg] for argument in function.args.args]
        key = (function.name, *(ast.dump(value) if isinstance(value, ast.AST) else value for value in given))
        if key not in self.inner:
            body = make()
            name = f"{function.name}{APART}{len(self.inner)}"
            self.inner[key] = ast.FunctionDef(name, arguments_of([], function), body, [], **position_of(function))
        return self.inner[key]

    def expression(self, node: ast.expr, values: Values) -> ast.expr:
        """One expression with its facts folded; an argument has the line where it is read."""
        made = super().expression(node, values)
        is_argument = isinstance(node, ast.Name) and node.id in values and made is values[node.id]
        return parsed(ast.unparse(made), node) if is_argument else made


def _names(function: ast.FunctionDef, *, written: bool = False) -> set[str]:
    """The variables in a function, or those that it writes."""
    found = [name for statement in function.body for name in names_below(statement)]
    return {name for _, name, is_written in found if is_written or not written}
