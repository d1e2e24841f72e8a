"""`Alert`: one decision of one rule about one event, as plain data; equal events give equal alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from riskkit._check import InputError, finite_number, one_line, one_of, shown, whole_number
from riskkit._show import Row
from riskkit.desk.core.records import CheckedRecord, Field, Nanoseconds, Text, as_text
from riskkit.replay.rules.rule import ACTIONS, SEVERITIES

RANK = {severity: rank for rank, severity in enumerate(SEVERITIES)}
"""Severity -> rank, INFO first."""


def as_severity(value: Any, name: str) -> str:
    """One of INFO, WARN and CRITICAL."""
    return one_of(value, SEVERITIES, name)


Severity = Annotated[str, Field(as_severity)]
ActionName = Annotated[str, Field(lambda value, name: one_of(value, ACTIONS, name))]
EventNumber = Annotated[int, Field(lambda value, name: whole_number(value, name, at_least=0))]


def _metrics(value: Any, name: str) -> dict[str, float]:
    """A dict of finite numbers; ints stay ints."""
    if not isinstance(value, Mapping):
        raise InputError(f"{name}={shown(value)} is not a mapping from a name to a number")
    numbers = {
        as_text(key, f"a name in {name}"): finite_number(item, f"{name}[{key!r}]") for key, item in value.items()
    }
    return {key: value[key] if type(value[key]) is int else number for key, number in numbers.items()}


@dataclass(frozen=True, repr=False, eq=False)
class Alert(CheckedRecord):
    """One decision of one rule.

    Parameters
    ----------
    alert_id : str
        16 hexadecimal digits of a hash of the journal up to the event, the rule and its key: equal events, equal ids.
    user : str
        The account; the key of the rule ("X", "everything") for an event without one.
    rule : str
        Id of the rule.
    severity : {"INFO", "WARN", "CRITICAL"}
        Declared by the rule.
    message : str
        One sentence.
    timestamp : int, datetime or ISO text
        Of the event; stored as nanoseconds since the epoch, UTC.
    trade_id : str, optional
        Of the fill, or the id of the order.
    metrics : dict
        Numbers at the event: observed value, limit and headroom of the rule, in its unit; cash and realized of the
        account, in money; if a rule depends on marks also equity, gross_exposure, net_exposure, unrealized and
        max_drawdown_money.
    action : {"ALERT", "QUEUE", "REJECT", "REDUCE_ONLY", "PAUSE", "HALT"}
        Effect of the decision.
    seq : int, optional
        Number of the event in the journal, the argument of `ReplayResult.explain`.
    key : str, optional
        What the rule counts by: the account, "A X" for an instrument of an account, ...

    Raises
    ------
    RequestError
        With every invalid field.

    Examples
    --------
    >>> alert = Alert("0011223344556677", "ann", "MaxExposure", "CRITICAL", "too much.", 5, metrics={"observed": 12})
    >>> Alert.from_dict(alert.to_dict()) == alert, alert.metrics["observed"]
    (True, 12)
    """

    alert_id: Text
    user: Text
    rule: Text
    severity: Severity
    message: Text
    timestamp: Nanoseconds
    trade_id: Text | None = None
    metrics: Annotated[dict[str, float], Field(_metrics)] = field(default_factory=dict)
    action: ActionName = "ALERT"
    seq: EventNumber | None = None
    key: Text | None = None

    def __str__(self) -> str:
        """One line."""
        return one_line(f"{self.severity} {self.rule} {self.user}: {self.message}")

    def _title(self) -> str:
        return f"{self.severity}: {self.rule} of {self.user}"

    def _rows(self) -> list[Row]:
        fields = [(name, getattr(self, name), "") for name in ("message", "action", "alert_id", "trade_id")]
        return [*fields, *((name, value, "") for name, value in self.metrics.items())]
