"""Cornish-Fisher VaR and ES from mean, volatility, skewness and excess kurtosis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, one_of, positive
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import Confidence, Quantity
from riskkit.var._inputs import Sample, read_confidences
from riskkit.var.parametric.cornish_fisher_distribution import (
    CornishFisherDistribution,
    OutOfDomain,
    fit_cornish_fisher,
    unchecked_distribution,
)
from riskkit.var.parametric.elliptical import quantile_multiplier

EsDefinition = Literal["exact", "boudt", "operational"]


def cornish_fisher_var(
    volatility: Any,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    skewness: Any,
    excess_kurtosis: Any,
    mean: Any = 0.0,
    horizon: float = 1.0,
    value: float = 1.0,
    corrected: bool = True,
    out_of_domain: OutOfDomain = "refuse",
) -> Quantity:
    """Cornish-Fisher VaR of given moments per period: value × (-w(y_p) × volatility × √h - mean × h).

    Parameters
    ----------
    volatility, skewness, excess_kurtosis, mean : float or (n_portfolios,)
        Per period; over a horizon, those of a sum of independent returns.
    confidence, corrected, out_of_domain
        As in `cornish_fisher`.
    horizon, value : float
        Periods, and money of the position.

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
    >>> round(cornish_fisher_var(0.02, 0.99, skewness=-0.5, excess_kurtosis=1.0), 6)
    0.055234
    >>> round(cornish_fisher_var(0.02, 0.99, skewness=-0.5, excess_kurtosis=1.0, corrected=False), 6)
    0.056674
    """
    form = CornishFisherForm(corrected=corrected, out_of_domain=out_of_domain, horizon=horizon)
    moments = {"volatility": volatility, "skewness": skewness, "excess_kurtosis": excess_kurtosis, "mean": mean}
    return _given_moments(moments, confidence, value, form)[0]


def cornish_fisher_es(
    volatility: Any,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    skewness: Any,
    excess_kurtosis: Any,
    definition: EsDefinition = "exact",
    mean: Any = 0.0,
    horizon: float = 1.0,
    value: float = 1.0,
    corrected: bool = True,
    out_of_domain: OutOfDomain = "refuse",
) -> Quantity:
    """Cornish-Fisher ES of given moments per period.

    Parameters
    ----------
    volatility, confidence, skewness, excess_kurtosis, mean, horizon, value, corrected, out_of_domain
        As in `cornish_fisher_var`.
    definition : {"exact", "boudt", "operational"}
        As `es` in `cornish_fisher`.

    Returns
    -------
    float or array
        Mean loss beyond VaR, positive.

    Raises
    ------
    InputError
        As in `cornish_fisher_var`, or a definition that needs corrected=False.

    References
    ----------
    Maillard (2012), as above; Boudt, Peterson and Croux (2008), J. Risk 11(2), 79-103.

    Examples
    --------
    >>> moments = {"skewness": -0.5, "excess_kurtosis": 1.0}
    >>> round(cornish_fisher_es(0.02, 0.99, **moments), 6)
    0.067405
    >>> round(cornish_fisher_es(0.02, 0.99, **moments, definition="boudt", corrected=False), 6)
    0.070778
    """
    form = CornishFisherForm(corrected=corrected, out_of_domain=out_of_domain, es=definition, horizon=horizon)
    moments = {"volatility": volatility, "skewness": skewness, "excess_kurtosis": excess_kurtosis, "mean": mean}
    return _given_moments(moments, confidence, value, form)[1]


@dataclass(frozen=True, kw_only=True)
class CornishFisherForm:
    """Options of the closed form; see `cornish_fisher`."""

    corrected: bool = True
    out_of_domain: OutOfDomain = "refuse"
    es: EsDefinition = "exact"
    horizon: float = 1.0

    def __post_init__(self) -> None:
        positive(self.horizon, "horizon")
        one_of(self.out_of_domain, get_args(OutOfDomain), "out_of_domain")
        one_of(self.es, get_args(EsDefinition), "es")
        if self.corrected and self.es != "exact":
            raise InputError(f"es={self.es!r} takes the moments as parameters; give corrected=False with it")

    def risk(
        self,
        confidences: tuple[float, ...],
        *,
        volatility: np.ndarray,
        skewness: np.ndarray,
        excess_kurtosis: np.ndarray,
        mean: np.ndarray,
        refuse: bool = True,
    ) -> tuple[CornishFisherDistribution, np.ndarray, np.ndarray]:
        """Distribution at the horizon, VaR and ES (n_confidences, ...) of given moments per period.

        Moments outside the domain are refused, or have NaN with ``refuse=False``.
        """
        h = self.horizon
        farthest = max(confidences, key=lambda level: abs(level - 0.5))
        shape = (skewness / math.sqrt(h), excess_kurtosis / h)
        if refuse:
            distribution = fit_cornish_fisher(
                *shape, corrected=self.corrected, out_of_domain=self.out_of_domain, confidence=farthest
            )
        else:
            distribution, computable = unchecked_distribution(*shape, self.corrected, farthest)
            usable = computable if self.out_of_domain == "allow" else distribution.in_domain
            distribution = distribution._replace(deviation=np.where(usable, distribution.deviation, np.nan))
        factors = [(-distribution.quantile(-quantile_multiplier(c)), self._tail(distribution, c)) for c in confidences]
        var, es = (np.array(each) * volatility * math.sqrt(h) - mean * h for each in zip(*factors, strict=True))
        return distribution, var, np.maximum(es, var) if self.es == "operational" else es

    def _tail(self, distribution: CornishFisherDistribution, confidence: float) -> np.ndarray:
        p, y = tail_probability(confidence), -quantile_multiplier(confidence)
        return distribution.tail_mean(y, p) if self.es == "exact" else _edgeworth_tail(distribution, y, p)


def _edgeworth_tail(distribution: CornishFisherDistribution, y: float, p: float) -> np.ndarray:
    """ES of the second-order Edgeworth density below the Cornish-Fisher quantile (Boudt et al. 2008)."""
    from scipy.special import ndtr

    s, k, w = distribution.skewness, distribution.kurtosis, distribution.quantile(y)
    density, below = np.exp(-0.5 * w**2) / math.sqrt(2.0 * math.pi), ndtr(w)
    i1, i2 = w * density - below, w**2 * density + 2.0 * density
    i3, i4 = w**3 * density + 3.0 * i1, w**4 * density + 4.0 * i2
    i6 = w**6 * density + 6.0 * i4
    tail: np.ndarray = (
        density
        + k / 24.0 * (i4 - 6.0 * i2 + 3.0 * density)
        + s / 6.0 * (i3 - 3.0 * i1)
        + s**2 / 72.0 * (i6 - 15.0 * i4 + 45.0 * i2 - 15.0 * density)
    ) / p
    return tail


def _given_moments(
    moments: dict[str, Any], confidence: Confidence, value: float, form: CornishFisherForm
) -> tuple[Quantity, Quantity]:
    confidences, money = read_confidences(confidence), positive(value, "value")
    arrays = {name: finite_array(number, name) for name, number in moments.items()}
    shapes = {array.shape for array in arrays.values()} - {()}
    if len(shapes) > 1 or any(len(shape) > 1 for shape in shapes) or (arrays["volatility"] < 0.0).any():
        found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise InputError(f"{found}: give one number of each, or one per portfolio; volatility is at least zero")
    shape = next(iter(shapes), ())
    arrays = {name: np.atleast_1d(np.broadcast_to(array, shape)) for name, array in arrays.items()}
    if (arrays["excess_kurtosis"] < arrays["skewness"] ** 2 - 2.0).any():
        raise InputError("excess_kurtosis is below skewness² - 2, which no distribution has")
    _, var, es = form.risk(
        confidences.levels,
        volatility=arrays["volatility"],
        skewness=arrays["skewness"],
        excess_kurtosis=arrays["excess_kurtosis"],
        mean=arrays["mean"],
    )
    labels = Sample.of_portfolios(labels_of(moments["volatility"], 0), single=shape == ())
    return labels.per_confidence(money * var, confidences), labels.per_confidence(money * es, confidences)
