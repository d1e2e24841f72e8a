"""What a book tells its journal: one row a leg of what it took.

The rows say what a leg did (amount, money, profit) and what stood after it (held, cost), so that a reader finds the
present positions in the last row of each without adding up. Money and amounts are texts with every digit.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from riskkit._check import InputError
from riskkit.desk.amounts import Holding, Unit
from riskkit.desk.canonical import plain_id

__all__ = ["OPENINGS", "TRADES", "Journal", "JournalRow", "Key", "Scribe", "Standing"]

OPENINGS = ("state", "warm_up")
"""Kinds of events that hold a whole state."""
as_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
TRADES = ("update", "swap", "trade")
Key = tuple[str, str, str]
"""User, market, token."""


class Standing(NamedTuple):
    """A position as it stands, and the unit that it is counted in."""

    unit: Unit
    holding: Holding
    opened: int | None = None
    updated: int | None = None


class JournalRow(NamedTuple):
    """One line of a journal; None where a kind has no such thing."""

    kind: str
    """A trade (update, swap, trade), a whole state, or what else moves it (price, bar, period, limits, ...)."""
    role: str | None = None
    """trade, sell, buy or gas; position, where one is told without a trade; with a whole state, whose it is."""
    timestamp: int | None = None
    """Nanoseconds since the epoch, UTC."""
    user: str | None = None
    market: str | None = None
    token: str | None = None
    amount: str | None = None
    """Tokens of this leg, negative when they left."""
    money: str | None = None
    realised: str | None = None
    """Profit that this leg took."""
    held: str | None = None
    """Tokens after it."""
    cost: str | None = None
    """Of what is held after it."""
    profit: str | None = None
    """What the position had realised since it was opened, after it."""
    opened: int | None = None
    updated: int | None = None
    trade_id: str | None = None
    body: str | None = None
    """JSON of what the columns do not say."""


class Journal(Protocol):
    """Where a book writes what it takes, under its lock: first it asks, then it books, then it tells."""

    def ready(self, *texts: str | None) -> None:
        """Raise, if these texts cannot be written or the last ones could not; nothing is booked then."""

    def take(self, rows: list[JournalRow]) -> None:
        """Keep the rows of one event; this cannot fail."""


class Scribe:
    """Writes what a book takes, if somebody reads it; without a journal it does nothing.

    Parameters
    ----------
    quantum : Unit
        The smallest step of money.
    standing : callable
        From the key of a position to how it stands.
    """

    def __init__(self, quantum: Unit, standing: Callable[[Key], Standing]) -> None:
        self.quantum, self.standing = quantum, standing
        self.journal: Journal | None = None
        self.rows: list[JournalRow] = []
        self.trade_id: str | None = None
        self.body: str | None = None

    def ready(self, *texts: str | None, trade_id: Any = None) -> None:
        """Begin an event: raise, before anything is booked, if it could not be written."""
        if self.journal is None:
            return
        self.rows = []
        plain = plain_id(trade_id)
        self.trade_id = plain if plain is None or isinstance(plain, str) else as_json(plain)
        self.body = None if self.trade_id is plain else f'{{"trade_id":{self.trade_id}}}'
        self.journal.ready(*texts, self.trade_id)

    def follow(self, journal: Journal | None, opening: Callable[[], None] | None) -> None:
        """Write to a journal from now on, what `opening` tells first; None ends it."""
        if journal is not None and self.journal is not None:
            raise InputError("there is a journal already; close that one first")
        self.journal = journal
        try:
            if journal is not None and opening is not None:
                opening()
        except BaseException:
            self.journal = None
            raise

    def leg(self, kind: str, role: str, key: Key, lots: int, money: int, realised: int, stamp: int | None) -> None:
        """Note one leg of a trade, once it is booked."""
        if self.journal is None:
            return
        stands, quanta = self.standing(key), self.quantum.text
        traded = stands.unit.text(lots), quanta(money), quanta(realised)
        self.rows.append(JournalRow(kind, role, stamp, *key, *traded, *self._cells(stands)))

    def position(self, kind: str, key: Key) -> None:
        """Note a position as it stands, without a trade."""
        if self.journal is not None:
            untraded = None, None, None
            self.rows.append(JournalRow(kind, "position", None, *key, *untraded, *self._cells(self.standing(key))))

    def note(self, kind: str, **cells: Any) -> None:
        """Note what is about no position."""
        if self.journal is not None:
            self.rows.append(JournalRow(kind, **cells))

    def tell(self, state: Callable[[], Any]) -> None:
        """Hand over an event that holds a whole state, made only if somebody reads it."""
        if self.journal is not None:
            self.done(state())

    def done(self, body: Any = None) -> None:
        """Hand the event over; the id of a trade, and what no column says, go with its first row."""
        if self.journal is None:
            return
        written = self.body if body is None else as_json(body)
        if self.trade_id is not None or written is not None:
            self.rows[0] = self.rows[0]._replace(trade_id=self.trade_id, body=written)
        self.journal.take(self.rows)

    def _cells(self, stands: Standing) -> tuple[Any, ...]:
        """How a position stands, as the cells from `held` on."""
        holding, quanta = stands.holding, self.quantum.text
        held = stands.unit.text(holding.lots)
        return held, quanta(holding.cost), quanta(holding.realised), stands.opened, stands.updated
