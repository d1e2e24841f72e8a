"""Entropic VaR: the tightest bound on VaR and ES that exponential moments give; it is coherent, and the largest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit.var.sample import read_confidences, read_sample
from riskkit.var.tail import tail_mass, tail_size

__all__ = ["entropic_var"]


def entropic_var(returns: Any, confidence: Any = 0.95) -> Any:
    """Entropic VaR of the observed returns: min over t > 0 of ln(mean exp(t L)/p)/t, L the losses.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L; the horizon of the answer is theirs.
    confidence : float or sequence of float
        0.95 for 95 %.

    Returns
    -------
    float, (n_confidences,), (n_portfolios,) or (n_confidences, n_portfolios)
        Losses positive, in the unit of `returns`; at least the ES. Where p is no more than the share of the worst
        loss in the sample, it is that loss.

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
    >>> round(entropic_var([0.01, -0.03, 0.02, -0.01, 0.00], 0.5), 6)
    0.022287
    """
    confidences = read_confidences(confidence)
    sample = read_sample(returns)
    losses = -sample.table
    worst = losses.max(axis=0)
    spread = worst - losses.min(axis=0)
    scaled = (losses - worst) / np.where(spread > 0.0, spread, 1.0)  # from -1 to 0
    atoms = (scaled == 0.0).sum(axis=0)
    values = np.empty((len(confidences.levels), losses.shape[1]))
    for i, level in enumerate(confidences.levels):
        size = tail_size(len(losses), level)
        values[i] = worst
        inner = np.flatnonzero(atoms < size)
        if inner.size:
            values[i, inner] += spread[inner] * _tilted_mean(scaled[:, inner], -math.log(tail_mass(level)))
    return sample.per_confidence(values, confidences)


def _tilted_mean(losses: np.ndarray, entropy: float) -> np.ndarray:
    """Mean loss under weights exp(t L), with t such that their entropy relative to equal weights is `entropy`.

    The entropy rises in t from 0 with slope t × variance, so Newton steps kept within a bracket find it.
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
    return mean + (entropy - found) / t  # to first order, what is left of the entropy


def _tilted(losses: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean loss, relative entropy and variance under weights exp(t L)."""
    weights = np.exp(t * losses)
    total = weights.sum(axis=0)
    mean = (weights * losses).sum(axis=0) / total
    variance = (weights * (losses - mean) ** 2).sum(axis=0) / total
    return mean, t * mean - np.log(total / len(losses)), variance
