"""How long a book takes to sell at a share of the market's volume, and what is still held meanwhile.

Positions and volumes are in the same unit, shares or money. A position is sold evenly; what is sold in a period
is gone at its end, so everything is held through the first period.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import InputError, labels_of, whole_number, with_labels
from riskkit.liquidity.numbers import at_least_zero, labelled, labels_among, matched

__all__ = ["days_to_unwind", "fraction_held", "overlap"]

LONGEST = 100_000
"""Periods that `fraction_held` writes down without being asked for fewer."""


def days_to_unwind(positions: Any, adv: Any, participation: Any = 0.2) -> Any:
    """Periods needed to close positions at a share of the volume: |position| / (participation × adv).

    Parameters
    ----------
    positions : float or (n_assets,)
        Shares or money; the sign does not matter.
    adv : float or (n_assets,)
        Volume of a period in the same unit, above zero.
    participation : float or (n_assets,)
        Our share of the volume, above 0 and at most 1.

    Returns
    -------
    float or (n_assets,)
        Days if `adv` is of a day; not rounded up.

    Raises
    ------
    InputError
        NaN, infinity, a volume that is not above zero, a participation outside (0, 1], names that do not match.

    References
    ----------
    Dowd (2005), Measuring Market Risk, 2nd ed., chapter 14. Jorion (2007), Value at Risk, 3rd ed., chapter 13.

    Examples
    --------
    >>> days_to_unwind([50_000, -10_000], [100_000, 200_000], 0.25).tolist()
    [2.0, 0.2]
    """
    names = labels_among(positions, adv, participation)
    share = at_least_zero(participation, names, "participation", above=True)
    if (share > 1.0).any():
        raise InputError(f"participation holds {share.max():g}; a share of the volume is at most 1, 0.2 for 20%")
    pace = share * at_least_zero(adv, names, "adv", above=True)
    return labelled(np.abs(matched(positions, names, "positions")) / pace, names)


def fraction_held(positions: Any, adv: Any, participation: Any = 0.2, *, periods: int | None = None) -> Any:
    """Fraction of each position that is held during every period of its unwinding.

    Parameters
    ----------
    positions, adv, participation
        As in `days_to_unwind`, positions a vector.
    periods : int, optional
        Rows wanted; without it until all is sold.

    Returns
    -------
    (n_periods, n_assets)
        Row 0 is 1: all is held through the first period. Rows are numbered by period where positions have names.

    Raises
    ------
    InputError
        As in `days_to_unwind`; or more than 100,000 periods without `periods`.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., chapter 13.

    Examples
    --------
    >>> fraction_held([50_000, -10_000], [100_000, 200_000], 0.25).tolist()
    [[1.0, 1.0], [0.5, 0.0]]
    """
    days = days_to_unwind(positions, adv, participation)
    names, taken = labels_of(days, 0), np.atleast_1d(np.asarray(days))
    longest = max(1, math.ceil(taken.max()))
    if periods is None and longest > LONGEST:
        raise InputError(f"positions take up to {longest:,} periods to unwind; say with periods how many to show")
    rows = longest if periods is None else whole_number(periods, "periods")
    day = np.arange(rows)[:, None]
    held = np.maximum(0.0, 1.0 - day / np.maximum(taken, 1.0))
    return held if names is None else with_labels(held, np.arange(rows), names)


def overlap(days: np.ndarray) -> np.ndarray:
    """Sum over the periods of (fraction of i held) × (fraction of j held), in closed form for any time to unwind.

    Covariance × this, entry by entry, is the covariance of what a book that is being sold loses until all is sold.
    """
    taken = np.maximum(days, 1.0)
    count = np.ceil(np.minimum.outer(taken, taken))
    first = count * (count - 1.0) / 2.0
    second = first * (2.0 * count - 1.0) / 3.0
    return count - first * np.add.outer(1.0 / taken, 1.0 / taken) + second / np.multiply.outer(taken, taken)
