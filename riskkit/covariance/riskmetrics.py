"""RiskMetrics 2006 covariance: a weighted mean of exponential averages with long memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import InputError, labels_of, positive, returns_array, shown, whole_number, with_labels
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import documented
from riskkit.covariance.ewma import start_weights
from riskkit.covariance.matrices import symmetric


@documented
def riskmetrics2006(
    returns: ReturnsLike, *, tau0: float = 1560.0, tau1: float = 4.0, kmax: int = 14, rho: float = math.sqrt(2.0)
) -> Any:
    """Covariance of RiskMetrics 2006 after the last return, the forecast for the next period.

    A weighted mean of `kmax` exponential averages with time constants tau1 rho^k, whose weights fall with the
    logarithm of the time constant; each starts at a backcast over the days with 99 % of its weight. Its memory decays
    slowly, as that of volatility does.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_assets)
        Returns per day, oldest first; the mean is taken as zero.
    tau0 : float
        Time constant in days at which the weight of a component would reach zero.
    tau1 : float
        Shortest time constant, in days.
    kmax : int
        Number of components.
    rho : float
        Ratio of neighbouring time constants, above 1.

    Returns
    -------
    float or (n_assets, n_assets)
        Variance of one series, or covariance matrix, per day.

    Notes
    -----
    Every component is linear in the squares, so their sum is one weighted second moment: R' diag(a) R.

    References
    ----------
    Zumbach (2007), The RiskMetrics 2006 methodology, RiskMetrics Group, section 7 (volatility forecast).

    Examples
    --------
    >>> round(riskmetrics2006([0.01, -0.02, 0.015, 0.03, -0.01]), 8)
    0.00034341
    """
    array = returns_array(returns, ordered=True)
    constants = positive(tau1, "tau1") * positive(rho, "rho") ** np.arange(whole_number(kmax, "kmax"))
    if rho <= 1.0 or tau0 <= 1.0 or constants[-1] > tau0 or constants[0] == tau0:
        raise InputError(
            f"tau1={shown(tau1)}, rho={shown(rho)}, kmax={shown(kmax)} give time constants up to {constants[-1]:g} days; "
            f"they must rise (rho above 1) and stay below tau0={shown(tau0)}"
        )
    shares = 1.0 - np.log(constants) / math.log(tau0)
    weights = np.zeros(len(array))
    for share, constant in zip(shares / shares.sum(), constants, strict=True):
        weights += share * _component_weights(len(array), math.exp(-1.0 / constant))
    if array.ndim == 1:
        return float(weights @ array**2)
    assets = labels_of(returns, 1)
    return with_labels(symmetric((array * weights[:, None]).T @ array), assets, assets)


def _component_weights(n_obs: int, decay: float) -> np.ndarray:
    """Weight of each squared return in one exponential average, including its backcast start."""
    weights = (1.0 - decay) * decay ** np.arange(n_obs - 1, -1, -1.0)
    start = start_weights(n_obs, decay, "backcast", max(1, math.floor(math.log(0.01) / math.log(decay))))
    weights[: len(start)] += decay**n_obs * start
    return weights
