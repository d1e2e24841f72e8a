"""The limits of LEAN (QuantConnect)."""

from __future__ import annotations

from riskkit._check import Amount
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet


def lean(*, pct: Amount = "0.10", trailing: bool = False, rebase: bool = False) -> RuleSet:
    """LEAN's MaximumDrawdownPercentPortfolio: a fall of more than `pct`, from the start or (trailing) from the peak.

    A fall of exactly `pct` does not trip. The source then closes positions, and measures from the next equity that it sees; here
    only reducing orders pass until a person resets it, or (`rebase`) what comes at a later time is measured from the equity then.

    Parameters
    ----------
    pct : fraction
        Largest fall.
    trailing : bool
        Measure from the highest equity instead of the first one.
    rebase : bool
        Go on by itself from a new base, as the source does; `replay_log` with ``on_trip="flatten"`` closes the positions.

    References
    ----------
    QuantConnect/Lean, Tests/Algorithm/Framework/Risk/MaximumDrawdownPercentPortfolioTests.cs (ReturnsExpectedPortfolioTarget and
    ReturnsExpectedPortfolioTargetsAfterReset).

    Examples
    --------
    >>> lean()[0].action
    'PAUSE'
    """
    hold = "1ns" if rebase else None
    return rule_set(entry("drawdown", "drawdown", action="PAUSE", hold=hold, pct=pct, trailing=trailing))
