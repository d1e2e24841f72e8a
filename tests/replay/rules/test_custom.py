"""Your own rule from a notebook cell: every mode, compiled and cached; what it may not do is refused by its line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from cells import execute, write_cell
from marks import needs_compiling
from rows import ORDER, load
from streams import random_log

import riskkit as rk
from riskkit import InputError
from riskkit.replay.rules.custom import UPDATE_KINDS, Count, Explaining, Verdict, _uncompiled, custom, integers_class

CELL = '''
from typing import NamedTuple
from riskkit.replay.rules.custom import *

FIRST = 1

class OneWay(NamedTuple):
    """At most `limit` orders in a row on one side."""
    limit: Count

def longer(state, event):
    return state.run + 1 if event.side == state.side else FIRST

def check(state, params, event):
    run = longer(state, event)
    return Verdict(OBJECT if run > params.limit else PASS, run, params.limit)

def update(state, event, accepted):
    if event.kind == EventKind.FILL:
        state.filled += event.qty
    elif accepted != 0:
        state.run = longer(state, event)
        state.side = event.side
    return 0

def on_new_day(state):
    state.run = 0

one_way = custom("one_way", OneWay, state=("run", "side", "filled"), check=check, update=update, on_new_day=on_new_day,
                   checks_on=["order"], updates_on=["order", "fill"], sentence="at most {limit} orders in a row on one side")
'''
HEAD = (
    "from typing import NamedTuple\nfrom riskkit.replay.rules.custom import *\nclass P(NamedTuple):\n    limit: Count\n"
)


@pytest.fixture(scope="module")
def one_way():
    return execute(CELL)["one_way"]


def naive(log, limit):
    """The refused orders of the cell's rule, in plain words (late rows touch nothing; a day's turn ends a run)."""
    state: dict[int, tuple[int, int]] = {}
    columns, refused, day = log.columns, [], None
    for row in range(len(log)):
        if columns["flags"][row] & 16:
            continue
        now = int(columns["ts"][row]) // 86_400_000_000_000
        if day is not None and now > day or columns["kind"][row] == 12:
            state = {account: (0, side) for account, (_, side) in state.items()}
        day = now
        if columns["kind"][row] != 0:
            continue
        account, side = int(columns["account"][row]), int(columns["side"][row])
        run, last = state.get(account, (0, 0))
        run = run + 1 if side == last else 1
        if run > limit:
            refused.append(row)
        else:
            state[account] = (run, side)
    return refused


# ---------------------------------------------------------------------- every way of running


@pytest.mark.parametrize("seed", range(5))
def test_it_decides_as_said(one_way, seed):
    log = single_orders(seed)
    result = rk.replay_log(log, rk.RuleSet([one_way(limit=2)]), compiled=False)
    assert refused_by_rule(result) == naive(log, 2) != []


def refused_by_rule(result):
    """Rows that the one rule refuses, whatever a person's pause says."""
    return result.rows["seq"][(result.rows["mask"] & 1) != 0].tolist()


def single_orders(seed):
    """A random log without lists, which are judged whole."""
    log = random_log(seed, 150)
    log.columns["batch"][:] = -1
    return log


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_live_gives_the_digest_of_the_replay(one_way, mode):
    log, rules = random_log(1, 120), rk.RuleSet([one_way(limit=1), rk.Rule("rate", rk.rules.OrderRate(3, "400s"))])
    live = rk.replay.Engine(rules, log.universe, mode, compiled=False)
    live.feed(log)
    assert live.digest == rk.replay_log(log, rules, mode, compiled=False).digest


def test_it_is_named_in_toml_and_in_a_dict_and_as_an_object(one_way, tmp_path):
    (tmp_path / "rules.toml").write_text('[[rules]]\nid = "a"\ntype = "one_way"\nparams.limit = 2\n')
    three = [
        rk.RuleSet.from_toml(tmp_path / "rules.toml"),
        rk.RuleSet.from_dict({"rules": [{"id": "a", "type": "one_way", "params": {"limit": 2}}]}),
        rk.RuleSet([rk.Rule("a", one_way.parameters(limit=2))]),
    ]
    assert three[0] == three[1] == three[2]
    assert (
        str(three[0])
        == "1. a: at most 2 orders in a row on one side, for each account. Orders that would breach it are rejected (severity WARN)."
    )
    assert rk.RuleSet.from_dict(three[0].to_dict()) == three[0]


def test_another_text_is_another_rule_and_another_digest():
    log = random_log(2, 80)
    digests, sets = [], []
    for text in (CELL, CELL, CELL.replace("FIRST = 1", "FIRST = 2"), CELL.replace("> params.limit", ">= params.limit")):
        sets.append(rk.RuleSet([execute(text)["one_way"](limit=2)]))
        digests.append(rk.replay_log(log, sets[-1], compiled=False).digest)
    assert digests[0] == digests[1] and sets[0] == sets[1], "a cell that is run again is the same rule"
    assert len(set(digests)) == 3 and sets[0] != sets[2] != sets[3]
    told = execute(CELL.replace('updates_on=["order", "fill"]', 'updates_on=["order"]'))["one_way"]
    assert rk.RuleSet([told(limit=2)]) != sets[0], "what is declared is part of the rule"


def test_what_it_reads_is_fixed_when_it_is_declared():
    names = execute(CELL)
    rules, log = rk.RuleSet([names["one_way"](limit=2)]), random_log(2, 80)
    before = rk.replay_log(log, rules, compiled=False).digest
    names["FIRST"] = 100
    names["longer"] = lambda state, event: 100
    assert rk.replay_log(log, rk.RuleSet([names["one_way"](limit=2)]), compiled=False).digest == before


PROGRAM = """
import json, sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.loads(sys.stdin.read()):
    shell.run_cell(cell).raise_error()
"""
RUN = """
import json
import riskkit as rk
from riskkit.replay.engine.compiler import _compiled_run
from streams import random_log
log = random_log(4, 150, venue=True)
def digest(limit, mode="enforce", compiled=True, **options):
    return rk.replay_log(log, rk.RuleSet([one_way(limit=limit)]), mode, compiled=compiled, **options).digest
found = [digest(2)]
live = rk.replay.Engine(rk.RuleSet([one_way(limit=2)]), log.universe, "enforce")
live.feed(log)
found += [digest(2, chunk=7), live.digest, digest(2, compiled=False)]
loops = _compiled_run.cache_info().misses
swept = [digest(limit) == digest(limit, compiled=False) for limit in range(1, 5)]
print(json.dumps({"digests": found, "swept": swept, "loops": _compiled_run.cache_info().misses - loops}))
"""


@needs_compiling
def test_a_notebook_compiles_it_once_and_another_one_finds_it(tmp_path):
    tests = Path(__file__).parents[2]
    env = {**os.environ, "IPYTHONDIR": str(tmp_path / "ipython")}
    env |= {"RISKKIT_CACHE": str(tmp_path / "cache"), "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    said, kept = [], []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], input=json.dumps([CELL, RUN]), env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        said.append(json.loads(done.stdout.splitlines()[-1]))
        kept.append(sorted((path.name, path.stat().st_mtime_ns) for path in (tmp_path / "cache").rglob("*.nb[ci]")))
    for one in said:
        assert len(set(one["digests"])) == 1, "compiled, in chunks, live and plain decide the same"
        assert all(one["swept"]) and one["loops"] == 0, "a sweep of limits compiles nothing more"
    assert said[0]["digests"] == said[1]["digests"]
    assert kept[0] and kept[0] == kept[1], "one machine code for both notebooks: the second one writes none"


@needs_compiling
def test_what_cannot_be_compiled_is_named_by_its_line():
    text = HEAD + (
        "def check(params, event):\n    seen = event.qty\n    if seen > 3:\n        seen = Verdict(OBJECT, 1, 1)\n"
        "    return Verdict(PASS, seen, params.limit)\n"
        "kind = custom('mixed', P, check=check)"
    )
    rules = rk.RuleSet([execute(text, "<mixed>")["kind"](limit=1)])
    with pytest.raises(InputError, match=r"check, line \d+ \('.*'\) cannot be compiled: Cannot unify"):
        rk.replay_log(random_log(1, 20), rules, compiled=True)


def test_the_reason_is_named_even_where_no_line_is():
    def check():
        """Nothing."""

    said = _uncompiled("Failed in nopython mode pipeline (step: x)\nCannot do this.\n", (check,))
    assert said.startswith("a user-defined rule (check) cannot be compiled: Cannot do this;")


def test_the_innermost_line_that_numba_names_is_the_one():
    functions = execute(
        HEAD + "def half(x):\n    return x // 2\ndef check(params):\n    y = half(3)\n    return Verdict(PASS, y, 1)\n",
        "<inner>",
    )
    found = custom("inner", functions["P"], check=functions["check"]).check
    said = _uncompiled(
        'Failed in x\nUnknown attribute.\nFile "<inner>", line 8:\nFile "<inner>", line 6:\nFile "z.py", line 6',
        (found,),
    )
    assert said.startswith("half, line 6 ('return x // 2') cannot be compiled: Unknown attribute;")


def test_an_error_of_the_compiler_becomes_one_sentence():
    errors = pytest.importorskip("numba.core.errors")

    def run():
        raise errors.TypingError("Cannot unify this")

    with pytest.raises(InputError, match="a user-defined rule .* cannot be compiled: Cannot unify this"):
        Explaining(run, ())()


def test_a_compiled_loop_counts_its_versions():
    class Run:
        signatures = ("one", "two")

    assert Explaining(Run(), ()).signatures == ("one", "two")


def test_a_cell_that_was_written_over_is_to_be_run_again():
    names = execute(HEAD + "def check(params): return Verdict(PASS, 1, 1)\n", "<over>")
    for text in ("\n" * 4 + "check = 1\n", "\n" * 4 + "def check(:\n"):
        write_cell(text, "<over>")
        with pytest.raises(InputError, match="is not the start of 'check'; run the cell again"):
            custom("over", names["P"], check=names["check"])


def test_an_annotation_that_is_not_defined_is_named():
    text = (
        HEAD.replace("limit: Count", "limit: 'Cuont'")
        + "def check(params): return Verdict(PASS, 1, 1)\ncustom('u', P, check=check)"
    )
    with pytest.raises(InputError, match="an annotation of P is not defined .*Cuont"):
        execute(text)


def test_other_errors_of_the_loop_pass_through():
    pytest.importorskip("numba.core.errors")

    def run():
        raise MemoryError

    with pytest.raises(MemoryError):
        Explaining(run, ())()


# ---------------------------------------------------------------------- what is refused

REFUSED = [
    (
        "return Verdict(PASS, int(prices[0]), 1)",
        r"check, line 7 \('return Verdict.*'\) reads the global 'prices', a list",
    ),
    ("return Verdict(PASS, int(factor * 2), 1)", "reads the global 'factor', a float"),
    ("return Verdict(PASS, math.floor(2), 1)", "reads the global 'math', a module"),
    ("return Verdict(PASS, nowhere, 1)", "reads 'nowhere', which is not defined"),
    ("return Verdict(PASS, sum(event), 1)", "calls 'sum'; the built-in functions of a rule are abs"),
    ("print(event.qty)\n    return Verdict(PASS, 1, 1)", r"line 7 \('print\(event.qty\)'\) calls 'print'"),
    ("return Verdict(PASS, stat.run, 1)", "reads 'stat', which is not defined"),
    ("return Verdict(PASS, state.rum, 1)", "state has no field 'rum'; did you mean 'run'"),
    ("return Verdict(PASS, params.lim, 1)", "params has no field 'lim'; did you mean 'limit'"),
    ("return Verdict(PASS, event.quantity, 1)", "event has no field 'quantity'"),
    ("return Verdict(PASS, book.position.quantity, 1)", "book.position has no field 'quantity'"),
    ("state.run = 1\n    return Verdict(PASS, 1, 1)", "changes 'state'; check changes nothing"),
    ("return Verdict(PASS, event.qty ** 2, 1)", r"the power \*\*; write x \* x"),
    ("return Verdict(PASS, [1][0], 1)", "uses a list"),
    ("try:\n        x = 1\n    except ValueError:\n        x = 2\n    return Verdict(PASS, x, 1)", "uses try"),
    ("import os\n    return Verdict(PASS, 1, 1)", r"line 7 \('import os'\) uses an import"),
    ("x = 'text'\n    return Verdict(PASS, 1, 1)", "uses the value 'text'"),
    ("x = event.qty in (1, 2)\n    return Verdict(PASS, 1, 1)", "uses the word in"),
    ("for x in event:\n        pass\n    return Verdict(PASS, 1, 1)", "loops over something that is not a range"),
    ("return event.qty > 1", "returns no verdict"),
    ("if event.qty > 1:\n        return Verdict(PASS, 1, 1)", "may end without a verdict"),
    ("return helper(event)", r"helper, line 5 \('def helper.*'\) reads the global 'factor'"),
]


@pytest.mark.parametrize(("body", "said"), REFUSED)
def test_what_a_rule_may_not_do_is_refused_by_its_line(body, said):
    text = HEAD.replace("import *", "import *; import math; prices = [1]; factor = 1.5") + (
        "def helper(event): return Verdict(PASS, int(factor), 1)\n"
        f"def check(state, params, book, event):\n    {body}\n"
        "kind = custom('refused', P, state=['run'], check=check)"
    )
    with pytest.raises(InputError, match=said):
        execute(text)


GIVEN = [
    ({"name": "cash"}, "'cash' is a built-in type"),
    ({"name": "two words"}, "is not a name for a rule type"),
    ({"parameters": int}, "is not a NamedTuple class"),
    ({"state": ["held_until"]}, "'held_until' is not a name for a field of state"),
    ({"workspace_size": -1}, "workspace_size=-1 is not a number of words"),
    ({"checks_on": ["fill"]}, "checks_on='fill' is not one of 'order', 'modify'"),
    ({"updates_on": ["price"], "update": "update"}, "updates_on='price' is not one of"),
    ({"update": "update"}, "update and updates_on belong together"),
    ({"check": None}, "neither a check nor an update"),
    ({"update": "silent", "updates_on": ["order"]}, "may end without a number: 1 to trip"),
    ({"update": "bare", "updates_on": ["order"]}, "returns no number: 1 to trip"),
    ({"check": "other"}, "has the argument 'accepted'; check may have state"),
    ({"check": "alike"}, "has the argument 'duplicates'; its parameters must include limit and window_ns"),
    ({"check": "starred"}, r"has arguments with \* or a default"),
    ({"check": "closed"}, "reads 'n' of the enclosing function"),
    ({"check": "wrapped"}, "is a decorator"),
    ({"check": "quick"}, "is not a function written with def"),
    ({"sentence": "at most {limits}"}, "names an unknown parameter"),
    ({"requires": ["magic"]}, "requires='magic' is not one of"),
]
FUNCTIONS = """
def check(params): return Verdict(PASS, 1, 1)
def other(params, accepted): return Verdict(PASS, 1, 1)
def alike(duplicates): return Verdict(PASS, duplicates, 1)
def starred(params, *more): return Verdict(PASS, 1, 1)
def update(state): return 0
def silent(state): pass
def bare(state): return
def around(n):
    def closed(params): return Verdict(PASS, n, 1)
    return closed
closed = around(3)
def same(function): return function
@same
def wrapped(params): return Verdict(PASS, 1, 1)
quick = lambda params: 1
"""


@pytest.mark.parametrize(("given", "said"), GIVEN)
def test_a_declaration_that_does_not_fit_is_refused(given, said):
    names = execute(HEAD + FUNCTIONS, "<declared>")
    fields = {"name": "declared", "parameters": names["P"], "check": "check", **given}
    fields = {k: names[v] if k in ("check", "update") and isinstance(v, str) else v for k, v in fields.items()}
    with pytest.raises(InputError, match=said):
        custom(fields.pop("name"), fields.pop("parameters"), **fields)


def test_a_parameter_without_a_unit_is_refused():
    text = (
        HEAD.replace("Count\n", "int\n") + "def check(params): return Verdict(PASS, 1, 1)\ncustom('u', P, check=check)"
    )
    with pytest.raises(InputError, match="the parameter 'limit' has no unit"):
        execute(text)


def test_a_function_without_a_text_is_refused():
    names: dict = {}
    exec("def check(params): return 1", names)
    with pytest.raises(InputError, match="the source of the function 'check' cannot be found"):
        custom("lost", integers_class(("limit",)), check=names["check"]) if _units() else None


def _units():
    from riskkit.replay.rules.custom import Count

    integers_class(("limit",)).__annotations__ = {"limit": Count}
    return True


def test_what_the_functions_name_is_kept_by_the_engine():
    text = HEAD.replace("limit: Count", "limit: Count; window_ns: Duration") + (
        "def check(params, book, event, duplicates):\n"
        "    seen = equity(book.account) + book.position.open_buy_qty + book.cash_balance.cash + duplicates\n"
        "    return Verdict(OBJECT if seen > params.limit else PASS, seen, params.limit)\n"
        "kind = custom('needy', P, check=check)"
    )
    assert execute(text, "<needy>")["kind"].requires == {"marks", "orders", "cash", "duplicates"}


def test_workspace_of_its_own():
    text = HEAD + (
        "def check(state, params, event, memory):\n"
        "    seen = memory[state.memory + event.instrument] + 1\n"
        "    return Verdict(OBJECT if seen > params.limit else PASS, seen, params.limit)\n"
        "def update(state, event, memory, accepted):\n"
        "    memory[state.memory + event.instrument] += accepted\n"
        "    return 0\n"
        "kind = custom('by_name', P, check=check, update=update, checks_on='order', updates_on=[EventKind.ORDER], workspace_size=3)"
    )
    log = single_orders(5)
    result = rk.replay_log(log, rk.RuleSet([execute(text, "<workspace>")["kind"](limit=4)]), compiled=False)
    seen: dict = {}
    refused = []
    for row in range(len(log)):
        if log.columns["kind"][row] == 0 and not log.columns["flags"][row] & 16:
            key = (int(log.columns["account"][row]), int(log.columns["instrument"][row]))
            if seen.get(key, 0) + 1 > 4:
                refused.append(row)
            else:
                seen[key] = seen.get(key, 0) + 1
    assert refused_by_rule(result) == refused != []


def test_an_order_of_a_list_stands_while_those_after_it_are_judged():
    text = HEAD + (
        "def check(state, params, event):\n"
        "    seen = state.lots + event.qty\n"
        "    return Verdict(OBJECT if seen > params.limit else PASS, seen, params.limit)\n"
        "def apply_pending(state, event, sign):\n    state.lots += sign * event.qty\n"
        "def update(state, event, accepted):\n    state.lots += accepted * event.qty\n    return 0\n"
        "kind = custom('lots', P, state='lots', check=check, update=update, apply_pending=apply_pending, updates_on='order')"
    )
    kind = execute(text, "<list>")["kind"]
    rows = [{**ORDER, "batch": "b"}, {**ORDER, "batch": "b"}, {**ORDER, "ts": 2}]
    for limit, refused in ((6, []), (5, [2]), (3, [0, 1])):
        assert refused_by_rule(rk.replay_log(load(*rows), rk.RuleSet([kind(limit=limit)]), compiled=False)) == refused


def test_the_class_of_the_integers_is_found_by_its_name():
    from riskkit.replay.rules import custom

    made = integers_class(("limit", "window_ns"))
    assert getattr(custom, made.__name__) is made
    for name in ("Integers_x", "Integer_5_limit", "nothing"):
        with pytest.raises(AttributeError):
            getattr(custom, name)


# ---------------------------------------------------------------------- what is declared of a rule

CAP = """
from typing import NamedTuple
from riskkit.replay.rules.custom import *
class Cap(NamedTuple):
    cap: {unit}
    floor: Quantity = 0
    breach: Breach = "exceed"
def check(params, event, book):
    quantity = event.qty * book.instrument.qty_unit
    return Verdict(OBJECT if quantity > params.cap else PASS, quantity, params.cap)
cap = custom("cap", Cap, check=check, checks_on=["order"])
"""


@pytest.mark.parametrize(("breach", "refused"), [("exceed", [1]), ("reach", [0, 1])])
def test_breach_governs_a_limit_of_whatever_name(breach, refused):
    rule = execute(CAP.format(unit="Limit[Quantity]"))["cap"]("r", cap=5, breach=breach)
    log = load({**ORDER, "qty": 5}, {**ORDER, "qty": 6})
    result = rk.replay_log(log, rk.RuleSet([rule]), compiled=False)
    assert result.rejections()["seq"].tolist() == refused
    frame = result.to_frame()
    assert frame.loc[1, ["observed", "limit", "headroom", "unit"]].tolist() == [6, 5, -1, "quantity"]


def test_a_breach_that_decides_nothing_is_refused():
    with pytest.raises(InputError, match=r"'breach' has no effect; annotate the limit .* as Limit\[Quantity\]"):
        execute(CAP.format(unit="Quantity"))


def test_the_sentence_names_the_parameters_that_were_given():
    rule = execute(CAP.format(unit="Limit[Quantity]"))["cap"]("r", cap=1_000, breach="reach")
    assert str(rule) == (
        "r: cap(cap=1,000, breach=reach), for each account. Orders that would breach it are rejected (severity WARN)."
    )


@pytest.mark.parametrize(
    ("observes", "said"),
    [
        ('"size"', "observes='size' is neither a parameter"),
        ('("cap", "floor")', "its check must name the limit: return CapV"),
    ],
)
def test_what_a_rule_observes_is_checked_where_it_is_declared(observes, said):
    text = CAP.format(unit="Limit[Quantity]").replace(
        'checks_on=["order"]', f'checks_on=["order"], observes={observes}'
    )
    with pytest.raises(InputError, match=said):
        execute(text)


TWO = """
from typing import NamedTuple
from riskkit.replay.rules.custom import *
class Two(NamedTuple):
    size: Limit[Quantity]
    worth: Limit[Money]
def check(params, event, book):
    quantity = event.qty * book.instrument.qty_unit
    if quantity > params.size:
        return CapVerdict(OBJECT, quantity, params.size, 0, 0)
    money = notional(book.instrument, event.qty, event.price)
    return CapVerdict(OBJECT if money > params.worth else PASS, money, params.worth, 1, 0)
two = custom("two", Two, check=check, checks_on=["order"], observes=("size", "worth"))
"""


def test_a_rule_with_two_limits_says_which_one_spoke():
    rules = rk.RuleSet([execute(TWO)["two"]("r", size=500, worth=5)])  # 500 lots, 5.00 in cents: the same integer
    log = load(
        {**ORDER, "qty": 501, "price": 1},
        {**ORDER, "qty": 6, "price": 1},
        instruments=[rk.Instrument("X", tick="0.01")],
    )
    frame = rk.replay_log(log, rules, compiled=False).to_frame()
    assert frame[["observed", "limit", "unit"]].to_numpy().tolist() == [[501, 500, "quantity"], [6, 5, "USD"]]


COMPUTED = """
from typing import NamedTuple
from riskkit.replay.rules.custom import *
class Part_of_cash(NamedTuple):
    part: Limit[Proportion]
def check(params, event, book):
    most = book.account.cash * params.part // 1_000_000
    worth = notional(book.instrument, event.qty, event.price)
    return Verdict(OBJECT if worth > most else PASS, worth, most)
part = custom("part_of_cash", Part_of_cash, check=check, checks_on=["order"], observes=Measure.MONEY)
"""


def test_a_limit_that_a_check_computes_is_shown_in_the_unit_that_is_declared():
    rules = rk.RuleSet([execute(COMPUTED)["part"]("r", part="0.1")])
    things, accounts = [rk.Instrument("X", tick="0.01")], [rk.Account("A", cash={"USD": 10_000})]
    session = rk.Session.create(rules, things, accounts, compiled=False)
    [action] = session.process_order(account="A", instrument="X", side="B", qty=50, price=100, ts=0)
    assert (action.observed, action.limit, action.headroom, action.unit) == (5_000, 1_000, -4_000, "USD")


TAKEN = """
import json, sys
from typing import NamedTuple
from riskkit.replay.rules.custom import *
class P(NamedTuple):
    limit: Count
def check(params, event):
    return Verdict(OBJECT if event.qty > params.limit else PASS, event.qty, params.limit)
said = {}
for name in json.loads(sys.argv[1]):
    try:
        custom(name, P, check=check, checks_on=["order"])
    except ValueError as error:
        said[name] = str(error)
print(json.dumps(said))
"""


def test_every_built_in_name_is_taken_right_after_the_first_import(tmp_path):
    from proofs.test_edges import CATALOGUE, ELSEWHERE

    names = sorted({*CATALOGUE, *ELSEWHERE})
    script = tmp_path / "taken.py"
    script.write_text(TAKEN)
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(names)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(rk.__file__).parents[1])},
        check=True,
    )
    said = json.loads(done.stdout)
    assert {name: f"rule type {name!r} is a built-in type; choose another name" for name in names} == said


class MixedParameters(NamedTuple):
    limit: Count


def mixed_check(state, params, event):
    return Verdict(1 if state.seen % 7 > params.limit else 0, state.seen % 7, params.limit)


def mixed_update(state, params, event):
    state.seen ^= (
        event.seq ^ event.ts ^ event.kind ^ event.account ^ event.instrument ^ event.pair ^ event.side ^ event.qty
    )
    state.seen ^= (
        event.price ^ event.order ^ event.strategy ^ event.connection ^ event.flags ^ event.parent ^ event.batch
    )
    state.seen ^= event.weight ^ event.fee ^ event.bid ^ event.ask ^ event.reserve ^ event.stop
    return 0


@needs_compiling
def test_a_rule_may_read_every_field_of_every_event():
    """Also of those that the engine makes: marks, fills that a snapshot implies."""
    kind = custom(
        "mixed", MixedParameters, check=mixed_check, update=mixed_update, state=("seen",), updates_on=UPDATE_KINDS
    )
    rules, log = rk.RuleSet([kind(limit=4)]), random_log(5, 120, venue=True)
    found = [rk.replay_log(log, rules, compiled=compiled) for compiled in (False, True)]
    assert found[0].digest == found[1].digest and 0 < len(found[0].rejections()) < 120
