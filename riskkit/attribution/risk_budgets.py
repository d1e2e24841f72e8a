"""Weights by risk: given shares of the volatility (risk parity: equal ones), least variance, largest diversification."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, with_labels
from riskkit._exposure import by_name
from riskkit.attribution.docs import documented
from riskkit.covariance.matrices import square_matrix


def risk_budgeting(covariance: Any, budgets: Any = None) -> Any:
    """Weights above zero of which each contributes its budget to the volatility; risk parity without budgets.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Positive definite, in any unit.
    budgets : (n_assets,), optional
        Shares of the risk, above zero, with a sum of 1; equal by default.

    Returns
    -------
    (n_assets,)
        Weights with a sum of 1, with the names of the assets.

    Raises
    ------
    InputError
        NaN, a matrix that is not positive definite, budgets that are not above zero with a sum of 1, or so small that no weights
        are found.

    References
    ----------
    Spinu (2013), An algorithm for computing risk parity weights. Maillard, Roncalli and Teïletche (2010), The properties of equally
    weighted risk contribution portfolios, J. Portfolio Management 36(4), 60-70.

    Examples
    --------
    >>> covariance = [[0.04, 0.018, 0.006], [0.018, 0.0225, 0.009], [0.006, 0.009, 0.01]]
    >>> risk_budgeting(covariance).round(4).tolist()
    [0.2397, 0.2809, 0.4794]
    >>> risk_budgeting(covariance, [0.5, 0.3, 0.2]).round(4).tolist()
    [0.353, 0.2832, 0.3638]
    """
    matrix, scale, labels = _definite(covariance)
    n = len(matrix)
    shares = (
        np.full(n, 1.0 / n) if budgets is None else finite_array(by_name(budgets, labels, "budgets"), "budgets", ndim=1)
    )
    if shares.shape != (n,) or shares.min() <= 0.0 or abs(shares.sum() - 1.0) > 1e-9:
        raise InputError(f"budgets is not {n} shares above zero with a sum of 1, one for each asset")
    weights = _of_budgets(matrix, shares) / scale
    return with_labels(weights / weights.sum(), labels)


def _of_budgets(matrix: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The minimum of x'Cx/2 - sum(b ln x), of which the gradient is zero where each x (Cx) is its budget; by Newton's steps."""

    def height(x: np.ndarray) -> float:
        return 0.5 * float(x @ matrix @ x) - float(shares @ np.log(x)) if x.min() > 0.0 else np.inf

    x = np.sqrt(shares)
    x /= np.sqrt(x @ matrix @ x)
    for _ in range(100):
        risk = matrix @ x
        off = np.abs(x * risk - shares)
        if (off < 1e-10 * shares).all():
            break
        # in units of x, where no entry is beyond reach however small a budget is
        scaled = x[:, None] * matrix * x
        step = x * np.linalg.solve(scaled + np.diag(shares), x * risk - shares)
        slope, length = float((risk - shares / x) @ step), 1.0
        while height(x - length * step) > height(x) - 1e-4 * length * slope + 1e-15:
            length *= 0.5
        x = x - length * step
    if off.max() > 1e-10:
        raise InputError(
            f"no weights were found that have these budgets (off by {off.max():.1g} of the risk); "
            f"the smallest is {shares.min():.3g}: give larger ones, or leave the asset out"
        )
    return x


@documented
def minimum_variance(covariance: Any) -> Any:
    """Weights with the least variance, of any sign.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Positive definite, in any unit.

    Returns
    -------
    (n_assets,)
        Weights with a sum of 1, with the names of the assets.

    References
    ----------
    Merton (1972), An analytic derivation of the efficient portfolio frontier, J. Financial and Quantitative Analysis 7, 1851-1872.

    Examples
    --------
    >>> minimum_variance([[0.04, 0.018, 0.006], [0.018, 0.0225, 0.009], [0.006, 0.009, 0.01]]).round(4).tolist()
    [0.1178, -0.0366, 0.9188]
    """
    matrix, scale, labels = _definite(covariance)
    weights = np.linalg.solve(matrix, 1.0 / scale) / scale
    return with_labels(weights / weights.sum(), labels)


def maximum_diversification(covariance: Any) -> Any:
    """Weights with the largest ratio of the mean volatility of the assets to that of the portfolio, of any sign.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Positive definite, in any unit.

    Returns
    -------
    (n_assets,)
        Weights with a sum of 1, with the names of the assets.

    Raises
    ------
    InputError
        NaN, a matrix that is not positive definite, or weights with a sum of zero or less.

    References
    ----------
    Choueifaty and Coignard (2008), Toward maximum diversification, J. Portfolio Management 35(1), 40-51.

    Examples
    --------
    >>> maximum_diversification([[0.04, 0.018, 0.006], [0.018, 0.0225, 0.009], [0.006, 0.009, 0.01]]).round(4).tolist()
    [0.3, 0.1, 0.6]
    """
    matrix, scale, labels = _definite(covariance)
    weights = np.linalg.solve(matrix, np.ones(len(matrix))) / scale
    if weights.sum() <= 1e-12 * np.abs(weights).sum():
        raise InputError("the most diversified weights have a sum of zero or less; they cannot be scaled to 1")
    return with_labels(weights / weights.sum(), labels)


def diversification_ratio(weights: Any, covariance: Any) -> float:
    """Weighted volatility of the assets over that of the portfolio: 1 without diversification.

    Parameters
    ----------
    weights : (n_assets,)
        Shares or money.
    covariance : (n_assets, n_assets)
        Positive definite, in any unit.

    Returns
    -------
    float
        At least 1 for weights that are all above zero.

    Raises
    ------
    InputError
        NaN, a matrix that is not positive definite, weights of other assets, or all of zero.

    References
    ----------
    Choueifaty and Coignard (2008), Toward maximum diversification, J. Portfolio Management 35(1), 40-51, eq. 1.

    Examples
    --------
    >>> round(diversification_ratio([0.5, 0.5], [[0.04, 0.0], [0.0, 0.04]]), 4)
    1.4142
    """
    matrix, scale, labels = _definite(covariance)
    held = finite_array(by_name(weights, labels, "weights"), "weights", ndim=1)
    if held.shape != scale.shape or not held.any():
        raise InputError(f"weights has shape {held.shape} for {len(scale)} assets; give one each, not all zero")
    moves = held * scale
    return float(moves.sum() / np.sqrt(moves @ matrix @ moves))


def _definite(covariance: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """Correlations and volatilities of a positive definite covariance, and the names of the assets."""
    matrix, _ = square_matrix(covariance, "covariance")
    variances = np.diag(matrix)
    if variances.min() <= 0.0:
        raise InputError(f"covariance has a variance of {variances.min():g}; each asset needs one above zero")
    scale = np.sqrt(variances)
    correlation = matrix / np.outer(scale, scale)
    if np.linalg.eigvalsh(correlation)[0] < 1e-12:
        raise InputError("covariance is not positive definite; nearest_covariance(..., min_eigenvalue=1e-6) repairs it")
    return correlation, scale, labels_of(covariance, 1)
