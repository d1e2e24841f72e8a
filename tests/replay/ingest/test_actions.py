"""Contract actions of frames and of a live session: one digest, and the sentences about what does not fit."""

from __future__ import annotations

import pandas as pd
import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import FILL, ORDER, column, load, refusal

from riskkit import Account, EventLog, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.actions import ALONE, NO_RATE, SELF, TOO_FINE
from riskkit.rules import PositionLimit

RULES = RuleSet([Rule("size", PositionLimit(limit=20))])
UNITS = (Instrument("X"), Instrument("Y", lot="0.5"), Instrument("Z", currency="EUR"))
FUNDED = {"ts": 2, "kind": "funding", "instrument": "X", "rate": "0.0001"}
EXPIRED = {"ts": 9, "kind": "expiry", "instrument": "Y", "price": 11}
GIVEN = {"ts": 3, "kind": "adjust", "account": "A", "instrument": "X", "side": "B", "qty": 3, "price": 10}
MOVED = [{**GIVEN, "side": "S", "batch": 1}, {**GIVEN, "account": "B", "batch": 1}]
CLOSED = {"ts": 4, "kind": "roll", "instrument": "X", "price": 10, "batch": 2}
OPENED = {**CLOSED, "instrument": "Y", "price": 11, "account": "A"}
ROLL = {"from": "X", "to": "Y", "from_price": 10, "to_price": 11}


def session():
    return Session.create(RULES, UNITS, ["A", "B"], compiled=False)


@pytest.mark.parametrize(("rate", "billionths"), [("0.0001", 100_000), ("-0.5", -500_000_000), (0, 0), (1e-9, 1)])
def test_a_rate_is_exact(rate, billionths):
    assert column(load({**FUNDED, "rate": rate}, instruments=UNITS), "qty") == [billionths]


@pytest.mark.parametrize("rate", [1, -1, "x"])
def test_what_is_no_rate_is_refused_at_both_doors(rate):
    said = refusal_of(session().process_funding, ts=1, instrument="X", rate=rate)
    assert said.startswith("rate=") and said.endswith(NO_RATE)
    assert refusal({**FUNDED, "rate": rate}).endswith(NO_RATE)
    assert refusal({**FUNDED, "rate": "0.00000000001"}).endswith(TOO_FINE)


def test_the_rows_of_a_transfer_and_of_a_roll_are_adjacent_and_of_one_batch():
    log = load(GIVEN, *MOVED, CLOSED, OPENED, {**OPENED, "account": "B"}, {**GIVEN, "ts": 5}, instruments=UNITS)
    assert column(log, "batch") == [-1, 1, 1, 3, 3, 3, -1]


@pytest.mark.parametrize(
    "rows",
    [
        [CLOSED],
        [CLOSED, {**OPENED, "instrument": "X"}],
        [{**CLOSED, "account": "A"}, OPENED],
        [CLOSED, OPENED, {**OPENED, "account": "B", "price": 12}],
        [CLOSED, {**OPENED, "ts": 5}],
    ],
)
def test_a_roll_is_of_one_instrument_into_one_other(rows):
    assert refusal(*rows, instruments=UNITS).endswith(ALONE)


def test_a_roll_is_in_one_currency_and_in_whole_lots():
    said = "row 1, column 'instrument': 'Z' is in EUR, and X in USD; a roll is in one currency"
    assert refusal(CLOSED, {**OPENED, "instrument": "Z", "account": None}, instruments=UNITS) == said
    assert refusal_of(session().process_roll, ts=1, **{**ROLL, "to": "Z"}).endswith(said.split("'Z' ")[1])
    back = [{**CLOSED, "instrument": "Y"}, {**OPENED, "instrument": "X"}]
    whole = "has a lot of 1, and Y one of 0.5; what is rolled must be whole lots"
    assert refusal(*back, instruments=UNITS).endswith(whole)
    assert refusal_of(session().process_roll, ts=1, **{**ROLL, "from": "Y", "to": "X"}).endswith(whole)


def test_a_transfer_is_between_two_accounts():
    assert refusal(MOVED[0], {**MOVED[1], "account": "A"}).endswith(SELF)
    given = {"from": "A", "to": "A", "instrument": "X", "qty": 1, "price": 10}
    assert refusal_of(session().process_transfer, ts=1, **given) == f"to='A' {SELF}"


def test_a_frame_and_a_session_give_one_digest():
    rows = [
        {**FILL, "ts": 1, "order_id": None, "qty": 5},
        {**FILL, "ts": 1, "order_id": None, "account": "B"},
        FUNDED,
        GIVEN,
        *MOVED,
        CLOSED,
        OPENED,
        {**OPENED, "account": "B"},
        {**ORDER, "ts": 5, "instrument": "Y", "order_id": "a"},
        EXPIRED,
        {**ORDER, "ts": 10},
    ]
    live = Session.create(RULES, UNITS, [Account("A"), Account("B")], quantum="0.000001", compiled=False)
    submit(live, rows)
    frame = pd.DataFrame(rows).astype(object)
    log = EventLog.from_frame(
        frame.where(frame.notna(), None), UNITS, ["A", "B"], quanta=dict.fromkeys(("USD", "EUR"), "0.000001")
    )
    assert live.result().digest == replay_log(log, RULES, compiled=False).digest
    held = live.status().positions()
    assert held["qty"].tolist() == [0] * len(held)
    assert live.log().to_frame()["rate"].dropna().tolist() == [0.0001]
    assert log.to_frame_row(2) == "event 2 1970-01-01 00:00:00.000000002+00:00 FUNDING X 0.0001"


def test_a_session_says_what_a_settlement_does():
    live = session()
    live.process_trade(ts=1, account="A", instrument="X", side="B", qty=2, price=10)
    live.process_order(ts=2, account="A", instrument="X", side="B", qty=1, price=9, order_id="o")
    said = [action.reason for action in live.process_expiry(ts=3, instrument="X", price=11)]
    assert said == ["the order of event 1 is cancelled.", "nothing is held in X now, 2 before."]
    assert live.process_roll(ts=4, **ROLL) == []
