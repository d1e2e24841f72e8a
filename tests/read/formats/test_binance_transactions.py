"""Transaction history of Binance: trades put together from what each coin gained and lost."""

import io
from decimal import Decimal

import pytest

import riskkit as rk

HEADING = "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark\n"
NEW = """1,2023-05-01 10:00:00,Spot,Deposit,USDT,30000,
1,2023-05-01 10:05:00,Spot,Transaction Buy,BTC,0.5,
1,2023-05-01 10:05:00,Spot,Transaction Spend,USDT,-14000,
1,2023-05-01 10:05:00,Spot,Transaction Fee,BNB,-0.01,
1,2023-05-01 11:05:00,Spot,Transaction Sold,BTC,-0.3,
1,2023-05-01 11:05:00,Spot,Transaction Revenue,USDT,"8,580.6",
1,2023-05-01 11:05:00,Spot,Transaction Fee,USDT,-8.5,
1,2023-05-02 00:00:00,Spot,Simple Earn Flexible Interest,USDT,0.02,
1,2023-05-02 00:00:01,Spot,Transfer Between Spot and Funding,USDT,-10,
"""
FILL = ["instrument", "side", "qty", "price"]


def read(rows, heading=HEADING, **options):
    return rk.read.binance(io.StringIO(heading + rows), **options)


def test_rows_of_one_second_are_one_trade_with_its_fee():
    reading = read(NEW)
    fills = reading.frame[reading.frame["kind"] == "fill"]
    assert fills[FILL].to_numpy().tolist() == [
        ["BTCUSDT", "B", Decimal("0.5"), 28000],
        ["BTCUSDT", "S", Decimal("0.3"), 28602],
    ]
    assert reading.fees == {"BNB": Decimal("0.01"), "USDT": Decimal("8.5")}
    cash = reading.frame[reading.frame["kind"] == "cash"]
    assert cash[["flow", "currency"]].to_numpy().tolist() == [["deposit", "USDT"], ["fee", "BNB"], ["dividend", "USDT"]]
    assert "Transfer Between Spot and Funding is no trade" in str(reading)
    assert "one trade, at the money over the quantity" in str(reading)


@pytest.mark.parametrize(
    ("rows", "fill"),
    [
        (
            "Buy,ETH,1.5\nBuy,ETH,0.5\nTransaction Related,BTC,-0.1\nTransaction Related,BTC,-0.03",
            ["ETHBTC", "B", 2, "0.065"],
        ),
        ("Binance Convert,EUR,-300\nBinance Convert,BTC,0.01", ["BTCEUR", "B", "0.01", 30000]),
        ("Sell,SHIB,-2000000\nTransaction Related,USDT,20", ["SHIBUSDT", "S", 2000000, "0.00001"]),
        ("Transaction Spend,USDT,-10\nTransaction Buy,USDC,10", ["USDCUSDT", "B", 10, 1]),
    ],
    ids=["partial fills", "convert", "sale", "two stable coins"],
)
@pytest.mark.parametrize("turned", [False, True], ids=["as given", "newest first"])
def test_the_pair_is_the_coin_in_the_money_that_it_was_priced_in(rows, fill, turned):
    lines = [f"1,2021-05-01 10:05:00,Spot,{row},\n" for row in rows.splitlines()]
    frame = read("".join(lines[::-1] if turned else lines)).frame
    label, side, quantity, price = frame[frame["kind"] == "fill"][FILL].iloc[0]
    assert [label, side, quantity, price] == [fill[0], fill[1], Decimal(fill[2]), Decimal(fill[3])]


@pytest.mark.parametrize(
    ("coins", "named"),
    [
        ([("ETH", 1), ("LTC", 1), ("BTC", -1)], "BTC, ETH, LTC"),
        ([("ETH", 1)], "ETH"),
        ([("ETH", 1), ("BTC", 1)], "BTC, ETH"),
    ],
    ids=["two pairs", "one leg", "both gained"],
)
def test_trades_that_no_row_holds_together_are_refused(coins, named):
    rows = "".join(f"1,2021-05-01 10:05:00,Spot,Transaction Buy,{coin},{change},\n" for coin, change in coins)
    with pytest.raises(rk.InputError, match=f"line 2: the trades of this second change {named}, and no row says"):
        read(rows)


def test_a_time_without_a_zone_asks_for_one():
    rows = "1,2021-05-01 10:05:00,Spot,Deposit,EUR,5,\n"
    with pytest.raises(rk.InputError, match="no time zone"):
        read(rows, HEADING.replace("UTC_Time", "Time"))
    frame = read(rows, HEADING.replace("UTC_Time", "Time"), tz="Asia/Tokyo").frame
    assert str(frame["ts"].iloc[0]) == "2021-05-01 01:05:00+00:00"


def test_the_file_is_recognised_and_becomes_a_log(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(HEADING + NEW)
    log = rk.read_log(path)
    assert len(log) == 7 and "binance" in str(log.about)
