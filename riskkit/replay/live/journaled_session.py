"""A session whose journal is in a folder: bounded memory, and nothing that was answered is lost."""

from __future__ import annotations

import functools
import itertools
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit._files import write_whole
from riskkit._folder_lock import FolderLock
from riskkit.replay.kernels.records import copied
from riskkit.replay.kernels.runtime import proven
from riskkit.replay.live.batch import Batch
from riskkit.replay.live.engine_snapshot import pack
from riskkit.replay.live.group_commit import GroupCommit
from riskkit.replay.live.journal_folder import (
    EVENTS,
    STATE,
    Frame,
    close_segments,
    file_of,
    read_past,
    records,
    tidy,
)
from riskkit.replay.live.limits_in_force import with_history
from riskkit.replay.live.live_session import LiveSession
from riskkit.replay.live.open_universe import LABELS, OpenUniverse
from riskkit.replay.live.retake import retake_all
from riskkit.replay.live.write_ahead_log import WriteAheadLog
from riskkit.replay.results.decisions import DecisionFormatter
from riskkit.replay.rules.history import change_of
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import FIRST_EXTERNAL
from riskkit.replay.schema.constants import DAY_NS
from riskkit.replay.schema.universe import Universe

SELDOM = 64  # calls between two looks at the size of the file, where calls are not committed one by one
NEVER = "this session is closed; open the folder again"
logger = logging.getLogger("riskkit")


class Storage(NamedTuple):
    """How a session is kept; the parameters of `Session.open`."""

    durability: str
    horizon_ns: int
    segment_events: int
    snapshot_ns: int | None


class JournaledSession(LiveSession):
    """A session whose journal is in a folder; `Session.open` opens one (`riskkit.replay.live.open_session`).

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

    def begin(self, folder: Path, storage: Storage, lock: FolderLock, first: int, end: int) -> None:
        """Write to a folder from now on: to the log that begins with event `first` and has `end` bytes."""
        self._folder, self._storage, self._lock_file = folder, storage, lock
        self._first = first  # event with which the present file begins
        self._base = self._live.journal.shift + len(self._live.journal.carried)  # events before it are not in memory
        self._wal = WriteAheadLog(file_of(folder, first, EVENTS), end)
        self._written = len(self)  # events in the log
        self._new_notes: dict[str, Any] = {}
        self._named = self._sizes()
        self._signatures = len(self.history.changes), len(self.acts)
        self._trades = self._entries.fills.next
        self._entries.orders.news = []
        self._calls = 0
        self._together = int(storage.durability in ("none", "commit"))  # blocks that commit at their end
        self._group = GroupCommit(self._write_all, self.__len__, self._written)
        self._background: threading.Thread | None = None
        self._closed = False
        self._begun: int | None = self.latest if len(self) else None  # time of the beginning of the present file
        self._live.past = self._read_past
        self._recall_pauses()  # a stretch that was taken again does not say which of its pauses are over
        if len(self):
            self._door.open(self._due())

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
            if not self._by_caller:
                self.commit()

    def process(self, events: Any) -> Batch:
        """As `Session.process`; the rows of a batch share a flush."""
        with self.together():
            return super().process(events)

    def _after_call(self) -> None:
        """Keep what a call has taken, as the durability asks."""
        if self._together:
            self._calls += 1
            if self._calls % SELDOM == 0 and not self._by_caller and self.is_full:
                self.commit()
        elif self._storage.durability == "each":
            with self._lock:
                self.commit()
        elif self._group.wait(len(self)) and self.is_full:
            self.roll()

    def _write_all(self) -> tuple[int, Callable[[], None]]:
        """Append all events so far; return their number, and what waits until they are on disk."""
        with self._lock:
            return len(self), self.begin_commit()

    @property
    def _by_caller(self) -> bool:
        """True if only the caller's `commit` writes."""
        return self._storage.durability == "commit"

    def _append(self) -> None:
        """Append the events since the last time to the log, in one frame."""
        if self._closed:
            raise InputError(self._stopped or NEVER)
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
        self._named = self._sizes()
        self._written = size

    def _sizes(self) -> dict[str, int]:
        """Number of labels of each kind."""
        return {kind: len(getattr(self._live.labels, kind)) for kind in LABELS}

    def _newcomers(self) -> dict[str, Any]:
        """The labels since the last frame."""
        universe, sizes = self._live.labels, self._named.items()
        added = {kind: [*getattr(universe, kind)][size:] for kind, size in sizes if len(getattr(universe, kind)) > size}
        named = [(kind, getattr(one, "id", one)) for kind, entries in added.items() for one in entries]
        return {"newcomers": named} if named else {}

    # ------------------------------------------------------------------ rolling

    @property
    def is_full(self) -> bool:
        """True if the present file has enough events or time, or a new day (UTC) has begun."""
        if len(self) == self._first:
            return False
        if self._begun is None:
            self._begun = self.latest
        every = self._storage.snapshot_ns
        return (
            len(self) - self._first >= self._storage.segment_events
            or self.latest // DAY_NS > self._begun // DAY_NS
            or (every is not None and self.latest - self._begun >= every)
        )

    def roll(self) -> None:
        """Begin the next file of the journal, and forget what is beyond the horizon."""
        with self._lock:
            self._append()
            self._wal.sync()
            self._finish_background()
            first, old, closed = len(self), self._first, self._wal
            log = WriteAheadLog(file_of(self._folder, first, EVENTS)) if first > old else closed
            self._forget()
            self._wal, self._first, self._begun = log, first, self.latest
            if log is not closed:
                closed.close()
            header, arrays = self._live.parts()
            header |= {"extra": self._extra(self.notes)}
            followed, further = self._challenger_parts()
            header, arrays = header | followed, arrays | further
            copies = {name: copied(array) for name, array in arrays.items()}
            self._background = threading.Thread(target=self._store, args=(old, first, header, copies), daemon=True)
            self._background.start()

    def _forget(self) -> None:
        """Reduce the memory to the state, working orders and what is within the horizon."""
        for challenger in self._challengers.values():
            challenger.forget(self._storage.horizon_ns)
        self._live.compact(self._storage.horizon_ns)
        journal = self._live.journal
        kept = set(journal.named)
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
        """Commit, write a snapshot, and give the folder free; once more changes nothing.

        With the durability "commit", what was not committed is dropped, and there is no snapshot then.
        """
        with self._lock:
            if self._closed:
                return
            dropped = self._by_caller and len(self) > self._written
            try:
                if not dropped and (len(self) > self._first or self._new_notes):
                    self.roll()
                self._finish_background()
                self._wal.close()
            finally:
                self._closed = True
                self._lock_file.release()

    def _after_fork(self, torn: bool) -> None:
        """In a forked child: the folder is the parent's, and so is every event of its journal."""
        if "_wal" in vars(self):  # else it is not open yet
            self._closed = True
            self.stop(
                "this session writes for the process that this one was forked from; open_journal reads its folder"
            )
            self._wal.leave()
            self._lock_file.leave()

    def __enter__(self) -> JournaledSession:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ------------------------------------------------------------------ recovery

    def take_frame(self, frame: Frame, rules: RuleSet) -> None:
        """Take the events of a frame once more, and compare the decisions on them; types of rules may be those of `rules`."""
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
        ids = [(orders.get(at), trades.get(row["trade_id"])) for at, row in enumerate(rows, first)]
        columns, at = {name: frame.events[name] for name in names}, 0
        for change in (change_of(one, self.history.first, rules) for one in labels.get("changes", ())):
            stop = (first if change.seq is None else change.seq) - first
            self._take_again(columns, rows[:stop], ids, at, first)
            self._swap(with_history(self._live, self.history.then(change)), self._entries)
            at = stop
        self._take_again(columns, rows, ids, at, first)
        self.acts += labels.get("acts", [])
        decided = self._live.since(first)
        if proven(decided) != proven(frame.decisions):
            raise InputError(
                f"the journal's decisions on events {first} to {len(self) - 1} are not those of its rules; this riskkit "
                "decides otherwise, or the folder was altered"
            )

    def _take_again(
        self,
        columns: dict[str, np.ndarray],
        rows: list[dict[str, int]],
        ids: list[tuple[Any, Any]],
        at: int,
        first: int,
    ) -> None:
        """Take the rows from place `at` on under the rules in force; the number of row 0 is `first`."""
        if at < len(rows):
            retake_all(self._live, {name: column[at : len(rows)] for name, column in columns.items()})
            self._door.pending = ids[at:]
            self._keep(rows[at:], first + at, self._live.since(first + at))

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
        live = self._live.widened(universe)
        self._follow(live, self._entries.in_universe(live.labels))
        self._formatter = DecisionFormatter(self._live.rules, self._live.labels, self._live.params)
        self._door = self._door.of(self._live, self._entries)


SAYING = ["tick", "reset_daily", "command", "set_limits", "set_rules", "halt", "restart"]  # `promote` sets rules


def _kept(call: Callable[..., Any]) -> Callable[..., Any]:
    """A call of a session that keeps what it takes."""

    @functools.wraps(call)
    def kept(self: JournaledSession, *args: Any, **fields: Any) -> Any:
        if self._closed:
            raise InputError(self._stopped or NEVER)
        found = call(self, *args, **fields)
        self._after_call()
        return found

    return kept


for _name in [name for name in dir(LiveSession) if name.startswith("process_")] + SAYING:
    setattr(JournaledSession, _name, _kept(getattr(LiveSession, _name)))
