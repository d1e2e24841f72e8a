"""Forward contracts, on currencies too: value and sensitivities after they were agreed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array
from riskkit._docs import with_described_fields
from riskkit.instruments.european import plain, positive_arrays


@with_described_fields
class ForwardValue(NamedTuple):
    """Value of a forward contract and its sensitivities, per unit of the underlying; numbers, or arrays of one shape.

    Attributes
    ----------
    price : float or array
        Value of the contract, in the currency of the spot price; 0 when it is agreed at the fair price.
    fair : float or array
        Forward price at which a new contract is worth nothing.
    delta : float or array
        Per unit of the spot price.
    theta : float or array
        Per year of time that passes.
    rho : float or array
        Per unit of the rate.
    rho_yield : float or array
        Per unit of the yield: of a currency its foreign rate.

    Examples
    --------
    >>> from riskkit.instruments import forward_contract
    >>> round(forward_contract(1.10, 1.08, 0.5, rate=0.04, dividend_yield=0.02).fair, 4)
    1.1111
    """

    price: Any
    fair: Any
    delta: Any
    theta: Any
    rho: Any
    rho_yield: Any


def forward_contract(spot: Any, strike: Any, years: Any, *, rate: Any = 0.0, dividend_yield: Any = 0.0) -> ForwardValue:
    """Value and sensitivities of a contract to buy at a price agreed before.

    Parameters
    ----------
    spot, strike : float or array
        Price today, and the price agreed; above zero. Of a currency: units of money paid for one unit bought.
    years : float or array
        Time to delivery, above zero.
    rate : float or array
        Of the money paid; continuously compounded, per year.
    dividend_yield : float or array
        Continuous; of a currency bought, its own (foreign) rate.

    Returns
    -------
    ForwardValue
        Numbers, or arrays where an argument is one. A sale is minus the value.

    Raises
    ------
    InputError
        NaN, infinity, a price or time not above zero, or shapes that do not fit.

    References
    ----------
    Hull (2018), Options, Futures, and Other Derivatives, 10th ed., eq. 5.7 and 5.9 (covered interest parity).

    Examples
    --------
    >>> contract = forward_contract(1.10, 1.08, 0.5, rate=0.04, dividend_yield=0.02)
    >>> round(contract.price, 5), round(contract.delta, 5)
    (0.03044, 0.99005)
    """
    s, k, t = positive_arrays({"spot": spot, "strike": strike, "years": years})
    r, q = finite_array(rate, "rate"), finite_array(dividend_yield, "dividend_yield")
    try:
        s, k, t, r, q = np.broadcast_arrays(s, k, t, r, q)
    except ValueError:
        raise InputError("spot, strike, years, rate and dividend_yield have shapes that do not fit") from None
    delta = np.exp(-q * t)
    bought, paid = s * delta, k * np.exp(-r * t)
    values = ForwardValue(
        price=bought - paid,
        fair=s * np.exp((r - q) * t),
        delta=delta,
        theta=q * bought - r * paid,
        rho=t * paid,
        rho_yield=-t * bought,
    )
    return ForwardValue(*map(plain, values))
