"""Make the loop of one shape from ``riskkit.replay.loop``: fold the facts, unroll the rules, inline the functions.

`loop.py` says what each of these does to it. The result is a syntax tree with the positions of the template, so that
it can be compiled as it is (plain Python, with the lines of `loop.py`) or written out (the text that numba caches).
"""

from __future__ import annotations

import ast
import builtins
import inspect
from enum import IntEnum, IntFlag
from functools import cache
from typing import Any, NamedTuple

from riskkit.replay import loop
from riskkit.replay.shape import HOOKS, Shape, arguments

__all__ = ["global_names", "loop_text", "specialise"]

HOOK_NAMES = {"state": "state", "params": "params", "twins": "duplicates"}  # argument of a hook -> variable of the rule
Values = dict[str, Any]  # what a name of the template is: a fact, or the expression that was passed for it


class Prefixed(NamedTuple):
    """A family of variables: attribute or item `x` is the variable with the prefix and that name."""

    prefix: str

    def variable(self, name: str) -> str:
        """Name of a variable."""
        return self.prefix + name


class Place(NamedTuple):
    """Where statements are written."""

    values: Values
    after: list[ast.stmt] | None = None  # what ends the event from a call that is the last of its block
    returned: list[ast.stmt] | None = None  # what ``return`` becomes in an inlined function
    inlined: bool = False


def specialise(shape: Shape) -> ast.Module:
    """Make the loop of a shape: its functions and, last, ``run`` with the arguments of `riskkit.replay.shape`.

    Raises
    ------
    SyntaxError
        Where the template cannot be specialised, with its line.
    """
    return Specialiser(shape).module()


def loop_text(module: ast.Module) -> str:
    """Write a specialised loop as the text of a module."""
    head = '"""A replay loop, written by riskkit.replay.specialise; it can be deleted at any time."""'
    return "\n\n\n".join([head, *map(ast.unparse, module.body)]) + "\n"


def global_names(module: ast.Module) -> list[str]:
    """Names of the functions and constants of the template that a specialised loop uses."""
    used = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    return sorted(name for name in used if name in vars(loop))


class Specialiser:
    """Writes the functions of one shape; each is written when it is first called."""

    def __init__(self, shape: Shape) -> None:
        enumerations = {name: value for name, value in vars(loop).items() if _is_enumeration(value)}
        tables = {"OPTIONAL": loop.OPTIONAL, "MESSAGES": loop.MESSAGES, "columns": loop.columns}
        self.facts: Values = {**enumerations, **tables, "shape": shape, "RULES": shape.rules}
        self.facts |= {"log": Prefixed("log_"), "arrays": Prefixed("all_")}
        self.shape = shape
        self.globals = {*vars(loop), *vars(builtins), *(rule.variable(hook) for rule in shape.rules for hook in HOOKS)}
        self.made: dict[str, ast.FunctionDef] = {}

    def module(self) -> ast.Module:
        """The functions in the order in which they are needed."""
        run = self.function("run", "run", {})
        run.args.args = [ast.arg(name) for name in arguments(self.shape)]
        for node in self.unknown(run):
            raise _error(node, f"{node.id!r} is read before it is written")
        return ast.Module(list(self.made.values()), [])

    def function(self, name: str, given: str, kinds: Values) -> ast.FunctionDef:
        """A function of its own, which takes the variables that it reads after its arguments."""
        if name not in self.made:
            template = _functions()[given]
            body = self.block(template.body, Place({**self.facts, **kinds}))
            own = [argument.arg for argument in template.args.args if argument.arg not in kinds]
            made = ast.FunctionDef(name, _arguments(own), body, [], lineno=template.lineno, col_offset=0)
            made.args = _arguments([*own, *dict.fromkeys(node.id for node in self.unknown(made))])
            self.made[name] = made
        return self.made[name]

    def unknown(self, function: ast.FunctionDef) -> list[ast.Name]:
        """The variables that a function reads before it writes them, beside its arguments."""
        return [node for node in _reads(function) if node.id not in self.globals and node.id not in self.made]

    # ------------------------------------------------------------------ statements

    def block(self, statements: list[ast.stmt], place: Place) -> list[ast.stmt]:
        """Statements one after another."""
        made: list[ast.stmt] = []
        for number, statement in enumerate(statements):
            last = number == len(statements) - 1
            made += self.statement(statement, place if last else place._replace(after=None))
        return made

    def statement(self, node: ast.stmt, place: Place) -> list[ast.stmt]:
        """One statement as those that are left of it."""
        match node:
            case ast.Global() | ast.Pass() | ast.Expr(ast.Constant()):
                return []
            case ast.If():
                return self.branch(node, place)
            case ast.For(ast.Name(target), _, body) if self.is_fact(node.iter, place.values):
                return [
                    made
                    for value in self.fact(node.iter, place.values)
                    for made in self.block(body, Place({**place.values, target: value}, None, *place[2:]))
                ]
            case ast.For():
                inner = place._replace(after=None)
                made = ast.For(*self.parts(place, node.target, node.iter), self.block(node.body, inner), [])
                return [ast.copy_location(made, node)]
            case ast.While():
                test = self.expression(node.test, place.values)
                return [ast.copy_location(ast.While(test, self.loop_body(node.body, place), []), node)]
            case ast.Return() if place.inlined:
                if place.returned is None:
                    raise _error(node, "a return ends the event only if the call is the last statement of the loop")
                return place.returned
            case ast.Expr(ast.Call(ast.Name(name)) as call) if name in _functions() and name not in loop.FUNCTIONS:
                if _returned(_functions()[name]) is None:
                    return self.inlined(call, place)
        return [self.rebuilt(node, place.values)]

    def branch(self, node: ast.If, place: Place) -> list[ast.stmt]:
        """An ``if``: the branch that is taken where that is known, nothing where nothing is left in it."""
        truth = self.truth(node.test, place.values)
        if truth is not None:
            return self.block(node.body if truth else node.orelse, place)
        body, orelse = self.block(node.body, place), self.block(node.orelse, place)
        if not body and not orelse:
            return []
        test = self.expression(node.test, place.values)
        return [ast.copy_location(ast.If(test, body or [ast.Pass()], orelse), node)]

    def loop_body(self, statements: list[ast.stmt], place: Place) -> list[ast.stmt]:
        """The body of a ``while``: a return out of the last call of a statement goes on with those after it."""
        made: list[ast.stmt] = []
        inner = place._replace(after=None)
        for number, statement in enumerate(statements):
            rest = statements[number + 1 :]
            after = [*self.block(rest, inner), ast.Continue()] if len(rest) < 2 else None
            made += self.statement(statement, place._replace(after=after))
        return made

    def inlined(self, call: ast.Call, place: Place) -> list[ast.stmt]:
        """The body of an inlined function in place of its call."""
        values = self.bound(call, place.values)
        template = _functions()[call.func.id]  # type: ignore[attr-defined]
        return self.block(template.body, Place(values, place.after, place.after, True))

    # ------------------------------------------------------------------ expressions

    def parts(self, place: Place, *nodes: ast.expr) -> list[ast.expr]:
        """Several expressions."""
        return [self.expression(node, place.values) for node in nodes]

    def expression(self, node: ast.expr, values: Values) -> ast.expr:
        """One expression with its facts folded."""
        names, _ = _names(node)
        if names.isdisjoint(values) and names.isdisjoint(_functions()):
            return node
        if self.is_fact(node, values):
            return self.constant(node, self.fact(node, values))
        match node:
            case ast.Name(name) if name in values:
                return values[name]
            case ast.Attribute(ast.Name(family), name) if (text := _variable(values.get(family), name)) is not None:
                return _parsed(text, node)
            case ast.Subscript(ast.Name(family), item) if isinstance(values.get(family), Prefixed):
                return _parsed(values[family].variable(self.fact(item, values)), node)
            case ast.IfExp():
                truth = self.truth(node.test, values)
                if truth is not None:
                    return self.expression(node.body if truth else node.orelse, values)
            case ast.BoolOp():
                open_ones = [one for one in node.values if self.truth(one, values) is None]
                if len(open_ones) == 1:
                    return self.expression(open_ones[0], values)
                made = ast.BoolOp(node.op, [self.expression(one, values) for one in open_ones])
                return ast.copy_location(made, node)
            case ast.Call(ast.Attribute(ast.Name(family), hook)) if _variable(values.get(family), hook) is not None:
                return self.hook(node, values[family], hook, values)
            case ast.Call(ast.Name(name)) if name in loop.FUNCTIONS:
                return self.called(node, name, values)
            case ast.Call(ast.Name(name)) if name in _functions():
                returned = _returned(_functions()[name])
                if returned is None:
                    raise _error(node, f"{name} is called in an expression, so it may do nothing but return one")
                return self.expression(returned, self.bound(node, values))
        return self.rebuilt(node, values)

    def rebuilt(self, node: Any, values: Values) -> Any:
        """The same node with its expressions folded."""
        fields: dict[str, Any] = {}
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                fields[name] = [self.expression(one, values) if isinstance(one, ast.expr) else one for one in value]
            else:
                fields[name] = self.expression(value, values) if isinstance(value, ast.expr) else value
        return type(node)(**fields, **_location(node))

    def bound(self, call: ast.Call, values: Values) -> Values:
        """What the parameters of an inlined function are at a call."""
        template = _functions()[call.func.id]  # type: ignore[attr-defined]
        names = [argument.arg for argument in template.args.args]
        if len(names) != len(call.args) or call.keywords:
            raise _error(call, f"{template.name} takes {len(names)} arguments by position: {', '.join(names)}")
        return {**self.facts, **{name: self.given(one, values) for name, one in zip(names, call.args, strict=True)}}

    def given(self, node: ast.expr, values: Values) -> Any:
        """An argument: its value where it is a fact, otherwise its expression."""
        if self.is_fact(node, values):
            return self.fact(node, values)
        made = self.expression(node, values)
        return made.value if isinstance(made, ast.Constant) else made

    def called(self, call: ast.Call, name: str, values: Values) -> ast.expr:
        """A call of a function of its own, with the variables that it reads; a kind makes a function of that kind."""
        names = [argument.arg for argument in _functions()[name].args.args]
        given = {one: self.given(value, values) for one, value in zip(names, call.args, strict=True)}
        kinds = {one: value for one, value in given.items() if isinstance(value, IntEnum)}
        full = "_".join([name, *(value.name.lower() for value in kinds.values())])
        made = self.function(full, name, kinds)
        passed = [ast.Name(argument.arg, ast.Load()) for argument in made.args.args[len(names) - len(kinds) :]]
        own = [self.expression(value, values) for one, value in zip(names, call.args, strict=True) if one not in kinds]
        return ast.copy_location(ast.Call(ast.Name(full, ast.Load()), [*own, *passed], []), call)

    def hook(self, call: ast.Call, rule: Any, hook: str, values: Values) -> ast.expr:
        """A call of a rule's function, with the arguments that it names."""
        given = {one.arg: one.value for one in call.keywords}
        passed: list[ast.expr] = []
        for name in rule.arguments(hook):
            if name in given:
                passed.append(self.expression(given[name], values))
            elif name in HOOK_NAMES:
                passed.append(_parsed(rule.variable(HOOK_NAMES[name]), call))
            elif name in loop.__annotations__:
                passed.append(_parsed(name, call))
            else:
                raise _error(call, f"{hook} of {rule.name} asks for {name!r}, which is no variable of the loop")
        return ast.copy_location(ast.Call(_parsed(rule.variable(hook), call), passed, []), call)

    # ------------------------------------------------------------------ facts

    def is_fact(self, node: ast.expr, values: Values) -> bool:
        """Whether an expression is made of facts alone."""
        names, attributes = _names(node)
        if not names <= values.keys():
            return False
        if any(isinstance(values[name], (ast.AST, Prefixed)) for name in names):
            return False
        return all(_variable(values[family], name) is None for family, name in attributes)

    def fact(self, node: ast.expr, values: Values) -> Any:
        """The value of an expression that is made of facts."""
        return eval(_code(node), {}, values)

    def truth(self, node: ast.expr, values: Values) -> bool | None:
        """Whether a test is true; None where that is not known before the loop runs."""
        if self.is_fact(node, values):
            return bool(self.fact(node, values))
        if isinstance(node, ast.BoolOp):
            deciding = isinstance(node.op, ast.Or)
            truths = [self.truth(one, values) for one in node.values]
            return deciding if deciding in truths else None
        return None

    def constant(self, node: ast.expr, value: Any) -> ast.expr:
        """A fact as it is written."""
        if value is not None and not isinstance(value, int):
            raise _error(node, f"{value!r} is no number that the loop can read")
        return ast.copy_location(ast.Constant(value if value is None else int(value)), node)


# ---------------------------------------------------------------------- the template


@cache
def _functions() -> dict[str, ast.FunctionDef]:
    """The functions of the template."""
    tree = ast.parse(inspect.getsource(loop))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


@cache
def _names(node: ast.expr) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
    """The names in an expression of the template, and the attributes of names."""
    found = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    owned = [part for part in ast.walk(node) if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name)]
    return frozenset(part.id for part in found), frozenset((part.value.id, part.attr) for part in owned)  # type: ignore


@cache
def _code(node: ast.expr) -> Any:
    """An expression of the template, compiled once."""
    return compile(ast.Expression(node), loop.__file__, "eval")


def _parsed(text: str, node: ast.AST) -> ast.expr:
    """A variable or a key as an expression, at the position of a node of the template."""
    made = ast.parse(text, mode="eval").body
    if isinstance(made, ast.Name):
        made.ctx = getattr(node, "ctx", made.ctx)
    for part in ast.walk(made):
        ast.copy_location(part, node)
    return made


def _returned(function: ast.FunctionDef) -> ast.expr | None:
    """The expression that a function stands for, None where it is statements."""
    last = function.body[-1]
    return last.value if len(function.body) == 2 and isinstance(last, ast.Return) else None


def _variable(family: Any, name: str) -> str | None:
    """The variable that an attribute of a family of variables (``rule``, ``log``) is, None where it is a fact."""
    return family.variable(name) if hasattr(family, "variable") else None


def _arguments(names: list[str]) -> ast.arguments:
    return ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])


def _is_enumeration(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, (IntEnum, IntFlag))


def _reads(function: ast.FunctionDef) -> list[ast.Name]:
    """The names that a function reads before it has written them, in order."""
    written = {argument.arg for argument in function.args.args}
    found: list[ast.Name] = []

    def follow(node: Any) -> None:
        """Walk in the order of evaluation."""
        if isinstance(node, ast.Name):
            if node.id not in written:
                (found.append(node) if isinstance(node.ctx, ast.Load) else written.add(node.id))
        elif isinstance(node, (ast.Constant, ast.expr_context, ast.operator)):
            return
        elif isinstance(node, ast.Assign):
            follow(node.value)
            follow(node.targets[0])
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            follow(ast.Name(node.target.id, ast.Load(), **_location(node)))
            follow(node.value)
        elif isinstance(node, ast.For):
            for part in (node.iter, node.target, *node.body):
                follow(part)
        else:
            for name in node._fields:
                part = getattr(node, name)
                for one in part if isinstance(part, list) else [part]:
                    if isinstance(one, ast.AST):
                        follow(one)

    for statement in function.body:
        follow(statement)
    return found


def _location(node: Any) -> dict[str, Any]:
    """Where a node of the template is."""
    return {name: getattr(node, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}


def _error(node: ast.AST, message: str) -> SyntaxError:
    """An error at a line of the template."""
    line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
    lines = inspect.getsource(loop).splitlines()
    return SyntaxError(message, (loop.__file__, line, column + 1, lines[line - 1] if line else ""))
