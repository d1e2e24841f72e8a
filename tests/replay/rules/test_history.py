"""Histories of rule sets: what was in force, what changed, and what a rule may not become."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskkit import EventLog, Rule, RuleSet, replay_log
from riskkit.replay.rules.history import RuleChange, RuleHistory, as_history
from riskkit.replay.rules.retuned import with_setting
from riskkit.rules import MaxOrderQty, OrderRate, PositionLimit, Tier, TieredRule

FIVE = RuleSet([Rule("size", MaxOrderQty(limit=5))])


def change(rules, ts=10, who="Ann", why="a test", **rest):
    return RuleChange(ts, rules, who, why, **rest)


def orders(*quantities):
    """A log of orders, one a nanosecond."""
    frame = {"ts": range(len(quantities)), "kind": "order", "account": "A", "instrument": "X", "side": "B"}
    return EventLog.from_frame(pd.DataFrame({**frame, "qty": quantities, "price": 10}))


def test_a_history_without_a_change_is_its_rule_set():
    history = as_history(FIVE)
    assert history.hash == FIVE.hash
    assert history.every is FIVE
    log = orders(4, 6)
    assert replay_log(log, history, compiled=False).digest == replay_log(log, FIVE, compiled=False).digest


def test_rules_keep_their_numbers_and_a_new_one_comes_last():
    two = RuleSet([Rule("rate", OrderRate(limit=1, window_ns=5)), *FIVE])
    history = RuleHistory(FIVE, [change(two, seq=1), change(RuleSet(two[:1]), seq=2)])
    assert [rule.id for rule in history.every] == ["size", "rate"]
    assert [sorted(stretch.on) for stretch in history.stretches] == [[0], [0, 1], [1]]
    assert [history.at(seq).start for seq in range(4)] == [0, 1, 2, 2]


def test_frames_and_explanations_have_the_limit_in_force_at_the_event():
    three = with_setting(FIVE, {"size.limit": 3})
    result = replay_log(orders(6, 4, 4, 6), RuleHistory(FIVE, [change(three, seq=2)]), compiled=False)
    assert result.rejections()["seq"].tolist() == [0, 2, 3]
    assert result.to_frame()["limit"].tolist() == [5.0, 3.0, 3.0]
    assert str(result.explain(0)).endswith("(observed 6, limit 5); a quantity of 5 would have been accepted.")
    assert str(result.explain(2)).endswith("(observed 4, limit 3); a quantity of 3 would have been accepted.")
    assert result.refusals_by_rule() == {"size": 3}


def test_a_removed_rule_ends_its_pauses():
    pausing = RuleSet([Rule("size", MaxOrderQty(limit=5), action="PAUSE"), Rule("rate", OrderRate(5, 9))])
    history = RuleHistory(pausing, [change(RuleSet(pausing[1:]), seq=2), change(pausing, seq=3)])
    result = replay_log(orders(6, 1, 6, 1), history, compiled=False)
    assert result.to_frame()["decision"].tolist() == ["refused", "trip", "refused: paused", "release"]
    assert result.halts()["until"].notna().all()


def test_a_tiered_rule_changes_at_every_level():
    tiered = RuleSet([TieredRule("position", PositionLimit(limit=10), [Tier("0.5", "ALERT"), Tier(1)])])
    changed = with_setting(tiered, {"position.limit": 20})
    assert [rule.parameters.limit for rule in changed] == [20, "10"]
    assert changed.to_dict() == RuleSet.from_dict(changed.to_dict()).to_dict()


def test_a_frame_of_changes_has_what_was_added_and_removed():
    two = RuleSet([Rule("rate", OrderRate(limit=1, window_ns=5))])
    frame = RuleHistory(FIVE, [change(two, approved_by="Bob")]).to_frame()
    assert frame[["rule", "parameter", "before", "approved_by"]].to_numpy().tolist() == [
        ["size", "rule", "one order of at most 5 in quantity", "Bob"],
        ["rate", "rule", "", "Bob"],
    ]


def test_a_list_of_orders_is_not_split_by_a_change():
    columns = orders(1, 1, 1, 1).columns | {"batch": np.array([-1, 1, 1, -1])}
    history = RuleHistory(FIVE, [change(with_setting(FIVE, {"size.limit": 3}), seq=2)])
    assert [one.seq for one in history.placed(columns).changes] == [1]
    assert [rule.parameters.limit for rule in history.versions()] == [5, 3]
