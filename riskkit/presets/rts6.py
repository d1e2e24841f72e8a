"""The limits of RTS 6 of the EU."""

from __future__ import annotations

from riskkit._check import Amount
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def rts6(*, collar: Amount = "0.05", executions: int | None = None) -> RuleSet:
    """RTS 6, the EU's organisational requirements for algorithmic trading: Article 15(1)(a) and 15(3).

    A price further than the collar from the last price is rejected, and any price while there is none. After a number
    of automated executions a strategy is paused until it is reset manually.

    Parameters
    ----------
    collar : fraction
        Largest distance; the regulation requires a collar but does not define its width.
    executions : int, optional
        Automated executions of a strategy before the pause (the log needs strategies and executions).

    References
    ----------
    Commission Delegated Regulation (EU) 2017/589, Article 15.

    Examples
    --------
    >>> [rule.id for rule in rts6(executions=3)]
    ['collar', 'executions']
    """
    return rule_set(
        entry("collar", "price_collar", pct=collar),
        entry("executions", "repeat_exec_throttle", "strategy", limit=executions) if executions is not None else None,
    )
