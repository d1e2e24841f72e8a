"""`AlertSystem`: decisions in, alerts out, to every channel that wants them; no decision ever waits for one.

What a session decides becomes alerts in the caller's thread: they are numbered, filtered and put into the queues of
the channels, which never blocks. Delivery is another matter: when `deliver` is called, or in threads between `start`
and `close`. No clock is read: windows and mutes go by the time of the events, waits are counted in attempts.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from riskkit._check import InputError, positive, whole_number
from riskkit._show import Row, Shown
from riskkit.desk.alerts.alert import Alert
from riskkit.desk.alerts.decisions import AlertMaker, engine_of
from riskkit.desk.alerts.filters import Mutes, Repeats, Subscription
from riskkit.desk.alerts.history import Entry, History, chosen, delivered
from riskkit.desk.alerts.outbox import Delivery, Outbox, Retry
from riskkit.desk.alerts.watched import Watched
from riskkit.desk.fields import as_text, checked, nanoseconds
from riskkit.replay.parameters import duration

__all__ = ["AlertSystem"]

Channel = Callable[[Alert], Any]
logger = logging.getLogger("riskkit.desk.alerts")


class AlertSystem(Shown):
    """Raises alerts and delivers them; safe under threads.

    Parameters
    ----------
    channels : iterable or mapping
        Functions of an alert, by name; without a mapping each is called by its attribute ``name`` or its own. A channel
        hears everything until it is given a subscription.
    capacity : int
        Alerts that may wait before each channel.
    overflow : {"drop_oldest", "drop_newest"}
        Which is dropped, and counted, when one more comes. There is no waiting for room.
    retry : Retry
        Attempts, and the waits between them.
    deduplicate : str or int
        An alert of the same user and rule within this span of event time of the last raised one is a repeat: it is
        counted and dropped. "60s" or nanoseconds; 0 lets all through. The same id is raised once in any case.
    keep : int
        Alerts that the history holds.
    wait : function of seconds, optional
        In the place of the waiting between attempts; a true answer stops it.

    Raises
    ------
    InputError
        A channel that is no function, two of one name, a number that does not fit.

    Examples
    --------
    >>> import riskkit as rk
    >>> from riskkit.desk import AlertSystem, TableChannel, condition
    >>> rules = rk.RuleSet([condition("MaxExposure", limit=1_000, severity="CRITICAL")])
    >>> session = rk.LiveSession.declare(rules, [rk.Instrument("X")], ["ann"], compiled=False)
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
        channels: Iterable[Channel] | Mapping[str, Channel] = (),
        *,
        capacity: int = 1_000,
        overflow: str = "drop_oldest",
        retry: Retry | None = None,
        deduplicate: Any = 0,
        keep: int = 10_000,
        wait: Callable[[float], Any] | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._options = capacity, overflow, Retry() if retry is None else retry, wait
        self._history = History(whole_number(keep, "keep"))
        self._repeats = Repeats(duration(deduplicate, "deduplicate"))
        self._mutes = Mutes()
        self._makers: weakref.WeakKeyDictionary[Any, AlertMaker] = weakref.WeakKeyDictionary()
        self._subscriptions: dict[str, tuple[Subscription, ...]] = {}
        self._outboxes: dict[str, Outbox] = {}
        self._counts = {"raised": 0, "deduplicated": 0, "muted": 0, "errors": 0}
        self._running = False
        named = channels.items() if isinstance(channels, Mapping) else [(None, channel) for channel in channels]
        for name, channel in named:
            self.add_channel(channel, name)

    # ------------------------------------------------------------------ channels and subscriptions

    def add_channel(self, channel: Any, name: Any = None) -> str:
        """Add a function of an alert; return the name under which it is known."""
        if not callable(channel):
            raise InputError(f"channel={channel!r} cannot be called; give a function of an alert")
        known = name or getattr(channel, "name", None) or getattr(channel, "__name__", type(channel).__name__)
        known = checked(as_text, known, "name")
        with self._lock:
            if known in self._outboxes:
                raise InputError(f"a channel {known!r} is there already; give a mapping from names of your own")
            outbox = Outbox(known, channel, *self._options)
            self._subscriptions[known], self._outboxes[known] = (), outbox
            if self._running:
                outbox.start()
        return known

    def subscribe(self, channel: str, user: str | None = None, minimum_severity: str = "INFO") -> Subscription:
        """Let a channel hear of a user (or all), this severity or worse; its first one ends that it hears everything.

        An alert that fits several subscriptions is delivered once.
        """
        one = Subscription(channel, user, minimum_severity)
        with self._lock:
            if channel not in self._outboxes:
                raise InputError(f"channel={channel!r} is not known; there are {', '.join(self._outboxes) or 'none'}")
            self._subscriptions[channel] += (one,)
        return one

    def unsubscribe(self, subscription: Subscription) -> None:
        """Take a subscription back; without its last one a channel hears everything again."""
        with self._lock:
            kept = [one for one in self._subscriptions.get(subscription.channel, ()) if one != subscription]
            if subscription.channel in self._subscriptions:
                self._subscriptions[subscription.channel] = tuple(kept)

    # ------------------------------------------------------------------ raising

    def watch(self, session: Any) -> Any:
        """The same session, of whose decisions alerts are raised: call what is returned in its place.

        What it decides and answers is the session's own, and stands whatever becomes of the alerts.

        Parameters
        ----------
        session : LiveSession or RiskEngine
        """
        self.take(session, [])  # takes in the journal so far
        return Watched(session, self._take_safely)

    def take(self, session: Any, decided: Any, trade_ids: Mapping[int, Any] | None = None) -> list[Alert]:
        """Raise alerts of what a session answered, without watching it; return those that were raised.

        Parameters
        ----------
        session : LiveSession, RiskEngine or LiveEngine
            Which decided.
        decided : list of ActionEvent, or rows
            Its answer: ``session.process_order(...)``, or the decision rows of ``engine.push(...)``.
        trade_ids : mapping, optional
            {event number: id of the trade or order}, for the alerts.

        Returns
        -------
        list of Alert

        Raises
        ------
        InputError
            A session that is none of these.
        """
        engine = engine_of(session)
        with self._lock:
            maker = self._makers.get(session)
            if maker is None:
                maker = self._makers[session] = AlertMaker(engine)
            if not len(decided):
                maker.chain.keep_up(engine)
                return []
            ids = {seq: str(one) for seq, one in (trade_ids or {}).items()}
            return [alert for alert in maker.alerts(engine, decided, ids) if self.post(alert)]

    def _take_safely(self, session: Any, decided: Any, trade_ids: Mapping[int, Any]) -> None:
        """The same for a watcher: whatever happens, the decision stands."""
        try:
            self.take(session, decided, trade_ids)
        except Exception:
            with self._lock:
                self._counts["errors"] += 1
            logger.exception("no alert could be made of a decision")

    def post(self, alert: Alert) -> bool:
        """Raise an alert; False where it is muted or a repeat. It is put into queues; nothing is delivered here."""
        with self._lock:
            if alert.alert_id in self._history or (not self._mutes.cover(alert) and self._repeats.holds(alert)):
                self._counts["deduplicated"] += 1
                return False
            if self._mutes.cover(alert):
                self._counts["muted"] += 1
                self._history.add(Entry(alert, muted=True))
                return False
            self._counts["raised"] += 1
            self._repeats.begin(alert)
            entry = Entry(alert)
            self._history.add(entry)
            for name, outbox in self._outboxes.items():
                heard = self._subscriptions[name]
                if not heard or any(one.hears(alert) for one in heard):
                    entry.deliveries[name] = Delivery(alert, name)
                    outbox.put(entry.deliveries[name])
            return True

    # ------------------------------------------------------------------ people

    def acknowledge(self, alert_id: str, who: str | None = None, timestamp: Any = None) -> None:
        """Note that someone has taken note of an alert, and who and when where that is said; the first one stays.

        Raises
        ------
        UnknownAlertError
            An id that is not in the history.
        """
        by = None if who is None else checked(as_text, who, "who")
        at = None if timestamp is None else nanoseconds(timestamp)
        with self._lock:
            entry = self._history[alert_id]
            if not entry.acknowledged:
                entry.acknowledged, entry.acknowledged_by, entry.acknowledged_at = True, by, at

    def mute(self, user: str | None = None, rule: str | None = None, until: Any = None) -> None:
        """Deliver nothing of a user, a rule, or a rule of a user, until an event time (without one, until `unmute`).

        Muted alerts are counted and stand in the history.
        """
        key = self._muted(user, rule)
        stop = None if until is None else nanoseconds(until, "until")
        with self._lock:
            self._mutes.until[key] = stop

    def unmute(self, user: str | None = None, rule: str | None = None) -> None:
        """Take back what `mute` was told of the same user and rule."""
        with self._lock:
            self._mutes.until.pop(self._muted(user, rule), None)

    def _muted(self, user: str | None, rule: str | None) -> tuple[str | None, str | None]:
        for name, one in (("user", user), ("rule", rule)):
            if one is not None:
                checked(as_text, one, name)
        return user, rule

    # ------------------------------------------------------------------ delivering

    def deliver(self) -> int:
        """Deliver what waits, here and now, one channel after the other; return how many were delivered.

        Raises
        ------
        InputError
            While it is delivered in the background.
        """
        if self._running:
            raise InputError("alerts are delivered in the background; wait with flush(), or close() first")
        return sum(outbox.deliver() for outbox in list(self._outboxes.values()))

    def start(self) -> AlertSystem:
        """Begin to deliver in the background, a thread for each channel, until `close`."""
        with self._lock:
            if not self._running:
                self._running = True
                for outbox in self._outboxes.values():
                    outbox.start()
        return self

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until nothing waits any more; False where that takes a channel longer than `timeout` seconds."""
        seconds = positive(timeout, "timeout")
        return all([outbox.flush(seconds) for outbox in list(self._outboxes.values())])

    def close(self, timeout: float = 5.0) -> tuple[str, ...]:
        """Deliver what waits and stop the threads; return the channels that still hang in a call.

        Parameters
        ----------
        timeout : float
            Seconds that each channel is given to deliver what waits (0: none). What is then left waits on, for
            `deliver` or another `start`. The thread of a channel that hangs ends with its call.
        """
        seconds = positive(timeout, "timeout", zero=True)
        with self._lock:
            outboxes, self._running = list(self._outboxes.values()), False
        for outbox in outboxes:
            outbox.finish() if seconds else outbox.halt()
        for outbox in outboxes:
            outbox.join(seconds)
            outbox.halt()
        hanging = tuple(outbox.name for outbox in outboxes if not outbox.join(0.2))
        if hanging:
            logger.warning("channels that did not stop: %s", ", ".join(hanging))
        return hanging

    def __enter__(self) -> AlertSystem:
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.close()

    # ------------------------------------------------------------------ looking

    def counters(self) -> dict[str, int]:
        """How many alerts were raised, deduplicated and muted; how many deliveries were delivered, failed or dropped.

        ``waiting`` are the deliveries to come; ``errors`` the decisions of a watched session of which no alert could be
        made.
        """
        with self._lock:
            found = dict(self._counts)
            outboxes = list(self._outboxes.values())
        for name in ("delivered", "failed", "dropped"):
            found[name] = sum(outbox.counts[name] for outbox in outboxes)
        return found | {"waiting": sum(outbox.waiting for outbox in outboxes)}

    def status(self, alert_id: str) -> dict[str, dict[str, Any]]:
        """What became of an alert, by channel: status (waiting, delivered, failed, dropped), attempts, last error.

        Raises
        ------
        UnknownAlertError
            An id that is not in the history.
        """
        with self._lock:
            found = self._history[alert_id].deliveries
            names = ("status", "attempts", "error")
            return {channel: {name: getattr(one, name) for name in names} for channel, one in found.items()}

    def alert(self, alert_id: str) -> Alert:
        """One alert of the history, with all its numbers.

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
        """The last alerts as a DataFrame, oldest first, muted ones too; those that fit the filters."""
        return chosen(self._entries(), user, rule, minimum_severity, acknowledged)

    def deliveries(self) -> Any:
        """One row an alert and channel: status, attempts and the last error."""
        return delivered(self._entries())

    def _entries(self) -> list[Entry]:
        """The history as of now; what is made of it holds up nobody."""
        with self._lock:
            return self._history.all()

    def _title(self) -> str:
        return f"Alerts to {', '.join(self._outboxes) or 'no channel'}"

    def _rows(self) -> list[Row]:
        return [(name, count, "") for name, count in self.counters().items()]
