"""Default risk charge: standardised by rating, and by simulation of correlated defaults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import (
    InputError,
    confidence_level,
    finite_array,
    finite_number,
    positive,
    random_generator,
    refuse_size,
    shown,
    whole_number,
)
from riskkit._docs import with_described_fields
from riskkit.frtb import tables
from riskkit.frtb.docs import documented
from riskkit.var import RiskEstimate, historical

CONFIDENCE = 0.999
"""Confidence of the default risk charge, over one year (MAR33.20)."""
BLOCK = 1_000_000
"""Defaults that are drawn at a time."""
TINY = 1e-24
"""Own variance of an issuer that the factors determine, so that its probability is 0 or 1."""
NODES = 4_001
"""Values of the factor in a quadrature."""
SMALLEST_LOG = -745.0
"""Probabilities whose logarithm is below are zero."""


@with_described_fields
class DefaultBucket(NamedTuple):
    """Default risk charge of a bucket.

    Attributes
    ----------
    hedge_benefit : float
        Share of the long amounts in all: what a short amount counts.
    charge : float
        Money, at least zero.

    Examples
    --------
    >>> from riskkit.frtb import default_bucket
    >>> default_bucket([("BBB", 500.0)], [("BBB", -400.0)]).charge > 0
    True
    """

    hedge_benefit: float
    charge: float


@documented
def jump_to_default(notional: float, pnl: float = 0.0, *, lgd: float = 0.75, maturity: float = 1.0) -> float:
    """Loss if the issuer defaults: loss given default × notional + the P&L made so far, scaled by maturity.

    Parameters
    ----------
    notional : float
        Money; positive for long, negative for short positions.
    pnl : float
        Gain (positive) or loss since the position was taken: market value less notional.
    lgd : float
        Loss given default: 1 for equity and junior, 0.75 for senior debt, 0.25 for covered bonds.
    maturity : float
        Years; below one year the amount is scaled by it, at least by 0.25.

    Returns
    -------
    float
        Money: at least zero for a long, at most zero for a short position.

    References
    ----------
    Basel Framework, MAR22.9 to 22.18.

    Examples
    --------
    >>> jump_to_default(1000.0, -50.0), jump_to_default(-1000.0, maturity=0.1)
    (700.0, -187.5)
    """
    share, years = finite_number(lgd, "lgd"), positive(maturity, "maturity", zero=True)
    if not 0.0 <= share <= 1.0:
        raise InputError(f"lgd={lgd!r} is not between 0 and 1; use 0.75 for 75%")
    amount, gained = finite_number(notional, "notional"), finite_number(pnl, "pnl")
    jump = share * amount + gained
    return min(max(years, 0.25), 1.0) * (max(jump, 0.0) if amount >= 0.0 else min(jump, 0.0))


def default_bucket(
    long: Any, short: Any = (), risk_weights: Mapping[str, float] = tables.DEFAULT_WEIGHTS
) -> DefaultBucket:
    """Default risk charge of a bucket from the net amounts of its issuers.

    Parameters
    ----------
    long, short : sequence of (rating, amount)
        Net jump-to-default amounts per issuer; the short ones below zero.
    risk_weights : mapping of rating to fraction
        Those of the rules by default.

    Returns
    -------
    DefaultBucket
        max(weighted long - hedge benefit × weighted short, 0); the hedge benefit is of unweighted amounts.

    Raises
    ------
    InputError
        NaN, infinity, a rating without a weight, or an amount of the other sign.

    References
    ----------
    Basel Framework, MAR22.22 to 22.26.

    Examples
    --------
    >>> default_bucket([("AA", 1000.0), ("BBB", 500.0), ("B", 200.0)], [("BBB", -400.0), ("CCC", -50.0)])
    DefaultBucket(hedge_benefit=0.7906976744186046, charge=71.25581395348837)
    """
    total, weighted = [], []
    for entries, sign, name in ((long, 1.0, "long"), (short, -1.0, "short")):
        amounts = [sign * finite_number(amount, name) for _, amount in entries]
        for (rating, _), amount in zip(entries, amounts, strict=True):
            if rating not in risk_weights:
                raise InputError(f"rating {rating!r} has no risk weight; the ratings are {', '.join(risk_weights)}")
            if amount < 0.0:
                raise InputError(
                    f"{name} holds {sign * amount:g}; a net {name} amount is {'at least' if sign > 0 else 'at most'} zero"
                )
        total.append(math.fsum(amounts))
        weighted.append(
            math.fsum(risk_weights[rating] * amount for (rating, _), amount in zip(entries, amounts, strict=True))
        )
    benefit = total[0] / sum(total) if sum(total) else 0.0
    return DefaultBucket(benefit, max(weighted[0] - benefit * weighted[1], 0.0))


@documented
def simulate_default_risk(
    amounts: Any,
    default_probability: Any,
    loadings: Any,
    n_scenarios: int,
    *,
    draws: np.random.Generator,
    confidence: float = CONFIDENCE,
) -> RiskEstimate:
    """VaR and ES of defaults in a Gaussian factor model: issuer i defaults if loadings·Z + rest × e falls below Φ⁻¹(p).

    Parameters
    ----------
    amounts : (n_issuers,)
        Jump-to-default amounts, the loss if the issuer defaults; negative for short positions. Money.
    default_probability : number or (n_issuers,)
        Within the horizon of a year; at least 0.0003 in the rules.
    loadings : number, (n_issuers,) or (n_issuers, n_factors)
        Loadings on independent standard normal factors, their squares at most 1 in sum: sqrt(asset correlation) for one
        factor; the rules ask for two kinds of factors.
    n_scenarios : int
        Number of years drawn.
    draws : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    RiskEstimate
        `var` is the charge, money.

    References
    ----------
    Basel Framework, MAR33.20 to 33.37. Vasicek (2002), Loan portfolio value, Risk, December, 160-162.

    Examples
    --------
    >>> import numpy as np
    >>> risk = simulate_default_risk(np.full(100, 1.0), 0.01, 0.2**0.5, 20_000, draws=np.random.default_rng(1))
    >>> 8.0 <= risk.var <= 20.0
    True
    """
    from scipy.special import ndtr, ndtri

    lost = finite_array(amounts, "amounts", ndim=1)
    n = len(lost)
    count, generator = whole_number(n_scenarios, "n_scenarios"), random_generator(draws, "draws")
    refuse_size((count,), "the losses", "draw fewer scenarios")
    threshold = ndtri(_probability(default_probability, n))
    factors = finite_array(loadings, "loadings")
    if factors.ndim > 2 or factors.shape[:1] not in ((), (n,)):
        raise InputError(f"loadings has shape {factors.shape} for {n} issuers; give ({n},) or ({n}, n_factors)")
    matrix = np.broadcast_to(
        factors[:, None] if factors.ndim == 1 else factors, (n, 1) if factors.ndim < 2 else factors.shape
    )
    square = (matrix**2).sum(axis=1)
    if square.max() > 1.0 + 1e-12:
        raise InputError(f"loadings have a sum of squares of {square.max():g} for an issuer; it is at most 1")
    # Few default, so the probability of an issuer is computed only where a uniform number is below the largest of its year.
    kinds, kind_of = np.unique(np.column_stack([threshold, matrix]), axis=0, return_inverse=True)
    kind_of, slopes = kind_of.ravel(), kinds[:, 1:]
    rest = np.sqrt(np.maximum(1.0 - (slopes**2).sum(axis=1), TINY))
    losses = np.empty(count)
    step = max(1, BLOCK // n)
    for first in range(0, count, step):
        rows = min(step, count - first)
        score = (kinds[:, 0] - generator.standard_normal((rows, slopes.shape[1])) @ slopes.T) / rest
        uniform = generator.random((rows, n))
        year, issuer = np.divmod(np.flatnonzero(uniform < ndtr(score.max(axis=1))[:, None]), n)
        hit = uniform[year, issuer] < ndtr(score[year, kind_of[issuer]])
        losses[first : first + rows] = np.bincount(year[hit], lost[issuer[hit]], rows)
    return historical(-losses, confidence)


@documented
def large_pool_quantile(default_probability: float, asset_correlation: float, confidence: float = CONFIDENCE) -> float:
    """Share of defaults of infinitely many equal issuers that is not exceeded: Φ((Φ⁻¹(p) + sqrt(ρ) Φ⁻¹(c)) / sqrt(1 - ρ)).

    Parameters
    ----------
    asset_correlation : float
        ρ, at least 0 and below 1.

    Returns
    -------
    float
        Fraction of issuers; times the loss given default it is the loss.

    References
    ----------
    Vasicek (2002), Loan portfolio value, Risk, December, 160-162.

    Examples
    --------
    >>> round(0.6 * large_pool_quantile(0.01, 0.2), 6)
    0.087315
    """
    from scipy.special import ndtr, ndtri

    p, rho = float(_probability(default_probability, 1)[0]), _correlation(asset_correlation)
    return float(ndtr((ndtri(p) + math.sqrt(rho) * ndtri(confidence_level(confidence))) / math.sqrt(1.0 - rho)))


@documented
def default_count_distribution(n_issuers: int, default_probability: float, asset_correlation: float) -> np.ndarray:
    """Probability of 0, 1, ..., n defaults among equal issuers with one Gaussian factor, by quadrature over the factor.

    Parameters
    ----------
    n_issuers : int
        Number of issuers.
    asset_correlation : float
        At least 0 and below 1.

    Returns
    -------
    (n_issuers + 1,)
        Probabilities.

    References
    ----------
    Vasicek (2002), Loan portfolio value, Risk, December, 160-162.

    Examples
    --------
    >>> default_count_distribution(2, 0.1, 0.0).round(4).tolist()
    [0.81, 0.18, 0.01]
    """
    from scipy.special import gammaln, log_ndtr, ndtr, ndtri, xlogy

    n, rho = whole_number(n_issuers, "n_issuers"), _correlation(asset_correlation)
    p = float(_probability(default_probability, 1)[0])
    refuse_size((n + 1,), "the distribution", "large_pool_quantile is for many issuers")
    counts = np.arange(n + 1.0)
    if p in (0.0, 1.0):
        return (counts == p * n).astype(float)
    z = np.linspace(-9.0, 9.0, NODES)  # the trapezium rule of a normal weight is exact to rounding
    weights = np.exp(-0.5 * z * z)
    given = (ndtri(p) - math.sqrt(rho) * z) / math.sqrt(1.0 - rho)
    ways = gammaln(n + 1.0) - gammaln(counts + 1.0) - gammaln(n - counts + 1.0)
    distribution, step = np.empty(n + 1), max(1, BLOCK // NODES)
    for first in range(0, n + 1, step):
        k = counts[first : first + step]
        near = np.clip(ndtr(given), k[0] / n, k[-1] / n)
        entropy = -xlogy(near, near) - xlogy(1.0 - near, 1.0 - near)
        matters = n * (near * log_ndtr(given) + (1.0 - near) * log_ndtr(-given) + entropy) > SMALLEST_LOG
        x = given[matters]
        logs = ways[first : first + step, None] + k[:, None] * log_ndtr(x) + (n - k[:, None]) * log_ndtr(-x)
        distribution[first : first + step] = np.exp(logs) @ weights[matters]
    return distribution / weights.sum()


def _probability(value: Any, n: int) -> np.ndarray:
    array = finite_array(value, "default_probability")
    if array.shape not in ((), (n,)) or array.min() < 0.0 or array.max() > 1.0:
        raise InputError(
            f"default_probability={shown(value)}; give a number between 0 and 1, or one for each of {n} issuers"
        )
    return np.broadcast_to(array, (n,))


def _correlation(value: Any) -> float:
    number = finite_number(value, "asset_correlation")
    if not 0.0 <= number < 1.0:
        raise InputError(f"asset_correlation={shown(value)} is not at least 0 and below 1")
    return number
