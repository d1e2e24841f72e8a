"""Dynamic conditional correlation (DCC): GARCH volatilities, and correlations that move with the shocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    constant,
    finite_array,
    finite_number,
    labels_of,
    one_of,
    refuse_size,
    returns_array,
    with_labels,
)
from riskkit._show import Row, Shown
from riskkit._types import ReturnsLike
from riskkit.covariance.ewma import ewma_initial, ewma_variance
from riskkit.covariance.garch import fit_garch
from riskkit.covariance.matrices import asset_names, square_matrix, symmetric
from riskkit.covariance.variance_paths import recursion

Likelihood = Literal["full", "pairs"]
Margins = Literal["garch", "ewma"]
MOST_PAIRS = 500
"""Pairs of assets in a likelihood by pairs."""


@dataclass(frozen=True, repr=False, eq=False)
class DccFit(Shown):
    """GARCH(1,1) margins with dynamic conditional correlation.

    Attributes
    ----------
    a : float
        Weight of the last shocks, a fraction.
    b : float
        Weight of the past, a fraction.
    correlation : (n_assets, n_assets)
        Forecast for the period after the last return.
    covariance : (n_assets, n_assets)
        Forecast for that period, per period.
    long_run : (n_assets, n_assets)
        Mean product of the shocks, to which the correlation returns.
    residuals : (n_obs, n_assets)
        Shocks of the margins, in volatilities.
    log_likelihood : float
        Of the returns; with "pairs" the sum of the margins and the mean over the pairs.
    converged : bool
        True if every optimizer found a maximum.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.covariance import fit_dcc
    >>> shocks = np.random.default_rng(1).multivariate_normal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]], 500)
    >>> fit_dcc(0.01 * shocks).correlation.shape
    (2, 2)
    """

    a: float
    b: float
    correlation: Any
    covariance: Any
    long_run: Any
    residuals: Any
    log_likelihood: float
    converged: bool

    def _title(self) -> str:
        return f"DCC(1,1) of {len(self.correlation)} assets" + ("" if self.converged else " - not converged")

    def _rows(self) -> list[Row]:
        return [
            ("a", self.a, "of the last shocks"),
            ("b", self.b, "of the past"),
            ("log-likelihood", self.log_likelihood, ""),
        ]

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlations forecast for the next period."""
        return plot.correlations(self.correlation, asset_names(self.correlation), title=self._title(), ax=ax)


def fit_dcc(returns: ReturnsLike, likelihood: Likelihood = "full", *, margins: Margins = "garch") -> DccFit:
    """Fit a volatility to each asset and a dynamic conditional correlation to the shocks, by maximum likelihood in two steps.

    Needs arch (``pip install 'riskkit[garch]'``) for GARCH.

    Parameters
    ----------
    returns : (n_obs, n_assets)
        Returns per period, oldest first, at least 50 of two assets.
    likelihood : {"full", "pairs"}
        Of all assets; or the mean over neighbouring pairs of columns (at most 500, evenly spread), which stays fast and unbiased
        for thousands of assets.
    margins : {"garch", "ewma"}
        A GARCH(1,1) fitted to each asset; or the exponentially weighted variance with decay 0.94, which needs no fit: seconds
        instead of minutes for 5,000 assets.

    Returns
    -------
    DccFit
        With normal shocks of mean zero. The correlation before the first return is the long-run one. An asset that never moves has a
        variance and correlations of zero.

    Raises
    ------
    InputError
        NaN, infinity, fewer than 50, fewer than two assets that move, dates out of order, or shocks that are collinear
        with "full".
    ImportError
        arch is not installed.

    References
    ----------
    Engle (2002), Dynamic conditional correlation, J. Business and Economic Statistics 20, 339-350. Pakel, Shephard, Sheppard and
    Engle (2021), Fitting vast dimensional time-varying covariance models, J. Business and Economic Statistics 39, 652-668
    (pairs).

    Examples
    --------
    >>> shocks = np.random.default_rng(1).multivariate_normal([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]], 500)
    >>> fit = fit_dcc(0.01 * shocks, "pairs")
    >>> round(float(fit.correlation[0, 1]), 1)
    0.5
    """
    from scipy.optimize import minimize

    one_of(likelihood, get_args(Likelihood), "likelihood")
    array = returns_array(returns, ordered=True)
    if array.ndim != 2 or array.shape[1] < 2:
        raise InputError(f"returns has shape {array.shape}; a correlation is of at least two assets, (n_obs, n_assets)")
    moving = np.flatnonzero(~constant(array))
    if len(moving) < 2:
        raise InputError(f"returns has {len(moving)} assets that move; a correlation is of at least two")
    of_margins = _garch if one_of(margins, get_args(Margins), "margins") == "garch" else _ewma
    z, volatility, height_of_margins, fitted = of_margins(array[:, moving])
    target = z.T @ z / len(z)
    height = _of_all(z, target) if likelihood == "full" else _of_pairs(z, target)
    simplex = np.array([[0.02, 0.95], [0.05, 0.9], [0.01, 0.8]])
    options: Any = {"initial_simplex": simplex, "xatol": 1e-7, "fatol": 1e-7}

    def misfit(weights: np.ndarray) -> float:
        return -height(*weights) if weights.min() >= 0.0 and weights.sum() < 1.0 else 1e10

    found = minimize(misfit, simplex[0], method="Nelder-Mead", options=options)
    a, b = map(float, found.x)
    correlation = _correlation_of(_last(z, a, b, target))
    assets = labels_of(returns, 1)

    def among_all(matrix: np.ndarray, diagonal: float) -> Any:
        """A matrix of the assets that move within one of all assets."""
        whole = diagonal * np.eye(array.shape[1])
        whole[np.ix_(moving, moving)] = matrix
        return with_labels(whole, assets, assets)

    residuals = np.zeros_like(array)
    residuals[:, moving] = z
    return DccFit(
        a=a,
        b=b,
        correlation=among_all(correlation, 1.0),
        covariance=among_all(symmetric(correlation * np.outer(volatility, volatility)), 0.0),
        long_run=among_all(target, 1.0),
        residuals=with_labels(residuals, labels_of(returns, 0), assets),
        log_likelihood=height_of_margins - float(found.fun),
        converged=bool(found.success) and fitted,
    )


def _garch(returns: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, bool]:
    """Shocks, next volatilities, log-likelihood of the margins, and whether all fits converged."""
    fits = [fit_garch(column, distribution="normal") for column in returns.T]
    volatility = np.array([fit.next_volatility for fit in fits])
    height = sum(fit.log_likelihood for fit in fits)
    return np.column_stack([fit.residuals for fit in fits]), volatility, height, all(fit.converged for fit in fits)


def _ewma(returns: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, bool]:
    """The same with exponentially weighted variances, of which none is fitted."""
    variances = np.vstack([ewma_initial(returns), ewma_variance(returns)])
    known = np.sqrt(variances[:-1])
    known[known == 0.0] = 1.0  # before the first return that is not zero
    shocks = returns / known
    height = -float((np.log(known) + 0.5 * shocks**2 + 0.5 * np.log(2.0 * np.pi)).sum())
    return shocks, np.sqrt(variances[-1]), height, True


def dcc_path(residuals: Any, a: float, b: float, long_run: Any = None) -> np.ndarray:
    """Correlations for the period after each row of shocks.

    Parameters
    ----------
    residuals : (n_obs, n_assets)
        Shocks in volatilities, oldest first.
    a, b : float
        Weights of the last shocks and of the past, at least zero, with a sum below 1.
    long_run : (n_assets, n_assets), optional
        Matrix to which the correlation returns, and at which it starts; the mean product of the shocks by default.

    Returns
    -------
    (n_obs, n_assets, n_assets)
        Of Q' = (1 - a - b) long_run + a z z' + b Q, scaled to a diagonal of 1.

    Raises
    ------
    InputError
        NaN, infinity, weights out of range, a matrix of another size, or more numbers than fit in memory.

    References
    ----------
    Engle (2002), Dynamic conditional correlation, J. Business and Economic Statistics 20, 339-350, eq. 18.

    Examples
    --------
    >>> path = dcc_path([[0.5, -0.2], [-1.3, -0.9]], 0.05, 0.9, [[1.0, 0.4], [0.4, 1.0]])
    >>> path[:, 0, 1].round(4).tolist()
    [0.3918, 0.4273]
    """
    z = finite_array(residuals, "residuals", ndim=2)
    weights = finite_number(a, "a"), finite_number(b, "b")
    if min(weights) < 0.0 or sum(weights) >= 1.0:
        raise InputError(f"a={a!r} and b={b!r} are not weights of at least zero with a sum below 1")
    target = z.T @ z / len(z) if long_run is None else square_matrix(long_run, "long_run")[0]
    if target.shape != (z.shape[1], z.shape[1]):
        raise InputError(f"long_run has shape {target.shape} for {z.shape[1]} assets")
    refuse_size((len(z) + 1, *target.shape), "the path of correlations", "fit_dcc forecasts the next period without it")
    return _correlation_of(_path(z, *weights, target)[1:])


def _path(z: np.ndarray, a: float, b: float, target: np.ndarray) -> np.ndarray:
    """Q for each row of shocks and the one after, (n_obs + 1, n_assets, n_assets): a linear filter along time."""
    pushes = a * z[:, :, None] * z[:, None, :] + (1.0 - a - b) * target
    return _filtered(pushes, b, target)


def _filtered(pushes: np.ndarray, b: float, first: np.ndarray) -> np.ndarray:
    later = recursion(pushes, b, first)
    return np.concatenate([first[None], later])


def _last(z: np.ndarray, a: float, b: float, target: np.ndarray) -> np.ndarray:
    """Q for the period after the last, without the matrices before it."""
    n = len(z)
    past = z * np.sqrt(a * b ** np.arange(n - 1.0, -1.0, -1.0))[:, None]
    constant = b**n + (1.0 - a - b) * (1.0 - b**n) / (1.0 - b)
    return np.asarray(past.T @ past + constant * target)


def _correlation_of(q: np.ndarray) -> np.ndarray:
    scale = 1.0 / np.sqrt(np.diagonal(q, axis1=-2, axis2=-1))
    correlation = q * scale[..., :, None] * scale[..., None, :]
    return np.asarray(0.5 * (correlation + correlation.swapaxes(-1, -2)))


def _of_all(z: np.ndarray, target: np.ndarray) -> Callable[[float, float], float]:
    """Log-likelihood of the shocks beyond that of the margins."""
    if np.linalg.eigvalsh(_correlation_of(target))[0] < 1e-10:
        raise InputError("returns has assets whose shocks are collinear; leave one out, or take likelihood='pairs'")

    def height(a: float, b: float) -> float:
        root = np.linalg.cholesky(_correlation_of(_path(z, a, b, target)[:-1]))
        white = np.linalg.solve(root, z[:, :, None])[:, :, 0]
        logs = 2.0 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum()
        return float(-0.5 * (logs + (white**2).sum() - (z**2).sum()))

    return height


def _of_pairs(z: np.ndarray, target: np.ndarray) -> Callable[[float, float], float]:
    """Mean over neighbouring pairs of columns of their log-likelihood beyond that of the margins."""
    n_pairs = z.shape[1] - 1
    left_of = np.linspace(0, n_pairs - 1, min(n_pairs, MOST_PAIRS)).astype(int)
    x, y = z[:, left_of], z[:, left_of + 1]
    firsts = np.diag(target)[left_of], np.diag(target)[left_of + 1], np.diag(target, 1)[left_of]

    def height(a: float, b: float) -> float:
        xx, yy, xy = (
            _filtered(a * product + (1.0 - a - b) * first, b, first)[:-1]
            for product, first in zip((x * x, y * y, x * y), firsts, strict=True)
        )
        rho = np.clip(xy / np.sqrt(xx * yy), -1.0 + 1e-12, 1.0 - 1e-12)
        left = 1.0 - rho**2
        logs = np.log(left) + (x**2 + y**2 - 2.0 * rho * x * y) / left - x**2 - y**2
        return float(-0.5 * logs.sum() / x.shape[1])

    return height
