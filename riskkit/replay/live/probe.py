"""What would be said of an order now, without any change.

The order is taken, answered and undone: an order that nobody can refer to changes the records of its rules, some counts and the
bound on amounts, which are put back. Where it would change more (a new day, an order that lapses, a first order of a pair, the
child of an order, a rule whose workspace is shared or whose limit is converted), it is taken by a copy of the engine.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from riskkit.replay.engine.state import words_per_key
from riskkit.replay.ingest.event import Entries, Row
from riskkit.replay.ingest.fields import given_fields
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.journal import duplicate_fields
from riskkit.replay.live.lapses import lapsed
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.results.decisions import Decision, DecisionFormatter
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import RowFlag
from riskkit.replay.schema.scopes import key_of

Part = tuple[np.ndarray, Any]  # of a table, by an index


@contextmanager
def passing(engine: Engine, rows: Sequence[Row]) -> Iterator[Engine]:
    """An engine that may take the rows; the given one is as before at the end."""
    if not _is_local(engine, rows):
        yield engine.twin()
        return
    (row,) = rows
    engine.make_room(1)
    engine.since(engine.size)  # moves the rows of compiled steps to its blocks
    journal, blocks = engine.journal, len(engine.blocks)
    kept = [(table, index, table[index].copy()) for table, index in _touched(engine, row)]
    identical = duplicate_fields(row)
    before = journal.last_like.get(identical)
    try:
        yield engine
    finally:
        for table, index, values in kept:
            table[index] = values
        del engine.blocks[blocks:]
        if before is None:
            journal.last_like.pop(identical, None)
        else:
            journal.last_like[identical] = before


def _is_local(engine: Engine, rows: Sequence[Row]) -> bool:
    """True if all that the rows change is `_touched`."""
    row = rows[-1]
    return (
        len(rows) == 1
        and engine.size > 0
        and (row["account"], row["instrument"]) in engine.journal.pairs
        and row["parent"] < 0
        and not row["flags"] & RowFlag.BAD_TS
        and row["ts"] < engine.tables.counts[Counter.NEXT_TURN]
        and engine.options["on_trip"] == "leave"
        and not any(_reaches_further(rule) for rule in engine.rules)
    )


def _reaches_further(rule: Rule) -> bool:
    """True if a rule changes what others use: a workspace, the queues, or what is converted to its currency."""
    return bool(rule.currency or rule.kind.shared_workspace or rule.kind.nodes_per_event)


def _touched(engine: Engine, row: Row) -> Iterator[Part]:
    """The parts of the tables that an order without an id may change."""
    journal, state = engine.journal, engine.tables
    yield journal.head, slice(0, len(journal.head))
    yield state.counts, slice(None)
    yield engine.reach.words, 0
    yield engine.reach.words, engine.reach.of(row["instrument"])
    event = {**row, "pair": journal.pairs[row["account"], row["instrument"]]}
    for k, (rule, params) in enumerate(zip(engine.rules, engine.params, strict=True)):
        table, key = state.rules[k], key_of(rule.scope, event, state)
        if key < 0:
            continue
        yield table, key + 1
        if rule.kind.workspace_size:
            first = int(table["memory"][key + 1])
            yield state.memory, slice(first, first + words_per_key(rule, params, len(table) - 1))


class Probing(ABC):
    """A session that can be asked."""

    _live: Engine
    _lock: threading.RLock
    _lapses: list[tuple[int, int]]
    _formatter: DecisionFormatter

    @abstractmethod
    def _settle(self) -> None:
        """Complete what an interrupted call left."""

    @abstractmethod
    def _time(self, ts: Any, untimed: bool) -> tuple[int, bool]:
        """The time of an event, and whether it is late."""

    @abstractmethod
    def _with_newcomers(self, labels: Sequence[Mapping[str, Any]], pair: Any) -> tuple[Engine, Entries]:
        """The engine and the entries with the new labels of an event."""

    def probe(self, *, ts: Any = None, **fields: Any) -> list[Decision]:
        """What `process_order` would say of an order now (none: it would pass); nothing changes.

        Parameters
        ----------
        ts : int or Timestamp, optional
            Time of the order; by default that of the last event.
        **fields
            As for `process_order`.

        Returns
        -------
        list of Decision
            On the order itself; not the ends of pauses that are over by then.

        Raises
        ------
        InputError
            If a field does not fit.

        Examples
        --------
        >>> import riskkit as rk
        >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
        >>> session = rk.Session.create(rules, [rk.Instrument("X")], ["A"], compiled=False)
        >>> before = session.digest
        >>> order = {"account": "A", "instrument": "X", "side": "B", "price": 100}
        >>> session.probe(qty=5, **order), [str(action.action) for action in session.probe(qty=6, **order)]
        ([], ['REJECT'])
        >>> session.digest == before
        True
        """
        with self._lock:
            self._settle()
            given = given_fields("order", fields)
            universe = self._live.labels
            assert isinstance(universe, OpenUniverse)
            before = universe.sizes
            try:
                return self._probed(ts, given)
            finally:
                universe.shrink(before)

    def _probed(self, ts: Any, given: Mapping[str, Any]) -> list[Decision]:
        now, late = self._time(ts, untimed=True)
        live, entries = self._with_newcomers((given,), None)
        due = [] if late else lapsed(self._lapses, self._live.row, now)
        row = entries.order(self._live.size + len(due), now, **given)
        row["order"] = -1  # nobody will refer to it
        row["flags"] |= int(RowFlag.BAD_TS) * late
        rows, formatter = [*due, row], self._formatter
        if live is not self._live:
            formatter = DecisionFormatter(live.rules, live.labels)
        with passing(live, rows) as engine:
            engine.take(rows)
            number = engine.size - 1
            found = formatter.actions(engine.since(number), {number: row}, engine.tables)
            for action in found:
                str(action.reason)  # made while the labels and records that it names are there
            return found
