"""A rule that nothing can breach, or that refuses what cannot be refused, is refused when it is made."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from refusing import refusal

from riskkit import EventLog, InputError, Rule, RuleSet, replay_log
from riskkit.replay.rules.rule import rule_type, rule_types
from riskkit.rules import ConsecutiveErrors, OrderRate, OrderToTradeRatio

NAMES = sorted(kind.name for kind in rule_types() if not kind.source_hash)
SPANS = {"window_ns", "lookback_ns", "stop_ns"}


def barest(name: str) -> dict[str, object]:
    """The needed parameters only, durations at zero."""
    fields, defaults = rule_type(name).parameters._fields, rule_type(name).parameters._field_defaults
    needed = {field: 0 if field in SPANS else 1 for field in fields if field not in defaults}
    needed |= {"netting_set": {"s": {"X": 1}}} if "netting_set" in needed else {}
    needed |= {"calendar": "24/7"} if "calendar" in needed else {}
    needed |= {"reference": "mean"} if {"reference", "window_ns"} <= set(fields) else {}
    needed |= {"arrays": {"X": [1]}} if "cell_limits" in fields else {}
    return needed | {
        field: "1s" if rule_type(name).units()[field].choices else 0
        for field in SPANS & set(fields)
        if rule_type(name).units()[field].name == "duration"
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_without_a_limit_is_refused(name):
    kind = rule_type(name)
    given = barest(name)
    wanted = kind.one_of(kind.make(given))
    optional = [limit for limit in kind.limits if kind.parameters._field_defaults.get(limit, 0) is None]
    assert not optional or set(optional) & set(wanted) or given.keys() & set(kind.limits), "a limit may be left out"
    if not wanted:
        Rule("r", kind.make(given))
        return
    with pytest.raises(InputError, match=f"rule 'r' \\({name}\\) limits nothing: give {' or '.join(wanted)}"):
        Rule("r", kind.make(given), action="ALERT")
    for one in wanted:
        value = {"unlock_at": "08:00", "cell_limits": [1]}.get(one, 1)
        apart = {"sides": "by_side"} if one.startswith("ask_") else {}
        Rule("r", kind.make({**given, **apart, one: value}))


@pytest.mark.parametrize(
    "parameters",
    [OrderRate(limit=3, window_ns="1s", kinds=("cancel",)), OrderToTradeRatio(limit=3, window_ns="1s", of="cancels")],
)
def test_cancels_are_not_refused_but_counted(parameters):
    with pytest.raises(
        InputError, match="counts only cancels, and a cancel is never refused: action='REJECT' does not"
    ):
        Rule("r", parameters)
    order = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10}
    rows = [{**order, "order_id": str(i)} for i in range(6)]
    rows += [{"kind": "cancel", "account": "A", "instrument": "X", "order_id": str(i)} for i in range(6)]
    log = EventLog.from_frame(pd.DataFrame(rows).assign(ts=range(12)))
    alerted = replay_log(log, RuleSet([Rule("r", parameters, action="ALERT")]), compiled=False)
    frame = alerted.to_frame()
    assert frame.index.tolist() == [9, 10, 11] and alerted.alerts() == 3
    assert frame["observed"].tolist() == [4, 5, 6] and frame["limit"].tolist() == [3, 3, 3]
    for action in ("REDUCE_ONLY", "PAUSE", "HALT"):
        paused = replay_log(log, RuleSet([Rule("r", parameters, action=action)]), compiled=False)
        assert paused.transitions()["seq"].tolist() == [9]


def test_no_messages_are_no_limit():
    with pytest.raises(InputError, match=r"rule 'r': kinds=\(\) is empty; give a list such as"):
        Rule("r", OrderRate(limit=3, window_ns="1s", kinds=()))


def test_every_window_is_above_zero():
    """A window of no length counts nothing: each parameter of that name refuses it, alone or as one of several."""
    for kind, field in itertools.product(map(rule_type, NAMES), ["window_ns"]):
        if field in kind.parameters._fields:
            given = barest(kind.name)
            limits = dict.fromkeys(kind.one_of(kind.make(given))[:1], 1)
            with pytest.raises(InputError, match="above zero|give both"):
                Rule("r", kind.make({**given, **limits, field: 0}))


MISFITS = [
    (ConsecutiveErrors(3, half_open=True), "PAUSE",
     "half_open=True begins when a pause ends by itself, and this one never does; give open_ns above zero"),
    (ConsecutiveErrors(3, open_ns="1s", half_open=True), "REJECT",
     "half_open=True is what follows a pause, and action='REJECT' does not pause; use PAUSE or HALT"),
    (ConsecutiveErrors(3, open_ns="1s", probe_timeout_ns=1), "PAUSE", "probe_timeout_ns has no effect without half_open=True"),
    (ConsecutiveErrors(3, open_ns="1s", probes=2), "PAUSE", "probes=2 has no effect without half_open=True"),
]  # fmt: skip


@pytest.mark.parametrize(("parameters", "action", "why"), MISFITS)
def test_parameters_that_do_not_fit_together_are_refused(parameters, action, why):
    assert refusal(Rule, "r", parameters, action=action) == f"rule 'r' ({Rule('r', type(parameters)(3)).type}): {why}"


@pytest.mark.parametrize("name", NAMES)
def test_none_is_no_value_of_a_parameter_that_a_rule_needs(name):
    kind = rule_type(name)
    given = barest(name)
    given |= {one: "08:00" if one == "unlock_at" else 1 for one in kind.one_of(kind.make(given))[:1]}
    made = Rule("r", kind.make(given))
    needed = [field for field in kind.parameters._fields if kind.parameters._field_defaults.get(field, "") is not None]
    assert {field for field in needed if getattr(made.parameters, field) is None} == set()
    for field in needed:
        said = refusal(Rule, "r", made.parameters._replace(**{field: None}))
        assert said.startswith(f"rule 'r' ({name})") and field in said, said


def test_a_limit_may_be_left_to_the_keys_that_have_one():
    size = rule_type("max_order_qty")
    assert "5 for A" in str(Rule("r", size.make({"limit": None}), overrides={"A": {"limit": 5}}))
    said = refusal(Rule, "r", size.make({"limit": None}), overrides={"A": {"limit": None}})
    assert said == "rule 'r' (max_order_qty): limit=None is no value; give its value"
