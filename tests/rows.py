"""Rows of events for tests of the door, and how they are loaded or refused."""

from __future__ import annotations

import pandas as pd
from refusing import refusal as refusal_of

from riskkit import EventLog, Instrument

X = Instrument("X")
ORDER = {"ts": 1, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 2, "price": 10.5}
NAMED = {**ORDER, "order_id": "a"}
FILL = {**NAMED, "ts": 2, "kind": "fill"}
MODIFY = {**NAMED, "ts": 2, "kind": "modify"}
CANCEL = {"ts": 2, "kind": "cancel", "account": "A", "instrument": "X", "order_id": "a"}
PRICE = {"ts": 1, "kind": "price", "instrument": "X", "price": 10.5}
TRADE = {"ts": 2, "kind": "trade", "account": "A", "instrument": "X"}


def load(*rows: dict, instruments=(X,), **options) -> EventLog:
    return EventLog.from_frame(pd.DataFrame(rows), instruments, **options)


def column(log: EventLog, name: str) -> list[int]:
    return log.columns[name].tolist()


def refusal(*rows: dict, **options) -> str:
    return refusal_of(load, *rows, **options)
