"""What would be said of an order now, without any change.

The order is taken, answered and undone: an order that nobody can refer to changes the records of its rules, some counts and
the bound on amounts, which are put back. A plain order is taken by the door, so that a probe costs what an order costs. Where
it would change more (a new day, an order that lapses, a first order of a pair, the child of an order, a rule whose workspace is
shared or whose limit is converted), it is taken by a copy of the engine.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.engine.state import words_per_key
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.fields import given_fields
from riskkit.replay.ingest.rows import DEFAULTS, Row
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.live.column_door import ColumnDoor
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.journal import duplicate_fields
from riskkit.replay.live.lapses import lapsed
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.results.decisions import Decision, DecisionFormatter
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import MISSING, RowFlag
from riskkit.replay.schema.scopes import key_of

Part = tuple[np.ndarray, Any]  # of a table, by an index
NEXT_TURN = int(Counter.NEXT_TURN)
PLAIN = frozenset({"account", "instrument", "side", "qty", "price", "order_id", "strategy", "connection"})


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
        and row["order"] < 0
        and not row["flags"] & RowFlag.BAD_TS
        and row["ts"] < engine.tables.counts[Counter.NEXT_TURN]
        and engine.options["on_trip"] == "leave"
        and not any(_reaches_further(rule) for rule in engine.rules)
    )


def _tells_of_its_working(engine: Engine) -> bool:
    """True if what is told of an order counts the order itself once it works, which one without an id never does."""
    return any(rule.opening for rule in engine.loop.shape.rules)


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


class Undo(NamedTuple):
    """The memory that an order of an account in an instrument may change, and the counts of the state."""

    parts: tuple[memoryview, ...]
    counts: memoryview

    @classmethod
    def of(cls, engine: Engine, account: int, instrument: int) -> Undo | None:
        """That of a plain order; None if it may change more."""
        row = {**DEFAULTS, "ts": MISSING, "account": account, "instrument": instrument}
        if not _is_local(engine, [row]):
            return None
        parts = [table[_span(table, index)].view(np.uint8).data for table, index in _touched(engine, row)]
        return cls(tuple(parts), engine.tables.counts.data)


def _span(table: np.ndarray, index: Any) -> slice:
    """An index of one row or several, as a slice of the table's first axis."""
    return index if isinstance(index, slice) else slice(index, index + 1)


class Probing(ABC):
    """A session that can be asked."""

    _live: Engine
    _door: ColumnDoor
    _lock: threading.RLock
    # of the arguments of a loop and of a bound
    _undo: tuple[Any, Any, dict[tuple[int, int], Undo | None]] = None, None, {}
    _lapses: list[tuple[int, int]]
    _formatter: DecisionFormatter

    @abstractmethod
    def _refused(self, used: int) -> Decision | None:
        """The decision on the event that the door took last, if it is one refusal."""

    @abstractmethod
    def _told(self, used: int) -> list[Decision]:
        """All decisions on that event."""

    @abstractmethod
    def _refuse_stopped(self) -> None:
        """Raise if the session takes no more events."""

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
            self._refuse_stopped()
            if fields.keys() <= PLAIN:
                found = self._at_the_door(ts, **fields)
                if found is not None:
                    return found
            self._settle()
            given = given_fields("order", fields)
            universe = self._live.labels
            assert isinstance(universe, OpenUniverse)
            before = universe.sizes
            try:
                return self._probed(ts, given)
            finally:
                universe.shrink(before)

    def _at_the_door(
        self,
        ts: Any = None,
        account: Any = None,
        instrument: Any = None,
        side: Any = None,
        qty: Any = None,
        price: Any = None,
        order_id: Any = None,
        strategy: Any = None,
        connection: Any = None,
    ) -> list[Decision] | None:
        """The decisions on a plain order, which the door takes and which is undone; None if it is not plain."""
        door, live = self._door, self._live
        try:
            codes = door.codes(account, instrument)
        except TypeError:  # a list, ...
            return None
        if codes is None or not door.is_open or live.finds_duplicates:
            return None
        now = live.latest if ts is None else ts
        undo = self._undo_of(codes)
        if undo is None or type(now) is not int or now >= undo.counts[NEXT_TURN]:
            return None
        if order_id is not None and (not door.is_unused(order_id, codes[0], now) or _tells_of_its_working(live)):
            return None
        kept, before = door.kept, [part.tobytes() for part in undo.parts]
        try:
            used = door.order(now, account, instrument, side, qty, price, None, strategy, connection)
            if used <= 0:
                return None if used else []
            refused = self._refused(used)
            if refused is not None:
                return [refused]
            found = self._told(used)
            for action in found:
                str(action.reason)  # made while the records that it names are there
            return found
        finally:
            for part, values in zip(undo.parts, before, strict=True):
                part[:] = values
            door.kept = kept

    def _undo_of(self, codes: tuple[int, int, int]) -> Undo | None:
        """What is to be put back after an order, found once as long as the tables stay where they are."""
        live = self._live
        arguments, bound, known = self._undo
        if arguments is not live.arguments or bound is not live.reach.words:
            known = {}
            self._undo = live.arguments, live.reach.words, known
        key = codes[:2]
        if key not in known:
            known[key] = Undo.of(live, *key)
        return known[key]

    def _probed(self, ts: Any, given: Mapping[str, Any]) -> list[Decision]:
        now, late = self._time(ts, untimed=True)
        live, entries = self._with_newcomers((given,), None)
        due = [] if late else lapsed(self._lapses, self._live.row, now)
        entries.market = live.market
        row = entries.order(self._live.size + len(due), now, **given)
        if not _tells_of_its_working(live):
            row["order"] = -1  # nobody will refer to it
        row["flags"] |= int(RowFlag.BAD_TS) * late
        rows, formatter = [*due, row], self._formatter
        if live is not self._live:
            formatter = DecisionFormatter(live.rules, live.labels, live.params)
        with passing(live, rows) as engine:
            engine.take(rows)
            number = engine.size - 1
            found = formatter.actions(engine.since(number), {number: row}, engine.tables)
            for action in found:
                str(action.reason)  # made while the labels and records that it names are there
            return found
