"""A real vectorbt portfolio as an event log: the same orders, the same money, to the rounding of its fees."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from refusing import refusal as refusal_of
from streams import daily_closes

from riskkit import EventLog, InputError, RuleSet, replay_log
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import EventKind
from riskkit.rules import CashLimit, PositionLimit

DAY = 86_400_000_000_000
BARS = 120
CASH = 100_000.0  # enough for every order: vectorbt cuts the last one to what is left, in fractions


@pytest.fixture(scope="module")
def close() -> pd.DataFrame:
    return daily_closes(7, 0.015, BARS)


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
    assert log.about == {"title": "trend"}


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
    quoted = columns["kind"] == EventKind.PRICE
    assert (np.diff(bar * 2 + quoted) >= 0).all()
    fills = np.flatnonzero(columns["kind"] == EventKind.FILL)
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
    log = EventLog.from_vectorbt(portfolio, tick="0.0001")
    assert "units" not in log.about
    slack = 3.0 * BARS * 0.00005
    assert ends(log).tolist() == pytest.approx(portfolio.final_value().tolist(), abs=slack)


def test_fractional_sizes_want_a_lot_that_is_fine(vbt, close):
    portfolio = vbt.Portfolio.from_orders(close, size=1 / 3, init_cash=CASH, freq="D")
    assert refusal(portfolio, lot=1) == (
        "column 'a': size 0.3333333333333333 is not a multiple of the lot 1; trade integer sizes (size_granularity=1), or "
        "give a lot of at most a millionth of the largest size, to which positions are rounded"
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
    duplicates = vbt.Portfolio.from_orders(close.set_axis(["a", "a", "b"], axis=1), size=1.0, init_cash=CASH, freq="D")
    assert refusal(duplicates) == "the portfolio has two columns 'a'; give each column another name"


FINE = {"tick": "0.01", "lot": "1e-9", "quantum": "1e-6"}  # all of one's cash buys no whole number of shares


def agrees(log: EventLog, value: pd.Series, slack: float = 1e-4) -> None:
    """The log's accounts end with the money that the portfolio ends with."""
    assert ends(log).to_numpy() == pytest.approx(value.to_numpy(float), abs=slack)


def test_signals_that_spend_all_their_cash(vbt, close):
    above = close > close.rolling(10).mean()
    portfolio = vbt.Portfolio.from_signals(close, above, ~above, fees=0.002, init_cash=CASH, freq="D")
    for log in (EventLog.from_vectorbt(portfolio), EventLog.from_vectorbt(portfolio, **FINE)):
        agrees(log, portfolio.final_value(), slack=2e-3)
        held = replay_log(log, RuleSet([]), compiled=False).positions()["qty"].droplevel(0)
        assert held.eq(0).to_dict() == (portfolio.assets().iloc[-1] == 0).to_dict()


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1.0, 1e5], ids=str)
def test_steps_that_are_not_given_keep_the_money_and_are_named(vbt, close, scale):
    """Prices from a hundred-millionth of a cent upward: a coin of many zeros and an index, all-in, with slippage."""
    above = close > close.rolling(10).mean()
    prices = close * scale / 3
    portfolio = vbt.Portfolio.from_signals(
        prices, above, ~above, slippage=1 / 700, fees=0.001, init_cash=CASH, freq="D"
    )
    log = EventLog.from_vectorbt(portfolio, about={"title": "all in"})
    agrees(log, portfolio.final_value(), slack=CASH * 1e-5)
    assert log.about["units"].startswith("chosen, and prices and positions rounded to them: tick ")
    sizes = portfolio.orders.records.groupby("col")["size"].max()
    for size, instrument in zip(sizes, log.universe.instruments, strict=True):
        assert 1e-9 <= float(instrument.lot) / size <= 1e-6
    assert list(log.about) == ["units", "title"]


def test_a_column_in_whole_sizes_stays_exact_beside_one_in_fractions(vbt, close):
    size = np.array([3.0, 1 / 3, 2.5]) * np.ones((BARS, 1))
    log = EventLog.from_vectorbt(vbt.Portfolio.from_orders(close, size=size, init_cash=CASH, freq="D"))
    assert [str(one.lot) for one in log.universe.instruments] == ["1", "1/1000000000", "1/10"]
    assert log.about["units"] == "chosen, and prices and positions rounded to them: lot 0.000000001"


@pytest.mark.parametrize("size_type", ["value", "targetvalue", "targetamount", "percent", "targetpercent"])
def test_every_size_type(vbt, close, size_type):
    size = 0.1 if "percent" in size_type else 1000.0
    wanted = np.where(np.arange(BARS)[:, None] % 7 == 0, size * (1 + np.arange(BARS)[:, None] % 3), np.nan) * np.ones(3)
    portfolio = vbt.Portfolio.from_orders(
        close, size=wanted, size_type=size_type, fees=0.001, fixed_fees=1.5, init_cash=CASH, freq="D"
    )
    assert len(portfolio.orders.values) > 6
    agrees(EventLog.from_vectorbt(portfolio, **FINE), portfolio.final_value())


def test_a_group_that_sells_before_it_buys(vbt, close):
    weights = np.random.default_rng(11).dirichlet([1.0, 1.0, 1.0], BARS)
    portfolio = vbt.Portfolio.from_orders(
        close, size=weights, size_type="targetpercent", group_by=True, cash_sharing=True, call_seq="auto",
        fees=0.0005, init_cash=CASH, freq="D",
    )  # fmt: skip
    log = EventLog.from_vectorbt(portfolio, **FINE)
    assert [account.id for account in log.universe.accounts] == ["group"]
    assert ends(log).iloc[0] == pytest.approx(float(portfolio.final_value()), abs=0.01)
    cash = replay_log(log, RuleSet([Rule("cash", CashLimit())]), compiled=False)
    assert len(cash.rejections()) <= 3  # of hundreds: the order within a bar is vectorbt's, so the cash is there


def test_groups_without_shared_cash_are_accounts_by_column(vbt, close):
    portfolio = vbt.Portfolio.from_orders(close, size=1.0, init_cash=[1e4, 2e4, 3e4], group_by=[0, 0, 1], freq="D")
    log = EventLog.from_vectorbt(portfolio)
    assert [account.id for account in log.universe.accounts] == ["a", "b", "c"]
    agrees(log, portfolio.final_value(group_by=False))


def test_some_columns_of_a_portfolio(vbt, close):
    size = np.random.default_rng(5).integers(-9, 10, close.shape).astype(float)
    portfolio = vbt.Portfolio.from_orders(close, size=size, init_cash=CASH, freq="D")
    log = EventLog.from_vectorbt(portfolio[["c", "a"]])
    assert [account.id for account in log.universe.accounts] == ["c", "a"]
    agrees(log, portfolio.final_value()[["c", "a"]])
    grouped = vbt.Portfolio.from_orders(
        close, size=size, init_cash=CASH, freq="D", group_by=["x", "x", "y"], cash_sharing=True
    )
    one = EventLog.from_vectorbt(grouped["x"])
    assert [account.id for account in one.universe.accounts] == ["x"]
    agrees(one, grouped.final_value()[["x"]])


@pytest.mark.parametrize("lock_cash", [False, True])
def test_short_sales_with_and_without_locked_cash(vbt, close, lock_cash):
    size = np.random.default_rng(6).integers(-400, 401, close.shape).astype(float)
    portfolio = vbt.Portfolio.from_orders(
        close, size=size, lock_cash=lock_cash, size_granularity=1, fixed_fees=2.0, init_cash=20_000.0, freq="D"
    )
    assert (portfolio.assets() < 0).any().all()
    agrees(EventLog.from_vectorbt(portfolio), portfolio.final_value())


def test_fees_may_be_paid_to_the_trader(vbt, close):
    portfolio = vbt.Portfolio.from_orders(close, size=2.0, fees=-0.0002, init_cash=CASH, freq="D")
    log = EventLog.from_vectorbt(portfolio)
    agrees(log, portfolio.final_value())
    assert (replay_log(log, RuleSet([]), compiled=False).accounts()["fees"] < 0).all()


def test_cash_that_vectorbt_finds_itself(vbt, close):
    size = np.random.default_rng(8).integers(-9, 10, close.shape).astype(float)
    for mode in ("auto", "autoalign"):
        portfolio = vbt.Portfolio.from_orders(close, size=size, init_cash=mode, freq="D")
        log = EventLog.from_vectorbt(portfolio)
        assert [float(one.cash["USD"]) for one in log.universe.accounts] == pytest.approx(portfolio.init_cash.tolist())
        agrees(log, portfolio.final_value())
    endless = vbt.Portfolio.from_orders(close, size=size, init_cash=np.inf, freq="D")
    assert refusal(endless) == (
        "account 'a' opens with cash of inf, so it has no value; simulate with init_cash='auto' or an amount"
    )


def test_bars_without_a_close(vbt, close):
    holes = close.mask(np.random.default_rng(9).random(close.shape) < 0.2)
    holes.iloc[0] = close.iloc[0]
    portfolio = vbt.Portfolio.from_orders(holes, size=1.0, init_cash=CASH, freq="D")
    log = EventLog.from_vectorbt(portfolio)
    assert log.counts()["PRICE"] == int(holes.notna().sum().sum())
    agrees(log, portfolio.final_value())


def plain_steps() -> dict[str, object]:
    """vectorbt's empty steps, not compiled: its own take seconds to compile for each simulation."""
    names = ("sim", "row", "segment")
    steps = {f"pre_{name}_func_nb": lambda c, *args: () for name in names}
    return {**steps, **{f"post_{name}_func_nb": lambda c, *args: None for name in (*names, "order")}}


def test_order_functions_and_several_orders_in_a_bar(vbt, close):
    from vectorbt.portfolio.enums import NoOrder, Order

    def one(c):
        return Order(size=float(1 + c.i % 3), direction=2) if c.i % 4 != c.col else NoOrder

    def round_trip(c):  # buy twice, sell all
        if c.call_idx < 3:
            return c.from_col, Order(size=(2.0, 3.0, -5.0)[c.call_idx], price=c.close[c.i, c.from_col] - c.call_idx)
        return -1, NoOrder

    options = {"use_numba": False, "row_wise": True, "init_cash": CASH, "freq": "D"} | plain_steps()
    portfolio = vbt.Portfolio.from_order_func(close, one, **options)
    agrees(EventLog.from_vectorbt(portfolio), portfolio.final_value())
    flexible = vbt.Portfolio.from_order_func(close, round_trip, flexible=True, max_orders=3 * close.size, **options)
    log = EventLog.from_vectorbt(flexible)
    assert log.counts()["ORDER"] == 3 * close.size
    agrees(log, flexible.final_value())


def test_fees_of_what_is_less_than_half_a_lot_are_not_lost(vbt, close):
    size = np.where(np.arange(BARS) == 0, 100.0, 1e-7)
    portfolio = vbt.Portfolio.from_orders(close["a"], size=size, fixed_fees=0.5, init_cash=CASH, freq="D")
    assert refusal(portfolio, lot="0.0001") == (
        "column 'a': size 1e-07 is less than half a lot of 0.0001 and paid fees; give a finer lot"
    )
    free = vbt.Portfolio.from_orders(close["a"], size=size, init_cash=CASH, freq="D")
    assert EventLog.from_vectorbt(free, lot="0.0001").counts()["ORDER"] == 1


def test_a_portfolio_that_never_trades(vbt, close):
    idle = vbt.Portfolio.from_orders(close, size=0.0, init_cash=CASH, freq="D")
    log = EventLog.from_vectorbt(idle)
    assert log.counts() == {"PRICE": close.size} and ends(log).tolist() == [CASH] * 3


def refusal(portfolio, **options) -> str:
    return refusal_of(EventLog.from_vectorbt, portfolio, **options)
