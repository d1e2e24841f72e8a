"""What fits is converted exactly, whatever form it comes in."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import CANCEL, FILL, MODIFY, NAMED, ORDER, PRICE, TRADE, X, column, load, refusal
from streams import random_log

from riskkit import Account, EventLog, Instrument
from riskkit.replay.ingest.columns import COLUMNS, FRAME_COLUMNS, OTHER_NAMES
from riskkit.replay.ingest.infer import infer_instruments
from riskkit.replay.schema.columns import MISSING, OPTIONAL, REQUIRED, CashFlowKind, EventKind, RowFlag, TradingCommand

# ---------------------------------------------------------------------- what is taken


def test_every_form_of_a_number_is_the_same_number():
    forms = [10.5, "10.5", Decimal("10.50"), np.float32(10.5), Fraction(21, 2)]
    for form in forms:
        assert column(load({**ORDER, "price": form}), "price") == [1050]
    mixed = load(*[{**ORDER, "price": form} for form in [*forms, 11]])
    assert column(mixed, "price") == [1050] * 5 + [1100]


def test_whole_numbers_beyond_floats_are_exact():
    lots = 2**53 + 1
    log = load({**ORDER, "qty": lots, "price": "0.01"}, quanta={"USD": "0.01"})
    assert column(log, "qty") == [lots]
    assert column(load({**ORDER, "qty": str(lots), "price": "0.01"}), "qty") == [lots]


def test_float_noise_is_not_off_the_tick():
    assert column(load({**ORDER, "price": 0.1 + 0.2}), "price") == [30]
    assert column(
        load({**ORDER, "price": 4503599627370.5 / 1000}, instruments=[Instrument("X", tick="0.0001")]), "price"
    )


@settings(max_examples=200, deadline=None)
@given(
    st.integers(1, 10**9),
    st.sampled_from(["0.01", "0.25", "1", "0.5", "0.0001", "5"]),
    st.sampled_from([float, str, Decimal]),
)
def test_ticks_come_back_from_every_form(ticks, tick, form):
    instrument = Instrument("X", tick=tick)
    written = form(str(ticks * Decimal(tick)))
    log = load({**ORDER, "qty": 1, "price": written}, instruments=[instrument], quanta={"USD": "0.0001"})
    assert column(log, "price") == [ticks]
    assert log.to_frame()["price"].tolist() == [float(ticks * Decimal(tick))]


def test_instruments_of_unlike_units_in_one_frame():
    fine, coarse = Instrument("F", tick="0.25", lot="0.1", multiplier=50), Instrument("C", tick="5", lot=100)
    rows = [
        {**ORDER, "instrument": "F", "qty": 0.3, "price": 4500.25},
        {**ORDER, "instrument": "C", "qty": 300, "price": 105},
    ]
    for form in (float, str):
        written = [{**row, "qty": form(row["qty"]), "price": form(row["price"])} for row in rows]
        log = load(*written, instruments=[fine, coarse])
        assert column(log, "qty") == [3, 3] and column(log, "price") == [18001, 21]
    integers = load({**rows[1], "qty": 300}, {**rows[1], "qty": 200}, instruments=[fine, coarse])
    assert column(integers, "qty") == [3, 2]


def test_kinds_sides_and_words_in_any_case():
    log = load(
        {**ORDER, "kind": "ORDER", "side": "buy"},
        {**ORDER, "side": "SHORT"},
        {**ORDER, "side": -1},
        {"ts": 2, "kind": "cash", "account": "A", "amount": "-5", "flow": "Fee"},
        {"ts": 2, "kind": "control", "cmd": "pause"},
        {"ts": 2, "kind": "control", "cmd": "RESET", "account": "A"},
        {"ts": 2, "kind": "equity", "account": "A", "equity": 100.5},
        {**TRADE, "side": "long", "pnl": -3, "ret": -0.02, "exit": "stop_loss"},
        {**TRADE, "side": "short", "ret": "0.5", "exit": "roi"},
        quanta={"USD": "0.01"},
    )  # fmt: skip
    assert column(log, "side") == [1, -1, -1, CashFlowKind.FEE, TradingCommand.PAUSE, TradingCommand.RESET, 0, 1, -1]
    assert column(log, "qty")[3:] == [-500, 0, 0, 10050, -300, 0]
    assert column(log, "price")[-2:] == [-20_000_000, 500_000_000]
    assert column(log, "flags") == [0] * 7 + [RowFlag.STOP_LOSS, 0]
    assert column(log, "account") == [0, 0, 0, 0, -1, 0, 0, 0, 0]


def test_times_of_every_kind_and_zone():
    at = pd.Timestamp("2024-03-11 09:30", tz="America/New_York")
    expected = int(at.as_unit("ns").value)
    for form in (at, at.tz_convert("UTC"), str(at), at.tz_localize(None), at.to_pydatetime(), expected):
        assert column(load({**ORDER, "ts": form}, tz="America/New_York"), "ts") == [expected]
    assert column(load({**ORDER, "ts": at.as_unit("s")}), "ts") == [expected]


def test_labels_of_numbers_do_not_change_with_gaps():
    """A gap makes a column of integers floats; the label stays 7, not 7.0."""
    log = load({**ORDER, "account": 7}, PRICE, accounts=["7"])
    assert [account.id for account in log.universe.accounts] == ["7"]
    assert column(log, "account") == [0, -1]


def test_declared_labels_come_first():
    log = load({**ORDER, "account": "B"}, {**ORDER, "account": "C"}, accounts=["A", Account("C", {"USD": 5})])
    assert [account.id for account in log.universe.accounts] == ["A", "C", "B"]
    assert column(log, "account") == [2, 1]
    assert log.universe.accounts[1].cash == {"USD": 5}


def test_a_modify_leaves_what_it_does_not_name():
    log = load(NAMED, {**CANCEL, "kind": "modify"}, {**MODIFY, "price": None, "side": None, "qty": 0})
    assert column(log, "qty") == [2, 0, 0]
    assert column(log, "price") == [1050, MISSING, MISSING]
    assert column(log, "side") == [1, 1, 1], "the side is its order's"


def test_a_market_order_has_no_price():
    log = load({**ORDER, "type": "market", "price": None}, {**ORDER, "type": None}, {**ORDER, "type": "LIMIT"})
    assert column(log, "price") == [MISSING, 1050, 1050]


def test_a_price_event_may_be_quotes_alone():
    log = load({"ts": 1, "kind": "price", "instrument": "X", "bid": 10.4}, {**PRICE, "ask": 10.6})
    assert column(log, "price") == [MISSING, 1050]
    assert column(log, "bid") == [1040, MISSING] and column(log, "ask") == [MISSING, 1060]


def test_prices_below_zero_where_they_are_allowed():
    oil = Instrument("X", negative_price=True)
    log = load({**PRICE, "price": -37.63, "bid": 0, "ask": 0.01}, {**ORDER, "price": 0}, instruments=[oil])
    assert column(log, "price") == [-3763, 0] and column(log, "bid") == [0, MISSING]


def test_an_empty_frame_is_an_empty_log():
    log = EventLog.from_frame(pd.DataFrame({name: [] for name in ("ts", "kind", "account", "instrument", "qty")}))
    assert len(log) == 0 and log.counts() == {}
    for policy in ("reject", "clamp", "sort"):
        empty = pd.DataFrame({"ts": np.zeros(0, np.int64), "kind": []})
        assert len(EventLog.from_frame(empty, ts_policy=policy)) == 0


def test_the_frame_is_not_changed():
    frame = pd.DataFrame([NAMED, FILL, {**PRICE, "ts": 0}])
    before = frame.copy(deep=True)
    EventLog.from_frame(frame, [X], ts_policy="sort")
    pd.testing.assert_frame_equal(frame, before)


def test_every_column_is_described_and_taken():
    assert set(FRAME_COLUMNS) >= {"ts", "kind", "account", "instrument", "side", "qty", "price", "order_id"}
    nothing = {name: None for name in FRAME_COLUMNS if name not in ORDER}
    log = load({**ORDER, **nothing})
    assert set(log.columns) == set(load(ORDER).columns), "a column without a value says nothing"


def test_every_column_of_a_log_but_what_is_derived_is_filled_by_a_column_of_the_frame():
    assert {column.fills for column in COLUMNS.values()} - {""} == {*REQUIRED, *OPTIONAL} - {"pair", "fill"}
    assert COLUMNS["qty"].dtype == REQUIRED["qty"] and COLUMNS["children"].dtype == OPTIONAL["weight"][0]
    assert not set(OTHER_NAMES) & set(COLUMNS)


# ---------------------------------------------------------------------- headings


@pytest.mark.parametrize(("heading", "name"), OTHER_NAMES.items())
def test_another_heading_means_its_column(heading, name):
    values = {"fee": 0.5, "connection": "desk-1", "currency": "USD"}
    rows = [NAMED, {**FILL, "fee": 0.25}, {**PRICE, "ts": 3}, {"ts": 4, "kind": "cash", "account": "A", "amount": 5}]
    frame = pd.DataFrame([{**row, name: row.get(name, values.get(name))} for row in rows])
    expected = EventLog.from_frame(frame, [X]).event_hash
    for written in (heading, heading.upper(), f" {heading.title()} "):
        assert EventLog.from_frame(frame.rename(columns={name: written}), [X]).event_hash == expected


def test_columns_and_ignore_map_a_table_of_a_broker():
    frame = pd.DataFrame([{**NAMED, "venue": "V"}, {**FILL, "venue": None}])
    theirs = frame.rename(columns={"ts": "Exec Time", "order_id": "Order ID", "qty": 7, "side": "BS"})
    mapped = {"columns": {"Exec Time": "ts", 7: "qty", "BS": "side"}, "ignore": ["venue"]}
    assert EventLog.from_frame(theirs, [X], **mapped).event_hash == load(NAMED, FILL).event_hash
    assert infer_instruments(theirs, **mapped) == infer_instruments(frame, ignore=["venue"])
    assert list(theirs) == ["Exec Time", "kind", "account", "instrument", "BS", 7, "price", "Order ID", "venue"]


# ---------------------------------------------------------------------- openings


def test_opening_positions_have_their_pair_even_if_nothing_touches_them():
    log = load(
        ORDER,
        {**ORDER, "account": "B"},
        instruments=[X, Instrument("Y")],
        accounts=[Account("B", {}, {"Y": 3, "X": 1})],
    )
    assert log.pair_account.tolist() == [0, 0, 1]
    assert log.pair_instrument.tolist() == [0, 1, 0]
    assert column(log, "pair") == [2, 0]


def test_openings_that_do_not_fit_are_refused():
    accounts = [Account("A", {"USD": "0.001"}, {})]
    assert refusal(ORDER, accounts=accounts, quanta={"USD": "0.01"}) == (
        "account 'A': cash '0.001' is not a multiple of the quantum 0.01"
    )
    assert column(load(ORDER, accounts=accounts), "qty") == [2], "without quanta the quantum is as fine as need be"
    assert load(ORDER, accounts=accounts).universe.quantum == Fraction(1, 1000)
    assert refusal(ORDER, accounts=[Account("A", {}, {"X": 1.5})]) == (
        "account 'A': position 1.5 in 'X' is not a multiple of its lot 1"
    )
    assert refusal(ORDER, accounts=[Account("A", {}, {"Z": 1})]) == (
        "account 'A': it holds 'Z', which is not a declared instrument"
    )
    assert refusal(ORDER, accounts=[Account("A", {"EUR": 1})]) == (
        "account 'A' mixes EUR and USD; split it, say currencies='many', or give exchange rates (rows kind=\"fx\")"
    )


# ---------------------------------------------------------------------- proposals


def test_instruments_are_proposed_with_the_fewest_decimals():
    frame = pd.DataFrame(
        [
            {**PRICE, "price": 4500.25, "instrument": "ES"},
            {**PRICE, "price": 7.0, "bid": 6.999, "instrument": "Y"},
            {**ORDER, "instrument": "Y", "qty": 0.05, "price": 7},
            {**PRICE, "price": "0.123", "instrument": 5},
        ]
    )
    proposed = {one.id: (one.tick, one.lot) for one in infer_instruments(frame)}
    assert proposed == {
        "ES": (Fraction(1, 100), 1),
        "Y": (Fraction(1, 1000), Fraction(1, 100)),
        "5": (Fraction(1, 1000), 1),
    }
    assert infer_instruments(pd.DataFrame({"ts": [1], "kind": ["clock"]})) == []


def test_too_many_decimals_to_propose_from_are_refused():
    assert refusal({**ORDER, "price": 1 / 3}, instruments=None) == (
        "row 0, column 'price': 0.3333333333333333 needs more than 9 decimals; give rounding='nearest', or "
        "declare its tick and lot"
    )


def test_the_quantum_is_the_largest_decimal_that_needs_no_rounding():
    assert load(ORDER).universe.quantum == Fraction(1, 100)
    assert load(NAMED, {**FILL, "fee": 0.0025}).universe.quantum == Fraction(1, 10_000)
    future = Instrument("X", tick="0.25", multiplier=50)
    assert load({**ORDER, "price": 4500.25}, instruments=[future]).universe.quantum == Fraction(1, 2)


# ---------------------------------------------------------------------- all of it at once


def written(log: EventLog) -> pd.DataFrame:
    """A log as somebody else would have recorded it: labels, decimals as text, gaps where a kind says nothing."""
    universe = log.universe
    rows = []
    for seq in range(len(log)):
        event = {name: int(values[seq]) for name, values in log.columns.items()}
        kind = EventKind(event["kind"])
        row = {
            "ts": event["ts"],
            "kind": kind.name.lower(),
            "order_id": f"o{event['order']}" if event["order"] >= 0 else None,
        }
        if event["account"] >= 0:
            row["account"] = universe.accounts[event["account"]].id
        if event["instrument"] >= 0:
            instrument = universe.instruments[event["instrument"]]
            row["instrument"] = instrument.id
            if event["flags"] & RowFlag.CLOSE_POSITION:
                row["close_position"] = True
            elif kind in (EventKind.ORDER, EventKind.FILL, EventKind.MODIFY):
                row["qty"] = str(Decimal(event["qty"]) * Decimal(float(instrument.lot)))
            for name in ("price", "bid", "ask", "reserve"):
                if event[name] != MISSING and kind in (
                    EventKind.ORDER,
                    EventKind.FILL,
                    EventKind.MODIFY,
                    EventKind.PRICE,
                ):
                    row[name] = str(Decimal(event[name]) * Decimal(str(float(instrument.tick))))
        if kind in (EventKind.ORDER, EventKind.FILL, EventKind.MODIFY, EventKind.TRADE):
            row["side"] = "B" if event["side"] > 0 else "S"
        if kind == EventKind.ORDER:
            row |= {
                "type": "market" if event["price"] == MISSING else "limit",
                "reduce_only": bool(event["flags"] & 64),
            }
            row["parent_id"] = f"o{event['parent']}" if event["parent"] >= 0 else None
            row["batch"] = f"l{event['batch']}" if event["batch"] >= 0 else None
        for name, labels in (("strategy", universe.strategies), ("connection", universe.connections)):
            row[name] = labels[event[name]].split("/")[1] if event[name] >= 0 else None
        rows.append(row | of_its_kind(kind, event))
    return pd.DataFrame(rows)


def of_its_kind(kind: EventKind, event: dict[str, int]) -> dict:
    """The columns that only one kind of event has."""
    money = str(Decimal(event["qty"]) / 100)
    if kind == EventKind.FILL:
        return {"fee": str(Decimal(event["fee"]) / 100)}
    if kind == EventKind.MODIFY:
        return {"children": event["weight"]}
    if kind == EventKind.CASH:
        return {"amount": money, "flow": CashFlowKind(event["side"]).name}
    if kind == EventKind.EQUITY:
        return {"equity": money}
    if kind == EventKind.CONTROL:
        return {"cmd": TradingCommand(event["side"]).name}
    if kind == EventKind.TRADE:
        exit_word = "stop_loss" if event["flags"] & int(RowFlag.STOP_LOSS) else "target"
        return {"pnl": money, "ret": str(Decimal(event["price"]) / 10**9), "exit": exit_word}
    return {}


SAYS = {  # which kinds say something in a column
    "side": (EventKind.ORDER, EventKind.FILL, EventKind.MODIFY, EventKind.TRADE, EventKind.CASH, EventKind.CONTROL),
    "qty": (EventKind.ORDER, EventKind.FILL, EventKind.MODIFY, EventKind.TRADE, EventKind.CASH, EventKind.EQUITY),
    "price": (EventKind.ORDER, EventKind.FILL, EventKind.MODIFY, EventKind.TRADE, EventKind.PRICE),
    "weight": (EventKind.ORDER, EventKind.MODIFY),
}


@pytest.mark.parametrize("seed", range(6))
def test_a_random_log_that_was_written_down_comes_back(seed):
    log = random_log(seed, 200, opened=seed % 2 == 0)
    universe = log.universe
    again = EventLog.from_frame(
        written(log), universe.instruments, universe.accounts, quanta=universe.quanta, ts_policy="reject"
    )
    kind = log.columns["kind"]
    late = (log.columns["flags"] & int(RowFlag.BAD_TS)) != 0
    for name in (
        "ts",
        "kind",
        "account",
        "instrument",
        "order",
        "parent",
        "fee",
        "bid",
        "ask",
        "reserve",
        "batch",
        *SAYS,
    ):
        rows = np.isin(kind, SAYS[name]) if name in SAYS else np.ones(len(log), bool)
        silent = np.full(len(log), OPTIONAL[name][1]) if name in OPTIONAL else None
        assert again.columns.get(name, silent)[rows].tolist() == log.columns[name][rows].tolist(), name
    marks = int(RowFlag.REDUCE_ONLY | RowFlag.STOP_LOSS | RowFlag.BAD_TS)
    told = kind != EventKind.MODIFY  # a modify takes the mark of its order
    assert (again.columns["flags"][told] & marks).tolist() == (log.columns["flags"][told] & marks).tolist()
    assert ((again.columns["flags"] & int(RowFlag.BAD_TS)) != 0).tolist() == late.tolist()
    pairs = list(zip(again.pair_account.tolist(), again.pair_instrument.tolist(), strict=True))
    assert pairs[: len(universe.opening_pairs())] == universe.opening_pairs()
    both = again.columns["pair"] >= 0
    assert (again.pair_account[again.columns["pair"][both]] == again.columns["account"][both]).all()
    assert (again.pair_instrument[again.columns["pair"][both]] == again.columns["instrument"][both]).all()
