"""Cost of liquidating positions, under the name of a risk service."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, positive
from riskkit.liquidity.impact import square_root_impact
from riskkit.liquidity.numbers import at_least_zero, labelled, labels_among, matched
from riskkit.var.parametric import quantile_multiplier


def calculate_liquidity_var(
    quantity: Any,
    price: Any,
    bid: Any,
    ask: Any,
    avg_daily_volume: Any,
    *,
    impact_coefficient: float = 0.1,
    spread_sd: Any = 0.0,
    spread_multiplier: float = 3.0,
    volatility: Any = None,
    confidence: float = 0.95,
    z: float | None = None,
) -> Any:
    """Cost of liquidating positions, in money: half of the spread + square-root impact (+ price VaR on request).

    Parameters
    ----------
    quantity : float or (n_assets,)
        Shares, negative when short. All vectors are matched by name where they are labelled.
    price : float or (n_assets,)
        Mid or last price, above zero.
    bid, ask : float or (n_assets,)
        Quotes, ask at least bid; half of ask - bid is paid per share.
    avg_daily_volume : float or (n_assets,)
        Shares that the market trades a day, above zero. A missing volume is an error.
    impact_coefficient : float
        Fraction of the price that the trade of a full day's volume costs: impact is
        value × coefficient × sqrt(abs(quantity) / volume). 0.1 is usual for liquid US equities. It contains
        the volatility, which `square_root_impact` multiplies by its coefficient of 1: with a known daily volatility
        give that.
    spread_sd : float or (n_assets,)
        Standard deviation of ask - bid, in the unit of the price; 0 for the quoted spread.
    spread_multiplier : float
        Standard deviations to the worst spread.
    volatility : float or (n_assets,), optional
        Standard deviation of the daily return; when given, the VaR value × z × volatility of each position alone is
        added, which gives a liquidity-adjusted VaR.
    confidence : float
        Confidence of the price VaR; 0.95 for 95 %.
    z : float, optional
        Standard normal quantile, such as 1.65; by default the exact quantile of `confidence`.

    Returns
    -------
    float or (n_assets,)
        Money, positive for long and short alike. Costs of positions add up; their stand-alone price VaRs
        overstate that of the book, for which see `liquidity_var`.

    Raises
    ------
    InputError
        NaN, infinity, a price or volume that is not above zero, ask below bid, names that do not match.

    References
    ----------
    Dowd (2005), Measuring Market Risk, 2nd ed., section 14.2.1 (spread). Grinold and Kahn (2000), Active Portfolio
    Management, 2nd ed., chapter 16 (impact). Bangia, Diebold, Schuermann and Stroughair (1999), Modeling Liquidity
    Risk (worst spread).

    Examples
    --------
    >>> round(calculate_liquidity_var(1_000, 50.0, 49.99, 50.01, 1_000_000), 2)
    168.11
    >>> round(calculate_liquidity_var(1_000, 50.0, 49.99, 50.01, 1_000_000, volatility=0.02, z=1.65), 2)
    1818.11
    """
    names = labels_among(quantity, price, bid, ask, avg_daily_volume)
    shares = np.abs(matched(quantity, names, "quantity"))
    value = shares * at_least_zero(price, names, "price", above=True)
    spread = matched(ask, names, "ask") - matched(bid, names, "bid")
    if (spread < 0.0).any():
        raise InputError("ask lies below bid; a crossed market has no spread to pay")
    worst = positive(spread_multiplier, "spread_multiplier", zero=True) * at_least_zero(spread_sd, names, "spread_sd")
    volume = at_least_zero(avg_daily_volume, names, "avg_daily_volume", above=True)
    cost = shares * (spread + worst) / 2.0 + value * square_root_impact(
        shares, volume, 1.0, coefficient=impact_coefficient
    )
    if volatility is not None:
        sigma = at_least_zero(volatility, names, "volatility")
        cost = cost + value * quantile_multiplier(confidence, z=z) * sigma
    return labelled(cost, names)
