"""The frame under conversion: which columns it may have, typed access to them, and sentences that name a row."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError
from riskkit.replay.columns import Kind

__all__ = ["FRAME_COLUMNS", "Frame"]

FRAME_COLUMNS: dict[str, str] = {
    "ts": "time: Timestamp, or int64 nanoseconds since the epoch",
    "kind": "order, modify, cancel, fill, price, ack, error, cash, equity, trade, execution, clock, session, control",
    "account": "label of the account",
    "instrument": "label of the instrument",
    "side": "B or S (buy, sell, +1, -1); long or short of a trade",
    "qty": "quantity, above zero; of a modify the new quantity in all, 0 or empty to leave it",
    "price": "limit price, fill price, last price; of a modify the new price, empty to leave it",
    "type": "limit (default) or market: a market order has no price",
    "order_id": "id of an order; on a fill, modify or cancel the order that it belongs to",
    "trade_id": "id of a fill; a second fill of an account with the same id is a duplicate",
    "fee": "fee of a fill, in money",
    "bid": "best bid of a price event",
    "ask": "best ask of a price event",
    "strategy": "label of the strategy; a fill, modify or cancel without one takes its order's",
    "connection": "label of the login that a message came through; a modify or cancel without one takes its order's",
    "parent_id": "order_id of the parent order, an earlier row",
    "batch": "orders with one batch id are one list, decided together: one account, one time, rows side by side",
    "children": "how many messages a modify, or a list (on its first order), stands for",
    "reduce_only": "True: the order or modify may only reduce a position",
    "reserve": "the highest price that a buy may be moved to",
    "expires": "when a working order lapses (a time, or 'session'); it no longer works for events at that time",
    "amount": "money of a cash event, negative for a withdrawal",
    "currency": "currency of a cash event; by default the account's own, the first that it declares",
    "flow": "deposit (default), fee, funding or dividend: what a cash event is",
    "equity": "equity of an account, given from outside",
    "pnl": "profit of a closed trade, in money",
    "ret": "return of a closed trade, as a fraction",
    "exit": "stop_loss or any other word: why a trade was closed",
    "cmd": "ACTIVE, REDUCING, HALTED, PAUSE, RESUME or RESET",
}

OTHER_NAMES = {
    "time": "ts",
    "timestamp": "ts",
    "event": "kind",
    "symbol": "instrument",
    "ticker": "instrument",
    "quantity": "qty",
    "size": "qty",
    "volume": "qty",
    "last": "price",
    "commission": "fee",
    "fees": "fee",
    "session": "connection",
    "ccy": "currency",
}


class Frame:
    """Columns by name, which rows lack a value, and refusals with the row as the caller's frame counts it.

    ``kind`` is set as soon as it is known; `rows_of` then answers from it. ``places`` gives the row in the caller's
    frame where the events have been sorted since.
    """

    def __init__(self, frame: Any) -> None:
        if not isinstance(frame, pd.DataFrame):
            raise InputError(f"frame is a {type(frame).__name__}; give a pandas DataFrame with a row for each event")
        for place, name in enumerate(frame.columns):
            if name not in FRAME_COLUMNS:
                known = OTHER_NAMES.get(str(name).lower())
                close = [known] if known else difflib.get_close_matches(str(name), FRAME_COLUMNS, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"known columns are {', '.join(FRAME_COLUMNS)}"
                raise InputError(f"column {str(name)!r} is not known; {hint}")
            if name in frame.columns[:place]:
                raise InputError(f"column {name!r} occurs twice; each column stands once")
        for name in ("ts", "kind"):
            if name not in frame.columns:
                raise InputError(f"column {name!r} is missing: {FRAME_COLUMNS[name]}")
        self.frame = frame
        self.size = len(frame)
        self.places: np.ndarray | None = None
        self.kind = np.zeros(self.size, np.int8)
        self._missing: dict[str, np.ndarray] = {}
        self._rows_of: dict[tuple[Kind, ...], np.ndarray] = {}

    def in_order(self, order: np.ndarray) -> Frame:
        """The same events in another order, which remembers where they came from."""
        moved = Frame(self.frame.iloc[order].reset_index(drop=True))
        moved.places = order
        return moved

    def with_column(self, name: str, values: pd.Series) -> Frame:
        """The same events with another column of that name."""
        changed = Frame(self.frame.assign(**{name: values}))
        changed.places, changed.kind = self.places, self.kind
        return changed

    def has(self, name: str) -> bool:
        """Whether the frame has the column."""
        return name in self.frame.columns

    def column(self, name: str) -> pd.Series:
        """A column as it came."""
        return self.frame[name]

    def missing(self, name: str) -> np.ndarray:
        """Where a column has no value (everywhere if there is no such column)."""
        if name not in self._missing:
            absent = self.column(name).isna().to_numpy() if self.has(name) else np.ones(self.size, bool)
            self._missing[name] = absent
        return self._missing[name]

    def rows_of(self, *kinds: Kind) -> np.ndarray:
        """Rows of these kinds of event, as a mask that nobody changes."""
        if kinds not in self._rows_of:
            wanted = np.zeros(len(Kind), bool)
            wanted[[int(kind) for kind in kinds]] = True
            self._rows_of[kinds] = wanted[self.kind]
        return self._rows_of[kinds]

    def place(self, row: int) -> int:
        """The row of the caller's frame that an event came from, counted from 0."""
        return int(row if self.places is None else self.places[row])

    def refuse(self, rows: np.ndarray, name: str, why: str | Callable[[int], str]) -> None:
        """Raise a sentence for the first of `rows` (a mask), if there is any."""
        if rows.any():
            self.refuse_row(int(np.flatnonzero(rows)[0]), name, why)

    def refuse_row(self, row: int, name: str, why: str | Callable[[int], str]) -> None:
        """Raise the sentence: the row, the column, what came, and why it does not fit."""
        came = self.column(name).iloc[row] if self.has(name) else None
        came = came.item() if isinstance(came, np.generic) else came
        number = self.has(name) and pd.api.types.is_numeric_dtype(self.column(name).dtype)
        shown = "nothing" if pd.isna(came) is True and not number else repr(came)
        reason = why if isinstance(why, str) else why(row)
        raise InputError(f"row {self.place(row)}, column {name!r}: {shown} {reason}")
