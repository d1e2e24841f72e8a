"""Changes of a multiplier at both doors: what fits, money of quotes, bounds, one digest; and which rules cannot follow."""

from __future__ import annotations

from fractions import Fraction

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import FILL, ORDER, column, load, refusal

from riskkit import Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.multipliers import NO_MULTIPLIER
from riskkit.rules import MaxOrderNotional, PositionLimit, ScenarioLimit, VarLimit

RULES = RuleSet([Rule("size", PositionLimit(limit=10**6)), Rule("value", MaxOrderNotional(limit=500))])
OTHER = {"ts": 2, "kind": "multiplier", "instrument": "X", "multiplier": 15}
X = Instrument("X", multiplier=10)
GREEKS = {"sensitivities": {"X": [1, 0, 0]}, "spot_moves": [-1, 1], "vol_moves": [0]}


@pytest.mark.parametrize(("size", "up", "down"), [(15, 3, 2), ("2.5", 1, 4), ("0.01", 1, 1000), (10, 1, 1)])
def test_a_multiplier_is_counted_over_the_declared_one(size, up, down):
    log = load({**OTHER, "multiplier": size}, instruments=(X,))
    assert (column(log, "qty"), column(log, "price")) == ([up], [down])


@pytest.mark.parametrize("size", [0, -2, "x", float("inf"), True, "10000001", "0.00000001", None])
def test_what_is_no_multiplier_is_refused_at_both_doors(size):
    session = Session.create(RULES, [X], ["A"], compiled=False)
    assert refusal_of(session.process_multiplier, ts=1, instrument="X", multiplier=size).endswith(NO_MULTIPLIER)
    assert refusal({**OTHER, "multiplier": size}, instruments=(X,)).endswith(NO_MULTIPLIER)
    assert len(session) == 0


@pytest.mark.parametrize("rule", [ScenarioLimit(limit=9, **GREEKS), VarLimit(limit=40, bar_ns="10min")])
def test_a_rule_that_cannot_follow_is_refused_at_both_doors(rule):
    rules = RuleSet([Rule("r", rule)])
    price = {"ts": 1, "kind": "price", "instrument": "X", "price": 10}
    said = refusal_of(replay_log, load(price, OTHER, {**ORDER, "ts": 3}, instruments=(X,)), rules, compiled=False)
    assert "multiplier" in said and "rule 'r'" in said
    session = Session.create(rules, [X], ["A"], compiled=False)
    assert "multiplier" in refusal_of(session.process_multiplier, ts=1, instrument="X", multiplier=2)


def test_a_session_decides_as_a_replay_of_its_log():
    """A quote quantity of 300 is for two lots of 150, and an order of 50 x 15 is more than 500."""
    session = Session.create(RULES, [X], ["A"], compiled=False)
    rows = [{**FILL, "ts": 1, "order_id": None}, OTHER, {**ORDER, "ts": 3, "order_id": "a"}]
    rows += [{**ORDER, "ts": 4, "qty": None, "quote_qty": 300, "price": 10, "order_id": "b"}]
    submit(session, rows)
    result = session.result()
    assert result.digest == replay_log(session.log(), RULES, compiled=False).digest
    found = replay_log(load(*rows, instruments=(X,)), RULES, compiled=False)
    assert found.rows[["seq", "code"]].tolist() == result.rows[["seq", "code"]].tolist()
    assert column(session.log(), "qty")[-1] == 2


def test_the_unit_of_money_fits_every_multiplier():
    log = load({**FILL, "ts": 1, "order_id": None}, {**OTHER, "multiplier": "0.003"}, instruments=(X,))
    assert (log.universe.ratio(X) * Fraction("0.0003")).denominator == 1


def test_what_could_overflow_is_refused():
    said = refusal(
        {**FILL, "ts": 1, "order_id": None, "qty": 10**9, "price": 10**4},
        {**OTHER, "multiplier": 10**6},
        instruments=(X,),
    )
    assert "overflow 64 bits" in said
    session = Session.create(RULES, [X], ["A"], compiled=False)
    session.process_trade(ts=1, account="A", instrument="X", side="B", qty=10**6, price=10**4)
    assert "overflow" in refusal_of(session.process_multiplier, ts=2, instrument="X", multiplier=10**6)
    session.process_multiplier(ts=2, instrument="X", multiplier=10**5)
    more = {"account": "A", "instrument": "X", "side": "B", "qty": 10**7, "price": 10**4}
    assert "overflow" in refusal_of(session.process_trade, ts=3, **more)
    assert len(session) == 2
