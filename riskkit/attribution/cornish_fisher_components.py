"""Components of the Cornish-Fisher (modified) VaR."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from riskkit._check import InputError, confidence_level, constant, one_of, with_labels
from riskkit._exposure import scenarios_of
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import PositionsLike, ReturnsLike
from riskkit.attribution.result import Attribution
from riskkit.var.parametric import (
    CornishFisherDistribution,
    cornish_fisher_moments,
    fit_cornish_fisher,
    quantile_multiplier,
)
from riskkit.var.parametric.cornish_fisher_distribution import OutOfDomain

STEP = 2.0**-7

Standardisation = Literal["population", "volatility"]


def cornish_fisher(
    positions: PositionsLike,
    returns: ReturnsLike,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    corrected: bool = True,
    out_of_domain: OutOfDomain = "refuse",
    ddof: int = 1,
    standardised_by: Standardisation = "population",
) -> Attribution:
    """Components of modified VaR: position × derivative of -(m + w s) in that position.

    w is the Cornish-Fisher quantile at the skewness S and excess kurtosis K of the portfolio. Mean m and volatility s
    are homogeneous in the positions, and S and K are scale-free, so that the components sum to the VaR of
    `riskkit.var.cornish_fisher` with the same options.

    Parameters
    ----------
    positions : (n_assets,)
        Money held, negative when short; matched by name where both sides are labelled.
    returns : (n_obs, n_assets)
        Simple returns per period; the horizon is one period.
    confidence : float
        0.95 for 95 %.
    corrected, out_of_domain
        As in `riskkit.var.cornish_fisher`.
    ddof : int
        The variance has divisor n_obs - ddof; the third and fourth central moments have n_obs.
    standardised_by : {"population", "volatility"}
        S and K are these moments over powers of the population deviation, or of the volatility with `ddof` (as in
        other packages).

    Returns
    -------
    Attribution
        Money, losses positive; without standard errors.

    Raises
    ------
    InputError
        NaN, infinity, fewer than two rows, a constant P&L, shapes or labels that do not fit, or skewness
        and kurtosis outside the domain.

    References
    ----------
    Boudt, Peterson and Croux (2008), Estimation and decomposition of downside risk for portfolios with non-normal
    returns, Journal of Risk 11(2), 79-103 (the components of modified VaR). Maillard (2012), A user's guide to the
    Cornish Fisher expansion, SSRN 1997178 (the correction).

    Examples
    --------
    >>> returns = [[0.01, 0.02], [-0.02, 0.01], [0.03, -0.03], [-0.01, -0.01], [0.02, 0.00], [-0.02, -0.01]]
    >>> split = cornish_fisher([100.0, 50.0], returns, 0.95, corrected=False, out_of_domain="allow")
    >>> split.component.round(4).tolist(), round(split.total, 4)
    ([3.222, 0.2687], 3.4907)
    """
    one_of(standardised_by, get_args(Standardisation), "standardised_by")
    held, array, labels = scenarios_of(positions, returns, min_obs=2)
    book = _moments(array, held, ddof, standardised_by)
    distribution = fit_cornish_fisher(
        np.array([book.skewness]),
        np.array([book.kurtosis]),
        corrected=corrected,
        out_of_domain=out_of_domain,
        confidence=confidence,
    )
    y = -quantile_multiplier(confidence)
    in_skewness, in_kurtosis = _slopes(distribution, y, corrected)
    bent = in_skewness * book.skewness_slope + in_kurtosis * book.kurtosis_slope
    margin = -(book.mean_slope + float(distribution.quantile(y)[0]) * book.volatility_slope + book.volatility * bent)
    component = held * margin
    return Attribution(
        measure="var",
        method="Cornish-Fisher" + (", corrected" if corrected else ""),
        confidence=confidence_level(confidence),
        total=float(component.sum()),
        component=with_labels(component, labels),
        positions=with_labels(held, labels),
        n_obs=len(array),
    )


class _Moments(NamedTuple):
    """Moments of the P&L, and their derivatives in each position (n_assets,)."""

    mean_slope: np.ndarray
    volatility: float
    volatility_slope: np.ndarray
    skewness: float
    skewness_slope: np.ndarray
    kurtosis: float
    kurtosis_slope: np.ndarray


def _moments(array: np.ndarray, held: np.ndarray, ddof: int, standardised_by: str) -> _Moments:
    n = len(array)
    means = array.mean(axis=0)
    deviations = array - means
    book = deviations @ held
    sum_of_squares = float(book @ book)
    if constant(array @ held, np.abs(array * held).max()) or sum_of_squares == 0.0 or n <= ddof:
        raise InputError("the P&L is constant in these returns; its skewness and kurtosis are undefined")
    volatility = (sum_of_squares / (n - ddof)) ** 0.5
    unit = volatility if standardised_by == "volatility" else (sum_of_squares / n) ** 0.5
    relative = deviations.T @ book / sum_of_squares  # derivative of the log of either deviation
    book = book / unit  # before its powers, which may overflow in money
    skewness, kurtosis = float((book**3).mean()), float((book**4).mean())
    return _Moments(
        means,
        volatility,
        volatility * relative,
        skewness,
        3.0 * (deviations.T @ book**2) / n / unit - 3.0 * skewness * relative,
        kurtosis - 3.0,
        4.0 * (deviations.T @ book**3) / n / unit - 4.0 * kurtosis * relative,
    )


def _slopes(distribution: CornishFisherDistribution, y: float, corrected: bool) -> tuple[float, float]:
    """Derivatives of the quantile in skewness and excess kurtosis.

    The quantile is a function of the parameters of the expansion. Uncorrected they are the moments; corrected, the
    moments are functions of them, and the chain rule needs the inverse of their derivatives.
    """
    at = np.array([distribution.skewness[0], distribution.kurtosis[0]])

    def quantile(parameters: np.ndarray) -> np.ndarray:
        deviation = np.sqrt(cornish_fisher_moments(*parameters)[0]) if corrected else np.ones(1)
        return np.atleast_1d(
            CornishFisherDistribution(parameters[0], parameters[1], deviation, distribution.in_domain).quantile(y)
        )

    slopes = _derivative(quantile, at)[0]
    if corrected:
        slopes = slopes @ np.linalg.inv(
            _derivative(lambda parameters: np.array(cornish_fisher_moments(*parameters)[1:]), at)
        )
    return float(slopes[0]), float(slopes[1])


def _derivative(function: Any, at: np.ndarray) -> np.ndarray:
    """(n_out, 2) derivatives by the five-point rule, exact for the uncorrected quantile (a quadratic)."""
    columns = []
    for step in STEP * np.eye(2):
        near = function(at + step) - function(at - step)
        far = function(at + 2.0 * step) - function(at - 2.0 * step)
        columns.append((8.0 * near - far) / (12.0 * STEP))
    return np.column_stack(columns)
