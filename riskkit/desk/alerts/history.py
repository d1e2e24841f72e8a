"""What was raised: the last alerts with what became of them on each channel and who has taken note."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from riskkit._check import InputError
from riskkit.desk.alerts.alert import RANK, Alert, as_severity
from riskkit.desk.alerts.outbox import Delivery

__all__ = ["Entry", "History", "UnknownAlertError", "chosen", "delivered"]

OF_ALERT = ["alert_id", "timestamp", "user", "rule", "severity", "action", "message", "trade_id", "seq"]
SEEN = ["observed", "limit"]
OF_ENTRY = ["muted", "acknowledged", "acknowledged_by", "acknowledged_at"]
COLUMNS = [*OF_ALERT, *SEEN, *OF_ENTRY]


class UnknownAlertError(InputError):
    """An alert id that is not in the history.

    Examples
    --------
    >>> issubclass(UnknownAlertError, InputError)
    True
    """


@dataclass(slots=True)
class Entry:
    """One alert, what became of it, and who acknowledged it when."""

    alert: Alert
    muted: bool = False
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    acknowledged: bool = False
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None

    def row(self) -> list[Any]:
        """One row of the history."""
        alert = self.alert
        seen = [alert.metrics.get(name) for name in SEEN]
        return [*(getattr(alert, name) for name in OF_ALERT), *seen, *(getattr(self, name) for name in OF_ENTRY)]


class History:
    """The last alerts, oldest first.

    Parameters
    ----------
    keep : int
        How many; older ones are forgotten.
    """

    def __init__(self, keep: int) -> None:
        self.keep = keep
        self.entries: dict[str, Entry] = {}

    def add(self, entry: Entry) -> None:
        """Remember one, and forget the oldest where there are too many."""
        self.entries[entry.alert.alert_id] = entry
        if len(self.entries) > self.keep:
            del self.entries[next(iter(self.entries))]

    def __getitem__(self, alert_id: str) -> Entry:
        if alert_id not in self.entries:
            raise UnknownAlertError(f"alert_id={alert_id!r} is not among the last {self.keep:,} alerts")
        return self.entries[alert_id]

    def __contains__(self, alert_id: str) -> bool:
        return alert_id in self.entries

    def all(self) -> list[Entry]:
        """Every entry as of now: a list of its own, so that a frame can be made of it while others come."""
        return list(self.entries.values())


def chosen(
    entries: Iterable[Entry], user: str | None, rule: str | None, minimum_severity: str, acknowledged: bool | None
) -> Any:
    """The entries that fit as a DataFrame, one row an alert."""
    import pandas as pd

    least = RANK[as_severity(minimum_severity, "minimum_severity")]
    rows = [
        entry.row()
        for entry in entries
        if user in (None, entry.alert.user)
        and rule in (None, entry.alert.rule)
        and RANK[entry.alert.severity] >= least
        and acknowledged in (None, entry.acknowledged)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"muted": bool, "acknowledged": bool})


def delivered(entries: Iterable[Entry]) -> Any:
    """One row an alert and channel: status, attempts, and the last error."""
    import pandas as pd

    rows = [
        (one.alert.alert_id, one.channel, one.status, one.attempts, one.error)
        for entry in entries
        for one in entry.deliveries.values()
    ]
    return pd.DataFrame(rows, columns=["alert_id", "channel", "status", "attempts", "error"])
