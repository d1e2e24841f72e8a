"""The limits of Zipline."""

from __future__ import annotations

from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def zipline(*, orders_a_day: int = 9, tz: str = "UTC") -> RuleSet:
    """Zipline's ``set_max_order_count``: maximum number of orders per day.

    References
    ----------
    stefan-jansen/zipline-reloaded, tests/test_algorithm.py (test_set_max_order_count_minutely).

    Examples
    --------
    >>> len(zipline(orders_a_day=5))
    1
    """
    return rule_set(entry("order_count", "order_rate", limit=orders_a_day, window="calendar_day", tz=tz))
