"""The declared policies: what happens to late events and to bad orders."""

from __future__ import annotations

from fractions import Fraction

import pytest
from rows import FILL, MODIFY, NAMED, ORDER, PRICE, X, column, load, refusal

from riskkit import Instrument
from riskkit.replay.schema.columns import FIRST_EXTERNAL, MISSING, RowFlag

LATE = [{**NAMED, "ts": 5}, {**PRICE, "ts": 3}, {**PRICE, "ts": 4}, {**FILL, "ts": 5}, {**PRICE, "ts": 2}]


def test_ts_policy_reject_flags_what_is_late():
    log = load(*LATE, ts_policy="reject")
    assert column(log, "ts") == [5, 3, 4, 5, 2]
    assert column(log, "flags") == [0, RowFlag.BAD_TS, RowFlag.BAD_TS, 0, RowFlag.BAD_TS]


def test_ts_policy_clamp_moves_what_is_late():
    log = load(*LATE, ts_policy="clamp")
    assert column(log, "ts") == [5] * 5 and "flags" not in log.columns


def test_ts_policy_sort_is_stable_and_remembers_the_rows():
    log = load(*LATE, ts_policy="sort")
    assert column(log, "ts") == [2, 3, 4, 5, 5]
    assert log.source_rows.tolist() == [4, 1, 2, 0, 3]
    assert column(log, "order") == [-1, -1, -1, 3, 3]


def test_a_sorted_frame_is_refused_by_the_callers_row():
    assert refusal({**ORDER, "ts": 9, "qty": -1}, ORDER, ts_policy="sort") == (
        "row 0, column 'qty': -1 is not a quantity; a quantity is a number above zero"
    )
    assert refusal({**NAMED, "ts": 9}, {**NAMED, "ts": 8}, ts_policy="sort") == (
        "row 0, column 'order_id': 'a' is used already by the order of row 1; ids are unique in a log; "
        "if they are used again, give order_ids='account', 'day' or 'account_day'"
    )


def test_a_late_fill_does_not_make_the_true_one_a_duplicate():
    rows = [{**NAMED, "ts": 5}, {**FILL, "ts": 4, "trade_id": 1}, {**FILL, "ts": 6, "trade_id": 1}]
    assert column(load(*rows, ts_policy="reject"), "flags") == [0, RowFlag.BAD_TS, 0]


def test_on_bad_order_flag_keeps_what_is_written():
    orders = [
        {**ORDER, "price": "10.505"},
        {**ORDER, "qty": "1.5"},
        {**ORDER, "price": "0"},
        {**ORDER, "price": "-1"},
        {**ORDER, "price": "NaN"},
        {**ORDER, "qty": "-2"},
        {**ORDER, "qty": "NaN", "price": None},
        {**ORDER, "qty": "0"},
        {**ORDER, "qty": "0.25", "price": "-0.001"},
        {**ORDER, "qty": "2", "price": "10.50"},
    ]
    log = load(*orders, on_bad_order="flag")
    x = log.universe.instruments[0]
    assert (x.tick, x.price_step, x.lot, x.qty_step) == (
        Fraction(1, 100),
        Fraction(1, 1000),
        1,
        Fraction(1, 4),
    )
    assert column(log, "price") == [10505, 10500, 0, -1000, MISSING, 10500, MISSING, 10500, -1, 10500]
    assert column(log, "qty") == [8, 6, 8, 8, 8, 0, 0, 0, 1, 8]
    assert column(log, "flags") == [
        RowFlag.OFF_TICK,
        RowFlag.OFF_LOT,
        RowFlag.BAD_PRICE,
        RowFlag.BAD_PRICE,
        RowFlag.BAD_PRICE,
        RowFlag.BAD_QTY,
        RowFlag.BAD_QTY | RowFlag.BAD_PRICE,
        RowFlag.BAD_QTY,
        RowFlag.OFF_LOT | RowFlag.OFF_TICK | RowFlag.BAD_PRICE,
        0,
    ]
    assert log.universe.quantum == Fraction(1, 4000), "nothing needs rounding, the off-grid orders neither"


def test_flagged_floats_are_kept_as_written():
    log = load({**ORDER, "price": 10.505}, {**ORDER, "price": 10.5}, on_bad_order="flag")
    assert log.to_frame()["price"].tolist() == [10.505, 10.5]


def test_an_endless_fraction_is_kept_to_a_millionth_of_its_tick():
    log = load({**ORDER, "price": 100 / 3}, on_bad_order="flag", quanta={"USD": "0.01"})
    assert log.universe.instruments[0].price_step >= Fraction(1, 10**8)
    assert log.to_frame()["price"].iloc[0] == pytest.approx(100 / 3, abs=1e-8)


def test_finer_steps_are_the_instruments_alone_and_reach_quotes():
    rows = [{**ORDER, "price": 10.505}, {**PRICE, "bid": 10.49}, {**PRICE, "instrument": "Y", "price": 3.25}]
    log = load(*rows, instruments=[X, Instrument("Y")], on_bad_order="flag")
    assert column(log, "price") == [2101, 2100, 325] and column(log, "bid") == [MISSING, 2098, MISSING]


def test_flagged_modifies_are_messages_that_may_change_nothing():
    rows = [NAMED, {**MODIFY, "price": 10.505}, {**MODIFY, "order_id": "b", "side": None}]
    log = load(*rows, on_bad_order="flag", unknown_orders="external")
    assert column(log, "flags") == [0, RowFlag.OFF_TICK, 0]
    assert column(log, "order") == [0, 0, FIRST_EXTERNAL]


@pytest.mark.parametrize("lot", ["1", "2", "8"])
@pytest.mark.parametrize("qty", ["-1", "-2", "-3", "-0.5", "0", "1.5"])
def test_a_flagged_quantity_below_zero_is_bad_in_parts_of_a_lot_too(lot, qty):
    rows = [{**ORDER, "qty": qty}, {**NAMED, "qty": "8"}, {**MODIFY, "qty": qty}]
    log = load(*rows, instruments=[Instrument("X", tick="0.01", lot=lot)], on_bad_order="flag")
    bad = [bool(flags & RowFlag.BAD_QTY) for flags in column(log, "flags")]
    assert bad == [float(qty) <= 0, False, float(qty) < 0]
    assert [bool(lots) for lots in column(log, "qty")] == [float(qty) > 0, True, float(qty) > 0]


@pytest.mark.parametrize("bad", [{**FILL, "price": 10.505}, {**PRICE, "ts": 2, "price": "NaN"}, {**FILL, "qty": -1}])
def test_a_bad_fill_or_price_is_refused_under_every_policy(bad):
    assert refusal(NAMED, bad, on_bad_order="flag").startswith("row 1, column ")
    assert refusal(NAMED, {**FILL, "order_id": "b"}, on_bad_order="flag").startswith(
        "row 1, column 'order_id': 'b' does not"
    )
