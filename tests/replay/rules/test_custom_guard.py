"""Faults of a user-defined rule: refused at the declaration where they are known, else one sentence, plain and compiled."""

from __future__ import annotations

import pandas as pd
import pytest
from cells import execute
from marks import needs_compiling

from riskkit import EventLog, InputError, RuleSet, replay_log
from riskkit.replay.rules.custom_guard import RuleFault

HEAD = (
    "from riskkit.replay.kernels.queue import append; from riskkit.replay.rules.custom import Verdict as V\n"
    "from typing import NamedTuple; from riskkit.replay.rules.custom import *\n"
    "class P(NamedTuple):\n    limit: Count\n    far: Count = 0\n"
)
CELL = HEAD + (
    "def turn(state, memory, place):\n    return memory[state.memory + place]\n"
    "def check(state, params, event, memory, book):\n    {body}\n    return Verdict(PASS, found, params.limit)\n"
    "def fills(position):\n    position.qty = 99\n    return 1\n"
    "def notes(state):\n    state.run = 1\n    return 1\n"
    "def half(one):\n    return one / 2\ndef loops():\n    last = 0\n    for i in range(9):\n        last = i\n    return last\n"
    "kind = custom('guarded', P, state=['run'], check=check, checks_on='order', workspace_size={words})"
)
LOG = EventLog.from_frame(
    pd.DataFrame(
        {"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10.0}
    )
)


def declared(body, words=4):
    """The rule type of a cell whose check has these lines."""
    text, name = CELL.format(body="\n    ".join(body.split("; ")), words=words), f"<guard {body}>"
    return execute(text, name)["kind"]


REFUSED = {
    "found = memory[state.memory + 4]": "reads or writes word 4 of its workspace, which has the words 0 to 3",
    "found = memory[state.memory - 1]": "reads or writes word -1 of its workspace, which has the words 0 to 3",
    "found = memory[5]": "indexes memory by a number; its own words begin at memory[state.memory]",
    "other = memory; found = other[0]": "gives memory away; index it, or pass it on as an argument named memory",
    "found = (memory, 1)[0][5]": "indexes what is neither memory nor a tuple of its own",
    "found = turn(event, memory, 1)": "passes 'event' as 'state'; memory and state keep their names",
    "state = event; found = 1": "gives another value to 'state'; take another name",
    "found = 0; while found < 1: found = 0": "uses while, which may never end; a rule is arithmetic and branches",
    "found = 0; for i in range(event.qty): found += i":
        "loops without a bound that is known; write range of a number or a parameter",
    "found = 0; for i in range(0, 9, event.qty): found += i": "loops with a step that is not a number other than zero",
    "found = check(state, params, event, memory, book)": "calls 'check', which is not finished: a rule's functions call no caller",
    "found = event.qty // 0": "divides by zero; test the divisor first",
    "found = event.qty; found %= 0": "divides by zero; test the divisor first",
    "return Verdict(7, 0, 0); found = 1":
        "returns a verdict with the code 7; a code is PASS, OBJECT, NO_PRICE or NOTICE ((0, 1, 2, 4))",
    "return V(7, 0, 0); found = 1":
        "returns a verdict with the code 7; a code is PASS, OBJECT, NO_PRICE or NOTICE ((0, 1, 2, 4))",
    "return Verdict(PASS, 0, 0)._replace(code=7); found = 1":
        "calls 'Verdict(PASS, 0, 0)._replace'; a rule calls functions by their names",
    "made = Verdict; found = 1": "uses 'Verdict' as a value; a rule calls functions by their names",
    "found = state(7)": "calls 'state'; a rule calls functions by their names",
    "other = notional; found = 1": "uses 'notional' as a value; a rule calls functions by their names",
    "found = append(memory, state.memory + 5_000_000, 1, 2)":
        "calls 'append'; the functions of riskkit that a rule may call are at, equity, exceeds_fraction, fraction_of, "
        "notional, order_price, price_of, profit, rest",
    "found = notes(event)": "passes 'event' as 'state'; memory and state keep their names",
    "found, book.position.qty = 1, 99": "changes 'book.position'; check changes nothing",
    "found = 0; for book.account.cash in range(7): found = 1": "changes 'book.account'; check changes nothing",
    "found = 99_999_999_999_999_999_999": "uses a number beyond 64 bits, 99999999999999999999",
    "made = (1, 0, 0); return made; found = 1": "returns no verdict; write Verdict(OBJECT or PASS, observed, limit)",
    "made = V(1, 0, 0); made = 1; return made; found = 1": "returns no verdict; write Verdict(OBJECT or PASS, observed, limit)",
    "return turn(state, memory, 0); found = 1": "returns no verdict; write Verdict(OBJECT or PASS, observed, limit)",
    "if params.far: other = 1; found = other": "reads 'other', which has no value on some way to it; set it first",
    "for i in range(params.far): other = i; found = i": "reads 'i', which has no value on some way to it; set it first",
    "other += 1; found = 1": "reads 'other', which has no value on some way to it; set it first",
    "found = 0; for i in range(-5, 2_000_000): found = i":
        "loops 2000005 times; the loops of a function of a rule have at most 1,000,000 turns together",
    "found = 0; for i in range(9): found = loops()":
        "calls a function that loops in each turn; write both loops in one function",
    "return Verdict(code=-1, observed=0, limit=0); found = 1":
        "returns a verdict with the code -1; a code is PASS, OBJECT, NO_PRICE or NOTICE ((0, 1, 2, 4))",
    "return Verdict(PASS, 2.5, 3); found = 1": "gives 2.5 where an integer is kept; divide with //, or write int(...) to cut it",
    "return Verdict(PASS, observed=1, limit=-0.5); found = 1":
        "gives -0.5 where an integer is kept; divide with //, or write int(...) to cut it",
}  # fmt: skip


@pytest.mark.parametrize("body", REFUSED)
def test_what_is_wrong_whatever_comes_is_refused_where_it_is_declared(body):
    with pytest.raises(InputError) as refused:
        declared(body)
    assert str(refused.value).startswith("check, line ") and str(refused.value).endswith(") " + REFUSED[body])


CHANGES = {
    "found = fills(book.position)": "fills, line 12 ('position.qty = 99') changes 'position'; fills changes nothing",
    "found = notes(state)": "notes, line 15 ('state.run = 1') changes 'state'; notes changes nothing",
}


@pytest.mark.parametrize("body", CHANGES)
def test_a_function_that_a_check_calls_changes_nothing_either(body):
    with pytest.raises(InputError) as refused:
        declared(body)
    assert str(refused.value) == CHANGES[body]


def test_memory_without_a_workspace_is_refused():
    with pytest.raises(InputError, match="indexes memory, and the rule has no workspace; declare workspace_size"):
        declared("found = memory[0]", words=0)


def test_an_update_does_not_move_its_workspace():
    text = HEAD + (
        "def update(state, event):\n    state.memory = 5\n    return 0\n"
        "custom('moving', P, update=update, updates_on='order', workspace_size=2)"
    )
    with pytest.raises(
        InputError, match=r"update, line 7 \('state.memory = 5'\) changes 'memory', which the engine keeps"
    ):
        execute(text, "<moving>")


TURNS = "the loops of a function of a rule have at most 1,000,000 turns together"
SIZE = "makes a number beyond 64 bits; divide before you multiply, or test for MISSING first"
CUT = "gives {} where an integer is kept; divide with //, or write int(...) to cut it"
FAULTS = {  # what the log or a parameter makes wrong: body -> line and sentence
    "found = memory[state.memory + params.far]": (9, "reads or writes word {far} of its workspace, which has the words 0 to 3"),
    "found = memory[state.memory - params.far]": (9, "reads or writes word -{far} of its workspace, which has the words 0 to 3"),
    "found = turn(state, memory, params.far)": (7, "reads or writes word {far} of its workspace, which has the words 0 to 3"),
    "found = event.qty // (params.far - params.far)": (9, "divides by zero; test the divisor first"),
    "found = event.qty; found %= params.far - params.far": (10, "divides by zero; test the divisor first"),
    "found = int(1.5 / (params.far - params.far))": (9, "divides by zero; test the divisor first"),
    "return Verdict(params.far, 0, 0); found = 1":
        (9, "returns a verdict with the code {far}; a code is PASS, OBJECT, NO_PRICE or NOTICE ((0, 1, 2, 4))"),
    "pair = (1, 2); found = pair[params.far]": (10, "reads item {far} of a tuple that has the items 0 to 1"),
    "found = 0; for i in range(params.far): found += i": (10, "loops {far} times; " + TURNS),
    "found = params.far; found *= 9_000_000_000_000": (10, SIZE),
    "found = -params.far * 9_000_000_000_000": (9, SIZE),
    "found = event.price * params.far * 9_000_000_000_000": (9, SIZE),
    "found = 9_000_000_000_000_000_000 + params.far * 5_000_000_000": (9, SIZE),
    "found = -9_000_000_000_000_000_000 - params.far * 5_000_000_000": (9, SIZE),
    "found = event.qty << params.far": (9, SIZE),
    "found = event.qty << -params.far": (9, SIZE),
    "found = event.qty >> params.far": (9, SIZE),
    "found = int(1e15 * params.far)": (9, SIZE),
    "found = params.limit / 2": (10, CUT.format("1.5")),
    "found = params.limit; found /= 2": (11, CUT.format("1.5")),
    "found = half(params.limit)": (10, CUT.format("1.5")),
    "return Verdict(PASS, 1, limit=params.limit / 2); found = 1": (9, CUT.format("1.5")),
    "return V(OBJECT, -params.limit / 2, 1) if event.qty > 0 else V(PASS, 1, 1); found = 1": (9, CUT.format("-1.5")),
    "found = 1e308 / 1e-308": (10, CUT.format("inf")),
    "large = 1e308 / 1e-308; found = large - large": (11, CUT.format("nan")),
}  # fmt: skip


def said(body, far, compiled):
    with pytest.raises(RuleFault) as fault:
        replay_log(LOG, RuleSet([declared(body)(limit=3, far=far)]), compiled=compiled)
    return str(fault.value)


@pytest.mark.parametrize("body", FAULTS)
def test_a_fault_of_a_replay_is_one_sentence_with_its_line(body):
    line, sentence = FAULTS[body]
    for far in (50_000_000, 2**40):
        assert f"line {line} (" in said(body, far, False)
        assert said(body, far, False).endswith(") " + sentence.format(far=far))


@needs_compiling
@pytest.mark.parametrize("body", FAULTS)
def test_a_compiled_fault_is_that_of_plain_python(body):
    assert said(body, 50_000_000, True) == said(body, 50_000_000, False)


def test_what_is_in_order_passes():
    body = "found = 0; for i in range(min(params.far, 4)): found += turn(state, memory, i) + event.qty // (i + 1)"
    assert replay_log(LOG, RuleSet([declared(body)(limit=3, far=4)]), compiled=False).rejections().size == 0


def test_loops_in_loops_have_their_turns_together():
    body = "found = 0; for i in range(1_000):; {}for j in range(params.far):; {}    found = i + j"
    body = body.format("    ", "    ")
    assert replay_log(LOG, RuleSet([declared(body)(limit=3, far=999)]), compiled=False).rejections().size == 0
    with pytest.raises(RuleFault, match=r"line 11 \(.*\) loops 1001000 times; " + TURNS):
        replay_log(LOG, RuleSet([declared(body)(limit=3, far=1_000)]), compiled=False)


def test_the_largest_numbers_of_64_bits_pass():
    body = "found = params.far * 92_233_720_368 + 9; found -= 9; found = -found; found = int(9e18) + 7; found = event.qty << 60"
    assert replay_log(LOG, RuleSet([declared(body)(limit=3, far=10**8)]), compiled=False).rejections().size == 0


@pytest.mark.parametrize("value", ["2", "-1", "state.run * 5", "event.qty + 2"])
def test_what_an_update_returns_is_0_or_1(value):
    text = HEAD + (
        f"def update(state, event):\n    state.run = 1\n    return {value}\n"
        "kind = custom('tripping', P, update=update, updates_on='order', state='run', action='PAUSE')"
    )
    kind = execute(text, f"<tripping {value}>")["kind"]
    with pytest.raises(RuleFault, match=r"update, line 8 \(.*\) returns -?\d; update returns 1 to trip, else 0"):
        replay_log(LOG, RuleSet([kind(limit=3)]), compiled=False)


KEPT = ["state.run = {}", "state.run += {}", "memory[state.memory] = {}", "mine = state.run = {}"]
KEPT += [
    "state.run, mine = {}, 1",
    "mine, memory[state.memory + 1] = pair({})",
    "state.run = {} if event.qty > 0 else 1",
]


def remembering(line):
    """The rule type of a cell whose update has this line."""
    text = HEAD + (
        "def pair(one):\n    return one, one\n"
        f"def update(state, event, memory, params):\n    {line}\n    return 0\n"
        "kind = custom('remembering', P, update=update, updates_on='order', state='run', action='PAUSE', workspace_size=2)"
    )
    return execute(text, f"<remembering {line}>")["kind"]


WHOLE = ("event.qty / 1", "event.qty // 2", "int(event.qty / 2)")


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=needs_compiling)])
@pytest.mark.parametrize(("number", "line"), list(enumerate(KEPT)))
def test_what_an_update_remembers_is_whole(number, line, compiled):
    with pytest.raises(RuleFault) as fault:
        replay_log(LOG, RuleSet([remembering(line.format("event.qty / 2"))(limit=3)]), compiled=compiled)
    assert str(fault.value).startswith("update, line 9 (") and str(fault.value).endswith(") " + CUT.format("0.5"))
    for whole in [WHOLE[number % len(WHOLE)]] if compiled else WHOLE:  # each is a loop to compile
        replay_log(LOG, RuleSet([remembering(line.format(whole))(limit=3)]), compiled=compiled)
