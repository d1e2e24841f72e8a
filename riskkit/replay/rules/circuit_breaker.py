"""Circuit breaker: trips on losses, open positions or errors; reset by hand or when the day turns.

Unit: money, positions, errors in a row. A profit reduces the day's loss but never below zero, so the loss is the
fall from the day's best realised P&L. An order that would exceed the open positions is refused and trips the breaker; a
flat position in which an order works counts as open.
`CircuitBreaker` is the same breaker without a replay, on the same functions.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

from riskkit._check import Duration, InputError, one_of, shown
from riskkit._docs import counted
from riskkit._fork import lock_of
from riskkit._show import Row, Shown
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.breaker_input import Money, instant_of
from riskkit.replay.rules.breaker_state import OPTIONS, checked_state, fill, plain_state
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Count, Flag, Hour, Limit, MoneyReached, TimeZone
from riskkit.replay.rules.rule import Rule, RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, CapVerdict
from riskkit.replay.schema.calendar import day_starts
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow
from riskkit.replay.schema.digest import hash_plain
from riskkit.replay.schema.durations import MAX_AHEAD, duration, refuse_ahead
from riskkit.replay.schema.scopes import SCOPES
from riskkit.replay.schema.universe import Universe, exact

ORDER = int(EventKind.ORDER)
FILL = int(EventKind.FILL)
TRADE = int(EventKind.TRADE)
ERROR = int(EventKind.ERROR)
ACK = int(EventKind.ACK)
LOSS, POSITIONS, ERRORS = 0, 1, 2  # index of the limit in `observes`


class BreakerLimits(NamedTuple):
    """Limits of a circuit breaker: the day's realised loss with fees, open positions, errors in a row.

    A limit that is not given never trips.

    Parameters
    ----------
    daily_loss
        Loss at which it trips.
    open_positions
        Number of positions beyond which an order trips it.
    working
        A flat position in which an order works is open; False (at scope strategy): only the earlier orders of its list.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("breaker", BreakerLimits(daily_loss=5_000, consecutive_errors=3)))
    breaker: a circuit breaker that trips when the day's realised loss reaches 5,000 or 3 errors come in a row,
    for each account. Orders that would breach it are rejected; then the account is halted until the next
    trading day (00:00 UTC): only cancels are accepted (severity WARN).
    """

    daily_loss: Limit[MoneyReached] = None
    open_positions: Limit[Count] = None
    consecutive_errors: Limit[Count] = None
    tz: TimeZone = "UTC"
    roll_hour: Hour = 0
    working: Flag = True


def queued(params: Any, position: Record) -> int:
    """Lots that work in a position; without `working`, those of the earlier orders of the list in decision."""
    if params.working != 0:
        return position.open_buy_qty + position.open_sell_qty
    return position.listed_buy_qty + position.listed_sell_qty


def open_now(state: Record, params: Any) -> int:
    """Number of open positions, with those that orders would open."""
    return state.open + state.listed + (state.opening if params.working != 0 else 0)


def check(state: Record, params: Any, book: Book, event: EventRow) -> CapVerdict:
    """Refuse an order that would exceed the open positions."""
    count = open_now(state, params)
    if event.kind == ORDER and book.position.qty == 0:
        after = count if queued(params, book.position) > 0 else count + 1
        if after > params.open_positions:
            return CapVerdict(OBJECT, after, params.open_positions, POSITIONS, 0)
    return CapVerdict(PASS, count, params.open_positions, POSITIONS, 0)


def apply_pending(state: Record, params: Any, book: Book, event: EventRow, sign: int) -> None:
    """Count the position that an order of a list would open while the later ones are checked."""
    others = queued(params, book.position) - (event.qty if sign > 0 else 0)
    if book.position.qty == 0 and event.qty > 0 and others == 0:
        state.listed += sign


def used(state: Record, params: Any) -> tuple[CapVerdict, ...]:
    """Utilization of each limit."""
    return (
        CapVerdict(OBJECT if state.errors >= params.consecutive_errors else PASS, state.errors, 0, ERRORS, 0),
        CapVerdict(OBJECT if state.loss > params.daily_loss else PASS, state.loss, 0, LOSS, 0),
        CapVerdict(PASS, open_now(state, params), 0, POSITIONS, 0),
    )


def update(state: Record, params: Any, book: Book, event: EventRow) -> int:
    """Update the day's loss, the open positions and the run of errors; trip at a limit."""
    if event.kind == FILL or event.kind == TRADE:
        state.open += book.opened
        state.loss = max(state.loss - book.realised + event.fee, 0)
        return 1 if state.loss > params.daily_loss else 0
    if event.kind == ERROR:
        state.errors += 1
        return 1 if state.errors >= params.consecutive_errors else 0
    if event.kind == ACK:
        state.errors = 0
    return 0


def amend(state: Record, book: Book) -> None:
    """Count the profit and the open positions that a busted or corrected fill changes, at that moment."""
    state.open += book.opened
    state.loss = max(state.loss - book.realised, 0)


def on_new_day(state: Record) -> None:
    """Restart loss and errors at zero."""
    state.loss = 0
    state.errors = 0


def opening(state: Record, book: Book) -> None:
    """Count an opening position as open."""
    state.open += 1


def sentence(params: BreakerLimits) -> str:
    """The limit in words."""
    parts = []
    if params.daily_loss is not None:
        parts.append(f"the day's realised loss reaches {params.daily_loss}")
    if params.open_positions is not None:
        working = "counted" if params.working else "not counted"
        parts.append(
            f"an order would open more than {counted(params.open_positions, 'position')} (working orders {working})"
        )
    if params.consecutive_errors is not None:
        several = params.consecutive_errors != 1
        parts.append(f"{params.consecutive_errors} errors come in a row" if several else "an error comes")
    return f"a circuit breaker that trips when {' or '.join(parts)}"


def misfit(rule: Any) -> str:
    """Reason why the parameters do not fit together."""
    limits = rule.parameters
    if rule.scope == "strategy" and limits.open_positions is not None and limits.working:
        return "a position that working orders would open is an account's, not a strategy's; give working=False"
    return ""


def evidence(rule: Any) -> tuple[Need, ...]:
    """What its limits count."""
    kinds = {"daily_loss": ("FILL", "TRADE"), "open_positions": ("ORDER",), "consecutive_errors": ("ERROR",)}
    given = [kinds[name] for name in rule.kind.limits if getattr(rule.parameters, name) is not None]
    return (Need(tuple(name for names in given for name in names)),)


BREAKER = register(
    RuleType(
        name="breaker",
        parameters=BreakerLimits,
        state=("loss", "open", "errors", "listed"),
        check=check,
        update=update,
        on_new_day=on_new_day,
        reset=on_new_day,
        apply_pending=apply_pending,
        amend=amend,
        on_opening_position=opening,
        checks_on=frozenset({EventKind.ORDER}),
        updates_on=frozenset({EventKind.FILL, EventKind.TRADE, EventKind.ERROR, EventKind.ACK}),
        scopes=tuple(name for name in SCOPES if name not in ("instrument", "product", "connection", "smp_id")),
        action="HALT",
        hold="session",
        requires=frozenset({"opening"}),
        observes=("daily_loss", "open_positions", "consecutive_errors"),
        standing=True,
        used=used,
        looks_at=frozenset({"positions"}),
        evidence=evidence,
        breached_by=frozenset({EventKind.FILL, EventKind.TRADE, EventKind.ERROR}),
        one_of=("daily_loss", "open_positions", "consecutive_errors"),
        misfit=misfit,
        sentence=sentence,
    )
)


EVENTS = {kind: EventRow(0, 0, kind, 0, 0, 0, 1, 1, MISSING, -1) for kind in (ORDER, FILL, TRADE, ERROR, ACK)}
FLAT = SimpleNamespace(qty=0, open_buy_qty=0, open_sell_qty=0)
BY_HAND = replace(BREAKER, one_of=())  # without a limit, a breaker without a replay trips by hand only


class CircuitBreaker(Shown):
    """Circuit breaker without a replay, updated by method calls.

    No clock is read: a method takes the time as ``now``, an integer of nanoseconds since the epoch or a Timestamp with
    a time zone. The trading day turns at the first call whose ``now`` is in the next day; without any ``now`` it never
    turns. Every method acquires a lock, so that several threads can share a breaker; `open_position` checks and counts
    in one step.

    Parameters
    ----------
    daily_loss : str, Decimal, int or float, optional
        Trips when the day's realised loss, in money, reaches it. A profit reduces the loss, never below zero.
    open_positions : int, optional
        Maximum number of open positions; a request beyond it is refused and trips.
    consecutive_errors : int, optional
        Trips after this many errors in a row; a success or a new day restarts the run.
    tz : str
        Time zone of the trading day.
    roll_hour : int
        Local hour at which the day turns, 0 to 23.
    quantum : str, Decimal, int or float
        Unit of money; a profit or loss is rounded to a multiple of it once, half to even.
    hold : {"session", "reset"}
        End of a trip: with the trading day, or only by `reset`.
    max_ahead : str, Timedelta or int
        A ``now`` further ahead of the one before it is stray: it turns no day. `reset` takes any time.
    on_bad_time : {"refuse", "clamp"}
        A ``now`` that is stray or goes back: refused (`can_execute` and `open_position` say no), or taken as the one before.

    Raises
    ------
    InputError
        If a limit is negative or not a number, or a zone, an hour or a time is not valid.

    Examples
    --------
    >>> breaker = CircuitBreaker(daily_loss=500, open_positions=2, consecutive_errors=3)
    >>> breaker.open_position(), breaker.open_position()
    (True, True)
    >>> breaker.record_trade(-300)
    >>> breaker.record_trade("100.50")
    >>> breaker.daily_loss
    199.5
    >>> breaker.open_position()
    False
    >>> breaker.can_execute(), breaker.reason
    (False, 'a position more than the 2 that may be open')
    >>> breaker.reset()
    >>> breaker.can_execute()
    True
    """

    def __init__(
        self,
        daily_loss: Any = None,
        open_positions: int | None = None,
        consecutive_errors: int | None = None,
        *,
        tz: str = "UTC",
        roll_hour: int = 0,
        quantum: Any = "0.01",
        hold: str = "session",
        max_ahead: Duration = MAX_AHEAD,
        on_bad_time: str = "refuse",
    ) -> None:
        self.limits = BreakerLimits(daily_loss, open_positions, consecutive_errors, tz, roll_hour)
        self.hold = one_of(hold, ("session", "reset"), "hold")
        self._max_ahead = duration(max_ahead, "max_ahead", zero=False)
        self._clamps = one_of(on_bad_time, ("refuse", "clamp"), "on_bad_time") == "clamp"
        self._quantum = exact(quantum, "quantum")
        if self._quantum <= 0:
            raise InputError(f"quantum={shown(quantum)} is not above zero")
        self._money = Money(self._quantum)
        rule = Rule("breaker", self.limits, hold=hold, kind=BY_HAND)
        self._params = rule.to_integers(Universe((), (), {"USD": self._quantum}))
        self._state = SimpleNamespace(loss=0, open=0, errors=0, opening=0, listed=0)
        self._lock = lock_of(self)
        self._now: int | None = None
        self._day_end = 0
        self._since: int | None = None
        self.tripped = False
        self.reason = ""

    # ------------------------------------------------------------------ state

    def can_execute(self, now: Any = None) -> bool:
        """True if orders may be sent: the breaker is not tripped, and ``now`` is a time that it can trust.

        Without ``now`` it is one read, which waits for no other thread.
        """
        if now is None:
            return not self.tripped
        with self._lock:
            try:
                self._advance(now)
            except Exception:  # whatever is wrong: no order passes because of it
                return False
            return not self.tripped

    @property
    def daily_loss(self) -> float:
        """The day's realised loss so far, in money: the fall from the day's best realised result."""
        return float(self._state.loss * self._quantum)

    @property
    def open_positions(self) -> int:
        """Number of open positions."""
        return int(self._state.open)

    @property
    def errors(self) -> int:
        """Number of errors in a row."""
        return int(self._state.errors)

    @property
    def since(self) -> Any:
        """Time of the trip, as a Timestamp; None if not tripped, or without any ``now``."""
        import pandas as pd

        return None if self._since is None else pd.Timestamp(self._since, tz="UTC")

    def status(self) -> dict[str, Any]:
        """State as a dict: tripped, reason, since, daily_loss, open_positions, errors."""
        with self._lock:
            names = ("tripped", "reason", "since", "daily_loss", "open_positions", "errors")
            return {name: getattr(self, name) for name in names}

    # ------------------------------------------------------------------ events

    def record_trade(self, pnl: Any, now: Any = None) -> None:
        """Count the profit (above zero) or loss of a closed trade, in money; trip if the daily loss is reached."""
        with self._lock:
            self._advance(now)
            self._record(TRADE, realised=self._money.quanta(pnl))

    def open_position(self, now: Any = None) -> bool:
        """Request a position and count it if granted; a request beyond the limit is refused and trips."""
        with self._lock:
            if not self.can_execute(now):
                return False
            try:
                refused = check(self._state, self._params, self._book(), EVENTS[ORDER]).code != PASS
            except Exception:
                return False
            if refused:
                self._trip(f"a position more than the {self.limits.open_positions} that may be open")
                return False
            self._record(FILL, opened=1)
            return True

    def close_position(self, now: Any = None) -> None:
        """Count a closed position; always allowed."""
        with self._lock:
            self._advance(now)
            if self._state.open == 0:
                raise InputError("close_position: no position is open; call it once for each open_position")
            self._record(FILL, opened=-1)

    def record_error(self, now: Any = None) -> None:
        """Count an error; trip after too many in a row."""
        with self._lock:
            self._advance(now)
            self._record(ERROR)

    def record_success(self, now: Any = None) -> None:
        """Record a success, which ends the run of errors."""
        with self._lock:
            self._advance(now)
            self._record(ACK)

    # ------------------------------------------------------------------ trip and reset

    def trip(self, reason: str = "by hand", now: Any = None) -> None:
        """Trip now, with a reason; a tripped breaker keeps its first reason."""
        with self._lock:
            self._advance(now)
            self._trip(reason)

    def reset(self, now: Any = None) -> None:
        """Reset by hand, with zero loss and errors; open positions stay open."""
        with self._lock:
            if now is not None:
                instant = instant_of(now)
                self._begin_day(instant)
            self._release()
            on_new_day(self._state)

    def check_daily_reset(self, now: Any) -> bool:
        """Advance the time; at a new trading day restart loss and errors at zero and return True.

        A trip of an earlier day ends, unless ``hold`` is "reset".
        """
        with self._lock:
            instant = self._trusted(now)
            first = self._now is None
            if not first and instant < self._day_end:
                self._now = instant
                return False
            self._begin_day(instant)
            if first:
                return False
            on_new_day(self._state)
            if self.hold == "session":
                self._release()
            return True

    # ------------------------------------------------------------------ restart

    def state(self) -> dict[str, Any]:
        """Limits, loss, positions, errors, trip and time as plain data for JSON, for `from_state`."""
        with self._lock:
            return plain_state(self)

    @classmethod
    def from_state(cls, state: Any) -> CircuitBreaker:
        """Continue after a restart: a loss, a trip and the trading day are as they were; another state is refused.

        Examples
        --------
        >>> breaker = CircuitBreaker(daily_loss=100)
        >>> breaker.record_trade(-90)
        >>> again = CircuitBreaker.from_state(breaker.state())
        >>> again.record_trade(-10)
        >>> again.tripped, again.digest == breaker.digest
        (True, False)
        """
        known = checked_state(state)
        breaker = cls(**{name: known[name] for name in OPTIONS})
        fill(breaker, known)
        return breaker

    @property
    def digest(self) -> str:
        """SHA-256 of the state: equal for equal breakers."""
        return hash_plain(self.state()).hex()

    # ------------------------------------------------------------------ calls of the rule's functions

    def _trusted(self, now: Any) -> int:
        """The time, if it is neither before the last one nor far ahead of it; else that one, or an error."""
        try:
            instant = instant_of(now)
            if self._now is not None and instant < self._now:
                raise InputError(f"now={shown(now)} is earlier than the previous time; pass events in time order")
            refuse_ahead(instant, self._now, self._max_ahead, "now")
        except InputError:
            if not self._clamps or self._now is None:
                raise
            return self._now
        return instant

    def _begin_day(self, instant: int) -> None:
        self._day_end = int(day_starts(self.limits.tz, self.limits.roll_hour, instant, instant)[1])
        self._now = instant

    def _advance(self, now: Any) -> None:
        if now is None:
            return
        last = self._now
        if type(now) is int and last is not None and last <= now < self._day_end and now - last <= self._max_ahead:
            self._now = now  # within the day: the short way of `check_daily_reset`
        else:
            self.check_daily_reset(now)

    def _record(self, kind: int, *, realised: int = 0, opened: int = 0) -> None:
        if update(self._state, self._params, self._book(realised, opened), EVENTS[kind]):
            limits, reached = self.limits, f"the day's loss reached {self.limits.daily_loss}"
            self._trip(reached if kind == TRADE else f"{counted(limits.consecutive_errors, 'error')} in a row")

    def _book(self, realised: int = 0, opened: int = 0) -> Book:
        return Book(FLAT, None, None, None, realised, opened)

    def _trip(self, reason: str) -> None:
        if not self.tripped:
            self.tripped, self.reason, self._since = True, reason, self._now

    def _release(self) -> None:
        self.tripped, self.reason, self._since = False, "", None

    def _title(self) -> str:
        return f"Circuit breaker: {f'tripped ({self.reason})' if self.tripped else 'closed, orders may go'}"

    def _rows(self) -> list[Row]:
        now, limits = self.status(), self.limits
        rows: list[Row] = [("since", str(now["since"]), "")] if now["since"] is not None else []
        for name, unit in (("daily_loss", ""), ("open_positions", ""), ("errors", "in a row")):
            limit = limits.consecutive_errors if name == "errors" else getattr(limits, name)
            rows.append(
                (name.replace("_", " "), now[name], f"{unit} of {limit}".strip() if limit is not None else unit)
            )
        return [*rows, ("trading day", f"{limits.roll_hour:02d}:00 {limits.tz}", "")]
