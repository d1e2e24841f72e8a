"""The demo's two acts: what they trade, what was done to the data, and what a run writes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
from naive.trend import trend_orders

from riskkit import datasets, demo
from riskkit.demo import exchange, strategies
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.compare import compare
from riskkit.replay.schema.columns import EventKind, RowFlag
from riskkit.rules import OrderRate

# ---------------------------------------------------------------------- act one


@pytest.fixture(scope="module")
def stocks() -> pd.DataFrame:
    return datasets.load_stocks()[["AAPL", "KO"]].iloc[:2_500]


@pytest.fixture(scope="module")
def traded(stocks) -> EventLog:
    pytest.importorskip("vectorbt", reason="vectorbt is not installed; it comes with riskkit[notebooks]")
    about = strategies.metadata_of(datasets.load_stocks())
    return EventLog.from_vectorbt(strategies.trend_portfolio(stocks), lot=1, about=about)


def test_the_strategies_trade_what_a_plain_loop_trades(stocks, traded):
    frame = traded.to_frame()
    dates = {date: day for day, date in enumerate(stocks.index)}
    for ticker in stocks:
        orders = frame[(frame["kind"] == "ORDER") & (frame["account"] == ticker)]
        found = [
            (dates[ts.tz_localize(None)], "B" if side > 0 else "S", int(qty), price)
            for ts, side, qty, price in orders[["ts", "side", "qty", "price"]].itertuples(index=False)
        ]
        plain = trend_orders(stocks[ticker].tolist())
        assert found == [(day, side, shares, float(price)) for day, side, shares, price in plain]
        assert len(found) > 20


def test_every_order_is_filled_whole_and_each_strategy_has_its_account(traded):
    kinds = traded.counts()
    assert kinds["ORDER"] == kinds["FILL"]
    orders, fills = (
        traded.columns["qty"][traded.columns["kind"] == kind] for kind in (EventKind.ORDER, EventKind.FILL)
    )
    assert orders.tolist() == fills.tolist()
    assert [account.id for account in traded.universe.accounts] == ["AAPL", "KO"]


def test_the_log_knows_that_its_prices_are_real_adjusted_and_of_survivors(traded):
    assert traded.about["kind"] == "real" and traded.about["survivors_only"] is True
    assert "simulated by vectorbt" in traded.about["orders"]
    assert traded.about["defects"]


def test_the_limits_of_act_one_are_met_but_not_always(traded):
    found = compare(traded, RuleSet.from_toml(demo.rules_path("strategies")), orphans="clip", compiled=False)
    assert 0 < len(found.enforce.rejections()) < traded.counts()["ORDER"] / 2
    assert found.curves["shadow"].final == found.curves["without limits"].final


# ---------------------------------------------------------------------- act two


@pytest.fixture(scope="module")
def tape() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Some seconds of a simulated day: trades at price 0, of quantity 0, with one name on both sides."""
    trades, quotes = datasets.load_tape(), datasets.load_top_of_book()
    start, end = pd.Timestamp("1970-01-05 00:01:50", tz="UTC"), pd.Timestamp("1970-01-05 00:02:10", tz="UTC")
    trades, quotes = (frame[(frame["ts"] >= start) & (frame["ts"] < end)] for frame in (trades, quotes))
    return trades.reset_index(drop=True), quotes.reset_index(drop=True)


@pytest.fixture(scope="module")
def simulated(tape) -> EventLog:
    trades, quotes = tape
    return EventLog.from_frame(exchange.exchange_frame(trades, quotes), exchange.exchange_instruments(quotes))


def test_each_trade_is_two_orders_and_two_fills_after_the_quotes_of_its_step(tape, simulated):
    trades, quotes = tape
    good = trades[trades["quantity"] > 0]
    assert all(trades[mark].any() for mark in ("same_name", "zero_price", "zero_quantity"))
    kinds = simulated.counts()
    assert (kinds["ORDER"], kinds["FILL"], kinds["PRICE"]) == (2 * len(good), 2 * len(good), len(quotes))
    frame = simulated.to_frame()
    fills = frame[frame["kind"] == "FILL"]
    assert fills["account"].tolist() == [name for pair in good[["buyer", "seller"]].to_numpy() for name in pair]
    assert fills["qty"].tolist() == good["quantity"].repeat(2).tolist()
    assert fills["price"].tolist() == good["price"].repeat(2).tolist()
    turn = frame["kind"].astype(str).map({"PRICE": 0, "ORDER": 1, "FILL": 1})
    assert (turn.groupby(frame["ts"]).diff().fillna(0) >= 0).all()


@pytest.mark.slow
def test_a_name_that_trades_with_itself_is_booked_twice_and_ends_flat(tape, simulated):
    flags = simulated.columns.get("flags", np.zeros(len(simulated), np.int32))
    assert not (flags & RowFlag.DUPLICATE).any()
    found = compare(simulated, RuleSet([]), ["shadow"], compiled=False)
    net: dict[tuple[str, str], int] = defaultdict(int)
    for buyer, seller, symbol, quantity in tape[0][["buyer", "seller", "symbol", "quantity"]].to_numpy():
        net[buyer, symbol] += quantity
        net[seller, symbol] -= quantity
    held = found.without.positions()["qty"].to_dict()
    assert held == {place: net[place] for place in held}
    assert all(net[place] == 0 for place in set(net) - set(held))


@pytest.mark.lengthy
def test_without_limits_the_names_win_what_the_names_lose(simulated):
    found = compare(simulated, RuleSet.from_toml(demo.rules_path("exchange")), compiled=False)
    assert (found.without.profit_curve() == 0.0).all()
    assert found.enforce.unmatched()[0] > 0
    assert found.without.unmatched() == (0, 0.0)
    assert len(found.enforce.rejections()) > 0 and found.shadow.alerts() > 0


def test_what_was_done_counts_the_doubtful_rows():
    trades, quotes = datasets.load_tape(), datasets.load_top_of_book()
    said = " ".join(exchange.defects_of(trades, quotes))
    for mark, count in trades.attrs["found"].items():
        assert f"{count:,} trades" in said, mark
    assert "Olga occurs in 1 trade" in said


# ---------------------------------------------------------------------- the run


def test_the_rule_sets_read_and_speak():
    for act in demo.ACTS:
        rules = RuleSet.from_toml(demo.rules_path(act.name))
        assert len(str(rules).splitlines()) == len(rules) >= 3
    assert isinstance(rules["order-rate"].parameters, OrderRate)


def test_a_run_prints_tables_and_writes_reports_and_logs(simulated, tmp_path, monkeypatch):
    pytest.importorskip("vectorbt", reason="vectorbt is not installed; it comes with riskkit[notebooks]")
    act = demo.ACTS[1]._replace(log=lambda: simulated)
    monkeypatch.setattr(demo, "ACTS", (act,))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    said: list[str] = []
    written = demo.run(tmp_path / "out", progress=False, say=said.append)
    assert written == [tmp_path / "out" / "exchange.html"]
    text = "\n".join(said)
    assert "Example 1 of 1" in text and "order-rate: at most 20 messages" in text and "max drawdown" in text
    assert act.remark in written[0].read_text(encoding="utf-8")
    again = EventLog.from_parquet(written[0].with_suffix(".parquet"))
    assert again.event_hash == simulated.event_hash
