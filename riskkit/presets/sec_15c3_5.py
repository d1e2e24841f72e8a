"""The limits of SEC Rule 15c3-5."""

from __future__ import annotations

from riskkit._check import Amount
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def sec_15c3_5(
    *, credit: Amount = 1_000_000, capital: Amount = 10_000_000, value: Amount = 500_000, collar: Amount = "0.1"
) -> RuleSet:
    """SEC Rule 15c3-5, market access: thresholds of a broker, whose numbers the rule leaves to it; what exceeds one is refused.

    Gross exposure with working orders of each account (`credit`) and of all (`capital`), paragraph (c)(1)(i); value and price of an
    order, and a third identical one within a second, (c)(1)(ii).

    References
    ----------
    17 CFR 240.15c3-5(c)(1).

    Examples
    --------
    >>> [rule.id for rule in sec_15c3_5()]
    ['credit', 'capital', 'value', 'collar', 'duplicate']
    """
    return rule_set(
        entry("credit", "max_exposure", limit=credit),
        entry("capital", "max_exposure", "global", limit=capital),
        entry("value", "max_order_notional", limit=value),
        entry("collar", "price_collar", pct=collar),
        entry("duplicate", "duplicate", limit=2, window_ns="1s"),
    )
