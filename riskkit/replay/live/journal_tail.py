"""The journal of a session read piece by piece, while the session writes it: what stores that follow it need."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, whole_number
from riskkit.replay.ingest.rows import DTYPES
from riskkit.replay.live.engine_snapshot import header_of, history_of
from riskkit.replay.live.journal_folder import COLUMNS, EVENTS, STATE, Frame, file_of, firsts, read_segment
from riskkit.replay.live.open_journal import changed, named, universe_of
from riskkit.replay.live.write_ahead_log import read_frames
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Universe


class JournalPiece(NamedTuple):
    """Consecutive events of a journal.

    Parameters
    ----------
    first : int
        Number of the first one.
    columns : dict of str to ndarray, shape (n_events,)
        All columns of the events, as integers.
    rows : structured ndarray
        Decision rows on them.
    orders : list of (int, str or int)
        Number of the event and id of each order that has one. Ids of segments whose log is deleted are not known.
    trades : list of (str or int, int)
        Id and code of each fill that is new.
    """

    first: int
    columns: dict[str, np.ndarray]
    rows: np.ndarray
    orders: list[Any]
    trades: list[Any]

    @property
    def stop(self) -> int:
        """Number of the event after the last one."""
        return self.first + len(self.columns["ts"])

    def split(self, number: int) -> tuple[JournalPiece, JournalPiece]:
        """The events before one, and those from it on."""
        at = min(max(number - self.first, 0), self.stop - self.first)
        before, after = ({n: c[part] for n, c in self.columns.items()} for part in (slice(at), slice(at, None)))
        cut, codes = np.searchsorted(self.rows["seq"], number), set(before["trade_id"].tolist())
        orders, trades = (lambda order: order[0] < number), (lambda trade: trade[1] in codes)
        return (
            JournalPiece(
                self.first,
                before,
                self.rows[:cut],
                list(filter(orders, self.orders)),
                list(filter(trades, self.trades)),
            ),
            JournalPiece(
                self.first + at,
                after,
                self.rows[cut:],
                list(itertools.filterfalse(orders, self.orders)),
                list(itertools.filterfalse(trades, self.trades)),
            ),
        )


class JournalTail:
    """Reader of a folder from an event on. Nothing that it returns can be lost by a failure of power.

    Parameters
    ----------
    folder : str or Path
        The folder of `Session.open`, which may go on writing.
    start : int
        Number of the first event to read.
    rules : RuleSet, optional
        As in `open_journal`.

    Attributes
    ----------
    next : int
        Number of the next event.
    universe, history : Universe, RuleHistory
        Labels and rules as of the pieces read so far, or later.
    mode, options : str, dict
        As of `OpenedJournal`.

    Raises
    ------
    InputError
        If the folder has no journal, a file is altered, or the rules are others.

    Examples
    --------
    >>> import tempfile
    >>> import riskkit as rk
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with rk.Session.open(folder, rk.RuleSet([]), [rk.Instrument("ES")], ["A"], compiled=False) as session:
    ...         tail = JournalTail(folder)
    ...         _ = session.process_price(ts=0, instrument="ES", price=100)
    ...         piece = tail.read()
    >>> piece.first, piece.stop, piece.columns["price"].tolist()
    (0, 1, [10000])
    """

    universe: Universe
    history: RuleHistory

    def __init__(self, folder: str | Path, start: int = 0, rules: RuleSet | None = None) -> None:
        self._folder, self._rules = Path(folder), rules
        self.next = whole_number(start, "start", at_least=0)
        self._file: int | None = None  # first event of the log that is being read
        self._place = 0
        self._reload()

    def _reload(self) -> None:
        """Take labels and rules from the newest snapshot."""
        snapshot = None
        while snapshot is None:
            states = firsts(self._folder, STATE)
            if not states:
                raise InputError(f"{self._folder.name!r} is not the folder of a session: it has no snapshot")
            with suppress(FileNotFoundError):  # a newer one has come since
                snapshot = file_of(self._folder, states[-1], STATE).read_bytes()
        header = header_of(snapshot)
        history = history_of(header, self._rules)
        if history is None:
            raise InputError(
                "the journal is of other rules, or of rules that it cannot name; give rules=, those of the session"
            )
        self._open, self.history, self._known = universe_of(header), history, states[-1]
        self.universe = self._open.frozen
        self.mode, self.options = header["mode"], header["options"]

    def read(self) -> JournalPiece | None:
        """The next events, up to the end of a file; None if there are none yet."""
        while self._file is not None or self._find():
            if self._file is None:
                return self._read_columns()
            logs = firsts(self._folder, EVENTS)  # before reading: a log that has a successor is complete
            if self._file not in logs:
                self._file = None  # has become columns
                continue
            try:
                piece = self._read_log(self._file)
            except InputError:
                if file_of(self._folder, self._file, EVENTS).exists():
                    raise
                self._file = None  # has become columns since
                continue
            if piece is not None:
                return piece
            if self.next not in logs or self.next == self._file:
                return None
            self._file, self._place = self.next, 0
        return None

    def _find(self) -> bool:
        """Find the log with the next event, unless it has become columns; False if there is neither."""
        logs, closed = (
            [first for first in firsts(self._folder, kind) if first <= self.next] for kind in (EVENTS, COLUMNS)
        )
        if logs and (not closed or logs[-1] >= closed[-1]):
            self._file, self._place = logs[-1], 0
        return bool(logs or closed)

    def _read_log(self, first: int) -> JournalPiece | None:
        """What has come to a log since the last time."""
        path = file_of(self._folder, first, EVENTS)
        try:
            found = read_frames(path, self._place, durable=True)
        except InputError:
            if not self._place:
                raise
            found = read_frames(path, durable=True)  # a frame was written again, after an interrupted call
        self._place = found.end
        kept: list[Frame] = []
        expected = self.next
        for frame in map(Frame.unpacked, found.payloads):
            end = frame.first + len(frame.events)
            if frame.first > expected:
                raise InputError(
                    f"folder {self._folder.name!r} is incomplete: events {expected} to {frame.first - 1} are missing"
                )
            if frame.first >= self._known:
                self._open, self.history = named(self._open, frame.labels), changed(self.history, frame.labels)
                self.universe, self._known = self._open.frozen, end
            if end > expected:
                kept.append(frame)
                expected = end
        if not kept:
            return None
        events, rows = (np.concatenate([frame[part] for frame in kept]) for part in (1, 2))
        columns = {name: np.ascontiguousarray(events[name]) for name in DTYPES}
        orders, trades = ([one for f in kept for one in f.labels.get(name, ())] for name in ("orders", "trades"))
        return self._passed(JournalPiece(kept[0].first, columns, rows, orders, trades))

    def _read_columns(self) -> JournalPiece | None:
        """The events of the closed segment with the next one."""
        first = max(first for first in firsts(self._folder, COLUMNS) if first <= self.next)
        past = read_segment(self._folder, first)
        if first + len(past.columns["ts"]) <= self.next:
            return None
        self._reload()
        return self._passed(JournalPiece(first, past.columns, past.rows, [], []))

    def _passed(self, piece: JournalPiece) -> JournalPiece:
        piece = piece.split(self.next)[1]
        self.next = piece.stop
        return piece


def journal_end(folder: str | Path) -> int:
    """Number of events in a folder, those included that are not on disk yet."""
    logs = firsts(Path(folder), EVENTS)
    if not logs:
        return 0
    frames = map(Frame.unpacked, read_frames(file_of(Path(folder), logs[-1], EVENTS)).payloads)
    return max((frame.first + len(frame.events) for frame in frames), default=logs[-1])
