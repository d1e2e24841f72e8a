"""Limits of single keys: which holds, what is said of it, and that it is kept with the rule."""

from __future__ import annotations

import pandas as pd
import pytest

import riskkit as rk
from riskkit.replay.rules.history import RuleChange, RuleHistory
from riskkit.replay.rules.overrides import version_of
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.tiered import Tier, TieredRule
from riskkit.rules import MaxOrderQty, PositionLimit

ORDER = {"kind": "order", "instrument": "X", "side": "B", "price": 10}
BY_PAIR = {"A/*": {"limit": 2}, "*/X": {"limit": 3}, "A/X": {"limit": 4}}


def log(*orders):
    frame = pd.DataFrame([{"ts": ts, **ORDER, **order} for ts, order in enumerate(orders)])
    accounts = [rk.Account("A", desk="D1"), rk.Account("B", desk="D2")]
    return rk.EventLog.from_frame(frame, accounts=accounts, unit="ns")


def test_a_key_goes_before_a_part_of_it():
    made = Rule("r", PositionLimit(limit=1), scope="account_instrument", overrides=BY_PAIR)
    asked = [("A", "X"), ("B", "X"), ("A", "Y"), ("B", "Y")]
    assert [made.versions[version_of(made, parts)].parameters.limit for parts in asked] == [4, 3, 2, 1]


def test_each_pair_has_its_limit_in_a_replay():
    orders = [{"account": a, "instrument": x, "qty": q} for a, x, last in
              (("A", "X", 4), ("B", "X", 3), ("A", "Y", 2), ("B", "Y", 1)) for q in (last, last + 1)]  # fmt: skip
    made = Rule("r", MaxOrderQty(limit=1), scope="account_instrument", overrides=BY_PAIR)
    assert rk.replay_log(log(*orders), RuleSet([made]), compiled=False).rejections()["seq"].tolist() == [1, 3, 5, 7]


def test_a_refusal_names_the_limit_of_its_key():
    made = Rule("size", MaxOrderQty(limit=None), scope="desk", overrides={"D1": {"limit": 5}, "D2": {"limit": None}})
    result = rk.replay_log(
        log({"account": "A", "qty": 6}, {"account": "B", "qty": 600}), RuleSet([made]), compiled=False
    )
    assert result.rejections()["seq"].tolist() == [0]
    assert "size on D1: a breach (observed 6, limit 5); a quantity of 5 would have been accepted" in str(
        result.explain(0)
    )
    assert str(made) == (
        "size: one order of at most an amount of its own in quantity (5 for D1, no limit for D2), for each desk. Orders and "
        "modifications that would breach it are rejected (severity WARN)."
    )


def test_overrides_are_kept_with_the_rule_in_any_order():
    one = RuleSet([Rule("r", PositionLimit(limit=1), scope="account_instrument", overrides=BY_PAIR)])
    two = RuleSet(
        [Rule("r", PositionLimit(limit=1), scope="account_instrument", overrides=dict(reversed(BY_PAIR.items())))]
    )
    assert one == two and RuleSet.from_dict(one.to_dict()) == one
    assert one != RuleSet([Rule("r", PositionLimit(limit=1), scope="account_instrument")])


def test_levels_scale_the_limits_of_keys_too():
    levels = [Tier("0.8", "ALERT"), Tier(1, "REJECT")]
    tiered = TieredRule("pos", PositionLimit(), levels, "desk", overrides={"D1": {"limit": 1500}})
    assert [dict(rule.overrides)["D1"] for rule in tiered.rules] == [(("limit", 1500),), (("limit", "1200"),)]
    rules = RuleSet([tiered])
    assert RuleSet.from_dict(rules.to_dict()) == rules


def test_a_limit_of_one_key_is_changed_for_a_while_and_nothing_else_is():
    plain = Rule("size", MaxOrderQty(limit=5), scope="account")
    raised = Rule("size", MaxOrderQty(limit=5), scope="account", overrides={"A": {"limit": 8}})
    history = RuleHistory(RuleSet([plain]), [
        RuleChange(2, RuleSet([raised]), "Ann", "a large client order"), RuleChange(6, RuleSet([plain]), "Ann", "until"),
    ])  # fmt: skip
    orders = [{"account": account, "qty": 6} for account in "ABABABAB"]
    assert rk.replay_log(log(*orders), history, compiled=False).rejections()["seq"].tolist() == [0, 1, 3, 5, 6, 7]
    rows = history.to_frame()[["parameter", "before", "after"]].values.tolist()
    assert rows == [["limit of A", 5, 8], ["limit of A", 8, 5]]


@pytest.mark.parametrize("scope", ["account", "account_instrument"])
def test_a_session_gives_an_account_that_comes_later_its_limit(scope):
    key = "B" if scope == "account" else "*/Y"
    rules = RuleSet([Rule("size", MaxOrderQty(limit=5), scope=scope, overrides={key: {"limit": 8}})])
    session = rk.Session.create(rules, [rk.Instrument("X")], ["A"], auto_register=rk.Instrument("any"), compiled=False)
    found = []
    for ts, (account, instrument) in enumerate([("A", "X"), ("B", "Y"), ("C", "X")]):
        answer = session.process_order(ts=ts, account=account, instrument=instrument, side="B", qty=7, price=10)
        found.append(len(answer))
    assert found == [1, 0, 1]
