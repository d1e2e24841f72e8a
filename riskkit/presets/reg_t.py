"""The limits of Regulation T and FINRA Rule 4210."""

from __future__ import annotations

from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def reg_t() -> RuleSet:
    """Regulation T and FINRA Rule 4210: half of the value to open; a margin call below what holding requires.

    References
    ----------
    12 CFR 220.12(a) and (c); FINRA Rule 4210(c).

    Examples
    --------
    >>> [rule.id for rule in reg_t()]
    ['initial', 'maintenance']
    """
    return rule_set(
        entry("initial", "initial_margin", model="reg_t"), entry("maintenance", "maintenance_margin", model="reg_t")
    )
