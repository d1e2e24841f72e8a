"""Closed forms: VaR, ES and volatility of a portfolio, by position, under a normal or Student t distribution.

Risk is f sqrt(w'Cw) - w'm, with f the quantile (VaR) or the tail mean (ES) of the standard distribution, or 1
(volatility, without the mean). It is homogeneous of degree one in the positions, so that the sum of
position × marginal risk is the total (Euler).
"""

from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np

from riskkit._check import one_of, returns_array, with_labels
from riskkit._exposure import Exposure, asset_vector, exposure_of
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Measure, PositionsLike, ReturnsLike, Vector
from riskkit.attribution.docs import documented
from riskkit.attribution.result import Attribution
from riskkit.covariance import sample_covariance
from riskkit.var.parametric.elliptical import cached_factor


@documented
def portfolio(
    positions: PositionsLike,
    covariance: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    measure: Measure = "var",
    mean: Any = None,
    z: float | None = None,
    df: float | None = None,
) -> float:
    """VaR, ES or volatility of a portfolio from its covariance matrix: f sqrt(w'Cw) - w'm.

    Returns
    -------
    float
        Loss in the money of the positions, positive.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.1. McNeil, Frey and Embrechts (2015), Quantitative Risk
    Management, 2nd ed., example 2.14 (ES).

    Examples
    --------
    >>> covariance = [[0.05**2, 0.0], [0.0, 0.12**2]]
    >>> round(portfolio([2_000_000, 1_000_000], covariance, confidence=0.95, z=1.65))
    257738
    >>> round(portfolio([2_000_000, 1_000_000], covariance, measure="es"), 2)
    416319.77
    """
    book = exposure_of(positions, covariance)
    return book.risk(cached_factor(confidence, measure, z, df), _means(book, mean, measure))


@documented
def standalone(
    positions: PositionsLike,
    covariance: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    measure: Measure = "var",
    mean: Any = None,
    z: float | None = None,
    df: float | None = None,
) -> Vector:
    """Risk of each position without the others; the sum is the undiversified risk.

    Returns
    -------
    (n_assets,)
        Money; at least the component of each position.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.1 (individual and undiversified VaR).

    Examples
    --------
    >>> standalone([2_000_000, 1_000_000], [[0.05**2, 0.0], [0.0, 0.12**2]], confidence=0.95, z=1.65).round(6).tolist()
    [165000.0, 198000.0]
    """
    book = exposure_of(positions, covariance)
    risk = cached_factor(confidence, measure, z, df) * np.abs(book.positions) * np.sqrt(book.variances)
    means = _means(book, mean, measure)
    return _labelled(risk if means is None else risk - book.positions * means, book)


@documented
def marginal(
    positions: PositionsLike,
    covariance: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    measure: Measure = "var",
    mean: Any = None,
    z: float | None = None,
    df: float | None = None,
) -> Vector:
    """Change of risk per unit of money added to each asset, held or not: f Cw / sqrt(w'Cw) - m.

    Returns
    -------
    (n_assets,)
        Money per money. Without variance, risk increases with trades in both directions: the two-sided derivative is
        then -m, and `incremental` gives the change.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.1. McNeil, Frey and Embrechts (2015), Quantitative Risk
    Management, 2nd ed., section 8.5.2 (Euler allocation).

    Examples
    --------
    >>> covariance = [[0.05**2, 0.0], [0.0, 0.12**2]]
    >>> marginal([2_000_000, 1_000_000], covariance, confidence=0.95, z=1.65).round(4).tolist()
    [0.0528, 0.1521]
    >>> marginal([2_000_000, 1_000_000], covariance, measure="es").round(4).tolist()
    [0.0853, 0.2457]
    """
    book = exposure_of(positions, covariance)
    factor = cached_factor(confidence, measure, z, df)
    return _labelled(_gradient(book, factor, _means(book, mean, measure)), book)


@documented
def component(
    positions: PositionsLike,
    covariance: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    measure: Measure = "var",
    mean: Any = None,
    z: float | None = None,
    df: float | None = None,
) -> Vector:
    """Contribution of each position to the risk, position × marginal; the components sum to `portfolio`.

    The reduction of risk by closing a position is not its component: see `incremental`.

    Returns
    -------
    (n_assets,)
        Money; negative for a hedge, zero in a portfolio without variance and mean.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.3. McNeil, Frey and Embrechts (2015), Quantitative Risk
    Management, 2nd ed., section 8.5.2 (ES). Litterman (1996), Hot Spots and Hedges, Journal of Portfolio Management
    23, 52-75 (volatility).

    Examples
    --------
    >>> covariance = [[0.05**2, 0.0], [0.0, 0.12**2]]
    >>> component([2_000_000, 1_000_000], covariance, confidence=0.95, z=1.65).round().tolist()
    [105630.0, 152108.0]
    >>> component([100.0, 50.0], [[0.04, 0.0], [0.0, 0.01]], measure="volatility").round(6).tolist()
    [19.402851, 1.212678]
    """
    book = exposure_of(positions, covariance)
    factor = cached_factor(confidence, measure, z, df)
    return _labelled(book.positions * _gradient(book, factor, _means(book, mean, measure)), book)


@documented
def parametric(
    positions: PositionsLike,
    returns: ReturnsLike,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    measure: Measure = "var",
    mean: Any = "sample",
    ddof: int = 1,
    z: float | None = None,
    df: float | None = None,
) -> Attribution:
    """Components of VaR, ES or volatility from a sample of returns, with their standard errors.

    Parameters
    ----------
    positions : (n_assets,)
        Money held (or weights, for risk as a fraction), negative when short; matched by name where both sides are
        labelled.
    returns : (n_obs, n_assets)
        Simple returns per period; the horizon is one period.
    confidence : float
        0.95 for 95 %.
    mean : "sample", "zero" or (n_assets,)
        Mean returns: of the sample, zero, or given. With "zero" the covariance is about zero too. Volatility has no
        mean term.
    ddof : int
        The covariance has divisor n_obs - ddof.

    Returns
    -------
    Attribution
        `standard_error` is the delta method on the empirical moments, for independent days with any distribution and
        a known z.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2; Boudt, Peterson and Croux (2008), Estimation and decomposition
    of downside risk for portfolios with non-normal returns, Journal of Risk 11(2), 79-103 (the Gaussian
    components).

    Examples
    --------
    >>> returns = [[0.01, 0.02], [-0.02, 0.01], [0.03, -0.03], [-0.01, -0.01]]
    >>> split = parametric([100.0, 50.0], returns, mean="zero", ddof=0)
    >>> split.component.round(4).tolist(), round(split.total, 4)
    ([3.9024, -0.0887], 3.8137)
    """
    array = returns_array(returns, min_obs=2)
    named = isinstance(mean, str) and one_of(mean, ("sample", "zero"), "mean")
    about: Literal["sample", "zero"] = "zero" if named == "zero" else "sample"
    book = exposure_of(positions, sample_covariance(returns, ddof=ddof, mean=about))
    factor = cached_factor(confidence, measure, z, df)
    means = None if about == "zero" else _means(book, array.mean(axis=0) if named else mean, measure)
    components = book.positions * _gradient(book, factor, means)
    deviations = array - array.mean(axis=0) if about == "sample" else array
    influence = _influence(book, factor, deviations)
    if means is not None and named:
        influence -= deviations * book.positions
    n_obs = len(array)
    return Attribution(
        measure=measure,
        method="normal" if df is None else f"Student t, df = {df:g}",
        confidence=confidence,
        total=float(components.sum()),
        component=_labelled(components, book),
        positions=_labelled(book.positions, book),
        standard_error=_labelled(np.sqrt((influence**2).sum(axis=0)) / n_obs, book),
        total_standard_error=float(np.sqrt((influence.sum(axis=1) ** 2).sum()) / n_obs),
        n_obs=n_obs,
    )


def _labelled(values: np.ndarray, book: Exposure) -> Vector:
    return cast("Vector", with_labels(values, book.labels))


def _means(book: Exposure, mean: Any, measure: Measure) -> np.ndarray | None:
    return None if mean is None or measure == "volatility" else asset_vector(mean, book, "mean")


def _gradient(book: Exposure, factor: float, means: np.ndarray | None) -> np.ndarray:
    slope = book.gradient * (factor / book.volatility) if book.volatility > 0.0 else np.zeros_like(book.gradient)
    return slope if means is None else slope - means


def _influence(book: Exposure, factor: float, deviations: np.ndarray) -> np.ndarray:
    """Influence of one observation on each component: derivative of f w_i c_i / s in c_i = cov(r_i, book) and s."""
    if book.volatility == 0.0:
        return np.zeros_like(deviations)
    total = (deviations @ book.positions)[:, None] / book.volatility  # standardised first: powers of money may overflow
    slope = deviations * total - book.gradient / book.volatility * (total**2 + 1.0) / 2.0
    influence: np.ndarray = factor * book.positions * slope
    return influence
