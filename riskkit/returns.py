"""Prices to returns and P&L, log and simple returns, and how volatility grows with time.

Returns are simple (p_t / p_(t-1) - 1) unless the name says log. Arrays are (n_obs,) or (n_obs, n_series), oldest row
first; a Series or DataFrame comes back as one, with the labels of the rows that remain.
"""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    finite_array,
    finite_number,
    labels_of,
    positive,
    returns_array,
    whole_number,
    with_labels,
)
from riskkit._show import Row, Shown

__all__ = [
    "SquareRootTime",
    "SquareRootTimeWarning",
    "check_square_root_time",
    "horizon_returns",
    "log_from_simple",
    "log_returns",
    "loss_from_log_quantile",
    "profit_and_loss",
    "scale_volatility",
    "simple_from_log",
    "simple_returns",
    "square_root_time_ratio",
]

LARGEST_LOG = 709.0
"""Beyond it exp is larger than any float."""


class SquareRootTimeWarning(UserWarning):
    """Volatility was scaled by the square root of time although the returns say that this misleads.

    Examples
    --------
    >>> from riskkit import SquareRootTimeWarning
    >>> issubclass(SquareRootTimeWarning, UserWarning)
    True
    """


def simple_returns(prices: Any) -> Any:
    """Simple returns p_t / p_(t-1) - 1.

    Parameters
    ----------
    prices : (n_obs,) or (n_obs, n_series)
        Prices above zero, oldest first.

    Returns
    -------
    (n_obs - 1,) or (n_obs - 1, n_series)
        Returns per period as fractions, labelled with the later of the two dates.

    Raises
    ------
    InputError
        Fewer than two rows, NaN, infinity, or a price that is not above zero.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1, eq. 1.4.1.

    Examples
    --------
    >>> simple_returns([100.0, 110.0, 99.0]).round(6).tolist()
    [0.1, -0.1]
    """
    array = _prices(prices)
    return _like(array[1:] / array[:-1] - 1.0, prices, 1)


def log_returns(prices: Any) -> Any:
    """Log returns ln(p_t / p_(t-1)).

    Parameters
    ----------
    prices
        As in `simple_returns`.

    Returns
    -------
    (n_obs,) or (n_obs, n_series)
        One row fewer than `prices`, without unit; a sum of them is the log return over the whole time.

    Raises
    ------
    InputError
        As in `simple_returns`.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1.

    Examples
    --------
    >>> log_returns([100.0, 110.0, 99.0]).round(6).tolist()
    [0.09531, -0.105361]
    """
    array = _prices(prices)
    return _like(np.log(array[1:] / array[:-1]), prices, 1)


def log_from_simple(returns: Any) -> Any:
    """Log returns ln(1 + r) of simple returns of the same shape.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_series)
        Simple returns per period, as fractions.

    Returns
    -------
    as `returns`
        Log returns, labelled as what came in.

    Raises
    ------
    InputError
        NaN, infinity, or a return of -100 % or less, which has no logarithm.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1.

    Examples
    --------
    >>> log_from_simple([0.1, -0.1]).round(6).tolist()
    [0.09531, -0.105361]
    """
    array = returns_array(returns)
    if (array <= -1.0).any():
        raise InputError(f"returns holds {array.min():g}; a simple return of -1 or less has no log return")
    return _like(np.log1p(array), returns)


def simple_from_log(log_returns: Any) -> Any:
    """Simple returns exp(x) - 1 of log returns of the same shape.

    Parameters
    ----------
    log_returns : (n_obs,) or (n_obs, n_series)
        Log returns per period.

    Returns
    -------
    as `log_returns`
        Simple returns as fractions, labelled as what came in.

    Raises
    ------
    InputError
        NaN, infinity, or a log return above 709, whose exponential overflows.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1.

    Examples
    --------
    >>> simple_from_log([0.09531017980432493]).round(6).tolist()
    [0.1]
    """
    array = returns_array(log_returns, "log_returns")
    if array.max() > LARGEST_LOG:
        raise InputError(f"log_returns holds {array.max():g}; beyond {LARGEST_LOG:.0f} the simple return is no number")
    return _like(np.expm1(array), log_returns)


def profit_and_loss(prices: Any, quantities: Any, multiplier: float = 1.0) -> Any:
    """P&L per period and instrument of quantities held: quantity × multiplier × price change.

    Unlike a return it is defined for prices of any sign (oil in April 2020, spreads, rates).

    Parameters
    ----------
    prices : (n_obs,) or (n_obs, n_instruments)
        Prices, oldest first; any sign.
    quantities : number, (n_instruments,) or the shape of `prices`
        Units held, negative when short. With one row per date, row t is what is held from t to t+1; the last
        row earns nothing yet.
    multiplier : float
        Money per point and unit.

    Returns
    -------
    (n_obs - 1,) or (n_obs - 1, n_instruments)
        Money, gains positive, labelled with the later of the two dates.

    Raises
    ------
    InputError
        Fewer than two rows, NaN, infinity, or quantities that do not fit the prices.

    Examples
    --------
    >>> profit_and_loss([[10.0, 50.0], [11.0, 48.0], [10.5, 49.0]], [100, -10]).tolist()
    [[100.0, 20.0], [-50.0, -10.0]]
    """
    array = returns_array(prices, "prices", min_obs=2)
    held = finite_array(_aligned(quantities, prices), "quantities")
    if held.shape == array.shape:
        held = held[:-1]
    elif held.shape not in ((), array.shape[1:]):
        raise InputError(
            f"quantities has shape {held.shape} and prices {array.shape}; give one number, one per instrument, "
            "or one row per date"
        )
    return _like(np.diff(array, axis=0) * held * positive(multiplier, "multiplier"), prices, 1)


def horizon_returns(returns: Any, horizon: int, *, overlapping: bool = True, log: bool = False) -> Any:
    """Returns over `horizon` periods: compounded for simple returns, summed for log returns.

    Overlapping windows use every start but are dependent by construction (neighbours share horizon - 1 periods), so
    standard errors and backtests that assume independence do not hold for them.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_series)
        Returns per period, oldest first.
    horizon : int
        Periods per window, at most n_obs.
    overlapping : bool
        True: a window ends at every period from `horizon` on. False: windows laid end to end, the last one ending
        with the data; what is left over at the start is not used.
    log : bool
        The returns are log returns.

    Returns
    -------
    (n_windows,) or (n_windows, n_series)
        Returns over the horizon, labelled with the last period of each window.

    Raises
    ------
    InputError
        NaN, infinity, fewer than `horizon` rows, or a simple return below -100 %.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1.

    Examples
    --------
    >>> horizon_returns([0.1, -0.1, 0.2], 2).round(6).tolist()
    [-0.01, 0.08]
    """
    array = returns_array(returns)
    horizon = whole_number(horizon, "horizon")
    if horizon > len(array):
        raise InputError(f"horizon={horizon} is longer than the {len(array)} returns")
    if not log and (array < -1.0).any():
        raise InputError(f"returns holds {array.min():g}; a simple return below -1 cannot be compounded")
    windows = np.lib.stride_tricks.sliding_window_view(array, horizon, axis=0)
    total = windows.sum(axis=-1) if log else (1.0 + windows).prod(axis=-1) - 1.0
    kept = np.arange(len(total))
    if not overlapping:
        kept = kept[(len(total) - 1) % horizon :: horizon]
    return _like(np.ascontiguousarray(total[kept]), returns, kept + horizon - 1)


def scale_volatility(volatility: Any, periods: float, *, returns: Any = None) -> Any:
    """Volatility over `periods` periods by the square root of time: volatility × sqrt(periods).

    The scaling is always explicit: one-minute to daily is ``scale_volatility(vol, 390)`` for a session of 390
    minutes, daily to ten days ``scale_volatility(vol, 10)``. It is right only for uncorrelated returns; give the
    returns behind the number and it is checked (`check_square_root_time`).

    Parameters
    ----------
    volatility : number, array, Series or DataFrame
        Standard deviation per period.
    periods : float
        Length of the horizon in periods, above zero.
    returns : (n_obs,), optional
        The returns per period; a `SquareRootTimeWarning` says so when they reject the scaling.

    Returns
    -------
    The same type as `volatility`
        Standard deviation over the horizon.

    Raises
    ------
    InputError
        A negative or undefined volatility, `periods` not above zero; with `returns`, a horizon that is not whole.

    References
    ----------
    Diebold, Hickman, Inoue and Schuermann (1998), Converting 1-Day Volatility to h-Day Volatility: Scaling by
    sqrt(h) Is Worse Than You Think, section 2.

    Examples
    --------
    >>> round(scale_volatility(0.0005, 390), 6)
    0.009874
    """
    array = finite_array(volatility, "volatility")
    if (array < 0).any():
        raise InputError(f"volatility holds {array.min():g}; a standard deviation is at least zero")
    factor = math.sqrt(positive(periods, "periods"))
    if returns is not None:
        check = check_square_root_time(returns, whole_number(periods, "periods", at_least=2))
        if check.misleads:
            warnings.warn(check.sentence, SquareRootTimeWarning, stacklevel=2)
    if np.ndim(volatility) == 0:
        return float(volatility) * factor
    return volatility * factor if labels_of(volatility, 0) is not None else array * factor


def square_root_time_ratio(autocorrelation: float, horizon: int) -> float:
    """True volatility of the sum of `horizon` AR(1) returns over sqrt(horizon) × the volatility of one.

    Parameters
    ----------
    autocorrelation : float
        First autocorrelation of the returns, between -1 and 1.
    horizon : int
        Periods.

    Returns
    -------
    float
        Above 1: the square root of time understates the volatility of the horizon.

    Raises
    ------
    InputError
        An autocorrelation outside (-1, 1), or a horizon that is not a whole number above zero.

    References
    ----------
    Alexander (2008), Market Risk Analysis IV: Value-at-Risk Models, section IV.2.2 (scaling under an AR(1)).

    Examples
    --------
    >>> round(square_root_time_ratio(0.1, 10), 6)
    1.094318
    """
    rho = finite_number(autocorrelation, "autocorrelation")
    if not -1.0 < rho < 1.0:
        raise InputError(f"autocorrelation={autocorrelation!r} is not between -1 and 1")
    h = whole_number(horizon, "horizon")
    lags = np.arange(1, h)
    return math.sqrt(1.0 + 2.0 * float((1.0 - lags / h) @ rho**lags))


@dataclass(frozen=True, repr=False)
class SquareRootTime(Shown):
    """Does volatility grow with the square root of time? The variance ratio test and its words.

    Attributes
    ----------
    horizon : int
        Periods that volatility was to be scaled to.
    n_obs : int
        Returns behind the test.
    variance_ratio : float
        Variance of `horizon`-period sums over `horizon` × the variance of one; 1 under uncorrelated returns.
    z : float
        Lo-MacKinlay statistic, robust to heteroskedasticity; standard normal under uncorrelated returns.
    p_value : float
        Two-sided.
    autocorrelation : float
        First autocorrelation.
    level : float
        Size of the test below which `misleads` is true.

    Examples
    --------
    >>> from riskkit import check_square_root_time
    >>> check = check_square_root_time([0.01, -0.01] * 50, 2)
    >>> check.misleads, round(check.autocorrelation, 2), check.n_obs
    (True, -0.99, 100)
    """

    horizon: int
    n_obs: int
    variance_ratio: float
    z: float
    p_value: float
    autocorrelation: float
    level: float

    @property
    def volatility_ratio(self) -> float:
        """Volatility of the horizon over its square-root-of-time value, as measured."""
        return math.sqrt(max(self.variance_ratio, 0.0))

    @property
    def misleads(self) -> bool:
        """Whether uncorrelated returns are rejected at `level`."""
        return self.p_value < self.level

    @property
    def sentence(self) -> str:
        """The finding in words."""
        off = self.volatility_ratio - 1.0
        if not self.misleads:
            return (
                f"Square-root time is not contradicted: over {self.horizon} periods volatility is measured "
                f"{abs(off):.1%} {'above' if off >= 0 else 'below'} it, within sampling error (p = {self.p_value:.3g})."
            )
        return (
            f"Square-root time misleads: it {'understates' if off > 0 else 'overstates'} the {self.horizon}-period "
            f"volatility, which is {self.volatility_ratio:.3g} times the scaled one (first autocorrelation "
            f"{self.autocorrelation:+.3f}, p = {self.p_value:.3g}); estimate the risk from {self.horizon}-period "
            "returns instead (horizon_returns)."
        )

    def _title(self) -> str:
        return f"Square-root time over {self.horizon} periods: " + ("misleads" if self.misleads else "not contradicted")

    def plot(self, ax: Any = None) -> Any:
        """Draw the measured volatility over the horizon beside the one that is scaled by the square root of time."""
        import math

        sizes = {"scaled by the square root of time": 1.0, "measured": float(self.volatility_ratio)}
        verdict = "misleads" if self.misleads else "is not refuted"
        return plot.bars(
            {"": list(sizes.values())},
            list(sizes),
            label=f"volatility over {self.horizon} periods, in multiples of {math.sqrt(self.horizon):.3g} times that of one",
            title=f"Square-root time {verdict} (p = {self.p_value:.2g})",
            ax=ax,
        )

    def _rows(self) -> list[Row]:
        return [
            ("horizon", self.horizon, "periods"),
            ("observations", self.n_obs, ""),
            ("variance ratio", self.variance_ratio, ""),
            ("volatility ratio", self.volatility_ratio, "x sqrt(horizon)"),
            ("first autocorrelation", self.autocorrelation, ""),
            ("z, robust", self.z, ""),
            ("p-value, two-sided", self.p_value, ""),
            ("misleads", self.misleads, f"at {self.level:.0%}"),
            *(("in words" if first else "", "", line) for first, line in _lines(self.sentence)),
        ]

    def to_frame(self) -> Any:
        """One row with every number."""
        import pandas as pd

        columns = ("variance_ratio", "volatility_ratio", "autocorrelation", "z", "p_value", "misleads")
        return pd.DataFrame({name: [getattr(self, name)] for name in columns}, index=[self.horizon]).rename_axis(
            "horizon"
        )


def _lines(sentence: str) -> Iterator[tuple[bool, str]]:
    """A sentence in lines that fit beside a table, each with whether it is the first."""
    for place, line in enumerate(textwrap.wrap(sentence, 64, break_on_hyphens=False)):
        yield place == 0, line


def check_square_root_time(returns: Any, horizon: int, *, level: float = 0.05) -> SquareRootTime:
    """Measure whether volatility over `horizon` periods is sqrt(horizon) times the volatility of one.

    Parameters
    ----------
    returns : (n_obs,)
        Returns per period, oldest first; log returns add up exactly, simple ones nearly.
    horizon : int
        Periods, from 2 to half the number of observations.
    level : float
        Significance at which uncorrelated returns are rejected.

    Returns
    -------
    SquareRootTime
        Variance ratio, robust z and p-value, first autocorrelation, and a sentence that says what follows.

    Raises
    ------
    InputError
        NaN, infinity, constant returns, fewer than 2 × `horizon` observations, or more than one series.

    References
    ----------
    Lo and MacKinlay (1988), Stock Market Prices Do Not Follow Random Walks, Review of Financial Studies 1, 41-66:
    eq. 12a-12b (overlapping, bias-corrected), section 1.2 (heteroskedastic increments).

    Examples
    --------
    >>> check = check_square_root_time([0.01, -0.01] * 50, 2)
    >>> check.misleads, round(check.autocorrelation, 2), round(check.variance_ratio, 3)
    (True, -0.99, 0.0)
    """
    array = finite_array(returns, "returns")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(f"returns has shape {array.shape}; the check takes one series at a time")
    horizon = whole_number(horizon, "horizon", at_least=2)
    level = positive(level, "level")
    n = len(array)
    if n < 2 * horizon:
        raise InputError(f"returns has {n} observations; a horizon of {horizon} needs at least {2 * horizon}")
    deviation = array - array.mean()
    square = deviation**2
    total = float(square.sum())
    if np.ptp(array) == 0.0 or total == 0.0:
        raise InputError("returns is constant; its autocorrelation is undefined")
    sums = np.lib.stride_tricks.sliding_window_view(deviation, horizon).sum(axis=1)
    unbiased = horizon * (n - horizon + 1) * (1.0 - horizon / n)
    ratio = float(sums @ sums) / unbiased / (total / (n - 1))
    lags = range(1, horizon)
    weights = 2.0 * (1.0 - np.arange(1, horizon) / horizon)
    theta = float(weights**2 @ [n * float(square[lag:] @ square[:-lag]) / total**2 for lag in lags])
    z = math.sqrt(n) * (ratio - 1.0) / math.sqrt(theta)
    return SquareRootTime(
        horizon=horizon,
        n_obs=n,
        variance_ratio=ratio,
        z=z,
        p_value=math.erfc(abs(z) / math.sqrt(2.0)),
        autocorrelation=float(deviation[1:] @ deviation[:-1]) / total,
        level=level,
    )


def loss_from_log_quantile(value: float, log_volatility: float, z: float, *, linear: bool = False) -> float:
    """Loss of a position at the z-quantile of normal log returns with mean zero: value × (1 - exp(-z × volatility)).

    Parameters
    ----------
    value : float
        Money held, above zero.
    log_volatility : float
        Standard deviation of the log return over the horizon.
    z : float
        Standard normal quantile of the confidence, 1.645 for 95 %.
    linear : bool
        Take the log return for a simple one, value × z × volatility: 25 % too much at a volatility of 20 % and 99 %.

    Returns
    -------
    float
        Loss in money, positive.

    Raises
    ------
    InputError
        A value or a volatility below zero, or anything that is not finite.

    References
    ----------
    Dowd (2005), Measuring Market Risk, 2nd ed., chapter 3 (lognormal VaR).

    Examples
    --------
    >>> round(loss_from_log_quantile(1_000_000, 0.2, 2.326348), 2)
    372034.22
    >>> round(loss_from_log_quantile(1_000_000, 0.2, 2.326348, linear=True), 1)
    465269.6
    """
    move = finite_number(z, "z") * positive(log_volatility, "log_volatility", zero=True)
    return positive(value, "value", zero=True) * (move if linear else -math.expm1(-move))


def _prices(prices: Any) -> np.ndarray:
    array = returns_array(prices, "prices", min_obs=2)
    if (array <= 0.0).any():
        where = int(np.argwhere(array <= 0.0)[0][0])
        raise InputError(
            f"prices holds {array.min():g} (first at row {where}); a return needs prices above zero, "
            "profit_and_loss takes prices of any sign"
        )
    return array


def _like(array: np.ndarray, source: Any, rows: Any = 0) -> Any:
    """`array` with the labels of `source`: from row number `rows` on, or of those row numbers."""
    index = labels_of(source, 0)
    if index is not None:
        index = index[rows:] if np.ndim(rows) == 0 else index[rows]
    return with_labels(array, index, labels_of(source, 1), getattr(source, "name", None))


def _aligned(values: Any, source: Any) -> Any:
    """`values` labelled by instrument, in the order of the columns of `source`."""
    columns = labels_of(source, 1)
    own = labels_of(values, 0 if np.ndim(values) == 1 else 1)
    if columns is None or own is None or np.ndim(values) == 0:
        return values
    missing = [name for name in columns if name not in own]
    if missing or len(own) != len(columns):
        raise InputError(f"quantities are labelled {list(own)} and prices {list(columns)}; give the same instruments")
    return values[columns]
