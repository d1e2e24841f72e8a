"""Tables of no standard: encodings, zones, kinds, and everything that is asked for instead of guessed."""

from __future__ import annotations

import io
from decimal import Decimal

import pytest
from refusing import refusal as refusal_of

import riskkit as rk

HEADING = "Zeit;Ereignis;Konto;Instrument;K/V;Menge;Preis;Auftrag;Gebühr\n"
ROWS = (
    "27.10.2024 09:13:44,641;Auftrag;Händler;FGBL;K;1.500;131,27;007;\n"
    "27.10.2024 09:14:00;Ausführung;Händler;FGBL;K;1.500;131,27;007;1,47\n"
)


def read(text: str, **arguments):
    return rk.read.generic_csv(io.StringIO(text), **arguments)


def refusal(text: str, **arguments) -> str:
    return refusal_of(read, text, **arguments)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_encoding_is_the_same_reading_and_the_same_log(encoding, tmp_path):
    path = tmp_path / "ereignisse.csv"
    path.write_bytes((HEADING + ROWS).encode(encoding))
    reading = rk.read.generic_csv(path, tz="Europe/Berlin", currency="EUR")
    assert reading.frame["account"].tolist() == ["Händler"] * 2 and reading.frame["order_id"].tolist() == ["007"] * 2
    assert reading.fees == {"EUR": Decimal("1.47")} and reading.frame["qty"].tolist() == [Decimal(1500)] * 2
    log = rk.read_log(path, tz="Europe/Berlin", currency="EUR")
    assert log.event_hash == reading.log().event_hash and log.about["read as"] == "generic_csv"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator_and_lines_around_the_table(separator):
    rows = [["Time", "Symbol", "Side", "Qty", "Price"], ["2024-03-07T14:31:00Z", "X", "buy", "2", "10.25"]]
    table = "\n".join(separator.join(cells) for cells in rows)
    text = f"Account number: 77-8{separator * 4}\n\n{table}\nTotal{separator * 3}20.5{separator}\nthe end\n"
    reading = read(text)
    assert reading.frame["account"].tolist() == ["77-8"] * 2
    assert reading.left_out[["row", "reason"]].values.tolist() == [["line 5", "total"], ["line 6", "footer"]]


def stamps(times: list[str], **arguments) -> list[str]:
    text = "time,symbol,price\n" + "".join(f"2024-10-27 {time},X,1\n" for time in times)
    return [str(ts)[11:16] for ts in read(text, tz="Europe/Berlin", **arguments).frame["ts"]]


def test_an_hour_that_comes_twice_is_told_by_times_that_go_back():
    assert stamps(["01:30", "02:10", "02:50", "02:05", "02:55", "03:10"]) == [
        "23:30", "00:10", "00:50", "01:05", "01:55", "02:10",
    ]  # fmt: skip
    assert stamps(["03:10", "02:55", "02:05", "02:50", "02:10", "01:30"]) == [
        "23:30", "00:10", "00:50", "01:05", "01:55", "02:10",
    ]  # fmt: skip  # newest first


def test_an_hour_that_comes_twice_is_asked_for_if_no_time_goes_back():
    with pytest.raises(rk.InputError) as refused:
        stamps(["01:30", "02:10", "03:10"])
    assert str(refused.value) == (
        "file: 2024-10-27 02:10:00 comes twice in Europe/Berlin, and no time goes back; give ambiguous='first' or 'second'"
    )
    assert stamps(["01:30", "02:10", "03:10"], ambiguous="first")[1] == "00:10"
    assert stamps(["01:30", "02:10", "03:10"], ambiguous="second")[1] == "01:10"


@pytest.mark.parametrize(("number", "unit"), [("1709649000", "s"), ("1709649000000", "ms"), ("1709649000000000", "us"),
                                              ("1709649000000000000", "ns"), ("1709649000.25", "s")])  # fmt: skip
def test_the_unit_of_numbers_is_told_by_their_size_and_said(number, unit):
    reading = read(f"t,market,last\n{number},X,5\n")
    assert str(reading.frame["ts"].iloc[0]).startswith("2024-03-05 14:30:00")
    assert any("since the epoch" in sentence for sentence in reading.assumed)
    other = {"s": "ms", "ms": "us", "us": "ns", "ns": "s"}[unit]
    if unit == "s":
        assert read(f"t,market,last\n{number},X,5\n", unit=other).frame["ts"].iloc[0].year == 1970


def test_times_of_a_declared_form():
    text = "time,symbol,price\n07-Mar-2024 09h31,X,5\n"
    assert (
        str(read(text, time_format="%d-%b-%Y %Hh%M", tz="Asia/Tokyo").frame["ts"].iloc[0])
        == "2024-03-07 00:31:00+00:00"
    )


def test_orders_fills_and_prices_of_three_files_are_one_log(tmp_path):
    orders = (
        "created,oid,wallet,market,direction,amount,limit,state\n1709649002,7,w,A-ETH,buy,2,1.5,cancelled\n"
        "1709649003,7,v,A-ETH,sell,2,1.5,rejected\n"
    )
    fills = "when,order,wallet,market,direction,amount,px,commission,commission_ccy\n1709649004000,7,w,A-ETH,buy,1,1.5,0.1,BNB\n"
    prices = "t,market,last,bid,ask\n1709649001000000,A-ETH,1.5,1.4,1.6\n"
    texts = {"orders.csv": orders, "fills.csv": fills, "prices.csv": prices}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    log = rk.read_log([tmp_path / name for name in texts])
    assert log.counts() == {"ORDER": 2, "FILL": 1, "PRICE": 1, "CASH": 1, "EXPIRE": 1, "REJECT": 1}
    assert log.to_frame()["kind"].astype(str).tolist() == [
        "PRICE",
        "ORDER",
        "ORDER",
        "REJECT",
        "FILL",
        "CASH",
        "EXPIRE",
    ]


def test_headings_of_ones_own_and_columns_to_leave_out():
    text = "Wann,Was,Venue,Dir,N,P\n2024-03-07 14:31:00,X,V,buy,2,10\n"
    names = {"Wann": "ts", "Was": "instrument", "Dir": "side", "N": "qty", "P": "price"}
    assert read(text, columns=names, ignore=["Venue"]).events == {"fill": 1}
    assert refusal(text, columns=names).startswith("file, line 1: column 'Venue' is not known; ")


@pytest.mark.parametrize(
    ("text", "arguments", "sentence"),
    [
        ("a,b\n1,2\n", {}, "file: has no heading that is known, with a time and an instrument; give columns={heading: column}"),
        ("time,symbol,qty,price\n3/9/2024,X,2,1\n", {},
         "file, line 2: '3/9/2024' may have the day or the month first; give day_first=True or False"),
        ("Zeit;Instrument;K/V;Menge;Preis\n2024-03-07;X;K;1.000;2.000\n", {},
         "file, line 2: '2.000' may have thousands or decimals after its mark; give decimal='.' or ','"),
        ("time,symbol,side,qty,price\n2024-03-07,X,hold,2,1\n", {}, "file, line 2: side='hold' is neither a buy nor a sell"),
        ("time,event,symbol,price\n2024-03-07,dance,X,1\n", {},
         "file, line 2: kind='dance' is not known; it is one of order, modify, cancel, fill, price, error, reject, expire"),
        ("time,symbol,qty,price,state\n2024-03-07,X,1,1,lost\n", {}, "file, line 2: status='lost' is not a state of an order"),
        ("time,symbol,price\n17,X,1\n", {}, "file, line 2: ts=17 has no unit that its size tells; say unit='s', 'ms', 'us' or 'ns'"),
        ("time,symbol,price\n1709649000,X,1\n", {"unit": "h"}, "unit='h' is not one of 's', 'ms', 'us', 'ns'"),
        ("time,symbol,price\n2024-03-07,X,1\n", {"time_format": "%d.%m.%Y"},
         "file, line 2: '2024-03-07' is not a time of the form '%d.%m.%Y'"),
        ("time,datetime,symbol,price\n2024-03-07,2024-03-07,X,1\n", {},
         "file, line 1: columns 'time' and 'datetime' both mean 'ts'; leave one out with ignore="),
        ("time,symbol,price\n2024-03-07,X,1\n", {"columns": {"price": "prize"}},
         "columns['price']='prize' is not a column; columns are ts, clock, kind, account, instrument, side, qty, price, amount, "
         "order_id, trade_id, fee, fee_currency, currency, bid, ask, type, status, strategy, filled, filled_price"),
    ],
)  # fmt: skip
def test_what_a_table_leaves_open_is_asked_for(text, arguments, sentence):
    assert refusal(text, **arguments) == sentence


def test_a_table_of_events_goes_the_old_way(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("ts,kind,account,instrument,side,qty,price\n0,order,A,X,B,5,10.5\n")
    assert "read as" not in rk.read_log(path).about


def test_a_sale_and_a_purchase_by_the_sign_of_the_quantity():
    reading = read("time,symbol,qty,price\n2024-03-07,X,-2,10\n2024-03-08,X,3,10\n")
    assert reading.frame.loc[reading.frame["kind"] == "fill", "side"].tolist() == ["S", "B"]


def test_the_money_of_fills_tells_the_multiplier():
    text = 'time,symbol,action,quantity,price,commission,amount\n2024-03-07,OPT,Sell,9,$1.35,$0.80,"$1,214.20"\n'
    reading = read(text)
    assert reading.instruments[0].multiplier == 100 and reading.fees == {"USD": Decimal("0.80")}
    assert read(text, multipliers={"OPT": 10}).instruments[0].multiplier == 10


def test_dividends_and_deposits_among_fills_are_cash():
    text = (
        "time,symbol,action,quantity,price,amount\n2024-03-07,X,Buy,9,$10,$-90\n2024-03-08,X,Dividend,,,$1.50\n"
        "2024-03-09,,Withdrawal,,,($20.00)\n"
    )
    reading = read(text)
    assert reading.events == {"fill": 1, "cash": 2} and reading.cash == {"USD": Decimal("-18.50")}
    assert reading.frame.loc[reading.frame["kind"] == "cash", "flow"].tolist() == ["dividend", "deposit"]
    assert refusal("time,symbol,action,quantity,amount\n2024-03-08,X,Dividend,,\n2024-03-08,X,Buy,1,1\n") == (
        "file, line 2: is a flow of cash without an amount"
    )


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["Filled", "Executed"], ["2 orders are filled by the state and without a fill in the files"]),
        (["ausgeführt", "offen"], ["1 order is filled by the state and without a fill in the files"]),
        (["Open", "Cancelled"], []),
    ],
)
def test_orders_that_were_filled_without_fills_in_the_files_are_said(states, said):
    rows = [f"2024-03-05 10:00:0{k},o{k},X,buy,2,10,{state}" for k, state in enumerate(states)]
    reading = read("\n".join(["time,order id,symbol,side,quantity,price,status", *rows]), currency="USD")
    assert [text.partition(":")[0] for text in reading.assumed if "by the state" in text] == said


def test_an_order_table_with_what_was_filled_has_its_fills():
    heading = "Time,Order ID,Symbol,Side,Filled Qty,Qty,Price,Avg Price,Fee,Status\n"
    rows = (
        "2024/3/7 09:30,1,A,buy,100,100,10,9.9,1,Filled\n"
        "2024/3/7 09:31,2,A,sell,0,50,10,,,Cancelled\n"
        "2024/3/7 09:32,3,A,sell,20,50,10,10.1,,Partially Filled\n"
        "2024/3/7 09:33,4,A,sell,,50,10,,,Rejected\n"
    )
    reading = read(heading + rows)
    assert reading.events == {"order": 4, "fill": 2, "reject": 1} and reading.derived == {"cancel": 1}
    fills = reading.frame[reading.frame["kind"] == "fill"]
    assert fills[["order_id", "qty", "price"]].to_numpy().tolist() == [
        ["1", Decimal(100), Decimal("9.9")],
        ["3", Decimal(20), Decimal("10.1")],
    ]
    assert "file: an order has one fill, at the time of the order and at its average price" in reading.assumed
    assert refusal(heading + rows.replace("9.9", "")).endswith("is filled and has no price")


def test_fills_of_their_own_table_are_not_told_again():
    orders = "Time,Order ID,Symbol,Side,Qty,Filled Qty,Price,Status\n2024-03-07 09:30,1,A,buy,100,100,10,Filled\n"
    fills = (
        "Time,Order ID,Symbol,Side,Qty,Price,Fee\n2024-03-07 09:31,1,A,buy,60,10,1\n2024-03-07 09:32,1,A,buy,40,9,1\n"
    )
    reading = rk.read.generic_csv([io.StringIO(orders), io.StringIO(fills)])
    assert reading.events == {"order": 1, "fill": 2}


@pytest.mark.parametrize(
    "stamp",
    ["7-Mar-2024 14:30:00", "Mar 7, 2024 2:30:00 PM", "7. März 2024 14:30", "07 Mar 24 14:30", "March 7 2024 14:30:00"],
)
def test_months_with_names_are_read(stamp):
    reading = read(f'Time,Symbol,Side,Qty,Price\n"{stamp}",A,buy,1,10\n')
    assert str(reading.frame["ts"][0]) == "2024-03-07 14:30:00+00:00"
    assert "'Foo' is no month" in refusal("Time,Symbol,Side,Qty,Price\n7-Foo-2024 14:30,A,buy,1,10\n")


def test_days_in_eight_digits_are_no_time_since_the_epoch():
    reading = read("Date,Time,Symbol,Side,Qty,Price\n20240307,093000,A,buy,1,10\n20240308,093000,A,sell,1,10\n")
    assert [str(ts) for ts in reading.frame["ts"][::2]] == ["2024-03-07 09:30:00+00:00", "2024-03-08 09:30:00+00:00"]
    assert str(read("Time,Symbol,Side,Qty,Price\n20240307,A,buy,1,10\n", unit="s").frame["ts"][0])[:4] == "1970"


def test_a_multiplier_that_amounts_tell_holds_for_all_fills_of_an_instrument():
    rows = "Time,Symbol,Side,Qty,Price,Value\n2024-03-07 09:30,A,buy,100,10,{}\n2024-03-07 09:31,A,buy,100,10,{}\n"
    assert read(rows.format(5000, 5000)).instruments[0].multiplier == 5
    for amounts in ((1000, 5000), (5000, 1000)):
        assert "'A' counts " in refusal(rows.format(*amounts))
    said = read(rows.format(1000, 870)).assumed
    assert (
        "amount is not quantity times price in 1 row, the first at file, line 3; quantity and price are taken" in said
    )
    cents = "Time,Symbol,Side,Qty,Price,Value\n2024-03-07 09:30,A,buy,0.01,0.5,0.01\n"  # rounded
    assert read(cents).instruments[0].multiplier == 1
