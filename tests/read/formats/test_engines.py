"""Lists of trades of engines: other generations than the samples are, and what they leave open."""

from __future__ import annotations

import io
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from refusing import refusal

import riskkit as rk

FORMATS = Path(__file__).parents[2] / "data" / "formats"


class Text(io.StringIO):
    """A text with the name of a file."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.name = name


LIST = "Trade #,Type,Date and time,Signal,Price USD,Position size (qty),Position size (value),Net P&L USD,Net P&L %\n"


def test_tradingview_reads_multiplier_symbol_and_one_sided_commission():
    text = LIST + (
        "1,Exit short,2024-03-28 16:00,TP,5190,2,26000,990,0.3\n1,Entry short,2024-03-28 09:30,Short,5200,2,520000,990,0.3\n"
        "2,Exit long,2024-03-28 17:00,Open,5195,1,259500,245,0.1\n2,Entry long,2024-03-28 16:30,Long,5190,1,259500,245,0.1\n"
    )
    reading = rk.read.tradingview(Text(text, "My_Best_CME_MINI_ES1!_2024-03-28_ab12c.csv"), tz="America/New_York")
    assert reading.instruments[0].id == "ES1!" and reading.instruments[0].multiplier == 50
    assert reading.fees == {"USD": Decimal(15)} and reading.realised_pnl == {"USD": Decimal(990)}
    assert str(reading.frame["ts"].iloc[0]) == "2024-03-28 13:30:00+00:00"
    assert reading.left_out["row"].tolist() == ["line 4"]


def test_tradingview_asks_for_what_the_file_does_not_say():
    text = LIST + "1,Entry short,2024-03-28 09:30,Short,5200,2,520000,990,0.3\n"
    said = {
        "x.csv: has no symbol in its name; give instrument=": ("x.csv", {"tz": "UTC"}),
        "A_B_2024-03-28.csv: times are those of the chart, whose zone is not in the file; give tz=": (
            "A_B_2024-03-28.csv",
            {},
        ),
    }
    for sentence, (name, arguments) in said.items():
        assert refusal(rk.read.tradingview, Text(text, name), **arguments) == sentence


def test_backtrader_takes_a_zone_and_leaves_out_rows_of_nothing():
    text = "date,amount,price,sid,symbol,value\n2024-07-01 16:00:00,5,10,0,X,-50\n2024-07-02 16:00:00,0,10,0,X,0\n"
    reading = rk.read.backtrader(io.StringIO(text), tz="America/New_York", currency="EUR")
    assert str(reading.frame["ts"].iloc[0]) == "2024-07-01 20:00:00+00:00"
    assert reading.instruments[0].currency == "EUR" and reading.left_out["row"].tolist() == ["line 3"]


ORDER = {
    "amount": 2.0,
    "safe_price": 100.0,
    "ft_order_side": "sell",
    "ft_is_entry": True,
    "order_filled_timestamp": 1698534960692,
}
TRADE = {
    "pair": "BTC/USDT:USDT", "is_open": False, "is_short": True, "fee_open": 0.001, "fee_close": 0.002, "profit_abs": 19.0,
    "profit_ratio": 0.1, "exit_reason": "trailing_stop_loss", "close_timestamp": 1698534970000,
    "orders": [ORDER, {**ORDER, "ft_order_side": "stoploss", "ft_is_entry": False, "safe_price": 90.0, "funding_fee": -0.5,
                       "order_filled_timestamp": 1698534970000}],
}  # fmt: skip


def test_freqtrades_backtest_has_shorter_orders_of_short_trades():
    result = {"strategy": {"S": {"trades": [TRADE]}}, "strategy_comparison": []}
    reading = rk.read.freqtrade(Text(json.dumps(result), "backtest-result.json"), book_fees=True)
    rows = reading.frame
    assert rows["kind"].tolist() == ["order", "fill", "order", "fill", "cash", "trade"]
    assert rows["side"].tolist()[:4] == ["S", "S", "B", "B"] and rows["exit"].tolist()[-1] == "stop_loss"
    assert reading.fees == {"USDT": Decimal("0.56")}  # 0.1 % of 200 and 0.2 % of 180
    assert reading.cash == {"USDT": Decimal("-0.5")} and reading.realised_pnl == {"USDT": Decimal("19.0")}


def test_freqtrade_refuses_json_of_another_kind():
    for text in ('{"trades": [{"pair": "X"}], "a": "ft_is_entry"}', '[1, "ft_is_entry"]'):
        with pytest.raises(
            rk.InputError, match=r"t\.json: has no trades with their orders; it is no json of freqtrade"
        ):
            rk.read.freqtrade(Text(text, "t.json"))


def test_freqtrades_database_that_writes_ahead_is_read(tmp_path):
    path = tmp_path / "tradesv3.sqlite"
    path.write_bytes((FORMATS / "freqtrade" / "tradesv3.sqlite").read_bytes())
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=wal")
        database.execute("UPDATE trades SET strategy = 'Ahead'")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    reading = rk.read.freqtrade(path)
    assert reading.events == {"order": 64, "fill": 51, "trade": 20} and "Ahead" in set(reading.frame["strategy"])
    assert "what stands in a file -wal beside the database is not read" in reading.assumed


@pytest.mark.parametrize(
    "text",
    [
        "Time,Symbol,Price,Quantity,Type,Status,Value\n2024-03-07T23:59:59Z,SPY,500.5,10,Market,Filled,5005\n",
        "\ufeffTag,Time,Symbol,Status,Type,Quantity,Price,Value,OrderFee\r\nx,2024-03-07T23:59:59Z,SPY,Filled,Market,10,500.5,5005,1.25\r\n\r\n",
    ],
    ids=["without tags", "another order of columns, and fees"],
)
def test_quantconnects_orders_are_known_with_and_without_what_may_be_absent(text, tmp_path):
    (tmp_path / "orders.csv").write_text(text, encoding="utf-8", newline="")
    log = rk.read_log(tmp_path / "orders.csv")
    assert log.about["read as"] == "quantconnect" and log.counts() == {"ORDER": 1, "FILL": 1}
    assert rk.read.quantconnect(io.StringIO(text)).fees == ({"USD": Decimal("1.25")} if "Fee" in text else {})


def test_a_column_that_quantconnect_does_not_have_makes_a_table_of_no_standard(tmp_path):
    text = (
        "Time,Symbol,Price,Quantity,Type,Status,Value,Account\n2024-03-07T23:59:59Z,SPY,500.5,10,Market,Filled,5005,A\n"
    )
    (tmp_path / "orders.csv").write_text(text)
    assert rk.read_log(tmp_path / "orders.csv").about["read as"] == "generic_csv"


def test_a_balance_of_mt5_that_does_not_follow_is_said():
    heading = 'Trade History Report\nAccount:,,,"50000001 (USD, Sample-Server, demo, Hedge)"\nDeals\n'
    columns = "Time,Deal,Symbol,Type,Direction,Volume,Price,Order,Commission,Fee,Swap,Profit,Balance,Comment\n"
    deals = [
        "2024.03.26 08:12:14,1,,balance,,,,,0,0,0,10 000.00,10 000.00,dep\n",
        "2024.03.26 08:12:15,2,EURUSD,buy,in,0.3,1.08412,11,- 2.10,0,0,0,9 997.90,\n",
        "2024.03.26 09:12:14,3,EURUSD,sell,out,0.3,1.085,12,-2.10,0,-0.1,26.40,10 022.10,\n",
    ]
    end = ",,,,,,,,-4.20,0.00,-0.10,26.40,10 022.10,\n"

    def said(rows):
        text = Text(heading + columns + "".join(rows) + end, "r.csv")
        reading = rk.read.mt5(text, multipliers={"EURUSD": 100_000} if len(rows) > 1 else None)
        return [one for one in reading.assumed if "balance" in one]

    assert said(deals) == []
    assert said([deals[0], deals[2]]) == [
        "the balance does not follow from the one before at 1 deal, the first at r.csv, row 6: deals are missing or wrong"
    ]
    assert said([deals[0], deals[1].replace("2.10", "9.10"), deals[2]])
