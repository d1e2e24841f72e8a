"""Entropic VaR: the tightest upper bound on VaR and ES from exponential moments; a coherent risk measure."""

from __future__ import annotations

import math

import numpy as np

from riskkit._tail import DEFAULT_CONFIDENCE, n_tail, tail_probability
from riskkit._types import Confidence, Quantity, ReturnsLike
from riskkit.var._inputs import read_confidences, read_sample


def evar(returns: ReturnsLike, confidence: Confidence = DEFAULT_CONFIDENCE) -> Quantity:
    """Entropic VaR of the observed returns: min over t > 0 of ln(mean exp(t L)/p)/t, L the losses.

    Parameters
    ----------
    returns, confidence
        As in `riskkit.var.historical`.

    Returns
    -------
    float, (n_confidences,), (n_portfolios,) or (n_confidences, n_portfolios)
        Losses positive, in the unit of `returns`; at least the ES. The worst loss where p is at most its share
        of the sample.

    Raises
    ------
    InputError
        NaN, infinity, or no rows.

    References
    ----------
    Ahmadi-Javid (2012), Entropic value-at-risk: a new coherent risk measure, J. Optimization Theory and Applications
    155, 1105-1123, section 3 (definition) and theorem 3.3 (dual: the largest mean loss within a relative entropy of -ln p).

    Examples
    --------
    >>> round(evar([0.01, -0.03, 0.02, -0.01, 0.00], 0.5), 6)
    0.022287
    """
    confidences = read_confidences(confidence)
    sample = read_sample(returns, ordered=False)
    losses = -sample.table
    worst = losses.max(axis=0)
    spread = worst - losses.min(axis=0)
    scaled = (losses - worst) / np.where(spread > 0.0, spread, 1.0)  # from -1 to 0
    atoms = (scaled == 0.0).sum(axis=0)
    values = np.empty((len(confidences.levels), losses.shape[1]))
    for i, level in enumerate(confidences.levels):
        size = n_tail(len(losses), level)
        values[i] = worst
        inner = np.flatnonzero(atoms < size)
        if inner.size:
            values[i, inner] += spread[inner] * _tilted_mean(scaled[:, inner], -math.log(tail_probability(level)))
    return sample.per_confidence(values, confidences)


def _tilted_mean(losses: np.ndarray, entropy: float) -> np.ndarray:
    """Mean loss under weights exp(t L), with t such that their entropy relative to equal weights is `entropy`.

    The entropy increases in t from 0 with slope t × variance, and is solved by Newton steps within a bracket.
    """
    low, high = np.zeros(losses.shape[1]), np.full(losses.shape[1], np.inf)
    t = np.full(losses.shape[1], 1.0)
    for _ in range(200):
        mean, found, variance = _tilted(losses, t)
        missing = entropy - found
        low, high = np.where(missing > 0.0, t, low), np.where(missing > 0.0, high, t)
        with np.errstate(all="ignore"):
            guess = t + missing / (t * variance)
        outside = ~((guess > low) & (guess < high) & (guess < 4.0 * t))
        halved = np.where(np.isinf(high), 4.0 * t, 0.5 * (low + high))
        step = np.where(outside, halved, guess)
        if (np.abs(step - t) <= 1e-12 * t).all():
            break
        t = step
    tilted: np.ndarray = mean + (entropy - found) / t  # first-order correction for the remaining entropy
    return tilted


def _tilted(losses: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean loss, relative entropy and variance under weights exp(t L)."""
    weights = np.exp(t * losses)
    total = weights.sum(axis=0)
    mean = (weights * losses).sum(axis=0) / total
    variance = (weights * (losses - mean) ** 2).sum(axis=0) / total
    return mean, t * mean - np.log(total / len(losses)), variance
