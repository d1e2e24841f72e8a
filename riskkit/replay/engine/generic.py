"""The generic loop: one loop for every set of catalogue rules, in which the facts of a `Shape` are data.

`riskkit.replay.engine.specialise` folds the facts of a shape into the text of a loop. Here the same template becomes a loop
in which they are read: a fact of the rules, ``rule.can_pause``, becomes a word of the rule's row in ``rule_words``, a loop
over rules a loop over these rows, and a hook a function that branches on the rule's type. What is read is found while the
text is made (`Layout`), and filled by evaluating the same expressions for a shape (`fill`). Parameters, terms and the
addresses of the tables of rules and groups are words too, so that the loop takes the same arguments for every rule set.

A column that a log does not have is one default value, and its row number is masked to zero.
"""

from __future__ import annotations

import ast
from functools import cache
from typing import Any, NamedTuple

from riskkit.replay.engine.generic_hooks import NOTHING, answered, coded
from riskkit.replay.engine.generic_statements import branching_arguments, pointed, reads, stored
from riskkit.replay.engine.generic_words import (
    BANKS,
    EVENTS,
    GROUP,
    GROUP_WORDS,
    MASKED,
    POINTED,
    RULE,
    RULE_WORDS,
    SCOPE_NUMBERS,
    SHAPE,
    Fact,
    Facts,
)
from riskkit.replay.engine.shape import HOOKS, TABLES, VARIABLES, Shape
from riskkit.replay.engine.specialise import Loop, Scope, Specialiser
from riskkit.replay.engine.state import rule_dtype
from riskkit.replay.engine.template import (
    Family,
    Values,
    arguments_of,
    names_in,
    parsed,
    position_of,
    statements,
    template,
)
from riskkit.replay.kernels.book import ACCOUNT, CASH_BALANCE, POSITION
from riskkit.replay.kernels.records import record_dtype
from riskkit.replay.kernels.runtime import Judgement, Terms
from riskkit.replay.rules.rule import RuleType, parameter_names, rule_types
from riskkit.replay.rules.verdict import CapVerdict
from riskkit.replay.schema.columns import OPTIONAL, REQUIRED, EventRow
from riskkit.replay.schema.scopes import SCOPES

COLUMNS = (*REQUIRED, *MASKED)
WORDS = ("rule_words", "group_words", "shape_words")
CONSTANT = {"columns", "tables", "words"}  # the same for every shape
GROUP_LISTS = {"groups", "cash_groups", "sums", "groups_told", "currency_groups", "sums_told"}
# functions that are compiled once -> the variables that they change; numba's work grows faster than a function
SHARED = {
    **dict.fromkeys(("stop_work", "after_change", "lots_changed", "revalue_groups"), ""),
    **dict.fromkeys(("tell_amended", "tell_adjusted", "book_lots"), ""),
    **dict.fromkeys("look_up_rules record_outcome tell_group tell_key tell_rules revalue_holders".split(), "used"),
    **dict.fromkeys(("on_order", "on_fill", "on_modify", "on_cancel", "on_amend", "on_price", "on_control"), "used"),
    "judge_message": "reducing, verdict, later",
    "read_event": "event",
}
NUMBERS = ("change", "accepted", "reducing", "later", "committed_before", "rest_before", "worth_before", "fee")


class Symbol(NamedTuple):
    """What a name of the template stands for in the generic loop: the shape, or a row of rules or groups."""

    level: str
    row: str = ""
    kind: Any = None  # of a rule, if it has a covariance


@cache
def catalogue() -> tuple[RuleType, ...]:
    """The rule types that the generic loop holds."""
    import riskkit.replay.rules.catalogue
    import riskkit.replay.rules.circuit_breaker  # noqa: F401

    return tuple(kind for kind in rule_types() if is_generic(kind))


@cache
def catalogue_loop() -> tuple[Loop, Facts]:
    """The generic loop of the whole catalogue, made anew, and what it reads."""
    return Generic(catalogue()).loop_and_facts()


def is_generic(kind: RuleType) -> bool:
    """True if a type is of the catalogue, which the generic loop holds."""
    return not kind.source_hash and kind.parameters.__module__.startswith("riskkit.replay.rules.")


class _Every(Shape):
    """The shape of which only the constant facts are read."""

    @property
    def tables(self) -> tuple[str, ...]:
        return (*TABLES, "cash_balances", "fills", "rates", "conversions", "converted_books", "totals")

    @property
    def words(self) -> tuple[str, ...]:
        return (
            "clocks", "bounds", "sample_at", "sampled", "memory", "counts", "reals", "rows", "paths", "nets", *WORDS, "events",
        )  # fmt: skip


_CANONICAL = _Every((), *(True,) * 15, (), True, True, True, tuple(OPTIONAL))


def arguments() -> list[str]:
    """Names of the arguments of ``run``, in order."""
    return ["start", "stop", *(f"all_{name}" for name in (*COLUMNS, *_CANONICAL.tables, *_CANONICAL.words))]


class Generic(Specialiser):
    """Generates the generic loop of some rule types."""

    keeps_statements = False  # books, events and columns are read in another way

    def __init__(self, kinds: tuple[RuleType, ...]) -> None:
        super().__init__(_CANONICAL)
        self.kinds = kinds
        self.found: dict[str, list[Fact]] = {"shape": [], "rule": [], "group": []}
        self.facts["shape"] = Symbol("shape")
        self.rows = 0
        self.within = ""  # the separate function that is being made
        self.slots = 0  # events in memory: one of each function that makes events
        self.names |= {
            "CapVerdict": CapVerdict, "Judgement": Judgement, "state_at": rule_dtype(kinds[0], fields=False),
            "terms_at": record_dtype(Terms._fields),
            **{f"pointer_{name}": dtype for name, dtype in POINTED.items()},
            "positions_at": record_dtype(POSITION), "accounts_at": record_dtype(ACCOUNT),
            "cash_at": record_dtype(CASH_BALANCE),
        }  # fmt: skip

    def loop_and_facts(self) -> tuple[Loop, Facts]:
        """The loop and what it reads."""
        loop = self.loop()
        for level, head, most in (("rule", RULE, RULE_WORDS), ("group", GROUP, GROUP_WORDS)):
            assert len(head) + len(self.found[level]) <= most, level
        assert self.slots < EVENTS
        return loop, Facts(*(tuple(self.found[level]) for level in Facts._fields))

    def arguments(self) -> list[str]:
        """Names of the arguments of ``run``."""
        return arguments()

    def function(self, name: str, source: ast.FunctionDef, kinds: Values) -> ast.FunctionDef:
        """A separate function, one for all kinds; one of `BANKS` keeps the records of rules apart from its caller's."""
        name = source.name
        if name not in self.made:
            given = [argument.arg for argument in source.args.args]
            values = {one: symbol for one in given if (symbol := self.parameter(one))}
            self.within, outer = name, self.within
            ended = statements([f"return {SHARED[name]}"], source.body[0]) if SHARED.get(name) else None
            body = self.block(source.body, Scope({**self.facts, **values}, None, ended, ended is not None))
            self.within = outer
            if name in BANKS[1:]:
                body = [*statements([f"bank = {BANKS.index(name)}"], source.body[0]), *body]
            if name != "read_event" and any(reads(statement, "event_slot") for statement in body):
                self.slots += 1
                body = [*statements([f"event_slot = {self.slots - 1}"], source.body[0]), *body]
            changed = SHARED.get(name, "").split(", ")
            if unset := [one for one in changed if one in NUMBERS]:
                body = [*statements([f"{' = '.join(unset)} = 0"], source.body[0]), *body]
            body += ended or []
            if name != "run":
                body = [pointed(statement) for statement in body]
            made = ast.FunctionDef(name, arguments_of(given, source), body, [], **position_of(source))
            made.args = arguments_of([*given, *(["used"] if changed == ["used"] else []), *self.free(made)], source)
            self.made[name] = made
        return self.made[name]

    @staticmethod
    def parameter(name: str) -> Symbol | None:
        """What an argument of a separate function stands for; None for a number."""
        return Symbol(name, name) if name in ("kind", "rule", "group") else None

    def called(self, call: ast.Call, function: ast.FunctionDef, values: Values) -> ast.Call:
        """A call of a separate function, with the variables that it reads."""
        made = self.function(function.name, function, {})
        given = [self.given(node, values) for node in call.args]
        rest = [parsed(argument.arg, call) for argument in made.args.args[len(given) :]]
        return ast.Call(parsed(function.name, call), [*given, *rest], [], **position_of(call))

    def given(self, node: ast.expr, values: Values) -> ast.expr:
        """An argument of a separate function: the row of a rule or group, or a number."""
        passed = self.passed(node, values)
        if isinstance(passed, Symbol):
            return parsed(passed.row, node)
        return passed if isinstance(passed, ast.expr) else self.constant(node, passed)

    # ------------------------------------------------------------------ statements

    def statement(self, node: ast.stmt, scope: Scope) -> list[ast.stmt]:
        """The statements that remain of one statement."""
        values = scope.values
        match node:
            case ast.For(ast.Name(target), over, body) if self.level(over, values):
                return self.loop_over(node, target, over, body, values)
            case ast.Assign([ast.Attribute(ast.Name(owner), "state")], ast.Call(ast.Name("at"), [_, key])) if _is_rule(
                values.get(owner)
            ):
                return self.looked_up(node, values[owner], key, values)
            case ast.Assign([ast.Attribute(ast.Name(owner), name)], value) if _is_rule(values.get(owner)):
                word = self.word_of(values[owner], name)
                return [ast.Assign([stored(word, node)], self.expression(value, values), **position_of(node))]
            case ast.Expr(ast.Call(ast.Name(name)) as call) if name in SHARED:
                made = self.called(call, template().functions[name], values)
                before = branching_arguments(made)
                if not SHARED[name]:
                    return [*before, ast.Expr(made, **position_of(node))]
                return [*before, ast.Assign([stored(SHARED[name], node)], made, **position_of(node))]
            case ast.For(_, over) if ast.unparse(over) == "shape.words":
                return [*super().statement(node, scope), *statements(self.opening(), node)]
        return super().statement(node, scope)

    def opening(self) -> list[str]:
        """Statements after the arguments are known: masks of columns, and records for paths that look up none."""
        masks = [f"mask_{name} = shape_words[{SHAPE.index(f'mask_{name}')}]" for name in MASKED]
        records = {"position": "positions", "account": "accounts", "instrument": "instruments", "order": "orders",
                   "parent_order": "orders", "cash_balance": "cash_balances", "peer": "positions",
                   "member": "accounts"}  # fmt: skip
        rest = ["bank = 0", "verdict = Judgement(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)", f"{' = '.join(NUMBERS)} = 0"]
        return [*masks, *(f"{name} = at({table}, -1)" for name, table in records.items()), *rest]

    def looked_up(self, node: ast.stmt, rule: Symbol, key: ast.expr, values: Values) -> list[ast.stmt]:
        """Assignments of the address of a rule's record, and of its key if that follows from the event."""
        place, made = self.place(rule, key, values), []
        if isinstance(key, ast.Attribute) and key.attr == "key":
            word = self.word_of(rule, "key")
            found = parsed(self.key(rule, "event_key"), key)
            made = [ast.Assign([stored(word, node)], found, **position_of(node))]
            place.right.right = parsed(word, key)  # type: ignore[attr-defined]
        return [*made, ast.Assign([stored(self.word_of(rule, "state"), node)], place, **position_of(node))]

    def loop_over(
        self, node: ast.For, target: str, over: ast.expr, body: list[ast.stmt], values: Values
    ) -> list[ast.stmt]:
        """A loop over the rows of all rules or groups, of which only the members of a list take part."""
        text = ast.unparse(over)
        if text == "shape.rules":  # their tables are found by address
            return []
        listed = over.attr if isinstance(over, ast.Attribute) else ""
        level = "group" if listed in GROUP_LISTS else "rule"
        self.rows += 1
        row = f"{level}_{self.rows}"
        kind = next(kind for kind in self.kinds if "covariance" in kind.requires) if listed == "gauging" else None
        inner = {**values, target: Symbol(level, row, kind)}
        inside = self.block(body, Scope(inner, None, None, True))
        if not inside:
            return []
        if text != "shape.groups":
            one = ast.Name(target, ast.Load(), **position_of(over))
            test = ast.Compare(one, [ast.In()], [over], **position_of(over))
            inside = [ast.If(self.expression(test, inner), inside, [], **position_of(node))]
        words = RULE_WORDS if level == "rule" else GROUP_WORDS
        count = f"shape_words[{SHAPE.index(f'{level}s')}]"
        rows = parsed(f"range(0, {count}, {words})", over)
        return [ast.For(stored(row, node), rows, inside, [], **position_of(node))]

    # ------------------------------------------------------------------ expressions

    def expression(self, node: ast.expr, values: Values) -> ast.expr:
        """One expression, with its facts read from their words."""
        if isinstance(node, ast.Name) and _is_kind(values.get(node.id)):  # the number itself, not a fact of it
            return parsed(values[node.id].row, node)
        if self.level(node, values):
            return self.read(node, values)
        match node:
            case ast.IfExp(_, body, ast.Constant(None)):  # a record that is looked up in any case
                return self.expression(body, values)
            case ast.Call(ast.Name("Book")):
                return self.book(node, values)
            case ast.Call(ast.Name("EventRow"), given):  # in memory: a call passes one address, not twenty numbers
                whole = [self.number(one, values) for one in given]
                write = parsed(self.written(EventRow, "event"), node)
                return ast.Call(write, [parsed("at(events, event_slot)", node), *whole], [], **position_of(node))
            case ast.Call(ast.Name("at"), [ast.Attribute(ast.Name(owner), "states"), key]) if _is_rule(
                values.get(owner)
            ):
                kind = values[owner].kind
                pointer = f"states_{kind.name}" if kind else "state_at"
                record = parsed(f"at({pointer}(0), 0)", node)
                record.args[0].args[0] = self.place(values[owner], key, values)  # type: ignore[attr-defined]
                return record
            case ast.Call(ast.Attribute(ast.Name(owner), hook)) if _is_rule(values.get(owner)) and hook in HOOKS:
                return self.hook(node, values[owner], hook, values)
        made = super().expression(node, values)
        match made:
            case ast.Subscript(ast.Name(name), row) if name.removeprefix("log_") in MASKED and name != "log_":
                mask = parsed(f"mask_{name.removeprefix('log_')}", row)
                if not (isinstance(row, ast.BinOp) and ast.unparse(row.right) == ast.unparse(mask)):
                    return ast.Subscript(made.value, ast.BinOp(row, ast.BitAnd(), mask, **position_of(row)),
                                         made.ctx, **position_of(made))  # fmt: skip
        return made

    def number(self, node: ast.expr, values: Values) -> ast.expr:
        """An expression as a number of 64 bits."""
        made = self.expression(node, values)
        is_one = isinstance(made, ast.Constant) or (isinstance(made, ast.Call) and ast.unparse(made.func) == "int64")
        return made if is_one else ast.Call(parsed("int64", node), [made], [], **position_of(node))

    def book(self, node: ast.Call, values: Values) -> ast.expr:
        """A book of the same type everywhere: the empty records in place of None."""
        empty = {6: "at(cash_balances, -1)", 7: "at(orders, -1)"}
        args = [
            parsed(empty[k], node)
            if isinstance(arg, ast.Constant) and arg.value is None
            else (self.number if k in (4, 5) else self.expression)(arg, values)
            for k, arg in enumerate(node.args)
        ]
        return ast.Call(node.func, args, [], **position_of(node))

    def passed(self, node: ast.expr, values: Values) -> Any:
        """An argument: a row of rules or groups, or as in a loop of one shape."""
        match node:
            case ast.Name(name) if isinstance(values.get(name), Symbol):
                return values[name]
            case ast.Attribute(ast.Name(owner), "group") if _is_rule(values.get(owner)):
                return Symbol("group", self.word_of(values[owner], "group"))
        return super().passed(node, values)

    def place(self, rule: Symbol, key: ast.expr, values: Values) -> ast.expr:
        """The address of the record of a key."""
        made = parsed(f"{self.word_of(rule, 'address')} + {self.word_of(rule, 'stride')} * 0", key)
        made.right.right = self.expression(key, values)  # type: ignore[attr-defined]
        return made

    def hook(self, call: ast.Call, rule: Any, hook: str, values: Values) -> ast.expr:
        """A call of the function that calls the hook of a rule's type."""
        given = {keyword.arg: self.expression(keyword.value, values) for keyword in call.keywords}
        given |= {name: parsed(self.word_of(rule, name), call) for name in ("duplicates", "best", "met")}
        given.setdefault("rate", parsed("at(conversions, -1)", call))
        given.setdefault("held", parsed("positions", call))
        names = self.branches(hook)
        code = self.word_of(rule, "check" if hook == "check" else "type")
        own = [code, self.word_of(rule, "state"), self.limits(rule)]
        taken = [given.get(name) or parsed(name, call) for name in names]
        return ast.Call(
            parsed(f"call_{hook}", call), [*(parsed(text, call) for text in own), *taken], [], **position_of(call)
        )

    def branches(self, hook: str) -> list[str]:
        """Make the function that calls the hook of a type; return the arguments after those of the rule."""
        called = [(code, kind, function) for code, kind, function in coded(self.kinds, hook) if function is not None]
        asked = dict.fromkeys(name for _, _, function in called for name in parameter_names(function))
        names = [name for name in asked if name not in ("state", "params")]
        if (name := f"call_{hook}") in self.made:
            return names
        lines = [f"def {name}({', '.join(['code', 'place', 'numbers', *names])}):"]
        for code, kind, function in called:
            own = {"state": f"at(states_{kind.name}(place), 0)", "params": self.parameters(kind, "numbers")}
            self.names[f"{hook}_{code}_{kind.name}"] = function
            self.names[f"states_{kind.name}"] = rule_dtype(kind)
            passed = ", ".join(own.get(name, name) for name in parameter_names(function))
            lines += [f"    if code == {code}:", *answered(hook, kind, f"{hook}_{code}_{kind.name}({passed})")]
        (made,) = ast.parse("\n".join([*lines, f"    return {NOTHING.get(hook, '0')}"])).body
        assert isinstance(made, ast.FunctionDef)
        self.made[name] = made
        return names

    def limits(self, rule: Symbol) -> str:
        """The address of the parameters of a rule, or of the version of them that holds for its record."""
        step, state = self.word_of(rule, "version"), self.word_of(rule, "state")
        return f"{self.word_of(rule, 'params')} + ({step} * at(state_at({state}), 0).version if {step} else 0)"

    def parameters(self, kind: RuleType, address: str) -> str:
        """The parameters of a rule of a type, at their address."""
        made = kind.integer_parameters or kind.parameters
        self.names[f"params_{kind.name}"] = record_dtype(made._fields)
        return f"at(params_{kind.name}({address}), 0)"

    def written(self, made: Any, name: str) -> str:
        """Name of the function that writes the fields of a record and returns it."""
        if (function := f"write_{name}") not in self.made:
            lines = [f"def {function}({', '.join([name, *made._fields])}):"]
            lines += [f"    {name}.{field} = {field}" for field in made._fields]
            (written,) = ast.parse("\n".join([*lines, f"    return {name}"])).body
            assert isinstance(written, ast.FunctionDef)
            self.made[function] = written
        return function

    # ------------------------------------------------------------------ facts

    def level(self, node: ast.expr, values: Values) -> str | None:
        """Whose fact an expression is: a shape's, rule's, group's or pair's; empty if constant; None if it is no fact."""
        names, attributes = names_in(node)
        if not names <= values.keys() or any(isinstance(values[name], (ast.AST, Family)) for name in names):
            return None
        if any(self.variable(values[owner], name) is not None for owner, name in attributes):
            return None
        levels = {values[name].level for name in names if isinstance(values[name], Symbol)} - {"kind"}
        if levels <= {"shape"}:
            asked = {name for owner, name in attributes if isinstance(values[owner], Symbol)}
            return "" if asked <= CONSTANT and not any(_is_kind(values[name]) for name in names) else "shape"
        return "pair" if {"rule", "group"} <= levels else (levels - {"shape"}).pop()

    def is_fact(self, node: ast.expr, values: Values) -> bool:
        """True if an expression is the same for all shapes."""
        return self.level(node, values) == ""

    def fact(self, node: ast.expr, values: Values) -> Any:
        """The value of an expression of facts that are the same for all shapes."""
        return super().fact(node, {**values, "shape": self.shape})

    def read(self, node: ast.expr, values: Values) -> ast.expr:
        """The word of a fact."""
        level = str(self.level(node, values))
        names, _ = names_in(node)
        symbols = {values[name].level: values[name] for name in names if isinstance(values[name], Symbol)}
        known = {name: values[name] for name in sorted(names - template().facts.keys())}
        number = str(known.pop("kind", ""))
        kind = "kind" if "kind" in symbols else number
        constants = tuple((name, value) for name, value in known.items() if not isinstance(value, Symbol))
        fact = Fact(level, ast.unparse(node), constants, bool(kind))
        facts = self.found["rule" if level == "pair" else level]
        if fact not in facts:
            facts.append(fact)
        place = facts.index(fact)
        text = {
            "shape": lambda: f"shape_words[{len(SHAPE) + place}]",
            "group": lambda: f"group_words[{symbols['group'].row} + {len(GROUP) + place}]",
        }.get(level, lambda: f"rule_words[{symbols['rule'].row} + {len(RULE) + place}]")()
        bit = kind or (f"group_words[{symbols['group'].row}]" if level == "pair" else "")
        return parsed(f"({text} >> {bit}) & 1" if bit else text, node)

    def variable(self, owner: Any, name: str) -> str | None:
        """The variable, function or word of an attribute of `owner`; None if it is a fact."""
        if not isinstance(owner, Symbol):
            return super().variable(owner, name)
        if owner.level == "group" and name in GROUP[1:]:
            return f"{name}_at(group_words[{owner.row} + {GROUP.index(name)}])"
        return self.rule_variable(owner, name) if owner.level == "rule" else None

    def rule_variable(self, rule: Symbol, name: str) -> str | None:
        """The expression of a variable of a rule."""
        match name:
            case "state":
                return f"at(state_at({self.word_of(rule, 'state')}), 0)"
            case "terms":
                return f"at(terms_at({self.word_of(rule, 'terms')}), 0)"
            case "params":
                alone = rule.kind or next(kind for kind in self.kinds if "duplicates" in kind.requires)
                return self.parameters(alone, self.limits(rule))
            case "states":
                self.names[f"states_{rule.kind.name}"] = rule_dtype(rule.kind)
                return f"states_{rule.kind.name}({self.word_of(rule, 'address')})"
            case "n_keys" | "reducing" | "best" | "met" | "duplicates":
                return self.word_of(rule, name)
            case "match_mode":  # the first parameter of `self_match`
                return self.word_of(rule, "param_0")
            case "lifetime":  # the second one of `credit`
                return self.word_of(rule, "param_1")
            case "group_positions" | "group_accounts":
                table = name.removeprefix("group_")
                return f"{table}_at(group_words[{self.word_of(rule, 'group')} + {GROUP.index(table)}])"
            case "key":  # known since the record was looked up, but of lots that no event of their own brings
                told = self.within in ("tell_amended", "tell_adjusted")
                return self.key(rule, "event_key") if told else self.word_of(rule, "key")
            case "order_key" | "member_key" | "position_key":
                return self.key(rule, name)
        return name if name in HOOKS or name in VARIABLES else None

    def key(self, rule: Symbol, name: str) -> str:
        """The key of a rule's record, by its scope."""
        found: dict[str, list[str]] = {}
        for scope, row in SCOPES.items():
            found.setdefault(getattr(row, name), []).append(f"scope == {SCOPE_NUMBERS[scope]}")
        read = {found: ".".join(found.split(".")[:2]) for found in found if "." in found}  # a field, or a record
        given = {text: text.replace(".", "_") for text in dict.fromkeys(read.values())}
        if name not in self.made:
            lines = [f"def {name}({', '.join(['scope', *given.values()])}):"]
            for text, tests in found.items():
                own = text.replace(read[text], given[read[text]]) if text in read else text
                lines += [f"    if {' or '.join(tests)}:", f"        return int64({own})"]
            (made,) = ast.parse("\n".join([*lines, "    return -1"])).body
            assert isinstance(made, ast.FunctionDef)
            self.made[name] = made
        return f"{name}({', '.join([self.word_of(rule, 'scope'), *given])})"

    def word_of(self, rule: Symbol, name: str) -> str:
        """A word of a rule; ``bank`` tells the records that `BANKS` look up apart."""
        if name in ("state", "key"):
            return f"rule_words[{rule.row} + {RULE.index(f'{name}_{BANKS[0]}')} + bank]"
        return f"rule_words[{rule.row} + {RULE.index(name)}]"


def _is_kind(value: Any) -> bool:
    return isinstance(value, Symbol) and value.level == "kind"


def _is_rule(value: Any) -> bool:
    return isinstance(value, Symbol) and value.level == "rule"
