"""One call for any method: VaR and ES, with an interval on request."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.var.age_weighted import AgeWeighted
from riskkit.var.estimate import Method, RiskEstimate, labelled_estimate
from riskkit.var.evt import PeaksOverThreshold
from riskkit.var.filtered import FilteredHistorical
from riskkit.var.historical import Historical
from riskkit.var.modified import CornishFisher
from riskkit.var.normal import Normal
from riskkit.var.sample import read_confidences, read_sample
from riskkit.var.student_t import StudentT
from riskkit.var.uncertainty import interval_of

__all__ = ["METHODS", "method_named", "value_at_risk"]

METHODS: dict[str, Any] = {
    "historical": Historical,
    "age_weighted": AgeWeighted,
    "filtered_historical": FilteredHistorical,
    "normal": Normal,
    "student_t": StudentT,
    "cornish_fisher": CornishFisher,
    "evt": PeaksOverThreshold,
}


def value_at_risk(
    returns: Any,
    confidence: Any = 0.95,
    method: str = "historical",
    *,
    interval: str | None = None,
    coverage: float = 0.9,
    n_draws: int = 1000,
    block: int = 1,
    rng: np.random.Generator | None = None,
    **options: Any,
) -> RiskEstimate:
    """VaR and ES of one or many portfolios at one or many confidences, by a named method.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L in money; gains positive, oldest first.
    confidence : float or sequence of float
        0.95 for 95 %.
    method : str
        "historical", "age_weighted", "filtered_historical", "normal", "student_t", "cornish_fisher" or "evt".
    interval : {None, "order_statistics", "asymptotic", "bootstrap"}
        "order_statistics": exact for the VaR of independent losses, for "historical". "asymptotic": standard errors
        for "historical" (kernel density, influence function) and "normal". "bootstrap": any method that does not
        rest on dates.
    coverage : float
        Probability that the interval encloses the true number.
    n_draws, block, rng
        Of the bootstrap: resamples, consecutive rows taken together (for clustered volatility, 20 or so), and a
        `numpy.random.Generator`, which has to be given.
    **options
        Of the method, as in `historical_risk`, `age_weighted_risk`, `filtered_historical_risk`, `normal_risk`,
        `student_t_risk`, `cornish_fisher_risk`, `evt_risk`.

    Returns
    -------
    RiskEstimate
        `var` and `es`, losses positive, in the unit of `returns`; `to_frame()`, `plot()`, `interval`.

    Raises
    ------
    InputError
        NaN, infinity, no rows, an unknown method or option, or an interval that the method does not have.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., chapters 2, 5 and 9; the methods and
    intervals name their own.

    Examples
    --------
    >>> returns = [0.01, -0.03, 0.02, -0.01, 0.00, -0.02, 0.03, 0.01]
    >>> value_at_risk(returns, [0.75, 0.9], "normal", mean="zero").to_frame().round(4)
                   var      es
    confidence
    0.75        0.0137  0.0259
    0.90        0.0261  0.0357
    >>> value_at_risk(returns, 0.75, interval="order_statistics", coverage=0.8)
    VaR and ES, historical
    -------------------------------------------
    VaR 75%        0.02 [-0.01 to inf] with 80%
    ES 75%        0.025
    observations      8
    horizon           1 periods
    """
    chosen = method_named(method, options)
    confidences, sample = read_confidences(confidence), read_sample(returns)
    fit = chosen.fit(sample.table, confidences.levels)
    bounds = None
    if interval is not None:
        bounds = interval_of(
            chosen, sample, confidences, fit, interval, coverage=coverage, n_draws=n_draws, block=block, rng=rng
        )
    return labelled_estimate(chosen, sample, confidences, fit, bounds)


def method_named(name: str, options: dict[str, Any]) -> Method:
    """A method with its options, or one sentence about the option that it does not have."""
    kind = METHODS[one_of(name, tuple(METHODS), "method")]
    known = [field.name for field in dataclasses.fields(kind)]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise InputError(f"method {name!r} has no option {unknown[0]!r}; it takes {', '.join(known)}")
    return kind(**options)
