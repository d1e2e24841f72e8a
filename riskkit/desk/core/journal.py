"""Journal of the events of a position tracker or a risk manager: one row per leg of an event.

A row says what the leg did (amount, money, profit) and the position after it (held, cost), so that a reader finds the
current positions in the last row of each, without adding up. Money and amounts are texts with every digit.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, Protocol

from riskkit._commit import Change
from riskkit.desk.core.exact import CostBasis, Step
from riskkit.desk.core.state_digest import plain_id

OPENINGS = ("state", "warm_up")
"""Kinds of events that contain the complete state."""
TRADES = ("update", "swap", "trade")
"""Kinds of events that are trades."""
Key = tuple[str, str, str]
"""User, market, token."""
as_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class PositionRow(NamedTuple):
    """A position at the time of a row, and the step of its quantity."""

    lot: Step
    basis: CostBasis
    opened: int | None = None
    updated: int | None = None


class JournalRow(NamedTuple):
    """One row of a journal; None where the kind of event has no such field."""

    kind: str
    """A trade (update, swap, trade), a complete state, or another event (price, bar, period, limits, ...)."""
    role: str | None = None
    """trade, sell, buy or gas; position for one without a trade; the class of the writer for a complete state."""
    timestamp: int | None = None
    """Nanoseconds since the epoch, UTC."""
    user: str | None = None
    market: str | None = None
    token: str | None = None
    amount: str | None = None
    """Units of this leg, negative for a sale."""
    money: str | None = None
    realized: str | None = None
    """Profit that this leg realized, in money."""
    held: str | None = None
    """Units after the leg."""
    cost: str | None = None
    """Cost of the units held after the leg, in money."""
    profit: str | None = None
    """Profit that the position has realized since it was opened, after the leg, in money."""
    opened: int | None = None
    updated: int | None = None
    trade_id: str | None = None
    body: str | None = None
    """JSON of the fields without a column."""


class Journal(Protocol):
    """Destination of events: `ready`, then `prepared`, whose changes are committed with those of the book, under its lock."""

    def ready(self, *texts: str | None) -> None:
        """Raise if these texts, or the rows before them, cannot be written; the event is then not booked."""

    def prepared(self, event: list[JournalRow]) -> list[Change]:
        """The changes that add the rows of one event, for `commit`."""


class Writer:
    """Writes the events of a book to its journal; without a journal it does nothing.

    Parameters
    ----------
    quantum : Step
        The smallest step of money.
    journal : Journal, optional
    """

    def __init__(self, quantum: Step, journal: Journal | None = None) -> None:
        self.quantum, self.journal = quantum, journal
        self.rows: list[JournalRow] = []
        self.trade_id: str | None = None
        self.body: str | None = None

    def begin(self, *texts: str | None, trade_id: Any = None) -> None:
        """Begin an event: raise, before anything is booked, if it cannot be written."""
        if self.journal is None:
            return
        self.rows = []
        plain = plain_id(trade_id)
        self.trade_id = plain if plain is None or isinstance(plain, str) else as_json(plain)
        self.body = None if self.trade_id is plain else f'{{"trade_id":{self.trade_id}}}'
        self.journal.ready(*texts, self.trade_id)

    def leg(
        self,
        kind: str,
        role: str,
        key: Key,
        row: PositionRow,
        lots: int,
        money: int,
        realized: int,
        timestamp: int | None,
    ) -> None:
        """Add one leg of a trade, with the position after it."""
        if self.journal is None:
            return
        quanta = self.quantum.text
        traded = row.lot.text(lots), quanta(money), quanta(realized)
        self.rows.append(JournalRow(kind, role, timestamp, *key, *traded, *self._after(row)))

    def position(self, kind: str, key: Key, row: PositionRow) -> None:
        """Add a position without a trade."""
        if self.journal is not None:
            untraded = None, None, None
            self.rows.append(JournalRow(kind, "position", None, *key, *untraded, *self._after(row)))

    def event(self, kind: str, **fields: Any) -> None:
        """Add a row that concerns no position."""
        if self.journal is not None:
            self.rows.append(JournalRow(kind, **fields))

    def finish(self, body: Any = None) -> list[Change]:
        """The changes that add the event to the journal; the trade id and the body go into its first row.

        Parameters
        ----------
        body : optional
            Plain data, or a function that makes them, called only if a journal is attached.
        """
        if self.journal is None:
            return []
        written = self.body if body is None else as_json(body() if callable(body) else body)
        if self.trade_id is not None or written is not None:
            self.rows[0] = self.rows[0]._replace(trade_id=self.trade_id, body=written)
        return self.journal.prepared(self.rows)

    def _after(self, row: PositionRow) -> tuple[Any, ...]:
        """The fields from `held` on."""
        basis, quanta = row.basis, self.quantum.text
        return row.lot.text(basis.lots), quanta(basis.cost), quanta(basis.realized), row.opened, row.updated
