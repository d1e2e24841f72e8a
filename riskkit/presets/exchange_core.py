"""The limits of Exchange-core."""

from __future__ import annotations

from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def exchange_core() -> RuleSet:
    """Exchange-core's spot risk engine: a buy may cost all free cash, valued at its reserve price.

    References
    ----------
    exchange-core/exchange-core, src/test/resources/exchange/core2/tests/features/risk.feature (BasicRiskCheck).

    Examples
    --------
    >>> [rule.id for rule in exchange_core()]
    ['funds', 'reserve']
    """
    return rule_set(entry("funds", "cash"), entry("reserve", "reserve_price"))
