"""What a named person does to a running session: limits, rules, the kill switch."""

from __future__ import annotations

import pytest

import riskkit as rk
from riskkit.rules import MaxOrderNotional, MaxOrderQty, OrderRate, TradingState

RULES = rk.RuleSet([rk.Rule("size", MaxOrderQty(limit=5)), rk.Rule("rate", OrderRate(limit=3, window_ns="1s"))])
ACCOUNTS = [rk.Account("A", desk="D"), rk.Account("B", desk="D"), rk.Account("C", desk="E")]
ANN = {"who": "Ann", "why": "a test"}


def begun(**options):
    return rk.Session.create(RULES, [rk.Instrument("X")], ACCOUNTS, compiled=False, **options)


def order(session, ts, qty=4, account="A", **more):
    fields = {"instrument": "X", "side": "B", "price": 100, **more}
    return [one.rule for one in session.process_order(ts=ts, account=account, qty=qty, **fields)]


def test_limits_and_rules_change_between_two_orders_and_the_journal_proves_it():
    session = begun()
    assert order(session, 0) == []
    assert session.set_limits({"size.limit": 3}, **ANN) == []
    assert order(session, 1) == ["size"]
    session.set_rules(rk.RuleSet([RULES["rate"], rk.Rule("money", MaxOrderNotional(limit=250))]), ts=2, **ANN)
    assert order(session, 3) == ["money"]
    assert [rule.id for rule in session.rules] == ["rate", "money"]
    result = rk.replay_log(session.log(), session.history, compiled=False)
    assert result.digest == session.digest == session.result().digest
    assert session.history.to_frame()["rule"].tolist() == ["size", "size", "money"]


def test_an_answer_is_given_again_with_the_limits_of_its_time():
    session = begun()
    told = [session.process_order(ts=0, account="A", instrument="X", side="B", qty=6, price=100, order_id="a")]
    session.set_limits({"size.limit": 3}, **ANN)
    session.set_rules(rk.RuleSet([rk.Rule("money", MaxOrderNotional(limit=250))]), **ANN)
    assert list(map(str, session.answer_of("a"))) == list(map(str, told[0])) and "at most 5" in str(told[0][0])


@pytest.mark.parametrize("known", ["first", "now"])
def test_a_restored_session_goes_on_under_the_rules_in_force(known):
    session = begun(four_eyes=True)
    order(session, 0)
    session.set_limits({"size.limit": 3}, approved_by="Bob", **ANN)
    again = rk.Session.restore(session.snapshot(), RULES if known == "first" else session.rules, compiled=False)
    assert order(again, 1) == order(session, 1) == ["size"]
    assert again.digest == session.digest
    with pytest.raises(rk.InputError, match="is not a second person"):
        again.set_limits({"size.limit": 4}, **ANN)


def test_what_lapses_before_a_change_is_judged_by_the_rules_before_it():
    session = begun()
    order(session, 0, order_id="a", expires=5)
    session.set_limits({"size.limit": 3}, ts=9, **ANN)
    frame = session.log().to_frame()
    assert frame["kind"].tolist() == ["ORDER", "EXPIRE", "CLOCK", "CONTROL"]
    assert session.history.changes[0].seq == 3


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda s: s.set_limits({"size.limit": -1}, **ANN), "limit=-1 is negative"),
        (lambda s: s.set_limits({"siz.limit": 1}, **ANN), "is not a 'rule_id.parameter'"),
        (lambda s: s.set_limits({"size.limit": 4}, who="", why="w"), "who='' is empty"),
        (lambda s: s.set_rules(rk.RuleSet([rk.Rule("size", OrderRate(1, 1))]), **ANN), "had type 'max_order_qty'"),
        (lambda s: s.set_limits({"size.limit": 4}, ts=-9, **ANN), "ts=-9"),
        (lambda s: s.set_limits({"rate.limit": 10**12}, **ANN), "give it a lower limit"),
        (lambda s: s.halt(desk="F", **ANN), "desk='F' is not the desk"),
        (lambda s: s.halt("Z", **ANN), "account='Z' is not an account"),
        (lambda s: s.command("stop"), "use halt"),
    ],
)
def test_what_is_refused_leaves_the_session_as_it_was(call, says):
    session = begun()
    order(session, 0)
    before = session.digest
    with pytest.raises(rk.InputError, match=says.replace("(", r"\(")):
        call(session)
    assert session.digest == before
    assert order(session, 1, 6) == ["size"]


def test_the_kill_switch_stops_a_desk_returns_its_orders_and_only_a_person_ends_it():
    session = begun()
    order(session, 0, order_id="a")
    order(session, 0, account="C", order_id="c")
    order(session, 0, account="B", order_id="b")
    session.process_trade(ts=1, order_id="b", qty=1, price=100)
    found = session.halt(desk="D", **ANN)
    assert [(one.order_id, int(one.quantity)) for one in found] == [("a", 4), ("b", 3)]
    session.resume("A")
    assert order(session, 2) == [""]
    assert order(session, 2, account="B", side="S", qty=1) == [""], "what only reduces is stopped too"
    assert order(session, 2, account="C") == []
    assert session.process_cancel(ts=3, order_id="a") == []
    assert session.status().states() == {"A": "HALTED", "B": "HALTED", "C": "ACTIVE"}
    session.restart(desk="D", **ANN)
    assert order(session, 4) == []
    assert [act["command"] for act in session.acts] == ["STOP", "RESTART"]
    assert rk.replay_log(session.log(), session.history, compiled=False).digest == session.digest


def killed_after(folder, **options):
    """A session in a folder that changed its rules twice and was stopped once, and then was left."""
    session = rk.Session.open(folder, RULES, [rk.Instrument("X")], ACCOUNTS, compiled=False, **options)
    order(session, 0)
    session.set_limits({"size.limit": 3}, **ANN)
    order(session, 1)
    session.set_rules(rk.RuleSet([*RULES[1:], rk.Rule("money", MaxOrderNotional(limit=250))]), **ANN)
    session.halt("A", **ANN)
    order(session, 3, account="B")
    return session


@pytest.mark.parametrize("options", [{}, {"segment_events": 2}, {"durability": "none"}])
def test_a_session_in_a_folder_recovers_its_rules_and_who_was_stopped(tmp_path, options):
    with killed_after(tmp_path, **options) as session:
        session.commit()
        journal = rk.open_journal(tmp_path)
        digest, history = session.digest, session.history
    with rk.Session.open(tmp_path, RULES, compiled=False) as again:
        assert again.digest == digest == journal.digest
        assert again.history == history == journal.history
        assert [act["of"] for act in again.acts] == ["A"]
        assert order(again, 9) == [""]
        assert order(again, 9, account="C") == ["money"]
        result = rk.replay_log(again.log(), again.history, compiled=False)
        assert result.digest == again.digest
    assert len(rk.replay_log(journal.log, journal.history, compiled=False).rejections()) == 2


def test_a_change_that_was_not_yet_in_a_snapshot_is_in_the_log_after_it(tmp_path):
    session = killed_after(tmp_path)
    digest = session.digest
    session._lock_file.release()  # as the end of its process would
    with rk.Session.open(tmp_path, RULES, compiled=False) as again:
        assert again.digest == digest
        assert order(again, 9, account="C") == ["money"]


def test_a_rule_that_is_out_of_force_has_no_utilization_and_gates_no_state():
    gate, size = rk.Rule("gate", TradingState()), rk.Rule("rate", OrderRate(limit=3, window_ns="1s"))
    session = rk.Session.create(rk.RuleSet([gate, size]), [rk.Instrument("X")], ["A"], compiled=False)
    order(session, 0, 1)
    session.command("REDUCING", "A")
    assert session.status().states() == {"A": "REDUCING"}
    assert session.status().utilization()["rule"].unique().tolist() == ["rate"]
    session.set_rules(rk.RuleSet([rk.Rule("size", MaxOrderQty(limit=9))]), who="Ann", why="a test")
    assert session.status().states() == session.result().states() == {"A": "ACTIVE"}
    assert session.status().utilization().empty
