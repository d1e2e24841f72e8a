"""`Alert`: what a rule had to say of one event, for a person; plain data, and the same for the same events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from riskkit._check import InputError, finite_number, one_of, whole_number
from riskkit._show import Row
from riskkit.desk.fields import Record, as_text, nanoseconds, optionally
from riskkit.replay.rule import ACTIONS, SEVERITIES

__all__ = ["RANK", "Alert", "as_severity"]

RANK = {severity: place for place, severity in enumerate(SEVERITIES)}
"""Severities, mildest first."""


def as_severity(value: Any, name: str) -> str:
    """One of INFO, WARN and CRITICAL."""
    return one_of(value, SEVERITIES, name)


def _action(value: Any, name: str) -> str:
    return one_of(value, ACTIONS, name)


def _seq(value: Any, name: str) -> int:
    return whole_number(value, name, at_least=0)


def _metrics(value: Any, name: str) -> dict[str, float]:
    """A dict of finite numbers; whole ones stay whole."""
    if not isinstance(value, Mapping):
        raise InputError(f"{name}={value!r} is no mapping from a name to a number")
    numbers = {as_text(key, f"a name in {name}"): finite_number(one, f"{name}[{key!r}]") for key, one in value.items()}
    return {key: value[key] if type(value[key]) is int else number for key, number in numbers.items()}


@dataclass(frozen=True, repr=False, eq=False)
class Alert(Record):
    """One decision of one rule, as it is told.

    Parameters
    ----------
    alert_id : str
        16 hexadecimal digits over the journal up to the event, the rule and its key: the same events, the same ids.
    user : str
        The account; the key of the rule ("X", "everything") where an event has none.
    rule : str
        Id of the rule.
    severity : {"INFO", "WARN", "CRITICAL"}
        As the rule declares it.
    message : str
        The sentence.
    timestamp : int, datetime or ISO text
        Of the event; kept as nanoseconds since the epoch, UTC.
    trade_id : str, optional
        Of the fill, or the id of the order.
    metrics : dict
        Numbers as of the event: what the rule observed, its limit, what is left to it (headroom), and of the account
        cash and realised, in money; where a rule looks at marks also equity, gross_exposure, net_exposure, unrealised
        and max_drawdown.
    action : {"ALERT", "REJECT", "REDUCE_ONLY", "PAUSE", "HALT"}
        What became of it.
    seq : int, optional
        The event's number in the journal, as `Result.explain` takes it.

    Raises
    ------
    RequestError
        With every field that does not fit.

    Examples
    --------
    >>> alert = Alert("0011223344556677", "ann", "MaxExposure", "CRITICAL", "too much.", 5, metrics={"observed": 12})
    >>> Alert.from_dict(alert.to_dict()) == alert, alert.metrics["observed"]
    (True, 12)
    """

    alert_id: str
    user: str
    rule: str
    severity: str
    message: str
    timestamp: int
    trade_id: str | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    action: str = "ALERT"
    seq: int | None = None

    _checks: ClassVar = {
        "alert_id": as_text,
        "user": as_text,
        "rule": as_text,
        "severity": as_severity,
        "message": as_text,
        "timestamp": nanoseconds,
        "trade_id": optionally(as_text),
        "metrics": _metrics,
        "action": _action,
        "seq": optionally(_seq),
    }

    def __str__(self) -> str:
        """One line."""
        return " ".join(f"{self.severity} {self.rule} {self.user}: {self.message}".split())

    def _title(self) -> str:
        return f"{self.severity}: {self.rule} of {self.user}"

    def _rows(self) -> list[Row]:
        fields = [(name, getattr(self, name), "") for name in ("message", "action", "alert_id", "trade_id")]
        return [*fields, *((name, value, "") for name, value in self.metrics.items())]
