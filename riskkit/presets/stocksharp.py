"""The limits of StockSharp."""

from __future__ import annotations

from typing import Any

from riskkit._check import Amount, Duration
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def stocksharp(*, orders: int = 10, window: Duration = "1s", order_volume: Amount | None = None) -> RuleSet:
    """StockSharp's order frequency and order volume rules.

    A window starts with its first message. The message that *reaches* the count trips the rule and closes the window:
    the next message starts a new one at any time. An order as large as the volume trips too. The source lets the user
    choose the action; here the message is rejected.

    Parameters
    ----------
    orders : int
        Orders and replaces in a window that trip (10 is the source's default). At 1 the source never trips on the first
        message of a window; this rule does.
    window : str or int
        Length of the window.
    order_volume : quantity, optional
        Smallest order that trips.

    References
    ----------
    StockSharp/StockSharp, Algo/Risk/RiskOrderFreqRule.cs and RiskOrderVolumeRule.cs.

    Examples
    --------
    >>> stocksharp(orders=5)["order_frequency"].parameters.window
    'fixed_from_first'
    """
    frequency: dict[str, Any] = {"limit": orders, "window_ns": window, "window": "fixed_from_first", "breach": "reach"}
    frequency |= {"count": "attempted", "reset_on_trip": True, "kinds": ["order", "order_list", "modify"]}
    return rule_set(
        entry("order_frequency", "order_rate", **frequency),
        entry("order_volume", "max_order_qty", limit=order_volume, breach="reach")
        if order_volume is not None
        else None,
    )
