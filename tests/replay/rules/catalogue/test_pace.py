"""Messages that wait: what a session, a result and a trader are told, and queues in the workspace."""

from __future__ import annotations

import numpy as np
import pytest
from rows import load

import riskkit as rk
from riskkit import Rule, RuleSet
from riskkit.replay.kernels import queue
from riskkit.replay.results.decisions import DecisionKind
from riskkit.rules import MaxOrderQty, Pace

S = 1_000_000_000
RULES = RuleSet([Rule("size", MaxOrderQty(1), action="ALERT"), Rule("pace", Pace(1, "1s", max_queue=1))])


def order(ts: int, qty: int = 1, **more):
    return {"ts": ts, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": qty, "price": 10, **more}


def test_a_decision_has_the_time_at_which_the_order_goes():
    session = rk.Session.create(RULES, [rk.Instrument("X")], ["A"], compiled=False)
    first, waits, full = (
        session.process_order(account="A", instrument="X", side="B", qty=qty, price=10, ts=ts)
        for ts, qty in ((0, 1), (0, 2), (5, 1))
    )
    assert first == []
    assert [(one.action, one.rule, one.until) for one in waits] == [
        (DecisionKind.QUEUE, "pace", S),
        (DecisionKind.ALERT, "size", None),
    ]
    assert str(waits[0]) == (
        "QUEUE A: the order waits its turn by pace (at most 1 message (orders, order lists) in any 1 s, and at most 1 "
        "waiting) and goes at 1970-01-01T00:00:01Z."
    )
    assert [(one.action, one.observed, one.limit) for one in full] == [(DecisionKind.REJECT, 2, 1)]
    assert DecisionKind.ALERT < DecisionKind.QUEUE < DecisionKind.REJECT


def test_a_trader_is_told_that_an_order_waits():
    result = rk.replay_log(load(order(0), order(0, order_id="w")), RULES, "enforce", compiled=False)
    (text,) = [str(result.explain(order_id="w"))]
    told = "Order w (buy 1 X at 10 for A, 1970-01-01 00:00:00 UTC) was accepted and waits its turn by pace, until "
    assert text == f"{told}1970-01-01 00:00:01 UTC."
    assert result.refused().empty and result.alerts() == 0


@pytest.mark.parametrize("bucket", [{}, {"refill_ns": "1s"}])
def test_a_list_above_the_limit_is_explained_rule_by_rule(bucket):
    """What another rule would say is asked as if this one refused nothing: the list then goes after all before it."""
    rules = RuleSet([Rule("pace", Pace(2, **(bucket or {"window_ns": "1s"}))), Rule("size", MaxOrderQty(1))])
    listed = [order(1, qty, batch="l") for qty in (9, 1, 1)]
    for before in ([], [order(0)], [order(0), order(0), order(0)]):
        result = rk.replay_log(load(*before, *listed), rules, "enforce", compiled=False)
        found = result.explain(len(before)).objections
        assert [one.rule for one in found] == ["pace", "size"] and found[1].next_quantity == "1"


def test_what_waited_is_a_table_with_a_row_for_each_message():
    rules = RuleSet([Rule("one", Pace(1, "1s")), Rule("all", Pace(1, "3s"), scope="global")])
    log = load(order(0), order(0, order_id="w"), {**order(0), "account": "B"})
    found = rk.replay.waiting_messages(rk.replay_log(log, rules, "enforce", compiled=False))
    assert found.index.tolist() == [1, 2] and found["rule"].tolist() == ["one", "all"]
    assert found["order_id"].tolist() == ["w", ""] and found["account"].tolist() == ["A", "B"]
    assert found["wait"].dt.total_seconds().tolist() == [3, 6]
    assert (found["time"] + found["wait"] == found["goes"]).all() and set(found["kind"]) == {"order"}
    assert rk.replay.waiting_messages(rk.replay_log(log, RuleSet([]), compiled=False)).empty


@pytest.mark.parametrize("numbers", [{"window_ns": 10}, {"refill_ns": 10}])
def test_time_before_1970_is_as_any_other(numbers):
    rules = RuleSet([Rule("pace", Pace(1, **numbers))])
    rows = rk.replay_log(load(order(-30), order(-25), order(-25), unit="ns"), rules, compiled=False).rows
    assert rows["until"].tolist() == [-20, -10]


def test_the_first_entry_of_a_queue_can_be_taken_and_found_by_a_sum():
    memory = np.zeros(queue.HEADER + queue.QUEUE, np.int64)
    memory = queue.add_nodes(memory, 4)
    for ts, value in ((5, 2), (7, 1), (9, 3)):
        queue.append(memory, queue.HEADER, ts, value)
    found = [queue.time_at(memory, queue.HEADER, number) for number in range(1, 7)]
    assert found == [5, 5, 7, 9, 9, 9] and queue.last_time(memory, queue.HEADER) == 9
    free = memory[queue.FREE_NODES]
    queue.pop(memory, queue.HEADER)
    assert queue.first_time(memory, queue.HEADER) == 7 and queue.total(memory, queue.HEADER) == 4
    assert memory[queue.FREE_NODES] == free + 1
