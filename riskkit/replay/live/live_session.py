"""What a live session does with an event: convert, check, take, remember, answer.

All calls share one lock: events of several threads are processed one after the other, in the order of the journal, and
a `SessionStatus` shows the session between two events.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np

from riskkit._check import InputError, instance, one_of, shown
from riskkit._fork import lock_of
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.engine.state import State
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.order_ids import UNKNOWN, OrderPolicy
from riskkit.replay.kernels.runtime import DEFAULT_ORPHANS, OFFSETS
from riskkit.replay.live.batch import IS_REFUSED, Batch
from riskkit.replay.live.challengers import NOTHING
from riskkit.replay.live.column_door import COLUMNS, ColumnDoor
from riskkit.replay.live.compiled_step import WORDS
from riskkit.replay.live.door import NO_IDS, taken_event
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.event_time import event_time
from riskkit.replay.live.lapses import lapsed
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.live.pauses import Pauses
from riskkit.replay.live.probe import Probing
from riskkit.replay.live.restorable import Restorable
from riskkit.replay.live.session_calls import Rows, SessionCalls
from riskkit.replay.live.session_status import Readable
from riskkit.replay.live.signed import Signed
from riskkit.replay.live.undo import take_back, undo_change, undo_half
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.decisions import REFUSED, Decision, DecisionFormatter
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind, RowFlag
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.pairs import currencies_of
from riskkit.replay.schema.universe import Account, Instrument, Universe

CODE_AT = OFFSETS["code"]  # the low byte, which is the whole code
TRIP = int(DecisionCode.TRIP)
TURNS = TRIP, int(DecisionCode.RELEASE)  # beginnings and ends of pauses


class LiveSession(Signed, Restorable, Probing, Readable, SessionCalls):
    """A session, with its journal in memory or in a folder; parameters as in `riskkit.replay.live.session.Session`."""

    def __init__(
        self,
        rules: RuleSet,
        universe: Universe,
        mode: str = "shadow",
        *,
        orphans: str = DEFAULT_ORPHANS,
        on_trip: str = "leave",
        on_bad_order: str = "raise",
        rounding: str = "refuse",
        order_ids: str = "unique",
        unknown_orders: str = "refuse",
        ts_policy: str = "raise",
        auto_register: Instrument | None = None,
        four_eyes: bool = False,
        shadow: Mapping[str, RuleSet] = NOTHING,
        compiled: Tier = "auto",
    ) -> None:
        if auto_register is not None:
            instance(auto_register, Instrument, "auto_register")
        live = Engine(
            rules, OpenUniverse(universe, auto_register), mode, orphans=orphans, on_trip=on_trip, compiled=compiled
        )
        entries = Entries(live.labels, on_bad_order, auto_register, rounding, OrderPolicy(order_ids, unknown_orders))
        self._start(live, entries, ts_policy)
        self.four_eyes = four_eyes
        self._challenge_all(shadow)

    @classmethod
    def create(
        cls,
        rules: RuleSet,
        instruments: Iterable[Instrument] = (),
        accounts: Iterable[Account | str] = (),
        *,
        quantum: Any = None,
        currencies: str = "one",
        **options: Any,
    ) -> Self:
        """Create a session from instruments and accounts.

        Parameters
        ----------
        rules : RuleSet
            In their declared order.
        instruments : iterable of Instrument
            Traded instruments.
        accounts : iterable of Account or str
            Accounts with opening cash and positions.
        quantum : str, Decimal, int or float, optional
            Money of the integer 1; by default the largest amount of which a cent, every tick times lot times
            multiplier and every opening balance is a multiple.
        currencies : {"one", "many"}
            "one" refuses an account that mixes currencies; rules convert to the one that they name (`process_fx`).
        **options
            As for the class.

        Raises
        ------
        InputError
            If a label is declared twice or a number does not fit.
        """
        mixed = one_of(currencies, ("one", "many"), "currencies") == "many"
        like = options.get("auto_register")
        return cls(rules, Universe.declare(instruments, accounts, quantum, mixed=mixed, like=like), **options)

    def _start(self, live: Engine, entries: Entries, ts_policy: str) -> None:
        self._lock = lock_of(self)
        self._follow(live, entries)
        self._ts_policy = one_of(ts_policy, ("raise", "reject", "clamp"), "ts_policy")
        self._formatter = DecisionFormatter(live.rules, live.labels, live.params)
        self._pauses = Pauses()
        self._day_rules = {k for k, rule in enumerate(live.rules) if rule.hold_ns() == "session"}
        self._lapses: list[tuple[int, int]] = []  # (time, row) of orders that lapse, sorted
        self._door = ColumnDoor(live, entries, clamps=ts_policy == "clamp")
        self.notes: dict[str, Any] = {}
        self._stopped = ""
        self.acts: list[dict[str, Any]] = []
        self._challengers = {}

    def _follow(self, live: Engine, entries: Entries) -> None:
        """Go on with an engine, and with ids whose orders and fills are in its journal."""
        self._live, self._entries = live, entries
        entries.read_from(live.journal.fields)

    def stop(self, why: str) -> None:
        """Take no more events: why is the answer to each."""
        self._stopped = why
        self._door.shut()

    def _refuse_stopped(self) -> None:
        if self._stopped:
            raise InputError(self._stopped)

    def _after_fork(self, torn: bool) -> None:
        """In a forked child: a session that another thread was changing is of no more use."""
        if torn:
            self.stop(
                "this process was forked while another thread was in a call of this session, whose books may be half changed; "
                "restore it from a snapshot"
            )

    # ------------------------------------------------------------------ processing

    def take_stretch(self, columns: Mapping[str, Any], start: int, stop: int, batch: Batch) -> int:
        """Take the plain rows from `start` on at once, and return their number; see `riskkit.replay.live.batch`."""
        part = {name: columns[name][start:stop] for name in COLUMNS if name in columns}
        first = self._door.kept
        words, used = self._door.stretch(part)
        count = len(words)
        batch.seq[start : start + count] = np.arange(first, first + count)
        batch.passed[start : start + count] = True
        if used:
            decided = self._live.last(used)
            batch.refuse(decided, start - first)
            if IS_REFUSED[decided["code"]].all():  # needs nothing of the state, so it can be made later
                batch.say(partial(_refusals, self._formatter, decided, words, first))
            else:
                batch.say(partial(iter, self._stretch_actions(decided, words, first)))
        self._publish()
        return count

    def _stretch_actions(self, decided: np.ndarray, words: np.ndarray, first: int) -> list[Decision]:
        """The actions of a stretch, with the ends of pauses in it, at the first event that is not before them."""
        ts, state = words[:, WORDS["ts"]], self._live.tables
        events = {seq: taken_event(words[seq - first].tobytes()) for seq in set(decided["seq"].tolist())}
        found = [(action_seq, 1, a) for action_seq, a in self._formatter.numbered(decided, events, state)]
        turns = decided[np.isin(decided["code"], TURNS)]

        def release(now: int) -> None:
            for (k, key), until in self._pauses.ended(now):
                at = int(np.searchsorted(ts, now if until is None else until))
                event = taken_event(words[at].tobytes())
                found.append((first + at, 0, self._formatter.release(k, key, event, first + at, state, "by its time")))

        for row in turns:
            release(int(ts[int(row["seq"]) - first]))
            self._note_pauses(row.reshape(1))
        if len(turns):
            release(int(ts[-1]))
            self._door.open(self._due())
        return [action for _, _, action in sorted(found, key=lambda one: one[:2])]

    def _submit(
        self,
        ts: Any,
        fields: Mapping[str, Any],
        make: Callable[[Entries, int, int], Rows],
        labels: Sequence[Mapping[str, Any]] = (),
        ids: Sequence[Any] = (),
        untimed: bool = False,
    ) -> list[Decision]:
        """Convert, check, and only then take an event; what is refused leaves no label."""
        with self._lock:
            self._refuse_stopped()
            self._settle()
            universe, size = self._live.labels, self._live.size
            assert isinstance(universe, OpenUniverse)
            before = universe.sizes
            try:
                return self._convert(ts, fields, make, labels or (fields,), ids, untimed)
            except BaseException as error:
                take_back(self, size, before, error)
                raise
            finally:
                self._publish()

    def _convert(
        self,
        ts: Any,
        fields: Mapping[str, Any],
        make: Callable[[Entries, int, int], Rows],
        labels: Sequence[Mapping[str, Any]],
        ids: Sequence[Any],
        untimed: bool,
    ) -> list[Decision]:
        now, late = self._time(ts, untimed)
        live, entries = self._with_newcomers(labels, fields.get("pair"))
        due = [] if late else lapsed(self._lapses, self._live.row, now)
        entries.market = live.market
        rows = make(entries, self._live.size + len(due), now)
        for row in rows:
            if late:  # it changes nothing, so it is no duplicate either
                row["flags"] |= int(RowFlag.BAD_TS)
            elif row["trade_id"] >= 0:
                row["flags"] |= int(RowFlag.DUPLICATE) * entries.fills.repeats(row, fields["trade_id"])
        given = [(order_id, None) for order_id in ids] or [(fields.get("order_id"), fields.get("trade_id"))]
        self._door.pending = [(None, None)] * len(due) + given
        taken = [*due, *rows]
        decided = live.take(taken)  # raises before any change
        if live is not self._live:
            self._swap(live, entries)
        first = live.size - len(taken)
        over = self._keep(taken, first, decided)
        self._door.learn(rows[-1], *map(fields.get, ("account", "instrument", "strategy", "connection")))
        return self._answer(decided, taken, first, over)

    def _swap(self, live: Engine, entries: Entries) -> None:
        """Go on with another engine of the same journal."""
        door = self._door.of(live, entries)
        self._follow(live, entries)
        self._formatter = DecisionFormatter(live.rules, live.labels, live.params)
        self._day_rules = {k for k, rule in enumerate(live.rules) if rule.hold_ns() == "session"}
        self._door = door

    def _now(self, ts: Any) -> int:
        """The time of a signed command, by which all that is due has happened."""
        self._refuse_stopped()
        self._settle()
        now, late = self._time(ts, untimed=True)
        if late:
            raise InputError(f"ts={shown(ts)} is earlier than the event before it, at {self._live.latest}")
        if self._due() <= now:
            self._clock(EventKind.CLOCK, now)
        return now

    def _signed(self, live: Engine, rows: Rows) -> list[Decision]:
        """Take commands under an engine that may be another one, of the same journal."""
        first, entries, before = self._live.size, self._entries, self._live
        if live.labels is not before.labels:
            entries = entries.in_universe(live.labels)
        try:
            if live is not before:
                self._swap(live, entries)
            self._door.pending = NO_IDS
            live.take(rows)
        except BaseException:
            undo_change(self, before, first)
            raise
        decided = live.since(first)
        return self._answer(decided, rows, first, self._keep(rows, first, decided))

    def _with_newcomers(self, labels: Sequence[Mapping[str, Any]], pair: Any) -> tuple[Engine, Entries]:
        """The engine and the entries with the new labels of an event: others than now, if the tables cannot grow to them."""
        live, entries = self._live, self._entries
        universe = live.labels
        assert isinstance(universe, OpenUniverse)
        for named in labels:
            for kind, label in entries.newcomers(named):
                universe.add(kind, label)
        for currency in () if pair is None else currencies_of(pair):
            universe.add("quanta", currency)
        if live.follows():
            return live, entries
        live = live.widened(universe.frozen)
        return live, entries.in_universe(live.labels)

    def _holders(self, instrument: int) -> list[int]:
        """The accounts that have had a position or an order in an instrument."""
        return [account for account, code in self._live.journal.pairs if code == instrument]

    def _taken(self, used: int) -> list[Decision]:
        """The decisions on the event that the door took last."""
        if used == 1 and (row := self._live.last_row())[CODE_AT] in REFUSED:  # as `_refused`, without its call
            return [self._formatter.refusal(row, self._door.last(0), taken_event)]
        if self._note_pauses(self._live.last(used)):
            self._door.open(self._due())
        return self._told(used)

    def _refused(self, used: int) -> Decision | None:
        """The decision on the event that the door took last, if it is one refusal."""
        if used != 1 or (row := self._live.last_row())[CODE_AT] not in REFUSED:
            return None
        return self._formatter.refusal(row, self._door.last(0), taken_event)

    def _told(self, used: int) -> list[Decision]:
        """All decisions on that event."""
        event = {self._door.kept - 1: self._door.event()}
        return self._formatter.actions(self._live.last(used), event, self._live.tables)

    def _settle(self) -> None:
        """Complete what an interrupted call left: ids, lapses and pauses of events that are in the journal."""
        undo_half(self)
        first = self._door.kept
        if first < self._live.size:
            self._live.journal.note_orders(first)
            self._keep(
                [self._live.row(number) for number in range(first, self._live.size)], first, self._live.since(first)
            )

    def _keep(self, rows: Rows, first: int, decided: np.ndarray) -> list[tuple[tuple[int, int], int | None]]:
        """Keep ids, lapses and pauses of events that were taken; return the pauses that ended by time, or with the day.

        A second call, after an interrupted one, changes nothing that the first one did.
        """
        for number, row, ids in zip(itertools.count(first), rows, self._door.pending, strict=False):
            self._entries.remember(row, number, *ids)
            lapse = (row["ts"], row["order"]) if row["kind"] == EventKind.EXPIRE else (row["expires"], number)
            at = bisect.bisect_left(self._lapses, lapse)
            known = self._lapses[at : at + 1] == [lapse]
            if row["kind"] == EventKind.EXPIRE:
                del self._lapses[at : at + known]
            elif row["expires"] != MISSING and row["order"] >= 0 and not row["flags"] & RowFlag.BAD_TS and not known:
                self._lapses.insert(at, lapse)
        last = rows[-1]
        over = []
        if not last["flags"] & RowFlag.BAD_TS:
            over = self._pauses.ended(last["ts"], self._day_rules if last["kind"] == EventKind.SESSION else ())
        self._note_pauses(decided)
        self._door.open(self._due())
        return over

    def _note_pauses(self, decided: np.ndarray) -> bool:
        """Note the pauses that begin or end in decision rows; return whether there are any."""
        found = False
        for _, _, _, _, until, key, cause, code, _, _ in decided.tolist():
            if code in TURNS:
                found = True
                if code == TRIP:
                    self._pauses.begin((cause, key), until)
                else:
                    self._pauses.end((cause, key))
        return found

    def _due(self) -> int:
        """A time before which no order lapses and no pause ends."""
        return min(self._lapses[0][0] if self._lapses else LARGEST, self._pauses.next, LARGEST)

    def _time(self, ts: Any, untimed: bool) -> tuple[int, bool]:
        journal = self._live.journal
        simulated = journal.latest == 0 and EventKind.CLOCK in journal.columns["kind"][: len(journal)]
        return event_time(ts, journal.latest, self._ts_policy, untimed, simulated)

    def _answer(
        self, decided: np.ndarray, rows: Rows, first: int, over: list[tuple[tuple[int, int], int | None]]
    ) -> list[Decision]:
        """Actions of the ends of pauses, then those of the new decision rows."""
        state, last = self._live.tables, rows[-1]
        spoken = last["kind"] == EventKind.CONTROL and not last["flags"] & RowFlag.BAD_TS
        found = [self._formatter.said(last, first)] if spoken else []
        for (k, key), until in over:
            how = "with the day" if until is None else "by its time"
            found.append(self._formatter.release(k, key, last, first, state, how))
        return found + self._formatter.actions(decided, dict(enumerate(rows, first)), state)

    # ------------------------------------------------------------------ access

    def log(self) -> EventLog:
        """The journal as an event log; its replay has this session's digest."""
        with self._lock:
            undo_half(self)
            return self._labelled(self._live.log())

    def result(self) -> ReplayResult:
        """All decisions so far, as the result of a replay."""
        with self._lock:
            undo_half(self)
            found = self._live.result()
            self._labelled(found.log)
            return found

    def _labelled(self, log: EventLog) -> EventLog:
        log.order_labels = self._entries.orders.order_labels()
        return log

    @property
    def digest(self) -> str:
        """Digest of the result, equal to that of a replay of `log`."""
        with self._lock:
            undo_half(self)
            return self._live.digest

    def answer_of(self, order_id: Any, account: Any = None) -> list[Decision]:
        """The decisions on an earlier order once more (none: it passed), for a client that did not get the answer.

        Parameters
        ----------
        order_id : str or int
            Id of the order; of several days, the last one.
        account : str, optional
            Its account, where ids are those of an account.

        Raises
        ------
        InputError
            If no order that is known has this id.
        """
        with self._lock:
            number = self.order_number(order_id, account)
            event, decided = self._live.row(number), self._live.decisions_on(number)
            formatter = DecisionFormatter(self._live.history.at(number).rules, self._live.labels)
            return formatter.actions(decided, {number: event}, self._live.tables)

    def order_number(self, order_id: Any, account: Any = None) -> int:
        """The number in the journal of an earlier order; parameters and errors as of `answer_of`."""
        with self._lock:
            self._settle()
            entries = self._entries
            owner = None if account is None else entries.account(account)
            known = entries.orders.find(order_id, owner, entries.universe.accounts)
            if known is None:
                raise InputError(f"order_id={shown(order_id)} {UNKNOWN}")
            return known.row

    @property
    def rules(self) -> RuleSet:
        """The rules in force, in their declared order."""
        return self._live.history.now

    @property
    def universe(self) -> Universe:
        """The labels and units so far."""
        return self._live.universe

    @property
    def engine(self) -> Engine:
        """The engine of integer codes; another object after a new label has been registered."""
        return self._live

    @property
    def state(self) -> State:
        """The present integer state; `status` gives a copy."""
        return self._live.state

    @property
    def formatter(self) -> DecisionFormatter:
        """The formatter of decisions as actions."""
        return self._formatter

    @property
    def latest(self) -> int:
        """Time of the last event, nanoseconds since the epoch; `riskkit.replay.schema.columns.MISSING` before the first."""
        return self._live.latest

    def __len__(self) -> int:
        """Number of events so far."""
        return self._live.size


def _refusals(formatter: DecisionFormatter, decided: np.ndarray, words: np.ndarray, first: int) -> Iterator[Decision]:
    """The actions of rows of refusals, on the events of a stretch that begins with event `first`."""
    for row, seq in enumerate(decided["seq"].tolist()):
        yield formatter.refusal(decided[row : row + 1].tobytes(), words[seq - first].tobytes(), taken_event)
