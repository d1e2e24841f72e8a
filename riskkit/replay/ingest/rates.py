"""Convert exchange rates: a pair to the codes of its currencies, and a price, or bid and ask, to billionths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError, shown
from riskkit.replay.ingest import amount as scalars
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.numbers import count_in
from riskkit.replay.ingest.rows import DEFAULTS, Row
from riskkit.replay.schema.columns import MISSING, RATE_UNIT, EventKind
from riskkit.replay.schema.decimals import ROUND_IT
from riskkit.replay.schema.pairs import NO_PAIR, currencies_of, pair_code

UNIT = Fraction(1, RATE_UNIT)
HIGHEST = 10**8  # below it a rate in billionths leaves room for the products of a conversion
NO_RATE = "is not an exchange rate; a rate is above zero and below 100,000,000"
ONE_SIDE = "is not an exchange rate; an fx event has a price, or both bid and ask"
CROSSED = "is above the ask of the same exchange rate"
SIDES = ("price", "bid", "ask")


def rate_currencies(frame: Frame) -> list[str]:
    """The currencies of the exchange rates of a frame, in order of appearance."""
    rows = frame.rows_of(EventKind.FX)
    if not rows.any():
        return []
    frame.refuse(rows & frame.missing("pair"), "pair", NO_PAIR)
    found: dict[str, None] = {}
    for pair in frame.column("pair")[rows].unique():
        try:
            found |= dict.fromkeys(currencies_of(pair))
        except InputError:
            frame.refuse(rows & (frame.column("pair") == pair).to_numpy(bool, na_value=False), "pair", NO_PAIR)
    return list(found)


def rate_events(frame: Frame, columns: dict[str, np.ndarray], currencies: Sequence[str]) -> None:
    """Convert the pairs of FX events to qty, and their price, bid and ask."""
    rows = frame.rows_of(EventKind.FX)
    if not rows.any():
        return
    codes, found = pd.factorize(frame.column("pair").where(rows))
    table = np.array([*(pair_code(pair, currencies) for pair in found), 0], np.int64)
    columns["qty"] = np.where(rows, table[codes], columns["qty"])
    given = {name: rows & ~frame.missing(name) for name in SIDES}
    frame.refuse(rows & ~given["price"] & ~(given["bid"] & given["ask"]), "price", ONE_SIDE)
    frame.refuse(given["bid"] ^ given["ask"], "bid", ONE_SIDE)
    for name in SIDES:
        if not given[name].any():
            continue
        counted = count_in(frame, name, given[name], [UNIT], None)
        wrong = counted.bad | ~counted.positive | (counted.counts <= 0) | (counted.counts >= HIGHEST * RATE_UNIT)
        frame.refuse(given[name] & wrong, name, NO_RATE)
        frame.refuse(counted.off, name, f"is not an exchange rate with at most nine decimals; {ROUND_IT}")
        columns[name] = np.where(given[name], counted.counts, columns.get(name, np.full(frame.size, MISSING)))
    if given["bid"].any():
        frame.refuse(given["bid"] & (columns["bid"] > columns["ask"]), "bid", CROSSED)


def rate(value: Any, name: str, nearest: bool) -> int:
    """An exchange rate of a live event in billionths."""
    found = scalars.count(value, UNIT, name, nearest)
    if found.bad or found.steps <= 0 or not 0 < found.nearest < HIGHEST * RATE_UNIT:
        raise InputError(f"{name}={shown(value)} {NO_RATE}")
    if found.off:
        raise InputError(f"{name}={shown(value)} is not an exchange rate with at most nine decimals; {ROUND_IT}")
    return found.nearest


def rate_row(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live exchange rate as a row: its pair in qty, and price, bid and ask, each MISSING if not given."""
    code = pair_code(given.get("pair"), entries.universe.currencies)
    known = {name: given[name] for name in SIDES if name in given}
    if ("bid" in known) != ("ask" in known) or not known:
        lacking = "price" if not known else "ask" if "bid" in known else "bid"
        raise InputError(f"{lacking}=None {ONE_SIDE}")
    counted = {name: rate(value, name, entries.nearest) for name, value in known.items()}
    if "bid" in counted and counted["bid"] > counted["ask"]:
        raise InputError(f"bid={shown(given['bid'])} {CROSSED}")
    return [{**DEFAULTS, "ts": ts, "kind": int(EventKind.FX), "qty": code, **counted}]
