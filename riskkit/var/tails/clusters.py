"""Whether large losses come together: extremal index, and the clusters themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, finite_number, labels_of, whole_number
from riskkit._types import ReturnsLike
from riskkit.var.tails.diagnostics import losses_of


def extremal_index(returns: ReturnsLike, threshold: float, run: int | None = None) -> float:
    """Extremal index: the reciprocal of the mean number of large losses in a cluster, 1 where they are independent.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period, or P&L, oldest first.
    threshold : float
        Threshold as a loss.
    run : int, optional
        Number of periods without a loss over the threshold that end a cluster (runs estimator, clusters / losses); by default
        the intervals estimator, which needs no such choice.

    Returns
    -------
    float
        Above 0, at most 1.

    Raises
    ------
    InputError
        NaN, infinity, dates out of order, or fewer than two losses over the threshold.

    References
    ----------
    Ferro and Segers (2003), Inference for clusters of extreme values, J. Royal Statistical Society B 65, 545-556, eq. 4
    and 5. Smith and Weissman (1994), Estimating the extremal index, J. Royal Statistical Society B 56, 515-528 (runs).

    Examples
    --------
    >>> returns = [-0.05, -0.04, 0.01, 0.0, 0.0, -0.06, 0.01, 0.0, 0.02, -0.04]
    >>> extremal_index(returns, 0.03, run=2), round(extremal_index(returns, 0.03), 3)
    (0.75, 1.0)
    """
    times, _ = _exceedances(returns, threshold)
    if len(times) < 2:
        raise InputError(f"returns has {len(times)} losses over the threshold {threshold:g}; at least 2 are needed")
    gaps = np.diff(times).astype(float)
    if run is not None:
        return float((gaps > whole_number(run, "run")).sum() + 1) / len(times)
    if gaps.max() > 2.0:
        gaps, other = gaps - 1.0, gaps - 2.0
    else:
        other = gaps
    return float(min(1.0, 2.0 * gaps.sum() ** 2 / (len(gaps) * (gaps * other).sum())))


def decluster(returns: ReturnsLike, threshold: float, run: int) -> Any:
    """Clusters of losses over a threshold: their largest losses can be fitted as if independent.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period, or P&L, oldest first.
    threshold : float
        Threshold as a loss.
    run : int
        Number of periods without a loss over the threshold that end a cluster.

    Returns
    -------
    DataFrame
        One row per cluster: `first` and `last`, the labels (or positions) of its first and last loss; `n_losses`, the number
        over the threshold; `largest`, the largest loss, in the unit of `returns`; `total`, their sum.

    Raises
    ------
    InputError
        NaN, infinity, dates out of order, or no loss over the threshold.

    References
    ----------
    Coles (2001), An Introduction to Statistical Modeling of Extreme Values, section 5.3.2.

    Examples
    --------
    >>> decluster([-0.05, -0.04, 0.01, 0.0, 0.0, -0.06, 0.01, 0.0, 0.02, -0.04], 0.03, 2)
       first  last  n_losses  largest  total
    0      0     1         2     0.05   0.09
    1      5     5         1     0.06   0.06
    2      9     9         1     0.04   0.04
    """
    import pandas as pd

    times, losses = _exceedances(returns, threshold)
    if len(times) == 0:
        raise InputError(f"returns has no loss over the threshold {threshold:g}; the largest is {losses.max():g}")
    first = np.flatnonzero(np.append(True, np.diff(times) > whole_number(run, "run")))
    last = np.append(first[1:], len(times)) - 1
    labels = labels_of(returns, 0)
    return pd.DataFrame(
        {
            **{
                name: times[at] if labels is None else labels[times[at]]
                for name, at in (("first", first), ("last", last))
            },
            "n_losses": last - first + 1,
            "largest": np.maximum.reduceat(losses[times], first),
            "total": np.add.reduceat(losses[times], first),
        }
    )


def _exceedances(returns: Any, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the losses over the threshold, and all losses."""
    losses = losses_of(returns, ordered=True)
    return np.flatnonzero(losses > finite_number(threshold, "threshold")), losses
