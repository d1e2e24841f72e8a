"""What does not fit is refused by one whole sentence, and nothing is half loaded."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from rows import CANCEL, FILL, MODIFY, NAMED, ORDER, PRICE, column, load, refusal

from riskkit import Account, EventLog, InputError, Instrument

BAD_FRAMES = {
    "unknown column": (
        [{**ORDER, "quantiti": 2}],
        "column 'quantiti' is not known; did you mean 'qty'? Or map it with columns=, or leave it out with ignore=",
    ),
    "two columns of one meaning": (
        [{**ORDER, "quantity": 2}],
        "columns 'qty' and 'quantity' both mean 'qty'; leave one out with ignore=",
    ),
    "no ts": (
        [{"kind": "clock"}],
        "column 'ts' is missing; it holds time: Timestamp, or int64 nanoseconds since the epoch",
    ),
    "fill under the name of a closed trade": (
        [NAMED, {**FILL, "kind": "trade"}],
        "row 1, column 'kind': 'trade' is a closed position with its pnl or ret, and this row has a quantity and neither; "
        "did you mean 'fill'?",
    ),
    "a boolean beside numbers that it equals": (
        [ORDER, {**ORDER, "qty": True}],
        "row 1, column 'qty': True is not a quantity; a quantity is a number above zero",
    ),
    "NaN price": (
        [ORDER, {**ORDER, "price": np.nan}],
        "row 1, column 'price': nan is not a price; a price is a finite number (a market order says type='market')",
    ),
    "infinite price": (
        [{**FILL, "price": np.inf}],
        "row 0, column 'price': inf is not a price; a price is a finite number",
    ),
    "no price at all": (
        [{k: v for k, v in ORDER.items() if k != "price"}],
        "row 0, column 'price': nothing is not a price; a price is a finite number (a market order says type='market')",
    ),
    "price as a word": (
        [{**PRICE, "price": "high"}],
        "row 0, column 'price': 'high' is not a price; a price is a finite number",
    ),
    "off-tick price": (
        [ORDER, {**ORDER, "price": 10.505}],
        "row 1, column 'price': 10.505 is not on the tick 0.01 of X; rounding='nearest' rounds it",
    ),
    "off-tick text": (
        [{**FILL, "price": "10.505"}],
        "row 0, column 'price': '10.505' is not on the tick 0.01 of X; rounding='nearest' rounds it",
    ),
    "zero price": (
        [{**PRICE, "price": 0.0}],
        "row 0, column 'price': 0.0 is not above zero; declare the instrument with negative_price=True",
    ),
    "negative price": (
        [{**PRICE, "price": "-37.63"}],
        "row 0, column 'price': '-37.63' is not above zero; declare the instrument with negative_price=True",
    ),
    "zero bid": (
        [{**PRICE, "bid": 0}],
        "row 0, column 'bid': 0 is not above zero; declare the instrument with negative_price=True",
    ),
    "off-tick ask": (
        [{**PRICE, "ask": 10.501}],
        "row 0, column 'ask': 10.501 is not on the tick 0.01 of X; rounding='nearest' rounds it",
    ),
    "reserve as a word": (
        [{**ORDER, "reserve": "much"}],
        "row 0, column 'reserve': 'much' is not a price; a price is a finite number",
    ),
    "price of a market order": (
        [{**ORDER, "type": "market"}],
        "row 0, column 'price': 10.5 is the price of a market order; leave it empty",
    ),
    "price of a stop order": (
        [{**ORDER, "type": "stop", "stop": 11}],
        "row 0, column 'price': 10.5 is the price of a stop order; leave it empty",
    ),
    "unknown type": (
        [{**ORDER, "type": "pegged"}],
        "row 0, column 'type': 'pegged' is not limit, market, stop, stop_limit, trailing or peg",
    ),
    "no stop": (
        [{**ORDER, "type": "stop_limit"}],
        "row 0, column 'stop': nothing is not a price; this type of order has a stop, at which a trade triggers it",
    ),
    "no offset": (
        [{**ORDER, "type": "trailing", "price": None}],
        "row 0, column 'offset': nothing is not a distance; this type of order has an offset from the best trade, at which "
        "its stop follows",
    ),
    "stop of a limit order": (
        [{**ORDER, "stop": 11}],
        "row 0, column 'stop': 11 is a field of other types of order (stop, stop_limit)",
    ),
    "offset of a stop order": (
        [{**ORDER, "type": "stop_limit", "stop": 11, "offset": 1}],
        "row 0, column 'offset': 1 is a field of other types of order (trailing, peg)",
    ),
    "stop and offset": (
        [NAMED, {**MODIFY, "stop": 11, "offset": 1}],
        "row 1, column 'offset': 1.0 is given beside a stop; a stop is fixed or follows the trades",
    ),
    "off-tick stop": (
        [{**ORDER, "type": "stop_limit", "stop": 10.505}],
        "row 0, column 'stop': 10.505 is not on the tick 0.01 of X; rounding='nearest' rounds it",
    ),
    "zero offset": (
        [{**ORDER, "type": "trailing", "price": None, "offset": 0}],
        "row 0, column 'offset': 0 is not above zero; declare the instrument with negative_price=True",
    ),
    "quantity as a word": (
        [{**ORDER, "qty": "ten"}],
        "row 0, column 'qty': 'ten' is not a quantity; a quantity is a number above zero",
    ),
    "negative quantity": (
        [ORDER, {**ORDER, "qty": -5}],
        "row 1, column 'qty': -5 is not a quantity; a quantity is a number above zero",
    ),
    "zero quantity": (
        [{**FILL, "qty": 0}],
        "row 0, column 'qty': 0 is not a quantity; a quantity is a number above zero",
    ),
    "no quantity": (
        [{**ORDER, "qty": None}],
        "row 0, column 'qty': nothing is not a quantity; a quantity is a number above zero",
    ),
    "true as a quantity": ([{**ORDER, "qty": True}], "row 0, column 'qty': True is not a number"),
    "off-lot quantity": (
        [{**ORDER, "qty": 1.5}],
        "row 0, column 'qty': 1.5 is not a multiple of the lot 1 of X; rounding='nearest' rounds it",
    ),
    "negative quantity of a modify": (
        [NAMED, {**MODIFY, "qty": -1}],
        "row 1, column 'qty': -1 is not a quantity; a quantity is 0 (unchanged) or above",
    ),
    "float too large to be exact": (
        [{**ORDER, "qty": 1e16}],
        "row 0, column 'qty': 1e+16 is too large to be exact as a float; give a string",
    ),
    "time going backwards": (
        [{**ORDER, "ts": 5}, {**ORDER, "ts": 4}],
        "row 1, column 'ts': 4 is earlier than the row before it; sort the frame, or use ts_policy='reject', 'clamp' "
        "or 'sort'",
    ),
    "time as a float": (
        [{**ORDER, "ts": 1.7e18}],
        "row 0, column 'ts': 1.7e+18 is no exact time as a float; give integers of dtype 'Int64', or Timestamps",
    ),
    "missing time": (
        [{**ORDER, "ts": pd.Timestamp("2024-01-02")}, {**ORDER, "ts": None}],
        "row 1, column 'ts': nothing is not a time",
    ),
    "time as a word": (
        [{**ORDER, "ts": "noon"}],
        "row 0, column 'ts': 'noon' is not a time as ISO 8601 has it, 2024-03-05T14:30:00; "
        "give time_format=, as '%d.%m.%Y %H:%M:%S', for another",
    ),
    "time too far": (
        [{**ORDER, "ts": 2**62}],
        "row 0, column 'ts': 4611686018427387904 has no unit that its size tells; say unit='s', 'ms', 'us' or 'ns'",
    ),
    "a date of science fiction": (
        [{**ORDER, "ts": pd.Timestamp("3024-01-01")}],
        "row 0, column 'ts': Timestamp('3024-01-01 00:00:00') is not a time from 1824 to 2116, the "
        "range in which windows of rules fit into 64 bits",
    ),
    "unknown kind": (
        [{**ORDER, "kind": "buy"}],
        "row 0, column 'kind': 'buy' is not a kind of event; kinds are order, modify, cancel, fill, price, ack, error, "
        "cash, equity, trade, execution, clock, session, control, expire, reject, cancel_reject, modify_reject, bust, "
        "correct, fx, close, dividend, snapshot, adjust, funding, expiry, roll, split, credit, multiplier, phase",
    ),
    "a kind of the engine's own": (
        [{**ORDER, "kind": "mark"}],
        "row 0, column 'kind': 'mark' is not a kind of event; kinds are order, modify, cancel, fill, price, ack, "
        "error, cash, equity, trade, execution, clock, session, control, expire, reject, cancel_reject, modify_reject, "
        "bust, correct, fx, close, dividend, snapshot, adjust, funding, expiry, roll, split, credit, multiplier, phase",
    ),
    "no account": (
        [{**ORDER, "account": None}],
        "row 0, column 'account': nothing is not a label; give the label of the account",
    ),
    "no account column": (
        [{"ts": 1, "kind": "error"}],
        "row 0, column 'account': nothing given, but the column is needed: label of the account",
    ),
    "unknown instrument": (
        [{**ORDER, "instrument": "Q"}],
        "row 0, column 'instrument': 'Q' is not declared (instruments are X)",
    ),
    "no side": ([{**ORDER, "side": None}], "row 0, column 'side': nothing is not a side; use B or S"),
    "unknown side": ([{**ORDER, "side": "hold"}], "row 0, column 'side': 'hold' is not a side; use B or S"),
    "duplicate order id": (
        [NAMED, {**NAMED, "ts": 2}],
        "row 1, column 'order_id': 'a' is used already by the order of row 0; ids are unique in a log; "
        "if they are used again, give order_ids='account', 'day' or 'account_day'",
    ),
    "fill of an unknown order": (
        [NAMED, {**FILL, "order_id": "b"}],
        "row 1, column 'order_id': 'b' does not name an earlier order; if it is of an order from "
        "before the log, give unknown_orders='external'",
    ),
    "fill of a later order": (
        [{**FILL, "ts": 1}, NAMED],
        "row 0, column 'order_id': 'a' names a later order",
    ),
    "fill of another's order": (
        [NAMED, {**FILL, "account": "B"}],
        "row 1, column 'order_id': 'a' names an order of another account or instrument",
    ),
    "fill of the other side": (
        [NAMED, {**FILL, "side": "S"}],
        "row 1, column 'order_id': 'a' names an order of the other side",
    ),
    "modify of the other side": (
        [NAMED, {**MODIFY, "side": "S"}],
        "row 1, column 'order_id': 'a' names an order of the other side",
    ),
    "cancel of nothing": (
        [NAMED, {**CANCEL, "order_id": None}],
        "row 1, column 'order_id': nothing is not the id of an order; a cancel names its order",
    ),
    "cancel without the column": (
        [{k: v for k, v in CANCEL.items() if k != "order_id"}],
        "row 0, column 'order_id': nothing is not the id of an order; a cancel names its order",
    ),
    "unknown parent": (
        [NAMED, {**ORDER, "ts": 2, "parent_id": "p"}],
        "row 1, column 'parent_id': 'p' does not name an earlier order",
    ),
    "own parent": ([{**NAMED, "parent_id": "a"}], "row 0, column 'parent_id': 'a' does not name an earlier order"),
    "parent without ids": (
        [{**ORDER, "parent_id": "a"}],
        "row 0, column 'parent_id': 'a' does not name an earlier order",
    ),
    "torn list": (
        [{**ORDER, "batch": 1}, ORDER, {**ORDER, "batch": 1}],
        "row 2, column 'batch': 1.0 is not next to the other orders of its list",
    ),
    "list of two accounts": (
        [{**ORDER, "batch": "l"}, {**ORDER, "batch": "l", "account": "B"}],
        "row 1, column 'batch': 'l' has an order of another account in its list",
    ),
    "list of two times": (
        [{**ORDER, "batch": "l"}, {**ORDER, "batch": "l", "ts": 2}],
        "row 1, column 'batch': 'l' has an order of another time in its list",
    ),
    "list with a fill": (
        [{**FILL, "order_id": None, "batch": "l"}],
        "row 0, column 'batch': 'l' is on an event that is not an order",
    ),
    "no children": (
        [NAMED, {**MODIFY, "children": 0}],
        "row 1, column 'children': 0.0 is not a number of messages, 1 or more",
    ),
    "half a child": (
        [NAMED, {**MODIFY, "children": 1.5}],
        "row 1, column 'children': 1.5 is not a number of messages, 1 or more",
    ),
    "reduce_only as a word": (
        [{**ORDER, "reduce_only": "maybe"}],
        "row 0, column 'reduce_only': 'maybe' is not True or False",
    ),
    "lapsed before it came": (
        [{**NAMED, "ts": 5, "expires": 5}],
        "row 0, column 'expires': 5 is not after the time of its order",
    ),
    "modify that moves the expiry": (
        [{**NAMED, "expires": 9}, {**MODIFY, "expires": 10}],
        "row 1, column 'expires': 10 is not the time at which its order lapses; cancel the order and send another",
    ),
    "inexact expiry": (
        [{**NAMED, "expires": 1.7e18}, {**PRICE, "ts": 2}],
        "row 0, column 'expires': 1.7e+18 is no exact time as a float; give integers of dtype 'Int64', or Timestamps",
    ),
    "cash without an amount": (
        [{"ts": 1, "kind": "cash", "account": "A"}],
        "row 0, column 'amount': nothing is not an amount of money",
    ),
    "equity as a word": (
        [{"ts": 1, "kind": "equity", "account": "A", "equity": "rich"}],
        "row 0, column 'equity': 'rich' is not an amount of money",
    ),
    "unknown flow": (
        [{"ts": 1, "kind": "cash", "account": "A", "amount": 1, "flow": "gift"}],
        "row 0, column 'flow': 'gift' is not one of DEPOSIT, FEE, FUNDING, DIVIDEND",
    ),
    "unknown command": (
        [{"ts": 1, "kind": "control", "cmd": "BEGIN"}],
        "row 0, column 'cmd': 'BEGIN' is not one of ACTIVE, REDUCING, HALTED, PAUSE, RESUME, RESET, LIMITS, STOP, RESTART, KILL",
    ),
    "no command": (
        [{"ts": 1, "kind": "control"}],
        "row 0, column 'cmd': nothing is not one of ACTIVE, REDUCING, HALTED, PAUSE, RESUME, RESET, LIMITS, STOP, RESTART, KILL",
    ),
    "return finer than a billionth": (
        [{"ts": 1, "kind": "trade", "account": "A", "instrument": "X", "side": "B", "ret": "0.0000000001"}],
        "row 0, column 'ret': '0.0000000001' is not a return with at most nine decimals",
    ),
    "fee of too many decimals": (
        [NAMED, {**FILL, "fee": 1 / 3}],
        "row 1, column 'fee': 0.3333333333333333 needs more than 9 decimals; give rounding='nearest'",
    ),
    "two currencies": (
        [{"ts": 1, "kind": "cash", "account": "A", "amount": 1, "currency": c} for c in ("USD", "EUR")],
        "account 'A' mixes EUR and USD; split it, say currencies='many', or give exchange rates (rows kind=\"fx\")",
    ),
}


@pytest.mark.parametrize(("rows", "sentence"), BAD_FRAMES.values(), ids=BAD_FRAMES)
def test_bad_input_is_refused_by_one_sentence(rows, sentence):
    assert refusal(*rows) == sentence


OVERFLOWS = {
    "a product": (
        [{**ORDER, "qty": 2**40, "price": 2**30}],
        "row 0: quantity 1099511627776 x price 107374182400 (in lots and ticks) could overflow 64 bits; "
        "check the number; a larger tick, lot or quantum holds more",
    ),
    "a position": (
        [{**PRICE, "price": 10**9}, *[{**ORDER, "kind": "fill", "qty": 10**6, "price": 1}] * 47],
        "account 'A' in 'X': 4.7e+07 lots could be reached, whose value could overflow 64 bits; "
        "give rounding='nearest', and leave out quanta (a unit of money of 1 fits)",
    ),
    "a balance": (
        [{"ts": 1, "kind": "cash", "account": "A", "amount": 10**15}] * 300,
        "account 'A': its balance could reach 3e+19 quanta and overflow 64 bits; "
        "check the number; a larger tick, lot or quantum holds more",
    ),
    "all together": (
        [{**ORDER, "qty": 10**9, "price": 10**6, "account": f"A{a}"} for a in range(12)],
        "all orders and fills together are 1.2e+18 quanta and could overflow 64 bits; "
        "give rounding='nearest', and leave out quanta (a unit of money of 0.1 fits)",
    ),
}


@pytest.mark.parametrize(("rows", "sentence"), OVERFLOWS.values(), ids=OVERFLOWS)
def test_what_could_overflow_is_refused(rows, sentence):
    assert refusal(*rows, quanta={"USD": "0.01"}) == sentence


def test_a_quantum_that_overflows_is_refused():
    sentence = refusal(PRICE, quanta={"USD": Fraction(1, 10**22)})
    assert sentence == (
        "instrument 'X': one lot at one tick is 100000000000000000000 quanta of 0.0000000000000000000001, which could "
        "overflow 64 bits; give rounding='nearest', and leave out quanta (a unit of money of 0.01 fits)"
    )


def test_trading_both_ways_is_not_turnover():
    """The turnover of an account may be beyond what its balance may reach: only one side's fills can add up."""
    fills = [{**ORDER, "kind": "fill", "side": side, "qty": 2 * 10**8, "price": 10**5} for side in ("B", "S") * 100]
    assert len(load(*fills, quanta={"USD": "0.01"})) == 200
    bought = [{**fill, "side": "B"} for fill in fills]
    assert refusal(*bought, quanta={"USD": "0.01"}) == (
        "account 'A': its balance could reach 4e+17 quanta and overflow 64 bits; "
        "give rounding='nearest', and leave out quanta (a unit of money of 0.1 fits)"
    )


def test_small_lots_in_a_coarse_quantum_fit():
    """A thousand coins of 1e-8 lots at a hundred thousand each: 1e11 lots x 1e7 ticks, but only 1e10 cents."""
    coin = Instrument("X", tick="0.01", lot="0.00000001")
    log = load(
        *[{**ORDER, "kind": "fill", "qty": 10, "price": 100_000}] * 100, instruments=[coin], quanta={"USD": "0.01"}
    )
    assert column(log, "qty")[0] == 10**9


OPTIONS = {
    "on_bad_order": ("keep", "on_bad_order='keep' is not one of 'raise', 'flag'"),
    "ts_policy": ("drop", "ts_policy='drop' is not one of 'raise', 'reject', 'clamp', 'sort'"),
    "rounding": ("up", "rounding='up' is not one of 'refuse', 'nearest'"),
    "currencies": ("two", "currencies='two' is not one of 'one', 'many'"),
    "quanta": ({"EUR": "0.01"}, "quanta has no entry for 'USD'; give one for each of USD"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_options_are_one_of_their_choices(name):
    value, sentence = OPTIONS[name]
    assert refusal(ORDER, **{name: value}) == sentence


def test_quanta_are_above_zero_and_one_for_all_currencies():
    assert refusal(ORDER, quanta={"USD": 0}) == "quanta['USD']=0 is not above zero"
    assert refusal(ORDER, quanta={"USD": 1, "EUR": 2}) == (
        "quanta differ ({'USD': 1, 'EUR': 2}); limits in money need one quantum for all currencies"
    )
    assert refusal(NAMED, {**FILL, "fee": 0.005}, quanta={"USD": "0.01"}) == (
        "row 1, column 'fee': 0.005 is not a multiple of the quantum of money, 0.01; rounding='nearest' rounds it"
    )


def test_declared_accounts_and_zones():
    assert refusal(ORDER, accounts=["A", Account("A")]) == "account 'A' is declared twice; a label names one account"
    assert refusal({**ORDER, "ts": pd.Timestamp("2024-01-02")}, tz="Mars") == (
        "tz='Mars' is not a time zone; use a name such as 'UTC' or 'America/New_York'"
    )


def test_what_is_no_frame_is_refused():
    with pytest.raises(
        InputError, match="frame is a list; give a table of pandas, polars, pyarrow or DuckDB with one row per event"
    ):
        EventLog.from_frame([ORDER])
    doubled = pd.DataFrame([[1, "clock", 2]], columns=["ts", "kind", "ts"])
    with pytest.raises(InputError, match="column 'ts' occurs twice; give each column once"):
        EventLog.from_frame(doubled)


def test_a_wall_clock_time_that_never_was_is_refused():
    with pytest.raises(InputError, match="is in the hour that the clocks skip in America/New_York; write its offset"):
        load({**ORDER, "ts": pd.Timestamp("2024-03-10 02:30")}, tz="America/New_York")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"columns": {"Qty": "qty"}}, "columns: 'Qty' is not a column of the frame; it has ts, kind,"),
        ({"columns": {"price": "prize"}}, "columns['price']='prize' is not known; did you mean 'price'?"),
        ({"columns": {"price": "qty"}}, "columns 'qty' and 'price' both mean 'qty'"),
        ({"ignore": ["venue"]}, "ignore: 'venue' is not a column of the frame; it has ts, kind,"),
        ({"ignore": "price"}, "ignore='price' is a text; give a list of headings, as ['price']"),
        ({"ignore": ["ts"]}, "column 'ts' is missing; it holds time"),
    ],
)
def test_a_mapping_of_headings_that_does_not_fit(options, sentence):
    assert refusal(ORDER, **options).startswith(sentence)


def test_a_refused_value_is_named_by_its_heading_and_its_column():
    frame = pd.DataFrame([{**ORDER, "price": -1}]).rename(columns={"price": "Limit Price"})
    with pytest.raises(InputError, match=r"row 0, column 'Limit Price' \(price\): -1 is not above zero"):
        EventLog.from_frame(frame, columns={"Limit Price": "price"})
