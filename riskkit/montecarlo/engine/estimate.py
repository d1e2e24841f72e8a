"""VaR and ES with their standard errors from the largest losses of a simulation."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from riskkit._tail import n_tail, tail_probability


class Estimate(NamedTuple):
    """VaR and ES with standard errors, losses positive; an error is nan for a tail of one scenario."""

    var: float
    var_standard_error: float
    es: float
    es_standard_error: float


class ControlSums(NamedTuple):
    """Sums over all scenarios of the losses C of a control variate with exact VaR c and ES."""

    var: float
    es: float
    beyond: int
    """Scenarios with C > c."""
    excess: float
    """Sum of max(C - c, 0)."""
    squared_excess: float


def plain_estimate(losses: np.ndarray, rows: np.ndarray, n: int, confidence: float, unit: int) -> Estimate:
    """Estimate from the largest losses, in descending order, of `n` scenarios in independent units.

    VaR is the ceil(n p)-th largest loss and ES the mean of exactly n p of the largest. The standard error of VaR is
    that of the fraction of scenarios beyond it, times the spacing of the losses around it; ES is VaR plus
    E[max(L - VaR, 0)] / p and stationary in VaR, so its error is that of this mean.

    References
    ----------
    Glasserman (2003), Monte Carlo Methods in Financial Engineering, section 9.1.3 (error of a quantile). Woodruff
    (1952), Confidence intervals for medians and other position measures, JASA 47, 635-646 (for dependent draws).
    """
    size = n_tail(n, confidence)
    rank = math.ceil(size) - 1
    var = float(losses[rank])
    excess = losses[:rank] - var
    beyond, shortfall = _unit_error(np.ones(rank + 1), rows, n, unit), _unit_error(excess, rows, n, unit)
    es = var + float(excess.sum()) / size
    return Estimate(var, n * beyond * _spacing(losses, rank, n), es, n * shortfall / size)


def controlled_estimate(
    losses: np.ndarray, companions: np.ndarray, n: int, confidence: float, control: ControlSums
) -> Estimate:
    """Estimate with a control variate, whose losses in the same scenarios are `companions`.

    The fraction of scenarios with the control beyond its known VaR has mean p. Its deviation from p, times the
    regression of one indicator on the other, is subtracted from the fraction at which VaR is read; likewise for the
    mean excess.

    References
    ----------
    Hesterberg and Nelson (1998), Control variates for probability and quantile estimation, Management Science 44,
    1295-1312, section 3. Glasserman (2003), Monte Carlo Methods in Financial Engineering, sections 4.1 and 9.2.
    """
    p = tail_probability(confidence)
    share_control = control.beyond / n

    def regression_at(rank: int) -> tuple[float, float]:
        share = (rank + 1) / n
        together = np.count_nonzero(companions[: rank + 1] > control.var) / n - share * share_control
        return _regression(share * (1.0 - share), together, share_control * (1.0 - share_control))

    slope, _ = regression_at(math.ceil(n_tail(n, confidence)) - 1)
    size = n * (p + slope * (share_control - p))
    rank = min(max(math.ceil(size) - 1, 0), len(losses) - 1)
    var = float(losses[rank])
    # The residual error is measured at the corrected rank: at the first one both tails have the same error.
    var_error = math.sqrt(n * regression_at(rank)[1]) * _spacing(losses, rank, n)

    excess = losses[:rank] - var
    control_excess = np.maximum(companions[:rank] - control.var, 0.0)
    mean, mean_control = float(excess.sum()) / n, control.excess / n
    spread = float(excess @ excess) / n - mean**2
    spread_control = control.squared_excess / n - mean_control**2
    slope, left = _regression(spread, float(excess @ control_excess) / n - mean * mean_control, spread_control)
    known = p * (control.es - control.var)
    es_error = math.sqrt(left / n) / p if rank > 0 else math.nan
    return Estimate(var, var_error, var + (mean - slope * (mean_control - known)) / p, es_error)


def _regression(variance: float, covariance: float, variance_control: float) -> tuple[float, float]:
    """Slope on the control, and the residual variance."""
    slope = covariance / variance_control if variance_control > 0.0 else 0.0
    return slope, max(variance - slope * covariance, 0.0)


def _unit_error(values: np.ndarray, rows: np.ndarray, n: int, unit: int) -> float:
    """Standard error of the mean over `n` scenarios of a quantity equal to `values` in the first `rows`, else 0."""
    units = n // unit
    if units < 2 or len(values) == 0:
        return math.nan
    if unit > 1:
        values = np.bincount(np.unique(rows[: len(values)] // unit, return_inverse=True)[1], values) / unit
    mean = float(values.sum()) / units
    variance = max(float(values @ values) / units - mean**2, 0.0) * units / (units - 1)
    return math.sqrt(variance / units)


def _spacing(losses: np.ndarray, rank: int, n: int) -> float:
    """Mean difference of losses of adjacent ranks, within one standard deviation of the rank each way."""
    share = (rank + 1) / n
    width = max(1, round(math.sqrt(n * share * (1.0 - share))))
    low, high = max(rank - width, 0), min(rank + width, len(losses) - 1)
    return float(losses[low] - losses[high]) / (high - low) if high > low else math.nan
