"""VaR and ES with their standard errors from the largest losses of a simulation."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from riskkit.var.tail import tail_mass, tail_size

__all__ = ["ControlSums", "Estimate", "controlled_estimate", "plain_estimate"]


class Estimate(NamedTuple):
    """VaR and ES with one standard error each; losses positive. An error is nan where one scenario is all the tail."""

    var: float
    var_standard_error: float
    es: float
    es_standard_error: float


class ControlSums(NamedTuple):
    """What all scenarios so far say about the losses C of a control, whose VaR c and ES are known exactly."""

    var: float
    es: float
    beyond: int
    """Scenarios with C > c."""
    excess: float
    """Sum of max(C - c, 0)."""
    squared_excess: float


def plain_estimate(losses: np.ndarray, rows: np.ndarray, n: int, confidence: float, unit: int) -> Estimate:
    """Estimate from the largest losses, in falling order, of `n` scenarios that are independent from unit to unit.

    VaR is the ceil(n p)-th largest loss and ES the mean of exactly n p of the largest. The standard error of VaR is the
    one of the share of scenarios beyond it, turned into money by the spacing of the losses around it; ES adds
    E[max(L - VaR, 0)] / p to VaR and is flat in VaR, so its error is that of this mean.

    References
    ----------
    Glasserman (2003), Monte Carlo Methods in Financial Engineering, section 9.1.3 (error of a quantile). Woodruff
    (1952), Confidence intervals for medians and other position measures, JASA 47, 635-646 (for dependent draws).
    """
    size = tail_size(n, confidence)
    rank = math.ceil(size) - 1
    var = float(losses[rank])
    excess = losses[:rank] - var
    beyond, shortfall = _unit_error(np.ones(rank + 1), rows, n, unit), _unit_error(excess, rows, n, unit)
    es = var + float(excess.sum()) / size
    return Estimate(var, n * beyond * _spacing(losses, rank, n), es, n * shortfall / size)


def controlled_estimate(
    losses: np.ndarray, companions: np.ndarray, n: int, confidence: float, control: ControlSums
) -> Estimate:
    """Estimate with a control variate: the control's losses in the same scenarios are `companions`.

    The share of scenarios in which the control is beyond its own known VaR should be p. What it is off by, times the
    regression of one indicator on the other, is taken off the share at which VaR is read; likewise for the mean excess.

    References
    ----------
    Hesterberg and Nelson (1998), Control variates for probability and quantile estimation, Management Science 44,
    1295-1312, section 3. Glasserman (2003), Monte Carlo Methods in Financial Engineering, sections 4.1 and 9.2.
    """
    p = tail_mass(confidence)
    share_control = control.beyond / n

    def regression_at(rank: int) -> tuple[float, float]:
        share = (rank + 1) / n
        together = np.count_nonzero(companions[: rank + 1] > control.var) / n - share * share_control
        return _regression(share * (1.0 - share), together, share_control * (1.0 - share_control))

    slope, _ = regression_at(math.ceil(tail_size(n, confidence)) - 1)
    size = n * (p + slope * (share_control - p))
    rank = min(max(math.ceil(size) - 1, 0), len(losses) - 1)
    var = float(losses[rank])
    # What is left is measured where VaR has come to lie: at the first place, both tails are off by the same luck.
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
    """Slope on the control, and the variance that it leaves."""
    slope = covariance / variance_control if variance_control > 0.0 else 0.0
    return slope, max(variance - slope * covariance, 0.0)


def _unit_error(values: np.ndarray, rows: np.ndarray, n: int, unit: int) -> float:
    """Standard error of the mean over `n` scenarios of a quantity that is `values` in the first of `rows`, else 0."""
    units = n // unit
    if units < 2 or len(values) == 0:
        return math.nan
    if unit > 1:
        values = np.bincount(np.unique(rows[: len(values)] // unit, return_inverse=True)[1], values) / unit
    mean = float(values.sum()) / units
    variance = max(float(values @ values) / units - mean**2, 0.0) * units / (units - 1)
    return math.sqrt(variance / units)


def _spacing(losses: np.ndarray, rank: int, n: int) -> float:
    """How much the loss falls from one rank to the next, averaged over one standard deviation of the rank each way."""
    share = (rank + 1) / n
    reach = max(1, round(math.sqrt(n * share * (1.0 - share))))
    low, high = max(rank - reach, 0), min(rank + reach, len(losses) - 1)
    return float(losses[low] - losses[high]) / (high - low) if high > low else math.nan
