"""American options on a binomial tree."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np

from riskkit._check import finite_number, one_of, positive, whole_number
from riskkit.instruments.european import OptionType


def american_option(
    spot: float,
    strike: float,
    years: float,
    volatility: float,
    *,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
    option: OptionType = "put",
    steps: int = 801,
) -> float:
    """Value of an option that may be exercised at any time, on a binomial tree centred on the strike.

    Parameters
    ----------
    spot, strike, years, volatility, rate, dividend_yield, option
        As in `european_option`, numbers.
    steps : int
        Number of steps of the tree, made odd; the error falls about as 1/steps², to some 0.001 % of the spot price at 801.

    Returns
    -------
    float
        In the currency of the spot price.

    Raises
    ------
    InputError
        NaN, infinity, or a price, time or volatility not above zero.

    References
    ----------
    Leisen and Reimer (1996), Binomial models for option valuation: examining and improving convergence, Applied Mathematical
    Finance 3, 319-346 (with the inversion of Peizer and Pratt).

    Examples
    --------
    >>> round(american_option(100.0, 100.0, 1.0, 0.2, rate=0.05), 3)
    6.09
    """
    s, k, t, v = (
        positive(value, name)
        for name, value in (("spot", spot), ("strike", strike), ("years", years), ("volatility", volatility))
    )
    r, q = finite_number(rate, "rate"), finite_number(dividend_yield, "dividend_yield")
    sign = 1.0 if one_of(option, get_args(OptionType), "option") == "call" else -1.0
    n = whole_number(steps, "steps") | 1
    d2 = (math.log(s / k) + (r - q - 0.5 * v * v) * t) / (v * math.sqrt(t))
    up_chance, chance = _inverted(d2 + v * math.sqrt(t), n), _inverted(d2, n)
    growth = math.exp((r - q) * t / n)
    up, down = growth * up_chance / chance, growth * (1.0 - up_chance) / (1.0 - chance)
    keep = math.exp(-r * t / n)
    ups = np.arange(n + 1.0)
    values = np.maximum(sign * (s * up**ups * down ** (n - ups) - k), 0.0)
    for step in range(n - 1, -1, -1):
        prices = s * up ** ups[: step + 1] * down ** (step - ups[: step + 1])
        values = keep * (chance * values[1:] + (1.0 - chance) * values[:-1])
        values = np.maximum(values, sign * (prices - k))
    return float(values[0])


def _inverted(z: float, n: int) -> float:
    """Probability of a step up with which `n` steps have the normal probability of z."""
    power = (z / (n + 1.0 / 3.0 + 0.1 / (n + 1.0))) ** 2 * (n + 1.0 / 6.0)
    return 0.5 + math.copysign(0.5 * math.sqrt(-math.expm1(-power)), z)
