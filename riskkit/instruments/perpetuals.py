"""Perpetual futures: the price at which a position is closed by the venue, and what it pays to be held."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, positive


def liquidation_price(entry: float, leverage: float, maintenance_rate: float, *, short: bool = False) -> float:
    """Price at which the margin of a linear contract is down to the maintenance margin.

    Parameters
    ----------
    entry : float
        Price at which the position was opened, above zero.
    leverage : float
        Notional over margin, at least 1; margin is isolated, without fees.
    maintenance_rate : float
        Maintenance margin over the notional at the current price, a fraction.
    short : bool
        Whether the position is short.

    Returns
    -------
    float
        A price; zero for a long position that is never closed.

    Raises
    ------
    InputError
        NaN, infinity, a number out of range, or a margin that is below maintenance from the start.

    References
    ----------
    Definition: margin and P&L equal the maintenance rate times quantity times price. Venues with tiers or cross margin differ; see
    Soska, Dong, Khodaverdian, Zetlin-Jones, Routledge and Christin (2021), Towards understanding cryptocurrency derivatives.

    Examples
    --------
    >>> round(liquidation_price(20_000.0, 10.0, 0.005), 2), round(liquidation_price(20_000.0, 10.0, 0.005, short=True), 2)
    (18090.45, 21890.55)
    """
    price, share, rate = _terms(entry, leverage, maintenance_rate)
    return price * (1.0 + share) / (1.0 + rate) if short else price * (1.0 - share) / (1.0 - rate)


def inverse_liquidation_price(entry: float, leverage: float, maintenance_rate: float, *, short: bool = False) -> float:
    """Price at which the margin of an inverse contract, margined and settled in the coin, is down to maintenance.

    Parameters
    ----------
    entry, leverage, maintenance_rate, short
        As in `liquidation_price`.

    Returns
    -------
    float
        A price; infinite for a short position that is never closed.

    Raises
    ------
    InputError
        As in `liquidation_price`.

    References
    ----------
    As of `liquidation_price`, with amounts in coin: Soska et al. (2021), Towards understanding cryptocurrency derivatives.

    Examples
    --------
    >>> round(inverse_liquidation_price(20_000.0, 10.0, 0.005), 2)
    18272.73
    """
    price, share, rate = _terms(entry, leverage, maintenance_rate)
    if not short:
        return price * (1.0 + rate) / (1.0 + share)
    return price * (1.0 - rate) / (1.0 - share) if share < 1.0 else float("inf")


def bracket_liquidation_price(
    wallet: float, quantity: float, entry: float, brackets: Any, *, maintenance: float = 0.0, profit: float = 0.0
) -> float:
    """Price at which an account's equity is down to the maintenance margin of brackets of the notional.

    Parameters
    ----------
    wallet : float
        Wallet balance, money: deposits and realised profit, without that of open positions.
    quantity : float
        Units of the linear contract, negative if short, not zero.
    entry : float
        Price at which the position was opened, above zero.
    brackets : rows of (notional up to, rate)
        In rising order; the last rate goes on above its bound. The rule `riskkit.rules.MaintenanceMargin` takes the same.
    maintenance, profit : float
        Maintenance margin and unrealised profit of the other positions of a cross-margined account, money.

    Returns
    -------
    float
        A price; zero if there is none above zero, as of a long position that is never closed.

    Raises
    ------
    InputError
        NaN, infinity, a number out of range, or brackets that do not rise.

    References
    ----------
    Binance (2021), How to calculate liquidation price of USDT-M futures contracts: (wallet - maintenance + profit + amount -
    quantity × entry) / (abs(quantity) × rate - quantity), of the bracket in which the notional at this price is.

    Examples
    --------
    >>> brackets = [(50_000, 0.004), (250_000, 0.005)]
    >>> round(bracket_liquidation_price(1_000, 1, 10_000, brackets), 4)
    9036.1446
    >>> round(bracket_liquidation_price(1_000, 10, 10_000, brackets), 4)
    9944.7236
    """
    held, rows = finite_number(quantity, "quantity"), finite_array(brackets, "brackets", ndim=2)
    if held == 0.0:
        raise InputError("quantity is zero; a position has a liquidation price")
    if rows.shape[1:] != (2,) or (np.diff(rows[:, 0], prepend=0.0) <= 0.0).any() or not (0.0 <= rows[:, 1]).all():
        raise InputError("brackets are not rows of (notional up to, rate) with rising bounds and rates from 0")
    if (rows[:, 1] >= 1.0).any():
        raise InputError(f"brackets hold the rate {rows[:, 1].max():g}; a maintenance rate is below 1")
    margin = finite_number(wallet, "wallet") - positive(maintenance, "maintenance", zero=True)
    margin += finite_number(profit, "profit") - held * positive(entry, "entry")
    lower, before, amount, price = 0.0, 0.0, 0.0, 0.0
    for upper, rate in rows.tolist():
        amount += lower * (rate - before)
        price = (margin + amount) / (abs(held) * rate - held)
        if abs(held) * price <= upper:
            break
        lower, before = upper, rate
    return max(price, 0.0)


def funding_rate(premium: Any, *, interest: float = 0.0001, clamp: float = 0.0005) -> Any:
    """Rate that the longs of a perpetual future pay the shorts for an interval.

    Parameters
    ----------
    premium : float or array
        Mean premium of the future over the index during the interval, a fraction.
    interest : float
        Difference of the rates of the two currencies for the interval, a fraction.
    clamp : float
        Largest distance of the interest from the premium that is added, a fraction, at least zero.

    Returns
    -------
    float or array
        A fraction of the notional: within `clamp` of the premium it is the interest.

    Raises
    ------
    InputError
        NaN, infinity, or a clamp below zero.

    References
    ----------
    Rule published by the large venues: premium + clamp(interest - premium). Ackerer, Hugonnier and Jermann (2024), Perpetual
    futures pricing.

    Examples
    --------
    >>> funding_rate([0.0008, 0.0004, -0.001]).round(6).tolist()
    [0.0003, 0.0001, -0.0005]
    """
    values, limit = finite_array(premium, "premium"), positive(clamp, "clamp", zero=True)
    rate = values + np.clip(finite_number(interest, "interest") - values, -limit, limit)
    return float(rate) if np.ndim(premium) == 0 else rate


class FundingPayments(NamedTuple):
    """What a position pays at each interval, and over all of them."""

    payments: np.ndarray
    total: float
    annual_rate: float


def funding_payments(quantity: float, mark: Any, rate: Any, *, intervals_per_year: float = 1095.0) -> FundingPayments:
    """Funding that a position pays; negative where it is paid.

    Parameters
    ----------
    quantity : float
        Units of the underlying, negative if short.
    mark : (n_obs,)
        Mark price at the end of each interval, above zero.
    rate : (n_obs,)
        Rate of each interval, as of `funding_rate`.
    intervals_per_year : float
        1,095 for one every eight hours.

    Returns
    -------
    FundingPayments
        `payments` (n_obs,) and their `total`, money; `annual_rate`, the mean rate of the intervals times their number a year.

    Raises
    ------
    InputError
        NaN, infinity, a mark not above zero, or rates of other intervals.

    References
    ----------
    Ackerer, Hugonnier and Jermann (2024), Perpetual futures pricing, section 2.

    Examples
    --------
    >>> funding_payments(2.0, [20_000.0, 20_500.0], [0.0001, -0.00025]).payments.round(2).tolist()
    [4.0, -10.25]
    """
    prices, rates = finite_array(mark, "mark", ndim=1), finite_array(rate, "rate", ndim=1)
    if prices.shape != rates.shape:
        raise InputError(f"mark has {len(prices)} intervals and rate {len(rates)}; give both for the same")
    if prices.min() <= 0.0:
        raise InputError(f"mark holds {prices.min():g}; a price is above zero")
    paid = finite_number(quantity, "quantity") * prices * rates
    return FundingPayments(
        paid, float(paid.sum()), float(rates.mean()) * positive(intervals_per_year, "intervals_per_year")
    )


def _terms(entry: float, leverage: float, maintenance_rate: float) -> tuple[float, float, float]:
    """Entry, margin as a share of the notional, and the maintenance rate."""
    price, factor = positive(entry, "entry"), positive(leverage, "leverage")
    rate = positive(maintenance_rate, "maintenance_rate", zero=True)
    if factor < 1.0 or rate >= 1.0 / factor:
        raise InputError(
            f"leverage={leverage!r} and maintenance_rate={maintenance_rate!r}: the margin, 1/leverage of the notional, is to be "
            "above maintenance and at most all of it"
        )
    return price, 1.0 / factor, rate
