"""Registry of the VaR methods, and `value_at_risk`, which runs any of them by name."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, OnRefusal, one_of, refuse_columns
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Confidence, ReturnsLike
from riskkit.var._inputs import read_confidences, read_sample
from riskkit.var.age_weighting import AgeWeighted
from riskkit.var.cornish_fisher_expansion import CornishFisher
from riskkit.var.estimate import RiskEstimate, labelled_estimate
from riskkit.var.extreme_value import PeaksOverThreshold
from riskkit.var.filtered import FilteredHistorical
from riskkit.var.historical_simulation import Historical
from riskkit.var.intervals import Bootstrap, IntervalKind, interval_of
from riskkit.var.method import Method
from riskkit.var.normal_distribution import Normal
from riskkit.var.student_t_distribution import StudentT

MethodName = Literal[
    "historical", "age_weighted", "filtered_historical", "normal", "student_t", "cornish_fisher", "evt"
]
METHODS: dict[str, type[Method]] = dict(
    zip(
        get_args(MethodName),
        (Historical, AgeWeighted, FilteredHistorical, Normal, StudentT, CornishFisher, PeaksOverThreshold),
        strict=True,
    )
)

DEFAULT_MODELS: dict[str, dict[str, Any]] = {
    label: {"method": name, **options}
    for name, kind in METHODS.items()
    for label, options in kind.default_models.items()
}
"""Models that `riskkit.var_backtest.compare_models` compares by default: options of `rolling_var` by label."""


def value_at_risk(
    returns: ReturnsLike,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    method: MethodName = "historical",
    *,
    interval: IntervalKind | None = None,
    coverage: float = 0.9,
    n_draws: int = 1000,
    block: int = 1,
    rng: np.random.Generator | None = None,
    on_refusal: OnRefusal = "nan",
    **options: Any,
) -> RiskEstimate:
    """VaR and ES of one or many portfolios at one or many confidences, by a named method.

    Parameters
    ----------
    returns, confidence
        As in `riskkit.var.historical`.
    method : {"historical", "age_weighted", "filtered_historical", "normal", "student_t", "cornish_fisher", "evt"}
        As the functions of these names.
    interval : {None, "studentised", "order_statistics", "asymptotic", "bootstrap"}
        "studentised": for "historical" and independent returns, the ES from resamples with a Pareto tail of an exponent
        of at most 3, and the VaR by order statistics. "order_statistics": exact for the VaR of independent losses, for
        "historical". "asymptotic": standard errors for "historical" (kernel density, influence function) and "normal",
        for large samples. "bootstrap": any method that does not depend on dates. Simulated 90 % intervals of 250, 500
        and 1,000 normal and Student t (4 and 3 df) returns, at 97.5 and 99 %, enclose the ES in 87 to 93 % of samples if
        studentised. The last two kinds enclose of 400 fat-tailed returns (t, 4 df) the VaR at 95 % in 87 to 90 % and the
        ES in 83 %, at 99 % in 78 to 86 % and 66 %: a small sample does not show its worst losses.
    coverage : float
        Probability that the interval encloses the true number.
    n_draws, block, rng
        Of the resampled kinds: number of resamples, days per block ("bootstrap" only; some 20 for clustered
        volatility), and a `numpy.random.Generator`, which is required.
    on_refusal : {"nan", "raise"}
        A column of a table that the method cannot estimate (a constant one has no skewness) has NaN, and its reason in
        `refusals`; or is refused with all others, as a single series is.
    **options
        Of the method, as in its function.

    Returns
    -------
    RiskEstimate
        `var` and `es`, losses positive, in the unit of `returns`; `to_frame()`, `plot()`, `interval`.

    Raises
    ------
    InputError
        NaN, infinity, no rows, an unknown method or option, or an interval that the method does not offer.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., chapters 2, 5 and 9.

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
    --------------------------------------------
    VaR 75%       2.00% [-1.00% to inf] with 80%
    ES 75%        2.50%
    observations      8
    horizon           1 period
    """
    chosen = method_named(method, options)
    confidences = read_confidences(confidence)
    sample = read_sample(returns, ordered=chosen.ordered or (interval == "bootstrap" and block != 1))
    fit = chosen.fit_each(sample.table, confidences.levels)
    refuse_columns(sample.by_column(fit.refusals), on_refusal)
    bounds = None
    if interval is not None:
        bootstrap = Bootstrap(n_draws, block, rng)
        bounds = interval_of(chosen, sample, confidences, fit, interval, coverage, bootstrap)
    return labelled_estimate(chosen, sample, confidences, fit, bounds)


def method_named(name: str, options: dict[str, Any]) -> Method:
    """Return a method with its options, and refuse options that it does not have."""
    kind: Any = METHODS[one_of(name, tuple(METHODS), "method")]
    known = [field.name for field in dataclasses.fields(kind)]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise InputError(f"method {name!r} has no option {unknown[0]!r}; it takes {', '.join(known)}")
    method: Method = kind(**options)
    return method
