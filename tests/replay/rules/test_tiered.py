"""Staged limits: one rule with several levels is the rules that it stands for, and prints as one sentence."""

from __future__ import annotations

import pandas as pd
import pytest
from streams import random_log

from riskkit import EventLog, InputError, Rule, RuleSet, replay_log
from riskkit.rules import DrawdownLimit, MinOrderQty, OrderRate, PositionLimit, Tier, TieredRule, VolumeCap

LEVELS = [Tier(1, "REJECT", "CRITICAL"), Tier(0.8, "ALERT", "INFO"), Tier("0.9", "REDUCE_ONLY", hold="1h")]
STAGED = TieredRule("position", PositionLimit(limit=10), LEVELS, "account_instrument")
TOML = """
[[rules]]
id = "position"
type = "position_limit"
scope = "account_instrument"
params = { limit = 10 }
levels = [
    { at = 0.8, action = "ALERT", severity = "INFO" },
    { at = 0.9, action = "REDUCE_ONLY", hold = "1h" },
    { at = 1, action = "REJECT", severity = "CRITICAL" },
]
"""


def orders(*quantities: int) -> EventLog:
    """Orders to buy that work, one a second."""
    rows = [
        {"ts": n * 10**9, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": qty, "price": 1.0}
        for n, qty in enumerate(quantities)
    ]
    return EventLog.from_frame(pd.DataFrame(rows).assign(order_id=range(len(rows))))


def test_it_is_the_rules_that_it_stands_for():
    by_hand = RuleSet(
        [
            Rule("position@100%", PositionLimit(limit=10), "account_instrument", "REJECT", "CRITICAL"),
            Rule("position@90%", PositionLimit(limit=9), "account_instrument", "REDUCE_ONLY", hold="1h"),
            Rule("position@80%", PositionLimit(limit=8), "account_instrument", "ALERT", "INFO"),
        ]
    )
    assert RuleSet([STAGED]) == by_hand and RuleSet([STAGED]).hash == by_hand.hash
    log = random_log(4, 200)
    for mode in ("shadow", "enforce"):
        digests = {replay_log(log, rules, mode, compiled=False).digest for rules in (RuleSet([STAGED]), by_hand)}
        assert len(digests) == 1


def test_toml_dict_and_objects_are_equal(tmp_path):
    (tmp_path / "limits.toml").write_text(TOML)
    read = RuleSet.from_toml(tmp_path / "limits.toml")
    assert read == RuleSet([STAGED]) == RuleSet.from_dict(RuleSet([STAGED]).to_dict())
    assert len(read) == 3 and len(read.declared) == 1
    assert read["position@80%"].parameters.limit == "8"


def test_it_prints_a_sentence_for_each_level():
    assert str(RuleSet([STAGED])) == (
        "1. position: a net position of at most 10 in quantity after the order, with working orders of its side, "
        "for each account and instrument. From 80 % of it, a breach raises an alert and stops nothing (severity INFO). "
        "From 90 % of it, orders and modifications that would breach it are rejected; then the account in the instrument "
        "may only reduce positions for 1 h (severity WARN). "
        "From 100 % of it, orders and modifications that would breach it are rejected (severity CRITICAL)."
    )


@pytest.mark.parametrize(
    ("quantities", "alerted", "refused"),
    [
        ((8,), [], {}),
        ((9,), [0], {}),  # beyond 80 %, not beyond 90 %
        ((9, 1), [0], {1: "position@90%"}),  # the second would be 10: beyond 90 % it only reduces
        ((11,), [], {0: "position@100%"}),  # beyond all three: the highest level is cited
    ],
)
def test_each_level_begins_just_beyond_its_part(quantities, alerted, refused):
    rules = RuleSet([TieredRule("position", PositionLimit(limit=10), [Tier(0.8, "ALERT"), Tier(0.9), Tier(1)])])
    result = replay_log(orders(*quantities), rules, "enforce", compiled=False)
    found = result.rejections()
    assert {int(row["seq"]): rules[int(row["cause"])].id for row in found} == refused
    bits = {k: 1 << k for k in range(len(rules))}
    warned = result.rows[(result.rows["mask"] & bits[2] != 0) & ~pd.Series(result.rows["seq"]).isin(found["seq"])]
    assert warned["seq"].tolist() == alerted


def test_counts_are_rounded_down_and_every_limit_is_staged():
    rate = TieredRule("rate", OrderRate(limit=7, window_ns="1s"), [Tier(0.8, "ALERT")])
    assert rate.rules[0].parameters.limit == 5
    both = TieredRule("cap", VolumeCap(limit=100, notional="0.50"), [Tier("0.5", "ALERT")]).rules[0].parameters
    assert (both.limit, both.notional) == ("50", "0.25")
    assert TieredRule("fall", DrawdownLimit(pct="0.2"), [Tier(0.5, "ALERT")]).rules[0].parameters.pct == "0.1"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: TieredRule("a", PositionLimit(limit=1), []), "levels is empty"),
        (lambda: TieredRule("a", PositionLimit(limit=1), [Tier(0, "ALERT")]), "at=0 is not a fraction of the limit"),
        (
            lambda: TieredRule("a", PositionLimit(limit=1), [Tier(1.1, "ALERT")]),
            "at=1.1 is not a fraction of the limit",
        ),
        (lambda: TieredRule("a", PositionLimit(limit=1), [Tier(1), Tier("1.0")]), "begin at the same fraction"),
        (lambda: TieredRule("a", PositionLimit(limit=1), [0.8]), "0.8 is not a Tier"),
        (lambda: TieredRule("a", MinOrderQty(limit=1), [Tier(0.5)]), "no upper limit"),
        (lambda: TieredRule("a", PositionLimit(limit=1), [Tier(1, "STOP")]), "action='STOP' is not one of"),
        (lambda: table(levels=3), "levels=3 is not a list of tables"),
        (lambda: table(levels=[3]), "level 3 is not a table"),
        (lambda: table(levels=[{"at": 1, "acton": "ALERT"}]), "key 'acton' of a level is not known"),
        (lambda: table(levels=[{"action": "ALERT"}]), "a level has no 'at'"),
        (lambda: table(levels=[{"at": 1}], action="REJECT"), "action is set by each level"),
    ],
)
def test_what_does_not_fit_is_one_sentence(make, sentence):
    with pytest.raises(InputError) as refused:
        make()
    assert sentence in str(refused.value) and "\n" not in str(refused.value)


def table(**fields: object) -> RuleSet:
    return RuleSet.from_dict({"rules": [{"type": "position_limit", "params": {"limit": 1}, **fields}]})
