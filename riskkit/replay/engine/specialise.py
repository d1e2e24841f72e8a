"""Specialise `riskkit.replay.engine.loop` (see there for folding, unrolling, inlining, passing) to the loop of one shape.

The result is a syntax tree; unparsed, it is the text that numba caches. `riskkit.replay.engine.plain` makes a loop that can be
stepped through.
"""

from __future__ import annotations

import ast
import builtins
from functools import lru_cache
from operator import is_
from types import ModuleType
from typing import Any, NamedTuple

from riskkit._check import shown
from riskkit.replay.engine.loop import FUNCTIONS
from riskkit.replay.engine.shape import HOOKS, GroupShape, RuleShape, Shape, arguments
from riskkit.replay.engine.template import (
    GLOBALS,
    Family,
    Values,
    arguments_of,
    code_of,
    error_at,
    has_return,
    names_below,
    names_in,
    parsed,
    position_of,
    returned_by,
    template,
)

RULE_ARGUMENTS = {
    name: name for name in ("state", "params", "duplicates", "best", "met")
}  # of hooks -> variable of the rule


class Loop(NamedTuple):
    """A specialised loop: its functions, `run` last, and the functions and constants of the template that it uses."""

    functions: list[ast.FunctionDef]
    names: dict[str, Any]

    @property
    def tree(self) -> ast.Module:
        """The module, with the lines of the template."""
        return ast.Module(list(self.functions), [])

    @property
    def text(self) -> str:
        """Source of the cached module."""
        return _text(tuple(self.functions))


@lru_cache(maxsize=64)
def _text(functions: tuple[ast.FunctionDef, ...]) -> str:
    head = '"""A replay loop, written by riskkit.replay.engine.specialise; it can be deleted at any time."""'
    return "\n\n\n".join([head, *map(ast.unparse, functions)]) + "\n"


def specialise(shape: Shape) -> Loop:
    """Make the loop of a shape; ``run`` takes the `arguments` of `riskkit.replay.engine.shape`.

    Raises
    ------
    SyntaxError
        If the template cannot be specialised; with its line.
    """
    return Specialiser(shape).loop()


class Scope(NamedTuple):
    """Scope of a statement."""

    values: Values
    after: list[ast.stmt] | None = None  # ends the event after the last statement of this block
    returned: list[ast.stmt] | None = None  # replacement of ``return`` in an inlined function
    inlined: bool = False


class Specialiser:
    """Generates the functions of one shape, each at its first call."""

    keeps_statements = True  # those without facts

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.facts: Values = {**template().facts, "shape": shape}
        self.hooks = {rule.variable(hook) for rule in shape.rules for hook in HOOKS}
        self.names: dict[str, Any] = {}
        self.made: dict[str, ast.FunctionDef] = {}

    def loop(self) -> Loop:
        """The loop."""
        run = self.function("run", template().functions["run"], {})
        run.args = arguments_of(self.arguments(), run)
        for name in self.free(run):
            raise error_at(template().functions["run"], f"{name!r} is read but never assigned")
        return Loop(list(self.made.values()), self.names)

    def arguments(self) -> list[str]:
        """Names of the arguments of ``run``."""
        return arguments(self.shape)

    def function(self, name: str, source: ast.FunctionDef, kinds: Values) -> ast.FunctionDef:
        """A separate function: the variables that it reads become further arguments."""
        if name not in self.made:
            body = self.body(source, {**self.facts, **kinds})
            declared = [argument.arg for argument in source.args.args if argument.arg not in kinds]
            made = ast.FunctionDef(name, arguments_of(declared, source), body, [], **position_of(source))
            made.args = arguments_of([*declared, *self.free(made)], source)
            self.made[name] = made
        return self.made[name]

    def body(self, source: ast.FunctionDef, values: Values) -> list[ast.stmt]:
        """The statements of a separate function."""
        return self.block(source.body, Scope(values))

    def free(self, function: ast.FunctionDef) -> list[str]:
        """Variables that a function reads and never writes, except its arguments."""
        names = [name for statement in function.body for name in names_below(statement)]
        written = {name for _, name, is_written in names if is_written}
        read = dict.fromkeys(name for _, name, _ in names if name not in written)
        own = template().variables | template().functions.keys()
        namespace = template().namespace
        self.names |= {name: namespace[name] for name in read if name in namespace and name not in own}
        self.names |= {name: template().names[name] for name in read if name in template().names}
        known = {argument.arg for argument in function.args.args} | self.names.keys() | self.made.keys() | self.hooks
        known |= {statement.name for statement in function.body if isinstance(statement, ast.FunctionDef)}
        return [name for name in read if name not in known and name not in vars(builtins)]

    # ------------------------------------------------------------------ statements

    def block(self, statements: list[ast.stmt], scope: Scope) -> list[ast.stmt]:
        """Specialised statements; only the last is followed by the statements after the block."""
        inner = scope._replace(after=None)
        made = [self.statement(statement, inner) for statement in statements[:-1]]
        made += [self.statement(statement, scope) for statement in statements[-1:]]
        return [statement for statements in made for statement in statements]

    def statement(self, node: ast.stmt, scope: Scope) -> list[ast.stmt]:
        """The statements that remain of one statement."""
        values = scope.values
        match node:
            case ast.Global() | ast.Expr(ast.Constant()):
                return []
            case _ if self.keeps_statements and self.is_untouched(names_in(node)[0], values) and not has_return(node):
                return [node]
            case ast.If():
                return self.branch(node, scope)
            case ast.For(ast.Name(target), facts, body) if self.is_fact(facts, values):
                scopes = [Scope({**values, target: value}, None, *scope[2:]) for value in self.fact(facts, values)]
                return [statement for unrolled in scopes for statement in self.block(body, unrolled)]
            case ast.For():
                body = self.block(node.body, scope._replace(after=None))
                return [ast.For(node.target, self.expression(node.iter, values), body, [], **position_of(node))]
            case ast.While():
                return [
                    ast.While(self.expression(node.test, values), self.turns(node.body, scope), [], **position_of(node))
                ]
            case ast.Return() if scope.inlined:
                if scope.returned is None:
                    raise error_at(node, "a return ends the event, so the call must be the last statement of the loop")
                return scope.returned
            case ast.Expr(ast.Call(ast.Name(name)) as call) if self.is_inlined(name):
                function = template().functions[name]
                if returned_by(function) is None:
                    return self.inlined(call, function, Scope(self.bound(call, values), scope.after, scope.after, True))
        return [self.rebuilt(node, values)]

    def inlined(self, call: ast.Call, function: ast.FunctionDef, scope: Scope) -> list[ast.stmt]:
        """The body of an inlined function in place of a call of it."""
        return self.block(function.body, scope)

    def branch(self, node: ast.If, scope: Scope) -> list[ast.stmt]:
        """An ``if``: the branch taken if the test is a fact; nothing if both branches are empty."""
        truth = self.truth(node.test, scope.values)
        if truth is not None:
            return self.block(node.body if truth else node.orelse, scope)
        body, orelse = self.block(node.body, scope), self.block(node.orelse, scope)
        if not body and not orelse:
            return []
        test = self.expression(node.test, scope.values)
        return [ast.If(test, body or [ast.Pass(**position_of(node))], orelse, **position_of(node))]

    def turns(self, statements: list[ast.stmt], scope: Scope) -> list[ast.stmt]:
        """Body of a ``while``; the statement before the last ends the event with the last one and ``continue``."""
        inner = scope._replace(after=None)
        *first, last = [self.block([statement], inner) for statement in [*statements[:-2], statements[-1]]]
        after = [*last, ast.Continue(**position_of(statements[-1]))]
        ended = self.block(statements[-2:-1], scope._replace(after=after))
        return [statement for statements in first for statement in statements] + ended + last

    # ------------------------------------------------------------------ expressions

    def expression(self, node: ast.expr, values: Values) -> ast.expr:
        """One expression with its facts folded."""
        if self.is_untouched(names_in(node)[0], values):
            return node
        if self.is_fact(node, values):
            return self.constant(node, self.fact(node, values))
        match node:
            case ast.Name(name) if name in values:
                return values[name]
            case ast.Attribute(ast.Name(owner), name) if (text := self.variable(values.get(owner), name)) is not None:
                return parsed(text, node)
            case ast.Subscript(ast.Name(owner), item) if isinstance(values.get(owner), Family):
                return parsed(values[owner].variable(self.fact(item, values)), node)
            case ast.IfExp() if (truth := self.truth(node.test, values)) is not None:
                return self.expression(node.body if truth else node.orelse, values)
            case ast.BoolOp():
                left = [test for test in node.values if self.truth(test, values) is None]
                made = [self.expression(test, values) for test in left]
                return made[0] if len(made) == 1 else ast.BoolOp(node.op, made, **position_of(node))
            case ast.Call(ast.Attribute(ast.Name(owner), hook)) if isinstance(values.get(owner), RuleShape):
                return self.hook(node, values[owner], hook, values)
            case ast.Call(ast.Name(name)) if name in FUNCTIONS:
                return self.called(node, template().functions[name], values)
            case ast.Call(ast.Name(name)) if self.is_inlined(name):
                returned = returned_by(template().functions[name])
                if returned is None:
                    raise error_at(node, f"{name} is called in an expression, so it may only return an expression")
                return self.inlined_expression(node, returned, self.bound(node, values))
        return self.rebuilt(node, values)

    def inlined_expression(self, call: ast.Call, returned: ast.expr, values: Values) -> ast.expr:
        """The expression that an inlined function returns in place of a call of it."""
        return self.expression(returned, values)

    def rebuilt(self, node: Any, values: Values) -> Any:
        """The node with the facts in its children folded; the node itself if there are none."""
        fields: dict[str, Any] = {}
        for name, value in vars(node).items():
            if isinstance(value, ast.expr):
                made: Any = self.expression(value, values)
            elif isinstance(value, list):
                made = [self.expression(item, values) if isinstance(item, ast.expr) else item for item in value]
                made = value if all(map(is_, made, value)) else made
            else:
                continue
            if made is not value:
                fields[name] = made
        if not fields:
            return node
        changed = type(node)()
        vars(changed).update(vars(node), **fields)
        return changed

    @staticmethod
    def is_untouched(names: frozenset[str], values: Values) -> bool:
        """True if none of the names is a fact, an argument or a function of the template."""
        return values.keys().isdisjoint(names) and names.isdisjoint(template().functions)

    def is_inlined(self, name: str) -> bool:
        """True if a name is that of an inlined function."""
        return name in template().functions and name not in FUNCTIONS

    def bound(self, call: ast.Call, values: Values) -> Values:
        """Values of the names in an inlined function at a call."""
        function = template().functions[call.func.id]  # type: ignore[attr-defined]
        names = [argument.arg for argument in function.args.args]
        if len(names) != len(call.args):
            raise error_at(call, f"{function.name} takes {len(names)} arguments by position: {', '.join(names)}")
        return {**self.facts, **{name: self.passed(node, values) for name, node in zip(names, call.args, strict=True)}}

    def passed(self, node: ast.expr, values: Values) -> Any:
        """An argument: its value if it is a fact, else its expression."""
        if self.is_fact(node, values):
            return self.fact(node, values)
        made = self.expression(node, values)
        return made.value if isinstance(made, ast.Constant) else made

    def called(self, call: ast.Call, function: ast.FunctionDef, values: Values) -> ast.expr:
        """A call of a separate function, with the variables that it reads; one function per kind."""
        names = [argument.arg for argument in function.args.args]
        passed = dict(zip(names, call.args, strict=True))
        kinds = {name: self.fact(passed.pop(name), values) for name in names if name == "kind"}
        full = "_".join([function.name, *(kind.name.lower() for kind in kinds.values())])
        read = self.function(full, function, kinds).args.args[len(passed) :]
        given = [self.expression(node, values) for node in passed.values()]
        return ast.Call(
            parsed(full, call), [*given, *(parsed(variable.arg, call) for variable in read)], [], **position_of(call)
        )

    def hook(self, call: ast.Call, rule: RuleShape, hook: str, values: Values) -> ast.expr:
        """A call of a rule's hook, with the arguments in its signature."""
        given = {keyword.arg: self.expression(keyword.value, values) for keyword in call.keywords}
        taken = rule.arguments(hook)
        for name in taken:
            text = rule.variable(RULE_ARGUMENTS[name]) if name in RULE_ARGUMENTS else name
            if name not in given and name not in RULE_ARGUMENTS and name not in template().variables:
                raise error_at(
                    call, f"{hook} of {rule.name} has the argument {name!r}, which is no variable of the loop"
                )
            given.setdefault(name, parsed(text, call))
        return ast.Call(parsed(rule.variable(hook), call), [given[name] for name in taken], [], **position_of(call))

    # ------------------------------------------------------------------ facts

    def variable(self, owner: Any, name: str) -> str | None:
        """The variable, function or class of an attribute of `owner`; None if it is a fact."""
        if isinstance(owner, ModuleType):
            value = getattr(owner, name)
            if isinstance(value, int):
                return None
            self.names[name] = value
            return name
        return owner.variable(name) if isinstance(owner, (Family, RuleShape, GroupShape)) else None

    def is_fact(self, node: ast.expr, values: Values) -> bool:
        """True if an expression consists of facts only."""
        names, attributes = names_in(node)
        for name in names:
            if name not in values or isinstance(values[name], (ast.AST, Family)):
                return False
        return all(self.variable(values[owner], name) is None for owner, name in attributes)

    def fact(self, node: ast.expr, values: Values) -> Any:
        """The value of an expression of facts."""
        return eval(code_of(node), GLOBALS, values)

    def truth(self, node: ast.expr, values: Values) -> bool | None:
        """Truth value of a test; None if it depends on the run."""
        if self.is_fact(node, values):
            return bool(self.fact(node, values))
        match node:
            case ast.BoolOp():
                decides = isinstance(node.op, ast.Or)
                truths = [self.truth(value, values) for value in node.values]
                return decides if decides in truths else None if None in truths else not decides
            case ast.Call(ast.Name(name)) if (
                self.is_inlined(name) and returned_by(template().functions[name]) is not None
            ):
                return self.truth(returned_by(template().functions[name]), self.bound(node, values))  # type: ignore[arg-type]
        return None

    def constant(self, node: ast.expr, value: Any) -> ast.expr:
        """A fact as a literal."""
        if value is not None and not isinstance(value, int):
            raise error_at(node, f"{shown(value)} is no number that a loop can read")
        return ast.Constant(value if value is None else int(value), **position_of(node))
