"""Convert contract actions: adjusted and transferred positions, fundings, expiries and rolls.

An adjustment has lots in ``qty``, which come (``side`` B) or go (S), and in ``price`` their cost on one unit; without a price that is
the mark. A transfer is two of them, of one ``batch``. A roll is the row of the instrument that is closed, with its price, and one of
the other instrument with its price for each account that may hold the first, so that each has a position there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError, shown
from riskkit.replay.ingest import amount as scalars
from riskkit.replay.ingest.columns import FRAME_COLUMNS
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.numbers import count_in
from riskkit.replay.ingest.rows import DEFAULTS, Row, row_of
from riskkit.replay.ingest.snapshots import adjacent_rows
from riskkit.replay.schema.columns import RATE_UNIT, EventKind
from riskkit.replay.schema.decimals import ROUND_IT
from riskkit.replay.schema.universe import Instrument, Universe, decimal_text

UNIT = Fraction(1, RATE_UNIT)
NO_RATE = "is not a funding rate; a rate is a part of the value of a position, above -1 and below 1"
TOO_FINE = f"is not a funding rate with at most nine decimals; {ROUND_IT}"
SELF = "gives and gets; a transfer is between two accounts"
ALONE = "is rolled into nothing; a roll has a row of its instrument, then rows of one other instrument at one price"


def funding_events(frame: Frame, columns: dict[str, np.ndarray]) -> None:
    """Convert the rates of FUNDING events to qty."""
    rows = frame.rows_of(EventKind.FUNDING)
    if not rows.any():
        return
    counted = count_in(frame, "rate", rows & ~frame.missing("rate"), [UNIT], None)
    wrong = frame.missing("rate") | counted.bad | (np.abs(counted.counts) >= RATE_UNIT)
    frame.refuse(rows & wrong, "rate", NO_RATE)
    frame.refuse(rows & counted.off, "rate", TOO_FINE)
    columns["qty"] = np.where(rows, counted.counts, columns["qty"])


def action_batches(frame: Frame, stamps: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """First row of the transfer or roll of each row, -1 of other events: adjacent rows of a time and a batch label."""
    transfers = frame.rows_of(EventKind.ADJUST) & (labels >= 0)
    moved = adjacent_rows(transfers, stamps, labels)
    return np.maximum(moved, adjacent_rows(frame.rows_of(EventKind.ROLL), stamps, labels))


def check_transfers(frame: Frame, columns: Mapping[str, np.ndarray]) -> None:
    """Refuse a transfer in which an account gives or gets an instrument twice."""
    rows = np.flatnonzero(frame.rows_of(EventKind.ADJUST) & (columns["batch"] >= 0))
    twice = np.zeros(frame.size, bool)
    stated = pd.DataFrame({name: columns[name][rows] for name in ("batch", "pair")})
    twice[rows] = stated.duplicated().to_numpy()
    frame.refuse(twice, "account", SELF)


def check_rolls(frame: Frame, columns: Mapping[str, np.ndarray], universe: Universe) -> None:
    """Refuse a roll that is not from one instrument into one other."""
    rolls = frame.rows_of(EventKind.ROLL)
    if not rolls.any():
        return
    batch, code, price = columns["batch"], columns["instrument"], columns["price"]
    first = rolls & (batch == np.arange(frame.size))
    second = np.where(rolls, np.minimum(batch + 1, frame.size - 1), 0)
    alone = first & ((batch[second] != batch) | (code[second] == code) | (columns["account"] >= 0))
    mixed = rolls & ~first & ((code != code[second]) | (price != price[second]))
    frame.refuse(alone | mixed, "instrument", ALONE)
    for row in np.flatnonzero(first).tolist():
        why = misfit(universe.instruments[code[row]], universe.instruments[code[row + 1]])
        if why:
            frame.refuse_row(row + 1, "instrument", why)


def misfit(old: Instrument, new: Instrument) -> str:
    """Why positions in one instrument cannot be rolled into another one; empty if they can."""
    if old.currency != new.currency:
        return f"is in {new.currency}, and {old.id} in {old.currency}; a roll is in one currency"
    if (old.lot / new.lot).denominator != 1:
        return f"has a lot of {decimal_text(new.lot)}, and {old.id} one of {decimal_text(old.lot)}; what is rolled must be whole lots"
    return ""


def funding_row(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live funding as a row."""
    row = row_of(ts, EventKind.FUNDING, {"instrument": entries.instrument(given.get("instrument"))})
    found = scalars.count(given.get("rate"), UNIT, "rate", entries.nearest)
    if found.bad or abs(found.nearest) >= RATE_UNIT:
        raise InputError(f"rate={shown(given.get('rate'))} {NO_RATE}")
    if found.off:
        raise InputError(f"rate={shown(given.get('rate'))} {TOO_FINE}")
    return [{**row, "qty": found.nearest}]


def adjust_row(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live adjustment as a row."""
    row = {**DEFAULTS, "ts": ts, "kind": int(EventKind.ADJUST), "account": entries.account(given.get("account"))}
    row |= {"instrument": entries.instrument(given.get("instrument")), "side": scalars.side(given.get("side"))}
    traded = entries.universe.instruments[row["instrument"]]
    row["qty"] = scalars.quantity(given.get("qty"), traded, row, False, entries.nearest)
    if given.get("price") is not None:
        row["price"] = scalars.price(given["price"], traded, row, nearest=entries.nearest)
    entries.one_currency(row["account"], traded.currency)
    return [row]


def transfer_rows(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live transfer as two adjustments, for the journal's rows from `number` on."""
    rows = []
    for name, side in (("from", "S"), ("to", "B")):
        named = _label(given, name, "account")
        rows += adjust_row({**given, "account": named, "side": side}, entries, number, ts)
    if rows[0]["account"] == rows[1]["account"]:
        raise InputError(f"to={shown(given['to'])} {SELF}")
    return [{**row, "batch": number} for row in rows]


def _label(given: Mapping[str, Any], name: str, what: str) -> Any:
    """The account or instrument in a field of an event that has two of them."""
    if given.get(name) is None:
        raise InputError(f"{name}=None is not a label; give the {FRAME_COLUMNS[what]}")
    return given[name]


def roll_rows(
    given: Mapping[str, Any], holders: Callable[[int], Iterable[int]], entries: Entries, number: int, ts: int
) -> list[Row]:
    """A live roll as rows: `holders` are the accounts that have had a position in an instrument."""
    rows = []
    for name in ("from", "to"):
        one = entries.close(ts, instrument=_label(given, name, "instrument"), price=given.get(f"{name}_price"))
        rows.append({**one, "kind": int(EventKind.ROLL), "batch": number})
    old, new = (entries.universe.instruments[row["instrument"]] for row in rows)
    if old is new:
        raise InputError(f"to={shown(given['to'])} {ALONE}")
    if why := misfit(old, new):
        raise InputError(f"to={shown(given['to'])} {why}")
    accounts = sorted(holders(rows[0]["instrument"]))
    return [rows[0], *({**rows[1], "account": account} for account in accounts or [-1])]
