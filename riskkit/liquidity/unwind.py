"""Time to liquidate a book at a share of the market volume, and the remaining positions meanwhile.

Positions and volumes are in the same unit, shares or money. A position is sold evenly; sales of a period reduce it at
the end of the period, so the full position is exposed to the first one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import InputError, labels_of, whole_number, with_labels
from riskkit.liquidity.numbers import at_least_zero, documented, labelled, labels_among, matched

MAX_PERIODS = 100_000
"""Limit on the rows of `fraction_remaining` by default."""


@documented
def days_to_liquidate(positions: Any, adv: Any, participation: Any = 0.2) -> Any:
    """Number of periods to liquidate positions at a share of the volume: abs(position) / (participation × adv).

    Returns
    -------
    float or (n_assets,)
        Days for a daily volume; not rounded up.

    References
    ----------
    Dowd (2005), Measuring Market Risk, 2nd ed., chapter 14. Jorion (2007), Value at Risk, 3rd ed., chapter 13.

    Examples
    --------
    >>> days_to_liquidate([50_000, -10_000], [100_000, 200_000], 0.25).tolist()
    [2.0, 0.2]
    """
    names = labels_among(positions, adv, participation)
    share = at_least_zero(participation, names, "participation", above=True)
    if (share > 1.0).any():
        raise InputError(f"participation holds {share.max():g}; a share of the volume is at most 1, 0.2 for 20%")
    pace = share * at_least_zero(adv, names, "adv", above=True)
    return labelled(np.abs(matched(positions, names, "positions")) / pace, names)


@documented
def fraction_remaining(positions: Any, adv: Any, participation: Any = 0.2, *, periods: int | None = None) -> Any:
    """Fraction of each position that remains during every period of its liquidation.

    Parameters
    ----------
    periods : int, optional
        Number of periods; by default until all positions are sold, at most 100,000.

    Returns
    -------
    (n_periods, n_assets)
        Fractions; row 0 is 1, as the full position remains during the first period.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., chapter 13.

    Examples
    --------
    >>> fraction_remaining([50_000, -10_000], [100_000, 200_000], 0.25).tolist()
    [[1.0, 1.0], [0.5, 0.0]]
    """
    days = days_to_liquidate(positions, adv, participation)
    names, durations = labels_of(days, 0), np.atleast_1d(np.asarray(days))
    longest = max(1, math.ceil(durations.max()))
    if periods is None and longest > MAX_PERIODS:
        raise InputError(f"positions take up to {longest:,} periods to unwind; limit the rows with periods")
    rows = longest if periods is None else whole_number(periods, "periods")
    day = np.arange(rows)[:, None]
    remaining = np.maximum(0.0, 1.0 - day / np.maximum(durations, 1.0))
    return remaining if names is None else with_labels(remaining, np.arange(rows), names)


def overlap(days: np.ndarray) -> np.ndarray:
    """Sum over periods of the products of the remaining fractions of two positions, in closed form.

    The elementwise product with the covariance is the covariance of the losses of a book during its liquidation.
    """
    durations = np.maximum(days, 1.0)
    count = np.ceil(np.minimum.outer(durations, durations))
    first = count * (count - 1.0) / 2.0
    second = first * (2.0 * count - 1.0) / 3.0
    rates = 1.0 / durations
    return np.asarray(count - first * np.add.outer(rates, rates) + second / np.multiply.outer(durations, durations))
