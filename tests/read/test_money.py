"""Money that contradicts quantity and price in a file is said, whatever the format; rounding is none."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refusal

import riskkit as rk
from riskkit.read.money import contradicts

FILES = {
    "coinbase": (
        "portfolio,trade id,product,side,created at,size,size unit,price,fee,total,price/fee/total unit\n"
        "default,1,ETH-USD,BUY,2021-06-01T23:59:58.120Z,2,ETH,2633.04,1.5,-{},USD\n",
        ("5267.58", "5266.08", "5264.58"),
        "total",
    ),
    "kraken": (
        "txid,ordertxid,pair,time,type,ordertype,price,cost,fee,vol\n"
        "T1,O1,XDGUSD,2024-03-10 02:30:50.2405,buy,limit,0.17540,{},0.10101,221.49688000\n",
        ("38.85055", "38.8506"),
        "cost",
    ),
    "bitstamp": (
        "ID,Account,Type,Subtype,Datetime,Amount,Amount currency,Value,Value currency,Rate,Rate currency,Fee,Fee currency,"
        "Order ID\n3,Main,Market,Sell,2025-03-30T00:40:25Z,0.18728464,BTC,{},USD,68011.55,USD,31.84380,USD,1\n",
        ("12737.52", "12705.67"),
        "Value",
    ),
    "bybit": (
        "Spot Pairs,Order Type,Direction,feeCoin,ExecFeeV2,Filled Value,Filled Price,Filled Quantity,Fees,Transaction ID,"
        "Order No.,Timestamp (UTC)\nICPUSDT,LIMIT,BUY,ICP,1.2,{},9.3234,1232.857,--,22, 53,11:22 2024-11-16\n",
        ("11494.4189", "11494.42"),
        "Filled Value",
    ),
    "binance": (
        '"Date(UTC)","Pair","Side","Price","Executed","Amount","Fee"\n'
        '"2024-03-31 07:40:10","BNBBTC","BUY","0.008801","0.27157BNB","{}BTC","0.00027BNB"\n',
        ("0.00239009", "0.0023901"),
        "Amount",
    ),
    "ccxt": (
        '[{{"id": "1", "order": "2", "timestamp": 1711845548807, "symbol": "BTC/USDT", "side": "buy", "price": 67000.5, '
        '"amount": 3, "cost": {}}}]',
        ("201001.5",),
        "cost",
    ),
}


class Text(io.StringIO):
    """A text as a file with a name."""

    name = "export.csv"


def said(name: str, text: str) -> list[str]:
    reading = getattr(rk.read, name)(Text(text))
    return [sentence for sentence in reading.assumed if "is not quantity times price" in sentence]


@pytest.mark.parametrize("name", FILES)
def test_money_that_contradicts_quantity_and_price_is_said(name):
    text, right, column = FILES[name]
    for amount in right:
        assert said(name, text.format(amount)) == []
    wrong = f"{float(right[0]) * 1.01:.8f}"
    sentence = f"{column} is not quantity times price in 1 row, the first at export.csv, "
    assert [one.startswith(sentence) for one in said(name, text.format(wrong))] == [True]


def test_money_of_another_multiplier_is_refused():
    text = (
        '<FlexQueryResponse queryName="q" type="AF"><FlexStatements count="1"><FlexStatement accountId="U1">'
        '<Trades><Trade accountId="U1" currency="USD" assetCategory="{}" symbol="X" multiplier="{}" tradeID="1" '
        'dateTime="20240308;122215" quantity="{}" tradePrice="{}" proceeds="{}" ibCommission="-1" '
        'ibCommissionCurrency="USD" buySell="BUY" /></Trades></FlexStatement></FlexStatements></FlexQueryResponse>'
    )
    option = text.format("OPT", 1, 9, "1.35", "-1215")
    why = "proceeds='-1215' is not 9 times 1.35 times 1; give multipliers={'X': ...}"
    assert refusal(rk.read.ib_flex, Text(option)).endswith(why)
    assert rk.read.ib_flex(Text(option), multipliers={"X": 100}).instruments[0].multiplier == 100
    bond = rk.read.ib_flex(Text(text.format("BOND", 1, 10_000, "98.5", "-9850")))
    assert bond.instruments[0].multiplier == Decimal("0.01")
    assert "the price of X is per cent, as its money says" in bond.assumed


digits = st.integers(1, 10**9)


@given(digits, st.integers(0, 9), digits, st.integers(0, 9), st.integers(0, 8))
def test_rounded_money_does_not_contradict_and_a_hundredth_more_does(quantity, small, price, fine, places):
    quantity, price = Decimal(quantity).scaleb(-small), Decimal(price).scaleb(-fine)
    money = quantity * price
    rounded = round(money, places)
    assert not contradicts(rounded, quantity, price)
    if (
        money > 1
        and places > 3
        and min(abs(quantity) / Decimal(1).scaleb(-small), price / Decimal(1).scaleb(-fine)) > 200
    ):
        assert contradicts(rounded * Decimal("1.01"), quantity, price)
