"""Incremental risk: the change of VaR, ES or volatility by a trade, for many candidate trades at once.

In closed form the variance after trade t is s² + 2 t'Cw + t'Ct, so one product Cw serves all candidates: a trade in
one instrument takes a few operations, independent of the number of assets.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, cast, get_args

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, one_of, shown, with_labels
from riskkit._exposure import Exposure, asset_vector, by_name, exposure_of, scenarios_of
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Measure, PositionsLike, ReturnsLike, TailMeasure, Vector
from riskkit.attribution.docs import documented
from riskkit.var.historical_simulation import historical
from riskkit.var.parametric.elliptical import cached_factor

By = Literal["trade", "instrument"]


@documented
def incremental(
    positions: PositionsLike,
    covariance: Any = None,
    trades: Any = None,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    returns: ReturnsLike | None = None,
    measure: Measure = "var",
    by: By = "trade",
    instruments: Any = None,
    mean: Any = None,
    z: float | None = None,
    df: float | None = None,
    quantile: str = "inverted_cdf",
) -> float | Vector:
    """Risk after a trade less risk before it, for one trade or for many candidates at once.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon of the risk, for the closed form; or give `returns`.
    trades : optional
        ``by="trade"``: money bought of each asset (sold when negative), (n_assets,) for one trade or
        (n_trades, n_assets). ``by="instrument"``: money bought in each candidate trade, a number, (n_assets,) or
        (n_trades,). By default the result is, for each position, the risk less the risk without that position.
    confidence : float
        0.95 for 95 %.
    returns : (n_obs, n_assets)
        Simple returns per scenario, observed or simulated, for historical VaR or ES.
    measure : {"var", "es", "volatility"}
        Risk measure; volatility from a covariance only.
    by : {"trade", "instrument"}
        Trades in several assets, or in one instrument each.
    instruments : (n_trades,), optional
        Instrument of each trade: names where the portfolio is labelled, else column numbers. By default trade i buys
        asset i.
    quantile : str
        Quantile definition of a historical VaR, as in `riskkit.var.historical`.

    Returns
    -------
    float or (n_trades,)
        Money; negative when the trade lowers the risk. Labelled by the rows of `trades`, by the index or the names of
        `instruments`, or by asset.

    Raises
    ------
    InputError
        Neither or both of covariance and returns, NaN, infinity, shapes or labels that do not fit, an invalid
        covariance matrix, an unknown instrument, or options of the other source.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., section 7.2.2 (full revaluation; its first-order part is trade × marginal).
    Dowd (2005), Measuring Market Risk, 2nd ed., section 11.2 (the before-and-after approach).

    Examples
    --------
    >>> covariance = [[0.05**2, 0.0], [0.0, 0.12**2]]
    >>> round(incremental([2_000_000, 1_000_000], covariance, [10_000, 0], confidence=0.95, z=1.65), 1)
    528.9
    >>> incremental([2_000_000, 1_000_000], covariance, 10_000, by="instrument", confidence=0.95, z=1.65).round(1).tolist()
    [528.9, 1524.2]
    >>> incremental([2_000_000, 1_000_000], covariance, confidence=0.95, z=1.65).round().tolist()
    [59738.0, 92738.0]
    >>> returns = [[0.02, 0.01], [-0.03, 0.01], [-0.01, -0.04], [0.01, 0.00]]
    >>> incremental([100.0, 50.0], returns=returns, trades=[-100.0, 0.0], confidence=0.75)
    -1.0
    """
    one_of(by, get_args(By), "by")
    if (covariance is None) == (returns is None):
        raise InputError("give either covariance or returns")
    if by == "instrument" and trades is None:
        raise InputError("trades is missing; by='instrument' needs the money bought in each trade")
    if by == "trade" and instruments is not None:
        raise InputError("instruments goes with by='instrument'")
    if returns is None:
        if quantile != "inverted_cdf":
            raise InputError("quantile goes with returns; a covariance gives the exact quantile")
        book = exposure_of(positions, covariance)
        means = None if mean is None or measure == "volatility" else asset_vector(mean, book, "mean")
        candidates = _candidates(trades, by, instruments, book.labels, book.positions)
        return candidates.labelled(_closed_form(book, candidates, means, cached_factor(confidence, measure, z, df)))
    if any(option is not None for option in (mean, z, df)):
        raise InputError("mean, z and df go with a covariance; returns give the historical VaR or ES")
    one_of(measure, get_args(TailMeasure), "measure")
    held, array, labels = scenarios_of(positions, returns)
    candidates = _candidates(trades, by, instruments, labels, held)
    return candidates.labelled(_historical(array, held, candidates, confidence, measure, quantile))


class _Candidates(NamedTuple):
    """Candidate trades: money in one asset each, or baskets of all assets."""

    columns: np.ndarray | slice | None
    """Asset of each trade, (n_trades,) or all in order, or None for baskets."""
    money: np.ndarray
    """(n_trades,) bought of that asset, (n_assets,) or (n_trades, n_assets)."""
    closing: bool
    """Close each position: the result is the risk that it adds, with the other sign."""
    single: bool
    labels: Any

    def labelled(self, change: np.ndarray) -> float | Vector:
        change = 0.0 - change if self.closing else change  # 0, not -0, for assets that are not held
        return float(change.item()) if self.single else cast("Vector", with_labels(change, self.labels))


def _candidates(trades: Any, by: By, instruments: Any, labels: Any, held: np.ndarray) -> _Candidates:
    n = len(held)
    if trades is None:
        return _Candidates(slice(None), -held, True, False, labels)
    if by == "trade":
        basket = finite_array(by_name(trades, labels, "trades"), "trades")
        if basket.ndim not in (1, 2) or basket.shape[-1] != n:
            raise InputError(
                f"trades has shape {basket.shape} for {n} assets; give (n_assets,), or (n_trades, n_assets)"
            )
        return _Candidates(None, basket, False, basket.ndim == 1, labels_of(trades, 0))
    columns: np.ndarray | slice = slice(None)
    names = labels
    if instruments is None:
        trades = by_name(trades, labels, "trades")
    else:
        columns = _columns(instruments, labels, n)
        n, names = len(columns), labels_of(instruments, 0)
        names = labels[columns] if names is None and labels is not None else names
    money = finite_array(trades, "trades")
    if money.shape not in ((), (n,)):
        raise InputError(f"trades has shape {money.shape} for {n} instruments; give one amount for each")
    return _Candidates(columns, np.broadcast_to(money, (n,)), False, False, names)


def _closed_form(book: Exposure, trades: _Candidates, means: np.ndarray | None, factor: float) -> np.ndarray:
    money, columns = trades.money, trades.columns
    if columns is None:
        change = _change(book, money @ book.gradient, ((money @ book.covariance) * money).sum(axis=-1), factor)
        return change if means is None else change - money @ means
    change = _change(book, money * book.gradient[columns], money * money * book.variances[columns], factor)
    return change if means is None else change - money * means[columns]


def _historical(
    array: np.ndarray, held: np.ndarray, trades: _Candidates, confidence: float, measure: Measure, quantile: str
) -> np.ndarray:
    def risk(pnl: np.ndarray) -> np.ndarray:
        estimate = historical(pnl, confidence, quantile=quantile)
        return np.asarray(estimate.var if measure == "var" else estimate.es)

    before = array @ held
    if trades.columns is None:
        after = array @ (np.atleast_2d(trades.money) + held).T
    else:
        after = before[:, None] + array[:, trades.columns] * trades.money
    change: np.ndarray = risk(after) - risk(before)
    return change


def _change(book: Exposure, crossed: Any, squared: Any, factor: float) -> np.ndarray:
    """F (s_after - s_before) for a variance change of 2 t'Cw + t'Ct; exact also for tiny trades and full hedges."""
    moved = 2.0 * crossed + squared
    after = book.without_rounding(book.volatility**2 + moved)
    together = np.sqrt(after) + book.volatility
    change: np.ndarray
    if after.min() > 0.0:
        change = factor * moved / together
        return change
    moved = np.where(after > 0.0, moved, -(book.volatility**2))
    change = factor * np.divide(moved, together, out=np.zeros_like(together), where=together > 0.0)
    return change


def _columns(instruments: Any, labels: Any, n_assets: int) -> np.ndarray:
    """Column numbers of named or numbered instruments."""
    names = list(instruments)
    if labels is not None:
        found: np.ndarray = labels.get_indexer(names)
        if (found < 0).any():
            raise InputError(f"instruments holds {names[int(np.argmax(found < 0))]!r}, which is not in the covariance")
        return found
    found = np.asarray(names)
    if found.ndim != 1 or found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= n_assets:
        raise InputError(f"instruments={shown(instruments)} are not column numbers from 0 to {n_assets - 1}")
    return found
