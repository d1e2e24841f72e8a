"""Exponentially weighted variance and volatility of single series, and their start values.

All follow the recursion v_t = decay × v_(t-1) + (1 - decay) × r_t², with the mean taken as zero. v_t uses the returns
up to t and is the forecast for t + 1; shift a path by one before comparing it with the returns. `start` is v_0, the
forecast for the first period:

- ``"backcast"``: exponentially weighted mean of the first 75 squared returns, the first with the largest weight,
- ``"first_square"``: r_1², so that v_1 = r_1² as well,
- ``"sample"``: mean square of all returns (uses later returns),
- ``"zero"``: zero; early values are too small,
- a number: this value.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import (
    InputError,
    finite_array,
    finite_number,
    labels_of,
    one_of,
    returns_array,
    shown,
    whole_number,
    with_labels,
)
from riskkit._docs import shared_parameters
from riskkit._jit import kernel
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import PARAMETERS

STARTS = ("backcast", "first_square", "sample", "zero")
Weighting = Literal["recursive", "truncated", "renormalized"]
BACKCAST_PERIODS = 75
documented = shared_parameters(
    PARAMETERS
    | {"returns": "(n_obs,) or (n_obs, n_series)\n    Returns per period, oldest first; the mean is taken as zero."}
)


@documented
def ewma_variance(returns: ReturnsLike, decay: float = 0.94, start: Any = "backcast") -> Any:
    """Exponentially weighted variance of each series after every return.

    Returns
    -------
    (n_obs,) or (n_obs, n_series)
        Variance per period; entry t uses the returns up to t and is the forecast for t + 1.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.

    Examples
    --------
    >>> ewma_variance([0.02, -0.01], decay=0.9, start="first_square").round(8).tolist()
    [0.0004, 0.00037]
    """
    array = returns_array(returns, ordered=True)
    table = np.require(array.reshape(len(array), -1), requirements="W")  # one signature of the kernel
    out = np.empty_like(table)
    first = np.array(np.broadcast_to(ewma_initial(array, decay, start), table.shape[1:]))
    variance_path(first, table, decay_factor(decay), out)
    return with_labels(
        out.reshape(array.shape), labels_of(returns, 0), labels_of(returns, 1), getattr(returns, "name", None)
    )


@documented
def ewma_volatility(
    returns: ReturnsLike, decay: float = 0.94, *, weighting: Weighting = "recursive", start: Any = "backcast"
) -> Any:
    """Exponentially weighted volatility of each series, the forecast for the next period.

    For the twenty days of the RiskMetrics document the result is between 0.328 % and 0.473 %, depending on weighting
    and start alone.

    Parameters
    ----------
    weighting : {"recursive", "truncated", "renormalized"}
        The recursion from `start`; or the sum of (1 - decay) decay^i r² over the sample, whose weights add up to
        1 - decay^n only; or that sum divided by its weights. Only the recursion uses `start`.

    Returns
    -------
    float or (n_series,)
        Volatility per period.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.1, tables 5.1 and 5.2.

    Examples
    --------
    >>> returns = [0.02, -0.01]
    >>> [round(ewma_volatility(returns, 0.9, weighting=name), 6) for name in ("truncated", "renormalized")]
    [0.006782, 0.01556]
    """
    one_of(weighting, get_args(Weighting), "weighting")
    array = returns_array(returns, ordered=True)
    if weighting == "recursive":
        variance = ewma_variance(array, decay, start)[-1]
    else:
        weights = (1.0 - decay_factor(decay)) * decay ** np.arange(len(array) - 1, -1, -1.0)
        variance = weights @ array**2 / (weights.sum() if weighting == "renormalized" else 1.0)
    return math.sqrt(variance) if array.ndim == 1 else with_labels(np.sqrt(variance), labels_of(returns, 1))


@documented
def ewma_initial(
    returns: ReturnsLike, decay: float = 0.94, start: Any = "backcast", *, backcast_periods: int = BACKCAST_PERIODS
) -> Any:
    """Start value of the recursion: the variance before the first return.

    Parameters
    ----------
    backcast_periods : int
        Number of first periods that the backcast uses, at most all.

    Returns
    -------
    float or (n_series,)
        Variance per period.

    References
    ----------
    Sheppard, arch 8.0 documentation, EWMAVariance (backcast); J.P. Morgan/Reuters (1996), RiskMetrics Technical
    Document, 4th ed., table 5.3 (first square).

    Examples
    --------
    >>> round(ewma_initial([0.02, -0.01], decay=0.5, start="backcast"), 6)
    0.0003
    """
    array = returns_array(returns, ordered=True)
    if isinstance(start, str):
        weights = start_weights(len(array), decay_factor(decay), start, backcast_periods)
        value = weights @ array[: len(weights)] ** 2
    else:
        value = finite_array(start, "start")
        if value.shape not in ((), array.shape[1:]) or (value < 0.0).any():
            raise InputError(f"start={shown(start)} is not a variance of at least zero, one number or one per series")
    return float(value) if np.ndim(value) == 0 else with_labels(value, labels_of(returns, 1))


@documented
def effective_observations(decay: float, tolerance: float = 0.01) -> float:
    """Number of days with a total exponential weight of 1 - `tolerance`: ln(tolerance)/ln(decay).

    Parameters
    ----------
    tolerance : float
        Share of the weights before these days, between 0 and 1.

    Returns
    -------
    float
        Days, not rounded.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.3.1, table 5.7.

    Examples
    --------
    >>> round(effective_observations(0.94, 0.01), 2)
    74.43
    """
    tolerance = finite_number(tolerance, "tolerance")
    if not 0.0 < tolerance < 1.0:
        raise InputError(f"tolerance={shown(tolerance)} is not between 0 and 1")
    return math.log(tolerance) / math.log(decay_factor(decay))


def decay_factor(decay: Any) -> float:
    """Check that a decay is strictly between 0 and 1."""
    number = finite_number(decay, "decay")
    if not 0.0 < number < 1.0:
        raise InputError(f"decay={shown(decay)} is not between 0 and 1; RiskMetrics uses 0.94 for daily data")
    return number


def start_weights(n_obs: int, decay: float, start: str, backcast_periods: int = BACKCAST_PERIODS) -> np.ndarray:
    """Weights of the first squared returns in a named start value."""
    one_of(start, STARTS, "start")
    if start == "backcast":
        weights = decay ** np.arange(min(n_obs, whole_number(backcast_periods, "backcast_periods")), dtype=float)
        return np.asarray(weights / weights.sum())
    if start == "sample":
        return np.full(n_obs, 1.0 / n_obs)
    return np.array([1.0 if start == "first_square" else 0.0])


@kernel
def variance_path(variance: Any, returns: Any, decay: Any, out: Any) -> None:
    """Variance of every series, in one pass over the rows."""
    fresh = 1.0 - decay
    for t in range(returns.shape[0]):
        for i in range(returns.shape[1]):
            variance[i] = decay * variance[i] + fresh * (returns[t, i] * returns[t, i])
            out[t, i] = variance[i]
