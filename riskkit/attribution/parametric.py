"""Closed forms: VaR and ES of a book under a normal or Student t law, and what each position adds to them.

Risk is -w'm + f sqrt(w'Cw), with f the quantile (VaR) or the tail mean (ES) of the standard law. It is homogeneous of
degree one in the positions, so that position × margin sums to the whole (Euler).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import one_of, returns_array, with_labels
from riskkit.attribution.exposure import Exposure, asset_vector, exposure_of, risk_factor
from riskkit.attribution.result import Attribution
from riskkit.covariance import sample_covariance

__all__ = [
    "component_es",
    "component_var",
    "component_volatility",
    "marginal_es",
    "marginal_var",
    "parametric_attribution",
    "portfolio_es",
    "portfolio_var",
    "standalone_var",
]


def portfolio_var(
    positions: Any,
    covariance: Any,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> float:
    """VaR of a book from its covariance matrix: z sqrt(w'Cw) - w'm.

    Parameters
    ----------
    positions : (n_assets,)
        Money held, negative when short; matched by name where both sides are labelled.
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon of the VaR, symmetric positive semidefinite.
    confidence : float
        0.95 for 95 %.
    mean : (n_assets,), optional
        Mean returns over the same horizon; without it zero, as desks assume for a day.
    z : float, optional
        Standard normal quantile to use as it is, as desks that round it do (1.65); without it the exact one.
    nu : float, optional
        Student t with these degrees of freedom, above 2, scaled to the given covariance; without it normal.

    Returns
    -------
    float
        Loss in the money of the positions, positive.

    Raises
    ------
    InputError
        NaN, infinity, shapes or labels that do not fit, a matrix that is no covariance matrix, or a confidence
        outside (0, 1).

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.1.

    Examples
    --------
    >>> covariance = [[0.05**2, 0.0], [0.0, 0.12**2]]
    >>> round(portfolio_var([2_000_000, 1_000_000], covariance, z=1.65))
    257738
    """
    return _risk(positions, covariance, risk_factor("var", confidence, z, nu), mean)


def portfolio_es(
    positions: Any,
    covariance: Any,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> float:
    """ES of a book from its covariance matrix: f sqrt(w'Cw) - w'm with the tail mean f of the standard law.

    Parameters
    ----------
    positions, covariance, confidence, mean, z, nu
        As in `portfolio_var`.

    Returns
    -------
    float
        Money, the mean loss beyond VaR, positive; over the horizon of the covariance.

    Raises
    ------
    InputError
        As in `portfolio_var`.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., example 2.14.

    Examples
    --------
    >>> round(portfolio_es([2_000_000, 1_000_000], [[0.05**2, 0.0], [0.0, 0.12**2]]), 2)
    322206.04
    """
    return _risk(positions, covariance, risk_factor("es", confidence, z, nu), mean)


def standalone_var(
    positions: Any,
    covariance: Any,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> Any:
    """VaR of each position as if it were the only one; their sum is the undiversified VaR.

    Parameters
    ----------
    positions, covariance, confidence, mean, z, nu
        As in `portfolio_var`.

    Returns
    -------
    (n_assets,)
        Money; at least the component of each position.

    Raises
    ------
    InputError
        As in `portfolio_var`.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.1 (individual and undiversified VaR).

    Examples
    --------
    >>> standalone_var([2_000_000, 1_000_000], [[0.05**2, 0.0], [0.0, 0.12**2]], z=1.65).round(6).tolist()
    [165000.0, 198000.0]
    """
    book = exposure_of(positions, covariance)
    alone = risk_factor("var", confidence, z, nu) * np.abs(book.positions) * np.sqrt(book.variances)
    if mean is not None:
        alone = alone - book.positions * asset_vector(mean, book, "mean")
    return with_labels(alone, book.labels)


def marginal_var(
    positions: Any,
    covariance: Any,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> Any:
    """Change of VaR per unit of money added to each asset: z Cw / sqrt(w'Cw) - m.

    Parameters and errors are those of `portfolio_var`; assets that are not held get a margin too.

    Parameters
    ----------
    positions, covariance, confidence, mean, z, nu
        As in `portfolio_var`.

    Returns
    -------
    (n_assets,)
        Money per money. In a book without variance VaR rises whichever way one trades: the two-sided derivative
        there is -m, and `incremental_var` says by how much.

    Raises
    ------
    InputError
        As in `portfolio_var`.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.1.

    Examples
    --------
    >>> marginal_var([2_000_000, 1_000_000], [[0.05**2, 0.0], [0.0, 0.12**2]], z=1.65).round(4).tolist()
    [0.0528, 0.1521]
    """
    book = exposure_of(positions, covariance)
    return with_labels(_margin(book, risk_factor("var", confidence, z, nu), mean), book.labels)


def marginal_es(
    positions: Any,
    covariance: Any,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> Any:
    """Change of ES per unit of money added to each asset.

    Parameters
    ----------
    positions, covariance, confidence, mean, z, nu
        As in `portfolio_var`.

    Returns
    -------
    (n_assets,)
        Money of ES per money of the asset.

    Raises
    ------
    InputError
        As in `portfolio_var`.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 8.5.2 (Euler allocation).

    Examples
    --------
    >>> marginal_es([2_000_000, 1_000_000], [[0.05**2, 0.0], [0.0, 0.12**2]]).round(4).tolist()
    [0.066, 0.1902]
    """
    book = exposure_of(positions, covariance)
    return with_labels(_margin(book, risk_factor("es", confidence, z, nu), mean), book.labels)


def component_var(
    positions: Any,
    covariance: Any,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> Any:
    """What each position contributes to VaR: position × marginal VaR; the components sum to `portfolio_var`.

    A component is not the VaR that goes away with the position: that is `incremental_var`.

    Parameters
    ----------
    positions, covariance, confidence, mean, z, nu
        As in `portfolio_var`.

    Returns
    -------
    (n_assets,)
        Money; negative for a hedge, zero in a book without variance and mean.

    Raises
    ------
    InputError
        As in `portfolio_var`.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.3.

    Examples
    --------
    >>> component_var([2_000_000, 1_000_000], [[0.05**2, 0.0], [0.0, 0.12**2]], z=1.65).round().tolist()
    [105630.0, 152108.0]
    """
    book = exposure_of(positions, covariance)
    margin = _margin(book, risk_factor("var", confidence, z, nu), mean)
    return with_labels(book.positions * margin, book.labels)


def component_es(
    positions: Any,
    covariance: Any,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> Any:
    """What each position contributes to ES: position × marginal ES; the components sum to `portfolio_es`.

    Parameters
    ----------
    positions, covariance, confidence, mean, z, nu
        As in `portfolio_var`.

    Returns
    -------
    (n_assets,)
        Money; negative for a hedge.

    Raises
    ------
    InputError
        As in `portfolio_var`.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 8.5.2 (Euler allocation).

    Examples
    --------
    >>> component_es([2_000_000, 1_000_000], [[0.05**2, 0.0], [0.0, 0.12**2]]).round().tolist()
    [132052.0, 190154.0]
    """
    book = exposure_of(positions, covariance)
    margin = _margin(book, risk_factor("es", confidence, z, nu), mean)
    return with_labels(book.positions * margin, book.labels)


def component_volatility(positions: Any, covariance: Any) -> Any:
    """What each position contributes to the standard deviation of the book: w × Cw / sqrt(w'Cw).

    Parameters
    ----------
    positions, covariance
        As in `portfolio_var`.

    Returns
    -------
    (n_assets,)
        Money; they sum to the standard deviation of the book over the horizon of the covariance.

    Raises
    ------
    InputError
        As in `portfolio_var`.

    References
    ----------
    Litterman (1996), Hot Spots and Hedges, Journal of Portfolio Management 23, 52-75.

    Examples
    --------
    >>> component_volatility([100.0, 50.0], [[0.04, 0.0], [0.0, 0.01]]).round(6).tolist()
    [19.402851, 1.212678]
    """
    book = exposure_of(positions, covariance)
    return with_labels(book.positions * _margin(book, 1.0, None), book.labels)


def parametric_attribution(
    positions: Any,
    returns: Any,
    confidence: float = 0.95,
    *,
    measure: str = "var",
    mean: Any = "sample",
    ddof: int = 1,
    z: float | None = None,
    nu: float | None = None,
) -> Attribution:
    """Components of VaR, ES or volatility from a sample of returns, with their standard errors.

    Parameters
    ----------
    positions : (n_assets,)
        Money held (or weights, for risk as a fraction), negative when short; matched by name where both sides are
        labelled.
    returns : (n_obs, n_assets)
        Simple returns per period; the horizon of the answer is one period.
    confidence : float
        0.95 for 95 %.
    measure : {"var", "es", "volatility"}
        What is split.
    mean : "sample", "zero" or (n_assets,)
        Mean returns in the VaR: those of the sample, none, or given ones. With "zero" the covariance is about zero
        too. Volatility has no mean term.
    ddof : int
        The covariance has divisor n_obs - ddof.
    z, nu
        As in `portfolio_var`.

    Returns
    -------
    Attribution
        `standard_error` is the delta method on the empirical moments: it needs no law for the returns, but takes
        the days as independent, and z as given.

    Raises
    ------
    InputError
        NaN, infinity, fewer than two rows, or shapes and labels that do not fit.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2; Boudt, Peterson and Croux (2008), Estimation and decomposition
    of downside risk for portfolios with non-normal returns, Journal of Risk 11(2), 79-103 (the Gaussian
    components).

    Examples
    --------
    >>> returns = [[0.01, 0.02], [-0.02, 0.01], [0.03, -0.03], [-0.01, -0.01]]
    >>> split = parametric_attribution([100.0, 50.0], returns, mean="zero", ddof=0)
    >>> split.component.round(4).tolist(), round(split.total, 4)
    ([2.7592, -0.0627], 2.6965)
    """
    one_of(measure, ("var", "es", "volatility"), "measure")
    array = returns_array(returns, min_obs=2)
    about = "zero" if isinstance(mean, str) and one_of(mean, ("sample", "zero"), "mean") == "zero" else "sample"
    book = exposure_of(positions, sample_covariance(returns, ddof=ddof, mean=about))
    factor = risk_factor(measure, confidence, z, nu)
    drift = (
        None if measure == "volatility" or about == "zero" else array.mean(axis=0) if isinstance(mean, str) else mean
    )
    component = book.positions * _margin(book, factor, drift)
    deviations = array - array.mean(axis=0) if about == "sample" else array
    influence = _influence(book, factor, deviations)
    if drift is not None and isinstance(mean, str):
        influence -= deviations * book.positions
    n_obs = len(array)
    return Attribution(
        measure=measure,
        method="normal" if nu is None else f"Student t, nu = {nu:g}",
        confidence=confidence,
        total=float(component.sum()),
        component=with_labels(component, book.labels),
        positions=with_labels(book.positions, book.labels),
        standard_error=with_labels(np.sqrt((influence**2).sum(axis=0)) / n_obs, book.labels),
        total_standard_error=float(np.sqrt((influence.sum(axis=1) ** 2).sum()) / n_obs),
        n_obs=n_obs,
    )


def _risk(positions: Any, covariance: Any, factor: float, mean: Any) -> float:
    book = exposure_of(positions, covariance)
    drift = 0.0 if mean is None else float(book.positions @ asset_vector(mean, book, "mean"))
    return factor * book.volatility - drift


def _margin(book: Exposure, factor: float, mean: Any) -> np.ndarray:
    margin = book.gradient * (factor / book.volatility) if book.volatility > 0.0 else np.zeros_like(book.gradient)
    return margin if mean is None else margin - asset_vector(mean, book, "mean")


def _influence(book: Exposure, factor: float, deviations: np.ndarray) -> np.ndarray:
    """What one more observation does to each component: derivative of f w_i c_i / s in c_i = cov(r_i, book) and s."""
    if book.volatility == 0.0:
        return np.zeros_like(deviations)
    whole = (deviations @ book.positions)[:, None] / book.volatility  # in deviations: powers of money may overflow
    slope = deviations * whole - book.gradient / book.volatility * (whole**2 + 1.0) / 2.0
    return factor * book.positions * slope
