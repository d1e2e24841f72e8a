"""The limits of VeighNa."""

from __future__ import annotations

from riskkit._check import Amount
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def vnpy(*, duplicates: int = 10, active: int = 50, volume: Amount = 500, value: Amount = 1_000_000) -> RuleSet:
    """VeighNa's riskmanager: order size and value, active orders, identical requests.

    The count of identical requests increases before the test and never decreases: the tenth of ten is rejected, and
    every later one. Market orders have no value in the source and pass the value check.

    Parameters
    ----------
    duplicates : int
        Number of the first rejected identical request (same account, instrument, side, quantity, price).
    active : int
        Maximum number of working orders.
    volume : quantity
        Largest order.
    value : money
        Largest value of a limit order.

    References
    ----------
    vnpy/vnpy_riskmanager, vnpy_riskmanager/rules (order_size_rule.py, active_order_rule.py, duplicate_order_rule.py),
    whose defaults these are.

    Examples
    --------
    >>> vnpy()["duplicate"].parameters.breach
    'reach'
    """
    return rule_set(
        entry("volume", "max_order_qty", limit=volume),
        entry("value", "max_order_notional", limit=value, on_missing_price="allow"),
        entry("active", "active_orders", limit=active),
        entry("duplicate", "duplicate", limit=duplicates, breach="reach"),
    )
