"""Rules that cannot follow a split are refused in a sentence, in a replay and in a session."""

from __future__ import annotations

import pytest
from refusing import refusal
from rows import ORDER, load

from riskkit import Instrument, Rule, RuleSet, Session, replay_log
from riskkit.rules import VarLimit, VolumeCap

SPLIT = {"ts": 2, "kind": "split", "instrument": "X", "ratio": "3/2"}
RULES = {
    "measures returns from the prices of old units": Rule("r", VarLimit(limit="40", bar_ns="10min")),
    "adds quantities of several instruments": Rule("r", VolumeCap(limit=9)),
}


@pytest.mark.parametrize("why", RULES)
def test_a_rule_that_cannot_follow_a_split_is_refused_at_both_doors(why):
    rules = RuleSet([RULES[why]])
    price = {"ts": 1, "kind": "price", "instrument": "X", "price": 10}
    assert why in refusal(replay_log, load(price, SPLIT, {**ORDER, "ts": 3}), rules, compiled=False)
    session = Session.create(rules, [Instrument("X")], ["A"], compiled=False)
    assert why in refusal(session.process_split, ts=1, instrument="X", ratio=2) and len(session) == 0


@pytest.mark.parametrize("rule", [VolumeCap(notional=9), VolumeCap(limit=9)])
def test_amounts_of_money_and_of_one_instrument_follow(rule):
    rules = RuleSet([Rule("cap", rule, scope="account" if rule.limit is None else "account_instrument")])
    assert len(replay_log(load({**ORDER, "qty": 1, "price": 9}, SPLIT), rules, compiled=False).rows) == 0
