"""`condition`: the five alert conditions of a desk, which are rules of the catalogue under their desk names.

They decide in a replay, a sweep and a live session like every rule, and are part of the digest.
"""

from __future__ import annotations

from typing import Any

from riskkit._check import one_of
from riskkit.replay.rules.catalogue.concentration import CONCENTRATION
from riskkit.replay.rules.catalogue.consecutive_losses import CONSECUTIVE_LOSSES
from riskkit.replay.rules.catalogue.drawdown import DRAWDOWN
from riskkit.replay.rules.catalogue.max_exposure import MAX_EXPOSURE
from riskkit.replay.rules.catalogue.var_limit import VAR_LIMIT
from riskkit.replay.rules.rule import Rule, RuleType

CONDITIONS: dict[str, RuleType] = {
    "MaxExposure": MAX_EXPOSURE,
    "ConcentrationLimit": CONCENTRATION,
    "DrawdownLimit": DRAWDOWN,
    "VarLimit": VAR_LIMIT,
    "ConsecutiveLosses": CONSECUTIVE_LOSSES,
}


def condition(name: str, id: str = "", **fields: Any) -> Rule:
    """Make a rule of a condition, for `RuleSet`.

    Parameters
    ----------
    name : {"MaxExposure", "ConcentrationLimit", "DrawdownLimit", "VarLimit", "ConsecutiveLosses"}
    id : str
        Id of the rule, cited by alerts; by default the name.
    **fields
        The parameters of the rule (``limit``; ``pct`` or ``money`` of a drawdown; ...), and ``action`` ("ALERT",
        "REJECT", "REDUCE_ONLY", "PAUSE", "HALT"), ``severity`` ("INFO", "WARN", "CRITICAL"), ``scope``, ``hold``.

    Returns
    -------
    Rule

    Raises
    ------
    InputError
        An unknown name or field, an invalid value.

    Examples
    --------
    >>> print(condition("ConcentrationLimit", limit="0.4", action="ALERT", severity="CRITICAL"))
    ConcentrationLimit: a largest position of at most 40 % of the gross exposure after the order, with working
    orders, for each account. A breach raises an alert and stops nothing (severity CRITICAL).
    """
    return CONDITIONS[one_of(name, tuple(CONDITIONS), "name")](id or name, **fields)
