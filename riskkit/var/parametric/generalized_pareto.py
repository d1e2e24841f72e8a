"""Generalized Pareto distribution: fit to excesses over a threshold, and VaR and ES of such a tail."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, constant, finite_array, finite_number, positive, whole_number
from riskkit._docs import with_described_fields
from riskkit._jit import kernel
from riskkit._show import percent
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import Confidence
from riskkit.var._inputs import read_confidences

MIN_EXCESSES = 5
"""Smallest number of excesses that is fitted; a hundred is sensible."""


@with_described_fields
class GpdFit(NamedTuple):
    """Generalized Pareto distribution fitted to excesses, with asymptotic standard errors.

    Attributes
    ----------
    shape : float
        Shape parameter ξ: above zero a power tail with exponent 1/ξ, zero exponential, below zero a finite end.
    scale : float
        Scale parameter β in the unit of the excesses, above zero.
    shape_standard_error : float
        Asymptotic; NaN for ξ of -1/2 or less, where the likelihood is not regular.
    scale_standard_error : float
        Asymptotic; NaN as for the shape.
    log_likelihood : float
        Of the excesses.

    Examples
    --------
    >>> from riskkit.var.parametric import fit_gpd
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
    """Fit a generalized Pareto distribution to losses less their threshold, by maximum likelihood.

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
    if len(values) < MIN_EXCESSES or (values <= 0.0).any() or constant(values):
        raise InputError(f"excesses needs at least {MIN_EXCESSES} numbers above zero that are not all equal")
    shape, scale = fit_excesses(values)
    n = len(values)
    shape_error = scale_error = math.nan
    if shape > -0.5:
        shape_error, scale_error = (1.0 + shape) / math.sqrt(n), scale * math.sqrt(2.0 * (1.0 + shape) / n)
    return GpdFit(shape, scale, shape_error, scale_error, -n * (math.log(scale) + 1.0 + shape))


def gpd_var(
    threshold: float,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    scale: float,
    shape: float,
    n_obs: int,
    n_excesses: int,
) -> float | np.ndarray:
    """VaR of a generalized Pareto tail: u + β/ξ (((n/k) p)^-ξ - 1).

    Parameters
    ----------
    threshold : float
        Threshold u as a loss.
    confidence : float or sequence of float
        With a tail probability of at most k/n.
    scale, shape : float
        Parameters β, in the unit of losses, and ξ.
    n_obs, n_excesses : int
        Observations n, and k of them over the threshold.

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
    >>> round(gpd_var(0.02, 0.99, scale=0.01, shape=0.3, n_obs=1000, n_excesses=100), 6)
    0.053175
    """
    return _var_and_es(threshold, confidence, scale=scale, shape=shape, n_obs=n_obs, n_excesses=n_excesses)[0]


def gpd_es(
    threshold: float,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    scale: float,
    shape: float,
    n_obs: int,
    n_excesses: int,
) -> float | np.ndarray:
    """ES of a generalized Pareto tail: VaR/(1-ξ) + (β - ξ u)/(1-ξ), infinite for ξ >= 1.

    Parameters
    ----------
    threshold, confidence, scale, shape, n_obs, n_excesses
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
    >>> round(gpd_es(0.02, 0.99, scale=0.01, shape=0.3, n_obs=1000, n_excesses=100), 6)
    0.081679
    """
    return _var_and_es(threshold, confidence, scale=scale, shape=shape, n_obs=n_obs, n_excesses=n_excesses)[1]


def tail_risk(
    threshold: float,
    confidences: tuple[float, ...],
    *,
    scale: float,
    shape: float,
    n_obs: int,
    n_excesses: int,
    n_at_or_over: int = 0,
) -> tuple[list[float], list[float]]:
    """VaR and ES at each confidence, whose rank may be among the `n_at_or_over` losses at or over the threshold."""
    var, es = [], []
    for confidence in confidences:
        size, limit = tail_probability(confidence) * n_obs, max(n_excesses, n_at_or_over)
        if size > limit * (1.0 + 1e-12):
            lowest = math.ceil(round(1e4 * (1.0 - limit / n_obs), 6)) / 1e4
            raise InputError(
                f"confidence={confidence:g} lies within the body of the sample: only {n_excesses} of {n_obs} losses "
                f"are over the threshold, which allows {percent(lowest)} or more"
            )
        grown = math.log(min(size / n_excesses, 1.0))
        beyond = scale * (-grown if shape == 0.0 else math.expm1(-shape * grown) / shape)
        var.append(threshold + beyond)
        es.append(threshold + (beyond + scale) / (1.0 - shape) if shape < 1.0 else math.inf)
    return var, es


def _var_and_es(
    threshold: Any, confidence: Confidence, *, scale: Any, shape: Any, n_obs: Any, n_excesses: Any
) -> tuple[float | np.ndarray, float | np.ndarray]:
    n, k = whole_number(n_obs, "n_obs"), whole_number(n_excesses, "n_excesses")
    if k > n:
        raise InputError(f"n_excesses={k} is more than n_obs={n}")
    confidences = read_confidences(confidence)
    var, es = tail_risk(
        finite_number(threshold, "threshold"),
        confidences.levels,
        scale=positive(scale, "scale"),
        shape=finite_number(shape, "shape"),
        n_obs=n,
        n_excesses=k,
    )
    return (var[0], es[0]) if confidences.single else (np.array(var), np.array(es))


def fit_excesses(excesses: np.ndarray) -> tuple[float, float]:
    """Shape and scale of validated excesses."""
    largest = excesses.max()
    shape, scale = fit_profile(excesses / largest)
    return float(shape), float(scale * largest)


@kernel
def fit_profile(y: np.ndarray) -> tuple[float, float]:
    """Shape and scale of excesses with a maximum of 1: the profile likelihood over v, where 1 + shape/scale = e^v.

    A grid brackets the maximum, and bisection around its best point solves for a zero slope.
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
def profile(y: np.ndarray, v: float) -> float:
    """Mean log-likelihood at the best scale for shape/scale = e^v - 1; minus infinity for a shape below -1."""
    if v == 0.0:
        return -math.log(y.mean()) - 1.0
    shape = shape_of(y, v)
    return -math.log(shape / math.expm1(v)) - shape - 1.0 if shape > -1.0 else -np.inf


@kernel
def shape_of(y: np.ndarray, v: float) -> float:
    """Best shape for shape/scale = e^v - 1."""
    ratio, total = math.expm1(v), 0.0
    for i in range(y.size):
        total += math.log1p(ratio * y[i])
    return total / y.size


@kernel
def profile_slope(y: np.ndarray, v: float) -> float:
    """Derivative of the profile in v; positive for a shape below -1, so that the search turns back."""
    shape = shape_of(y, v)
    if shape <= -1.0:
        return 1.0
    ratio, total = math.expm1(v), 0.0
    for i in range(y.size):
        total += y[i] / (1.0 + ratio * y[i])
    in_shape = (ratio + 1.0) * total / y.size
    if v == 0.0:  # of two terms that cancel
        limit: float = 0.5 * (y * y).mean() / y.mean() - y.mean()
        return limit
    slope: float = (ratio + 1.0) / ratio - in_shape / shape - in_shape
    return slope
