"""Convert credit: amounts that are reserved, and reservations that are finished.

A reservation is named like an order, and has its own row in ``order``; its id is that of its account. A step that names no reservation
has none there, which is for the loop to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError, shown
from riskkit.replay.ingest import amount as scalars
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.ingest.rows import Row
from riskkit.replay.schema.columns import CreditStep, EventKind

WITH_AMOUNT = (int(CreditStep.RESERVE), int(CreditStep.RELEASE))
NO_ID = "is not the id of a reservation; every step of credit names one"
NO_AMOUNT = "is not an amount of money above zero, which a reserve and a release have"
NO_PART = "is of a reserve or a release; a commit and a rollback are of all that is reserved"
NO_CURRENCY = "is of a reserve; the other steps are in its currency"


def reservation_text(account: Any, label: Any) -> str:
    """The id of a reservation among those of orders.

    Examples
    --------
    >>> reservation_text("A", 7)
    'reservation 7 of A'
    """
    return f"reservation {label_text(label)} of {label_text(account)}"


def name_reservations(frame: Frame) -> Frame:
    """The same events, with the ids of reservations among those of orders."""
    rows = frame.rows_of(EventKind.CREDIT)
    if not rows.any():
        return frame
    frame.refuse(rows & frame.missing("reserve_id"), "reserve_id", NO_ID)
    codes, found = pd.factorize(frame.column("reserve_id"))
    frame.check_names("reserve_id", codes, found)
    frame.refuse(rows & ~frame.missing("order_id"), "order_id", "is of no order here; credit has a reserve_id")
    named = frame.column("order_id").astype(object).copy() if frame.has("order_id") else pd.Series([None] * frame.size)
    whose = frame.column("account") if frame.has("account") else named
    for row in np.flatnonzero(rows & ~frame.missing("account")).tolist():
        named.iloc[row] = reservation_text(whose.iloc[row], frame.column("reserve_id").iloc[row])
    return frame.with_column("order_id", named)


def check_amounts(frame: Frame, columns: Mapping[str, np.ndarray]) -> None:
    """Refuse an amount or a currency that does not fit its step."""
    rows = frame.rows_of(EventKind.CREDIT)
    if not rows.any():
        return
    counted = rows & np.isin(columns["side"], WITH_AMOUNT)
    frame.refuse(counted & (columns["qty"] <= 0), "amount", NO_AMOUNT)
    frame.refuse(rows & ~counted & ~frame.missing("amount"), "amount", NO_PART)
    named = rows & (columns["side"] != CreditStep.RESERVE) & ~frame.missing("currency")
    frame.refuse(named, "currency", NO_CURRENCY)


def credit_row(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live step of credit as the journal's row `number`."""
    if given.get("reserve_id") is None:
        raise InputError(f"reserve_id=None {NO_ID}")
    step = scalars.word(given.get("step"), CreditStep, "step")
    amount, currency = given.get("amount"), given.get("currency")
    if step not in WITH_AMOUNT and amount is not None:
        raise InputError(f"amount={shown(amount)} {NO_PART}")
    if step != CreditStep.RESERVE and currency is not None:
        raise InputError(f"currency={shown(currency)} {NO_CURRENCY}")
    row = entries.cash(ts, account=given.get("account"), amount=0 if amount is None else amount, currency=currency)
    if step in WITH_AMOUNT and row["qty"] <= 0:
        raise InputError(f"amount={shown(amount)} {NO_AMOUNT}")
    label = reservation_text(given["account"], given["reserve_id"])
    known = entries.orders.find(label, row["account"], entries.universe.accounts)
    if step == CreditStep.RESERVE:
        entries.orders.refuse_reuse(label, row["account"], ts)
    order = number if step == CreditStep.RESERVE else known.row if known is not None else -1
    return [{**row, "kind": int(EventKind.CREDIT), "side": step, "order": order}]
