"""Dividends: what falls and by how much, who is paid, and no trace of them in a loop without any."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proofs.test_scenarios import agree
from random_scenarios import PARAMETERS, scenario, with_stops
from rows import load
from scenario_runner import run
from streams import random_log

from riskkit import Account, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.order_columns import assign_slots
from riskkit.replay.engine.specialise import specialise
from riskkit.replay.kernels.dividends import fallen
from riskkit.replay.run.replay_log import Stage
from riskkit.replay.schema.universe import Universe
from riskkit.rules import DailyLoss, DrawdownLimit, PositionLimit, SelfTradePrevention

OFTEN = {"dividend": 12, "modify_reject": 6, "cancel_reject": 6}
SELF = RuleSet([Rule("self", SelfTradePrevention())])
SIZE = RuleSet([Rule("size", PositionLimit(limit=99))])
BUY = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1}


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_rule_decides_as_the_naive_interpreter_whatever_is_paid(name, long):
    for seed in range(2):
        told = with_stops(scenario(9000 * seed + len(name), 60, types=[name], weights=OFTEN), seed)
        found = agree(told)
        if long or not seed:
            assert run(told, "live") == found


@given(st.integers(1, 10**6), st.integers(1, 10**4), st.integers(1, 500))
def test_a_price_falls_to_the_next_lower_multiple_of_its_tick(price, ticks, tick):
    found, exact = fallen(price, ticks, tick), Fraction(price - ticks)
    if price <= tick:
        assert found == price
    else:
        assert found % tick == 0 and found == max(found, tick) and (found <= exact < found + tick or found == tick)


def test_a_payment_is_of_the_lots_and_the_multiplier():
    traded = Instrument("Y", lot="5", multiplier="2")
    assert Universe.declare([traded], ["A"], "0.01").payment(traded) == Fraction(5 * 2 * 100, 10**9)


def test_who_holds_on_the_ex_date_is_paid_and_who_bought_later_is_not():
    fill = {**BUY, "kind": "fill", "price": 10}
    log = load(
        {**fill, "ts": 1, "qty": 3},
        {**fill, "ts": 1, "qty": 2, "account": "B", "side": "S"},
        {"ts": 2, "kind": "dividend", "instrument": "X", "amount": "0.205"},
        {**fill, "ts": 3, "qty": 5, "account": "C"},
        {**BUY, "ts": 4, "price": 10},
    )
    accounts = replay_log(log, SIZE, compiled=False).accounts()
    assert accounts["cash"].tolist() == pytest.approx([-30 + 0.615, 20 - 0.41, -50])
    assert log.to_frame()["amount"].dropna().tolist() == [0.205]
    assert log.to_frame_row(2) == "event 2 1970-01-01 00:00:00.000000002+00:00 DIVIDEND X 0.205"


def test_a_fall_of_the_price_by_the_dividend_is_no_loss():
    fill, paid = {**BUY, "kind": "fill", "price": 10}, {"kind": "dividend", "instrument": "X", "amount": 2}
    rows = [{"ts": 1, **fill, "qty": 9}, {"ts": 2, **paid}, {"ts": 3, "kind": "price", "instrument": "X", "price": 8}]
    for rule in (DrawdownLimit(money=1, trailing=False), DailyLoss(limit=1)):
        for scope in ("account", "instrument", "global"):
            rules = RuleSet([Rule("loss", rule, scope=scope)])
            result = replay_log(load(*rows, {"ts": 4, **BUY, "price": 8}), rules, compiled=False)
            without = replay_log(load(*rows[::2], {"ts": 4, **BUY, "price": 8}), rules, compiled=False)
            assert (len(result.rows), len(without.rejections())) == (0, 1), (rule, scope)


def test_a_total_that_is_sampled_alone_has_the_dividends_of_the_accounts():
    log = load(
        {"ts": 1, **BUY, "kind": "fill", "price": 10, "qty": 3},
        {"ts": 2, "kind": "dividend", "instrument": "X", "amount": "0.50"},
        {"ts": 9, "kind": "price", "instrument": "X", "price": 10},
    )
    times = np.array([1, 5, 10])
    options = {"orphans": "clip", "on_trip": "leave", "compiled": False, "sample_at": times}
    alone, accounts = (Stage(log, SIZE, "shadow", total_only=total, **options) for total in (True, False))
    assert alone.shape.netted and not accounts.shape.netted
    assert alone.replay(SIZE).paths().tolist() == accounts.replay(SIZE).paths().tolist()


def test_an_order_keeps_its_record_until_it_ends():
    orders = [{**BUY, "ts": ts, "price": 35, "order_id": f"o{ts}"} for ts in range(3)]
    log = load(*orders, {"ts": 9, "kind": "dividend", "instrument": "X", "amount": 1})
    shape = shape_of(SIZE, log.columns, enforce=False, sampled=False, cancels=False, opened=False)
    assert assign_slots(log.columns, shape)[1] == 3
    assert replay_log(log, SIZE, compiled=False).state.orders["price"][1:].tolist() == [3400] * 3


def test_a_loop_without_dividends_has_nothing_of_them():
    log = random_log(3, 60)
    shape = shape_of(SELF, log.columns, enforce=True, sampled=True, cancels=True, opened=True)
    assert "dividend" not in specialise(shape).text


def test_a_session_bounds_what_a_dividend_pays():
    session = Session.create(SELF, [Instrument("X")], [Account("A", {"USD": 0})], compiled=False)
    session.process_trade(ts=1, account="A", instrument="X", side="B", qty=10**6, price=1)
    for ts in range(2, 60):
        session.process_dividend(ts=ts, instrument="X", amount=10)
    session.process_order(ts=99, account="A", instrument="X", side="B", qty=1, price=1, order_id="a")
    assert session.result().accounts()["cash"].tolist() == [58 * 10**7 - 10**6]
    assert session.result().digest == replay_log(session.log(), SELF, compiled=False).digest
