"""Cornish-Fisher (modified) VaR and ES from the moments of the returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskkit._check import InputError
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Confidence, ReturnsLike
from riskkit.var.estimate import RiskEstimate, estimate
from riskkit.var.method import Fit, Method, VarEs
from riskkit.var.moments import Mean, Moments, check_spread_options, rolling_moments, sample_moments
from riskkit.var.parametric.cornish_fisher import CornishFisherForm, EsDefinition
from riskkit.var.parametric.cornish_fisher_distribution import OutOfDomain


def cornish_fisher(
    returns: ReturnsLike,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    corrected: bool = True,
    out_of_domain: OutOfDomain = "refuse",
    es: EsDefinition = "exact",
    mean: Mean = "sample",
    ddof: int = 1,
    horizon: float = 1.0,
) -> RiskEstimate:
    """VaR and ES from mean, volatility, skewness and excess kurtosis of the returns.

    Parameters
    ----------
    returns, confidence
        As in `riskkit.var.historical`.
    corrected : bool
        True: solve for the parameters whose distribution has the moments of the sample (Maillard). False: use the
        moments as parameters, as most packages do; the distribution then has other moments than the sample.
    out_of_domain : {"refuse", "allow"}
        Where the expansion does not increase as far as the tail of `confidence`, on both sides, it is not a quantile
        function there: a 99 % VaR may be smaller than a 95 % one, or four times the worst observed loss. "allow" computes
        the number anyway, where the moments have parameters.
    es : {"exact", "boudt", "operational"}
        Mean of the tail of the distribution; or, uncorrected, the ES of the Edgeworth density below the quantile, which
        can be smaller than the VaR; or the larger of that and the VaR.
    mean, ddof : {"sample", "zero"} and int
        As in `riskkit.var.normal`. Skewness and kurtosis are population moments about the sample mean.
    horizon : float
        In periods, of independent returns: mean × h, volatility × √h, skewness/√h, kurtosis/h.

    Returns
    -------
    RiskEstimate
        Losses positive, in the unit of `returns`. `parameters`: mean, volatility, skewness, excess_kurtosis of the
        sample per period, and skewness_parameter, kurtosis_parameter of the expansion at the horizon.

    Raises
    ------
    InputError
        NaN, infinity, constant returns, moments outside the domain, or options that do not go together.

    References
    ----------
    Maillard (2012), A user's guide to the Cornish Fisher expansion, SSRN 1997178. Zangari (1996), A VaR methodology for
    portfolios that include options, RiskMetrics Monitor Q1, 4-12. Boudt, Peterson and Croux (2008), Estimation and
    decomposition of downside risk for portfolios with non-normal returns, J. Risk 11(2), 79-103.

    Examples
    --------
    >>> returns = [0.01, -0.02, 0.01, -0.01, 0.04, -0.06, 0.0, 0.01, 0.0, 0.0, -0.01, 0.01]
    >>> risk = cornish_fisher(returns, 0.95)
    >>> round(risk.var, 6), round(risk.es, 6)
    (0.045092, 0.062175)
    >>> cornish_fisher([0.01, -0.02, 0.01, -0.08, 0.0, 0.01], 0.95, corrected=False)
    Traceback (most recent call last):
    ...
    riskkit._check.InputError: skewness -1.414 and excess kurtosis 0.4176 are outside the domain; out_of_domain='allow'
    computes the number anyway
    """
    method = CornishFisher(
        corrected=corrected, out_of_domain=out_of_domain, es=es, mean=mean, ddof=ddof, horizon=horizon
    )
    return estimate(method, returns, confidence)


@dataclass(frozen=True, kw_only=True)
class CornishFisher(CornishFisherForm, Method):
    """Options of `cornish_fisher`."""

    mean: Mean = "sample"
    ddof: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_spread_options(self.mean, self.ddof)

    @property
    def title(self) -> str:
        """Name of the method in print."""
        return "Cornish-Fisher" + (" (Maillard)" if self.corrected else ", moments as parameters")

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate VaR and ES of each column of (n_obs, n_series)."""
        moments = sample_moments(table, tails=True)
        if moments.flat.any():
            raise InputError("the returns are constant; they have no skewness or kurtosis")
        return self._fit(moments, confidences)

    def roll(self, table: np.ndarray, window: int, confidences: tuple[float, ...]) -> VarEs:
        """Estimate every window from rolling moments."""
        moments = rolling_moments(table, window, tails=True)
        steady = moments._replace(second=np.where(moments.flat, np.nan, moments.second))
        with np.errstate(invalid="ignore"):
            fit = self._fit(steady, confidences, refuse=False)
        return fit.var, fit.es

    def _fit(self, moments: Moments, confidences: tuple[float, ...], *, refuse: bool = True) -> Fit:
        given = {
            "volatility": moments.volatility(self.mean, self.ddof),
            "skewness": moments.skewness,
            "excess_kurtosis": moments.excess_kurtosis,
            "mean": moments.location(self.mean),
        }
        distribution, var, es = self.risk(confidences, refuse=refuse, **given)
        return Fit(
            var, es, given | {"skewness_parameter": distribution.skewness, "kurtosis_parameter": distribution.kurtosis}
        )
