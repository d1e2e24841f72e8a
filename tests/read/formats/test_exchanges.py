"""Other generations of the exports of exchanges than the samples are, each in a few lines."""

from __future__ import annotations

import io
import json
from decimal import Decimal

import pytest
from refusing import refusal

import riskkit as rk


class Text(io.StringIO):
    """A text with the name of a file."""

    def __init__(self, text: str, name: str = "export.csv") -> None:
        super().__init__(text)
        self.name = name


def fills(reading) -> list[list]:
    """Instrument, side, quantity and price of each fill, as text."""
    rows = reading.frame[reading.frame["kind"] == "fill"]
    return [[i, s, str(q), str(p)] for i, s, q, p in rows[["instrument", "side", "qty", "price"]].to_numpy()]


def first(reading) -> str:
    return str(reading.frame["ts"].iloc[0])


def test_binance_spot_of_2018_has_coin_and_fee_apart():
    reading = rk.read.binance(
        Text(
            "Date(UTC),Market,Type,Price,Amount,Total,Fee,Fee Coin\n"
            "2018-01-02 03:04:05,BNBBTC,SELL,0.0006,10,0.006,0.005,BNB\n"
        )
    )
    assert fills(reading) == [["BNBBTC", "S", "10", "0.0006"]]
    assert reading.fees == {"BNB": Decimal("0.005")} and reading.instruments[0].currency == "BTC"


@pytest.mark.parametrize(
    ("name", "tz", "time"),
    [("Binance-Spot(UTC+9).csv", None, "2027-07-05 03:07:20"), ("Binance-Spot(UTC--6).csv", None, "2027-07-05 18:07:20"),
     ("export.csv", "Europe/Berlin", "2027-07-05 10:07:20")],
)  # fmt: skip
def test_binance_takes_the_zone_of_the_file_name_or_of_the_argument(name, tz, time):
    text = "Time,Pair,Side,Price,Executed,Amount,Fee\n27-07-05 12:07:20,BTCUSDT,SELL,50000,0.001BTC,50USDT,0.05USDT\n"
    assert first(rk.read.binance(Text(text, name), tz=tz)) == f"{time}+00:00"


def test_binance_asks_for_a_zone_that_is_nowhere():
    text = "Time,Pair,Side,Price,Executed,Amount,Fee\n27-07-05 12:07:20,BTCUSDT,SELL,50000,0.001BTC,50USDT,0.05USDT\n"
    said = refusal(rk.read.binance, Text(text))
    assert said == "export.csv, line 1: Time has no time zone, nor has the name of the file; give tz="


def test_binance_futures_with_order_ids_and_glued_fees():
    reading = rk.read.binance(
        Text(
            "Uid,Time(UTC),Symbol,Side,Price,Quantity,Amount,Fee,Realized Profit,Buyer,Maker,Trade ID,Order ID\n"
            "1,2026-01-31 13:17:22,ETHUSDT,BUY,2000,0.1,200,0.1USDT,0,true,false,11,900\n"
            "1,2026-01-31 13:17:23,ETHUSDT,BUY,2001,0.2,400.2,0.2 USDT,1.5,true,false,12,900\n"
        )
    )
    assert reading.derived == {"order": 1} and reading.fees == {"USDT": Decimal("0.3")}
    assert reading.realised_pnl == {"USDT": Decimal("1.5")}


def test_binance_coin_margined_contracts_need_their_size():
    heading = "Date(UTC),Symbol,Side,Price,Quantity,Fee,Realized Profit,Trade Id\n"
    text = heading + "2024-02-28 23:49:16,BTCUSD_PERP,BUY,60000,3,0.00001 BTC,0,7\n"
    assert refusal(rk.read.binance, Text(text)) == (
        "export.csv: the size of a contract is not in the file; give multipliers={'BTCUSD_PERP': ...}"
    )
    assert rk.read.binance(Text(text), multipliers={"BTCUSD_PERP": 100}).instruments[0].multiplier == 100


def test_binance_order_history_with_averages_and_coins_that_begin_with_digits():
    reading = rk.read.binance(
        Text(
            "Date(UTC),OrderNo,Pair,Type,Side,Order Price,Order Amount,Time,Executed,Average Price,Trading total,Status\n"
            "2024-03-01 10:00:00,77,1000SATSUSDT,Limit,BUY,0.0005,2000.00001000SATS,2024-03-01 10:05:00,500.00001000SATS,"
            "0.0004,0.2USDT,CANCELED\n"
            "2024-03-01 09:00:00,76,BTCUSDT,Market,SELL,0,0.5BTC,2024-03-01 09:00:01,0.5BTC,60000,30000USDT,FILLED\n"
        )
    )
    assert reading.events == {"order": 2, "fill": 2} and reading.derived == {"cancel": 1}
    assert fills(reading) == [["BTCUSDT", "S", "0.5", "60000"], ["1000SATSUSDT", "B", "500.0000", "0.0004"]]
    assert reading.frame.loc[reading.frame["kind"] == "expire", "ts"].astype(str).tolist() == [
        "2024-03-01 10:05:00+00:00"
    ]


@pytest.mark.parametrize(
    ("pair", "currency"),
    [("XXBTZUSD", "USD"), ("XETHXXBT", "XBT"), ("XDGUSD", "USD"), ("USDTZUSD", "USD"), ("BLZUSD", "USD"), ("SOL/EUR", "EUR"),
     ("ETHPYUSD", "PYUSD"), ("XBTUSDC.d", "USDC"), ("ICXXBT", "XBT"), ("ETHCHF", "CHF"), ("XBTUSD", "USD"),
     ("USDTUSD", "USD"), ("SHIBUSD", "USD"), ("FOOBUSD", "USD"), ("XBTUSDT", "USDT")],
)  # fmt: skip
def test_the_currency_of_krakens_pairs(pair, currency):
    text = f"txid,ordertxid,pair,time,type,price,fee,vol\nT1,O1,{pair},2024-03-10 02:30:50.24,buy,2.5,1.5,0.01\n"
    assert rk.read.kraken(Text(text)).fees == {currency: Decimal("1.5")}


def test_an_unknown_pair_of_kraken_is_asked_for():
    text = "txid,ordertxid,pair,time,type,price,fee,vol\nT1,O1,FOOBAR,2024-03-10 02:30:50,buy,2.5,1.5,0.01\n"
    assert refusal(rk.read.kraken, Text(text)) == (
        "export.csv, line 2: 'FOOBAR' ends in no known currency; give quotes={'FOOBAR': ...}, the currency of its prices"
    )
    assert rk.read.kraken(Text(text), quotes={"FOOBAR": "BAR"}).fees == {"BAR": Decimal("1.5")}


def test_a_fill_of_kraken_that_differs_under_one_id_is_refused():
    text = "txid,ordertxid,pair,time,type,price,fee,vol\n" + "".join(
        f"T1,O1,XXBTZUSD,2024-03-10 02:30:50,buy,2.5,1.5,{size}\n" for size in (1, 1, 2)
    )
    assert refusal(rk.read.kraken, Text(text)) == "export.csv, line 4: has the id of line 2 and other contents"


def test_coinbase_before_portfolios_and_with_equal_ids():
    heading = "trade id,product,side,created at,size,size unit,price,fee,total,price/fee/total unit"
    rows = [
        "1,ETH-GBP,SELL,2018-11-20T21:39:45.667Z,5,ETH,100,1.5,498.5,GBP",
        "1,ETH-GBP,SELL,2018-11-20T21:39:46.667Z,2,ETH,100,2.7535e-7,199.9999997,GBP",
        "1,ETH-GBP,SELL,2018-11-20T21:39:45.667Z,5,ETH,100,1.5,498.5,GBP",
    ]
    reading = rk.read.coinbase(Text("\n".join([heading, *rows])), account="me")
    assert set(reading.frame["account"]) == {"me"} and reading.events == {"fill": 2}
    assert reading.left_out["row"].tolist() == ["line 4"]
    assert len(reading.log(rounding="nearest")) == 4


def test_bitstamp_midnight_noon_and_rewards():
    heading = "Type,Datetime,Account,Amount,Value,Rate,Fee,Sub Type\n"
    rows = [
        'Market,"Apr. 05, 2017, 12:14 AM",Main Account,0.001 BTC,1.10 USD,1100.00 USD,0.25 USD,Buy',
        'Market,"June 05, 2017, 12:14 PM",Main Account,0.001 BTC,1.10 USD,1100.00 USD,,Sell',
        'Staking reward,"June 06, 2017, 01:00 PM",Main Account,0.002 ETH,,,,',
        'Withdrawal,"June 07, 2017, 01:00 PM",Main Account,100.00 USD,,,0.90 USD,',
    ]
    reading = rk.read.bitstamp(Text(heading + "\n".join(rows)))
    stamps = reading.frame.loc[reading.frame["kind"] == "fill", "ts"].astype(str).tolist()
    assert stamps == ["2017-04-05 00:14:00+00:00", "2017-06-05 12:14:00+00:00"]
    assert reading.cash == {"ETH": Decimal("0.002"), "USD": Decimal("-100.90")}


def test_bybit_of_another_zone_with_opens_and_closes():
    reading = rk.read.bybit(
        Text(
            "Contracts,Filled Type,Filled Qty,Filled Price,Fees Paid,Direction,Transaction ID,Order No.,Transaction Time(UTC+10)\n"
            "ETHUSDT,Trade,0.5,2000,0.6,Open Long,t1,o1,2023-05-01 10:00:00\n"
            "ETHUSDT,AdlTrade,0.5,2010,0.6,Close Long,t2,o2,2023-05-01 11:00:00\n"
            "ETHUSDT,Odd,0.5,2010,0.6,Close Long,t3,o3,2023-05-01 11:00:00\n"
        )
    )
    assert first(reading) == "2023-05-01 00:00:00+00:00"
    assert [fill[1] for fill in fills(reading)] == ["B", "S"] and reading.fees == {"USDT": Decimal("1.2")}
    assert reading.left_out[["row", "reason"]].values.tolist() == [["line 4", "Odd is neither a fill nor funding"]]


OKX = (
    "id,Order id,Time,Trade Type,Symbol,Action,Amount,Trading Unit,Filled Price,PnL,Fee,Fee Unit,Position Change,"
    "Position Balance,Balance Change,Balance,Balance Unit\n"
)


def test_okx_pairs_the_legs_of_several_fills_of_one_order():
    rows = [
        "1,7,2025-11-29 10:00:00,Spot,BTC-USDC,Sell,0.1,USDC,90000,0,0,BTC,0,0,-0.1,1,BTC",
        "2,7,2025-11-29 10:00:00,Spot,BTC-USDC,Sell,0.2,USDC,90000,0,0,BTC,0,0,-0.2,1,BTC",
        "3,7,2025-11-29 10:00:00,Spot,BTC-USDC,Buy,18000,USDC,90000,0,-18,USDC,0,0,17982,1,USDC",
        "4,7,2025-11-29 10:00:00,Spot,BTC-USDC,Buy,9000,USDC,90000,0,-9,USDC,0,0,8991,1,USDC",
    ]
    reading = rk.read.okx(Text(OKX + "\n".join(rows)), tz="UTC", account="me")
    assert fills(reading) == [["BTC-USDC", "S", "0.1", "90000"], ["BTC-USDC", "S", "0.2", "90000"]]
    assert reading.frame.loc[reading.frame["kind"] == "fill", "fee"].tolist() == [Decimal(9), Decimal(18)]
    assert reading.derived == {"order": 1} and len(reading.left_out) == 2


def test_rows_left_out_are_named_in_the_order_of_the_file():
    rows = [
        f"{8 - place},{order},2025-11-29 10:00:0{order},Spot,BTC-USDC,{action},1,USDC,1,0,0,BTC,0,0,1,1,{unit}"
        for place, (order, action, unit) in enumerate(
            [(2, "Buy", "BTC"), (2, "Sell", "USDC"), (1, "Buy", "BTC"), (1, "Sell", "USDC")]
        )
    ]
    reading = rk.read.okx(Text(OKX + "\n".join(rows)), tz="UTC", account="me")
    assert reading.left_out["row"].tolist() == ["line 3", "line 5"] and len(fills(reading)) == 2


def test_okx_without_its_first_line_or_a_leg_or_a_contract_size_is_refused():
    spot = "1,7,2025-11-29 10:00:00,Spot,BTC-USDC,Sell,0.1,USDC,90000,0,0,BTC,0,0,-0.1,1,BTC\n"
    swap = "1,7,2025-11-29 10:00:00,Swap,BTC-USDT-SWAP,Close short,4,cont,90000,0,0,USDT,0,0,-0.1,1,USDT\n"
    known = {"tz": "UTC", "account": "a"}
    said = {
        "export.csv, line 1: has no time zone; give tz=, as 'UTC' or 'Asia/Hong_Kong'": (spot, {}),
        "export.csv, line 1: has no account type; give account=, a label": (spot, {"tz": "UTC"}),
        "export.csv, line 2: is a fill of order 7 without the row of its money; the file is torn": (spot, known),
        "export.csv: the size of a contract is not in the file; give multipliers={'BTC-USDT-SWAP': ...}": (swap, known),
    }  # fmt: skip
    for sentence, (row, arguments) in said.items():
        assert refusal(rk.read.okx, Text(OKX + row), **arguments) == sentence


TRADE = {
    "id": "1",
    "timestamp": 1711845548807,
    "symbol": "BTC/USDT",
    "side": "buy",
    "price": 10,
    "amount": 2,
    "takerOrMaker": None,
}
ORDER = {
    "id": "9", "timestamp": 1711845548000, "symbol": "BTC/USDT", "side": "buy", "type": "limit", "price": 10, "amount": 2,
    "filled": 2, "average": 9.5, "status": "closed", "lastTradeTimestamp": 1711845549000, "fee": {"currency": "USDT", "cost": 0.01},
}  # fmt: skip


def test_ccxt_orders_without_trades_get_their_average_as_a_fill():
    reading = rk.read.ccxt(Text(json.dumps([ORDER]), "orders.json"))
    assert fills(reading) == [["BTC/USDT", "B", "2", "9.5"]] and reading.derived == {"fill": 1}
    assert reading.fees == {"USDT": Decimal("0.01")}


def test_ccxt_derives_orders_of_trades_alone_and_keeps_ids_of_symbols_apart():
    trades = [{**TRADE, "order": "9"}, {**TRADE, "order": "9", "symbol": "ETH/USDT"}]
    reading = rk.read.ccxt(Text(json.dumps(trades), "trades.json"))
    assert reading.events == {"fill": 2} and reading.derived == {"order": 2} and len(reading.log()) == 4


def test_ccxt_asks_for_a_contract_size_that_costs_do_not_tell():
    trades = [{**TRADE, "symbol": "BTC/USD:BTC", "cost": cost, "id": str(cost)} for cost in (0.2, 0.3)]
    assert refusal(rk.read.ccxt, Text(json.dumps(trades), "trades.json")) == (
        "trades.json: the size of a contract is not in the file; give multipliers={'BTC/USD:BTC': ...}"
    )


def test_an_inverse_contract_of_bybit_asks_for_its_size():
    heading = (
        "Market,Filled Type,Filled Quantity,Filled Price,Trading Fee,feeCoin,Direction,Trasaction ID,Order No.,"
        "Transaction Time(UTC+0)\n"
    )
    for symbol in ("BTCUSD", "BTCUSDZ24", "BTCUSD-27DEC24"):
        text = f"{heading}{symbol},Trade,100,60000,0.0001,BTC,Buy,1,2,09:09 2024-11-16\n"
        assert f"give multipliers={{{symbol!r}: ...}}" in refusal(rk.read.bybit, Text(text))
        reading = rk.read.bybit(Text(text), multipliers={symbol: "0.0000166"})
        assert reading.instruments[0].currency == "USD" and reading.fees == {"BTC": Decimal("0.0001")}
        assert (
            f"{symbol} is inverse: its money is counted in USD as price times quantity times multiplier"
            in reading.assumed
        )
    linear = f"{heading}BTCUSDT,Trade,0.1,60000,3.3,USDT,Buy,1,2,09:09 2024-11-16\n"
    assert rk.read.bybit(Text(linear)).instruments[0].currency == "USDT"


def test_futures_of_binance_without_trade_ids_have_their_fee_coin():
    heading = "Date(UTC),Symbol,Side,Price,Quantity,Amount,Fee,Fee Coin,Realized Profit,Quote Asset\n"
    row = "2024-02-28 23:49:16,ETHUSDT,BUY,3301.22,8.35,27565.187,0.011,BNB,0,USDT\n"
    reading = rk.read.binance(Text(heading + row + row))
    assert reading.events == {"fill": 2} and reading.fees == {"BNB": Decimal("0.022")}
    assert any("each is a fill of its own" in sentence for sentence in reading.assumed)
    assert any(
        "Amount is not quantity" in one for one in rk.read.binance(Text(heading + row.replace("27565", "2756"))).assumed
    )


def test_ccxt_takes_the_text_of_a_time_without_its_number():
    row = (
        '[{"id": "1", "order": "2", "timestamp": null, "datetime": "2024-03-31T00:39:08.807Z", "symbol": "BTC/USDT", '
        '"side": "buy", "price": 2, "amount": 3, "cost": 6}]'
    )
    assert str(rk.read.ccxt(Text(row)).frame["ts"][0]) == "2024-03-31 00:39:08.807000+00:00"


def test_an_activity_statement_in_another_language_is_refused():
    text = "Statement,Header,Feldname,Feldwert\nTransaktionen,Header,DataDiscriminator\nTransaktionen,Data,Order\n"
    why = "export.csv, line 1: has no 'Field Name': the statement is in another language; take it in English"
    assert refusal(rk.read.ib_activity, Text(text)) == why


@pytest.mark.parametrize(
    ("action", "side"),
    [("Liquidation long", "S"), ("Liquidation buy", "B"), ("ADL sell", "S"), ("Partial liquidation close short", "B")],
)
def test_okx_fills_that_nobody_ordered_are_fills(action, side):
    row = "1,7,2025-11-29 10:00:00,Perpetual swap,BTC-USDT-SWAP,{},2,cont,90000,-3,0,USDT,-2,0,-3,97,USDT"
    arguments = {"tz": "UTC", "account": "me", "multipliers": {"BTC-USDT-SWAP": "0.01"}}
    assert fills(rk.read.okx(Text(OKX + row.format(action)), **arguments)) == [["BTC-USDT-SWAP", side, "2", "90000"]]
    why = "export.csv, line 2: Action='Full liquidation' is a fill, and does not say whether it buys or sells"
    assert refusal(rk.read.okx, Text(OKX + row.format("Full liquidation")), **arguments) == why


@pytest.mark.parametrize(("size", "price", "read"), [("1,000", "3900.5", "1000"), ("1,000.5", "3900", "1000.5")])
def test_thousands_are_read_where_a_number_has_a_decimal_point(size, price, read):
    heading = "Contracts,Filled Type,Filled Qty,Filled Price,Fees Paid,feeCoin,Direction,Order No.,Timestamp(UTC)\n"
    row = f'ETHUSDT,Trade,"{size}",{price},-2,USDT,Open Short,o1,2024-03-10 07:59:59\n'
    assert fills(rk.read.bybit(Text(heading + row))) == [["ETHUSDT", "S", read, price]]
    why = "export.csv, line 2: Filled Qty='1,000' is not a number"
    for other in ("3900", '"3900,5"'):  # none tells, or it is a decimal comma
        doubtful = row.replace(size, "1,000").replace(f",{price},", f",{other},")
        assert refusal(rk.read.bybit, Text(heading + doubtful)) == why


def test_a_trade_of_bitstamp_is_known_by_its_sub_type():
    heading = "ID,Account,Type,Subtype,Datetime,Amount,Amount currency,Value,Value currency,Rate,Rate currency,Fee,Fee currency,Order ID\n"
    rows = "1,A,market,buy,{0},1,XRP,2,USD,2,USD,0.1,USD,1\n2,A,Limit,Sell,{0},1,XRP,2,USD,2,USD,0.1,USD,2\n"
    assert fills(rk.read.bitstamp(Text(heading + rows.format("2024-03-10 09:00:00")))) == [
        ["XRP/USD", "B", "1", "2"],
        ["XRP/USD", "S", "1", "2"],
    ]


def test_futures_of_a_statement_tell_their_size_by_their_notional_value():
    text = (
        "Statement,Header,Field Name,Field Value\nAccount Information,Header,Field Name,Field Value\n"
        "Account Information,Data,Account,U1\n"
        "Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,Notional Value,Comm/Fee,Code\n"
        'Trades,Data,Order,Futures,USD,MESM4,"2024-03-08, 10:00:00",2,5200.25,52002.5,-1.24,O\n'
    )
    assert rk.read.ib_activity(Text(text)).instruments[0].multiplier == 5


def test_money_of_alpaca_that_was_cancelled_did_not_move():
    activity = {"id": "1", "activity_type": "TRANS", "date": "2024-03-29", "net_amount": "100", "status": "canceled"}
    other = activity | {"id": "2", "status": "executed", "net_amount": "1,234.5"}
    reading = rk.read.alpaca(Text(json.dumps([activity, other])))
    assert {name: str(amount) for name, amount in reading.cash.items()} == {"USD": "1234.5"}
    assert reading.left_out["reason"].tolist() == ["activity TRANS that was cancelled"]
