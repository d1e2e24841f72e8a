"""Reference prices: each is taken from where it says, is missing beyond its age, and is named in the sentence."""

from __future__ import annotations

import pandas as pd
import pytest
from marks import needs_compiling

from riskkit import Account, EventLog, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.rules.catalogue.reference import NAMES, WORDS
from riskkit.replay.rules.judged import why_not_judged
from riskkit.rules import PriceCollar

ORDER = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1}
FILL = {**ORDER, "kind": "fill"}
QUOTE = {"kind": "price", "instrument": "X"}
SOURCES = {  # an event that gives the reference of a buy its price, 100
    "last": {**QUOTE, "price": 100},
    "mid": {**QUOTE, "bid": 99, "ask": 101},
    "touch": {**QUOTE, "bid": 50, "ask": 100},
    "own_fill": {**FILL, "price": 100},
    "close": {**QUOTE, "kind": "close", "price": 100},
}
LACKING = {  # what a log of orders alone lacks
    "last": "it needs last trades (rows kind=\"price\" with a price) or fills (rows kind=\"fill\"), and this log has none; "
    'or take quotes with reference="mid" or "touch"',
    "mid": 'it needs bids (rows kind="price" with a bid), and this log has none',
    "touch": 'it needs bids (rows kind="price" with a bid) or asks (rows kind="price" with an ask), and this log has none',
    "own_fill": 'it needs fills (rows kind="fill"), and this log has none',
    "close": 'it needs previous closes (rows kind="close"), and this log has none',
}  # fmt: skip


def log_of(*rows):
    return EventLog.from_frame(pd.DataFrame([{"ts": place, **row} for place, row in enumerate(rows)]))


def refused(log, *, pct="0.1", **params):
    rules = RuleSet([Rule("collar", PriceCollar(pct, **params))])
    return replay_log(log, rules, compiled=False).rejections()["seq"].tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_collar_stands_around_its_reference(name):
    log = log_of(SOURCES[name], *({**ORDER, "price": price} for price in ("110", "110.01", "90", "89.99")))
    assert refused(log, reference=name) == [2, 4]
    assert WORDS[name] in str(Rule("collar", PriceCollar("0.1", reference=name)))


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_of_exactly_the_age_is_fresh(name):
    log = log_of(SOURCES[name], *({**ORDER, "ts": ts, "price": 100} for ts in (7, 8)))
    assert refused(log, reference=name, max_age_ns=7) == [2]
    assert refused(log, reference=name, max_age_ns=7, on_missing_price="allow") == []


@pytest.mark.parametrize("name", NAMES)
def test_a_log_without_the_reference_is_said(name):
    rule = Rule("collar", PriceCollar("0.1", reference=name))
    assert why_not_judged(rule, log_of({**ORDER, "price": 100})) == LACKING[name]
    assert why_not_judged(rule, log_of(SOURCES[name], {**ORDER, "price": 100})) == ""


def test_the_middle_may_be_half_a_tick_and_is_exact():
    prices = ("101.00", "101.01", "99.01", "99.00")  # 1 % of 100.005 is 1.00005
    log = log_of({**QUOTE, "bid": "100.00", "ask": "100.01"}, *({**ORDER, "price": price} for price in prices))
    assert refused(log, reference="mid", pct="0.01") == [2, 4]


@pytest.mark.parametrize(
    ("limits", "limit"), [({"pct": "0.0001"}, 0.0100005), ({"pct": "0.00005"}, 0.00500025), ({"ticks": 1}, 0.01)]
)
def test_a_distance_of_half_a_tick_is_shown_exactly_wherever_it_is_shown(limits, limit):
    rules = RuleSet([Rule("collar", PriceCollar(reference="mid", **limits))])
    log = log_of({**QUOTE, "bid": "100.00", "ask": "100.01"}, {**ORDER, "price": "100.02"})
    result = replay_log(log, rules, compiled=False)
    row = result.refused().iloc[0]
    assert (row["observed"], row["limit"], row["unit"]) == (0.015, limit, "price")
    session = Session(rules, log.universe, compiled=False)
    session.process_price(instrument="X", bid="100.00", ask="100.01", ts=0)
    [decision] = session.process_order(account="A", instrument="X", side="B", qty=1, price="100.02", ts=1)
    assert (decision.observed, decision.limit) == (0.015, limit)
    assert decision.headroom == pytest.approx(limit - 0.015, rel=1e-12)
    assert f"observed 0.015, limit {limit:.10g}" in str(result.explain(1))


def test_a_fill_is_the_last_trade_until_a_price_comes_and_the_own_fill_of_its_account_only():
    order, other = {**ORDER, "price": 200}, {**FILL, "account": "B", "price": 200}
    log = log_of(other, order, {**FILL, "price": 100}, order, {**QUOTE, "price": 200}, {**other, "price": 50}, order)
    assert refused(log) == [3]
    assert refused(log, reference="own_fill", on_missing_price="allow") == [3, 6]


def test_a_close_is_neither_a_last_trade_nor_a_mark_and_a_trade_is_no_close():
    close, order = {**QUOTE, "kind": "close", "price": 100}, {**ORDER, "price": 120}
    log = log_of(close, {**QUOTE, "price": 120}, order, {**FILL, "price": 120}, order, {**close, "price": 115}, order)
    assert refused(log, reference="close") == [2, 4] and refused(log) == []
    other = log_of({**close, "instrument": "Y"}, order)
    assert (
        refused(other, reference="close") == [1] and refused(other, reference="close", on_missing_price="allow") == []
    )


@pytest.mark.parametrize("compiled", [False, pytest.param("generic", marks=needs_compiling)])
def test_a_collar_around_the_close_says_so_live_and_goes_on_from_a_snapshot(compiled):
    rules = RuleSet([Rule("collar", PriceCollar("0.1", reference="close", max_age_ns="2d"))])
    session = Session.create(rules, [Instrument("X")], [Account("A")], compiled=compiled)
    order = {"account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 111}
    start = pd.Timestamp("2026-03-02 16:00", tz="UTC")
    (missing,) = session.process_order(ts=start, **order)
    assert "no price is known" in missing.reason
    session.process_close(ts=start, instrument="X", price=100)
    (far,) = Session.restore(session.snapshot(), rules, compiled=compiled).process_order(
        ts=start + pd.Timedelta("2D"), **order
    )
    assert (far.observed, far.limit) == (11, 10) and "price" in far.reason
    (old,) = session.process_order(ts=start + pd.Timedelta("2D1ns"), **order)
    assert "no price is known" in old.reason
