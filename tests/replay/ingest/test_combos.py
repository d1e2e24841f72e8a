"""Combinations: the orders of their legs, one message that is decided as a list, in a session as in a frame."""

from __future__ import annotations

import pytest
from refusing import refusal
from rows import load

from riskkit import Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.combos import NO_LEGS, NO_RATIO, TWICE
from riskkit.rules import OrderRate, PositionLimit, PriceCollar

LEGS = [{"instrument": "X", "side": "B", "ratio": 1}, {"instrument": "Y", "side": "S", "ratio": "2"}]
COMBO = {"ts": 5, "account": "A", "side": "B", "qty": 3, "price": "-0.5", "order_id": "c", "legs": LEGS}
PRICES = [{"ts": 0, "instrument": name, "price": 100} for name in "XY"]
RULES = [
    Rule("size", PositionLimit(limit=6)),
    Rule("rate", OrderRate(limit=1, window_ns=10)),
    Rule("collar", PriceCollar(pct="0.01")),
]


def session(rules=RULES, **options):
    made = Session.create(RuleSet(rules), [Instrument(name) for name in "XYZ"], ["A"], compiled=False, **options)
    for price in PRICES:
        made.process_price(**price)
    return made


@pytest.mark.parametrize(("side", "way"), [("B", (1, -1)), ("S", (-1, 1))])
def test_each_leg_is_an_order_of_its_own_and_all_are_one_message(side, way):
    made = session(RULES[1:])
    assert not made.process_order(**{**COMBO, "side": side})
    columns = made.log().columns
    assert tuple(columns["side"][2:].tolist()) == way and columns["qty"][2:].tolist() == [3, 6]
    assert columns["weight"][2:].tolist() == [1, 0] and columns["batch"][2:].tolist() == [2, 2]
    assert {action.rule for action in made.process_order(**{**COMBO, "order_id": "d", "qty": 1})} == {"rate"}


def test_it_is_the_list_of_a_frame_with_one_message():
    made = session()
    made.process_order(**COMBO)
    legs = [
        {"instrument": "X", "side": "B", "qty": 3, "order_id": "c/X"},
        {"instrument": "Y", "side": "S", "qty": 6, "order_id": "c/Y"},
    ]
    whole = {"ts": 5, "kind": "order", "account": "A", "type": "market", "batch": "c", "children": 1}
    rows = [{**price, "kind": "price"} for price in PRICES] + [{**whole, **leg} for leg in legs]
    log = load(*rows, instruments=[Instrument(name) for name in "XYZ"], accounts=["A"])
    assert made.log().event_hash == log.event_hash
    assert made.result().digest == replay_log(log, RuleSet(RULES), compiled=False).digest


@pytest.mark.parametrize(("qty", "passes"), [(2, True), (3, True), (4, False)])
def test_it_is_refused_whole_by_one_leg(qty, passes):
    made = session(mode="enforce")
    made.process_order(**{**COMBO, "qty": qty})
    assert [int(one["open_buy_qty"] + one["open_sell_qty"]) for one in made.state.positions[1:3]] == (
        [qty, 2 * qty] if passes else [0, 0]
    )


def test_legs_are_filled_and_cancelled_by_their_ids():
    made = session()
    made.process_order(**COMBO)
    made.process_trade(ts=6, order_id="c/Y", qty=6, price=99)
    made.process_cancel(ts=7, order_id="c/X")
    assert [int(one["qty"]) for one in made.state.positions[1:3]] == [0, -6]
    assert [int(one["open_buy_qty"] + one["open_sell_qty"]) for one in made.state.positions[1:3]] == [0, 0]


def test_a_batch_of_rows_takes_one_too():
    made = session()
    assert made.process([{**COMBO, "kind": "order"}]).passed.tolist() == [True]
    assert len(made) == 4


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"legs": LEGS[:1]}, NO_LEGS),
        ({"legs": "XY"}, NO_LEGS),
        ({"legs": [1, 2]}, NO_LEGS),
        ({"legs": [LEGS[0], LEGS[0]]}, TWICE),
        ({"legs": [LEGS[0], {**LEGS[1], "ratio": 0}]}, NO_RATIO),
        ({"legs": [LEGS[0], {**LEGS[1], "ratio": "x"}]}, NO_RATIO),
        ({"legs": [LEGS[0], {**LEGS[1], "ratio": True}]}, NO_RATIO),
        ({"legs": [LEGS[0], {"side": "S", "ratio": 1}]}, "give the label of the instrument"),
        ({"legs": [LEGS[0], {**LEGS[1], "price": 1}]}, "it has instrument, side, ratio"),
        ({"legs": [LEGS[0], {**LEGS[1], "side": "up"}]}, "use B or S"),
        ({"price": "x"}, "that of a combination is a finite number"),
        ({"side": None}, "use B or S"),
        ({"qty": None}, "a quantity is a number above zero"),
        ({"qty": 0}, "a quantity is a number above zero"),
        ({"qty": "0.5"}, "rounding='nearest'"),
        ({"stop": 5}, "it has account, instrument, side"),
        ({"account": None}, "give the label of the account"),
    ],
)
def test_what_is_no_combination_is_refused_whole(fields, why):
    made = session()
    said = refusal(made.process_order, **{**COMBO, **fields})
    assert why in said and len(made) == 2
