"""Prices, sizes and positions in new units: FINRA's rounding and the nearest tick, against fractions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rows import load

from riskkit import Account, Instrument, Rule, RuleSet, replay_log
from riskkit.replay.kernels.integers import split_mark
from riskkit.replay.kernels.splits import ALL, FINRA, split_lots, split_price
from riskkit.replay.schema.columns import MISSING, DecisionCode
from riskkit.rules import DailyLoss, PositionLimit

SIZE = RuleSet([Rule("size", PositionLimit(limit=10**6))])
RATIO = st.tuples(st.integers(1, 1000), st.integers(1, 1000))
FILL = {"kind": "fill", "account": "A", "instrument": "X", "side": "B", "price": 10}


@given(st.integers(1, 10**7), RATIO, st.integers(1, 500))
def test_a_price_falls_by_the_value_of_the_split_rounded_up_to_a_tick(price, ratio, tick):
    new, old = ratio
    value = Fraction(price * (new - old), new)
    assert split_price(price, new, old, tick, FINRA) == max(price - ceil(value / tick) * tick, tick)


@given(st.integers(1, 10**7), RATIO, st.integers(1, 500))
def test_by_custom_a_price_is_at_the_nearest_tick(price, ratio, tick):
    new, old = ratio
    found, exact = split_price(price, new, old, tick, ALL), Fraction(price * old, new)
    assert found % tick == 0 and (abs(found - exact) <= Fraction(tick, 2) or found == tick)
    assert 2 * abs(split_mark(price, new, old) - exact) <= 1


@given(st.integers(-(10**6), 10**6), RATIO, st.integers(1, 100))
def test_lots_are_whole_and_towards_zero(lots, ratio, lot):
    new, old = ratio
    found, exact = split_lots(lots, new, old, lot), Fraction(lots * new, old)
    assert found % lot == 0 and 0 <= abs(exact) - abs(found) < lot and found * lots >= 0


def test_what_is_no_price_stays():
    assert split_price(MISSING, 3, 2, 1, ALL) == split_mark(MISSING, 3, 2) == MISSING


@pytest.mark.parametrize(("ratio", "lots", "cash"), [("3/2", 37, 10 / 1.5 / 2), ("1/10", 2, 5 * 10), ("2/1", 50, 0)])
def test_fractions_of_a_lot_are_cash_and_no_profit(ratio, lots, cash):
    rows = [{**FILL, "ts": 1, "qty": 25}, {"ts": 2, "kind": "split", "instrument": "X", "ratio": ratio}]
    result = replay_log(load(*rows, {**FILL, "ts": 3, "kind": "order", "qty": 1}), SIZE, compiled=False)
    accounts = result.accounts()
    assert result.state.positions["qty"][1:].tolist() == [lots]
    assert accounts["cash"].tolist() == pytest.approx([-250 + cash])
    assert accounts["realised"].tolist() == [0]


def test_an_opening_position_without_a_mark_loses_its_fraction_and_nothing_else():
    rows = [{"ts": 2, "kind": "split", "instrument": "X", "ratio": "3/2"}, {**FILL, "ts": 3, "kind": "order", "qty": 1}]
    log = load(*rows, {"ts": 4, "kind": "price", "instrument": "X", "price": 10}, accounts=[Account("A", {}, {"X": 3})])
    result = replay_log(log, SIZE, sample_ns=1, compiled=False)
    assert (result.state.positions["qty"][1], result.accounts()["cash"].tolist()) == (4, [0])
    assert np.ravel(result.accounts()["equity"]).tolist() == [40]


def test_a_split_fill_is_final():
    rows = [
        {**FILL, "ts": 1, "qty": 4, "trade_id": "t"},
        {"ts": 2, "kind": "split", "instrument": "X", "ratio": "3/2"},
        {"ts": 3, "kind": "bust", "account": "A", "instrument": "X", "trade_id": "t"},
        {**FILL, "ts": 4, "kind": "order", "qty": 1},
    ]
    result = replay_log(load(*rows, instruments=(Instrument("X"),)), SIZE, compiled=False)
    assert result.state.positions["qty"][1:].tolist() == [6]


@pytest.mark.parametrize("scope", ["account", "desk", "strategy"])
def test_what_a_split_pays_for_part_of_a_lot_is_realised_at_once(scope):
    """Three at 10 are one and a half after one for two; the half is paid at 8, twice the last price of 4."""
    bought = {**FILL, "ts": 0, "qty": 3, "strategy": "s"}
    price = {"ts": 1, "kind": "price", "instrument": "X", "price": 4}
    split = {"ts": 2, "kind": "split", "instrument": "X", "ratio": "1/2", "price": 8}
    later = {
        "ts": 3,
        "kind": "order",
        "account": "A",
        "instrument": "X",
        "side": "B",
        "qty": 1,
        "price": 8,
        "strategy": "s",
    }
    log = load(bought, price, split, later, accounts=[Account("A", desk="D")])
    rule = Rule("day", DailyLoss(limit=6, measure="realised"), scope=scope)
    result = replay_log(log, RuleSet([rule]), compiled=False)
    assert result.rows["seq"][result.rows["code"] == DecisionCode.TRIP].tolist() == [2]
