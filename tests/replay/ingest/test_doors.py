"""The frame and the live session are one door: the same events go in, and what is refused gets the same sentence."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from rows import X

from riskkit import EventLog, InputError, Instrument, Rule, RuleSet, Session
from riskkit.replay.ingest.fields import FIELDS
from riskkit.replay.schema.columns import ANSWERS, kind_word
from riskkit.rules import MaxOrderQty

RULES = RuleSet([Rule("size", MaxOrderQty(limit=50))])
UNITS = (X, Instrument("Y", negative_price=True))
FIRST = {"account": "A", "instrument": "X", "side": "B", "qty": 2, "price": 10.5, "order_id": "a"}
FILLED = {**FIRST, "trade_id": "u"}
BASES: dict[str, dict[str, Any]] = {
    "order": {**FIRST, "order_id": "b"},
    "modify": {"order_id": "a", "account": "A", "instrument": "X", "qty": 3},
    "cancel": {"order_id": "a", "account": "A", "instrument": "X"},
    "fill": {**FIRST, "trade_id": "t", "fee": 0},
    "price": {"instrument": "X", "price": 10.5},
    "close": {"instrument": "X", "price": 10.5},
    "dividend": {"instrument": "X", "amount": "0.205"},
    "funding": {"instrument": "X", "rate": "0.01"},
    "expiry": {"instrument": "X", "price": 10.5},
    "split": {"instrument": "X", "ratio": "3/2", "orders": "all"},
    "multiplier": {"instrument": "X", "multiplier": "1.5"},
    "phase": {"instrument": "X", "phase": "closed"},
    "roll": {"from": "X", "to": "Y", "from_price": 10.5, "to_price": 11},
    "adjust": {"account": "A", "instrument": "X", "side": "B", "qty": 2, "price": 10.5},
    "transfer": {"from": "A", "to": "S", "instrument": "X", "qty": 2, "price": 10.5},
    "snapshot": {"account": "A", "positions": {"X": 3}},
    "snapshot order": {**{name: value for name, value in FIRST.items() if name != "account"}, "qty": 1},
    "fx": {"pair": "EURUSD", "price": 1.5, "bid": 1.25, "ask": 1.75},
    "credit": {"account": "A", "reserve_id": "r", "step": "reserve", "amount": 5},
    "cash": {"account": "A", "amount": 5},
    "equity": {"account": "A", "equity": 5},
    "closed trade": {"account": "A", "instrument": "X", "side": "S", "pnl": 5, "ret": 0},
    "ack": {"account": "A"},
    "error": {"account": "A"},
    "execution": {"account": "A"},
    **{kind_word(kind): {"order_id": "a", "account": "A", "instrument": "X"} for kind in ANSWERS},
    "bust": {"trade_id": "u", "account": "A", "instrument": "X", "side": "B"},
    "correct": {"trade_id": "u", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10, "fee": 0},
}
CALLS = {"fill": "process_trade", "closed trade": "process_closed_trade"}
NOTHING = (None, float("nan"), "", pd.NaT)
ODD: tuple[Any, ...] = (
    "False",
    True,
    -1,
    0,
    1.5,
    2.0,
    10.505,
    "abc",
    "S",
    "a\nb",
    "NA",
    float("inf"),
    "1e9999999",
    10**30,
)
ODD += ("market", "USD", "fee", "Y", Decimal("0.01"))
LEFT_OUT = ("expires",)  # times have a test of their own
ACCOUNTS = list(dict.fromkeys(["A"] + [str(int(value) if value == 2.0 else value) for value in ODD if value != "a\nb"]))
OF_ITS_ORDER = {
    (kind, name)
    for kind in ("modify", "cancel", "fill", *map(kind_word, ANSWERS))
    for name in ("account", "instrument", "side")
} | {("snapshot order", "order_id"), ("snapshot", "positions")}  # without: a position, no row


def through_frame(kind: str, fields: dict[str, Any]) -> str:
    rows = [
        {"ts": 1, "kind": "order", **FIRST},
        {"ts": 1, "kind": "fill", **FILLED},
        {"ts": 2, "kind": "trade" if "closed" in kind else kind, **fields},
    ]
    if kind == "snapshot":
        told = [{"instrument": label, "qty": size, "side": "B"} for label, size in fields.get("positions", {}).items()]
        rows[2:] = [{"ts": 2, "kind": kind, "account": fields.get("account"), **row} for row in told]
    elif kind == "roll":
        rows[2:] = [
            {"ts": 2, "kind": kind, "instrument": fields.get(name), "price": fields.get(f"{name}_price"), "batch": 1}
            for name in ("from", "to")
        ]
    elif kind == "transfer":
        told = {name: value for name, value in fields.items() if name not in ("from", "to")}
        rows[2:] = [
            {"ts": 2, "kind": "adjust", **told, "account": fields.get(name), "side": side, "batch": 1}
            for name, side in (("from", "S"), ("to", "B"))
        ]
    elif kind == "snapshot order":
        rows[2] |= {"kind": "snapshot", "account": "A"}
    frame = pd.DataFrame(
        {name: pd.Series([row.get(name) for row in rows], dtype=object) for row in rows for name in row}
    )
    try:
        EventLog.from_frame(frame, UNITS, ACCOUNTS, quanta={"USD": "0.01"})
    except InputError as error:
        return str(error)
    return ""


def session() -> Session:
    live = Session.create(RULES, UNITS, ACCOUNTS, quantum="0.01", compiled=False)
    live.process_order(ts=1, **FIRST)
    live.process_trade(ts=1, **FILLED)
    return live


def through_session(live: Session, kind: str, fields: dict[str, Any]) -> str:
    before = len(live)
    if kind == "snapshot order":
        kind, fields = "snapshot", {"account": "A", "orders": [fields]}
    try:
        getattr(live, CALLS.get(kind, f"process_{kind}"))(ts=2, **fields)
    except InputError as error:
        assert len(live) == before
        return str(error)
    return ""


def reason(sentence: str) -> str:
    """What is wrong, without where: after the row and column of a frame, or the argument of a call."""
    where = re.match(
        r"row \d+, column [^:]*: (nothing|Timestamp\(.*?\)|'.*?'(?= )|\S+) |[a-z_]+=('.*?'(?= )|\S+) ", sentence
    )
    return sentence[where.end() :] if where else sentence


LEFT_OUT += ("positions", "orders")  # and so have these
KINDS = [kind for kind in FIELDS if kind not in ("order_list", "combination")]  # in a frame their orders have one batch
CASES = [(kind, field) for kind in KINDS for field in FIELDS[kind] if field not in LEFT_OUT]


@pytest.mark.parametrize(("kind", "field"), CASES)
def test_a_frame_and_a_session_accept_and_refuse_the_same(kind, field, long):
    """Every second value, of the next field the others; all in `make fuzz`."""
    differing = []
    live = session()
    values = (*NOTHING[:: 1 if (kind, field) not in OF_ITS_ORDER else 99], *ODD)
    for value in values if long else values[CASES.index((kind, field)) % 2 :: 2]:
        if (kind, field) in OF_ITS_ORDER and value is None:
            continue  # a session takes it from the order
        fields = {**BASES[kind], field: value}
        frame, heard = through_frame(kind, fields), through_session(live, kind, fields)
        live = live if heard else session()
        same = bool(frame) == bool(heard) if field == "currency" else reason(frame) == reason(heard)
        differing += [] if same else [(value, frame, heard)]
    assert not differing


@pytest.mark.parametrize("kind", KINDS)
def test_a_field_that_is_missing_or_unknown_is_told_in_a_sentence(kind):
    for field in BASES[kind]:
        left = {name: value for name, value in BASES[kind].items() if name != field}
        if (kind, field) not in OF_ITS_ORDER:
            assert bool(through_frame(kind, left)) == bool(through_session(session(), kind, left))
    assert f"field 'qyt' is not known of an event of kind '{kind}'" in through_session(session(), kind, {"qyt": 1})


@pytest.mark.parametrize("value", ["False", float("nan"), None, "", 0, False])
def test_what_is_not_true_is_not_reduce_only(value):
    live = session()
    live.process_order(ts=2, **{**BASES["order"], "reduce_only": value})
    assert live.log().columns.get("flags", [0, 0])[1] == 0
