"""Orders for an amount of money: the lots that they are for, at both doors, by every price at which they may be counted."""

from __future__ import annotations

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import column, load, refusal

from riskkit import Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.quote_quantities import BESIDE, NO_AMOUNT, NO_LOT, NO_PRICE
from riskkit.replay.schema.columns import RowFlag
from riskkit.rules import MaxOrderQty, TickLotCheck

RULES = RuleSet([Rule("valid", TickLotCheck()), Rule("size", MaxOrderQty(limit=5))])
SPEND = {"ts": 9, "kind": "order", "account": "A", "instrument": "X", "side": "B", "type": "market"}
FUTURE = Instrument("X", tick="0.5", lot="0.1", multiplier=10)
BID, ASK, LAST = ({"ts": 1, "kind": "price", "instrument": "X", name: price} for name, price in
                  (("bid", 19), ("ask", 21), ("price", 20)))  # fmt: skip


def quantities(*rows, instrument=None, **options):
    """Quantities of the orders of rows as a frame, which a session of the same calls has too."""
    instruments = [instrument or Instrument("X")]
    log = load(*rows, instruments=instruments, accounts=["A"], **options)
    session = Session(RULES, log.universe, compiled=False, **options)
    submit(session, list(rows))
    assert session.log().event_hash == log.event_hash
    assert session.result().digest == replay_log(log, RULES, compiled=False).digest
    sizes = log.columns["qty"][log.columns["kind"] == 0] * log.universe.instruments[0].qty_step
    return [float(size) for size in sizes]


@pytest.mark.parametrize(
    ("prices", "side", "lots"),
    [
        ([BID, ASK, LAST], "B", 4),  # 99 / 21
        ([BID, ASK, LAST], "S", 5),  # 99 / 19
        ([BID, LAST], "B", 4),  # 99 / 20
        ([ASK, LAST], "S", 4),
        ([LAST, {**LAST, "price": 33}], "B", 3),
        ([ASK, {**ASK, "instrument": "Y", "ask": 1}], "B", 4),
    ],
)
def test_a_market_order_is_counted_at_the_touch_else_at_the_last_trade(prices, side, lots):
    rows = [*prices, {**SPEND, "side": side, "quote_qty": "99"}]
    log = load(*rows, instruments=[Instrument("X"), Instrument("Y")])
    assert column(log, "qty")[-1] == lots
    session = Session(RULES, log.universe, compiled=False)
    submit(session, rows)
    assert session.log().event_hash == log.event_hash


@pytest.mark.parametrize(
    ("order", "lots"),
    [
        ({"type": "limit", "price": 30}, 3),  # not the ask
        ({"type": "limit", "price": 30, "side": "S"}, 3),
        ({"type": "stop", "stop": 25}, 3),
        ({"type": "stop_limit", "stop": 25, "price": 33}, 3),
        ({"type": "trailing", "offset": 50}, 4),  # its stop moves
    ],
)
def test_other_orders_are_counted_at_their_limit_or_their_stop(order, lots):
    assert quantities(BID, ASK, {**SPEND, **order, "quote_qty": 99}) == [lots]


@pytest.mark.parametrize(("amount", "lots"), [("21", 0.1), ("20.999", 0), ("41.99", 0.1), ("42", 0.2), ("2100", 10)])
def test_what_is_less_than_a_lot_is_left_and_less_than_one_is_a_bad_quantity(amount, lots):
    rows = [ASK, {**SPEND, "quote_qty": amount}]  # a lot costs 21 x 10 x 0.1 = 21
    assert quantities(*rows, instrument=FUTURE, on_bad_order="flag") == [lots]
    if not lots:
        assert refusal(*rows, instruments=[FUTURE]).endswith(NO_LOT)
        assert column(load(*rows, instruments=[FUTURE], on_bad_order="flag"), "flags")[-1] == RowFlag.BAD_QTY


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"quote_qty": 99}, NO_PRICE),
        ({"quote_qty": 0, "type": "limit", "price": 9}, NO_AMOUNT),
        ({"quote_qty": "-1", "type": "limit", "price": 9}, NO_AMOUNT),
        ({"quote_qty": "x", "type": "limit", "price": 9}, NO_AMOUNT),
        ({"quote_qty": True, "type": "limit", "price": 9}, NO_AMOUNT),
        ({"quote_qty": 5, "type": "limit", "price": 9}, NO_LOT),
    ],
)
def test_what_buys_nothing_is_refused_at_both_doors_or_flagged(order, why):
    row = {**SPEND, **order}
    assert refusal(row).startswith("row 0, column 'quote_qty': ") and refusal(row).endswith(why)
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    given = {name: value for name, value in row.items() if name != "kind"}
    assert refusal_of(session.process_order, **given).endswith(why) and not len(session)
    assert quantities(row, on_bad_order="flag") == [0]
    flagged = load(row, on_bad_order="flag")
    assert replay_log(flagged, RULES, compiled=False).refusals_by_rule() == {"valid": 1, "size": 0}


def test_a_quantity_beside_it_is_refused_at_both_doors():
    row = {**SPEND, "type": "limit", "price": 9, "qty": 1, "quote_qty": 9}
    assert refusal(row).endswith(BESIDE)
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    given = {name: value for name, value in row.items() if name != "kind"}
    assert refusal_of(session.process_order, **given).endswith(BESIDE)


def test_prices_are_those_in_new_units_after_a_split_and_never_those_of_a_late_event():
    split = {"ts": 2, "kind": "split", "instrument": "X", "ratio": "3/1"}
    assert quantities(ASK, split, {**SPEND, "quote_qty": 21}, on_bad_order="flag") == [3]
    late = {**ASK, "ts": 0, "ask": 1}
    assert quantities(ASK, late, {**SPEND, "quote_qty": 21}, ts_policy="reject") == [1]


def test_a_list_counts_each_of_its_orders_and_what_an_iceberg_shows_fits_the_lots():
    listed = {**SPEND, "batch": "b", "side": "B"}
    assert quantities(ASK, {**listed, "quote_qty": 42}, {**listed, "quote_qty": 63}) == [2, 3]
    assert quantities(ASK, {**SPEND, "quote_qty": 63, "display": 3}) == [3]
    assert "display" in refusal(ASK, {**SPEND, "quote_qty": 62, "display": 3})


def test_a_probe_counts_at_the_same_price():
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    session.process_price(ts=1, instrument="X", ask=21)
    spend = {name: value for name, value in SPEND.items() if name not in ("kind", "ts")}
    assert [action.action.name for action in session.probe(**spend, quote_qty=126)] == ["REJECT"]
    assert not session.probe(**spend, quote_qty="125.99") and len(session) == 1
