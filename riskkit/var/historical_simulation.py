"""Historical simulation: VaR and ES of the empirical distribution, with equal or given weights.

The default pair is consistent: VaR is the ceil(n p)-th worst loss, and ES the mean of exactly n p observations of mass,
the last one with its fraction, so that ties do not matter. The definitions of other packages are named options.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from riskkit._check import InputError, finite_array, one_of
from riskkit._docs import counted
from riskkit._tail import DEFAULT_CONFIDENCE, n_tail, tail_probability
from riskkit._types import Confidence, ReturnsLike
from riskkit.var._inputs import DEFINITIONS, Quantile, quantile_position
from riskkit.var._selection import order_statistics, rolling_order_statistics
from riskkit.var.estimate import RiskEstimate, estimate
from riskkit.var.method import Fit, Method, VarEs

EsDefinition = Literal["tail_mass", "beyond", "at_or_beyond", "beyond_rank"]


def historical(
    returns: ReturnsLike,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    quantile: str = "inverted_cdf",
    es: EsDefinition = "tail_mass",
    weights: Any = None,
) -> RiskEstimate:
    """VaR and ES of the observed returns.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L in money; gains positive, oldest first. The estimate has their horizon: for
        ten days, give ten-day returns (`riskkit.returns.horizon_returns`).
    confidence : float or sequence of float
        0.95 for 95 %.
    quantile : str
        Definition of the VaR quantile: "inverted_cdf" (the ceil(n p)-th worst loss, consistent with the default ES),
        any other `method` of `numpy.quantile` ("linear", "weibull", "hazen", ...), or "floor_index", sorted[int(n p)].
        Ranks are exact: 7 % of 100 is the seventh, although 100 × 0.07 is not 7 in binary.
    es : {"tail_mass", "beyond", "at_or_beyond", "beyond_rank"}
        Mean of exactly n p observations of mass; of the losses strictly beyond the VaR; of those at or beyond it; or
        of the ceil(n p) - 1 worst, regardless of ties. Only the first is coherent and continuous.
    weights : (n_obs,), optional
        Probability weights of the observations, normalised to sum to 1; with the default definitions only.

    Returns
    -------
    RiskEstimate
        Losses positive, in the unit of `returns`; not floored at 0. With fewer than 1/p observations both are the
        worst observed loss.

    Raises
    ------
    InputError
        NaN, infinity, no rows, an unknown definition, weights that do not fit, or an ES "beyond" the worst loss.

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, American Statistician 50, 361-365. Rockafellar
    and Uryasev (2002), Conditional value-at-risk for general loss distributions, J. Banking & Finance 26, 1443-1471,
    proposition 8 (tail mass, atoms split). Acerbi and Tasche (2002), On the coherence of expected shortfall, J.
    Banking & Finance 26, 1487-1503, definition 2.6.

    Examples
    --------
    >>> losses = [5, 4, 4, 4, 3, 2, 1, 0, 0, 0]
    >>> risk = historical([-loss for loss in losses], 0.8)
    >>> risk.var, risk.es
    (4.0, 4.5)
    >>> risk
    VaR and ES, historical
    ------------------------
    VaR 80%       4.0
    ES 80%        4.5
    observations   10
    horizon         1 period
    """
    return estimate(Historical(quantile, es, weights), returns, confidence)


@dataclass(frozen=True)
class Historical(Method):
    """Options of `riskkit.var.historical`."""

    quantile: str = "inverted_cdf"
    es: EsDefinition = "tail_mass"
    weights: Any = None

    title = "historical"
    default_models: ClassVar = {f"historical {window}": {"window": window} for window in (250, 500, 1000)}

    def __post_init__(self) -> None:
        one_of(self.quantile, tuple(DEFINITIONS), "quantile")
        one_of(self.es, get_args(EsDefinition), "es")
        if self.weights is not None and not self._default:
            raise InputError("weights go with quantile='inverted_cdf' and es='tail_mass' only")

    @property
    def _default(self) -> bool:
        return self.quantile == "inverted_cdf" and self.es == "tail_mass"

    @property
    def ordered(self) -> bool:
        """Weights belong to observations, which therefore cannot be resampled."""
        return self.weights is not None

    @property
    def var_is_order_statistic(self) -> bool:
        """True with equal weights."""
        return self.weights is None

    @property
    def es_is_tail_mean(self) -> bool:
        """True with equal weights and the default definition."""
        return self.weights is None and self.es == "tail_mass"

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate VaR and ES of each column of (n_obs, n_series)."""
        if self.weights is not None:
            return Fit(*weighted_tail(table, _normalised(self.weights, len(table)), confidences), {})
        var, es = self._from_statistics(len(table), confidences, lambda ranks: order_statistics(table, ranks))
        if self.es in ("beyond", "at_or_beyond"):
            es = np.array([_mean_beyond(table, row, inclusive=self.es == "at_or_beyond") for row in var])
        return Fit(var, es, {})

    def roll(self, table: np.ndarray, window: int, confidences: tuple[float, ...]) -> VarEs:
        """Estimate every window by a kernel that updates the worst losses, where the options allow."""
        if self.weights is not None or self.es in ("beyond", "at_or_beyond"):
            return super().roll(table, window, confidences)
        if self._default and len(confidences) == 1:  # both numbers need the same rank, and the kernel combines them
            size = n_tail(window, confidences[0])
            rank = math.ceil(size) - 1
            return rolling_order_statistics(table, window, [rank], share=size - rank, size=size)
        return self._from_statistics(window, confidences, lambda ranks: rolling_order_statistics(table, window, ranks))

    def _from_statistics(self, n_obs: int, confidences: tuple[float, ...], statistics: Any) -> VarEs:
        """VaR and ES from the order statistics of a sample, or of every window of one."""
        positions = [quantile_position(self.quantile, n_obs, level) for level in confidences]
        sizes = [n_tail(n_obs, level) for level in confidences]
        last = [math.ceil(size) - 1 for size in sizes]
        ranks = sorted({*(p.rank for p in positions), *(p.rank + 1 for p in positions if p.weight), *last})
        losses, sums = (dict(zip(ranks, rows, strict=True)) for rows in statistics(ranks))
        var = np.array([_interpolated(losses, position) for position in positions])
        if self.es == "beyond_rank":
            if min(last) == 0:
                raise InputError("no loss is beyond the worst one, which is the VaR here; use es='tail_mass'")
            return var, np.array([sums[rank] / rank for rank in last])
        tails = zip(sizes, last, strict=True)
        return var, np.array([(sums[rank] + (size - rank) * losses[rank]) / size for size, rank in tails])

    def standard_errors(self, table: np.ndarray, fit: Fit, confidences: tuple[float, ...]) -> VarEs | None:
        """VaR: quantile over a Gaussian kernel density. ES: the influence function of the tail mean.

        Silverman (1986), Density Estimation, eq. 3.31 (bandwidth); Manistre and Hancock (2005), Variance of the CTE
        estimator, North American Actuarial Journal 9(2), 129-156.
        """
        if self.weights is not None:
            return None
        n = len(table)
        deviation = table.std(axis=0, ddof=1) if n > 1 else np.zeros(table.shape[1])
        quartiles = np.percentile(table, [25, 75], axis=0)
        spread = np.where(
            quartiles[1] > quartiles[0], np.minimum(deviation, (quartiles[1] - quartiles[0]) / 1.34), deviation
        )
        width = np.where(spread > 0.0, 0.9 * spread * n**-0.2, 1.0)
        var_error, es_error = np.zeros_like(fit.var), np.zeros_like(fit.es)
        for i, level in enumerate(confidences):
            p, var, es = tail_probability(level), fit.var[i], fit.es[i]
            density = np.exp(-0.5 * ((table + var) / width) ** 2).mean(axis=0) / (width * math.sqrt(2.0 * math.pi))
            var_error[i] = np.where(spread > 0.0, math.sqrt(p * (1.0 - p) / n) / density, 0.0)
            beyond = np.maximum(-table - var, 0.0)  # its mean is p (ES - VaR)
            es_error[i] = np.sqrt(np.maximum((beyond**2).mean(axis=0) - (p * (es - var)) ** 2, 0.0) / n) / p
        return var_error, es_error


def _interpolated(losses: dict[int, np.ndarray], position: Quantile) -> np.ndarray:
    """Loss at a position, interpolated as numpy does to the last bit."""
    worse = losses[position.rank]
    if not position.weight:
        return worse
    better = losses[position.rank + 1]
    step: np.ndarray = better - worse
    loss: np.ndarray = (
        better - step * (1.0 - position.weight) if position.weight >= 0.5 else worse + step * position.weight
    )
    return loss


def _mean_beyond(table: np.ndarray, var: np.ndarray, *, inclusive: bool) -> np.ndarray:
    beyond = table <= -var if inclusive else table < -var
    counts = beyond.sum(axis=0)
    if not counts.all():
        raise InputError("no loss is beyond the VaR, which is the worst one here; use es='tail_mass'")
    mean: np.ndarray = 0.0 - np.where(beyond, table, 0.0).sum(axis=0) / counts
    return mean


def weighted_tail(table: np.ndarray, weights: np.ndarray, confidences: tuple[float, ...]) -> VarEs:
    """VaR and ES (n_confidences, n_series) of observations with weights that sum to 1.

    VaR is the first loss, worst first, at which the cumulative weight reaches p; ES is the mean of exactly p of weight.
    """
    n_obs, n_series = table.shape
    shape, largest = (len(confidences), n_series), max(map(tail_probability, confidences))
    var, es = np.empty(shape), np.empty(shape)
    left, keep = np.arange(n_series), 16 + 4 * math.ceil(largest * n_obs)
    while left.size:  # among the few worst, if they have the weight
        lines = table[:, left].T
        worst = np.argpartition(lines, keep, axis=1)[:, :keep] if keep < n_obs else np.argsort(lines, axis=1)
        heavy = (weights[worst].sum(axis=1) >= largest) | (keep >= n_obs)
        worst, lines, done = worst[heavy], lines[heavy], left[heavy]
        var[:, done], es[:, done] = _tail_of_worst(np.take_along_axis(lines, worst, 1), weights[worst], confidences)
        left, keep = left[~heavy], 4 * keep
    return var, es


def _tail_of_worst(returns: np.ndarray, mass: np.ndarray, confidences: tuple[float, ...]) -> VarEs:
    """VaR and ES (n_confidences, n_series) from the worst returns of each series and their weights, (n_series, n)."""
    order = np.argsort(returns, axis=1, kind="stable")
    losses, mass = 0.0 - np.take_along_axis(returns, order, 1), np.take_along_axis(mass, order, 1)
    cumulative, series = np.cumsum(mass, axis=1), np.arange(len(mass))
    var, es = np.empty((len(confidences), len(series))), np.empty((len(confidences), len(series)))
    for i, level in enumerate(confidences):
        p = tail_probability(level)
        last = np.argmax(cumulative >= p * (1.0 - 1e-12), axis=1)  # rounding of the sum must not take the next one
        taken = np.minimum(mass, np.maximum(p - (cumulative - mass), 0.0))
        taken[series, last] += p - taken.sum(axis=1)
        var[i], es[i] = losses[series, last], (taken * losses).sum(axis=1) / p
    return var, es


def _normalised(weights: Any, n_obs: int) -> np.ndarray:
    array = finite_array(weights, "weights", ndim=1)
    if len(array) != n_obs:
        raise InputError(
            f"weights has {counted(len(array), 'value')} and returns {counted(n_obs, 'observation')}; each needs one "
            "(a book with weights of assets is returns @ weights)"
        )
    if (array < 0.0).any() or not array.any():
        raise InputError("weights must be at least zero, and not all zero")
    total: np.ndarray = array / array.sum()
    return total
