"""Tasks of a quant with vectorbt strategies, each in at most five lines and from files that are built here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskkit as rk

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(vbt, tmp_path, monkeypatch):
    """A table of daily closes as data vendors send it."""
    monkeypatch.chdir(tmp_path)
    days = pd.bdate_range("2023-01-02", periods=150, name="Date")
    moves = np.random.default_rng(12).normal(0.0005, 0.02, (150, 2))
    pd.DataFrame(100.0 * np.exp(moves.cumsum(axis=0)), days, ["ALFA", "BETA"]).round(2).to_csv("close.csv")
    return tmp_path


def signals() -> tuple[pd.DataFrame, pd.DataFrame]:
    close = pd.read_csv("close.csv", index_col="Date", parse_dates=True)
    return close, close > close.rolling(10).mean()


def limits() -> rk.RuleSet:
    return rk.RuleSet(
        [rk.Rule("size", rk.rules.MaxOrderNotional(limit=10_300)), rk.Rule("day", rk.rules.DailyLoss(limit=250))]
    )


def test_a_portfolio_becomes_a_log_and_is_replayed(vbt, folder):
    close, up = signals()
    log = rk.EventLog.from_vectorbt(vbt.Portfolio.from_signals(close, up, ~up, init_cash=10_000))
    result = rk.replay_log(log, limits(), mode="enforce", compiled=False)
    assert log.counts()["ORDER"] > 20 and sum(result.refusals_by_rule().values()) > 0


def test_signals_under_limits(folder):
    close, up = signals()
    found = rk.vbt.run_signals_with_limits(limits(), close, up, ~up, init_cash=10_000, compiled=False)
    assert found.rejections() and found.portfolio.orders.count().sum() > 0
    assert found.to_frame()["reason"].str.len().min() > 10


def test_target_weights_under_limits(folder):
    close, up = signals()
    found = rk.vbt.run_targets_with_limits(
        limits(), close, 0.5 * up, size_type="targetpercent", init_cash=10_000, compiled=False
    )
    assert found.portfolio.total_return().notna().all()


def test_a_sweep_over_a_limit(vbt, folder):
    close, up = signals()
    log = rk.EventLog.from_vectorbt(vbt.Portfolio.from_signals(close, up, ~up, init_cash=10_000))
    found = rk.sweep(log, limits(), {"day.limit": [100, 250, 500, 1_000]}, compiled=False)
    assert len(found.frame) == 4 and found.plot(metric="profit").get_ylabel() == "profit, USD"


def test_back_to_the_statistics_of_vectorbt(vbt, folder):
    close, up = signals()
    log = rk.EventLog.from_vectorbt(vbt.Portfolio.from_signals(close, up, ~up, init_cash=10_000))
    result = rk.replay_log(log, limits(), mode="enforce", compiled=False)
    stats = result.to_vectorbt(freq="1D").stats(["total_return", "max_dd"], agg_func=None)
    assert list(stats) == ["Total Return [%]", "Max Drawdown [%]"] and len(stats) == 2
