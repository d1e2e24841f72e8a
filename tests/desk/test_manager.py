"""`RiskManager` and what it stands on: exact amounts, the ledger, the live covariance, the book's variance."""

import json
import math
import threading
import time
import tracemalloc
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import desk as naive

from riskkit import InputError
from riskkit.attribution import incremental
from riskkit.covariance import ewma_covariance, stressed_sample
from riskkit.desk import (
    CorruptStateError,
    DeskLimits,
    PositionTracker,
    PreTradeCheck,
    RequestError,
    RiskManager,
    UnknownTickerError,
)
from riskkit.desk.core.exact import CostBasis, Step, half_even
from riskkit.desk.manager.risk import IncrementalRisk
from riskkit.desk.market.live_covariance import LiveCovariance
from riskkit.replay.kernels import book
from riskkit.replay.kernels.integers import scaled
from riskkit.returns import log_returns

Z = 1.6448536269514722
NAMES = ["AAPL", "TLT", "GLD"]


def bars(n: int = 120, names: list[str] = NAMES, seed: int = 0) -> pd.DataFrame:
    moves = np.random.default_rng(seed).normal(0.0, 0.001, (n, len(names)))
    return pd.DataFrame(100.0 * np.exp(np.cumsum(moves, axis=0)), columns=names)


def desk(cash: float = 100_000, **options) -> RiskManager:
    manager = RiskManager(cash, **options)
    manager.warm_up(bars(), timestamp=1)
    return manager


# ---------------------------------------------------------------------- amounts


class Record:
    def __init__(self, **fields):
        self.__dict__.update(fields)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(0, 10**6)), min_size=1, max_size=30))
def test_a_holding_is_filled_as_in_the_replay(fills):
    holding = CostBasis()
    position, account = Record(qty=0, cost=0, realised=0), Record(cost=0, realised=0, cash=0, fees=0)
    for lots, money in fills:
        price = Record(numerator=money, denominator=abs(lots))  # so that the notional is that money
        taken = book.fill(position, account, price, 1 if lots > 0 else -1, abs(lots), 1, 0)
        assert holding.fill(lots, money) == taken
        assert (holding.lots, holding.cost, holding.realized) == (position.qty, position.cost, position.realised)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_rounding_is_that_of_the_replay(numerator, denominator):
    assert (
        half_even(numerator, denominator)
        == scaled(numerator, 1, denominator)
        == round(Fraction(numerator, denominator))
    )


def test_units_count_exactly_or_refuse():
    wei, most = Step("1e-18"), 2**256 - 1
    assert Step(1).count(most, "amount") == most and Step(1).amount(most) == most
    exact = wei.amount(most)
    assert wei.count(exact, "amount") == most
    assert len(exact.as_tuple().digits) == 78
    assert Step("0.25").count("1.75", "amount") == 7 and Step(100).count(300, "amount") == 3
    assert Step("0.1").count(0.3, "amount", floats=True) == 3
    for value in (Decimal("1e-19"), 0.5, "a", None, True, Decimal("NaN"), Decimal("Infinity"), 2**256):
        with pytest.raises(InputError, match="amount="):
            wei.count(value, "amount")
    for step in (0, -1, Fraction(1, 3), "x"):
        with pytest.raises(InputError):
            Step(step)


# ---------------------------------------------------------------------- covariance


def test_the_live_covariance_is_riskkits_and_the_naive_one():
    moves = log_returns(bars(40))
    live = LiveCovariance()
    for row in moves.to_dict("records"):
        live.step(row)
    np.testing.assert_allclose(live.matrix, ewma_covariance(moves.to_numpy(), start="first_square"), rtol=1e-12)
    first = np.outer(moves.iloc[0], moves.iloc[0]).tolist()
    np.testing.assert_allclose(live.matrix, naive.ewma(moves.to_numpy().tolist(), first, 0.94), rtol=1e-12)


def test_a_quiet_start_does_not_shrink_the_variance():
    live = LiveCovariance()
    for move in (0.0, 0.0, 0.01, 0.01):
        live.step({"A": move, "B": 0.02})
    assert live.matrix[0, 0] == pytest.approx(0.01**2)  # not 6 % of it


def test_the_matrix_grows_without_a_reset():
    live, moves = LiveCovariance(), log_returns(bars(60))
    live.seed(moves)
    before = live.matrix.copy()
    live.add("NEW")
    assert live.tickers == [*moves.columns, "NEW"]
    np.testing.assert_array_equal(live.matrix[:3, :3], before)
    np.testing.assert_array_equal(live.matrix[3], 0.0)
    row = {"AAPL": 0.001, "TLT": -0.002, "GLD": 0.003, "NEW": 0.02}
    live.step(row)
    old = naive.ewma([[0.001, -0.002, 0.003]], before.tolist(), 0.94)
    np.testing.assert_allclose(live.matrix[:3, :3], old, rtol=1e-12)
    assert live.matrix[3, 3] == pytest.approx(0.02**2)  # its first square
    assert live.matrix[3, 0] == pytest.approx(0.06 * 0.02 * 0.001)
    for step in range(50):
        live.step({ticker: move * (-1) ** step for ticker, move in row.items()})
    assert np.linalg.eigvalsh(live.matrix).min() > -1e-18
    assert live.bars == [59 + 51] * 3 + [51]
    with pytest.raises(InputError, match="known already"):
        live.add("NEW")
    with pytest.raises(InputError, match="not finite"):
        live.step({"NEW": math.nan})


# ---------------------------------------------------------------------- the check


def test_impact_is_the_difference_of_two_full_variances():
    manager = desk(limits=DeskLimits(var_limit=1e9))
    for ticker, quantity in (("AAPL", 100), ("TLT", 200)):
        assert manager.execute_trade(ticker, quantity, "buy").executed
    state = manager.get_portfolio_state()
    held = [state.holdings.get(ticker, {"value": 0.0})["value"] for ticker in NAMES]
    matrix = ewma_covariance(log_returns(bars()).to_numpy()) * 390
    for place, ticker in enumerate(NAMES):
        price = manager.get_market_data().price[ticker]
        for side, sign in (("buy", 1), ("sell", -1)):
            impact = manager.check_trade_impact(ticker, 3, side, timestamp=9)
            after = [*held]
            after[place] += sign * 3 * price
            old, new = (Z * math.sqrt(naive.variance(one, matrix.tolist())) for one in (held, after))
            assert impact.old_var == pytest.approx(old, rel=1e-6)  # cents, for values are rounded to the quantum
            assert impact.new_var == pytest.approx(new, rel=1e-6)
            model = incremental(
                held, matrix, [sign * 3 * price], confidence=0.95, instruments=[place], by="instrument"
            )[0]
            assert impact.incremental_var == pytest.approx(model, rel=1e-4)
            assert impact.new_var - impact.old_var == pytest.approx(impact.incremental_var, abs=1e-9)
            assert impact.timestamp == 9 and not impact.executed


def test_solvency_inventory_and_var_limit():
    manager = RiskManager(1_000, limits=DeskLimits(var_limit=200.0), bars_per_day=1)
    manager.add_ticker("A", price=100.0, volatility=0.1)
    assert manager.check_trade_impact("A", 10, "buy").approved  # equal is solvent: VaR 164.49
    assert "in cash" in manager.check_trade_impact("A", 11, "buy").reason
    assert manager.execute_trade("A", 10, "BUY").decision == "APPROVED"
    assert manager.check_trade_impact("A", 10, "sell").approved
    oversold = manager.execute_trade("A", 11, "sell")
    assert (oversold.decision, oversold.executed) == ("REJECTED", False) and "is held" in oversold.reason
    manager.set_limits("head of risk", "fear", var_limit=100.0)
    assert manager.check_trade_impact("A", 1, "sell").approved  # reducing is held against no limit
    manager.execute_trade("A", 6, "sell")
    refused = manager.check_trade_impact("A", 3, "buy")
    assert refused.decision == "REJECTED" and refused.reason == "VaR would be 115.14; at most 100.00 is allowed"
    exact = RiskManager(1_000, limits=DeskLimits(var_limit=165.0), bars_per_day=1, z=1.65)
    exact.add_ticker("A", price=100.0, volatility=0.1)
    assert exact.check_trade_impact("A", 10, "buy").new_var == pytest.approx(165.0)


def test_a_hedge_passes_above_the_limit():
    manager = RiskManager(10_000, limits=DeskLimits(var_limit=1_000.0), bars_per_day=1, short_selling=True)
    prices = bars(60, ["A", "B"])
    prices["B"] = prices["A"] * 1.5  # they move as one
    manager.warm_up(prices)
    manager.execute_trade("A", 50, "buy")
    manager.set_limits("risk", "fear", var_limit=1.0)
    assert manager.check_trade_impact("B", 10, "buy").decision == "REJECTED"
    hedge = manager.execute_trade("B", 10, "sell")
    manager.execute_trade("B", 23, "sell")
    manager.verify()  # almost nothing is left: rounding is no corruption
    assert hedge.approved and hedge.incremental_var < 0.0 and hedge.new_var > 1.0


def test_size_and_drawdown_limits_hold_too():
    manager = RiskManager(1_000, limits=DeskLimits(max_position_size=0.5, max_drawdown=0.1), bars_per_day=1)
    manager.add_ticker("A", price=100.0, volatility=0.1)
    assert manager.execute_trade("A", 4, "buy").approved
    assert manager.check_trade_impact("A", 1, "buy").approved  # exactly the limit passes
    assert "50 %" in manager.check_trade_impact("A", 2, "buy").reason
    manager.set_price("A", 75.0)
    assert manager.get_portfolio_state().drawdown == 0.1
    assert manager.check_trade_impact("A", 1, "buy").approved  # exactly the limit passes
    manager.set_price("A", 74.99)
    assert "drawdown" in manager.check_trade_impact("A", 1, "buy").reason
    assert manager.check_trade_impact("A", 4, "sell").approved


def test_shorts_where_they_are_allowed():
    manager = RiskManager(1_000, short_selling=True, bars_per_day=1)
    manager.add_ticker("A", price=10.0, volatility=0.1)
    assert manager.execute_trade("A", 30, "sell").executed
    state = manager.get_portfolio_state()
    assert state.cash == 1_300.0 and state.holdings["A"]["quantity"] == -30 and state.value == 1_000.0
    manager.set_price("A", 12.0)
    assert manager.get_portfolio_state().holdings["A"]["unrealized"] == -60.0
    assert manager.execute_trade("A", 40, "buy").executed
    state = manager.get_portfolio_state()
    assert state.realized == -60.0 and state.holdings["A"]["average_price"] == 12.0


# ---------------------------------------------------------------------- defined answers


def test_an_empty_portfolio():
    manager = RiskManager(500)
    assert manager.get_portfolio_state().holdings == {} and manager.get_portfolio_state().value == 500.0
    metrics = manager.get_dashboard_metrics()
    assert metrics.var == metrics.volatility == 0.0 and metrics.stressed_var is None and metrics.holdings.empty
    assert manager.get_market_data().empty
    manager.verify()
    seeded = desk(500)
    assert seeded.get_dashboard_metrics().component_var.tolist() == [0.0] * 3
    assert seeded.check_trade_impact("AAPL", 1, "buy").old_var == 0.0
    broke = RiskManager(0)
    assert broke.get_dashboard_metrics().volatility is None


def test_missing_price_and_unknown_ticker_and_warm_up():
    manager = RiskManager(1_000, limits=DeskLimits(var_limit=1.0))
    unknown = manager.check_trade_impact("A", 1, "buy")
    assert unknown.decision == "REJECTED" and "unknown ticker" in unknown.reason and unknown.new_var is None
    manager.add_ticker("A")
    assert "no price" in manager.execute_trade("A", 1, "buy").reason
    manager.set_price("A", 10.0)
    assert manager.check_trade_impact("A", 1, "buy").reason == "VaR of 'A' rests on 0 returns; 20 are needed"
    told = RiskManager(1_000, limits=DeskLimits(var_limit=1.0), on_warm_up="allow")
    told.add_ticker("A", price=10.0)
    assert told.check_trade_impact("A", 1, "buy").approved
    with pytest.raises(UnknownTickerError, match="'B'"):
        manager.set_price("B", 1.0)
    with pytest.raises(RequestError, match="added already"):
        manager.add_ticker("A")


def test_prices_that_never_moved_have_no_risk():
    manager = RiskManager(1_000, limits=DeskLimits(var_limit=1.0))
    manager.warm_up(pd.DataFrame({"A": [10.0] * 30, "B": [5.0] * 30}))
    impact = manager.execute_trade("A", 5, "buy")
    assert impact.approved and impact.old_var == impact.new_var == impact.incremental_var == 0.0
    assert manager.get_dashboard_metrics().stressed_var == 0.0


def test_what_is_earlier_is_refused():
    manager = desk()
    manager.on_bar({"AAPL": 100.0}, timestamp=5)
    for late in (
        lambda: manager.on_bar({"AAPL": 1.0}, timestamp=4),
        lambda: manager.set_price("AAPL", 1.0, timestamp=4),
        lambda: manager.warm_up(bars(), timestamp=4),
    ):
        with pytest.raises(RequestError, match="earlier than 5"):
            late()
    with pytest.raises(RequestError, match="timestamp"):
        manager.set_price("AAPL", 1.0, timestamp="noon")
    assert manager.get_market_data().price["AAPL"] == 100.0


def test_a_corrupt_state_lets_no_trade_pass():
    for corrupt, match in (
        (lambda m: setattr(m._ledger, "cash", m._ledger.cash + 1), "cash and cost"),
        (lambda m: setattr(m._risk, "variance", math.nan), "not a number"),
        (lambda m: setattr(m._risk, "variance", -1.0), "not a number"),
        (lambda m: setattr(m._risk, "gradient", m._risk.gradient[:-1]), "not a number"),
    ):
        manager = desk()
        manager.execute_trade("AAPL", 5, "buy")
        corrupt(manager)
        impact = manager.execute_trade("AAPL", 1, "buy")
        assert impact.decision == "REJECTED" and "the state is corrupt" in impact.reason
        for ask in (manager.get_portfolio_state, manager.get_dashboard_metrics, manager.verify):
            with pytest.raises(CorruptStateError, match=match):
                ask()
        assert "corrupt" in repr(manager)
    for corrupt, match in (  # not to be seen at a glance, but by a full check
        (lambda m: setattr(m._risk, "variance", m._risk.variance * 1.1), "not that of the positions"),
        (lambda m: setattr(m._risk, "gradient", m._risk.gradient * 1.1), "not that of the positions"),
        (lambda m: setattr(m._ledger, "value", m._ledger.value + 1), "not the sum of its holdings"),
    ):
        manager = desk()
        manager.execute_trade("AAPL", 5, "buy")
        manager.verify()
        corrupt(manager)
        with pytest.raises(CorruptStateError, match=match):
            manager.verify()


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("AAPL", 0, "buy"), "qty"),
        (("AAPL", -1, "buy"), "qty"),
        (("AAPL", 1.5, "buy"), "qty"),
        (("AAPL", math.nan, "buy"), "qty"),
        (("AAPL", True, "buy"), "qty"),
        (("AAPL", 1, "hold"), "side"),
        (("", 1, "buy"), "ticker"),
        (("AAPL", 2**128, "buy"), "qty"),
    ],
)
def test_requests_are_checked(arguments, field):
    with pytest.raises(RequestError) as caught:
        desk().execute_trade(*arguments)
    assert caught.value.field == field


def test_market_data_is_checked():
    manager = desk()
    for call in (
        lambda: manager.set_price("AAPL", math.nan),
        lambda: manager.set_price("AAPL", 0.0),
        lambda: manager.on_bar({"AAPL": -1.0}),
        lambda: manager.on_bar([1.0]),
        lambda: manager.warm_up(bars().to_numpy()),
        lambda: manager.warm_up(bars(2)),
        lambda: manager.warm_up(bars().assign(GLD=np.nan)),
        lambda: manager.add_ticker("NEW", price=math.inf),
        lambda: manager.add_ticker("NEW", price=1e200),
        lambda: manager.on_bar({"NEW": 1.0, "AAPL": 1e200}),
    ):
        with pytest.raises(RequestError):
            call()
    assert list(manager.get_market_data().index) == NAMES  # nothing of it was taken
    manager.execute_trade("GLD", 1, "buy")
    with pytest.raises(RequestError, match="'GLD', which is held"):
        manager.warm_up(bars()[["AAPL", "TLT"]])
    for options in (
        {"cash": "1.001"},
        {"cash": 1, "decay": 1.0},
        {"cash": 1, "z": -1.0},
        {"cash": 1, "on_warm_up": "maybe"},
    ):
        with pytest.raises(InputError):
            RiskManager(**options)


# ---------------------------------------------------------------------- execution


def test_weighted_average_price_and_profit():
    manager = RiskManager(10_000, bars_per_day=1)
    manager.add_ticker("A", price=10.0, volatility=0.1)
    manager.execute_trade("A", 100, "buy")
    manager.set_price("A", 16.0)
    manager.execute_trade("A", 50, "buy")
    assert manager.get_portfolio_state().holdings["A"]["average_price"] == 12.0
    manager.set_price("A", 20.0)
    manager.execute_trade("A", 30, "sell")
    state = manager.get_portfolio_state()
    assert state.realized == 240.0 and state.unrealized == 960.0 and state.cash == 10_000 - 1_000 - 800 + 600
    assert [(one.side, one.quantity) for one in manager.executions] == [("buy", 100.0), ("buy", 50.0), ("sell", 30.0)]
    manager.execute_trade("A", 120, "sell")
    assert manager.get_portfolio_state().holdings == {} and manager.get_dashboard_metrics().var == 0.0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 40), st.booleans(), st.integers(1, 4_000)), max_size=30)
)
def test_cash_and_holdings_are_the_naive_ones(trades):
    manager, twin = RiskManager("5000.50", lot="0.1", short_selling=True, bars_per_day=1), naive.Tracker("0.01")
    for ticker in "AB":
        manager.add_ticker(ticker, volatility=0.01)
    for ticker, tenths, sold, mils in trades:
        manager.set_price(ticker, mils / 1000)
        amount = f"{'-' if sold else ''}{tenths / 10}"
        if manager.execute_trade(ticker, tenths / 10, "sell" if sold else "buy").executed:
            twin.fill(("u", "m", ticker), amount, twin.money(amount, f"{mils / 1000}"))
    ledger = manager._ledger
    assert ledger.cash == 500_050 - twin.paid_in.get("u", 0) and ledger.realized == twin.realized.get("u", 0)
    for ticker in "AB":
        holding = ledger.holdings[ticker].basis
        assert (Fraction(holding.lots, 10), holding.cost) == twin.held.get(("u", "m", ticker), (0, 0))
    manager.verify()


def test_execution_is_all_or_nothing(monkeypatch):
    manager = desk()
    manager.execute_trade("AAPL", 5, "buy")
    before, var = manager.get_portfolio_state(), manager.get_dashboard_metrics().var
    move = IncrementalRisk.move

    def moves_and_fails(self, *arguments):
        move(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(IncrementalRisk, "move", moves_and_fails)
    with pytest.raises(KeyboardInterrupt):
        manager.execute_trade("TLT", 5, "buy")
    monkeypatch.undo()
    assert manager.get_portfolio_state() == before and manager.get_dashboard_metrics().var == var
    assert len(manager.executions) == 1
    manager.verify()


def test_a_ticker_that_is_added_changes_nothing_that_was():
    manager = desk()
    manager.execute_trade("AAPL", 50, "buy")
    before, impact = manager.get_dashboard_metrics(), manager.check_trade_impact("TLT", 7, "buy")
    manager.add_ticker("NEW", price=50.0, volatility=0.03)
    after = manager.get_dashboard_metrics()
    assert (after.var, after.stressed_var, after.value) == (before.var, before.stressed_var, before.value)
    assert manager.check_trade_impact("TLT", 7, "buy") == impact
    new = manager.check_trade_impact("NEW", 100, "buy")
    assert new.new_var == pytest.approx(math.hypot(new.old_var, Z * 0.03 * 5_000.0))  # uncorrelated at first
    manager.on_bar({"AAPL": 101.0, "TLT": 99.0, "GLD": 100.0, "NEW": 51.0, "FIFTH": 7.0}, timestamp=2)
    assert list(manager.get_market_data().index) == [*NAMES, "NEW", "FIFTH"]
    manager.verify()


def test_bars_update_the_covariance_as_the_model_does():
    history, later = bars(100), bars(160).iloc[100:]
    manager = RiskManager(1e6)
    manager.warm_up(history)
    for row in later.to_dict("records"):
        manager.on_bar(row)
    moves = log_returns(bars(160)).to_numpy()
    start = ewma_covariance(moves[:99])
    expected = naive.ewma(moves[99:].tolist(), start.tolist(), 0.94)
    np.testing.assert_allclose(manager._risk.covariance.matrix, expected, rtol=1e-9)
    data = manager.get_market_data()
    np.testing.assert_allclose(data.volatility, np.sqrt(np.diag(expected) * 390), rtol=1e-9)
    assert data.price.tolist() == bars(160).iloc[-1].tolist() and data.bars.tolist() == [159] * 3


def test_dashboard_is_scaled_to_a_day_and_adds_up():
    manager = desk()
    manager.execute_trade("AAPL", 300, "buy", timestamp=1)
    manager.execute_trade("GLD", 200, "buy", timestamp=1)
    metrics = manager.get_dashboard_metrics()
    held = metrics.holdings.value.reindex(NAMES).fillna(0.0).tolist()
    daily = ewma_covariance(log_returns(bars()).to_numpy()) * 390
    assert metrics.pnl_volatility == pytest.approx(math.sqrt(naive.variance(held, daily.tolist())))
    assert metrics.var == pytest.approx(Z * metrics.pnl_volatility)
    assert metrics.component_var.sum() == pytest.approx(metrics.var)
    assert metrics.holdings.component_var.sum() == pytest.approx(metrics.var)
    assert metrics.volatility == pytest.approx(metrics.pnl_volatility / metrics.value)
    assert metrics.holdings.weight.sum() == pytest.approx(1 - metrics.cash / metrics.value)
    assert json.loads(json.dumps(metrics.to_dict()))["holdings"]["AAPL"]["quantity"] == 300.0
    assert "VaR" in repr(metrics) and "<table>" in metrics._repr_html_() and metrics.plot().patches
    assert "APPROVED" in repr(manager.check_trade_impact("AAPL", 1, "sell")) and "trades" in repr(manager)


def test_stressed_var_is_that_of_the_window():
    manager = RiskManager(100_000, bars_per_day=1)
    prices = bars(100)
    manager.warm_up(prices, stress=(20, 39))
    manager.execute_trade("AAPL", 100, "buy")
    moves = log_returns(prices)
    window = stressed_sample(moves, 20, 39, ddof=0, mean="zero")
    value = manager.get_dashboard_metrics().holdings.value["AAPL"]
    assert manager.get_dashboard_metrics().stressed_var == pytest.approx(
        Z * value * math.sqrt(window.loc["AAPL", "AAPL"])
    )
    loud = prices.copy()
    loud.iloc[60:75] *= np.exp(np.random.default_rng(5).normal(0, 0.05, (15, 3)))
    manager.warm_up(loud)
    assert (
        manager.get_market_data().stressed_volatility > 2 * np.sqrt((log_returns(loud).iloc[:50] ** 2).mean())
    ).all()
    with pytest.raises(RequestError, match="give a window") as caught:
        manager.warm_up(prices, stress=(200, 300))
    assert caught.value.field == "stress"


def test_limits_change_only_with_a_name_and_a_reason():
    manager = desk(limits=DeskLimits(var_limit=1_000.0))
    after = manager.set_limits("A. Desk", "quarter end", var_limit=500.0, timestamp=77)
    assert manager.limits == after == DeskLimits(var_limit=500.0)
    entry = manager.journal[0]
    assert (entry.who, entry.why, entry.before.var_limit, entry.after.var_limit, entry.timestamp) == (
        "A. Desk", "quarter end", 1_000.0, 500.0, 77,
    )  # fmt: skip
    for who, why, changes in (("", "x", {}), ("x", " ", {}), ("x", "y", {"var_limit": -1}), ("x", "y", {"colour": 1})):
        with pytest.raises(RequestError):
            manager.set_limits(who, why, **changes)
    assert len(manager.journal) == 1 and manager.limits == after
    with pytest.raises(AttributeError):
        manager.limits = DeskLimits()
    assert type(entry).from_dict(json.loads(json.dumps(entry.to_dict()))) == entry


def test_answers_go_through_json():
    manager = desk()
    for answer in (manager.execute_trade("AAPL", 5, "buy", timestamp=4), manager.get_portfolio_state()):
        assert type(answer).from_dict(json.loads(json.dumps(answer.to_dict()))) == answer
    with pytest.raises(RequestError, match="approved"):
        PreTradeCheck.from_dict({**manager.check_trade_impact("AAPL", 1, "buy").to_dict(), "approved": "MAYBE"})


# ---------------------------------------------------------------------- load


def test_ten_threads_of_ten_thousand_trades_leave_cash_and_holdings_exactly_right():
    manager = RiskManager(10_000_000, bars_per_day=1, keep=100)
    names = [f"T{i}" for i in range(5)]
    prices = [10.07, 33.33, 0.29, 101.01, 7.77]
    for name, price in zip(names, prices, strict=True):
        manager.add_ticker(name, price=price, volatility=0.02)
    done: list[dict[tuple[str, str], int]] = [{} for _ in range(10)]

    def work(thread: int) -> None:
        counts, trade = done[thread], manager.execute_trade
        for turn in range(10_000):
            name = names[(turn * 7 + thread) % 5]
            side = "buy" if turn % 3 else "sell"
            if trade(name, 1 + turn % 4, side).executed:
                counts[name, side] = counts.get((name, side), 0) + 1 + turn % 4

    threads = [threading.Thread(target=work, args=(place,)) for place in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    cash = 10_000_000 * 100
    for name, price in zip(names, prices, strict=True):
        bought = sum(counts.get((name, "buy"), 0) for counts in done)
        sold = sum(counts.get((name, "sell"), 0) for counts in done)
        assert manager._ledger.holdings[name].basis.lots == bought - sold
        cash -= round(price * 100) * (bought - sold)  # whole cents a share: nothing is rounded
    assert manager._ledger.cash == cash and manager._ledger.balanced()
    assert manager.approved + manager.rejected == 100_000 and len(manager.executions) == 100
    assert manager._ledger.equity == 10_000_000 * 100  # at unmoved prices no money was made
    manager.verify()


def test_a_check_costs_the_same_for_many_assets():
    def seconds(n: int) -> float:
        manager = RiskManager(1e9)
        manager.warm_up(bars(30, [f"T{i}" for i in range(n)]))
        best = math.inf
        for _ in range(7):
            start = time.thread_time()  # of this thread, whatever else the machine does
            for _ in range(200):
                manager.check_trade_impact("T3", 10, "buy")
            best = min(best, time.thread_time() - start)
        return best

    assert seconds(500) <= 3.0 * seconds(5)


def test_memory_stays_flat():
    manager = desk(1e6, keep=50)
    row = dict(zip(NAMES, (100.0, 101.0, 99.0), strict=True))

    def events(n: int) -> None:
        for turn in range(n):
            manager.execute_trade("AAPL", 1, "buy" if turn % 2 else "sell")
            if turn % 50 == 0:
                manager.on_bar({ticker: price + turn % 3 for ticker, price in row.items()})

    events(2_000)
    tracemalloc.start()
    events(1_000)
    first = tracemalloc.get_traced_memory()[0]
    events(2_000)
    grown = tracemalloc.get_traced_memory()[0] - first
    tracemalloc.stop()
    assert grown < 20_000


@pytest.mark.parametrize(
    "book", [RiskManager(10_000), PositionTracker({"ETH": "0.01"})], ids=lambda book: type(book).__name__
)
def test_a_written_state_is_all_that_the_book_is_restored_from(book):
    class Journal:
        def __init__(self):
            self.events = []

        def ready(self, *texts):
            """Everything can be written."""

        def prepared(self, event):
            return [(self.events.append, event)]

    journal = Journal()
    book.write_to(journal, opening=False)
    book.write_state()
    (event,) = journal.events
    assert event[0].kind == "state"
    assert type(book).from_state(json.loads(event[0].body)).digest == book.digest
