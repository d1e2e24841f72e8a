"""Presets at the boundaries that the published tests and documents of their sources state: just below, equal, just above."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import riskkit as rk
from riskkit import InputError, presets
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.waits import waiting_messages
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import DecisionCode

S = 10**9
BTC = rk.Instrument("BTC", tick="0.01", lot="0.001", product="BTC", delta="0.5")
ETH = rk.Instrument("ETH", tick="0.01", lot="0.001", product="ETH")
MS = S // 1000


def at(seconds: float, kind: str, **more: Any) -> dict[str, Any]:
    return {"ts": round(seconds * S), "kind": kind, "account": "A", **more}


def order(
    seconds: float, qty: Any, price: Any = 100, side: str = "B", instrument: str = "BTC", **more: Any
) -> dict[str, Any]:
    terms = {"price": price} if price is not None else {"type": "market"}
    return at(seconds, "order", instrument=instrument, side=side, qty=qty, **terms, **more)


def fill(seconds: float, qty: Any, price: Any = 100, side: str = "B", instrument: str = "BTC") -> dict[str, Any]:
    return {**order(seconds, qty, price, side, instrument), "kind": "fill"}


def price(seconds: float, last: Any, kind: str = "price") -> dict[str, Any]:
    return {"ts": round(seconds * S), "kind": kind, "instrument": "BTC", "price": last}


def replayed(rules: rk.RuleSet, rows: list[dict[str, Any]], cash: Any = 100_000) -> rk.ReplayResult:
    log = EventLog.from_frame(pd.DataFrame(rows), [BTC, ETH], [rk.Account("A", {"USD": cash})], unit="ns")
    return replay_log(log, rules, "shadow", compiled=False)


def refused(rules: rk.RuleSet, rows: list[dict[str, Any]], **given: Any) -> list[str]:
    """The rule that refuses each order, "" if none does."""
    result = replayed(rules, rows, **given)
    said = {
        int(row["seq"]): "PAUSED" if row["code"] == DecisionCode.HELD else result.rules[int(row["cause"])].id
        for row in result.rejections()
    }
    return [said.get(seq, "") for seq, row in enumerate(rows) if row["kind"] == "order"]


# ---------------------------------------------------------------------- LEAN


@pytest.mark.parametrize(("change", "liquidates"), [(0, False), (-1_000, False), (-10_000, False), (-10_001, True)])
def test_lean_liquidates_below_a_tenth_less_and_not_at_it(change, liquidates):
    """The cases of ReturnsExpectedPortfolioTarget, on a portfolio of 100,000."""
    rows = [at(0, "equity", equity=100_000), at(1, "equity", equity=100_000 + change)]
    assert (len(replayed(presets.lean(rebase=True), rows).halts()) > 0) == liquidates


def test_lean_measures_from_the_next_equity_after_it_has_liquidated():
    """ReturnsExpectedPortfolioTargetsAfterReset: 10,001 more do not liquidate; from there a tenth less is equal."""
    rows = [
        at(0, "equity", equity=100_000),
        at(1, "equity", equity=89_999),
        at(2, "equity", equity=110_001),
        order(3, 1),
    ]
    assert refused(presets.lean(rebase=True), rows) == [""]
    assert refused(presets.lean(), rows) == ["PAUSED"]
    for left, trips in ((99_000, 1), (98_999, 2)):  # a tenth less than 110,000, the first equity after the fall
        found = replayed(
            presets.lean(rebase=True), [*rows[:2], at(2, "equity", equity=110_000), at(3, "equity", equity=left)]
        )
        assert len(found.halts()) == trips


# ---------------------------------------------------------------------- Binance


def test_binance_percent_price_at_the_multiples_of_its_document():
    mean = [price(0, 99), price(1, 101)]  # 100: 130 and 70
    rows = [*mean, *(order(2, 1, limit) for limit in (130, "130.01", 70, "69.99"))]
    assert refused(presets.binance_filters(), rows) == ["", "percent_price", "", "percent_price"]
    by_last = presets.binance_filters(minutes=0)  # 101: 131.3 and 70.7
    assert refused(by_last, [*mean, order(2, 1, "131.3"), order(2, 1, "131.31")]) == ["", "percent_price"]


def test_binance_notional_and_open_orders_at_their_bounds():
    rules = presets.binance_filters(up=None, down=None)
    rows = [order(0, qty) for qty in ("0.1", "0.099", 100, "100.001")]
    assert refused(rules, rows) == ["", "min_notional", "", "max_notional"]
    many = [order(k, 1, order_id=str(k)) for k in range(26)]
    assert refused(rules, many) == [*[""] * 25, "open_orders"]
    assert refused(rules, [*many[:25], order(26, 1, instrument="ETH")])[-1] == ""


def test_binance_position_counts_what_is_held_and_open_buys():
    rules = presets.binance_filters(up=None, down=None, smallest=None, position=10)
    rows = [fill(0, 4), order(1, 5, order_id="a"), order(2, 1, order_id="b"), order(3, "0.001"), order(4, 4, side="S")]
    assert refused(rules, rows) == ["", "", "position", ""]


def test_binance_options_freeze_an_underlying_beyond_a_quantity_or_a_net_delta():
    """windowTimeInMilliseconds 3000, frozenTimeInMilliseconds 300000, qtyLimit 2, deltaLimit 2.3 of its example."""
    rules = presets.binance_mmp()
    assert refused(rules, [fill(0, 1), fill(1, 1), order(2, 1)]) == [""]
    held = [fill(0, 1), fill(1, 1), fill(2, "0.001"), order(2.5, 1), order(3, 1, instrument="ETH")]
    assert refused(rules, [*held, order(302 - 1e-9, 1), order(302, 1)]) == ["PAUSED", "", "PAUSED", ""]
    assert refused(rules, [fill(0, 2), fill(3, 2), order(4, 1)]) == [""]  # exactly 3 s old is out
    delta = presets.binance_mmp(quantity=None)
    assert refused(delta, [fill(0, "4.6"), order(1, 1)]) == [""]  # 2.3 at a delta of 0.5
    assert refused(delta, [fill(0, "4.601"), order(1, 1)]) == ["PAUSED"]
    assert refused(delta, [fill(0, 6), fill(1, 6, side="S"), fill(1, 4), order(2, 1)]) == ["PAUSED"]  # 3 at the first


@pytest.mark.parametrize(
    ("leverage", "notional"), [(125, 50_000), (100, 250_000), (50, 1_000_000), (21, 1_000_000), (20, 5_000_000)]
)
def test_binance_refuses_a_notional_above_the_tier_of_the_leverage(leverage, notional):
    """FAQ 360033162192: 125x up to 50,000, 100x up to 250,000, 50x up to 1,000,000, 20x up to 5,000,000."""
    rules = presets.binance_margin(leverage=leverage)
    rows = [order(0, 1, notional), order(0, 1, notional + 1)]
    assert refused(rules, rows, cash=10**7) == ["", "initial"]


def test_binance_needs_the_notional_over_the_leverage():
    rules = presets.binance_margin(leverage=20)
    assert refused(rules, [order(0, 1, 200_000), order(0, 1, "200000.01")], cash=10_000) == ["", "initial"]
    with pytest.raises(InputError, match=r"leverage=126 is in no tier; the largest is 125"):
        presets.binance_margin(leverage=126)


# ---------------------------------------------------------------------- CME


def test_cme_bands_the_aggressive_side_and_limits_both_around_the_settlement():
    rules = presets.cme_prices(variation=10, limit="0.07", move=6)
    rows = [price(0, 1000, "close"), price(0, 1000), *(order(0.5, 1, limit) for limit in (1006, "1006.01"))]
    assert refused(rules, rows) == ["", "velocity"]
    later = [price(0, 1000, "close"), price(0, 1065), *(order(2, 1, limit) for limit in (1070, "1070.01", "1075.01"))]
    assert refused(rules, later) == ["", "price_limit", "banding"]
    sells = [price(0, 1000, "close"), price(0, 935), *(order(2, 1, limit, "S") for limit in (930, "929.99", 1070))]
    assert refused(rules, sells) == ["", "price_limit", ""]


# ---------------------------------------------------------------------- Hummingbot


def test_hummingbot_lets_go_just_after_the_interval():
    """test_within_capacity_for_limits_with_milliseconds_interval: 2 in 200 ms, at 0 and 100; not at 200, but after it."""
    rules = presets.hummingbot(requests=2, interval="200ms", margin=0)
    rows = [
        order(0, 1, order_id="a"),
        order(0.1, 1, order_id="b"),
        order(0.2, 1, order_id="c"),
        order(0.201, 1, order_id="d"),
    ]
    released = waiting_messages(replayed(rules, rows))["goes"]
    assert released.to_dict() == {2: pd.Timestamp(200 * MS + 1, tz="UTC"), 3: pd.Timestamp(300 * MS + 1, tz="UTC")}


# ---------------------------------------------------------------------- Eurex


def of_the_day(extra: Any) -> list[dict[str, Any]]:
    """10 ordered, made 12 (10 deleted, 12 added), 4 traded and the rest of 8 deleted: 40; then one more order."""
    rows = [order(1, 10, order_id="a"), at(2, "modify", instrument="BTC", order_id="a", qty=12, price=101)]
    rows += [{**fill(3, 4, 101), "order_id": "a"}, at(4, "cancel", instrument="BTC", order_id="a"), order(5, extra, 99)]
    return rows


@pytest.mark.parametrize(("extra", "alerts"), [("7.999", 0), (8, 0), ("8.001", 1)])
def test_the_ratio_in_volume_of_eurex_may_equal_its_limit(extra, alerts):
    """(40 + 8) / 4 - 1 = 11."""
    result = replayed(presets.eurex(volume=11), of_the_day(extra))
    assert [int(row["seq"]) for row in result.rows if row["mask"] and row["seq"] > 3] == [4] * alerts
    assert not len(result.rejections())


@pytest.mark.parametrize(("limit", "alerts"), [("3.999", 1), (4, 0)])
def test_the_ratio_in_number_of_eurex_may_equal_its_limit(limit, alerts):
    """Added, modified (2), deleted, added: 5 messages for one trade."""
    rules = presets.eurex(volume=10**6, number=limit)
    assert len([row for row in replayed(rules, of_the_day(1)).rows if row["mask"] and row["seq"] == 4]) == alerts


@pytest.mark.parametrize(("last", "auctions"), [("101", 0), ("101.01", 1), ("99", 0), ("98.99", 1)])
def test_a_price_out_of_the_range_sends_to_an_auction(last, auctions):
    rows = [price(0, 100), order(0.5, 1, last), order(0.6, 1, 100), order(5.5, 1, 100)]
    assert refused(presets.eurex(move=1, auction="5s"), rows) == (["volatility"] * 2 if auctions else ["", ""]) + [""]
