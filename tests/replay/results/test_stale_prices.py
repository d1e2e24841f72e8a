"""Old prices: the head of a result names the order that came longest after the last price, where a rule judges by it."""

from __future__ import annotations

import pandas as pd
import pytest
from streams import random_log

from riskkit import Account, EventLog, Rule, RuleSet, compare, replay_log
from riskkit.replay.results.stale_prices import stale_prices
from riskkit.replay.schema.columns import MESSAGES, EventKind
from riskkit.replay.schema.durations import duration_text
from riskkit.rules import DailyLoss, MaxExposure, MaxOrderNotional, MaxOrderQty, PositionLimit, PriceCollar

START = pd.Timestamp("2024-03-01 14:30")
PRICE = {"kind": "price", "instrument": "X", "price": 10.0}
ORDER = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10.0}
VALUING = {
    "exposure": MaxExposure(limit=100),
    "notional": MaxOrderNotional(limit=100),
    "position in money": PositionLimit(notional=100),
    "loss": DailyLoss(limit=100),
    "collar": PriceCollar(pct="0.1"),
}


def log(hours, first=PRICE):
    rows = [{**first, "ts": START}, {**ORDER, "ts": START + pd.Timedelta(hours=hours)}]
    return EventLog.from_frame(pd.DataFrame(rows), accounts=[Account("A", positions={"X": 1})])


@pytest.mark.parametrize("name", VALUING)
def test_an_order_long_after_the_last_price_is_said(name):
    rules = RuleSet([Rule("r", VALUING[name])])
    said = (
        "event 1 came 3 d after the last price of X, at which r judged it; max_mark_age_ns of a limit of "
        "exposures, and max_age_ns of a price_collar, refuse old prices"
    )
    assert stale_prices(rules, log(72)) == said
    assert said in " ".join(repr(replay_log(log(72), rules, compiled=False)).split())
    assert f"Old prices: {said}." in compare(log(72), rules, compiled=False).sentences()
    assert stale_prices(rules, log(24)) == ""


def test_weekends_of_daily_prices_are_not_old():
    days = [PRICE | {"ts": START + pd.Timedelta(days=day)} for day in range(5)]
    for gap, old in ((4, False), (12, True)):
        late = ORDER | {"ts": START + pd.Timedelta(days=4 + gap)}
        events = EventLog.from_frame(pd.DataFrame([*days, late]))
        assert bool(stale_prices(RuleSet([Rule("r", MaxExposure(limit=100))]), events)) == old


def test_rules_that_need_no_price_or_refuse_an_old_one_are_not_named():
    quantity, collar = Rule("q", MaxOrderQty(limit=5)), Rule("c", PriceCollar(pct="0.1", max_age_ns="1h"))
    assert stale_prices(RuleSet([quantity, collar]), log(72)) == ""
    assert replay_log(log(72), RuleSet([collar]), compiled=False).rejections()["seq"].tolist() == [1]


def test_a_fill_is_a_price_only_before_the_first_price():
    fill = {**ORDER, "kind": "fill"}
    rules = RuleSet([Rule("r", MaxExposure(limit=100))])
    assert stale_prices(rules, log(72, fill)).startswith("event 1 came 3 d")
    rows = [(PRICE, 0), (fill, 71), (ORDER, 72)]
    frame = pd.DataFrame([{**row, "ts": START + pd.Timedelta(hours=hours)} for row, hours in rows])
    assert stale_prices(rules, EventLog.from_frame(frame)).startswith("event 2 came 3 d")


@pytest.mark.parametrize("seed", range(3))
def test_the_oldest_price_is_that_of_a_plain_loop(seed, monkeypatch):
    monkeypatch.setattr("riskkit.replay.results.stale_prices.DAY_NS", 0)
    monkeypatch.setattr("riskkit.replay.results.stale_prices.GAPS", 0)
    monkeypatch.setattr("riskkit.replay.results.stale_prices.PART", (7, 64, 1 << 20)[seed])
    events = random_log(seed, 200)
    marked, quoted, oldest = {}, set(), (0, -1)
    for row, (kind, code, ts) in enumerate(
        zip(*(events.columns[name] for name in ("kind", "instrument", "ts")), strict=True)
    ):
        if kind == EventKind.PRICE or (kind == EventKind.FILL and code not in quoted):
            marked[code] = ts
            quoted |= {code} if kind == EventKind.PRICE else set()
        elif kind in MESSAGES and code in marked and ts - marked[code] > oldest[0]:
            oldest = ts - marked[code], row
    assert stale_prices(RuleSet([Rule("r", MaxExposure(limit=1))]), events).startswith(
        f"event {oldest[1]} came {duration_text(int(oldest[0]))} after"
    )
