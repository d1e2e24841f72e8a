"""Tail probability p = 1 - confidence and the number n p of observations in the tail, computed in decimal.

In binary 1 - 0.95 is 0.050000000000000044, and ceil(100 × that) selects the sixth worst loss instead of the fifth.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from riskkit._check import confidence_level, probability, whole_number

DEFAULT_CONFIDENCE = 0.99
"""Confidence of VaR and ES where none is given: one for models and tests, so that a forecast is tested at its own."""


def tail_probability(confidence: Any) -> float:
    """Tail probability 1 - confidence in decimal: 0.99 gives 0.01 and not 0.010000000000000009.

    Parameters
    ----------
    confidence : float
        At least 0.5 and below 1: 0.99 for 99 %.

    Returns
    -------
    float
        Above 0 and at most 0.5.

    Raises
    ------
    InputError
        A confidence below 0.5 or not below 1.

    Examples
    --------
    >>> tail_probability(0.99), tail_probability(0.975)
    (0.01, 0.025)
    """
    return hit_probability(confidence_level(confidence))


def hit_probability(confidence: Any) -> float:
    """Return 1 - confidence as `tail_probability` does, for a process of hits of any rate, such as an observed one."""
    return float(1 - Decimal(repr(probability(confidence, "confidence"))))


def n_tail(n_obs: int, confidence: Any) -> float:
    """Number of observations in the tail, n_obs × (1 - confidence), an integer where the decimal product is one.

    Parameters
    ----------
    n_obs : int
        Observations, at least one.
    confidence : float
        0.95 for 95 %.

    Returns
    -------
    float
        Observations, not rounded: the last one counts with its fraction.

    Raises
    ------
    InputError
        A confidence below 0.5 or not below 1, or no observations.

    Examples
    --------
    >>> n_tail(100, 0.95), n_tail(24, 0.95), n_tail(30, 1 - 0.3)
    (5.0, 1.2, 9.0)
    """
    n_obs = whole_number(n_obs, "n_obs")
    size = n_obs * tail_probability(confidence)
    nearest = round(size)
    rounding = 2e-15 * n_obs  # error of a confidence computed as 1 - p, and of the product
    return float(nearest) if nearest and abs(size - nearest) <= rounding else size


def var_rank(n_obs: int, confidence: Any) -> int:
    """Rank of the VaR among the losses, counted from the worst: ceil(n_obs × (1 - confidence)), computed exactly.

    Parameters
    ----------
    n_obs, confidence
        As in `n_tail`.

    Returns
    -------
    int
        1 for the worst loss.

    Raises
    ------
    InputError
        As in `n_tail`.

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, American Statistician 50, 361-365, definition 1.

    Examples
    --------
    >>> var_rank(100, 0.95), math.ceil(100 * (1 - 0.95))
    (5, 6)
    """
    return math.ceil(n_tail(n_obs, confidence))
