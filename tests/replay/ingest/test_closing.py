"""Orders that close a position: what they are for, at both doors, when they come and when a trade triggers them."""

from __future__ import annotations

import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import column, load, refusal

from riskkit import Account, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.closing import BESIDE
from riskkit.replay.schema.columns import OrderStatus, RowFlag
from riskkit.rules import MaxOrderQty, ReduceOnly, TickLotCheck

RULES = RuleSet([Rule("valid", TickLotCheck()), Rule("only", ReduceOnly()), Rule("size", MaxOrderQty(limit=5))])
CLOSE = {"kind": "order", "account": "A", "instrument": "X", "type": "market", "close_position": True}
TRADE = {"kind": "price", "instrument": "X"}
CANCEL = {"kind": "cancel", "order_id": "none", "account": "A"}  # so that working orders are kept


def replayed(*rows, held=0, mode="shadow", rules=RULES, **options):
    """The result of rows as a frame, and that of a session of the same calls, which has its digest."""
    rows = [{"ts": ts, "order_id": f"o{ts}" if row["kind"] == "order" else None, **row} for ts, row in enumerate(rows)]
    accounts = [Account("A", positions={"X": held})] if held else ["A"]
    log = load(*rows, instruments=[Instrument("X")], accounts=accounts, **options)
    session = Session(rules, log.universe, mode, compiled=False, **options)
    submit(session, rows)
    assert session.log().event_hash == log.event_hash
    found = replay_log(log, rules, mode=mode, compiled=False)
    assert session.result().digest == found.digest
    return session.result()


def orders(result):
    """Quantity, filled lots and status of the orders."""
    return [
        (int(one["qty"]), int(one["filled"]), OrderStatus(one["status"]).name)
        for one in result.state.orders[1:]
        if one["status"]
    ]


@pytest.mark.parametrize(("held", "side", "lots"), [(3, "S", 3), (-4, "B", 4), (3, "B", 0), (-4, "S", 0), (0, "S", 0)])
def test_it_is_for_what_is_held_on_the_other_side_and_refused_where_that_is_nothing(held, side, lots):
    found = replayed({**CLOSE, "side": side}, held=held)
    assert found.refusals_by_rule() == {"valid": 0, "only": int(not lots), "size": 0}
    assert orders(found) == [(lots, 0, "WORKING")]


@pytest.mark.parametrize(("held", "refused"), [(4, 0), (5, 0), (6, 1)])
def test_every_rule_judges_what_is_held(held, refused):
    assert replayed({**CLOSE, "side": "S"}, held=held).refusals_by_rule()["size"] == refused


def test_it_reduces_beside_working_orders_and_what_is_sold_before_is_not_closed_again():
    sell = {"kind": "order", "account": "A", "instrument": "X", "side": "S", "qty": 2, "price": 9}
    fill = {"kind": "fill", "account": "A", "instrument": "X", "side": "S", "order_id": "o0", "qty": 2, "price": 9}
    found = replayed(sell, {**CLOSE, "side": "S"}, fill, {**CLOSE, "side": "S"}, held=3)
    assert sum(found.refusals_by_rule().values()) == 0
    assert [qty for qty, _, _ in orders(found)] == [2, 3, 1]


@pytest.mark.parametrize(("bought", "rest"), [(2, 5), (-1, 2), (-3, 0), (-4, 0)])
def test_a_stop_is_counted_again_at_the_trade_that_triggers_it(bought, rest):
    stop = {**CLOSE, "side": "S", "type": "stop", "stop": 8}
    fill = {"kind": "fill", "account": "A", "instrument": "X", "side": "B" if bought > 0 else "S", "price": 9}
    rows = [stop, {**fill, "qty": abs(bought)}, {**TRADE, "price": 9}, {**TRADE, "price": 8}]
    (order,) = orders(replayed(*rows[:3], held=3))
    assert order == (3, 0, "WORKING")
    (order,) = orders(replayed(*rows, held=3))
    assert order == (rest, 0, "WORKING" if rest else "DONE")


@pytest.mark.parametrize("filled", [1, 2, 3])
def test_its_own_fill_shows_the_trigger_too(filled):
    stop = {**CLOSE, "side": "S", "type": "stop", "stop": 8}
    sold = {"kind": "fill", "account": "A", "instrument": "X", "side": "S", "qty": 1, "price": 9}
    (order,) = orders(
        replayed(
            stop,
            sold,
            {
                "kind": "fill",
                "account": "A",
                "instrument": "X",
                "side": "S",
                "order_id": "o0",
                "qty": filled,
                "price": 8,
            },
            held=4,
        )
    )
    assert order == (3, filled, "DONE" if filled == 3 else "WORKING")


def test_in_enforce_it_is_for_what_was_let_through():
    buy = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "price": 9}
    fill = {**buy, "kind": "fill"}
    rows = [
        {**buy, "qty": 2},
        {**buy, "qty": 6},
        {**fill, "order_id": "o0", "qty": 2},
        {**fill, "order_id": "o1", "qty": 6},
    ]
    found = replayed(*rows, {**CLOSE, "side": "S"}, mode="enforce")
    assert found.refusals_by_rule() == {"valid": 0, "only": 0, "size": 1}
    assert orders(found)[-1][0] == 2


def test_orders_of_a_list_each_close_what_is_held():
    rows = [
        {**CLOSE, "side": "S", "ts": 1, "batch": "b"},
        {**CLOSE, "side": "S", "ts": 1, "batch": "b", "order_id": "other"},
    ]
    assert [qty for qty, _, _ in orders(replayed(*rows, held=3))] == [3, 3]


@pytest.mark.parametrize("beside", [{"qty": 1}, {"quote_qty": 9, "price": 9, "type": "limit"}, {"display": 1}])
def test_a_quantity_beside_it_is_refused_at_both_doors(beside):
    row = {"ts": 1, **CLOSE, "side": "S", **beside}
    assert refusal(row).startswith("row 0, column 'close_position': ") and refusal(row).endswith(BESIDE)
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    given = {name: value for name, value in row.items() if name != "kind"}
    assert refusal_of(session.process_order, **given).endswith(BESIDE) and not len(session)


def test_a_false_one_is_an_order_as_any_other():
    row = {"ts": 1, **CLOSE, "side": "S", "close_position": False, "qty": 2}
    assert column(load(row), "qty") == [2]
    flagged = load({**row, "close_position": True, "qty": None})
    assert column(flagged, "flags") == [RowFlag.CLOSE_POSITION | RowFlag.REDUCE_ONLY]


def test_it_is_explained_by_what_was_held():
    found = replayed({**CLOSE, "side": "S"}, held=6)
    said = str(found.explain(0))
    assert "sell all that is held" in said and "6" in said and "5" in said


def test_a_session_forgets_no_bound_of_what_is_closed():
    session = Session.create(RULES, [Instrument("X")], [Account("A", positions={"X": 3})], compiled=False)
    for ts in range(200):  # a bound that doubled each time would refuse the 60th
        session.process_order(ts=ts, account="A", instrument="X", side="S", type="market", close_position=True)
    assert len(session) == 200
