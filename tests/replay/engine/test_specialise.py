"""The loop is made from the template: what is folded, unrolled, inlined and passed, and what is refused, in sentences."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from dataclasses import replace
from types import ModuleType

import pytest
from streams import random_log

from riskkit.replay.engine import loop
from riskkit.replay.engine import specialise as module
from riskkit.replay.engine.compiler import ReplayLoop, shape_of
from riskkit.replay.engine.generic import catalogue_loop
from riskkit.replay.engine.loop import judgement
from riskkit.replay.engine.shape import HOOKS, GroupShape, RuleShape, Shape, arguments
from riskkit.replay.engine.specialise import specialise
from riskkit.replay.engine.template import sources
from riskkit.replay.rules import catalogue
from riskkit.replay.rules.money import WHOLE
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import OPTIONAL, EventKind
from riskkit.replay.schema.scopes import SCOPES
from riskkit.rules import OrderRate, PositionLimit

FACTS = {
    "enforce": False, "marks": False, "orders": False, "controls": False, "samples": False, "cancels": False,
    "modifies": False, "others": False, "chains": False, "cash": False, "duplicates": False, "parents": False, "tags": False,
    "exposures": False, "references": False, "answers": False, "amends": False, "flattens": False, "commands": False,
    "dividends": False, "snapshots": False, "fundings": False, "adjusts": False, "settles": False, "splits": False, "credits": False,
    "multipliers": False, "phases": False, "externals": False, "unconfirmed": False,
    "closes": False, "lifetimes": False, "turnover": False,
}  # fmt: skip
GROUPS = tuple(GroupShape(name, scope.group == "holders") for name, scope in SCOPES.items() if scope.group)
BY_CURRENCY = tuple(GroupShape(name, False, True, separate) for name in WHOLE for separate in (False, True))
NOTHING = Shape((), **FACTS, groups=(), columns=())
EVERYTHING = Shape((), **dict.fromkeys(FACTS, True), groups=GROUPS, columns=tuple(OPTIONAL))
ASKED = {
    "check": (
        "state",
        "params",
        "book",
        "event",
        "memory",
        "reals",
        "reducing",
        "orders",
        "positions",
        "duplicates",
        "held",
        "best",
        "met",
        "later",
    ),
    "update": ("state", "params", "book", "event", "memory", "reals", "accepted", "passed", "orders"),
    "on_new_day": ("state", "params", "book", "memory"),
    "reset": ("state", "params", "book", "memory"),
    "evict": ("state", "params", "event", "memory"),
    "apply_pending": ("state", "params", "book", "event", "sign", "memory"),
    "amend": ("state", "params", "book", "event", "sign", "today", "memory", "reals"),
    "on_pause_end": ("state", "params", "event"),
    "holds_back": ("state", "params"),
    "leave": ("state", "memory", "release"),
}


def rule(number: int = 0, hooks=ASKED, **facts) -> RuleShape:
    """A rule that does everything, but for `facts`."""
    given = {
        "scope": "account",
        "halts": False,
        "checked_by_pause": False,
        "nodes_per_event": 2,
        "checks_on": (0, 1),
        "updates_on": tuple(EventKind),
        "alerts_on": (EventKind.CANCEL,),
        "group": None,
        "reads": ("exposure", "profit"),
    }
    given |= dict.fromkeys(
        (
            "can_pause",
            "breach_trips",
            "caps",
            "exempt_reducing",
            "working",
            "covariance",
            "volume",
            "opening",
            "whole",
            "recovers",
        ),
        True,
    )
    given |= {"group": next((group for group in GROUPS if group.scope == facts.get("scope")), None)}
    return RuleShape(number, f"rule_{number}", **{**given, **facts}, hooks=tuple(hooks.items()))


# ---------------------------------------------------------------------- the whole template


def walk() -> list[Shape]:
    """Shapes that differ in all that decides the text."""
    scopes = ("account", "instrument", "account_instrument", "connection", "global", "desk", "strategy")
    rules = tuple(rule(number, scope=scope, halts=number == 1) for number, scope in enumerate(scopes))
    rules += (rule(len(rules), hooks={"reset": ASKED["reset"]}, scope="desk"),)
    rules += (rule(len(rules), hooks={"check": ("state", "params", "event")}, overridden=True),)
    paced = {name: ASKED[name] for name in ("check", "leave")} | {"update": ("state", "released")}
    rules += (rule(len(rules), hooks=paced, queues=True),)
    hooks = [{**ASKED, "check": ("params", "rate")}] * len(BY_CURRENCY) + [{"reset": ASKED["reset"]}]
    rated = tuple(
        rule(len(rules) + number, found, scope=group.scope, group=group, converts=True, alerts_on=())
        for number, (found, group) in enumerate(zip(hooks, (*BY_CURRENCY, BY_CURRENCY[0]), strict=True))
    )
    lent = {"check": ("params", "event", "rate")}
    rated += (rule(len(rules) + len(rated), hooks=lent, group=None, converts=True, credit=True, alerts_on=()),)
    hooks = [{}, *({name: ASKED[name]} for name in HOOKS)]
    few = tuple(rule(number, hooks=found, can_pause=number % 2 == 0) for number, found in enumerate(hooks))
    shapes = [EVERYTHING._replace(rules=rules), NOTHING, NOTHING._replace(rules=few, duplicates=True, orders=True)]
    shapes += [EVERYTHING._replace(rules=(*rules, *rated), groups=(*GROUPS, *BY_CURRENCY))]
    shapes += [EVERYTHING._replace(rules=few, marks=False, parents=False, snapshots=False, externals=False, columns=())]
    told_apart = rule(0, scope="smp_id", can_pause=False, reads=("offers",)), rule(1, tagged=True)
    shapes += [EVERYTHING._replace(rules=told_apart), EVERYTHING._replace(rules=few, unconfirmed=True)]
    shapes += [NOTHING._replace(netted=True, samples=True, others=True, dividends=True)]
    return [*shapes, EVERYTHING._replace(rules=few[:3], enforce=False, cancels=False, cash=False, tags=False)]


@pytest.mark.slow
def test_every_statement_of_the_template_is_in_a_loop_that_python_compiles():
    lines = set()
    for shape in walk():
        found = specialise(shape)
        compile(found.tree, loop.__file__, "exec")
        assert ast.unparse(ast.parse(found.text).body[-1]) == ast.unparse(found.functions[-1])
        lines |= {node.lineno for node in ast.walk(found.tree) if isinstance(node, ast.stmt)}
    folded = (ast.FunctionDef, ast.If, ast.For, ast.Global, ast.Return)
    functions = [
        node
        for file in sources()
        for node in ast.increment_lineno(ast.parse(file.text), file.before).body
        if isinstance(node, ast.FunctionDef)
    ]
    inlined = {function.name for function in functions} - set(loop.FUNCTIONS)
    written = {
        node.lineno
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.stmt) and not isinstance(node, folded)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))  # docstrings
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in inlined)
    }  # fmt: skip
    assert written - lines == set()


def test_a_name_means_the_same_in_all_files_of_the_template():
    found = {}
    for file in loop.FILES:
        own = {name: value for name, value in vars(file).items() if not name.startswith("__")}
        assert [name for name, value in own.items() if found.setdefault(name, value) is not value] == []


def test_nothing_is_left_of_what_a_shape_does_not_need():
    text = specialise(NOTHING).text
    for word in (
        "shape",
        "log.",
        "rule",
        "flags",
        "cash_balances",
        "moved(",
        "cancel_working(",
        "judge_modify(",
        "reals",
        "prev_duplicate",
        "released",
        "leave",
    ):
        assert word not in text, word
    assert "judge_modify(" in specialise(EVERYTHING).text


# ---------------------------------------------------------------------- names


def test_rule_sets_that_differ_in_ids_share_a_loop():
    log = random_log(1, 30)
    first = RuleSet([Rule("rate", OrderRate(limit=3, window_ns="1s")), Rule("size", PositionLimit(limit=4))])
    other = RuleSet([replace(one, id=f"another_{one.id}") for one in first])
    options = {"enforce": False, "sampled": False, "cancels": False, "opened": False}
    shape = shape_of(first, log.columns, **options)
    assert shape == shape_of(other, log.columns, **options)
    assert ReplayLoop(first, shape, compiled=False).run is ReplayLoop(other, shape, compiled=False).run
    text = specialise(shape).text
    for name in ("state_order_rate_0", "params_position_limit_1", "check_order_rate_0(", "update_order_rate_0("):
        assert name in text
    assert "another" not in text and "rate.state" not in text


@pytest.mark.parametrize("parameters", catalogue.__all__)
def test_two_rules_of_one_type_have_variables_of_their_own(parameters):
    kinds = [value for value in vars(sys.modules[getattr(catalogue, parameters).__module__]).values()]
    kind = next(one for one in kinds if getattr(one, "parameters", None) is getattr(catalogue, parameters))
    shape = Shape(
        tuple(
            rule(number, {hook: getattr(kind, hook).__code__.co_varnames[: getattr(kind, hook).__code__.co_argcount]
                          for hook in HOOKS if getattr(kind, hook)}, working="working" in kind.requires,
                 covariance="covariance" in kind.requires, checks_on=tuple(kind.checks_on), updates_on=tuple(kind.updates_on), alerts_on=())
            for number in range(2)
        ), **{**FACTS, "orders": True, "duplicates": True, "marks": True, "others": True, "cash": True, "chains": True,
              "parents": True, "exposures": True}, groups=(), columns=(),
    )  # fmt: skip
    found = specialise(shape)
    compile(found.tree, loop.__file__, "exec")
    names = {node.id for node in ast.walk(found.tree) if isinstance(node, ast.Name)}
    assert {"states_rule_0", "states_rule_1"} <= names
    assert [argument.arg for argument in found.functions[-1].args.args] == arguments(shape)


def test_an_argument_that_is_no_variable_of_the_loop_is_refused():
    shape = NOTHING._replace(rules=(rule(hooks={"check": ("state", "weather")}, covariance=False),))
    with pytest.raises(
        SyntaxError, match="check of rule_0 has the argument 'weather', which is no variable of the loop"
    ) as error:
        specialise(shape)
    assert error.value.filename == judgement.__file__
    assert linecache.getline(judgement.__file__, error.value.lineno).strip() == error.value.text.strip()
    assert "rule.check(" in error.value.text


# ---------------------------------------------------------------------- one step each, on templates of a few lines


@pytest.fixture
def made(monkeypatch):
    """Specialise a template of a few lines."""

    def make(text: str, shape: Shape = NOTHING) -> str:
        head = "variable = None\ni = used = counts = variable\n"
        file = ModuleType("template")
        vars(file).update(module.template().namespace, __file__=loop.__file__)
        monkeypatch.setattr(loop, "FILES", (file,))
        monkeypatch.setattr(inspect, "getsource", lambda of: head + inspect.cleandoc(text))
        sources.cache_clear()
        module.template.cache_clear()
        return "\n".join(map(ast.unparse, specialise(shape).functions)).replace(", ".join(arguments(shape)), "...")

    yield make
    monkeypatch.undo()
    sources.cache_clear()
    module.template.cache_clear()


def test_facts_are_folded(made):
    text = made("""
        def run(start, stop):
            if shape.cash:
                return start
            elif start > 0 and not shape.cash:
                return EventKind.FILL + start
            elif shape.cash or stop > 0 or shape.orders:
                return stop if shape.cash else -stop
            return MISSING
        """)
    assert text == inspect.cleandoc("""
        def run(...):
            if start > 0:
                return 3 + start
            elif stop > 0:
                return -stop
            return -9223372036854775808
        """)


def test_rules_are_unrolled_and_their_variables_named(made):
    hooks = ({"on_new_day": ("state", "params")}, {"on_new_day": ("params", "sign", "state")}, {})
    rules = (rule(k, found, scope="global" if k == 0 else "desk") for k, found in enumerate(hooks))
    text = made(
        """
        def run(start, stop):
            for rule in shape.rules:
                rule.state = at(table(rule.array), rule.key if rule.scope == "global" else start)
                if rule.has("on_new_day"):
                    rule.on_new_day(sign=rule.bit)
        """,
        NOTHING._replace(rules=tuple(rules)),
    )
    assert text == inspect.cleandoc("""
        def run(...):
            state_rule_0 = at(table(all_states_rule_0), 0)
            on_new_day_rule_0(state_rule_0, params_rule_0)
            state_rule_1 = at(table(all_states_rule_1), start)
            on_new_day_rule_1(params_rule_1, 2, state_rule_1)
            state_rule_2 = at(table(all_states_rule_2), start)
        """)


def test_functions_are_inlined_and_a_return_ends_the_event(made):
    text = made("""
        def run(start, stop):
            global i
            i = start
            while i < stop:
                if i > 3:
                    skip(arrays.ts[i], shape.cash)
                else:
                    i = twice(i)
                i += 1
            return i

        def skip(time, cash):
            if time < 0:
                return
            if cash:
                link_child(time)

        def twice(number):
            return number + number
        """)
    assert text == inspect.cleandoc("""
        def run(...):
            i = start
            while i < stop:
                if i > 3:
                    if all_ts[i] < 0:
                        i += 1
                        continue
                else:
                    i = i + i
                i += 1
            return i
        """)


def test_other_functions_take_the_variables_that_they_read(made):
    text = made("""
        def run(start, stop):
            global i, used
            i = start
            used = stop
            judge(EventKind.ORDER, 7)
            judge(EventKind.MODIFY, 8)

        def judge(kind, number):
            local = number + used
            return local if kind == EventKind.ORDER else i
        """)
    assert text == inspect.cleandoc("""
        def judge_order(number, used):
            local = number + used
            return local
        def judge_modify(number, used, i):
            local = number + used
            return i
        def run(...):
            i = start
            used = stop
            judge_order(7, used)
            judge_modify(8, used, i)
        """)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return helper(1)", "helper is called in an expression, so it may only return an expression"),
        ("helper(1, 2)", "helper takes 1 arguments by position: number"),
        ("helper(1)\n    return 0", "a return ends the event, so the call must be the last statement of the loop"),
        ("return missing + 1", "'missing' is read but never assigned"),
        ("return shape.columns", r"\(\) is no number that a loop can read"),
    ],
)
def test_what_cannot_be_specialised_is_a_sentence_at_its_line(made, body, sentence):
    helper = "def helper(number):\n    if number > start:\n        return\n    used = number\n"
    with pytest.raises(SyntaxError, match=sentence) as error:
        made(f"def run(start, stop):\n    {body}\n\n{helper}".replace("number > start", "number != i"))
    assert error.value.filename == loop.__file__ and error.value.lineno > 0


def test_functions_of_the_generic_loop_take_no_columns_and_no_tables():
    """They read them at their addresses: a call that passes fifty costs more than most rules."""
    functions = [function for function in catalogue_loop()[0].functions if function.name != "run"]
    taken = {argument.arg for function in functions for argument in function.args.args}
    assert not {name for name in taken if name.startswith(("log_", "mask_"))}
    assert max(len(function.args.args) for function in functions if function.name != "write_event") < 20
