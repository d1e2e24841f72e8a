"""Many live events in one call: columns are translated at once, and plain stretches are one compiled call.

A stretch of orders, fills and prices is translated column by column with the tables of `riskkit.replay.live.door`; the first
row of it that is not plain, and every row of another kind, goes through the session by itself. So a batch decides as its
rows one by one, however it is split.
"""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest.fields import called, is_missing, refuse_unknown
from riskkit.replay.live.column_door import COLUMNS, KINDS, Times, Words
from riskkit.replay.results.decisions import REFUSED, Decision, DecisionKind
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import GROUPS

if TYPE_CHECKING:
    import pandas as pd

LONGEST, SHORTEST = 4096, 16  # rows of a stretch
CALLS = {"fill": "process_trade", "trade": "process_closed_trade", "clock": "tick", "session": "reset_daily"}
IDS = "order_id", "trade_id"
TAKEN = frozenset(COLUMNS)
NANOSECONDS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
NUMBERS = np.dtype(np.int64), np.dtype(np.float64)
IS_REFUSED = np.isin(np.arange(256), list(REFUSED))  # by code
Columns = dict[str, Any]


class Batch:
    """What became of a batch.

    Attributes
    ----------
    passed : ndarray of bool, shape (n_rows,)
        Rows that were taken and that no rule refused.
    seq : ndarray of int64, shape (n_rows,)
        Number of each row in the journal; -1 of one that is no event.
    errors : dict of int to str
        Why a row was not taken, by row; the other rows are not affected.
    """

    def __init__(self, count: int) -> None:
        self.passed, self.seq = np.zeros(count, bool), np.full(count, -1, np.int64)
        self.errors: dict[int, str] = {}
        self._actions: list[Decision] = []
        self._later: list[Callable[[], Iterable[Decision]]] = []

    @property
    def actions(self) -> list[Decision]:
        """As of the single calls, in order, made when they are read. A pause that an event began in a batch says no observed value."""
        while self._later:
            self._actions.extend(self._later[0]())
            del self._later[0]
        return self._actions

    def say(self, make: Callable[[], Iterable[Decision]]) -> None:
        """Add the actions that ``make()`` returns, called when somebody reads them."""
        self._later.append(make)

    def refuse(self, decided: np.ndarray, shift: int) -> None:
        """Note the rows that decision rows refuse; `shift` is a row's number less that of its event."""
        refused = decided["seq"][IS_REFUSED[decided["code"]]]
        self.passed[refused + shift] = False

    def frame(self) -> pd.DataFrame:
        """The actions, one per row."""
        import pandas as pd

        names = [known.name for known in dataclasses.fields(Decision)]
        found = {name: [getattr(action, name) for action in self.actions] for name in names}
        return pd.DataFrame({**found, "action": list(map(str, found["action"]))})


def columns_of(events: Any) -> Columns:
    """Columns of a frame, an Arrow batch or table, dicts or dataclasses: arrays of numbers, lists of all else."""
    kind = type(events)  # a frame looks for an attribute among its columns
    if hasattr(kind, "to_arrow"):  # Polars
        return columns_of(events.to_arrow())
    if hasattr(kind, "to_pydict"):  # Arrow
        return {name: _listed(events.column(name), name) for name in events.schema.names}
    if hasattr(kind, "columns"):
        return {str(name): _listed(column, name) for name, column in _arrays_of(events)}
    if isinstance(events, Mapping) or not isinstance(events, Iterable):
        raise InputError(
            f"events is of the type {kind.__name__}; give a frame, an Arrow batch, or a list of dicts or dataclasses"
        )
    rows = list(events)
    if rows and dataclasses.is_dataclass(rows[0]):
        names = [known.name for known in dataclasses.fields(rows[0])]
        return {name: [getattr(row, name) for row in rows] for name in names}
    types = set(map(type, rows))
    if types != {dict} and not all(issubclass(one, Mapping) for one in types):
        raise InputError("events has a row that is no dict; give a list of dicts, or of dataclasses of one class")
    if not rows:
        return {"ts": []}
    names = list(rows[0])
    if len(names) > 1 and set(map(len, rows)) == {len(names)}:
        try:
            return dict(zip(names, map(list, zip(*map(itemgetter(*names), rows), strict=True)), strict=True))
        except KeyError:  # rows have other fields
            pass
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: [row.get(name) for row in rows] for name in names}


def _arrays_of(frame: Any) -> Iterator[tuple[Any, Any]]:
    """Name and array of each column of a frame; the short way, if this pandas has it, makes no Series of each."""
    array_of = getattr(frame, "_get_column_array", None)
    if array_of is None:
        return ((name, column.array) for name, column in frame.items())
    return zip(frame.columns, map(array_of, range(frame.shape[1])), strict=True)


def _listed(column: Any, name: Any) -> Any:
    """A column as an array of int64 or float64, as `Words`, else as a list; ids are not Words, as few are alike."""
    kind = getattr(column, "dtype", None)
    numbers = (
        kind in NUMBERS if isinstance(kind, np.dtype) else str(kind or column.type) in ("int64", "float64", "double")
    )
    if numbers and not getattr(column, "null_count", 0):
        return np.asarray(column)
    held = column.__arrow_array__() if hasattr(column, "__arrow_array__") else column
    times = _times(column, held)
    if times is not None:
        return times
    if str(getattr(held, "type", "")) not in ("string", "large_string"):
        return column.to_pylist() if hasattr(column, "to_pylist") else column.tolist()
    if hasattr(held, "chunks"):
        held = held.chunk(0) if held.num_chunks == 1 else held.combine_chunks()
    if name in IDS:
        return held.to_pylist()
    found = held.dictionary_encode()
    words, places = found.dictionary.to_pylist(), found.indices
    if places.null_count:
        words, places = [*words, None], places.fill_null(len(words))
    return Words(words, places.to_numpy(zero_copy_only=False))


def _times(column: Any, held: Any) -> Times | None:
    """A column of times with a zone; None of any other, and of gaps."""
    kind = str(getattr(held, "type", ""))
    if getattr(getattr(column, "dtype", None), "tz", None) is not None and hasattr(column, "asi8"):  # of pandas
        units, factor = column.asi8, NANOSECONDS[column.unit]
    elif kind.startswith("timestamp[") and "tz=" in kind and not held.null_count:
        units, factor = np.asarray(held.cast("int64")), NANOSECONDS[held.type.unit]
    else:
        return None
    fits = (units > -LARGEST // factor) & (units < LARGEST // factor)  # a gap does not
    return Times(column, units * factor) if fits.all() else None


def process(session: Any, events: Any) -> Batch:
    """Put the rows of a batch through a session; see `Session.process`."""
    columns = columns_of(events)
    if "ts" not in columns:
        raise InputError(f"events has no column 'ts', the time of each event; it has {', '.join(columns) or 'none'}")
    count = len(columns["ts"])
    stops, found = _stops(columns, count), Batch(count)
    at, length = 0, LONGEST
    while at < count:
        end = min(stops[bisect.bisect_left(stops, at)], at + length)
        long = end - at >= SHORTEST
        taken = session.take_stretch(columns, at, end, found) if long else 0
        at += taken
        if long and at == end:
            length = min(LONGEST, 2 * length)
            continue
        length = max(SHORTEST, 2 * taken)
        last = at + 1 if long else min(end + 1, count)
        for row in range(at, last):
            _one(session, {name: column[row] for name, column in columns.items()}, row, found)
        at = last
    return found


def _stops(columns: Columns, count: int) -> list[int]:
    """The rows that no stretch can have: of another kind, or with another field; and the number of rows."""
    plain = [np.array([is_missing(value) for value in columns[name]], bool) for name in columns.keys() - TAKEN]
    if "kind" in columns:
        kinds = columns["kind"]
        plain.append(
            kinds.coded(KINDS, -1) >= 0
            if isinstance(kinds, Words)
            else np.array([isinstance(kind, str) and kind in KINDS for kind in kinds], bool)
        )
    return [*np.flatnonzero(~np.all(plain, axis=0)).tolist(), count] if plain else [count]


def _one(session: Any, row: dict[str, Any], at: int, found: Batch) -> None:
    """Put one row through the session by the call of its kind."""
    kind, ts = row.pop("kind", "order"), row.pop("ts")
    kind = kind if isinstance(kind, str) else shown(kind)
    given = {name: value for name, value in row.items() if not is_missing(value)}
    before = len(session)
    try:
        if kind in ("clock", "session"):
            actions = getattr(session, CALLS[kind])(ts)
        elif kind == "control":
            cmd, account = given.pop("cmd", None), given.pop("account", None)
            refuse_unknown(kind, given, GROUPS)
            actions = session.command(cmd, account, ts, **given)
        else:
            call = getattr(session, CALLS.get(kind, f"process_{kind}"), None)
            if call is None or kind == "order_list":
                raise InputError(f"kind={shown(kind)} is not a kind of event of a batch")
            actions = called(call, "closed trade" if kind == "trade" else kind, {"ts": ts, **given})
    except InputError as error:
        found.errors[at] = str(error)
        return
    if actions:
        found.say(lambda: actions)
    found.seq[at] = len(session) - 1 if len(session) > before else -1
    found.passed[at] = all(action.action is not DecisionKind.REJECT for action in actions)
