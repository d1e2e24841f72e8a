"""Extreme value theory: losses over a high threshold follow a generalized Pareto distribution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskkit._check import InputError, constant, finite_array, finite_number, positive, shown
from riskkit._docs import counted
from riskkit._tail import DEFAULT_CONFIDENCE, n_tail
from riskkit._types import Confidence, ReturnsLike
from riskkit.var._selection import rolling_order_statistics
from riskkit.var.estimate import RiskEstimate, estimate
from riskkit.var.method import Fit, Method, VarEs
from riskkit.var.parametric.generalized_pareto import MIN_EXCESSES, fit_excesses, tail_risk


def evt(
    returns: ReturnsLike,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    tail_fraction: float = 0.1,
    threshold: Any = None,
) -> RiskEstimate:
    """VaR and ES by peaks over a threshold.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L. Clustered losses are fitted as if independent: the estimate is valid, its
        sampling error larger than for independent losses.
    confidence : float or sequence of float
        0.99 for 99 %, with a smaller tail probability than `tail_fraction`.
    tail_fraction : float
        Fraction of the observations over the threshold: the int(n × tail_fraction) worst losses exceed the next one. At
        a confidence between the ranks of the two, VaR is the threshold, so that 0.1 allows 0.9 for every n.
    threshold : float or (n_portfolios,), optional
        Threshold as a loss, instead of `tail_fraction`; losses strictly over it are fitted.

    Returns
    -------
    RiskEstimate
        Losses positive, in the unit of `returns`. `parameters`: threshold, scale, shape, n_excesses. With a shape of
        1 or more ES is infinite.

    Raises
    ------
    InputError
        NaN, infinity, fewer than five losses over the threshold, all of the same size, or a confidence within the body
        of the sample.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 5.2. McNeil and Frey (2000),
    Estimation of tail-related risk measures for heteroscedastic financial time series, J. Empirical Finance 7,
    271-300.

    Examples
    --------
    >>> returns = [-(0.01 * (100 / i) ** 0.3) for i in range(1, 101)]
    >>> risk = evt(returns, 0.99, tail_fraction=0.2)
    >>> round(risk.parameters["shape"], 3), round(risk.var, 4), round(risk.es, 4)
    (0.034, 0.0336, 0.04)
    """
    return estimate(PeaksOverThreshold(tail_fraction, threshold), returns, confidence)


@dataclass(frozen=True)
class PeaksOverThreshold(Method):
    """Options of `riskkit.var.evt`."""

    tail_fraction: float = 0.1
    threshold: Any = None

    title = "peaks over threshold (EVT)"

    def __post_init__(self) -> None:
        if not finite_number(self.tail_fraction, "tail_fraction") < 1.0:
            raise InputError(f"tail_fraction={shown(self.tail_fraction)} is not between 0 and 1; 0.1 is a tenth")
        positive(self.tail_fraction, "tail_fraction")

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate VaR and ES of each column of (n_obs, n_series)."""
        n_obs, n_series = table.shape
        thresholds = self._thresholds(table)
        parameters = np.empty((4, n_series))
        risks = np.empty((2, len(confidences), n_series))
        for j, threshold in enumerate(thresholds.tolist()):
            losses = -table[:, j]
            excesses = losses[losses > threshold] - threshold
            if len(excesses) < MIN_EXCESSES or constant(excesses, np.abs(losses).max()):
                raise InputError(
                    f"returns has {len(excesses)} losses over the threshold {threshold:.4g}; at least "
                    f"{MIN_EXCESSES} that differ are needed: give a larger tail_fraction or a lower threshold"
                )
            shape, scale = fit_excesses(excesses)
            parameters[:, j] = threshold, scale, shape, len(excesses)
            risks[:, :, j] = tail_risk(
                threshold,
                confidences,
                scale=scale,
                shape=shape,
                n_obs=n_obs,
                n_excesses=len(excesses),
                n_at_or_over=int((losses >= threshold).sum()),
            )
        names = ("threshold", "scale", "shape", "n_excesses")
        return Fit(risks[0], risks[1], dict(zip(names, parameters, strict=True)))

    def roll(self, table: np.ndarray, window: int, confidences: tuple[float, ...]) -> VarEs:
        """Estimate every window; one whose tail has not changed has the numbers of the window before."""
        if self.threshold is not None:
            return super().roll(table, window, confidences)
        rank = self._n_over(window)
        thresholds = rolling_order_statistics(table, window, [rank])[0][0]
        steps = np.maximum(-table[:-window], -table[window:])  # the larger loss of the two rows of a step
        same = (thresholds[1:] == thresholds[:-1]) & (steps < thresholds[1:])
        shape = (len(confidences), *thresholds.shape)
        var, es = np.empty(shape), np.empty(shape)
        for j in range(table.shape[1]):
            fitted = np.flatnonzero(np.append(True, ~same[:, j]))
            views = np.lib.stride_tricks.sliding_window_view(table[:, j], window)[fitted]
            fit, since = self._fit_windows(views.T, confidences), np.diff(np.append(fitted, len(thresholds)))
            var[:, :, j], es[:, :, j] = np.repeat(fit.var, since, axis=1), np.repeat(fit.es, since, axis=1)
        return var, es

    def of_column(self, column: int) -> Method:
        """The method with the threshold of one column."""
        return self if np.ndim(self.threshold) == 0 else replace(self, threshold=np.asarray(self.threshold)[[column]])

    def _thresholds(self, table: np.ndarray) -> np.ndarray:
        n_obs, n_series = table.shape
        if self.threshold is not None:
            given = finite_array(self.threshold, "threshold")
            if given.shape not in ((), (n_series,)):
                raise InputError(f"threshold has shape {given.shape}; give one number or one per portfolio")
            return np.broadcast_to(given, (n_series,))
        count = self._n_over(n_obs)
        threshold: np.ndarray = -np.partition(table, count, axis=0)[count]
        return threshold

    def _n_over(self, n_obs: int) -> int:
        """Number of losses over the threshold."""
        count = int(n_tail(n_obs, 1.0 - self.tail_fraction))
        if count + 1 > n_obs:
            raise InputError(f"returns has {counted(n_obs, 'observation')}, too few for a threshold")
        return count
