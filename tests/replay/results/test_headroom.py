"""Headroom as a tree: what each node uses of its limit, and what the nodes below use together."""

from __future__ import annotations

import math

import pandas as pd
import pytest

import riskkit as rk
from riskkit import Account, InputError, Rule, RuleSet
from riskkit.replay import headroom_tree
from riskkit.rules import MaxExposure, MaxOrderQty, PositionLimit

ACCOUNTS = [
    Account("A", trader="t1", desk="D1", firm="F"),
    Account("B", trader="t2", desk="D1", firm="F"),
    Account("C", trader="t3", desk="D2", firm="F"),
]
EVENTS = [
    {"kind": "price", "instrument": "X", "price": 10},
    {"kind": "order", "account": "A", "side": "B", "qty": 100, "order_id": "a"},
    {"kind": "fill", "account": "A", "side": "B", "qty": 100, "order_id": "a"},
    {"kind": "order", "account": "B", "side": "S", "qty": 30, "order_id": "b"},
    {"kind": "order", "account": "C", "side": "S", "qty": 60, "order_id": "c"},
    {"kind": "fill", "account": "C", "side": "S", "qty": 20, "order_id": "c"},
]


def tree(*rules: Rule, rate: dict | None = None) -> pd.DataFrame:
    events = [*([rate] if rate else []), *EVENTS]
    frame = pd.DataFrame([{"instrument": "X", "price": 10, "ts": ts, **row} for ts, row in enumerate(events)])
    log = rk.EventLog.from_frame(frame, [rk.Instrument("X")], ACCOUNTS, unit="ns")
    return headroom_tree(rk.replay_log(log, RuleSet(rules), compiled=False)).set_index("node")


def test_positions_net_from_the_accounts_up_to_the_firm():
    own = {"D1": {"limit": 120}}
    found = tree(
        Rule("firm", PositionLimit(limit=200), scope="firm"),
        Rule("desk", PositionLimit(limit=150), scope="desk", overrides=own),
        Rule("account", PositionLimit(limit=None), overrides={"A": {"limit": 100}}),
    )
    assert list(found.index) == ["F", "F/D1", "F/D1/t1/A", "F/D1/t2/B", "F/D2", "F/D2/t3/C"]
    # C is short 20 and sells 40 more, A is long 100, B sells 30: the firm is 80 long, and at worst 80 or 80 - 70
    assert found["used"].tolist() == [80, 100, 100, 30, 60, 60]
    assert found["headroom"].tolist()[:3] == [120, 20, 0] and math.isnan(found.loc["F/D2/t3/C", "headroom"])
    assert found["netted"].tolist()[:2] == [80, 30] and found["netted"].isna().tolist()[2:] == [True, True, False, True]


@pytest.mark.parametrize("currency", ["", "USD"])
@pytest.mark.parametrize(("netting", "used", "netted"), [("net", 800, 800), ("none", 1_900, -300)])
def test_exposures_are_those_that_the_rule_judges(netting, used, netted, currency):
    desk = Rule("desk", MaxExposure(limit=5_000), scope="desk", currency=currency)
    found = tree(Rule("firm", MaxExposure(limit=5_000), scope="firm", netting=netting, currency=currency), desk)
    assert found.loc["F", "used"] == pytest.approx(used)
    assert found.loc["F", "netted"] == pytest.approx(netted)
    assert found["unit"].tolist() == ["USD"] * 3


def test_limits_on_nothing_but_orders_have_no_tree():
    with pytest.raises(InputError, match="no rule of the result limits positions or exposures of accounts, traders"):
        tree(Rule("size", MaxOrderQty(limit=5)))


def test_without_a_fresh_rate_the_use_is_not_known():
    rule = Rule("firm", MaxExposure(limit=5_000), scope="firm", currency="EUR", max_age_ns=3)
    found = tree(rule, rate={"kind": "fx", "pair": "EURUSD", "price": 1.1, "instrument": None})
    assert found[["used", "headroom"]].isna().all(axis=None) and found["limit"].tolist() == [5_000]
