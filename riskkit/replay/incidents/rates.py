"""Intervals of a share of runs and of a number a day."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np


def share_interval(count: int, runs: int, coverage: float) -> tuple[float, float]:
    """Score interval of a probability from `count` of `runs`.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22, 209-212. Brown, Cai and
    DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science 16, 101-133.

    Examples
    --------
    >>> [round(end, 4) for end in share_interval(8, 10, 0.95)]
    [0.4902, 0.9433]
    """
    z = NormalDist().inv_cdf(0.5 + coverage / 2.0)
    share, spread = count / runs, z * z / runs
    middle = (share + spread / 2.0) / (1.0 + spread)
    half = math.sqrt(share * (1.0 - share) * spread + spread * spread / 4.0) / (1.0 + spread)
    return (0.0 if count == 0 else middle - half), (1.0 if count == runs else middle + half)


def daily_interval(counts: np.ndarray, coverage: float) -> tuple[float, float]:
    """Interval of the mean of counts by day; shape (n_days,).

    That of a Poisson mean, of the counts divided by their dispersion (variance through mean, at least 1): events that come
    in clusters, as the refusals after a trip, say less than as many that come one by one.

    References
    ----------
    Garwood (1936), Fiducial limits for the Poisson distribution, Biometrika 28, 437-442. McCullagh and Nelder (1989),
    Generalized Linear Models, 2nd ed., section 6.2.3 (dispersion).

    Examples
    --------
    >>> [round(end, 3) for end in daily_interval(np.array([10]), 0.95)]
    [4.795, 18.39]
    >>> [round(end, 3) for end in daily_interval(np.array([0, 0, 0]), 0.9)]
    [0.0, 0.999]
    """
    from scipy.special import gammaincinv

    total, days = int(counts.sum()), len(counts)
    mean = total / days
    dispersion = max(1.0, float(counts.var(ddof=1)) / mean) if total and days > 1 else 1.0
    seen, tail = total / dispersion, 0.5 - coverage / 2.0
    low = float(gammaincinv(seen, tail)) if total else 0.0
    return low * dispersion / days, float(gammaincinv(seen + 1.0, 1.0 - tail)) * dispersion / days
