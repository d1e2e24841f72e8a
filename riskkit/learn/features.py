"""What is known of a series before its next return, as columns to learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, refuse_prices, single_series, whole_number
from riskkit._docs import counted
from riskkit._show import short_label
from riskkit._types import ReturnsLike
from riskkit.covariance.ewma import decay_factor

CUTS = (0.55, 0.7, 0.85, 0.97)
"""Shares of the rows after which a series is cut to see whether its features change."""


def tail_features(
    returns: ReturnsLike, implied_volatility: Any = None, *, lags: Sequence[int] = (1, 5, 22), decay: float = 0.94
) -> Any:
    """What is known after each return about the size of the next loss.

    Parameters
    ----------
    returns : (n_obs,)
        Returns per period, oldest first.
    implied_volatility : (n_obs,), optional
        Volatility that options imply at the end of each period, in any one unit.
    lags : sequence of int
        Numbers of periods over which mean sizes of returns are taken, as in a heterogeneous autoregression.
    decay : float
        Of the exponentially weighted volatility.

    Returns
    -------
    (n_obs, n_features) DataFrame
        A row has the label of the last return it uses; rows before the longest lag are NaN. "volatility" (exponentially
        weighted) is in the unit of the returns; mean sizes, mean losses and the last return are divided by it.

    Raises
    ------
    InputError
        NaN, infinity, prices, dates out of order, another number of implied volatilities, or too few returns.

    References
    ----------
    Corsi (2009), A simple approximate long-memory model of realized volatility, J. Financial Econometrics 7, 174-196.

    Examples
    --------
    >>> tail_features([0.01, -0.03, 0.02, 0.01], lags=[1, 2]).columns.tolist()
    ['volatility', 'size of 1', 'size of 2', 'loss of 2', 'last return']
    """
    import pandas as pd

    array = single_series(returns, "returns", ordered=True)
    refuse_prices(array, "returns")
    spans = sorted({whole_number(lag, "lags") for lag in lags})
    if not spans or len(array) < spans[-1]:
        raise InputError(
            f"returns has {counted(len(array), 'observation')} and lags={list(lags)}; give a lag, and as many returns"
        )
    squares = pd.Series(array**2).ewm(alpha=1.0 - decay_factor(decay), adjust=False)
    volatility = np.sqrt(squares.mean().to_numpy())  # from the first square on, so that no row knows a later one
    unit = np.where(volatility > 0.0, volatility, 1.0)
    frame = pd.DataFrame({"volatility": volatility}, index=labels_of(returns, 0))
    losses = np.maximum(-array, 0.0)
    for kind, values, chosen in (("size", np.abs(array), spans), ("loss", losses, spans[1:])):
        for span in chosen:
            means = np.full(len(array), np.nan)
            means[span - 1 :] = np.lib.stride_tricks.sliding_window_view(values, span).mean(axis=1)
            frame[f"{kind} of {span}"] = means / unit
    frame["last return"] = array / unit
    if implied_volatility is not None:
        implied = finite_array(implied_volatility, "implied_volatility", ndim=1)
        if len(implied) != len(array):
            raise InputError(f"implied_volatility has {len(implied)} values for {len(array)} returns; give one each")
        frame["implied volatility"] = implied
        frame["implied over recent"] = implied / unit
    frame.iloc[: spans[-1] - 1] = np.nan
    return frame


def features_of(function: Callable[[Any], Any], returns: Any) -> Any:
    """Features by a function of the returns (a Series), refused if rows change when later returns are left out."""
    import pandas as pd

    found = function(returns)
    if not isinstance(found, pd.DataFrame) or not found.index.equals(returns.index):
        raise InputError(
            "features gives no DataFrame with a row for each return; its rows have the labels of the returns"
        )
    for share in CUTS:
        cut = int(share * len(returns))
        alone = function(returns.iloc[:cut])
        gap = np.abs(alone.to_numpy(float) - found.iloc[:cut].to_numpy(float))
        differs = gap > 1e-9 * np.abs(found.iloc[:cut].to_numpy(float)) + 1e-300
        differs |= alone.isna().to_numpy() != found.iloc[:cut].isna().to_numpy()
        if differs.any():
            row, column = np.argwhere(differs)[0]
            raise InputError(
                f"features looks ahead: {found.columns[column]!r} of {short_label(found.index[row])} changes when the returns "
                f"from {short_label(returns.index[cut])} on are left out; use what was known at the end of the period"
            )
    return found
