"""Who hears what: subscriptions by user and severity, mutes until an event time, and repeats within a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from riskkit.desk.alerts.alert import RANK, Alert, as_severity
from riskkit.desk.fields import Record, as_text, optionally

__all__ = ["Mutes", "Repeats", "Subscription"]

Key = tuple[str | None, str | None]
FIRST_PRUNING = 1024


@dataclass(frozen=True, repr=False, eq=False)
class Subscription(Record):
    """What a channel wants to hear.

    Parameters
    ----------
    channel : str
        Its name.
    user : str, optional
        Without one, of every user.
    minimum_severity : {"INFO", "WARN", "CRITICAL"}
        This or worse.

    Examples
    --------
    >>> Subscription("log", minimum_severity="WARN").to_dict()
    {'channel': 'log', 'user': None, 'minimum_severity': 'WARN'}
    """

    channel: str
    user: str | None = None
    minimum_severity: str = "INFO"

    _checks: ClassVar = {"channel": as_text, "user": optionally(as_text), "minimum_severity": as_severity}

    def hears(self, alert: Alert) -> bool:
        """Whether an alert is one of these."""
        return self.user in (None, alert.user) and RANK[alert.severity] >= RANK[self.minimum_severity]


class Mutes:
    """Users and rules of which nothing is to be delivered, until an event time or until they are lifted."""

    def __init__(self) -> None:
        self.until: dict[Key, int | None] = {}

    def cover(self, alert: Alert) -> bool:
        """Whether an alert is muted; at the time itself it no longer is."""
        for user in (alert.user, None):
            for rule in (alert.rule, None):
                until = self.until.get((user, rule), alert.timestamp)
                if until is None or alert.timestamp < until:
                    return True
        return False


class Repeats:
    """Which user and rule had an alert less than a window ago, in event time.

    The window begins with the alert that was raised and is not prolonged by repeats: a condition that lasts is told
    again once each window.

    Parameters
    ----------
    window : int
        Nanoseconds; 0 lets everything through.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self._last: dict[Key, int] = {}
        self._prune_at = FIRST_PRUNING

    def holds(self, alert: Alert) -> bool:
        """Whether an alert is a repeat."""
        last = self._last.get((alert.user, alert.rule))
        return last is not None and abs(alert.timestamp - last) < self.window

    def begin(self, alert: Alert) -> None:
        """Let the window of an alert begin, and forget those that have passed from time to time."""
        if self.window == 0:
            return
        self._last[alert.user, alert.rule] = alert.timestamp
        if len(self._last) >= self._prune_at:
            since = alert.timestamp - self.window
            self._last = {key: last for key, last in self._last.items() if last > since}
            self._prune_at = max(FIRST_PRUNING, 2 * len(self._last))
