"""Rows that contradict themselves or each other, in formats that the table of refusals cannot write: binary, xlsx, and what a
reading says instead of refusing."""

from __future__ import annotations

import io
import json
import struct

import pytest
from refusing import refusal
from workbooks import workbook

import riskkit as rk
from riskkit.read.source import Source

OPENING = 34_200 * 10**9  # nanoseconds after midnight
HEADING = "Depot,Auftragsnr.,Geschäftsnr.,Handelstag,Art,ISIN,Stück,Kurs,Whg.,Kurswert,Status".split(",")
SOLD = dict(zip(HEADING, "47,o1,100,29.03.2024,Verkauf,US22,400,10,USD,4000,ausgeführt".split(","), strict=True))


def message(kind: bytes, form: str, *fields, at: int = OPENING) -> bytes:
    """A message of ITCH with its length."""
    body = struct.pack(">cHH6s", kind, 1, 0, at.to_bytes(6, "big")) + struct.pack(form, *fields)
    return struct.pack(">H", len(body)) + body


def added(number: int = 7, at: int = OPENING, stock: bytes = b"X       ") -> bytes:
    return message(b"A", ">QcI8sI", number, b"B", 100, stock, 1_000_500, at=at)


def itch(*messages: bytes) -> rk.read.Reading:
    return rk.read.itch50(Source("S031124-v50.itch", b"".join(messages)))


def blotter(*rows: dict[str, str]) -> rk.read.Reading:
    """The reading of a workbook with these rows beneath the heading."""
    return rk.read.blotter_xlsx(Source("b.xlsx", workbook(HEADING, *(list(row.values()) for row in rows))))


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ((added(), message(b"E", ">QIQ", 7, 40, 1, at=1)), "message 2: has a time before that of the message above it"),
        ((added(at=90_001 * 10**9),), "message 1: has a time before that of the message above it, or after its day"),
        ((added(), added(8), message(b"U", ">QQII", 7, 8, 50, 1)), "message 3: order 8 is new, and it rests already"),
        ((added(), message(b"U", ">QQII", 7, 9, 0, 1)), "message 2: leaves 0 of an order; what is above zero can rest"),
        ((added(stock=b" " * 8),), "message 1: order 7 has no stock"),
    ],
)
def test_messages_that_cannot_be_are_refused_by_number(messages, why):
    assert why in refusal(lambda: itch(*messages))


def test_a_trade_that_is_broken_twice_is_taken_away_once():
    broken = message(b"B", ">Q", 1)
    found = itch(added(), message(b"E", ">QIQ", 7, 40, 1), broken, broken)
    assert found.events == {"order": 1}
    assert found.left_out["row"].tolist() == ["message 3", "message 4"]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ((SOLD | {"Art": "Verkuf"},), "row 2: 'Verkuf' is neither a buy nor a sell"),
        ((SOLD, SOLD | {"Status": "Storno"}), "row 3: reverses a trade and does not name it"),
        (
            (SOLD, SOLD | {"Geschäftsnr.": "101", "Status": "Storno zu 100"},
             SOLD | {"Geschäftsnr.": "102", "Status": "Storno zu 101"}),
            "row 3: reverses a trade, and another row reverses it",
        ),
    ],
)  # fmt: skip
def test_rows_of_a_blotter_that_cannot_be_are_refused_by_number(rows, why):
    assert why in refusal(lambda: blotter(*rows))


def test_a_blotter_says_what_its_amounts_and_reversals_tell():
    assert blotter(SOLD).standing()["qty"].tolist() == [400]
    assert blotter(SOLD | {"Kurswert": "40.000"}).instruments[0].multiplier == 10
    assert "US22 counts 10, as its amounts say" in repr(blotter(SOLD | {"Kurswert": "40.000"}))
    assert "amounts of US22 are not its quantity times its price" in repr(blotter(SOLD | {"Kurswert": "3.600"}))
    assert "it is not in the files" in repr(blotter(SOLD, SOLD | {"Geschäftsnr.": "101", "Status": "Storno zu 77"}))
    assert "abgelehnt" in repr(blotter(SOLD, SOLD | {"Status": "abgelehnt"}))
    two = blotter(SOLD, SOLD | {"Geschäftsnr.": "101", "Whg.": "EUR"})
    assert [(one.id, one.currency) for one in two.instruments] == [("US22", "USD"), ("US22 EUR", "EUR")]
    assert "US22 stands in USD and in EUR; in EUR it is 'US22 EUR'" in repr(two)


def trade(**order) -> dict:
    """A closed trade of freqtrade; `order` changes its entry."""
    orders = [
        {"order_id": str(number), "ft_order_side": side, "ft_is_entry": side == "buy", "status": "closed", "amount": 2.0,
         "filled": 2.0, "average": 10.5, "order_type": "market", "order_timestamp": 1698534960692 + number}
        for number, side in enumerate(("buy", "sell"))
    ]  # fmt: skip
    return {
        "trade_id": 1, "pair": "BTC/USDT", "is_open": False, "is_short": False, "close_timestamp": 1698534970692,
        "profit_abs": 1.5, "profit_ratio": 0.01, "orders": [orders[0] | order, orders[1]],
    }  # fmt: skip


def freqtrade(*trades: dict) -> rk.read.Reading:
    return rk.read.freqtrade(Source("t.json", json.dumps({"trades": trades}).encode()))


def test_a_trade_that_stands_twice_counts_once_and_others_are_refused():
    found = freqtrade(trade(), trade())
    assert (found.events, found.realised_pnl) == (freqtrade(trade()).events, freqtrade(trade()).realised_pnl)
    assert found.left_out["reason"].tolist() == ["trade read before: files overlap"]


def test_what_orders_and_their_fills_contradict_is_said():
    said = repr(freqtrade(trade(filled=3.0)))
    assert "order 0 was filled by 3.0, which is more than its 2.0" in said
    assert "trade 0 is closed, and its orders enter 3.0 and leave 2.0" in said


def test_an_order_of_flex_without_executions_is_its_own_fill():
    text = (
        '<FlexQueryResponse><FlexStatement accountId="U1"><Trades><Order currency="USD" symbol="X" multiplier="1" '
        'dateTime="20240308;122215" quantity="-80" tradePrice="46.96" buySell="SELL" ibOrderID="7" levelOfDetail="ORDER" />'
        "</Trades></FlexStatement></FlexQueryResponse>"
    )
    found = rk.read.ib_flex(io.StringIO(text))
    assert (found.events, found.derived, found.standing()["qty"].tolist()) == ({"order": 1}, {"fill": 1}, [80])


@pytest.mark.parametrize(
    ("text", "hour"),
    [("20241103;013000 EST", "06:30:00"), ("2024-11-03;01:30:00 EDT", "05:30:00"), ("20241103;013000", "05:30:00"),
     ("2024-11-03, 01:30:00 CET", "00:30:00")],
)  # fmt: skip
def test_a_time_of_flex_has_the_zone_that_it_names(text, hour):
    trade = (
        f'<Trade currency="USD" symbol="X" multiplier="1" dateTime="{text}" quantity="-8" tradePrice="4.5" buySell="SELL" '
        'ibOrderID="7" ibExecID="e" />'
    )
    file = (
        f'<FlexQueryResponse><FlexStatement accountId="U1"><Trades>{trade}</Trades></FlexStatement></FlexQueryResponse>'
    )
    found = rk.read.ib_flex(io.StringIO(file))
    assert str(found.frame["ts"][0]) == f"2024-11-03 {hour}+00:00"
    assert ("times are local" in repr(found)) is (" " not in text)
    with pytest.raises(rk.InputError, match="Trade 1: '.* XYZ' is not a time"):
        rk.read.ib_flex(io.StringIO(file.replace(text, text[:15] + " XYZ")))


def test_fills_that_a_report_of_orders_does_not_have_are_said():
    orders = (
        "client_order_id,instrument_id,account_id,side,quantity,price,filled_qty,avg_px,commissions,status,ts_init,ts_last\n"
        "O,EUR/USD.SIM,S,SELL,500,1.09,500,1.09,['1 USD'],FILLED,1710053940000001000,1710053940000001000\n"
    )
    fills = (
        "client_order_id,instrument_id,account_id,order_side,last_qty,last_px,commission,ts_event\n"
        "O,EUR/USD.SIM,S,SELL,100,1.09,1 USD,2024-03-10 06:59:00+00:00\n"
    )
    said = repr(rk.read.nautilus_trader([io.StringIO(orders), io.StringIO(fills)]))
    assert "order O was filled by 500, and its fills are 100" in said


def test_slashed_dates_of_a_blotter_with_decimal_points_have_to_tell():
    def read(*days, **options):
        rows = [[day, "Buy", "AAPL", "1,000", "171.50"] for day in days]
        book = workbook(["Date", "Side", "Symbol", "Quantity", "Price"], *rows)
        return rk.read.blotter_xlsx(Source("b.xlsx", book), tz="UTC", decimal=".", **options)

    assert refusal(read, "03/07/2024") == (
        "b.xlsx, row 2: '03/07/2024' may have the day or the month first; give day_first=True or False"
    )
    for options, days, first in (
        ({"day_first": False}, ["03/07/2024"], "2024-03-07"),
        ({"day_first": True}, ["03/07/2024"], "2024-07-03"),
        ({}, ["03/07/2024", "03/17/2024"], "2024-03-07"),
        ({}, ["03/07/2024", "17/07/2024"], "2024-07-03"),
    ):
        assert str(read(*days, **options).frame["ts"].iloc[0])[:10] == first
    assert refusal(read, "17/07/2024", "07/17/2024").endswith("give time_format=")
