"""Historical VaR and ES: the observed returns are the distribution, equally likely or with given weights.

The default pair is consistent: VaR is the ceil(n p)-th worst loss, and ES the mean of exactly n p observations of mass,
the last one with its fraction, so that ties change nothing. Other packages' definitions are options with a name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, one_of
from riskkit.var.estimate import Fit, RiskEstimate, estimate
from riskkit.var.order_statistics import order_statistics, rolling_order_statistics
from riskkit.var.quantile import DEFINITIONS, Place, place_of
from riskkit.var.tail import tail_mass, tail_size

__all__ = ["Historical", "historical_es", "historical_risk", "historical_var", "weighted_tail"]

ES_DEFINITIONS = ("tail_mass", "beyond", "at_or_beyond", "beyond_rank")


def historical_risk(
    returns: Any, confidence: Any = 0.95, *, quantile: str = "inverted_cdf", es: str = "tail_mass", weights: Any = None
) -> RiskEstimate:
    """VaR and ES of the observed returns.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L in money; gains positive. The horizon of the answer is theirs: for ten days,
        give ten-day returns (`riskkit.horizon_returns`).
    confidence : float or sequence of float
        0.95 for 95 %.
    quantile : str
        Which quantile is the VaR: "inverted_cdf" (the ceil(n p)-th worst loss, the one that goes with the ES), any
        other `method` of `numpy.quantile` ("linear", "weibull", "hazen", ...), or "floor_index", sorted[int(n p)].
        Ranks are exact: 7 % of 100 is the seventh, although 100 × 0.07 is not 7 in binary.
    es : {"tail_mass", "beyond", "at_or_beyond", "beyond_rank"}
        Mean of exactly n p observations of mass; of the losses strictly beyond the VaR; of those at or beyond it; or
        of the ceil(n p) - 1 worst, however they tie. Only the first is coherent, and only it is free of jumps.
    weights : (n_obs,), optional
        Probability weights of the observations, normalised to sum to 1; with the default definitions only.

    Returns
    -------
    RiskEstimate
        Losses positive, in the unit of `returns`; not floored at 0. With fewer than 1/p observations both are the
        worst loss seen: the data say nothing beyond it.

    Raises
    ------
    InputError
        NaN, infinity, no rows, an unknown definition, weights that do not fit, or an ES "beyond" a VaR that no loss
        is beyond.

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, American Statistician 50, 361-365. Rockafellar
    and Uryasev (2002), Conditional value-at-risk for general loss distributions, J. Banking & Finance 26, 1443-1471,
    proposition 8 (tail mass, atoms split). Acerbi and Tasche (2002), On the coherence of expected shortfall, J.
    Banking & Finance 26, 1487-1503, definition 2.6.

    Examples
    --------
    >>> losses = [5, 4, 4, 4, 3, 2, 1, 0, 0, 0]
    >>> risk = historical_risk([-loss for loss in losses], 0.8)
    >>> risk.var, risk.es
    (4.0, 4.5)
    >>> risk
    VaR and ES, historical
    -------------------------
    VaR 80%         4
    ES 80%        4.5
    observations   10
    horizon         1 periods
    """
    return estimate(Historical(quantile, es, weights), returns, confidence)


def historical_var(returns: Any, confidence: Any = 0.95, quantile: str = "inverted_cdf", *, weights: Any = None) -> Any:
    """VaR of the observed returns, as a number (or array) alone; see `historical_risk`.

    Parameters
    ----------
    returns, confidence, quantile, weights
        As in `historical_risk`.

    Returns
    -------
    float, (n_confidences,), (n_portfolios,) or (n_confidences, n_portfolios)
        Losses positive, in the unit of `returns`.

    Raises
    ------
    InputError
        As in `historical_risk`.

    References
    ----------
    Hyndman and Fan (1996), Sample quantiles in statistical packages, American Statistician 50, 361-365.

    Examples
    --------
    >>> returns = [0.01, -0.03, 0.02, -0.01, 0.00]
    >>> historical_var(returns, 0.8), round(historical_var(returns, 0.8, "linear"), 6)
    (0.03, 0.014)
    """
    return historical_risk(returns, confidence, quantile=quantile, weights=weights).var


def historical_es(
    returns: Any,
    confidence: Any = 0.95,
    definition: str = "tail_mass",
    *,
    quantile: str = "inverted_cdf",
    weights: Any = None,
) -> Any:
    """ES of the observed returns, as a number (or array) alone; see `historical_risk`, where `definition` is `es`.

    Parameters
    ----------
    returns, confidence, quantile, weights
        As in `historical_risk`.
    definition : str
        Which ES, as `es` in `historical_risk`.

    Returns
    -------
    float, (n_confidences,), (n_portfolios,) or (n_confidences, n_portfolios)
        Losses positive, in the unit of `returns`.

    Raises
    ------
    InputError
        As in `historical_risk`.

    References
    ----------
    Rockafellar and Uryasev (2002), Conditional value-at-risk for general loss distributions, J. Banking & Finance 26,
    1443-1471, proposition 8.

    Examples
    --------
    >>> returns = [-10, -5, -2, 1, 4]
    >>> historical_es(returns, 0.75), historical_es(returns, 0.75, "at_or_beyond", quantile="linear")
    (9.0, 7.5)
    """
    return historical_risk(returns, confidence, es=definition, quantile=quantile, weights=weights).es


@dataclass(frozen=True)
class Historical:
    """The method with its options; `fit` and `roll` work on tables."""

    quantile: str = "inverted_cdf"
    es: str = "tail_mass"
    weights: Any = None

    title = "historical"
    horizon = 1.0

    def __post_init__(self) -> None:
        one_of(self.quantile, tuple(DEFINITIONS), "quantile")
        one_of(self.es, ES_DEFINITIONS, "es")
        if self.weights is not None and not self._default:
            raise InputError("weights go with quantile='inverted_cdf' and es='tail_mass' only")

    @property
    def _default(self) -> bool:
        return self.quantile == "inverted_cdf" and self.es == "tail_mass"

    @property
    def ordered(self) -> bool:
        """Weights belong to observations, so that those cannot be resampled without them."""
        return self.weights is not None

    @property
    def checks_finite(self) -> bool:
        """The kernels look for NaN while they read the numbers anyway."""
        return self.weights is None and self.es in ("tail_mass", "beyond_rank")

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate each column of (n_obs, n_series)."""
        if self.weights is not None:
            var, es = weighted_tail(table, _normalised(self.weights, len(table)), confidences)
            return Fit(var, es, {})
        var, es = self._from_statistics(len(table), confidences, lambda ranks: order_statistics(table, ranks))
        if self.es in ("beyond", "at_or_beyond"):
            es = np.array([_mean_beyond(table, row, inclusive=self.es == "at_or_beyond") for row in var])
        return Fit(var, es, {})

    def roll(
        self, table: np.ndarray, window: int, confidences: tuple[float, ...]
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """VaR and ES (n_confidences, n_windows, n_series) of every window, or None where there is no fast way."""
        if self.weights is not None or self.es in ("beyond", "at_or_beyond"):
            return None
        if self._default and len(confidences) == 1:  # one rank gives both, and the kernel can do the arithmetic
            size = tail_size(window, confidences[0])
            rank = math.ceil(size) - 1
            return rolling_order_statistics(table, window, [rank], share=size - rank, size=size)
        return self._from_statistics(window, confidences, lambda ranks: rolling_order_statistics(table, window, ranks))

    def _from_statistics(self, n_obs: int, confidences: tuple[float, ...], statistics: Any) -> tuple[Any, Any]:
        """VaR and ES from the order statistics that they need; the same for a sample and for windows of one."""
        places = [place_of(self.quantile, n_obs, level) for level in confidences]
        sizes = [tail_size(n_obs, level) for level in confidences]
        last = [math.ceil(size) - 1 for size in sizes]
        ranks = sorted({*(p.rank for p in places), *(p.rank + 1 for p in places if p.weight), *last})
        losses, sums = (dict(zip(ranks, rows, strict=True)) for rows in statistics(ranks))
        var = np.array([_between(losses, place) for place in places])
        if self.es == "beyond_rank":
            if min(last) == 0:
                raise InputError("no loss is beyond the worst one, which is the VaR here; use es='tail_mass'")
            return var, np.array([sums[rank] / rank for rank in last])
        tails = zip(sizes, last, strict=True)
        return var, np.array([(sums[rank] + (size - rank) * losses[rank]) / size for size, rank in tails])


def _between(losses: dict[int, np.ndarray], place: Place) -> np.ndarray:
    """The loss at a place, interpolated as numpy does to the last bit."""
    worse = losses[place.rank]
    if not place.weight:
        return worse
    better = losses[place.rank + 1]
    step = better - worse
    return better - step * (1.0 - place.weight) if place.weight >= 0.5 else worse + step * place.weight


def _mean_beyond(table: np.ndarray, var: np.ndarray, *, inclusive: bool) -> np.ndarray:
    beyond = table <= -var if inclusive else table < -var
    counts = beyond.sum(axis=0)
    if not counts.all():
        raise InputError("no loss is beyond the VaR, which is the worst one here; use es='tail_mass'")
    return 0.0 - np.where(beyond, table, 0.0).sum(axis=0) / counts


def weighted_tail(
    table: np.ndarray, weights: np.ndarray, confidences: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """VaR and ES of observations with weights that sum to 1: (n_confidences, n_series) each.

    VaR is the first loss, worst first, at which the weights reach p; ES has exactly p of weight, the last loss with
    what is missing.
    """
    order = np.argsort(table, axis=0, kind="stable")
    losses, mass = 0.0 - np.take_along_axis(table, order, axis=0), weights[order]
    reached = np.cumsum(mass, axis=0)
    series = np.arange(table.shape[1])
    var, es = np.empty((len(confidences), len(series))), np.empty((len(confidences), len(series)))
    for i, level in enumerate(confidences):
        p = tail_mass(level)
        last = np.argmax(reached >= p * (1.0 - 1e-12), axis=0)  # rounding of the sum must not move it on
        taken = np.minimum(mass, np.maximum(p - (reached - mass), 0.0))
        taken[last, series] += p - taken.sum(axis=0)
        var[i], es[i] = losses[last, series], (taken * losses).sum(axis=0) / p
    return var, es


def _normalised(weights: Any, n_obs: int) -> np.ndarray:
    array = finite_array(weights, "weights", ndim=1)
    if len(array) != n_obs:
        raise InputError(f"weights has {len(array)} values and returns {n_obs} observations; each needs one")
    if (array < 0.0).any() or not array.any():
        raise InputError("weights must be at least zero, and not all zero")
    return array / array.sum()
