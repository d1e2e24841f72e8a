"""European options in closed form: value, and sensitivities to price, volatility, rates and time."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from riskkit._check import InputError, finite_array, one_of
from riskkit._docs import with_described_fields

OptionType = Literal["call", "put"]


@with_described_fields
class OptionValue(NamedTuple):
    """Value of an option and its sensitivities, per unit of the underlying; numbers, or arrays of one shape.

    Attributes
    ----------
    price : float or array
        In the currency of the spot price.
    delta : float or array
        Per unit of the spot price.
    gamma : float or array
        Change of delta per unit of the spot price.
    vega : float or array
        Per unit of volatility: divide by 100 for a point of volatility.
    theta : float or array
        Per year of time that passes: divide by 365 for a day.
    rho : float or array
        Per unit of the rate: divide by 10,000 for a basis point.
    vanna : float or array
        Change of delta per unit of volatility.
    volga : float or array
        Change of vega per unit of volatility.

    Examples
    --------
    >>> from riskkit.instruments import european_option
    >>> round(european_option(42.0, 40.0, 0.5, 0.2, rate=0.1).delta, 4)
    0.7791
    """

    price: Any
    delta: Any
    gamma: Any
    vega: Any
    theta: Any
    rho: Any
    vanna: Any
    volga: Any


def european_option(
    spot: Any,
    strike: Any,
    years: Any,
    volatility: Any,
    *,
    rate: Any = 0.0,
    dividend_yield: Any = 0.0,
    option: OptionType = "call",
) -> OptionValue:
    """Value and sensitivities of a European option under geometric Brownian motion (Black-Scholes-Merton).

    Parameters
    ----------
    spot, strike : float or array
        Prices, above zero; arrays are broadcast, as 10^5 scenarios of the spot price in one call.
    years : float or array
        Time to expiry, above zero.
    volatility : float or array
        Per year, a fraction above zero.
    rate : float or array
        Continuously compounded, per year.
    dividend_yield : float or array
        Continuous; of a currency its foreign rate (Garman and Kohlhagen), of a future the rate (see `black76`).
    option : {"call", "put"}
        The right to buy or to sell.

    Returns
    -------
    OptionValue
        Numbers, or arrays where an argument is one.

    Raises
    ------
    InputError
        NaN, infinity, a price, time or volatility not above zero, or shapes that do not fit.

    References
    ----------
    Black and Scholes (1973), The pricing of options and corporate liabilities, J. Political Economy 81, 637-654. Merton (1973),
    Theory of rational option pricing, Bell J. Economics 4, 141-183. Garman and Kohlhagen (1983), Foreign currency option values,
    J. International Money and Finance 2, 231-237.

    Examples
    --------
    >>> option = european_option(42.0, 40.0, 0.5, 0.2, rate=0.1)
    >>> round(option.price, 2), round(european_option(42.0, 40.0, 0.5, 0.2, rate=0.1, option="put").price, 2)
    (4.76, 0.81)
    """
    from scipy.special import ndtr

    names = ("spot", "strike", "years", "volatility")
    s, k, t, v = positive_arrays(dict(zip(names, (spot, strike, years, volatility), strict=True)))
    r, q = finite_array(rate, "rate"), finite_array(dividend_yield, "dividend_yield")
    sign = 1.0 if one_of(option, get_args(OptionType), "option") == "call" else -1.0
    try:
        np.broadcast_shapes(*(part.shape for part in (s, k, t, v, r, q)))
    except ValueError:
        raise InputError(
            "spot, strike, years, volatility, rate and dividend_yield have shapes that do not fit"
        ) from None
    root = np.sqrt(t)
    d1 = (np.log(s / k) + (r - q + 0.5 * v * v) * t) / (v * root)
    d2 = d1 - v * root
    carried, discounted = s * np.exp(-q * t), k * np.exp(-r * t)
    density = np.exp(-0.5 * d1 * d1) / np.sqrt(2.0 * np.pi)
    in_shares, in_cash = carried * ndtr(sign * d1), discounted * ndtr(sign * d2)
    vega = carried * density * root
    values = OptionValue(
        price=sign * (in_shares - in_cash),
        delta=sign * in_shares / s,
        gamma=carried * density / (s * s * v * root),
        vega=vega,
        theta=-0.5 * vega * v / t + sign * (q * in_shares - r * in_cash),
        rho=sign * t * in_cash,
        vanna=-vega * d2 / (s * v * root),
        volga=vega * d1 * d2 / v,
    )
    return OptionValue(*map(plain, values))


def black76(
    forward: Any, strike: Any, years: Any, volatility: Any, *, rate: Any = 0.0, option: OptionType = "call"
) -> Any:
    """Value of a European option on a forward or futures price with a lognormal law.

    Parameters
    ----------
    forward, strike : float or array
        Prices, above zero.
    years, volatility, rate, option
        As in `european_option`.

    Returns
    -------
    float or array
        In the currency of the forward price, discounted.

    Raises
    ------
    InputError
        As in `european_option`.

    References
    ----------
    Black (1976), The pricing of commodity contracts, J. Financial Economics 3, 167-179, eq. 16.

    Examples
    --------
    >>> round(black76(100.0, 95.0, 0.75, 0.3, rate=0.03), 4)
    12.4878
    """
    positive_arrays({"forward": forward})
    return european_option(forward, strike, years, volatility, rate=rate, dividend_yield=rate, option=option).price


def bachelier(
    forward: Any, strike: Any, years: Any, volatility: Any, *, rate: float = 0.0, option: OptionType = "call"
) -> Any:
    """Value of a European option on a forward price with a normal law, as of rates and spreads that may be negative.

    Parameters
    ----------
    forward, strike : float or array
        Prices or rates of any sign.
    years : float or array
        Time to expiry, above zero.
    volatility : float or array
        Standard deviation per year in the unit of the forward price, above zero.
    rate : float
        Continuously compounded, per year.
    option : {"call", "put"}
        The right to buy or to sell.

    Returns
    -------
    float or array
        In the unit of the forward price, discounted.

    Raises
    ------
    InputError
        NaN, infinity, or a time or volatility not above zero.

    References
    ----------
    Bachelier (1900), Théorie de la spéculation, Annales scientifiques de l'École normale supérieure 17, 21-86.

    Examples
    --------
    >>> round(bachelier(100.0, 95.0, 0.75, 30.0, rate=0.03), 4)
    12.7657
    """
    from scipy.special import ndtr

    t, v = positive_arrays({"years": years, "volatility": volatility})
    sign = 1.0 if one_of(option, get_args(OptionType), "option") == "call" else -1.0
    gain = sign * (finite_array(forward, "forward") - finite_array(strike, "strike"))
    spread = v * np.sqrt(t)
    d = gain / spread
    value = gain * ndtr(d) + spread * np.exp(-0.5 * d * d) / np.sqrt(2.0 * np.pi)
    return plain(np.exp(-finite_array(rate, "rate") * t) * value)


def positive_arrays(named: dict[str, Any]) -> list[np.ndarray]:
    """Arrays of numbers above zero."""
    arrays = []
    for name, value in named.items():
        array = finite_array(value, name)
        if array.min() <= 0.0:
            raise InputError(f"{name}={float(array.min()):g} is not above zero")
        arrays.append(array)
    return arrays


def plain(value: Any) -> Any:
    """A number for an array without dimensions."""
    return float(value) if np.ndim(value) == 0 else value
