"""The limits of RQAlpha."""

from __future__ import annotations

from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def rqalpha() -> RuleSet:
    """RQAlpha's self-trade validator: no order that would match a working order of the same account.

    References
    ----------
    ricequant/rqalpha, rqalpha/mod/rqalpha_mod_sys_risk/validators/self_trade_validator.py.

    Examples
    --------
    >>> rqalpha()[0].type
    'self_trade'
    """
    return rule_set(entry("self_trade", "self_trade"))
