"""The limits of NautilusTrader."""

from __future__ import annotations

from typing import Any

from riskkit._check import Amount, Duration
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def nautilus(
    *,
    submit: int = 100,
    modify: int = 100,
    window: Duration = "1s",
    max_notional: Amount | None = None,
    min_notional: Amount | None = None,
) -> RuleSet:
    """NautilusTrader's RiskEngine: precision, notional, trading state, then two sliding throttles.

    The windows are half open (a message exactly one window later passes) and do not count rejected messages. The
    notional checks let a market order without a price pass; a reduce-only order is exempt from the minimum.

    Parameters
    ----------
    submit, modify : int
        Orders and modifies per window (``max_order_submit_rate``, ``max_order_modify_rate``: "100/00:00:01").
    window : str or int
        Length of both windows.
    max_notional, min_notional : money, optional
        Largest and smallest order.

    References
    ----------
    nautechsystems/nautilus_trader, risk engine and throttler tests (tests/unit_tests/risk/test_engine.py,
    tests/unit_tests/common/test_throttler.py), and issue 4695 (reduce-only and the minimum).

    Examples
    --------
    >>> [rule.id for rule in nautilus()]
    ['precision', 'known', 'reduce_only', 'state', 'submit_rate', 'modify_rate']
    """
    smallest: dict[str, Any] = {"limit": min_notional, "exempt_reduce_only": True, "on_missing_price": "allow"}
    largest: dict[str, Any] = {"limit": max_notional, "on_missing_price": "allow"}
    return rule_set(
        entry("precision", "lot_tick"),
        entry("known", "known_instrument"),
        entry("min_notional", "min_order_notional", **smallest) if min_notional is not None else None,
        entry("max_notional", "max_order_notional", **largest) if max_notional is not None else None,
        entry("reduce_only", "reduce_only"),
        entry("state", "trading_state"),
        entry("submit_rate", "order_rate", limit=submit, window_ns=window),
        entry("modify_rate", "order_rate", limit=modify, window_ns=window, kinds=["modify"]),
    )
