"""Capital of the sensitivities-based method: all risk classes under one scenario of correlations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from riskkit._check import InputError, positive, shown
from riskkit._docs import with_described_fields
from riskkit.frtb.docs import documented
from riskkit.frtb.sensitivities import SCENARIOS, SensitivitiesCharge


@with_described_fields
class MethodCapital(NamedTuple):
    """Capital of the method.

    Attributes
    ----------
    capital : float
        The largest of the sums, money.
    scenario : str
        Its scenario.
    charges : dict[str, float]
        Sum of all charges by scenario, money.

    Examples
    --------
    >>> from riskkit.frtb import sensitivities_capital
    >>> sensitivities_capital([{"low": 3.0, "medium": 2.0, "high": 1.0}, {"low": 1.0, "medium": 2.0, "high": 4.0}]).scenario
    'high'
    """

    capital: float
    scenario: str
    charges: dict[str, float]


@documented
def sensitivities_capital(charges: Iterable[SensitivitiesCharge | Mapping[str, float]]) -> MethodCapital:
    """Capital of the sensitivities-based method: the largest of the three sums over risk classes, not the sum of the largest.

    Parameters
    ----------
    charges : iterable of SensitivitiesCharge, or of mappings of scenario to money
        Delta, vega and curvature charges of all risk classes.

    Returns
    -------
    MethodCapital
        `capital`, its `scenario` and the sums of all three.

    References
    ----------
    Basel Framework, MAR21.7.

    Examples
    --------
    >>> from riskkit.frtb import equity_delta, fx_delta
    >>> parts = [equity_delta({5: [1_000_000, -400_000]}), fx_delta({"TRY": 300_000, "ZAR": 200_000})]
    >>> total = sensitivities_capital(parts)
    >>> total.scenario, round(total.capital) < round(sum(part.capital for part in parts))
    ('low', True)
    """
    parts = [charge.charges if isinstance(charge, SensitivitiesCharge) else charge for charge in charges]
    if not parts:
        raise InputError("charges is empty; give the charge of at least one risk class")
    for part in parts:
        if not isinstance(part, Mapping) or set(part) != set(SCENARIOS):
            raise InputError(
                f"charges holds {shown(part)}; give a SensitivitiesCharge, or money by {', '.join(SCENARIOS)}"
            )
    sums = {
        name: sum(positive(part[name], f"charge of the {name} scenario", zero=True) for part in parts)
        for name in SCENARIOS
    }
    scenario = max(sums, key=lambda name: sums[name])
    return MethodCapital(sums[scenario], scenario, sums)
