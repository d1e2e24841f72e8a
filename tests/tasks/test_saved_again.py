"""Tasks of the three persons over files that a spreadsheet, a bank or another venue has written in its own way."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit.cli import main

DAYS = pd.bdate_range("2023-01-02", periods=320, name="Datum")
MOVES = np.random.default_rng(5).normal(0.0, 0.012, (320, 2))
FILES = {
    "aktien.csv": "sep=;\r\nDatum;Uhrzeit;Wertpapier;Kauf/Verkauf;Stück;Kurs;Währung;Gebühr\r\n"
    "08.03.2024;09:30:01;SAP;Kauf;1.000;178,25;EUR;2,50\r\n08.03.2024;09:31:01;SAP;Kauf;2.500;178,50;EUR;6,25\r\n"
    "Datum;Uhrzeit;Wertpapier;Kauf/Verkauf;Stück;Kurs;Währung;Gebühr\r\n"
    "08.03.2024;17:45:00;SAP;Verkauf;3.500;171,00;EUR;8,75\r\nSumme;;;;7.000;;;17,50\r\n",
    "kraken.csv": "txid,ordertxid,pair,time,type,price,cost,fee,vol\nT1,O1,XBTUSD,2024-03-31 01:59:59.5,buy,70000.1,35000.05,56,0.5\n"
    "T1,O1,XBTUSD,2024-03-31 01:59:59.5,buy,70000.1,35000.05,56,0.5\nT2,O1,XBTUSD,2024-03-31 02:00:00,buy,70001,14000.2,22.4,0.2\n"
    "T3,O2,USDTUSD,2024-03-31 03:00:00,sell,0.9999,99.99,0.2,100\n,,,,,,49000.25,78.6,\n",
    "bybit.csv": "UID: 1234,,,,,,,,,,,\nSpot Pairs,Order Type,Direction,feeCoin,ExecFeeV2,Filled Value,Filled Price,Filled Quantity,Fees,"
    "Transaction ID,Order No.,Timestamp (UTC+8)\nBTCUSDT,LIMIT,BUY,BTC,0.001,70000,70000,1,--,9001,77,09:41 2024-03-31\n"
    "BTCUSDT,LIMIT,SELL,USDT,14,14000,70000,0.2,--,9002,78,09:42 2024-03-31\n",
    "orders.csv": "Order ID,Time (ET),Symbol,Side,Qty,Limit Price (USD),Status\n"
    "A-1,3/14/2024 9:30:00 AM,SPY,BUY,\"1,200\",515.10,Filled\nA-2,3/14/2024 9:30:01 AM,SPY,BUY,400,515.20,Cancelled\n"
    "A-3,3/14/2024 9:31:00 AM,SPY,SELL,900,515.00,Rejected\nA-4,3/14/2024 9:32:00 AM,SPY,BUY,\"2,500\",515.30,Filled\n",
    "Trend_FDAX1!_2024-03-28.csv": "Trade #;Type;Signal;Date/Time;Price EUR;Contracts;Profit EUR\r\n"
    "2;Exit long;Open;28.03.2024 21:59;18.400,5;1;0\r\n2;Entry long;L;28.03.2024 10:00;18.400,5;1;0\r\n"
    "1;Exit short;TP;14.03.2024 15:30;17.950,5;2;98,0\r\n1;Entry short;S;14.03.2024 09:05;18.000,5;2;98,0\r\nSumme;;;;;;98,0\r\n",
    "transactions.csv": "date,amount,price,sid,symbol,value\n"
    + "".join(f"3/{day}/2024 0:00,{amount},{price},0,GOLD,{-amount * price}\n"
              for day, amount, price in ((12, 40, 2150.5), (13, -40, 2160.5), (14, 60, 2161), (15, -60, 2140))),
}  # fmt: skip


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_bytes(text.encode("utf-8-sig"))
    prices = pd.DataFrame(100 * np.exp(MOVES.cumsum(axis=0)), DAYS, ["SAP", "ALV"]).round(3)
    prices[::-1].to_csv(tmp_path / "kurse.csv", sep=";", decimal=",", date_format="%d.%m.%Y")
    return tmp_path


def test_an_analyst_has_var_of_a_german_table_that_is_newest_first(capsys):
    assert main(["risk", "kurse.csv", "--positions", "SAP=2000000,ALV=-500000", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["estimates"]
    returns = rk.simple_returns(pd.read_csv("kurse.csv", sep=";", decimal=",", index_col=0)[::-1])
    assert found["var"] == pytest.approx(rk.value_at_risk(returns @ [2e6, -5e5], 0.99).var)


def test_an_analyst_sees_the_loss_of_a_day_in_a_blotter_saved_from_excel(folder):
    log = rk.read_log("aktien.csv", tz="Europe/Berlin")
    day = rk.Rule("day", rk.rules.DailyLoss(limit=20_000, tz="Europe/Berlin"))
    result = rk.replay_log(log, rk.RuleSet([day]), compiled=False)
    rk.report.limits(result, "limits.html", tz="Europe/Berlin")
    assert log.counts() == {"ORDER": 3, "FILL": 3} and result.profit_by_currency() == {"EUR": pytest.approx(-26_017.5)}
    assert log.about["left out"] == ["aktien.csv, line 5: the heading again", "aktien.csv, line 7: total"]


def test_a_developer_has_two_venues_with_their_own_titles_sums_and_repeats():
    log = rk.read_log(["kraken.csv", "bybit.csv"])
    limits = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit="0.6"))])
    result = rk.replay_log(log, limits, mode="enforce", compiled=False)
    assert [one.currency for one in log.universe.instruments] == ["USD", "USD", "USDT"]
    assert log.counts()["FILL"] == 5 and result.refusals_by_rule() == {"size": 3}
    assert {"kraken.csv, line 6: sum of the rows", "bybit.csv, line 1: stands above the heading"} < set(
        log.about["left out"]
    )


def test_a_developer_explains_a_refusal_of_orders_with_states_and_a_zone_in_the_heading():
    log = rk.read_log("orders.csv", tz="America/New_York")
    result = rk.replay_log(log, rk.RuleSet([rk.Rule("held", rk.rules.PositionLimit(limit=3_000))]), compiled=False)
    said = str(result.explain(order_id="A-4", tz="America/New_York"))
    assert said.startswith(
        "Order A-4 (buy 2500 SPY at 515.3 for account, 2024-03-14 09:32:00 EDT) was refused by held: observed 3,700"
    )
    assert log.counts() == {"ORDER": 4, "EXPIRE": 1, "REJECT": 1}


def test_a_quant_has_a_list_of_trades_in_local_form_and_its_profit():
    log = rk.read_log("Trend_FDAX1!_2024-03-28.csv", tz="Europe/Berlin")
    result = rk.replay_log(log, rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=1))]), compiled=False)
    assert result.profit_by_currency() == {"EUR": 98} and result.refusals_by_rule() == {"size": 2}


def test_a_quant_sweeps_a_limit_over_transactions_with_american_dates():
    log = rk.read_log("transactions.csv")
    found = rk.sweep(
        log,
        rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=50))]),
        {"size.limit": [10, 50, 100]},
        compiled=False,
    )
    assert found.frame["profit"].tolist() == [0, 400, -860]
