"""A live session by labels: orders, fills and prices in, actions out, each event journaled.

What comes is what people have (names, Decimals, Timestamps); it meets the door's checks one event at a time
(`riskkit.replay.entry`), then the same loop as a replay (`riskkit.replay.live`). A replay of `LiveSession.log` decides
the same, to the bit. Bad input is refused whole, with a sentence, and leaves no trace. No clock is read.

Every call holds one lock: events of many threads are taken one after the other, in the order of the journal, and a
`View` is the session between two events, never within one.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.replay.action import ActionEvent, Teller
from riskkit.replay.amount import instant
from riskkit.replay.columns import MISSING, Decision, Flag, Kind
from riskkit.replay.entry import Entries, Named
from riskkit.replay.events import EventLog
from riskkit.replay.live import LiveEngine
from riskkit.replay.result import Result
from riskkit.replay.rows import DEFAULTS
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.state import State
from riskkit.replay.universe import Account, Instrument, Universe, common_unit, exact
from riskkit.replay.view import View

__all__ = ["LiveSession"]

Rows = list[dict[str, int]]
OF_ORDER = ("account", "instrument", "strategy", "connection")  # what the end of an order has of it


class LiveSession:
    """Rules behind a live API.

    Parameters
    ----------
    rules : RuleSet
        In their declared order.
    universe : Universe
        Accounts, instruments and units; take a log's with ``log.universe``, or use `LiveSession.declare`.
    mode, orphans, on_trip : str
        As of `replay_log`; by default shadow, in which nothing is refused and every answer is what would have been
        said. In enforce mode the events that come are those that were allowed outside as well.
    on_bad_order : {"raise", "flag"}
        As of `EventLog.from_frame`: "flag" keeps an order with a bad or off-grid price or quantity for the rule
        ``lot_tick`` to judge (off the grid as far as the instrument's price_step and qty_step reach).
    ts_policy : {"raise", "reject", "clamp"}
        What becomes of an event that is earlier than the one before: refusal; an event that is journaled, counted and
        touches nothing; or the time of the event before.
    newcomers : Instrument, optional
        None: an account or instrument that is not declared is refused. Else it is registered at its first event:
        accounts open empty, instruments in the units of this one (not listed, for the rule ``known_instrument``).
        Strategies and connections are registered in any case.
    compiled : bool
        False runs the rules as plain Python, which starts at once.

    Examples
    --------
    >>> from riskkit.replay.rule import Rule
    >>> from riskkit.replay.rules import OrderRate
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=1, window_ns="1s"))])
    >>> session = LiveSession.declare(rules, [Instrument("X")], ["A"], compiled=False)
    >>> order = {"account": "A", "instrument": "X", "side": "B", "qty": 2, "price": "10.50"}
    >>> session.process_order(ts=0, **order)
    []
    >>> for action in session.process_order(ts=999_999_999, **order):
    ...     print(action.action, action.observed, action.limit, action.headroom)
    ...     print(action.reason)
    REJECT 2 1 -1
    the order is refused by rate (at most 1 messages (orders, lists of orders) in any 1 s, refused ones leave no
    trace): observed 2, limit 1.
    """

    def __init__(
        self,
        rules: RuleSet,
        universe: Universe,
        mode: str = "shadow",
        *,
        orphans: str = "keep",
        on_trip: str = "leave",
        on_bad_order: str = "raise",
        ts_policy: str = "raise",
        newcomers: Instrument | None = None,
        compiled: bool = True,
    ) -> None:
        live = LiveEngine(rules, universe, mode, orphans=orphans, on_trip=on_trip, compiled=compiled)
        self._start(live, on_bad_order, ts_policy, newcomers)

    @classmethod
    def declare(
        cls,
        rules: RuleSet,
        instruments: Iterable[Instrument] = (),
        accounts: Iterable[Account | str] = (),
        *,
        quantum: Any = None,
        currencies: str = "one",
        **options: Any,
    ) -> LiveSession:
        """A session over declared instruments and accounts.

        Parameters
        ----------
        rules : RuleSet
            In their declared order.
        instruments : iterable of Instrument
            What is traded.
        accounts : iterable of Account or str
            Who trades, with opening cash and positions.
        quantum : str, Decimal, int or float, optional
            Money that the integer 1 stands for; by default the largest of which a cent, every tick times lot times
            multiplier and every opening balance is a whole multiple.
        currencies : {"one", "many"}
            Whether an account that mixes currencies is refused.
        **options
            As of the class.

        Raises
        ------
        InputError
            Where a label is declared twice or a number does not fit.
        """
        one_of(currencies, ("one", "many"), "currencies")
        things = tuple(instruments)
        people = tuple(one if isinstance(one, Account) else Account(one) for one in accounts)
        shapes = [*things, *([options["newcomers"]] if options.get("newcomers") else [])]
        amounts = [Fraction(1, 100), *(i.price_step * i.qty_step * i.multiplier for i in shapes)]
        amounts += [exact(v, f"account {a.id!r}: cash") for a in people for v in a.cash.values()]
        unit = common_unit(amounts) if quantum is None else exact(quantum, "quantum")
        if unit <= 0:
            raise InputError(f"quantum={quantum!r} is not above zero")
        names = dict.fromkeys([i.currency for i in shapes] + [c for a in people for c in a.cash]) or {"USD": None}
        return cls(rules, Universe(things, people, dict.fromkeys(names, unit), mixed=currencies == "many"), **options)

    def _start(self, live: LiveEngine, on_bad_order: str, ts_policy: str, newcomers: Instrument | None) -> None:
        self._lock = threading.RLock()
        self._live = live
        self._ts_policy = one_of(ts_policy, ("raise", "reject", "clamp"), "ts_policy")
        self._entries = Entries(live.universe, on_bad_order, newcomers)
        self._teller = Teller(live.rules, live.universe)
        self._held: dict[tuple[int, int], int] = {}
        self._lapses: list[tuple[int, int]] = []
        self.notes: dict[str, Any] = {}

    # ------------------------------------------------------------------ what happens

    def process_order(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take an order and say what the rules say of it; nothing: it passed.

        Parameters
        ----------
        ts : int or Timestamp
            When: nanoseconds since the epoch, or a time with a zone.
        **fields
            ``account``, ``instrument``, ``side`` (B, S), ``qty``, ``price`` (or ``type="market"``), and optionally
            ``order_id``, ``reduce_only``, ``reserve``, ``strategy``, ``connection``, ``parent_id``, ``expires``.

        Returns
        -------
        list of ActionEvent
            REJECT where it is refused, ALERT, PAUSE or HALT where a rule warns or trips, RESUME of what is over.

        Raises
        ------
        InputError
            Where a field does not fit; nothing has happened then.
        """
        return self._submit(ts, fields, lambda e, place, now: [e.order(place, now, **fields)])

    def process_order_list(
        self, *, ts: Any, account: Any, orders: Sequence[Mapping[str, Any]], children: Any = None
    ) -> list[ActionEvent]:
        """Take a list of orders of one account, decided together; ``children``: how many messages it counts for."""
        labels = [{"account": account, **order} for order in orders]
        ids = [order.get("order_id") for order in orders]
        return self._submit(
            ts, {}, lambda e, place, now: e.order_list(place, now, orders, account, children), labels, ids
        )

    def process_modify(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take a change of the order ``order_id``: a new ``qty`` (in all), a new ``price``, or both."""
        return self._one(ts, fields, Entries.modify)

    def process_cancel(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take a cancel of the order ``order_id``; it always passes."""
        return self._one(ts, fields, Entries.cancel)

    def process_trade(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take a fill: ``qty``, ``price``, and ``order_id`` or ``account``, ``instrument``, ``side``; ``trade_id``, ``fee``.

        A fill that names its order finds account, instrument and side by it. A second one of an account with the same
        ``trade_id`` is a duplicate and changes nothing.
        """
        return self._one(ts, fields, Entries.fill)

    def process_price(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take a ``price`` (last trade and mark), a ``bid``, an ``ask`` of an ``instrument``."""
        return self._one(ts, fields, Entries.price)

    def process_cash(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take money of an ``account``: ``amount``, ``flow`` (deposit, fee, funding, dividend), ``currency``."""
        return self._one(ts, fields, Entries.cash)

    def process_equity(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take the ``equity`` of an ``account`` as given from outside; it replaces the computed one."""
        return self._one(ts, fields, Entries.equity)

    def process_closed_trade(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take a closed trade: ``account``, ``instrument``, ``side``, ``pnl``, ``ret``, ``exit``."""
        return self._one(ts, fields, Entries.closed_trade)

    def process_ack(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take a success of an ``account``."""
        return self._one(ts, fields, partial(Entries.told, kind=Kind.ACK))

    def process_error(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take a failure of an ``account``."""
        return self._one(ts, fields, partial(Entries.told, kind=Kind.ERROR))

    def process_execution(self, *, ts: Any, **fields: Any) -> list[ActionEvent]:
        """Take an automated execution of an ``account``'s ``strategy``."""
        return self._one(ts, fields, partial(Entries.told, kind=Kind.EXECUTION))

    def _one(self, ts: Any, fields: dict[str, Any], make: Callable[..., dict[str, int]]) -> list[ActionEvent]:
        """Take one event; any may say through which ``strategy`` and ``connection`` it came."""
        through = fields.get("strategy"), fields.get("connection")
        rest = {name: value for name, value in fields.items() if name not in ("strategy", "connection")}

        def rows(entries: Entries, place: int, now: int) -> Rows:
            row = make(entries, ts=now, **rest)
            entries.through(row, *through)
            return [row]

        return self._submit(ts, fields, rows)

    # ------------------------------------------------------------------ time and people

    def tick(self, now: Any = None) -> list[ActionEvent]:
        """Tell the time: days turn, orders lapse, and pauses whose end has come are over (RESUME)."""
        return self._clock(Kind.CLOCK, now)

    def reset_daily(self, now: Any = None) -> list[ActionEvent]:
        """Turn the trading day by hand, of every rule: day counts begin anew and pauses for the day are over."""
        return self._clock(Kind.SESSION, now)

    def reset_breaker(self, account: Any = None, now: Any = None) -> list[ActionEvent]:
        """Lift every pause of an account, or of all, and start runs of losses and errors anew."""
        return self.command("RESET", account, now)

    def pause(self, account: Any = None, now: Any = None) -> list[ActionEvent]:
        """Pause an account, or all, until `resume`: only cancels and orders that reduce a position pass."""
        return self.command("PAUSE", account, now)

    def resume(self, account: Any = None, now: Any = None) -> list[ActionEvent]:
        """Lift every pause of an account, or of all."""
        return self.command("RESUME", account, now)

    def command(self, cmd: str, account: Any = None, now: Any = None) -> list[ActionEvent]:
        """Carry out ACTIVE, REDUCING, HALTED (with the rule ``trading_state``), PAUSE, RESUME or RESET."""
        return self._submit(now, {"account": account}, lambda e, place, ts: [e.control(ts, cmd, account)], untimed=True)

    def _clock(self, kind: Kind, now: Any) -> list[ActionEvent]:
        def row(entries: Entries, place: int, ts: int) -> Rows:
            return [{**DEFAULTS, "ts": ts, "kind": int(kind)}]

        return self._submit(now, {}, row, untimed=True)

    # ------------------------------------------------------------------ taking one in

    def _submit(
        self,
        ts: Any,
        fields: Mapping[str, Any],
        make: Callable[[Entries, int, int], Rows],
        labels: Sequence[Mapping[str, Any]] = (),
        ids: Sequence[Any] = (),
        untimed: bool = False,
    ) -> list[ActionEvent]:
        """Translate, check, and only then take an event: all of it, or nothing."""
        with self._lock:
            now, late = self._time(ts, untimed)
            entries = self._entries
            for one in labels or (fields,):
                entries = entries.inside(entries.wider(one))
            due = [] if late else self._due(now)
            first = self._live.size + len(due)
            rows = make(entries, first, now)
            for row in rows if late else ():  # it touches nothing, so it is no duplicate either
                row["flags"] = (row["flags"] & ~int(Flag.DUPLICATE)) | int(Flag.BAD_TS)
            live = self._live if entries is self._entries else self._live.widened(entries.universe)
            decided = live.take([*due, *rows])  # refuses before it changes anything
            if live is not self._live:
                self._live, self._entries, self._teller = live, entries, Teller(live.rules, live.universe)
            del self._lapses[: len(due)]
            heapq.heapify(self._lapses)
            for place, row in enumerate(rows):
                order_id = ids[place] if ids else fields.get("order_id")
                entries.keep(row, first + place, order_id, fields.get("trade_id"))
                if row["expires"] != MISSING and row["order"] >= 0 and not late:
                    heapq.heappush(self._lapses, (row["expires"], first + place))
            return self._answer(decided, [*due, *rows], live.size - len(due) - len(rows), late)

    def _time(self, ts: Any, untimed: bool) -> tuple[int, bool]:
        latest = self._live.latest
        if ts is None and untimed:
            return (0 if latest == MISSING else latest), False
        now = instant(ts)
        if now >= latest:
            return now, False
        if self._ts_policy == "raise":
            raise InputError(
                f"ts={ts!r} is earlier than the event before it, at {latest}; send events in their order, or say "
                "ts_policy='reject' or 'clamp'"
            )
        return (latest, False) if self._ts_policy == "clamp" else (now, True)

    def _due(self, now: int) -> Rows:
        """The ends of orders that lapse up to now, in their order."""
        found = []
        for expires, place in sorted(self._lapses):
            if expires > now:
                break
            row = {**DEFAULTS, "ts": expires, "kind": int(Kind.EXPIRY), "order": place}
            known = self._live.row(place)
            found.append({**row, **{name: known[name] for name in OF_ORDER}})
        self._lapses.sort()
        return found

    def _answer(self, decided: np.ndarray, rows: Rows, first: int, late: bool) -> list[ActionEvent]:
        """The actions of the rows just taken, after the ends of pauses that have come."""
        state, last = self._live.state, rows[-1]
        found = [self._teller.said(last, first)] if last["kind"] == Kind.CONTROL and not late else []
        turned = last["kind"] == Kind.SESSION
        for (k, key), until in [] if late else list(self._held.items()):
            over = until <= last["ts"]
            if over or (turned and self._live.rules[k].hold_ns() == "session"):
                how = "by its time" if over else "with the day"
                found.append(self._teller.release(k, key, last, first, state, how))
                del self._held[k, key]
        for row in decided:
            if row["code"] == Decision.TRIP:
                self._held[int(row["cause"]), int(row["key"])] = int(row["until"])
            elif row["code"] == Decision.RELEASE:
                self._held.pop((int(row["cause"]), int(row["key"])), None)
        if len(decided):
            found += self._teller.actions(decided, dict(enumerate(rows, first)), state)
        return found

    # ------------------------------------------------------------------ looking

    def view(self) -> View:
        """The books, states and used limits as of the last event: a copy that does not change."""
        with self._lock:
            return View(self._live)

    def log(self) -> EventLog:
        """The journal as an event log; a replay of it has this session's digest."""
        with self._lock:
            return self._live.log()

    def result(self) -> Result:
        """Everything decided so far, as a replay would give it."""
        with self._lock:
            return self._live.result()

    @property
    def digest(self) -> str:
        """The digest that a replay of `log` has."""
        return self.result().digest

    @property
    def rules(self) -> RuleSet:
        """The rules, in their declared order."""
        return self._live.rules

    @property
    def universe(self) -> Universe:
        """The labels and units so far."""
        return self._live.universe

    @property
    def engine(self) -> LiveEngine:
        """The engine below, in integers; a new one where newcomers have made the universe wider."""
        return self._live

    @property
    def state(self) -> State:
        """The integer books themselves, as they are now; `view` gives a copy."""
        return self._live.state

    @property
    def teller(self) -> Teller:
        """What turns decisions into actions: rules, their integers, labels."""
        return self._teller

    @property
    def latest(self) -> int:
        """Time of the last event, nanoseconds since the epoch; `riskkit.replay.columns.MISSING` before the first."""
        return self._live.latest

    def __len__(self) -> int:
        """Events taken so far."""
        return self._live.size

    # ------------------------------------------------------------------ snapshots

    def snapshot(self, notes: Mapping[str, Any] | None = None) -> bytes:
        """The whole session as bytes; see `LiveEngine.snapshot`. ``notes`` (JSON) are there again after `restore`."""
        with self._lock:
            extra: dict[str, Any] = {
                "orders": [[label, named.row] for label, named in self._entries.orders.items()],
                "trades": list(self._entries.trades),
                "on_bad_order": "flag" if self._entries.flag else "raise",
                "ts_policy": self._ts_policy,
                "newcomers": None,
                "notes": dict(notes or {}),
            }
            if self._entries.newcomers is not None:
                extra["newcomers"] = Universe((self._entries.newcomers,), (), {}).describe()
            return self._live.snapshot(extra)

    @classmethod
    def restore(cls, snapshot: bytes, rules: RuleSet, *, compiled: bool = True) -> LiveSession:
        """Go on from a snapshot, with the same rules.

        Raises
        ------
        InputError
            Where the bytes are torn or altered, of other rules, or of another version of the semantics.
        """
        live = LiveEngine.restore(snapshot, rules, compiled=compiled)
        if "orders" not in live.extra:
            raise InputError(
                "the snapshot is of a LiveEngine, not of a LiveSession; restore it with LiveEngine.restore"
            )
        extra, session = live.extra, cls.__new__(cls)
        shape = extra["newcomers"]
        newcomers = Universe.from_description(shape).instruments[0] if shape else None
        session._start(live, extra["on_bad_order"], extra["ts_policy"], newcomers)
        session._recall(extra)
        return session

    def _recall(self, extra: Mapping[str, Any]) -> None:
        """Remember again what the journal tells: orders, trades, what is held and what will lapse."""
        live, entries = self._live, self._entries
        self.notes = dict(extra["notes"])
        for label, place in extra["orders"]:
            row = live.row(place)
            fields = ("account", "instrument", "side", "flags", "strategy", "connection", "expires")
            entries.orders[label] = Named(place, *(row[name] for name in fields))
        entries.trades.update((label, code) for code, label in enumerate(extra["trades"]))
        lapsed = set()
        pending = []
        for place in range(live.size):
            row = live.row(place)
            entries.keep(row, place, None, None)
            if row["kind"] == Kind.FILL and row["trade_id"] >= 0 and not row["flags"] & Flag.BAD_TS:
                entries.booked.add((row["account"], row["trade_id"]))
            elif row["kind"] == Kind.EXPIRY:
                lapsed.add(row["order"])
            elif row["expires"] != MISSING and row["order"] >= 0 and not row["flags"] & Flag.BAD_TS:
                pending.append((row["expires"], place))
        self._lapses = sorted(one for one in pending if one[1] not in lapsed)
        for k, table in enumerate(live.state.rules):
            for key in np.flatnonzero(table["held_until"][1:] > max(live.latest, 0)).tolist():
                self._held[k, key] = int(table["held_until"][key + 1])
