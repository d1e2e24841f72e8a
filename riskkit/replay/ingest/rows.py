"""Rows of a log as integer codes, one event each: their fields, and what refuses a row that no log could have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.schema.columns import (
    FACTS,
    MISSING,
    OPTIONAL,
    REQUIRED,
    EventKind,
    RowFlag,
    TradingCommand,
)
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import Universe

Row = dict[str, int]
DEFAULTS = {**dict.fromkeys(REQUIRED, 0), "price": MISSING, **{name: absent for name, (_, absent) in OPTIONAL.items()}}
DEFAULTS |= {"account": -1, "instrument": -1, "pair": -1, "order": -1}
DTYPES = {**REQUIRED, **{name: dtype for name, (dtype, _) in OPTIONAL.items()}}
LATER = ("smp_id",)  # columns that came when there were journals and ids of alerts without them
KINDS = {int(kind) for kind in EventKind if kind != EventKind.MARK}
TRADED = {int(kind) for kind in EventKind if FACTS[kind].traded}
NOT_LISTED = "is of an order alone; a list or a combination is judged as one message"
ORDER, FILL, CORRECT, BAD_TS = int(EventKind.ORDER), int(EventKind.FILL), int(EventKind.CORRECT), int(RowFlag.BAD_TS)


def with_every_column(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns of a journal; those that an older riskkit did not write have their defaults."""
    size = len(columns["ts"])
    missing = {name: dtype for name, dtype in DTYPES.items() if name not in columns}
    return {**columns, **{name: np.full(size, DEFAULTS[name], dtype) for name, dtype in missing.items()}}


def row_of(ts: int, kind: EventKind, fields: Row) -> Row:
    """Fill the fields of an event that are not given."""
    for name in fields:
        if name not in DEFAULTS or name == "pair":
            raise InputError(f"field {name!r} is not a field of an event; fields are {', '.join(sorted(DEFAULTS))}")
    return {**DEFAULTS, **fields, "ts": ts, "kind": int(kind)}


def check_row(event: Mapping[str, int], universe: Universe) -> None:
    """Refuse a code, a kind or a number out of range."""
    account, instrument = event["account"], event["instrument"]
    if not -1 <= account < len(universe.accounts):
        raise InputError(f"account={shown(account)} is not a code of this universe (0 to {len(universe.accounts) - 1})")
    if not -1 <= instrument < len(universe.instruments):
        raise InputError(f"instrument={shown(instrument)} is not a code of this universe")
    if event["kind"] not in KINDS:
        raise InputError(f"kind={shown(event['kind'])} is not a kind of event")
    if not -1 <= event["side"] <= (1 if event["kind"] in TRADED else max(TradingCommand)):
        raise InputError(f"side={shown(event['side'])} is not a side, flow or command")
    for name in ("qty", "price", "fee", "bid", "ask", "reserve", "stop"):
        if abs(event[name]) >= LARGEST and event[name] != MISSING:
            raise InputError(f"{name}={shown(event[name])} is beyond 64 bits; count in larger units")
    if event["kind"] not in TRADED:
        return
    if event["instrument"] < 0 or event["account"] < 0:
        raise InputError(f"{EventKind(event['kind']).name} needs an account and an instrument")
    if event["qty"] < 0 or (event["kind"] in (FILL, CORRECT) and event["price"] == MISSING):
        raise InputError(f"qty={shown(event['qty'])}, price={shown(event['price'])} are not those of an order or fill")


def check_order(event: Mapping[str, int], row: int, latest: int, first: int) -> None:
    """Refuse a journal row that refers to a later event, is earlier than the event before it, or extends a list.

    A list of orders is decided together, so its orders must be in one call, with rows from `first`.
    """
    if not -1 <= event["fill"] < row:
        raise InputError(f"fill={shown(event['fill'])} is not the number of an earlier event (0 to {row - 1})")
    if event["order"] > row or (event["order"] < -1 and event["kind"] == ORDER):
        raise InputError(f"order={shown(event['order'])} is not the number of an event so far (0 to {row})")
    if event["ts"] < latest and not event["flags"] & BAD_TS:
        raise InputError(f"ts={shown(event['ts'])} is earlier than the event before it, at {latest}")
    if event["batch"] != -1 and not first <= event["batch"] <= row:
        raise InputError(
            f"batch={shown(event['batch'])} is not an event of this call ({first} to {row}); give a list in one call"
        )
