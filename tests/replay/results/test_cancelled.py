"""Working orders that commands and rules take away: listed, and told to a session as actions."""

from __future__ import annotations

import riskkit as rk
from riskkit import Account, Rule, RuleSet
from riskkit.replay import cancelled_orders
from riskkit.rules import LimitUpLimitDown, SelfMatchPrevention, TradingState

ACCOUNTS = [Account("A", desk="D"), Account("B", desk="D"), Account("C", desk="E")]


def session_of(*rules: Rule) -> rk.Session:
    return rk.Session.create(RuleSet(rules), [rk.Instrument("X")], ACCOUNTS, mode="enforce", compiled=False)


def send(session: rk.Session, ts: int, account: str, side: str, qty: int, price: int, order_id: str) -> list[str]:
    found = session.process_order(
        ts=ts, account=account, instrument="X", side=side, qty=qty, price=price, order_id=order_id
    )
    return list(map(str, found))


def test_a_session_says_which_orders_a_kill_cancels_and_its_journal_lists_them():
    session = session_of(Rule("state", TradingState()))
    for ts, account in enumerate("BACA"):
        send(session, ts, account, "B", ts + 1, 10, f"o{ts}")
    actions = list(map(str, session.command("KILL", now=4, desk="D")))
    assert actions == [
        "HALT D: D is halted, its working orders cancelled, by a command.",
        "ALERT B: the order of event 0 is cancelled.",
        "ALERT A: the order of event 1 is cancelled.",
        "ALERT A: the order of event 3 is cancelled.",
    ]
    found = cancelled_orders(session.result())
    assert found["order_id"].tolist() == ["o0", "o1", "o3"] and found["quantity"].tolist() == [1, 2, 4]
    assert send(session, 5, "C", "B", 1, 10, "c") == []
    assert send(session, 6, "A", "B", 1, 10, "a")[0].startswith("REJECT A: the order is refused by state")
    assert session.digest == rk.replay_log(session.log(), session.rules, "enforce", compiled=False).digest


def test_a_session_says_what_self_match_prevention_takes():
    session = session_of(Rule("smp", SelfMatchPrevention("decrement"), scope="desk"))
    send(session, 0, "A", "S", 3, 10, "a")
    send(session, 1, "B", "S", 4, 11, "b")
    said = send(session, 2, "B", "B", 5, 11, "c")
    assert said == [
        "REJECT D: the order is refused by smp (no match of an order with a working order of the other side (the lots that "
        "would match are first taken off both)): observed 7, limit 0.",
        "ALERT A: the order of event 0 is cancelled.",
        "ALERT B: the order of event 1 is reduced by 2.",
    ]
    assert send(session, 3, "A", "B", 5, 12, "d") == [
        "ALERT B: the order of event 1 is cancelled.",
        "ALERT A: the order of event 3 is reduced by 2.",
    ]
    assert cancelled_orders(session.result())["order_id"].tolist() == ["a", "b"]
    assert session.digest == rk.replay_log(session.log(), session.rules, "enforce", compiled=False).digest


def test_a_session_takes_a_previous_close():
    session = session_of(Rule("luld", LimitUpLimitDown(opens="00:00", closes="23:59")))
    session.process_close(ts=0, instrument="X", price=100)
    assert send(session, 1, "A", "B", 1, 105, "a") == []
    assert send(session, 2, "A", "B", 1, 106, "b")[0].endswith("observed 106, limit 105.")
