"""Confidence of the shape, VaR and ES of a generalized Pareto tail by profile likelihood: longer towards the larger losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import numpy as np

from riskkit._check import InputError, finite_number, one_of, probability
from riskkit._docs import with_described_fields
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import ReturnsLike
from riskkit.var.parametric.generalized_pareto import fit_excesses, tail_risk
from riskkit.var.tails.diagnostics import excesses_over, losses_of

TailQuantity = Literal["var", "es", "shape"]


@with_described_fields
class TailInterval(NamedTuple):
    """Estimate from a generalized Pareto tail, and its interval.

    Attributes
    ----------
    estimate : float
        Maximum likelihood estimate: a loss, or the shape.
    low : float
        Lower end of the interval.
    high : float
        Upper end; infinite, or 1 for the shape behind an ES, where the likelihood never falls far enough.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.var.tails import tail_interval
    >>> interval = tail_interval(0.01 * np.random.default_rng(1).standard_t(4, 1000), threshold=0.02)
    >>> interval.low < interval.estimate < interval.high
    True
    """

    estimate: float
    low: float
    high: float


def tail_interval(
    returns: ReturnsLike,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    threshold: float,
    quantity: TailQuantity = "es",
    coverage: float = 0.95,
) -> TailInterval:
    """Interval of VaR, ES or shape of the generalized Pareto tail over a threshold, by profile likelihood.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period, or P&L, taken as independent.
    confidence : float
        Of VaR and ES, 0.99 for 99 %, with a tail probability of at most the share of the losses over the threshold.
    threshold : float
        Threshold as a loss; losses strictly over it are fitted. See `threshold_stability`.
    quantity : {"var", "es", "shape"}
        What the interval is of.
    coverage : float
        Probability that the interval encloses the true number, for large samples.

    Returns
    -------
    TailInterval
        Losses positive, in the unit of `returns`. The share of the losses over the threshold counts as known.

    Raises
    ------
    InputError
        NaN, infinity, fewer than five losses over the threshold, a shape of 1 or more with "es", or a confidence within the
        body of the sample.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 5.2.5. Coles (2001), An Introduction to
    Statistical Modeling of Extreme Values, section 2.6.6.

    Examples
    --------
    >>> import numpy as np
    >>> returns = 0.01 * np.random.default_rng(1).standard_t(4, 1000)
    >>> [round(end, 4) for end in tail_interval(returns, threshold=0.02)]
    [0.0555, 0.0435, 0.1418]
    """
    from scipy.special import chdtri

    one_of(quantity, get_args(TailQuantity), "quantity")
    fall = 0.5 * float(chdtri(1.0, 1.0 - probability(coverage, "coverage")))
    losses, limit = losses_of(returns), finite_number(threshold, "threshold")
    excesses = excesses_over(losses, limit)
    unit = float(excesses.mean())
    excesses = excesses / unit
    shape, scale = fit_excesses(excesses)
    enough = _log_likelihood(excesses, shape, scale) - fall
    if quantity == "shape":
        profile = _profile_of_shape(excesses)
        return TailInterval(shape, _end(profile, enough, shape, -1.0), _end(profile, enough, shape, np.inf))
    var, es = tail_risk(0.0, (confidence,), scale=scale, shape=shape, n_obs=len(losses), n_excesses=len(excesses))
    estimate = var[0] if quantity == "var" else es[0]
    if estimate == np.inf:
        raise InputError(f"the shape of the tail is {shape:.3g}; from 1 on there is no expected shortfall")
    profile = _profile_of_risk(excesses, tail_probability(confidence) * len(losses) / len(excesses), quantity)
    found = estimate, _end(profile, enough, estimate, 0.0), _end(profile, enough, estimate, np.inf)
    return TailInterval(*(limit + unit * value for value in found))


def _profile_of_shape(excesses: np.ndarray) -> Callable[[float], float]:
    """Log-likelihood of a shape at the best scale."""
    scales = np.linspace(-4.0, 4.0, 41)
    return lambda shape: _highest(lambda log_scale: _log_likelihood(excesses, shape, np.exp(log_scale)), scales)


def _profile_of_risk(excesses: np.ndarray, share: float, quantity: str) -> Callable[[float], float]:
    """Log-likelihood of a VaR or ES over the threshold at the best shape; `share` of the excesses are beyond VaR."""

    def scales(shape: float) -> float:
        """VaR or ES over the threshold of a tail with a scale of 1."""
        beyond = -np.log(share) if shape == 0.0 else np.expm1(-shape * np.log(share)) / shape
        return float(beyond if quantity == "var" else (beyond + 1.0) / (1.0 - shape))

    shapes = np.linspace(-0.98, 3.0 if quantity == "var" else 0.99, 80)
    return lambda risk: _highest(lambda shape: _log_likelihood(excesses, shape, risk / scales(shape)), shapes)


def _log_likelihood(excesses: np.ndarray, shape: float, scale: float) -> float:
    """Of a generalized Pareto distribution; minus infinity where an excess lies beyond its end."""
    inside = 1.0 + shape / scale * excesses
    if inside.min() <= 0.0:
        return -np.inf
    power = excesses.sum() / scale if abs(shape) < 1e-9 else (1.0 + 1.0 / shape) * np.log(inside).sum()
    return float(-len(excesses) * np.log(scale) - power)


def _highest(function: Callable[[float], float], points: np.ndarray) -> float:
    """Largest value of a function with one maximum near the best of these points."""
    from scipy.optimize import minimize_scalar

    best = int(np.argmax([function(point) for point in points]))
    around = points[max(best - 1, 0)], points[min(best + 1, len(points) - 1)]
    found = minimize_scalar(
        lambda x: min(-function(x), 1e300), bounds=around, method="bounded", options={"xatol": 1e-10}
    )
    return max(-float(found.fun), function(points[best]))


def _end(profile: Callable[[float], float], enough: float, estimate: float, limit: float) -> float:
    """Where the profile has fallen to `enough` on the way from the estimate to the limit; the limit if it never does."""
    from scipy.optimize import brentq

    inner, step = estimate, 0.05 * (1.0 + abs(estimate))
    for _ in range(60):
        outer = inner + step if limit > estimate else 0.5 * (inner + limit)
        if profile(outer) < enough:
            return float(brentq(lambda value: profile(value) - enough, inner, outer, xtol=1e-10))
        inner, step = outer, 1.5 * step
    return limit
