"""How heavy the tail is, and from which threshold on: Hill, mean excess and stability of the generalized Pareto fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, constant, finite_array, refuse_prices, single_series, whole_number
from riskkit._types import ReturnsLike
from riskkit.var.parametric.generalized_pareto import MIN_EXCESSES, fit_gpd


def hill(returns: ReturnsLike, n_worst: Any = None) -> Any:
    """Hill estimates of the tail of losses, for one or several numbers of worst losses.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period, or P&L.
    n_worst : int or sequence of int, optional
        Numbers of worst losses; by default every one from 10 to a tenth of the observations, for a Hill plot.

    Returns
    -------
    DataFrame
        By `n_worst`: `threshold`, the next worst loss, in the unit of `returns`; `shape`, the mean logarithm of the losses
        over it; `tail_index`, its reciprocal, the power of the tail; `standard_error` of the shape for independent losses.

    Raises
    ------
    InputError
        NaN, infinity, more worst losses than there are above zero, or losses that are all equal.

    References
    ----------
    Hill (1975), A simple general approach to inference about the tail of a distribution, Annals of Statistics 3,
    1163-1174. McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 5.2.4.

    Examples
    --------
    >>> returns = [-(0.01 * (100 / i) ** 0.3) for i in range(1, 101)]
    >>> hill(returns, [10, 20]).round(3)
             threshold  shape  tail_index  standard_error
    n_worst
    10           0.019  0.266       3.756           0.084
    20           0.016  0.278       3.593           0.062
    """
    import pandas as pd

    losses = losses_of(returns)
    given = range(10, max(10, len(losses) // 10) + 1) if n_worst is None else np.atleast_1d(n_worst)
    numbers = np.array([whole_number(count, "n_worst") for count in given])
    ranked = np.sort(losses)[::-1]
    above = int((ranked > 0.0).sum())
    if numbers.max() >= above:
        raise InputError(f"n_worst={numbers.max()} needs as many losses and one more above zero; returns has {above}")
    logs = np.log(ranked[: numbers.max() + 1])
    shape = np.cumsum(logs)[numbers - 1] / numbers - logs[numbers]
    if (shape <= 0.0).any():
        raise InputError(f"the {numbers[int(np.argmax(shape <= 0.0))]} worst losses of returns are all equal")
    table = {"threshold": ranked[numbers], "shape": shape, "tail_index": 1.0 / shape}
    return pd.DataFrame({**table, "standard_error": shape / np.sqrt(numbers)}, index=pd.Index(numbers, name="n_worst"))


def shape_estimates(returns: ReturnsLike, n_worst: Any) -> Any:
    """Shape of the tail of losses by three estimators; those beside `hill` hold for thin and for short tails, too.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period, or P&L.
    n_worst : int or sequence of int
        Numbers of worst losses, at least two.

    Returns
    -------
    DataFrame
        By `n_worst` (k): `hill` and `moment`, from the k worst losses over the next; `pickands`, from the losses of ranks k, 2k and
        4k, NaN where there are too few or they do not differ.

    Raises
    ------
    InputError
        As `hill`.

    References
    ----------
    Pickands (1975), Statistical inference using extreme order statistics, Annals of Statistics 3, 119-131. Dekkers, Einmahl and de
    Haan (1989), A moment estimator for the index of an extreme-value distribution, Annals of Statistics 17, 1833-1855.

    Examples
    --------
    >>> returns = [-(0.01 * (100 / i) ** 0.3) for i in range(1, 101)]
    >>> shape_estimates(returns, [10, 20]).round(3)
              hill  moment  pickands
    n_worst
    10       0.266  -0.048       0.3
    20       0.278   0.092       0.3
    """
    import pandas as pd

    table = hill(returns, [whole_number(count, "n_worst", at_least=2) for count in np.atleast_1d(n_worst)])
    ranked, rows = np.sort(losses_of(returns))[::-1], []
    for count, first in table["shape"].items():
        second = float(np.mean(np.log(ranked[:count] / ranked[count]) ** 2))
        gaps = -np.diff(ranked[[count - 1, 2 * count - 1, 4 * count - 1]]) if 4 * count <= len(ranked) else np.zeros(2)
        pickands = np.log2(gaps[0] / gaps[1]) if gaps.min() > 0.0 else np.nan
        rows.append((first, first + 1.0 - 0.5 / (1.0 - first**2 / second) if second > first**2 else np.nan, pickands))
    return pd.DataFrame(rows, index=table.index, columns=["hill", "moment", "pickands"])


def mean_excess(returns: ReturnsLike, thresholds: Any = None) -> Any:
    """Mean excess of losses over thresholds: a straight rising line where the tail is generalized Pareto.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period, or P&L.
    thresholds : sequence of float, optional
        Thresholds as losses; by default every observed loss from the median to the tenth worst.

    Returns
    -------
    DataFrame
        By `threshold`: `mean_excess` of the losses strictly over it, in the unit of `returns`; `n_excesses`, their number;
        `standard_error` for independent losses. The slope is shape / (1 - shape).

    Raises
    ------
    InputError
        NaN, infinity, or a threshold that fewer than two losses are over.

    References
    ----------
    Davison and Smith (1990), Models for exceedances over high thresholds, J. Royal Statistical Society B 52, 393-442.

    Examples
    --------
    >>> mean_excess([-0.01, -0.02, -0.04, -0.08, 0.01], [0.01, 0.02]).round(4)
               mean_excess  n_excesses  standard_error
    threshold
    0.01            0.0367           3          0.0176
    0.02            0.0400           2          0.0200
    """
    import pandas as pd

    losses, given = _losses_and_thresholds(returns, thresholds)
    ranked, rows = np.sort(losses), []
    for threshold, below in zip(given, np.searchsorted(ranked, given, side="right").tolist(), strict=True):
        excesses = ranked[below:] - threshold
        if len(excesses) < 2:
            raise InputError(
                f"thresholds has {threshold:g}, which {len(excesses)} losses are over; at least 2 are needed"
            )
        rows.append((excesses.mean(), len(excesses), excesses.std(ddof=1) / np.sqrt(len(excesses))))
    columns = ["mean_excess", "n_excesses", "standard_error"]
    return pd.DataFrame(rows, index=pd.Index(given, name="threshold"), columns=columns)


def threshold_stability(returns: ReturnsLike, thresholds: Any = None) -> Any:
    """Generalized Pareto fits over several thresholds: above a good one, shape and modified scale stay the same.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period, or P&L.
    thresholds : sequence of float, optional
        Thresholds as losses; by default 20 from the 80 % quantile of the losses to that over which 30 losses remain.

    Returns
    -------
    DataFrame
        By `threshold`: `shape` and its `standard_error`, `scale`, `modified_scale` (scale - shape × threshold),
        `n_excesses` and `log_likelihood`.

    Raises
    ------
    InputError
        NaN, infinity, or a threshold that fewer than five losses are over.

    References
    ----------
    Coles (2001), An Introduction to Statistical Modeling of Extreme Values, section 4.3.4.

    Examples
    --------
    >>> returns = [-(0.01 * (100 / i) ** 0.3) for i in range(1, 101)]
    >>> threshold_stability(returns, [0.011, 0.012])[["shape", "modified_scale"]].round(3)
               shape  modified_scale
    threshold
    0.011      0.204           0.001
    0.012      0.189           0.002
    """
    import pandas as pd

    losses = losses_of(returns)
    if thresholds is None:
        lowest, highest = np.quantile(losses, [0.8, max(0.8, 1.0 - 30.0 / len(losses))])
        thresholds = np.unique(np.linspace(lowest, highest, 20))
    rows = []
    for threshold in finite_array(np.atleast_1d(thresholds), "thresholds", ndim=1):
        excesses = excesses_over(losses, threshold)
        fit = fit_gpd(excesses)
        modified = fit.scale - fit.shape * threshold
        rows.append((fit.shape, fit.shape_standard_error, fit.scale, modified, len(excesses), fit.log_likelihood))
    columns = ["shape", "standard_error", "scale", "modified_scale", "n_excesses", "log_likelihood"]
    return pd.DataFrame(rows, index=pd.Index(np.atleast_1d(thresholds), name="threshold"), columns=columns)


def excesses_over(losses: np.ndarray, threshold: float) -> np.ndarray:
    """Losses strictly over the threshold, less the threshold; enough of them to be fitted."""
    excesses: np.ndarray = losses[losses > threshold] - threshold
    if len(excesses) < MIN_EXCESSES or constant(excesses, np.abs(losses).max()):
        raise InputError(
            f"returns has {len(excesses)} losses over the threshold {threshold:.4g}; at least {MIN_EXCESSES} that differ are "
            "needed: give a lower threshold"
        )
    return excesses


def losses_of(returns: Any, *, ordered: bool = False) -> np.ndarray:
    """Losses, positive, of one series of returns."""
    array = single_series(returns, "returns", ordered=ordered)
    refuse_prices(array, "returns")
    return -array


def _losses_and_thresholds(returns: Any, thresholds: Any) -> tuple[np.ndarray, np.ndarray]:
    losses = losses_of(returns)
    if thresholds is not None:
        return losses, finite_array(np.atleast_1d(thresholds), "thresholds", ndim=1)
    ranked = np.unique(losses)
    return losses, ranked[(ranked >= np.median(losses)) & (ranked < np.sort(losses)[-min(10, len(losses))])]
