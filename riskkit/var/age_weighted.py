"""Age-weighted historical VaR and ES (Boudoukh, Richardson and Whitelaw): yesterday counts more than last year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_number, whole_number
from riskkit.var.estimate import Fit, RiskEstimate, estimate
from riskkit.var.historical import weighted_tail

__all__ = ["AgeWeighted", "age_weighted_risk", "age_weights"]


def age_weights(n_obs: int, decay: float) -> np.ndarray:
    """Weights of observations by age, oldest first: decay^(n-i) (1 - decay)/(1 - decay^n) for the i-th of n.

    Parameters
    ----------
    n_obs : int
        Observations to weight, at least one.
    decay : float
        Weight of an observation over that of the next newer one, above 0 and at most 1; 0.98 to 0.995 are usual.

    Returns
    -------
    (n_obs,)
        They sum to 1. With decay=1 all are equal.

    Raises
    ------
    InputError
        A decay outside (0, 1], or no observations.

    References
    ----------
    Boudoukh, Richardson and Whitelaw (1998), The best of both worlds, Risk 11(5), 64-67, step 1. Hull (2018), Options,
    Futures and Other Derivatives, 10th ed., section 22.2.

    Examples
    --------
    >>> age_weights(3, 0.5).round(4).tolist()
    [0.1429, 0.2857, 0.5714]
    """
    n_obs, decay = whole_number(n_obs, "n_obs"), finite_number(decay, "decay")
    if not 0.0 < decay <= 1.0:
        raise InputError(f"decay={decay!r} is not above 0 and at most 1; 0.98 is usual for daily data")
    weights = decay ** np.arange(n_obs - 1, -1, -1.0)
    return weights / n_obs if decay == 1.0 else weights * ((1.0 - decay) / (1.0 - decay**n_obs))


def age_weighted_risk(returns: Any, confidence: Any = 0.95, *, decay: float = 0.98) -> RiskEstimate:
    """VaR and ES of the observed returns, weighted by age.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period or P&L, oldest first; the horizon of the answer is theirs.
    confidence : float or sequence of float
        0.95 for 95 %.
    decay : float
        A return counts `decay` times as much as the one after it.

    Returns
    -------
    RiskEstimate
        VaR is the first loss, worst first, at which the weights reach p; ES is the mean of exactly p of weight.

    Raises
    ------
    InputError
        NaN, infinity, no rows, or a decay outside (0, 1].

    References
    ----------
    Boudoukh, Richardson and Whitelaw (1998), The best of both worlds, Risk 11(5), 64-67.

    Examples
    --------
    >>> returns = [-0.05, 0.01, -0.03, 0.02]
    >>> risk = age_weighted_risk(returns, 0.8, decay=0.5)
    >>> risk.var, round(risk.es, 6)
    (0.03, 0.036667)
    """
    return estimate(AgeWeighted(decay), returns, confidence)


@dataclass(frozen=True)
class AgeWeighted:
    """The method with its options."""

    decay: float = 0.98

    title = "age-weighted historical"
    horizon = 1.0
    ordered = True

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate each column of (n_obs, n_series)."""
        var, es = weighted_tail(table, age_weights(len(table), self.decay), confidences)
        return Fit(var, es, {})
