"""Guards in the functions of a user-defined rule: indices, divisors, codes, lengths of loops, 64 bits, whole numbers.

What can be known at the declaration is refused there. The rest is checked as it runs, plain and compiled alike: the
guarded function calls one of the functions below, which raises a `RuleFault` that names the line.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import linecache
import types
from typing import Any

from riskkit._check import InputError
from riskkit._jit import apart
from riskkit.replay.kernels.records import at
from riskkit.replay.rules.custom_links import LINKS, check_at
from riskkit.replay.rules.verdict import NO_PRICE, NOTICE, OBJECT, PASS, CapVerdict, Verdict

CODES = (PASS, OBJECT, NO_PRICE, NOTICE)
TABLES = ("memory", *LINKS)
MOST_TURNS = 1_000_000
SMALL = 2**31  # no number of events adds so many of these that 64 bits do not hold the sum
MOST, LEAST = 2**63 - 1, -(2**63)
INDEX, DIVISOR, CODE, TURNS, ITEM, SIZE, TRIP, WHOLE = range(8)
WORDS = {
    INDEX: "reads or writes word {value} of its workspace, which has the words 0 to {last}",
    DIVISOR: "divides by zero; test the divisor first",
    CODE: f"returns a verdict with the code {{value}}; a code is PASS, OBJECT, NO_PRICE or NOTICE ({CODES})",
    TURNS: f"loops {{value}} times; the loops of a function of a rule have at most {MOST_TURNS:,} turns together",
    ITEM: "reads item {value} of a tuple that has the items 0 to {last}",
    SIZE: "makes a number beyond 64 bits; divide before you multiply, or test for MISSING first",
    TRIP: "returns {value}; update returns 1 to trip, else 0",
    WHOLE: "gives {value} where an integer is kept; divide with //, or write int(...) to cut it",
}
_GUARDED: dict[int, Any] = {}  # functions by mark, for the line of a fault


class RuleFault(InputError):
    """Fault of a user-defined rule in a replay: what it did, and its line.

    Parameters
    ----------
    what : int
        INDEX, DIVISOR, CODE, TURNS, ITEM, SIZE, TRIP or WHOLE.
    value, size : int or float
        The value that came, and the words of the workspace or the items of the tuple.
    mark, line : int
        The function, and its line.
    """

    def __str__(self) -> str:
        """The fault in words."""
        what, value, size, mark, line = self.args
        function = _GUARDED[mark]
        text = linecache.getline(function.__code__.co_filename, line).strip()
        return f"{function.__name__}, line {line} ({text!r}) " + WORDS[what].format(value=value, last=size - 1)


@apart  # what raises is emitted on its own
def guarded_index(index: int, start: int, size: int, mark: int, line: int) -> int:
    """An index of the shared workspace that is one of the rule's own words."""
    if index < start or index >= start + size:
        raise RuleFault(INDEX, index - start, size, mark, line)
    return index


@apart
def guarded_divisor(divisor: Any, mark: int, line: int) -> Any:
    """A divisor that is not zero."""
    if divisor == 0:
        raise RuleFault(DIVISOR, 0, 0, mark, line)
    return divisor


@apart
def guarded_code(code: int, mark: int, line: int) -> int:
    """A code that a verdict may have."""
    if code != PASS and code != OBJECT and code != NO_PRICE and code != NOTICE:
        raise RuleFault(CODE, code, 0, mark, line)
    return code


@apart
def guarded_trip(value: int, mark: int, line: int) -> int:
    """What ``update`` may return."""
    if value != 0 and value != 1:
        raise RuleFault(TRIP, value, 0, mark, line)
    return value


@apart
def guarded_turns(turns: int, start: int, stop: int, step: int, mark: int, line: int) -> int:
    """The turns of the loops of a function so far with those of one more."""
    more = max(-((start - stop) // step), 0)
    if more > MOST_TURNS or turns + more > MOST_TURNS:
        raise RuleFault(TURNS, turns + more, 0, mark, line)
    return turns + more


@apart
def guarded_sum(one: Any, other: Any, mark: int, line: int) -> Any:
    """A sum that 64 bits hold."""
    if (other > 0 and one > MOST - other) or (other < 0 and one < LEAST - other):
        raise RuleFault(SIZE, 0, 0, mark, line)
    return one + other


@apart
def guarded_difference(one: Any, other: Any, mark: int, line: int) -> Any:
    """A difference that 64 bits hold."""
    if (other < 0 and one > MOST + other) or (other > 0 and one < LEAST + other):
        raise RuleFault(SIZE, 0, 0, mark, line)
    return one - other


@apart
def guarded_product(one: Any, other: Any, mark: int, line: int) -> Any:
    """A product that 64 bits hold."""
    if one != 0 and other != 0 and (one == LEAST or other == LEAST or abs(one) > MOST // abs(other)):
        raise RuleFault(SIZE, 0, 0, mark, line)
    return one * other


@apart
def guarded_left_shift(one: int, bits: int, mark: int, line: int) -> int:
    """A shift to the left that 64 bits hold."""
    if bits < 0 or bits > 62 or one > MOST >> bits or one < -(MOST >> bits):
        raise RuleFault(SIZE, 0, 0, mark, line)
    return one << bits


@apart
def guarded_right_shift(one: int, bits: int, mark: int, line: int) -> int:
    """A shift to the right by bits that a number has."""
    if bits < 0 or bits > 63:
        raise RuleFault(SIZE, 0, 0, mark, line)
    return one >> bits


@apart
def guarded_integer(value: Any, mark: int, line: int) -> int:
    """The integer part of a number that 64 bits hold."""
    if not (value < MOST and value > LEAST):
        raise RuleFault(SIZE, 0, 0, mark, line)
    return int(value)


@apart
def guarded_whole(value: Any, mark: int, line: int) -> int:
    """A number that an integer holds as it is: what a verdict has, and what a rule remembers."""
    if value % 1 != 0 or value > MOST or value < LEAST:  # also of no number
        raise RuleFault(WHOLE, value, 0, mark, line)
    return int(value)


@apart
def guarded_item(index: int, size: int, mark: int, line: int) -> int:
    """An index of a tuple that has such an item."""
    if index < 0 or index >= size:
        raise RuleFault(ITEM, index, size, mark, line)
    return index


OPERATIONS = {
    ast.Add: guarded_sum, ast.Sub: guarded_difference, ast.Mult: guarded_product,
    ast.LShift: guarded_left_shift, ast.RShift: guarded_right_shift,
}  # fmt: skip
GUARDS = (
    len, guarded_index, guarded_item, guarded_divisor, guarded_code, guarded_turns, guarded_trip, guarded_integer,
    guarded_whole, *OPERATIONS.values(),
)  # fmt: skip
TURNED = "_turns"  # of the loops of a function


def guarded(found: Any, values: dict[str, Any], words: int) -> types.CodeType:
    """Code of a function of a cell (`CellFunction`) with its guards; `values` gets the names that it calls.

    Raises
    ------
    InputError
        If an index, a divisor, a code or a loop is wrong whatever comes, or a loop has no bound that is known.
    """
    mark = int.from_bytes(hashlib.blake2b(found.text.encode(), digest_size=6).digest(), "big")
    _GUARDED[mark] = found.function
    tree = _Guard(found, mark, words).visit(copy.deepcopy(found.tree))
    tree.returns = None
    if any(isinstance(node, ast.For) for node in ast.walk(tree)):
        tree.body.insert(0, ast.Assign([ast.Name(TURNED, ast.Store())], ast.Constant(0), lineno=tree.lineno))
    for argument in tree.args.args:
        argument.annotation = None
    values |= {guard.__name__: guard for guard in GUARDS}
    names: dict[str, Any] = {}
    module = ast.fix_missing_locations(ast.Module([tree], []))
    exec(compile(module, found.function.__code__.co_filename, "exec", dont_inherit=True), names)  # a checked function
    return names[tree.name].__code__


class _Guard(ast.NodeTransformer):
    """Puts the guards into the tree of one function."""

    def __init__(self, found: Any, mark: int, words: int) -> None:
        self.found = found
        self.mark = mark
        self.words = words
        self.arguments = {argument.arg for argument in found.tree.args.args}

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """The workspace has one name, under which it is indexed."""
        if isinstance(node.ctx, ast.Store) and node.id in ("state", "params", *TABLES) and node.id in self.arguments:
            raise self.refusal(node, f"gives another value to {node.id!r}; take another name")
        if node.id in TABLES and node.id in self.arguments:
            use = "index it" if node.id == "memory" else "reach its records with at"
            raise self.refusal(node, f"gives {node.id} away; {use}, or pass it on as an argument named {node.id}")
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """A call: codes of verdicts and bounds of loops; memory goes on only as memory, with its state."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if not name or name in self.found.function.__code__.co_varnames:
            raise self.refusal(node, f"calls {ast.unparse(node.func)!r}; a rule calls functions by their names")
        called = self.found.function.__globals__.get(name)
        if called in (Verdict, CapVerdict):
            self.check_code(node)
        if called is at:
            check_at(self.found, node)
        if name in self.found.helpers:
            self.check_passed(node, name)
        passes = [isinstance(value, ast.Name) and value.id in TABLES for value in node.args]
        node.args = [
            value if is_table else self.visit(value) for value, is_table in zip(node.args, passes, strict=True)
        ]
        node.keywords = [ast.keyword(word.arg, self.visit(word.value)) for word in node.keywords]
        if name == "int" and len(node.args) == 1:
            return self.guard(guarded_integer, node.args[0], at=node)
        if called in (Verdict, CapVerdict):
            for place, value in enumerate(node.args):
                node.args[place] = self.guard(guarded_code, value) if place == 0 else self.whole(value, node)
            for word in node.keywords:
                word.value = (
                    self.guard(guarded_code, word.value) if word.arg == "code" else self.whole(word.value, node)
                )
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """An item: of the workspace only words of its own, else of a local tuple."""
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if name != "memory" or "memory" not in self.arguments:
            if not name or name in self.arguments:
                raise self.refusal(node, "indexes what is neither memory nor a tuple of its own")
            size = ast.Call(ast.Name("len", ast.Load()), [ast.Name(name, ast.Load())], [])
            node.slice = self.guard(guarded_item, self.visit(node.slice), size)
            return node
        if self.words == 0:
            raise self.refusal(node, "indexes memory, and the rule has no workspace; declare workspace_size")
        if "state" not in self.arguments:
            raise self.refusal(node, "indexes memory without the argument state, whose state.memory is its first word")
        self.check_offset(node.slice)
        start = ast.Attribute(ast.Name("state", ast.Load()), "memory", ast.Load())
        node.slice = self.guard(guarded_index, self.visit(node.slice), start, ast.Constant(self.words))
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """A division, or what may go beyond 64 bits."""
        self.generic_visit(node)
        if isinstance(node.op, (ast.Div, ast.FloorDiv, ast.Mod)):
            node.right = self.divisor(node.right)
        elif type(node.op) in OPERATIONS and not _is_small(node):
            return self.guard(OPERATIONS[type(node.op)], node.left, node.right, at=node)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """The same in place."""
        read = copy.deepcopy(node.target)
        read.ctx = ast.Load()
        made = ast.copy_location(ast.BinOp(read, node.op, node.value), node)
        return self.visit(ast.copy_location(ast.Assign([node.target], made), node))

    def visit_Assign(self, node: ast.Assign) -> Any:
        """An assignment: what a rule remembers is whole."""
        self.generic_visit(node)
        after = []
        for target in node.targets:
            if isinstance(target, ast.Tuple):
                for place, part in enumerate(target.elts):
                    if not isinstance(part, ast.Name):
                        name = f"_kept_{node.lineno}_{place}"
                        target.elts[place] = ast.Name(name, ast.Store())
                        after.append(ast.Assign([part], self.whole(ast.Name(name, ast.Load()), node)))
            elif not isinstance(target, ast.Name):
                node.value = self.whole(node.value, node)
        return [node, *(ast.copy_location(statement, node) for statement in after)]

    def visit_Return(self, node: ast.Return) -> ast.AST:
        """What ``update`` returns."""
        self.generic_visit(node)
        if self.found.role == "update" and node.value is not None and _constant(node.value) not in (0, 1):
            node.value = self.guard(guarded_trip, node.value)
        return node

    def visit_For(self, node: ast.For) -> Any:
        """A loop over a range whose bounds are numbers or parameters."""
        call: Any = node.iter
        for place, bound in enumerate(call.args):
            if place == 2 and not (isinstance(_constant(bound), int) and _constant(bound) != 0):
                raise self.refusal(node, "loops with a step that is not a number other than zero")
            if not self.is_known(bound):
                raise self.refusal(node, "loops without a bound that is known; write range of a number or a parameter")
        if any(self.found.helpers[name].loops for name in self.called_in(node)):
            raise self.refusal(node, "calls a function that loops in each turn; write both loops in one function")
        start, stop, step = [[ast.Constant(0), *call.args, ast.Constant(1)], [*call.args, ast.Constant(1)], call.args][
            len(call.args) - 1
        ]
        bounds = [self.visit(copy.deepcopy(bound)) for bound in (start, stop, step)]
        turns = self.guard(guarded_turns, ast.Name(TURNED, ast.Load()), *bounds, at=node)
        counted = ast.copy_location(ast.Assign([ast.Name(TURNED, ast.Store())], turns), node)
        numbers = [_constant(bound) for bound in (start, stop, step)]
        if None not in numbers and len(range(*numbers)) > MOST_TURNS:
            raise self.refusal(node, WORDS[TURNS].format(value=len(range(*numbers))))
        return [counted, self.generic_visit(node)]

    def called_in(self, node: ast.For) -> set[str]:
        """The functions of the cell that a loop calls in each turn."""
        inside = [part for statement in node.body for part in ast.walk(statement)]
        return {part.id for part in inside if isinstance(part, ast.Name) and part.id in self.found.helpers}

    # ------------------------------------------------------------------ what is known at the declaration

    def is_known(self, node: ast.expr) -> bool:
        """True for numbers, constants of the cell, parameters, and sums and products of them."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(name):
                return name in self.found.constants
            case ast.Attribute(ast.Name("params"), _):
                return "params" in self.arguments
            case ast.UnaryOp(_, operand):
                return self.is_known(operand)
            case ast.BinOp(left, _, right):
                return self.is_known(left) and self.is_known(right)
            case ast.Call(ast.Name("min" | "max"), values):
                return all(map(self.is_known, values))
        return False

    def check_offset(self, index: ast.expr) -> None:
        """Refuse an index that is not one of the rule's words whatever comes."""
        match index:
            case ast.Attribute(ast.Name("state"), "memory"):
                offset: int | None = 0
            case ast.BinOp(ast.Attribute(ast.Name("state"), "memory"), ast.Add() | ast.Sub() as op, right):
                found = _constant(right)
                offset = -found if found is not None and isinstance(op, ast.Sub) else found
            case _ if _constant(index) is not None:
                raise self.refusal(index, "indexes memory by a number; its own words begin at memory[state.memory]")
            case _:
                offset = None
        if offset is not None and not 0 <= offset < self.words:
            raise self.refusal(index, WORDS[INDEX].format(value=offset, last=self.words - 1))

    def check_code(self, call: ast.Call) -> None:
        """Refuse a verdict with a number that is no code."""
        codes = call.args[:1] or [word.value for word in call.keywords if word.arg == "code"]
        for code in map(_constant, codes):
            if code is not None and code not in CODES:
                raise self.refusal(call, WORDS[CODE].format(value=code))

    def check_passed(self, call: ast.Call, name: str) -> None:
        """Refuse a function of the cell that gets the workspace, or its state, under another name."""
        own = ("memory", "state")
        helper = [argument.arg for argument in self.found.helpers[name].tree.args.args]
        passed = [*zip(helper, call.args, strict=False), *((word.arg, word.value) for word in call.keywords)]
        for argument, value in passed:
            table = value.id if isinstance(value, ast.Name) and value.id in LINKS else ""
            if table != (argument if argument in LINKS else ""):
                raise self.refusal(
                    call, f"passes {ast.unparse(value)!r} as {argument!r}; orders and positions keep their names"
                )
            given = value.id if isinstance(value, ast.Name) and value.id in own else ""
            if (given == "memory" or argument in own) and given != argument:
                raise self.refusal(
                    call, f"passes {ast.unparse(value)!r} as {argument!r}; memory and state keep their names"
                )

    def divisor(self, node: ast.expr) -> ast.expr:
        """A divisor with its guard, if it is not a number."""
        if _constant(node) == 0:
            raise self.refusal(node, WORDS[DIVISOR])
        return node if _constant(node) is not None else self.guard(guarded_divisor, node)

    def whole(self, node: ast.expr, at: ast.AST) -> ast.expr:
        """A value that is kept as an integer, with its guard unless it is one, as every number of a record is."""
        number = _constant(node)
        if number is None:
            return node if isinstance(node, ast.Attribute) else self.guard(guarded_whole, node, at=at)
        if number % 1 != 0:
            raise self.refusal(at, WORDS[WHOLE].format(value=number))
        return ast.copy_location(ast.Constant(int(number)), node)

    def guard(self, function: Any, node: ast.expr, *more: ast.expr, at: Any = None) -> ast.expr:
        """The call of a guard with the value that it guards, at the place of `at`, else of the value."""
        place = [ast.Constant(self.mark), ast.Constant((at or node).lineno)]
        call = ast.Call(ast.Name(function.__name__, ast.Load()), [node, *more, *place], [])
        return ast.copy_location(call, at or node)

    def refusal(self, node: ast.AST, why: str) -> InputError:
        """The error that names the line of a node."""
        return InputError(f"{self.found.at(node)} {why}")


def _constant(node: ast.AST) -> Any:
    """The number written, with its sign; None if it is none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _constant(node.operand)
        return -number if number is not None else None
    return node.value if isinstance(node, ast.Constant) else None


def _is_small(node: ast.BinOp) -> bool:
    """True of the sum with a small number, and of an index of the workspace, which has a guard of its own."""
    if not isinstance(node.op, (ast.Add, ast.Sub)):
        return False
    numbers = [_constant(side) for side in (node.left, node.right)]
    indexes = any(isinstance(side, ast.Attribute) and side.attr == "memory" for side in (node.left, node.right))
    return indexes or any(number is not None and abs(number) < SMALL for number in numbers)
