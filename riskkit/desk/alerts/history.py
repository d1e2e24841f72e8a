"""Subscriptions, mutes, repeats within a window, and the history of the last alerts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from riskkit._check import InputError, shown
from riskkit._commit import Change
from riskkit.desk.alerts.alert import RANK, Alert, Severity, as_severity
from riskkit.desk.alerts.delivery import Delivery
from riskkit.desk.core.records import CheckedRecord, Text

Key = tuple[str | None, str | None]
Identity = tuple[str, str, str | None, str, str]
REMEMBERED = 100_000
"""Ids of alerts that are raised once, whatever the length of the history."""
FIRST_PRUNING = 1024
OF_ALERT = ["alert_id", "timestamp", "user", "rule", "severity", "action", "message", "trade_id", "seq"]
MEASURED = ["observed", "limit"]
OF_ENTRY = ["muted", "acknowledged", "acknowledged_by", "acknowledged_at"]
COLUMNS = [*OF_ALERT, *MEASURED, *OF_ENTRY]


@dataclass(frozen=True, repr=False, eq=False)
class Subscription(CheckedRecord):
    """Filter of the alerts that a channel receives.

    Parameters
    ----------
    channel : str
        Name of the channel.
    user : str, optional
        None is every user.
    minimum_severity : {"INFO", "WARN", "CRITICAL"}
        This severity or higher.

    Examples
    --------
    >>> Subscription("log", minimum_severity="WARN").to_dict()
    {'channel': 'log', 'user': None, 'minimum_severity': 'WARN'}
    """

    channel: Text
    user: Text | None = None
    minimum_severity: Severity = "INFO"

    def matches(self, alert: Alert) -> bool:
        """Return True if the channel receives an alert."""
        return self.user in (None, alert.user) and RANK[alert.severity] >= RANK[self.minimum_severity]


class Mutes:
    """Muted users and rules, until an event time or until unmuted."""

    def __init__(self) -> None:
        self.until: dict[Key, int | None] = {}

    def is_muted(self, alert: Alert) -> bool:
        """Return True if an alert is muted; at the end time it no longer is."""
        for user in (alert.user, None):
            for rule in (alert.rule, None):
                until = self.until.get((user, rule), alert.timestamp)
                if until is None or alert.timestamp < until:
                    return True
        return False


class Repeats:
    """Alerts of the same user, rule, key, action and severity within a window of event time: an escalation is no repeat.

    The window begins with the raised alert and is not extended by repeats: a lasting condition raises one alert per
    window.

    Parameters
    ----------
    window : int
        Nanoseconds; 0 disables it.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self.last: dict[Identity, int] = {}
        self._prune_at = FIRST_PRUNING

    def is_repeat(self, alert: Alert) -> bool:
        """Return True if an alert is a repeat."""
        last = self.last.get(identity(alert))
        return last is not None and abs(alert.timestamp - last) < self.window

    def begun(self, alert: Alert) -> list[Change]:
        """The changes that begin the window of an alert; expired windows are pruned now and then."""
        if self.window == 0:
            return []
        if len(self.last) >= self._prune_at:
            since = alert.timestamp - self.window
            self.last = {key: last for key, last in self.last.items() if last > since}
            self._prune_at = max(FIRST_PRUNING, 2 * len(self.last))
        return [(self.last.__setitem__, identity(alert), alert.timestamp)]


def identity(alert: Alert) -> Identity:
    """What makes an alert a repeat of another."""
    return alert.user, alert.rule, alert.key, alert.action, alert.severity


class UnknownAlertError(InputError):
    """An alert id that is not in the history.

    Examples
    --------
    >>> issubclass(UnknownAlertError, InputError)
    True
    """


@dataclass(slots=True)
class HistoryEntry:
    """One alert, its deliveries, and its acknowledgement."""

    alert: Alert
    muted: bool = False
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    acknowledged: bool = False
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None

    def row(self) -> list[Any]:
        """One row of the history."""
        alert = self.alert
        measured = [alert.metrics.get(name) for name in MEASURED]
        return [*(getattr(alert, name) for name in OF_ALERT), *measured, *(getattr(self, name) for name in OF_ENTRY)]


class AlertHistory:
    """The last alerts, oldest first.

    Parameters
    ----------
    keep : int
        Number of alerts to keep.
    """

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.entries: OrderedDict[str, HistoryEntry] = OrderedDict()
        self.ids: OrderedDict[str, None] = OrderedDict()

    def added(self, entry: HistoryEntry) -> list[Change]:
        """The changes that add one alert, and drop the oldest if there are too many."""
        alert_id = entry.alert.alert_id
        changes: list[Change] = [(self.entries.__setitem__, alert_id, entry), (self.ids.__setitem__, alert_id, None)]
        for held, most in ((self.entries, self.keep), (self.ids, max(REMEMBERED, self.keep))):
            if len(held) >= most:
                changes.append((held.pop, next(iter(held))))
        return changes

    def __getitem__(self, alert_id: str) -> HistoryEntry:
        if alert_id not in self.entries:
            raise UnknownAlertError(f"alert_id={shown(alert_id)} is not among the last {self.keep:,} alerts")
        return self.entries[alert_id]

    def __contains__(self, alert_id: str) -> bool:
        return alert_id in self.ids

    def all(self) -> list[HistoryEntry]:
        """A copy of the present entries, from which a frame can be made without the lock."""
        return list(self.entries.values())


def history_frame(
    entries: Iterable[HistoryEntry],
    user: str | None,
    rule: str | None,
    minimum_severity: str,
    acknowledged: bool | None,
) -> Any:
    """Matching entries as a DataFrame, one row per alert."""
    import pandas as pd

    lowest = RANK[as_severity(minimum_severity, "minimum_severity")]
    rows = [
        entry.row()
        for entry in entries
        if user in (None, entry.alert.user)
        and rule in (None, entry.alert.rule)
        and RANK[entry.alert.severity] >= lowest
        and acknowledged in (None, entry.acknowledged)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"muted": bool, "acknowledged": bool})


def deliveries_frame(entries: Iterable[HistoryEntry]) -> Any:
    """One row per alert and channel: status, attempts, and the last error."""
    import pandas as pd

    rows = [
        (delivery.alert.alert_id, delivery.channel, delivery.status, delivery.attempts, delivery.error)
        for entry in entries
        for delivery in entry.deliveries.values()
    ]
    return pd.DataFrame(rows, columns=["alert_id", "channel", "status", "attempts", "error"])
