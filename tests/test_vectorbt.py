"""A real vectorbt portfolio as an event log: the same orders, the same money, to the rounding of its fees."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskkit import EventLog, InputError, RuleSet, replay_log
from riskkit.replay.columns import Kind
from riskkit.replay.rule import Rule
from riskkit.replay.rules import PositionLimit

DAY = 86_400_000_000_000
BARS = 120
CASH = 100_000.0  # enough for every order: vectorbt cuts the last one to what is left, in fractions


@pytest.fixture(scope="module")
def vbt():
    """Importing it costs seconds."""
    return pytest.importorskip("vectorbt", reason="vectorbt is not installed; it comes with the extra 'notebooks'")


@pytest.fixture(scope="module")
def close() -> pd.DataFrame:
    draw = np.random.default_rng(7)
    paths = 100 * np.exp(np.cumsum(draw.normal(0, 0.015, (BARS, 3)), axis=0))
    return pd.DataFrame(paths.round(2), pd.date_range("2024-01-01", periods=BARS, freq="D"), ["a", "b", "c"])


@pytest.fixture(scope="module")
def signals(vbt, close):
    """Long above the mean of ten days, flat below, in whole sizes with fees."""
    above = close > close.rolling(10).mean()
    return vbt.Portfolio.from_signals(close, above, ~above, size=17, fees=0.001, init_cash=CASH, freq="D")


def ends(log: EventLog) -> pd.Series:
    """Equity of each account when nothing is refused."""
    return replay_log(log, RuleSet([]), sample_ns=DAY, compiled=False).accounts()["equity"]


def test_signals_give_one_account_a_column(signals, close):
    log = EventLog.from_vectorbt(signals, about={"title": "trend"})
    orders = len(signals.orders.values)
    assert log.counts() == {"ORDER": orders, "FILL": orders, "PRICE": close.size}
    assert [account.id for account in log.universe.accounts] == ["a", "b", "c"]
    assert [instrument.id for instrument in log.universe.instruments] == ["a", "b", "c"]
    assert {(str(i.tick), str(i.lot)) for i in log.universe.instruments} == {("1/100", "1")}
    assert log.about == {"title": "trend", "orphans": "clip"}


def test_a_sale_of_what_could_not_be_bought_is_cut_to_flat_unless_told_otherwise(signals, tmp_path):
    log = EventLog.from_vectorbt(signals)
    rules = RuleSet([Rule("size", PositionLimit(limit=16))])  # every purchase of 17 is one too many
    held = {
        orphans: replay_log(log, rules, "enforce", orphans=orphans, compiled=False)
        for orphans in (None, "clip", "keep")
    }
    assert held[None].digest == held["clip"].digest != held["keep"].digest
    assert held[None].counts()["orphans"] > 0 and held[None].positions()["qty"].eq(0).all()
    log.to_parquet(tmp_path / "log.parquet")
    again = replay_log(EventLog.from_parquet(tmp_path / "log.parquet"), rules, "enforce", compiled=False)
    assert again.digest == held["clip"].digest
    with pytest.raises(InputError, match="orphans='cut' is not one of"):
        replay_log(EventLog.from_vectorbt(signals, about={"orphans": "cut"}), rules, compiled=False)


def test_orders_come_before_the_close_of_their_bar_and_fills_after_their_order(signals, close):
    log = EventLog.from_vectorbt(signals)
    columns = log.columns
    bar = (columns["ts"] - columns["ts"][0]) // DAY
    quoted = columns["kind"] == Kind.PRICE
    assert (np.diff(bar * 2 + quoted) >= 0).all()
    fills = np.flatnonzero(columns["kind"] == Kind.FILL)
    assert (columns["order"][fills] == fills - 1).all()
    records = signals.orders.records.sort_values(["idx", "id"])
    assert bar[fills].tolist() == records["idx"].tolist()
    assert columns["qty"][fills].tolist() == records["size"].tolist()
    assert (columns["price"][fills] / 100).tolist() == records["price"].tolist()


def test_the_money_is_vectorbts_own(signals):
    log = EventLog.from_vectorbt(signals)
    expected = signals.final_value()
    fees = signals.orders.values["fees"]
    assert np.abs(ends(log) - expected.to_numpy()).max() <= 0.5e-6 * len(fees) + 1e-9 * CASH
    accounts = replay_log(log, RuleSet([]), sample_ns=DAY, compiled=False).accounts()
    assert accounts["fees"].sum() == pytest.approx(fees.sum(), abs=1e-6 * len(fees))
    assert accounts["profit"].to_numpy() == pytest.approx(signals.total_profit().to_numpy(), abs=1e-4)


def test_the_equity_curve_is_vectorbts_own(signals, close):
    """Sampled at midnight before that bar's events: the value of the bar before."""
    log = EventLog.from_vectorbt(signals)
    curve = replay_log(log, RuleSet([]), sample_ns=DAY, compiled=False).equity()
    value = signals.value()
    assert curve.to_numpy()[: BARS - 1] == pytest.approx(value.to_numpy()[: BARS - 1], abs=1e-4)


def test_without_fees_the_money_is_exact(vbt, close):
    size = np.random.default_rng(3).integers(-9, 10, close.shape).astype(float)
    portfolio = vbt.Portfolio.from_orders(close, size=size, init_cash=CASH, freq="D")
    log = EventLog.from_vectorbt(portfolio)
    assert str(log.universe.quantum) == "1/100"
    assert ends(log).round(2).tolist() == portfolio.final_value().round(2).tolist()
    result = replay_log(log, RuleSet([]), sample_ns=DAY, compiled=False)
    assert result.positions()["qty"].to_dict() == {
        (name, name): portfolio.assets().iloc[-1][name] for name in close.columns
    }


def test_shorts_and_flips(vbt, close):
    size = np.where(np.arange(BARS)[:, None] % 2 == 0, 5.0, -10.0) * np.ones(3)
    portfolio = vbt.Portfolio.from_orders(close, size=size, fees=0.0005, init_cash=CASH, freq="D")
    assert (portfolio.assets() < 0).any().all()
    log = EventLog.from_vectorbt(portfolio)
    assert ends(log).tolist() == pytest.approx(portfolio.final_value().tolist(), abs=1e-4)


def test_columns_that_share_cash_are_one_account(vbt, close):
    size = np.random.default_rng(4).integers(-9, 10, close.shape).astype(float)
    portfolio = vbt.Portfolio.from_orders(
        close, size=size, fees=0.001, init_cash=CASH, freq="D", group_by=[0, 0, 1], cash_sharing=True
    )
    log = EventLog.from_vectorbt(portfolio)
    assert [account.id for account in log.universe.accounts] == ["0", "1"]
    assert ends(log).tolist() == pytest.approx(portfolio.final_value().tolist(), abs=1e-4)


def test_a_series_and_a_frame_of_many_parameters(vbt, close):
    size = np.full(BARS, 1.0)
    one = vbt.Portfolio.from_orders(close["a"], size=size, init_cash=CASH, freq="D")
    assert [account.id for account in EventLog.from_vectorbt(one).universe.accounts] == ["a"]
    columns = pd.MultiIndex.from_tuples([(10, "a"), (20, "a"), (10, "b")], names=["window", "symbol"])
    many = vbt.Portfolio.from_orders(close.set_axis(columns, axis=1), size=1.0, init_cash=[1e4, 2e4, 3e4], freq="D")
    log = EventLog.from_vectorbt(many)
    assert [account.id for account in log.universe.accounts] == ["10/a", "20/a", "10/b"]
    assert [float(account.cash["USD"]) for account in log.universe.accounts] == [1e4, 2e4, 3e4]


def test_slipped_prices_are_rounded_to_a_tick_that_is_given(vbt, close):
    portfolio = vbt.Portfolio.from_orders(close, size=3.0, slippage=1 / 700, init_cash=CASH, freq="D")
    assert refusal(portfolio) == (
        "the portfolio's prices or sizes need more than 9 decimals; give tick (prices are rounded to it), and "
        "trade whole sizes (size_granularity=1) or give lot"
    )
    log = EventLog.from_vectorbt(portfolio, tick="0.0001")
    slack = 3.0 * BARS * 0.00005
    assert ends(log).tolist() == pytest.approx(portfolio.final_value().tolist(), abs=slack)


def test_fractional_sizes_want_a_lot(vbt, close):
    portfolio = vbt.Portfolio.from_orders(close, size=1 / 3, init_cash=CASH, freq="D")
    assert refusal(portfolio, lot=1) == (
        "column 'a': size 0.3333333333333333 is not a multiple of the lot 1; trade whole sizes (size_granularity=1) or "
        "give lot"
    )
    whole = vbt.Portfolio.from_orders(close, size=3.7, size_granularity=1, init_cash=CASH, freq="D")
    assert EventLog.from_vectorbt(whole).columns["qty"].max() == 3
    halves = vbt.Portfolio.from_orders(close, size=2.5, init_cash=CASH, freq="D")
    assert str(EventLog.from_vectorbt(halves).universe.instruments[0].lot) == "1/10"
    assert str(EventLog.from_vectorbt(halves, lot="0.5").universe.instruments[0].lot) == "1/2"


def test_a_quantum_may_be_given(signals):
    log = EventLog.from_vectorbt(signals, quantum="0.01")
    assert str(log.universe.quantum) == "1/100"
    fills = len(signals.orders.values)
    assert ends(log).tolist() == pytest.approx(signals.final_value().tolist(), abs=0.005 * fills)
    assert refusal(signals, quantum=0) == "quantum=0 is not above zero"


def test_times_without_a_zone_are_utc_and_others_keep_theirs(vbt, close):
    local = close.tz_localize("America/New_York")
    for frame, first in ((close, "2024-01-01"), (local, "2024-01-01 05:00")):
        log = EventLog.from_vectorbt(vbt.Portfolio.from_orders(frame, size=1.0, init_cash=CASH, freq="D"))
        assert log.columns["ts"][0] == pd.Timestamp(first, tz="UTC").as_unit("ns").value


def test_what_has_no_times_or_no_names_is_refused(vbt, close):
    numbered = vbt.Portfolio.from_orders(close.reset_index(drop=True), size=1.0, init_cash=CASH, freq="D")
    assert refusal(numbered) == "the portfolio's index is RangeIndex; it needs times (a DatetimeIndex)"
    twins = vbt.Portfolio.from_orders(close.set_axis(["a", "a", "b"], axis=1), size=1.0, init_cash=CASH, freq="D")
    assert refusal(twins) == "the portfolio has two columns 'a'; give each column a name of its own"


def test_a_portfolio_that_never_trades(vbt, close):
    idle = vbt.Portfolio.from_orders(close, size=0.0, init_cash=CASH, freq="D")
    log = EventLog.from_vectorbt(idle)
    assert log.counts() == {"PRICE": close.size} and ends(log).tolist() == [CASH] * 3


def refusal(portfolio, **options) -> str:
    with pytest.raises(InputError) as refused:
        EventLog.from_vectorbt(portfolio, **options)
    return str(refused.value)
