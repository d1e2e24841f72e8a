"""Dividends of frames and of a live session: the amounts that fit, and the sentences about those that do not."""

from __future__ import annotations

import pandas as pd
import pytest
from live_rows import submit
from refusing import refusal as refusal_of
from rows import ORDER, column, load, refusal

from riskkit import Account, EventLog, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.dividends import NO_DIVIDEND, TOO_FINE
from riskkit.rules import SelfTradePrevention

PAID = {"ts": 2, "kind": "dividend", "instrument": "X", "amount": "0.205"}
RULES = RuleSet([Rule("self", SelfTradePrevention())])


@pytest.mark.parametrize(
    ("amount", "billionths", "ticks"),
    [("0.205", 205_000_000, 21), ("0.000000001", 1, 1), (3, 3 * 10**9, 300), (0.01, 10_000_000, 1)],
)
def test_an_amount_is_exact_and_a_fall_is_rounded_up(amount, billionths, ticks):
    log = load({**PAID, "amount": amount})
    assert (column(log, "qty"), column(log, "price")) == ([billionths], [ticks])


@pytest.mark.parametrize(
    ("amount", "why"), [(0, NO_DIVIDEND), (-1, NO_DIVIDEND), ("x", NO_DIVIDEND), ("0.0000000001", TOO_FINE)]
)
def test_what_is_no_dividend_is_refused_at_both_doors(amount, why):
    session = Session.create(RULES, [Instrument("X")], ["A"], compiled=False)
    said = refusal_of(session.process_dividend, ts=1, instrument="X", amount=amount)
    assert said.endswith(why) and said.startswith("amount=")
    told = {**PAID, "amount": amount}
    frame = refusal(told, quanta={"USD": "0.01"})
    assert frame.startswith("row 0, column 'amount': ") and frame.endswith(why)


def test_an_amount_is_needed():
    assert refusal({**PAID, "amount": None}).startswith("row 0, column 'amount': ")


def test_a_dividend_that_could_overflow_is_refused():
    said = refusal({**PAID, "amount": "123456789.123456789"}, quanta={"USD": "1000"})
    assert said.startswith("a dividend of 1.23457e+08 on 'X' could overflow 64 bits in units of this log")


def test_a_frame_and_a_session_give_one_digest():
    rows = [
        {**ORDER, "order_id": "a", "dnr": True},
        {**ORDER, "order_id": "b"},
        {**ORDER, "ts": 1, "kind": "fill", "order_id": "b"},
        PAID,
        {**ORDER, "ts": 3, "side": "S", "price": 10.3},
    ]
    session = Session.create(RULES, [Instrument("X")], [Account("A")], quantum="0.001", compiled=False)
    submit(session, rows)
    frame = pd.DataFrame(rows).astype(object)
    log = EventLog.from_frame(
        frame.where(frame.notna(), None), [Instrument("X")], [Account("A")], quanta={"USD": "0.001"}
    )
    assert session.result().digest == replay_log(log, RULES, compiled=False).digest
    assert session.result().accounts()["cash"].tolist() == [-21 + 0.41]
