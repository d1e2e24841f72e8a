"""State of an `AlertSystem` as plain data for JSON: what was told and acknowledged, mutes, and windows of repeats."""

from __future__ import annotations

from typing import Any

from riskkit._check import InputError, one_of, shown
from riskkit._commit import commit
from riskkit.desk.alerts.alert import Alert, as_severity
from riskkit.desk.alerts.delivery import STATUSES, Delivery
from riskkit.desk.alerts.history import HistoryEntry
from riskkit.desk.core.records import as_bool, as_text, count, nanoseconds
from riskkit.replay.rules.rule import ACTIONS

FORMAT = 1


def plain_state(system: Any) -> dict[str, Any]:
    """History with deliveries, mutes, windows and counts; channels and subscriptions are code."""
    return {
        "format": FORMAT,
        "counts": dict(system._counts),
        "history": [_plain_entry(entry) for entry in system._history.all()],
        "mutes": [[user, rule, until] for (user, rule), until in system._mutes.until.items()],
        "windows": [[*identity, last] for identity, last in system._repeats.last.items()],
    }


def fill(system: Any, state: Any) -> None:
    """Put a state into a new system; what waits for one of its channels is queued again."""
    if state["format"] != FORMAT:
        raise InputError(f"the state has format {shown(state['format'])}; this riskkit reads format {FORMAT}")
    entries = [_entry(plain) for plain in state["history"]]
    mutes = {
        (_name(user, "user"), _name(rule, "rule")): None if until is None else nanoseconds(until, "until")
        for user, rule, until in state["mutes"]
    }
    windows = {}
    for user, rule, key, action, severity, last in state["windows"]:
        names = as_text(user, "user"), as_text(rule, "rule"), _name(key, "key")
        level = one_of(action, ACTIONS, "action"), as_severity(severity, "severity")
        windows[(*names, *level)] = nanoseconds(last, "window")
    counts = {name: count(state["counts"][name], name) for name in system._counts}
    for entry in entries:
        commit(system._history.added(entry))
        for name, delivery in entry.deliveries.items():
            if delivery.status == "waiting" and name in system._queues:
                commit(system._queues[name].put(delivery))
    system._counts.update(counts)
    system._mutes.until.update(mutes)
    system._repeats.last.update(windows)


def _plain_entry(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "alert": entry.alert.to_dict(),
        "muted": entry.muted,
        "acknowledged": [entry.acknowledged, entry.acknowledged_by, entry.acknowledged_at],
        "deliveries": [[one.channel, one.status, one.attempts, one.error] for one in entry.deliveries.values()],
    }


def _entry(plain: Any) -> HistoryEntry:
    alert = Alert.from_dict(plain["alert"])
    deliveries = {
        as_text(channel, "channel"): Delivery(
            alert, channel, one_of(status, STATUSES, "status"), count(attempts, "attempts"), str(error)
        )
        for channel, status, attempts, error in plain["deliveries"]
    }
    told, by, at = plain["acknowledged"]
    when = None if at is None else nanoseconds(at, "acknowledged_at")
    told, muted = as_bool(told, "acknowledged"), as_bool(plain["muted"], "muted")
    return HistoryEntry(alert, muted, deliveries, told, _name(by, "acknowledged_by"), when)


def _name(value: Any, name: str) -> str | None:
    return None if value is None else as_text(value, name)
