"""Money at another multiplier: exact fractions, and no profit by the change itself, in every book."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import load

from riskkit import Account, Instrument, Rule, RuleSet, replay_log
from riskkit.replay.kernels.multipliers import take_multiplier, times
from riskkit.replay.live.engine import Engine
from riskkit.rules import DailyLoss, Leverage, SessionHours

SIZE = st.integers(1, 10**6)
X = Instrument("X", multiplier=5)
FILL = {"kind": "fill", "account": "A", "instrument": "X", "side": "B", "qty": 4, "price": 10}
OTHER = {"kind": "multiplier", "instrument": "X"}
BUY = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 1}


@given(SIZE, SIZE, SIZE, SIZE)
def test_a_fraction_times_another_one(a, b, c, d):
    first, second = Fraction(a, b), Fraction(c, d)
    found = times(first.numerator, first.denominator, second.numerator, second.denominator)
    assert found == ((first * second).numerator, (first * second).denominator)


@given(st.lists(st.tuples(SIZE, SIZE), min_size=1, max_size=4), SIZE, SIZE)
def test_each_change_is_of_the_declared_multiplier(changes, numerator, denominator):
    ratio = Fraction(numerator, denominator)
    record = SimpleNamespace(times_numerator=0, times_denominator=0, paid_numerator=ratio.numerator)
    record.numerator, record.denominator, record.paid_denominator = *ratio.as_integer_ratio(), ratio.denominator
    for up, down in changes:
        one = Fraction(up, down)
        take_multiplier(record, one.numerator, one.denominator)
        found = {
            Fraction(record.numerator, record.denominator),
            Fraction(record.paid_numerator, record.paid_denominator),
        }
        assert found == {ratio * one}


@pytest.mark.parametrize(
    "scope", ["account", "trader", "desk", "global", "instrument", "product", "account_instrument", "strategy"]
)
def test_a_change_is_no_profit_and_each_tick_after_it_is_worth_the_new_one(scope):
    """40 are lost at 8 (5 a point, 4 lots), 60 more at 6.5 (10 a point)."""
    rules = RuleSet([Rule("loss", DailyLoss(limit=100), scope=scope, action="REJECT")])
    for last, refused in (("6.51", 0), ("6.5", 1)):
        fill, order = ({**row, "strategy": "s"} if scope == "strategy" else row for row in (FILL, BUY))
        rows = [{**fill, "ts": 1}, {"ts": 2, "kind": "price", "instrument": "X", "price": 8}]
        rows += [{**OTHER, "ts": 3, "multiplier": 10}, {**order, "ts": 4}]
        rows += [{"ts": 5, "kind": "price", "instrument": "X", "price": last}, {**order, "ts": 6}]
        log = load(*rows, accounts=(Account("A", trader="T", desk="D"),), instruments=(X,))
        result = replay_log(log, rules, compiled=False)
        assert len(result.rejections()) == refused
        account = result.state.accounts[1]
        assert account["cash"] + account["value"] == account["value"] - account["cost"]


@pytest.mark.parametrize(("size", "refused"), [(10, 0), ("10.01", 1)])
def test_an_exposure_is_of_the_new_multiplier(size, refused):
    """200 of equity carry 400: 4 lots at 10 and 10 a point, of which 0.01 more is beyond."""
    rules = RuleSet([Rule("leverage", Leverage(limit=2))])
    rows = [
        {**FILL, "ts": 1},
        {**OTHER, "ts": 2, "multiplier": size},
        {**BUY, "ts": 3, "side": "S", "qty": 8, "price": 10},
    ]
    log = load(*rows, accounts=(Account("A", {"USD": 200}),), instruments=(X,))
    assert len(replay_log(log, rules, compiled=False).rejections()) == refused


def test_an_engine_keeps_the_multiplier_and_the_phase_over_a_snapshot():
    rules = RuleSet([Rule("leverage", Leverage(limit=2)), Rule("hours", SessionHours())])
    rows = [{"ts": 1, "kind": "price", "instrument": "X", "price": 10}, {**OTHER, "ts": 2, "multiplier": "7.5"}]
    rows += [{"ts": 3, "kind": "phase", "instrument": "X", "phase": "closed"}, {**OTHER, "ts": 4, "multiplier": 10}]
    log = load(*rows, {**BUY, "ts": 5, "qty": 5}, accounts=(Account("A", {"USD": 200}),), instruments=(X,))
    engine = Engine(rules, log.universe, "shadow", compiled=False)
    engine.feed(log, 0, 3)
    again = Engine.restore(engine.snapshot(), rules, compiled=False)
    again.feed(log, 3)
    assert [int(row["mask"]) for row in again.result().rows] == [3]
    assert again.result().digest == replay_log(log, rules, compiled=False).digest
