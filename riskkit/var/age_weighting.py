"""Age-weighted historical simulation (Boudoukh, Richardson and Whitelaw): recent returns have larger weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Confidence, ReturnsLike
from riskkit.var.estimate import RiskEstimate, estimate
from riskkit.var.historical_simulation import weighted_tail
from riskkit.var.method import Fit, Method
from riskkit.var.order_statistics import age_weights


def age_weighted(
    returns: ReturnsLike, confidence: Confidence = DEFAULT_CONFIDENCE, *, decay: float = 0.98
) -> RiskEstimate:
    """VaR and ES of the observed returns, weighted by age.

    Parameters
    ----------
    returns, confidence
        As in `riskkit.var.historical`.
    decay : float
        Weight of a return over that of the next newer one, above 0 and at most 1.

    Returns
    -------
    RiskEstimate
        VaR is the first loss, worst first, at which the cumulative weight reaches p; ES is the mean of exactly p of
        weight.

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
    >>> risk = age_weighted(returns, 0.8, decay=0.5)
    >>> risk.var, round(risk.es, 6)
    (0.03, 0.036667)
    """
    return estimate(AgeWeighted(decay), returns, confidence)


@dataclass(frozen=True)
class AgeWeighted(Method):
    """Options of `age_weighted`."""

    decay: float = 0.98

    title = "age-weighted historical"
    ordered = True

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate VaR and ES of each column of (n_obs, n_series)."""
        return Fit(*weighted_tail(table, age_weights(len(table), self.decay), confidences), {})
