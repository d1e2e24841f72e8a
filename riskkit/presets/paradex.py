"""The limits of Paradex."""

from __future__ import annotations

from riskkit._check import Amount
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def paradex(*, position: Amount = 1000) -> RuleSet:
    """Paradex's position limit: size + same-side working orders + signed position may equal it, not exceed it.

    References
    ----------
    docs.paradex.trade, risk/position-limit, worked example.

    Examples
    --------
    >>> paradex()[0].parameters.include_open
    True
    """
    return rule_set(entry("position", "position_limit", limit=position, include_open=True))
