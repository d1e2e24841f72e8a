"""What a trade would do to VaR or ES: every candidate at once.

In closed form the variance after trade t is s^2 + 2 t'Cw + t'Ct, so one product Cw serves all candidates: a trade in
one instrument costs a handful of operations, whatever the size of the book.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, with_labels
from riskkit.attribution.exposure import Exposure, asset_vector, by_name, exposure_of, risk_factor, scenarios_of
from riskkit.var.historical import historical_es, historical_var

__all__ = [
    "incremental_es",
    "incremental_es_historical",
    "incremental_var",
    "incremental_var_by_instrument",
    "incremental_var_historical",
]


def incremental_var(
    positions: Any,
    covariance: Any,
    trades: Any = None,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> Any:
    """VaR after a trade less VaR before it, for one trade or for many candidates at once.

    Parameters
    ----------
    positions : (n_assets,)
        Money held, negative when short; matched by name where both sides are labelled.
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon of the VaR.
    trades : (n_assets,) or (n_trades, n_assets), optional
        Money bought of each asset (sold when negative), one trade or one per row. Without it the answer is, for
        each position, VaR less VaR without that position.
    confidence, mean, z, nu
        As in `portfolio_var`.

    Returns
    -------
    float or (n_trades,)
        Money; negative when the trade lowers VaR. Labelled by the rows of `trades`, or by asset without them.

    Raises
    ------
    InputError
        NaN, infinity, shapes or labels that do not fit, or a matrix that is no covariance matrix.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.2 (full revaluation; its first-order part is trade × marginal).

    Examples
    --------
    >>> covariance = [[0.05**2, 0.0], [0.0, 0.12**2]]
    >>> round(incremental_var([2_000_000, 1_000_000], covariance, [10_000, 0], z=1.65), 1)
    528.9
    >>> incremental_var([2_000_000, 1_000_000], covariance, z=1.65).round().tolist()
    [59738.0, 92738.0]
    """
    return _incremental(positions, covariance, trades, risk_factor("var", confidence, z, nu), mean)


def incremental_es(
    positions: Any,
    covariance: Any,
    trades: Any = None,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> Any:
    """ES after a trade less ES before it.

    Parameters
    ----------
    positions, covariance, trades, confidence, mean, z, nu
        As in `incremental_var`.

    Returns
    -------
    float or (n_trades,)
        Money; negative when the trade lowers ES.

    Raises
    ------
    InputError
        As in `incremental_var`.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., example 2.14 (ES of a normal loss).

    Examples
    --------
    >>> covariance = [[0.05**2, 0.0], [0.0, 0.12**2]]
    >>> round(incremental_es([2_000_000, 1_000_000], covariance, [10_000, 0]), 1)
    661.2
    """
    return _incremental(positions, covariance, trades, risk_factor("es", confidence, z, nu), mean)


def incremental_var_by_instrument(
    positions: Any,
    covariance: Any,
    amounts: Any,
    instruments: Any = None,
    confidence: float = 0.95,
    *,
    mean: Any = None,
    z: float | None = None,
    nu: float | None = None,
) -> Any:
    """`incremental_var` of candidate trades in one instrument each.

    Parameters
    ----------
    amounts : number, (n_assets,) or (n_trades,)
        Money bought in each candidate trade.
    instruments : (n_trades,), optional
        What each trade buys: names where the book is labelled, else column numbers. Without it trade i buys asset i.
    positions, covariance, confidence, mean, z, nu
        As in `incremental_var`.

    Returns
    -------
    (n_trades,)
        Money; negative when the trade lowers VaR. Labelled by `instruments` if they have an index, else by the
        instruments' names where the book has names.

    Raises
    ------
    InputError
        As in `incremental_var`, or an instrument that is not in the covariance.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.2 (the variance after a trade in one asset).

    Examples
    --------
    >>> covariance = [[0.05**2, 0.0], [0.0, 0.12**2]]
    >>> incremental_var_by_instrument([2_000_000, 1_000_000], covariance, 10_000, z=1.65).round(1).tolist()
    [528.9, 1524.2]
    """
    book = exposure_of(positions, covariance)
    factor = risk_factor("var", confidence, z, nu)
    drifts = None if mean is None else asset_vector(mean, book, "mean")
    gradient, variances, names = book.gradient, book.variances, book.labels
    if instruments is None:
        amount = asset_vector(amounts, book, "amounts")
    else:
        chosen, names = _columns(instruments, book), labels_of(instruments, 0)
        if names is None and book.labels is not None:
            names = book.labels[chosen]
        gradient, variances = gradient[chosen], variances[chosen]
        drifts = None if drifts is None else drifts[chosen]
        amount = finite_array(amounts, "amounts")
        if amount.shape not in ((), chosen.shape):
            raise InputError(f"amounts has shape {amount.shape} for {len(chosen)} instruments; give one for each")
    change = _change(book, amount * gradient, amount * amount * variances, factor)
    return with_labels(change if drifts is None else change - amount * drifts, names)


def incremental_var_historical(
    positions: Any, returns: Any, trades: Any = None, confidence: float = 0.95, *, quantile: str = "inverted_cdf"
) -> Any:
    """Historical VaR after a trade less historical VaR before it, for one trade or for many candidates at once.

    Parameters
    ----------
    positions : (n_assets,)
        Money held, negative when short; matched by name where both sides are labelled.
    returns : (n_obs, n_assets)
        Simple returns per scenario, observed or simulated.
    trades : (n_assets,) or (n_trades, n_assets), optional
        Money bought of each asset, one trade or one per row. Without it the answer is, for each position, VaR less
        VaR without that position.
    confidence : float
        0.95 for 95 %.
    quantile : str
        Quantile definition, as in `riskkit.var.historical_var`.

    Returns
    -------
    float or (n_trades,)
        Money; negative when the trade lowers VaR.

    Raises
    ------
    InputError
        NaN, infinity, or shapes and labels that do not fit.

    References
    ----------
    Dowd (2005), Measuring Market Risk, 2nd ed., section 11.2 (incremental VaR by the before-and-after approach).

    Examples
    --------
    >>> returns = [[0.02, 0.01], [-0.03, 0.01], [-0.01, -0.04], [0.01, 0.00]]
    >>> incremental_var_historical([100.0, 50.0], returns, [-100.0, 0.0], 0.75)
    -1.0
    """
    return _before_and_after(positions, returns, trades, lambda pnl: historical_var(pnl, confidence, quantile))


def incremental_es_historical(positions: Any, returns: Any, trades: Any = None, confidence: float = 0.95) -> Any:
    """Historical ES (tail mass) after a trade less before it.

    Parameters
    ----------
    positions, returns, trades, confidence
        As in `incremental_var_historical`.

    Returns
    -------
    float or (n_trades,)
        Money; negative when the trade lowers ES.

    Raises
    ------
    InputError
        As in `incremental_var_historical`.

    References
    ----------
    Acerbi and Tasche (2002), On the coherence of expected shortfall, Journal of Banking and Finance 26, 1487-1503.

    Examples
    --------
    >>> returns = [[0.02, 0.01], [-0.03, 0.01], [-0.01, -0.04], [0.01, 0.00]]
    >>> incremental_es_historical([100.0, 50.0], returns, [0.0, -50.0], 0.75)
    0.0
    """
    return _before_and_after(positions, returns, trades, lambda pnl: historical_es(pnl, confidence))


def _incremental(positions: Any, covariance: Any, trades: Any, factor: float, mean: Any) -> Any:
    book = exposure_of(positions, covariance)
    drifts = np.zeros_like(book.positions) if mean is None else asset_vector(mean, book, "mean")
    if trades is None:
        gone = -book.positions
        change = _change(book, gone * book.gradient, gone**2 * book.variances, factor) - gone * drifts
        return with_labels(0.0 - change, book.labels)  # of what is not held 0, not -0
    basket = _baskets(trades, book.labels, len(book.positions))
    crossed, squared = basket @ book.gradient, ((basket @ book.covariance) * basket).sum(axis=-1)
    change = _change(book, crossed, squared, factor) - basket @ drifts
    return float(change) if basket.ndim == 1 else with_labels(change, labels_of(trades, 0))


def _change(book: Exposure, crossed: Any, squared: Any, factor: float) -> Any:
    """F (s_after - s_before) where the variance moves by 2 t'Cw + t'Ct; exact also for tiny trades and full hedges."""
    moved = 2.0 * crossed + squared
    after = book.without_rounding(book.volatility**2 + moved)
    together = np.sqrt(after) + book.volatility
    if after.min() > 0.0:
        return factor * moved / together
    moved = np.where(after > 0.0, moved, -(book.volatility**2))
    return factor * np.divide(moved, together, out=np.zeros_like(together), where=together > 0.0)


def _baskets(trades: Any, labels: Any, n_assets: int) -> np.ndarray:
    basket = finite_array(by_name(trades, labels, "trades"), "trades")
    if basket.ndim not in (1, 2) or basket.shape[-1] != n_assets:
        raise InputError(
            f"trades has shape {basket.shape} for {n_assets} assets; give (n_assets,), or (n_trades, n_assets)"
        )
    return basket


def _columns(instruments: Any, book: Exposure) -> np.ndarray:
    """Column numbers of named or numbered instruments."""
    names = list(instruments)
    if book.labels is not None:
        found = book.labels.get_indexer(names)
        if (found < 0).any():
            raise InputError(f"instruments holds {names[int(np.argmax(found < 0))]!r}, which the covariance has not")
        return found
    found = np.asarray(names)
    if found.ndim != 1 or found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= len(book.positions):
        raise InputError(f"instruments={instruments!r} are not column numbers from 0 to {len(book.positions) - 1}")
    return found


def _before_and_after(positions: Any, returns: Any, trades: Any, risk: Any) -> Any:
    held, array, assets = scenarios_of(positions, returns)
    before = array @ held
    if trades is None:
        return with_labels(risk(before) - risk(before[:, None] - array * held), assets)
    basket = _baskets(trades, assets, len(held))
    after = array @ (np.atleast_2d(basket) + held).T
    change = risk(after) - risk(before)
    return float(change[0]) if basket.ndim == 1 else with_labels(change, labels_of(trades, 0))
