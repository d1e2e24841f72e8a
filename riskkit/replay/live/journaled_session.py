"""A session whose journal is in a folder: bounded memory, and nothing that was answered is lost."""

from __future__ import annotations

import functools
import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, one_of, whole_number
from riskkit._files import reading, remove_parts, write_whole
from riskkit.replay.kernels.runtime import proven
from riskkit.replay.live.batch import Batch
from riskkit.replay.live.engine_snapshot import is_whole, pack
from riskkit.replay.live.folder_lock import FolderLock
from riskkit.replay.live.journal_folder import (
    COLUMNS,
    EVENTS,
    STATE,
    Frame,
    close_segments,
    file_of,
    firsts,
    joined,
    read_events,
    read_past,
    records,
    tidy,
)
from riskkit.replay.live.limits_in_force import with_history
from riskkit.replay.live.live_session import LiveSession
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.live.retake import retake
from riskkit.replay.live.write_ahead_log import WriteAheadLog
from riskkit.replay.results.decisions import DecisionFormatter
from riskkit.replay.rules.history import change_of
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import FIRST_EXTERNAL
from riskkit.replay.schema.constants import DAY_NS
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.universe import Account, Instrument, Universe

NAMED = ("accounts", "instruments", "strategies", "connections")
SELDOM = 64  # calls between two looks at the size of the file, where calls are not committed one by one
NEVER = "this session is closed; open the folder again"
logger = logging.getLogger("riskkit")


class Storage(NamedTuple):
    """How a session is kept; the parameters of `Session.open`."""

    durability: str
    horizon_ns: int
    segment_events: int


class JournaledSession(LiveSession):
    """A session whose journal is in a folder; `Session.open` opens one.

    A call takes its event, appends it to the write-ahead log with the decisions on it, and returns once both are on disk
    (``durability``). After ``segment_events`` events, and at a new day, the memory is reduced to the integer state, working
    orders and what the horizon asks for; a snapshot of that is written in the background, and the log begins its next file.

    Opened again, it continues from the newest snapshot and the log after it; the torn end of a log, which nobody was
    told of, is cut. ``notes`` of `commit`, as the offsets of a consumer, are those of the last event that was kept.

    If an event cannot be written, the call raises an error. The event is taken; it is written by the next call that can
    write, and `answer_of` tells what was decided.
    """

    _folder: Path
    _storage: Storage
    _lock_file: FolderLock
    _wal: WriteAheadLog

    def _begin(self, folder: Path, storage: Storage, lock: FolderLock, first: int, end: int) -> None:
        """Write to a folder from now on: to the log that begins with event `first` and has `end` bytes."""
        self._folder, self._storage, self._lock_file = folder, storage, lock
        self._first = first  # event with which the present file begins
        self._base = self._live.journal.shift + len(self._live.journal.carried)  # events before it are not in memory
        self._wal = WriteAheadLog(file_of(folder, first, EVENTS), end)
        self._written = len(self)  # events in the log
        self._new_notes: dict[str, Any] = {}
        self._named, self._quanta = self._sizes(), len(self._live.labels.quanta)
        self._signatures = len(self.history.changes), len(self.acts)
        self._trades = self._entries.fills.next
        self._entries.orders.news = []
        self._together = self._calls = 0
        self._background: threading.Thread | None = None
        self._closed = False
        self._day: int | None = self.latest // DAY_NS if len(self) else None
        self._live.past = self._read_past

    # ------------------------------------------------------------------ writing

    def commit(self, notes: Mapping[str, Any] | None = None) -> None:
        """Return once all events so far are on disk, with notes (JSON) that `notes` has after a recovery."""
        self.begin_commit(notes)()
        if self.is_full:
            self.roll()

    def begin_commit(self, notes: Mapping[str, Any] | None = None) -> Callable[[], None]:
        """Append all events so far, and return what waits until they are on disk: in another thread, while this one goes on.

        The memory is reduced by `commit` and `roll` only.
        """
        with self._lock:
            if notes is not None:
                self.notes = dict(notes)
                self._new_notes = self.notes
            self._append()
            return self._wal.sync

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit the calls of a block at its end, all at once: only then may they be answered to others.

        Examples
        --------
        >>> import tempfile
        >>> import riskkit as rk
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with rk.Session.open(folder, rk.RuleSet([]), [rk.Instrument("ES")], compiled=False) as session:
        ...         with session.together():
        ...             for price in (100, 101):
        ...                 _ = session.process_price(ts=price, instrument="ES", price=price)
        ...         len(session)
        2
        """
        self._together += 1
        try:
            yield
        finally:
            self._together -= 1
            self.commit()

    def process(self, events: Any) -> Batch:
        """As `Session.process`; the rows of a batch share a flush."""
        with self.together():
            return super().process(events)

    def _after_call(self) -> None:
        """Keep what a call has taken, as the durability asks."""
        if self._storage.durability == "none" or self._together:
            self._calls += 1
            if self._calls % SELDOM == 0 and self.is_full:
                self.commit()
        elif self._storage.durability == "each":
            with self._lock:
                self.commit()
        else:
            self.commit()

    def _append(self) -> None:
        """Append the events since the last time to the log, in one frame."""
        if self._closed:
            raise InputError(NEVER)
        self._settle()
        size, live, entries = len(self), self._live, self._entries
        if size == self._written and not self._new_notes:
            return
        news, fills = entries.orders.news or [], entries.fills
        labels: dict[str, Any] = {}
        if news:
            labels["orders"] = news
        if fills.next > self._trades:
            labels["trades"] = list(itertools.islice(reversed(fills.codes.items()), fills.next - self._trades))[::-1]
        labels |= self._newcomers()
        changes, acts = self._signatures
        if len(self.history.changes) > changes:
            labels["changes"] = self.history.to_dict()["changes"][changes:]
        if len(self.acts) > acts:
            labels["acts"] = self.acts[acts:]
        if self._new_notes:
            labels["notes"] = self._new_notes
        columns = live.journal.since(live.journal.place(self._written) if size > self._written else len(live.journal))
        self._wal.append(Frame(self._written, records(columns), live.since(self._written), labels).packed())
        entries.orders.news, self._trades, self._new_notes = [], fills.next, {}
        self._signatures = len(self.history.changes), len(self.acts)
        self._named, self._quanta = self._sizes(), len(live.labels.quanta)
        self._written = size

    def _sizes(self) -> dict[str, int]:
        """Number of labels of each kind."""
        return {kind: len(getattr(self._live.labels, kind)) for kind in NAMED}

    def _newcomers(self) -> dict[str, Any]:
        """The labels since the last frame; all of the universe if it has a new currency."""
        universe = self._live.labels
        if len(universe.quanta) > self._quanta:
            return {"universe": universe.frozen.describe()}
        added = {kind: getattr(universe, kind)[size:] for kind, size in self._named.items()}
        named = [(kind, getattr(one, "id", one)) for kind, entries in added.items() for one in entries]
        return {"newcomers": named} if named else {}

    # ------------------------------------------------------------------ rolling

    @property
    def is_full(self) -> bool:
        """True if the present file has enough events, or a new day (UTC) has begun."""
        if len(self) == self._first:
            return False
        day = self.latest // DAY_NS
        if self._day is None:
            self._day = day
        return len(self) - self._first >= self._storage.segment_events or day > self._day

    def roll(self) -> None:
        """Begin the next file of the journal, and forget what is beyond the horizon."""
        with self._lock:
            self._append()
            self._wal.sync()
            self._finish_background()
            first, old, closed = len(self), self._first, self._wal
            log = WriteAheadLog(file_of(self._folder, first, EVENTS)) if first > old else closed
            self._forget()
            self._wal, self._first, self._day = log, first, self.latest // DAY_NS
            if log is not closed:
                closed.close()
            header, arrays = self._live.parts()
            header |= {"extra": self._extra(self.notes)}
            copies = {name: array.copy() for name, array in arrays.items()}
            self._background = threading.Thread(target=self._store, args=(old, first, header, copies), daemon=True)
            self._background.start()

    def _forget(self) -> None:
        """Reduce the memory to the state, working orders and what is within the horizon."""
        self._live.compact(self._storage.horizon_ns)
        journal = self._live.journal
        kept = set(journal.carried.tolist())
        external = np.unique(journal.columns["order"][: len(journal)])
        self._entries.orders.forget(kept, set(external[external <= FIRST_EXTERNAL].tolist()))
        self._entries.fills.forget(kept)
        self._lapses = [lapse for lapse in self._lapses if lapse[1] in kept]
        self._base = len(self)
        self._door.open(self._due())

    def _store(self, old: int, first: int, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """Write a snapshot, then the closed segment as columns, then delete what they replace."""
        try:
            write_whole(file_of(self._folder, first, STATE), [pack(header, arrays, self._live.history.first)])
            close_segments(self._folder, first)
            tidy(self._folder, old)  # so that the snapshot before, and the log after it, stay
        except (InputError, OSError) as error:  # the log stays, so nothing is lost; the next roll tries again
            logger.warning("folder %r: %s", self._folder.name, error)

    def _finish_background(self) -> None:
        if self._background is not None:
            self._background.join()

    def _read_past(self) -> Any:
        with self._lock:
            self._finish_background()
            return read_past(self._folder, self._base)

    # ------------------------------------------------------------------ end

    def close(self) -> None:
        """Commit, write a snapshot, and give the folder free; once more changes nothing."""
        with self._lock:
            if self._closed:
                return
            try:
                if len(self) > self._first or self._new_notes:
                    self.roll()
                self._finish_background()
                self._wal.close()
            finally:
                self._closed = True
                self._lock_file.release()

    def __enter__(self) -> JournaledSession:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ------------------------------------------------------------------ recovery

    def _again(self, frame: Frame) -> None:
        """Take the events of a frame once more, and compare the decisions on them."""
        labels, first = frame.labels, len(self)
        if "universe" in labels:
            self._widen(Universe.from_description(labels["universe"]))
        if "newcomers" in labels:
            self._admit(labels["newcomers"])
        self.notes = labels.get("notes", self.notes)
        if not len(frame.events):
            return
        names = frame.events.dtype.names or ()
        rows = [dict(zip(names, values, strict=True)) for values in frame.events.tolist()]
        orders, trades = dict(labels.get("orders", ())), {code: text for text, code in labels.get("trades", ())}
        self._door.pending = [(orders.get(at), trades.get(row["trade_id"])) for at, row in enumerate(rows, first)]
        columns, at = {name: frame.events[name] for name in names}, 0
        for change in (change_of(one, self.history.first) for one in labels.get("changes", ())):
            stop = (first if change.seq is None else change.seq) - first
            self._take_again(columns, rows[:stop], at, first)
            self._swap(with_history(self._live, self.history.then(change)), self._entries)
            at = stop
        self._take_again(columns, rows, at, first)
        self.acts += labels.get("acts", [])
        decided = self._live.since(first)
        if proven(decided) != proven(frame.decisions):
            raise InputError(
                f"the journal's decisions on events {first} to {len(self) - 1} are not those of its rules; this riskkit "
                "decides otherwise, or the folder was altered"
            )

    def _take_again(self, columns: dict[str, np.ndarray], rows: list[dict[str, int]], at: int, first: int) -> None:
        """Take the rows from place `at` on under the rules in force; the number of row 0 is `first`."""
        start = at
        while at < len(rows):
            at += retake(self._live, {name: column[at : len(rows)] for name, column in columns.items()})
            if at < len(rows):  # with the rest of its list, if it is of one
                batch = columns["batch"][at : len(rows)]
                same = np.flatnonzero(batch != batch[0]) if batch[0] >= 0 else [1]
                end = at + (int(same[0]) if len(same) else len(rows) - at)
                self._live.take(rows[at:end])
                at = end
        if start < len(rows):
            self._door.pending, later = self._door.pending[: len(rows) - start], self._door.pending[len(rows) - start :]
            self._keep(rows[start:], first + start, self._live.since(first + start))
            self._door.pending = later

    def _admit(self, named: list[tuple[str, str]]) -> None:
        """Register new labels."""
        universe = self._live.labels
        assert isinstance(universe, OpenUniverse)
        for kind, label in named:
            universe.add(kind, label)
        if not self._live.follows():
            self._widen(universe.frozen)

    def _widen(self, universe: Universe) -> None:
        """Go on in a universe to which the tables cannot grow."""
        self._live = self._live.widened(universe)
        self._entries = self._entries.in_universe(self._live.labels)
        self._formatter = DecisionFormatter(self._live.rules, self._live.labels)
        self._door = self._door.of(self._live, self._entries)


SAYING = ["tick", "reset_daily", "command", "set_limits", "set_rules", "halt", "restart"]


def _kept(call: Callable[..., Any]) -> Callable[..., Any]:
    """A call of a session that keeps what it takes."""

    @functools.wraps(call)
    def kept(self: JournaledSession, *args: Any, **fields: Any) -> Any:
        if self._closed:
            raise InputError(NEVER)
        found = call(self, *args, **fields)
        self._after_call()
        return found

    return kept


for _name in [name for name in dir(LiveSession) if name.startswith("process_")] + SAYING:
    setattr(JournaledSession, _name, _kept(getattr(LiveSession, _name)))


def open_session(
    folder: str | Path,
    rules: RuleSet,
    instruments: Iterable[Instrument] = (),
    accounts: Iterable[Account | str] = (),
    *,
    universe: Universe | None = None,
    durability: str = "group",
    horizon: Any = "1d",
    segment_events: int = 1 << 17,
    compiled: bool = True,
    **options: Any,
) -> JournaledSession:
    """Open the session of a folder, or begin one there.

    Parameters
    ----------
    folder : str or Path
        The folder, created if missing. One session holds it.
    rules : RuleSet
        In their declared order; those of the journal, if there is one.
    instruments, accounts, **options
        As for `Session.create`, for a new journal; one that exists has its own.
    universe : Universe, optional
        Instead of instruments and accounts.
    durability : {"none", "group", "each"}
        Whether a decision is on disk when a call returns: not before `commit`; yes, and threads that call at once share
        a flush, as do the calls of `together`; yes, each by itself.
    horizon : str, int or Timedelta
        Time for which ids of orders that are done, and of fills, are known. An event of an older one is an event of an
        unknown order.
    segment_events : int
        Number of events after which the memory is reduced and the journal begins its next file, as it does at a new day
        (UTC).
    compiled : bool
        As for `Session`.

    Raises
    ------
    InputError
        If another session holds the folder, a file is altered or cannot be written, or the rules are others.

    Examples
    --------
    >>> import tempfile
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5))])
    >>> order = {"account": "A", "instrument": "ES", "side": "B", "price": 100}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with rk.Session.open(folder, rules, [rk.Instrument("ES")], ["A"], compiled=False) as session:
    ...         _ = session.process_order(ts=0, order_id="a", qty=9, **order)
    ...     with rk.Session.open(folder, rules, compiled=False) as session:
    ...         print(session.order_number("a"), session.answer_of("a")[0])
    0 REJECT A: the order is refused by size (one order of at most 5 in quantity): observed 9, limit 5.
    """
    one_of(durability, ("none", "group", "each"), "durability")
    storage = Storage(durability, duration(horizon, "horizon"), whole_number(segment_events, "segment_events"))
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(path)
    except OSError as error:
        raise InputError(f"folder {path.name!r} cannot be used: {error.strerror}") from None
    try:
        remove_parts(path)
        if not firsts(path, STATE):
            if firsts(path, EVENTS) or firsts(path, COLUMNS):
                raise InputError(f"folder {path.name!r} is incomplete: it has events but no snapshot")
            if universe is None:
                made = LiveSession.create(rules, instruments, accounts, compiled=False, **options)
            else:
                made = LiveSession(rules, universe, compiled=False, **options)
            write_whole(file_of(path, 0, STATE), [made.snapshot()])
        with reading(f"folder {path.name!r}", "the journal of a session"):
            return _recovered(path, rules, storage, compiled, lock)
    except BaseException:
        lock.release()
        raise


def _recovered(path: Path, rules: RuleSet, storage: Storage, compiled: bool, lock: FolderLock) -> JournaledSession:
    """The session of the newest whole snapshot and the logs after it."""
    session, first = _of_snapshot(path, rules, compiled)
    end, logs = 0, [log for log in firsts(path, EVENTS) if log >= first]
    for log in logs:
        found = read_events(path, log)
        end = found.end
        if found.torn and log != logs[-1]:
            raise InputError(
                f"{file_of(path, log, EVENTS).name!r} is altered at byte {end}; restore the file from a copy"
            )
        if found.torn:
            logger.warning("folder %r: the last %d bytes of the log were torn, and are cut", path.name, found.torn)
        for frame in joined(found.frames):
            session._again(frame)
    session._begin(path, storage, lock, logs[-1] if logs else first, end)
    return session


def _of_snapshot(path: Path, rules: RuleSet, compiled: bool) -> tuple[JournaledSession, int]:
    """The session of the newest snapshot that is whole, and the number of its events."""
    for first in reversed(firsts(path, STATE)):
        file = file_of(path, first, STATE)
        data = file.read_bytes() if file.is_file() else b""
        if is_whole(data):
            return JournaledSession.restore(data, rules, compiled=compiled), first
        logger.warning("folder %r: the snapshot of event %d is altered; the one before it is used", path.name, first)
    raise InputError(f"folder {path.name!r}: none of its snapshots is whole; restore the files from a copy")
