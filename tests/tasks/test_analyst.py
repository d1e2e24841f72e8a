"""Tasks of a market risk analyst, each in at most five lines and from files that are built here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import riskkit as rk

pytest.importorskip("xlsxwriter", reason="XlsxWriter is not installed; it comes with riskkit[excel]")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a table of daily returns, the positions of a book, and a file of orders and fills."""
    monkeypatch.chdir(tmp_path)
    days = pd.bdate_range("2020-01-01", periods=400, name="date")
    returns = np.random.default_rng(3).standard_t(4, (400, 3)) * 0.01
    pd.DataFrame(returns, days, ["ALFA", "BETA", "GAMA"]).to_csv("returns.csv")
    pd.Series([2e6, 1e6, -5e5], ["ALFA", "BETA", "GAMA"], name="money").to_csv("positions.csv")
    orders = [["2024-03-04 09:30:00", "order", "o1", 10], ["2024-03-04 09:30:05", "order", "o2", 900]]
    table = pd.DataFrame(orders, columns=["time", "kind", "order_id", "qty"])
    table.assign(account="desk-1", symbol="ALFA", side="buy", price=101.5).to_csv("orders.csv", index=False)
    return tmp_path


def read():
    returns = pd.read_csv("returns.csv", index_col=0, parse_dates=True)
    return returns, pd.read_csv("positions.csv", index_col=0)["money"]


def test_var_table_to_excel(folder):
    returns, positions = read()
    risk = rk.value_at_risk(returns @ positions, [0.95, 0.99])
    risk.to_excel("var.xlsx")
    assert (folder / "var.xlsx").stat().st_size > 5_000


def test_backtest_table_to_excel(folder):
    returns, positions = read()
    found = rk.backtest_var(rk.rolling_var(returns @ positions, 250, 0.95))
    found.to_excel("backtest.xlsx")
    assert (folder / "backtest.xlsx").exists() and found.verdict


def test_contributions_to_excel(folder):
    returns, positions = read()
    rk.attribution.historical(positions, returns, 0.99, measure="es").to_excel("contributions.xlsx")
    assert (folder / "contributions.xlsx").exists()


def test_stress_table_to_excel(folder):
    returns, positions = read()
    shocks = pd.DataFrame({"ALFA": [-0.2, 0.1], "BETA": [-0.1, 0.0], "GAMA": [0.05, -0.1]}, index=["crash", "rally"])
    rk.stress_test(positions, shocks).to_excel("stress.xlsx")
    assert (folder / "stress.xlsx").exists()


def test_a_report_by_mail(folder):
    returns, positions = read()
    page = rk.report.tear_sheet(returns, "risk.html", positions=positions, confidence=0.95, currency="EUR")
    assert page.stat().st_size < 1_000_000


def test_why_was_this_order_refused_and_a_report_of_all_refusals(folder):
    limits = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=500))])
    result = rk.replay_log(rk.read_log("orders.csv"), limits, compiled=False)
    said = result.explain(order_id="o2", tz="America/New_York")
    rk.report.limits(result, "limits.html", tz="America/New_York")
    assert str(said) == (
        "Order o2 (buy 900 ALFA at 101.5 for desk-1, 2024-03-04 04:30:05 EST) was refused by size: observed 900, limit 500. "
        "The limit is one order of at most 500 in quantity. A quantity of 500 would have been accepted."
    )


def test_a_var_table_and_its_chart(folder):
    returns, positions = read()
    pnl = returns @ positions
    ax = rk.value_at_risk(pnl, [0.95, 0.99]).plot(unit="EUR")
    assert ax.get_xlabel() == "P&L, EUR" and {text.get_text().split()[0] for text in ax.texts} == {"VaR", "ES"}


def test_a_daily_loss_limit_from_daily_pnl(folder):
    returns, positions = read()
    found = rk.sweeps.calibrate_loss_limit(returns @ positions, rng=np.random.default_rng(1), currency="EUR")
    limit = found.best(trips_per_year=4)
    found.to_excel("loss_limits.xlsx")
    assert limit > 0.0 and found.plot().get_xlabel() == "daily loss limit, EUR"


@pytest.mark.slow
def test_a_review_of_the_var_model(folder):
    returns, positions = read()
    forecasts = rk.rolling_var(returns @ positions, 250, 0.95)
    page = rk.report.validation(
        forecasts.returns, "review.html", var=forecasts.var, es=forecasts.es, confidence=0.95, window=100
    )
    assert page.stat().st_size < 1_000_000
