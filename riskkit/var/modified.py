"""Modified (Cornish-Fisher) VaR and ES: from given moments, and from those of observed returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, one_of, positive
from riskkit.var.closed_form import elliptical_factor
from riskkit.var.cornish_fisher import OUT_OF_DOMAIN, CornishFisherLaw, cornish_fisher_law
from riskkit.var.estimate import Fit, RiskEstimate, estimate
from riskkit.var.moments import Moments, check_spread_options, rolling_moments, sample_moments
from riskkit.var.sample import Sample, read_confidences
from riskkit.var.tail import tail_mass

__all__ = ["CornishFisher", "cornish_fisher_es", "cornish_fisher_risk", "cornish_fisher_var"]

ES_DEFINITIONS = ("exact", "boudt", "operational")


def cornish_fisher_risk(
    returns: Any,
    confidence: Any = 0.95,
    *,
    corrected: bool = True,
    out_of_domain: str = "refuse",
    es: str = "exact",
    mean: str = "sample",
    ddof: int = 1,
    horizon: float = 1.0,
) -> RiskEstimate:
    """VaR and ES from mean, volatility, skewness and excess kurtosis of the returns.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L.
    confidence : float or sequence of float
        0.95 for 95 %.
    corrected : bool
        True: solve for the parameters whose law has the moments of the sample (Maillard). False: put the moments in as
        parameters, as most packages do; the law then has other moments than the sample.
    out_of_domain : {"refuse", "allow"}
        Where the expansion does not rise everywhere it is no quantile function: a 99 % VaR may be smaller than a 95 %
        one, or four times the loss ever seen. "allow" computes the number all the same (uncorrected only).
    es : {"exact", "boudt", "operational"}
        Mean of the tail of the law; or, uncorrected, the ES of the Edgeworth density below the quantile, which can be
        smaller than the VaR; or that, but at least the VaR.
    mean, ddof : {"sample", "zero"} and int
        As in `normal_risk`. Skewness and kurtosis are population moments about the sample mean.
    horizon : float
        Periods that the answer covers, of independent returns: mean × h, volatility × √h, skewness/√h, kurtosis/h.

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
    >>> risk = cornish_fisher_risk(returns, 0.95)
    >>> round(risk.var, 6), round(risk.es, 6)
    (0.045092, 0.062175)
    >>> cornish_fisher_risk([0.01, -0.02, 0.01, -0.08, 0.0, 0.01], 0.95, corrected=False)
    Traceback (most recent call last):
    ...
    riskkit._check.InputError: skewness -1.414 and excess kurtosis 0.4176 give no law; out_of_domain='allow' computes
    the number all the same
    """
    return estimate(CornishFisher(corrected, out_of_domain, es, mean, ddof, horizon), returns, confidence)


def cornish_fisher_var(
    volatility: Any,
    skewness: Any,
    excess_kurtosis: Any,
    confidence: Any = 0.95,
    *,
    mean: Any = 0.0,
    horizon: float = 1.0,
    value: float = 1.0,
    corrected: bool = True,
    out_of_domain: str = "refuse",
) -> Any:
    """Cornish-Fisher VaR of given moments per period: value × (-w(y_p) × volatility × √h - mean × h).

    Parameters
    ----------
    volatility, skewness, excess_kurtosis, mean : float or (n_portfolios,)
        Per period; over a horizon, those of a sum of independent returns.
    confidence, corrected, out_of_domain
        As in `cornish_fisher_risk`.
    horizon, value : float
        Periods covered, and money of the position.

    Returns
    -------
    float, (n_confidences,), (n_portfolios,) or (n_confidences, n_portfolios)
        Losses positive, not floored at 0.

    Raises
    ------
    InputError
        NaN, infinity, a negative volatility, shapes that do not fit, or moments outside the domain.

    References
    ----------
    Maillard (2012), A user's guide to the Cornish Fisher expansion, SSRN 1997178, section 2.

    Examples
    --------
    >>> round(cornish_fisher_var(0.02, -0.5, 1.0, 0.99), 6)
    0.055234
    >>> round(cornish_fisher_var(0.02, -0.5, 1.0, 0.99, corrected=False), 6)
    0.056674
    """
    return _closed("var", volatility, skewness, excess_kurtosis, confidence, mean, horizon, value, corrected,
                   out_of_domain, "exact")  # fmt: skip


def cornish_fisher_es(
    volatility: Any,
    skewness: Any,
    excess_kurtosis: Any,
    confidence: Any = 0.95,
    definition: str = "exact",
    *,
    mean: Any = 0.0,
    horizon: float = 1.0,
    value: float = 1.0,
    corrected: bool = True,
    out_of_domain: str = "refuse",
) -> Any:
    """Cornish-Fisher ES of given moments; as `cornish_fisher_var`, with `definition` as `es` in `cornish_fisher_risk`.

    Parameters
    ----------
    volatility, skewness, excess_kurtosis, confidence, mean, horizon, value, corrected, out_of_domain
        As in `cornish_fisher_var`.
    definition : str
        Which ES, as `es` in `cornish_fisher_risk`.

    Returns
    -------
    float or array
        Mean loss beyond VaR, positive, as `value` × the unit of `volatility`, over `horizon` periods.

    Raises
    ------
    InputError
        As in `cornish_fisher_var`, or a definition that does not go with corrected parameters.

    References
    ----------
    Maillard (2012), as above; Boudt, Peterson and Croux (2008), J. Risk 11(2), 79-103.

    Examples
    --------
    >>> round(cornish_fisher_es(0.02, -0.5, 1.0, 0.99), 6)
    0.067405
    >>> round(cornish_fisher_es(0.02, -0.5, 1.0, 0.99, "boudt", corrected=False), 6)
    0.070778
    """
    return _closed("es", volatility, skewness, excess_kurtosis, confidence, mean, horizon, value, corrected,
                   out_of_domain, definition)  # fmt: skip


@dataclass(frozen=True)
class CornishFisher:
    """The method with its options."""

    corrected: bool = True
    out_of_domain: str = "refuse"
    es: str = "exact"
    mean: str = "sample"
    ddof: int = 1
    horizon: float = 1.0

    ordered = False

    def __post_init__(self) -> None:
        check_spread_options(self.mean, self.ddof)
        positive(self.horizon, "horizon")
        one_of(self.out_of_domain, OUT_OF_DOMAIN, "out_of_domain")
        one_of(self.es, ES_DEFINITIONS, "es")
        if self.corrected and self.es != "exact":
            raise InputError(f"es={self.es!r} takes the moments as parameters; give corrected=False with it")

    @property
    def title(self) -> str:
        """What it is called in print."""
        return "Cornish-Fisher" + (" (Maillard)" if self.corrected else ", moments as parameters")

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate each column of (n_obs, n_series)."""
        return self._fit(sample_moments(table, tails=True), confidences, "returns in column")

    def roll(self, table: np.ndarray, window: int, confidences: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
        """VaR and ES (n_confidences, n_windows, n_series) of every window."""
        fit = self._fit(rolling_moments(table, window, tails=True), confidences, "returns in the window")
        return fit.var, fit.es

    def _fit(self, moments: Moments, confidences: tuple[float, ...], where: str) -> Fit:
        flat = moments.second <= 0.0
        if flat.any():
            raise InputError(f"{where} {int(np.argwhere(flat)[0][0])} are constant; they have no skewness or kurtosis")
        sigma, mean = moments.volatility(self.mean, self.ddof), moments.location(self.mean)
        given = (sigma, moments.skewness, moments.excess_kurtosis, mean)
        law, var, es = self.closed(*given, confidences)
        names = ("volatility", "skewness", "excess_kurtosis", "mean", "skewness_parameter", "kurtosis_parameter")
        values = (*given, law.skewness, law.kurtosis)
        return Fit(var, es, dict(zip(names, values, strict=True)))

    def closed(
        self,
        sigma: np.ndarray,
        skewness: np.ndarray,
        kurtosis: np.ndarray,
        mean: np.ndarray,
        confidences: tuple[float, ...],
    ) -> tuple[CornishFisherLaw, np.ndarray, np.ndarray]:
        """The law at the horizon, and VaR and ES of given moments per period: (n_confidences, ...)."""
        h = self.horizon
        law = cornish_fisher_law(
            skewness / math.sqrt(h), kurtosis / h, corrected=self.corrected, out_of_domain=self.out_of_domain
        )
        factors = [(-law.quantile(-elliptical_factor("var", c)), self._tail(law, c)) for c in confidences]
        var, es = (np.array(each) * sigma * math.sqrt(h) - mean * h for each in zip(*factors, strict=True))
        return law, var, np.maximum(es, var) if self.es == "operational" else es

    def _tail(self, law: CornishFisherLaw, confidence: float) -> np.ndarray:
        p, y = tail_mass(confidence), -elliptical_factor("var", confidence)
        return law.tail_mean(y, p) if self.es == "exact" else edgeworth_tail(law, y, p)


def edgeworth_tail(law: CornishFisherLaw, y: float, p: float) -> np.ndarray:
    """Minus the mean of the second-order Edgeworth density below the Cornish-Fisher quantile (Boudt et al.)."""
    from scipy.special import ndtr

    s, k, w = law.skewness, law.kurtosis, law.quantile(y)
    density, below = np.exp(-0.5 * w**2) / math.sqrt(2.0 * math.pi), ndtr(w)
    i1, i2 = w * density - below, w**2 * density + 2.0 * density
    i3, i4 = w**3 * density + 3.0 * i1, w**4 * density + 4.0 * i2
    i6 = w**6 * density + 6.0 * i4
    return (
        density
        + k / 24.0 * (i4 - 6.0 * i2 + 3.0 * density)
        + s / 6.0 * (i3 - 3.0 * i1)
        + s**2 / 72.0 * (i6 - 15.0 * i4 + 45.0 * i2 - 15.0 * density)
    ) / p


def _closed(
    measure: str,
    volatility: Any,
    skewness: Any,
    kurtosis: Any,
    confidence: Any,
    mean: Any,
    horizon: Any,
    value: Any,
    corrected: bool,
    out_of_domain: str,
    definition: str,
) -> Any:
    method = CornishFisher(corrected, out_of_domain, definition, horizon=horizon)
    confidences, money = read_confidences(confidence), positive(value, "value")
    names = ("volatility", "skewness", "excess_kurtosis", "mean")
    given = [finite_array(x, name) for x, name in zip((volatility, skewness, kurtosis, mean), names, strict=True)]
    shape = np.broadcast_shapes(*(x.shape for x in given)) if len({x.shape for x in given} - {()}) < 2 else (0, 0)
    if len(shape) > 1 or (given[0] < 0.0).any():
        shapes = ", ".join(f"{name} {x.shape}" for name, x in zip(names, given, strict=True))
        raise InputError(f"{shapes}: give one number of each, or one a portfolio; volatility is at least zero")
    sigma, s, k, m = (np.atleast_1d(np.broadcast_to(x, shape)) for x in given)
    if (k < s**2 - 2.0).any():
        raise InputError("skewness and excess_kurtosis belong to no law; the kurtosis is at least skewness² - 2")
    _, var, es = method.closed(sigma, s, k, m, confidences.levels)
    risk = money * (var if measure == "var" else es)
    portfolios = labels_of(volatility, 0)
    return Sample(risk, shape == (), portfolios, portfolios, None).per_confidence(risk, confidences)
