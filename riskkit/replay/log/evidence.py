"""Contents of a log by name: kinds of events, labels and flags on which the verdict of a rule can depend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag
from riskkit.replay.schema.universe import Universe

Columns = Mapping[str, Any]


def _labelled(name: str) -> Callable[[Columns, Universe], bool]:
    """Test whether an optional column has a value in any row."""
    return lambda columns, universe: name in columns and bool((columns[name] >= 0).any())


def _flagged(flags: int) -> Callable[[Columns, Universe], bool]:
    """Test whether any row has one of the flags."""
    return lambda columns, universe: "flags" in columns and bool((columns["flags"] & flags != 0).any())


def _kind(kind: EventKind) -> Callable[[Columns, Universe], bool]:
    """Test whether the log has events of a kind."""
    return lambda columns, universe: bool((columns["kind"] == kind).any())


def _named(columns: Columns, universe: Universe) -> bool:
    own = columns["order"] == np.arange(len(columns["order"]))
    return bool((own & (columns["kind"] != EventKind.CREDIT)).any())


def _priced(name: str) -> Callable[[Columns, Universe], bool]:
    """Test whether any price event has a value in a column."""
    return lambda columns, universe: (
        name in columns and bool(((columns["kind"] == EventKind.PRICE) & (columns[name] != MISSING)).any())
    )


def _held(columns: Columns, universe: Universe) -> bool:
    booked = any(TESTS[kind](columns, universe) for kind in ("FILL", "SNAPSHOT", "ADJUST"))
    return booked or any(account.positions for account in universe.accounts)


def _listed(columns: Columns, universe: Universe) -> bool:
    return "batch" in columns and bool(((columns["kind"] == EventKind.ORDER) & (columns["batch"] >= 0)).any())


TESTS: dict[str, Callable[[Columns, Universe], bool]] = {
    **{kind.name: _kind(kind) for kind in EventKind},
    "strategy": _labelled("strategy"),
    "connection": _labelled("connection"),
    "smp_id": _labelled("smp_id"),
    "parent": _labelled("parent"),
    "list": _listed,
    "trader": lambda columns, universe: any(account.trader for account in universe.accounts),
    "desk": lambda columns, universe: any(account.desk for account in universe.accounts),
    "firm": lambda columns, universe: any(account.firm for account in universe.accounts),
    "named order": _named,
    "position": _held,
    "last trade": _priced("price"),
    "bid": _priced("bid"),
    "ask": _priced("ask"),
    "reduce-only": _flagged(int(RowFlag.REDUCE_ONLY)),
    "stop-loss": _flagged(int(RowFlag.STOP_LOSS)),
}


class Evidence:
    """Contents of a log, each looked up once.

    Parameters
    ----------
    columns : mapping of str to ndarray
        The columns of the log.
    universe : Universe
        Its accounts and instruments.

    Examples
    --------
    >>> import riskkit as rk
    >>> found = rk.replay.tiny_log([1, 2]).evidence
    >>> found.has("ORDER"), found.has("TRADE"), found.has("strategy")
    (True, False, False)
    """

    def __init__(self, columns: Columns, universe: Universe) -> None:
        self._columns = columns
        self._universe = universe
        self._known: dict[tuple[str, str], bool] = {}

    def has(self, name: str, instrument: str = "") -> bool:
        """True if the log, or its events of an instrument, contain it: the name of an `EventKind`, or a key of `TESTS`."""
        if (name, instrument) not in self._known:
            columns = self._columns
            if instrument:
                of_it = columns["instrument"] == self._universe.instrument_codes.get(instrument, -2)
                columns = {column: values[of_it] for column, values in columns.items()}
            self._known[name, instrument] = TESTS[name](columns, self._universe)
        return self._known[name, instrument]
