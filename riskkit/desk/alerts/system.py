"""`AlertSystem`: raises alerts of a session's decisions and delivers them to channels, without delaying a decision.

Alerts are made in the caller's thread, filtered, and added to the queues of the channels, which never blocks. They are
delivered by `deliver`, or by threads between `start` and `close`. No clock is read: windows and mutes use the time of
the events, waits between attempts are seconds.
"""

from __future__ import annotations

import atexit
import logging
import sys
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from riskkit._check import Duration, InputError, one_line, positive, shown, whole_number
from riskkit._commit import Change, commit
from riskkit._fork import lock_of
from riskkit._show import Row, Shown
from riskkit.desk.alerts.alert import Alert
from riskkit.desk.alerts.channels import AlertChannel
from riskkit.desk.alerts.delivery import Delivery, DeliveryQueue, Retry
from riskkit.desk.alerts.from_decisions import AlertMaker, SessionProxy, engine_of
from riskkit.desk.alerts.history import (
    AlertHistory,
    HistoryEntry,
    Mutes,
    Repeats,
    Subscription,
    deliveries_frame,
    history_frame,
)
from riskkit.desk.alerts.persistence import fill, plain_state
from riskkit.desk.core.records import as_text, checked, optional_nanoseconds
from riskkit.desk.core.state_digest import digest_of, restored
from riskkit.replay.schema.durations import duration

logger = logging.getLogger("riskkit.desk.alerts")
MOST_NAMED = 20
_systems: weakref.WeakSet[Any] = weakref.WeakSet()


@atexit.register
def _deliver_at_exit() -> None:
    for system in list(_systems):
        system._at_exit()


class AlertSystem(Shown):
    """Raises alerts and delivers them; safe under threads.

    Parameters
    ----------
    channels : iterable or mapping
        `AlertChannel` objects or functions, by name; without a mapping, named by their attribute ``name`` or function
        name. A channel receives every alert until it has a subscription.
    capacity : int
        Largest number of waiting alerts of each channel.
    overflow : {"drop_oldest", "drop_newest"}
        Alert to drop, and count, when a queue is full.
    retry : Retry
        Attempts, and the waits between them.
    deduplicate : str, Timedelta or int
        An alert of the same user, rule, key, action and severity within this window of event time after the last raised
        one is a repeat, which is counted and dropped; an escalation is none. "60s" or nanoseconds; 0 disables it. The same
        id is raised only once among the last 100,000.
    keep : int
        Number of alerts in the history.
    wait : function of seconds, optional
        Replaces the wait between attempts; a true result stops them.
    exit_timeout : float
        Seconds for each channel to deliver what waits when the interpreter ends, if delivery runs in the background; what
        is not delivered then is named on stderr.

    Raises
    ------
    InputError
        A channel that is not callable, two channels of one name, an invalid number.

    Examples
    --------
    >>> import riskkit as rk
    >>> from riskkit.desk import AlertSystem, TableChannel, condition
    >>> rules = rk.RuleSet([condition("MaxExposure", limit=1_000, severity="CRITICAL")])
    >>> session = rk.Session.create(rules, [rk.Instrument("X")], ["ann"], compiled=False)
    >>> table = TableChannel()
    >>> alerts = AlertSystem([table])
    >>> desk = alerts.watch(session)
    >>> _ = desk.process_price(instrument="X", price=100, ts=0)
    >>> _ = desk.process_order(account="ann", instrument="X", side="B", qty=11, price=100, order_id="o-1", ts=1)
    >>> alerts.deliver()
    1
    >>> alert = table.alerts[0]
    >>> alert.user, alert.rule, alert.severity, alert.trade_id, alert.metrics["observed"]
    ('ann', 'MaxExposure', 'CRITICAL', 'o-1', 1100)
    """

    def __init__(
        self,
        channels: Iterable[AlertChannel] | Mapping[str, AlertChannel] = (),
        *,
        capacity: int = 1_000,
        overflow: str = "drop_oldest",
        retry: Retry | None = None,
        deduplicate: Duration = 0,
        keep: int = 10_000,
        wait: Callable[[float], Any] | None = None,
        exit_timeout: float = 5.0,
    ) -> None:
        self._lock = lock_of(self)
        self._exit_timeout = positive(exit_timeout, "exit_timeout", zero=True)
        self._options = capacity, overflow, Retry() if retry is None else retry, wait
        self._history = AlertHistory(whole_number(keep, "keep"))
        self._repeats = Repeats(duration(deduplicate, "deduplicate"))
        self._mutes = Mutes()
        self._makers: weakref.WeakKeyDictionary[Any, AlertMaker] = weakref.WeakKeyDictionary()
        self._subscriptions: dict[str, tuple[Subscription, ...]] = {}
        self._queues: dict[str, DeliveryQueue] = {}
        self._counts = {"raised": 0, "deduplicated": 0, "muted": 0, "errors": 0}
        self._running = False
        _systems.add(self)
        named = channels.items() if isinstance(channels, Mapping) else [(None, channel) for channel in channels]
        for name, channel in named:
            self.add_channel(channel, name)

    # ------------------------------------------------------------------ channels and subscriptions

    def add_channel(self, channel: Any, name: Any = None) -> str:
        """Add a channel; return its name."""
        if not callable(channel):
            raise InputError(f"channel={shown(channel)} cannot be called; give a function of one alert")
        known = name or getattr(channel, "name", None) or getattr(channel, "__name__", type(channel).__name__)
        known = str(checked(as_text, known, "name"))
        with self._lock:
            if known in self._queues:
                raise InputError(f"there is a channel {known!r} already; give a mapping of names to channels")
            queue = DeliveryQueue(known, channel, *self._options)
            self._subscriptions[known], self._queues[known] = (), queue
            if self._running:
                queue.start()
        return known

    def subscribe(self, channel: str, user: str | None = None, minimum_severity: str = "INFO") -> Subscription:
        """Subscribe a channel to the alerts of a user (or all) of this severity or higher, instead of all alerts.

        An alert that matches several subscriptions is delivered once.
        """
        subscription = Subscription(channel, user, minimum_severity)
        with self._lock:
            if channel not in self._queues:
                raise InputError(
                    f"channel={shown(channel)} is not known; there are {', '.join(self._queues) or 'none'}"
                )
            self._subscriptions[channel] += (subscription,)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Remove a subscription; a channel without any receives every alert."""
        with self._lock:
            channel = subscription.channel
            if channel in self._subscriptions:
                self._subscriptions[channel] = tuple(
                    kept for kept in self._subscriptions[channel] if kept != subscription
                )

    # ------------------------------------------------------------------ raising

    def watch(self, session: Any) -> Any:
        """Return a proxy of the session that raises alerts of its decisions; call the proxy instead.

        Decisions and answers are those of the session, whatever happens to the alerts.

        Parameters
        ----------
        session : Session or RiskEngine
        """
        self.take(session, [])  # hashes the journal so far
        return SessionProxy(session, self._take_safely)

    def take(self, session: Any, decided: Any, trade_ids: Mapping[int, Any] | None = None) -> list[Alert]:
        """Raise the alerts of a session's decisions, without watching it; return the raised ones.

        Parameters
        ----------
        session : Session, RiskEngine or Engine
            The session that decided.
        decided : list of Decision, or rows
            Its decisions: ``session.process_order(...)``, or the decision rows of ``engine.push(...)``.
        trade_ids : mapping, optional
            {event number: id of the trade or order}.

        Returns
        -------
        list of Alert

        Raises
        ------
        InputError
            A session of another type.
        """
        engine = engine_of(session)
        with self._lock:
            maker = self._makers.get(session)
            if maker is None:
                maker = self._makers[session] = AlertMaker(engine)
            if not len(decided):
                maker.chain.catch_up(engine)
                return []
            ids = {seq: str(trade_id) for seq, trade_id in (trade_ids or {}).items()}
            return [alert for alert in maker.alerts(engine, decided, ids) if self.post(alert)]

    def _take_safely(self, session: Any, decided: Any, trade_ids: Mapping[int, Any]) -> None:
        """The same for a proxy: an error is counted and logged, and the decision stands."""
        try:
            self.take(session, decided, trade_ids)
        except Exception:
            with self._lock:
                self._counts["errors"] += 1
            logger.exception("an alert of a decision failed")

    def post(self, alert: Alert) -> bool:
        """Add an alert to the queues of its channels; return False if it is muted or a repeat."""
        with self._lock:
            muted = self._mutes.is_muted(alert)
            if alert.alert_id in self._history or (not muted and self._repeats.is_repeat(alert)):
                commit([self._counted("deduplicated")])
                return False
            if muted:
                commit([self._counted("muted"), *self._history.added(HistoryEntry(alert, muted=True))])
                return False
            queues = [queue for name, queue in self._queues.items() if self._receives(name, alert)]
            entry = HistoryEntry(alert, deliveries={queue.name: Delivery(alert, queue.name) for queue in queues})
            changes = [self._counted("raised"), *self._repeats.begun(alert), *self._history.added(entry)]
            self._enqueue(entry, queues, changes)
        for queue in queues:
            queue.wake()
        return True

    def _enqueue(self, entry: HistoryEntry, queues: list[DeliveryQueue], changes: list[Change]) -> None:
        """Commit the changes and one delivery in each queue, under the locks of all queues."""
        if not queues:
            commit(changes)
            return
        with queues[0].lock:
            put = queues[0].put(entry.deliveries[queues[0].name])
            self._enqueue(entry, queues[1:], [*changes, *put])

    def _receives(self, channel: str, alert: Alert) -> bool:
        subscriptions = self._subscriptions[channel]
        return not subscriptions or any(subscription.matches(alert) for subscription in subscriptions)

    def _counted(self, name: str) -> Change:
        return self._counts.__setitem__, name, self._counts[name] + 1

    # ------------------------------------------------------------------ acknowledgement and mutes

    def acknowledge(self, alert_id: str, who: str | None = None, timestamp: Any = None) -> None:
        """Acknowledge an alert, optionally with name and time; the first acknowledgement stays.

        Raises
        ------
        UnknownAlertError
            An id that is not in the history.
        """
        by = None if who is None else checked(as_text, who, "who")
        at = optional_nanoseconds(timestamp)
        with self._lock:
            entry = self._history[alert_id]
            if not entry.acknowledged:
                given = {"acknowledged": True, "acknowledged_by": by, "acknowledged_at": at}
                commit((setattr, entry, name, value) for name, value in given.items())

    def mute(self, user: str | None = None, rule: str | None = None, until: Any = None) -> None:
        """Mute a user, a rule, or a rule of a user, until an event time (without one, until `unmute`).

        Muted alerts are counted and kept in the history, but not delivered.
        """
        key = self._muted(user, rule)
        stop = optional_nanoseconds(until, "until")
        with self._lock:
            self._mutes.until[key] = stop

    def unmute(self, user: str | None = None, rule: str | None = None) -> None:
        """End the mute of the same user and rule."""
        with self._lock:
            self._mutes.until.pop(self._muted(user, rule), None)

    def _muted(self, user: str | None, rule: str | None) -> tuple[str | None, str | None]:
        for name, value in (("user", user), ("rule", rule)):
            if value is not None:
                checked(as_text, value, name)
        return user, rule

    # ------------------------------------------------------------------ delivering

    def deliver(self) -> int:
        """Deliver the waiting alerts in this thread, one channel after the other; return the number delivered.

        Raises
        ------
        InputError
            Delivery runs in the background.
        """
        if self._running:
            raise InputError("alerts are delivered in the background; wait with flush(), or close() first")
        return sum(queue.deliver() for queue in list(self._queues.values()))

    def start(self) -> AlertSystem:
        """Start delivery in the background, one thread per channel, until `close`."""
        with self._lock:
            if not self._running:
                self._running = True
                for queue in self._queues.values():
                    queue.start()
        return self

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until every queue is empty; return False if a channel takes longer than `timeout` seconds."""
        seconds = positive(timeout, "timeout")
        return all([queue.flush(seconds) for queue in list(self._queues.values())])

    def close(self, timeout: float = 5.0) -> tuple[str, ...]:
        """Deliver the waiting alerts and stop the threads; return the channels that hang in a call.

        Parameters
        ----------
        timeout : float
            Seconds for each channel to empty its queue (0: none). The rest stays queued, for `deliver` or another
            `start`. The thread of a hanging channel ends with its call.
        """
        seconds = positive(timeout, "timeout", zero=True)
        with self._lock:
            queues, self._running = list(self._queues.values()), False
        for queue in queues:
            queue.finish() if seconds else queue.halt()
        for queue in queues:
            queue.join(seconds)
            queue.halt()
        hanging = tuple(queue.name for queue in queues if not queue.join(0.2))
        if hanging:
            logger.warning("channels that did not stop: %s", ", ".join(hanging))
        return hanging

    def _at_exit(self) -> None:
        """Deliver what waits, within the declared time, and name on stderr what is not delivered."""
        if self._running:
            self.close(self._exit_timeout)
        for queue in self._queues.values():
            untold = queue.untold()
            if untold:
                more = f" and {len(untold) - MOST_NAMED} more" if len(untold) > MOST_NAMED else ""
                names = one_line(", ".join(untold[:MOST_NAMED]))
                print(f"riskkit: channel {one_line(queue.name)} has not delivered {names}{more}", file=sys.stderr)

    def _after_fork(self, torn: bool) -> None:
        """Begin anew in a forked child, in the background if the parent did."""
        running, self._running = self._running, False
        self._queues = {name: queue.forked() for name, queue in self._queues.items()}
        if running:
            self.start()

    # ------------------------------------------------------------------ state

    def state(self) -> dict[str, Any]:
        """History, acknowledgements, deliveries, mutes and windows as plain data for JSON, for `from_state`."""
        with self._lock:
            return plain_state(self)

    @classmethod
    def from_state(cls, state: Any, channels: Any = (), **options: Any) -> AlertSystem:
        """Continue after a restart, with channels and options as of a new system; what waits is delivered again.

        Raises
        ------
        InputError
            A state that was not written by an `AlertSystem`.

        Examples
        --------
        >>> alerts = AlertSystem()
        >>> alerts.mute(user="ann")
        >>> again = AlertSystem.from_state(alerts.state())
        >>> again.post(Alert("01", "ann", "limit", "WARN", "too much.", 0)), again.digest == alerts.digest
        (False, False)
        """
        system = cls(channels, **options)
        restored(cls.__name__, state, lambda plain: fill(system, plain))
        return system

    @property
    def digest(self) -> str:
        """SHA-256 of the state."""
        return digest_of(type(self).__name__, self.state())

    def __enter__(self) -> AlertSystem:
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.close()

    # ------------------------------------------------------------------ reports

    def counters(self) -> dict[str, int]:
        """Numbers of alerts raised, deduplicated and muted, and of deliveries delivered, failed, dropped and waiting.

        ``errors`` are decisions of a watched session whose alerts failed to be made.
        """
        with self._lock:
            found = dict(self._counts)
            queues = list(self._queues.values())
        for name in ("delivered", "failed", "dropped"):
            found[name] = sum(queue.counts[name] for queue in queues)
        return found | {"waiting": sum(queue.waiting for queue in queues)}

    def status(self, alert_id: str) -> dict[str, dict[str, Any]]:
        """Deliveries of an alert by channel: status (waiting, delivered, failed, dropped), attempts, last error.

        Raises
        ------
        UnknownAlertError
            An id that is not in the history.
        """
        with self._lock:
            found = self._history[alert_id].deliveries
            names = ("status", "attempts", "error")
            return {channel: {name: getattr(delivery, name) for name in names} for channel, delivery in found.items()}

    def alert(self, alert_id: str) -> Alert:
        """One alert of the history.

        Raises
        ------
        UnknownAlertError
            An id that is not in the history.
        """
        with self._lock:
            return self._history[alert_id].alert

    def history(
        self,
        user: str | None = None,
        rule: str | None = None,
        minimum_severity: str = "INFO",
        acknowledged: bool | None = None,
    ) -> Any:
        """The last alerts that match the filters as a DataFrame, oldest first, muted ones included."""
        return history_frame(self._entries(), user, rule, minimum_severity, acknowledged)

    def deliveries(self) -> Any:
        """One row per alert and channel: status, attempts and the last error."""
        return deliveries_frame(self._entries())

    def _entries(self) -> list[HistoryEntry]:
        """A copy of the history, taken under the lock."""
        with self._lock:
            return self._history.all()

    def _title(self) -> str:
        return f"Alerts to {', '.join(self._queues) or 'no channel'}"

    def _rows(self) -> list[Row]:
        return [(name, count, "") for name, count in self.counters().items()]
