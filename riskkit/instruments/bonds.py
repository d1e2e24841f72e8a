"""Bonds: price, durations and convexity of a yield, and key-rate durations and scenarios of a zero curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, positive, whole_number
from riskkit._docs import with_described_fields
from riskkit._plain import mapping_of


@with_described_fields
class BondValue(NamedTuple):
    """Price of a bond and its sensitivities to the yield.

    Attributes
    ----------
    price : float
        In the currency of the face value, with accrued interest of zero.
    macaulay : float
        Mean time to the payments, weighted by present value, in years.
    modified : float
        Minus the relative change of the price per unit of the yield.
    convexity : float
        Second derivative of the price in the yield, over the price.
    dv01 : float
        Fall of the price for a basis point more of yield.

    Examples
    --------
    >>> from riskkit.instruments import bond
    >>> round(bond(100.0, 0.05, 10.0, 0.06).macaulay, 3)
    7.895
    """

    price: float
    macaulay: float
    modified: float
    convexity: float
    dv01: float

    def second_order(self, change: float) -> float:
        """P&L of a change of the yield by modified duration and convexity.

        Parameters
        ----------
        change : float
            Change of the yield, 0.01 for a percentage point.

        Returns
        -------
        float
            In the currency of the price.
        """
        return self.price * (-self.modified * change + 0.5 * self.convexity * change**2)


def bond(
    face: float, coupon: float, years: float, yield_: float, *, frequency: int = 2, continuous: bool = False
) -> BondValue:
    """Price and sensitivities of a bond with equal coupons, on the day after a coupon.

    Parameters
    ----------
    face : float
        Paid back at the end, above zero.
    coupon : float
        Rate per year, a fraction of the face value.
    years : float
        Time to maturity, a whole number of coupon periods.
    yield_ : float
        Per year, compounded with the coupons or continuously; above -`frequency`.
    frequency : int
        Coupons a year.
    continuous : bool
        Whether the yield is compounded continuously; Macaulay and modified duration are then the same.

    Returns
    -------
    BondValue
        In the currency of `face`.

    Raises
    ------
    InputError
        NaN, infinity, a face value or time not above zero, or a time that is not a whole number of coupon periods.

    References
    ----------
    Fabozzi (2007), Fixed Income Analysis, 2nd ed., chapter 7. Hull (2018), Options, Futures, and Other Derivatives, 10th ed.,
    section 4.10 (continuous).

    Examples
    --------
    >>> value = bond(100.0, 0.10, 3.0, 0.12, continuous=True)
    >>> round(value.price, 3), round(value.macaulay, 3)
    (94.213, 2.653)
    """
    per_year = whole_number(frequency, "frequency")
    periods = positive(years, "years") * per_year
    if abs(periods - round(periods)) > 1e-9:
        raise InputError(f"years={years!r} is not a whole number of {per_year} coupon periods a year")
    rate = finite_number(yield_, "yield_")
    times = np.arange(1.0, round(periods) + 1.0) / per_year
    flows = np.full(len(times), finite_number(coupon, "coupon") / per_year * positive(face, "face"))
    flows[-1] += face
    growth = 1.0 + rate / per_year
    if growth <= 0.0 and not continuous:
        raise InputError(f"yield_={rate:g} is not above -{per_year}, a loss of everything in a period")
    present = flows * (np.exp(-rate * times) if continuous else growth ** (-times * per_year))
    price = float(present.sum())
    macaulay = float(present @ times) / price
    modified = macaulay if continuous else macaulay / growth
    squares = times**2 if continuous else times * (times + 1.0 / per_year) / growth**2
    return BondValue(price, macaulay, modified, float(present @ squares) / price, modified * price * 1e-4)


@with_described_fields
class KeyRates(NamedTuple):
    """Value of cash flows on a zero curve, and its sensitivities to the rates at key tenors.

    Attributes
    ----------
    price : float
        Present value.
    durations : (n_tenors,)
        Minus the relative change of the price per unit of each key rate.
    times : (n_flows,)
        Times of the cash flows in years.
    amounts : (n_flows,)
        Cash flows.
    tenors : (n_tenors,)
        Key tenors in years.
    rates : (n_tenors,)
        Zero rates at the key tenors, continuously compounded.

    Examples
    --------
    >>> from riskkit.instruments import key_rates
    >>> key_rates({1.0: 4.0, 2.0: 104.0}, {1.0: 0.03, 2.0: 0.032}).durations.round(3).tolist()
    [0.038, 1.923]
    """

    price: float
    durations: np.ndarray
    times: np.ndarray
    amounts: np.ndarray
    tenors: np.ndarray
    rates: np.ndarray

    @property
    def effective_duration(self) -> float:
        """Minus the relative change of the price per unit of a parallel shift: the sum of the key-rate durations."""
        return float(self.durations.sum())

    def pnl(self, changes: Any) -> Any:
        """P&L of changes of the key rates by full revaluation.

        Parameters
        ----------
        changes : (n_tenors,) or (n_scenarios, n_tenors)
            0.01 for a percentage point; between the tenors they are interpolated as the rates.

        Returns
        -------
        float or (n_scenarios,)
            In the currency of the cash flows.
        """
        shifts = finite_array(changes, "changes")
        if shifts.ndim not in (1, 2) or shifts.shape[-1] != len(self.tenors):
            raise InputError(f"changes has shape {shifts.shape} for {len(self.tenors)} key tenors; give one each")
        weights = _hats(self.times, self.tenors)
        values = np.exp(-self.times * ((self.rates + shifts) @ weights.T)) @ self.amounts - self.price
        return float(values) if shifts.ndim == 1 else np.asarray(values)


def key_rates(cash_flows: Mapping[float, float], zero_rates: Mapping[float, float]) -> KeyRates:
    """Value of cash flows on a zero curve, and key-rate durations.

    Parameters
    ----------
    cash_flows : mapping
        {time in years: amount}, as of a bond or a whole book.
    zero_rates : mapping
        {tenor in years: continuously compounded rate}; linear between the tenors, constant beyond them.

    Returns
    -------
    KeyRates
        `durations`, and `pnl` of scenarios such as those of `riskkit.stress.rate_shocks`.

    Raises
    ------
    InputError
        NaN, infinity, a time not above zero, no cash flow, no rate, or cash flows with a value of zero.

    References
    ----------
    Ho (1992), Key rate durations: measures of interest rate risks, J. Fixed Income 2(2), 29-44.

    Examples
    --------
    >>> curve = key_rates({1.0: 4.0, 2.0: 104.0}, {1.0: 0.03, 2.0: 0.032})
    >>> round(curve.price, 4), round(curve.pnl([0.01, 0.01]), 4)
    (101.4343, -1.9703)
    """
    times, amounts = _sorted(cash_flows, "cash_flows")
    tenors, rates = _sorted(zero_rates, "zero_rates")
    weights = _hats(times, tenors)
    present = amounts * np.exp(-times * (weights @ rates))
    price = float(present.sum())
    if abs(price) <= 1e-12 * float(np.abs(present).sum()):
        raise InputError("cash_flows have a value of zero, which has no duration; take the P&L of its parts")
    return KeyRates(price, (present * times) @ weights / price, times, amounts, tenors, rates)


def _sorted(table: Mapping[float, float], name: str) -> tuple[np.ndarray, np.ndarray]:
    table = mapping_of(table, name)
    if not table:
        raise InputError(f"{name} is empty; give {{years: number}}")
    times, values = finite_array(list(table), name), finite_array(list(table.values()), name)
    if times.min() <= 0.0:
        raise InputError(f"{name} has a time of {times.min():g} years; a time is above zero")
    order = np.argsort(times)
    return times[order], values[order]


def _hats(times: np.ndarray, tenors: np.ndarray) -> np.ndarray:
    """Weight (n_times, n_tenors) of each key rate in the rate of each time."""
    return np.column_stack([np.interp(times, tenors, row) for row in np.eye(len(tenors))])
