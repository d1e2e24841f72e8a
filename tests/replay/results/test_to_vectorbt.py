"""What a replay booked as a vectorbt portfolio: the same money at every bar, to the quantum."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from refusing import refusal as refusal_of
from streams import daily_closes, random_log

from riskkit import Account, EventLog, Instrument, RuleSet, replay_log
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import EventKind
from riskkit.rules import DailyLoss, MaxOrderQty, OrderRate, PositionLimit
from riskkit.vbt import run_with_limits

BARS = 90
CASH = 100_000.0
DAY = 86_400_000_000_000


@pytest.fixture(scope="module")
def close() -> pd.DataFrame:
    return daily_closes(17, 0.015, BARS)


@pytest.fixture(scope="module")
def traded(vbt, close):
    """Whole sizes both ways, with fees."""
    size = np.random.default_rng(1).integers(-9, 10, close.shape).astype(float)
    return vbt.Portfolio.from_orders(close, size=size, fees=0.001, init_cash=CASH, freq="D")


def reconciles(result, portfolio) -> int:
    """Cash, value and equity of each account are equal to the quantum, at the end and whenever they were sampled."""
    quantum = float(result.log.universe.quantum)
    accounts = result.accounts()
    ends = portfolio.value().iloc[-1:].to_numpy().ravel()
    assert np.rint(ends / quantum).tolist() == np.rint(accounts["equity"].to_numpy() / quantum).tolist()
    cash = portfolio.cash().iloc[-1:].to_numpy().ravel()
    assert np.rint(cash / quantum).tolist() == np.rint(accounts["cash"].to_numpy() / quantum).tolist()
    profit = np.atleast_1d(portfolio.total_profit())
    assert np.rint(profit / quantum).tolist() == np.rint(accounts["profit"].to_numpy() / quantum).tolist()
    times = portfolio.wrapper.index.as_unit("ns").asi8
    bar = np.searchsorted(times, result.sample_times, side="left") - 1  # what came before the sample
    value = portfolio.value().to_numpy().reshape(len(times), -1)[bar[bar >= 0]]
    assert (np.rint(value / quantum) == np.rint(result.equity().to_numpy()[bar >= 0] / quantum)).all()
    return len(value)


def test_a_portfolio_goes_there_and_back(traded, close):
    log = EventLog.from_vectorbt(traded)
    back = replay_log(log, RuleSet([]), compiled=False).to_vectorbt(tz=None)
    assert back.wrapper.index.equals(close.index) and back.wrapper.freq == pd.Timedelta("1D")
    assert back.wrapper.columns.tolist() == ["a", "b", "c"] and back.wrapper.columns.name == "account"
    one, two = (p.orders.records.sort_values(["col", "idx"], ignore_index=True) for p in (traded, back))
    for name in ("col", "idx", "size", "price", "side"):
        assert one[name].tolist() == two[name].tolist()
    assert two["fees"].to_numpy() == pytest.approx(one["fees"].to_numpy(), abs=5e-7)
    assert back.close.to_numpy().tolist() == close.to_numpy().tolist()
    assert back.value().to_numpy() == pytest.approx(traded.value().to_numpy(), abs=1e-4)
    assert back.total_return().tolist() == pytest.approx(traded.total_return().tolist(), rel=1e-5)
    assert back.trades.count().tolist() == traded.trades.count().tolist()
    assert back.trades.win_rate().tolist() == traded.trades.win_rate().tolist()


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_the_money_is_the_replays_own_at_every_bar(traded, mode):
    rules = RuleSet([Rule("position", PositionLimit(limit=12)), Rule("day", DailyLoss(limit=15))])
    result = replay_log(EventLog.from_vectorbt(traded), rules, mode, sample_ns=DAY, compiled=False)
    assert len(result.rejections()) > 20
    assert reconciles(result, result.to_vectorbt()) == BARS
    booked = len(result.to_vectorbt().orders.values)
    gone = result.counts()["fills_vanished"] if mode == "enforce" else 0
    assert booked == len(traded.orders.values) - gone


def test_accounts_of_several_instruments_are_groups_that_share_their_cash(vbt, close):
    size = np.random.default_rng(4).integers(-9, 10, close.shape).astype(float)
    options = {"group_by": [0, 0, 1], "cash_sharing": True, "init_cash": [50_000.0, 70_000.0], "freq": "D"}
    portfolio = vbt.Portfolio.from_orders(close, size=size, fees=0.001, **options)
    log = EventLog.from_vectorbt(portfolio)
    rules = RuleSet([Rule("rate", OrderRate(limit=3, window_ns=2 * DAY))])
    for mode in ("shadow", "enforce"):
        result = replay_log(log, rules, mode, sample_ns=DAY, compiled=False)
        back = result.to_vectorbt()
        assert back.wrapper.columns.tolist() == [("0", "a"), ("0", "b"), ("1", "c")]
        assert back.wrapper.columns.names == ["account", "instrument"]
        assert back.value().columns.tolist() == ["0", "1"] and back.init_cash.tolist() == [50_000.0, 70_000.0]
        assert reconciles(result, back) == BARS
        if mode == "shadow":
            assert back.value().to_numpy() == pytest.approx(portfolio.value().to_numpy(), abs=1e-4)


def test_random_logs_with_everything_that_becomes_of_a_fill(vbt):
    """Several fills in a bar, cut and vanished and twice told ones, marks by fills before the first price."""
    rules = RuleSet([Rule("size", MaxOrderQty(limit=4)), Rule("position", PositionLimit(limit=9))])
    met = {"fills_cut": 0, "fills_vanished": 0, "duplicates": 0}
    for seed in range(4):
        log = without_money_flows(random_log(seed, 250))
        for mode, orphans in (("shadow", "keep"), ("enforce", "keep"), ("enforce", ["clip", "drop"][seed % 2])):
            result = replay_log(log, rules, mode, orphans=orphans, sample_ns=3_600_000_000_000, compiled=False)
            portfolio, hours = result.to_vectorbt(), result.to_vectorbt("1h")
            assert reconciles(result, portfolio) > 5
            assert len(hours.wrapper.index) < len(portfolio.wrapper.index)
            assert hours.value().iloc[-1].tolist() == pytest.approx(portfolio.value().iloc[-1].tolist(), rel=1e-12)
            met = {name: count + result.counts()[name] for name, count in met.items()}
    assert min(met.values()) > 0


def without_money_flows(log: EventLog) -> EventLog:
    """The log with its cash and equity events turned into acknowledgements."""
    kind = np.where(
        np.isin(log.columns["kind"], (EventKind.CASH, EventKind.EQUITY)), EventKind.ACK, log.columns["kind"]
    )
    columns = {**log.columns, "kind": kind.astype(log.columns["kind"].dtype)}
    return EventLog(columns, log.pair_account, log.pair_instrument, log.universe)


def test_a_gated_portfolio_is_what_its_result_says(vbt, close):
    from vectorbt.portfolio.enums import Order

    def shrinking(c):
        refused = c.answer is not None and c.answer.refused
        return Order(size=4.0 if refused else 9.0 - 4.0 * (c.i % 3), fees=0.001)

    gated = run_with_limits(
        RuleSet([Rule("size", MaxOrderQty(limit=7))]), close, shrinking, init_cash=CASH, compiled=False
    )
    back = gated.result.to_vectorbt()
    assert 0 < len(gated.rejections()) < len(gated.portfolio.orders.values) == len(back.orders.values)
    assert back.value().to_numpy() == pytest.approx(gated.portfolio.value().to_numpy(), abs=1e-4)
    assert back.trades.records["pnl"].to_numpy() == pytest.approx(
        gated.portfolio.trades.records["pnl"].to_numpy(), abs=1e-4
    )


X, Y = Instrument("X", multiplier=50), Instrument("Y")


def events(*rows: tuple, **options) -> EventLog:
    """A log of (hour, kind, account, instrument, side, qty, price)."""
    names = ["ts", "kind", "account", "instrument", "side", "qty", "price"]
    frame = pd.DataFrame([dict(zip(names, row, strict=False)) for row in rows], columns=names)
    frame["ts"] = pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(frame["ts"], unit="h")
    accounts = options.pop("accounts", [Account("A", {"USD": 1_000}), Account("idle", {"USD": 7})])
    return EventLog.from_frame(frame.assign(**options), [X, Y], accounts)


BUY = (1, "fill", "A", "X", "B", 2, 10.0)


def back_of(log: EventLog, *args, **options):
    return replay_log(log, RuleSet([]), compiled=False).to_vectorbt(*args, **options)


def test_multipliers_idle_accounts_and_missing_prices(vbt):
    log = events(BUY, (2, "fill", "A", "X", "B", 1, 12.0), (3, "price", None, "Y", None, None, 5.0),
                 (4, "price", None, "X", None, None, 11.0), (5, "fill", "A", "X", "S", 1, 99.0))  # fmt: skip
    portfolio = back_of(log)
    assert portfolio.orders.records["size"].tolist() == [100.0, 50.0, 50.0]  # one of X moves 50 USD for a price of one
    assert portfolio.wrapper.columns.tolist() == ["A", "idle"]
    assert portfolio.init_cash.tolist() == [1_000.0, 7.0]
    assert portfolio.close["A"].tolist() == [10.0, 12.0, 12.0, 11.0, 11.0]  # fills only until there is a price
    assert portfolio.value()["A"].tolist() == [1_000.0, 1_200.0, 1_200.0, 1_050.0, 5_450.0]
    assert portfolio.value()["idle"].tolist() == [7.0] * 5
    nobody = events((1, "order", "A", "X", "B", 2, 10.0), (2, "price", None, "Y", None, None, 5.0))
    assert back_of(nobody).value().to_numpy().tolist() == [[1_000.0, 7.0]]


def test_bars_and_time_zones(vbt):
    log = events(BUY, (26, "fill", "A", "X", "S", 1, 11.0), (27, "fill", "A", "X", "B", 3, 9.0))
    portfolio = back_of(log, "1D")
    assert portfolio.wrapper.index.tolist() == [pd.Timestamp(f"2024-03-0{day}", tz="UTC") for day in (1, 2)]
    assert portfolio.orders.records["idx"].tolist() == [0, 1, 1] and portfolio.wrapper.freq == pd.Timedelta("1D")
    assert portfolio.close["A"].tolist() == [10.0, 9.0]
    local = back_of(log, "1D", tz="America/New_York")
    assert local.wrapper.index[0] == pd.Timestamp("2024-02-29", tz="America/New_York")
    assert back_of(log, tz=None, freq="1h").wrapper.index[0] == pd.Timestamp("2024-03-01 01:00")
    assert refusal(log, "1M").startswith("bars='1M', tz='UTC' make no bars: ")
    assert refusal(log, tz="Mars").startswith("bars=None, tz='Mars' make no bars: ")


def test_what_a_portfolio_cannot_hold_is_refused_with_one_sentence(vbt):
    assert refusal(events(BUY, accounts=[Account("A", {}, {"X": 3})])) == (
        "account 'A' opens with positions; a vectorbt portfolio opens with cash only"
    )
    cash = {"kind": "cash", "account": "A", "amount": 5.0}
    frame = pd.DataFrame([{**cash, "ts": 0}, {"kind": "equity", "account": "A", "equity": 5.0, "ts": 1}])
    for rows, said in (([0], "money paid in or out (CASH)"), ([1], "equity given from outside (EQUITY)")):
        log = EventLog.from_frame(frame.iloc[rows].dropna(axis=1), [X], ["A"])
        assert refusal(log) == f"event 0 is {said}, which a vectorbt portfolio cannot hold"
    order = {"ts": 0, "kind": "order", "account": "A", "side": "B", "qty": 1, "price": 2.0}
    two = [Instrument("X"), Instrument("Z", currency="EUR")]
    both = pd.DataFrame([{**order, "instrument": "X"}, {**order, "instrument": "Z", "account": "B"}])
    assert refusal(EventLog.from_frame(both, two)) == (
        "the log trades in EUR and USD; a vectorbt portfolio has one currency"
    )
    assert refusal(events((1, "order", "A", "X", "B", 2, 10.0))) == (
        "the log has neither fills nor prices; there is nothing to build a portfolio of"
    )
    error = pd.DataFrame([{"ts": 0, "kind": "error", "account": "A"}])
    assert refusal(EventLog.from_frame(error, [])) == (
        "the log has no account or no instrument; a vectorbt portfolio has columns of both"
    )


def test_too_many_bars_are_refused(vbt, monkeypatch):
    monkeypatch.setattr("riskkit.replay.results.to_vectorbt.MOST_CELLS", 3)
    assert refusal(events(BUY, (2, "price", None, "X", None, None, 10.0))) == (
        "2 bars of 2 columns are too many for a portfolio in memory; give wider bars, as bars='1D'"
    )


def refusal(log: EventLog, *args, **options) -> str:
    return refusal_of(back_of, log, *args, **options)


def test_without_vectorbt_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "vectorbt", None)
    with pytest.raises(
        ImportError, match=r"vectorbt is not installed; it comes with: pip install 'riskkit\[notebooks\]'"
    ):
        back_of(events(BUY))
