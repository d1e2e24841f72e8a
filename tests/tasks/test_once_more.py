"""Tasks over files of a bank in Madrid, of a back office with dates in words, and of an account without a trade history."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit.cli import main

DAYS = pd.bdate_range("2022-01-03", periods=300)
PNL = np.random.default_rng(5).normal(0.0, 200_000.0, 300).round(2)
MOVES = (
    "Fecha;Tipo;Símbolo;Cantidad;Precio;Comisión\n08/03/2024 10:00;Compra;SAN;1.000;4,15;2,5\n"
    "13/03/2024 11:00;Venta;SAN;1.000;4,25;2,5\n"
)
COINS = (
    "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n1,2023-05-01 10:05:00,Spot,Transaction Buy,BTC,0.5,\n"
    "1,2023-05-01 10:05:00,Spot,Transaction Spend,USDT,-14000,\n1,2023-05-01 10:06:00,Spot,Transaction Sold,BTC,-0.2,\n"
    "1,2023-05-01 10:06:00,Spot,Transaction Revenue,USDT,5800,\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"coins.csv": COINS, "utf8.csv": MOVES}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "windows.csv").write_text(MOVES, encoding="cp1252")
    (tmp_path / "utf16.csv").write_text(MOVES, encoding="utf-16")
    return tmp_path


@pytest.mark.parametrize("form", ["%d-%b-%Y", "%d %B %Y", "%d-%b-%y", "%b %d, %Y", "%Y%m%d"])
def test_an_analyst_has_var_of_daily_results_with_months_in_words_and_losses_in_brackets(form, capsys):
    texts = [f"({-amount:,.2f})" if amount < 0 else f"{amount:,.2f}" for amount in PNL]
    pd.DataFrame({"Trade Date": DAYS.strftime(form), "Desk P&L": texts}).to_csv("pnl.csv", index=False)
    assert main(["risk", "pnl.csv", "--returns", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["estimates"]
    assert found["var"] == pytest.approx(rk.value_at_risk(PNL, 0.99).var)


def test_an_analyst_gives_a_series_with_dates_and_no_periods():
    returns = pd.Series(PNL / 1e8, DAYS)
    found = rk.performance.annualized_volatility(returns), rk.performance.sharpe_ratio(returns)
    assert found == (rk.performance.annualized_volatility(returns, 252), rk.performance.sharpe_ratio(returns, 252))


@pytest.mark.parametrize("name", ["utf8.csv", "windows.csv", "utf16.csv"])
def test_a_developer_reads_the_moves_of_a_spanish_broker_in_any_encoding(name):
    log = rk.read_log(name, tz="Europe/Madrid")
    result = rk.replay_log(log, rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=500))]), compiled=False)
    assert log.counts() == {"ORDER": 2, "FILL": 2} and result.refusals_by_rule() == {"size": 2}
    assert result.profit_by_currency() == {
        "USD": pytest.approx(95.0)
    }  # a currency is not in the file, which the log says


def test_a_developer_has_only_what_each_coin_gained_and_lost():
    log = rk.read_log("coins.csv")
    result = rk.replay_log(log, rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit="0.4"))]), compiled=False)
    assert result.refusals_by_rule() == {"size": 1} and "0.5" in str(result.explain(0))


def test_a_quant_who_asks_the_wrong_function_is_sent_to_the_right_one():
    pnl = pd.Series(PNL, DAYS)
    with pytest.raises(rk.InputError, match=r"calibrate_loss_limit\(pnl, rng=numpy.random.default_rng\(1\)\)"):
        rk.calibrate(pnl)
    assert len(rk.sweeps.calibrate_loss_limit(pnl, rng=np.random.default_rng(1)).to_frame())
