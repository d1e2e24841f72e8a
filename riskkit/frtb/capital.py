"""Capital of desks under internal models: modellable factors, non-modellable ones, and both over sixty days."""

from __future__ import annotations

import math
from typing import Any

from riskkit._check import InputError, finite_array, finite_number, positive
from riskkit.frtb.docs import documented


@documented
def internal_model_charge(unconstrained: float, by_risk_class: Any, rho: float = 0.5) -> float:
    """Capital for modellable factors (IMCC): rho × ES of all + (1 - rho) × sum of the ES of each risk class.

    Parameters
    ----------
    unconstrained : float
        Stressed ES of all factors, with their diversification.
    by_risk_class : (n_classes,)
        Stressed ES of each risk class with the others constant: interest rate, equity, credit, commodity, FX.
    rho : float
        Weight of diversification, 0.5 in the rules.

    References
    ----------
    Basel Framework, MAR33.15.

    Examples
    --------
    >>> internal_model_charge(500.0, [260.0, 180.0, 150.0, 90.0, 60.0])
    620.0
    """
    share = _share(rho)
    classes = _amounts(by_risk_class, "by_risk_class")
    return share * positive(unconstrained, "unconstrained", zero=True) + (1.0 - share) * float(classes.sum())


@documented
def non_modellable_charge(
    idiosyncratic_credit: Any = (), idiosyncratic_equity: Any = (), other: Any = (), rho: float = 0.6
) -> float:
    """Capital for non-modellable factors (SES) from the stress loss of each.

    Parameters
    ----------
    idiosyncratic_credit, idiosyncratic_equity : (n_factors,)
        Stress losses of factors of a single issuer, independent of each other.
    other : (n_factors,)
        Stress losses of all other factors.
    rho : float
        Weight of the common part of the others, 0.6 in the rules.

    References
    ----------
    Basel Framework, MAR33.17.

    Examples
    --------
    >>> round(non_modellable_charge([30.0, 40.0], [20.0, 15.0], [50.0, 25.0, 10.0]), 2)
    143.3
    """
    share = _share(rho)
    credit, equity, rest = (
        _amounts(each, name)
        for each, name in (
            (idiosyncratic_credit, "idiosyncratic_credit"),
            (idiosyncratic_equity, "idiosyncratic_equity"),
            (other, "other"),
        )
    )
    common = (share * rest.sum()) ** 2 + (1.0 - share**2) * (rest**2).sum()
    return math.sqrt((credit**2).sum()) + math.sqrt((equity**2).sum()) + math.sqrt(common)


@documented
def model_capital(
    imcc_last: float, ses_last: float, imcc_average: float, ses_average: float, multiplier: float = 1.5
) -> float:
    """Capital for approved desks: the larger of yesterday's and the multiplied average of sixty days.

    Parameters
    ----------
    imcc_last, ses_last : float
        Capital for modellable and for non-modellable factors of the last day.
    imcc_average, ses_average : float
        Their averages of the last sixty days; the multiplier is of the first alone.
    multiplier : float
        1.5, plus up to 0.5 by the backtest (`riskkit.var_backtest.frtb_multiplier`).

    References
    ----------
    Basel Framework, MAR33.41.

    Examples
    --------
    >>> model_capital(520.0, 110.0, 400.0, 95.0)
    695.0
    """
    last = positive(imcc_last, "imcc_last", zero=True) + positive(ses_last, "ses_last", zero=True)
    average = positive(imcc_average, "imcc_average", zero=True) * positive(multiplier, "multiplier")
    return max(last, average + positive(ses_average, "ses_average", zero=True))


@documented
def residual_risk_charge(exotic: Any, other: Any) -> float:
    """Residual risk add-on: 1 % of the gross notional of exotic underlyings and 0.1 % of that of other residual risks.

    Parameters
    ----------
    exotic : (n,)
        Gross notional of instruments with an exotic underlying: longevity, weather, future realised volatility.
    other : (n,)
        Gross notional of instruments with other residual risks: gap, correlation and behavioural risk.

    References
    ----------
    Basel Framework, MAR23.8.

    Examples
    --------
    >>> residual_risk_charge([1e6], [2e6, 1e6])
    13000.0
    """
    return 0.01 * float(_amounts(exotic, "exotic").sum()) + 0.001 * float(_amounts(other, "other").sum())


@documented
def attribution_surcharge(amber: Any, green: Any, standardised: float, modelled: float) -> float:
    """Capital surcharge for desks in the amber zone: k × max(0, standardised - modelled capital).

    Parameters
    ----------
    amber, green : (n_desks,)
        Standardised capital of each desk in the zone; k is half the share of the amber ones.
    standardised, modelled : float
        Capital of all these desks by sensitivities and by internal models.

    References
    ----------
    Basel Framework, MAR33.45.

    Examples
    --------
    >>> attribution_surcharge([50.0, 30.0], [120.0, 200.0], 620.0, 450.0)
    17.0
    """
    yellow, total = _amounts(amber, "amber").sum(), _amounts(amber, "amber").sum() + _amounts(green, "green").sum()
    if total == 0.0:
        raise InputError("amber and green have no capital; there is no desk to charge")
    gap = positive(standardised, "standardised", zero=True) - positive(modelled, "modelled", zero=True)
    return float(0.5 * yellow / total * max(0.0, gap))


def _amounts(value: Any, name: str) -> Any:
    """Amounts of at least zero; none is allowed."""
    array = finite_array([0.0, *value], name, ndim=1)
    if array.min() < 0.0:
        raise InputError(f"{name} holds {array.min():g}; a loss or a capital is at least zero")
    return array


def _share(rho: float) -> float:
    number = finite_number(rho, "rho")
    if not 0.0 <= number <= 1.0:
        raise InputError(f"rho={rho!r} is not between 0 and 1")
    return number
