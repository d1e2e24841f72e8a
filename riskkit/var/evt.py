"""VaR and ES by extreme value theory: losses over a high threshold follow a generalised Pareto law."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, positive, whole_number
from riskkit._jit import kernel
from riskkit.var.estimate import Fit, RiskEstimate, estimate, percent
from riskkit.var.sample import read_confidences
from riskkit.var.tail import tail_mass, tail_size

__all__ = ["GpdFit", "PeaksOverThreshold", "evt_risk", "fit_gpd", "gpd_es", "gpd_var"]

FEWEST = 5
"""Excesses below which nothing is fitted; a sensible number is a hundred."""


def evt_risk(
    returns: Any, confidence: Any = 0.99, *, tail_fraction: float = 0.1, threshold: Any = None
) -> RiskEstimate:
    """VaR and ES by peaks over threshold.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L. Clustered losses are fitted as if independent: the estimate stands, its
        error is larger than it looks.
    confidence : float or sequence of float
        0.99 for 99 %, with less tail mass than there is over the threshold.
    tail_fraction : float
        Share of the observations over the threshold: the int(n × tail_fraction) worst losses, over the next one. At a
        confidence between the ranks of the two, VaR is the threshold: 0.9 is served by a tenth of any n.
    threshold : float or (n_portfolios,), optional
        The threshold itself as a loss, instead of `tail_fraction`; losses strictly over it are fitted.

    Returns
    -------
    RiskEstimate
        Losses positive, in the unit of `returns`. `parameters`: threshold, scale, shape, n_excesses. With a shape of
        1 or more ES is infinite.

    Raises
    ------
    InputError
        NaN, infinity, fewer than five losses over the threshold, all of the same size, or a confidence within the body
        of the sample.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 5.2. McNeil and Frey (2000),
    Estimation of tail-related risk measures for heteroscedastic financial time series, J. Empirical Finance 7,
    271-300.

    Examples
    --------
    >>> returns = [-(0.01 * (100 / i) ** 0.3) for i in range(1, 101)]
    >>> risk = evt_risk(returns, 0.99, tail_fraction=0.2)
    >>> round(risk.parameters["shape"], 3), round(risk.var, 4), round(risk.es, 4)
    (0.034, 0.0336, 0.04)
    """
    return estimate(PeaksOverThreshold(tail_fraction, threshold), returns, confidence)


class GpdFit(NamedTuple):
    """A generalised Pareto law fitted to excesses, with asymptotic standard errors.

    Attributes
    ----------
    shape : float
        Ξ: above zero a power tail with exponent 1/ξ, zero exponential, below zero a finite end.
    scale : float
        Β, in the unit of the excesses, above zero.
    shape_standard_error : float
        NaN where ξ is not above -1/2, where the likelihood is not regular.
    scale_standard_error : float
        Asymptotic; NaN as that of the shape.
    log_likelihood : float
        Of the excesses.

    Examples
    --------
    >>> from riskkit import fit_gpd
    >>> fit = fit_gpd([0.01, 0.02, 0.015, 0.05, 0.03, 0.004, 0.09, 0.012, 0.007, 0.022, 0.001, 0.035])
    >>> round(fit.shape, 3), round(fit.scale, 4)
    (-0.042, 0.0257)
    """

    shape: float
    scale: float
    shape_standard_error: float
    scale_standard_error: float
    log_likelihood: float


def fit_gpd(excesses: Any) -> GpdFit:
    """Fit a generalised Pareto law to losses less their threshold, by maximum likelihood.

    Parameters
    ----------
    excesses : (n,)
        Above zero, at least five of them, not all equal.

    Returns
    -------
    GpdFit
        Shape, scale (in the unit of the excesses), their standard errors, the log-likelihood. The shape is searched
        above -1, below which the likelihood has no maximum.

    Raises
    ------
    InputError
        NaN, infinity, values not above zero, fewer than five, or all equal.

    References
    ----------
    Grimshaw (1993), Computing maximum likelihood estimates for the generalized Pareto distribution, Technometrics 35,
    185-191 (profile in shape/scale). Smith (1987), Estimating tails of probability distributions, Annals of
    Statistics 15, 1174-1207, section 3 (standard errors).

    Examples
    --------
    >>> fit = fit_gpd([0.1, 0.3, 0.2, 0.8, 2.5, 0.4, 0.7, 1.2])
    >>> round(fit.shape, 4), round(fit.scale, 4)
    (-0.0798, 0.8376)
    """
    values = finite_array(excesses, "excesses", ndim=1)
    if len(values) < FEWEST or (values <= 0.0).any() or np.ptp(values) == 0.0:
        raise InputError(f"excesses needs at least {FEWEST} numbers above zero that are not all equal")
    shape, scale = _fit(values)
    n = len(values)
    shape_error = scale_error = math.nan
    if shape > -0.5:
        shape_error, scale_error = (1.0 + shape) / math.sqrt(n), scale * math.sqrt(2.0 * (1.0 + shape) / n)
    return GpdFit(shape, scale, shape_error, scale_error, -n * (math.log(scale) + 1.0 + shape))


def gpd_var(threshold: float, scale: float, shape: float, n_obs: int, n_excesses: int, confidence: Any = 0.99) -> Any:
    """VaR of a generalised Pareto tail: u + β/ξ (((n/k) p)^-ξ - 1).

    Parameters
    ----------
    threshold, scale, shape : float
        u, β and ξ; the first two in the unit of losses.
    n_obs, n_excesses : int
        Observations n, and k of them over the threshold.
    confidence : float or sequence of float
        With at most k/n of tail mass.

    Returns
    -------
    float or (n_confidences,)
        Loss.

    Raises
    ------
    InputError
        A scale not above zero, k above n, or a confidence within the body of the sample.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 5.2.

    Examples
    --------
    >>> round(gpd_var(0.02, 0.01, 0.3, 1000, 100, 0.99), 6)
    0.053175
    """
    return _closed(threshold, scale, shape, n_obs, n_excesses, confidence)[0]


def gpd_es(threshold: float, scale: float, shape: float, n_obs: int, n_excesses: int, confidence: Any = 0.99) -> Any:
    """ES of a generalised Pareto tail: VaR/(1-ξ) + (β - ξ u)/(1-ξ), infinite from ξ = 1; arguments of `gpd_var`.

    Parameters
    ----------
    threshold, scale, shape, n_obs, n_excesses, confidence
        As in `gpd_var`.

    Returns
    -------
    float or (n_confidences,)
        Mean loss beyond VaR, positive, in the unit of `threshold`.

    Raises
    ------
    InputError
        As in `gpd_var`.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 5.2.

    Examples
    --------
    >>> round(gpd_es(0.02, 0.01, 0.3, 1000, 100, 0.99), 6)
    0.081679
    """
    return _closed(threshold, scale, shape, n_obs, n_excesses, confidence)[1]


@dataclass(frozen=True)
class PeaksOverThreshold:
    """The method with its options."""

    tail_fraction: float = 0.1
    threshold: Any = None

    title = "peaks over threshold (EVT)"
    horizon = 1.0
    ordered = False

    def __post_init__(self) -> None:
        if not finite_number(self.tail_fraction, "tail_fraction") < 1.0:
            raise InputError(f"tail_fraction={self.tail_fraction!r} is not between 0 and 1; 0.1 is a tenth")
        positive(self.tail_fraction, "tail_fraction")

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate each column of (n_obs, n_series)."""
        n_obs, n_series = table.shape
        thresholds = self._thresholds(table)
        parameters = np.empty((4, n_series))
        risks = np.empty((2, len(confidences), n_series))
        for j, threshold in enumerate(thresholds.tolist()):
            losses = -table[:, j]
            excesses = losses[losses > threshold] - threshold
            if len(excesses) < FEWEST or np.ptp(excesses) == 0.0:
                raise InputError(
                    f"column {j} of returns has {len(excesses)} losses over the threshold {threshold:.4g}; at least "
                    f"{FEWEST} that differ are needed: give a larger tail_fraction or a lower threshold"
                )
            shape, scale = _fit(excesses)
            parameters[:, j] = threshold, scale, shape, len(excesses)
            reaching = int((losses >= threshold).sum())
            risks[:, :, j] = tail_risk(threshold, scale, shape, n_obs, len(excesses), confidences, reaching)
        names = ("threshold", "scale", "shape", "n_excesses")
        return Fit(risks[0], risks[1], dict(zip(names, parameters, strict=True)))

    def _thresholds(self, table: np.ndarray) -> np.ndarray:
        n_obs, n_series = table.shape
        if self.threshold is not None:
            given = finite_array(self.threshold, "threshold")
            if given.shape not in ((), (n_series,)):
                raise InputError(f"threshold has shape {given.shape}; give one number or one a portfolio")
            return np.broadcast_to(given, (n_series,))
        count = int(tail_size(n_obs, 1.0 - self.tail_fraction))
        if count + 1 > n_obs:
            raise InputError(f"returns has {n_obs} observations; there is none to be the threshold")
        return -np.partition(table, count, axis=0)[count]


def tail_risk(
    threshold: float,
    scale: float,
    shape: float,
    n_obs: int,
    n_excesses: int,
    confidences: tuple[float, ...],
    n_reaching: int = 0,
) -> tuple[list[float], list[float]]:
    """VaR and ES at each confidence, which may lie among the `n_reaching` losses at the threshold or over it."""
    var, es = [], []
    for confidence in confidences:
        size, most = tail_mass(confidence) * n_obs, max(n_excesses, n_reaching)
        if size > most * (1.0 + 1e-12):
            lowest = math.ceil(round(1e4 * (1.0 - most / n_obs), 6)) / 1e4
            raise InputError(
                f"confidence={confidence:g} lies within the body of the sample: only {n_excesses} of {n_obs} losses "
                f"are over the threshold, which serves from {percent(lowest)} on"
            )
        grown = math.log(min(size / n_excesses, 1.0))
        beyond = scale * (-grown if shape == 0.0 else math.expm1(-shape * grown) / shape)
        var.append(threshold + beyond)
        es.append(threshold + (beyond + scale) / (1.0 - shape) if shape < 1.0 else math.inf)
    return var, es


def _closed(threshold: Any, scale: Any, shape: Any, n_obs: Any, n_excesses: Any, confidence: Any) -> tuple[Any, Any]:
    n, k = whole_number(n_obs, "n_obs"), whole_number(n_excesses, "n_excesses")
    if k > n:
        raise InputError(f"n_excesses={k} is more than n_obs={n}")
    confidences = read_confidences(confidence)
    law = finite_number(threshold, "threshold"), positive(scale, "scale"), finite_number(shape, "shape")
    both = tail_risk(*law, n, k, confidences.levels)
    var, es = (values[0] if confidences.single else np.array(values) for values in both)
    return var, es


def _fit(excesses: np.ndarray) -> tuple[float, float]:
    largest = excesses.max()
    shape, scale = fit_profile(excesses / largest)
    return float(shape), float(scale * largest)


@kernel
def fit_profile(y):
    """Shape and scale of excesses with a maximum of 1: the profile likelihood over v, where 1 + shape/scale = e^v.

    A grid finds the hill, halving the interval around its best point finds where the slope is zero on it.
    """
    best, top, width = 0.0, -np.inf, 0.25
    for i in range(-24, 81):
        height = profile(y, width * i)
        if height > top:
            best, top = width * i, height
    low, high = best - width, best + width
    for _ in range(52):
        best = 0.5 * (low + high)
        if profile_slope(y, best) > 0.0:
            low = best
        else:
            high = best
    shape = shape_of(y, best)
    return shape, shape / math.expm1(best) if best != 0.0 else y.mean()


@kernel
def profile(y, v):
    """Mean log-likelihood at the best scale for shape/scale = e^v - 1; nothing where the shape is below -1."""
    if v == 0.0:
        return -math.log(y.mean()) - 1.0
    shape = shape_of(y, v)
    return -math.log(shape / math.expm1(v)) - shape - 1.0 if shape > -1.0 else -np.inf


@kernel
def shape_of(y, v):
    ratio, total = math.expm1(v), 0.0
    for i in range(y.size):
        total += math.log1p(ratio * y[i])
    return total / y.size


@kernel
def profile_slope(y, v):
    """Derivative of the profile in v; rising where the shape is below -1, so that the search turns back."""
    shape = shape_of(y, v)
    if shape <= -1.0:
        return 1.0
    ratio, total = math.expm1(v), 0.0
    for i in range(y.size):
        total += y[i] / (1.0 + ratio * y[i])
    in_shape = (ratio + 1.0) * total / y.size
    if v == 0.0:  # the limit of the two terms that cancel
        return 0.5 * (y * y).mean() / y.mean() - y.mean()
    return (ratio + 1.0) / ratio - in_shape / shape - in_shape
