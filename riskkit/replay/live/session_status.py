"""Status of a live session: books, states and utilization of limits, as of one event.

A `SessionStatus` has a copy of the session's state, so it does not change while the session goes on, and all its values are as of
the same event. The copy shares with the one before what has not changed since (`riskkit.replay.live.state_copies`); tables of
all accounts are made by who reads them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._jit import plain
from riskkit._show import Row, Shown, frame_of
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.state import Calendars, State
from riskkit.replay.ingest.rows import DEFAULTS
from riskkit.replay.kernels.book import notional
from riskkit.replay.kernels.records import Records
from riskkit.replay.kernels.runtime import ROW
from riskkit.replay.kernels.workspace import joined
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.live.state_copies import StateCopies
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.decisions import DecisionFormatter, books_of
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.results.states import words_of
from riskkit.replay.rules.rule import parameter_names
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import Universe

if TYPE_CHECKING:
    import pandas as pd

    from riskkit.replay.live.column_door import ColumnDoor

USE = ("rule", "key", "observed", "limit", "headroom", "unit", "paused")
"""Columns of `SessionStatus.utilization`."""
TEXTS = ("rule", "key", "unit", "state")


class SessionStatus(Shown):
    """A live session as of its last event.

    Attributes
    ----------
    size : int
        Number of events so far.
    ts : int
        Time of the last one, nanoseconds since the epoch (0 before the first).
    copy : Copy
        The integer state in pages, without the records of single orders and fills, whose number grows with the journal.
    """

    def __init__(self, live: Engine, copies: StateCopies | None = None) -> None:
        self.size = live.size
        self.ts = live.latest if live.latest != MISSING else 0
        self.copy = (copies or StateCopies()).take(live)
        self.rules, self._params, self._in_force = live.rules, live.params, live.history.stretches[-1].on
        self._labels, self._marked = live.labels, live.marked
        self._settings = live.history, live.mode, live.options
        self._label_sizes = _sizes(self._labels)

    def is_of(self, live: Engine) -> bool:
        """True if an engine has taken no event since."""
        settings = self.size == live.size and self._settings[0] is live.history and self._labels is live.labels
        return settings and self._label_sizes == _sizes(live.labels)

    @cached_property
    def universe(self) -> Universe:
        """The labels and units."""
        return self._labels.at(self._label_sizes) if isinstance(self._labels, OpenUniverse) else self._labels

    @cached_property
    def state(self) -> State:
        """The same as arrays."""
        return self.copy.state()

    @cached_property
    def _books(self) -> ReplayResult:
        """The books as a result without events."""
        history, mode, options = self._settings
        pairs = self.state.positions[1:]
        log = EventLog({"ts": np.array([self.ts])}, pairs["account"], pairs["instrument"], self.universe)
        days, samples = Calendars((), np.zeros(0, np.int64), ()), Samples.none(len(self.universe.accounts))
        return ReplayResult(
            log, history, mode, options, np.zeros(0, ROW), self.state, days, samples, marked=self._marked
        )

    def accounts(self) -> pd.DataFrame:
        """Cash, value, equity, profit, realised, fees and maximum drawdown of each account, in money."""
        return self._books.accounts()

    def positions(self) -> pd.DataFrame:
        """Quantity, cost and value of each position."""
        return self._books.positions()

    def position(self, account: str, instrument: str) -> float:
        """Quantity held of an instrument, negative for short."""
        held = {label: quantity for label, quantity, _ in self.holdings(account)}
        return held.get(instrument, 0.0)

    def holdings(self, account: str) -> list[tuple[str, float, float]]:
        """Instrument, quantity and value in money, at the last mark, of each position of an account; [] if it is not known.

        It reads the positions of this account alone, where `positions` makes a table of all.
        """
        tables, money, found = self.copy.tables, float(self._labels.quantum), []
        for pair in self._pairs_of(account):
            position = tables["positions"].record(pair + 1)
            traded, value = tables["instruments"].record(position.instrument + 1), position.value
            if not self._marked and position.qty != 0 and traded.mark != MISSING:
                value = notional(traded, position.qty, traded.mark)
            instrument = self._labels.instruments[position.instrument]
            found.append((instrument.id, float(position.qty * instrument.qty_step), value * money))
        return found

    def drawdown(self, account: str) -> float | None:
        """The largest drawdown of an account's profit, in money; None as `accounts` has NaN, or if it is not known."""
        code = self._code_of(account)
        if code is None or not self._marked:
            return None
        positions, labels = self.copy.tables["positions"], self._labels
        traded = [int(positions[pair + 1]["instrument"]) for pair in self._pairs_of(account)]
        currencies = {labels.instruments[code].currency for code in traded}
        if len(currencies.union(labels.accounts[code].cash)) > 1:
            return None
        return float(int(self.copy.accounts[code + 1]["drawdown"]) * float(labels.quantum))

    def _code_of(self, account: str) -> int | None:
        """The code of an account that was known by then."""
        code = self._labels.account_codes.get(account)
        return code if code is not None and code + 1 < self.copy.sizes["accounts"] else None

    def _pairs_of(self, account: str) -> Iterator[int]:
        """The pairs of an account; none if it is not known."""
        code = self._code_of(account)
        return iter(()) if code is None else self.copy.pairs_of(code)

    def states(self) -> dict[str, str]:
        """ACTIVE, REDUCING, HALTED or PAUSED, by account."""
        return self._books.states()

    def state_of(self, account: str) -> str | None:
        """The state of one account; None if it is not known."""
        code = self._code_of(account)
        return None if code is None else words_of(self._settings[0], self.copy, self.ts)(code)

    def utilization(self) -> pd.DataFrame:
        """Utilization of each cumulative limit, one row per rule and key: observed, limit, headroom, unit, paused.

        Limits on single orders (size, price, ...) are not among them.
        """
        return frame_of({name: [use[name] for use in self.uses] for name in USE}, TEXTS)

    @cached_property
    def uses(self) -> list[dict[str, Any]]:
        """The rows of `utilization`."""
        formatter, books = DecisionFormatter(self.rules, self.universe, self._params), books_of(self.state)
        found: list[dict[str, Any]] = []
        standing = [k for k, rule in enumerate(self.rules) if rule.kind.standing and k in self._in_force]
        state = self._before_advancing(standing)
        for k in standing:
            rule, records = self.rules[k], Records(state.rules[k], 1)
            for key, record in enumerate(records):
                event = {**DEFAULTS, "ts": self.ts, "account": record.owner}
                if rule.scope == "account_instrument":
                    event |= {"pair": key, "instrument": int(state.positions["instrument"][key + 1])}
                if rule.kind.evict is not None:
                    fields = int(EventKind.ORDER), record.owner, -1, -1, 0, 0, MISSING, -1
                    order = EventRow(self.size, self.ts, *fields, weight=LARGEST)  # to drop all old entries
                    values = {
                        "state": record,
                        "params": formatter.params_of(k, record),
                        "event": order,
                        "memory": state.memory,
                    }
                    plain(rule.kind.evict)(*(values[name] for name in parameter_names(rule.kind.evict)))
                reading = formatter.probe(k, key, state, event, books)
                row = {
                    "rule": rule.id,
                    "key": formatter.key_of(rule, key, state.positions),
                    "observed": reading.observed,
                }
                row |= {"limit": reading.limit, "headroom": reading.headroom, "unit": reading.unit}
                found.append({**row, "paused": record.held_until > self.ts})
        return found

    def _before_advancing(self, standing: list[int]) -> State:
        """The state, with a copy of what changes when the windows of standing rules are advanced to the present."""
        advanced = [k for k in standing if self.rules[k].kind.evict is not None]
        if not advanced:
            return self.state
        rules = [array.copy() if k in advanced else array for k, array in enumerate(self.state.rules)]
        return replace(self.state, rules=rules, memory=joined([self.state.memory]))

    def _title(self) -> str:
        return f"Live session after {self.size:,} events"

    def _rows(self) -> list[Row]:
        return [(account, state, "") for account, state in self.states().items()]


def _sizes(labels: Any) -> tuple[int, ...]:
    return labels.sizes if isinstance(labels, OpenUniverse) else ()


class Readable:
    """A session whose readers do not wait for its writers.

    A reader that comes while a call is at work gets what was published last, and asks for more: the call, or the next one,
    publishes the state as of its last event, once, and swaps it in whole. So it costs a copy of what has changed for each such
    read, and nothing where nobody reads.
    """

    _live: Engine
    _lock: threading.RLock
    _door: ColumnDoor
    _published: SessionStatus | None = None
    _copies: StateCopies | None = None
    _asked = False

    def status(self) -> SessionStatus:
        """Positions, states and utilization as of the last event, as a copy.

        While another thread is in a call, they are those that were published last, which is not before the last read; only
        the first read waits for the call.
        """
        if not self._lock.acquire(blocking=self._published is None):
            self._asked = True
            self._door.shut()
            assert self._published is not None
            return self._published
        try:
            return self._renewed()
        finally:
            self._lock.release()

    def _publish(self) -> None:
        """Publish the state, if somebody asked for it."""
        if self._asked:
            self._asked = False
            self._renewed()

    def _renewed(self) -> SessionStatus:
        """The status as of the last event."""
        if self._published is None or not self._published.is_of(self._live):
            self._copies = self._copies or StateCopies()
            self._published = SessionStatus(self._live, self._copies)
        return self._published
